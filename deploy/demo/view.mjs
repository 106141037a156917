/** The live view: one line for each document. Plain text where standard output is no terminal. */

const CODES = { green: 32, red: 31, yellow: 33, dim: 2, bold: 1 }

/** @param {NodeJS.WriteStream} [out] */
export function createView(out = process.stdout) {
  const coloured = Boolean(out.isTTY) && !process.env.NO_COLOR
  const paint = (colour, text) => (coloured ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text)
  const print = (line = '') => out.write(`${line}\n`)
  return {
    print,
    heading: (text) => print(`\n${paint('bold', text)}`),
    note: (text) => print(paint('dim', text)),
    /** @param {import('./documents.mjs').DemoDocument} document @param {import('./outcome.mjs').Outcome} outcome @param {string[]} differing */
    document(number, document, outcome, differing) {
      const mark = differing.length === 0 ? paint('green', 'ok') : paint('red', '!!')
      const way = document.way ? `${document.by}, ${document.way}` : document.by
      const head = `${String(number).padStart(2)} ${mark}  ${document.from.padEnd(8)} ${document.what.padEnd(36)} ${way.padEnd(17)}`
      print(`${head} ${verdict(outcome, paint)}`)
      for (const difference of differing) print(paint('red', `       ${difference}`))
    },
    arrival: (id, place) => print(`       ${id} -> ${place}`),
  }
}

function verdict({ answer, answeredMs, places }, paint) {
  const took = paint('dim', `${answeredMs} ms`)
  if (!answer) return paint('red', `no answer after ${took}`)
  if (answer.kind === 'rejected') {
    const more = answer.findings > 1 ? ` (first of ${answer.findings})` : ''
    return `${paint('yellow', `rejected ${answer.reason}`)} ${took}: ${oneLine(answer.first)}${more}`
  }
  const accepted = `${paint('green', answer.duplicate ? 'duplicate' : 'accepted')} ${answer.id} ${took}`
  const seen = [...places].sort(([, a], [, b]) => a - b).map(([place, ms]) => `${place} ${paint('dim', `${ms} ms`)}`)
  if (answer.duplicate) return accepted
  return `${accepted} -> ${seen.length === 0 ? 'nowhere (no route)' : seen.join(', ')}`
}

const oneLine = (text) => {
  const line = text.replace(/\s+/g, ' ')
  return line.length > 110 ? `${line.slice(0, 107)}...` : line
}

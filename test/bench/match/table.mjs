/** @typedef {import('./cell.mjs').Result} Result */

const HEADINGS = [
  'cell',
  'elements',
  'match us',
  '(low-high)',
  'matches',
  'parse',
  'both',
  'B/route',
  'routes/s',
  'others: times as long',
]
const WIDTHS = [46, 9, 10, 18, 9, 8, 8, 9, 10, 0]

/** @param {readonly Result[]} results */
export function printResults(results) {
  console.log(`\nmicroseconds for a document: match-only, parse-only, parse + match (both); medians\n${row(HEADINGS)}`)
  for (const result of results) console.log(row(columnsOf(result)))
}

/** @param {Result} result */
export function columnsOf(result) {
  const { cell, failure, absent, elements, match, parse, parseAndMatch, others } = result
  if (absent) return [cell.name, 'its documents are not here: left out']
  if (match === undefined) return [cell.name, `FAILED: ${failure}`]
  const compared = Object.entries(others).map(
    ([name, other]) => `${name} ${(other.match.medianUs / match.medianUs).toFixed(1)}`,
  )
  return [
    failure === '' ? cell.name : `${cell.name} FAILED: ${failure}`,
    elements.toFixed(0),
    us(match),
    `(${match.lowUs.toFixed(1)}-${match.highUs.toFixed(1)})`,
    match.matches.toFixed(1),
    us(parse),
    us(parseAndMatch),
    result.bytesPerRoute.toFixed(0),
    ((result.routes * 1000) / result.addMs).toFixed(0),
    `  ${compared.join(', ')}`,
  ]
}

/** @param {{ medianUs: number } | undefined} timing */
function us(timing) {
  return timing === undefined ? '-' : timing.medianUs.toFixed(1)
}

/** @param {readonly string[]} columns */
export function row(columns) {
  return columns.map((text, at) => (at === 0 || at > 8 ? text.padEnd(WIDTHS[at]) : text.padStart(WIDTHS[at]))).join('')
}

/** @param {readonly { text: string, met: boolean }[]} goals */
export function printGoals(goals) {
  console.log('\ngoals')
  for (const { text, met } of goals) console.log(`${met ? 'met   ' : 'MISSED'} ${text}`)
}

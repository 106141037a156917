import { fileURLToPath } from 'node:url'
import { build } from '../../deploy/setup/packages.mjs'
import { inProcess } from './child.mjs'
import { printGoals } from './match/table.mjs'
import { CASES, INVOICE } from './validate/cases.mjs'
import { goalsOf } from './validate/goals.mjs'
import { headings, lineOf, memoryOf, threadsOf } from './validate/table.mjs'

/**
 * Documents against schemas without a server: parse-only, parse + validate, and from the stanza's element tree to the verdict, each case in
 * a process of its own with libxml2-wasm alone and xmllint on the same bytes; worker threads; memory.
 */

export const OPTIONS = /** @type {const} */ ({
  only: { type: 'string' },
  rounds: { type: 'string' },
  documents: { type: 'string' },
})

export const HELP = `  --only TEXT      cases whose name holds it: ${Object.keys(CASES).join('; ')}
  --rounds N       rounds of each measurement (5)
  --documents N    whose memory is watched, tens of thousands (1000000; 50000 with --quick or --check; 0: none)`

const LONGEST_CELL_MS = 240_000
const LONGEST_MEMORY_MS = 20 * 60_000
/** Two of them are needed behind the warm-up for a growth to be seen. */
const FEWEST_DOCUMENTS = 40_000

/**
 * @param {{ values: Record<string, string | boolean | undefined>, seed: number, quick: boolean, closing: ReturnType<typeof import('./closing.mjs').makeClosing> }} run
 */
export async function run({ values, seed, quick, closing }) {
  const plan = planOf(values, quick)
  await build(fileURLToPath(new URL('../..', import.meta.url)))
  const ask = (/** @type {string} */ file, /** @type {object} */ order, longestMs = LONGEST_CELL_MS) =>
    inProcess(new URL(`validate/${file}.mjs`, import.meta.url), { seed, ...order }, closing, longestMs)
  console.log(`microseconds for a document, medians\n${headings()}`)
  const results = []
  for (const name of plan.names) {
    const result = { name, ...(await ask('cell', { name, pace: plan.pace, quick })) }
    console.log(lineOf(result))
    results.push(result)
  }
  const threads = await measureThreads(plan, results, quick, ask)
  const { documents } = plan
  const memory = documents === 0 ? undefined : await ask('memory', { documents }, LONGEST_MEMORY_MS)
  if (memory) console.log(memoryOf(memory))
  const goals = goalsOf(results, memory)
  if (values.check) printGoals(goals)
  return { cases: results, threads, memory, goals }
}

/**
 * One of our own, and the invoice where it is here.
 *
 * @param {ReturnType<typeof planOf>} plan
 * @param {readonly any[]} results
 * @param {boolean} quick
 * @param {(file: string, order: object) => Promise<any>} ask
 */
async function measureThreads({ names }, results, quick, ask) {
  const wanted = ['order, 10 KB, XSD', INVOICE].filter((name) => names.includes(name))
  const here = wanted.filter((name) => !results.find((result) => result.name === name)?.absent)
  const threads = []
  for (const name of here) {
    const measured = { name, ...(await ask('threads', { name, durationMs: quick ? 500 : 3_000 })) }
    console.log(threadsOf(measured))
    threads.push(measured)
  }
  return threads
}

/**
 * @param {Record<string, string | boolean | undefined>} values
 * @param {boolean} quick
 */
function planOf(values, quick) {
  const only = String(values.only ?? '')
  const names = Object.keys(CASES).filter((name) => name.includes(only))
  if (names.length === 0) throw new RangeError(`Cannot find a case: "${only}" is in none of their names`)
  const documents = whole('documents', values.documents, quick || values.check ? 50_000 : 1_000_000)
  if (documents > 0 && documents < FEWEST_DOCUMENTS)
    throw new RangeError(`Cannot watch memory: --documents is ${documents}, it takes ${FEWEST_DOCUMENTS} or 0`)
  const rounds = Math.max(1, whole('rounds', values.rounds, 5))
  return { names, documents, pace: { rounds, roundMs: quick ? 40 : 200, warmUpMs: quick ? 200 : 1_000 } }
}

/**
 * @param {string} option
 * @param {unknown} text
 * @param {number} otherwise
 */
function whole(option, text, otherwise) {
  if (text === undefined) return otherwise
  if (!/^\d+$/.test(String(text))) throw new RangeError(`Cannot read --${option}: "${text}" is no whole number`)
  return Number(text)
}

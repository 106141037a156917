import { fileURLToPath } from 'node:url'
import { build } from '../../deploy/setup/packages.mjs'
import { inProcess } from './child.mjs'
import { CHECKED, QUICK, SWEPT, sweep } from './match/cells.mjs'
import { goalsOf } from './match/goals.mjs'
import { columnsOf, printGoals, printResults, row } from './match/table.mjs'

/**
 * Documents against routes without a server: parse-only, parse + match and match-only, each cell in a process of its own with the closure
 * loop, libxml2 for each route and a sorted-field automaton on the same routes and documents, and the same answers demanded of all.
 */

export const OPTIONS = /** @type {const} */ ({
  routes: { type: 'string' },
  bytes: { type: 'string' },
  paths: { type: 'string' },
  matches: { type: 'string' },
  skew: { type: 'string' },
  only: { type: 'string' },
  rounds: { type: 'string' },
  pairs: { type: 'string' },
})

export const HELP = `  Measures the cells of the check with --check, few small ones with --quick, otherwise everything that differs from
  100k routes, 10 KB, 200 paths, 1 match in one thing. A list instead measures all combinations of what is listed:
${Object.entries(SWEPT)
  .map(([name, known]) => `${`  --${name} LIST`.padEnd(19)}of ${Object.keys(known).join()}`)
  .join('\n')}
  --only TEXT      cells whose name holds it
  --rounds N       rounds of each measurement (5)
  --pairs N        of a document and a route set compared with libxml2 (10000; 1000 with --quick)`

const LONGEST_CELL_MS = 120_000
/** A check ends with a verdict within five minutes, however busy the machine is: what then wasn't measured is missed. */
const CHECK_MS = 285_000

/**
 * @param {{ values: Record<string, string | boolean | undefined>, seed: number, quick: boolean, closing: ReturnType<typeof import('./closing.mjs').makeClosing> }} run
 */
export async function run({ values, seed, quick, closing }) {
  const plan = planOf(values, quick)
  const untilMs = values.check ? performance.now() + CHECK_MS : Number.POSITIVE_INFINITY
  await build(fileURLToPath(new URL('../..', import.meta.url)))
  const ask = (/** @type {'cell' | 'correctness'} */ name, /** @type {unknown} */ order) =>
    inProcess(
      new URL(`match/${name}.mjs`, import.meta.url),
      order,
      closing,
      Math.min(LONGEST_CELL_MS, untilMs - performance.now()),
    )
  const correctness = plan.pairs === 0 ? undefined : await ask('correctness', { seed, pairs: plan.pairs })
  if (correctness)
    console.error(
      `correctness: ${correctness.failed ?? `${correctness.pairs} pairs, ${correctness.fuzzed} expressions`}`,
    )
  /** @type {import('./match/cell.mjs').Result[]} */
  const results = []
  for (const cell of plan.cells) {
    const answer = await ask('cell', { cell, seed, pace: plan.pace })
    const result = answer.failed === undefined ? answer : { cell, failure: answer.failed, others: {} }
    console.error(row(columnsOf(result)))
    results.push(result)
  }
  printResults(results)
  const goals = goalsOf(results, correctness)
  if (values.check) printGoals(goals)
  return { cells: results, correctness, goals }
}

/**
 * @param {Record<string, string | boolean | undefined>} values
 * @param {boolean} quick
 */
function planOf(values, quick) {
  const chosen = Object.fromEntries(
    Object.keys(SWEPT)
      .filter((name) => values[name] !== undefined)
      .map((name) => [name, listOf(name, String(values[name]))]),
  )
  const only = String(values.only ?? '')
  const fixed = quick ? QUICK : CHECKED
  const all = Object.keys(chosen).length === 0 && (quick || values.check) ? fixed : sweep(chosen)
  return {
    cells: all.filter(({ name }) => name.includes(only)),
    pairs: whole('pairs', values.pairs, quick ? 1_000 : 10_000),
    pace: { rounds: Math.max(1, whole('rounds', values.rounds, 5)), ...paceOf(quick, values.check === true) },
  }
}

/**
 * @param {boolean} quick
 * @param {boolean} check
 */
function paceOf(quick, check) {
  if (quick) return { roundMs: 30, warmUpMs: 100 }
  return check ? { roundMs: 80, warmUpMs: 300 } : { roundMs: 150, warmUpMs: 700 }
}

/**
 * @param {string} option
 * @param {string} text
 */
function listOf(option, text) {
  const known = Object.keys(SWEPT[option])
  const words = text.split(',')
  const strange = words.find((word) => !known.includes(word))
  if (strange !== undefined) throw new RangeError(`Cannot read --${option}: "${strange}" is none of ${known.join()}`)
  return words
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

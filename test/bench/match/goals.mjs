/**
 * What must hold of a run. What wasn't measured is missed: nothing was shown.
 *
 * @typedef {import('./cell.mjs').Result} Result
 * @typedef {{ text: string, met: boolean }} Goal
 */

const BASE = '100k routes'
const MOST_MATCHES = 10

/**
 * @param {readonly Result[]} results
 * @param {import('./correctness.mjs').Outcome | undefined} correctness
 * @returns {Goal[]}
 */
export function goalsOf(results, correctness) {
  const cell = (/** @type {string} */ name) => results.find((result) => result.cell.name === name)
  const [small, base, large, wild] = ['1k routes', BASE, '1M routes', '1,600 wildcard paths'].map(cell)
  const us = (/** @type {Result | undefined} */ result) => result?.match?.medianUs ?? Number.NaN
  const over = (/** @type {string} */ name) => (base?.others[name]?.match.medianUs ?? Number.NaN) / us(base)
  return [
    ...results.filter(({ absent }) => !absent).map(agrees),
    atMost('match-only, 100k routes, 10 KB, us', us(base), 30, 1),
    atMost('matches of a document in that cell', base?.match?.matches ?? Number.NaN, MOST_MATCHES, 1),
    atMost('match-only, 100k over 1k routes', us(base) / us(small), 1.5, 2),
    atMost('match-only, 1M over 1k routes', us(large) / us(small), 2.5, 2),
    atMost('parse + match over parse, 100k routes', base?.overParse ?? Number.NaN, 1.4, 2),
    atMost('parse + match over parse, 1,600 wildcard paths', wild?.overParse ?? Number.NaN, 1.4, 2),
    atLeast('over the closure loop, 100k routes, times', over('closures'), 50),
    atLeast('over libxml2 for each route, 100k routes, times', over('libxml2'), 1_000),
    atLeast('over the sorted-field automaton, mixed conditions, times', over('automaton'), 10),
    atLeast('routes added at once, a second', base ? (base.routes * 1000) / base.addMs : Number.NaN, 100_000),
    atMost('bytes of index for a route at 100k', base?.bytesPerRoute ?? Number.NaN, 300, 0),
    atMost('MB of index at 1M routes', (large?.usedBytes ?? Number.NaN) / 1e6, 400, 0),
    atMost('ms of the longest pause while routes change at 100k', base?.updates?.longestMs ?? Number.NaN, 5, 1),
    ...correctnessGoals(correctness),
  ]
}

/** @param {Result} result */
function agrees({ cell, failure, updates }) {
  const wrong = failure || updates?.mixed || ''
  return { text: `${cell.name}: ${wrong || 'the same matches as the closure loop'}`, met: wrong === '' }
}

/** @param {import('./correctness.mjs').Outcome | undefined} outcome */
function correctnessGoals(outcome) {
  const pairs = outcome?.pairs ?? 0
  const { mismatch = 'not measured', thrown = 'not measured' } = outcome ?? {}
  return [
    {
      text: `${pairs} random pairs of document and route set match as by libxml2${mismatch && `: ${mismatch}`}`,
      met: mismatch === '' && pairs >= 10_000,
    },
    { text: `${outcome?.fuzzed ?? 0} random expressions throw nothing${thrown && `: ${thrown}`}`, met: thrown === '' },
  ]
}

/**
 * @param {string} what
 * @param {number} found
 * @param {number} wanted
 * @param {number} digits
 * @returns {Goal}
 */
function atMost(what, found, wanted, digits) {
  return { text: `${what}: ${shown(found, digits)}, wanted at most ${wanted}`, met: found <= wanted }
}

/**
 * @param {string} what
 * @param {number} found
 * @param {number} wanted
 * @returns {Goal}
 */
function atLeast(what, found, wanted) {
  return { text: `${what}: ${shown(found, 0)}, wanted at least ${wanted}`, met: found >= wanted }
}

/**
 * @param {number} value
 * @param {number} digits
 */
function shown(value, digits) {
  return Number.isFinite(value) ? value.toFixed(digits) : '-'
}

import { INVOICE } from './cases.mjs'

/**
 * What must hold of a run. What wasn't measured is missed: nothing was shown.
 *
 * @typedef {{ text: string, met: boolean }} Goal
 */

const MOST_OVER_ALONE = 1.3
/** Bytes for 10,000 documents: less than seven for each is what is not told from noise. */
const MOST_GROWTH_BYTES = 65_536

/**
 * @param {readonly any[]} results
 * @param {any} memory
 * @returns {Goal[]}
 */
export function goalsOf(results, memory) {
  const invoice = results.find(({ name }) => name === INVOICE)
  return [
    ...results.filter(({ absent }) => !absent).map(agrees),
    atMost(`${INVOICE}: from the stanza over libxml2-wasm alone`, overAlone(invoice), MOST_OVER_ALONE, 2),
    atMost(
      'bytes of heap that 10,000 documents leave behind',
      memory?.growthOfHeap ?? Number.NaN,
      MOST_GROWTH_BYTES,
      0,
    ),
    atMost(
      'bytes of libxml2 that 10,000 documents leave behind',
      memory?.growthOfLibxml2 ?? Number.NaN,
      MOST_GROWTH_BYTES,
      0,
    ),
  ]
}

/** @param {any} result */
export function overAlone(result) {
  return (result?.room?.medianUs ?? Number.NaN) / (result?.alone?.medianUs ?? Number.NaN)
}

/** @param {any} result */
function agrees({ name, failed, failure, judged }) {
  const wrong = failed ?? failure
  return { text: `${name}: ${wrong || `the right verdict on ${judged} documents`}`, met: wrong === '' }
}

/**
 * @param {string} what
 * @param {number} found
 * @param {number} wanted
 * @param {number} digits
 * @returns {Goal}
 */
function atMost(what, found, wanted, digits) {
  const shown = Number.isFinite(found) ? found.toFixed(digits) : '-'
  return { text: `${what}: ${shown}, wanted at most ${wanted}`, met: found <= wanted }
}

import { overAlone } from './goals.mjs'

const HEADINGS = [
  'case',
  'bytes',
  'parse us',
  'both us',
  'both/parse',
  'room us',
  '(low-high)',
  'alone us',
  'room/alone',
]
const MORE = ['xmllint us', '--stream us', 'both/xmllint', 'both/--stream']
const WIDTHS = [30, 8, 10, 10, 12, 10, 16, 10, 12, 12, 13, 14, 15]

export function headings() {
  return row([...HEADINGS, ...MORE])
}

/** @param {any} result */
export function lineOf(result) {
  const { name, absent, failed, failure, bytes, parse, both, room, alone, xmllint } = result
  if (absent) return `${name.padEnd(WIDTHS[0])}its documents are not here: left out`
  if (failed || failure) return `${name.padEnd(WIDTHS[0])}FAILED: ${failed || failure}`
  const over = (/** @type {number | undefined} */ us) => (us === undefined ? '-' : (both.medianUs / us).toFixed(2))
  const us = (/** @type {number | undefined} */ value) => (value === undefined ? '-' : value.toFixed(1))
  return row([
    name,
    bytes.toFixed(0),
    us(parse.medianUs),
    us(both.medianUs),
    over(parse.medianUs),
    us(room.medianUs),
    `(${us(room.lowUs)}-${us(room.highUs)})`,
    us(alone?.medianUs),
    alone ? overAlone(result).toFixed(2) : '-',
    us(xmllint?.treeUs),
    us(xmllint?.streamUs),
    over(xmllint?.treeUs),
    over(xmllint?.streamUs),
  ])
}

/** @param {any} threads */
export function threadsOf({ name, failed, none, one, two }) {
  if (failed) return `threads, ${name}: FAILED: ${failed}`
  const rate = ({ perSecond, perCpuSecond }) => `${perSecond.toFixed(0)}/s (${perCpuSecond.toFixed(0)} a CPU second)`
  const times = (two.perSecond / none.perSecond).toFixed(2)
  return `threads, ${name}: no worker ${rate(none)}, 1 worker ${rate(one)}, 2 workers ${rate(two)}: ${times} times as many`
}

/** @param {any} memory */
export function memoryOf({ failed, documents, invalid, after, growthOfHeap, growthOfLibxml2 }) {
  if (failed) return `memory: FAILED: ${failed}`
  const last = after.at(-1)
  const mb = (/** @type {number} */ bytes) => `${(bytes / 1e6).toFixed(1)} MB`
  const grown = `10,000 more leave ${growthOfHeap.toFixed(0)} bytes of heap, ${growthOfLibxml2.toFixed(0)} of libxml2`
  const uses = `heap ${mb(last.heap)}, libxml2 ${mb(last.libxml2)}, resident ${mb(last.resident)}`
  return `memory after ${documents} documents, ${invalid} invalid: ${uses}; ${grown}`
}

/** @param {readonly string[]} columns */
function row(columns) {
  return columns.map((text, at) => (at === 0 ? text.padEnd(WIDTHS[at]) : text.padStart(WIDTHS[at]))).join('')
}

import { SIZES } from './documents.mjs'

/** @typedef {import('./e2e.mjs').Cell} Cell */
/**
 * Medians over the rounds of one peer on one server with one size.
 * @typedef {{
 *   server: string, peer: string, size: string, rounds: number, failures: string[], documentsPerSecond: number, ratio: number,
 *   p50Ms: number, p99Ms: number, acknowledgedP50Ms: number, repeated: number, cpuMicroseconds: Record<string, number>
 * }} Line `ratio` is to the naive peer; NaN where that wasn't measured
 * @typedef {{ text: string, met: boolean }} Goal
 */

/** Waybill does far more for each document, and must not be slower. Prosody is itself the limit there. */
const RATIO_GOALS = /** @type {const} */ ({ prosody: 0.9, ejabberd: 1 })

const PROCESSES = ['peer', 'server', 'redis', 'traffic']
const HEADINGS = [
  'peer',
  'documents/s',
  'to naive',
  'p50 ms',
  'p99 ms',
  'ack p50',
  ...PROCESSES.map((name, index) => (index === 0 ? `CPU us/document: ${name}` : name)),
]
const WIDTHS = [16, 12, 9, 8, 8, 8, 23, 8, 8, 8]

/**
 * @param {readonly Cell[]} cells
 * @returns {Line[]}
 */
export function summarise(cells) {
  const keys = [...new Set(cells.map(({ server, size, peer }) => `${server} ${size} ${peer}`))]
  const lines = keys.map((key) => lineOf(cells.filter((cell) => key === `${cell.server} ${cell.size} ${cell.peer}`)))
  for (const line of lines) {
    const naive = lines.find(
      ({ server, size, peer }) => server === line.server && size === line.size && peer === 'naive',
    )
    line.ratio = line.documentsPerSecond / (naive?.documentsPerSecond ?? Number.NaN)
  }
  return lines
}

/**
 * @param {readonly Cell[]} cells of one server, size and peer
 * @returns {Line}
 */
function lineOf(cells) {
  const { server, peer, size } = cells[0]
  const over = (/** @type {(cell: Cell) => number | undefined} */ read) =>
    median(cells.map((cell) => read(cell) ?? Number.NaN))
  return {
    server,
    peer,
    size,
    rounds: cells.length,
    failures: cells.map(({ failure }) => failure).filter((failure) => failure !== ''),
    documentsPerSecond: over(({ throughput }) => throughput?.documentsPerSecond),
    ratio: Number.NaN,
    p50Ms: over(({ latency }) => latency?.p50Ms),
    p99Ms: over(({ latency }) => latency?.p99Ms),
    acknowledgedP50Ms: over(({ latency }) => latency?.acknowledgedP50Ms),
    repeated: cells.reduce((sum, { throughput }) => sum + (throughput?.repeated ?? 0), 0),
    cpuMicroseconds: Object.fromEntries(
      PROCESSES.map((name) => [name, over(({ cpuMicroseconds }) => cpuMicroseconds?.[name])]),
    ),
  }
}

/** @param {readonly number[]} numbers */
export function median(numbers) {
  const ascending = [...numbers].sort((a, b) => a - b)
  const middle = ascending.length >> 1
  return ascending.length % 2 === 1 ? ascending[middle] : (ascending[middle - 1] + ascending[middle]) / 2
}

/** @param {readonly Line[]} lines */
export function printTable(lines) {
  for (const group of new Set(lines.map(groupOf))) {
    const [server = '', size = ''] = group.split(' ')
    console.log(`\n${server}, ${SIZES[size].title} (latency at ${SIZES[size].ratePerSecond} documents/s)`)
    console.log(row(HEADINGS))
    for (const line of lines) if (groupOf(line) === group) console.log(row(columnsOf(line)))
  }
}

function groupOf(/** @type {Line} */ { server, size }) {
  return `${server} ${size}`
}

/** @param {Line} line */
function columnsOf(line) {
  const cpu = PROCESSES.map((name) => fixed(line.cpuMicroseconds[name], 0))
  const speed = fixed(line.documentsPerSecond, 0)
  const latency = [line.p50Ms, line.p99Ms, line.acknowledgedP50Ms].map((ms) => fixed(ms, 1))
  return [line.failures.length > 0 ? `${line.peer} FAILED` : line.peer, speed, fixed(line.ratio, 2), ...latency, ...cpu]
}

/** @param {readonly string[]} columns */
function row(columns) {
  return columns.map((text, index) => (index === 0 ? text.padEnd(WIDTHS[0]) : text.padStart(WIDTHS[index]))).join('')
}

/**
 * @param {number} value
 * @param {number} digits
 */
function fixed(value, digits) {
  return Number.isFinite(value) ? value.toFixed(digits) : '-'
}

/**
 * What must hold of a run. A goal whose peers weren't measured is missed: nothing was shown.
 * @param {readonly Line[]} lines
 * @param {{ servers: readonly ('prosody' | 'ejabberd')[], sizes: readonly string[] }} plan
 * @returns {Goal[]}
 */
export function goalsOf(lines, { servers, sizes }) {
  const arrivals = lines.map(({ server, size, peer, failures }) => ({
    text: `${peer} on ${server}, ${SIZES[size].title}: every document arrives${failures.length > 0 ? ` (${failures[0]})` : ''}`,
    met: failures.length === 0,
  }))
  const ratios = servers.flatMap((server) =>
    sizes.map((size) => {
      const line = lines.find((each) => each.server === server && each.size === size && each.peer === 'waybill')
      const ratio = line?.ratio ?? Number.NaN
      const wanted = RATIO_GOALS[server]
      return {
        text: `waybill to naive on ${server}, ${SIZES[size].title}: ${fixed(ratio, 2)}, wanted ${wanted.toFixed(2)} or more`,
        met: ratio >= wanted,
      }
    }),
  )
  return [...arrivals, ...ratios]
}

import { summarise } from './summary.mjs'

/** @typedef {import('./summary.mjs').Spread} Spread */

const HEADINGS = [
  '',
  'documents/s',
  '(least-most)',
  'of raw',
  'to naive',
  'p50 at 70 %',
  'p99',
  'p50 fixed',
  'p99',
  'ack p50',
]
const WIDTHS = [44, 12, 15, 8, 10, 13, 8, 11, 8, 9]
const COST_HEADINGS = ['', 'CPU us/document', 'peer', 'server', 'redis', 'traffic', 'RSS MiB: peer', 'server', 'redis']
const COST_WIDTHS = [44, 17, 8, 8, 8, 9, 16, 8, 8]

/** @param {import('./measure.mjs').Result} result */
export function printGroup(result) {
  console.log(`\n${result.title} (fixed: ${result.rates} documents/s; times in ms)`)
  console.log(row(HEADINGS, WIDTHS))
  const lines = summarise(result)
  for (const line of lines) {
    const { documentsPerSecond, share, ratio, loaded, fixed, failures } = line
    const columns = [
      nameOf(line.peer, failures),
      digits(documentsPerSecond.middle, 0),
      `${digits(documentsPerSecond.least, 0)}-${digits(documentsPerSecond.greatest, 0)}`,
      digits(share.middle, 2),
      digits(ratio.middle, 2),
      ...[loaded?.p50Ms, loaded?.p99Ms, fixed?.p50Ms, fixed?.p99Ms, fixed?.acknowledgedP50Ms].map((ms) =>
        digits(ms, 1),
      ),
    ]
    console.log(row(columns, WIDTHS))
  }
  for (const { peer, failures } of lines) if (failures.length > 0) console.log(`${peer} FAILED: ${failures[0]}`)
}

/** CPU for each document and memory, by process. @param {readonly import('./measure.mjs').Result[]} results */
export function printCosts(results) {
  for (const result of results) {
    console.log(`\n${result.title}`)
    console.log(row(COST_HEADINGS, COST_WIDTHS))
    for (const { peer, failures, cpuMicroseconds: cpu, memoryMiB: memory } of summarise(result)) {
      const all = Object.values(cpu).reduce((sum, used) => sum + used, 0)
      const columns = [
        ...[all, ofPeer(cpu), cpu.server, cpu.redis, cpu.traffic].map((used) => digits(used, 0)),
        ...[ofPeer(memory), memory.server, memory.redis].map((size) => digits(size, 0)),
      ]
      console.log(row([nameOf(peer, failures), ...columns], COST_WIDTHS))
    }
  }
}

/** All its processes. @param {Record<string, number>} record */
function ofPeer(record) {
  const own = Object.entries(record).filter(([name]) => name.startsWith('peer'))
  return own.length === 0 ? undefined : own.reduce((sum, [, value]) => sum + value, 0)
}

/** @param {string} peer @param {readonly string[]} failures */
function nameOf(peer, failures) {
  return failures.length > 0 ? `${peer} FAILED` : peer
}

/** @param {readonly import('./goals.mjs').Goal[]} goals */
export function printGoals(goals) {
  console.log('\ngoals')
  for (const { text, met } of goals) console.log(`${met ? 'met   ' : 'missed'} ${text}`)
}

/** @param {readonly string[]} columns @param {readonly number[]} widths */
function row(columns, widths) {
  return columns.map((text, index) => (index === 0 ? text.padEnd(widths[0]) : text.padStart(widths[index]))).join('')
}

/**
 * @param {number | undefined} value
 * @param {number} count
 */
export function digits(value, count) {
  return value !== undefined && Number.isFinite(value) ? value.toFixed(count) : '-'
}

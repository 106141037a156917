import { median } from './tally.mjs'

/**
 * One peer in one situation. `share`: of the raw pass-through, `ratio`: to the naive peer, both round by round, since what a round
 * suffers from the machine befalls all; the median, and the least and the greatest.
 *
 * @typedef {{ middle: number, least: number, greatest: number, byCpu?: number }} Spread `byCpu`: the same ratio by the CPU time of all processes together
 * @typedef {{
 *   peer: string, failures: string[], documentsPerSecond: Spread, share: Spread, ratio: Spread,
 *   loaded?: import('./tally.mjs').Outcome, fixed?: import('./tally.mjs').Outcome, repeated: number,
 *   cpuMicroseconds: Record<string, number>, memoryMiB: Record<string, number>
 * }} Line
 */

/**
 * @param {import('./measure.mjs').Result} result
 * @returns {Line[]}
 */
export function summarise({ peers, measurements, latencies }) {
  return peers.map(({ name }) => {
    const own = measurements.filter(({ peer }) => peer === name)
    const latencyOf = (/** @type {string} */ kind) => latencies.find((each) => each.peer === name && each.kind === kind)
    const ofAll = (/** @type {'cpuMicroseconds' | 'memoryMiB'} */ what) =>
      Object.fromEntries(
        Object.keys(own[0]?.[what] ?? {}).map((key) => [key, median(own.map((one) => one[what][key]))]),
      )
    return {
      peer: name,
      failures: [...own, ...latencies.filter(({ peer }) => peer === name)]
        .map(({ failure }) => failure)
        .filter((failure) => failure !== ''),
      documentsPerSecond: spreadOf(own.map(({ throughput }) => throughput.documentsPerSecond)),
      share: ratioOf(measurements, name, 'raw'),
      ratio: ratioOf(measurements, name, 'naive'),
      loaded: latencyOf('loaded')?.outcome,
      fixed: latencyOf('fixed')?.outcome,
      repeated: own.reduce((sum, { throughput }) => sum + throughput.repeated, 0),
      cpuMicroseconds: ofAll('cpuMicroseconds'),
      memoryMiB: ofAll('memoryMiB'),
    }
  })
}

/**
 * @param {readonly import('./measure.mjs').Measurement[]} measurements
 * @param {string} name
 * @param {string} other
 * @returns {Spread} of what one did to what the other did, over the rounds; NaN where either wasn't measured
 */
export function ratioOf(measurements, name, other) {
  const speeds = (/** @type {string} */ wanted) =>
    new Map(
      measurements
        .filter(({ peer, failure }) => peer === wanted && failure === '')
        .map(({ round, throughput }) => [round, throughput.documentsPerSecond]),
    )
  const others = speeds(other)
  const ratios = [...speeds(name)].map(([round, speed]) => speed / (others.get(round) ?? Number.NaN))
  return { ...spreadOf(ratios), byCpu: costOf(measurements, other) / costOf(measurements, name) }
}

/** CPU of all processes for each document, in microseconds. @param {readonly import('./measure.mjs').Measurement[]} measurements @param {string} name */
function costOf(measurements, name) {
  const own = measurements.filter(({ peer, failure }) => peer === name && failure === '')
  return median(own.map(({ cpuMicroseconds }) => Object.values(cpuMicroseconds).reduce((sum, used) => sum + used, 0)))
}

/** @param {readonly number[]} numbers @returns {Spread} */
export function spreadOf(numbers) {
  const known = numbers.filter(Number.isFinite)
  if (known.length === 0) return { middle: Number.NaN, least: Number.NaN, greatest: Number.NaN }
  return { middle: median(known), least: Math.min(...known), greatest: Math.max(...known) }
}

import { readFileSync } from 'node:fs'
import { median } from '../e2e/tally.mjs'

/**
 * Times are the lesser of the time on the clock and the CPU time of the process with all its threads. Neither is less than what an idle
 * machine would take: the clock counts what else runs, CPU time counts the threads that collect garbage and compile beside the work.
 *
 * @typedef {{ medianUs: number, lowUs: number, highUs: number, documents: number, matches: number }} Timing microseconds for one
 *   document: the median of the rounds, the fastest and the slowest one; `documents` of one round, `matches` for each
 * @typedef {{ rounds: number, roundMs: number, warmUpMs: number }} Pace
 */

/**
 * Warms up, then takes rounds over the same documents in turn. What takes longer than a round is given fewer documents, at least one.
 *
 * @template T
 * @param {readonly T[]} documents
 * @param {(document: T) => number} work gives a count, so that nothing can be left out
 * @param {Pace} pace
 * @param {{ fresh?: boolean }} [options] `fresh`: a round goes on where the last one ended
 * @returns {Timing}
 */
export function measure(documents, work, pace, { fresh = false } = {}) {
  const course = makeCourse(documents, work, pace, fresh)
  for (let round = 0; round < pace.rounds; round += 1) course.takeRound()
  return course.timing()
}

/**
 * The same of two works, round by round in turns, so that a slow moment of the machine befalls both of them.
 *
 * @template T
 * @param {readonly T[]} documents
 * @param {readonly [(document: T) => number, (document: T) => number]} works
 * @param {Pace} pace
 * @param {{ fresh?: boolean }} [options]
 * @returns {{ timings: [Timing, Timing], ratio: number }} `ratio`: the second one over the first, the median of the rounds
 */
export function measureInTurns(documents, [first, second], pace, { fresh = false } = {}) {
  const one = makeCourse(documents, first, pace, fresh)
  const other = makeCourse(documents, second, pace, fresh)
  const ratios = []
  for (let round = 0; round < pace.rounds; round += 1) {
    const oneUs = one.takeRound()
    ratios.push(other.takeRound() / oneUs)
  }
  return { timings: [one.timing(), other.timing()], ratio: median(ratios) }
}

/**
 * @template T
 * @param {readonly T[]} documents
 * @param {(document: T) => number} work
 * @param {Pace} pace
 * @param {boolean} fresh
 */
function makeCourse(documents, work, { roundMs, warmUpMs }, fresh) {
  const eachMs = warmUp(documents, work, warmUpMs)
  const fitting = Math.max(1, Math.round(roundMs / eachMs))
  const count = fitting > documents.length && !fresh ? fitting - (fitting % documents.length) : fitting
  /** @type {number[]} */
  const tookUs = []
  let matches = 0
  let at = 0
  return {
    /** @returns {number} microseconds for one document */
    takeRound() {
      if (!fresh) at = 0
      const elapsedUs = startClock()
      for (let done = 0; done < count; done += 1) {
        matches += work(/** @type {T} */ (documents[at]))
        at = at + 1 === documents.length ? 0 : at + 1
      }
      const eachUs = elapsedUs() / count
      tookUs.push(eachUs)
      return eachUs
    },
    /** @returns {Timing} */
    timing: () => ({
      medianUs: median(tookUs),
      lowUs: Math.min(...tookUs),
      highUs: Math.max(...tookUs),
      documents: count,
      matches: matches / (count * tookUs.length),
    }),
  }
}

/**
 * @template T
 * @param {readonly T[]} documents
 * @param {(document: T) => number} work
 * @param {number} ms
 * @returns {number} milliseconds that one document takes at the end of it
 */
function warmUp(documents, work, ms) {
  const begun = performance.now()
  let eachMs = 0
  for (let batch = 1; performance.now() - begun < ms || eachMs === 0; batch *= 2) {
    const elapsedUs = startClock()
    for (let done = 0; done < batch; done += 1) work(documents[done % documents.length])
    eachMs = elapsedUs() / 1000 / batch
  }
  return eachMs
}

/** @returns {() => number} microseconds since */
export function startClock() {
  const begun = performance.now()
  const used = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(used)
    return Math.min((performance.now() - begun) * 1000, user + system)
  }
}

/**
 * The same with the CPU time of this thread alone: of a pause of a millisecond, what threads that collect and compile beside it take while the
 * machine is busy is no part.
 *
 * @returns {() => number} microseconds since
 */
export function startPauseClock() {
  const begun = performance.now()
  const used = threadUs()
  return () => Math.min((performance.now() - begun) * 1000, threadUs() - used)
}

/** Linux counts nanoseconds for each thread, up to date once the process has asked for its own. */
function threadUs() {
  const { user, system } = process.cpuUsage()
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]) / 1000
  } catch {
    return user + system
  }
}

/** Bytes that are in use after everything that can be was collected, typed arrays included. */
export function usedBytes() {
  if (globalThis.gc === undefined) throw new Error('Cannot measure memory: Node runs without --expose-gc')
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

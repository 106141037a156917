/**
 * What was sent, answered and received of one piece of work. Times are milliseconds of one clock; the index is the sequence less `first`.
 * A document is settled when it was answered and has arrived everywhere, or was refused.
 *
 * @typedef {{
 *   first: number, fanOut: number, isAnswered: boolean,
 *   dueAt: number[], repliedAt: (number | undefined)[], arrivedAt: (number | undefined)[], missing: number[],
 *   replies: number, refused: number, arrivals: number, deliveries: number, settled: number, repeated: number, firstRefusal: string,
 *   firstSendAt: number, lastArrivalAt: number
 * }} Tally `missing`: a bit for each destination that a document hasn't reached
 * @typedef {{
 *   sent: number, acknowledged: number, refused: number, arrived: number, repeated: number, firstRefusal: string,
 *   documentsPerSecond: number, p50Ms: number, p99Ms: number, maxMs: number, acknowledgedP50Ms: number, acknowledgedP99Ms: number
 * }} Outcome `arrived`: everywhere. Latencies are from when the document was due to its last arrival, or to the acknowledgement
 */

/**
 * @param {{ first: number, fanOut: number, isAnswered: boolean }} options `isAnswered`: the peer acknowledges
 * @returns {Tally}
 */
export function makeTally({ first, fanOut, isAnswered }) {
  return {
    first,
    fanOut,
    isAnswered,
    dueAt: [],
    repliedAt: [],
    arrivedAt: [],
    missing: [],
    replies: 0,
    refused: 0,
    arrivals: 0,
    deliveries: 0,
    settled: 0,
    repeated: 0,
    firstRefusal: '',
    firstSendAt: 0,
    lastArrivalAt: 0,
  }
}

/**
 * @param {Tally} tally
 * @param {number} dueAt when it should have been sent: what the sender is late counts as latency
 * @returns {number} the sequence of the document to send
 */
export function recordSend(tally, dueAt) {
  if (tally.dueAt.length === 0) tally.firstSendAt = performance.now()
  tally.missing.push(2 ** tally.fanOut - 1)
  return tally.first + tally.dueAt.push(dueAt) - 1
}

/**
 * @param {Tally} tally
 * @param {number} sequence
 * @param {string} refusal the error stanza, or '' for a result
 */
export function recordReply(tally, sequence, refusal) {
  const index = sequence - tally.first
  if (!wasSent(tally, index) || tally.repliedAt[index] !== undefined) return
  tally.repliedAt[index] = performance.now()
  tally.replies += 1
  if (refusal !== '') {
    tally.refused += 1
    tally.firstRefusal ||= refusal
  }
  if (refusal !== '' || tally.missing[index] === 0) tally.settled += 1
}

/**
 * @param {Tally} tally
 * @param {number} sequence
 * @param {number} destination its number
 * @param {number} now
 */
export function recordArrival(tally, sequence, destination, now) {
  const index = sequence - tally.first
  if (!wasSent(tally, index)) return
  const bit = 2 ** destination
  if ((tally.missing[index] & bit) === 0) {
    tally.repeated += 1
    return
  }
  tally.missing[index] -= bit
  tally.deliveries += 1
  tally.lastArrivalAt = now
  if (tally.missing[index] !== 0) return
  tally.arrivedAt[index] = now
  tally.arrivals += 1
  if (!tally.isAnswered || tally.repliedAt[index] !== undefined) tally.settled += 1
}

// Stragglers of earlier work carry lower sequences.
function wasSent(/** @type {Tally} */ tally, /** @type {number} */ index) {
  return index >= 0 && index < tally.dueAt.length
}

/** @param {Tally} tally */
export function underWay(tally) {
  return tally.dueAt.length - tally.settled
}

/**
 * @param {Tally} tally
 * @returns {Outcome}
 */
export function outcomeOf(tally) {
  const latencies = differences(tally.dueAt, tally.arrivedAt)
  const replies = differences(tally.dueAt, tally.repliedAt)
  const tookMs = tally.lastArrivalAt - tally.firstSendAt
  return {
    sent: tally.dueAt.length,
    acknowledged: tally.replies - tally.refused,
    refused: tally.refused,
    arrived: tally.arrivals,
    repeated: tally.repeated,
    firstRefusal: tally.firstRefusal,
    documentsPerSecond: tally.arrivals === 0 ? 0 : (tally.arrivals * 1000) / tookMs,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    maxMs: quantile(latencies, 1),
    acknowledgedP50Ms: quantile(replies, 0.5),
    acknowledgedP99Ms: quantile(replies, 0.99),
  }
}

/**
 * @param {readonly number[]} from
 * @param {readonly (number | undefined)[]} to
 * @returns {number[]} ascending
 */
function differences(from, to) {
  const found = []
  for (const [index, begin] of from.entries()) {
    const end = to[index]
    if (end !== undefined) found.push(end - begin)
  }
  return found.sort((a, b) => a - b)
}

/**
 * @param {readonly number[]} ascending
 * @param {number} share
 * @returns {number} NaN of an empty list
 */
export function quantile(ascending, share) {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? Number.NaN
}

/** @param {readonly number[]} numbers */
export function median(numbers) {
  const ascending = numbers.filter(Number.isFinite).sort((a, b) => a - b)
  if (ascending.length === 0) return Number.NaN
  const middle = ascending.length >> 1
  return ascending.length % 2 === 1 ? ascending[middle] : (ascending[middle - 1] + ascending[middle]) / 2
}

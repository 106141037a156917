/**
 * What was sent, answered and received of one order of work. Times are milliseconds of one clock; the index is the sequence less `first`.
 *
 * @typedef {{
 *   first: number, sentAt: number[], repliedAt: (number | undefined)[], arrivedAt: (number | undefined)[],
 *   replies: number, refused: number, arrivals: number, repeated: number, firstRefusal: string, lastArrivalAt: number
 * }} Tally
 * @typedef {{
 *   sent: number, acknowledged: number, refused: number, arrived: number, repeated: number, firstRefusal: string,
 *   documentsPerSecond: number, p50Ms: number, p99Ms: number, maxMs: number, acknowledgedP50Ms: number, acknowledgedP99Ms: number
 * }} Outcome latencies are from the send to the arrival at the receiver, or to the acknowledgement
 */

/**
 * @param {number} first the sequence of the first document
 * @returns {Tally}
 */
export function makeTally(first) {
  return {
    first,
    sentAt: [],
    repliedAt: [],
    arrivedAt: [],
    replies: 0,
    refused: 0,
    arrivals: 0,
    repeated: 0,
    firstRefusal: '',
    lastArrivalAt: 0,
  }
}

/**
 * @param {Tally} tally
 * @returns {number} the sequence of the document to send
 */
export function recordSend(tally) {
  return tally.first + tally.sentAt.push(performance.now()) - 1
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
  if (refusal === '') return
  tally.refused += 1
  tally.firstRefusal ||= refusal
}

/**
 * @param {Tally} tally
 * @param {number} sequence
 * @param {number} now
 */
export function recordArrival(tally, sequence, now) {
  const index = sequence - tally.first
  if (!wasSent(tally, index)) return
  if (tally.arrivedAt[index] !== undefined) {
    tally.repeated += 1
    return
  }
  tally.arrivedAt[index] = now
  tally.arrivals += 1
  tally.lastArrivalAt = now
}

// Stragglers of earlier orders of work carry lower sequences.
function wasSent(/** @type {Tally} */ tally, /** @type {number} */ index) {
  return index >= 0 && index < tally.sentAt.length
}

/** @param {Tally} tally */
export function unanswered(tally) {
  return tally.sentAt.length - tally.replies
}

/** @param {Tally} tally */
export function isSettled(tally) {
  return unanswered(tally) === 0 && tally.arrivals + tally.refused >= tally.sentAt.length
}

/**
 * @param {Tally} tally
 * @returns {Outcome}
 */
export function outcomeOf(tally) {
  const latencies = differences(tally.sentAt, tally.arrivedAt)
  const replies = differences(tally.sentAt, tally.repliedAt)
  const tookMs = tally.lastArrivalAt - (tally.sentAt[0] ?? 0)
  return {
    sent: tally.sentAt.length,
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

/**
 * The two ends of the measurement, in a process of its own that takes orders by IPC: peer.example.test sends documents as iq from
 * eight addresses, other.example.test receives and counts them. One clock for both, and as little work as can be.
 *
 * In: {@link Start} once, then {@link Order}s, one at a time. Out: `{ ready: true }`, then one {@link Outcome} or `{ failed }` each.
 *
 * @typedef {{ domain: string, port: number, secret: string }} Entry
 * @typedef {{ start: { peer: Entry, other: Entry, target: string, seed: number } }} Start
 * @typedef {{ run: {
 *   size: string, seconds: number, drainSeconds: number,
 *   window?: number,           // closed loop: at most so many iqs without an answer
 *   ratePerSecond?: number     // open loop: so many a second, whatever comes back
 * } }} Order
 */
import { connectComponent } from './component-socket.mjs'
import { makeOrders, orderId, SIZES } from './documents.mjs'
import { isSettled, makeTally, outcomeOf, recordArrival, recordReply, recordSend, unanswered } from './tally.mjs'

/** @typedef {import('./tally.mjs').Tally} Tally */

const SENDERS = 8
const DIFFERENT_ORDERS = 64
const MARK = 'DOC-'
const MARK_LENGTH = orderId(0).length

/** @type {Awaited<ReturnType<typeof connectComponent>>[]} */
let components = []
/** @type {Record<string, { before: string, after: string }[]>} */
const orders = {}
let target = ''
let nextSequence = 1
/** @type {Tally | undefined} */
let tally
/** @type {Error | undefined} */
let lost
let wake = () => {}

process.on('message', (message) => {
  const { start, run } = /** @type {Partial<Start & Order>} */ (message)
  const work = start ? begin(start) : measure(/** @type {Order['run']} */ (run))
  work.then(
    (answer) => process.send?.(answer),
    (error) => process.send?.({ failed: String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))

/** @param {Start['start']} options */
async function begin(options) {
  target = options.target
  for (const size of Object.values(SIZES)) orders[size.name] = makeOrders(size, DIFFERENT_ORDERS, options.seed)
  const onLost = (/** @type {Error} */ reason) => {
    lost = reason
    wake()
  }
  components = [
    await connectComponent({ ...options.peer, onLost, onText: makeReplyScanner() }),
    await connectComponent({ ...options.other, onLost, onText: makeArrivalScanner() }),
  ]
  return { ready: true }
}

/**
 * Sends for so many seconds, then waits until everything has been answered and has arrived, or the time for that is over.
 * @param {Order['run']} order
 */
async function measure(order) {
  const mine = makeTally(nextSequence)
  tally = mine
  const until = performance.now() + order.seconds * 1000
  if (order.ratePerSecond === undefined) await sendClosedLoop(mine, order, until)
  else await sendOpenLoop(mine, order, until)
  const deadline = performance.now() + order.drainSeconds * 1000
  while (!isSettled(mine) && lost === undefined && performance.now() < deadline) await woken(deadline)
  nextSequence += mine.sentAt.length
  tally = undefined
  if (lost !== undefined) throw lost
  return outcomeOf(mine)
}

/**
 * @param {Tally} mine
 * @param {Order['run']} order
 * @param {number} until
 */
async function sendClosedLoop(mine, { size, window = 256 }, until) {
  while (performance.now() < until && lost === undefined) {
    while (unanswered(mine) < window) send(mine, size)
    await woken(until)
  }
}

/**
 * @param {Tally} mine
 * @param {Order['run']} order
 * @param {number} until
 */
async function sendOpenLoop(mine, { size, ratePerSecond = 1 }, until) {
  const begun = performance.now()
  for (let count = 0; performance.now() < until && lost === undefined; count += 1) {
    const dueInMs = begun + (count * 1000) / ratePerSecond - performance.now()
    if (dueInMs > 0) await new Promise((resolve) => setTimeout(resolve, dueInMs))
    send(mine, size)
  }
}

/**
 * Until something was answered, the last one arrived, or the deadline.
 * @param {number} deadline
 */
function woken(deadline) {
  return new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
    const timer = setTimeout(resolve, Math.max(1, deadline - performance.now()))
    wake = () => {
      clearTimeout(timer)
      resolve()
    }
  })
}

/**
 * @param {Tally} mine
 * @param {string} size
 */
function send(mine, size) {
  const sequence = recordSend(mine)
  const { before, after } = orders[size][sequence % DIFFERENT_ORDERS]
  components[0].write(
    `<iq type='set' from='s${sequence % SENDERS}@peer.example.test/bench' to='${target}' id='b${sequence}'>` +
      `${before}${orderId(sequence)}${after}</iq>`,
  )
}

/** Finds the start tags of iqs in what comes back to the sender. */
function makeReplyScanner() {
  let rest = ''
  return (/** @type {string} */ text) => {
    rest += text
    let at = 0
    for (let start = rest.indexOf('<iq '); start >= 0; start = rest.indexOf('<iq ', at)) {
      const end = rest.indexOf('>', start)
      if (end < 0) break
      at = end
      const tag = rest.slice(start, end)
      const id = /\sid=['"]b(\d+)/.exec(tag)
      const refusal = /\stype=['"]error/.test(tag) ? rest.slice(start, start + 600) : ''
      if (id !== null && tally !== undefined) recordReply(tally, Number(id[1]), refusal)
    }
    const unfinished = rest.indexOf('<iq ', at)
    rest = unfinished >= 0 ? rest.slice(unfinished) : rest.slice(Math.max(at, rest.length - 3))
    wake()
  }
}

/** Finds the marks of orders in whatever reaches the receiver. */
function makeArrivalScanner() {
  let rest = ''
  return (/** @type {string} */ text) => {
    rest += text
    const now = performance.now()
    let at = 0
    for (let mark = rest.indexOf(MARK); mark >= 0 && mark + MARK_LENGTH <= rest.length; mark = rest.indexOf(MARK, at)) {
      at = mark + MARK_LENGTH
      if (tally !== undefined) recordArrival(tally, Number(rest.slice(mark + MARK.length, at)), now)
    }
    rest = rest.slice(Math.max(at, rest.length - MARK_LENGTH + 1))
    if (tally !== undefined && isSettled(tally)) wake()
  }
}

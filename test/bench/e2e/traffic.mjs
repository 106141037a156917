/**
 * The two ends of the measurement, in a process of its own that takes orders by IPC: peer.example.test sends documents as iq from
 * many addresses, other.example.test receives and counts them. One clock for both, and as little work as can be.
 *
 * In: {@link Start} once, then {@link Subscribe} or {@link Run}, one at a time. Out: `{ ready: true }`, an {@link Outcome}, or `{ failed }` each.
 *
 * @typedef {{ domain: string, port: number, secret: string }} Entry
 * @typedef {{ start: { sender: Entry, receiver?: Entry, seed: number } }} Start
 * @typedef {{ subscribe: { pubsub: string, nodes: string[] } }} Subscribe
 * @typedef {{
 *   targets: string[], size: string, carriage: 'in-band' | 'sealed', fanOut: number, senders: number, isAnswered: boolean,
 *   seconds: number, drainSeconds: number,
 *   documents?: number,        // at most
 *   window?: number,           // closed loop: at most so many that aren't settled
 *   ratePerSecond?: number     // open loop: so many a second on average, whatever comes back; arrivals by Poisson
 * }} Work
 * @typedef {{ run: Work }} Run
 * @typedef {import('./tally.mjs').Outcome} Outcome
 */
import { setTimeout as delay } from 'node:timers/promises'
import { connectComponent } from '../component-socket.mjs'
import { random } from '../documents.mjs'
import { RECEIVER } from './configuration.mjs'
import { makeWriter, markOf } from './orders.mjs'
import { makeArrivalScanner, makeReplyScanner } from './scanners.mjs'
import { makeTally, outcomeOf, recordArrival, recordReply, recordSend, underWay } from './tally.mjs'

/** @typedef {import('./tally.mjs').Tally} Tally */
/** @typedef {Awaited<ReturnType<typeof connectComponent>>} Component */

const SUBSCRIBED_MS = 10_000

/** @type {{ sender: Component, receiver: Component | undefined }} */
let ends
let seed = 1
let nextSequence = 1
let marks = markOf('in-band')
/** @type {Tally | undefined} */
let tally
/** @type {Map<string, (error: string) => void>} */
const questions = new Map()
/** @type {Map<string, import('./orders.mjs').Writer>} */
const writers = new Map()
/** @type {Error | undefined} */
let lost
let wake = () => {}

process.on('message', (message) => {
  const { start, subscribe, run } = /** @type {Partial<Start & Subscribe & Run>} */ (message)
  const work = start ? begin(start) : (subscribe && subscribeTo(subscribe)) || measure(/** @type {Work} */ (run))
  work.then(
    (answer) => process.send?.(answer),
    (error) => process.send?.({ failed: String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))

/** @param {Start['start']} options */
async function begin(options) {
  seed = options.seed
  const onLost = (/** @type {Error} */ reason) => {
    lost = reason
    wake()
  }
  const scanReplies = makeReplyScanner((id, error) => {
    if (tally !== undefined && id.startsWith('b')) recordReply(tally, Number(id.slice(1)), error)
  })
  const scanArrivals = makeArrivalScanner(
    () => marks,
    (sequence, destination) => tally && recordArrival(tally, sequence, destination, performance.now()),
  )
  const scanAnswers = makeReplyScanner((id, error) => questions.get(id)?.(error))
  ends = {
    sender: await connectComponent({
      ...options.sender,
      onLost,
      onText(text) {
        scanReplies(text)
        wake()
      },
    }),
    receiver:
      options.receiver &&
      (await connectComponent({
        ...options.receiver,
        onLost,
        onText(text) {
          if (questions.size > 0) scanAnswers(text)
          scanArrivals(text)
          wake()
        },
      })),
  }
  return { ready: true }
}

/** Nodes have to be there. @param {Subscribe['subscribe']} options */
async function subscribeTo({ pubsub, nodes }) {
  const jid = `reader@${RECEIVER}`
  for (const [number, node] of nodes.entries()) {
    const id = `subscribe-${number}`
    const answered = new Promise((/** @type {(error: string) => void} */ resolve) => questions.set(id, resolve))
    ends.receiver?.write(
      `<iq type='set' from='${jid}' to='${pubsub}' id='${id}'>` +
        `<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='${node}' jid='${jid}'/></pubsub></iq>`,
    )
    const error = await Promise.race([answered, delay(SUBSCRIBED_MS, 'no answer', { ref: false })])
    questions.delete(id)
    if (error !== '') throw new Error(`Cannot subscribe to ${node}: ${error}`)
  }
  return { ready: true }
}

/**
 * Sends for so many seconds, then waits until everything is settled, or the time for that is over.
 * @param {Work} work
 */
async function measure(work) {
  const mine = makeTally({ first: nextSequence, fanOut: work.fanOut, isAnswered: work.isAnswered })
  const send = makeSend(mine, work)
  marks = markOf(work.carriage)
  tally = mine
  const until = performance.now() + work.seconds * 1000
  if (work.ratePerSecond === undefined) await sendClosedLoop(mine, work, until, send)
  else await sendOpenLoop(mine, work.ratePerSecond, until, send)
  const deadline = performance.now() + work.drainSeconds * 1000
  while (underWay(mine) > 0 && lost === undefined && performance.now() < deadline) await woken(deadline)
  nextSequence += mine.dueAt.length
  tally = undefined
  if (lost !== undefined) throw lost
  return outcomeOf(mine)
}

/**
 * @param {Tally} mine
 * @param {Work} work
 * @param {number} until
 * @param {(dueAt: number) => void} send
 */
async function sendClosedLoop(mine, { window = 256, documents = Number.POSITIVE_INFINITY }, until, send) {
  const isOver = () => performance.now() >= until || lost !== undefined || mine.dueAt.length >= documents
  while (!isOver()) {
    while (underWay(mine) < window && mine.dueAt.length < documents) send(performance.now())
    await woken(until)
  }
}

/**
 * @param {Tally} mine
 * @param {number} ratePerSecond
 * @param {number} until
 * @param {(dueAt: number) => void} send
 */
async function sendOpenLoop(mine, ratePerSecond, until, send) {
  const next = random(seed + mine.first)
  let dueAt = performance.now()
  while (lost === undefined) {
    dueAt += (-Math.log(1 - next()) * 1000) / ratePerSecond
    if (dueAt >= until) return
    const inMs = dueAt - performance.now()
    if (inMs > 0) await delay(inMs)
    send(dueAt)
  }
}

/**
 * Until something has come, or the deadline.
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
 * @param {Work} work
 */
function makeSend(mine, { size, carriage, targets, senders }) {
  const key = `${size} ${carriage}`
  const write = writers.get(key) ?? makeWriter(size, carriage, seed)
  writers.set(key, write)
  return (/** @type {number} */ dueAt) => {
    const sequence = recordSend(mine, dueAt)
    ends.sender.write(
      `<iq type='set' from='s${sequence % senders}@peer.example.test/bench' to='${targets[sequence % targets.length]}' id='b${sequence}'>${write(sequence)}</iq>`,
    )
  }
}

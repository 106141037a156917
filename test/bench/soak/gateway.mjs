/**
 * The devices, in a process of its own that takes orders by IPC: peer.example.test speaks for all of them, other.example.test receives.
 * A device keeps a reading until it is acknowledged: it sends it again, with the same id, when it hears nothing, when it is told to
 * wait, and when the way to Waybill is broken. What Waybill refuses for good is not sent again.
 *
 * @typedef {{ domain: string, port: number, secret: string }} Entry
 * @typedef {{ start: { sender: Entry, receiver: Entry, target: string, devices: number, seed: number } }} Start
 * @typedef {{ steady: { minutes: number, longestSeconds: number } }} Steady
 * @typedef {{ burst: { withinSeconds: number, longestSeconds: number } }} Burst
 * @typedef {{
 *   readings: number, acknowledged: number, refused: number, arrived: number, repeated: number, again: number, firstRefusal: string,
 *   lastAcknowledgedMs: number, p50Ms: number, p99Ms: number, arrivedP50Ms: number, arrivedP99Ms: number
 * }} Outcome `lastAcknowledgedMs`: from the first send; the quantiles from the first send of each reading
 */
import { setTimeout as delay } from 'node:timers/promises'
import { connectComponent } from '../component-socket.mjs'
import { orderId, random } from '../documents.mjs'
import { markOf } from '../e2e/orders.mjs'
import { makeArrivalScanner, makeReplyScanner } from '../e2e/scanners.mjs'
import { quantile } from '../e2e/tally.mjs'

const MINUTE_MS = 60_000
const UNANSWERED_MS = 4_000
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 4_000
const RECONNECT_MS = 100
const TICK_MS = 20

/**
 * @typedef {{ sequence: number, device: number, celsius: string, volts: string, dueAt: number, againAt: number, acknowledgedAt: number, arrivedAt: number, isRefused: boolean, tries: number }} Reading
 */

/** @type {Start['start']} */
let settings
/** @type {() => number} */
let next = Math.random
/** @type {Partial<Record<'sender' | 'receiver', Awaited<ReturnType<typeof connectComponent>>>>} */
const ends = {}
/** All that was ever read, by its sequence less one. @type {Reading[]} */
const readings = []
/** @type {Set<Reading>} */
const unacknowledged = new Set()
const counts = { again: 0, repeated: 0, firstRefusal: '' }

process.on('message', (message) => {
  const { start, steady, burst } = /** @type {Partial<Start & Steady & Burst>} */ (message)
  const work = start ? begin(start) : (steady && goSteady(steady)) || goAtOnce(/** @type {Burst['burst']} */ (burst))
  work.then(
    (answer) => process.send?.(answer),
    (error) => process.send?.({ failed: String(error) }),
  )
})
process.on('disconnect', () => process.exit(0))

/** @param {Start['start']} options */
async function begin(options) {
  settings = options
  next = random(options.seed)
  const { mark, length, sequenceOf } = markOf('in-band')
  const scanArrivals = makeArrivalScanner(() => ({ mark, length, sequenceOf }), arrive)
  const scanReplies = makeReplyScanner(reply)
  await Promise.all([stayConnected('sender', scanReplies), stayConnected('receiver', scanArrivals)])
  setInterval(sendAgain, TICK_MS)
  return { ready: true }
}

/**
 * @param {'sender' | 'receiver'} end
 * @param {(text: string) => void} onText
 */
async function stayConnected(end, onText) {
  const onLost = () => {
    delete ends[end]
    void stayConnected(end, onText)
  }
  for (;;) {
    try {
      ends[end] = await connectComponent({ ...settings[end], onText, onLost })
      return
    } catch {
      await delay(RECONNECT_MS)
    }
  }
}

/** Every device has its own second of the minute. @param {Steady['steady']} options */
async function goSteady({ minutes, longestSeconds }) {
  const from = readings.length
  const phases = Array.from({ length: settings.devices }, (_, device) => ({ device, atMs: next() * MINUTE_MS }))
  phases.sort((one, other) => one.atMs - other.atMs)
  const begun = performance.now()
  for (let minute = 0; minute < minutes; minute += 1) {
    for (const { device, atMs } of phases) {
      const dueAt = minute * MINUTE_MS + atMs
      if (dueAt >= minutes * MINUTE_MS) break
      await until(begun + dueAt)
      read(device, begun + dueAt)
    }
  }
  return settle(from, longestSeconds)
}

/** All devices, in an order of their own, as soon as the gateway is back. @param {Burst['burst']} options */
async function goAtOnce({ withinSeconds, longestSeconds }) {
  while (ends.sender === undefined || ends.receiver === undefined) await delay(1)
  const from = readings.length
  const begun = performance.now()
  const dues = Array.from({ length: settings.devices }, (_, device) => ({
    device,
    dueAt: begun + next() * withinSeconds * 1000,
  }))
  dues.sort((one, other) => one.dueAt - other.dueAt)
  for (const { device, dueAt } of dues) {
    await until(dueAt)
    read(device, dueAt)
  }
  return settle(from, longestSeconds)
}

/** @param {number} at */
async function until(at) {
  const inMs = at - performance.now()
  if (inMs > 0) await delay(inMs)
}

/** @param {number} device @param {number} dueAt */
function read(device, dueAt) {
  /** @type {Reading} */
  const reading = {
    sequence: readings.length + 1,
    device,
    celsius: (next() * 60 - 20).toFixed(2),
    volts: (3 + next()).toFixed(3),
    dueAt,
    againAt: 0,
    acknowledgedAt: 0,
    arrivedAt: 0,
    isRefused: false,
    tries: 0,
  }
  readings.push(reading)
  unacknowledged.add(reading)
  send(reading)
}

/** @param {Reading} reading */
function send(reading) {
  const { sequence, device, celsius, volts } = reading
  reading.tries += 1
  reading.againAt = performance.now() + UNANSWERED_MS * (1 + next() / 4)
  ends.sender?.write(
    `<iq type='set' from='d${device}@peer.example.test/sensor' to='${settings.target}' id='r${sequence}'>` +
      `<json xmlns='urn:xmpp:json:0'>{"kind":"reading","id":"${orderId(sequence)}","device":"d${device}","celsius":${Number(celsius)},"volts":${Number(volts)}}</json></iq>`,
  )
}

function sendAgain() {
  if (ends.sender === undefined) return
  const now = performance.now()
  for (const reading of unacknowledged) {
    if (reading.againAt > now) continue
    counts.again += 1
    send(reading)
  }
}

/** @param {string} id @param {string} error */
function reply(id, error) {
  const reading = id.startsWith('r') ? readings[Number(id.slice(1)) - 1] : undefined
  if (reading === undefined || !unacknowledged.has(reading)) return
  if (error === '') {
    reading.acknowledgedAt = performance.now()
    unacknowledged.delete(reading)
  } else if (/<rejection/.test(error) && !/type=['"]wait/.test(error)) {
    reading.isRefused = true
    counts.firstRefusal ||= error
    unacknowledged.delete(reading)
  } else reading.againAt = performance.now() + waitMs(reading.tries)
}

/** Twice as long each time, so that ten thousand devices don't keep the server from coming back. @param {number} tries */
function waitMs(tries) {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1)) * (0.5 + next() / 2)
}

/** @param {number} sequence */
function arrive(sequence) {
  const reading = readings[sequence - 1]
  if (reading === undefined) return
  if (reading.arrivedAt === 0) reading.arrivedAt = performance.now()
  else counts.repeated += 1
}

/**
 * @param {number} from
 * @param {number} longestSeconds
 * @returns {Promise<Outcome>}
 */
async function settle(from, longestSeconds) {
  const own = readings.slice(from)
  const deadline = performance.now() + longestSeconds * 1000
  const isOpen = () => own.some(({ arrivedAt, isRefused }) => !isRefused && arrivedAt === 0) || unacknowledged.size > 0
  while (performance.now() < deadline && isOpen()) await delay(TICK_MS)
  const { again, repeated, firstRefusal } = counts
  Object.assign(counts, { again: 0, repeated: 0, firstRefusal: '' })
  const acknowledged = own.filter(({ acknowledgedAt }) => acknowledgedAt > 0)
  const arrived = own.filter(({ arrivedAt }) => arrivedAt > 0)
  const took = acknowledged.map(({ acknowledgedAt, dueAt }) => acknowledgedAt - dueAt).sort((a, b) => a - b)
  const tookToArrive = arrived.map(({ arrivedAt, dueAt }) => arrivedAt - dueAt).sort((a, b) => a - b)
  const last = acknowledged.reduce((latest, { acknowledgedAt }) => Math.max(latest, acknowledgedAt), 0)
  return {
    readings: own.length,
    acknowledged: acknowledged.length,
    refused: own.filter(({ isRefused }) => isRefused).length,
    arrived: arrived.length,
    repeated,
    again,
    firstRefusal,
    lastAcknowledgedMs: last - (own[0]?.dueAt ?? 0),
    p50Ms: quantile(took, 0.5),
    p99Ms: quantile(took, 0.99),
    arrivedP50Ms: quantile(tookToArrive, 0.5),
    arrivedP99Ms: quantile(tookToArrive, 0.99),
  }
}

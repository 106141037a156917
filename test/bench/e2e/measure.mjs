import { Redis } from 'ioredis'
import { residentMiB, watchCpu } from '../cpu.mjs'
import { SIZES } from '../documents.mjs'
import { suitsNaive, titleOf, variantName } from './cells.mjs'
import { destinationsOf } from './configuration.mjs'
import { startTraffic, startWaybill, startYardstick } from './peers.mjs'
import { median } from './tally.mjs'

/**
 * @typedef {import('./tally.mjs').Outcome} Outcome
 * @typedef {{ peer: string, round: number, failure: string, throughput: Outcome, cpuMicroseconds: Record<string, number>, memoryMiB: Record<string, number> }} Measurement
 * CPU for each document, by process; memory at the end
 * @typedef {{
 *   situation: import('./cells.mjs').Situation, title: string, rates: number, measurements: Measurement[],
 *   latencies: { peer: string, kind: 'loaded' | 'fixed', ratePerSecond: number, outcome: Outcome, failure: string }[],
 *   peers: { name: string, variant?: import('./cells.mjs').Variant }[]
 * }} Result `loaded`: at 70 % of its own throughput
 */

const LOAD = 0.7

/**
 * All peers of one situation, up at the same time and measured in turns: what else the machine does befalls them alike.
 * @param {import('./cells.mjs').Group} group
 * @param {any} surroundings
 * @returns {Promise<Result>}
 */
export async function measureGroup(group, surroundings) {
  const { situation } = group
  const { startXmppServer, redis, fsyncRedis, plan, seed, roundsUntil, closing } = surroundings
  const wanted = peersOf(group, plan.peers)
  for (const { url } of [redis, fsyncRedis]) await emptyRedis(url)
  const components = wanted.map(({ variant }, number) =>
    variant ? Array.from({ length: variant.domains }, (_, domain) => `waybill-${number}-${domain}`) : [`p${number}`],
  )
  const asAdvised = situation.settings === 'advised'
  const server = await startXmppServer(situation.server, { components: components.flat(), asAdvised })
  closing.add(() => server.stop())
  const traffic = await startTraffic(server, seed)
  closing.add(() => traffic.stop())
  const running = []
  for (const [number, { name, variant }] of wanted.entries()) {
    const given = { ...surroundings, ...plan, name, components: components[number], situation, server }
    const peer = await (variant
      ? startWaybill(variant, { ...given, redis: variant.durability === 'fsync' ? fsyncRedis : redis })
      : startYardstick(name, { ...given, redisUrl: redis.url }))
    closing.add(() => peer.stop())
    running.push({ ...peer, variant })
    if (situation.to !== 'jid') await openNodes(peer, situation, { traffic, server })
  }
  const at = { situation, plan, roundsUntil, traffic, server, redis, fsyncRedis }
  const { measurements, latencies } = await measureInTurns(running, at)
  for (const peer of running) await peer.stop()
  await traffic.stop()
  await server.stop()
  return { situation, title: titleOf(situation), rates: plan.ratePerSecond, peers: wanted, measurements, latencies }
}

/**
 * @param {import('./cells.mjs').Group} group
 * @param {readonly string[]} peers
 * @returns {{ name: string, variant?: import('./cells.mjs').Variant }[]}
 */
function peersOf(group, peers) {
  const made = []
  if (peers.includes('raw')) made.push({ name: 'raw' })
  if (peers.includes('naive') && suitsNaive(group)) made.push({ name: 'naive' })
  if (!peers.includes('waybill')) return made
  return [...made, ...group.variants.map((variant) => ({ name: variantName(variant), variant }))]
}

/** What is sent first makes the nodes; then the receiver subscribes. */
async function openNodes(peer, situation, { traffic, server }) {
  const domain = peer.domains[0]
  const nodes = destinationsOf(domain, situation.fanOut).map(({ node }) => node)
  const work = { ...workOf(peer, situation), targets: [domain] }
  await traffic.run({ ...work, documents: 1, window: 1, seconds: 1, drainSeconds: 2 })
  await traffic.subscribe({ pubsub: server.pubsub, nodes })
}

/**
 * @param {(import('./peers.mjs').Peer & { variant?: import('./cells.mjs').Variant | undefined })[]} running
 * @param {any} at
 */
async function measureInTurns(running, at) {
  const { plan, situation, roundsUntil } = at
  const measurements = []
  const latencies = []
  const warm = new Map()
  for (const peer of running) warm.set(peer, await warmUp(peer, at))
  let tookMs = 0
  for (let round = 1; round <= plan.rounds && performance.now() + tookMs < roundsUntil; round += 1) {
    const begun = performance.now()
    for (const peer of turned(running, round)) {
      const measured = await measureThroughput(peer, round, warm.get(peer), at)
      console.error(`${titleOf(situation)}: ${peer.name} round ${round}: ${progressOf(measured)}`)
      measurements.push(measured)
    }
    // A further one, and what comes behind them: two measurements of each peer.
    tookMs = 3 * (performance.now() - begun)
  }
  for (const peer of running) {
    const own = measurements.filter((each) => each.peer === peer.name)
    const most = median(own.map(({ throughput }) => throughput.documentsPerSecond))
    if (!(most > 0)) continue
    latencies.push(await measureLatency(peer, 'loaded', most * LOAD, at))
    if (peer.name !== 'raw' && plan.ratePerSecond < most)
      latencies.push(await measureLatency(peer, 'fixed', plan.ratePerSecond, at))
  }
  return { measurements, latencies }
}

/** Who goes first changes from round to round. @template T @param {readonly T[]} list @param {number} round */
function turned(list, round) {
  const from = (round - 1) % list.length
  const begun = [...list.slice(from), ...list.slice(0, from)]
  return round % 2 === 0 ? begun.reverse() : begun
}

/** Of a document to one destination, before a process is measured for the first time. */
const WARM_UP_DOCUMENTS = 16_384

/**
 * Code is compiled by what goes by, not by the clock, and by as many large documents as small ones; on a busy machine it takes longer.
 * @returns {Promise<Outcome>}
 */
function warmUp(peer, { situation, plan, traffic }) {
  const documents = Math.ceil((WARM_UP_DOCUMENTS * 2) / (1 + situation.fanOut))
  return traffic.run({ ...fullWorkOf(peer, situation, plan), seconds: plan.warmUpSeconds * 4, documents })
}

/** What is sent ahead of a round, to a peer that others have pushed out of the caches. */
const AHEAD = 1 / 8

/** @returns {Promise<Measurement>} */
async function measureThroughput(peer, round, warm, { situation, plan, traffic, server, redis, fsyncRedis }) {
  const { seconds, warmUpSeconds } = plan
  const work = fullWorkOf(peer, situation, plan)
  const ahead = await traffic.run({ ...work, seconds: warmUpSeconds * AHEAD })
  const pids = {
    ...Object.fromEntries(peer.pids.map((pid, number) => [number === 0 ? 'peer' : `peer ${number + 1}`, pid])),
    server: server.pid,
    redis: (peer.redis === fsyncRedis.url ? fsyncRedis : redis).pid,
    traffic: traffic.pid,
  }
  const cpuSince = watchCpu(pids)
  const throughput = await traffic.run({ ...work, seconds })
  const cpuMicroseconds = mapValues(cpuSince(), (used) => (used * 1e6) / throughput.arrived)
  const memoryMiB = mapValues(pids, residentMiB)
  const failure = failureOf(peer, [warm, ahead, throughput])
  return { peer: peer.name, round, failure, throughput, cpuMicroseconds, memoryMiB }
}

async function measureLatency(peer, kind, ratePerSecond, { situation, plan, traffic }) {
  const { latencySeconds, drainSeconds } = plan
  const work = { ...workOf(peer, situation), seconds: latencySeconds, drainSeconds, ratePerSecond }
  const outcome = await traffic.run(work)
  return { peer: peer.name, kind, ratePerSecond, outcome, failure: failureOf(peer, [outcome]) }
}

/**
 * @param {import('./peers.mjs').Peer} peer
 * @param {import('./cells.mjs').Situation} situation
 */
function workOf(peer, { size, carriage, fanOut, senders }) {
  return { targets: peer.domains, size, carriage, fanOut, senders, isAnswered: peer.name !== 'raw' }
}

/** As fast as it goes. */
function fullWorkOf(peer, situation, { drainSeconds }) {
  return { ...workOf(peer, situation), drainSeconds, window: windowOf(situation, peer.variant) }
}

/** @param {import('./cells.mjs').Situation} situation @param {import('./cells.mjs').Variant | undefined} variant */
function windowOf({ size, fanOut, to }, variant) {
  const window = Math.max(24, Math.ceil((SIZES[size].window * 2) / (1 + fanOut)))
  // A service writes each item that it keeps to a file of its own, or to a table, before it goes on.
  if (to === 'node') return Math.ceil(window / 16)
  return variant?.schema === 'schematron' ? Math.ceil(window / 4) : window
}

/** @param {import('./peers.mjs').Peer} peer @param {Outcome[]} outcomes */
function failureOf(peer, outcomes) {
  const failures = outcomes.map((outcome) => faultOf(peer, outcome)).filter((fault) => fault !== '')
  if (peer.hasEnded()) failures.push('the peer has ended')
  return failures.length === 0 ? '' : [...failures, peer.lastWords()].join('; ')
}

/** @param {import('./peers.mjs').Peer} peer @param {Outcome} outcome */
function faultOf({ name }, { sent, arrived, acknowledged, refused, firstRefusal }) {
  if (refused > 0) return `${refused} of ${sent} were refused, the first with ${firstRefusal}`
  if (arrived < sent) return `${sent - arrived} of ${sent} did not arrive`
  return name !== 'raw' && acknowledged < sent ? `${sent - acknowledged} of ${sent} were not acknowledged` : ''
}

/** @param {Measurement} measured */
function progressOf({ failure, throughput, cpuMicroseconds }) {
  if (failure !== '') return `FAILED: ${failure}`
  const cpu = Object.entries(cpuMicroseconds).map(([name, used]) => `${name} ${used.toFixed(0)}`)
  return `${throughput.documentsPerSecond.toFixed(0)} documents/s, CPU us ${cpu.join(', ')}`
}

/**
 * @param {Record<string, number>} record
 * @param {(value: number) => number} change
 */
function mapValues(record, change) {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]))
}

/** @param {string} url */
async function emptyRedis(url) {
  const redis = new Redis(url)
  await redis.flushall()
  await redis.quit()
}

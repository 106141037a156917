import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { build } from '../../deploy/setup/packages.mjs'
import { ensurePrograms, PROGRAMS } from '../../deploy/setup/programs.mjs'
import { watchCpu } from './cpu.mjs'
import { SIZES } from './documents.mjs'
import { PEERS, startPeer, startTraffic } from './peers.mjs'
import { goalsOf, printTable, summarise } from './report.mjs'
import { loadServers } from './servers.mjs'

/**
 * Documents through a real XMPP server, a peer and a real Redis: Waybill, the naive peer and the raw yardstick, one after the other
 * on the same servers, in turns. Throughput with a closed loop (a bounded window of unanswered iqs), latency with an open one (a
 * fixed rate). A cell fails where a document doesn't arrive.
 *
 * @typedef {{
 *   server: string, peer: string, size: string, round: number, failure: string,
 *   throughput?: import('./tally.mjs').Outcome, latency?: import('./tally.mjs').Outcome,
 *   cpuMicroseconds?: Record<string, number>  // for each document, by process
 * }} Cell
 */

const SERVERS = /** @type {const} */ (['prosody', 'ejabberd'])

export const OPTIONS = /** @type {const} */ ({
  servers: { type: 'string', default: SERVERS.join() },
  peers: { type: 'string', default: PEERS.join() },
  sizes: { type: 'string', default: Object.keys(SIZES).join() },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  profile: { type: 'string' },
})

export const HELP = `  --servers LIST   of ${SERVERS.join()}
  --peers LIST     of ${PEERS.join()}
  --sizes LIST     of ${Object.keys(SIZES).join()}
  --rounds N       rounds of each peer (5; 1 with --quick); the raw yardstick runs once
  --seconds N      of sending at full speed in each cell (4; 1 with --quick)
  --profile DIR    has Node write a CPU profile of each peer into DIR`

/**
 * @param {{ values: Record<string, string | boolean | undefined>, seed: number, quick: boolean, closing: ReturnType<typeof import('./closing.mjs').makeClosing> }} run
 */
export async function run({ values, seed, quick, closing }) {
  const plan = planOf(values, quick)
  await setUp(plan)
  /** @type {Cell[]} */
  const cells = []
  const servers = await loadServers()
  const redis = await servers.startRedis()
  closing.add(() => redis.stop())
  for (const kind of plan.servers) {
    const server = await servers.startXmppServer(kind)
    closing.add(() => server.stop())
    const traffic = await startTraffic(server, seed)
    closing.add(() => traffic.stop())
    for (let round = 1; round <= plan.rounds; round += 1) {
      for (const peer of inTurns(plan.peers, round)) {
        const surroundings = { processes: servers.processes, server, redis, traffic, plan, closing }
        cells.push(...(await measurePeer(peer, round, surroundings)))
      }
    }
    await traffic.stop()
    await server.stop()
  }
  const summary = summarise(cells)
  printTable(summary)
  return { cells, summary, goals: goalsOf(summary, plan) }
}

/** @param {ReturnType<typeof planOf>} plan */
async function setUp(plan) {
  await ensurePrograms([PROGRAMS.redis, ...plan.servers.map((server) => PROGRAMS[server])])
  if (plan.peers.includes('waybill')) await build(fileURLToPath(new URL('../..', import.meta.url)))
}

/**
 * @param {Record<string, string | boolean | undefined>} values
 * @param {boolean} quick
 */
function planOf(values, quick) {
  return {
    servers: chosen('servers', values.servers, SERVERS),
    peers: chosen('peers', values.peers, PEERS),
    sizes: chosen('sizes', values.sizes, Object.keys(SIZES)),
    rounds: positive('rounds', values.rounds, quick ? 1 : 5),
    seconds: positive('seconds', values.seconds, quick ? 1 : 4),
    warmUpShare: quick ? 0.3 : 0.5,
    latencyShare: quick ? 0.6 : 1,
    drainSeconds: quick ? 10 : 30,
    profileFolder: values.profile === undefined ? undefined : String(values.profile),
  }
}

/**
 * @template {string} T
 * @param {string} option
 * @param {unknown} text
 * @param {readonly T[]} known
 * @returns {T[]}
 */
function chosen(option, text, known) {
  const wanted = String(text).split(',')
  const strange = wanted.find((name) => !known.includes(/** @type {T} */ (name)))
  if (strange !== undefined) throw new RangeError(`Cannot read --${option}: "${strange}" is none of ${known.join()}`)
  return known.filter((name) => wanted.includes(name))
}

/**
 * @param {string} option
 * @param {unknown} text
 * @param {number} otherwise
 */
function positive(option, text, otherwise) {
  if (text === undefined) return otherwise
  if (!(Number(text) > 0)) throw new RangeError(`Cannot read --${option}: "${text}" is no positive number`)
  return Number(text)
}

/**
 * Who goes first changes from round to round; the yardstick is taken once.
 * @template {string} T
 * @param {readonly T[]} peers
 * @param {number} round
 */
function inTurns(peers, round) {
  const taking = peers.filter((peer) => peer !== 'raw' || round === 1)
  return round % 2 === 0 ? taking.reverse() : taking
}

/**
 * One life of a peer, with an empty Redis, over all sizes.
 * @param {any} options
 * @returns {Promise<Cell[]>}
 */
async function measurePeer(peer, round, { processes, server, redis, traffic, plan, closing }) {
  await emptyRedis(redis.url)
  const running = await startPeer(peer, { processes, server, redisUrl: redis.url, profileFolder: plan.profileFolder })
  closing.add(() => running.stop())
  const pids = { peer: running.pid, server: server.pid, redis: redis.pid, traffic: traffic.pid }
  const cells = []
  for (const size of plan.sizes) {
    const cell = {
      server: server.kind,
      peer,
      size,
      round,
      ...(await measureSize(size, { traffic, plan, pids, running })),
    }
    console.error(`${cell.server} ${size} ${peer} round ${round}: ${progressOf(cell)}`)
    cells.push(cell)
  }
  await running.stop()
  return cells
}

/**
 * @param {string} size
 * @param {any} options
 * @returns {Promise<Pick<Cell, 'failure' | 'throughput' | 'latency' | 'cpuMicroseconds'>>}
 */
async function measureSize(size, { traffic, plan, pids, running }) {
  const { seconds, drainSeconds } = plan
  const { window, ratePerSecond } = SIZES[size]
  const warmUp = await traffic.run({ size, seconds: seconds * plan.warmUpShare, drainSeconds, window })
  const cpuSince = watchCpu(pids)
  const throughput = await traffic.run({ size, seconds, drainSeconds, window })
  const cpuMicroseconds = Object.fromEntries(
    Object.entries(cpuSince()).map(([name, used]) => [name, (used * 1e6) / throughput.arrived]),
  )
  const latency = await traffic.run({ size, seconds: seconds * plan.latencyShare, drainSeconds, ratePerSecond })
  const failures = [warmUp, throughput, latency].map(failureOf).filter((failure) => failure !== '')
  if (running.hasEnded()) failures.push('the peer has ended')
  const lastWords = failures.length > 0 ? running.lastWords() : ''
  return { failure: [...failures, lastWords].filter(Boolean).join('; '), throughput, latency, cpuMicroseconds }
}

/** @param {import('./tally.mjs').Outcome} outcome */
function failureOf({ sent, arrived, acknowledged, refused, firstRefusal }) {
  if (refused > 0) return `${refused} of ${sent} were refused, the first with ${firstRefusal}`
  if (arrived < sent) return `${sent - arrived} of ${sent} did not arrive`
  return acknowledged < sent ? `${sent - acknowledged} of ${sent} were not acknowledged` : ''
}

/** @param {Cell} cell */
function progressOf({ failure, throughput, latency }) {
  if (failure !== '') return `FAILED: ${failure}`
  return `${Math.round(throughput?.documentsPerSecond ?? 0)} documents/s, p50 ${latency?.p50Ms.toFixed(1)} ms`
}

/** @param {string} url */
async function emptyRedis(url) {
  const redis = new Redis(url)
  await redis.flushall()
  await redis.quit()
}

import { residentMiB, watchCpu } from '../cpu.mjs'
import { startTraffic, startWaybill } from '../e2e/peers.mjs'
import { digits } from '../e2e/table.mjs'
import { median } from '../e2e/tally.mjs'

/**
 * @typedef {{ documents: number, documentsPerSecond: number, waybillMiB: number, redisMiB: number, serverMiB: number, cpuMicroseconds: number }} Slice
 * `documents`: how many had gone by at its end; memory is the median within it, CPU that of Waybill for each document
 * @typedef {{ documents: number, slices: Slice[], failure: string, ratio: number }} Memory `ratio`: the last slice over that which ends at a tenth
 */

const SLICES = 50
const TENTH = 5
const SAMPLE_MS = 250
const MOST = 1.1
const SITUATION = /** @type {const} */ ({
  server: 'ejabberd',
  size: '1k',
  carriage: 'in-band',
  fanOut: 1,
  to: 'jid',
  senders: 100,
})
const VARIANT = /** @type {const} */ ({
  routes: 1_000,
  durability: 'everysec',
  schema: 'xsd',
  domains: 1,
  processes: 1,
})

/**
 * Orders of 1.1 KB go by at full speed, in fifty slices.
 * @param {number} documents
 * @param {any} surroundings
 * @returns {Promise<Memory>}
 */
export async function measureMemory(documents, { startRedis, startXmppServer, processes, kind, seed, closing }) {
  const redis = await startRedis()
  closing.add(() => redis.stop())
  const server = await startXmppServer(kind)
  closing.add(() => server.stop())
  const traffic = await startTraffic(server, seed)
  closing.add(() => traffic.stop())
  const situation = { ...SITUATION, server: kind }
  const given = { name: 'waybill', components: ['waybill'], situation, server, redis, processes }
  const waybill = await startWaybill(VARIANT, given)
  closing.add(() => waybill.stop())
  const work = {
    ...situation,
    targets: waybill.domains,
    isAnswered: true,
    window: 1024,
    seconds: 600,
    drainSeconds: 60,
  }
  const pids = { waybill: waybill.pids[0] ?? 0, redis: redis.pid, server: server.pid }
  /** @type {Slice[]} */
  const slices = []
  let failure = ''
  for (let number = 1; number <= SLICES && failure === ''; number += 1) {
    const cpuSince = watchCpu(pids)
    const samples = sampleMemory(pids)
    const each = Math.ceil(documents / SLICES)
    const outcome = await traffic.run({ ...work, documents: each })
    const { waybill: waybillMiB, redis: redisMiB, server: serverMiB } = samples.end()
    const cpuMicroseconds = ((cpuSince().waybill ?? 0) * 1e6) / outcome.arrived
    const { documentsPerSecond, arrived, acknowledged } = outcome
    slices.push({ documents: number * each, documentsPerSecond, waybillMiB, redisMiB, serverMiB, cpuMicroseconds })
    if (arrived < each || acknowledged < each)
      failure = `of ${each} documents ${acknowledged} were accepted and ${arrived} arrived`
    if (number % TENTH === 0) console.log(lineOf(slices.at(-1)))
  }
  await waybill.stop()
  await traffic.stop()
  await server.stop()
  await redis.stop()
  const ratio = (slices[SLICES - 1]?.waybillMiB ?? Number.NaN) / (slices[TENTH - 1]?.waybillMiB ?? Number.NaN)
  return { documents, slices, failure, ratio }
}

/** @param {Readonly<Record<string, number>>} pids */
function sampleMemory(pids) {
  const seen = Object.fromEntries(Object.keys(pids).map((name) => [name, /** @type {number[]} */ ([])]))
  const look = () => {
    for (const [name, pid] of Object.entries(pids)) seen[name]?.push(residentMiB(pid))
  }
  const timer = setInterval(look, SAMPLE_MS)
  return {
    /** @returns {Record<string, number>} */
    end() {
      clearInterval(timer)
      look()
      return Object.fromEntries(Object.entries(seen).map(([name, sizes]) => [name, median(sizes)]))
    },
  }
}

/** @param {Slice | undefined} slice */
function lineOf(slice) {
  if (slice === undefined) return ''
  const { documents, documentsPerSecond, waybillMiB, redisMiB, serverMiB, cpuMicroseconds } = slice
  return (
    `${String(documents).padStart(9)} documents, ${digits(documentsPerSecond, 0)} a second, RSS MiB: Waybill ${digits(waybillMiB, 0)}, ` +
    `Redis ${digits(redisMiB, 0)}, server ${digits(serverMiB, 0)}; Waybill's CPU ${digits(cpuMicroseconds, 0)} us a document`
  )
}

/** @param {Memory | undefined} memory */
export function goalsOfMemory(memory) {
  const { documents = 1_000_000, ratio = Number.NaN, failure = '' } = memory ?? {}
  const what = `memory after ${documents} documents over that after ${Math.ceil(documents / 10)}`
  const why = failure === '' ? '' : ` (${failure})`
  return [{ text: `${what}: ${digits(ratio, 3)}${why}, wanted ${MOST} or less`, met: failure === '' && ratio <= MOST }]
}

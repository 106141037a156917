import { Redis } from 'ioredis'
import { startTraffic, startWaybill } from '../e2e/peers.mjs'
import { digits } from '../e2e/table.mjs'

/**
 * @typedef {{ size: string, fanOut: number, documents: number, redisBytes: number }} Waiting `redisBytes`: of Redis for each document that waits
 */

const CASES = /** @type {const} */ ([
  { size: '1k', fanOut: 1, ratePerSecond: 400 },
  { size: '1k', fanOut: 20, ratePerSecond: 100 },
  { size: '10k', fanOut: 1, ratePerSecond: 100 },
  { size: '100k', fanOut: 1, ratePerSecond: 8 },
])
const SECONDS = 5
const VARIANT = /** @type {const} */ ({ routes: 100, durability: 'everysec', schema: 'xsd', domains: 1, processes: 1 })

/**
 * What a document takes in Redis while it waits: nobody is attached as the domain that it goes to.
 * @param {any} surroundings
 * @returns {Promise<Waiting[]>}
 */
export async function measureWaiting({ startRedis, startXmppServer, processes, kind, seed, closing }) {
  const server = await startXmppServer(kind)
  closing.add(() => server.stop())
  const traffic = await startTraffic(server, seed, { receives: false })
  closing.add(() => traffic.stop())
  const measured = []
  for (const { size, fanOut, ratePerSecond } of CASES) {
    const redis = await startRedis()
    closing.add(() => redis.stop())
    const situation = /** @type {const} */ ({
      server: kind,
      size,
      carriage: 'in-band',
      fanOut,
      to: 'jid',
      senders: 100,
    })
    const given = { name: 'waybill', components: ['waybill'], situation, server, redis, processes }
    const waybill = await startWaybill(VARIANT, given)
    closing.add(() => waybill.stop())
    const before = await usedBytes(redis.url)
    // Where nothing arrives, a document is settled when it is acknowledged.
    const work = {
      ...situation,
      fanOut: 0,
      targets: waybill.domains,
      isAnswered: true,
      seconds: SECONDS,
      drainSeconds: 60,
      ratePerSecond,
    }
    const { acknowledged } = await traffic.run(work)
    const redisBytes = ((await usedBytes(redis.url)) - before) / acknowledged
    console.log(
      `${size}, fan-out ${fanOut}: ${acknowledged} documents wait, ${digits(redisBytes, 0)} bytes of Redis each`,
    )
    measured.push({ size, fanOut, documents: acknowledged, redisBytes })
    await waybill.stop()
    await redis.stop()
  }
  await traffic.stop()
  await server.stop()
  return measured
}

/** @param {string} url */
async function usedBytes(url) {
  const redis = new Redis(url)
  const memory = await redis.info('memory')
  await redis.quit()
  return Number(/^used_memory:(\d+)/m.exec(memory)?.[1])
}

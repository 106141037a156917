import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { StartedAttempt } from '../../src/flow/ports.ts'
import { openStore } from '../../src/redis/store.ts'
import { openWakes } from '../../src/redis/wakes.ts'
import { eventually } from '../eventually.ts'
import { flowOn } from '../flow/rooms.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { inconsistencies } from './consistency.ts'
import { acceptOne, balances, closeStores, keepLog, openTestStore, plan, storeOptions } from './fixtures.ts'

/** Every key as the first version wrote it, one command a line: documents in every state, lanes, claims, items, and BullMQ jobs. */
const WRITTEN = readFileSync(new URL('./stored/version-1.commands', import.meta.url), 'utf8')
const PREFIX = 'earlier'
/** When the process that wrote it was killed. */
const WRITTEN_AT_MS = 1_795_000_002_015
const idOf = (number: string) => `01900000-0000-7000-8000-0000000000${number}`
const [READY, LANE, UNDER_WAY, REFUSED] = ['01', ['02', '03', '04'], '05', '08'] as const
const [UNROUTED, EXPIRING, ITEM] = ['09', '0b', '0e'] as const

let redis: RunningRedis
let client: Redis

beforeAll(async () => {
  redis = await startRedis()
  client = new Redis(redis.url)
})
beforeEach(async () => {
  await client.flushall()
  for (const line of WRITTEN.trim().split('\n')) {
    const [command, ...args] = JSON.parse(line) as [string, ...string[]]
    await client.call(command, ...args)
  }
})
afterEach(closeStores)
afterAll(async () => {
  client?.disconnect()
  await redis?.stop()
})

const key = (name: string) => `{${PREFIX}:0}:${name}`
const openIt = (log = keepLog().log) =>
  flowOn(redis.url, { storeOptions: { prefix: PREFIX, instance: 'later-process', log } }).then((flow) => {
    flow.clock.nowMs = WRITTEN_AT_MS + 1_000
    return flow
  })

describe('what an earlier version wrote', () => {
  it('fits together for this one, to the last count of the ledger', async () => {
    const { store } = await openIt()
    // It had no set of what expires: what did was ended when its turn came, and is.
    const wrong = await inconsistencies(client, PREFIX)
    expect(wrong).toEqual([`delivery ${idOf(EXPIRING)}.0 (waiting) would never expire`])
    expect(await store.ledger()).toMatchObject({
      documents: { accepted: 14, waiting: 8, delivered: 1, dead: 4, expired: 0, dropped: 1 },
      deliveries: { planned: 15, waiting: 9, delivered: 2, dead: 3, expired: 0, dropped: 1 },
    })
  })

  it('is delivered, each once and in order, or ends as it says', async () => {
    const flow = await openIt()
    await flow.deliverer.reclaim()
    for (let second = 0; second < 60; second++) {
      flow.clock.nowMs += 1_000
      await flow.deliverer.sweep()
      for (const { ids } of flow.wakes.splice(0)) await flow.deliverer.deliver(ids)
      await flow.deliverer.idle()
    }
    const sent = flow.sent.map(({ id }: StartedAttempt) => id)
    expect(new Set(sent).size).toBe(sent.length)
    expect(sent.filter((id) => LANE.some((lane) => id === `${idOf(lane)}.0`))).toEqual(LANE.map((n) => `${idOf(n)}.0`))
    expect(flow.sent.find(({ id }) => id === `${idOf(READY)}.0`)).toMatchObject({ tries: 1, type: 'order' })
    expect(Buffer.from(flow.sent.find(({ id }) => id === `${idOf(READY)}.1`)!.payload).toString()).toContain('ready ü')
    expect(flow.sent.find(({ id }) => id === `${idOf(LANE[0])}.0`)?.tries, 'with the tries it had').toBe(3)
    const { attempts } = (await flow.store.trace(idOf(UNDER_WAY)))!.deliveries[0]!
    expect(attempts.map(({ result }) => result)).toEqual(['void', 'result'])
    expect(await flow.store.ledger()).toMatchObject({
      documents: { accepted: 14, waiting: 0, delivered: 9, dead: 4, dropped: 1 },
      deliveries: { planned: 15, waiting: 0, delivered: 11, dead: 3, dropped: 1 },
    })
    expect(await balances(flow.store)).toEqual([])
    expect(await inconsistencies(client, PREFIX)).toEqual([])
  })

  it('is woken for by the jobs that it left', async () => {
    const wakes = await openWakes({ url: redis.url, prefix: PREFIX, log: keepLog().log })
    try {
      const came: string[] = []
      wakes.work(async (ids) => void came.push(...ids), { concurrency: 1 })
      await eventually(() => came.includes(`${idOf(ITEM)}.0`))
      expect(came.slice(0, 3)).toEqual([`${idOf(READY)}.0`, `${idOf(READY)}.1`, `${idOf(ITEM)}.0`])
    } finally {
      await wakes.close()
    }
  })

  it('is remembered: duplicates, items of nodes, and dead letters that can be redriven', async () => {
    const { store } = await openIt()
    expect(
      await acceptOne(store, { id: '01900000-0000-7000-9000-000000000001', claim: 'c1', digest: 'digest-1' }),
    ).toEqual({ kind: 'duplicate', id: idOf(READY) })
    const standing = await store.standing('xmpp:p.example?;node=in', [
      { item: 'i1', digest: `digest-of-${idOf(ITEM)}` },
      { item: 'i2', digest: 'd2' },
      { item: 'i3', digest: 'anything' },
      { item: 'i4', digest: 'd4' },
    ])
    expect(standing).toEqual(['taken', 'taken', 'own', 'new'])
    expect((await store.dead({})).map(({ reason }) => reason).sort()).toEqual([
      'address-refused',
      'bounced',
      'no-route',
      'refused',
    ])
    expect(await store.redrive(`${idOf(REFUSED)}.0`, { by: 'ops' })).toBe(true)
    expect(await store.replan(idOf(UNROUTED), [plan({ to: 'new@x.example' })], { by: 'ops' })).toBe(true)
    expect(await balances(store)).toEqual([])
  })

  it('expires at its time', async () => {
    const flow = await openIt()
    flow.clock.nowMs += 3_600_000
    for (let round = 0; round < 2; round++) {
      await flow.deliverer.sweep()
      for (const { ids } of flow.wakes.splice(0)) await flow.deliverer.deliver(ids)
      await flow.deliverer.idle()
    }
    expect((await flow.store.trace(idOf(EXPIRING)))!.deliveries[0]).toMatchObject({ state: 'expired' })
  })
})

describe('what a later version wrote', () => {
  it('is not opened: the message says which version it is, and nothing is changed', async () => {
    await client.set(key('version'), '2')
    const before = await dump()
    await expect(openStore(storeOptions(redis.url, { prefix: PREFIX }))).rejects.toThrow(
      'Cannot open the store: {earlier:0}:version is 2, this Waybill knows 1; start the version that wrote it, or name another redis.prefix',
    )
    expect(await dump()).toEqual(before)
  })

  it('as a wake is passed over and told of; what it was for is due all the same', async () => {
    const job = key('bull:wakes:1')
    await client.hset(job, 'data', JSON.stringify({ v: 2, deliveries: [1, 2, 3] }))
    const { log, lines } = keepLog()
    const wakes = await openWakes({ url: redis.url, prefix: PREFIX, log })
    try {
      const came: string[] = []
      wakes.work(async (ids) => void came.push(...ids), { concurrency: 1 })
      await eventually(() => lines.find(({ event }) => event === 'unknown-version'))
      expect(came).not.toContain(`${idOf(READY)}.0`)
    } finally {
      await wakes.close()
    }
    const store = await openTestStore(redis.url, { prefix: PREFIX })
    expect(await store.due(100)).toContain(`${idOf(READY)}.0`)
  })

  it('as a single document waits untouched and is told of, while the others go on', async () => {
    const envelope = key(`envelope:${idOf(READY)}`)
    const ids = [`${idOf(READY)}.0`, `${idOf(ITEM)}.0`]
    await client.hset(envelope, 'v', '2', 'd0', 'in another form')
    const before = await client.hgetall(envelope)
    const others = { underway: UNDER_WAY, expiring: EXPIRING }
    for (const [set, id] of Object.entries(others)) {
      await client.hset(key(`envelope:${idOf(id)}`), 'v', '2')
      await client.zadd(key(set), 1, `${idOf(id)}.0`)
    }
    const { log, lines } = keepLog()
    const flow = await openIt(log)
    await flow.deliverer.reclaim()
    await flow.deliverer.deliver(ids)
    for (let second = 0; second < 200; second += 20) {
      flow.clock.nowMs += 20_000
      await flow.deliverer.sweep()
      for (const wake of flow.wakes.splice(0)) await flow.deliverer.deliver(wake.ids)
      await flow.deliverer.idle()
    }
    expect(flow.sent.map(({ id }) => id)).toContain(`${idOf(ITEM)}.0`)
    expect(flow.sent.map(({ id }) => id)).not.toContain(`${idOf(READY)}.0`)
    expect(await client.hgetall(envelope)).toEqual(before)
    expect(await client.zscore(key('later'), `${idOf(READY)}.0`)).not.toBeNull()
    for (const [set, id] of Object.entries(others)) {
      expect(await client.zscore(key(set), `${idOf(id)}.0`), `it is ${set} for that version`).not.toBeNull()
    }
    expect(lines).toContainEqual({
      level: 'error',
      event: 'unknown-version',
      details: { id: `${idOf(READY)}.0`, version: '2' },
    })
    await expect(flow.store.trace(idOf(READY))).rejects.toThrow(/a later version of Waybill has written it \(2/)
  })
})

async function dump(): Promise<Record<string, string>> {
  const keys = (await client.keys('*')).sort()
  return Object.fromEntries(
    await Promise.all(keys.map(async (name) => [name, (await client.dumpBuffer(name)).toString('base64')])),
  )
}

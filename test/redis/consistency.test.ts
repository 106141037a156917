import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { OpenBreaker } from '../../src/domain/breaker.ts'
import type { RedisStore } from '../../src/redis/store.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { inconsistencies } from './consistency.ts'
import { accepted, closeStores, freshPrefix, openTestStore, plan } from './fixtures.ts'

let redis: RunningRedis
let client: Redis
let store: RedisStore
let prefix = ''

beforeAll(async () => {
  redis = await startRedis()
  client = new Redis(redis.url)
})
beforeEach(async () => {
  prefix = freshPrefix()
  store = await openTestStore(redis.url, { prefix })
})
afterEach(closeStores)
afterAll(async () => {
  client?.disconnect()
  await redis?.stop()
})

/** Deliveries in every state: waiting, also for an open destination, first and second of a lane, with an end set, under way, delivered, dead; and without a route. */
async function storeOfEverything(): Promise<string[]> {
  const ids: string[] = []
  for (const changes of [
    { deliveries: [plan()], claim: 'c1', key: 'k1' },
    { deliveries: [plan({ lane: 'l' })] },
    { deliveries: [plan({ lane: 'l' })] },
    { deliveries: [plan({ to: 'b@x.example', expiresMs: 60_000 })] },
    { deliveries: [plan({ to: 'c@x.example' })] },
    { deliveries: [plan({ to: 'd@x.example' })], report: 'all' as const },
    { deliveries: [plan({ to: 'e@x.example' })] },
    { deliveries: [] },
    { deliveries: [plan({ to: 'f@x.example' })] },
  ]) {
    ids.push(await accepted(store, changes))
  }
  const [, , , , held, delivered, dead, , barred] = ids
  const breaker: OpenBreaker = {
    kind: 'open',
    sinceMs: 0,
    condition: 'timeout',
    text: '',
    failedAtMs: 0,
    probes: 0,
    nextProbeMs: 0,
    firstMs: 0,
    maxMs: 0,
    late: false,
  }
  await store.keepOpen([{ destination: 'f@x.example', breaker }])
  await store.start([`${barred}.0`], [])
  await store.start([`${held}.0`, `${delivered}.0`, `${dead}.0`], [])
  const record = { atMs: Date.now(), result: 'x' }
  await store.end({ id: `${delivered}.0`, kind: 'delivered', record })
  await store.end({ id: `${dead}.0`, kind: 'dead', reason: 'refused', record })
  return ids
}

describe('the check of what stands in Redis', () => {
  it('finds nothing wrong with what the scripts write', async () => {
    await storeOfEverything()
    expect(await inconsistencies(client, prefix)).toEqual([])
  })

  const key = (name: string) => `{${prefix}:0}:${name}`
  it.each<[string, (ids: string[]) => Promise<unknown>, RegExp]>([
    ['a member without an envelope', () => client.zadd(key('ready'), 1, 'gone.0'), /ready holds gone\.0/],
    ['a dead letter without an envelope', () => client.zadd(key('dead'), 1, 'gone'), /dead holds gone/],
    ['a delivery that nobody would start', ([id]) => client.zrem(key('ready'), `${id}.0`), /started by nobody/],
    ['a delivery that waits for no open destination', () => client.del(key('breakers')), /started by nobody/],
    ['an attempt that nobody would take back', (ids) => client.zrem(key('underway'), `${ids[4]}.0`), /is held by/],
    ['a delivery that would never expire', (ids) => client.zrem(key('expiring'), `${ids[3]}.0`), /never expire/],
    ['a delivery that has lost its place', (ids) => loseItsPlace(ids[2]!), /is not in its lane/],
    ['a second one of a lane that may start', (ids) => client.zadd(key('ready'), 1, `${ids[2]}.0`), /not the first/],
    ['a dead letter that is not listed', (ids) => client.zrem(key('dead'), `${ids[6]}.0`), /is not in dead/],
    ['a document without route that is not listed', (ids) => client.zrem(key('dead'), ids[7]!), /is not in dead/],
    ['a finished one that would be kept for ever', (ids) => client.zrem(key('finished'), ids[5]!), /not in finished/],
    ['a report that is owed by nobody', (ids) => client.zadd(key('reports'), 1, ids[0]!), /none is owed/],
    ['a count that is wrong', () => client.hincrby(key('ledger'), 'documents waiting', 1), /says documents waiting/],
    ['a ledger out of balance', () => client.hincrby(key('ledger'), 'documents accepted', 1), /does not balance/],
    ['bytes that are gone', () => client.hincrby(key('ledger'), 'bytes waiting', -1), /says bytes waiting/],
    ['a sender who would be refused in the end', () => client.hincrby(key('senders'), 'a@x', 1), /senders says a@x: 1/],
    ['a claim on nothing', () => client.set(key('claim:c'), 'gone digest'), /claim:c holds gone/],
    ['a key that no script knows', () => client.set(key('stray'), '1'), /nobody knows the key stray/],
  ])('finds %s', async (_, damage, fault) => {
    await damage(await storeOfEverything())
    expect(await inconsistencies(client, prefix)).toContainEqual(expect.stringMatching(fault))
  })

  async function loseItsPlace(id: string): Promise<void> {
    for (const lane of await client.keys(key('lane:*'))) await client.zrem(lane, `${id}.0`)
  }
})

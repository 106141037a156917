import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { OpenBreaker } from '../../src/domain/breaker.ts'
import type { PlannedDelivery } from '../../src/domain/delivery.ts'
import type { AttemptEnd } from '../../src/flow/ports.ts'
import type { RedisStore, StoreOptions } from '../../src/redis/store.ts'
import { flowOn } from '../flow/rooms.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { inconsistencies } from './consistency.ts'
import {
  acceptance,
  accepted,
  balances,
  closeStores,
  freshPrefix,
  openTestStore,
  plan,
  type SetClock,
  setClock,
} from './fixtures.ts'

const BY = { by: 'ops' }
const OPEN: OpenBreaker = {
  kind: 'open',
  sinceMs: 1,
  condition: 'timeout',
  text: '',
  failedAtMs: 1,
  probes: 0,
  nextProbeMs: 1,
  firstMs: 1_000,
  maxMs: 60_000,
  late: false,
}

let redis: RunningRedis
let client: Redis
let clock: SetClock
let prefix: string
let store: RedisStore

beforeAll(async () => {
  redis = await startRedis()
  client = new Redis(redis.url)
})
afterEach(async () => {
  await isWhole()
  await closeStores()
})
afterAll(async () => {
  client?.disconnect()
  await redis?.stop()
})

/** At once two deliveries of a stanza, then three in each part. */
const FEW = { atOnce: 2, part: 3 }

async function open(changes: Partial<StoreOptions> = {}): Promise<void> {
  clock = setClock(1_800_000_000_000)
  prefix = freshPrefix()
  store = await openTestStore(redis.url, { clock, prefix, expansion: FEW, ...changes })
}

async function isWhole(): Promise<void> {
  expect(await inconsistencies(client, prefix)).toEqual([])
  expect(await balances(store)).toEqual([])
}

const jid = (number: number) => `r${number}@x.example`
const many = (count: number, changes: Parameters<typeof plan>[0] = {}): PlannedDelivery[] =>
  Array.from({ length: count }, (_, number) => plan({ to: jid(number), ...changes }))
const record = () => ({ atMs: clock(), result: 'x' })
const take = (deliveries: readonly PlannedDelivery[], receivedAtMs = clock()) =>
  accepted(store, { deliveries, receivedAtMs })
const numbers = (ids: readonly string[]) => ids.map((id) => Number(id.split('.')[1]))
const due = async () => numbers(await store.due(100)).sort((one, other) => one - other)

async function expandAll(): Promise<number[]> {
  const written: number[] = []
  for (let isMore = true; isMore; ) {
    const { ids, more } = await store.expand()
    written.push(...numbers(ids))
    isMore = more
  }
  return written
}

async function end(id: string, how: object = { kind: 'delivered', proven: true }): Promise<readonly string[]> {
  return store.end({ id, ...how, record: record() } as AttemptEnd)
}

describe('a document with many deliveries', () => {
  it('has the first of them written when it is accepted, and the others part by part', async () => {
    await open()
    const id = await take(many(9))
    expect(await due()).toEqual([0, 1])
    expect((await store.ledger()).deliveries).toMatchObject({ planned: 9, waiting: 9 })
    await isWhole()
    expect(await store.expand()).toEqual({ ids: [`${id}.2`, `${id}.3`, `${id}.4`], more: true })
    await isWhole()
    expect(await expandAll()).toEqual([5, 6, 7, 8])
    expect(await store.expand()).toEqual({ ids: [], more: false })
    expect(await due()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
    const started = await store.start((await store.due(100)).toSorted(), [])
    expect(started.map(({ destination }) => destination)).toEqual(many(9).map(({ destination }) => destination))
    expect(started[8]).toMatchObject({ id: `${id}.8`, tries: 1, route: 'orders', options: plan().options })
  })

  it('keeps what each of them is: route, urgency, expiry, options; and gives up at once what has no address', async () => {
    await open()
    const other = plan({ to: 'other@x.example', route: 'other', priority: 5, expiresMs: 5_000, confirmTimeoutMs: 9 })
    const none = plan({ to: 'none@x.example', impossible: { reason: 'address-refused', text: 'no' } })
    const id = await take([...many(4), none, other])
    expect(await store.dead({})).toMatchObject([{ id: `${id}.4`, reason: 'address-refused' }])
    await expandAll()
    expect((await store.due(1))[0], 'the most urgent').toBe(`${id}.5`)
    expect((await store.ledger()).routes).toMatchObject({
      orders: { planned: 5, waiting: 4, dead: 1 },
      other: { planned: 1, waiting: 1 },
    })
    const [started] = await store.start([`${id}.5`], [])
    expect(started).toMatchObject({ expiresAtMs: clock() + 5_000, options: other.options })
    clock.nowMs += 6_000
    expect(await store.expire(10)).toEqual([])
  })

  it('is counted for a route of whatever name', async () => {
    await open()
    await take(many(6, { route: 'constructor' }))
    expect((await store.ledger()).routes.constructor).toMatchObject({ planned: 6, waiting: 6 })
  })

  it('shares what is written at once with the other documents of its stanza', async () => {
    await open()
    const stanza = [many(1), many(3), many(2)].map((deliveries) => acceptance({ deliveries, receivedAtMs: clock() }))
    await store.accept(stanza)
    expect(await due()).toEqual([0, 0])
    expect(await expandAll()).toHaveLength(4)
    expect(await due()).toEqual([0, 0, 0, 1, 1, 2])
  })

  it('is traced with all of them, and ends when the last has', async () => {
    await open()
    const id = await accepted(store, { deliveries: many(6), report: 'all' })
    await store.start([`${id}.0`, `${id}.1`], [])
    for (const number of [0, 1]) await end(`${id}.${number}`)
    const trace = (await store.trace(id))!
    expect(trace.state).toBe('waiting')
    expect(trace.deliveries.map(({ id, destination, state }) => [id, destination, state])).toEqual(
      many(6).map((_, number) => [`${id}.${number}`, jid(number), number < 2 ? 'delivered' : 'waiting']),
    )
    expect(await store.owedReports(9)).toEqual([])
    await expandAll()
    for (const number of [2, 3, 4, 5]) {
      await store.start([`${id}.${number}`], [])
      await end(`${id}.${number}`)
    }
    expect((await store.trace(id))!.state).toBe('delivered')
    expect(await store.owedReports(9)).toHaveLength(1)
  })

  it('is accepted once, however often it is asked for', async () => {
    await open()
    const one = acceptance({ deliveries: many(6) })
    const answer = await store.accept([one])
    expect(await store.accept([one])).toEqual(answer)
    expect(await expandAll()).toEqual([2, 3, 4, 5])
  })

  it('waits untouched where a later version has written it', async () => {
    await open()
    const id = await take(many(6))
    const key = `{${prefix}:0}:envelope:${id}`
    await client.hset(key, 'v', '2')
    const before = await client.hgetall(key)
    expect(await store.expand()).toEqual({ ids: [], more: true })
    expect(await store.expand()).toEqual({ ids: [], more: false })
    expect(await client.hgetall(key)).toEqual(before)
    await client.hset(key, 'v', '1')
    clock.nowMs += 60_000
    expect(await expandAll()).toEqual([2, 3, 4, 5])
  })
})

describe('what is done to deliveries that are still to be written', () => {
  const moves: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
    start: (id) => store.start([`${id}.7`, `${id}.4`], []),
    'drop one': (id) => store.drop(`${id}.7`, 'x', 'ops'),
    'drop all': (id) => store.drop(id, 'x', 'ops'),
    'park one': (id) => store.park(`${id}.4`, 'x', 'ops'),
    'park all': (id) => store.park(id, 'x', 'ops'),
    'redrive elsewhere': async (id) => {
      await store.park(`${id}.0`, 'x', 'ops')
      const destination = plan({ to: jid(7) }).destination
      expect(await store.redrive(`${id}.0`, { ...BY, to: destination }), 'it has a delivery to there').toBe(false)
    },
    'match again': async (id) => {
      await store.park(`${id}.0`, 'x', 'ops')
      expect(await store.replan(`${id}.0`, [plan({ to: jid(7) }), plan({ to: 'new@x.example' })], BY)).toBe(true)
    },
    bounce: (id) => store.bounce(`${id}.7`, jid(7), { dueAtMs: clock() }, record()),
    'keep open': async (id) => {
      await store.keepOpen([{ destination: jid(7), breaker: OPEN }])
      expect(await store.start([`${id}.7`], [])).toEqual([])
    },
  }
  it.each(
    Object.keys(moves).flatMap((move) => [[move, 'unordered', undefined] as const, [move, 'ordered', 'k'] as const]),
  )('by %s, %s, comes to the same as if they had been written', async (move, _, lane) => {
    const ends: unknown[] = []
    for (const expansion of [FEW, { atOnce: 1_000, part: 500 }]) {
      await open({ expansion })
      const id = await take(many(9, lane === undefined ? {} : { lane }))
      await moves[move]!(id)
      await isWhole()
      await expandAll()
      await isWhole()
      const trace = (await store.trace(id))!
      const seen = trace.deliveries.map(({ id: one, destination, state, tries, reason, attempts }) => {
        return [...numbers([one]), destination, state, tries, reason, attempts.length]
      })
      ends.push([trace.state, seen, await due(), await store.ledger()])
      expect(await store.expand()).toEqual({ ids: [], more: false })
    }
    expect(ends[0]).toEqual(ends[1])
  })

  it('keeps them before what is accepted later, and what comes back to an earlier place before them', async () => {
    await open()
    const [earlier] = [await take([plan({ to: jid(5), lane: 'k' })])]
    await store.start([`${earlier}.0`], [])
    const wide = await take(many(9, { lane: 'k' }))
    const later = await take([plan({ to: jid(5), lane: 'k' }), plan({ to: jid(8), lane: 'k' })])
    expect(await due()).toEqual([0, 1])
    expect((await store.trace(later))!.deliveries.map(({ behind }) => behind)).toEqual([`${earlier}.0`, `${wide}.8`])
    await end(`${earlier}.0`, { kind: 'dead', reason: 'refused' })
    await store.redrive(`${earlier}.0`, { ...BY, keepPlace: true })
    await isWhole()
    await expandAll()
    await store.start([`${earlier}.0`], [])
    expect(await end(`${earlier}.0`)).toEqual([`${wide}.5`])
    await store.start([`${wide}.5`, `${wide}.8`], [])
    expect(await end(`${wide}.5`)).toEqual([`${later}.0`])
    expect(await end(`${wide}.8`)).toEqual([`${later}.1`])
  })
})

it('a process that dies between two parts leaves the others to the next one: each is delivered once, in order', async () => {
  const place = freshPrefix()
  const storeOptions = { prefix: place, expansion: { atOnce: 10, part: 20 } }
  const first = await flowOn(redis.url, { storeOptions: { ...storeOptions, instance: 'dies' } })
  store = first.store
  prefix = place
  const wide = await accepted(store, { deliveries: many(95, { lane: 'k' }), receivedAtMs: first.clock() })
  const later = await accepted(store, { deliveries: many(95, { lane: 'k' }), receivedAtMs: first.clock() })
  await store.start(await store.due(5), [])
  await store.expand()
  await store.expand()
  await isWhole()
  expect((await store.ledger()).deliveries).toMatchObject({ planned: 190, waiting: 190 })

  const next = await flowOn(redis.url, { storeOptions: { ...storeOptions, instance: 'goes-on' } })
  next.clock.nowMs = first.clock() + 1_000
  await next.deliverer.reclaim()
  for (let second = 0; second < 60 && (await next.store.ledger()).deliveries.waiting > 0; second++) {
    next.clock.nowMs += 1_000
    await next.deliverer.sweep()
    expect(await balances(next.store)).toEqual([])
    for (const { ids } of next.wakes.splice(0)) await next.deliverer.deliver(ids)
    await next.deliverer.idle()
  }
  const sent = next.sent.map(({ id }) => id)
  expect(new Set(sent).size).toBe(190)
  expect(sent).toHaveLength(190)
  for (let number = 0; number < 95; number++) {
    expect(sent.indexOf(`${wide}.${number}`)).toBeLessThan(sent.indexOf(`${later}.${number}`))
  }
  expect((await store.ledger()).deliveries).toMatchObject({ planned: 190, waiting: 0, delivered: 190 })
})

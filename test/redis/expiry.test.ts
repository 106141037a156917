import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { RedisStore } from '../../src/redis/store.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import {
  type AcceptanceChanges,
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

let redis: RunningRedis
let clock: SetClock
let store: RedisStore
let prefix: string

beforeAll(async () => {
  redis = await startRedis()
})
afterEach(closeStores)
afterAll(() => redis?.stop())

async function open(): Promise<void> {
  clock = setClock(1_800_000_000_000)
  prefix = freshPrefix()
  store = await openTestStore(redis.url, { clock, prefix })
}

const SOON = { expiresMs: 1_000 }
const record = (result: string) => ({ atMs: clock(), result })
const acceptNow = (changes: AcceptanceChanges = {}) => accepted(store, { receivedAtMs: clock(), ...changes })
const firstOf = async (id: string) => (await store.trace(id))!.deliveries[0]!

describe('a first attempt', () => {
  it.each([
    { what: 'begins with the acceptance', waitedMs: 999, begun: [0] },
    { what: 'does not begin where the delivery expired before it was accepted', waitedMs: 1_000, begun: undefined },
  ])('$what', async ({ waitedMs, begun }) => {
    await open()
    const one = acceptance({ receivedAtMs: clock() - waitedMs, deliveries: [plan({ ...SOON })] })
    const [answer] = await store.accept([{ ...one, begin: [0] }])
    expect(answer).toMatchObject({ kind: 'accepted', id: one.envelope.id })
    expect(answer?.kind === 'accepted' && answer.begun?.indexes).toEqual(begun)
    clock.nowMs += 1
    await store.expire(10)
    expect((await firstOf(one.envelope.id)).state).toBe(begun ? 'waiting' : 'expired')
    expect(await balances(store)).toEqual([])
  })
})

describe('a delivery expires close to its time', () => {
  const cases: readonly { what: string; wait: (id: string) => Promise<unknown> }[] = [
    { what: 'while nobody takes it', wait: async () => {} },
    {
      what: 'during a pause that is longer',
      async wait(id) {
        await store.start([id], [])
        await store.end({ id, kind: 'retry', dueAtMs: clock() + 60_000, record: record('timeout') })
      },
    },
    {
      what: 'while its destination has no place',
      wait: (id) => store.start([id], ['erp@backend.example']),
    },
    {
      what: 'after an attempt that became void',
      async wait(id) {
        await store.start([id], [])
        await store.end({ id, kind: 'void', dueAtMs: clock(), record: record('void') })
      },
    },
    {
      what: 'after it was redriven',
      async wait(id) {
        await store.start([id], [])
        await store.end({ id, kind: 'dead', reason: 'refused', record: record('forbidden') })
        await store.redrive(id, { by: 'operator' })
      },
    },
    {
      what: 'after its process is gone',
      async wait(id) {
        await store.start([id], [])
        const successor = await openTestStore(redis.url, { clock, prefix, instance: 'two' })
        expect(await successor.reclaim()).toMatchObject({ deliveries: 1 })
      },
    },
  ]
  it.each(cases)('$what', async ({ wait }) => {
    await open()
    const id = await acceptNow(SOON)
    await wait(`${id}.0`)
    clock.nowMs += 999
    expect(await store.expire(9)).toEqual([])
    clock.nowMs += 1
    expect(await store.expire(9)).toEqual([`${id}.0`])
    expect(await firstOf(id)).toMatchObject({ state: 'expired', reason: 'expired' })
    expect((await store.ledger()).documents).toMatchObject({ accepted: 1, expired: 1, waiting: 0 })
    expect(await balances(store)).toEqual([])
    expect(await store.expire(9)).toEqual([])
  })

  it('behind the head of its lane, which goes on', async () => {
    await open()
    const head = await acceptNow({ deliveries: [plan({ lane: 'l' })] })
    const id = await acceptNow({ ...SOON, deliveries: [plan({ lane: 'l' })] })
    const last = await acceptNow({ deliveries: [plan({ lane: 'l' })] })
    await store.start([`${head}.0`], [])
    clock.nowMs += 1_000
    expect(await store.expire(9)).toEqual([`${id}.0`])
    const end = { id: `${head}.0`, kind: 'delivered', record: record('result') } as const
    expect(await store.end(end)).toEqual([`${last}.0`])
  })

  it('as the head of its lane, and frees the first that has not', async () => {
    await open()
    const ids = [await acceptNow({ ...SOON, deliveries: [plan({ lane: 'l' })] })]
    ids.push(await acceptNow({ ...SOON, deliveries: [plan({ lane: 'l' })] }))
    const next = await acceptNow({ deliveries: [plan({ lane: 'l' })] })
    clock.nowMs += 1_000
    expect(await store.expire(9)).toEqual(ids.map((id) => `${id}.0`))
    expect(await store.due(9)).toEqual([`${next}.0`])
  })
})

it('an attempt under way is not taken from whoever makes it, and a retry after it is none', async () => {
  await open()
  const [one, two] = [await acceptNow(SOON), await acceptNow(SOON)]
  await store.start([`${one}.0`, `${two}.0`], [])
  clock.nowMs += 1_000
  expect(await store.expire(9)).toEqual([])
  await store.end({ id: `${one}.0`, kind: 'delivered', record: record('result') })
  await store.end({ id: `${two}.0`, kind: 'retry', dueAtMs: clock() + 5, record: record('timeout') })
  expect(await store.expire(9)).toEqual([`${two}.0`])
  expect((await store.ledger()).deliveries).toMatchObject({ delivered: 1, expired: 1, waiting: 0 })
})

it('what expired first ends first, as many as are asked for', async () => {
  await open()
  const late = await acceptNow({ expiresMs: 900 })
  const early = await acceptNow({ expiresMs: 300 })
  const never = await acceptNow()
  clock.nowMs += 1_000
  expect(await store.expire(1)).toEqual([`${early}.0`])
  expect(await store.expire(5)).toEqual([`${late}.0`])
  expect((await store.trace(never))!.state).toBe('waiting')
})

it('one that an earlier version has accepted, before there was an index, ends too', async () => {
  await open()
  const id = await acceptNow(SOON)
  const client = new Redis(redis.url)
  await client.del(`{${prefix}:0}:expiring`)
  client.disconnect()
  clock.nowMs += 1_000
  expect(await store.expire(9)).toEqual([])
  expect(await store.start([`${id}.0`], [])).toEqual([])
  expect(await store.expire(9)).toEqual([`${id}.0`])
})

it('the most urgent are due first, whatever came before them', async () => {
  await open()
  const byPriority = new Map<number, string>()
  for (const priority of [0, 10, -5, 100]) {
    clock.nowMs += 10
    byPriority.set(priority, `${await acceptNow({ deliveries: [plan({ priority })] })}.0`)
  }
  // One that was tried already comes back to its level.
  await store.start([byPriority.get(10)!], [])
  await store.end({ id: byPriority.get(10)!, kind: 'retry', dueAtMs: clock() + 50, record: record('timeout') })
  clock.nowMs += 100
  const order = [100, 10, 0, -5].map((priority) => byPriority.get(priority))
  expect(await store.due(9)).toEqual(order)
  expect(await store.due(1)).toEqual(order.slice(0, 1))
})

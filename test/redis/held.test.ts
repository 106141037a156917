import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AcceptAnswer } from '../../src/flow/ports.ts'
import type { RedisStore } from '../../src/redis/store.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import {
  type AcceptanceChanges,
  acceptance,
  acceptOne,
  balances,
  closeStores,
  openTestStore,
  plan,
  type SetClock,
  type StoreChanges,
  setClock,
} from './fixtures.ts'

const FINDING = { layer: 'xsd', rule: 'cvc-type', severity: 'error', path: '/order', message: 'is wrong' } as const
const holding = { findings: [FINDING], total: 3 }
const order = { by: 'ops', reason: 'agreed by phone' }

let redis: RunningRedis
let clock: SetClock
let store: RedisStore

beforeAll(async () => {
  redis = await startRedis()
})
afterEach(closeStores)
afterAll(() => redis?.stop())

async function openWith(changes: StoreChanges = {}): Promise<void> {
  clock = setClock(1_800_000_000_000)
  store = await openTestStore(redis.url, { clock, ...changes })
}

const hold = (changes: AcceptanceChanges = {}): Promise<AcceptAnswer> => {
  return acceptOne(store, { receivedAtMs: clock(), holding, ...changes })
}

async function heldId(changes: AcceptanceChanges = {}): Promise<string> {
  const answer = await hold(changes)
  if (answer.kind !== 'accepted') throw new Error(`Expected accepted, got ${answer.kind}`)
  return answer.id
}

const counts = async () => {
  const { accepted, waiting, held, dead, dropped } = (await store.ledger()).documents
  return { accepted, waiting, held, dead, dropped }
}

describe('a document that is held', () => {
  it('is in the ledger, on no way, and known with its findings', async () => {
    await openWith()
    const id = await heldId()
    expect(await counts()).toEqual({ accepted: 1, waiting: 0, held: 1, dead: 0, dropped: 0 })
    expect(await store.due(10)).toEqual([])
    expect(await store.dead({})).toEqual([])
    expect(await store.trace(id)).toMatchObject({ state: 'held', holding, deliveries: [] })
    expect(await store.depth()).toMatchObject({ held: 1, waiting: 0 })
    expect((await store.ledger()).bytes.held).toBe('<order xmlns="urn:test"/>'.length)
    expect(await balances(store)).toEqual([])
  })

  it('is told of again to a sender who repeats it, as long as it is held', async () => {
    await openWith()
    const id = await heldId({ claim: 'stanza 1', digest: 'd' })
    expect(await hold({ claim: 'stanza 1', digest: 'd' })).toEqual({ kind: 'duplicate', id, held: true })
    await store.plan(id, { fields: {}, deliveries: [plan()] }, order)
    expect(await hold({ claim: 'stanza 1', digest: 'd' })).toEqual({ kind: 'duplicate', id })
  })

  it('goes on its way when it is released, with the fields of now, once', async () => {
    await openWith()
    const id = await heldId()
    const planned = { fields: { currency: ['USD'] }, deliveries: [plan(), plan({ to: 'b@x.example' })] }
    expect(await store.plan(id, planned, order)).toBe(true)
    expect(await store.plan(id, planned, order)).toBe(false)
    expect((await store.due(10)).toSorted()).toEqual([`${id}.0`, `${id}.1`])
    const trace = await store.trace(id)
    expect(trace).toMatchObject({ state: 'waiting', fields: { currency: ['USD'] } })
    expect(trace!.holding!.ended).toEqual({ how: 'released', ...order, atMs: clock() })
    expect(trace!.deliveries[0]!.attempts).toMatchObject([{ result: 'released', text: 'by ops: agreed by phone' }])
    expect(await counts()).toEqual({ accepted: 1, waiting: 1, held: 0, dead: 0, dropped: 0 })
    expect(await store.held({})).toEqual([])
  })

  it('is a dead letter when it is released and no route matches, and can be matched again', async () => {
    await openWith()
    const id = await heldId()
    expect(await store.plan(id, { fields: {}, deliveries: [] }, order)).toBe(true)
    expect(await store.dead({})).toMatchObject([{ id, reason: 'no-route', diedAtMs: clock() }])
    expect(await store.replan(id, [plan()], { by: 'ops' })).toBe(true)
    expect(await store.due(10)).toEqual([`${id}.0`])
  })

  it('goes behind what was accepted while it was held, where order is kept', async () => {
    await openWith()
    const id = await heldId()
    const answer = await acceptOne(store, { receivedAtMs: clock(), deliveries: [plan({ lane: 'l' })] })
    await store.plan(id, { fields: {}, deliveries: [plan({ lane: 'l' })] }, order)
    expect(await store.due(10)).toEqual([`${answer.kind === 'accepted' && answer.id}.0`])
  })

  it('is dropped when it is refused, with the reason and by whom, and a report is owed where one was asked for', async () => {
    await openWith()
    const id = await heldId({ report: 'failed' })
    expect(await store.owedReports(10)).toEqual([])
    expect(await store.refuse(id, { by: 'ops', reason: 'not ours' })).toBe(true)
    expect(await store.trace(id)).toMatchObject({
      state: 'dropped',
      reason: 'not ours (ops)',
      holding: { ended: { how: 'refused' } },
    })
    expect(await store.owedReports(10)).toEqual([{ envelopeId: id, end: 1 }])
    expect(await store.refuse(id, { by: 'ops', reason: 'another' })).toBe(false)
    expect(await store.plan(id, { fields: {}, deliveries: [plan()] }, order)).toBe(false)
    expect(await counts()).toEqual({ accepted: 1, waiting: 0, held: 0, dead: 0, dropped: 1 })
  })

  it('has its key as long as it is held, and leaves it to the corrected one when it is refused', async () => {
    await openWith()
    const corrected = { key: 'order 7', digest: 'corrected', receivedAtMs: clock() }
    const id = await heldId({ key: 'order 7', digest: 'wrong' })
    expect(await acceptOne(store, corrected)).toEqual({ kind: 'key-conflict', id, held: true })
    await store.refuse(id, { by: 'ops', reason: 'wrong total' })
    expect(await hold({ key: 'order 7', digest: 'wrong' })).toEqual({ kind: 'duplicate', id })
    const answer = await acceptOne(store, corrected)
    expect(answer.kind).toBe('accepted')
    expect(await acceptOne(store, { ...corrected, digest: 'another' })).toMatchObject({ kind: 'key-conflict' })
    expect(await acceptOne(store, corrected)).toMatchObject({ kind: 'duplicate' })
    expect(await hold({ key: 'order 7', digest: 'wrong' })).toMatchObject({ kind: 'key-conflict' })
    expect(await balances(store)).toEqual([])
  })

  it.each([
    ['was released', (id: string) => store.plan(id, { fields: {}, deliveries: [plan()] }, order)],
    [
      'was released, found no route and was dropped',
      async (id: string) => {
        await store.plan(id, { fields: {}, deliveries: [] }, order)
        await store.drop(id, 'not needed', 'ops')
      },
    ],
  ])('keeps its key where it %s', async (_, end) => {
    await openWith()
    const id = await heldId({ key: 'order 7', digest: 'a' })
    await end(id)
    expect(await acceptOne(store, { key: 'order 7', digest: 'b' })).toEqual({ kind: 'key-conflict', id })
  })

  it('leaves its key to one of two corrected ones that come together', async () => {
    await openWith()
    const id = await heldId({ key: 'order 7', digest: 'wrong' })
    await store.refuse(id, { by: 'ops', reason: 'wrong total' })
    const answers = await store.accept(['a', 'b'].map((digest) => acceptance({ key: 'order 7', digest })))
    expect(answers[1]!.kind).toBe('key-conflict')
  })

  it('is dropped by the retention when it was held too long, which is a report too', async () => {
    await openWith({ retention: { heldMs: 60_000 } })
    const id = await heldId({ report: 'all' })
    clock.nowMs += 60_000
    await store.prune()
    expect((await store.trace(id))!.state).toBe('held')
    clock.nowMs += 1
    await store.prune()
    expect(await store.trace(id)).toMatchObject({ state: 'dropped', reason: 'retention' })
    expect(await store.owedReports(10)).toEqual([{ envelopeId: id, end: 1 }])
    expect(await balances(store)).toEqual([])
  })

  it('is no dead letter to redrive, match again, drop or park', async () => {
    await openWith()
    const id = await heldId()
    expect(await store.redrive(id, { by: 'ops' })).toBe(false)
    expect(await store.replan(id, [plan()], { by: 'ops' })).toBe(false)
    expect(await store.drop(id, 'x', 'ops')).toBe('refused')
    expect(await store.park(id, 'x', 'ops')).toBe('refused')
    expect((await store.trace(id))!.state).toBe('held')
  })
})

describe('what may be held', () => {
  const limits: Readonly<Record<string, StoreChanges['limits']>> = {
    held: { held: 2 },
    'held of sender': { perSenderHeld: 2 },
    'held bytes': { heldBytes: 40 },
  }
  it.each(Object.entries(limits))('is bounded: %s', async (scope, limit) => {
    await openWith({ limits: limit! })
    await heldId()
    await heldId()
    expect(await hold()).toMatchObject({ kind: 'overloaded', scope })
    // What is valid goes on.
    expect(await acceptOne(store, { receivedAtMs: clock() })).toMatchObject({ kind: 'accepted' })
    const [one] = await store.held({})
    await store.refuse(one!.id, order)
    expect(await hold()).toMatchObject({ kind: 'accepted' })
  })

  it('is counted within one stanza, which is held whole or not at all', async () => {
    await openWith({ limits: { held: 2 } })
    const three = [1, 2, 3].map(() => acceptance({ receivedAtMs: clock(), holding }))
    expect((await store.accept(three)).at(-1)).toMatchObject({ kind: 'overloaded', scope: 'held', waiting: 2 })
    expect((await counts()).accepted).toBe(0)
  })

  it('counts senders apart', async () => {
    await openWith({ limits: { perSenderHeld: 1 } })
    await heldId()
    expect(await hold({ from: 'other@suppliers.example' })).toMatchObject({ kind: 'accepted' })
  })
})

describe('looking for what is held', () => {
  it('finds by type, sender, field, rule and time, newest first', async () => {
    await openWith()
    const first = await heldId()
    clock.nowMs += 1_000
    const second = await heldId({ type: 'invoice', from: 'b@x.example/1' })
    const found = async (filter: Parameters<RedisStore['held']>[0]) => (await store.held(filter)).map(({ id }) => id)
    expect(await found({})).toEqual([second, first])
    expect(await found({ limit: 1 })).toEqual([second])
    expect(await found({ type: 'order' })).toEqual([first])
    expect(await found({ from: 'b@x.example' })).toEqual([second])
    expect(await found({ fields: { currency: 'USD' } })).toEqual([])
    expect(await found({ rule: 'cvc-type', untilMs: clock() - 1 })).toEqual([first])
    expect(await found({ rule: 'other' })).toEqual([])
    expect(await found({ sinceMs: clock() })).toEqual([second])
  })
})

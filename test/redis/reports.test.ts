import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { RedisStore } from '../../src/redis/store.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { accepted, closeStores, freshId, openTestStore, plan, type SetClock, setClock } from './fixtures.ts'

let redis: RunningRedis
let clock: SetClock
let store: RedisStore

beforeAll(async () => {
  redis = await startRedis()
})
afterEach(closeStores)
afterAll(() => redis?.stop())

async function open(changes: Parameters<typeof openTestStore>[1] = {}): Promise<void> {
  clock = setClock(1_800_000_000_000)
  store = await openTestStore(redis.url, { clock, ...changes })
}

type Fate = 'delivered' | 'dead' | 'expired' | 'dropped'

async function meet(id: string, fate: Fate): Promise<void> {
  const record = { atMs: clock(), result: 'x' }
  if (fate === 'dropped') return void (await store.drop(id, 'not wanted', 'ops@x.example'))
  await store.start([id], [])
  if (fate === 'dead') await store.end({ id, kind: 'dead', reason: 'refused', record })
  else await store.end({ id, kind: fate, record })
}

const owed = async () => (await store.owedReports(99)).map(({ envelopeId, end }) => `${envelopeId} ${end}`)
const two = () => [plan({ to: 'a@x.example' }), plan({ to: 'b@x.example' })]

describe('a report is owed', () => {
  const cases: readonly { report?: 'delivered' | 'failed' | 'all'; fates: [Fate, Fate]; isOwed: boolean }[] = [
    { report: 'all', fates: ['delivered', 'delivered'], isOwed: true },
    { report: 'all', fates: ['delivered', 'dead'], isOwed: true },
    { report: 'delivered', fates: ['delivered', 'delivered'], isOwed: true },
    { report: 'delivered', fates: ['dead', 'delivered'], isOwed: false },
    { report: 'delivered', fates: ['expired', 'dropped'], isOwed: false },
    { report: 'failed', fates: ['delivered', 'delivered'], isOwed: false },
    { report: 'failed', fates: ['dead', 'delivered'], isOwed: true },
    { report: 'failed', fates: ['delivered', 'expired'], isOwed: true },
    { report: 'failed', fates: ['dropped', 'delivered'], isOwed: true },
    { fates: ['delivered', 'dead'], isOwed: false },
  ]
  it.each(cases)('$report, after $fates: $isOwed', async ({ report, fates, isOwed }) => {
    await open()
    const id = await accepted(store, { deliveries: two(), ...(report && { report }) })
    await meet(`${id}.0`, fates[0])
    expect(await owed()).toEqual([])
    await meet(`${id}.1`, fates[1])
    expect(await owed()).toEqual(isOwed ? [`${id} 1`] : [])
  })

  it.each([
    ['all', true],
    ['failed', true],
    ['delivered', false],
  ] as const)('at once for a document without a route that asked for %s: %s', async (report, isOwed) => {
    await open()
    const id = await accepted(store, { deliveries: [], report })
    expect(await owed()).toEqual(isOwed ? [`${id} 1`] : [])
  })

  it('at once where no address can be made', async () => {
    await open()
    const impossible = { reason: 'address-refused', text: 'no' } as const
    const id = await accepted(store, { deliveries: [plan({ impossible })], report: 'failed' })
    expect(await owed()).toEqual([`${id} 1`])
  })

  it('for what expires, written in the step that ends it', async () => {
    await open()
    const id = await accepted(store, { report: 'failed', expiresMs: 1_000, receivedAtMs: clock() })
    clock.nowMs += 1_000
    await store.expire(9)
    expect(await owed()).toEqual([`${id} 1`])
  })

  it('of the oldest ends first', async () => {
    await open()
    const ids = [await accepted(store, { report: 'all' }), await accepted(store, { report: 'all' })]
    for (const id of ids.toReversed()) {
      clock.nowMs += 1
      await meet(`${id}.0`, 'delivered')
    }
    expect(await owed()).toEqual([`${ids[1]} 1`, `${ids[0]} 1`])
    expect(await store.owedReports(1)).toEqual([{ envelopeId: ids[1], end: 1 }])
  })
})

describe('a report that was given', () => {
  it('is owed no more, and a document that is reopened and ends again gives another one', async () => {
    await open()
    const id = await accepted(store, { report: 'all' })
    await meet(`${id}.0`, 'dead')
    await store.reported([{ envelopeId: id, end: 1 }])
    expect(await owed()).toEqual([])
    await store.redrive(`${id}.0`, { by: 'operator' })
    expect(await owed()).toEqual([])
    await meet(`${id}.0`, 'delivered')
    expect(await owed()).toEqual([`${id} 2`])
  })

  it('for an earlier end does not settle the later one', async () => {
    await open()
    const id = await accepted(store, { report: 'all' })
    await meet(`${id}.0`, 'dead')
    await store.redrive(`${id}.0`, { by: 'operator' })
    await meet(`${id}.0`, 'delivered')
    await store.reported([{ envelopeId: id, end: 1 }])
    expect(await owed()).toEqual([`${id} 2`])
    await store.reported([{ envelopeId: id, end: 2 }])
    expect(await owed()).toEqual([])
  })

  it('is withdrawn while the document is on its way again, before it was given', async () => {
    await open()
    const id = await accepted(store, { report: 'failed' })
    await meet(`${id}.0`, 'dead')
    await store.redrive(`${id}.0`, { by: 'operator' })
    expect(await owed()).toEqual([])
    await meet(`${id}.0`, 'delivered')
    expect(await owed()).toEqual([])
  })

  it('is followed by another one where a bounce has turned the end', async () => {
    await open({ bounceWindowMs: 10_000 })
    const id = await accepted(store, { report: 'all' })
    await meet(`${id}.0`, 'delivered')
    await store.reported([{ envelopeId: id, end: 1 }])
    const record = { atMs: clock(), result: 'bounced' }
    expect(await store.bounce(`${id}.0`, 'erp@backend.example', { dead: 'bounced' }, record)).toBe(true)
    expect(await owed()).toEqual([`${id} 2`])
  })

  it('is not given again because an operator drops a dead letter', async () => {
    await open()
    const id = await accepted(store, { report: 'all' })
    await meet(`${id}.0`, 'dead')
    await store.reported([{ envelopeId: id, end: 1 }])
    await meet(`${id}.0`, 'dropped')
    expect(await owed()).toEqual([])
  })

  it('follows a document that was given a route later', async () => {
    await open()
    const id = await accepted(store, { deliveries: [], report: 'all' })
    await store.reported([{ envelopeId: id, end: 1 }])
    await store.replan(id, [plan()], { by: 'operator' })
    expect(await owed()).toEqual([])
    await meet(`${id}.0`, 'delivered')
    expect(await owed()).toEqual([`${id} 2`])
  })

  it('of a document that nobody knows is settled', async () => {
    await open()
    await store.reported([{ envelopeId: freshId(), end: 0 }])
    expect(await owed()).toEqual([])
  })
})

it('retention keeps a document until its report was given', async () => {
  const retention = { finishedMs: 1_000, finishedCount: 0, deadMs: 1_000, deadCount: 100 }
  await open({ retention, bounceWindowMs: 1_000 })
  const [silent, owing] = [await accepted(store), await accepted(store, { report: 'all' })]
  await meet(`${silent}.0`, 'delivered')
  await meet(`${owing}.0`, 'delivered')
  clock.nowMs += 5_000
  expect(await store.prune()).toBe(1)
  expect(await store.trace(silent)).toBeUndefined()
  expect((await store.trace(owing))!.state).toBe('delivered')
  await store.reported([{ envelopeId: owing, end: 1 }])
  clock.nowMs += 5_000
  expect(await store.prune()).toBe(1)
  expect(await store.trace(owing)).toBeUndefined()
})

it('retention by bytes passes over a document of which a report is owed', async () => {
  const retention = { finishedMs: 60_000, finishedCount: 99, finishedBytes: 10, deadMs: 60_000, deadCount: 100 }
  await open({ retention })
  const payload = 'x'.repeat(10)
  const [owing, silent] = [await accepted(store, { payload, report: 'all' }), await accepted(store, { payload })]
  await meet(`${owing}.0`, 'delivered')
  clock.nowMs += 1
  await meet(`${silent}.0`, 'delivered')
  expect(await store.prune()).toBe(1)
  expect(await store.trace(silent)).toBeUndefined()
  expect((await store.trace(owing))!.state).toBe('delivered')
})

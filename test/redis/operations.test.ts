import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { parseDestination } from '../../src/domain/delivery.ts'
import type { RedisStore } from '../../src/redis/store.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import {
  acceptance,
  accepted,
  balances,
  closeStores,
  freshId,
  keepLog,
  openTestStore,
  plan,
  type SetClock,
  setClock,
} from './fixtures.ts'

const BY = { by: 'ops' }

let redis: RunningRedis
let clock: SetClock
let store: RedisStore

beforeAll(async () => {
  redis = await startRedis()
})
afterEach(closeStores)
afterAll(() => redis?.stop())

async function openWith(changes: Parameters<typeof openTestStore>[1] = {}): Promise<void> {
  clock = setClock(1_800_000_000_000)
  store = await openTestStore(redis.url, { clock, bounceWindowMs: 10_000, ...changes })
}

const record = (text: string) => ({ atMs: clock(), result: 'forbidden', text })

async function die(id: string, text = 'no'): Promise<void> {
  await store.start([id], [])
  await store.end({ id, kind: 'dead', reason: 'refused', record: record(text) })
}

async function deliver(id: string): Promise<void> {
  await store.start([id], [])
  await store.end({ id, kind: 'delivered', record: { atMs: clock(), result: 'delivered' } })
}

describe('dead letters', () => {
  it('are told newest first, with the last error in words', async () => {
    await openWith()
    const one = await accepted(store, {
      type: 'order',
      from: 'a@x.example/r',
      deliveries: [plan({ to: 'd@x.example', route: 'r' })],
    })
    const two = await accepted(store, { deliveries: [] })
    await die(`${one}.0`, 'You may not')
    clock.nowMs += 5
    await die(`${await accepted(store)}.0`)
    const letters = await store.dead({})
    expect(letters).toHaveLength(3)
    expect(letters).toContainEqual({
      id: `${one}.0`,
      envelopeId: one,
      type: 'order',
      from: 'a@x.example/r',
      route: 'r',
      destination: 'd@x.example',
      reason: 'refused',
      diedAtMs: clock() - 5,
      tries: 1,
      condition: 'forbidden',
      text: 'You may not',
      fields: { currency: ['EUR'] },
      fingerprint: expect.stringMatching(/^[0-9a-f]{12}$/),
    })
    expect(letters[0]!.diedAtMs).toBe(clock())
    expect(letters).toContainEqual(expect.objectContaining({ id: two, reason: 'no-route', tries: 0, text: '' }))
  })

  it.each([
    [{}, 3],
    [{ type: 'invoice' }, 1],
    [{ type: 'none' }, 0],
    [{ route: 'r1' }, 1],
    [{ destination: 'd1@x.example' }, 1],
    [{ reason: 'no-route' }, 1],
    [{ from: 'a@x.example' }, 2],
    [{ from: 'a@x.example/r' }, 1],
    [{ from: 'a@x.example', type: 'invoice' }, 0],
    [{ limit: 2 }, 2],
    [{ limit: 0 }, 0],
  ])('are filtered by %j: %i', async (filter, count) => {
    await openWith()
    await die(
      `${await accepted(store, { from: 'a@x.example/r', deliveries: [plan({ to: 'd1@x.example', route: 'r1' })] })}.0`,
    )
    await die(`${await accepted(store, { from: 'b@x.example/r', type: 'invoice' })}.0`)
    await accepted(store, { from: 'a@x.example/s', deliveries: [] })
    expect(await store.dead(filter)).toHaveLength(count)
  })

  it('are all redriven by the id of their envelope, and once only', async () => {
    await openWith()
    const id = await accepted(store, {
      deliveries: [plan({ to: 'a@x.example' }), plan({ to: 'b@x.example' }), plan({ to: 'c@x.example' })],
    })
    await die(`${id}.0`)
    await die(`${id}.1`)
    expect(await store.redrive(id, BY)).toBe(true)
    expect(await store.redrive(id, BY)).toBe(false)
    expect((await store.due(9)).toSorted()).toEqual([`${id}.0`, `${id}.1`, `${id}.2`])
    expect(await balances(store)).toEqual([])
  })

  it('without a route are not redriven but replanned, once', async () => {
    await openWith()
    const id = await accepted(store, { deliveries: [] })
    expect(await store.redrive(id, BY)).toBe(false)
    expect(await store.replan(id, [], BY)).toBe(false)
    expect(await store.replan(`${id}.0`, [plan()], BY)).toBe(false)
    expect(await store.replan(id, [plan({ lane: 'l' }), plan({ to: 'b@x.example' })], BY)).toBe(true)
    expect(await store.replan(id, [plan()], BY)).toBe(false)
    expect(await store.replan(freshId(), [plan()], BY)).toBe(false)
    expect(await store.dead({})).toEqual([])
    await deliver(`${id}.0`)
    await deliver(`${id}.1`)
    const trace = await store.trace(id)
    expect(trace).toMatchObject({ state: 'delivered', deliveries: [{}, {}] })
    expect(trace).not.toHaveProperty('reason')
    expect(await balances(store)).toEqual([])
  })
})

describe('dead letters that go another way', () => {
  it('and were in lanes of their own wait for nobody of another lane', async () => {
    await openWith()
    const ids: string[] = []
    for (const lane of ['a', 'a', 'b']) ids.push(`${await accepted(store, { deliveries: [plan({ lane })] })}.0`)
    for (const id of ids) await die(id)
    for (const id of ids) expect(await store.redrive(id, { ...BY, to: parseDestination('desk@x.example') })).toBe(true)
    expect((await store.start(ids, [])).map(({ id }) => id)).toEqual([ids[0], ids[2]])
  })

  it.each([
    ['elsewhere wait for nobody who goes where they went before, and hold nobody back there', 'desk@x.example', [0, 1]],
    ['where they went before keep their place there', 'erp@backend.example', [0]],
  ])('%s', async (_, to, first) => {
    await openWith()
    const ids: string[] = []
    for (let index = 0; index < 3; index++)
      ids.push(`${await accepted(store, { deliveries: [plan({ lane: 'l' })] })}.0`)
    await die(ids[0]!)
    const order = { ...BY, to: parseDestination(to), keepPlace: true }
    expect(await store.redrive(ids[0]!, order)).toBe(true)
    expect((await store.start(ids, [])).map(({ id }) => id)).toEqual(first.map((at) => ids[at]))
  })

  it('by routes of now that keep an order take a place in it, where they had none to keep', async () => {
    await openWith()
    const id = await accepted(store, { deliveries: [] })
    const before = `${await accepted(store, { deliveries: [plan({ lane: 'l' })] })}.0`
    const keeping = { ...BY, keepPlace: true }
    expect(await store.replan(id, [plan({ lane: 'l' }), plan({ lane: 'l' })], keeping)).toBe(true)
    expect((await store.trace(id))!.deliveries, 'one for each destination').toHaveLength(1)
    expect((await store.start([`${id}.0`, before], [])).map((one) => one.id)).toEqual([before])
    expect(await balances(store)).toEqual([])
  })
})

describe('a delivery without an address that may be used', () => {
  const impossible = { reason: 'address-refused', text: 'Cannot fill n/{c}: absent' } as const

  it('is a dead letter from the beginning, with its reason, while the others go on', async () => {
    await openWith()
    const deliveries = [
      plan({ to: 'a@x.example', lane: 'l' }),
      { ...plan({ to: 'b@x.example', lane: 'l' }), impossible },
    ]
    const id = await accepted(store, { deliveries })
    expect((await store.start([`${id}.0`, `${id}.1`], [])).map((attempt) => attempt.id)).toEqual([`${id}.0`])
    await store.end({ id: `${id}.0`, kind: 'delivered', record: record('') })
    const trace = await store.trace(id)
    expect(trace?.state).toBe('dead')
    expect(trace?.deliveries[1]).toMatchObject({
      state: 'dead',
      reason: 'address-refused',
      attempts: [{ text: impossible.text }],
    })
    expect(await store.dead({ reason: 'address-refused' })).toMatchObject([{ id: `${id}.1`, text: impossible.text }])
    await balances(store)
  })

  it('is never sent by a redrive, and can be dropped', async () => {
    await openWith()
    const id = await accepted(store, { deliveries: [{ ...plan(), impossible }] })
    expect(await store.redrive(id, BY)).toBe(false)
    expect(await store.redrive(`${id}.0`, BY)).toBe(false)
    expect(await store.start([`${id}.0`], [])).toEqual([])
    expect(await store.drop(`${id}.0`, 'wrong currency', 'ops')).toBe('ended')
    expect((await store.trace(id))?.state).toBe('dropped')
    await balances(store)
  })

  it('can come from matching again', async () => {
    await openWith()
    const id = await accepted(store, { deliveries: [] })
    expect(await store.replan(id, [plan(), { ...plan({ to: 'b@x.example' }), impossible }], BY)).toBe(true)
    expect((await store.trace(id))?.deliveries.map((delivery) => delivery.state)).toEqual(['waiting', 'dead'])
    await balances(store)
  })
})

describe('drop', () => {
  it('keeps the reason and the name of who did it', async () => {
    await openWith()
    const id = await accepted(store, { deliveries: [plan({ to: 'a@x.example' }), plan({ to: 'b@x.example' })] })
    await die(`${id}.0`)
    expect(await store.drop(id, 'sent by mistake', 'ops@x.example')).toBe('ended')
    expect(await store.drop(id, 'again', 'ops@x.example')).toBe('refused')
    const trace = (await store.trace(id))!
    expect(trace.state).toBe('dropped')
    expect(trace.deliveries.map(({ reason }) => reason)).toEqual(Array(2).fill('sent by mistake (ops@x.example)'))
    const bare = await accepted(store, { deliveries: [] })
    expect(await store.drop(bare, 'useless', 'ops@x.example')).toBe('ended')
    expect(await store.trace(bare)).toMatchObject({ state: 'dropped', reason: 'useless (ops@x.example)' })
    expect(await balances(store)).toEqual([])
  })

  it('leaves what is delivered already', async () => {
    await openWith()
    const id = await accepted(store)
    await deliver(`${id}.0`)
    expect(await store.drop(id, 'x', 'y')).toBe('refused')
    expect((await store.trace(id))!.state).toBe('delivered')
  })
})

describe('retention', () => {
  const retention = { finishedMs: 60_000, finishedCount: 3, deadMs: 120_000, deadCount: 2 }

  it('removes finished envelopes by time, payload and all, and the ledger keeps their count', async () => {
    await openWith({ retention })
    const id = await accepted(store)
    await deliver(`${id}.0`)
    clock.nowMs += 60_000
    expect(await store.prune()).toBe(0)
    clock.nowMs += 1
    expect(await store.prune()).toBe(1)
    expect([await store.trace(id), await store.payload(id)]).toEqual([undefined, undefined])
    expect((await store.ledger()).documents).toMatchObject({ accepted: 1, delivered: 1 })
    expect(await store.bounce(`${id}.0`, 'erp@backend.example', { dueAtMs: 0 }, record(''))).toBe(false)
  })

  it('removes the oldest finished envelopes by count, and nothing that waits', async () => {
    await openWith({ retention })
    const ids: string[] = []
    for (let index = 0; index < 6; index++) {
      ids.push(await accepted(store))
      if (index > 0) await deliver(`${ids[index]}.0`)
      clock.nowMs += 1
    }
    expect(await store.prune()).toBe(2)
    const kept = await Promise.all(ids.map(async (id) => (await store.trace(id)) !== undefined))
    expect(kept).toEqual([true, false, false, true, true, true])
  })

  it('keeps finished envelopes for as long as they can bounce', async () => {
    await openWith({ retention: { ...retention, finishedMs: 1 }, bounceWindowMs: 50_000 })
    const id = await accepted(store)
    await deliver(`${id}.0`)
    clock.nowMs += 50_000
    expect(await store.prune()).toBe(0)
    expect(await store.bounce(`${id}.0`, 'erp@backend.example', { dueAtMs: clock() }, record(''))).toBe(true)
  })

  it('drops dead letters by count and time, never silently', async () => {
    const { log, lines } = keepLog()
    await openWith({ retention, log })
    const ids: string[] = []
    for (let index = 0; index < 4; index++) {
      ids.push(await accepted(store, index === 0 ? { deliveries: [] } : {}))
      if (index > 0) await die(`${ids[index]}.0`)
      clock.nowMs += 1
    }
    await store.prune()
    expect((await store.dead({})).map(({ envelopeId }) => envelopeId)).toEqual([ids[3], ids[2]])
    expect((await store.trace(ids[0]!))!).toMatchObject({ state: 'dropped', reason: 'retention' })
    expect((await store.trace(ids[1]!))!.deliveries[0]).toMatchObject({ state: 'dropped', reason: 'retention' })
    expect(lines).toContainEqual({
      level: 'warn',
      event: 'dead-letters-dropped',
      details: { count: 2, reason: 'retention' },
    })
    clock.nowMs += 130_000
    await store.prune()
    expect((await store.ledger()).documents).toMatchObject({ dead: 0, dropped: 4 })
    expect(await balances(store)).toEqual([])
  })

  it('removes the oldest finished envelopes by bytes, and takes them off the ledger', async () => {
    await openWith({ retention: { ...retention, finishedCount: 99, finishedBytes: 25 } })
    const ids: string[] = []
    for (let index = 0; index < 5; index++) {
      ids.push(await accepted(store, { payload: 'x'.repeat(10) }))
      if (index > 0) await deliver(`${ids[index]}.0`)
      clock.nowMs += 1
    }
    expect((await store.ledger()).bytes).toMatchObject({ waiting: 10, finished: 40 })
    expect(await store.prune()).toBe(2)
    expect((await store.ledger()).bytes).toMatchObject({ waiting: 10, finished: 20 })
    const kept = await Promise.all(ids.map(async (id) => (await store.trace(id)) !== undefined))
    expect(kept).toEqual([true, false, false, true, true])
    expect(await store.prune()).toBe(0)
  })

  it.each([
    ['count', { finishedCount: 4 }],
    ['time', { finishedMs: 20_000 }],
  ])('that removes by %s and by bytes at once takes each off the ledger once', async (_, limit) => {
    await openWith({ retention: { ...retention, finishedCount: 99, finishedBytes: 25, ...limit } })
    const ids: string[] = []
    for (let index = 0; index < 6; index++) {
      ids.push(await accepted(store, { payload: 'x'.repeat(10) }))
      await deliver(`${ids[index]}.0`)
      clock.nowMs += index === 1 ? 20_000 : 1
    }
    expect(await store.prune()).toBe(4)
    const kept = await Promise.all(ids.map(async (id) => (await store.trace(id)) !== undefined))
    expect(kept).toEqual([false, false, false, false, true, true])
    expect((await store.ledger()).bytes.finished).toBe(20)
  })

  it('removes by bytes what has a payload still, however many before it have none any more', async () => {
    await openWith({ retention: { ...retention, finishedCount: 9_999, finishedBytes: 25, deadCount: 0 } })
    for (let index = 0; index < 5_500; index += 500) {
      await store.accept(Array.from({ length: 500 }, () => acceptance({ deliveries: [] })))
    }
    expect(await store.prune()).toBe(0)
    expect((await store.ledger()).bytes).toMatchObject({ dead: 0, finished: 0 })
    const ids: string[] = []
    for (let index = 0; index < 4; index++) {
      clock.nowMs += 1
      ids.push(await accepted(store, { payload: 'x'.repeat(10) }))
      await deliver(`${ids[index]}.0`)
    }
    expect(await store.prune()).toBe(2)
    expect((await store.ledger()).bytes.finished).toBe(20)
    expect(await Promise.all(ids.map(async (id) => (await store.trace(id)) !== undefined))).toEqual([
      false,
      false,
      true,
      true,
    ])
  })

  it('drops the oldest dead letters by bytes, but not those of documents that still wait', async () => {
    await openWith({ retention: { ...retention, deadCount: 9_999, deadBytes: 25 } })
    const busy: string[] = []
    for (let index = 0; index < 150; index++) {
      const id = await accepted(store, { deliveries: [plan({ to: 'a@x.example' }), plan({ to: 'b@x.example' })] })
      await die(`${id}.0`)
      busy.push(id)
    }
    const ids: string[] = []
    for (let index = 0; index < 4; index++) {
      clock.nowMs += 1
      ids.push(await accepted(store, { payload: 'x'.repeat(10), ...(index === 1 ? { deliveries: [] } : {}) }))
      if (index !== 1) await die(`${ids[index]}.0`)
    }
    await store.prune()
    expect((await store.ledger()).bytes).toMatchObject({ dead: 20, finished: 0 })
    expect((await store.dead({})).slice(0, 2).map(({ envelopeId }) => envelopeId)).toEqual([ids[3], ids[2]])
    expect(await store.dead({})).toHaveLength(152)
    expect((await store.trace(ids[1]!))!).toMatchObject({ state: 'dropped', reason: 'retention' })
    expect(await balances(store)).toEqual([])
  })

  it('goes on until nothing is left to remove by bytes', async () => {
    await openWith({ retention: { ...retention, finishedCount: 9_999, finishedBytes: 1, deadCount: 1 } })
    const take = () => accepted(store, { payload: 'xx', receivedAtMs: clock() })
    const ids = await Promise.all(Array.from({ length: 700 }, take))
    await Promise.all(ids.map((id) => deliver(`${id}.0`)))
    await accepted(store, { deliveries: [], payload: 'xx' })
    expect((await store.ledger()).bytes).toEqual({ waiting: 0, held: 0, dead: 2, finished: 1_400 })
    expect(await store.prune()).toBe(700)
    expect((await store.ledger()).bytes).toEqual({ waiting: 0, held: 0, dead: 2, finished: 0 })
  })

  it('goes on until nothing is left to remove', async () => {
    await openWith({ retention: { ...retention, deadCount: 0, finishedCount: 0 } })
    await Promise.all(Array.from({ length: 1_200 }, () => accepted(store, { deliveries: [] })))
    // Dropped first, then finished: the second call finds them.
    const removed = (await store.prune()) + (await store.prune())
    expect(removed).toBe(1_200)
    expect((await store.ledger()).documents).toMatchObject({ accepted: 1_200, dropped: 1_200 })
  })
})

describe('depth', () => {
  it('tells what waits, is under way and dead, and the age of the oldest that is due, however urgent', async () => {
    await openWith()
    expect(await store.depth()).toEqual({ waiting: 0, underWay: 0, suspects: 0, held: 0, dead: 0, oldestDueMs: 0 })
    await accepted(store, { deliveries: [plan({ priority: 0 })] })
    clock.nowMs += 500
    await accepted(store, { deliveries: [plan({ priority: 9 })] })
    await accepted(store, { deliveries: [] })
    const busy = await accepted(store)
    await store.start([`${busy}.0`], [])
    clock.nowMs += 1_000
    expect(await store.depth()).toEqual({ waiting: 3, underWay: 1, suspects: 0, held: 0, dead: 1, oldestDueMs: 1_500 })
  })

  it('counts what has come due and nobody has looked at', async () => {
    await openWith()
    const id = `${await accepted(store)}.0`
    await store.start([id], [])
    await store.end({ id, kind: 'retry', dueAtMs: clock() + 100, record: record('') })
    clock.nowMs += 400
    expect((await store.depth()).oldestDueMs).toBe(300)
  })
})

describe('trace', () => {
  it('tells everything that is known of an envelope', async () => {
    await openWith()
    const id = await accepted(store, { expiresMs: 99_000, receivedAtMs: 5, digest: 'd', payload: '<a/>' })
    await store.expire(9)
    expect(await store.trace(id)).toEqual({
      id,
      type: 'order',
      submit: { expiresMs: 99_000 },
      fields: { currency: ['EUR'] },
      receivedAtMs: 5,
      form: 'element',
      origin: {
        from: 'shop@suppliers.example/web',
        to: 'waybill.example',
        stanza: 'iq',
        stanzaId: 's1',
        node: '',
        item: '',
        headers: {},
        hops: 2,
      },
      mediaType: 'application/xml',
      rootName: '{urn:test}order',
      datatype: '',
      bytes: 4,
      digest: 'd',
      state: 'expired',
      deliveries: [
        {
          id: `${id}.0`,
          destination: 'erp@backend.example',
          route: 'orders',
          state: 'expired',
          tries: 0,
          reason: 'expired',
          attempts: [],
        },
      ],
    })
    expect(await store.trace(freshId())).toBeUndefined()
    expect(await store.trace('no such id')).toBeUndefined()
  })
})

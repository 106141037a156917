import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { parseDestination } from '../../src/domain/delivery.ts'
import type { Replacement } from '../../src/flow/ports.ts'
import type { RedisStore } from '../../src/redis/store.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import {
  type AcceptanceChanges,
  acceptance,
  accepted,
  balances,
  closeStores,
  openTestStore,
  plan,
  type SetClock,
  setClock,
} from './fixtures.ts'

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
  store = await openTestStore(redis.url, { clock, ...changes })
}

const BY = { by: 'ops' }
const to = (name: string) => ({ ...BY, to: parseDestination(name) })

async function die(id: string, text = 'no'): Promise<void> {
  await store.start([id], [])
  await store.end({ id, kind: 'dead', reason: 'refused', record: { atMs: clock(), result: 'forbidden', text } })
}

async function deliver(id: string): Promise<void> {
  await store.start([id], [])
  await store.end({ id, kind: 'delivered', record: { atMs: clock(), result: 'delivered' } })
}

/** Accepts a document to the named JIDs and lets the first `dead` of its deliveries die. */
async function deadTo(names: readonly string[], dead = names.length, changes: AcceptanceChanges = {}): Promise<string> {
  const id = await accepted(store, { deliveries: names.map((name) => plan({ to: name })), ...changes })
  for (let index = 0; index < dead; index++) await die(`${id}.${index}`)
  return id
}

function replacement(payload: string | Uint8Array): Replacement {
  const { document } = acceptance({ payload, digest: 'digest of the other' }).envelope
  return { document: { ...document, rootName: '{urn:test}other' }, fields: { currency: ['USD'] } }
}

describe('dead letters of one cause', () => {
  it('are a group, the largest first, whatever numbers and people they were about', async () => {
    await openWith()
    for (const number of [1, 22, 333]) {
      clock.nowMs += 1
      await die(`${await accepted(store)}.0`, `a${number}@x.example is over quota by ${number} bytes`)
    }
    const other = await deadTo(['else@x.example'])
    const groups = await store.deadGroups({})
    expect(groups.map(({ count }) => count)).toEqual([3, 1])
    expect(groups[0]).toMatchObject({
      cause: {
        reason: 'refused',
        condition: 'forbidden',
        destination: 'erp@backend.example',
        text: '<jid> is over quota by <n> bytes',
      },
      firstDiedAtMs: clock() - 2,
      lastDiedAtMs: clock(),
    })
    expect(groups[1]!.example).toBe(`${other}.0`)
    expect(await store.dead({ group: groups[0]!.fingerprint })).toHaveLength(3)
    expect(await store.deadGroups({ group: groups[1]!.fingerprint })).toEqual([groups[1]])
  })

  it('are counted once each, through all parts of a long list', async () => {
    await openWith()
    await Promise.all(Array.from({ length: 1_203 }, () => accepted(store, { deliveries: [] })))
    expect((await store.deadGroups({})).map(({ count, cause }) => [count, cause.type])).toEqual([[1_203, 'order']])
    expect(await store.dead({ limit: Infinity })).toHaveLength(1_203)
    expect(await store.dead({})).toHaveLength(1_000)
  })

  it.each([
    [{ fields: { currency: 'EUR' } }, 3],
    [{ fields: { currency: 'USD' } }, 0],
    [{ fields: { absent: 'EUR' } }, 0],
    [{ fields: { constructor: 'EUR' } }, 0],
    [{ sinceMs: 1_800_000_001_000 }, 2],
    [{ untilMs: 1_800_000_001_000 }, 2],
    [{ sinceMs: 1_800_000_001_000, untilMs: 1_800_000_001_000 }, 1],
    [{ sinceMs: 1_800_000_009_000 }, 0],
    [{ group: 'ffffffffffff' }, 0],
  ])('are chosen by %j: %i', async (filter, count) => {
    await openWith()
    for (let index = 0; index < 3; index++) {
      await deadTo(['a@x.example'])
      clock.nowMs += 1_000
    }
    expect(await store.dead(filter)).toHaveLength(count)
  })
})

describe('a redrive to another destination', () => {
  it('goes there once, for the route that owns it, and the record says who and where', async () => {
    await openWith()
    const id = await deadTo(['a@x.example'])
    expect(await store.redrive(`${id}.0`, to('xmpp:p.example?;node=n'))).toBe(true)
    expect(await store.redrive(`${id}.0`, to('xmpp:p.example?;node=n'))).toBe(false)
    const [attempt, ...more] = await store.start([`${id}.0`], [])
    expect(more).toEqual([])
    expect(attempt).toMatchObject({
      tries: 1,
      route: 'orders',
      destination: { kind: 'node', service: 'p.example', node: 'n' },
    })
    expect((await store.ledger()).routes.orders).toMatchObject({ planned: 1, waiting: 1, dead: 0 })
    await store.end({ id: `${id}.0`, kind: 'delivered', record: { atMs: clock(), result: 'result' } })
    const [delivery] = (await store.trace(id))!.deliveries
    expect(delivery).toMatchObject({ state: 'delivered', destination: 'xmpp:p.example?;node=n' })
    expect(delivery!.attempts.map(({ result, text }) => [result, text])).toEqual([
      ['forbidden', 'no'],
      ['redriven', 'by ops, to xmpp:p.example?;node=n'],
      ['result', undefined],
    ])
    expect(await balances(store)).toEqual([])
  })

  it('is refused where the document has a delivery to it already', async () => {
    await openWith()
    const id = await deadTo(['a@x.example', 'b@x.example', 'c@x.example'], 2)
    expect(await store.redrive(`${id}.0`, to('c@x.example'))).toBe(false)
    expect(await store.redrive(`${id}.0`, to('b@x.example'))).toBe(false)
    expect(await store.redrive(id, to('d@x.example')), 'one of the two').toBe(true)
    expect((await store.dead({})).length).toBe(1)
    expect(await balances(store)).toEqual([])
  })

  it('gives an address to what had none', async () => {
    await openWith()
    const impossible = { reason: 'address-refused', text: 'Cannot fill {c}' } as const
    const id = await accepted(store, { deliveries: [{ ...plan({ to: '{c}@x.example' }), impossible }] })
    expect(await store.redrive(`${id}.0`, to('a@x.example'))).toBe(true)
    await deliver(`${id}.0`)
    expect((await store.trace(id))!.state).toBe('delivered')
    expect(await balances(store)).toEqual([])
  })

  it('keeps the order of what was in one lane', async () => {
    await openWith()
    const ids: string[] = []
    for (let index = 0; index < 3; index++) {
      ids.push(`${await accepted(store, { deliveries: [plan({ to: 'a@x.example', lane: 'l' })] })}.0`)
    }
    for (const id of ids) await die(id)
    for (const id of [...ids].reverse())
      expect(await store.redrive(id, { ...to('b@x.example'), keepPlace: true })).toBe(true)
    expect((await store.start(ids, [])).map(({ id }) => id)).toEqual([ids[0]])
    const end = { id: ids[0]!, kind: 'delivered', record: { atMs: clock(), result: 'delivered' } } as const
    expect(await store.end(end)).toEqual([ids[1]])
  })
})

describe('a redrive with another document', () => {
  it.each(['<other xmlns="urn:test"/>', Buffer.from([0, 255, 10])])(
    'sends that one, by that delivery alone: %j',
    async (payload) => {
      await openWith()
      const id = await deadTo(['a@x.example', 'b@x.example', 'c@x.example'], 2, { payload: '<one/>' })
      const document = replacement(payload)
      expect(await store.redrive(`${id}.1`, { ...BY, document })).toBe(true)
      expect(await store.redrive(`${id}.1`, { ...BY, document })).toBe(false)
      expect(await store.redrive(`${id}.0`, BY)).toBe(true)
      const started = await store.start([`${id}.0`, `${id}.1`, `${id}.2`], [])
      const sent = started.map((one) => [one.id, Buffer.from(one.payload).toString(), one.rootName, one.form])
      const { form } = document.document
      expect(sent).toEqual([
        [`${id}.0`, '<one/>', '{urn:test}order', 'element'],
        [`${id}.1`, Buffer.from(payload).toString(), '{urn:test}other', form],
        [`${id}.2`, '<one/>', '{urn:test}order', 'element'],
      ])
      const { bytes } = document.document
      expect((await store.ledger()).bytes.waiting).toBe(6 + bytes)
      const { deliveries, digest } = (await store.trace(id))!
      expect(digest).toBe(`digest-of-${id}`)
      expect(deliveries[1]).toMatchObject({ document: { digest: 'digest of the other', bytes } })
      expect(deliveries[0]!.document).toBeUndefined()
      const redriven = deliveries[1]!.attempts.find(({ result }) => result === 'redriven')
      expect(redriven?.text).toBe(`by ops, with another document: SHA-256 digest of the other, ${bytes} bytes`)
      expect(Buffer.from((await store.payload(`${id}.1`))!)).toEqual(Buffer.from(payload))
      expect(String(await store.payload(`${id}.0`))).toBe('<one/>')
      expect(String(await store.payload(id))).toBe('<one/>')
    },
  )

  it('can die again, is found by its own fields, and is redriven with a third one', async () => {
    await openWith({ bounceWindowMs: 0, retention: { finishedMs: 0 } })
    const id = await deadTo(['a@x.example'])
    await store.redrive(`${id}.0`, { ...BY, document: replacement('<two/>') })
    await die(`${id}.0`)
    expect(await store.dead({ fields: { currency: 'USD' } })).toHaveLength(1)
    await store.redrive(id, { ...BY, document: replacement('<three/>') })
    const [attempt] = await store.start([`${id}.0`], [])
    expect(Buffer.from(attempt!.payload).toString()).toBe('<three/>')
    await store.end({ id: `${id}.0`, kind: 'delivered', record: { atMs: clock(), result: 'delivered' } })
    clock.nowMs += 1
    expect(await store.prune()).toBe(1)
    expect((await store.ledger()).bytes).toEqual({ waiting: 0, held: 0, dead: 0, finished: 0 })
    expect(await balances(store)).toEqual([])
  })
})

describe('a dead letter that is matched again', () => {
  it('is dropped for deliveries to where the document has none yet', async () => {
    await openWith()
    const id = await deadTo(['a@x.example', 'b@x.example', 'c@x.example'], 2)
    const found = [plan({ to: 'b@x.example' }), plan({ to: 'c@x.example' }), plan({ to: 'd@x.example', route: 'new' })]
    expect(await store.replan(`${id}.0`, found, BY)).toBe(true)
    expect(await store.replan(`${id}.0`, found, BY)).toBe(false)
    const { deliveries, state } = (await store.trace(id))!
    expect(deliveries.map((one) => [one.destination, one.state, one.reason])).toEqual([
      ['a@x.example', 'dropped', 'matched-again (ops)'],
      ['b@x.example', 'dead', 'refused'],
      ['c@x.example', 'waiting', undefined],
      ['d@x.example', 'waiting', undefined],
    ])
    expect(deliveries[3]!.attempts).toMatchObject([{ result: 'redriven', text: 'by ops, matched again' }])
    expect(state).toBe('waiting')
    expect((await store.ledger()).routes.new).toMatchObject({ planned: 1, waiting: 1 })
    expect(await balances(store)).toEqual([])
  })

  it('may go where it went before, under a new delivery id', async () => {
    await openWith()
    const id = await deadTo(['a@x.example'])
    expect(await store.replan(id, [plan({ to: 'a@x.example', lane: 'l' })], BY)).toBe(true)
    expect((await store.due(9)).toSorted()).toEqual([`${id}.1`])
    await deliver(`${id}.1`)
    expect((await store.trace(id))!.state).toBe('dropped')
    expect((await store.ledger()).deliveries).toMatchObject({ planned: 2, delivered: 1, dropped: 1, dead: 0 })
    expect(await balances(store)).toEqual([])
  })

  it('and dies again is a dead letter again, as often as it does', async () => {
    await openWith()
    const id = await deadTo(['a@x.example'])
    for (const index of [1, 2]) {
      expect(await store.replan(id, [plan({ to: 'a@x.example' })], BY)).toBe(true)
      await die(`${id}.${index}`)
      expect((await store.trace(id))!.state).toBe('dead')
    }
    expect(await store.replan(id, [plan({ to: 'b@x.example' })], BY)).toBe(true)
    await die(`${id}.3`)
    expect(await store.redrive(`${id}.3`, to('a@x.example')), 'where none of it goes any more').toBe(true)
    expect(await balances(store)).toEqual([])
  })

  it('stays dead where nothing would be new, and what waits or was delivered is left alone', async () => {
    await openWith()
    const id = await deadTo(['a@x.example', 'b@x.example'], 1)
    expect(await store.replan(`${id}.0`, [plan({ to: 'b@x.example' })], BY)).toBe(false)
    expect(await store.replan(`${id}.1`, [plan({ to: 'c@x.example' })], BY)).toBe(false)
    expect(await store.replan(`${id}.7`, [plan({ to: 'c@x.example' })], BY)).toBe(false)
    expect((await store.trace(id))!.deliveries.map(({ state }) => state)).toEqual(['dead', 'waiting'])
  })

  it('can take another document with it', async () => {
    await openWith()
    const id = await accepted(store, { deliveries: [], payload: '<one/>' })
    expect(await store.replan(id, [plan()], { ...BY, document: replacement('<other/>') })).toBe(true)
    const [attempt] = await store.start([`${id}.0`], [])
    expect(Buffer.from(attempt!.payload).toString()).toBe('<other/>')
    expect((await store.ledger()).bytes).toMatchObject({ waiting: 14, dead: 0 })
    expect(await balances(store)).toEqual([])
  })
})

import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AttemptEnd } from '../../src/flow/ports.ts'
import type { RedisStore } from '../../src/redis/store.ts'
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

const BOUNCE_MS = 10_000
const BY = { by: 'ops' }
const RECEIVER = 'a@x.example'

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
  expect(await inconsistencies(client, prefix)).toEqual([])
  expect(await balances(store)).toEqual([])
  await closeStores()
})
afterAll(async () => {
  client?.disconnect()
  await redis?.stop()
})

async function open(): Promise<void> {
  clock = setClock(1_800_000_000_000)
  prefix = freshPrefix()
  const archive = { keepMs: 3_600_000, count: 1_000, bytes: 1 << 30, types: [] }
  store = await openTestStore(redis.url, { clock, prefix, archive, bounceWindowMs: BOUNCE_MS })
}

const record = (result = 'x') => ({ atMs: clock(), result })
const to = (...jids: string[]) => jids.map((jid) => plan({ to: jid }))

const ENDS = {
  proven: { kind: 'delivered', proven: true },
  'handed over': { kind: 'delivered' },
  dead: { kind: 'dead', reason: 'refused' },
  expired: { kind: 'expired' },
} as const

async function meet(id: string, how: keyof typeof ENDS): Promise<void> {
  expect((await store.start([id], [])).map((one) => one.id)).toEqual([id])
  await store.end({ id, ...ENDS[how], record: record() } as AttemptEnd)
}

/** Whether Redis has any payload of it. */
async function isKept(id: string): Promise<boolean> {
  const fields = await client.hkeys(`{${prefix}:0}:envelope:${id}`)
  return fields.some((field) => /^p(ayload|\d+)$/.test(field))
}

const bytes = async () => (await store.ledger()).bytes
const bounce = (id: string) => store.bounce(id, RECEIVER, { dueAtMs: clock() }, record('bounced'))

describe('a payload', () => {
  it('goes with the answer of the last receiver, and everything else that is known stays', async () => {
    await open()
    const id = await accepted(store, { payload: '<one/>', report: 'all', deliveries: to(RECEIVER, 'b@x.example') })
    await meet(`${id}.0`, 'proven')
    expect(String(await store.payload(id)), 'the other one has yet to be sent').toBe('<one/>')
    await meet(`${id}.1`, 'proven')
    expect(await isKept(id)).toBe(false)
    expect(await store.payload(id)).toBeUndefined()
    expect(await store.payload(`${id}.1`)).toBeUndefined()
    expect(await bytes()).toEqual({ waiting: 0, held: 0, dead: 0, finished: 0 })
    expect(await store.trace(id)).toMatchObject({ state: 'delivered', bytes: 6, fields: { currency: ['EUR'] } })
    expect(await store.owedReports(10)).toEqual([{ envelopeId: id, end: 1 }])
    expect(String((await store.archivedDocument(id))!.payload), 'the archive has its own').toBe('<one/>')
    expect((await store.accept([acceptance({ id })]))[0], 'a repeated call').toEqual({ kind: 'accepted', id })
    expect(await bounce(`${id}.0`), 'a receiver that has answered sends nothing back').toBe(false)
  })

  it.each([
    ['dropped while it waits', (id: string) => store.drop(`${id}.0`, 'not wanted', 'ops')],
    ['expired', (id: string) => meet(`${id}.0`, 'expired')],
    [
      'dropped as a dead letter',
      async (id: string) => {
        await meet(`${id}.0`, 'dead')
        expect(await isKept(id), 'a dead letter can be redriven').toBe(true)
        await store.drop(id, 'not wanted', 'ops')
      },
    ],
  ])('goes with a document that is %s', async (_, end) => {
    await open()
    const id = await accepted(store, { receivedAtMs: clock() })
    await end(id)
    expect(await isKept(id)).toBe(false)
  })

  it('goes with a document without route that is dropped, and with a held one that is refused', async () => {
    await open()
    const unrouted = await accepted(store, { deliveries: [] })
    const held = await accepted(store, { holding: { findings: [], total: 1 } })
    expect([await isKept(unrouted), await isKept(held)]).toEqual([true, true])
    await store.drop(unrouted, 'not wanted', 'ops')
    await store.refuse(held, { by: 'ops', reason: 'not wanted' })
    expect([await isKept(unrouted), await isKept(held)]).toEqual([false, false])
  })

  it('stays for as long as a bounce may bring a delivery back, and goes with the next sweep', async () => {
    await open()
    const ids = await Promise.all(
      ['<one/>', '<two/>'].map((payload) => accepted(store, { payload, deliveries: to(RECEIVER) })),
    )
    for (const id of ids) await meet(`${id}.0`, 'handed over')
    clock.nowMs += BOUNCE_MS
    expect(await store.prune()).toBe(0)
    expect((await bytes()).finished).toBe(12)
    expect(await bounce(`${ids[0]}.0`)).toBe(true)
    const [again] = await store.start([`${ids[0]}.0`], [])
    expect(String(again!.payload)).toBe('<one/>')
    clock.nowMs += 1
    await store.prune()
    expect([await isKept(ids[0]!), await isKept(ids[1]!)], 'what is under way keeps it').toEqual([true, false])
    expect(await bounce(`${ids[1]}.0`)).toBe(false)
    await store.end({ id: `${ids[0]}.0`, kind: 'delivered', proven: true, record: record() })
    expect(await isKept(ids[0]!)).toBe(false)
  })

  it('stays until the last of several deliveries can no longer come back', async () => {
    await open()
    const id = await accepted(store, { deliveries: to(RECEIVER, 'b@x.example', 'c@x.example') })
    await meet(`${id}.0`, 'handed over')
    clock.nowMs += BOUNCE_MS / 2
    await meet(`${id}.1`, 'handed over')
    clock.nowMs += BOUNCE_MS / 2 + 1
    await meet(`${id}.2`, 'proven')
    await store.prune()
    expect(await isKept(id)).toBe(true)
    clock.nowMs += BOUNCE_MS / 2
    await store.prune()
    expect(await isKept(id)).toBe(false)
    expect(await store.trace(id)).toMatchObject({ state: 'delivered' })
  })

  it('is not missed where the window of bounces was made longer meanwhile', async () => {
    await open()
    const id = await accepted(store, { deliveries: to(RECEIVER) })
    await meet(`${id}.0`, 'handed over')
    clock.nowMs += BOUNCE_MS + 1
    await store.prune()
    const patient = await openTestStore(redis.url, { clock, prefix, bounceWindowMs: 10 * BOUNCE_MS })
    expect(await patient.bounce(`${id}.0`, RECEIVER, { dueAtMs: clock() }, record())).toBe(false)
  })

  it('goes together with those that deliveries were redriven with', async () => {
    await open()
    const id = await accepted(store, { payload: '<one/>', deliveries: to(RECEIVER, 'b@x.example') })
    await meet(`${id}.0`, 'dead')
    const { envelope } = acceptance({ payload: '<another/>' })
    expect(await store.redrive(`${id}.0`, { ...BY, document: envelope })).toBe(true)
    await meet(`${id}.1`, 'proven')
    expect((await bytes()).waiting).toBe(16)
    await meet(`${id}.0`, 'proven')
    expect(await isKept(id)).toBe(false)
    expect((await store.trace(id))!.deliveries[0]!.document).toMatchObject({ bytes: 10 })
  })

  it('goes by the sweep of many at once', async () => {
    await open()
    const ids = await Promise.all(Array.from({ length: 600 }, () => accepted(store, { payload: 'xx' })))
    await store.start(
      ids.map((id) => `${id}.0`),
      [],
    )
    await Promise.all(ids.map((id) => store.end({ id: `${id}.0`, kind: 'delivered', record: record() })))
    expect((await bytes()).finished).toBe(1_200)
    clock.nowMs += BOUNCE_MS + 1
    expect(await store.prune()).toBe(0)
    expect((await bytes()).finished).toBe(0)
    expect((await store.ledger()).documents).toMatchObject({ accepted: 600, delivered: 600 })
  })
})

import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { ArchiveOptions } from '../../src/redis/archive.ts'
import type { RedisStore } from '../../src/redis/store.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { inconsistencies } from './consistency.ts'
import {
  type AcceptanceChanges,
  acceptance,
  accepted,
  acceptOne,
  closeStores,
  freshPrefix,
  openTestStore,
  plan,
  type SetClock,
  setClock,
} from './fixtures.ts'

let redis: RunningRedis
let client: Redis
let clock: SetClock
let prefix: string
let store: RedisStore

beforeAll(async () => {
  redis = await startRedis()
  client = new Redis(redis.url)
})
afterEach(closeStores)
afterAll(async () => {
  client?.disconnect()
  await redis?.stop()
})

const WIDE: ArchiveOptions = { keepMs: 3_600_000, count: 1_000, bytes: 1 << 30, types: [] }

async function openWith(archive: Partial<ArchiveOptions> = {}): Promise<void> {
  clock = setClock(1_800_000_000_000)
  prefix = freshPrefix()
  store = await openTestStore(redis.url, { clock, prefix, archive: { ...WIDE, ...archive } })
}

const take = (changes: AcceptanceChanges = {}) => accepted(store, { receivedAtMs: clock(), ...changes })
const idsIn = async (filter: Parameters<RedisStore['archived']>[0] = {}) =>
  (await store.archived(filter)).map(({ id }) => id)
const bytesCounted = async () => Number(await client.get(`{${prefix}:0}:archive:bytes`))
const bytesKept = async () => {
  let bytes = 0
  for (const key of await client.keys(`{${prefix}:0}:archive:0*`)) {
    bytes += (await client.hstrlen(key, 'meta')) + (await client.hstrlen(key, 'payload'))
  }
  return bytes
}

describe('the archive', () => {
  it('has every accepted document as it came, text or bytes, with what is known of it', async () => {
    await openWith()
    const text = `<order xmlns="urn:test">${'grüße '.repeat(500)}</order>`
    const bytes = Uint8Array.from({ length: 300 }, (_, at) => at % 256)
    const ids = [await take({ payload: text }), await take({ payload: bytes })]
    const [first, second] = await Promise.all(ids.map((id) => store.archivedDocument(id)))
    expect(new TextDecoder().decode(first!.payload)).toBe(text)
    expect([...second!.payload]).toEqual([...bytes])
    expect(first).toMatchObject({ id: ids[0], type: 'order', form: 'element', fields: { currency: ['EUR'] } })
    expect(await bytesKept()).toBeLessThan(text.length)
    expect(await bytesCounted()).toBe(await bytesKept())
    expect(await inconsistencies(client, prefix)).toEqual([])
  })

  it.each([
    { what: 'all types', types: [] },
    { what: 'one type of two', types: ['order'] },
  ])('lets no small document overtake a large one of its key, with $what in it', async ({ types }) => {
    await openWith({ types })
    const lane = { receivedAtMs: clock(), deliveries: [plan({ lane: 'l' })] }
    const text = Array.from({ length: 20_000 }, (_, at) => (at * 7919).toString(36)).join(' ')
    const given = [
      acceptance({ ...lane, payload: `<order>${text}</order>` }),
      acceptance({ ...lane, type: 'invoice' }),
      acceptance(lane),
    ]
    await Promise.all(given.map((one) => store.accept([one])))
    const [key] = await client.keys(`{${prefix}:0}:lane:*`)
    expect(await client.zrange(String(key), '0', '-1')).toEqual(given.map(({ envelope }) => `${envelope.id}.0`))
  })

  it('outlives what became of the document', async () => {
    await openWith()
    const id = await take()
    await store.drop(id, 'x', 'ops')
    clock.nowMs += 3_600_000
    await store.prune()
    clock.nowMs += 1
    await store.prune()
    expect(await store.trace(id)).toBeUndefined()
    expect(await idsIn()).toEqual([])
    expect(await bytesCounted()).toBe(0)
  })

  it('keeps nobody from being accepted where one document can not be compressed', async () => {
    await openWith()
    const unfit = acceptance({ payload: { length: 1 } as never })
    const [refused, taken] = await Promise.allSettled([store.accept([unfit]), store.accept([acceptance()])])
    expect(refused.status).toBe('rejected')
    expect(taken).toMatchObject({ value: [{ kind: 'accepted' }] })
  })

  it('has nothing of what was refused, repeated, held, or sent again from it', async () => {
    await openWith()
    const first = await take({ claim: 'one', digest: 'd' })
    await acceptOne(store, { claim: 'one', digest: 'd' })
    await acceptOne(store, { holding: { findings: [], total: 1 } })
    const again = acceptance()
    await store.accept([{ ...again, envelope: { ...again.envelope, again: { of: first, by: 'ops', reason: 'lost' } } }])
    expect(await idsIn()).toEqual([first])
  })

  it('is not there where none is configured, and has the types alone that are named', async () => {
    const bare = await openTestStore(redis.url, { prefix: freshPrefix() })
    await acceptOne(bare)
    expect(await bare.archived({})).toEqual([])
    await openWith({ types: ['invoice'] })
    const [, invoice] = [await take(), await take({ type: 'invoice' })]
    expect(await idsIn()).toEqual([invoice])
  })

  it.each([
    ['age', { keepMs: 60_000 }, 2],
    ['count', { count: 3 }, 3],
    ['bytes', { bytes: 1_500 }, 3],
  ] as const)('is bounded by %s: the oldest go', async (_, bound, kept) => {
    await openWith(bound)
    const ids: string[] = []
    for (let at = 0; at < 8; at += 1) {
      clock.nowMs += 30_000
      ids.push(await take({ id: `01900000-0000-7000-8000-0000000a000${at}` }))
    }
    clock.nowMs += 1
    await store.prune()
    const left = await idsIn()
    expect(left).toEqual(ids.slice(-left.length).reverse())
    expect(left.length).toBe(kept)
    expect(await bytesCounted()).toBe(await bytesKept())
  })

  it('is searched by type, sender, field and time', async () => {
    await openWith()
    const first = await take()
    clock.nowMs += 1_000
    const second = await take({ type: 'invoice', from: 'b@x.example/1' })
    expect(await idsIn()).toEqual([second, first])
    expect(await idsIn({ type: 'order' })).toEqual([first])
    expect(await idsIn({ from: 'b@x.example' })).toEqual([second])
    expect(await idsIn({ fields: { currency: 'USD' } })).toEqual([])
    expect(await idsIn({ untilMs: clock() - 1 })).toEqual([first])
    expect(await idsIn({ limit: 1 })).toEqual([second])
  })
})

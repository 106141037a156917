import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ItemStanding } from '../../src/flow/ports.ts'
import type { RedisStore } from '../../src/redis/store.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { acceptance, acceptOne, balances, closeStores, freshId, freshPrefix, openTestStore } from './fixtures.ts'

const SOURCE = 'xmpp:pubsub.example.test?;node=in'

let redis: RunningRedis
let store: RedisStore
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(async () => {
  await closeStores()
  await redis?.stop()
})

const take = (item: string, digest: string, keep = 10) => ({ digest, taken: { source: SOURCE, item, keep } })

async function standing(item: string, digest: string, source = SOURCE): Promise<ItemStanding | undefined> {
  return (await store.standing(source, [{ item, digest }]))[0]
}

describe('an item of a subscribed node', () => {
  beforeAll(async () => {
    store = await openTestStore(redis.url)
  })

  it('is taken from the moment when its document is accepted, with the digest that it had last', async () => {
    expect(await standing('a', 'one')).toBe('new')
    await acceptOne(store, take('a', 'one'))
    expect(await standing('a', 'one')).toBe('taken')
    expect(await standing('a', 'two')).toBe('new')
    await acceptOne(store, take('a', 'two'))
    expect(await standing('a', 'two')).toBe('taken')
    expect(await standing('a', 'one')).toBe('new')
  })

  it('is one of its own node', async () => {
    expect(await standing('a', 'two', 'xmpp:pubsub.example.test?;node=out')).toBe('new')
  })

  it('is accepted once, whoever tries it again: the first id is told', async () => {
    const first = await acceptOne(store, take('b', 'one'))
    expect(await acceptOne(store, take('b', 'one'))).toEqual({
      kind: 'duplicate',
      id: first.kind === 'accepted' && first.id,
    })
    const [one, two] = await store.accept([acceptance(take('c', 'one')), acceptance(take('c', 'one'))])
    expect([one?.kind, two?.kind]).toEqual(['accepted', 'duplicate'])
    expect(await balances(store)).toEqual([])
  })

  it('is not taken where its batch was refused, and a lost reply changes nothing', async () => {
    await acceptOne(store, { key: 'k', digest: 'one' })
    const conflict = { ...acceptance({ key: 'k', digest: 'two' }) }
    const answers = await store.accept([acceptance(take('d', 'one')), conflict])
    expect(answers[1]?.kind).toBe('key-conflict')
    expect(await standing('d', 'one')).toBe('new')
    const id = freshId()
    await acceptOne(store, { id, ...take('d', 'one') })
    expect(await acceptOne(store, { id, ...take('d', 'one') })).toEqual({ kind: 'accepted', id })
  })

  it('that is a duplicate of something else by its key is taken for good', async () => {
    await acceptOne(store, { key: 'twin', digest: 'same' })
    expect((await acceptOne(store, { key: 'twin', ...take('g', 'same') })).kind).toBe('duplicate')
    expect(await standing('g', 'same')).toBe('taken')
  })

  it('that is refused is not tried again until it changes; one of ours never', async () => {
    await store.passOver(
      SOURCE,
      [
        { item: 'e', digest: 'bad' },
        { item: 'f', digest: 'own' },
      ],
      10,
    )
    expect(await standing('e', 'bad')).toBe('taken')
    expect(await standing('e', 'better')).toBe('new')
    expect(await standing('f', 'whatever')).toBe('own')
    expect((await acceptOne(store, take('f', 'whatever'))).kind).toBe('duplicate')
  })
})

describe('what is remembered of a node', () => {
  it('is bounded: the items that were taken longest ago are forgotten, in both keys', async () => {
    const prefix = freshPrefix()
    store = await openTestStore(redis.url, { prefix })
    for (let n = 0; n < 8; n++) await acceptOne(store, take(`i${n}`, 'one', 5))
    await acceptOne(store, take('i3', 'two', 5))
    await store.passOver(SOURCE, [{ item: 'i8', digest: 'own' }], 5)
    const all = Array.from({ length: 9 }, (_, n) => ({ item: `i${n}`, digest: n === 3 ? 'two' : 'one' }))
    expect((await store.standing(SOURCE, all)).map((one) => one !== 'new')).toEqual(
      [0, 0, 0, 1, 0, 1, 1, 1, 1].map(Boolean),
    )
    const client = new Redis(redis.url)
    const sizes = await Promise.all(
      (await client.keys(`*${prefix}*`)).map(async (key) => {
        if (key.includes('}:taken:')) return client.hlen(key)
        return key.includes('}:items:') ? client.zcard(key) : undefined
      }),
    )
    client.disconnect()
    expect(sizes.filter((size) => size !== undefined)).toEqual([5, 5])
  })
})

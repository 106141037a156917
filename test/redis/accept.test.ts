import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Acceptance } from '../../src/flow/ports.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import {
  type AcceptanceChanges,
  acceptance,
  accepted,
  acceptOne,
  balances,
  closeStores,
  freshId,
  freshPrefix,
  openTestStore,
  plan,
} from './fixtures.ts'

let redis: RunningRedis

beforeAll(async () => {
  redis = await startRedis()
})
afterEach(closeStores)
afterAll(() => redis?.stop())

describe('a second document', () => {
  const first: AcceptanceChanges = { claim: 'shop s1', key: 'order 7', digest: 'a' }
  const cases: readonly [what: string, second: AcceptanceChanges, kind: string][] = [
    ['same claim, same digest', { claim: 'shop s1', digest: 'a' }, 'duplicate'],
    ['same claim, other digest', { claim: 'shop s1', digest: 'b' }, 'accepted'],
    ['other claim, same digest', { claim: 'shop s2', digest: 'a' }, 'accepted'],
    ['no claim, same digest', { digest: 'a' }, 'accepted'],
    ['same key, same digest', { key: 'order 7', digest: 'a' }, 'duplicate'],
    ['same key, other digest', { key: 'order 7', digest: 'b' }, 'key-conflict'],
    ['other key, other digest', { key: 'order 8', digest: 'b' }, 'accepted'],
    ['same claim and digest, other key', { claim: 'shop s1', key: 'order 8', digest: 'a' }, 'duplicate'],
  ]
  it.each(cases)('with %s is answered %j with %s', async (_, second, kind) => {
    const store = await openTestStore(redis.url)
    const id = await accepted(store, first)
    const answer = await acceptOne(store, second)
    expect(answer.kind).toBe(kind)
    if (kind !== 'accepted') expect(answer).toEqual({ kind, id })
    const { documents } = await store.ledger()
    expect(documents.accepted).toBe(kind === 'accepted' ? 2 : 1)
    expect(documents.duplicate).toBe(kind === 'duplicate' ? 1 : 0)
    expect(await balances(store)).toEqual([])
  })

  it('with the claim of a document that another digest replaced is a duplicate of the latter', async () => {
    const store = await openTestStore(redis.url)
    await accepted(store, { claim: 'c', digest: 'a' })
    const second = await accepted(store, { claim: 'c', digest: 'b' })
    expect(await acceptOne(store, { claim: 'c', digest: 'b' })).toEqual({ kind: 'duplicate', id: second })
  })

  it('with the same envelope id changes nothing and is accepted again', async () => {
    const store = await openTestStore(redis.url)
    const one = acceptance({ claim: 'c' })
    expect(await store.accept([one])).toEqual(await store.accept([one]))
    expect((await store.ledger()).documents).toMatchObject({ accepted: 1, duplicate: 0 })
    expect((await store.ledger()).deliveries.planned).toBe(1)
  })

  it('is new again when the window is over', async () => {
    const store = await openTestStore(redis.url)
    const claim = { name: 'short', windowMs: 20 }
    await store.accept([{ ...acceptance({ digest: 'a' }), claim }])
    await expect
      .poll(async () => (await store.accept([{ ...acceptance({ digest: 'a' }), claim }]))[0]!.kind)
      .toBe('accepted')
  })
})

describe('the documents of one stanza', () => {
  it('are accepted together', async () => {
    const store = await openTestStore(redis.url)
    const three = [acceptance(), acceptance(), acceptance()]
    expect(await store.accept(three)).toEqual(three.map(({ envelope }) => ({ kind: 'accepted', id: envelope.id })))
    expect((await store.ledger()).documents.waiting).toBe(3)
  })

  it('are all refused where one is a key conflict', async () => {
    const store = await openTestStore(redis.url)
    await accepted(store, { key: 'k', digest: 'a' })
    const answers = await store.accept([acceptance({ claim: 'x', digest: 'x' }), acceptance({ key: 'k', digest: 'b' })])
    expect(answers[1]!.kind).toBe('key-conflict')
    expect((await store.ledger()).documents).toMatchObject({ accepted: 1, duplicate: 0 })
    expect((await acceptOne(store, { claim: 'x', digest: 'x' })).kind).toBe('accepted')
  })

  it('are all refused where one is more than may wait', async () => {
    const store = await openTestStore(redis.url, { limits: { waiting: 2, perSenderWaiting: 9 } })
    const answers = await store.accept([acceptance(), acceptance(), acceptance()])
    expect(answers[2]).toEqual({ kind: 'overloaded', scope: 'all', waiting: 2, limit: 2 })
    expect((await store.ledger()).documents.accepted).toBe(0)
  })

  it('are of one key only where they are the same', async () => {
    const store = await openTestStore(redis.url)
    const [first, second] = await store.accept([acceptance({ key: 'k' }), acceptance({ key: 'k' })])
    expect(second).toEqual({ kind: 'key-conflict', id: (first as { readonly id: string }).id })
    expect((await store.ledger()).documents.accepted).toBe(0)
  })

  it('count towards what waits only where they wait', async () => {
    const store = await openTestStore(redis.url, { limits: { waiting: 1 } })
    const answers = await store.accept([acceptance({ deliveries: [] }), acceptance({ deliveries: [] }), acceptance()])
    expect(answers.map(({ kind }) => kind)).toEqual(['accepted', 'accepted', 'accepted'])
  })

  it('are compared with each other', async () => {
    const store = await openTestStore(redis.url)
    const [one, two, three] = [
      acceptance({ claim: 'c', digest: 'a' }),
      acceptance({ claim: 'c', digest: 'a' }),
      acceptance({ claim: 'd', digest: 'a' }),
    ]
    expect(await store.accept([one, two, three])).toEqual([
      { kind: 'accepted', id: one.envelope.id },
      { kind: 'duplicate', id: one.envelope.id },
      { kind: 'accepted', id: three.envelope.id },
    ])
    expect((await store.ledger()).documents).toMatchObject({ accepted: 2, duplicate: 1 })
  })
})

describe('a stanza id that is used again for another document', () => {
  it('is taken over by it, and the answer says so', async () => {
    const store = await openTestStore(redis.url)
    const one = acceptance({ claim: 'c', digest: 'a' })
    const two = acceptance({ claim: 'c', digest: 'b' })
    expect(await store.accept([one])).toEqual([{ kind: 'accepted', id: one.envelope.id }])
    expect(await store.accept([two])).toEqual([{ kind: 'accepted', id: two.envelope.id, replaced: true }])
    expect(await acceptOne(store, { claim: 'c', digest: 'b' })).toEqual({ kind: 'duplicate', id: two.envelope.id })
  })
})

describe('overload', () => {
  it('is said to the sender with the excess alone', async () => {
    const store = await openTestStore(redis.url, { limits: { waiting: 10, perSenderWaiting: 2 } })
    await accepted(store, { from: 'a@x.example/1' })
    await accepted(store, { from: 'a@x.example/2' })
    expect(await acceptOne(store, { from: 'a@x.example/3' })).toEqual({
      kind: 'overloaded',
      scope: 'sender',
      waiting: 2,
      limit: 2,
    })
    expect((await acceptOne(store, { from: 'b@x.example/1' })).kind).toBe('accepted')
  })

  it('ends when what waits was delivered', async () => {
    const store = await openTestStore(redis.url, { limits: { waiting: 1, perSenderWaiting: 1 } })
    const id = await accepted(store)
    expect((await acceptOne(store)).kind).toBe('overloaded')
    await store.start([`${id}.0`], [])
    await store.end({ id: `${id}.0`, kind: 'delivered', record: { atMs: 1, result: 'delivered' } })
    expect((await acceptOne(store)).kind).toBe('accepted')
  })

  it('comes by bytes as well, and ends when they are delivered', async () => {
    const store = await openTestStore(redis.url, { limits: { waitingBytes: 100 } })
    const payload = 'x'.repeat(60)
    const id = await accepted(store, { payload })
    await accepted(store, { payload: 'é'.repeat(30) })
    expect(await acceptOne(store, { payload: 'x' })).toEqual({
      kind: 'overloaded',
      scope: 'bytes',
      waiting: 120,
      limit: 100,
    })
    expect((await store.ledger()).bytes).toEqual({ waiting: 120, held: 0, dead: 0, finished: 0 })
    await store.start([`${id}.0`], [])
    await store.end({ id: `${id}.0`, kind: 'delivered', record: { atMs: 1, result: 'delivered' } })
    expect((await store.ledger()).bytes).toEqual({ waiting: 60, held: 0, dead: 0, finished: 60 })
    expect((await acceptOne(store, { payload })).kind).toBe('accepted')
  })

  it('by bytes refuses all documents of one stanza, and counts what came before in it', async () => {
    const store = await openTestStore(redis.url, { limits: { waitingBytes: 100 } })
    const three = [1, 2, 3].map(() => acceptance({ payload: 'x'.repeat(60) }))
    expect((await store.accept(three))[2]).toMatchObject({ kind: 'overloaded', scope: 'bytes', waiting: 120 })
    expect((await store.ledger()).documents.accepted).toBe(0)
  })

  it('is no answer to a duplicate', async () => {
    const store = await openTestStore(redis.url, { limits: { waiting: 1, perSenderWaiting: 1 } })
    const id = await accepted(store, { claim: 'c', digest: 'a' })
    expect(await acceptOne(store, { claim: 'c', digest: 'a' })).toEqual({ kind: 'duplicate', id })
  })
})

describe('accept', () => {
  it('gives each of many callers at once its own answer, in order', async () => {
    const store = await openTestStore(redis.url)
    const many = Array.from({ length: 300 }, (_, index) => acceptance({ claim: `c${index % 200}`, digest: 'a' }))
    const answers = await Promise.all(many.map((one) => store.accept([one])))
    answers.forEach(([answer], index) => {
      const kind = index < 200 ? 'accepted' : 'duplicate'
      expect(answer).toEqual({ kind, id: many[index % 200]!.envelope.id })
    })
  })

  it('makes a document without deliveries a dead letter', async () => {
    const store = await openTestStore(redis.url)
    const id = await accepted(store, { deliveries: [] })
    expect((await store.ledger()).documents).toMatchObject({ accepted: 1, dead: 1, waiting: 0 })
    expect(await store.dead({})).toMatchObject([{ id, envelopeId: id, reason: 'no-route', route: '', destination: '' }])
    expect(await store.trace(id)).toMatchObject({ state: 'dead', reason: 'no-route', deliveries: [] })
  })

  it('takes 20,000 deliveries of one document, and names the limit for more', async () => {
    const store = await openTestStore(redis.url)
    const plans = (count: number) =>
      Array.from({ length: count }, (_, index) => plan({ to: `u${index}@x.example`, lane: 'l' }))
    const id = freshId()
    expect((await acceptOne(store, { id, deliveries: plans(20_000) })).kind).toBe('accepted')
    expect((await store.ledger()).deliveries).toMatchObject({ planned: 20_000, waiting: 20_000 })
    expect(await store.due(10)).toHaveLength(10)
    await expect(acceptOne(store, { deliveries: plans(20_001) })).rejects.toThrow(
      '20001 deliveries at once, at most 20000',
    )
  })

  it('keeps payloads byte for byte', async () => {
    const store = await openTestStore(redis.url)
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
    const sealed = await accepted(store, { payload: bytes })
    const text = await accepted(store, { payload: '<a>ä€😀\u0085</a>' })
    expect(Buffer.from((await store.payload(sealed))!)).toEqual(Buffer.from(bytes))
    expect(Buffer.from((await store.payload(text))!).toString()).toBe('<a>ä€😀\u0085</a>')
    expect(await store.payload(freshId())).toBeUndefined()
  })
})

describe('stores', () => {
  it('with different prefixes on one Redis do not see each other', async () => {
    const one = await openTestStore(redis.url)
    const two = await openTestStore(redis.url)
    const id = await accepted(one, { claim: 'c', digest: 'a' })
    expect(await two.trace(id)).toBeUndefined()
    expect(await two.due(10)).toEqual([])
    expect((await two.ledger()).documents.accepted).toBe(0)
    expect((await acceptOne(two, { claim: 'c', digest: 'a' })).kind).toBe('accepted')
  })

  it('go on after Redis has forgotten the scripts', async () => {
    const store = await openTestStore(redis.url)
    const client = new Redis(redis.url)
    const id = await accepted(store)
    await client.script('FLUSH')
    expect(await store.start([`${id}.0`], [])).toHaveLength(1)
    await client.script('FLUSH')
    expect((await acceptOne(store)).kind).toBe('accepted')
    client.disconnect()
  })

  it('do not open on keys that are not theirs', async () => {
    const prefix = freshPrefix()
    const client = new Redis(redis.url)
    await client.lpush(`{${prefix}:0}:ready`, 'x')
    await expect(openTestStore(redis.url, { prefix })).rejects.toThrow(
      `{${prefix}:0}:ready is a list, it must be a zset`,
    )
    await client.del(`{${prefix}:0}:ready`)
    await client.set(`{${prefix}:0}:version`, '9')
    await expect(openTestStore(redis.url, { prefix })).rejects.toThrow('version is 9, this Waybill knows 1')
    client.disconnect()
  })

  it.each(['', 'a b', 'a{b', 'ü', 'a:b'])('do not open with the prefix %j', async (prefix) => {
    await expect(openTestStore(redis.url, { prefix })).rejects.toThrow('Cannot use the Redis prefix')
  })

  it('keep all their keys under one hash tag', async () => {
    const prefix = freshPrefix()
    const store = await openTestStore(redis.url, { prefix })
    await accepted(store, {
      claim: 'c',
      key: 'k',
      deliveries: [plan({ lane: 'l' }), plan({ to: 'xmpp:p.example?;node=n' })],
    })
    const client = new Redis(redis.url)
    const keys = await client.keys(`*${prefix}*`)
    expect(keys.filter((key) => !key.startsWith(`{${prefix}:0}:`))).toEqual([])
    expect(keys.length).toBeGreaterThan(5)
    client.disconnect()
  })
})

/** As a process does that begins first attempts with the acceptance. */
const beginning = (one: Acceptance): Acceptance => ({ ...one, begin: [...one.deliveries.keys()] })
const ways: readonly [string, (one: Acceptance) => Acceptance][] = [
  ['wait for their attempts', (one) => one],
  ['begin them', beginning],
]

describe.each(ways)('documents that come at once and %s', (_, way) => {
  const bytes = 2 * acceptance().envelope.document.bytes
  it.each([
    ['all', { waiting: 2 }],
    ['sender', { perSenderWaiting: 2 }],
    ['bytes', { waitingBytes: bytes }],
  ] as const)('are counted with one another, up to the limit of %s', async (scope, limits) => {
    const store = await openTestStore(redis.url, { limits })
    const three = [1, 2, 3].map(() => store.accept([way(acceptance())]))
    const answers = (await Promise.all(three)).flat()
    expect(answers.map(({ kind }) => kind)).toEqual(['accepted', 'accepted', 'overloaded'])
    expect(answers[2]).toMatchObject({ scope })
    expect((await store.accept([way(acceptance())]))[0]).toMatchObject({ kind: 'overloaded', scope })
    expect((await store.ledger()).documents.accepted).toBe(2)
  })

  it('have their claims for as long as the window is', async () => {
    const prefix = freshPrefix()
    const store = await openTestStore(redis.url, { prefix })
    await store.accept([way(acceptance({ claim: 'c' }))])
    const client = new Redis(redis.url)
    const [claim] = await client.keys(`{${prefix}:0}:claim:*`)
    const leftMs = await client.pttl(claim!)
    client.disconnect()
    expect(leftMs).toBeGreaterThan(500_000)
    expect(leftMs).toBeLessThanOrEqual(600_000)
  })
})

describe('held documents that come at once', () => {
  const holding = { findings: [], total: 1 }
  it.each([
    ['held', { held: 2 }],
    ['held of sender', { perSenderHeld: 2 }],
    ['held bytes', { heldBytes: 2 * acceptance().envelope.document.bytes }],
  ] as const)('are counted with one another, up to the limit of what is %s', async (scope, limits) => {
    for (const together of [true, false]) {
      const store = await openTestStore(redis.url, { limits })
      const three = [1, 2, 3].map(() => acceptance({ holding }))
      const answers = together ? await store.accept(three) : await Promise.all(three.map((one) => store.accept([one])))
      expect(answers.flat().at(-1)).toMatchObject({ kind: 'overloaded', scope })
      expect((await store.ledger()).documents.held).toBe(together ? 0 : 2)
    }
  })
})

describe('a first attempt', () => {
  it.each([
    ['plain', {}],
    ['in an order', { lane: 'l' }],
  ])('begins nowhere where the destination is open: one that is %s', async (_, changes) => {
    const store = await openTestStore(redis.url)
    const breaker = { kind: 'open', sinceMs: 1, failedAtMs: 1, condition: 'gone', text: '', probes: 0 } as const
    const times = { nextProbeMs: 1, firstMs: 1, maxMs: 1, late: false }
    await store.keepOpen([{ destination: 'down@x.example', breaker: { ...breaker, ...times } }])
    const [down, up] = await Promise.all(
      ['down@x.example', 'up@x.example'].map(async (to) => {
        const [answer] = await store.accept([beginning(acceptance({ deliveries: [plan({ to, ...changes })] }))])
        return answer
      }),
    )
    expect(down).not.toHaveProperty('begun')
    expect(up).toHaveProperty('begun')
  })

  it('that has to wait for another one is the first when it is made', async () => {
    const store = await openTestStore(redis.url)
    const [first, second] = [1, 2].map(() => beginning(acceptance({ deliveries: [plan({ lane: 'l' })] })))
    const answers = await store.accept([first!, second!])
    expect(answers.map((answer) => answer.kind === 'accepted' && answer.begun !== undefined)).toEqual([true, false])
    const [one, other] = [first, second].map((each) => `${each!.envelope.id}.0`)
    const record = { atMs: 1, result: 'handed-over' }
    expect(await store.end({ id: one!, kind: 'delivered', record })).toEqual([other])
    expect(await store.start([other!], [])).toMatchObject([{ tries: 1 }])
  })
})

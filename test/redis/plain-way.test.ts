import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AcceptAnswer, Acceptance, AttemptEnd } from '../../src/flow/ports.ts'
import { keyPrefix } from '../../src/redis/keys.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import {
  type AcceptanceChanges,
  acceptance,
  closeStores,
  freshPrefix,
  openTestStore,
  plan,
  setClock,
} from './fixtures.ts'
import { readShard } from './shard.ts'

/** Most documents take a short way through accept.lua and end.lua. Whatever it leaves in Redis, the common way must leave too. */

let redis: RunningRedis
let client: Redis

beforeAll(async () => {
  redis = await startRedis()
  client = new Redis(redis.url)
})
afterEach(closeStores)
afterAll(async () => {
  client?.disconnect()
  await redis?.stop()
})

type OneEnd = { kind: 'delivered' } | { kind: 'dead'; reason: 'refused' }

/** While anything is open, nothing is plain. */
async function openElsewhere(prefix: string): Promise<void> {
  await client.hset(`${keyPrefix(prefix)}breakers`, 'nobody@elsewhere.example', 'closing')
}

const [first, second] = [plan(), plan({ to: 'xmpp:pubsub.example?;node=orders', route: 'all orders', priority: -3 })]
const cases: readonly [what: string, documents: readonly AcceptanceChanges[]][] = [
  ['one document', [{ claim: 'c' }]],
  ['one without a claim', [{}]],
  ['several of two senders and types', [{ from: 'a@x.example/1' }, { from: 'b@x.example', type: 'invoice' }, {}]],
  ['one for two destinations', [{ deliveries: [first, second] }]],
  ['one that is sealed', [{ payload: Buffer.from('<order xmlns="urn:test">é</order>') }]],
  ['one whose payload takes more bytes than characters', [{ payload: '<order xmlns="urn:test">é€</order>' }]],
  ['one with a report', [{ report: 'all' }]],
  ['one that expires', [{ expiresMs: 60_000 }]],
  ['one with an order', [{ deliveries: [plan({ lane: 'l' })] }]],
  ['one with quotes in its names', [{ type: 'a"b', deliveries: [plan({ route: 'say "so", \\ or not' })] }]],
  ['one with a slash in its sender', [{ from: 'a\\2fb@x.example' }]],
  [
    'the same one twice',
    [
      { claim: 'c', digest: 'd' },
      { claim: 'c', digest: 'd' },
    ],
  ],
  [
    'another one by the same claim',
    [
      { claim: 'c', digest: 'd' },
      { claim: 'c', digest: 'e' },
    ],
  ],
]
const ends: readonly [what: string, end: Omit<AttemptEnd & { kind: 'delivered' }, 'id' | 'record'>][] = [
  ['handed over', { kind: 'delivered' }],
  ['proven', { kind: 'delivered', proven: true }],
]

describe.each(cases)('%s', (_, documents) => {
  it.each(ends)('and %s leaves in Redis what the common way leaves', async (_how, how) => {
    const clock = setClock(1_800_000_000_000)
    const acceptances = documents.map((changes) => beginning({ receivedAtMs: clock(), ...changes }))
    const ways = await Promise.all([freshPrefix(), freshPrefix()].map((prefix) => openWay(prefix, clock)))
    await openElsewhere(ways[1]!.prefix)
    const answers = await Promise.all(
      ways.map(({ store }) => Promise.all(acceptances.map((one) => store.accept([one])))),
    )
    const [plain, common] = answers.map((all) => JSON.stringify(all, withoutTokens))
    expect(plain).toEqual(common)
    const accepted = await Promise.all(ways.map(({ prefix }) => standing(prefix)))
    expect(accepted[0]).toEqual(accepted[1])
    clock.nowMs += 1_234
    const record = { atMs: clock(), tookMs: 7, result: 'handed-over' }
    const ids = acceptances.flatMap(({ envelope, deliveries }) => deliveries.map((__, at) => `${envelope.id}.${at}`))
    for (const { store } of ways) {
      await Promise.all(ids.map((id) => store.end({ id, record, ...how, token: 'another' })))
    }
    expect(await Promise.all(ways.map(({ prefix }) => standing(prefix))), 'no end of theirs').toEqual(accepted)
    for (const [way, { store }] of ways.entries()) {
      const tokens = tokensOf(answers[way]!.flat())
      await Promise.all(ids.map((id) => store.end({ id, record, ...how, token: tokens.get(id.split('.')[0]!)! })))
    }
    const ended = await Promise.all(ways.map(({ prefix }) => standing(prefix)))
    expect(ended[0]).toEqual(ended[1])
  })
})

describe('deliveries of one document that end otherwise', () => {
  const record = { atMs: 1, tookMs: 7, result: 'handed-over' }

  it.each<[what: string, ends: readonly [OneEnd, OneEnd], windows: readonly [number, number]]>([
    ['one of them dead, at once', [{ kind: 'dead', reason: 'refused' }, { kind: 'delivered' }], [600_000, 600_000]],
    ['and by a shorter window than the first', [{ kind: 'delivered' }, { kind: 'delivered' }], [600_000, 10_000]],
    ['and by a longer window than the first', [{ kind: 'delivered' }, { kind: 'delivered' }], [10_000, 600_000]],
  ])('%s leave in Redis what the common way leaves', async (_, ends, windows) => {
    const clock = setClock(1_800_000_000_000)
    const one = beginning({ receivedAtMs: clock(), deliveries: [first, second] })
    const prefixes = [freshPrefix(), freshPrefix()]
    await openElsewhere(prefixes[1]!)
    for (const prefix of prefixes) {
      const [here, there] = await Promise.all(
        windows.map((bounceWindowMs) => openTestStore(redis.url, { prefix, clock, bounceWindowMs })),
      )
      const token = tokensOf(await here!.accept([one])).get(one.envelope.id)!
      const end = (index: number) => ({ id: `${one.envelope.id}.${index}`, token, record, ...ends[index]! })
      if (windows[0] === windows[1]) await Promise.all([0, 1].map((index) => here!.end(end(index))))
      else for (const [index, store] of [here!, there!].entries()) await store.end(end(index))
    }
    const [plain, common] = await Promise.all(prefixes.map(standing))
    expect(plain).toEqual(common)
  })
})

it('is the one that most documents take: their facts and sums stay the text that was written first', async () => {
  const { prefix, store } = await openWay(freshPrefix(), setClock(1_800_000_000_000))
  const one = beginning({ claim: 'c' })
  const sum = () => client.hget(`${keyPrefix(prefix)}envelope:${one.envelope.id}`, 'sum')
  const token = tokensOf(await store.accept([one])).get(one.envelope.id)!
  expect(await sum()).toMatch(/^{"type":"order","sender":"shop@suppliers.example","sequence":0,"waiting":1,/)
  await store.end({ id: `${one.envelope.id}.0`, token, record: { atMs: 1, result: 'handed-over' }, kind: 'delivered' })
  expect(await sum()).toMatch(/^{"type":"order","sender":"shop@suppliers.example","sequence":0,"waiting":0,/)
})

/** By the ids of the documents. */
function tokensOf(answers: readonly AcceptAnswer[]): ReadonlyMap<string, string> {
  return new Map(
    answers.flatMap((answer) => (answer.kind === 'accepted' && answer.begun ? [[answer.id, answer.begun.token]] : [])),
  )
}

async function openWay(prefix: string, clock: () => number) {
  return { prefix, store: await openTestStore(redis.url, { prefix, clock }) }
}

function beginning(changes: AcceptanceChanges): Acceptance {
  const one = acceptance(changes)
  return { ...one, begin: [...one.deliveries.keys()] }
}

/** A token is drawn for each call of the script. */
async function standing(prefix: string) {
  const { breakers: _, ...shard } = await readShard(client, prefix)
  return JSON.parse(JSON.stringify(shard, withoutTokens)) as unknown
}

function withoutTokens(key: string, value: unknown): unknown {
  if (key === 'token') return undefined
  return value instanceof Map ? Object.fromEntries([...value].sort()) : value
}

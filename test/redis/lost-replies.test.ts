import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Acceptance, StoreUnavailable } from '../../src/flow/ports.ts'
import type { RedisStore } from '../../src/redis/store.ts'
import { type Link, openLink } from '../chaos/link.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import {
  type AcceptanceChanges,
  acceptance,
  closeStores,
  freshId,
  freshPrefix,
  openTestStore,
  plan,
  setClock,
} from './fixtures.ts'
import { readShard } from './shard.ts'

let redis: RunningRedis
let client: Redis
let link: Link

beforeAll(async () => {
  redis = await startRedis()
  client = new Redis(redis.url)
  link = await openLink(Number(new URL(redis.url).port))
})
afterEach(closeStores)
afterAll(async () => {
  link?.close()
  client?.disconnect()
  await redis?.stop()
})

const NOW = 1_800_000_000_000
const record = (result: string) => ({ atMs: NOW, tookMs: 5, result })

/** The document's id, and the token of its attempt where one was begun. */
interface Given {
  readonly id: string
  readonly token: string
}

interface Step {
  readonly what: string
  /** What the document is before. */
  readonly as?: 'unknown' | 'waiting' | 'under way' | 'handed over' | 'dead' | 'without a route'
  readonly does: (store: RedisStore, given: Given) => Promise<unknown>
}

const document = (id: string, changes: AcceptanceChanges = {}) => acceptance({ id, receivedAtMs: NOW, ...changes })
const beginning = (one: Acceptance): Acceptance => ({ ...one, begin: [...one.deliveries.keys()] })
const retry = { kind: 'retry', dueAtMs: NOW + 1_000, record: record('timeout') } as const

const repeated: readonly Step[] = [
  { what: 'an acceptance', as: 'unknown', does: (store, { id }) => store.accept([document(id, { claim: 'c' })]) },
  {
    what: 'an acceptance that begins attempts',
    as: 'unknown',
    does: (store, { id }) => store.accept([beginning(document(id))]),
  },
  {
    what: 'an acceptance that begins the first attempt of a lane',
    as: 'unknown',
    does: (store, { id }) => store.accept([beginning(document(id, { deliveries: [plan({ lane: 'l' }), plan()] }))]),
  },
  { what: 'a start', as: 'waiting', does: (store, { id }) => store.start([`${id}.0`], []) },
  {
    what: 'an end that delivers',
    as: 'under way',
    does: (store, { id, token }) =>
      store.end({ id: `${id}.0`, token, kind: 'delivered', record: record('handed-over') }),
  },
  {
    what: 'an end with another try',
    as: 'under way',
    does: (store, { id, token }) => store.end({ id: `${id}.0`, token, ...retry }),
  },
  {
    what: 'a lease that is made to last',
    as: 'under way',
    does: (store, { id, token }) => store.prolong([{ id: `${id}.0`, token }]),
  },
  { what: 'a drop', as: 'waiting', does: (store, { id }) => store.drop(id, 'not wanted', 'ops') },
  {
    what: 'a drop of what is under way',
    as: 'under way',
    does: (store, { id }) => store.drop(id, 'not wanted', 'ops'),
  },
  {
    what: 'a drop of what found no route',
    as: 'without a route',
    does: (store, { id }) => store.drop(id, 'not wanted', 'ops'),
  },
  { what: 'a parking', as: 'waiting', does: (store, { id }) => store.park(`${id}.0`, 'not now', 'ops') },
  {
    what: 'a bounce',
    as: 'handed over',
    does: (store, { id }) => store.bounce(`${id}.0`, 'erp@backend.example', { dueAtMs: NOW }, record('bounced')),
  },
  {
    what: 'an item that is passed over',
    does: (store) => store.passOver('xmpp:p.example?;node=in', [{ item: 'i', digest: 'd' }], 10),
  },
]

const done: readonly Step[] = [
  { what: 'a redrive', as: 'dead', does: (store, { id }) => store.redrive(id, { by: 'ops' }) },
]

/** The same document in two installations, one of which is asked through a link. */
async function given(as: Step['as']) {
  const clock = setClock(NOW)
  const id = freshId()
  const [direct, linked] = await Promise.all([openWay(redis.url), openWay(`redis://127.0.0.1:${link.port}`)])
  async function openWay(url: string) {
    const prefix = freshPrefix()
    const store = await openTestStore(url, { prefix, clock })
    return { prefix, store, given: { id, token: await bring(store, id, as) } }
  }
  return { direct, linked }
}

/** Gives the token of its attempt, or ''. */
async function bring(store: RedisStore, id: string, as: Step['as']): Promise<string> {
  if (as === undefined || as === 'unknown') return ''
  await store.accept([document(id, as === 'without a route' ? { deliveries: [] } : {})])
  if (as === 'waiting' || as === 'without a route') return ''
  const [started] = await store.start([`${id}.0`], [])
  const token = started!.token!
  if (as === 'handed over') await store.end({ id: `${id}.0`, token, kind: 'delivered', record: record('handed-over') })
  if (as === 'dead') await store.end({ id: `${id}.0`, token, kind: 'dead', reason: 'refused', record: record('gone') })
  return token
}

const told = (answer: unknown) => JSON.stringify(answer, withoutTokens)

/** Tokens are drawn for each call; that told is the one written down. */
async function standing(prefix: string, answer: unknown) {
  const token = /"token":"([^"]*)"/.exec(JSON.stringify(answer ?? null))?.[1]
  const shard = await readShard(client, prefix)
  for (const { facts } of [...shard.envelopes.values()].flatMap(({ deliveries }) => deliveries)) {
    if (token !== undefined) expect((facts as { readonly token?: string }).token).toBe(token)
  }
  return JSON.parse(JSON.stringify(shard, withoutTokens)) as unknown
}

function withoutTokens(key: string, value: unknown): unknown {
  if (key === 'token' || key === 'bounce') return undefined
  return value instanceof Map ? Object.fromEntries([...value].sort()) : value
}

describe('where the connection is lost with the reply', () => {
  it.each(repeated)('$what is asked for again, and is what it would have been', async ({ as, does }) => {
    const { direct, linked } = await given(as)
    const expected = await does(direct.store, direct.given)
    void link.cut('back', 0)
    const answer = await does(linked.store, linked.given)
    expect(told(answer)).toBe(told(expected))
    expect(await standing(linked.prefix, answer)).toEqual(await standing(direct.prefix, expected))
  })

  it.each(done)('$what is done once, and who asked for it hears that nobody knows', async ({ as, does }) => {
    const { direct, linked } = await given(as)
    await does(direct.store, direct.given)
    void link.cut('back', 0)
    await expect(does(linked.store, linked.given)).rejects.toBeInstanceOf(StoreUnavailable)
    expect(await standing(linked.prefix, undefined)).toEqual(await standing(direct.prefix, undefined))
  })
})

import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Acceptance, StoreUnavailable } from '../../src/flow/ports.ts'
import { createAccept } from '../../src/redis/accepting.ts'
import { createStart } from '../../src/redis/attempts.ts'
import { type Call, createCall } from '../../src/redis/calls.ts'
import { keyPrefix } from '../../src/redis/keys.ts'
import { createLostStarts } from '../../src/redis/lost-starts.ts'
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
const VERSION = { name: 'order', version: '1' }
const record = (result: string) => ({ atMs: NOW, tookMs: 5, result })

/** The document's id, and the token of its attempt where one was begun. */
interface Given {
  readonly id: string
  readonly token: string
}

interface Step {
  readonly what: string
  /** What the document is before. */
  readonly as?:
    | 'unknown'
    | 'waiting'
    | 'under way'
    | 'handed over'
    | 'dead'
    | 'suspect'
    | 'without a route'
    | 'registered'
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
    what: 'a version that is registered',
    does: ({ registry }) =>
      registry.change({ kind: 'register', ...VERSION, digest: 'd', bundle: Buffer.from('x') }, 0, 'ops'),
  },
  {
    what: 'an item that is passed over',
    does: (store) => store.passOver('xmpp:p.example?;node=in', [{ item: 'i', digest: 'd' }], 10),
  },
]

const done: readonly Step[] = [
  { what: 'a start alone', as: 'suspect', does: (store) => store.startSuspect() },
  { what: 'a redrive', as: 'dead', does: (store, { id }) => store.redrive(id, { by: 'ops' }) },
  {
    what: 'a version that is deprecated',
    as: 'registered',
    does: ({ registry }) => registry.change({ kind: 'deprecate', ...VERSION, text: 'old' }, 1, 'ops'),
  },
  {
    what: 'a version that is removed',
    as: 'registered',
    does: ({ registry }) => registry.change({ kind: 'remove', ...VERSION }, 1, 'ops'),
  },
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
  if (as === 'registered') {
    await store.registry.change({ kind: 'register', ...VERSION, digest: 'd', bundle: Buffer.from('x') }, 0, 'ops')
    return ''
  }
  await store.accept([document(id, as === 'without a route' ? { deliveries: [] } : {})])
  if (as === 'waiting' || as === 'without a route') return ''
  for (let close = 0; as === 'suspect' && close < 3; close++) {
    const [closing] = await store.start([`${id}.0`], [])
    const token = closing!.token!
    await store.end({ id: `${id}.0`, token, kind: 'void', closed: true, dueAtMs: NOW, record: record('void') })
  }
  if (as === 'suspect') return ''
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

describe('attempts that Redis began without our hearing of it', () => {
  const attempts = { instance: 'one', attemptLeaseMs: 120_000, bounceWindowMs: 1_000, log: () => {} }

  /** A store, and what asks the same Redis and hears of nothing that it has done. */
  async function deaf() {
    const prefix = freshPrefix()
    const store = await openTestStore(redis.url, { prefix, clock: setClock(NOW) })
    const call = createCall(client, keyPrefix(prefix), () => NOW, attempts.log)
    const unheard: Call = async (...question) => {
      await call(...question)
      throw new StoreUnavailable('lost')
    }
    return { store, call, unheard, lost: createLostStarts(call, attempts.instance) }
  }

  it('are taken back, all of them', async () => {
    const { store, unheard, lost } = await deaf()
    const ids = [freshId(), freshId()].map((id) => document(id))
    for (const one of ids) await store.accept([one])
    const { start } = createStart(unheard, lost, attempts)
    for (const { envelope } of ids) await expect(start([`${envelope.id}.0`], [])).rejects.toThrow('lost')
    expect((await store.depth()).underWay).toBe(2)
    await lost.release()
    expect(await store.depth()).toMatchObject({ underWay: 0, waiting: 2 })
    const { deliveries } = (await store.trace(ids[0]!.envelope.id))!
    const attempt = { result: 'void', text: 'Redis gave no answer to the start of the attempt' }
    expect(deliveries, 'it burns no try').toMatchObject([{ tries: 0, attempts: [attempt] }])
  })

  it('are taken back also where they began with the acceptance', async () => {
    const { store, unheard, lost } = await deaf()
    const limits = { waiting: 9, perSenderWaiting: 9, waitingBytes: 1e6, held: 9, perSenderHeld: 9, heldBytes: 1e6 }
    const options = { ...attempts, limits, waitAof: false, confirm: async () => {}, clock: () => NOW, lost }
    await expect(createAccept(unheard, options)([beginning(document(freshId()))])).rejects.toThrow('lost')
    expect((await store.depth()).underWay).toBe(1)
    await lost.release()
    expect(await store.depth()).toMatchObject({ underWay: 0, waiting: 1 })
  })

  it('are left alone where they have begun once more since, and are heard of', async () => {
    const { store, lost } = await deaf()
    const id = freshId()
    await store.accept([document(id)])
    lost.add('another', [`${id}.0`])
    await store.start([`${id}.0`], [])
    await lost.release()
    expect((await store.depth()).underWay).toBe(1)
  })

  it('are remembered in bounds', async () => {
    let released = 0
    const lost = createLostStarts(async () => {
      released += 1
    }, 'one')
    for (let n = 0; n < 200; n++) lost.add(`${n}`, ['id'])
    await lost.release()
    await lost.release()
    expect(released).toBe(100)
  })
})

describe('where the connection is lost before what was written is known to be kept', () => {
  /** A connection that is lost at so many confirmations. */
  function losing(times: number) {
    const closed: (() => void)[] = []
    const asked = { scripts: 0, confirmations: 0 }
    const one = {
      status: 'ready',
      on: (event: string, listener: () => void) => event === 'close' && closed.push(listener),
      callBuffer: async () => {
        asked.scripts += 1
        return 1
      },
    }
    const confirm = async () => {
      asked.confirmations += 1
      if (asked.confirmations <= times) for (const listener of closed) listener()
    }
    return {
      asked,
      confirm,
      call: createCall(
        one as unknown as Redis,
        'p:',
        () => NOW,
        () => {},
      ),
    }
  }

  it.each([
    { times: 1, repeatable: true, isDone: true, scripts: 2 },
    { times: 2, repeatable: true, isDone: false, scripts: 2 },
    { times: 1, repeatable: false, isDone: false, scripts: 1 },
  ])(
    '$times times, it is asked for again once, if it may: $repeatable',
    async ({ times, repeatable, isDone, scripts }) => {
      const { asked, confirm, call } = losing(times)
      const done = call('write', [], { repeatable, confirm }).then(
        () => true,
        (error: unknown) => !(error instanceof StoreUnavailable),
      )
      expect(await done).toBe(isDone)
      expect(asked.scripts).toBe(scripts)
    },
  )
})

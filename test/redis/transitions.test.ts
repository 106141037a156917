import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AttemptRecord } from '../../src/domain/delivery.ts'
import type { AttemptEnd, StartedAttempt } from '../../src/flow/ports.ts'
import type { RedisStore } from '../../src/redis/store.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import {
  acceptance,
  accepted,
  balances,
  closeStores,
  freshId,
  freshPrefix,
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

const record = (result = 'delivered'): AttemptRecord => ({
  atMs: clock(),
  tookMs: 5,
  result,
  text: `text of ${result}`,
})

async function openWith(changes: Parameters<typeof openTestStore>[1] = {}): Promise<void> {
  clock = setClock(1_800_000_000_000)
  store = await openTestStore(redis.url, { clock, bounceWindowMs: 10_000, ...changes })
}

async function start(...ids: string[]): Promise<string[]> {
  return (await store.start(ids, [])).map(({ id }) => id)
}

async function end(id: string, kind: AttemptEnd['kind'] = 'delivered'): Promise<readonly string[]> {
  const dueAtMs = clock() + 1_000
  return store.end({ id, kind, dueAtMs, reason: 'refused', record: record(kind) } as AttemptEnd)
}

/** Brings a new delivery into the named state. */
async function deliveryThatIs(state: string): Promise<string> {
  const id = `${await accepted(store, { receivedAtMs: clock() })}.0`
  if (state === 'waiting') return id
  if (state === 'dropped') {
    await store.drop(id, 'x', 'y')
    return id
  }
  await start(id)
  if (state === 'to be retried') await end(id, 'retry')
  else if (state === 'to be dropped after the attempt') await store.drop(id, 'not wanted', 'ops@x.example')
  else if (state === 'to be dead after the attempt') await store.park(id, 'not now', 'ops@x.example')
  else if (state !== 'under way') await end(id, state as AttemptEnd['kind'])
  return id
}

const moves: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
  start: async (id) => (await start(id)).length === 1,
  delivered: (id) => end(id, 'delivered'),
  retry: (id) => end(id, 'retry'),
  void: (id) => end(id, 'void'),
  dead: (id) => end(id, 'dead'),
  expired: (id) => end(id, 'expired'),
  redrive: (id) => store.redrive(id, BY),
  drop: (id) => store.drop(id, 'not wanted', 'ops@x.example'),
  park: (id) => store.park(id, 'not now', 'ops@x.example'),
  bounce: (id) => store.bounce(id, 'erp@backend.example', { dueAtMs: clock() }, record()),
  'bounce for good': (id) => store.bounce(id, 'erp@backend.example', { dead: 'bounced' }, record()),
}

async function stateOf(id: string): Promise<string> {
  const [delivery] = (await store.trace(id.split('.')[0]!))!.deliveries
  const last = delivery!.attempts.at(-1)
  if (delivery!.asked) return `to be ${delivery!.asked.state} after the attempt`
  if (delivery!.state !== 'waiting') return delivery!.state
  if (last?.result === 'under way') return 'under way'
  return (delivery!.dueAtMs ?? 0) > clock() ? 'to be retried' : 'waiting'
}

// From each state (row), what a transition (column) leads to; '' is no change.
const table: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  waiting: { start: 'under way', drop: 'dropped', park: 'dead' },
  'under way': {
    delivered: 'delivered',
    retry: 'to be retried',
    void: 'to be retried',
    dead: 'dead',
    expired: 'expired',
    drop: 'to be dropped after the attempt',
    park: 'to be dead after the attempt',
  },
  'to be dropped after the attempt': {
    delivered: 'delivered',
    retry: 'dropped',
    void: 'dropped',
    dead: 'dropped',
    expired: 'expired',
    park: 'to be dead after the attempt',
  },
  'to be dead after the attempt': {
    delivered: 'delivered',
    retry: 'dead',
    void: 'dead',
    dead: 'dead',
    expired: 'expired',
    drop: 'to be dropped after the attempt',
  },
  'to be retried': { drop: 'dropped', park: 'dead' },
  delivered: { bounce: 'waiting', 'bounce for good': 'dead' },
  dead: { redrive: 'waiting', drop: 'dropped' },
  expired: {},
  dropped: {},
}

describe('a transition', () => {
  const cases = Object.entries(table).flatMap(([from, row]) =>
    Object.keys(moves).map((move) => [from, move, row[move] ?? from] as const),
  )
  it.each(cases)('of what is %s by %s leads to %s', async (from, move, to) => {
    await openWith()
    const id = await deliveryThatIs(from)
    await moves[move]!(id)
    expect(await stateOf(id)).toBe(to)
    expect(await balances(store)).toEqual([])
    await moves[move]!(id)
    expect(await balances(store)).toEqual([])
  })

  it.each(Object.keys(moves))('of what is not known by %s changes nothing', async (move) => {
    await openWith()
    await moves[move]!(`${freshId()}.0`)
    expect((await store.ledger()).documents.accepted).toBe(0)
  })
})

describe('start', () => {
  it('gives all that a delivery needs, and the payload of an envelope to each of its deliveries', async () => {
    await openWith()
    const deliveries = [plan({ to: 'xmpp:p.example?;node=a b/ü', route: 'r1' }), plan({ expiresMs: 5_000 })]
    const id = await accepted(store, { receivedAtMs: clock(), deliveries, payload: '<a>ä</a>' })
    const [one, two] = await store.start([`${id}.0`, `${id}.1`], [])
    expect(one).toEqual({
      id: `${id}.0`,
      envelopeId: id,
      token: expect.any(String),
      tries: 1,
      route: 'r1',
      destination: { kind: 'node', service: 'p.example', node: 'a b/ü' },
      options: { retry: 'default', confirm: 'none', confirmTimeoutMs: 30_000 },
      type: 'order',
      from: 'shop@suppliers.example/web',
      receivedAtMs: clock(),
      sinceMs: clock(),
      hops: 2,
      form: 'element',
      mediaType: 'application/xml',
      rootName: '{urn:test}order',
      datatype: '',
      payload: Buffer.from('<a>ä</a>'),
    })
    expect(two).toMatchObject({ expiresAtMs: clock() + 5_000, payload: Buffer.from('<a>ä</a>') })
  })

  it('gives each attempt to one of many callers', async () => {
    await openWith()
    const ids = [`${await accepted(store)}.0`, `${await accepted(store)}.0`]
    const all = await Promise.all([store.start(ids, []), store.start(ids, []), store.start([ids[1]!, ids[1]!], [])])
    expect(all.map((some) => some.map(({ id }) => id))).toEqual([ids, [], []])
  })

  it('reads no more than 32 MiB of documents at once, however much is due, and the rest stays due', async () => {
    await openWith()
    const ids: string[] = []
    for (const mebibytes of [17, 17, 1]) {
      ids.push(`${await accepted(store, { payload: 'x'.repeat(mebibytes * 1024 * 1024) })}.0`)
    }
    expect(await start(...ids)).toEqual(ids.slice(0, 2))
    expect(await store.due(9)).toEqual(ids.slice(2))
    expect(await start(...ids)).toEqual(ids.slice(2))
  })

  it('leaves deliveries to full destinations for a little later', async () => {
    await openWith()
    const id = await accepted(store, { deliveries: [plan({ to: 'a@x.example' }), plan({ to: 'b@x.example' })] })
    const started = await store.start([`${id}.0`, `${id}.1`], ['a@x.example'])
    expect(started.map((attempt) => attempt.id)).toEqual([`${id}.1`])
    expect(await store.due(9)).toEqual([])
    clock.nowMs += 1_000
    expect(await store.due(9)).toEqual([`${id}.0`])
  })

  it('begins what was due once, though the clock has been set back since', async () => {
    await openWith()
    const id = `${await accepted(store)}.0`
    const later = await deliveryThatIs('to be retried')
    clock.nowMs -= 3_600_000
    expect(await store.due(9)).toEqual([id])
    expect(await start(id, later)).toEqual([id])
  })

  it.each([
    [-50, true],
    [-51, false],
    [0, true],
  ])('begins what is due, seen %i ms from its time: %s', async (offsetMs, begins) => {
    await openWith()
    const id = await deliveryThatIs('to be retried')
    clock.nowMs += 1_000 + offsetMs
    expect(await start(id)).toEqual(begins ? [id] : [])
  })

  it('does not begin what has expired', async () => {
    await openWith()
    const old = { receivedAtMs: clock(), deliveries: [plan({ lane: 'l', expiresMs: 1_000 })] }
    const [one, two] = [await accepted(store, old), await accepted(store, old)]
    clock.nowMs += 1_000
    expect(await start(`${one}.0`)).toEqual([])
    expect(await store.expire(9)).toEqual([`${one}.0`, `${two}.0`])
    expect((await store.trace(two))!.deliveries[0]).toMatchObject({ state: 'expired', reason: 'expired' })
  })

  it('lets the earlier of the route’s and the sender’s end count', async () => {
    await openWith()
    const deliveries = [plan({ expiresMs: 9_000 })]
    const id = await accepted(store, { receivedAtMs: clock(), expiresMs: 4_000, deliveries })
    expect((await store.start([`${id}.0`], []))[0]!.expiresAtMs).toBe(clock() + 4_000)
  })
})

describe('tries', () => {
  it.each([
    ['retry', 2],
    ['void', 1],
  ] as const)('after %s are %i at the next attempt', async (kind, tries) => {
    await openWith()
    const id = await deliveryThatIs('under way')
    await end(id, kind)
    clock.nowMs += 1_000
    expect((await store.start([id], []))[0]!.tries).toBe(tries)
  })

  it('are counted anew after a redrive', async () => {
    await openWith()
    const id = await deliveryThatIs('dead')
    await store.redrive(id, BY)
    expect((await store.start([id], []))[0]!.tries).toBe(1)
  })

  it('are kept as records: the first five and the last twenty', async () => {
    await openWith()
    const id = await deliveryThatIs('waiting')
    for (let attempt = 1; attempt <= 30; attempt++) {
      clock.nowMs += 1_000
      await start(id)
      await store.end({ id, kind: 'retry', dueAtMs: clock(), record: { atMs: attempt, result: 'timeout' } })
    }
    const { attempts } = (await store.trace(id.split('.')[0]!))!.deliveries[0]!
    expect(attempts.map(({ atMs }) => atMs)).toEqual([
      1,
      2,
      3,
      4,
      5,
      ...Array.from({ length: 20 }, (_, index) => 11 + index),
    ])
  })

  it('keep what a peer said, cut to 500 characters, on one line', async () => {
    await openWith()
    const id = await deliveryThatIs('under way')
    const text = `line 1\nline 2 "ü" ${'x'.repeat(600)}`
    await store.end({ id, kind: 'retry', dueAtMs: clock(), record: { atMs: 1, result: 'timeout', text } })
    expect((await store.trace(id.split('.')[0]!))!.deliveries[0]!.attempts).toEqual([
      { atMs: 1, result: 'timeout', text: text.slice(0, 500) },
    ])
  })
})

describe('order', () => {
  const lane = (changes = {}) => ({ deliveries: [plan({ lane: 'sender a', ...changes })] })

  it('lets the first of a lane start only, and gives the next when it has ended', async () => {
    await openWith()
    const ids = [await accepted(store, lane()), await accepted(store, lane()), await accepted(store, lane())].map(
      (id) => `${id}.0`,
    )
    expect(await start(...ids)).toEqual([ids[0]])
    expect(await end(ids[0]!, 'retry')).toEqual([])
    expect(await start(...ids)).toEqual([])
    clock.nowMs += 1_000
    expect(await start(...ids)).toEqual([ids[0]])
    expect(await end(ids[0]!, 'delivered')).toEqual([ids[1]])
    expect(await start(...ids)).toEqual([ids[1]])
    expect(await end(ids[1]!, 'dead')).toEqual([ids[2]])
    expect(await end(ids[2]!, 'delivered')).toEqual([])
  })

  it('holds back nothing of another lane or destination', async () => {
    await openWith()
    const ids = [
      await accepted(store, lane()),
      await accepted(store, lane({ lane: 'sender b' })),
      await accepted(store, lane({ to: 'other@x.example' })),
      await accepted(store),
    ].map((id) => `${id}.0`)
    expect(await start(...ids)).toEqual(ids)
  })

  it('tells what a delivery waits behind', async () => {
    await openWith()
    const [one, two, three] = [
      await accepted(store, lane()),
      await accepted(store, lane()),
      await accepted(store, lane()),
    ]
    const behind = async (id: string) => {
      const [delivery] = (await store.trace(id))!.deliveries
      return [delivery!.behind, delivery!.ahead]
    }
    expect([await behind(one), await behind(two), await behind(three)]).toEqual([
      [undefined, undefined],
      [`${one}.0`, 1],
      [`${one}.0`, 2],
    ])
    await store.drop(`${two}.0`, 'x', 'y')
    expect(await behind(three)).toEqual([`${one}.0`, 1])
    await store.drop(`${one}.0`, 'x', 'y')
    expect(await behind(three)).toEqual([undefined, undefined])
  })

  it('lists the first of each lane that holds others back, those with the most behind them first', async () => {
    await openWith()
    const alone = await accepted(store, lane({ lane: 'sender c' }))
    const few = [await accepted(store, lane({ lane: 'sender b' })), await accepted(store, lane({ lane: 'sender b' }))]
    const many = [await accepted(store, lane()), await accepted(store, lane()), await accepted(store, lane())]
    expect(await start(`${alone}.0`, `${few[0]}.0`, `${many[0]}.0`)).toHaveLength(3)
    await end(`${many[0]}.0`, 'retry')
    const common = { destination: 'erp@backend.example', route: 'orders', type: 'order', tries: 1 }
    expect(await store.lanes()).toMatchObject([
      {
        ...common,
        id: `${many[0]}.0`,
        waiting: 2,
        dueAtMs: clock() + 1_000,
        condition: 'retry',
        text: 'text of retry',
      },
      { ...common, id: `${few[0]}.0`, waiting: 1, underWaySinceMs: clock(), condition: '', text: '' },
    ])
  })

  describe('after a redrive', () => {
    /** Three of one lane, of which the first is dead. */
    async function withFirstDead(): Promise<string[]> {
      await openWith()
      const ids = [await accepted(store, lane()), await accepted(store, lane()), await accepted(store, lane())].map(
        (id) => `${id}.0`,
      )
      await start(ids[0]!)
      await end(ids[0]!, 'dead')
      return ids
    }

    /** Starts and delivers what can be, one after the other; gives the order. */
    async function run(ids: readonly string[]): Promise<string[]> {
      const order: string[] = []
      for (;;) {
        const started = await start(...ids)
        expect(started.length).toBeLessThanOrEqual(1)
        if (started.length === 0) return order
        order.push(...started)
        await end(started[0]!)
      }
    }

    it.each([
      ['goes behind all that was accepted by then', false, [1, 2, 0, 3]],
      ['that keeps its place goes before what was accepted later', true, [0, 1, 2, 3]],
    ])('a delivery %s', async (_, keepPlace, order) => {
      const ids = await withFirstDead()
      expect(await store.redrive(ids[0]!, { ...BY, keepPlace })).toBe(true)
      ids.push(`${await accepted(store, lane())}.0`)
      expect(await run(ids)).toEqual(order.map((at) => ids[at]))
    })

    it.each(['delivered', 'retry', 'void', 'dead'] as const)(
      'a delivery that keeps its place waits for what is under way, and goes next when that has ended: %s',
      async (kind) => {
        const ids = await withFirstDead()
        await start(ids[1]!)
        expect(await store.redrive(ids[0]!, { ...BY, keepPlace: true })).toBe(true)
        expect(await start(...ids)).toEqual([])
        expect(await end(ids[1]!, kind)).toEqual([ids[0]])
        clock.nowMs += 1_000
        const left = kind === 'retry' || kind === 'void' ? [1, 2] : [2]
        expect(await run(ids)).toEqual([0, ...left].map((at) => ids[at]))
      },
    )

    it('shows in its record that it kept its place, and to whom', async () => {
      const ids = await withFirstDead()
      await store.redrive(ids[0]!, { ...BY, keepPlace: true })
      const { attempts } = (await store.trace(ids[0]!.split('.')[0]!))!.deliveries[0]!
      expect(attempts.at(-1)).toMatchObject({ result: 'redriven', text: 'by ops, at its old place' })
    })

    it.each([0, 1_000])('a late bounce comes before what has not been begun, in %i ms', async (pauseMs) => {
      await openWith()
      const ids = [await accepted(store, lane()), await accepted(store, lane()), await accepted(store, lane())].map(
        (id) => `${id}.0`,
      )
      await start(ids[0]!)
      await end(ids[0]!)
      await start(ids[1]!)
      const dueAtMs = clock() + pauseMs
      expect(await store.bounce(ids[0]!, 'erp@backend.example', { dueAtMs }, record())).toBe(true)
      expect(await start(...ids)).toEqual([])
      expect(await end(ids[1]!)).toEqual(pauseMs === 0 ? [ids[0]] : [])
      if (pauseMs > 0) expect(await start(...ids)).toEqual([])
      clock.nowMs += pauseMs
      expect(await run(ids)).toEqual([ids[0], ids[2]])
    })
  })

  describe.each(['drop', 'park'] as const)('an operator who %ss', (verb) => {
    const state = { drop: 'dropped', park: 'dead' }[verb]

    it('the first of a lane lets the next one go', async () => {
      await openWith()
      const ids = [await accepted(store, lane()), await accepted(store, lane())].map((id) => `${id}.0`)
      await start(ids[0]!)
      await end(ids[0]!, 'retry')
      expect(await store[verb](ids[0]!, 'in the way', 'ops')).toBe('ended')
      expect(await store[verb](ids[0]!, 'in the way', 'ops'), 'again after a lost reply').toBe('ended')
      expect(await stateOf(ids[0]!)).toBe(state)
      expect(await start(...ids)).toEqual([ids[1]])
      expect(await balances(store)).toEqual([])
    })

    it.each(['retry', 'void', 'dead'] as const)(
      'the first while it is under way never lets two be outstanding: it ends with the attempt, by %s',
      async (kind) => {
        await openWith()
        const ids = [await accepted(store, lane()), await accepted(store, lane())].map((id) => `${id}.0`)
        await start(ids[0]!)
        expect(await store[verb](ids[0]!, 'in the way', 'ops')).toBe('asked')
        expect(await start(...ids)).toEqual([])
        expect(await end(ids[0]!, kind)).toEqual([ids[1]])
        expect(await stateOf(ids[0]!)).toBe(state)
        expect(await balances(store)).toEqual([])
      },
    )

    it('while it is under way has asked of that attempt only: what is redriven is tried again', async () => {
      await openWith()
      const id = await deliveryThatIs('under way')
      await store[verb](id, 'in the way', 'ops')
      await end(id, 'dead')
      expect(await stateOf(id)).toBe(state)
      if (!(await store.redrive(id, BY))) return
      await start(id)
      await end(id, 'retry')
      expect(await stateOf(id)).toBe('to be retried')
    })

    it('what is delivered meanwhile comes too late', async () => {
      await openWith()
      const ids = [await accepted(store, lane()), await accepted(store, lane())].map((id) => `${id}.0`)
      await start(ids[0]!)
      await store[verb](ids[0]!, 'in the way', 'ops')
      expect(await end(ids[0]!, 'delivered')).toEqual([ids[1]])
      expect(await stateOf(ids[0]!)).toBe('delivered')
    })

    it('has it done also where the process that had it under way is gone', async () => {
      const prefix = `gone-${verb}-${process.pid}`
      await openWith({ prefix, instance: 'old' })
      const ids = [await accepted(store, lane()), await accepted(store, lane())].map((id) => `${id}.0`)
      await start(ids[0]!)
      await store[verb](ids[0]!, 'in the way', 'ops')
      store = await openTestStore(redis.url, { clock, prefix, instance: 'new' })
      expect(await store.reclaim()).toMatchObject({ deliveries: 1 })
      expect(await stateOf(ids[0]!)).toBe(state)
      expect(await store.due(9)).toEqual([ids[1]])
    })
  })

  it('keeps who parked a delivery and why, and lets it be redriven at its old place', async () => {
    await openWith()
    const ids = [await accepted(store, lane()), await accepted(store, lane())].map((id) => `${id}.0`)
    await store.park(ids[0]!, 'the partner is away', 'ops')
    expect(await store.dead({})).toMatchObject([
      { id: ids[0], reason: 'parked', condition: 'parked', text: 'by ops: the partner is away' },
    ])
    expect(await store.redrive(ids[0]!, { ...BY, keepPlace: true })).toBe(true)
    expect(await start(...ids)).toEqual([ids[0]])
  })
})

describe('due', () => {
  it('gives the urgent first, then the oldest', async () => {
    await openWith()
    const ids: string[] = []
    for (const priority of [0, 0, 5, -3, 5]) {
      ids.push(`${await accepted(store, { deliveries: [plan({ priority })] })}.0`)
      clock.nowMs += 1
    }
    expect(await store.due(9)).toEqual([ids[2], ids[4], ids[0], ids[1], ids[3]])
    expect(await store.due(2)).toEqual([ids[2], ids[4]])
  })

  it('takes back what is under way for longer than its lease, and a longer confirmation has a longer lease', async () => {
    const { log, lines } = keepLog()
    await openWith({ attemptLeaseMs: 60_000, log })
    const short = `${await accepted(store)}.0`
    const long = `${await accepted(store, { deliveries: [plan({ confirmTimeoutMs: 100_000 })] })}.0`
    expect(await start(short, long)).toEqual([short, long])
    clock.nowMs += 60_001
    expect(await store.due(9)).toEqual([short])
    expect((await store.trace(short.split('.')[0]!))!.deliveries[0]!.attempts).toMatchObject([
      { result: 'void', tookMs: 60_001 },
    ])
    expect(lines).toContainEqual({ level: 'warn', event: 'leases-ran-out', details: { attempts: 1 } })
    expect(await end(short, 'delivered')).toEqual([])
    expect(await stateOf(short)).toBe('waiting')
  })
})

describe('prolong', () => {
  it.each([
    { what: 'is under way', and: async () => {}, prolongs: true },
    { what: "is another process's", by: 'another', and: async () => {}, prolongs: false },
    { what: 'has ended', and: (id: string) => end(id, 'retry'), prolongs: false },
    { what: 'runs out just now', afterMs: 60_000, and: async () => {}, prolongs: false },
    { what: 'has run out already', afterMs: 70_000, and: async () => {}, prolongs: false },
    { what: 'was dropped while it was under way', and: (id: string) => store.drop(id, 'x', 'y'), prolongs: true },
  ])('moves the lease of what $what: $prolongs', async ({ by = 'one', afterMs = 50_000, and, prolongs }) => {
    const prefix = freshPrefix()
    await openWith({ prefix, attemptLeaseMs: 60_000 })
    const id = `${await accepted(store, { deliveries: [plan({ confirmTimeoutMs: 1_000 })] })}.0`
    await start(id)
    await and(id)
    const asking = await openTestStore(redis.url, { clock, prefix, attemptLeaseMs: 60_000, instance: by })
    clock.nowMs += afterMs
    await asking.prolong([id, `${freshId()}.0`, 'no-id'].map((one) => ({ id: one })))
    clock.nowMs += 59_000
    const isTakenBack = (await store.due(9)).includes(id)
    expect(!isTakenBack).toBe(prolongs)
    if (!prolongs) return
    clock.nowMs += 1_001
    await store.due(9)
    expect((await store.trace(id.split('.')[0]!))!.deliveries[0]!.attempts).toMatchObject([{ result: 'void' }])
  })

  it.each<[what: string, meant: number, prolongs: boolean]>([
    ['moves the lease by the token of the attempt that is under way', 1, true],
    ['moves none by the token of the attempt before that', 0, false],
  ])('%s', async (_, meant, prolongs) => {
    await openWith({ attemptLeaseMs: 60_000 })
    const id = `${await accepted(store, { deliveries: [plan({ confirmTimeoutMs: 1_000 })] })}.0`
    const [first] = await store.start([id], [])
    await end(id, 'retry')
    clock.nowMs += 1_000
    const [second] = await store.start([id], [])
    clock.nowMs += 50_000
    await store.prolong([[first!, second!][meant]!])
    clock.nowMs += 59_000
    expect(!(await store.due(9)).includes(id)).toBe(prolongs)
  })

  it('shortens none that is longer for its confirmation', async () => {
    await openWith({ attemptLeaseMs: 60_000 })
    const id = `${await accepted(store, { deliveries: [plan({ confirmTimeoutMs: 300_000 })] })}.0`
    await start(id)
    await store.prolong([{ id }])
    clock.nowMs += 329_000
    expect(await store.due(9)).toEqual([])
  })

  it('moves those of more than fit into one step', async () => {
    await openWith({ attemptLeaseMs: 60_000 })
    const one = await accepted(store, { deliveries: Array.from({ length: 600 }, () => plan()) })
    const ids = Array.from({ length: 600 }, (_, index) => `${one}.${index}`)
    expect(await start(...ids)).toHaveLength(600)
    clock.nowMs += 50_000
    await store.prolong(ids.map((one) => ({ id: one })))
    clock.nowMs += 59_000
    expect(await store.due(9)).toEqual([])
  })
})

describe('reclaim', () => {
  it('takes back what another process had under way, and leaves its own', async () => {
    const prefix = `reclaim-${process.pid}`
    await openWith({ prefix, instance: 'old' })
    const ids = [`${await accepted(store)}.0`, `${await accepted(store)}.0`, `${await accepted(store)}.0`]
    await start(ids[0]!, ids[1]!)
    const old = store
    store = await openTestStore(redis.url, { clock, prefix, instance: 'new' })
    await start(ids[2]!)
    expect(await store.reclaim()).toEqual({ deliveries: 2, dead: [] })
    expect(await store.reclaim()).toEqual({ deliveries: 0, dead: [] })
    expect((await store.due(9)).toSorted()).toEqual([ids[0], ids[1]])
    // The old process comes to life again, and is not heard.
    expect(await old.end({ id: ids[0]!, kind: 'delivered', record: record() })).toEqual([])
    expect(await stateOf(ids[0]!)).toBe('waiting')
    expect((await store.start([ids[0]!], []))[0]!.tries).toBe(1)
  })

  it('takes back more than one part holds', async () => {
    const prefix = `reclaim-many-${process.pid}`
    await openWith({ prefix, instance: 'old' })
    const deliveries = Array.from({ length: 1_203 }, (_, index) => plan({ to: `u${index}@x.example` }))
    const id = await accepted(store, { deliveries })
    await store.start(
      deliveries.map((_, index) => `${id}.${index}`),
      [],
    )
    store = await openTestStore(redis.url, { clock, prefix, instance: 'new' })
    expect(await store.reclaim()).toMatchObject({ deliveries: 1_203 })
    expect((await store.depth()).underWay).toBe(0)
  })
})

describe('the end of an attempt that is over', () => {
  async function begun(): Promise<StartedAttempt> {
    const id = `${await accepted(store, { deliveries: [plan({ lane: 'l' })] })}.0`
    return (await store.start([id], []))[0]!
  }

  it.each<[kind: string, how: { kind: 'retry'; uncounted?: true } | { kind: 'void'; closed?: true }]>([
    ['retry', { kind: 'retry' }],
    ['retry of a probe', { kind: 'retry', uncounted: true }],
    ['void', { kind: 'void' }],
    ['void with the stream closed', { kind: 'void', closed: true }],
  ])('changes nothing for the next one of the same process: %s, again after a lost reply', async (_, how) => {
    await openWith()
    const { id, token } = await begun()
    const behind = `${await accepted(store, { deliveries: [plan({ lane: 'l' })] })}.0`
    const end: AttemptEnd = { id, token: token!, ...how, dueAtMs: clock(), record: record() }
    await store.end(end)
    const [next] = await store.start([id], [])
    expect(await store.end(end)).toEqual([])
    expect(await store.start([id], []), 'two attempts would be outstanding').toEqual([])
    expect(await store.drop(id, 'in the way', 'ops'), 'the document is on its way').toBe('asked')
    await store.end({ id, token: next!.token!, kind: 'delivered', record: record() })
    expect(await stateOf(id)).toBe('delivered')
    expect(await start(behind)).toEqual([behind])
  })

  it('changes nothing where its lease ran out, and the next one is under way', async () => {
    await openWith()
    const { id, token } = await begun()
    clock.nowMs += 3_600_000
    await store.due(9)
    await start(id)
    expect(await store.end({ id, token: token!, kind: 'delivered', record: record() })).toEqual([])
    expect(await stateOf(id)).toBe('under way')
  })

  it.each<[told: string, hadIt: boolean]>([
    ['by its own token', true],
    ['by no token', true],
    ['by no token, and it never had one', false],
  ])("changes nothing for another process's: told %s", async (told, hadIt) => {
    const prefix = freshPrefix()
    await openWith({ prefix, instance: 'other' })
    const other = store
    store = await openTestStore(redis.url, { clock, prefix, instance: 'this' })
    const one = acceptance({ receivedAtMs: clock() })
    const id = `${one.envelope.id}.0`
    await store.accept([hadIt ? one : { ...one, begin: [0] }])
    const [its] = await other.start([id], [])
    await store.reclaim()
    await start(id)
    const token = told === 'by its own token' ? { token: its!.token! } : {}
    for (const kind of ['delivered', 'expired'] as const) await other.end({ id, ...token, kind, record: record() })
    expect(await stateOf(id)).toBe('under way')
  })

  it('with the process, of a suspect that is to be dropped, is the drop that was asked for', async () => {
    const prefix = freshPrefix()
    await openWith({ prefix, instance: 'p0' })
    const id = await deliveryThatIs('waiting')
    for (const instance of ['p1', 'p2', 'p3', 'p4']) {
      if (instance === 'p4') {
        await store.startSuspect()
        expect(await store.drop(id, 'not wanted', 'ops')).toBe('asked')
      } else await store.start([id], [])
      store = await openTestStore(redis.url, { clock, prefix, instance })
      expect(await store.reclaim()).toEqual({ deliveries: 1, dead: [] })
    }
    expect(await stateOf(id)).toBe('dropped')
  })

  it('that is told to be cleared leaves the next one alone', async () => {
    const prefix = freshPrefix()
    await openWith({ prefix, instance: 'p0' })
    const id = await deliveryThatIs('waiting')
    for (const instance of ['p1', 'p2', 'p3']) {
      await store.start([id], [])
      store = await openTestStore(redis.url, { clock, prefix, instance })
      await store.reclaim()
    }
    const first = (await store.startSuspect())!
    await store.end({ id, token: first.token!, kind: 'void', dueAtMs: clock(), record: record('void') })
    await store.startSuspect()
    await store.cleared(first)
    store = await openTestStore(redis.url, { clock, prefix, instance: 'p4' })
    expect(await store.reclaim(), 'it was alone when the process died').toEqual({ deliveries: 1, dead: [id] })
  })

  it('is taken for whichever is under way, where it is not said which it was', async () => {
    await openWith()
    const { id } = await begun()
    await store.end({ id, kind: 'delivered', record: record() })
    expect(await stateOf(id)).toBe('delivered')
  })
})

describe('bounce', () => {
  it.each([
    ['erp@backend.example', 'erp@backend.example', true],
    ['erp@backend.example', 'erp@backend.example/phone', true],
    ['erp@backend.example/pc', 'erp@backend.example', true],
    ['erp@backend.example/pc', 'erp@backend.example/pc', true],
    ['erp@backend.example/pc', 'erp@backend.example/phone', false],
    ['erp@backend.example', 'backend.example', false],
    ['erp@backend.example', 'eve@backend.example', false],
    ['xmpp:p.example?;node=n', 'p.example', true],
    ['xmpp:p.example?;node=n', 'q.example', false],
  ])('of a delivery to %s from %s counts: %s', async (to, from, counts) => {
    await openWith()
    const id = `${await accepted(store, { deliveries: [plan({ to })] })}.0`
    await start(id)
    await end(id)
    expect(await store.bounce(id, from, { dueAtMs: clock() }, record())).toBe(counts)
  })

  it.each([
    [false, true],
    [true, false],
  ])('of what its receiver has answered (%s) counts: %s', async (proven, counts) => {
    await openWith()
    const envelopeId = await accepted(store, { deliveries: [plan(), plan({ to: 'other@x.example' })] })
    const id = `${envelopeId}.0`
    await start(id)
    await store.end({ id, kind: 'delivered', record: record(), ...(proven && { proven }) })
    expect(await store.bounce(id, 'erp@backend.example', { dueAtMs: clock() }, record())).toBe(counts)
  })

  it('is judged by how far the delivery has come', async () => {
    await openWith()
    const receivedAtMs = clock() - 5
    const id = `${await accepted(store, { receivedAtMs })}.0`
    await start(id)
    await end(id)
    expect(await store.progress(id)).toEqual({
      destination: 'erp@backend.example',
      retry: 'default',
      tries: 1,
      sinceMs: receivedAtMs,
      receivedAtMs,
    })
    await store.bounce(id, 'erp@backend.example', { dead: 'bounced' }, record())
    await store.redrive(id, BY)
    expect(await store.progress(id)).toMatchObject({ tries: 0, sinceMs: clock(), receivedAtMs })
    expect(await store.progress(`${id}1`)).toBeUndefined()
    expect(await store.progress('nonsense')).toBeUndefined()
  })

  it('done again after a lost reply changes nothing, also where it has been delivered once more', async () => {
    await openWith()
    const id = await deliveryThatIs('delivered')
    const bounce = (token: string) =>
      store.bounce(id, 'erp@backend.example', { dueAtMs: clock() }, record('bounced'), token)
    const standing = async () => (await store.trace(id.split('.')[0]!))!.deliveries[0]!
    expect(await bounce('a')).toBe(true)
    const reopened = await standing()
    expect(await bounce('a')).toBe(true)
    expect(await standing()).toEqual(reopened)
    expect(await bounce('b'), 'it is waiting').toBe(false)
    await start(id)
    await end(id)
    expect(await bounce('a')).toBe(true)
    expect(await standing()).toMatchObject({ state: 'delivered' })
    expect(await bounce('c'), 'and that has come back as well').toBe(true)
  })

  it('corrects the ledger within the window only', async () => {
    await openWith()
    const id = await deliveryThatIs('delivered')
    clock.nowMs += 10_001
    expect(await store.bounce(id, 'erp@backend.example', { dead: 'bounced' }, record())).toBe(false)
    clock.nowMs -= 1
    expect(await store.bounce(id, 'erp@backend.example', { dead: 'bounced' }, record())).toBe(true)
    expect((await store.ledger()).documents).toMatchObject({ delivered: 0, dead: 1 })
    expect(await store.dead({})).toMatchObject([{ id, reason: 'bounced', tries: 1 }])
  })
})

describe('the state of a document', () => {
  it.each([
    [['delivered', 'delivered'], 'delivered'],
    [['delivered', 'dropped'], 'dropped'],
    [['dropped', 'expired'], 'expired'],
    [['expired', 'dead'], 'dead'],
    [['dead', 'waiting'], 'waiting'],
    [['dropped', 'dropped'], 'dropped'],
  ])('with deliveries that are %j is %s', async (states, state) => {
    await openWith()
    const id = await accepted(store, { deliveries: states.map((_, index) => plan({ to: `u${index}@x.example` })) })
    for (const [index, wanted] of states.entries()) {
      const delivery = `${id}.${index}`
      if (wanted === 'waiting') continue
      if (wanted === 'dropped') await store.drop(delivery, 'x', 'y')
      else {
        await start(delivery)
        await end(delivery, wanted as AttemptEnd['kind'])
      }
    }
    expect((await store.trace(id))!.state).toBe(state)
    expect((await store.ledger()).types).toMatchObject({ order: { accepted: 1, [state]: 1 } })
  })
})

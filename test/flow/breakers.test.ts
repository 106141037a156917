import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { OpenBreaker } from '../../src/domain/breaker.ts'
import type { AttemptOutcome } from '../../src/domain/delivery.ts'
import { type Answer, defaultPolicy, type RetryPolicy } from '../../src/domain/retry.ts'
import { type StartedAttempt, StoreUnavailable } from '../../src/flow/ports.ts'
import type { RedisStore } from '../../src/redis/store.ts'
import { eventually } from '../eventually.ts'
import { accepted, balances, closeStores, freshPrefix, type PlanChanges, plan, setClock } from '../redis/fixtures.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { ERP, type Flow, type FlowChanges, flowOn } from './rooms.ts'

let redis: RunningRedis

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(async () => {
  await redis.stop()
})
afterEach(closeStores)

const OTHER = 'xmpp:p.example?;node=n'
const delivered: AttemptOutcome = { kind: 'delivered', proof: 'result' }
const away: Answer = { condition: 'remote-server-not-found', type: 'cancel', text: 'nobody is there' }
const unwanted: Answer = { condition: 'bad-request', type: 'modify', text: 'not this' }
const refusedWith = (answer: Answer): AttemptOutcome => ({ kind: 'refused', answer })
const nameOf = ({ destination }: StartedAttempt) => (destination.kind === 'jid' ? destination.jid : OTHER)
const isDown = (attempt: StartedAttempt) => (nameOf(attempt) === ERP ? refusedWith(away) : delivered)
/** Three failures open it. */
const brittle: RetryPolicy = { ...defaultPolicy, breaker: { failures: 3, firstMs: 1_000, maxMs: 60_000 } }

async function flowWith(changes: FlowChanges = {}): Promise<Flow> {
  const flow = await flowOn(redis.url, { policies: [brittle], ...changes })
  flow.outcome = isDown
  return flow
}

async function given(flow: Flow, count: number, changes: PlanChanges = {}): Promise<string[]> {
  const ids: string[] = []
  for (let n = 0; n < count; n++) {
    const id = await accepted(flow.store, { deliveries: [plan(changes)], receivedAtMs: flow.clock() })
    ids.push(`${id}.0`)
  }
  return ids
}

async function traceOf(flow: Flow, id: string) {
  return (await flow.store.trace(id.split('.')[0]!))!.deliveries[0]!
}

/** The world's workers, for so many seconds: what is woken for is delivered, and the sweeper passes every second. */
async function pass(flow: Flow, seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    flow.clock.nowMs += 1_000
    await flow.deliverer.sweep()
    await work(flow)
  }
}

async function work(flow: Flow): Promise<void> {
  while (flow.wakes.length > 0) {
    const wakes = flow.wakes.splice(0)
    await flow.deliverer.deliver(wakes.filter(({ delayMs }) => delayMs === 0).flatMap(({ ids }) => ids))
    await flow.deliverer.idle()
  }
  await flow.deliverer.idle()
}

/** The given deliveries are tried; gives them when the destination is open. */
async function opened(flow: Flow, count = 10, changes: PlanChanges = {}): Promise<string[]> {
  const ids = await given(flow, count, changes)
  for (const id of ids.slice(0, 3)) await flow.deliverer.deliver([id])
  await flow.deliverer.idle()
  await flow.deliverer.deliver(ids)
  await flow.deliverer.idle()
  expect(flow.deliverer.open.has(ERP)).toBe(true)
  return ids
}

describe('a destination that keeps failing', () => {
  it('is open after so many failures in a row, and somebody is told once', async () => {
    const flow = await flowWith()
    await opened(flow)
    await pass(flow, 30)
    expect(flow.alarms).toEqual([
      `open ${ERP}: ${ERP} has failed 3 times in a row: remote-server-not-found (nobody is there). ` +
        'What goes there waits, and is probed by one at a time. See: waybill doctor DIR',
    ])
    expect(flow.counted.filter((line) => line === 'breaker open')).toHaveLength(1)
    expect(await flow.store.openDestinations()).toMatchObject([
      { destination: ERP, waiting: 10, breaker: { condition: 'remote-server-not-found', probes: 4 } },
    ])
  })

  it('gets one probe at a time, at growing intervals', async () => {
    const flow = await flowWith()
    await opened(flow)
    const sentBefore = flow.sent.length
    const at: number[] = []
    const openedAtMs = flow.clock()
    for (let second = 1; second <= 200; second++) {
      const before = flow.sent.length
      await pass(flow, 1)
      expect(flow.sent.length - before).toBeLessThanOrEqual(1)
      if (flow.sent.length > before) at.push((flow.clock() - openedAtMs) / 1_000)
    }
    expect(at).toEqual([1, 3, 7, 15, 31, 63, 123, 183])
    expect(flow.sent.slice(sentBefore).every(({ probe }) => probe)).toBe(true)
    expect(new Set(flow.sent.slice(sentBefore).map(({ id }) => id)).size, 'they take turns').toBe(8)
  })

  it('burns no try of what waits for it, nor of what probes it', async () => {
    const flow = await flowWith()
    const ids = await opened(flow)
    await pass(flow, 3_600)
    const tries = await Promise.all(ids.map(async (id) => (await traceOf(flow, id)).tries))
    expect(tries).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 0, 0])
    const { attempts } = await traceOf(flow, ids[5]!)
    expect(attempts.length).toBeGreaterThan(1)
    expect(attempts.every(({ result }) => result === 'remote-server-not-found')).toBe(true)
  })

  it('lets everything go on at once when a probe is answered, whatever the pause of each', async () => {
    const flow = await flowWith({ policies: [{ ...brittle, backoff: { ...brittle.backoff, firstMs: 300_000 } }] })
    const ids = await opened(flow, 50)
    await pass(flow, 20)
    flow.outcome = () => delivered
    const before = flow.clock()
    while (flow.deliverer.open.size > 0) await pass(flow, 1)
    await eventually(async () => {
      await work(flow)
      return (await flow.store.ledger()).deliveries.delivered === ids.length
    })
    expect(flow.clock() - before).toBeLessThanOrEqual(16_000)
    expect(await flow.store.openDestinations()).toEqual([])
    expect(flow.counted.filter((line) => line === 'breaker closed')).toHaveLength(1)
    expect(await balances(flow.store)).toEqual([])
  })

  it('holds back nobody else', async () => {
    const flow = await flowWith()
    await opened(flow)
    const others = await given(flow, 20, { to: OTHER })
    await flow.deliverer.deliver(others)
    await flow.deliverer.idle()
    expect((await flow.store.ledger()).deliveries.delivered).toBe(20)
  })

  it('shows what waits for it in the trace', async () => {
    const flow = await flowWith()
    const ids = await opened(flow)
    expect(await traceOf(flow, ids[9]!)).toMatchObject({
      state: 'waiting',
      open: { condition: 'remote-server-not-found', text: 'nobody is there' },
    })
    const [elsewhere] = await given(flow, 1, { to: OTHER })
    expect(await traceOf(flow, elsewhere!)).not.toHaveProperty('open')
  })

  it('keeps the order of what waits for it', async () => {
    const flow = await flowWith()
    const lanes = { a: await given(flow, 6, { lane: 'a' }), b: await given(flow, 6, { lane: 'b' }) }
    while (!flow.deliverer.open.has(ERP)) await pass(flow, 1)
    await pass(flow, 40)
    const [{ waiting } = { waiting: 0 }] = await flow.store.openDestinations()
    expect(waiting, 'those behind the first of their lane are counted').toBe(12)
    expect((await flow.store.lanes()).map(({ id, waiting }) => ({ id, waiting }))).toEqual([
      { id: lanes.a[0], waiting: 5 },
      { id: lanes.b[0], waiting: 5 },
    ])
    flow.outcome = () => delivered
    while ((await flow.store.ledger()).deliveries.delivered < 12) await pass(flow, 1)
    const arrived = flow.sent.slice(-12).map(({ id }) => id)
    for (const lane of [lanes.a, lanes.b]) expect(arrived.filter((id) => lane.includes(id))).toEqual(lane)
  })

  it('opens for no policy that opens none', async () => {
    const flow = await flowWith({ policies: [{ ...brittle, breaker: { ...brittle.breaker, failures: 0 } }] })
    const ids = await given(flow, 20)
    await flow.deliverer.deliver(ids)
    await flow.deliverer.idle()
    expect(flow.deliverer.open.size).toBe(0)
    expect(flow.sent).toHaveLength(20)
  })
})

describe('with 5,000 deliveries for a destination that is down', () => {
  it('the work is small for as long as it is, and all arrive when it is back', { timeout: 60_000 }, async () => {
    const calls = new Map<string, number>()
    const flow = await flowWith({
      between: (store) => counting(store, calls),
      places: { all: 2_048, perDestination: 100 },
    })
    const ids = await given(flow, 5_000)
    for (let first = 0; first < ids.length; first += 100) await flow.deliverer.deliver(ids.slice(first, first + 100))
    await work(flow)
    expect(flow.sent.length, 'those that were under way when it was found to fail').toBeLessThanOrEqual(300)
    await pass(flow, 11)

    const sentBefore = flow.sent.length
    const writesBefore = await writesOf(redis.url)
    calls.clear()
    await pass(flow, 300)
    const probes = flow.sent.length - sentBefore
    expect(probes).toBeLessThanOrEqual(7)
    const eachSecond = { expire: 300, due: 300, lapse: 300, startSuspect: 300 }
    expect(calls.get('openBreakers'), 'once a minute').toBeLessThanOrEqual(6)
    calls.delete('openBreakers')
    expect(Object.fromEntries(calls)).toEqual({ ...eachSecond, probes, start: probes, end: probes, keepOpen: probes })
    expect((await writesOf(redis.url)) - writesBefore, 'writes of all kinds').toBeLessThanOrEqual(probes * 30)

    flow.outcome = () => delivered
    while (flow.deliverer.open.size > 0) await pass(flow, 1)
    const backAtMs = flow.clock()
    await eventually(
      async () => {
        await work(flow)
        await pass(flow, 1)
        return (await flow.store.ledger()).deliveries.delivered === ids.length
      },
      { timeoutMs: 30_000 },
    )
    expect(flow.clock() - backAtMs).toBeLessThanOrEqual(60_000)
    expect(await balances(flow.store)).toEqual([])
  })
})

describe('what waits for an open destination', () => {
  it('is given up when its policy says so, with the reason, the last error, and an alarm', async () => {
    const hasty = { ...brittle, name: 'hasty', giveUpAfterMs: 100_000 }
    const flow = await flowWith({ policies: [brittle, hasty] })
    await opened(flow)
    const deliveries = [{ ...plan(), options: { ...plan().options, retry: 'hasty' } }]
    const id = `${await accepted(flow.store, { deliveries, receivedAtMs: flow.clock() })}.0`
    await flow.deliverer.deliver([id])
    await pass(flow, 98)
    expect(await traceOf(flow, id)).toMatchObject({ state: 'waiting' })
    await pass(flow, 3)
    const { state, reason, attempts } = await traceOf(flow, id)
    expect({ state, reason, last: attempts.at(-1) }).toMatchObject({
      state: 'dead',
      reason: 'too-late',
      last: {
        result: 'remote-server-not-found',
        text: 'No try was made in time: the destination was open. Its last error: nobody is there',
      },
    })
    expect((await flow.store.dead({}))[0]).toMatchObject({ id, condition: 'remote-server-not-found' })
    expect(flow.counted).toContain('ended dead too-late')
    expect(flow.alarms.at(-1)).toMatch(/^too-late erp@backend\.example remote-server-not-found: gave up a delivery to /)
    expect(await balances(flow.store)).toEqual([])
  })

  it('is given up by the time since it was redriven', async () => {
    const flow = await flowWith({ policies: [{ ...brittle, giveUpAfterMs: 100_000 }] })
    await opened(flow)
    const [id] = await given(flow, 1)
    await pass(flow, 105)
    expect(await traceOf(flow, id!)).toMatchObject({ state: 'dead', reason: 'too-late' })
    await flow.operations.redrive(id!, { by: 'ops' })
    await pass(flow, 50)
    expect(await traceOf(flow, id!)).toMatchObject({ state: 'waiting' })
    await pass(flow, 55)
    expect(await traceOf(flow, id!)).toMatchObject({ state: 'dead', reason: 'too-late' })
  })

  it('lets those behind it in the order wait on when it is given up', async () => {
    const flow = await flowWith({ policies: [{ ...brittle, giveUpAfterMs: 100_000 }] })
    const [first] = await given(flow, 1, { lane: 'a' })
    flow.clock.nowMs += 50_000
    const [second] = await given(flow, 1, { lane: 'a' })
    await pass(flow, 55)
    expect(await traceOf(flow, first!)).toMatchObject({ state: 'dead', reason: 'too-late' })
    expect(await traceOf(flow, second!)).toMatchObject({ state: 'waiting' })
    flow.outcome = () => delivered
    await pass(flow, 40)
    expect(await traceOf(flow, second!)).toMatchObject({ state: 'delivered' })
  })

  it('expires at its time', async () => {
    const flow = await flowWith()
    await opened(flow)
    const [id] = await given(flow, 1, { expiresMs: 20_000 })
    await flow.deliverer.deliver([id!])
    await pass(flow, 25)
    expect(await traceOf(flow, id!)).toMatchObject({ state: 'expired', reason: 'expired' })
    expect(await balances(flow.store)).toEqual([])
  })

  it('can be dropped', async () => {
    const flow = await flowWith()
    const ids = await opened(flow)
    await flow.store.drop(ids[5]!, 'not wanted', 'ops')
    expect((await flow.store.openDestinations())[0]).toMatchObject({ waiting: 9 })
    expect(await traceOf(flow, ids[5]!)).toMatchObject({ state: 'dropped' })
  })
})

describe('a probe', () => {
  const outcomes: readonly (readonly [what: string, outcome: AttemptOutcome, closes: boolean])[] = [
    ['that is refused for good closes it: it is there, and says no to one document', refusedWith(unwanted), true],
    ['that is void says nothing, and the next one goes at once', { kind: 'void', reason: 'closed' }, false],
    [
      'that can not be written says nothing, and the next one goes at once',
      { kind: 'unsendable', reason: 'too-large', text: 'large' },
      false,
    ],
  ]
  it.each(outcomes)('%s', async (_, outcome, closes) => {
    const flow = await flowWith()
    await opened(flow)
    flow.outcome = () => outcome
    const at = flow.sent.length
    await pass(flow, 1)
    expect(flow.deliverer.open.has(ERP)).toBe(!closes)
    const { id: probe } = flow.sent[at]!
    if (closes) expect(flow.sent.slice(at).filter(({ id }) => id === probe)).toHaveLength(1)
    const before = flow.sent.length
    await pass(flow, 1)
    if (!closes) expect(flow.sent.length - before).toBe(1)
  })

  it('that we fail to make is followed by another', async () => {
    const flow = await flowWith()
    await opened(flow)
    flow.outcome = () => {
      throw new Error('a fault')
    }
    await pass(flow, 1)
    flow.outcome = () => delivered
    await pass(flow, 1)
    expect(flow.deliverer.open.size).toBe(0)
  })
})

describe('bounces that come after the hand-over', () => {
  const handedOver: AttemptOutcome = { kind: 'delivered', proof: 'handed-over' }

  async function bouncing() {
    const flow = await flowWith()
    flow.outcome = () => handedOver
    const ids = await given(flow, 20)
    await flow.deliverer.deliver(ids)
    await flow.deliverer.idle()
    for (const id of ids.slice(0, 3)) await flow.deliverer.bounced(id, ERP, away)
    expect(flow.deliverer.open.has(ERP)).toBe(true)
    for (const id of ids.slice(3)) await flow.deliverer.bounced(id, ERP, away)
    return { flow, ids }
  }

  it('open a destination, and a hand-over alone does not close it', async () => {
    const { flow, ids } = await bouncing()
    const before = flow.sent.length
    for (let second = 0; second < 120; second++) {
      await pass(flow, 1)
      for (const { id } of flow.sent.slice(before)) await flow.deliverer.bounced(id, ERP, away)
    }
    expect(flow.deliverer.open.has(ERP)).toBe(true)
    expect(flow.sent.length - before).toBeLessThanOrEqual(7)
    const tries = await Promise.all(ids.map(async (id) => (await traceOf(flow, id)).tries))
    expect(tries, 'nor does a probe that bounces burn a try').toEqual(ids.map(() => 1))
  })

  it('that come no more close it, a while after the hand-over of a probe', async () => {
    const { flow, ids } = await bouncing()
    await pass(flow, 12)
    expect(flow.deliverer.open.size).toBe(0)
    await work(flow)
    expect((await flow.store.ledger()).deliveries.delivered).toBe(ids.length)
  })
})

describe('what is known of an open destination', () => {
  it('is known to the next process, which goes on probing', async () => {
    const prefix = freshPrefix()
    const first = await flowWith({ storeOptions: { prefix } })
    const ids = await opened(first)
    await pass(first, 8)
    const [{ breaker } = { breaker: undefined }] = await first.store.openDestinations()
    // It was killed while it probed.
    await first.store.keepOpen([{ destination: ERP, breaker: { ...breaker!, probing: ids[5]! } }])
    const clock = setClock(first.clock())
    const second = await flowOn(redis.url, { policies: [brittle], storeOptions: { prefix, instance: 'two' } })
    second.clock.nowMs = clock()
    await second.deliverer.reclaim()
    expect([...second.deliverer.open.keys()]).toEqual([ERP])
    expect(second.sent).toEqual([])
    while (second.deliverer.open.size > 0) await pass(second, 1)
    await work(second)
    expect((await second.store.ledger()).deliveries.delivered).toBe(ids.length)
    expect(second.clock() - clock()).toBeLessThanOrEqual(8_000)
  })

  it('is let go by the next process where no policy opens anything any more', async () => {
    const prefix = freshPrefix()
    const first = await flowWith({ storeOptions: { prefix } })
    const ids = await opened(first)
    const policies = [{ ...brittle, breaker: { ...brittle.breaker, failures: 0 } }]
    const second = await flowOn(redis.url, { policies, storeOptions: { prefix, instance: 'two' } })
    second.clock.nowMs = first.clock()
    await second.deliverer.reclaim()
    await pass(second, 2)
    expect(await second.store.openDestinations()).toEqual([])
    expect((await second.store.ledger()).deliveries.delivered).toBe(ids.length)
  })

  it('is forgotten an hour after the last failure where nothing waits', async () => {
    const flow = await flowWith()
    const ids = await opened(flow)
    for (const id of ids) await flow.store.drop(id, 'not wanted', 'ops')
    await pass(flow, 3_500)
    expect(flow.deliverer.open.size).toBe(1)
    await pass(flow, 200)
    expect(flow.deliverer.open.size).toBe(0)
    expect(await flow.store.openDestinations()).toEqual([])
  })

  it('is written down later where Redis was away, and nothing that waits is lost while it is let go', async () => {
    let isAway = true
    let isInterrupted = false
    const fail = () => Promise.reject(new StoreUnavailable('away'))
    const between = (store: RedisStore): RedisStore => ({
      ...store,
      keepOpen: (open) => (isAway ? fail() : store.keepOpen(open)),
      letGo: (destination) => (isInterrupted ? fail() : store.letGo(destination)),
    })
    const flow = await flowWith({ between })
    const ids = await opened(flow)
    await flow.deliverer.sweep().catch(() => {})
    expect(await flow.store.openDestinations()).toEqual([])
    isAway = false
    await pass(flow, 1)
    expect(await flow.store.openDestinations()).toHaveLength(1)
    isInterrupted = true
    flow.outcome = () => delivered
    for (let second = 0; second < 10; second++) await pass(flow, 1).catch(() => {})
    expect(flow.deliverer.open.size).toBe(0)
    expect(await flow.store.openDestinations()).toHaveLength(1)
    isInterrupted = false
    await pass(flow, 2)
    expect((await flow.store.ledger()).deliveries.delivered).toBe(ids.length)
    expect(await flow.store.openDestinations()).toEqual([])
  })
})

describe('what Redis holds open', () => {
  const HOUR_S = 3_600
  const down = () => Promise.reject(new StoreUnavailable('away'))

  /** All of it arrives once the destination is there. */
  async function arrives(flow: Flow, seconds = HOUR_S): Promise<void> {
    flow.outcome = () => delivered
    for (let second = 0; second < seconds; second++) {
      await pass(flow, 1)
      const { waiting } = (await flow.store.ledger()).deliveries
      if (waiting === 0) break
    }
    expect((await flow.store.ledger()).deliveries.waiting).toBe(0)
    expect(await flow.store.openDestinations()).toEqual([])
    expect(await balances(flow.store)).toEqual([])
  }

  const known: OpenBreaker = {
    kind: 'open',
    sinceMs: 1,
    failedAtMs: 1,
    condition: 'remote-server-not-found',
    text: 'nobody is there',
    probes: 3,
    nextProbeMs: 1,
    firstMs: 1_000,
    maxMs: 60_000,
    late: false,
  }

  it('is not what a process found that lost its domain before it could write it', async () => {
    const prefix = freshPrefix()
    let cut = false
    const between = (store: RedisStore): RedisStore => ({
      ...store,
      keepOpen: (open) => (cut ? down() : store.keepOpen(open)),
    })
    const former = await flowWith({ between, storeOptions: { prefix, instance: 'former' } })
    cut = true
    await opened(former, 3)
    former.held = false
    const next = await flowOn(redis.url, { policies: [brittle], storeOptions: { prefix, instance: 'next' } })
    await next.deliverer.reclaim()
    cut = false
    await former.deliverer.sweep()
    expect(former.deliverer.open.size).toBe(0)
    former.held = true
    await former.deliverer.sweep()
    expect(await next.store.openDestinations()).toEqual([])
    await given(next, 1)
    await arrives(next)
  })

  it('is not closed by a process that lost its domain before it had let all go', async () => {
    const prefix = freshPrefix()
    let cut = false
    const between = (store: RedisStore): RedisStore => ({
      ...store,
      letGo: (destination) => (cut ? down() : store.letGo(destination)),
    })
    const former = await flowWith({ between, storeOptions: { prefix, instance: 'former' } })
    await opened(former)
    cut = true
    former.outcome = () => delivered
    for (let second = 0; second < 3; second++) await pass(former, 1).catch(() => {})
    expect(former.deliverer.open.size).toBe(0)
    former.held = false
    cut = false
    await former.deliverer.sweep()
    expect(await former.store.openDestinations()).toHaveLength(1)
  })

  it('is taken up within a minute by a holder that did not know of it', async () => {
    const flow = await flowWith()
    await pass(flow, 1)
    await flow.store.keepOpen([{ destination: ERP, breaker: known }])
    await given(flow, 5)
    await pass(flow, 60)
    expect([...flow.deliverer.open.keys()]).toEqual([ERP])
    expect(flow.lines).toContainEqual({ level: 'warn', event: 'destinations-open', details: { destinations: 1 } })
    await arrives(flow, 120)
  })

  it('and was being let go is let go within a minute by a holder that did not know of it', async () => {
    const flow = await flowWith()
    await pass(flow, 1)
    const ids = await given(flow, 600)
    await flow.store.keepOpen([{ destination: ERP, breaker: known }])
    for (let first = 0; first < ids.length; first += 100) await flow.deliverer.deliver(ids.slice(first, first + 100))
    expect(await flow.store.letGo(ERP)).toMatchObject({ more: true })
    await arrives(flow, 61)
  })

  it('is written again within a minute where Redis has lost it, and burns no tries from then on', async () => {
    const flow = await flowWith()
    await opened(flow)
    while ((await flow.store.letGo(ERP)).more);
    await pass(flow, 62)
    expect(await flow.store.openDestinations()).toMatchObject([{ destination: ERP }])
    const sentBefore = flow.sent.length
    await pass(flow, 300)
    expect(flow.sent.slice(sentBefore).every(({ probe }) => probe)).toBe(true)
  })

  it('stays known where it could not be asked for, and goes on', async () => {
    let cut = false
    const between = (store: RedisStore): RedisStore => ({
      ...store,
      openBreakers: () => (cut ? down() : store.openBreakers()),
    })
    const flow = await flowWith({ between })
    await opened(flow)
    cut = true
    await expect(flow.deliverer.reclaim()).rejects.toThrow(StoreUnavailable)
    cut = false
    await arrives(flow)
  })
})

function counting(store: RedisStore, calls: Map<string, number>): RedisStore {
  return new Proxy(store, {
    get(target, name, receiver) {
      const value = Reflect.get(target, name, receiver)
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        calls.set(String(name), (calls.get(String(name)) ?? 0) + 1)
        return value.apply(target, args)
      }
    },
  })
}

/** Commands of scripts and clients that write, since the start of Redis. */
async function writesOf(url: string): Promise<number> {
  const client = new Redis(url)
  try {
    const stats = await client.info('commandstats')
    const counts = [...stats.matchAll(/^cmdstat_(?:hset|hdel|zadd|zrem|hincrby|set|unlink):calls=(\d+)/gm)]
    return counts.reduce((sum, [, count]) => sum + Number(count), 0)
  } finally {
    client.disconnect()
  }
}

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AttemptOutcome } from '../../src/domain/delivery.ts'
import { type Answer, defaultPolicy, type RetryPolicy } from '../../src/domain/retry.ts'
import { StoreUnavailable } from '../../src/flow/ports.ts'
import type { RedisStore } from '../../src/redis/store.ts'
import { eventually } from '../eventually.ts'
import { accepted, closeStores, keepLog, plan } from '../redis/fixtures.ts'
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

const delivered: AttemptOutcome = { kind: 'delivered', proof: 'result' }
const restarting: Answer = { condition: 'remote-server-timeout', type: 'wait', text: 'it restarts' }
const forbidden: Answer = { condition: 'forbidden', type: 'auth', text: 'not you' }
const unwanted: Answer = { condition: 'bad-request', type: 'modify', text: 'not this' }
const refusedWith = (answer: Answer): AttemptOutcome => ({ kind: 'refused', answer })
const twoTries: RetryPolicy = { ...defaultPolicy, name: 'two-tries', deliveries: 2 }

function retrying(retry: string) {
  const one = plan()
  return { ...one, options: { ...one.options, retry } }
}

/** Accepts a document for ERP, or for whom else is said; gives the ids of its deliveries. */
async function given(flow: Flow, ...to: readonly string[]): Promise<string[]> {
  const deliveries = to.length === 0 ? [plan()] : to.map((name) => plan({ to: name }))
  const id = await accepted(flow.store, { deliveries, receivedAtMs: flow.clock() })
  return deliveries.map((_, index) => `${id}.${index}`)
}

async function stateOf(flow: Flow, id: string) {
  const trace = await flow.store.trace(id.split('.')[0]!)
  return trace!.deliveries[Number(id.split('.')[1])]!
}

/** Begins what is told and waits for the end of it. */
async function deliver(flow: Flow, ids: readonly string[]): Promise<void> {
  await flow.deliverer.deliver(ids)
  await flow.deliverer.idle()
}

/** Accepts so many documents for a node that takes `latencyMs` for each of the few that it is given at once. */
async function slowNode(latencyMs: number, count: number) {
  const { log, lines } = keepLog()
  const flow = await flowOn(redis.url, { storeOptions: { log } })
  const waiting: (() => void)[] = []
  const underWay: { readonly endsAtMs: number; readonly end: () => void }[] = []
  const published: string[] = []
  flow.outcome = ({ id }) =>
    new Promise((end) => {
      waiting.push(() => {
        published.push(id)
        underWay.push({ endsAtMs: flow.clock() + latencyMs, end: () => end(delivered) })
      })
    })
  const ids: string[] = []
  for (let n = 0; n < count; n++) ids.push(...(await given(flow, 'xmpp:p.example?;node=n')))
  async function pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      flow.clock.nowMs += 1_000
      while (underWay[0] && underWay[0].endsAtMs <= flow.clock()) underWay.shift()!.end()
      while (underWay.length < 2 && waiting.length > 0) waiting.shift()!()
      await flow.deliverer.sweep()
      for (const { ids: woken } of flow.wakes.splice(0)) await flow.deliverer.deliver(woken)
    }
  }
  const ranOut = () => lines.filter(({ event }) => event === 'leases-ran-out').length
  return { flow, ids, pass, published, ranOut }
}

interface Case {
  readonly what: string
  readonly outcome: AttemptOutcome
  readonly state: string
  readonly result: string
  readonly reason?: string
  readonly counted: readonly string[]
  readonly alarms?: number
  readonly wakes?: readonly number[]
}

const outcomes: readonly Case[] = [
  { what: 'a proof', outcome: delivered, state: 'delivered', result: 'result', counted: ['ended delivered'] },
  {
    what: 'an error that passes',
    outcome: refusedWith(restarting),
    state: 'waiting',
    result: 'remote-server-timeout',
    counted: [],
    wakes: [1_000],
  },
  {
    what: 'an error that only a setting can cure',
    outcome: refusedWith(forbidden),
    state: 'dead',
    result: 'forbidden',
    reason: 'refused',
    counted: ['ended dead refused'],
    alarms: 1,
  },
  {
    what: 'an error of the document',
    outcome: refusedWith(unwanted),
    state: 'dead',
    result: 'bad-request',
    reason: 'refused',
    counted: ['ended dead refused'],
  },
  {
    what: 'the loss of the connection',
    outcome: { kind: 'void', reason: 'closed' },
    state: 'waiting',
    result: 'void',
    counted: [],
  },
  {
    what: 'what can not be written',
    outcome: { kind: 'unsendable', reason: 'too-large', text: 'it has 300000 bytes' },
    state: 'dead',
    result: 'too-large',
    reason: 'too-large',
    counted: ['ended dead too-large'],
    alarms: 1,
  },
  {
    what: 'its time over while it waited to be written',
    outcome: { kind: 'expired' },
    state: 'expired',
    result: 'expired',
    reason: 'expired',
    counted: ['ended expired'],
  },
]

describe('an attempt', () => {
  it.each(outcomes)('that ends with $what is written down', async (one) => {
    const flow = await flowOn(redis.url)
    flow.outcome = () => one.outcome
    const [id] = await given(flow)
    await deliver(flow, [id!])
    const { state, reason, attempts } = await stateOf(flow, id!)
    expect({ state, reason, results: attempts.map(({ result }) => result) }).toEqual({
      state: one.state,
      reason: one.reason,
      results: [one.result],
    })
    expect(flow.counted).toEqual([`attempt ${one.result}`, ...one.counted])
    expect(flow.alarms).toHaveLength(one.alarms ?? 0)
    expect(flow.wakes.map(({ delayMs }) => delayMs)).toEqual(one.wakes ?? [])
  })

  it('is recorded before it is made', async () => {
    const flow = await flowOn(redis.url)
    let seen: unknown
    flow.outcome = async ({ id }) => {
      seen = (await stateOf(flow, id)).attempts
      return delivered
    }
    await deliver(flow, await given(flow))
    expect(seen).toMatchObject([{ result: 'under way' }])
  })

  it('is made once, however often the delivery is woken', async () => {
    const flow = await flowOn(redis.url)
    const [id] = await given(flow)
    await Promise.all([1, 2, 3].map(() => flow.deliverer.deliver([id!, id!])))
    await flow.deliverer.idle()
    await deliver(flow, [id!])
    expect(flow.sent).toHaveLength(1)
  })

  it('frees the next one of its lane', async () => {
    const flow = await flowOn(redis.url)
    const lane = plan({ lane: 'sender a' })
    const [first, second] = [
      await accepted(flow.store, { deliveries: [lane] }),
      await accepted(flow.store, { deliveries: [lane] }),
    ]
    await deliver(flow, [`${second}.0`])
    expect(flow.sent).toEqual([])
    await deliver(flow, [`${first}.0`])
    expect(flow.wakes).toEqual([{ ids: [`${second}.0`], delayMs: 0 }])
  })

  it('is not begun while the connection is away', async () => {
    const flow = await flowOn(redis.url)
    flow.online = false
    const [id] = await given(flow)
    await deliver(flow, [id!])
    expect(await flow.deliverer.sweep()).toBe(0)
    expect(flow.sent).toEqual([])
    flow.online = true
    expect(await flow.deliverer.sweep()).toBe(1)
    expect(flow.wakes).toEqual([{ ids: [id], delayMs: 0 }])
  })
})

describe('tries', () => {
  it('come at growing intervals, end with the last one of the policy, and then somebody is told', async () => {
    const flow = await flowOn(redis.url, { policies: [{ ...twoTries, deliveries: 3 }] })
    flow.outcome = () => refusedWith(restarting)
    const id = `${await accepted(flow.store, { deliveries: [retrying('two-tries')] })}.0`
    for (const waitMs of [1_000, 2_000, 0]) {
      await deliver(flow, [id])
      await deliver(flow, [id])
      flow.clock.nowMs += waitMs
    }
    expect(flow.sent.map(({ tries }) => tries)).toEqual([1, 2, 3])
    expect(flow.wakes.map(({ delayMs }) => delayMs)).toEqual([1_000, 2_000])
    expect(await stateOf(flow, id)).toMatchObject({ state: 'dead', reason: 'tries-exhausted' })
    expect(flow.alarms).toEqual([
      `tries-exhausted ${ERP} remote-server-timeout: gave up a delivery to ${ERP} (route orders): ` +
        `remote-server-timeout (it restarts). See: waybill trace DIR ${id.split('.')[0]}`,
    ])
  })

  it.each<[what: string, outcome: () => AttemptOutcome]>([
    ['errors that pass', () => refusedWith(restarting)],
    [
      'faults of ours',
      () => {
        throw new Error('a fault')
      },
    ],
  ])('that end with %s end when the next one would be too late', async (what, outcome) => {
    const flow = await flowOn(redis.url, { policies: [{ ...twoTries, deliveries: 9, giveUpAfterMs: 2_500 }] })
    flow.outcome = outcome
    const deliveries = [retrying('two-tries')]
    const id = `${await accepted(flow.store, { deliveries, receivedAtMs: flow.clock() })}.0`
    await deliver(flow, [id])
    flow.clock.nowMs += 1_000
    await deliver(flow, [id])
    const reason = what === 'faults of ours' ? 'breaks-step' : 'too-late'
    expect(await stateOf(flow, id)).toMatchObject({ state: 'dead', reason })
  })

  it('that were void are not counted', async () => {
    const flow = await flowOn(redis.url, { policies: [twoTries] })
    const id = `${await accepted(flow.store, { deliveries: [retrying('two-tries')] })}.0`
    flow.outcome = () => ({ kind: 'void', reason: 'closed' })
    for (let lost = 0; lost < 5; lost++) await deliver(flow, [id])
    flow.outcome = () => delivered
    await deliver(flow, [id])
    expect(flow.sent.at(-1)!.tries).toBe(1)
    expect(await stateOf(flow, id)).toMatchObject({ state: 'delivered' })
  })
})

describe('a destination that hangs', () => {
  it('holds its own places and nobody else', async () => {
    const flow = await flowOn(redis.url, { places: { all: 10, perDestination: 2 } })
    let answer = (_: AttemptOutcome) => {}
    const hung = new Promise<AttemptOutcome>((resolve) => (answer = resolve))
    flow.outcome = ({ destination }) => (destination.kind === 'jid' && destination.jid === ERP ? hung : delivered)
    const other = 'xmpp:p.example?;node=n'
    const ids = [await given(flow, ERP, other), await given(flow, ERP, other), await given(flow, ERP, other)]
    for (const pair of ids) await flow.deliverer.deliver(pair)
    await eventually(async () => (await flow.store.ledger()).deliveries.delivered === 3)
    await eventually(() => flow.deliverer.underWay === 2)
    expect(await stateOf(flow, ids[2]![0]!)).toMatchObject({ state: 'waiting', attempts: [] })

    answer(delivered)
    await flow.deliverer.idle()
    flow.clock.nowMs += 1_000
    expect(await flow.store.due(10)).toEqual([ids[2]![0]])
    await deliver(flow, [ids[2]![0]!])
    expect((await flow.store.ledger()).deliveries).toMatchObject({ delivered: 6, waiting: 0 })
  })

  it('together with others until all places are taken makes the next ones wait', async () => {
    const flow = await flowOn(redis.url, { places: { all: 2, perDestination: 5 } })
    let answer = (_: AttemptOutcome) => {}
    const hung = new Promise<AttemptOutcome>((resolve) => (answer = resolve))
    flow.outcome = () => hung
    await flow.deliverer.deliver([...(await given(flow)), ...(await given(flow))])
    let hasBegun = false
    const third = flow.deliverer.deliver(await given(flow)).then(() => {
      hasBegun = true
    })
    await flow.store.depth()
    expect({ hasBegun, underWay: flow.deliverer.underWay }).toEqual({ hasBegun: false, underWay: 2 })
    answer(delivered)
    await third
    await flow.deliverer.idle()
    expect(flow.sent).toHaveLength(3)
  })
})

describe('a fault', () => {
  it('of Redis while an attempt ends forgets no outcome', async () => {
    let failures = 1
    const flow = await flowOn(redis.url, {
      between: (store) => ({
        ...store,
        end: (end) => (failures-- > 0 ? Promise.reject(new StoreUnavailable('away')) : store.end(end)),
      }),
    })
    const [id] = await given(flow)
    await deliver(flow, [id!])
    expect(await stateOf(flow, id!)).toMatchObject({ state: 'delivered', attempts: [{ result: 'result' }] })
    expect(flow.sent).toHaveLength(1)
  })

  it('of ours with one delivery while its end is written leaves it to its lease, and the others go on', async () => {
    let unlucky = ''
    const fail = (): never => {
      throw new Error('a fault')
    }
    const flow = await flowOn(redis.url, {
      between: (store) => ({ ...store, end: (end) => (end.id === unlucky ? fail() : store.end(end)) }),
    })
    const [[first], [second]] = [await given(flow), await given(flow)]
    unlucky = first!
    await deliver(flow, [first!, second!])
    expect(flow.deliverer.underWay).toBe(0)
    expect(await stateOf(flow, second!)).toMatchObject({ state: 'delivered' })
    expect(flow.lines).toMatchObject([{ level: 'error', event: 'attempt-lost', details: { id: first } }])

    unlucky = ''
    flow.clock.nowMs += 3_600_000
    expect(await flow.deliverer.sweep()).toBe(1)
    await deliver(flow, flow.wakes.at(-1)!.ids)
    expect(await stateOf(flow, first!)).toMatchObject({ state: 'delivered' })
  })

  it('of Redis that lasts longer than a lease can hold leaves the attempt to its lease', async () => {
    let asked = 0
    const away = () => {
      asked += 1
      return Promise.reject(new StoreUnavailable('away'))
    }
    const flow = await flowOn(redis.url, { between: (store) => ({ ...store, end: away }) })
    const ids = await given(flow)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      await flow.deliverer.deliver(ids)
      await vi.advanceTimersByTimeAsync(60_000)
      await flow.deliverer.idle()
    } finally {
      vi.useRealTimers()
    }
    expect(asked).toBe(30)
    expect(flow.lines).toMatchObject([{ level: 'error', event: 'attempt-lost', details: { id: ids[0] } }])
  })

  it('of ours with one document is counted as a try; after its tries it is a dead letter, and the others go on', async () => {
    const flow = await flowOn(redis.url, { policies: [twoTries] })
    const unlucky = `${await accepted(flow.store, { deliveries: [retrying('two-tries')] })}.0`
    const [other] = await given(flow)
    flow.outcome = ({ id }) => {
      if (id === unlucky) throw new Error('a fault')
      return delivered
    }
    await deliver(flow, [unlucky, other!])
    expect(await stateOf(flow, other!)).toMatchObject({ state: 'delivered' })
    expect(await stateOf(flow, unlucky)).toMatchObject({ state: 'waiting', tries: 1 })
    expect(flow.wakes).toEqual([{ ids: [unlucky], delayMs: 1_000 }])
    flow.clock.nowMs += 1_000
    await deliver(flow, [unlucky])
    const fault = { result: 'fault', text: 'a fault' }
    expect(await stateOf(flow, unlucky)).toMatchObject({
      state: 'dead',
      reason: 'breaks-step',
      attempts: [fault, fault],
    })
    expect(flow.counted.at(-1)).toBe('ended dead breaks-step')
    expect(flow.alarms).toHaveLength(1)
    expect(flow.lines.map(({ event }) => event)).toEqual(['attempt-failed', 'attempt-failed'])
  })

  it('of Redis while a document is sent is no fault of the document', async () => {
    const flow = await flowOn(redis.url)
    const [id] = await given(flow)
    flow.outcome = () => {
      throw new StoreUnavailable('away')
    }
    await deliver(flow, [id!])
    expect(await stateOf(flow, id!)).toMatchObject({ state: 'waiting', tries: 0, attempts: [{ result: 'void' }] })
  })

  it('of the queue loses a wake and nothing else', async () => {
    const flow = await flowOn(redis.url, { wake: () => Promise.reject(new Error('away')) })
    flow.outcome = () => refusedWith(restarting)
    const [id] = await given(flow)
    await deliver(flow, [id!])
    await eventually(() => flow.lines.length > 0)
    expect(flow.lines).toMatchObject([{ level: 'warn', event: 'wake-lost' }])
    flow.clock.nowMs += 1_000
    expect(await flow.store.due(10)).toEqual([id])
  })
})

describe('a late bounce', () => {
  const gone: Answer = { condition: 'gone', type: 'cancel', text: 'moved' }
  const away: Answer = { condition: 'service-unavailable', type: 'cancel', text: 'nobody is there' }

  async function bouncing(policies: readonly RetryPolicy[] = [], between?: FlowChanges['between']) {
    const flow = await flowOn(redis.url, { policies, ...(between && { between }) })
    flow.outcome = () => ({ kind: 'delivered', proof: 'handed-over' })
    const id = `${await accepted(flow.store, { deliveries: [retrying(policies[0]?.name ?? 'default')] })}.0`
    await deliver(flow, [id])
    return { flow, id }
  }

  it('that may pass reopens the delivery for a later try', async () => {
    const { flow, id } = await bouncing()
    await flow.deliverer.bounced(id, `${ERP}/desk`, away)
    expect(await stateOf(flow, id)).toMatchObject({
      state: 'waiting',
      dueAtMs: flow.clock() + 1_000,
      attempts: [{ result: 'handed-over' }, { result: 'bounced: service-unavailable', text: 'nobody is there' }],
    })
    expect(flow.counted.at(-1)).toBe('attempt bounced')
  })

  it('that may not is a dead letter', async () => {
    const { flow, id } = await bouncing()
    await flow.deliverer.bounced(id, ERP, gone)
    expect(await stateOf(flow, id)).toMatchObject({ state: 'dead', reason: 'bounced' })
    expect(flow.counted.slice(-2)).toEqual(['attempt bounced', 'ended dead bounced'])
    expect(flow.alarms).toEqual([])
  })

  it('is judged by the policy of the delivery, whose rows come first', async () => {
    const patient: RetryPolicy = {
      ...defaultPolicy,
      name: 'patient',
      answers: [{ condition: 'gone', verdict: 'retry' }],
    }
    const { flow, id } = await bouncing([patient])
    await flow.deliverer.bounced(id, ERP, gone)
    expect(await stateOf(flow, id)).toMatchObject({ state: 'waiting' })
  })

  it('again and again ends with the last try of the policy', async () => {
    const { flow, id } = await bouncing([twoTries])
    await flow.deliverer.bounced(id, ERP, away)
    flow.clock.nowMs += 1_000
    await deliver(flow, [id])
    await flow.deliverer.bounced(id, ERP, away)
    expect(await stateOf(flow, id)).toMatchObject({ state: 'dead', reason: 'bounced' })
    expect(flow.alarms).toEqual([`bounced ${ERP}: ${ERP} sent back ${id}: service-unavailable nobody is there`])
  })

  it.each([0, 1, 20])('reopens also what is about to be written as delivered, behind %i others', async (others) => {
    const flow = await flowOn(redis.url)
    const handOver = new Map<string, () => void>()
    flow.outcome = ({ id }) =>
      new Promise((resolve) => handOver.set(id, () => resolve({ kind: 'delivered', proof: 'handed-over' })))
    const ids: string[] = []
    for (let count = 0; count <= others; count++) ids.push(...(await given(flow)))
    await flow.deliverer.deliver(ids)
    await eventually(() => handOver.size === ids.length)
    const [id] = ids.splice(-1) as [string]
    for (const other of ids) handOver.get(other)!()
    // The ends of the others are on their way.
    await new Promise((resolve) => setImmediate(resolve))
    handOver.get(id)!()
    await flow.deliverer.bounced(id, ERP, gone)
    await flow.deliverer.idle()
    expect(await stateOf(flow, id)).toMatchObject({ state: 'dead', reason: 'bounced' })
    expect(flow.counted.slice(-2)).toEqual(['attempt bounced', 'ended dead bounced'])
  })

  it.each<[what: string, asked: 'progress' | 'bounce', isDone: boolean]>([
    ['when it is read how far the delivery has come', 'progress', false],
    ['before the delivery is reopened', 'bounce', false],
    ['after that, before the answer', 'bounce', true],
  ])('is not forgotten where Redis is away %s', async (_, asked, isDone) => {
    let isAway = true
    const hiccup =
      (ask: RedisStore['bounce']): RedisStore['bounce'] =>
      async (...args) => {
        if (!isAway) return ask(...args)
        isAway = false
        if (isDone) await ask(...args)
        throw new StoreUnavailable('away')
      }
    const { flow, id } = await bouncing([], (store) => ({
      ...store,
      [asked]: hiccup(store[asked] as typeof store.bounce),
    }))
    await flow.deliverer.bounced(id, ERP, away)
    expect(await stateOf(flow, id)).toMatchObject({
      state: 'waiting',
      attempts: [{ result: 'handed-over' }, { result: 'bounced: service-unavailable' }],
    })
    expect(flow.counted.filter((what) => what === 'attempt bounced')).toHaveLength(1)
  })

  describe('while Redis is away', () => {
    let isAway: boolean
    const hiding = (store: RedisStore): RedisStore => ({
      ...store,
      async progress(id) {
        if (isAway) throw new StoreUnavailable('away')
        return store.progress(id)
      },
    })
    beforeEach(() => {
      isAway = true
    })
    afterEach(() => {
      vi.useRealTimers()
    })

    it('is kept for as long as that lasts', async () => {
      const { flow, id } = await bouncing([], hiding)
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      const bounced = flow.deliverer.bounced(id, ERP, gone)
      await vi.advanceTimersByTimeAsync(600_000)
      isAway = false
      await vi.advanceTimersByTimeAsync(1_000)
      vi.useRealTimers()
      await bounced
      expect(await stateOf(flow, id)).toMatchObject({ state: 'dead', reason: 'bounced' })
    })

    it('is told of where very many wait already', async () => {
      const { flow, id } = await bouncing([], hiding)
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
      for (let count = 0; count < 20_000; count++) void flow.deliverer.bounced(id, ERP, gone)
      await expect(flow.deliverer.bounced(id, ERP, gone)).rejects.toThrow('20000 wait for Redis already')
    })
  })

  it.each([
    ['from somebody else', (id: string) => id, 'eve@backend.example'],
    ['of what nobody knows', (id: string) => `${id}9`, ERP],
  ])('%s counts for nothing', async (_, idOf, from) => {
    const { flow, id } = await bouncing()
    await flow.deliverer.bounced(idOf(id), from, gone)
    expect(await stateOf(flow, id)).toMatchObject({ state: 'delivered' })
    expect(flow.counted).toEqual(['attempt handed-over', 'ended delivered'])
  })
})

describe('attempts that wait behind others for longer than their lease', () => {
  it('are published once each, and count', async () => {
    const { flow, ids, pass, published, ranOut } = await slowNode(20_000, 40)
    await flow.deliverer.deliver(ids)
    await pass(20 * (ids.length / 2) + 2)
    await flow.deliverer.idle()
    expect(published.toSorted()).toEqual(ids.toSorted())
    expect((await flow.store.ledger()).deliveries.delivered).toBe(ids.length)
    expect(ranOut()).toBe(0)
  })

  it('are taken back where the process was frozen beyond the lease', async () => {
    const { flow, ids, pass, ranOut } = await slowNode(3_600_000, 3)
    await flow.deliverer.deliver(ids)
    await pass(200)
    flow.clock.nowMs += flow.store.attemptLeaseMs + 1
    await pass(1)
    expect(ranOut()).toBe(1)
  })

  it('are taken back where the process has lost the lease of its domain', async () => {
    const { flow, ids, pass, ranOut } = await slowNode(3_600_000, 3)
    await flow.deliverer.deliver(ids)
    await pass(200)
    flow.held = false
    flow.online = false
    await pass(120)
    expect(await flow.store.due(9)).toHaveLength(3)
    expect(ranOut()).toBe(1)
  })

  it('are asked about once in half a lease each, whenever they began, and no more once they have ended', async () => {
    const asked: string[] = []
    const ends = new Map<string, () => void>()
    let endsMeanwhile: string | undefined
    const flow = await flowOn(redis.url, {
      between: (store) => ({
        ...store,
        async prolong(attempts) {
          const seconds = (flow.clock() - beganMs) / 1_000
          asked.push(...attempts.map(({ id }) => `${seconds} s: ${both.indexOf(id)}`))
          await store.prolong(attempts)
          if (endsMeanwhile === undefined) return
          ends.get(endsMeanwhile)!()
          await eventually(() => flow.deliverer.underWay === 1)
        },
      }),
    })
    flow.outcome = ({ id }) => new Promise((end) => ends.set(id, () => end(delivered)))
    const beganMs = flow.clock()
    const both = [...(await given(flow)), ...(await given(flow))]
    for (const id of both) {
      await flow.deliverer.deliver([id])
      await eventually(() => ends.has(id))
      flow.clock.nowMs += 20_000
    }
    for (; flow.clock() <= beganMs + 200_000; flow.clock.nowMs += 20_000) {
      endsMeanwhile = flow.clock() === beganMs + 120_000 ? both[0] : undefined
      await flow.deliverer.sweep()
    }
    expect(asked).toEqual(['60 s: 0', '80 s: 1', '120 s: 0', '140 s: 1', '200 s: 1'])
  })

  it('are nothing that is asked for at ordinary speed', async () => {
    let asked = 0
    const flow = await flowOn(redis.url, {
      between: (store) => ({
        ...store,
        prolong: async (attempts) => {
          asked += attempts.length
          await store.prolong(attempts)
        },
      }),
    })
    const ends: (() => void)[] = []
    flow.outcome = () => new Promise((end) => ends.push(() => end(delivered)))
    await flow.deliverer.deliver(await given(flow))
    await eventually(() => ends.length === 1)
    for (let second = 0; second < 59; second++) {
      flow.clock.nowMs += 1_000
      await flow.deliverer.sweep()
    }
    expect(asked).toBe(0)
    flow.clock.nowMs += 1_000
    await flow.deliverer.sweep()
    expect(asked).toBe(1)
    ends[0]!()
    await flow.deliverer.idle()
    flow.clock.nowMs += 60_000
    await flow.deliverer.sweep()
    expect(asked).toBe(1)
  })
})

describe('an attempt whose lease ran out', () => {
  /** The process was frozen; its first attempt and the one that followed are both in its hands. */
  async function twice() {
    let written = Promise.resolve()
    const flow = await flowOn(redis.url, {
      between: (store) => ({
        ...store,
        async end(end) {
          await written
          return store.end(end)
        },
      }),
    })
    const ends: ((outcome: AttemptOutcome) => void)[] = []
    flow.outcome = () => new Promise((end) => ends.push(end))
    const [id] = (await given(flow)) as [string]
    for (const count of [1, 2]) {
      await flow.deliverer.deliver([id])
      await eventually(() => ends.length === count)
      if (count === 1) flow.clock.nowMs += 3_600_000
      await flow.deliverer.sweep()
    }
    ends[0]!(delivered)
    await eventually(() => flow.deliverer.underWay === 1)
    const writeLate = () =>
      new Promise<() => void>((given) => {
        written = new Promise((write) => given(write))
      })
    return { flow, id, end: ends[1]!, writeLate }
  }

  it('does not end the next one, which is under way', async () => {
    const { flow, id, end } = await twice()
    expect((await stateOf(flow, id)).attempts.map(({ result }) => result)).toEqual(['void', 'under way'])
    end(refusedWith(restarting))
    await flow.deliverer.idle()
    expect(await stateOf(flow, id)).toMatchObject({ state: 'waiting', tries: 1 })
  })

  it('does not keep a bounce from being heard behind the end of the next one', async () => {
    const { flow, id, end, writeLate } = await twice()
    const write = await writeLate()
    end({ kind: 'delivered', proof: 'handed-over' })
    const bounced = flow.deliverer.bounced(id, ERP, unwanted)
    for (let question = 0; question < 5; question++) await flow.store.depth()
    write()
    await bounced
    expect(await stateOf(flow, id)).toMatchObject({ state: 'dead', reason: 'bounced' })
  })
})

describe('a process that takes up a domain', () => {
  it('writes the deliveries that the one before it left to be written', async () => {
    const flow = await flowOn(redis.url, { storeOptions: { expansion: { atOnce: 1, part: 2 } } })
    await given(flow, ERP, 'a@x.example', 'b@x.example', 'c@x.example')
    await flow.deliverer.reclaim()
    expect(flow.wakes.flatMap(({ ids }) => ids)).toHaveLength(3)
  })
})

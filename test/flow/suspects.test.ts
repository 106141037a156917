import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AttemptOutcome } from '../../src/domain/delivery.ts'
import type { Answer } from '../../src/domain/retry.ts'
import type { StartedAttempt } from '../../src/flow/ports.ts'
import { createSuspects } from '../../src/flow/suspects.ts'
import { eventually } from '../eventually.ts'
import { accepted, closeStores, freshPrefix, plan } from '../redis/fixtures.ts'
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

const delivered: AttemptOutcome = { kind: 'delivered', proof: 'handed-over' }
const lost: AttemptOutcome = { kind: 'void', reason: 'system-shutdown' }
const closed: AttemptOutcome = { kind: 'void', reason: 'the server says not-well-formed', closed: true }
const away: Answer = { condition: 'service-unavailable', type: 'cancel', text: '' }

async function given(flow: Flow, lane?: string): Promise<string> {
  return `${await accepted(flow.store, { deliveries: [plan(lane ? { lane } : {})], receivedAtMs: flow.clock() })}.0`
}

async function stateOf(flow: Flow, id: string) {
  return (await flow.store.trace(id.split('.')[0]!))!.deliveries[0]!
}

/** Begins what is due, and waits for the end of it. */
async function deliverDue(flow: Flow): Promise<readonly string[]> {
  const due = await flow.store.due(100)
  await flow.deliverer.deliver(due)
  await flow.deliverer.idle()
  return due
}

/** Ends all that is under way so many times with the close of the stream. */
async function closeTimes(flow: Flow, times: number): Promise<void> {
  flow.outcome = () => closed
  for (let time = 0; time < times; time += 1) await deliverDue(flow)
}

const alone = (flow: Flow) => flow.sent.filter((attempt) => attempt.alone !== undefined).map(({ id }) => id)

describe('what was unproven at closes of the stream', () => {
  it('is sent again with the others twice, and alone after the third', async () => {
    const flow = await flowOn(redis.url)
    const ids = [await given(flow), await given(flow)]
    await closeTimes(flow, 3)
    expect(await flow.store.due(10)).toEqual([])
    expect(await stateOf(flow, ids[0]!)).toMatchObject({ state: 'waiting', isSuspect: true })
    expect(await flow.store.depth()).toMatchObject({ waiting: 2, suspects: 2 })
    flow.outcome = () => delivered
    await flow.deliverer.sweep()
    await eventually(async () => (await flow.store.ledger()).deliveries.delivered === 2)
    expect(flow.sent.map(({ alone }) => alone)).toEqual([...Array(6).fill(undefined), 'until-had', 'until-had'])
    expect(alone(flow).toSorted()).toEqual(ids.toSorted())
    expect(flow.sent.map(({ tries }) => tries)).toEqual(Array(8).fill(1))
  })

  it('is a dead letter where the stream closes once more, with its attempts and an alarm; the others go on', async () => {
    const flow = await flowOn(redis.url)
    const [poison, innocent] = [await given(flow), await given(flow)]
    await closeTimes(flow, 3)
    flow.outcome = ({ id }) => (id === poison ? closed : delivered)
    await flow.deliverer.sweep()
    await eventually(async () => (await flow.store.ledger()).deliveries.waiting === 0)
    expect(await stateOf(flow, innocent)).toMatchObject({ state: 'delivered', tries: 1 })
    const { state, reason, attempts } = await stateOf(flow, poison)
    expect({ state, reason, results: attempts.map(({ result }) => result) }).toEqual({
      state: 'dead',
      reason: 'breaks-stream',
      results: ['void', 'void', 'void', 'breaks-stream'],
    })
    expect(attempts.at(-1)!.text).toBe('the server says not-well-formed')
    await eventually(() => flow.alarms.length > 0)
    expect(flow.alarms).toEqual([expect.stringContaining(`breaks-stream ${ERP}`)])
    expect(flow.counted).toContain('ended dead breaks-stream')
  })

  const acquittals: readonly [string, AttemptOutcome | undefined, number][] = [
    ['a loss that has its own reason', lost, 2],
    ['an answer', { kind: 'refused', answer: away }, 0],
  ]
  it.each(acquittals)('%s is no close, and what follows counts from %3$s', async (_, outcome, left) => {
    const flow = await flowOn(redis.url)
    await given(flow)
    await closeTimes(flow, 2)
    flow.outcome = () => outcome!
    await deliverDue(flow)
    flow.clock.nowMs += 10_000
    await closeTimes(flow, 2 - left)
    expect(await flow.store.due(10)).toHaveLength(1)
    await closeTimes(flow, 1)
    expect(await flow.store.due(10)).toHaveLength(0)
  })

  it('is alone until the server has had it, one after the other, whatever its receiver does', async () => {
    const flow = await flowOn(redis.url)
    const ids = [await given(flow), await given(flow), await given(flow)]
    await closeTimes(flow, 3)
    const had: (() => void)[] = []
    flow.outcome = (_, onHad) => {
      had.push(onHad)
      return new Promise(() => {})
    }
    await flow.deliverer.sweep()
    for (const count of [1, 2, 3]) {
      await eventually(() => had.length === count)
      await flow.deliverer.sweep()
      expect(had).toHaveLength(count)
      had[count - 1]!()
    }
    expect(alone(flow).toSorted()).toEqual(ids.toSorted())
  })

  it('leaves half of the time to the others while there are any', async () => {
    const flow = await flowOn(redis.url)
    await given(flow)
    await given(flow)
    await closeTimes(flow, 3)
    const begun: number[] = []
    const HAD_MS = 150
    flow.outcome = ({ alone: until }, onHad) => {
      if (until) {
        begun.push(performance.now())
        setTimeout(onHad, HAD_MS)
      }
      return new Promise(() => {})
    }
    await given(flow)
    await flow.deliverer.deliver(await flow.store.due(10))
    await flow.deliverer.sweep()
    await eventually(() => begun.length === 2)
    expect(begun[1]! - begun[0]!).toBeGreaterThan(1.9 * HAD_MS)
  })

  it('and closes it when the server has had it is alone until it ends after the sixth close', async () => {
    const flow = await flowOn(redis.url)
    const id = await given(flow)
    await closeTimes(flow, 3)
    flow.outcome = ({ alone: until }, onHad) => {
      if (until === 'until-had') onHad()
      return closed
    }
    await flow.deliverer.sweep()
    await eventually(async () => (await stateOf(flow, id)).state === 'dead')
    expect(flow.sent.slice(3).map(({ alone: until }) => until)).toEqual([...Array(3).fill('until-had'), 'until-ended'])
  })

  it('keeps its place in its lane, and gives it up with its end', async () => {
    const flow = await flowOn(redis.url)
    const [first, second] = [await given(flow, 'a'), await given(flow, 'a')]
    await closeTimes(flow, 3)
    expect(flow.sent.every(({ id }) => id === first)).toBe(true)
    await flow.deliverer.sweep()
    await eventually(async () => (await stateOf(flow, first)).state === 'dead')
    flow.outcome = () => delivered
    expect(await deliverDue(flow)).toEqual([second])
    expect(await stateOf(flow, second)).toMatchObject({ state: 'delivered' })
  })

  it('is counted through a restart', async () => {
    const prefix = freshPrefix()
    const first = await flowOn(redis.url, { storeOptions: { prefix, instance: 'one' } })
    const id = await given(first)
    await closeTimes(first, 3)
    const second = await flowOn(redis.url, { storeOptions: { prefix, instance: 'two' } })
    await second.deliverer.sweep()
    await eventually(() => second.sent.length === 1)
    expect(second.sent).toMatchObject([{ id, alone: 'until-had' }])
  })

  it('is made again where the process died while it was alone: nobody has seen the stream close', async () => {
    const prefix = freshPrefix()
    const first = await flowOn(redis.url, { storeOptions: { prefix, instance: 'one' } })
    const id = await given(first)
    await closeTimes(first, 3)
    first.outcome = () => new Promise(() => {})
    await first.deliverer.sweep()
    await eventually(() => first.sent.at(-1)?.alone)
    const second = await flowOn(redis.url, { storeOptions: { prefix, instance: 'two' } })
    await second.deliverer.reclaim()
    expect(await stateOf(second, id)).toMatchObject({ state: 'waiting', isSuspect: true })
    second.outcome = () => delivered
    await second.deliverer.sweep()
    await eventually(async () => (await stateOf(second, id)).state === 'delivered')
  })

  it('is alone from the beginning where it is redriven', async () => {
    const flow = await flowOn(redis.url)
    const id = await given(flow)
    await closeTimes(flow, 3)
    await flow.deliverer.sweep()
    await eventually(async () => (await stateOf(flow, id)).state === 'dead')
    await flow.store.redrive(id, { by: 'ops' })
    expect(await flow.store.due(10)).toEqual([])
    flow.outcome = () => delivered
    await flow.deliverer.sweep()
    await eventually(async () => (await stateOf(flow, id)).state === 'delivered')
  })

  it('is made again where the connection is lost for another reason while it is alone', async () => {
    const flow = await flowOn(redis.url)
    const id = await given(flow)
    await closeTimes(flow, 3)
    flow.outcome = () => (alone(flow).length < 3 ? lost : delivered)
    await flow.deliverer.sweep()
    await eventually(async () => (await stateOf(flow, id)).state !== 'waiting')
    expect(await stateOf(flow, id)).toMatchObject({ state: 'delivered' })
    expect(alone(flow)).toEqual([id, id, id])
  })

  it('and refused for good while it was alone is no suspect where it is redriven', async () => {
    const flow = await flowOn(redis.url)
    const id = await given(flow)
    await closeTimes(flow, 3)
    flow.outcome = () => ({ kind: 'refused', answer: { condition: 'bad-request', type: 'modify', text: '' } })
    await flow.deliverer.sweep()
    await eventually(async () => (await stateOf(flow, id)).state === 'dead')
    await flow.store.redrive(id, { by: 'ops' })
    expect(await stateOf(flow, id)).not.toHaveProperty('isSuspect')
    expect(await flow.store.due(10)).toEqual([id])
  })

  it('waits while the connection is away', async () => {
    const flow = await flowOn(redis.url)
    await given(flow)
    await closeTimes(flow, 3)
    flow.online = false
    await flow.deliverer.sweep()
    expect(alone(flow)).toEqual([])
  })
})

describe('what was under way when the process died', () => {
  /** A process that dies with it under way so many times; gives the next one. */
  async function dieTimes(times: number, changes: FlowChanges['storeOptions'], sendsAlone = false): Promise<Flow> {
    let flow = await flowOn(redis.url, { storeOptions: { ...changes, instance: 'p0' } })
    for (let time = 0; time < times; time += 1) {
      flow.outcome = () => new Promise(() => {})
      await flow.deliverer.deliver(await flow.store.due(10))
      if (sendsAlone) await flow.deliverer.sweep()
      await eventually(async () => (await flow.store.depth()).underWay > 0)
      flow = await flowOn(redis.url, { storeOptions: { ...changes, instance: `p${time + 1}-${sendsAlone}` } })
      await flow.deliverer.reclaim()
    }
    return flow
  }

  it('is made again, alone after the third time, and a dead letter where it dies once more', async () => {
    const prefix = freshPrefix()
    const first = await flowOn(redis.url, { storeOptions: { prefix } })
    const id = await given(first)
    const third = await dieTimes(3, { prefix })
    expect(await stateOf(third, id)).toMatchObject({ state: 'waiting', tries: 0 })
    expect(await third.store.due(10)).toEqual([])
    const fourth = await dieTimes(1, { prefix }, true)
    expect(await stateOf(fourth, id)).toMatchObject({ state: 'dead', reason: 'breaks-step' })
    expect(fourth.counted).toEqual(['ended dead breaks-step'])
    expect(fourth.alarms).toEqual([expect.stringContaining(`waybill trace DIR ${id.split('.')[0]}`)])
    expect((await fourth.store.ledger()).deliveries).toMatchObject({ planned: 1, dead: 1, waiting: 0 })
  })

  it('is no dead letter where the server had had it already', async () => {
    const prefix = freshPrefix()
    const first = await flowOn(redis.url, { storeOptions: { prefix } })
    const id = await given(first)
    const third = await dieTimes(3, { prefix })
    third.outcome = (_, onHad) => {
      onHad()
      return new Promise(() => {})
    }
    await third.deliverer.sweep()
    await eventually(() => third.sent.length === 1)
    // The next look for a suspect comes after it was written down.
    await eventually(async () => {
      await third.deliverer.sweep()
      return (await third.store.depth()).underWay === 1
    })
    const next = await flowOn(redis.url, { storeOptions: { prefix, instance: 'next' } })
    await eventually(async () => {
      await next.deliverer.reclaim()
      return (await stateOf(next, id)).state === 'waiting'
    })
    next.outcome = () => delivered
    await next.deliverer.sweep()
    await eventually(async () => (await stateOf(next, id)).state === 'delivered')
  })
})

it('the next suspect waits for the next connection where this one is lost', async () => {
  const outlet = { online: true }
  const sent: string[] = []
  const send = createSuspects({
    store: { startSuspect: async () => ({ id: `${sent.length}` }) as StartedAttempt, cleared: async () => {} },
    outlet,
    async attempt({ id }) {
      sent.push(id)
      outlet.online = sent.length < 2
    },
    othersGo: () => false,
    log: () => {},
  })
  await send()
  expect(sent).toEqual(['0', '1'])
})

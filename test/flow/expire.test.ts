import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AttemptOutcome } from '../../src/domain/delivery.ts'
import { envelopeIdAt, envelopeTimeMs } from '../../src/flow/ids.ts'
import { eventually } from '../eventually.ts'
import { accepted, balances, closeStores, plan } from '../redis/fixtures.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { flowOn } from './rooms.ts'

let redis: RunningRedis

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis?.stop())
afterEach(closeStores)

describe('what has expired', () => {
  it('ends with the next sweep, and is counted', async () => {
    const flow = await flowOn(redis.url)
    const id = await accepted(flow.store, { expiresMs: 60_000, receivedAtMs: flow.clock() })
    flow.clock.nowMs += 60_000
    await flow.deliverer.sweep()
    expect((await flow.store.trace(id))!.state).toBe('expired')
    expect(flow.counted).toEqual(['ended expired'])
    expect(flow.sent).toEqual([])
    expect(await balances(flow.store)).toEqual([])
    await flow.deliverer.sweep()
    expect(flow.counted).toEqual(['ended expired'])
  })

  it('ends while we are offline, too', async () => {
    const flow = await flowOn(redis.url)
    flow.online = false
    const id = await accepted(flow.store, { expiresMs: 1, receivedAtMs: flow.clock() })
    flow.clock.nowMs += 1
    expect(await flow.deliverer.sweep()).toBe(0)
    expect((await flow.store.trace(id))!.state).toBe('expired')
  })

  it('lets those behind it in its lane go on with the same sweep', async () => {
    const flow = await flowOn(redis.url)
    const receivedAtMs = flow.clock()
    await accepted(flow.store, { receivedAtMs, deliveries: [plan({ lane: 'l', expiresMs: 1_000 })] })
    const next = await accepted(flow.store, { receivedAtMs, deliveries: [plan({ lane: 'l' })] })
    flow.clock.nowMs += 1_000
    await flow.deliverer.sweep()
    expect(flow.wakes.flatMap(({ ids }) => ids)).toEqual([`${next}.0`])
  })

  it('ends all at once, however many there are', async () => {
    const flow = await flowOn(redis.url)
    const deliveries = Array.from({ length: 525 }, (_, n) => plan({ to: `d${n}@x.example`, expiresMs: 10 }))
    const take = () => accepted(flow.store, { receivedAtMs: flow.clock(), deliveries })
    const ids = [await take(), await take()]
    flow.clock.nowMs += 10
    await flow.deliverer.sweep()
    expect((await flow.store.ledger()).deliveries).toMatchObject({ planned: 1_050, expired: 1_050 })
    for (const id of ids) expect((await flow.store.trace(id))!.state).toBe('expired')
    expect(flow.counted).toHaveLength(1_050)
  })
})

it('an envelope’s id tells when it was made', () => {
  expect(envelopeTimeMs(envelopeIdAt(1_900_000_000_123))).toBe(1_900_000_000_123)
})

it('urgent deliveries overtake those that have waited longer for a place', async () => {
  const flow = await flowOn(redis.url, { places: { all: 1, perDestination: 5 } })
  let answer = (_: AttemptOutcome) => {}
  const hung = new Promise<AttemptOutcome>((resolve) => (answer = resolve))
  flow.outcome = () => hung
  const one = async (priority: number) => `${await accepted(flow.store, { deliveries: [plan({ priority })] })}.0`
  const first = await one(0)
  await flow.deliverer.deliver([first])
  const patient = await one(0)
  const waiting = flow.deliverer.deliver([patient])
  // Their wakes are far behind in the queue.
  const [least, most, more] = [await one(-1), await one(50), await one(9)]
  answer({ kind: 'delivered', proof: 'result' })
  await waiting
  await eventually(() => flow.sent.length === 5)
  expect(flow.sent.map(({ id }) => id)).toEqual([first, most, more, patient, least])
})

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AttemptOutcome } from '../../src/domain/delivery.ts'
import { type InboundStanza, StoreUnavailable } from '../../src/flow/ports.ts'
import { stanzaOf } from '../documents/given.ts'
import { routeOf, toJid } from '../matching/samples.ts'
import { acceptance, closeStores, openTestStore, plan, setClock } from '../redis/fixtures.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { ERP, type Flow, flowOn, order, toErp } from './rooms.ts'

let redis: RunningRedis

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis?.stop())
afterEach(closeStores)

const CLERK = 'clerk@shop.example/desk'

function iq(id: string, expires = ''): InboundStanza {
  const document = expires ? `<submit xmlns='urn:waybill:0' expires='${expires}'>${order(id)}</submit>` : order(id)
  return stanzaOf(`<iq type='set' id='${id}' from='${CLERK}'>${document}</iq>`)
}

/** An outlet whose answers come when they are given. */
function patience() {
  const answers: ((outcome: AttemptOutcome) => void)[] = []
  return { answers, outcome: () => new Promise<AttemptOutcome>((resolve) => answers.push(resolve)) }
}

const delivered: AttemptOutcome = { kind: 'delivered', proof: 'result' }

describe('the first attempt of a delivery', () => {
  it('begins with the acceptance: nobody is woken, and nothing is read back', async () => {
    const flow = await flowOn(redis.url, { atOnce: true })
    await flow.take(iq('1'))
    await flow.deliverer.idle()
    expect(flow.wakes).toEqual([])
    expect(flow.sent).toMatchObject([{ tries: 1, route: 'to-erp', type: 'order', from: CLERK, payload: order('1') }])
    expect((await flow.store.ledger()).deliveries).toMatchObject({ planned: 1, waiting: 0, delivered: 1 })
  })

  it.each(['', 'PT10M', 'PT2H'])(
    'is what the store gives when it begins by itself: it expires after %s',
    async (expires) => {
      const routes = [{ ...toErp, expiresMs: 3_600_000 }]
      const flow = await flowOn(redis.url, { atOnce: true, routes })
      await flow.take(iq('1', expires))
      await flow.deliverer.idle()
      const waiting = await flowOn(redis.url, { routes })
      await waiting.take(iq('1', expires))
      await waiting.deliverer.deliver(waiting.wakes.flatMap(({ ids }) => ids))
      await waiting.deliverer.idle()
      const [begun, started] = [flow, waiting].map(({ sent: [one] }) => {
        const { receivedAtMs, sinceMs, expiresAtMs = Infinity } = one!
        const times = { receivedAtMs: 0, sinceMs: sinceMs - receivedAtMs, expiresAtMs: expiresAtMs - receivedAtMs }
        return { ...one, payload: String(one!.payload), id: '', envelopeId: '', token: '', ...times }
      })
      expect(begun).toEqual(started)
    },
  )

  it('waits for its turn where all places of its destination are taken', async () => {
    const { answers, outcome } = patience()
    const flow = await flowOn(redis.url, { atOnce: true, places: { all: 10, perDestination: 1 } })
    flow.outcome = outcome
    await flow.take(iq('1'))
    await flow.take(iq('2'))
    expect(flow.sent).toHaveLength(1)
    expect(flow.wakes).toHaveLength(1)
    answers[0]!(delivered)
    await flow.deliverer.idle()
  })

  it('waits for its turn where another of its order is under way', async () => {
    const { answers, outcome } = patience()
    const inOrder = routeOf('to-erp', {
      when: { type: ['order'] },
      deliver: [toJid(ERP)],
      order: { by: 'sender' },
    })
    const flow = await flowOn(redis.url, { atOnce: true, routes: [inOrder] })
    flow.outcome = outcome
    await flow.take(iq('1'))
    await flow.take(iq('2'))
    expect(flow.sent).toHaveLength(1)
    expect(flow.deliverer.underWay).toBe(1)
    answers[0]!(delivered)
    await flow.deliverer.idle()
    // Woken for by its acceptance, in vain, and by the end of the one before it.
    expect(flow.wakes.map(({ ids }) => ids)).toEqual([[expect.any(String)], [expect.any(String)]])
  })

  it('leaves its place where nothing was accepted', async () => {
    const flow = await flowOn(redis.url, {
      atOnce: true,
      between: (store) => ({ ...store, accept: () => Promise.reject(new StoreUnavailable('away')) }),
    })
    expect((await flow.take(iq('1'))).kind).toBe('rejected')
    expect(flow.deliverer.underWay).toBe(0)
    expect(flow.sent).toEqual([])
  })

  const idle = [
    ['is offline', (flow: Flow) => void Object.assign(flow, { online: false })],
    ['is stopping', (flow: Flow) => flow.deliverer.rest()],
  ] as const
  it.each(idle)('is left to others while the process %s', async (_, leave) => {
    const flow = await flowOn(redis.url, { atOnce: true })
    leave(flow)
    await flow.take(iq('1'))
    expect(flow.sent).toEqual([])
    expect(flow.wakes).toHaveLength(1)
  })
})

describe('an acceptance that begins attempts', () => {
  it('begins none of a document that it has seen already, and none of a duplicate', async () => {
    const store = await openTestStore(redis.url)
    const first = { ...acceptance({ claim: 'c', digest: 'a' }), begin: [0] }
    const again = { ...acceptance({ claim: 'c', digest: 'a' }), begin: [0] }
    const { id } = first.envelope
    expect(await store.accept([first])).toEqual([
      { kind: 'accepted', id, begun: { indexes: [0], token: expect.any(String) } },
    ])
    expect(await store.accept([first])).toEqual([{ kind: 'accepted', id }])
    expect(await store.accept([again])).toEqual([{ kind: 'duplicate', id }])
    expect((await store.depth()).underWay).toBe(1)
  })

  it('records them like any other: they are taken back when the lease is over', async () => {
    const clock = setClock()
    const store = await openTestStore(redis.url, { clock, attemptLeaseMs: 60_000 })
    const one = { ...acceptance({ deliveries: [plan({ confirmTimeoutMs: 90_000 })] }), begin: [0] }
    await store.accept([one])
    const id = `${one.envelope.id}.0`
    clock.nowMs += 119_000
    expect(await store.due(10)).toEqual([])
    clock.nowMs += 2_000
    expect(await store.due(10)).toEqual([id])
    expect(await store.start([id], [])).toMatchObject([{ id, tries: 1 }])
  })
})

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { compileXPathTest, rehydrate } from '../../src/documents/documents.ts'
import type { DocumentType, OnInvalid, SchemaLayer } from '../../src/domain/document-type.ts'
import type { Route } from '../../src/domain/route.ts'
import { createHeldOperations } from '../../src/flow/held.ts'
import type { Ruling } from '../../src/flow/intake.ts'
import { compileSenders } from '../../src/flow/senders.ts'
import { compileRoutes } from '../../src/matching/matcher.ts'
import { documentMessage } from '../../src/xmpp/message.ts'
import { documentsFor, stanzaOf } from '../documents/given.ts'
import { routeOf, toJid, toNode } from '../matching/samples.ts'
import { closeStores, keepLog } from '../redis/fixtures.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { ERP, type Flow, flowOn, order, toErp, types } from './rooms.ts'

let redis: RunningRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())
afterEach(closeStores)

const CLERK = 'clerk@shop.example/desk'
const DESK = 'desk@backend.example'
const repair = routeOf('repair', { takes: 'invalid', when: { type: ['order'] }, deliver: [toJid(DESK)] })
const ROUTES = [toErp, repair]
const WRONG = order('7').replace('<quantity>3<', '<quantity>many<')

const stanza = (id: string, payload: string) => stanzaOf(`<iq type='set' id='${id}' from='${CLERK}'>${payload}</iq>`)

/** The type `order` with another `onInvalid`, its own or its layer's. */
function orderTypes(onInvalid: OnInvalid, ofLayer: SchemaLayer['onInvalid'] = onInvalid): readonly DocumentType[] {
  return types().map((type) =>
    type.name === 'order'
      ? { ...type, onInvalid, layers: type.layers.map((layer) => ({ ...layer, onInvalid: ofLayer })) }
      : type,
  )
}

async function rulingFor(all: readonly DocumentType[], routes: readonly Route[] = ROUTES): Promise<Ruling> {
  const documents = await documentsFor(all)
  const { matcher } = compileRoutes(routes, compileXPathTest)
  return { documents, matcher, senders: compileSenders(['*@shop.example']), typeSenders: new Map() }
}

async function flowWith(...types: Parameters<typeof orderTypes>): Promise<Flow> {
  const flow = await flowOn(redis.url)
  flow.ruling = await rulingFor(orderTypes(...types))
  return flow
}

const heldOn = (flow: Flow, { log } = keepLog()) =>
  createHeldOperations({
    store: flow.store,
    ruling: () => flow.ruling,
    rehydrate,
    metrics: flow.metrics,
    now: flow.clock,
    log,
  })

async function take(flow: Flow, payload: string, id = '1') {
  const reply = await flow.take(stanza(id, payload))
  return reply.kind === 'accepted' ? reply.accepted[0]! : reply
}

describe('what becomes of an invalid document', () => {
  it.each([
    ['reject', undefined, 'rejected'],
    ['quarantine', undefined, 'held'],
    ['mark', undefined, DESK],
    ['reject', 'quarantine', 'held'],
    ['quarantine', 'reject', 'rejected'],
    ['quarantine', 'mark', DESK],
    ['mark', 'quarantine', 'held'],
    ['reject', 'warn', ERP],
  ] as const)('type %s, layer %s: %s', async (ofType, ofLayer, expected) => {
    const flow = await flowWith(ofType, ofLayer)
    const answer = await take(flow, WRONG)
    if ('kind' in answer) {
      expect(answer.kind).toBe(expected)
      return
    }
    const trace = (await flow.store.trace(answer.id))!
    expect(answer.held).toBe(expected === 'held')
    expect(trace.state === 'held' ? 'held' : trace.deliveries.map(({ destination }) => destination).join()).toBe(
      expected,
    )
  })

  it('concerns no valid one', async () => {
    const flow = await flowWith('mark')
    const answer = await take(flow, order('8'))
    const trace = (await flow.store.trace('kind' in answer ? '' : answer.id))!
    expect(trace.deliveries.map(({ destination }) => destination)).toEqual([ERP])
    expect(trace.marked).toBeUndefined()
  })
})

describe('a marked document', () => {
  it('keeps its fields, and its findings go with it', async () => {
    const flow = await flowWith('mark')
    const answer = await take(flow, WRONG)
    const trace = (await flow.store.trace('kind' in answer ? '' : answer.id))!
    expect(trace.fields).toMatchObject({ currency: ['EUR'] })
    expect(trace.marked).toMatchObject({ total: 1, findings: [{ layer: 'xsd', severity: 'error' }] })
    await flow.deliverer.deliver([`${trace.id}.0`])
    const [attempt] = flow.sent
    const message = documentMessage(attempt!, DESK, '<order/>', 'waybill.example', flow.clock())
    expect(message).toMatch(/<via [^>]*><invalid findings="1"><finding layer="xsd" [^>]*severity="error".*<\/via>/)
  })
})

describe('a dead letter', () => {
  it('is redriven with a document of which there are only warnings', async () => {
    const flow = await flowWith('reject', 'warn')
    const answer = await take(flow, order('7'))
    const id = 'kind' in answer ? '' : answer.id
    await flow.operations.park(id, { by: 'ops', reason: 'x' })
    const looking = { by: 'ops', dryRun: true, document: Buffer.from(WRONG) }
    expect(await flow.operations.redrive(id, looking)).toEqual({ kind: 'done', to: [ERP] })
  })

  it('that is marked is matched again as an invalid one, and with a valid document in its place as a valid one', async () => {
    const flow = await flowWith('mark')
    const answer = await take(flow, WRONG)
    const id = 'kind' in answer ? '' : answer.id
    await flow.operations.park(id, { by: 'ops', reason: 'x' })
    const looking = { by: 'ops', matchAgain: true, dryRun: true }
    expect(await flow.operations.redrive(id, looking)).toEqual({ kind: 'done', to: [DESK] })
    const document = Buffer.from(order('7'))
    expect(await flow.operations.redrive(id, { ...looking, document })).toEqual({ kind: 'done', to: [ERP] })
  })
})

describe('a held document', () => {
  it('is counted, told once for each fault, and told of again as held to whoever repeats it', async () => {
    const flow = await flowWith('quarantine')
    const first = await take(flow, WRONG)
    expect(await take(flow, WRONG)).toMatchObject({ duplicate: true, held: true, id: 'kind' in first ? '' : first.id })
    expect(flow.counted).toContain('held order')
    expect(flow.alarms).toEqual([
      expect.stringMatching(/^held order xsd \S+: \S+ of type order from clerk@shop.example/),
    ])
    expect(flow.wakes).toEqual([])
  })

  it('of which one stanza has more than may be held is told that it never fits', async () => {
    const flow = await flowOn(redis.url, { storeOptions: { limits: { perSenderHeld: 1 } } })
    flow.ruling = await rulingFor(orderTypes('quarantine'))
    const items = ['1', '2'].map((id) => `<item id='${id}'>${WRONG.replace('7', id)}</item>`).join('')
    const pubsub = `<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='in'>${items}</publish></pubsub>`
    const publish = stanzaOf(`<iq type='set' id='1' from='${CLERK}'>${pubsub}</iq>`, 'publish')
    expect(await flow.take(publish)).toMatchObject({
      kind: 'rejected',
      rejection: { kind: 'too-large', text: expect.stringContaining('1 invalid documents of one sender') },
    })
  })

  it('is released to the routes of valid documents, also where its type rejects by now', async () => {
    const flow = await flowWith('quarantine')
    const answer = await take(flow, WRONG)
    const id = 'kind' in answer ? '' : answer.id
    flow.ruling = await rulingFor(orderTypes('reject'))
    const result = await heldOn(flow).release(id, { by: 'ops', reason: 'agreed' })
    expect(result).toEqual({ kind: 'done', to: [ERP] })
    expect(await flow.store.trace(id)).toMatchObject({ state: 'waiting', fields: { currency: ['EUR'] } })
    expect(flow.counted).toContain('held-ended released')
    expect(await heldOn(flow).refuse(id, { by: 'ops', reason: 'late' })).toMatchObject({ kind: 'refused' })
  })

  it('is released to nobody where its routes make no address that may be used, and that is what is said', async () => {
    const flow = await flowWith('quarantine')
    const answer = await take(flow, WRONG)
    const id = 'kind' in answer ? '' : answer.id
    const nowhere = routeOf('nowhere', { deliver: [toNode('usd/{currency}', { allow: 'usd/USD' })] })
    flow.ruling = await rulingFor(orderTypes('quarantine'), [nowhere])
    const impossible = ['xmpp:p.example?;node=usd/{currency}']
    const log = keepLog()
    const result = await heldOn(flow, log).release(id, { by: 'ops', reason: 'x' })
    expect(result).toEqual({ kind: 'done', to: [], impossible })
    expect(log.lines).toMatchObject([{ event: 'released' }, { event: 'address-refused', details: { id } }])
    expect(await flow.store.trace(id)).toMatchObject({ state: 'dead', deliveries: [{ reason: 'address-refused' }] })
  })

  it('is told to have expired where it is released too late, and ends so', async () => {
    const flow = await flowWith('quarantine')
    const answer = await take(flow, `<submit xmlns='urn:waybill:0' expires='PT10M'>${WRONG}</submit>`)
    const id = 'kind' in answer ? '' : answer.id
    flow.clock.nowMs += 600_000
    const result = await heldOn(flow).release(id, { by: 'ops', reason: 'x' })
    expect(result).toEqual({ kind: 'done', to: [], expired: [ERP] })
    expect(await flow.store.expire(9)).toEqual([`${id}.0`])
    expect((await flow.store.trace(id))?.state).toBe('expired')
  })

  it('is released by the first configuration that finds it valid, and by none before', async () => {
    const flow = await flowWith('quarantine')
    const held = heldOn(flow)
    const answer = await take(flow, WRONG)
    const id = 'kind' in answer ? '' : answer.id
    expect(await held.review()).toBe(0)
    flow.ruling = await rulingFor(orderTypes('quarantine').filter(({ name }) => name !== 'order'))
    expect(await held.review()).toBe(0)
    expect(await held.release(id, { by: 'ops', reason: 'x' })).toMatchObject({
      kind: 'refused',
      reason: 'is no document of type order by the configuration of now',
    })
    flow.ruling = await rulingFor(orderTypes('quarantine', 'warn'))
    expect(await held.review()).toBe(1)
    expect(await flow.store.trace(id)).toMatchObject({
      state: 'waiting',
      holding: { ended: { how: 'released', by: 'waybill' } },
      deliveries: [{ destination: ERP }],
    })
    expect(await held.review()).toBe(0)
  })

  it('and others are released in the order in which they came', async () => {
    const flow = await flowWith('quarantine')
    const ids: string[] = []
    for (const number of ['1', '2', '3']) {
      const answer = await take(flow, WRONG.replace('7', number))
      ids.push('kind' in answer ? '' : answer.id)
      flow.clock.nowMs += 1
    }
    flow.ruling = await rulingFor(orderTypes('quarantine', 'warn'))
    const log = keepLog()
    expect(await heldOn(flow, log).review()).toBe(3)
    expect(log.lines.filter(({ event }) => event === 'released').map(({ details }) => details.id)).toEqual(ids)
  })

  it('that is looked at by hand stays as it is, and one that is none is told of', async () => {
    const flow = await flowWith('quarantine')
    const held = heldOn(flow)
    const answer = await take(flow, WRONG)
    const id = 'kind' in answer ? '' : answer.id
    const looking = { by: 'ops', reason: 'x', dryRun: true }
    expect(await held.release(id, looking)).toEqual({ kind: 'done', to: [ERP] })
    expect(await held.refuse(id, looking)).toEqual({ kind: 'done', to: [] })
    expect((await flow.store.trace(id))!.state).toBe('held')
    const doing = { ...looking, dryRun: false }
    expect(await held.refuse(id, doing)).toEqual({ kind: 'done', to: [] })
    expect(flow.counted.filter((what) => what.startsWith('held-ended'))).toEqual(['held-ended refused'])
    expect(await flow.store.refuse(id, doing), 'again after a lost reply').toBe(true)
    expect(await flow.store.refuse(id, { ...doing, by: 'another' })).toBe(false)
    for (const request of [looking, doing]) {
      expect(await held.release(id, request)).toEqual({ kind: 'refused', reason: 'is not held but dropped' })
    }
  })
})

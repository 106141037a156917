import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { stanzaOf } from '../documents/given.ts'
import { routeOf, toJid } from '../matching/samples.ts'
import { balances, closeStores, freshId } from '../redis/fixtures.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { ERP, type Flow, flowOn, order, rulingOf, toErp } from './rooms.ts'

let redis: RunningRedis

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(async () => {
  await redis.stop()
})
afterEach(closeStores)

const refusing = { kind: 'refused', answer: { condition: 'forbidden', type: 'auth', text: 'not you' } } as const
const BY = { by: 'ops@example.org' }
const done = { kind: 'done' }
const refused = (reason: string) => ({ kind: 'refused', reason })

/** Takes a document in; gives its envelope id. */
async function taken(flow: Flow): Promise<string> {
  const reply = await flow.take(stanzaOf(`<iq type='set' id='1' from='clerk@shop.example/desk'>${order('7')}</iq>`))
  if (reply.kind !== 'accepted') throw new Error(JSON.stringify(reply))
  return reply.accepted[0]!.id
}

async function deadAtErp(): Promise<{ readonly flow: Flow; readonly id: string }> {
  const flow = await flowOn(redis.url)
  flow.outcome = () => refusing
  const id = await taken(flow)
  await flow.deliverer.deliver([`${id}.0`])
  await flow.deliverer.idle()
  return { flow, id }
}

describe('redrive', () => {
  it.each([
    ['the delivery', (id: string) => `${id}.0`],
    ['the whole document', (id: string) => id],
  ])('by the id of %s puts it on its way again, once', async (_, idOf) => {
    const { flow, id } = await deadAtErp()
    expect(await flow.operations.redrive(idOf(id), BY)).toMatchObject(done)
    expect((await flow.operations.redrive(idOf(id), BY)).kind).toBe('refused')
    flow.outcome = () => ({ kind: 'delivered', proof: 'receipt' })
    await flow.deliverer.deliver(await flow.store.due(10))
    await flow.deliverer.idle()
    expect((await flow.store.trace(id))?.state).toBe('delivered')
    expect(await balances(flow.store)).toEqual([])
  })

  it('matches a document again that had found no route, by the routes of now', async () => {
    const none = routeOf('none', { when: { type: ['note'] } })
    const flow = await flowOn(redis.url, { routes: [none] })
    const id = await taken(flow)
    expect(await flow.operations.redrive(id, BY)).toEqual(refused('still matches no route'))
    const byContent = routeOf('by-content', {
      when: { type: ['order'], xpath: "t:order/t:line/t:item = 'flour'", namespaces: { t: 'urn:order' } },
      deliver: [toJid(ERP)],
    })
    flow.ruling = await rulingOf([none, byContent])
    expect(await flow.operations.redrive(id, BY)).toMatchObject(done)
    expect(await flow.store.trace(id)).toMatchObject({
      state: 'waiting',
      deliveries: [{ route: 'by-content', destination: ERP }],
    })
    expect(await balances(flow.store)).toEqual([])
  })

  it('says why it can not', async () => {
    const { flow, id } = await deadAtErp()
    expect(await flow.operations.redrive(freshId(), BY)).toEqual(refused('is not known'))
    expect(await flow.operations.redrive(`${freshId()}.0`, BY)).toEqual(refused('is not known'))
    await flow.operations.redrive(id, BY)
    expect(await flow.operations.redrive(id, BY)).toEqual(refused('is not a dead letter but waiting'))
  })

  it('of an address that is refused stays refused', async () => {
    const flow = await flowOn(redis.url, {
      routes: [{ ...toErp, deliver: [toJid('{currency}@backend.example', { allow: 'USD@backend[.]example' })] }],
    })
    const id = await taken(flow)
    expect(await flow.operations.redrive(id, BY)).toEqual(
      refused('has no address that may be used: give another one, or match it again'),
    )
  })
})

describe('drop', () => {
  it('ends what is dead or waits, and keeps who did it and why', async () => {
    const { flow, id } = await deadAtErp()
    expect(await flow.operations.drop(`${id}.0`, { reason: 'sent by hand', by: 'ops@example.org' })).toMatchObject(done)
    expect((await flow.store.trace(id))?.deliveries).toMatchObject([
      { state: 'dropped', reason: 'sent by hand (ops@example.org)' },
    ])
    expect(await balances(flow.store)).toEqual([])
  })

  it('ends nothing twice', async () => {
    const { flow, id } = await deadAtErp()
    await flow.operations.drop(id, { reason: 'x', by: 'ops@example.org' })
    expect((await flow.operations.drop(id, { reason: 'y', by: 'ops@example.org' })).kind).toBe('refused')
    expect((await flow.operations.drop(freshId(), { reason: 'y', by: 'ops@example.org' })).kind).toBe('refused')
  })
})

describe('park', () => {
  const order = { reason: 'the partner is away', by: 'ops@example.org' }

  it('makes a dead letter of what waits, and says beforehand that it would', async () => {
    const flow = await flowOn(redis.url)
    const id = await taken(flow)
    expect(await flow.operations.park(`${id}.0`, { ...order, dryRun: true })).toMatchObject(done)
    expect((await flow.store.trace(id))?.state).toBe('waiting')
    expect(await flow.operations.park(`${id}.0`, order)).toMatchObject(done)
    expect((await flow.store.trace(id))?.deliveries).toMatchObject([{ state: 'dead', reason: 'parked' }])
    expect(await flow.operations.redrive(id, { ...BY, keepPlace: true })).toMatchObject(done)
    expect(await balances(flow.store)).toEqual([])
  })

  it('of what is dead already is refused', async () => {
    const { flow, id } = await deadAtErp()
    for (const dryRun of [true, false])
      expect((await flow.operations.park(id, { ...order, dryRun })).kind).toBe('refused')
  })
})

it.each(['drop', 'park'] as const)('to %s what is under way comes with the end of the attempt', async (verb) => {
  const order = { reason: 'in the way', by: 'ops@example.org' }
  const flow = await flowOn(redis.url)
  const id = await taken(flow)
  let refuse = () => {}
  const outcome = new Promise<typeof refusing>((resolve) => {
    refuse = () => resolve(refusing)
  })
  flow.outcome = () => outcome
  await flow.deliverer.deliver([`${id}.0`])
  for (const dryRun of [true, false])
    expect(await flow.operations[verb](`${id}.0`, { ...order, dryRun })).toEqual({ kind: 'asked' })
  expect((await flow.store.trace(id))?.deliveries).toMatchObject([
    { state: 'waiting', asked: { state: { drop: 'dropped', park: 'dead' }[verb] } },
  ])
  refuse()
  await flow.deliverer.idle()
  expect((await flow.store.trace(id))?.deliveries).toMatchObject([{ state: { drop: 'dropped', park: 'dead' }[verb] }])
  expect(await balances(flow.store)).toEqual([])
})

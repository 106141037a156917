import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { digestOf } from '../../src/documents/digest.ts'
import { childElements } from '../../src/domain/element.ts'
import { type Documents, type InboundStanza, StoreUnavailable } from '../../src/flow/ports.ts'
import type { Reply } from '../../src/flow/reply.ts'
import type { RedisStore } from '../../src/redis/store.ts'
import { createDispatch } from '../../src/xmpp/dispatch.ts'
import { stanzaOf } from '../documents/given.ts'
import { eventually } from '../eventually.ts'
import { routeOf, toNode } from '../matching/samples.ts'
import { closeStores, freshId } from '../redis/fixtures.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { type Flow, flowOn, order, rulingOf } from './rooms.ts'

let redis: RunningRedis

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(async () => {
  await redis.stop()
})
afterEach(closeStores)

const CLERK = 'clerk@shop.example/desk'

function iq(id: string, payload: string, from = CLERK): InboundStanza {
  return stanzaOf(`<iq type='set' id='${id}' from='${from}'>${payload}</iq>`)
}

function publish(id: string, items: Readonly<Record<string, string>>): InboundStanza {
  const inside = Object.entries(items).map(([item, payload]) => {
    return item.startsWith('unnamed') ? `<item>${payload}</item>` : `<item id='${item}'>${payload}</item>`
  })
  const pubsub = `<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='in'>${inside.join('')}</publish></pubsub>`
  return stanzaOf(`<iq type='set' id='${id}' from='${CLERK}'>${pubsub}</iq>`, 'publish')
}

function acceptedIn(reply: Reply) {
  if (reply.kind !== 'accepted') throw new Error(`Expected accepted, not ${JSON.stringify(reply)}`)
  return reply.accepted
}

function idIn(reply: Reply): string {
  return acceptedIn(reply)[0]!.id
}

function rejectionIn(reply: Reply) {
  if (reply.kind !== 'rejected') throw new Error(`Expected a rejection, not ${JSON.stringify(reply)}`)
  return { ...reply.rejection, item: reply.item }
}

/** The flow is as it was: the next document is taken, and it is the only one. */
async function takesTheNext(flow: Flow): Promise<void> {
  const [accepted] = acceptedIn(await flow.take(iq('next', order('next'))))
  expect(accepted).toMatchObject({ type: 'order', duplicate: false })
  expect((await flow.store.ledger()).documents.accepted).toBe(1)
}

describe('a document that is taken', () => {
  it('is in the store with its decision before the sender hears of it', async () => {
    const flow = await flowOn(redis.url)
    const [accepted] = acceptedIn(await flow.take(iq('1', order('7'))))
    const trace = await flow.store.trace(accepted!.id)
    expect(trace).toMatchObject({
      type: 'order',
      state: 'waiting',
      fields: { id: ['7'], currency: ['EUR'] },
      origin: { from: CLERK, stanza: 'iq', stanzaId: '1' },
      deliveries: [{ id: `${accepted!.id}.0`, route: 'to-erp', destination: 'erp@backend.example', state: 'waiting' }],
    })
    expect(flow.wakes).toEqual([{ ids: [`${accepted!.id}.0`], delayMs: 0 }])
    expect(flow.counted).toEqual(['accepted order iq'])
  })

  it('keeps nothing of its tree in memory while it waits for Redis', async () => {
    const stanza = iq('1', order('7'))
    const [root] = childElements(stanza.element)
    const kept: number[] = []
    const flow = await flowOn(redis.url, {
      between: (store) => ({
        ...store,
        accept(acceptances) {
          kept.push(root!.children.length)
          return store.accept(acceptances)
        },
      }),
    })
    expect(root!.children.length).toBeGreaterThan(0)
    const id = idIn(await flow.take(stanza))
    expect(kept).toEqual([0])
    expect(String(await flow.store.payload(id))).toBe(order('7'))
    const { digest } = (await flow.store.trace(id))!
    expect(digest).toBe(digestOf(childElements(iq('1', order('7')).element)[0]!))
  })

  it('and matches no route is accepted, and a dead letter that says so', async () => {
    const flow = await flowOn(redis.url, { routes: [routeOf('none', { when: { type: ['note'] } })] })
    const [accepted] = acceptedIn(await flow.take(iq('1', order('7'))))
    expect(await flow.store.dead({})).toMatchObject([{ id: accepted!.id, reason: 'no-route', type: 'order' }])
    expect(flow.wakes).toEqual([])
  })

  it('and makes an address that is not allowed reaches the others, and that one is a dead letter', async () => {
    const node = toNode('orders/{currency}', { allow: 'orders/[A-Z]{3}' })
    const usd = toNode('usd/{currency}', { allow: 'usd/USD' })
    const flow = await flowOn(redis.url, {
      routes: [routeOf('nodes', { when: { type: ['order'] }, deliver: [node, usd] })],
    })
    const id = idIn(await flow.take(iq('1', order('7'))))
    expect((await flow.store.trace(id))?.deliveries).toMatchObject([
      { destination: 'xmpp:p.example?;node=orders/EUR', state: 'waiting' },
      { destination: 'xmpp:p.example?;node=usd/{currency}', state: 'dead', reason: 'address-refused' },
    ])
    expect(flow.wakes).toEqual([{ ids: [`${id}.0`], delayMs: 0 }])
    const told = () => flow.lines.filter(({ event }) => event === 'address-refused').map(({ details }) => details)
    expect(told()).toMatchObject([
      { id, from: expect.stringContaining('@'), refused: [{ route: 'nodes', value: 'usd/EUR' }] },
    ])
    await flow.take(iq('1', order('7')))
    expect(told(), 'a duplicate is not told of again').toHaveLength(1)
  })

  it('as an item is told by its id where it was sent to, or by its stanza and its place in it', async () => {
    const flow = await flowOn(redis.url)
    const note = (text: string) => `<note xmlns="urn:note">${text}</note>`
    const items = { 'unnamed 1': note('a'), 'unnamed 2': note('b'), named: note('c') }
    const first = acceptedIn(await flow.take(publish('1', items)))
    expect(first.map(({ duplicate }) => duplicate)).toEqual([false, false, false])
    expect(acceptedIn(await flow.take(publish('1', items)))).toEqual(first.map((one) => ({ ...one, duplicate: true })))
    const { named } = items
    const again = acceptedIn(await flow.take(publish('2', { named })))
    const elsewhere = acceptedIn(await flow.take({ ...publish('2', { named }), to: 'other@waybill.example.test' }))
    expect([...again, ...elsewhere].map(({ duplicate }) => duplicate)).toEqual([true, false])
  })

  it('and came before is acknowledged with its first id, and goes nowhere again', async () => {
    const flow = await flowOn(redis.url)
    const [first] = acceptedIn(await flow.take(iq('1', order('7'))))
    const [again] = acceptedIn(await flow.take(iq('1', order('7'), 'clerk@shop.example/other')))
    expect(again).toEqual({ ...first, duplicate: true })
    expect(flow.wakes).toHaveLength(1)
    expect(flow.counted).toEqual(['accepted order iq', 'duplicate order'])
    const [other] = acceptedIn(await flow.take(iq('1', order('8'))))
    expect(other, 'the same stanza id with another document').toMatchObject({ duplicate: false })
    const [others] = acceptedIn(await flow.take(iq('1', order('7'), 'shop@shop.example')))
    expect(others, 'the same from somebody else').toMatchObject({ duplicate: false })
  })

  it('is of the version that its sender says, and hears that this one will be gone', async () => {
    const flow = await flowOn(redis.url)
    const reading = (version: string) =>
      `<submit xmlns="urn:waybill:0"${version}><reading xmlns="urn:reading"/></submit>`
    const [old] = acceptedIn(await flow.take(iq('1', reading(' version="1"'))))
    expect(old).toMatchObject({ type: 'reading', version: '1', deprecated: expect.stringContaining('please send 2') })
    expect(await flow.store.trace(old!.id)).toMatchObject({ type: 'reading', version: '1' })
    const [newest] = acceptedIn(await flow.take(iq('2', reading(''))))
    expect(newest).toMatchObject({ version: '2' })
    expect(newest).not.toHaveProperty('deprecated')
    expect(rejectionIn(await flow.take(iq('3', reading(' version="3"')))).kind).toBe('unknown-type')
    expect(rejectionIn(await flow.take(iq('4', reading(' version=""')))).kind).toBe('malformed')
    expect(flow.counted).toEqual([
      'accepted reading iq',
      'deprecated reading 1 clerk@shop.example',
      'accepted reading iq',
      'rejected unknown-type',
      'rejected malformed',
    ])
  })

  it('is judged by the routes that were in force when it came', async () => {
    let goOn = () => {}
    const asked = new Promise<void>((resolve) => (goOn = resolve))
    let looked = false
    const flow = await flowOn(redis.url, {
      between: (store) => ({
        ...store,
        async trace(id) {
          looked = true
          await asked
          return store.trace(id)
        },
      }),
    })
    const reply = flow.take(publish('1', { [freshId()]: order('7') }))
    await eventually(() => looked)
    flow.ruling = await rulingOf([routeOf('later', { when: { type: ['order'] } })])
    goOn()
    const id = idIn(await reply)
    expect((await flow.store.trace(id))?.deliveries).toMatchObject([{ route: 'to-erp' }])
  })
})

const invalidOrder = `<order xmlns="urn:order" currency="euro"><id>7</id></order>`
const refused: readonly [what: string, stanza: InboundStanza, kind: string, findings?: number][] = [
  ['from a stranger', iq('1', order('7'), 'eve@evil.example/x'), 'not-allowed'],
  ['of a type that this sender may not send', iq('1', '<note xmlns="urn:note"/>', 'shop@shop.example'), 'not-allowed'],
  ['of a type that nobody knows', iq('1', '<letter xmlns="urn:letter"/>'), 'unknown-type'],
  ['that its schema refuses, with all findings', iq('1', invalidOrder), 'invalid', 2],
  ['that is larger than the limit', iq('1', order('x'.repeat(20_000))), 'too-large', 1],
  [
    'with a bad wrapper',
    iq('1', `<submit xmlns='urn:waybill:0' expires='soon'>${order('7')}</submit>`),
    'malformed',
    1,
  ],
  [
    'two in one wrapper',
    iq('1', `<submit xmlns='urn:waybill:0'>${order('7')}${order('8')}</submit>`),
    'several-documents',
  ],
  ['none in a wrapper', iq('1', `<submit xmlns='urn:waybill:0'/>`), 'no-document'],
  [
    'in bytes that are no XML',
    iq('1', `<data xmlns='urn:xmpp:bob' type='application/xml'>PG8+</data>`),
    'malformed',
    1,
  ],
]

describe('a document that is refused', () => {
  it.each(refused)('%s leaves nothing behind, and the next one passes', async (_, stanza, kind, findings = 0) => {
    const flow = await flowOn(redis.url)
    const rejection = rejectionIn(await flow.take(stanza))
    expect(rejection.kind).toBe(kind)
    expect(rejection.findings).toHaveLength(findings)
    expect(flow.counted).toEqual([`rejected ${kind}`])
    expect(flow.wakes).toEqual([])
    await takesTheNext(flow)
  })

  it('among the items of a stanza takes all of them with it, and is named', async () => {
    const flow = await flowOn(redis.url)
    const rejection = rejectionIn(await flow.take(publish('1', { a: order('7'), b: invalidOrder, c: order('9') })))
    expect(rejection).toMatchObject({ kind: 'invalid', item: 'b' })
    await takesTheNext(flow)
  })

  it.each([
    ['7', '7', 'key-conflict'],
    ['"9007199254740993"', '"9007199254740992"', 'accepted'],
    // Numbers that read alike, and aren't: no key is made of them.
    ['9007199254740993', '9007199254740992', 'accepted'],
    ['null', 'null', 'accepted'],
  ])('for a key that reads as JSON: of %s and then %s is %s', async (first, second, becomes) => {
    const flow = await flowOn(redis.url)
    const meter = (id: string, at: number) =>
      `<json xmlns="urn:xmpp:json:0">{"kind":"meter","id":${id},"at":${at}}</json>`
    expect(acceptedIn(await flow.take(iq('1', meter(first, 1))))).toHaveLength(1)
    const reply = await flow.take(iq('2', meter(second, 2)))
    if (becomes === 'accepted') expect(acceptedIn(reply)).toHaveLength(1)
    else expect(rejectionIn(reply).kind).toBe(becomes)
  })

  it('for its key names the document that has it, and takes the other items with it', async () => {
    const flow = await flowOn(redis.url)
    const [first] = acceptedIn(await flow.take(iq('1', order('7'))))
    const rejection = rejectionIn(await flow.take(publish('2', { a: order('8'), b: order('7', 'USD') })))
    expect(rejection).toMatchObject({ kind: 'key-conflict', item: 'b', text: expect.stringContaining(first!.id) })
    expect((await flow.store.ledger()).documents.accepted).toBe(1)
  })

  it('for its key is refused to the one who used it, and to nobody who numbers alike', async () => {
    const flow = await flowOn(redis.url)
    acceptedIn(await flow.take(iq('1', order('7'))))
    const [other] = acceptedIn(await flow.take(iq('1', order('7', 'USD'), 'shop@shop.example')))
    expect(other).toMatchObject({ duplicate: false })
    const { kind } = rejectionIn(await flow.take(iq('2', order('7', 'GBP'), 'clerk@shop.example/phone')))
    expect(kind).toBe('key-conflict')
  })

  it('from a stranger is not looked into', async () => {
    const flow = await flowOn(redis.url)
    const untouched = (): never => {
      throw new Error('looked into')
    }
    const { carriesNothing, typesByRoots } = flow.ruling.documents
    const documents: Documents = {
      carriesNothing,
      typesByRoots,
      extract: untouched,
      identify: untouched,
      validate: untouched,
    }
    flow.ruling = { ...flow.ruling, documents }
    expect(rejectionIn(await flow.take(iq('1', order('7'), 'eve@evil.example'))).kind).toBe('not-allowed')
  })

  it.each([
    ['by itself', iq('1', '<note xmlns="urn:note"/>', 'shop@shop.example')],
    ['in a wrapper', iq('1', '<submit xmlns="urn:waybill:0"><note xmlns="urn:note"/></submit>', 'shop@shop.example')],
  ])('of a type that its sender may not send is not parsed where its root tells: %s', async (_, stanza) => {
    const flow = await flowOn(redis.url)
    const extract = (): never => {
      throw new Error('parsed')
    }
    flow.ruling = { ...flow.ruling, documents: { ...flow.ruling.documents, extract } }
    expect(rejectionIn(await flow.take(stanza))).toMatchObject({
      kind: 'not-allowed',
      text: 'shop@shop.example may not send documents of type note',
    })
  })

  it('as an item that was made here would go round', async () => {
    const flow = await flowOn(redis.url)
    const id = idIn(await flow.take(iq('1', order('7'))))
    expect(rejectionIn(await flow.take(publish('2', { [id]: order('7') })))).toMatchObject({
      kind: 'not-allowed',
      item: id,
      text: `Item ${id} was made here: taking it in again would loop`,
    })
    acceptedIn(await flow.take(publish('3', { [freshId()]: order('8') })))
  })
})

describe('what is too much', () => {
  it('of one sender is answered to that sender alone, by the document', async () => {
    const flow = await flowOn(redis.url, { perMinute: 4 })
    acceptedIn(await flow.take(publish('1', { a: order('1'), b: order('2'), c: order('3'), d: order('4') })))
    expect(rejectionIn(await flow.take(iq('2', order('5'))))).toMatchObject({
      kind: 'overloaded',
      retryAfterSeconds: 15,
    })
    acceptedIn(await flow.take(iq('3', order('6'), 'shop@shop.example')))
    flow.clock.nowMs += 15_000
    acceptedIn(await flow.take(iq('4', order('5'))))
  })

  it('makes more deliveries than one stanza may is refused as a whole', async () => {
    const deliver = Array.from({ length: 10_001 }, (_, at) => toNode(`n${at}`))
    const flow = await flowOn(redis.url, { routes: [routeOf('wide', { when: { type: ['order'] }, deliver })] })
    expect(rejectionIn(await flow.take(publish('1', { a: order('1'), b: order('2') })))).toMatchObject({
      kind: 'too-large',
      text: expect.stringContaining('20002 deliveries, the limit is 20000'),
    })
    expect((await flow.store.ledger()).documents.accepted).toBe(0)
  })

  it('goes to more destinations than are written at once is written behind the answer, and woken for', async () => {
    const deliver = Array.from({ length: 1_250 }, (_, at) => toNode(`n${at}`))
    const flow = await flowOn(redis.url, { routes: [routeOf('wide', { when: { type: ['order'] }, deliver })] })
    const id = idIn(await flow.take(iq('1', order('1'))))
    expect((await flow.store.ledger()).deliveries).toMatchObject({ planned: 1_250, waiting: 1_250 })
    const woken = () => new Set(flow.wakes.flatMap(({ ids }) => ids))
    await eventually(() => woken().size === 1_250)
    expect(woken()).toEqual(new Set(deliver.map((_, number) => `${id}.${number}`)))
    expect(await flow.store.expand()).toEqual({ ids: [], more: false })
  })

  it('waits for its destinations is refused for the sender, or for all', async () => {
    const limits = { waiting: 3, perSenderWaiting: 2 }
    const flow = await flowOn(redis.url, { storeOptions: { limits } })
    for (const id of ['1', '2']) acceptedIn(await flow.take(iq(id, order(id))))
    const own = rejectionIn(await flow.take(iq('3', order('3'))))
    expect(own).toMatchObject({ kind: 'overloaded', text: expect.stringContaining('2 of your documents wait') })
    acceptedIn(await flow.take(iq('4', order('4'), 'shop@shop.example')))
    const all = rejectionIn(await flow.take(iq('5', order('5'), 'new@shop.example')))
    expect(all).toMatchObject({ kind: 'overloaded', text: expect.stringContaining('3 documents wait') })
  })

  it('at once, though nothing else waits, is told that it never fits', async () => {
    const limits = { waiting: 4, perSenderWaiting: 2 }
    const flow = await flowOn(redis.url, { storeOptions: { limits } })
    acceptedIn(await flow.take(iq('1', order('1'))))
    const three = () => publish('2', { a: order('2'), b: order('3'), c: order('4') })
    const tooMany = {
      kind: 'too-large',
      text: 'Cannot take 3 documents in one stanza: by themselves they are more than the 2 documents of one sender that may wait. Send fewer items',
    }
    expect(rejectionIn(await flow.take(three())), 'while one waits').toMatchObject(tooMany)
    const two = () => publish('3', { a: order('2'), b: order('3') })
    expect(rejectionIn(await flow.take(two())), 'fits later').toMatchObject({ kind: 'overloaded' })
    await flow.store.drop(`${(await flow.store.due(1))[0]}`, 'x', 'y')
    expect(rejectionIn(await flow.take(three())), 'while none waits').toMatchObject(tooMany)
    acceptedIn(await flow.take(two()))
    const again = acceptedIn(await flow.take(publish('4', { a: order('2'), b: order('3') })))
    expect(
      again.map(({ duplicate }) => duplicate),
      'what is here already needs no room',
    ).toEqual([true, true])
    expect(rejectionIn(await flow.take(publish('5', { a: order('2'), b: order('3'), d: order('5') })))).toMatchObject({
      kind: 'overloaded',
    })
  })

  it.each<[string, Readonly<Record<string, number>>, string]>([
    ['documents in all', { waiting: 2 }, 'the 2 documents that may wait'],
    ['bytes', { waitingBytes: 150 }, 'the 150 bytes of documents that may wait'],
  ])('at once of %s is told so too', async (_, limits, text) => {
    const flow = await flowOn(redis.url, { storeOptions: { limits } })
    const items = publish('1', { a: order('1'), b: order('2'), c: order('3') })
    expect(rejectionIn(await flow.take(items))).toMatchObject({
      kind: 'too-large',
      text: expect.stringContaining(text),
    })
    expect((await flow.store.ledger()).documents.accepted).toBe(0)
  })

  it('in hand at once is refused before it is looked into, and taken again when there is room', async () => {
    let goOn = () => {}
    const slow = new Promise<void>((resolve) => (goOn = resolve))
    const flow = await flowOn(redis.url, {
      inHandLimit: 2,
      between: (store) => ({
        ...store,
        async accept(acceptances) {
          await slow
          return store.accept(acceptances)
        },
      }),
    })
    const inHand = [flow.take(iq('1', order('1'))), flow.take(iq('2', order('2')))]
    expect(rejectionIn(await flow.take(iq('3', order('3'))))).toMatchObject({
      kind: 'overloaded',
      text: 'Cannot take more now: 2 stanzas are in hand, the limit is 2',
    })
    goOn()
    for (const reply of await Promise.all(inHand)) acceptedIn(reply)
    acceptedIn(await flow.take(iq('3', order('3'))))
  })
})

describe('a message that carries nothing', () => {
  it('is ignored and counted, whoever sends it', async () => {
    const flow = await flowOn(redis.url)
    const composing = "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
    const reply = await flow.take(stanzaOf(`<message from='eve@evil.example/x'>${composing}</message>`))
    expect(reply).toEqual({ kind: 'ignored' })
    expect(flow.counted).toEqual(['ignored'])
  })
})

describe('while Redis is away', () => {
  it('the sender is told to wait, and nothing was kept', async () => {
    let isAway = true
    const flow = await flowOn(redis.url, {
      between: (store) => ({
        ...store,
        accept: (acceptances) =>
          isAway ? Promise.reject(new StoreUnavailable('Cannot accept: away')) : store.accept(acceptances),
      }),
    })
    expect(rejectionIn(await flow.take(iq('1', order('7'))))).toMatchObject({
      kind: 'unavailable',
      text: expect.stringContaining('Send it again, with the same id'),
      retryAfterSeconds: 5,
    })
    expect(flow.wakes).toEqual([])
    isAway = false
    await takesTheNext(flow)
  })

  it('an item with an id like ours is not accepted unseen either', async () => {
    const away = () => Promise.reject(new StoreUnavailable('away'))
    const flow = await flowOn(redis.url, { between: (store) => ({ ...store, trace: away, accept: away }) })
    expect(rejectionIn(await flow.take(publish('1', { [freshId()]: order('7') }))).kind).toBe('unavailable')
  })

  it('a wake that is lost costs time only: what was accepted is due', async () => {
    const flow = await flowOn(redis.url, { wake: () => Promise.reject(new Error('away')) })
    const id = idIn(await flow.take(iq('1', order('7'))))
    await eventually(() => flow.lines.some(({ event }) => event === 'wake-lost'))
    expect(await flow.store.due(10)).toEqual([`${id}.0`])
  })
})

type Step = 'extract' | 'identify' | 'validate' | 'match' | 'accept'
const steps: readonly Step[] = ['extract', 'identify', 'validate', 'match', 'accept']

describe('a fault of ours', () => {
  it.each(steps)('in %s answers the sender, and the next document passes', async (step) => {
    let isFaulty = true
    const fail = (): never => {
      throw new Error('a fault')
    }
    const faultyStore = (store: RedisStore): RedisStore => ({
      ...store,
      accept: (acceptances) => (isFaulty && step === 'accept' ? fail() : store.accept(acceptances)),
    })
    const flow = await flowOn(redis.url, { inHandLimit: 1, between: faultyStore })
    const sound = flow.ruling
    flow.ruling = {
      ...sound,
      matcher: { ...sound.matcher, ...(step === 'match' && { match: fail }) },
      documents: { ...sound.documents, ...(step !== 'match' && step !== 'accept' && { [step]: fail }) },
    }
    const written: string[] = []
    const dispatch = createDispatch({
      maxStanzaBytes: 262_144,
      connection: { domain: 'waybill.example.test', write: (text) => written.push(text) > 0 },
      outlet: { receipt() {}, bounce() {} },
      intake: flow.take,
      subscriptions: { hear() {}, miss: () => false },
      questions: { track: fail, trace: fail, offer: fail },
      describe: fail,
      metrics: flow.metrics,
      log: () => {},
    })
    dispatch.handle(iq('1', order('7')).element)
    const answer = await eventually(() => written[0])
    expect(answer).toMatch(/^<iq type="error" id="1" to="clerk@shop\.example\/desk">.*<internal-server-error /)
    expect(answer).not.toContain('a fault')
    expect(flow.counted).toEqual(['failed'])
    isFaulty = false
    flow.ruling = sound
    await takesTheNext(flow)
  })
})

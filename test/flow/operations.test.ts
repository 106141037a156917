import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { destinationName, parseDestination } from '../../src/domain/delivery.ts'
import { stanzaOf } from '../documents/given.ts'
import { is, routeOf, toJid } from '../matching/samples.ts'
import { accepted, balances, closeStores, freshId } from '../redis/fixtures.ts'
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
const DESK = 'desk@backend.example'
const NEW = 'new@backend.example'
const toNew = routeOf('to-new', { when: { type: ['order'] }, deliver: [toJid(NEW)] })
const toCurrency = (allowed: string) => {
  const to = toJid('{currency}@backend.example', { allow: `${allowed}@backend[.]example` })
  return routeOf('to-currency', { when: { type: ['order'] }, deliver: [to] })
}
const order7 = order('7')

/** Takes a document in; gives its envelope id. */
async function taken(flow: Flow, document = order7): Promise<string> {
  const reply = await flow.take(stanzaOf(`<iq type='set' id='1' from='clerk@shop.example/desk'>${document}</iq>`))
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

  it('leaves dead what has expired: sent again it would end so, and be gone', async () => {
    const flow = await flowOn(redis.url)
    flow.outcome = () => refusing
    const id = await taken(flow, `<submit xmlns='urn:waybill:0' expires='PT10M'>${order7}</submit>`)
    await flow.deliverer.deliver([`${id}.0`])
    await flow.deliverer.idle()
    const expiresAtMs = flow.clock() + 600_000
    expect((await flow.store.trace(id))?.deliveries).toMatchObject([{ state: 'dead', expiresAtMs }])
    flow.clock.nowMs += 599_999
    expect((await flow.operations.redrive(id, { ...BY, dryRun: true })).kind).toBe('done')
    flow.clock.nowMs += 1
    const expired = refused('has expired: no try is made after that. It stays dead until it is dropped')
    for (const order of [BY, { ...BY, matchAgain: true }, { ...BY, to: parseDestination(DESK) }]) {
      flow.ruling = await rulingOf([toNew])
      expect(await flow.operations.redrive(id, order)).toEqual(expired)
    }
    expect(await flow.store.redrive(id, BY), 'nor where the operator looked earlier').toBe(false)
    expect((await flow.store.trace(id))?.state).toBe('dead')
    expect(await balances(flow.store)).toEqual([])
  })

  it('of a document sends what has not expired', async () => {
    const soon = routeOf('soon', { when: { type: ['order'] }, deliver: [toJid(DESK)], expiresMs: 1_000 })
    const flow = await flowOn(redis.url, { routes: [toErp, soon] })
    flow.outcome = () => refusing
    const id = await taken(flow)
    await flow.deliverer.deliver([`${id}.0`, `${id}.1`])
    await flow.deliverer.idle()
    flow.clock.nowMs += 1_000
    expect(await flow.operations.redrive(id, BY)).toEqual({ kind: 'done', to: [ERP] })
    const states = (await flow.store.trace(id))!.deliveries.map(({ destination, state }) => [destination, state])
    expect(new Map(states as [string, string][])).toEqual(
      new Map([
        [ERP, 'waiting'],
        [DESK, 'dead'],
      ]),
    )
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

  it('of a document that found no route may be of what can not be addressed by now', async () => {
    const flow = await flowOn(redis.url, { routes: [] })
    const id = await taken(flow)
    flow.ruling = await rulingOf([toCurrency('USD')])
    const impossible = ['{currency}@backend.example']
    expect(await flow.operations.redrive(id, BY)).toEqual({ kind: 'done', to: [], impossible })
    expect((await flow.store.trace(id))!.deliveries).toMatchObject([{ state: 'dead', reason: 'address-refused' }])
  })

  it('says why it can not', async () => {
    const { flow, id } = await deadAtErp()
    expect(await flow.operations.redrive(freshId(), BY)).toEqual(refused('is not known'))
    expect(await flow.operations.redrive(`${freshId()}.0`, BY)).toEqual(refused('is not known'))
    await flow.operations.redrive(id, BY)
    expect(await flow.operations.redrive(id, BY)).toEqual(refused('is not a dead letter but waiting'))
    const held = await accepted(flow.store, { holding: { findings: [], total: 1 } })
    expect(await flow.operations.redrive(held, BY)).toEqual(refused('is not a dead letter but held'))
  })

  it('of an address that is refused stays refused', async () => {
    const flow = await flowOn(redis.url, { routes: [toCurrency('USD')] })
    const id = await taken(flow)
    expect(await flow.operations.redrive(id, BY)).toEqual(
      refused('has no address that may be used: give another one, or match it again'),
    )
    expect(await flow.operations.redrive(id, { ...BY, matchAgain: true })).toEqual(
      refused('still makes no address that may be used'),
    )
    expect(await flow.operations.redrive(id, { ...BY, to: parseDestination(DESK) })).toEqual({
      kind: 'done',
      to: [DESK],
    })
  })

  it.each([
    ['to where it went', {}, [ERP]],
    ['to another destination', { to: parseDestination(DESK) }, [DESK]],
    ['by the routes of now', { matchAgain: true }, [NEW]],
  ])('%s says beforehand where it would go, and of two at once one goes', async (_, order, to) => {
    const { flow, id } = await deadAtErp()
    flow.ruling = await rulingOf([toNew])
    expect(await flow.operations.redrive(id, { ...BY, ...order, dryRun: true })).toEqual({ kind: 'done', to })
    expect((await flow.store.trace(id))!.state).toBe('dead')
    const both = await Promise.all([1, 2].map(() => flow.operations.redrive(id, { ...BY, ...order })))
    expect(both.filter(({ kind }) => kind === 'done')).toEqual([{ kind: 'done', to }])
    expect(both).toContainEqual(refused('is not a dead letter any more'))
    const going = (await flow.store.trace(id))!.deliveries.filter(({ state }) => state === 'waiting')
    expect(going.map(({ destination }) => destination)).toEqual(to)
    expect(await balances(flow.store)).toEqual([])
  })

  it('of one delivery leaves the others of its document, and says of each what it is', async () => {
    const flow = await flowOn(redis.url, { routes: [{ ...toErp, deliver: [toJid(ERP), toJid(DESK), toJid(NEW)] }] })
    const id = await taken(flow)
    flow.outcome = ({ destination }) =>
      destinationName(destination) === NEW ? { kind: 'delivered', proof: 'receipt' } : refusing
    await flow.deliverer.deliver([`${id}.0`, `${id}.1`, `${id}.2`])
    await flow.deliverer.idle()
    const redrive = (name: string, order = {}) => flow.operations.redrive(name, { ...BY, ...order })
    const to = (name: string) => ({ to: parseDestination(name) })
    expect(await redrive(`${id}.2`)).toEqual(refused('is not a dead letter but delivered'))
    expect(await redrive(`${id}.3`)).toEqual(refused('is not known'))
    expect(await redrive(`${id}.1`, to(NEW))).toEqual(refused(`has a delivery to ${NEW} already: ${id}.2`))
    expect(await redrive(id, to('x@x.example'))).toEqual(
      refused('has 2 dead deliveries: only one can go to x@x.example'),
    )
    expect(await redrive(`${id}.1`, { ...to(DESK), dryRun: true })).toEqual({ kind: 'done', to: [DESK] })
    expect(await redrive(`${id}.1`)).toEqual({ kind: 'done', to: [DESK] })
    expect((await flow.store.trace(id))!.deliveries.map(({ state }) => state)).toEqual(['dead', 'waiting', 'delivered'])
    expect(await redrive(id)).toEqual({ kind: 'done', to: [ERP] })
  })

  it('by the routes of now to a destination that is given is refused, and so it is where no route was found', async () => {
    const why = refused('is matched again: a destination can not be given')
    const { flow, id } = await deadAtErp()
    const order = { ...BY, to: parseDestination(DESK) }
    expect(await flow.operations.redrive(id, { ...order, matchAgain: true })).toEqual(why)
    flow.ruling = await rulingOf([])
    const stray = await taken(flow, order7.replace('7', '8'))
    expect(await flow.operations.redrive(stray, order)).toEqual(why)
    expect((await flow.store.trace(stray))!.state).toBe('dead')
  })

  it.each([
    ['keeps its place where that is asked for', true, 0],
    ['goes behind what came since otherwise', false, 1],
  ])('%s', async (_, keepPlace, first) => {
    const flow = await flowOn(redis.url, { routes: [{ ...toErp, order: { by: 'sender' } }] })
    const ids = [await taken(flow), await taken(flow, order7.replace('7', '8'))]
    await flow.operations.park(ids[0]!, { ...BY, reason: 'x' })
    await flow.operations.redrive(ids[0]!, { ...BY, keepPlace })
    expect(await flow.store.due(9)).toEqual([`${ids[first]}.0`])
  })
})

describe('a redrive by the routes of now', () => {
  it('leaves the deliveries that the document has to others, and what can not be addressed is told of as dead', async () => {
    const flow = await flowOn(redis.url, { routes: [{ ...toErp, deliver: [toJid(ERP), toJid(DESK)] }] })
    const id = await taken(flow)
    flow.outcome = () => refusing
    await flow.deliverer.deliver([`${id}.0`])
    await flow.deliverer.idle()
    const again = () => flow.operations.redrive(id, { ...BY, matchAgain: true })
    flow.ruling = await rulingOf([{ ...toErp, deliver: [toJid(DESK)] }])
    expect(await again()).toEqual(refused('has a delivery to every destination that it matches already'))
    flow.ruling = await rulingOf([{ ...toErp, deliver: [toJid(DESK), toJid(ERP)] }, toCurrency('USD')])
    expect(await again()).toEqual({ kind: 'done', to: [ERP], impossible: ['{currency}@backend.example'] })
    const { deliveries } = (await flow.store.trace(id))!
    expect(deliveries.map(({ destination, state, reason }) => [destination, state, reason])).toEqual([
      [ERP, 'dropped', 'matched-again (ops@example.org)'],
      [DESK, 'waiting', undefined],
      [ERP, 'waiting', undefined],
      ['{currency}@backend.example', 'dead', 'address-refused'],
    ])
    expect(await balances(flow.store)).toEqual([])
  })

  it('goes where it went before as often as that is asked for, and leaves no destination out', async () => {
    const { flow, id } = await deadAtErp()
    const again = { ...BY, matchAgain: true }
    expect(await flow.operations.redrive(id, again)).toEqual({ kind: 'done', to: [ERP] })
    await flow.deliverer.deliver([`${id}.1`])
    await flow.deliverer.idle()
    flow.ruling = await rulingOf([{ ...toErp, deliver: [toJid(ERP), toJid(DESK)] }])
    expect(await flow.operations.redrive(id, again)).toEqual({ kind: 'done', to: [ERP, DESK] })
    expect((await flow.store.trace(id))!.deliveries.map(({ destination, state }) => [destination, state])).toEqual([
      [ERP, 'dropped'],
      [ERP, 'dropped'],
      [ERP, 'waiting'],
      [DESK, 'waiting'],
    ])
    await flow.deliverer.deliver([`${id}.3`])
    await flow.deliverer.idle()
    flow.ruling = await rulingOf([toNew])
    await flow.operations.redrive(id, again)
    await flow.deliverer.deliver([`${id}.4`])
    await flow.deliverer.idle()
    const toDesk = { ...BY, to: parseDestination(DESK) }
    expect(await flow.operations.redrive(`${id}.4`, toDesk)).toEqual({ kind: 'done', to: [DESK] })
    expect(await balances(flow.store)).toEqual([])
  })

  it('of one delivery is of that one', async () => {
    const flow = await flowOn(redis.url, { routes: [{ ...toErp, deliver: [toJid(ERP), toJid(DESK)] }] })
    const id = await taken(flow)
    flow.outcome = () => refusing
    await flow.deliverer.deliver([`${id}.0`, `${id}.1`])
    await flow.deliverer.idle()
    flow.ruling = await rulingOf([toNew])
    expect(await flow.operations.redrive(`${id}.1`, { ...BY, matchAgain: true })).toEqual({ kind: 'done', to: [NEW] })
    expect((await flow.store.trace(id))!.deliveries.map(({ state }) => state)).toEqual(['dead', 'dropped', 'waiting'])
  })

  it('matches the fields and the version that were read, or those of the document in its place', async () => {
    const eur = routeOf('eur', { when: { type: ['order'], fields: { currency: is('EUR') } }, deliver: [toJid(ERP)] })
    const sweet = routeOf('sweet', {
      when: { type: ['order'], xpath: "t:order/t:line/t:item = 'sugar'", namespaces: { t: 'urn:order' } },
      deliver: [toJid(NEW)],
    })
    const usd = routeOf('usd', { when: { type: ['order'], fields: { currency: is('USD') } }, deliver: [toJid(DESK)] })
    const old = routeOf('old', {
      when: { type: ['reading'], version: ['reading@1'], fields: { unit: is('m') } },
      deliver: [toJid(NEW)],
    })
    const flow = await flowOn(redis.url, { routes: [routeOf('none', { when: { type: ['note'] } })] })
    const looking = { ...BY, dryRun: true }
    const id = await taken(flow)
    const reading = await taken(
      flow,
      `<submit xmlns='urn:waybill:0' version='1'><reading xmlns='urn:reading' unit='m'/></submit>`,
    )
    flow.ruling = await rulingOf([eur, usd, old, sweet])
    expect(await flow.operations.redrive(id, looking)).toEqual({ kind: 'done', to: [ERP] })
    const document = Buffer.from(order('7', 'USD'))
    expect(await flow.operations.redrive(id, { ...looking, document })).toEqual({ kind: 'done', to: [DESK] })
    const sugar = Buffer.from(order7.replace('flour', 'sugar'))
    expect(await flow.operations.redrive(id, { ...looking, document: sugar })).toEqual({ kind: 'done', to: [ERP, NEW] })
    expect(await flow.operations.redrive(reading, looking)).toEqual({ kind: 'done', to: [NEW] })
    const other = { ...looking, document: Buffer.from('<reading xmlns="urn:reading" unit="m">2</reading>') }
    expect(await flow.operations.redrive(reading, other)).toEqual({ kind: 'done', to: [NEW] })
  })
})

describe('a redrive with another document', () => {
  const wrong = order7.replace('<quantity>3<', '<quantity>many<')

  it.each([
    ['is not well-formed', '<order', /^stays dead: /],
    [
      'is of another type',
      '<note xmlns="urn:note"/>',
      /^stays dead: The document is of type note, the dead letter is of type order$/,
    ],
    ['is of no type', '<stranger/>', /^stays dead: Cannot tell the document's type: no type has the root stranger/],
    ['is invalid', wrong, /^stays dead: The document is not a valid order: 1 finding\n {2}\S*quantity \S*many/],
    ['has many errors', wrong.replace(/<line>.*<\/line>/, '$&$&$&$&$&$&'), /: 6 findings(\n {2}.*){5}$/],
  ])('that %s is refused, and says why', async (_, document, why) => {
    const { flow, id } = await deadAtErp()
    const result = await flow.operations.redrive(id, { ...BY, document: Buffer.from(document) })
    expect(result).toEqual(refused(expect.stringMatching(why) as unknown as string))
    expect((await flow.store.trace(id))!.state).toBe('dead')
  })

  it('that is valid sends that one, which is found by its own fields', async () => {
    const { flow, id } = await deadAtErp()
    const document = Buffer.from(order('7', 'USD'))
    expect(await flow.operations.redrive(id, { ...BY, document })).toEqual({ kind: 'done', to: [ERP] })
    await flow.deliverer.deliver([`${id}.0`])
    await flow.deliverer.idle()
    expect(String(flow.sent.at(-1)!.payload)).toContain('USD')
    expect(await flow.store.dead({ fields: { currency: 'USD' } })).toHaveLength(1)
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
    const parked = { result: 'parked', text: 'by ops@example.org: the partner is away' }
    expect((await flow.store.trace(id))?.deliveries).toMatchObject([
      { state: 'dead', reason: 'parked', attempts: [parked] },
    ])
    expect(await flow.operations.redrive(id, { ...BY, keepPlace: true })).toMatchObject(done)
    expect(await balances(flow.store)).toEqual([])
  })

  it('of what is dead already is refused', async () => {
    const { flow, id } = await deadAtErp()
    for (const dryRun of [true, false])
      expect((await flow.operations.park(id, { ...order, dryRun })).kind).toBe('refused')
  })
})

describe.each(['drop', 'park'] as const)('to %s', (verb) => {
  const order = { reason: 'in the way', by: 'ops@example.org' }
  const state = { drop: 'dropped', park: 'dead' }[verb]

  it('what is under way comes with the end of the attempt', async () => {
    const flow = await flowOn(redis.url)
    const id = await taken(flow)
    flow.outcome = () => ({ kind: 'void', reason: 'the connection was lost' })
    await flow.deliverer.deliver([`${id}.0`])
    await flow.deliverer.idle()
    let refuse = () => {}
    const outcome = new Promise<typeof refusing>((resolve) => {
      refuse = () => resolve(refusing)
    })
    flow.outcome = () => outcome
    await flow.deliverer.deliver([`${id}.0`])
    for (const dryRun of [true, false])
      expect(await flow.operations[verb](`${id}.0`, { ...order, dryRun })).toEqual({ kind: 'asked' })
    expect((await flow.store.trace(id))?.deliveries).toMatchObject([{ state: 'waiting', asked: { state } }])
    refuse()
    await flow.deliverer.idle()
    expect((await flow.store.trace(id))?.deliveries).toMatchObject([{ state }])
    expect(await balances(flow.store)).toEqual([])
  })

  it.each([
    ['a delivery that waits', 'waiting', (id: string) => `${id}.0`, 'done', 'done'],
    ['a document that waits', 'waiting', (id: string) => id, 'done', 'done'],
    ['a delivery that it does not have', 'waiting', (id: string) => `${id}.1`, 'refused', 'refused'],
    ['a document that found no route', 'stray', (id: string) => id, 'done', 'refused'],
    ['a delivery of a document that found no route', 'stray', (id: string) => `${id}.0`, 'refused', 'refused'],
    ['a document that is delivered', 'delivered', (id: string) => id, 'refused', 'refused'],
    ['a document that is held', 'held', (id: string) => id, 'refused', 'refused'],
    ['what is not known', 'waiting', () => freshId(), 'refused', 'refused'],
  ] as const)('%s is told beforehand as it comes', async (_, which, idOf, dropped, parked) => {
    const flow = await flowOn(redis.url, which === 'stray' ? { routes: [] } : {})
    const id =
      which === 'held' ? await accepted(flow.store, { holding: { findings: [], total: 1 } }) : await taken(flow)
    if (which === 'delivered') await flow.deliverer.deliver([`${id}.0`])
    await flow.deliverer.idle()
    const before = await flow.store.trace(id)
    const expected = { drop: dropped, park: parked }[verb]
    expect((await flow.operations[verb](idOf(id), { ...order, dryRun: true })).kind).toBe(expected)
    expect(await flow.store.trace(id)).toEqual(before)
    expect((await flow.operations[verb](idOf(id), order)).kind).toBe(expected)
  })
})

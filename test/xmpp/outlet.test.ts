import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { AttemptOutcome, DeliveryOptions } from '../../src/domain/delivery.ts'
import type { StartedAttempt } from '../../src/flow/ports.ts'
import { createOutlet, type OutletOptions, type XmppOutlet } from '../../src/xmpp/outlet.ts'
import { eventually } from '../eventually.ts'
import { type FakeConnection, fakeConnection } from './fake-connection.ts'
import { meaning } from './stanza.ts'

const ENVELOPE = '01890a5d-ac96-774b-bcce-b302099a8057'
const DELIVERY = `${ENVELOPE}.0`
const ERP = 'erp@backend.example.test'
const RECEIVED = '2026-01-02T03:04:05.678Z'
const NOW = Date.parse(RECEIVED) + 20
const order = '<order xmlns="urn:example:order">äöü</order>'

const utf8 = (text: string) => new TextEncoder().encode(text)

function attempt(
  options: Partial<DeliveryOptions> = {},
  rest: Partial<Omit<StartedAttempt, 'options'>> = {},
): StartedAttempt {
  return {
    id: DELIVERY,
    envelopeId: ENVELOPE,
    tries: 1,
    destination: { kind: 'jid', jid: ERP },
    route: 'all',
    options: { retry: 'default', confirm: 'none', confirmTimeoutMs: 1_000, ...options },
    type: 'order',
    from: 'a@example.test/x',
    receivedAtMs: Date.parse(RECEIVED),
    sinceMs: 0,
    hops: 0,
    form: 'element',
    mediaType: 'application/xml',
    rootName: '{urn:example:order}order',
    datatype: '',
    payload: utf8(order),
    ...rest,
  }
}

interface Scene {
  readonly connection: FakeConnection
  readonly outlet: XmppOutlet
  readonly bounces: string[]
  readonly logged: string[]
}

function scene(options: Partial<OutletOptions> = {}): Scene {
  const connection = fakeConnection()
  const bounces: string[] = []
  const logged: string[] = []
  const outlet = createOutlet({
    connection,
    host: 'example.test',
    maxStanzaBytes: 10_000,
    toElement: (payload) => new TextDecoder().decode(payload).match(/<order[\s\S]*/)?.[0],
    onBounce: (id, from, { condition }) => bounces.push(`${id} ${from} ${condition}`),
    now: () => NOW,
    log: (_level, event) => logged.push(event),
    ...options,
  })
  return { connection, outlet, bounces, logged }
}

/** The n-th thing that was written, once it was. */
const written = ({ connection }: Scene, at: number): Promise<string> =>
  eventually(() => connection.written[at], { what: `write ${at}` })

const idOf = (text: string) => / id="([^"]*)"/.exec(text)![1]!
const pong = (ping: string) => `<iq type='result' id='${idOf(ping)}' from='example.test' to='waybill.example.test'/>`
const errorXml = (type: string, condition: string, rest = '') =>
  `<error type='${type}'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>${rest}</error>`

const errorOf = (request: string) =>
  `<iq type='error' id='ID' from='${/ to="([^"]*)"/.exec(request)![1]}'>${errorXml('cancel', 'feature-not-implemented')}</iq>`
const handedOver: AttemptOutcome = { kind: 'delivered', proof: 'handed-over' }

describe('a message to a JID', () => {
  it('carries the document and where it came from', async () => {
    const one = scene()
    void one.outlet.send(attempt())
    expect(meaning(await written(one, 0))).toEqual(
      meaning(
        `<message id='${DELIVERY}' from='waybill.example.test' to='${ERP}'>${order}` +
          `<via xmlns='urn:waybill:0' id='${ENVELOPE}' type='order' from='a@example.test/x' received='${RECEIVED}' hops='1'/>` +
          `<origin-id xmlns='urn:xmpp:sid:0' id='${ENVELOPE}'/><store xmlns='urn:xmpp:hints'/></message>`,
      ),
    )
  })

  it.each([
    ['was tried before', { tries: 2 }],
    ['waited for long', { receivedAtMs: NOW - 6_000 }],
  ])('says since when, where it %s', async (_why, rest) => {
    const one = scene()
    const sent = attempt({}, rest)
    void one.outlet.send(sent)
    const stamp = new Date(sent.receivedAtMs).toISOString()
    expect(await written(one, 0)).toContain(
      `<delay xmlns="urn:xmpp:delay" stamp="${stamp}" from="waybill.example.test"/>`,
    )
  })

  it.each([
    { what: 'is not written', expiresAtMs: NOW, writes: 0 },
    { what: 'is written a millisecond before', expiresAtMs: NOW + 1, writes: 2 },
  ])('whose time is over $what', async ({ expiresAtMs, writes }) => {
    const one = scene()
    const sent = one.outlet.send(attempt({}, { expiresAtMs }))
    if (writes === 0) expect(await sent).toEqual({ kind: 'expired' })
    else await written(one, writes - 1)
    expect(one.connection.written).toHaveLength(writes)
  })

  it('has words for people where the route gives them', async () => {
    const one = scene()
    void one.outlet.send(attempt({ body: 'Order <4711> & more' }))
    expect(await written(one, 0)).toContain('<body>Order &lt;4711&gt; &amp; more</body>')
  })

  it('is delivered when the server answers the ping that follows it', async () => {
    const one = scene()
    const outcome = one.outlet.send(attempt())
    const ping = await written(one, 1)
    expect(meaning(ping)).toEqual(
      meaning(
        `<iq type='get' id='${idOf(ping)}' from='waybill.example.test' to='example.test'><ping xmlns='urn:xmpp:ping'/></iq>`,
      ),
    )
    one.connection.receive(pong(ping))
    expect(await outcome).toEqual(handedOver)
  })

  it('an error for an answer proves as much', async () => {
    const one = scene()
    const outcome = one.outlet.send(attempt())
    const ping = await written(one, 1)
    one.connection.receive(
      `<iq type='error' id='${idOf(ping)}' from='example.test'>${errorXml('cancel', 'service-unavailable')}</iq>`,
    )
    expect(await outcome).toEqual(handedOver)
  })

  it('one ping proves all that was written before it, and what is written meanwhile waits for the next', async () => {
    const one = scene()
    const settled: string[] = []
    const send = (index: number) =>
      void one.outlet
        .send(attempt({}, { id: `${ENVELOPE}.${index}` }))
        .then(({ kind }) => settled.push(`${index} ${kind}`))
    for (const index of [0, 1, 2]) send(index)
    const first = await written(one, 3)
    for (const index of [3, 4]) send(index)
    await written(one, 5)
    expect(one.connection.written.filter((text) => text.includes('urn:xmpp:ping'))).toHaveLength(1)
    one.connection.receive(pong(first))
    const second = await written(one, 6)
    expect(settled).toEqual(['0 delivered', '1 delivered', '2 delivered'])
    one.connection.receive(pong(second))
    await eventually(() => settled.length === 5)
  })

  it('without an answer to the ping nothing is known', async () => {
    const one = scene({ proofTimeoutMs: 20 })
    expect(await one.outlet.send(attempt())).toMatchObject({ kind: 'void' })
  })

  it('a bounce before the proof refuses it', async () => {
    const one = scene()
    const outcome = one.outlet.send(attempt())
    const ping = await written(one, 1)
    one.outlet.bounce(DELIVERY, ERP, { condition: 'service-unavailable', type: 'cancel', text: 'no such user' })
    one.connection.receive(pong(ping))
    expect(await outcome).toEqual({
      kind: 'refused',
      answer: { condition: 'service-unavailable', type: 'cancel', text: 'no such user' },
    })
    expect(one.bounces).toEqual([])
  })

  it('a bounce after the proof is told to the flow', async () => {
    const one = scene()
    const outcome = one.outlet.send(attempt())
    one.connection.receive(pong(await written(one, 1)))
    await outcome
    one.outlet.bounce(DELIVERY, `${ERP}/x`, { condition: 'gone', type: 'cancel', text: '' })
    expect(one.bounces).toEqual([`${DELIVERY} ${ERP}/x gone`])
  })

  it('is not written again while an earlier attempt is under way', async () => {
    const one = scene()
    const first = one.outlet.send(attempt())
    const ping = await written(one, 1)
    expect(await one.outlet.send(attempt({}, { tries: 2 }))).toEqual({
      kind: 'void',
      reason: 'an earlier attempt is under way',
    })
    one.connection.receive(pong(ping))
    expect(await first).toEqual(handedOver)
  })

  it('the proof of an attempt that was bounced says nothing of the next one', async () => {
    const one = scene()
    const answer = { condition: 'service-unavailable', type: 'cancel', text: '' } as const
    const first = one.outlet.send(attempt())
    const ping = await written(one, 1)
    one.outlet.bounce(DELIVERY, ERP, answer)
    expect(await first).toMatchObject({ kind: 'refused' })
    const second = one.outlet.send(attempt({}, { tries: 2 }))
    await written(one, 2)
    one.connection.receive(pong(ping))
    await written(one, 3)
    one.outlet.bounce(DELIVERY, ERP, answer)
    expect(await second).toEqual({ kind: 'refused', answer })
    expect(one.bounces).toEqual([])
  })

  it('a bounce from anybody else, or of something else, counts for nothing', async () => {
    const one = scene()
    const outcome = one.outlet.send(attempt())
    const ping = await written(one, 1)
    const answer = { condition: 'gone', type: 'cancel', text: '' } as const
    one.outlet.bounce(DELIVERY, 'mallory@example.test', answer)
    one.outlet.bounce(DELIVERY, 'backend.example.test', answer)
    one.outlet.bounce('hello', ERP, answer)
    one.outlet.bounce('', ERP, answer)
    one.connection.receive(pong(ping))
    expect(await outcome).toEqual(handedOver)
    expect(one.bounces).toEqual([])
  })
})

describe('a message with a receipt asked for', () => {
  const receipt = { confirm: 'receipt', confirmTimeoutMs: 5_000 } as const

  it('asks for it and is delivered when it comes', async () => {
    const one = scene()
    const outcome = one.outlet.send(attempt(receipt))
    expect(await written(one, 0)).toContain('<request xmlns="urn:xmpp:receipts"/>')
    one.outlet.receipt(DELIVERY, `${ERP}/desk`)
    expect(await outcome).toEqual({ kind: 'delivered', proof: 'receipt' })
    expect(one.connection.written).toHaveLength(1)
  })

  it('a receipt counts from whom it was asked only, and only where one was asked', async () => {
    const one = scene()
    const outcome = one.outlet.send(attempt({ ...receipt, confirmTimeoutMs: 50 }))
    const plain = one.outlet.send(attempt({}, { id: `${ENVELOPE}.1` }))
    await written(one, 1)
    one.outlet.receipt(DELIVERY, 'mallory@example.test/x')
    one.outlet.receipt(`${ENVELOPE}.1`, ERP)
    one.outlet.receipt('nothing', ERP)
    expect(await outcome).toMatchObject({ kind: 'refused', answer: { condition: 'no-receipt', type: 'wait' } })
    one.connection.receive(pong(await written(one, 2)))
    expect(await plain).toEqual(handedOver)
  })

  it('the time for a receipt begins when the server has taken the message', async () => {
    const one = scene()
    let looks = 0
    let isTaken = false
    one.connection.isOnItsWay = () => ++looks > 0 && !isTaken
    const outcome = one.outlet.send(attempt({ ...receipt, confirmTimeoutMs: 20 }))
    await eventually(() => looks >= 2)
    one.outlet.receipt(DELIVERY, ERP)
    expect(await outcome).toEqual({ kind: 'delivered', proof: 'receipt' })
    isTaken = true
    const late = one.outlet.send(attempt({ ...receipt, confirmTimeoutMs: 20 }))
    expect(await late).toMatchObject({ kind: 'refused', answer: { condition: 'no-receipt' } })
  })

  it('is refused by an error', async () => {
    const one = scene()
    const outcome = one.outlet.send(attempt(receipt))
    await written(one, 0)
    one.outlet.bounce(DELIVERY, ERP, { condition: 'recipient-unavailable', type: 'wait', text: '' })
    expect(await outcome).toMatchObject({ kind: 'refused', answer: { condition: 'recipient-unavailable' } })
  })
})

describe('an iq to a JID', () => {
  const iq = { confirm: 'iq', confirmTimeoutMs: 5_000 } as const

  it('holds the document alone, and any result is delivered', async () => {
    const one = scene()
    const outcome = one.outlet.send(attempt(iq))
    expect(meaning(await written(one, 0))).toEqual(
      meaning(`<iq type='set' id='${DELIVERY}' from='waybill.example.test' to='${ERP}'>${order}</iq>`),
    )
    one.connection.receive(`<iq type='result' id='${DELIVERY}' from='${ERP}'><thanks xmlns='urn:x'/></iq>`)
    expect(await outcome).toEqual({ kind: 'delivered', proof: 'result' })
  })

  it('is not written again while an earlier attempt is under way', async () => {
    const one = scene()
    const first = one.outlet.send(attempt(iq))
    await written(one, 0)
    expect(await one.outlet.send(attempt(iq, { tries: 2 }))).toEqual({
      kind: 'void',
      reason: 'an earlier attempt is under way',
    })
    const answer = `<iq type='result' id='${DELIVERY}' from='${ERP}'/>`
    one.connection.receive(answer)
    expect(await first).toEqual({ kind: 'delivered', proof: 'result' })
    const next = one.outlet.send(attempt(iq, { tries: 2 }))
    await written(one, 1)
    one.connection.receive(answer)
    expect(await next).toEqual({ kind: 'delivered', proof: 'result' })
  })

  it('an error refuses it', async () => {
    const one = scene()
    const outcome = one.outlet.send(attempt(iq))
    await written(one, 0)
    one.connection.receive(`<iq type='error' id='${DELIVERY}' from='${ERP}'>${errorXml('auth', 'forbidden')}</iq>`)
    expect(await outcome).toMatchObject({ kind: 'refused', answer: { condition: 'forbidden', type: 'auth' } })
  })

  it('silence is a time-out, worth another try', async () => {
    const one = scene()
    expect(await one.outlet.send(attempt({ ...iq, confirmTimeoutMs: 20 }))).toMatchObject({
      kind: 'refused',
      answer: { condition: 'timeout', type: 'wait' },
    })
  })
})

describe('the form of a document', () => {
  const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
  const sealed = (type: string, bytes: Uint8Array) =>
    `<data xmlns="urn:xmpp:bob" cid="sha256+${hash(bytes)}@bob.xmpp.org" type="${type}">${Buffer.from(bytes).toString('base64')}</data>`
  const json = '{"a":"<&>"}'
  const jsonXml = `<json xmlns="urn:xmpp:json:0">{"a":"&lt;&amp;&gt;"}</json>`
  const prolog = utf8(`<?xml version="1.0"?><!-- c -->${order}`)
  const xml = { form: 'sealed', mediaType: 'application/ubl+xml', payload: prolog } as const
  const jsonMessage = {
    form: 'json-message',
    mediaType: 'application/json',
    datatype: 'urn:x:"reading"',
    payload: utf8(json),
  } as const

  it.each([
    ['an element goes as it came', {}, {}, order],
    ['an element is sealed', { as: 'sealed' }, {}, sealed('application/xml', utf8(order))],
    ['a sealed document goes byte for byte', {}, xml, sealed('application/ubl+xml', prolog)],
    ['a sealed document becomes an element', { as: 'element' }, xml, order],
    ['JSON goes in its container', {}, { form: 'json', payload: utf8(json) }, jsonXml],
    [
      'JSON with a datatype keeps it',
      {},
      jsonMessage,
      `<payload xmlns="urn:xmpp:json-msg:0" datatype="urn:x:&quot;reading&quot;">${jsonXml}</payload>`,
    ],
    ['JSON is sealed', { as: 'sealed' }, jsonMessage, sealed('application/json', utf8(json))],
    [
      'sealed JSON becomes a container',
      { as: 'element' },
      { form: 'sealed', mediaType: 'application/geo+json', payload: utf8(json) },
      jsonXml,
    ],
    [
      'opaque content stays sealed',
      {},
      { form: 'sealed', mediaType: 'image/png', payload: new Uint8Array([0, 255, 128]) },
      sealed('image/png', new Uint8Array([0, 255, 128])),
    ],
    [
      'a media type goes as it came',
      {},
      { form: 'sealed', mediaType: 'text/csv', contentType: 'text/csv; x="<"', payload: utf8('a') },
      sealed('text/csv; x=&quot;&lt;&quot;', utf8('a')),
    ],
  ] as [string, Partial<DeliveryOptions>, Partial<StartedAttempt>, string][])(
    '%s',
    async (_what, options, rest, expected) => {
      const one = scene()
      void one.outlet.send(attempt(options, rest))
      expect(await written(one, 0)).toContain(`>${expected}<via `)
    },
  )

  it('of one document to several destinations each has its own form, and is read again only where it changes', async () => {
    const read: string[] = []
    const one = scene({ toElement: (payload) => `<e>${read.push(new TextDecoder().decode(payload))}</e>` })
    const other = { ...xml, payload: utf8('<other/>') }
    const sealedXml = sealed('application/ubl+xml', prolog)
    const sent: readonly [Partial<DeliveryOptions>, Partial<StartedAttempt>, string][] = [
      [{ as: 'element' }, xml, '<e>1</e>'],
      [{ as: 'element' }, xml, '<e>1</e>'],
      [{}, xml, sealedXml],
      [{}, xml, sealedXml],
      [{ as: 'element' }, xml, '<e>2</e>'],
      // Redriven with another document.
      [{ as: 'element' }, other, '<e>3</e>'],
      [{ as: 'element' }, { ...other, envelopeId: ENVELOPE.replace('0189', '0190') }, '<e>4</e>'],
    ]
    for (const [at, [options, rest]] of sent.entries())
      void one.outlet.send(attempt(options, { ...rest, id: `${ENVELOPE}.${at}` }))
    const documents = () => one.connection.written.filter((text) => text.startsWith('<message'))
    await eventually(() => documents().length === sent.length)
    for (const [at, [, , expected]] of sent.entries()) expect(documents()[at]).toContain(`>${expected}<via `)
  })

  it.each([
    ['unfit-form', 'a sealed document that is no element', { ...xml, payload: utf8('nonsense') }, { as: 'element' }],
    ['unfit-form', 'opaque content as an element', { ...xml, mediaType: 'image/png' }, { as: 'element' }],
    [
      'unfit-form',
      'sealed JSON that is not UTF-8',
      { ...xml, mediaType: 'text/json', payload: new Uint8Array([0x22, 0xff, 0x22]) },
      { as: 'element' },
    ],
    [
      'breaks-stream',
      'sealed JSON with a character that XML does not know',
      { ...xml, mediaType: 'text/json', payload: utf8('"\u0000"') },
      { as: 'element' },
    ],
    ['breaks-stream', 'a body with such a character', {}, { body: 'x\u0008' }],
    ['breaks-stream', 'a type with such a character', { type: 'x\u0008' }, {}],
    ['breaks-stream', 'a sender with such a character', { from: 'x\u0008@example.test' }, {}],
    ['breaks-stream', 'a receiver with such a character', { destination: { kind: 'jid', jid: 'x\u0008' } }, {}],
    ...['service', 'node'].map(
      (part) =>
        [
          'breaks-stream',
          `a ${part} with such a character`,
          { destination: { kind: 'node', service: 'p.example', node: 'n', [part]: 'x\u0008' } },
          {},
        ] as const,
    ),
    ['too-large', 'a document larger than a stanza may be', { payload: utf8(`<o>${'ä'.repeat(5_000)}</o>`) }, {}],
    [
      'too-large',
      'one that grows too large by sealing',
      { payload: utf8(`<o>${'x'.repeat(8_000)}</o>`) },
      { as: 'sealed' },
    ],
    ['too-large', 'one in an iq', { payload: utf8(`<o>${'x'.repeat(9_900)}</o>`) }, { confirm: 'iq' }],
    [
      'too-large',
      'one for a node',
      {
        payload: utf8(`<o>${'x'.repeat(9_900)}</o>`),
        destination: { kind: 'node', service: 'pubsub.example.test', node: 'n' },
      },
      {},
    ],
    ['loop', 'what has passed eight routers', { hops: 8 }, {}],
  ] as [string, string, Partial<StartedAttempt>, Partial<DeliveryOptions>][])(
    '%s: %s is not written at all',
    async (reason, _what, rest, options) => {
      const one = scene()
      const outcome = await one.outlet.send(attempt(options, rest))
      expect(outcome).toMatchObject({ kind: 'unsendable', reason })
      expect(one.connection.written).toEqual([])
    },
  )

  it.each([
    [0, true],
    [1, false],
  ])('of %i bytes more than a stanza may have is written: %s', async (more, isWritten) => {
    const usual = scene()
    void usual.outlet.send(attempt())
    const bytes = Buffer.byteLength(await written(usual, 0))
    const one = scene({ maxStanzaBytes: bytes - more })
    const outcome = one.outlet.send(attempt())
    if (isWritten) expect(await written(one, 0)).toContain(order)
    else expect(await outcome).toMatchObject({ kind: 'unsendable', reason: 'too-large' })
  })

  it('what has passed seven routers goes on, and says eight', async () => {
    const one = scene()
    void one.outlet.send(attempt({}, { hops: 7 }))
    expect(await written(one, 0)).toContain('hops="8"')
  })
})

describe('a lost connection', () => {
  it('voids all that is unproven, and says why', async () => {
    const one = scene()
    const outcomes = [
      one.outlet.send(attempt()),
      one.outlet.send(attempt({ confirm: 'receipt' }, { id: `${ENVELOPE}.1` })),
      one.outlet.send(attempt({ confirm: 'iq' }, { id: `${ENVELOPE}.2` })),
      one.outlet.send(
        attempt(
          { create: {} },
          { id: `${ENVELOPE}.3`, destination: { kind: 'node', service: 'pubsub.example.test', node: 'n' } },
        ),
      ),
    ]
    await written(one, 4)
    one.connection.lose('the server restarts')
    for (const outcome of await Promise.all(outcomes)) expect(outcome.kind).toBe('void')
    expect(await outcomes[0]).toEqual({ kind: 'void', reason: 'the server restarts' })
  })

  it('offline, nothing is tried', async () => {
    const one = scene()
    one.connection.lose('gone')
    expect(one.outlet.online).toBe(false)
    expect(await one.outlet.send(attempt())).toMatchObject({ kind: 'void' })
    one.outlet.notify('ops@example.test', 'hello')
    expect(one.connection.written).toEqual([])
    expect(one.logged).toEqual(['notice-lost'])
  })

  it('a notice for a person is cut and made legible: it must not break the stream', async () => {
    const one = scene()
    one.outlet.notify('ops@example.test', `gave up\u0008: ${'x'.repeat(20_000)}`)
    const notice = await written(one, 0)
    expect(notice).toContain('<body>gave up\ufffd: xxx')
    expect(notice.length).toBeLessThan(1_300)
  })

  it('a notice for an address that XML does not allow is not written', () => {
    const one = scene()
    one.outlet.notify('ops\u0008@example.test', 'gave up')
    expect({ written: one.connection.written, logged: one.logged }).toEqual({ written: [], logged: ['notice-lost'] })
  })

  it('an answer to the ping of an older stream proves nothing of the new one', async () => {
    const one = scene()
    const before = one.outlet.send(attempt())
    const ping = await written(one, 1)
    one.connection.lose('gone')
    one.connection.comeBack()
    expect(await before).toMatchObject({ kind: 'void' })
    const after = one.outlet.send(attempt())
    expect(one.connection.receive(pong(ping))).toBe(false)
    one.connection.receive(pong(await written(one, 3)))
    expect(await after).toEqual(handedOver)
  })

  it('what was written to a stream that went before its ping could be sent is void', async () => {
    const one = scene()
    const before = one.outlet.send(attempt())
    one.connection.lose('gone')
    one.connection.comeBack()
    const after = one.outlet.send(attempt())
    expect(await before).toMatchObject({ kind: 'void' })
    one.connection.receive(pong(await written(one, 2)))
    expect(await after).toEqual(handedOver)
  })
})

it('nothing is built while too much is buffered, and the order stays', async () => {
  const one = scene()
  one.connection.bufferedBytes = 2_000_000
  for (const index of [0, 1]) void one.outlet.send(attempt({}, { id: `${ENVELOPE}.${index}` }))
  expect(one.connection.written).toEqual([])
  // There is room again, and those who wait for it have not heard yet.
  one.connection.bufferedBytes = 0
  void one.outlet.send(attempt({}, { id: `${ENVELOPE}.2` }))
  one.connection.drain()
  await written(one, 2)
  expect(one.connection.written.slice(0, 3).map(idOf)).toEqual([0, 1, 2].map((index) => `${ENVELOPE}.${index}`))
})

const toNode = { destination: { kind: 'node', service: 'pubsub.example.test', node: 'n' } } as const
it.each([
  ['messages', {}],
  ['publishes, which wait for their node besides', toNode],
])('of large %s no more is written at once than there is room for, however many have waited', async (_what, rest) => {
  const one = scene()
  one.connection.answerWith((request) => (request.includes('disco#info') ? errorOf(request) : undefined))
  const { write, request } = one.connection
  one.connection.write = (xml) => {
    one.connection.bufferedBytes += 700_000
    return write(xml)
  }
  one.connection.request = (iq) => {
    if (iq.payload.includes('<publish')) one.connection.bufferedBytes += 700_000
    return request(iq)
  }
  const documents = () => one.connection.written.filter((text) => text.includes('urn:example:order')).length
  one.connection.bufferedBytes = rest === toNode ? 0 : 2_000_000
  for (let index = 0; index < 6; index++) void one.outlet.send(attempt({}, { ...rest, id: `${ENVELOPE}.${index}` }))
  for (const most of [2, 4, 6]) {
    if (rest !== toNode || most > 2) one.connection.drain()
    await eventually(() => documents() === most)
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(documents()).toBe(most)
  }
})

it('a notice is a chat message', async () => {
  const one = scene()
  one.outlet.notify('ops@example.test', 'a < b')
  expect(meaning(one.connection.written[0]!)).toEqual(
    meaning(
      `<message type='chat' from='waybill.example.test' to='ops@example.test'><body>a &lt; b</body><store xmlns='urn:xmpp:hints'/></message>`,
    ),
  )
})

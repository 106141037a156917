import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { acceptedId, attribute, type Installation, install, order, rejectedAs } from './waybill.ts'

const NOTE = (to: string) => `<note xmlns='urn:example:note'><to>${to}</to><text>hello</text></note>`

function sealed(text: string | Uint8Array, mediaType = 'application/xml'): string {
  const bytes = Buffer.from(text)
  const hash = createHash('sha256').update(bytes).digest('hex')
  return `<data xmlns='urn:xmpp:bob' type='${mediaType}' cid='sha256+${hash}@bob.xmpp.org'>${bytes.toString('base64')}</data>`
}

/** The text of the `<data/>` of a stanza, decoded. */
function unsealed(stanza: string): string {
  const base64 = /<data\b[^>]*>([^<]*)<\/data>/.exec(stanza)?.[1]
  if (base64 === undefined) throw new Error(`Cannot find sealed data in ${stanza}`)
  return Buffer.from(base64, 'base64').toString('utf8')
}

describe.each(['prosody', 'ejabberd'] as const)('through %s', (kind) => {
  let at: Installation
  beforeAll(async () => {
    at = await install({ kind })
  })
  afterAll(() => at?.stop())

  const arrival = (id: string, to?: string) =>
    at.other.next(
      (stanza) =>
        stanza.startsWith('<message') && stanza.includes(id) && (to === undefined || attribute(stanza, 'to') === to),
    )

  it('an order in an iq is accepted, and arrives with its way and its ids', async () => {
    const answer = await at.submit(order('A-1', { note: 'Größe 😀 &lt;&amp;' }))
    expect(attribute(answer, 'type')).toBe('result')
    expect(answer).toMatch(/<accepted\b[^>]*type=(["'])order\1/)
    const id = acceptedId(answer)
    const message = await arrival(id, 'other.example.test')
    expect(attribute(message, 'id')).toBe(`${id}.0`)
    expect(attribute(message, 'from')).toBe('waybill.example.test')
    expect(message).toContain('Größe 😀 &lt;&amp;')
    expect(message).toMatch(/<via\b[^>]*hops=(["'])1\1/)
    expect(message).toContain('urn:xmpp:hints')
    expect(message).toMatch(new RegExp(`<origin-id\\b[^>]*id=(["'])${id}\\1`))
    await eventually(async () => (await at.trace(id)).state === 'delivered')
  })

  it('the same stanza sent again is acknowledged with the first id and delivered once', async () => {
    const first = acceptedId(await at.submit(order('A-2'), { id: 'twice' }))
    const again = await at.submit(order('A-2'), { id: 'twice' })
    expect(acceptedId(again)).toBe(first)
    expect(again).toMatch(/duplicate=(["'])true\1/)
    const other = await at.submit(order('A-2b'), { id: 'twice' })
    expect(acceptedId(other), 'the same id with another document is a new one').not.toBe(first)
    await arrival(acceptedId(other))
    expect(at.other.received.filter((stanza) => stanza.includes(`${first}.0`))).toHaveLength(1)
  })

  it('a message that asks for a receipt gets one with the acknowledgement', async () => {
    at.peer.send(
      `<message id='m1' from='a@peer.example.test/1' to='waybill.example.test'>${order('A-3')}<request xmlns='urn:xmpp:receipts'/></message>`,
    )
    const receipt = await at.peer.next((stanza) => stanza.includes('urn:xmpp:receipts') && stanza.includes('<accepted'))
    expect(receipt).toMatch(/<received\b[^>]*id=(["'])m1\1/)
    await arrival(acceptedId(receipt))
  })

  it('a PubSub publish to Waybill is answered with the item ids', async () => {
    const answer = await at.submit(
      `<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='orders'><item id='i-7'>${order('A-4')}</item></publish></pubsub>`,
      { to: 'waybill.example.test/orders' },
    )
    expect(answer).toMatch(/<publish\b[^>]*node=(["'])orders\1/)
    expect(answer).toMatch(/<item\b[^>]*id=(["'])i-7\1/)
    expect(answer).toMatch(/<accepted\b[^>]*item=(["'])i-7\1/)
    await arrival(acceptedId(answer))
  })

  it('a sealed document arrives byte for byte', async () => {
    const bytes = `<?xml version="1.0"?>\r\n<!-- kept -->${order('A-5').replaceAll("'", '"')}\n<?end?>\n`
    const id = acceptedId(await at.submit(sealed(bytes)))
    expect(unsealed(await arrival(id))).toBe(bytes)
  })

  it('a large order goes to a PubSub node that is made on demand, with the envelope id as item id', async () => {
    const id = acceptedId(await at.submit(order('A-6', { currency: 'EUR', total: '1000' })))
    await eventually(async () => (await at.trace(id)).state === 'delivered')
    at.peer.send(
      `<iq type='get' id='items' from='peer.example.test' to='pubsub.example.test'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='orders/EUR'/></pubsub></iq>`,
    )
    const items = await at.peer.next((stanza) => attribute(stanza, 'id') === 'items')
    expect(items).toMatch(new RegExp(`<item\\b[^>]*id=(["'])${id}\\1`))
    expect(items).toContain('A-6')
  })

  it('an XPath of a route decides, and a destination can ask for sealed', async () => {
    const id = acceptedId(await at.submit(order('A-7', { lines: 3 })))
    expect(unsealed(await arrival(id, 'bulk@other.example.test'))).toContain('<number>A-7</number>')
    const few = acceptedId(await at.submit(order('A-8', { lines: 2 })))
    await arrival(few, 'other.example.test')
    expect((await at.trace(few)).deliveries.map((delivery) => delivery.destination)).toEqual(['other.example.test'])
  })

  it('confirm: receipt waits for the receiver, and counts a receipt from nobody else', async () => {
    const id = acceptedId(await at.submit(order('R-1')))
    const message = await arrival(id, 'receipts@other.example.test')
    const delivery = attribute(message, 'id')!
    const receipt = (from: string) =>
      `<message from='${from}' to='waybill.example.test'><received xmlns='urn:xmpp:receipts' id='${delivery}'/></message>`
    at.peer.send(receipt('stranger@peer.example.test'))
    at.other.send(receipt('somebody@other.example.test'))
    const state = async () => (await at.trace(id)).deliveries.find((one) => one.id === delivery)?.state
    await eventually(async () => (await at.trace(id)).deliveries.some((one) => one.state === 'delivered'))
    expect(await state()).toBe('waiting')
    at.other.send(receipt('receipts@other.example.test/phone'))
    await eventually(async () => (await state()) === 'delivered')
  })

  it('confirm: iq is delivered by any result from the one who was asked', async () => {
    const id = acceptedId(await at.submit(order('Q-1')))
    const iq = await at.other.next((stanza) => stanza.startsWith('<iq') && stanza.includes('Q-1'))
    expect(attribute(iq, 'to')).toBe('desk@other.example.test/iq')
    at.other.send(
      `<iq type='result' id='${attribute(iq, 'id')}' from='desk@other.example.test/iq' to='waybill.example.test'/>`,
    )
    await eventually(async () => (await at.trace(id)).state === 'delivered')
  })

  const json = `{"kind":"reading","sensor":"s-1","celsius":21.5}`
  it.each([
    ['XEP-0335', `<json xmlns='urn:xmpp:json:0'>${json}</json>`],
    [
      'XEP-0432',
      `<payload xmlns='urn:xmpp:json-msg:0' datatype='urn:example:reading'><json xmlns='urn:xmpp:json:0'>${json}</json></payload>`,
    ],
  ])('JSON in %s arrives as it came', async (_, payload) => {
    const id = acceptedId(await at.submit(payload))
    const message = await arrival(id)
    expect(message.replaceAll('&quot;', '"')).toContain(json)
    expect(message.includes('urn:xmpp:json-msg:0')).toBe(payload.includes('json-msg'))
  })

  it('sealed JSON arrives byte for byte', async () => {
    const text = '{ "kind": "reading", "sensor": "s-1",\n  "celsius": 21.50 }'
    expect(unsealed(await arrival(acceptedId(await at.submit(sealed(text, 'application/json')))))).toBe(text)
  })

  it('opaque content is routed by its media type, untouched', async () => {
    const type = 'image/png; charset=iso-8859-1; Version=2'
    const stanza = await arrival(acceptedId(await at.submit(sealed('\u0089PNG not really', type))))
    expect(unsealed(stanza)).toBe('\u0089PNG not really')
    expect(attribute(/<data\b[^>]*>/.exec(stanza)![0], 'type')).toBe(type)
  })

  it('a person gets a message with a readable body', async () => {
    const alice = await at.server.addUser('alice', 'secret')
    const id = acceptedId(await at.submit(NOTE('alice')))
    await eventually(async () => (await at.trace(id)).state === 'delivered')
    expect((await at.trace(id)).deliveries[0]?.destination).toBe(alice)
  })

  it('service discovery tells identity, features, limits, and the types that the one who asks may send', async () => {
    at.peer.send(
      `<iq type='get' id='d1' from='peer.example.test' to='waybill.example.test'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`,
    )
    const info = await at.peer.next((stanza) => attribute(stanza, 'id') === 'd1')
    for (const feature of ['urn:waybill:0', 'urn:xmpp:bob', 'urn:xmpp:json:0', 'urn:xmpp:ping', 'jabber:iq:version'])
      expect(info).toContain(feature)
    const typesFor = async (id: string, from: string) => {
      at.peer.send(
        `<iq type='get' id='${id}' from='${from}' to='waybill.example.test'><query xmlns='http://jabber.org/protocol/disco#items' node='types'/></iq>`,
      )
      return at.peer.next((stanza) => attribute(stanza, 'id') === id)
    }
    const types = await typesFor('d2', 'a@peer.example.test/1')
    for (const type of ['order', 'note', 'reading']) expect(types).toContain(`types/${type}`)
    expect(types).not.toContain('types/secret-order')
    expect(await typesFor('d3', 'peer.example.test')).not.toContain('types/')
  })

  it('everything that was accepted is accounted for', async () => {
    const ledger = await at.ledger()
    expect(ledger.balanced).toBe(true)
    expect(ledger.documents.accepted).toBeGreaterThan(10)
  })

  it('refuses what is invalid with all findings, and takes the next one', async () => {
    const bad = await at.submit(order('B-1', { currency: 'euro', total: '-5' }))
    expect(attribute(bad, 'type')).toBe('error')
    expect(rejectedAs(bad)).toBe('invalid')
    expect(bad.match(/<finding\b/g)?.length).toBeGreaterThanOrEqual(2)
    expect(bad).not.toContain('B-1')
    await arrival(acceptedId(await at.submit(order('B-2'))))
  })
})

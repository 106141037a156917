import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DeliveryOptions, Destination } from '../../src/domain/delivery.ts'
import { reject } from '../../src/domain/rejection.ts'
import type { InboundStanza, StartedAttempt } from '../../src/flow/ports.ts'
import type { Reply } from '../../src/flow/reply.ts'
import type { Connection } from '../../src/xmpp/connection.ts'
import { createConnection } from '../../src/xmpp/connection.ts'
import { createDispatch } from '../../src/xmpp/dispatch.ts'
import { createOutlet, type XmppOutlet } from '../../src/xmpp/outlet.ts'
import { eventually } from '../eventually.ts'
import { connectRawComponent, type RawComponent } from '../servers/raw-component.ts'
import { type RunningXmppServer, startXmppServer } from '../servers/xmpp.ts'
import { meaning } from './stanza.ts'

const PUBSUB = 'http://jabber.org/protocol/pubsub'
const order = '<order xmlns="urn:example:order"><line n="1">Größe 𝄞</line></order>'

interface Station {
  readonly connection: Connection
  readonly outlet: XmppOutlet
  readonly taken: InboundStanza[]
  readonly bounces: string[]
  reply: Reply
}

async function attach(server: RunningXmppServer, name: 'waybill' | 'other'): Promise<Station> {
  const { domain, port, secret } = server.component(name)
  const connection = createConnection({
    service: `xmpp://127.0.0.1:${port}`,
    domain,
    secret,
    insecure: false,
    maxStanzaBytes: 262_144,
    depth: 64,
    attributes: 256,
    log: () => {},
  })
  const taken: InboundStanza[] = []
  const bounces: string[] = []
  const outlet = createOutlet({
    connection,
    host: server.domain,
    maxStanzaBytes: 262_144,
    toElement: () => undefined,
    onBounce: (id, from, { condition }) => bounces.push(`${id} ${from} ${condition}`),
    now: Date.now,
    log: () => {},
  })
  const station: Station = { connection, outlet, taken, bounces, reply: { kind: 'ignored' } }
  const dispatch = createDispatch({
    maxStanzaBytes: 262_144,
    connection,
    outlet,
    intake: async (stanza) => {
      taken.push(stanza)
      return station.reply
    },
    subscriptions: { hear: () => {}, miss: () => false },
    questions: {
      track: async () => ({ kind: 'not-found' }),
      trace: () => Promise.reject(new Error('nobody asks')),
      offer: () => ({ kind: 'offered', types: [] }),
    },
    describe: () => ({ version: '1', types: [], limits: { documentBytes: 1, depth: 1, attributes: 1 } }),
    metrics: { rejected: () => {}, failed: () => {} },
    log: () => {},
  })
  await connection.start(dispatch.handle)
  return station
}

let made = 0

function attempt(destination: Destination, options: Partial<DeliveryOptions> = {}): StartedAttempt {
  made += 1
  const envelopeId = `01890a5d-ac96-774b-bcce-${String(made).padStart(12, '0')}`
  return {
    id: `${envelopeId}.0`,
    envelopeId,
    tries: 1,
    destination,
    route: 'all',
    options: { retry: 'default', confirm: 'none', confirmTimeoutMs: 5_000, ...options },
    type: 'order',
    from: 'a@example.test/x',
    receivedAtMs: Date.now(),
    sinceMs: 0,
    hops: 0,
    form: 'element',
    mediaType: 'application/xml',
    rootName: '{urn:example:order}order',
    datatype: '',
    payload: new TextEncoder().encode(order),
  }
}

describe.each(['prosody', 'ejabberd'] as const)('with %s', (kind) => {
  let server: RunningXmppServer
  let waybill: Station
  let peer: RawComponent
  const node = (name: string): Destination => ({ kind: 'node', service: server.pubsub, node: name })
  const jid = (address: string): Destination => ({ kind: 'jid', jid: address })
  const ask = (type: 'get' | 'set', payload: string, to = server.pubsub) =>
    waybill.connection.request({ to, type, payload, timeoutMs: 60_000 })

  beforeAll(async () => {
    server = await startXmppServer(kind)
    waybill = await attach(server, 'waybill')
    peer = await connectRawComponent(server.component('peer'))
  })
  afterAll(async () => {
    peer?.close()
    await waybill?.connection.stop(2_000)
    await server?.stop()
  })

  it('a node is made as the route says, and has the item under the id of the envelope', async () => {
    const one = attempt(node('orders/ä'), { create: { max_items: 7, access_model: 'open' } })
    expect(await waybill.outlet.send(one)).toEqual({ kind: 'delivered', proof: 'result' })
    const items = await ask('get', `<pubsub xmlns="${PUBSUB}"><items node="orders/ä"/></pubsub>`)
    expect(items.kind === 'result' && JSON.stringify(items.element)).toContain(one.envelopeId)
    expect(items.kind === 'result' && JSON.stringify(items.element)).toContain('Größe 𝄞')
    const owner = await ask('get', `<pubsub xmlns="${PUBSUB}#owner"><configure node="orders/ä"/></pubsub>`)
    const text = owner.kind === 'result' ? JSON.stringify(owner.element) : ''
    for (const [field, value] of [
      ['max_items', '7'],
      ['access_model', 'open'],
      ['persist_items', '1'],
      ['notification_type', 'normal'],
    ]) {
      expect(text).toMatch(new RegExp(`pubsub#${field}".*?"name":"value"[^[]*\\[\\][^[]*\\["${value}"\\]`))
    }
  })

  it('a publish that is tried again leaves one item', async () => {
    const one = attempt(node('again'), { create: {} })
    await waybill.outlet.send(one)
    expect(await waybill.outlet.send(one)).toEqual({ kind: 'delivered', proof: 'result' })
    const items = await ask('get', `<pubsub xmlns="${PUBSUB}"><items node="again"/></pubsub>`)
    expect(items.kind === 'result' && JSON.stringify(items.element).split(one.envelopeId)).toHaveLength(2)
  })

  it('a node that exists already is published to', async () => {
    await ask('set', `<pubsub xmlns="${PUBSUB}"><create node="made-before"/></pubsub>`)
    expect(await waybill.outlet.send(attempt(node('made-before'), { create: {} }))).toMatchObject({ kind: 'delivered' })
  })

  it('a node that is deleted under us is made again', async () => {
    await waybill.outlet.send(attempt(node('fleeting'), { create: {} }))
    await ask('set', `<pubsub xmlns="${PUBSUB}#owner"><delete node="fleeting"/></pubsub>`)
    expect(await waybill.outlet.send(attempt(node('fleeting'), { create: {} }))).toMatchObject({ kind: 'delivered' })
  })

  it('a node that would hold too much is made smaller', async () => {
    const outcome = await waybill.outlet.send(attempt(node('large'), { create: { max_items: 1_000_000 } }))
    expect(outcome).toEqual({ kind: 'delivered', proof: 'result' })
  })

  it('a missing node that nobody lets us create is not made by the service either', async () => {
    expect(await waybill.outlet.send(attempt(node('nowhere')))).toMatchObject({
      kind: 'refused',
      answer: { condition: 'item-not-found', type: 'cancel' },
    })
    const info = await ask('get', `<query xmlns="http://jabber.org/protocol/disco#info" node="nowhere"/>`)
    expect(info).toMatchObject({ kind: 'error', answer: { condition: 'item-not-found' } })
  })

  it('a service that lets us do nothing says so', async () => {
    const other = await attach(server, 'other')
    await waybill.outlet.send(attempt(node('ours'), { create: {} }))
    const there = await other.outlet.send(attempt(node('ours'), { create: {} }))
    const missing = await other.outlet.send(attempt(node('theirs'), { create: {} }))
    await other.connection.stop(2_000)
    expect(there).toMatchObject({ kind: 'refused', answer: { condition: 'forbidden', type: 'auth' } })
    const words = kind === 'prosody' ? 'forbidden' : 'item-not-found'
    expect(missing).toMatchObject({ kind: 'refused', answer: { condition: words } })
  })

  it('a service that is not there is worth another try, or an operator', async () => {
    // ejabberd asks the name service for it first, which may take its time.
    const patience = { confirmTimeoutMs: 60_000 }
    const away = { kind: 'node', service: 'other.example.test', node: 'n' } as const
    const outcome = await waybill.outlet.send(attempt(away, patience))
    expect(outcome).toMatchObject({ kind: 'refused' })
    const condition = outcome.kind === 'refused' ? outcome.answer.condition : ''
    expect(['remote-server-timeout', 'remote-server-not-found']).toContain(condition)
  })

  it('a message is handed over, and arrives as it was written', async () => {
    const one = attempt(jid(`erp@${peer.domain}`))
    expect(await waybill.outlet.send(one)).toEqual({ kind: 'delivered', proof: 'handed-over' })
    const arrived = await peer.next((text) => text.includes(one.id))
    expect(arrived).toContain('Größe 𝄞')
    expect(arrived).toMatch(/<via [^>]*hops=['"]1['"]/)
  })

  it('hundreds at once are proven by a few pings, and all arrive in order', async () => {
    const all = Array.from({ length: 500 }, () => attempt(jid(peer.domain)))
    const outcomes = await Promise.all(all.map((one) => waybill.outlet.send(one)))
    expect(outcomes.every(({ kind: outcome }) => outcome === 'delivered')).toBe(true)
    const ids = all.map(({ id }) => id)
    const arrived = () =>
      peer.received.flatMap((text) => / id=['"]([^'"]*)/.exec(text)?.[1] ?? []).filter((id) => ids.includes(id))
    await eventually(() => arrived().length === 500)
    expect(arrived()).toEqual(ids)
  })

  it('an unknown user bounces before the proof', async () => {
    const outcome = await waybill.outlet.send(attempt(jid(`nobody@${server.domain}`)))
    expect(outcome).toMatchObject({ kind: 'refused', answer: { condition: 'service-unavailable', type: 'cancel' } })
  })

  it('what bounces later is told by the id of its delivery', async () => {
    const one = attempt(jid(`late@${peer.domain}`))
    await waybill.outlet.send(one)
    await peer.next((text) => text.includes(one.id))
    peer.send(
      `<message type='error' id='${one.id}' from='late@${peer.domain}' to='${waybill.connection.domain}'><error type='wait'><recipient-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
    )
    await eventually(() => waybill.bounces.includes(`${one.id} late@${peer.domain} recipient-unavailable`))
  })

  it('a receipt delivers', async () => {
    const one = attempt(jid(`erp@${peer.domain}`), { confirm: 'receipt' })
    const outcome = waybill.outlet.send(one)
    expect(await peer.next((text) => text.includes(one.id))).toMatch(/<request xmlns=['"]urn:xmpp:receipts['"]/)
    peer.send(
      `<message from='erp@${peer.domain}/desk' to='${waybill.connection.domain}'><received xmlns='urn:xmpp:receipts' id='${one.id}'/></message>`,
    )
    expect(await outcome).toEqual({ kind: 'delivered', proof: 'receipt' })
  })

  it('the result of an iq delivers, its error refuses', async () => {
    for (const type of ['result', 'error']) {
      const one = attempt(jid(`erp@${peer.domain}`), { confirm: 'iq' })
      const outcome = waybill.outlet.send(one)
      await peer.next((text) => text.startsWith('<iq') && text.includes(one.id))
      const content =
        type === 'error' ? `<error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>` : ''
      peer.send(
        `<iq type='${type}' id='${one.id}' from='erp@${peer.domain}' to='${waybill.connection.domain}'>${content}</iq>`,
      )
      expect((await outcome).kind).toBe(type === 'result' ? 'delivered' : 'refused')
    }
  })

  it('a loss of the connection voids what is under way', async () => {
    const other = await attach(server, 'other')
    const one = attempt(jid(`silent@${peer.domain}`), { confirm: 'receipt' })
    const outcome = other.outlet.send(one)
    await peer.next((text) => text.includes(one.id))
    await other.connection.stop(2_000)
    expect(await outcome).toMatchObject({ kind: 'void' })
  })

  const self = (rest: string) => `from='${peer.domain}' to='waybill.example.test' ${rest}`
  const document = `<order xmlns='urn:example:order'/>`

  it('documents come in and are acknowledged', async () => {
    const accepted = { id: 'e1', type: 'order', duplicate: false, held: false, item: '' }
    waybill.reply = { kind: 'accepted', accepted: [accepted] }
    peer.send(`<iq type='set' id='in-1' ${self('')}>${document}</iq>`)
    expect(await peer.next((text) => text.includes('in-1'))).toMatch(/<accepted [^>]*id=['"]e1['"]/)
    peer.send(`<message id='in-2' ${self('')}>${document}<request xmlns='urn:xmpp:receipts'/></message>`)
    expect(await peer.next((text) => text.includes('in-2'))).toMatch(/<received .*<accepted /)
    waybill.reply = { kind: 'accepted', accepted: [{ ...accepted, item: 'i1' }] }
    peer.send(
      `<iq type='set' id='in-3' ${self('')}><pubsub xmlns='${PUBSUB}'><publish node='in'><item id='i1'>${document}</item></publish></pubsub></iq>`,
    )
    expect(await peer.next((text) => text.includes('in-3'))).toMatch(/<item id=['"]i1['"].*<accepted /)
    expect(waybill.taken.slice(-3).map((stanza) => stanza.kind)).toEqual(['iq', 'message', 'publish'])
  })

  it('a rejection reaches the sender whole', async () => {
    waybill.reply = { kind: 'rejected', rejection: reject('overloaded', 'Not now', [], 7) }
    peer.send(`<message id='in-4' ${self('')}>${document}</message>`)
    const answer = await peer.next((text) => text.includes('in-4'))
    const error = JSON.stringify(meaning(answer.replace(/ xml:lang=(['"])en\1/, '')))
    for (const word of ['resource-constraint', 'Not now', 'overloaded', '"retry-after":"7"'])
      expect(error).toContain(word)
  })

  it('questions are answered, and answers are not', async () => {
    const before = peer.received.length
    for (const type of ['result', 'error']) peer.send(`<iq type='${type}' id='odd' ${self('')}/>`)
    peer.send(`<message type='error' id='odd' ${self('')}>${document}</message>`)
    peer.send(`<iq type='get' id='ping-1' ${self('')}><ping xmlns='urn:xmpp:ping'/></iq>`)
    expect(await peer.next((text) => text.includes('ping-1'))).toMatch(/type=['"]result['"]/)
    peer.send(`<iq type='get' id='info-1' ${self('')}><query xmlns='http://jabber.org/protocol/disco#info'/></iq>`)
    expect(await peer.next((text) => text.includes('info-1'))).toContain('Waybill')
    expect(peer.received.slice(before).filter((text) => text.includes('odd'))).toEqual([])
  })
})

import { describe, expect, it } from 'vitest'
import { reject } from '../../src/domain/rejection.ts'
import type { InboundStanza } from '../../src/flow/ports.ts'
import type { Questions } from '../../src/flow/questions.ts'
import type { Reply } from '../../src/flow/reply.ts'
import { createDispatch, type Dispatch } from '../../src/xmpp/dispatch.ts'
import { fakeConnection } from './fake-connection.ts'
import { meaning, stanza } from './stanza.ts'

/** What is asked here is nothing that anybody knows. */
const questions: Questions = {
  track: async () => ({ kind: 'not-found' }),
  trace: async () => ({ kind: 'rejected', rejection: reject('not-allowed', 'no') }),
  offer: () => ({ kind: 'offered', types: [] }),
}

const ENVELOPE = '01890a5d-ac96-774b-bcce-b302099a8057'
const accepted = {
  kind: 'accepted',
  accepted: [{ id: ENVELOPE, type: 'order', duplicate: false, held: false, item: '' }],
} as const satisfies Reply

interface Scene extends Dispatch {
  readonly written: readonly string[]
  readonly taken: InboundStanza[]
  readonly heard: string[]
  readonly logged: string[]
  readonly counted: string[]
}

function scene(intake: (stanza: InboundStanza) => Promise<Reply> = async () => accepted): Scene {
  const connection = fakeConnection()
  const taken: InboundStanza[] = []
  const heard: string[] = []
  const logged: string[] = []
  const counted: string[] = []
  const dispatch = createDispatch({
    maxStanzaBytes: 262_144,
    connection,
    outlet: {
      receipt: (id, from) => heard.push(`receipt ${id} ${from}`),
      bounce: (id, from, { condition, type }) => heard.push(`bounce ${id} ${from} ${condition} ${type}`),
    },
    intake: (inbound) => {
      taken.push(inbound)
      return intake(inbound)
    },
    subscriptions: {
      hear: (_message, from) => void heard.push(`event ${from}`),
      miss: (from) => from === 'pubsub.example.test' && heard.push(`missed ${from}`) > 0,
    },
    questions,
    describe: () => ({ version: '1.2.3', types: [], limits: { documentBytes: 1000, depth: 64, attributes: 256 } }),
    metrics: { rejected: (reason) => counted.push(`rejected ${reason}`), failed: () => counted.push('failed') },
    log: (_level, event) => logged.push(event),
  })
  return { ...dispatch, written: connection.written, taken, heard, logged, counted }
}

const order = `<order xmlns='urn:example:order'/>`
const notFrom = `from='a@example.test/x' to='waybill.example.test'`
const back = `to='a@example.test/x' from='waybill.example.test'`
const error = (type: string, condition: string, rest = '') =>
  `<error type='${type}'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>${rest}</error>`
const text = (words: string) => `<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>${words}</text>`
const unsupported = (feature: string) =>
  `<unsupported xmlns='http://jabber.org/protocol/pubsub#errors' feature='${feature}'/>`
const receipt = `<received xmlns='urn:xmpp:receipts' id='m1'/>`
const asked = `<request xmlns='urn:xmpp:receipts'/>`
const acceptedXml = `<accepted xmlns='urn:waybill:0' id='${ENVELOPE}' type='order'/>`

interface Row {
  readonly what: string
  readonly in: string
  /** The one stanza that goes out; undefined for none. */
  readonly out?: string
  /** The kind as which the flow is asked; undefined where it isn't. */
  readonly taken?: string
  readonly heard?: string
}

const rows: readonly Row[] = [
  {
    what: 'a document in an iq is acknowledged in its result',
    in: `<iq type='set' id='1' ${notFrom}>${order}</iq>`,
    taken: 'iq',
    out: `<iq type='result' id='1' ${back}>${acceptedXml}</iq>`,
  },
  {
    what: 'a wrapper in an iq goes to the flow like a document',
    in: `<iq type='set' id='1' ${notFrom}><submit xmlns='urn:waybill:0' expires='PT1M'>${order}</submit></iq>`,
    taken: 'iq',
    out: `<iq type='result' id='1' ${back}>${acceptedXml}</iq>`,
  },
  {
    what: 'an iq for another address of ours is answered from there',
    in: `<iq type='set' id='1' from='a@example.test/x' to='Orders@WAYBILL.example.test/eu'>${order}</iq>`,
    taken: 'iq',
    out: `<iq type='result' id='1' from='Orders@WAYBILL.example.test/eu' to='a@example.test/x'>${acceptedXml}</iq>`,
  },
  {
    what: 'a message without a receipt asked for is taken silently',
    in: `<message id='m1' ${notFrom}>${order}</message>`,
    taken: 'message',
  },
  {
    what: 'a message with a receipt asked for gets it',
    in: `<message id='m1' ${notFrom}>${order}${asked}</message>`,
    taken: 'message',
    out: `<message ${back}>${receipt}${acceptedXml}</message>`,
  },
  {
    what: 'the receipt of a chat message is a chat message',
    in: `<message type='chat' id='m1' ${notFrom}>${order}${asked}</message>`,
    taken: 'message',
    out: `<message type='chat' ${back}>${receipt}${acceptedXml}</message>`,
  },
  {
    what: 'a receipt asked for without an id can not be given',
    in: `<message ${notFrom}>${order}${asked}</message>`,
    taken: 'message',
  },
  {
    what: 'nor can one for an empty id',
    in: `<message id='' ${notFrom}>${order}${asked}</message>`,
    taken: 'message',
  },
  {
    what: 'a headline is taken and never answered',
    in: `<message type='headline' id='m1' ${notFrom}>${order}${asked}</message>`,
    taken: 'message',
  },
  {
    what: 'a groupchat message is taken and never answered',
    in: `<message type='groupchat' id='m1' ${notFrom}>${order}${asked}</message>`,
    taken: 'message',
  },
  {
    what: 'a message of a type that nobody knows counts as normal',
    in: `<message type='telegram' id='m1' ${notFrom}>${order}${asked}</message>`,
    taken: 'message',
    out: `<message ${back}>${receipt}${acceptedXml}</message>`,
  },
  {
    what: 'a publish is acknowledged with its items',
    in: `<iq type='set' id='1' ${notFrom}><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='in &amp; out'><item>${order}</item></publish></pubsub></iq>`,
    taken: 'publish',
    out: `<iq type='result' id='1' ${back}><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='in &amp; out'><item id='${ENVELOPE}'/></publish><accepted xmlns='urn:waybill:0' id='${ENVELOPE}' type='order' item='${ENVELOPE}'/></pubsub></iq>`,
  },
  {
    what: 'two publishes in one request are a bad request, so that no item is lost in silence',
    in: `<iq type='set' id='1' ${notFrom}><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='a'><item>${order}</item></publish><publish node='b'><item>${order}</item></publish></pubsub></iq>`,
    out: `<iq type='error' id='1' ${back}>${error('modify', 'bad-request', text('Cannot publish: there are 2 &lt;publish/&gt;, not one'))}</iq>`,
  },
  {
    what: 'a publish without a node is a bad request',
    in: `<iq type='set' id='1' ${notFrom}><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish><item>${order}</item></publish></pubsub></iq>`,
    out: `<iq type='error' id='1' ${back}>${error('modify', 'bad-request', `${text('Cannot publish: node is missing')}<nodeid-required xmlns='http://jabber.org/protocol/pubsub#errors'/>`)}</iq>`,
  },
  {
    what: 'and so is one to a node without a name',
    in: `<iq type='set' id='1' ${notFrom}><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node=''><item>${order}</item></publish></pubsub></iq>`,
    out: `<iq type='error' id='1' ${back}>${error('modify', 'bad-request', `${text('Cannot publish: node is missing')}<nodeid-required xmlns='http://jabber.org/protocol/pubsub#errors'/>`)}</iq>`,
  },
  {
    what: 'other pubsub requests are not implemented',
    in: `<iq type='set' id='1' ${notFrom}><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='n' jid='a@example.test'/></pubsub></iq>`,
    out: `<iq type='error' id='1' ${back}>${error('cancel', 'feature-not-implemented', unsupported('subscribe'))}</iq>`,
  },
  {
    what: 'items can not be fetched',
    in: `<iq type='get' id='1' ${notFrom}><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='n'/></pubsub></iq>`,
    out: `<iq type='error' id='1' ${back}>${error('cancel', 'feature-not-implemented', unsupported('retrieve-items'))}</iq>`,
  },
  {
    what: 'an owner has nothing to do here',
    in: `<iq type='set' id='1' ${notFrom}><pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><delete node='n'/></pubsub></iq>`,
    out: `<iq type='error' id='1' ${back}>${error('cancel', 'feature-not-implemented', unsupported('delete-nodes'))}</iq>`,
  },
  {
    what: 'a request of a name that means something to JavaScript is not supported either',
    in: `<iq type='set' id='1' ${notFrom}><pubsub xmlns='http://jabber.org/protocol/pubsub'><constructor/></pubsub></iq>`,
    out: `<iq type='error' id='1' ${back}>${error('cancel', 'feature-not-implemented')}</iq>`,
  },
  {
    what: 'a ping is answered',
    in: `<iq type='get' id='1' ${notFrom}><ping xmlns='urn:xmpp:ping'/></iq>`,
    out: `<iq type='result' id='1' ${back}/>`,
  },
  {
    what: 'the version is told',
    in: `<iq type='get' id='1' ${notFrom}><query xmlns='jabber:iq:version'/></iq>`,
    out: `<iq type='result' id='1' ${back}><query xmlns='jabber:iq:version'><name>Waybill</name><version>1.2.3</version></query></iq>`,
  },
  {
    what: 'an unknown disco node is not found',
    in: `<iq type='get' id='1' ${notFrom}><query xmlns='http://jabber.org/protocol/disco#info' node='secrets'/></iq>`,
    out: `<iq type='error' id='1' ${back}>${error('cancel', 'item-not-found')}</iq>`,
  },
  {
    what: 'a get that nobody understands is unavailable',
    in: `<iq type='get' id='1' ${notFrom}>${order}</iq>`,
    out: `<iq type='error' id='1' ${back}>${error('cancel', 'service-unavailable')}</iq>`,
  },
  {
    what: 'an iq without a child is a bad request',
    in: `<iq type='set' id='1' ${notFrom}/>`,
    out: `<iq type='error' id='1' ${back}>${error('modify', 'bad-request', text('Cannot read the iq: it has 0 child elements, not one'))}</iq>`,
  },
  {
    what: 'an iq with two children is a bad request',
    in: `<iq type='set' id='1' ${notFrom}>${order}${order}</iq>`,
    out: `<iq type='error' id='1' ${back}>${error('modify', 'bad-request', text('Cannot read the iq: it has 2 child elements, not one'))}</iq>`,
  },
  {
    what: 'an iq without an id is a bad request, and its answer has none',
    in: `<iq type='set' ${notFrom}>${order}</iq>`,
    out: `<iq type='error' ${back}>${error('modify', 'bad-request', text('Cannot read the iq: it has no id'))}</iq>`,
  },
  {
    what: 'an iq of an unknown type is a bad request',
    in: `<iq type='put' id='1' ${notFrom}>${order}</iq>`,
    out: `<iq type='error' id='1' ${back}>${error('modify', 'bad-request', text('Cannot read the iq: its type is put'))}</iq>`,
  },
  {
    what: 'an iq without a type is a bad request',
    in: `<iq id='1' ${notFrom}>${order}</iq>`,
    out: `<iq type='error' id='1' ${back}>${error('modify', 'bad-request', text('Cannot read the iq: its type is missing'))}</iq>`,
  },
  { what: 'a result that nobody asked for is ignored', in: `<iq type='result' id='1' ${notFrom}/>` },
  { what: 'a result with a document is ignored', in: `<iq type='result' id='1' ${notFrom}>${order}</iq>` },
  {
    what: 'an error that nobody asked for is ignored',
    in: `<iq type='error' id='1' ${notFrom}>${order}${error('cancel', 'conflict')}</iq>`,
  },
  { what: 'an error without an error is ignored', in: `<iq type='error' id='1' ${notFrom}/>` },
  { what: 'an error without an id is ignored', in: `<iq type='error' ${notFrom}/>` },
  {
    what: 'an error message is a bounce and never answered',
    in: `<message type='error' id='d.0' ${notFrom}>${order}${error('wait', 'recipient-unavailable')}</message>`,
    heard: 'bounce d.0 a@example.test/x recipient-unavailable wait',
  },
  {
    what: 'an error message that asks for a receipt gets none',
    in: `<message type='error' id='d.0' ${notFrom}>${asked}${error('cancel', 'gone')}</message>`,
    heard: 'bounce d.0 a@example.test/x gone cancel',
  },
  {
    what: 'an error message without an error says so to the delivery',
    in: `<message type='error' id='d.0' ${notFrom}/>`,
    heard: 'bounce d.0 a@example.test/x undefined-condition cancel',
  },
  {
    what: 'a receipt is for the outlet alone',
    in: `<message id='9' ${notFrom}><received xmlns='urn:xmpp:receipts' id='d.0'/></message>`,
    heard: 'receipt d.0 a@example.test/x',
  },
  {
    what: 'a document beside a receipt is not lost',
    in: `<message id='9' ${notFrom}><received xmlns='urn:xmpp:receipts' id='d.0'/>${order}</message>`,
    heard: 'receipt d.0 a@example.test/x',
    taken: 'message',
  },
  {
    what: 'an event is for the subscriptions alone, whoever it comes from, and is never answered',
    in: `<message id='9' from='pubsub.example.test' to='waybill.example.test'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'><item id='1'>${order}</item></items></event></message>`,
    heard: 'event pubsub.example.test',
  },
  {
    what: 'an event of type headline is heard like any other',
    in: `<message type='headline' from='pubsub.example.test' to='waybill.example.test'><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'><item id='1'>${order}</item></items></event></message>`,
    heard: 'event pubsub.example.test',
  },
  {
    what: 'nobody is let into a roster',
    in: `<presence type='subscribe' ${notFrom}/>`,
    out: `<presence type='unsubscribed' from='waybill.example.test' to='a@example.test'/>`,
  },
  { what: 'a probe is ignored', in: `<presence type='probe' ${notFrom}/>` },
  { what: 'a presence is ignored', in: `<presence ${notFrom}><show>away</show></presence>` },
  {
    what: 'a presence error is ignored',
    in: `<presence type='error' ${notFrom}>${error('cancel', 'gone')}</presence>`,
  },
  { what: 'a stanza without a sender is dropped', in: `<iq type='set' id='1' to='waybill.example.test'>${order}</iq>` },
  {
    what: 'a stanza from what is no address is dropped',
    in: `<iq type='set' id='1' from='@' to='waybill.example.test'>${order}</iq>`,
  },
  {
    what: 'a stanza for another component is dropped',
    in: `<iq type='set' id='1' from='a@example.test/x' to='other.example.test'>${order}</iq>`,
  },
  { what: 'an element that is no stanza is dropped', in: `<telegram ${notFrom}/>` },
]

describe('what a stanza is answered with', () => {
  for (const row of rows) {
    it(row.what, async () => {
      const one = scene()
      one.handle(stanza(row.in))
      await one.idle()
      expect(one.written.map(meaning)).toEqual(row.out === undefined ? [] : [meaning(row.out)])
      expect(one.taken.map(({ kind }) => kind)).toEqual(row.taken === undefined ? [] : [row.taken])
      expect(one.heard).toEqual(row.heard === undefined ? [] : [row.heard])
    })
  }

  it('an answer to our answer is never answered', async () => {
    for (const row of rows) {
      const one = scene(async () => ({ kind: 'rejected', rejection: reject('unknown-type', 'no') }))
      one.handle(stanza(row.in))
      await one.idle()
      const answers = one.written.filter((answer) => /^<(iq|message) type="(error|result)"/.test(answer))
      const again = scene()
      for (const answer of answers) again.handle(stanza(answer))
      await again.idle()
      expect(again.written, row.what).toEqual([])
    }
  })

  it('the flow is given normalised addresses and the id as it stands', async () => {
    const one = scene()
    one.handle(
      stanza(`<message id='M1' from='A@Example.test/X' to='Orders@Waybill.Example.Test/EU'>${order}</message>`),
    )
    one.handle(stanza(`<message ${notFrom}>${order}</message>`))
    await one.idle()
    expect(one.taken.map(({ from, to, id }) => [from, to, id])).toEqual([
      ['a@example.test/X', 'orders@waybill.example.test/EU', 'M1'],
      ['a@example.test/x', 'waybill.example.test', ''],
    ])
  })
})

describe('what the flow says, on the wire', () => {
  const iq = `<iq type='set' id='1' ${notFrom}>${order}</iq>`
  const message = `<message id='m1' ${notFrom}>${order}${asked}</message>`
  const publish = `<iq type='set' id='1' ${notFrom}><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n'><item id='i1'>${order}</item><item id='i2'>${order}</item></publish></pubsub></iq>`

  async function answer(to: string, reply: Reply): Promise<readonly string[]> {
    const one = scene(async () => reply)
    one.handle(stanza(to))
    await one.idle()
    return one.written
  }

  it('a duplicate and a held document say so', async () => {
    const reply: Reply = {
      kind: 'accepted',
      accepted: [{ id: ENVELOPE, type: 'a & b', duplicate: true, held: true, item: '' }],
    }
    const [out] = await answer(iq, reply)
    expect(meaning(out!)).toEqual(
      meaning(
        `<iq type='result' id='1' ${back}><accepted xmlns='urn:waybill:0' id='${ENVELOPE}' type='a &amp; b' duplicate='true' state='held'/></iq>`,
      ),
    )
  })

  it('a document of a deprecated version has a notice', async () => {
    const one = {
      id: ENVELOPE,
      type: 'order',
      version: '1.0',
      deprecated: 'send 2 <soon>',
      duplicate: false,
      held: false,
      item: '',
    }
    const [out] = await answer(iq, { kind: 'accepted', accepted: [one] })
    expect(meaning(out!)).toEqual(
      meaning(
        `<iq type='result' id='1' ${back}><accepted xmlns='urn:waybill:0' id='${ENVELOPE}' type='order' version='1.0' deprecated='true'><notice>send 2 &lt;soon></notice></accepted></iq>`,
      ),
    )
  })

  it('each item of a publish has its own acknowledgement', async () => {
    const one = (item: string) => ({ id: `${ENVELOPE}-${item}`, type: 'order', duplicate: false, held: false, item })
    const [out] = await answer(publish, { kind: 'accepted', accepted: [one('i1'), one('i2')] })
    expect(meaning(out!)).toEqual(
      meaning(
        `<iq type='result' id='1' ${back}><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n'><item id='i1'/><item id='i2'/></publish>` +
          `<accepted xmlns='urn:waybill:0' id='${ENVELOPE}-i1' type='order' item='i1'/><accepted xmlns='urn:waybill:0' id='${ENVELOPE}-i2' type='order' item='i2'/></pubsub></iq>`,
      ),
    )
  })

  const finding = {
    layer: 'xsd',
    rule: 'SCHEMAV_CVC_DATATYPE_VALID',
    severity: 'error',
    path: '/order/@n',
    line: 3,
    column: 7,
    message: "'<x>' & more",
  } as const

  it('a rejection tells its findings and never repeats the payload', async () => {
    const [out] = await answer(iq, {
      kind: 'rejected',
      rejection: reject('invalid', 'The order is invalid', [finding]),
    })
    expect(meaning(out!)).toEqual(
      meaning(
        `<iq type='error' id='1' ${back}>${error(
          'modify',
          'not-acceptable',
          `${text('The order is invalid')}<rejection xmlns='urn:waybill:0' reason='invalid' findings='1'>` +
            `<finding layer='xsd' rule='SCHEMAV_CVC_DATATYPE_VALID' severity='error' path='/order/@n' line='3' column='7'>'&lt;x&gt;' &amp; more</finding></rejection>`,
        )}</iq>`,
      ),
    )
  })

  it('a message is rejected whether or not it asked for a receipt', async () => {
    const reply: Reply = { kind: 'rejected', rejection: reject('overloaded', 'Full', [], 10) }
    const expected = `<message type='error' id='m1' ${back}>${error(
      'wait',
      'resource-constraint',
      `${text('Full')}<rejection xmlns='urn:waybill:0' reason='overloaded' findings='0' retry-after='10'/>`,
    )}</message>`
    expect((await answer(message, reply)).map(meaning)).toEqual([meaning(expected)])
    expect((await answer(message.replace(asked, ''), reply)).map(meaning)).toEqual([meaning(expected)])
  })

  it('a rejection of headline and groupchat messages stays unsaid', async () => {
    const reply: Reply = { kind: 'rejected', rejection: reject('invalid', 'no') }
    for (const type of ['headline', 'groupchat']) {
      expect(await answer(message.replace('<message', `<message type='${type}'`), reply)).toEqual([])
    }
  })

  it('a rejected item is named', async () => {
    const [out] = await answer(publish, { kind: 'rejected', rejection: reject('unknown-type', 'no'), item: 'i2' })
    expect(out).toContain('reason="unknown-type" findings="0" item="i2"')
  })

  it('at most 20 findings travel, and the total is told', async () => {
    const [out] = await answer(iq, { kind: 'rejected', rejection: reject('invalid', 'no', Array(500).fill(finding)) })
    expect(out!.match(/<finding /g)).toHaveLength(20)
    expect(out).toContain('findings="500"')
  })

  it('at most 8 KB of findings travel', async () => {
    const long = { ...finding, message: 'ä'.repeat(900) }
    const [out] = await answer(iq, { kind: 'rejected', rejection: reject('invalid', 'no', Array(20).fill(long)) })
    expect(Buffer.byteLength(out!)).toBeLessThan(8192 + 600)
    expect(out!.match(/<finding /g)!.length).toBeGreaterThan(2)
    expect(out).toContain('findings="20"')
  })

  it('characters that would break the stream are replaced', async () => {
    const odd = { ...finding, path: '/a\u0000', message: 'x\u0001y\ufffe\ud800 \u{1f600}' }
    const [out] = await answer(iq, { kind: 'rejected', rejection: reject('malformed', 'at \u0008', [odd]) })
    expect(() => stanza(out!)).not.toThrow()
    expect(out).toContain('x\ufffdy\ufffd\ufffd \u{1f600}')
  })

  it('what the flow ignores is silence for a message and an error for an iq', async () => {
    expect(await answer(message, { kind: 'ignored' })).toEqual([])
    expect((await answer(iq, { kind: 'ignored' }))[0]).toContain('service-unavailable')
  })
})

describe('an answer that would make the server close the stream', () => {
  const long = '"'.repeat(60_000)

  it('for the items that it repeats goes without them', async () => {
    const items = Array.from({ length: 3_000 }, (_, n) => ({ ...accepted.accepted[0]!, item: `item-${n}` }))
    const one = scene(async () => ({ kind: 'accepted', accepted: items }))
    const publish = `<publish node='n'><item>${order}</item></publish>`
    const pubsub = `<pubsub xmlns='http://jabber.org/protocol/pubsub'>${publish}</pubsub>`
    one.handle(stanza(`<iq type='set' id='p1' ${notFrom}>${pubsub}</iq>`))
    await one.idle()
    expect(one.written.map(meaning)).toEqual([meaning(`<iq type='result' id='p1' ${back}/>`)])
    expect(one.logged).toEqual(['reply-cut'])
  })

  it.each([
    ['a result', `<iq type='set' id='${long}' ${notFrom}>${order}</iq>`],
    ['an error', `<iq type='get' id='${long}' ${notFrom}><x xmlns='u'/></iq>`],
    ['a receipt', `<message id='${long}' ${notFrom}>${order}${asked}</message>`],
    ['a result of many bytes', `<iq type='set' id='${'\u20ac'.repeat(90_000)}' ${notFrom}>${order}</iq>`],
  ])('for the id that it repeats is not written: %s', async (_what, text) => {
    const one = scene()
    one.handle(stanza(text))
    await one.idle()
    expect(one.written).toEqual([])
    expect(one.logged).toEqual(['reply-cut'])
  })
})

describe('when something here fails', () => {
  const boom = async (): Promise<Reply> => {
    throw new Error('boom')
  }

  it.each([
    ['a request', `<iq type='set' id='1' ${notFrom}>${order}</iq>`, 1],
    ['a message', `<message id='m1' ${notFrom}>${order}</message>`, 1],
    ['a chat message', `<message type='chat' id='m1' ${notFrom}>${order}</message>`, 1],
    ['a message without id', `<message ${notFrom}>${order}</message>`, 0],
    ['a headline', `<message type='headline' id='m1' ${notFrom}>${order}</message>`, 0],
  ])('%s is answered accordingly, logged and counted', async (_what, text, answers) => {
    const one = scene(boom)
    one.handle(stanza(text))
    await one.idle()
    expect(one.written).toHaveLength(answers)
    for (const answer of one.written) expect(answer).toContain('<internal-server-error ')
    expect(one.logged).toEqual(['stanza-failed'])
    expect(one.counted).toEqual(['failed'])
  })

  it('the next stanza passes', async () => {
    let calls = 0
    const one = scene(async () => {
      calls += 1
      if (calls === 1) throw new Error('boom')
      return accepted
    })
    one.handle(stanza(`<iq type='set' id='1' ${notFrom}>${order}</iq>`))
    one.handle(stanza(`<iq type='set' id='2' ${notFrom}>${order}</iq>`))
    await one.idle()
    expect(one.written.map((answer) => /id="(\d)"/.exec(answer)?.[1])).toEqual(['1', '2'])
    expect(one.written[1]).toContain('<accepted ')
  })

  it('a stop refuses new documents with wait and lets those in hand finish', async () => {
    let finish!: (reply: Reply) => void
    const one = scene(() => new Promise((resolve) => (finish = resolve)))
    one.handle(stanza(`<iq type='set' id='1' ${notFrom}>${order}</iq>`))
    one.close()
    one.handle(stanza(`<iq type='set' id='2' ${notFrom}>${order}</iq>`))
    finish(accepted)
    await one.idle()
    expect(one.taken).toHaveLength(1)
    const refusal = one.written.find((answer) => answer.includes('id="2"'))
    expect(refusal).toContain('<error type="wait"><service-unavailable ')
    expect(one.counted).toEqual(['rejected unavailable'])
    expect(one.written.find((answer) => answer.includes('id="1"'))).toContain('<accepted ')
  })
})

describe('a stanza that was too much to be read', () => {
  const excess = reject('too-large', 'Cannot read the stanza: it has more than 1048576 bytes')
  const cases: readonly { what: string; in: string; answered: boolean; counted: boolean }[] = [
    { what: 'a request', in: `<iq type='set' id='1' ${notFrom}/>`, answered: true, counted: true },
    { what: 'a message', in: `<message ${notFrom}/>`, answered: true, counted: true },
    { what: 'an answer', in: `<iq type='result' id='1' ${notFrom}/>`, answered: false, counted: false },
    { what: 'a headline', in: `<message type='headline' ${notFrom}/>`, answered: false, counted: true },
    { what: 'a presence', in: `<presence ${notFrom}/>`, answered: false, counted: false },
    {
      what: 'a message of a service that we are subscribed to',
      in: `<message from='pubsub.example.test' to='waybill.example.test'/>`,
      answered: false,
      counted: false,
    },
  ]
  for (const { what, in: received, answered, counted } of cases) {
    it(`${what} is ${answered ? 'refused for what it is' : 'not answered'}`, () => {
      const { handle, written, taken, counted: found } = scene()
      handle(stanza(received), excess)
      expect(taken).toEqual([])
      expect(found).toEqual(counted ? ['rejected too-large'] : [])
      expect(written.map((xml) => xml.includes(`reason="too-large"`))).toEqual(answered ? [true] : [])
    })
  }

  it('a bounce is still a bounce', () => {
    const { handle, heard } = scene()
    handle(stanza(`<message type='error' id='m1' ${notFrom}/>`), excess)
    expect(heard).toEqual(['bounce m1 a@example.test/x undefined-condition cancel'])
  })
})

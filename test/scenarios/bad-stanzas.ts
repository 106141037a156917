import { createHash } from 'node:crypto'
import { order } from './waybill.ts'

/** What can be sent that is wrong: the table of bad-input.test.ts. */

/** Types that one document can match at once; `limits` of the installation that the tables are for. */
export const TYPES = `
kind: DocumentType
name: shipment
identify: { json: { match: { /shipment: true } } }
schema: none
---
kind: DocumentType
name: return
identify: { json: { match: { /return: true } } }
schema: none
---
kind: DocumentType
name: first-version
identify: { xml: { root: "{urn:example:version}v", where: "/v:v/@n >= 1" } }
namespaces: { v: "urn:example:version" }
schema: none
---
kind: DocumentType
name: second-version
identify: { xml: { root: "{urn:example:version}v", where: "/v:v/@n >= 2" } }
namespaces: { v: "urn:example:version" }
schema: none
`

export const LIMITS = {
  documentBytes: 20_000,
  depth: 12,
  attributes: 10,
  perSender: { perMinute: 250, waiting: 50_000 },
}

// {id} stands for an id of the row's own, {ours} for the id of a document that was accepted before.
const iq = (payload: string, from = 'b@peer.example.test/1') =>
  `<iq type='set' id='{id}' from='${from}' to='waybill.example.test'>${payload}</iq>`
const message = (payload: string, attributes = '') =>
  `<message ${attributes} id='{id}' from='b@peer.example.test/1' to='waybill.example.test'>${payload}</message>`
const publish = (items: string, node = "node='orders'") =>
  iq(`<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish ${node}>${items}</publish></pubsub>`)
const submit = (attributes: string, payload = order('S')) =>
  iq(`<submit xmlns='urn:waybill:0' ${attributes}>${payload}</submit>`)
const json = (text: string) => iq(`<json xmlns='urn:xmpp:json:0'>${text}</json>`)
const raw = (base64: string, attributes = "type='application/xml'") =>
  iq(`<data xmlns='urn:xmpp:bob' ${attributes}>${base64}</data>`)
const sealed = (content: string | Uint8Array, attributes?: string) =>
  raw(Buffer.from(content).toString('base64'), attributes)
const sealedJson = (content: string | Uint8Array) => sealed(content, "type='application/json'")
const cidOf = (text: string) =>
  `type='text/xml' cid='sha256+${createHash('sha256').update(text).digest('hex')}@bob.xmpp.org'`
const sealedOrder = (attributes: string) => sealed(order('S').replaceAll("'", '"'), attributes)
const repeat = (count: number, text: (n: number) => string) => Array.from({ length: count }, (_, n) => text(n)).join('')
const LAUGHS = `<!DOCTYPE a [<!ENTITY a "ha">${repeat(9, (n) => `<!ENTITY a${n} "${`&a${n || ''};`.repeat(10)}">`)}]><a>&a8;</a>`

/**
 * The answer is `TYPE CONDITION REASON`, without a reason where it is none of Waybill's rejections, or `nothing`; the text is a part of it, with
 * double quotes and without entities.
 */
export type Row = readonly [what: string, stanza: string, answer: string, text?: string]

const MALFORMED = 'modify bad-request malformed'
const INVALID = 'modify not-acceptable invalid'
const TOO_LARGE = 'modify policy-violation too-large'
const TOO_DEEP = 'modify not-acceptable too-deep'
const FORBIDDEN_XML = 'modify not-acceptable forbidden-xml'
const UNKNOWN = 'cancel feature-not-implemented unknown-type'
const SEVERAL = 'modify bad-request several-documents'
const NONE = 'modify bad-request no-document'
const NOT_ALLOWED = 'auth forbidden not-allowed'
export const NOTHING = 'nothing'

const XML: readonly Row[] = [
  ['a value that the schema forbids', iq(order('X', { currency: 'euro' })), INVALID, 'o:currency'],
  [
    'an element that the schema does not know',
    iq(order('X').replace('</order>', '<extra/></order>')),
    INVALID,
    'extra',
  ],
  ['an element that is missing', iq(`<order xmlns='urn:example:order'/>`), INVALID, 'number'],
  ['an attribute that is missing', iq(order('X').replace(" sku='S0'", '')), INVALID, 'sku'],
  ['text where elements are', iq(order('X').replace('</order>', 'text</order>')), INVALID],
  ['content that RELAX NG refuses', iq(`<note xmlns='urn:example:note'><to>a</to></note>`), INVALID, 'rng'],
  [
    'a prefix in xsi:type that is bound to nothing',
    iq(
      order('X').replace(
        '<total',
        `<total xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:type='nope:amount'`,
      ),
    ),
    INVALID,
    'sealed',
  ],
  ['a type that nobody registered', iq(`<parcel xmlns='urn:example:parcel'/>`), UNKNOWN, '{urn:example:parcel}parcel'],
  [
    'a root in the wrong namespace',
    iq(order('X').replace('urn:example:order', 'urn:example:ordre')),
    UNKNOWN,
    '{urn:example:ordre}order',
  ],
  ["a root in XML's own namespace", iq('<xml:a/>'), UNKNOWN, '{http://www.w3.org/XML/1998/namespace}a'],
  ["an element of XML's own namespace", iq(order('X').replace('</order>', '<xml:a/></order>')), INVALID],
  ["an attribute of XML's own namespace", iq(order('X').replace('<order ', "<order xml:foo='x' ")), INVALID],
  ['a root in no namespace', iq(`<order xmlns=''><number>1</number></order>`), UNKNOWN],
  ['a root of the right namespace and another name', iq(`<ordr xmlns='urn:example:order'/>`), UNKNOWN, 'order'],
  [
    'a document of two types at once',
    iq(`<v xmlns='urn:example:version' n='2'/>`),
    'cancel conflict ambiguous-type',
    'first-version, second-version',
  ],
  [
    'a document that meets no discriminator',
    iq(`<v xmlns='urn:example:version' n='0'/>`),
    UNKNOWN,
    "doesn't meet the conditions",
  ],
  [
    'more bytes than a document may have',
    iq(order('X', { note: 'x'.repeat(20_000) })),
    TOO_LARGE,
    'the limit is 20000',
  ],
  [
    'elements nested too deep',
    iq('<a xmlns="urn:x">'.repeat(13) + '</a>'.repeat(13)),
    TOO_DEEP,
    'is deeper than 12 levels',
  ],
  [
    'elements nested deeper than a stanza may be',
    iq('<a xmlns="urn:x">'.repeat(1_100) + '</a>'.repeat(1_100)),
    TOO_DEEP,
    'deeper than 1000',
  ],
  [
    'too many attributes',
    iq(`<order xmlns='urn:example:order' ${repeat(11, (n) => `a${n}='1' `)}/>`),
    TOO_LARGE,
    '11 attributes on one element, the limit is 10',
  ],
  [
    'more attributes than a stanza may have',
    iq(`<order xmlns='urn:example:order' ${repeat(4_200, (n) => `a${n}='1' `)}/>`),
    TOO_LARGE,
    'more than 4096 attributes',
  ],
  [
    'a name that is too long',
    iq(`<${'n'.repeat(300)} xmlns='urn:x'/>`),
    TOO_LARGE,
    '300 characters in a name, the limit is 256',
  ],
]

const SEALED: readonly Row[] = [
  ['nothing', raw(''), MALFORMED, 'it is empty'],
  ['what is no base64', raw('AAA*'), MALFORMED, 'it is no base64'],
  ['base64 that was cut off', raw('PG9yZGVyPg=').replace('Pg=', 'P'), MALFORMED, 'it is no base64'],
  ['base64 with bits behind its end', raw('QR=='), MALFORMED, 'bits are set'],
  ['an element', raw('<a xmlns=""/>'), MALFORMED, 'it holds elements, not base64'],
  ['no media type', raw('PGEvPg==', ''), MALFORMED, 'it has no type attribute'],
  ['a media type that is none', raw('PGEvPg==', "type='xml'"), MALFORMED, 'which is no media type'],
  ['the media type of JSON on XML', sealed('<a/>', "type='application/json'"), MALFORMED, 'where a value should be'],
  ['the media type of XML on JSON', sealed('{"a":1}'), MALFORMED, 'Cannot read the XML'],
  ['the cid of other bytes', sealedOrder(cidOf('<other/>')), MALFORMED, 'they were changed on the way'],
  [
    'a cid of an unknown algorithm',
    sealedOrder("type='text/xml' cid='md5+00@bob.xmpp.org'"),
    MALFORMED,
    'sha256+HEX@bob.xmpp.org are known',
  ],
  ['a document that was cut off', sealed('<order xmlns="urn:example:order"><number>1'), MALFORMED, 'unclosed tag'],
  ['two documents', sealed('<a/><b/>'), MALFORMED, 'Cannot read the XML'],
  ['an entity that is not defined', sealed('<a>&nbsp;</a>'), MALFORMED, 'undefined entity'],
  ['a prefix that is bound to nothing', sealed('<p:a/>'), MALFORMED, 'unbound namespace prefix'],
  ['a control character', sealed('<a>\u0001</a>'), MALFORMED, 'disallowed character'],
  [
    'bytes that are not UTF-8',
    sealed(Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e])),
    MALFORMED,
    'the bytes are not UTF-8',
  ],
  [
    'an encoding that is not understood',
    sealed('<?xml version="1.0" encoding="windows-1252"?><a/>'),
    MALFORMED,
    'its encoding is windows-1252',
  ],
  [
    'an encoding that is another',
    sealed(Buffer.from('<?xml version="1.0" encoding="UTF-8"?><a/>', 'utf16le')),
    MALFORMED,
    'UTF-16 without a byte order mark',
  ],
  [
    'a charset that is another',
    sealed('<a/>', "type='text/xml; charset=utf-16'"),
    MALFORMED,
    'charset=utf-16, the document is utf-8',
  ],
  [
    'a DOCTYPE',
    sealed('<!DOCTYPE order><order xmlns="urn:example:order"/>'),
    FORBIDDEN_XML,
    'a DOCTYPE is not allowed',
  ],
  [
    'an external entity',
    sealed('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>'),
    FORBIDDEN_XML,
    'a DOCTYPE is not allowed',
  ],
  ['a billion laughs', sealed(LAUGHS), FORBIDDEN_XML, 'a DOCTYPE is not allowed'],
  ['more bytes than a document may have', sealed(`<a>${'x'.repeat(20_000)}</a>`), TOO_LARGE, 'the limit is 20000'],
  [
    'more bytes of a picture than a document may have',
    sealed(new Uint8Array(20_001), "type='image/png'"),
    TOO_LARGE,
    '20001 bytes',
  ],
  [
    'elements nested far too deep',
    sealed('<a>'.repeat(2_500) + '</a>'.repeat(2_500)),
    TOO_DEEP,
    'is deeper than 12 levels',
  ],
  ['too many attributes', sealed(`<a ${repeat(11, (n) => `a${n}='1' `)}/>`), TOO_LARGE, '11 attributes'],
  [
    'an invalid document, with its line',
    sealed('<order xmlns="urn:example:order">\n<number/>\n<currency>x</currency>\n<total>1</total></order>'),
    INVALID,
    'line="3"',
  ],
]

const JSON_ROWS: readonly Row[] = [
  ['nothing', json(''), MALFORMED, 'the text ends where a value should be'],
  ['text that is cut off', json('{"kind":"reading","sensor":"s"'), MALFORMED, 'the text ends'],
  ['a key that stands twice', json('{"kind":"reading","kind":"order"}'), MALFORMED, 'stands twice in one object'],
  ['a comma too many', json('{"kind":"reading",}'), MALFORMED, 'a key in quotes'],
  ['a second value', json('{} {}'), MALFORMED, 'where the end should be'],
  [
    'a number that no double holds',
    json('{"kind":"reading","celsius":1e999}'),
    MALFORMED,
    'beyond what a double holds',
  ],
  ['half of a surrogate pair', json('{"kind":"reading","sensor":"\\ud800"}'), MALFORMED, 'half of a surrogate pair'],
  ['arrays nested too deep', json('['.repeat(5_000) + ']'.repeat(5_000)), TOO_DEEP, 'is deeper than 12 levels'],
  ['more bytes than a document may have', json(`"${'x'.repeat(20_000)}"`), TOO_LARGE, 'the limit is 20000'],
  ['elements in the container', json(`<a xmlns=''/>`), MALFORMED, 'holds text only'],
  [
    'a payload of XEP-0432 without datatype',
    iq(`<payload xmlns='urn:xmpp:json-msg:0'><json xmlns='urn:xmpp:json:0'>1</json></payload>`),
    MALFORMED,
    'has a datatype',
  ],
  ['sealed, and not UTF-8', sealedJson(Buffer.from('{"a":"é"}', 'latin1')), MALFORMED, 'not UTF-8'],
  ['sealed, in UTF-16', sealedJson(Buffer.from('{"a":1}', 'utf16le')), MALFORMED, 'not UTF-8'],
  ['JSON of no type', json('{"kind":"raeding"}'), UNKNOWN, 'no type matches the JSON'],
  [
    'JSON of two types at once',
    json('{"shipment":true,"return":true}'),
    'cancel conflict ambiguous-type',
    'shipment, return',
  ],
  ['a value that the schema forbids', json('{"kind":"reading","sensor":"s","celsius":400}'), INVALID, 'maximum'],
  [
    'a key that the schema does not know',
    json('{"kind":"reading","sensor":"s","celsius":4,"fahrenheit":39}'),
    INVALID,
    'additionalProperties',
  ],
]

const STANZAS: readonly Row[] = [
  ['an iq without a child', iq(''), 'modify bad-request'],
  ['an iq with two children', iq(order('1') + order('2')), 'modify bad-request'],
  ['an iq of type get with a document', iq(order('1')).replace("'set'", "'get'"), 'cancel service-unavailable'],
  [
    'an iq of type get that asks for something unknown',
    iq(`<query xmlns='jabber:iq:roster'/>`).replace("'set'", "'get'"),
    'cancel service-unavailable',
  ],
  ['an iq of an unknown type', iq(order('1')).replace("'set'", "'put'"), 'modify bad-request'],
  ['an iq without a type', iq(order('1')).replace("type='set'", ''), 'modify bad-request'],
  ['an iq without an id', iq(order('1')).replace("id='{id}'", ''), 'modify bad-request'],
  [
    'a discovery of an unknown node',
    iq(`<query xmlns='http://jabber.org/protocol/disco#info' node='types/nothing'/>`).replace("'set'", "'get'"),
    'cancel item-not-found',
  ],
  [
    'a result that nobody asked for',
    `<iq type='result' id='{id}' from='b@peer.example.test/1' to='waybill.example.test'/>`,
    NOTHING,
  ],
  [
    'an error that answers nothing',
    `<iq type='error' id='{id}' from='b@peer.example.test/1' to='waybill.example.test'><error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
    NOTHING,
  ],
  ['a message with two documents', message(order('1') + order('2')), SEVERAL, 'it holds 2 documents'],
  [
    'a message with a document beside <submit/>',
    message(`<submit xmlns='urn:waybill:0'>${order('1')}</submit>${order('2')}`),
    SEVERAL,
    'it holds 2 documents',
  ],
  [
    'a message with two unknown children',
    message(`<a xmlns='urn:a'/><b xmlns='urn:b'/>`),
    SEVERAL,
    '{urn:a}a, {urn:b}b',
  ],
  ['a message with one unknown child', message(`<a xmlns='urn:a'/>`), UNKNOWN, '{urn:a}a'],
  ['a message with a body and no document', message('<body>hello</body>'), NONE, 'no document beside it'],
  ['a message with known extensions only', message(`<active xmlns='http://jabber.org/protocol/chatstates'/>`), NOTHING],
  ['a message with nothing', message(''), NOTHING],
  [
    'a message of type error',
    message(
      `${order('1', { currency: 'x' })}<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`,
      "type='error'",
    ),
    NOTHING,
  ],
  ['a headline with an invalid document', message(order('1', { currency: 'x' }), "type='headline'"), NOTHING],
  ['an invalid document in a room', message(order('1', { currency: 'x' }), "type='groupchat'"), NOTHING],
  ['a chat with an invalid document', message(order('1', { currency: 'x' }), "type='chat'"), INVALID],
  [
    'an invalid document in a message of an unknown type',
    message(order('1', { currency: 'x' }), "type='letter'"),
    INVALID,
  ],
  ['a receipt that nobody asked for', message(`<received xmlns='urn:xmpp:receipts' id='{ours}.0'/>`), NOTHING],
  [
    'an event that nobody subscribed to',
    message(
      `<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'><item id='1'>${order('1')}</item></items></event>`,
    ),
    NOTHING,
  ],
  [
    'hops that are no number',
    message(`${order('1')}<via xmlns='urn:waybill:0' hops='many'/>`),
    MALFORMED,
    'its hops are no whole number',
  ],
  ['a presence', `<presence id='{id}' from='b@peer.example.test/1' to='waybill.example.test'/>`, NOTHING],
  [
    'a subscription to our presence',
    `<presence type='subscribe' id='{id}' from='b@peer.example.test' to='waybill.example.test'/>`,
    'unsubscribed',
  ],
  ['a probe', `<presence type='probe' id='{id}' from='b@peer.example.test' to='waybill.example.test'/>`, NOTHING],
]

const OPTIONS: readonly Row[] = [
  ['an expiry that is no duration', submit("expires='10m'"), MALFORMED, 'it is no ISO 8601 duration'],
  ['an expiry in months', submit("expires='P1M'"), MALFORMED, 'say it in days'],
  ['an expiry at once', submit("expires='PT0S'"), MALFORMED, 'it lasts no time at all'],
  ['an expiry in a hundred years', submit("expires='P36500D'"), MALFORMED, 'longer than ten years'],
  ['an unknown report', submit("report='always'"), MALFORMED, 'none of delivered, failed, all'],
  ['an empty key', submit("key=''"), MALFORMED, 'it is empty'],
  ['a key that is too long', submit(`key='${'k'.repeat(257)}'`), MALFORMED, 'the limit is 256'],
  ['everything wrong at once', submit("expires='soon' report='never' key=''"), MALFORMED, 'findings="3"'],
  ['no document', submit('', ''), NONE, 'its wrapper holds none'],
  [
    'a submission',
    submit('', "<submit xmlns='urn:waybill:0'/>"),
    'cancel feature-not-implemented unknown-type',
    'no type has the root {urn:waybill:0}submit',
  ],
  ['two documents', submit('', order('1') + order('2')), SEVERAL, 'it holds 2 documents'],
  [
    'a key that another document of this sender has',
    submit("key='taken'").replace('b@', 'a@'),
    'cancel conflict key-conflict',
    '{ours}',
  ],
]

const PUBLISHES: readonly Row[] = [
  ['no item', publish(''), NONE, 'it has no item'],
  [
    'many prefixes around many items',
    iq(
      `<pubsub xmlns='http://jabber.org/protocol/pubsub' xmlns:p='urn:p' ${repeat(500, (n) => `p:a${n}='' xmlns:q${n}='u' `)}><publish node='orders'>${'<item><a/></item>'.repeat(500)}</publish></pubsub>`,
    ),
    TOO_LARGE,
    'attributes on one element, the limit is 10',
  ],
  ['an item without payload', publish(`<item id='1'/>`), NONE, 'it has no payload'],
  [
    'an item with two payloads',
    publish(`<item id='1'>${order('1')}${order('2')}</item>`),
    SEVERAL,
    'it has 2 payloads',
  ],
  [
    'two items, one of them invalid',
    publish(`<item id='1'>${order('1')}</item><item id='2'>${order('2', { currency: 'x' })}</item>`),
    INVALID,
    'item="2"',
  ],
  [
    'two publishes in one request',
    publish(`<item id='1'>${order('1')}</item></publish><publish node='n'><item id='2'>${order('2')}</item>`),
    'modify bad-request',
    'there are 2 <publish/>, not one',
  ],
  ['no node', publish(`<item id='1'>${order('1')}</item>`, ''), 'modify bad-request', 'nodeid-required'],
  ['an item that was made here', publish(`<item id='{ours}'>${order('1')}</item>`), NOT_ALLOWED, 'would loop'],
  [
    'a subscription',
    iq(
      `<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='orders' jid='b@peer.example.test'/></pubsub>`,
    ),
    'cancel feature-not-implemented',
    'subscribe',
  ],
  [
    'a node to be deleted',
    iq(`<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><delete node='orders'/></pubsub>`),
    'cancel feature-not-implemented',
    'delete-nodes',
  ],
]

const SENDERS: readonly Row[] = [
  [
    'a sender of another domain',
    iq(order('1'), 'eve@other.example.test/1'),
    NOT_ALLOWED,
    'eve@other.example.test/1 may not send',
  ],
  ['the domain of allowed senders itself', iq(order('1'), 'peer.example.test'), NOT_ALLOWED],
  [
    'a sender who may not send this type',
    iq(`<order xmlns='urn:example:secret'/>`),
    NOT_ALLOWED,
    'of type secret-order',
  ],
  [
    'a stranger with a huge document, unread',
    iq(order('1', { note: 'x'.repeat(30_000) }), 'eve@other.example.test/1'),
    NOT_ALLOWED,
  ],
]

export const badStanzas: Readonly<Record<string, readonly Row[]>> = {
  XML,
  'sealed documents': SEALED,
  JSON: JSON_ROWS,
  stanzas: STANZAS,
  options: OPTIONS,
  publishes: PUBLISHES,
  senders: SENDERS,
}

/** Prosody ends these by itself, and tells nobody: its own handler of an iq fails. */
export const droppedByProsody: readonly string[] = ['an iq without a child', 'an iq without a type']

/** What a server refuses by closing the stream that it came on, so that it never reaches Waybill. */
export const closesItsStream: readonly (readonly [what: string, text: string])[] = [
  ['a tag that closes another', `<message to='waybill.example.test' from='other.example.test'><a></b></message>`],
  [
    'a prefix that is bound to nothing',
    `<message to='waybill.example.test' from='other.example.test'><p:a/></message>`,
  ],
  [
    'an entity that is not defined',
    `<message to='waybill.example.test' from='other.example.test'><body>&nbsp;</body></message>`,
  ],
  ['a control character', `<message to='waybill.example.test' from='other.example.test'><body>\u0001</body></message>`],
  ['a DOCTYPE', `<!DOCTYPE message [<!ENTITY a "ha">]><message to='waybill.example.test' from='other.example.test'/>`],
  [
    'more bytes than the server takes',
    `<message to='waybill.example.test' from='other.example.test'><body>${'x'.repeat(1_200_000)}</body></message>`,
  ],
  [
    'an address of somebody else',
    `<message to='waybill.example.test' from='peer.example.test'><body>I am another</body></message>`,
  ],
]

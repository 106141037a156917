import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Rejection } from '../../src/domain/rejection.ts'
import { isXmlText } from '../../src/domain/serialise.ts'
import { bundle, documentsFor, inBand, limits, ORDER, ORDER_XSD, stanzaOf, typeOf } from './given.ts'

/** What a sender can do wrong, each with its answer; after each of them the next document passes. */

const order = typeOf('order', { schema: bundle('xsd', { 'order.xsd': ORDER_XSD }) })
const twice = [1, 2].map((n) =>
  typeOf(`twice-${n}`, { identify: { xml: { root: 'twice', where: `/twice/@n >= ${n}` } } }),
)
const documents = await documentsFor([order, ...twice])

const base64 = (content: string | Uint8Array) => Buffer.from(content).toString('base64')
const data = (content: string | Uint8Array, attributes = "type='application/xml'") =>
  `<data xmlns='urn:xmpp:bob' ${attributes}>${base64(content)}</data>`
const raw = (text: string, attributes = "type='application/xml'") =>
  `<data xmlns='urn:xmpp:bob' ${attributes}>${text}</data>`
const json = (text: string) =>
  `<json xmlns='urn:xmpp:json:0'>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</json>`
const sealedJson = (content: string | Uint8Array) => data(content, "type='application/json'")
const cid = (algorithm: string, of: string) =>
  `type='application/xml' cid='${algorithm}+${createHash('sha256').update(of).digest('hex')}@bob.xmpp.org'`
const laughs = `<!DOCTYPE a [<!ENTITY a "ha">${Array.from({ length: 10 }, (_, at) => `<!ENTITY a${at} "${`&a${at || ''};`.repeat(10)}">`).join('')}]><a>&a9;</a>`
const wide = (count: number) => Array.from({ length: count }, (_, at) => `a${at}="1"`).join(' ')
const declared = (count: number) => Array.from({ length: count }, (_, at) => `xmlns:p${at}="urn:p"`).join(' ')
const utf16 = (text: string) => Buffer.from(text, 'utf16le')

type Row = readonly [what: string, document: string, kind: Rejection['kind'], text: string | RegExp]

const XML_ROWS: readonly Row[] = [
  ['nothing', raw(''), 'malformed', 'it is empty'],
  ['white space', raw(' \n '), 'malformed', 'it is empty'],
  ['an empty document', data(' '), 'malformed', 'document must contain a root element'],
  ['text', data('hello'), 'malformed', 'text data outside of root node'],
  ['a truncated document', data('<order xmlns="urn:order"><id>'), 'malformed', 'unclosed tag: id (line 1, column 29)'],
  ['a truncated tag', data('<order xmlns="urn:or'), 'malformed', 'Cannot read the XML'],
  ['a truncated character', data(Buffer.from('<a>€').subarray(0, 5)), 'malformed', 'the bytes are not UTF-8'],
  ['crossed tags', data('<a><b></a></b>'), 'malformed', 'Cannot read the XML'],
  ['two roots', data('<a/><b/>'), 'malformed', 'Cannot read the XML'],
  ['an attribute twice', data('<a b="1" b="2"/>'), 'malformed', 'duplicate attribute'],
  [
    'an attribute twice by namespace',
    data('<a xmlns:p="urn:x" xmlns:q="urn:x" p:b="1" q:b="2"/>'),
    'malformed',
    'duplicate attribute',
  ],
  ['an unbound prefix', data('<p:a/>'), 'malformed', 'unbound namespace prefix'],
  ['an undefined entity', data('<a>&nbsp;</a>'), 'malformed', 'undefined entity'],
  ['a bare ampersand', data('<a>R&D</a>'), 'malformed', 'Cannot read the XML'],
  ['a less-than in an attribute', data('<a b="<"/>'), 'malformed', 'Cannot read the XML'],
  ['a NUL', data('<a>\0</a>'), 'malformed', 'disallowed character'],
  ['a control character', data('<a>\u0001</a>'), 'malformed', 'disallowed character'],
  ['a reference to a control character', data('<a>&#1;</a>'), 'malformed', 'Cannot read the XML'],
  [
    'half of a surrogate pair',
    data(Buffer.from([0x3c, 0x61, 0x3e, 0xed, 0xa0, 0x80, 0x3c, 0x2f, 0x61, 0x3e])),
    'malformed',
    'the bytes are not UTF-8',
  ],
  ['a reference to half of a surrogate pair', data('<a>&#xD800;</a>'), 'malformed', 'Cannot read the XML'],
  ['"--" in a comment', data('<a><!-- a -- b --></a>'), 'malformed', 'Cannot read the XML'],
  ['a declaration behind the root', data('<a/><?xml version="1.0"?>'), 'malformed', 'Cannot read the XML'],
  ['XML 1.1', data('<?xml version="1.1"?><a/>'), 'malformed', 'its version is 1.1'],
  [
    'bytes that are not UTF-8',
    data(Buffer.from([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e])),
    'malformed',
    'the bytes are not UTF-8',
  ],
  ['Latin-1 that says nothing', data(Buffer.from('<a>é</a>', 'latin1')), 'malformed', 'the bytes are not UTF-8'],
  [
    'an encoding that is not understood',
    data('<?xml version="1.0" encoding="windows-1252"?><a/>'),
    'malformed',
    'its encoding is windows-1252',
  ],
  ['UTF-16 without its mark', data(utf16('<a/>')), 'malformed', 'UTF-16 without a byte order mark'],
  ['UTF-16 that is UTF-8', data('<?xml version="1.0" encoding="UTF-16"?><a/>'), 'malformed', 'its encoding is utf-16'],
  [
    'UTF-16 that says UTF-8',
    data(utf16('\ufeff<?xml version="1.0" encoding="UTF-8"?><a/>')),
    'malformed',
    'byte order mark says utf-16le',
  ],
  ['UTF-32', data(Buffer.from([0xff, 0xfe, 0, 0, 0x3c, 0, 0, 0])), 'malformed', 'UTF-32 is not understood'],
  [
    'ASCII with other bytes',
    data(Buffer.from('<?xml version="1.0" encoding="US-ASCII"?><a>é</a>')),
    'malformed',
    'US-ASCII',
  ],
  [
    'a charset that is another',
    data('<a/>', "type='text/xml; charset=iso-8859-1'"),
    'malformed',
    'charset=iso-8859-1, the document is utf-8',
  ],
  ['a DOCTYPE', data('<!DOCTYPE order><order xmlns="urn:order"/>'), 'forbidden-xml', 'a DOCTYPE is not allowed'],
  [
    'an external DOCTYPE',
    data('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>'),
    'forbidden-xml',
    'a DOCTYPE is not allowed',
  ],
  [
    'an external entity',
    data('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'),
    'forbidden-xml',
    'a DOCTYPE is not allowed',
  ],
  ['a billion laughs', data(laughs), 'forbidden-xml', 'a DOCTYPE is not allowed'],
  ['too many bytes', data(`<a>${'x'.repeat(20_000)}</a>`), 'too-large', '20007 bytes, the limit is 20000'],
  ['too much base64, not looked into', raw('!'.repeat(30_000)), 'too-large', '22500 bytes, the limit is 20000'],
  ['too deep', data('<a>'.repeat(13) + '</a>'.repeat(13)), 'too-deep', 'it is deeper than 12 levels'],
  ['far too deep', data('<a>'.repeat(2_800) + '</a>'.repeat(2_800)), 'too-deep', 'it is deeper than 12 levels'],
  ['too many attributes', data(`<a ${wide(11)}/>`), 'too-large', '11 attributes on one element, the limit is 10'],
  ['too long a name', data(`<${'a'.repeat(65)}/>`), 'too-large', '65 characters in a name, the limit is 64'],
  ['too long an attribute’s name', data(`<a ${'b'.repeat(65)}="1"/>`), 'too-large', '65 characters in a name'],
]

const CARRIAGE_ROWS: readonly Row[] = [
  ['no type', raw(base64('<a/>'), ''), 'malformed', 'it has no type attribute'],
  ['a type that is none', raw(base64('<a/>'), "type='xml'"), 'malformed', 'its type is "xml", which is no media type'],
  ['an empty type', raw(base64('<a/>'), "type=''"), 'malformed', 'which is no media type'],
  [
    'the type of JSON on XML',
    data('<a/>', "type='application/json'"),
    'malformed',
    '"<" stands where a value should be',
  ],
  ['the type of XML on JSON', data('{"a":1}'), 'malformed', 'Cannot read the XML'],
  ['base64 with other characters', raw('AAA*'), 'malformed', 'it is no base64'],
  ['base64 of the wrong length', raw('AAAAA'), 'malformed', 'it is no base64'],
  ['base64 with padding inside', raw('AA==AAAA'), 'malformed', 'it is no base64'],
  ['base64 for addresses', raw('__--'), 'malformed', 'it is no base64'],
  ['base64 with bits behind its end', raw('QR=='), 'malformed', 'bits are set behind its last byte'],
  ['elements instead of base64', raw('<a/>'), 'malformed', 'it holds elements, not base64'],
  [
    'a cid of other bytes',
    data('<a/>', cid('sha256', '<b/>')),
    'malformed',
    /its cid says sha256 [0-9a-f]{64}, the bytes have/,
  ],
  ['a cid of another algorithm', data('<a/>', cid('md5', '<a/>')), 'malformed', 'sha256+HEX@bob.xmpp.org are known'],
  ['a cid that is none', data('<a/>', "type='text/xml' cid='42'"), 'malformed', 'its cid is "42"'],
  [
    'a payload of XEP-0432 without JSON',
    "<payload xmlns='urn:xmpp:json-msg:0' datatype='d'/>",
    'malformed',
    'holds one <json/>',
  ],
  [
    'a payload of XEP-0432 with JSON in its own namespace',
    "<payload xmlns='urn:xmpp:json-msg:0' datatype='d'><json>{}</json></payload>",
    'malformed',
    'holds one <json/> of urn:xmpp:json:0',
  ],
  [
    'a payload of XEP-0432 without datatype',
    `<payload xmlns='urn:xmpp:json-msg:0'>${json('{}')}</payload>`,
    'malformed',
    'has a datatype',
  ],
  ['elements in JSON', "<json xmlns='urn:xmpp:json:0'><a/></json>", 'malformed', 'holds text only'],
]

const JSON_ROWS: readonly Row[] = [
  ['no JSON', json(''), 'malformed', 'the text ends where a value should be (line 1, column 1)'],
  ['truncated JSON', json('{"a":[1,'), 'malformed', 'the text ends where a value should be (line 1, column 9)'],
  ['a truncated string', json('{"a":"b'), 'malformed', 'a string is not closed'],
  ['a comma too many', json('{"a":1,}'), 'malformed', '"}" stands where a key in quotes should be'],
  ['a comma too many in an array', json('[1,]'), 'malformed', '"]" stands where a value should be'],
  ['no comma', json('{"a":1 "b":2}'), 'malformed', '"\\"" stands where , or } should be'],
  ['two values', json('{} {}'), 'malformed', '"{" stands where the end should be'],
  ['a comment', json('{/* */}'), 'malformed', '"/" stands'],
  ['single quotes', json("{'a':1}"), 'malformed', '"\'" stands'],
  ['NaN', json('[NaN]'), 'malformed', '"N" stands where a value'],
  ['a number with a leading zero', json('[01]'), 'malformed', '"1" stands where , or ] should be'],
  ['a number beyond a double', json('{"a":1e999}'), 'malformed', 'the number 1e999 is beyond'],
  [
    'a key twice',
    json('{"a":1,\n "b":2, "a":3}'),
    'malformed',
    'the key "a" stands twice in one object (line 2, column 9)',
  ],
  ['a key twice in two ways of writing', json('{"a":1,"\\u0061":2}'), 'malformed', 'stands twice'],
  ['half of a surrogate pair', json('{"a":"\\ud83d"}'), 'malformed', 'half of a surrogate pair'],
  ['half of a surrogate pair in a key', json('{"\\ude00":1}'), 'malformed', 'half of a surrogate pair'],
  ['a wrong escape', json('{"a":"\\x"}'), 'malformed', 'a wrong escape'],
  ['a raw control character', sealedJson('["\u0001"]'), 'malformed', 'a control character'],
  ['a NUL', sealedJson('\0'), 'malformed', 'stands where a value should be'],
  ['UTF-16', sealedJson(utf16('\ufeff{}')), 'malformed', 'it is not UTF-8'],
  ['bytes that are not UTF-8', sealedJson(Buffer.from([0x22, 0xff, 0x22])), 'malformed', 'the bytes are not UTF-8'],
  ['too deep', json('['.repeat(13) + ']'.repeat(13)), 'too-deep', 'it is deeper than 12 levels'],
  ['far too deep', sealedJson('['.repeat(15_000)), 'too-deep', 'it is deeper than 12 levels'],
  ['too deep in objects', json(`${'{"a":'.repeat(13)}1${'}'.repeat(13)}`), 'too-deep', 'it is deeper than 12 levels'],
  ['too long a key', json(`{"${'k'.repeat(65)}":1}`), 'too-large', '65 characters in a name, the limit is 64'],
  ['too many bytes', json(`"${'x'.repeat(20_000)}"`), 'too-large', '20002 bytes, the limit is 20000'],
  ['too many bytes in few characters', json(`"${'€'.repeat(7_000)}"`), 'too-large', '21002 bytes'],
]

const ELEMENT_ROWS: readonly Row[] = [
  ['too many bytes', `<a xmlns='urn:a'>${'x'.repeat(20_000)}</a>`, 'too-large', 'bytes, the limit is 20000'],
  ['too many bytes in few characters', `<a xmlns='urn:a'>${'€'.repeat(7_000)}</a>`, 'too-large', '21021 bytes'],
  [
    'too deep',
    `<a xmlns='urn:a'>${'<b>'.repeat(12)}${'</b>'.repeat(12)}</a>`,
    'too-deep',
    'it is deeper than 12 levels',
  ],
  ['too many attributes', `<a xmlns='urn:a' ${wide(10)}/>`, 'too-large', '11 attributes on one element'],
  ['too many declarations', `<a xmlns='urn:a'><b ${declared(11)}/></a>`, 'too-large', '11 attributes on one element'],
  ['too long a name', `<a xmlns='urn:a'><${'b'.repeat(65)}/></a>`, 'too-large', '65 characters in a name'],
  [
    'too long a prefixed name',
    `<${'p'.repeat(40)}:${'b'.repeat(40)} xmlns:${'p'.repeat(40)}='urn:a'/>`,
    'too-large',
    '81 characters in a name',
  ],
]

describe.each([
  ['sealed XML', XML_ROWS],
  ['the carriage', CARRIAGE_ROWS],
  ['JSON', JSON_ROWS],
  ['an element', ELEMENT_ROWS],
])('extraction rejects in %s', (_, rows) => {
  it.each(rows)('%s', (_what, document, kind, text) => {
    const extraction = documents.extract(stanzaOf(`<iq id='1'>${document}</iq>`))
    if (extraction.kind !== 'rejected') throw new Error(`It was ${extraction.kind}`)
    const { rejection } = extraction
    expect(rejection.kind).toBe(kind)
    expect(rejection.text).toMatch(text)
    expect(rejection.text).toMatch(/^Cannot /)
    expect(rejection.findings).toMatchObject([{ severity: 'error', message: expect.any(String) }])
    expect(JSON.stringify(rejection).length).toBeLessThan(1_500)
    isFitForStanzas(rejection)
    nextPasses()
  })
})

describe('identification rejects', () => {
  it.each([
    ['an unknown type', '<what/>', 'unknown-type'],
    ['a wrong namespace', '<order xmlns="urn:ordre"/>', 'unknown-type'],
    ['no namespace', '<order/>', 'unknown-type'],
    ['two types', '<twice n="2"/>', 'ambiguous-type'],
    ['JSON that nobody knows', json('{}'), 'unknown-type'],
  ])('%s', (_, xml, kind) => {
    const identified = documents.identify(inBand(documents, xml))
    expect(identified).toMatchObject({
      kind: 'rejected',
      rejection: { kind, text: expect.stringMatching(/^Cannot tell/) },
    })
    nextPasses()
  })
})

describe('validation finds', () => {
  it.each([
    ['an empty root', '<order xmlns="urn:order"/>'],
    ['another content', '<order xmlns="urn:order" currency="EUR"><x/></order>'],
    ['a very long value', ORDER.replace('>3<', `>${'9'.repeat(5_000)}x<`)],
    ['quotes and brackets in values', ORDER.replace('EUR', "E'{U}'&lt;R")],
    [
      'a wrong xsi:type',
      ORDER.replace('<id>', '<id xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="gone">'),
    ],
    [
      'a schemaLocation, which is not followed',
      ORDER.replace(
        '<order',
        '<order xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:order file:///etc/passwd"',
      ).replace('>3<', '>x<'),
    ],
    [
      'many wrong elements',
      `<order xmlns="urn:order" currency="EUR"><id/>${'<line><quantity>x</quantity></line>'.repeat(400)}</order>`,
    ],
  ])('%s', (_, xml) => {
    const { findings, fields } = documents.validate(inBand(documents, xml), order)
    expect(findings.length).toBeGreaterThan(0)
    expect(fields).toEqual({})
    for (const { message, value = '' } of findings) expect(message.length + value.length).toBeLessThan(600)
    nextPasses()
  })
})

/** What is told must be text that XML can hold: one other character would close the stream. */
function isFitForStanzas({ text, findings }: Rejection): void {
  for (const said of [text, ...findings.flatMap(({ message, path, value = '' }) => [message, path, value])]) {
    expect(isXmlText(said)).toBe(true)
  }
}

function nextPasses(): void {
  const document = inBand(documents, ORDER)
  expect(documents.identify(document)).toMatchObject({ kind: 'type', type: { name: 'order' } })
  expect(documents.validate(document, order).findings).toEqual([])
}

it('limits are met exactly', () => {
  const inLimits = [
    data(`<a>${'x'.repeat(limits.documentBytes - 7)}</a>`),
    data('<a>'.repeat(12) + '</a>'.repeat(12)),
    data(`<a ${wide(10)}/>`),
    data(`<${'a'.repeat(64)}/>`),
    json('['.repeat(12) + ']'.repeat(12)),
    json(`"${'x'.repeat(limits.documentBytes - 2)}"`),
    `<a xmlns='urn:a' ${wide(9)}><b ${declared(9)} c="1"/></a>`,
    `<a xmlns='urn:a'>${'<b>'.repeat(11)}${'</b>'.repeat(11)}</a>`,
  ]
  expect(inLimits.map((document) => documents.extract(stanzaOf(`<iq>${document}</iq>`)).kind)).toEqual(
    inLimits.map(() => 'submissions'),
  )
})

it('what is told of JSON can stand in a stanza, whatever the JSON holds', async () => {
  const schema = bundle('json', {
    'r.json':
      '{"properties":{"a":{"maxLength":1}},"patternProperties":{"^x":{"type":"number"}},"required":["a"],"additionalProperties":false}',
  })
  const reading = typeOf('reading', {
    identify: { json: { match: { '/kind': 1 } } },
    schema,
    fields: { n: { pointer: '/a', as: 'number' } },
  })
  const only = await documentsFor([reading])
  const document = inBand(
    only,
    json(String.raw`{"kind":1,"a":"\u0001\uffff😀${'x'.repeat(75)}😀","x\u0002\uffff":"\u0000","\u0003":1}`),
  )
  const { findings } = only.validate(document, reading)
  expect(findings.map(({ rule }) => rule).sort()).toEqual([
    'additionalProperties',
    'additionalProperties',
    'maxLength',
    'type',
  ])
  isFitForStanzas({ kind: 'invalid', text: '', findings })
})

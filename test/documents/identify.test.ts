import { describe, expect, it } from 'vitest'
import { compileDocuments } from '../../src/documents/documents.ts'
import type { DocumentType, Identify } from '../../src/domain/document-type.ts'
import { bundle, documentsFor, inBand, limits, sealed, typeOf } from './given.ts'

const identifiedBy = (
  name: string,
  identify: Identify,
  namespaces: Readonly<Record<string, string>> = {},
): DocumentType => typeOf(name, { identify, namespaces })

const types = [
  identifiedBy('order', { xml: { root: '{urn:o}order' } }),
  identifiedBy('invoice-20', { xml: { root: '{urn:i}invoice', where: "/i:invoice/@version = '2.0'" } }, { i: 'urn:i' }),
  identifiedBy(
    'invoice-21',
    { xml: { root: '{urn:i}invoice', where: "starts-with(/i:invoice/@version, '2.1')" } },
    { i: 'urn:i' },
  ),
  identifiedBy('invoice-new', { xml: { root: '{urn:i}invoice', where: '/i:invoice/@version > 2.05' } }, { i: 'urn:i' }),
  identifiedBy('plain', { xml: { root: 'plain' } }),
  identifiedBy('reading', { json: { datatype: 'urn:reading' } }),
  identifiedBy('alarm', { json: { match: { '/kind': 'alarm', '/a~1b/0': 1 } } }),
  identifiedBy('alarm-test', { json: { match: { '/kind': 'alarm', '/test': true } } }),
  identifiedBy('picture', { mediaType: 'image/PNG' }),
]
const documents = await documentsFor(types)
const json = (text: string) => `<json xmlns='urn:xmpp:json:0'><![CDATA[${text}]]></json>`
const message = (datatype: string) =>
  `<payload xmlns='urn:xmpp:json-msg:0' datatype='${datatype}'>${json('{}')}</payload>`

describe('a document is known by', () => {
  it.each([
    ['its root', "<order xmlns='urn:o'/>", 'order'],
    ['its root under any prefix', "<x:order xmlns:x='urn:o'/>", 'order'],
    ['a root without namespace', '<plain/>', 'plain'],
    ['its root and a condition', "<invoice xmlns='urn:i' version='2.0'/>", 'invoice-20'],
    ['its root and another condition', "<invoice xmlns='urn:i' version='3'/>", 'invoice-new'],
    ['its datatype', message('urn:reading'), 'reading'],
    ['values at its pointers', json('{"kind":"alarm","a/b":[1]}'), 'alarm'],
  ])('%s', (_, xml, type) => {
    const identified = documents.identify(inBand(documents, xml))
    expect(identified).toMatchObject({ kind: 'type', type: { name: type } })
  })

  it('its media type, where it is opaque', () => {
    expect(documents.identify(sealed(documents, 'x', 'image/png'))).toMatchObject({
      kind: 'type',
      type: { name: 'picture' },
    })
    expect(documents.identify(sealed(documents, 'x', 'image/gif'))).toEqual({ kind: 'opaque' })
  })
})

describe('a document that is not known is rejected with what comes near', () => {
  it.each([
    [
      'another namespace',
      "<order xmlns='urn:p'/>",
      'unknown-type',
      'no type has the root {urn:p}order; order has the same name in the namespace urn:o',
    ],
    [
      'no namespace',
      '<order/>',
      'unknown-type',
      'no type has the root order; order has the same name in the namespace urn:o',
    ],
    ['a namespace where none is', "<plain xmlns='urn:o'/>", 'unknown-type', 'plain has the same name in no namespace'],
    ['a misspelt name', "<ordr xmlns='urn:o'/>", 'unknown-type', 'the nearest known is {urn:o}order (order)'],
    ['nothing near', "<weather xmlns='urn:w'/>", 'unknown-type', 'no type has the root {urn:w}weather'],
    [
      'conditions that don’t hold',
      "<invoice xmlns='urn:i' version='1'/>",
      'unknown-type',
      "it doesn't meet the conditions of invoice-20, invoice-21, invoice-new",
    ],
    ['two types', "<invoice xmlns='urn:i' version='2.1'/>", 'ambiguous-type', 'it is invoice-21, invoice-new at once'],
    [
      'two JSON types',
      json('{"kind":"alarm","test":true,"a/b":[1]}'),
      'ambiguous-type',
      'it is alarm, alarm-test at once',
    ],
    ['another datatype', message('urn:other'), 'unknown-type', 'no type matches the JSON (datatype urn:other)'],
    ['JSON like none', json('{"kind":"Alarm"}'), 'unknown-type', 'no type matches the JSON'],
    ['a value of another type', json('{"kind":"alarm","test":"true"}'), 'unknown-type', 'no type matches the JSON'],
    ['JSON that is no object', json('[]'), 'unknown-type', 'no type matches the JSON'],
    ['an inherited property', json('{"kind":{}}'), 'unknown-type', 'no type matches the JSON'],
  ])('%s', (_, xml, kind, text) => {
    const identified = documents.identify(inBand(documents, xml))
    expect(identified).toMatchObject({ kind: 'rejected', rejection: { kind, text: expect.stringContaining(text) } })
  })
})

describe('types that can’t be told apart are problems when they are loaded', () => {
  const xml = (name: string, where?: string) =>
    identifiedBy(name, { xml: { root: '{urn:o}order', ...(where === undefined ? {} : { where }) } }, { o: 'urn:o' })
  const byJson = (name: string, identify: Identify['json']) => identifiedBy(name, { json: identify! })

  it.each<[string, DocumentType[], string, string]>([
    ['the same root', [xml('a'), xml('b')], 'identify', 'Cannot tell b from a: both take the root {urn:o}order'],
    ['a root with and without condition', [xml('a', '/o:order'), xml('b')], 'identify', 'Cannot tell b from a'],
    ['a root without and with condition', [xml('a'), xml('b', '/o:order')], 'identify', 'Cannot tell b from a'],
    ['the same condition', [xml('a', '/o:order'), xml('b', '/o:order')], 'identify', 'Cannot tell b from a'],
    [
      'the same datatype',
      [byJson('a', { datatype: 'd' }), byJson('b', { datatype: 'd' })],
      'identify',
      'identifies the other too',
    ],
    [
      'a match within another',
      [byJson('a', { match: { '/k': 1 } }), byJson('b', { datatype: 'd', match: { '/k': 1, '/l': 2 } })],
      'identify',
      'identifies the other too',
    ],
    [
      'the same media type',
      [identifiedBy('a', { mediaType: 'image/png' }), identifiedBy('b', { mediaType: 'IMAGE/png' })],
      'identify',
      'both take image/png',
    ],
  ])('%s', async (_, given, path, message) => {
    const { documents: compiled, problems } = await compileDocuments(given, limits)
    compiled.dispose()
    expect(problems.map((problem) => [problem.type, problem.path.join('.')])).toEqual([['b', path]])
    expect(problems[0]?.message).toContain(message)
  })

  it.each<[string, DocumentType[]]>([
    ['two conditions', [xml('a', "/o:order/@v = '1'"), xml('b', "/o:order/@v = '2'")]],
    ['two datatypes', [byJson('a', { datatype: 'd' }), byJson('b', { datatype: 'e' })]],
    ['values that exclude each other', [byJson('a', { match: { '/k': 1 } }), byJson('b', { match: { '/k': 2 } })]],
  ])('%s are none', async (_, given) => {
    expect((await compileDocuments(given, limits)).problems).toEqual([])
  })
})

describe('what identifies nothing is a problem', () => {
  it.each<[string, Identify, string]>([
    ['nothing', {}, 'identify'],
    ['two at once', { xml: { root: 'a' }, mediaType: 'image/png' }, 'identify'],
    ['an empty JSON rule', { json: {} }, 'identify.json'],
    ['a root that is no name', { xml: { root: '{urn:a}b c' } }, 'identify.xml.root'],
    ['a prefixed root', { xml: { root: 'a:b' } }, 'identify.xml.root'],
    ['an undeclared prefix', { xml: { root: 'a', where: '/q:a' } }, 'identify.xml.where'],
    ['a pointer that is none', { json: { match: { kind: 'a' } } }, 'identify.json.match.kind'],
    ['the media type of XML', { mediaType: 'application/atom+xml' }, 'identify.mediaType'],
    ['the media type of JSON', { mediaType: 'application/json' }, 'identify.mediaType'],
    ['no media type', { mediaType: 'png' }, 'identify.mediaType'],
  ])('%s', async (_, identify, path) => {
    const { problems } = await compileDocuments([identifiedBy('a', identify)], limits)
    expect(problems.map((problem) => problem.path.join('.'))).toEqual([path])
  })
})

// --------------------------------------------------------------------------------------- discriminators and versions

const UBL = {
  i: 'urn:oasis:names:specification:ubl:schema:xsd:Invoice-2',
  cbc: 'urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2',
}
const SOAP = 'http://www.w3.org/2003/05/soap-envelope'
const invoice = (match: Readonly<Record<string, readonly string[]>> | undefined): Identify => ({
  xml: { root: `{${UBL.i}}Invoice`, ...(match && { match }) },
})
const VERSION_ID = '/i:Invoice/cbc:UBLVersionID'
const CUSTOMIZATION = '/i:Invoice/cbc:CustomizationID'
const ublInvoice = (parts: Readonly<Record<string, string>>) => {
  const inner = Object.entries(parts).map(([name, text]) => `<${name} xmlns='${UBL.cbc}'>${text}</${name}>`)
  return `<Invoice xmlns='${UBL.i}'>${inner.join('')}</Invoice>`
}
const soap = (body: string) =>
  `<e:Envelope xmlns:e='${SOAP}'><e:Header><order xmlns='urn:o'/></e:Header><e:Body>${body}</e:Body></e:Envelope>`

describe('types that share a root are told apart by', () => {
  const ubl = (version: string, match: Readonly<Record<string, readonly string[]>>, deprecated?: string) =>
    typeOf('invoice', { version, deprecated, identify: invoice(match), namespaces: UBL })
  const german = typeOf('invoice-de', {
    families: ['invoice'],
    identify: invoice({ [CUSTOMIZATION]: ['urn:xrechnung', 'urn:xrechnung:extension'] }),
    namespaces: UBL,
  })
  const request = (name: string, body: string) =>
    typeOf(name, { identify: { xml: { root: `{${SOAP}}Envelope`, body: `{urn:o}${body}` } } })
  const told = [
    ubl('2.0', { [VERSION_ID]: ['2.0'] }, 'until summer'),
    ubl('2.1', { [VERSION_ID]: ['2.1', '2.1.1'] }),
    german,
    request('soap-order', 'order'),
    request('soap-cancel', 'cancel'),
  ]

  it.each([
    ['a value, one way', ublInvoice({ UBLVersionID: '2.0' }), 'invoice', '2.0'],
    ['a value, the other way', ublInvoice({ UBLVersionID: ' 2.1 ' }), 'invoice', '2.1'],
    ['one of several values', ublInvoice({ UBLVersionID: '2.1.1' }), 'invoice', '2.1'],
    ['being within a family', ublInvoice({ UBLVersionID: '2.1', CustomizationID: 'urn:xrechnung' }), 'invoice-de', ''],
    ['the body of an envelope', soap("<x:order xmlns:x='urn:o'/>"), 'soap-order', ''],
    ['the first element of the body', soap("<cancel xmlns='urn:o'/><order xmlns='urn:o'/>"), 'soap-cancel', ''],
  ])('%s', async (_, xml, name, version) => {
    const some = await documentsFor(told)
    expect(some.identify(inBand(some, xml))).toMatchObject({ kind: 'type', type: { name, version } })
    some.dispose()
  })

  it.each([
    ['no such value', ublInvoice({ UBLVersionID: '2.2' }), "doesn't meet the conditions of invoice, invoice-de"],
    ['an empty body', soap(''), "doesn't meet the conditions of soap-order, soap-cancel"],
    [
      'a body of another type',
      soap("<order xmlns='urn:p'/>"),
      "doesn't meet the conditions of soap-order, soap-cancel",
    ],
  ])('%s is none of them', async (_, xml, text) => {
    const some = await documentsFor(told)
    const rejection = { kind: 'unknown-type', text: expect.stringContaining(text) }
    expect(some.identify(inBand(some, xml))).toMatchObject({ kind: 'rejected', rejection })
    some.dispose()
  })
})

describe('the version of a document', () => {
  const of = (version: string, how: Identify, deprecated?: string) =>
    typeOf('order', { version, deprecated, identify: how, namespaces: { o: 'urn:o' } })
  const plain: Identify = { xml: { root: '{urn:o}order' } }
  const showing = (version: string): Identify => ({
    xml: { root: '{urn:o}order', match: { '/o:order/@v': [version] } },
  })

  it.each<[string, DocumentType[], string, string | undefined, string]>([
    ['is what the sender says', [of('1', plain), of('2', plain), of('3', plain)], '', '2', '2'],
    ['is the newest, where nobody says', [of('1', plain), of('10', plain), of('9', plain)], '', undefined, '10'],
    ['is not a deprecated one, where nobody says', [of('1', plain), of('2', plain, 'gone soon')], '', undefined, '1'],
    ['is what the document shows', [of('1', showing('1')), of('2', plain)], " v='1'", undefined, '1'],
    [
      'is what the sender says, where the document shows more',
      [of('1', showing('1')), of('2', plain)],
      " v='1'",
      '2',
      '2',
    ],
    ['is the newest, where the document shows nothing', [of('1', showing('1')), of('2', plain)], '', undefined, '2'],
  ])('%s', async (_, types, attribute, said, expected) => {
    const some = await documentsFor(types)
    const document = inBand(some, `<order xmlns='urn:o'${attribute}/>`)
    expect(some.identify(document, said)).toMatchObject({ kind: 'type', type: { version: expected } })
    some.dispose()
  })

  it.each<[string, DocumentType[], string]>([
    ['nobody knows', [of('1', plain), of('2', plain)], 'what it holds is of 1, 2'],
    ['the document shows otherwise', [of('1', showing('1')), of('3', showing('3'))], 'what it holds is of 1'],
    ['the type has none', [typeOf('order', { identify: plain })], 'as version 3 of order: the type has no versions'],
  ])('is refused where %s', async (_, types, text) => {
    const some = await documentsFor(types)
    const rejection = { kind: 'unknown-type', text: expect.stringContaining(text) }
    expect(some.identify(inBand(some, "<order xmlns='urn:o' v='1'/>"), '3')).toMatchObject({ rejection })
    some.dispose()
  })

  it('is checked by the schema of that version alone', async () => {
    const schema = (text: string) =>
      bundle('xsd', {
        'order.xsd': `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:o"><xs:element name="order"><xs:complexType><xs:attribute name="${text}" use="required"/></xs:complexType></xs:element></xs:schema>`,
      })
    const types = [
      typeOf('order', { version: '1', identify: plain, namespaces: {}, schema: schema('a') }),
      typeOf('order', { version: '2', identify: plain, namespaces: {}, schema: schema('b') }),
    ]
    const some = await documentsFor(types)
    const document = inBand(some, "<order xmlns='urn:o' a='1'/>")
    expect(some.validate(document, types[0]!).findings).toEqual([])
    expect(some.validate(document, types[1]!).findings).not.toEqual([])
    some.dispose()
  })
})

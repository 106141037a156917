import { describe, expect, it } from 'vitest'
import { compileDocuments } from '../../src/documents/documents.ts'
import type { DocumentType, Identify } from '../../src/domain/document-type.ts'
import { documentsFor, inBand, limits, sealed, typeOf } from './given.ts'

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
    [
      'the same root',
      [xml('a'), xml('b')],
      'identify.xml.root',
      'Cannot tell b from a: both have the root {urn:o}order',
    ],
    [
      'a root with and without condition',
      [xml('a', '/o:order'), xml('b')],
      'identify.xml.root',
      'Cannot tell b from a',
    ],
    [
      'a root without and with condition',
      [xml('a'), xml('b', '/o:order')],
      'identify.xml.root',
      'Cannot tell b from a',
    ],
    ['the same condition', [xml('a', '/o:order'), xml('b', '/o:order')], 'identify.xml.root', 'Cannot tell b from a'],
    [
      'the same datatype',
      [byJson('a', { datatype: 'd' }), byJson('b', { datatype: 'd' })],
      'identify.json',
      'always matches the other',
    ],
    [
      'a match within another',
      [byJson('a', { match: { '/k': 1 } }), byJson('b', { datatype: 'd', match: { '/k': 1, '/l': 2 } })],
      'identify.json',
      'always matches the other',
    ],
    [
      'the same media type',
      [identifiedBy('a', { mediaType: 'image/png' }), identifiedBy('b', { mediaType: 'IMAGE/png' })],
      'identify.mediaType',
      'both are IMAGE/png',
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

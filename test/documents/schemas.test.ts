import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compileDocuments } from '../../src/documents/documents.ts'
import type { SchemaLayer } from '../../src/domain/document-type.ts'
import { processorMs } from '../processor.ts'
import { bundle, inBand, limits, ORDER, ORDER_XSD, typeOf } from './given.ts'

const XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
const RNG = 'xmlns="http://relaxng.org/ns/structure/1.0"'

/** Problems of one type, with places told by file name. */
async function problemsOf(schema: SchemaLayer) {
  const identify = schema.language === 'json' ? { json: { datatype: 'd' } } : { xml: { root: '{urn:order}order' } }
  const { documents, problems } = await compileDocuments([typeOf('order', { identify, schema })], limits)
  documents.dispose()
  return problems.map(({ at, message, path, severity }) => {
    return { at: at?.replace(`${schema.folder}/`, ''), message, path: path.join('.'), severity }
  })
}

describe('a schema in XML that can’t be used is a problem, never valid', () => {
  const xsd = (content: string) =>
    `<xs:schema ${XS} targetNamespace="urn:order">\n${content}\n<xs:element name="order"/></xs:schema>`
  const rng = (content: string) =>
    `<grammar ${RNG}>\n${content}\n<start><element name="order" ns="urn:order"><text/></element></start></grammar>`

  it.each<[string, 'xsd' | 'rng', string, string, string]>([
    ['an empty file', 'xsd', '', 'the file is empty', 'main:1:1'],
    ['a blank file', 'xsd', ' \n\t', 'the file is empty', 'main:1:1'],
    ['a blank RELAX NG file', 'rng', '\n', 'the file is empty', 'main:1:1'],
    ['no XML', 'xsd', 'hello', 'Start tag expected', 'main:1:1'],
    ['truncated XML', 'xsd', `<xs:schema ${XS}>\n<xs:element`, '', 'main:2'],
    ['another vocabulary', 'xsd', '<schema/>', 'is not a schema document', 'main:1:1'],
    ['a schema without declarations', 'xsd', `<xs:schema ${XS}/>`, 'declares no element {urn:order}order', 'main:1:1'],
    [
      'a schema of another namespace',
      'xsd',
      `<xs:schema ${XS} targetNamespace="urn:other"><xs:element name="order"/></xs:schema>`,
      'declares no element {urn:order}order',
      'main:1:1',
    ],
    [
      'a type that nobody defined',
      'xsd',
      xsd('<xs:element name="x" type="gone"/>'),
      'components in no namespace are not allowed',
      'main:2:1',
    ],
    [
      'a wrong pattern',
      'xsd',
      xsd(
        '<xs:simpleType name="t"><xs:restriction base="xs:string"><xs:pattern value="["/></xs:restriction></xs:simpleType>',
      ),
      'pattern',
      'main:2:1',
    ],
    ['a grammar without start', 'rng', `<grammar ${RNG}/>`, 'grammar has no children', 'main:1:1'],
    [
      'an undefined reference',
      'rng',
      `<grammar ${RNG}><start><ref name="gone"/></start></grammar>`,
      'gone',
      'main:1:1',
    ],
    [
      'a missing file',
      'xsd',
      xsd('  <xs:include schemaLocation="gone.xsd"/>'),
      'there is no file gone.xsd in the bundle',
      'main:2:31',
    ],
    [
      'a missing import',
      'xsd',
      xsd('<xs:import namespace="urn:x" schemaLocation="gone.xsd"/>'),
      'there is no file gone.xsd',
      'main:2',
    ],
    [
      'the network',
      'xsd',
      xsd('<xs:include schemaLocation="http://example.org/x.xsd"/>'),
      'never from the network',
      'main:2:29',
    ],
    [
      'the network without scheme',
      'xsd',
      xsd('<xs:include schemaLocation="//example.org/x.xsd"/>'),
      'never from the network',
      'main:2',
    ],
    [
      'a file URL',
      'xsd',
      xsd('<xs:include schemaLocation="file:///etc/passwd"/>'),
      'never from the network or another place',
      'main:2',
    ],
    ['an absolute path', 'xsd', xsd('<xs:include schemaLocation="/etc/passwd"/>'), 'it is an absolute path', 'main:2'],
    [
      'a way out of the folder',
      'xsd',
      xsd('<xs:include schemaLocation="../../etc/passwd"/>'),
      'it leads out of the bundle’s folder',
      'main:2',
    ],
    [
      'an encoded way out',
      'xsd',
      xsd('<xs:include schemaLocation="%2e%2e/%2e%2e/etc/passwd"/>'),
      'it leads out',
      'main:2',
    ],
    ['a way out by a link', 'xsd', xsd('<xs:include schemaLocation="link.xsd"/>'), 'outside of the bundle', 'main:2'],
    [
      'a RELAX NG include from the network',
      'rng',
      rng('<include href="https://example.org/x.rng"/>'),
      'never from the network',
      'main:2:16',
    ],
    [
      'a RELAX NG reference out of the folder',
      'rng',
      `<grammar ${RNG}><start>\n<externalRef href="../x.rng"/></start></grammar>`,
      'it leads out',
      'main:2',
    ],
    [
      'an external subset',
      'xsd',
      `<?xml version="1.0"?>\n<!DOCTYPE xs:schema SYSTEM "http://example.org/x.dtd">${xsd('')}`,
      'names an external subset',
      'main:2:1',
    ],
    [
      'a public external subset',
      'xsd',
      `<!DOCTYPE xs:schema PUBLIC "-//W3C//DTD" "x.dtd" []>${xsd('')}`,
      'names an external subset',
      'main:1:1',
    ],
    [
      'an external entity',
      'xsd',
      `<!DOCTYPE xs:schema [<!ENTITY x SYSTEM "/etc/passwd">]>${xsd('&x;')}`,
      'declares an external entity',
      'main:1:1',
    ],
    [
      'an external parameter entity',
      'xsd',
      `<!DOCTYPE xs:schema [<!ENTITY % x PUBLIC "a" "/etc/passwd">%x;]>${xsd('')}`,
      'declares an external entity',
      'main:1:1',
    ],
    [
      'an encoding that is not understood',
      'xsd',
      `<?xml version="1.0" encoding="EBCDIC-US"?>${xsd('')}`,
      'its encoding is ebcdic-us',
      'main:1:1',
    ],
  ])('%s', async (_, language, text, message, at) => {
    const source = bundle(language, { main: text })
    symlinkSync('/etc/hostname', join(source.folder, 'link.xsd'))
    const problems = await problemsOf(source)
    expect(problems[0]).toMatchObject({ path: `schema.${language}`, severity: 'error' })
    expect(problems[0]?.message).toContain(message)
    expect(problems[0]?.at).toContain(at)
  })

  it('entities that multiply are stopped', async () => {
    const entities = Array.from({ length: 12 }, (_, at) => `<!ENTITY e${at + 1} "${`&e${at};`.repeat(10)}">`).join('')
    const text = `<!DOCTYPE xs:schema [<!ENTITY e0 "${'x'.repeat(50)}">${entities}]>${xsd('<xs:annotation><xs:documentation>&e12;</xs:documentation></xs:annotation>')}`
    const before = processorMs()
    const [problem] = await problemsOf(bundle('xsd', { main: text }))
    expect(problem?.message).toContain('amplification')
    expect(processorMs() - before).toBeLessThan(2_000)
  })

  it('the place is told in the file where the trouble is', async () => {
    const files = {
      main: xsd('<xs:include schemaLocation="parts/one.xsd"/>'),
      'parts/one.xsd': xsd('<xs:include schemaLocation="../../out.xsd"/>').replace('<xs:element name="order"/>', ''),
    }
    expect((await problemsOf(bundle('xsd', files)))[0]?.at).toBe('parts/one.xsd:2:29')
    const wrong = {
      ...files,
      'parts/one.xsd': xsd('\n<xs:element name="x" type="gone"/>').replace('<xs:element name="order"/>', ''),
    }
    expect((await problemsOf(bundle('xsd', wrong)))[0]?.at).toBe('parts/one.xsd:3:1')
  })

  it('all files that are missing are told at once', async () => {
    const problems = await problemsOf(
      bundle('xsd', { main: xsd('<xs:include schemaLocation="a.xsd"/><xs:include schemaLocation="b.xsd"/>') }),
    )
    expect(problems).toHaveLength(2)
  })
})

describe('schemas of several files', () => {
  const parts = {
    'main dir/ü main.xsd': `<!DOCTYPE xs:schema [<!ENTITY ns 'urn:order'><!ATTLIST xs:schema a CDATA #IMPLIED>]>
      <xs:schema ${XS} targetNamespace="&ns;" xmlns="urn:order" xmlns:c="urn:common" elementFormDefault="qualified">
      <xs:import namespace="urn:common" schemaLocation="../common/c.xsd"/><xs:include schemaLocation="part%20one.xsd"/>
      <xs:element name="order"><xs:complexType><xs:sequence><xs:element name="id" type="Id"/><xs:element ref="c:date"/></xs:sequence></xs:complexType></xs:element></xs:schema>`,
    'main dir/part one.xsd': `<xs:schema ${XS} targetNamespace="urn:order"><xs:include schemaLocation="two.xsd"/><xs:simpleType name="Id"><xs:restriction base="xs:int"/></xs:simpleType></xs:schema>`,
    'main dir/two.xsd': `<xs:schema ${XS} targetNamespace="urn:order"><xs:include schemaLocation="three.xsd"/></xs:schema>`,
    'main dir/three.xsd': `<xs:schema ${XS} targetNamespace="urn:order"><xs:include schemaLocation="two.xsd"/></xs:schema>`,
    'common/c.xsd': `<xs:schema ${XS} targetNamespace="urn:common"><xs:element name="date" type="xs:date"/></xs:schema>`,
  }

  it('are found by relative references, in circles, with spaces and other characters, and entities of their own', async () => {
    const type = typeOf('order', { schema: bundle('xsd', parts) })
    const { documents, problems } = await compileDocuments([type], limits)
    expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
    const order = (id: string, date: string) =>
      `<order xmlns="urn:order"><id>${id}</id><date xmlns="urn:common">${date}</date></order>`
    const count = (xml: string) => documents.validate(inBand(documents, xml), type).findings.length
    expect([count(order('1', '2026-01-01')), count(order('x', 'y'))]).toEqual([0, 2])
    documents.dispose()
  })

  it('a type with a broken schema doesn’t break the others', async () => {
    const good = typeOf('order', { schema: bundle('xsd', { main: ORDER_XSD }) })
    const bad = typeOf('bad', { schema: bundle('xsd', { main: '<nothing/>' }) })
    const { documents, problems } = await compileDocuments([bad, good], limits)
    expect(problems.map(({ type }) => type)).toEqual(['bad'])
    expect(documents.validate(inBand(documents, ORDER), good).findings).toEqual([])
    expect(() => documents.validate(inBand(documents, '<bad xmlns="urn:bad"/>'), bad)).toThrow('not compiled')
    documents.dispose()
  })
})

describe('a JSON Schema that can’t be used is a problem, never valid', () => {
  it.each([
    ['an empty file', '', 'the file is empty'],
    ['a blank file', ' \n', 'the file is empty'],
    ['no JSON', '{', 'it is no JSON'],
    ['no object', '[]', 'a schema is an object'],
    ['true', 'true', 'a schema is an object'],
    ['nothing in it', '{}', 'it accepts everything'],
    [
      'annotations only',
      '{"$schema":"https://json-schema.org/draft/2020-12/schema","title":"t","$defs":{"a":{"type":"string"}}}',
      'it accepts everything',
    ],
    [
      'another draft',
      '{"$schema":"http://json-schema.org/draft-04/schema#","type":"object"}',
      'draft-07, 2019-09 and 2020-12',
    ],
    ['a misspelt keyword', '{"type":"object","requried":["a"]}', 'unknown keyword: "requried"'],
    ['a wrong keyword value', '{"type":"objekt"}', 'type'],
    ['an unknown format', '{"type":"string","format":"moon-phase"}', 'unknown format'],
    [
      'a property that would not be checked',
      '{"type":"object","properties":{"__proto__":{"type":"number"}}}',
      'called __proto__',
    ],
    [
      'a dynamic reference to a part',
      '{"type":"array","items":{"$dynamicRef":"#n"},"$defs":{"n":{"$dynamicAnchor":"n","type":"string"}}}',
      '$dynamicRef is "#n"',
    ],
    [
      'unevaluatedItems beside contains, within allOf',
      '{"allOf":[{"contains":{"const":1}}],"unevaluatedItems":false}',
      'unevaluatedItems beside contains',
    ],
    [
      'unevaluatedItems beside items that may hold or not',
      '{"unevaluatedItems":false,"anyOf":[{"items":{"type":"string"}},{"type":"array"}]}',
      'unevaluatedItems beside items in anyOf',
    ],
    [
      'unevaluatedProperties beside else alone, deep within',
      '{"properties":{"a":{"if":{"required":["b"]},"else":{"required":["c"]},"unevaluatedProperties":false}}}',
      'unevaluatedProperties beside if and else',
    ],
    ['a reference to nothing', '{"$ref":"#/$defs/gone"}', '#/$defs/gone cannot be resolved'],
    ['a reference to a missing file', '{"$ref":"gone.json"}', 'no file of the bundle'],
    ['the network', '{"$ref":"https://example.org/x.json"}', 'no file of the bundle'],
    ['a way out', '{"properties":{"a":{"$ref":"file:///etc/passwd"}}}', 'no file of the bundle'],
    ['a wrong pattern', '{"type":"string","pattern":"["}', 'regular expression'],
  ])('%s', async (_, text, message) => {
    const [problem] = await problemsOf(bundle('json', { 'main.json': text }))
    expect(problem).toMatchObject({ path: 'schema.json', severity: 'error', at: 'main.json:1:1' })
    expect(problem?.message).toContain(message)
  })

  it('notes with x- are no keywords', async () => {
    expect(
      await problemsOf(
        bundle('json', {
          'main.json': '{"type":"object","x-owner":"us","properties":{"a":{"type":"string","x-unit":"kg"}}}',
        }),
      ),
    ).toEqual([])
  })

  it('a file out of the folder is not read, even by a link', async () => {
    const source = bundle('json', { 'main.json': '{"$ref":"out/secret.json"}' })
    const outside = bundle('json', { 'secret.json': '{"type":"string"}' })
    symlinkSync(outside.folder, join(source.folder, 'out'))
    expect((await problemsOf(source))[0]?.message).toContain('no file of the bundle')
  })
})

it('a schema in a language that the type is not is a problem', async () => {
  const identify = { json: { datatype: 'd' } }
  const type = typeOf('order', { identify, schema: bundle('xsd', { 'order.xsd': ORDER_XSD }) })
  const { problems } = await compileDocuments([type], limits)
  expect(problems).toMatchObject([{ path: ['schema', 'xsd'], message: expect.stringContaining('it is not XML') }])
})

it.each([
  ['with unevaluatedItems beside items', '{"items":{"type":"string"},"unevaluatedItems":false}'],
  [
    'with properties that are called like keywords',
    '{"properties":{"contains":{},"unevaluatedItems":{},"if":{},"else":{}}}',
  ],
  [
    'with a dynamic reference to the whole',
    '{"$dynamicAnchor":"n","type":"object","properties":{"a":{"$dynamicRef":"#n"}}}',
  ],
  [
    'with if, then and else',
    '{"if":{"required":["a"]},"then":{"required":["b"]},"else":{},"unevaluatedProperties":false}',
  ],
])('a JSON Schema %s is taken', async (_, text) => {
  expect(await problemsOf(bundle('json', { 'main.json': text }))).toEqual([])
})

it('a JSON Schema that refers to itself without end finds nothing valid, and says so', async () => {
  const schema = bundle('json', { 'main.json': '{"type":"object","allOf":[{"$ref":"#"}]}' })
  const type = typeOf('order', { identify: { json: { datatype: 'd' } }, schema })
  const { documents } = await compileDocuments([type], limits)
  const document = inBand(
    documents,
    `<payload xmlns='urn:xmpp:json-msg:0' datatype='d'><json xmlns='urn:xmpp:json:0'>{"a":1}</json></payload>`,
  )
  expect(documents.validate(document, type).findings).toMatchObject([{ layer: 'json-schema', rule: '$ref' }])
  documents.dispose()
})

it('a bundle may lie behind a link itself', async () => {
  const source = bundle('xsd', { 'main.xsd': ORDER_XSD })
  const elsewhere = bundle('xsd', { x: '' })
  const folder = join(elsewhere.folder, 'linked')
  symlinkSync(source.folder, folder)
  mkdirSync(join(source.folder, 'empty'))
  writeFileSync(join(source.folder, 'notes.txt'), '')
  expect(await problemsOf({ ...source, folder, file: join(folder, 'main.xsd') })).toEqual([])
})

import { describe, expect, it } from 'vitest'
import { lostBindings } from '../../src/documents/lost-bindings.ts'
import type { DocumentType } from '../../src/domain/document-type.ts'
import type { Finding } from '../../src/domain/rejection.ts'
import type { Documents } from '../../src/flow/ports.ts'
import { processorMs } from '../processor.ts'
import { bundle, documentsFor, elementOf, inBand, ORDER, ORDER_XSD, sealed, typeOf } from './given.ts'

const order = typeOf('order', { schema: bundle('xsd', { 'order.xsd': ORDER_XSD }), namespaces: { o: 'urn:order' } })
const documents = await documentsFor([order])
const findings = (xml: string) => documents.validate(inBand(documents, xml), order).findings
const brief = ({ rule, path, value }: Finding) => [rule, path, value]

describe('XSD 1.0', () => {
  it('finds nothing in a valid document, in-band or sealed', () => {
    expect(findings(ORDER)).toEqual([])
    expect(documents.validate(sealed(documents, ORDER), order).findings).toEqual([])
  })

  it.each([
    [
      'a value that is no number',
      ORDER.replace('>3<', '>three<'),
      ['cvc-datatype-valid.1.2.1', '/o:order/o:line/o:quantity', 'three'],
    ],
    ['a pattern', ORDER.replace('EUR', 'Euro'), ['cvc-pattern-valid', '/o:order/@currency', 'Euro']],
    [
      'an attribute that is missing',
      ORDER.replace(' currency="EUR"', ''),
      ['cvc-complex-type.4', '/o:order', undefined],
    ],
    [
      'an attribute that is not allowed',
      ORDER.replace('unit=', 'units='),
      ['cvc-complex-type.3.2.1', '/o:order/o:line/@units', 'kg'],
    ],
    [
      'an element that is not expected',
      ORDER.replace('<id>', '<no/><id>'),
      ['element-content', '/o:order/o:no', undefined],
    ],
    ['an element that is missing', ORDER.replace('<id>7</id>', ''), ['element-content', '/o:order/o:line', undefined]],
    [
      'a child that is missing',
      ORDER.replace('<quantity>3</quantity>', ''),
      ['element-content', '/o:order/o:line', undefined],
    ],
    ['text where only elements are', ORDER.replace('<id>', 'x<id>'), ['cvc-complex-type.2.3', '/o:order', undefined]],
    [
      'a child without namespace',
      ORDER.replace('<id>7</id>', '<id xmlns="">7</id>'),
      ['element-content', '/o:order/id', '7'],
    ],
  ])('finds %s', (_, xml, expected) => {
    expect(findings(xml).map(brief)).toEqual([expected])
  })

  it('tells all findings, each with the number of its element among its like', () => {
    const line = (quantity: string) => `<line><item>x</item><quantity>${quantity}</quantity></line>`
    const xml = `<order xmlns="urn:order" currency="?"><id>7</id>${line('a')}${line('2')}${line('0')}<note><deep/></note></order>`
    expect(findings(xml).map(brief)).toEqual([
      ['cvc-pattern-valid', '/o:order/@currency', '?'],
      ['cvc-datatype-valid.1.2.1', '/o:order/o:line[1]/o:quantity', 'a'],
      ['cvc-datatype-valid.1.2.1', '/o:order/o:line[3]/o:quantity', '0'],
    ])
  })

  it('names places alike whatever prefixes the document has', () => {
    const prefixed =
      '<p:order xmlns:p="urn:order" currency="EUR"><p:id/><p:line><p:item/><p:quantity/></p:line></p:order>'
    expect(findings(prefixed).map(({ path }) => path)).toEqual(['/o:order/o:line/o:quantity'])
  })

  it('gives lines of sealed documents as they were sent, comments and all, and none of in-band ones', () => {
    const xml = `<?xml version="1.0"?>\n<!-- one\n two -->\n${ORDER.replace('<id>', '\n<id>').replace('>3<', '>-3<').replace('<quantity>', '\n<quantity>')}`
    expect(documents.validate(sealed(documents, xml), order).findings.map(({ line }) => line)).toEqual([6])
    expect(findings(ORDER.replace('>3<', '>-3<')).map(({ line }) => line)).toEqual([undefined])
  })

  it('gives the same lines for UTF-16', () => {
    const xml = Buffer.from(`\ufeff<?xml version="1.0" encoding="UTF-16"?>\n${ORDER.replace('>3<', '>é<')}`, 'utf16le')
    expect(documents.validate(sealed(documents, xml), order).findings.map(({ line, value }) => [line, value])).toEqual([
      [2, 'é'],
    ])
  })

  it('says names in the type’s prefixes, and cuts values', () => {
    const [unexpected] = findings(ORDER.replace('<id>', '<no/><id>'))
    expect(unexpected?.message).toBe('This element is not expected. Expected is ( o:id ).')
    const [long] = findings(ORDER.replace('>3<', `>${'9'.repeat(300)}x<`))
    expect(long?.value).toHaveLength(80)
    expect(long?.message.length).toBeLessThan(200)
  })

  it('tells the first thousand findings and how many more there are', async () => {
    const wide = { documentBytes: 10_000_000, depth: 12, attributes: 10 }
    const { compileDocuments } = await import('../../src/documents/documents.ts')
    const { documents: large } = await compileDocuments([order], wide)
    const lines = '<line><item/><quantity>x</quantity></line>'.repeat(20_000)
    const before = processorMs()
    const found = large.validate(
      inBand(large, `<order xmlns="urn:order" currency="EUR"><id/>${lines}</order>`),
      order,
    ).findings
    expect(found).toHaveLength(1001)
    expect(found.at(-1)).toMatchObject({
      rule: 'more',
      severity: 'error',
      message: expect.stringContaining('19000 more'),
    })
    expect(processorMs() - before).toBeLessThan(5_000)
    large.dispose()
  })

  it('a comment or a processing instruction changes nothing', () => {
    const xml = ORDER.replace('>flour<', '>fl<!-- x -->o<?y z?>ur<')
    expect(documents.validate(sealed(documents, xml), order).findings).toEqual([])
  })
})

describe('names in content', () => {
  const XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
  const note = (declaration: string) =>
    ORDER.replace('</order>', `<note ${XSI} ${declaration} xsi:type="xs:int">4</note></order>`)

  it('that kept their binding are checked', () => {
    expect(findings(note('xmlns:xs="http://www.w3.org/2001/XMLSchema"'))).toEqual([])
  })

  it('that lost it in-band are found once, and pointed to sealed', () => {
    const found = findings(note(''))
    expect(found.map(({ rule, path, value }) => [rule, path, value])).toEqual([
      ['unbound-prefix', '/o:order/o:note/@xsi:type', 'xs:int'],
    ])
    expect(found[0]?.message).toContain('send this document sealed')
  })

  it('are looked up where they stand: what is bound beside them, or was, is not bound', () => {
    const free = (content: string) => `<free xmlns="urn:free" ${XSI} xmlns:a="urn:a">${content}</free>`
    const typed = (prefix: string, content = '') => `<t xsi:type="${prefix}:x">${content}</t>`
    const root = elementOf(
      free(
        `${typed('a')}<b xmlns:b="urn:b" xmlns:a="urn:other">${typed('a')}<b:c xmlns:b="urn:c">${typed('b')}</b:c>${typed('b')}</b>${typed('a')}${typed('b')}`,
      ),
    )
    expect(lostBindings(root, {}).map(({ path, value }) => [path, value])).toEqual([['/free/t/@xsi:type', 'b:x']])
  })

  it('are looked for in a time that grows with the document alone, whatever is bound around them', () => {
    const declared = Array.from({ length: 4_000 }, (_, at) => ` xmlns:p${at}="u"`).join('')
    const root = elementOf(`<free ${XSI}${declared}>${'<q xmlns:z="u"/>'.repeat(9_000)}<t xsi:type="z:x"/></free>`)
    const before = processorMs()
    expect(lostBindings(root, {})).toHaveLength(1)
    expect(processorMs() - before).toBeLessThan(600)
  })

  it('that were never bound in a sealed document are the sender’s own fault', () => {
    const [found] = documents.validate(sealed(documents, note('')), order).findings
    expect(found).toMatchObject({ layer: 'xsd', line: 1 })
    expect(found?.message).not.toContain('sealed')
  })

  it('are a warning where no schema depends on them', async () => {
    const free = typeOf('free')
    const only = await documentsFor([free])
    const { findings: found } = only.validate(inBand(only, `<free xmlns="urn:free" ${XSI} xsi:type="xs:int"/>`), free)
    expect(found).toMatchObject([{ rule: 'unbound-prefix', severity: 'warning' }])
  })
})

describe('RELAX NG', () => {
  const RNG = `<grammar xmlns="http://relaxng.org/ns/structure/1.0" ns="urn:feed" datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">
    <include href="parts/entry.rng"/>
    <start><element name="feed"><attribute name="size" ns=""><data type="int"/></attribute><oneOrMore><ref name="entry"/></oneOrMore></element></start></grammar>`
  const ENTRY = `<grammar xmlns="http://relaxng.org/ns/structure/1.0" ns="urn:feed" datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">
    <define name="entry"><element name="entry"><data type="date"/></element></define></grammar>`
  const feed = typeOf('feed', {
    schema: bundle('rng', { 'feed.rng': RNG, 'parts/entry.rng': ENTRY }),
    namespaces: { f: 'urn:feed' },
  })

  it.each([
    ['<feed xmlns="urn:feed" size="1"><entry>2026-01-01</entry></feed>', []],
    [
      '<feed xmlns="urn:feed" size="1"><entry>soon</entry><entry>2026-01-01</entry><entry>then</entry></feed>',
      [
        ['type-value', '/f:feed/f:entry[1]', 'soon'],
        ['type-value', '/f:feed/f:entry[3]', 'then'],
      ],
    ],
    ['<feed xmlns="urn:feed" size="1"/>', [['element-missing', '/f:feed', undefined]]],
    ['<feed xmlns="urn:feed"><entry>2026-01-01</entry></feed>', [['attributes', '/f:feed', undefined]]],
    [
      '<feed xmlns="urn:feed" size="1"><entry>2026-01-01</entry><other/></feed>',
      [['element', '/f:feed/f:other', undefined]],
    ],
  ])('%s', async (xml, expected) => {
    const only = await documentsFor([feed])
    expect(
      only.validate(inBand(only, xml), feed).findings.map(({ rule, path, value }) => [rule, path, value || undefined]),
    ).toEqual(expected)
    only.dispose()
  })
})

it('RELAX NG says of an element that is missing no name, where there is none', async () => {
  const memo = typeOf('memo', {
    schema: bundle('rng', { 'memo.rnc': 'element memo { element to { text }+, element subject { text } }' }),
  })
  const only = await documentsFor([memo])
  const { findings } = only.validate(inBand(only, '<memo><to>alice</to></memo>'), memo)
  expect(findings.map(({ rule, path, message }) => [rule, path, message])).toEqual([
    ['element-missing', '/memo', 'Expecting an element, got nothing: one is missing here'],
  ])
  only.dispose()
})

describe('JSON Schema', () => {
  const check = async (schema: unknown, value: unknown, more: Readonly<Record<string, string>> = {}) => {
    const type: DocumentType = typeOf('reading', {
      identify: { json: { datatype: 'urn:reading' } },
      schema: bundle('json', { 'reading.json': JSON.stringify(schema), ...more }),
    })
    const only: Documents = await documentsFor([type])
    const xml = `<payload xmlns='urn:xmpp:json-msg:0' datatype='urn:reading'><json xmlns='urn:xmpp:json:0'><![CDATA[${JSON.stringify(value)}]]></json></payload>`
    return only.validate(inBand(only, xml), type).findings.map(brief)
  }
  const body = {
    type: 'object',
    properties: {
      t: { type: 'number', maximum: 100 },
      unit: { enum: ['C', 'K'] },
      at: { type: 'string', format: 'date-time' },
    },
    required: ['t'],
    additionalProperties: false,
  }

  it.each([
    ['http://json-schema.org/draft-07/schema#'],
    ['https://json-schema.org/draft/2019-09/schema'],
    ['https://json-schema.org/draft/2020-12/schema'],
  ])('%s: all findings with pointers', async ($schema) => {
    const schema = { $schema, ...body }
    expect(await check(schema, { t: 20, unit: 'C', at: '2026-01-01T00:00:00Z' })).toEqual([])
    expect(await check(schema, { t: 200, unit: 'F', at: 'now', more: 1 })).toEqual([
      ['additionalProperties', '', undefined],
      ['maximum', '/t', '200'],
      ['enum', '/unit', 'F'],
      ['format', '/at', 'now'],
    ])
    expect(await check(schema, {})).toEqual([['required', '', undefined]])
  })

  it('knows what is new in each draft', async () => {
    const prefix = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      prefixItems: [{ type: 'string' }],
      items: false,
    }
    expect(await check(prefix, ['a', 1])).toEqual([['items', '', undefined]])
    const items = {
      $schema: 'http://json-schema.org/draft-07/schema#',
      items: [{ type: 'string' }],
      additionalItems: false,
    }
    expect(await check(items, ['a', 1])).toEqual([['additionalItems', '', undefined]])
    const unevaluated = {
      $schema: 'https://json-schema.org/draft/2019-09/schema',
      allOf: [{ properties: { a: true } }],
      unevaluatedProperties: false,
    }
    expect(await check(unevaluated, { a: 1, b: 2 })).toEqual([['unevaluatedProperties', '', undefined]])
  })

  it.each([
    ['branches', { anyOf: [{ properties: { a: {} }, required: ['a'] }, { required: ['z'] }] }],
    ['a pattern', { patternProperties: { '^a$': {} } }],
    ['a reference in a branch', { anyOf: [{ $ref: '#/$defs/a' }], $defs: { a: { properties: { a: {} } } } }],
  ])('what is not evaluated is told by its name, whatever that is, where %s may evaluate', async (_, schema) => {
    const closed = { ...schema, unevaluatedProperties: false }
    expect(await check(closed, { a: 1 })).toEqual([])
    for (const name of ['b', 'constructor', 'toString', '__proto__']) {
      const value = JSON.parse(`{"a":1,"${name}":{}}`)
      expect(await check(closed, value), name).toEqual([['unevaluatedProperties', '', undefined]])
    }
    const open = { ...schema, patternProperties: { '^(?:a|constructor)$': {} }, unevaluatedProperties: false }
    expect(await check(open, JSON.parse('{"a":1,"constructor":{}}'))).toEqual([])
  })

  it('follows references to files of the bundle, by place and by $id', async () => {
    const unit = JSON.stringify({ $id: 'https://example.org/s/unit.json', type: 'string', maxLength: 1 })
    const byPlace = { properties: { unit: { $ref: 'parts/unit.json' } } }
    expect(await check(byPlace, { unit: 'CC' }, { 'parts/unit.json': unit })).toEqual([['maxLength', '/unit', 'CC']])
    const byId = {
      $id: 'https://example.org/main.json',
      properties: { unit: { $ref: 'https://example.org/s/unit.json' } },
    }
    expect(await check(byId, { unit: 'CC' }, { 'anywhere/u.json': unit })).toEqual([['maxLength', '/unit', 'CC']])
    const beside = { $id: 'https://example.org/s/main.json', properties: { unit: { $ref: 'unit.json#' } } }
    expect(await check(beside, { unit: 'CC' }, { 'unit.json': unit })).toEqual([['maxLength', '/unit', 'CC']])
  })
})

it('opaque content of a type without schema is recognised and not looked into', async () => {
  const picture = typeOf('picture', { identify: { mediaType: 'image/png' } })
  const only = await documentsFor([picture])
  const document = sealed(only, '<not><looked', 'image/png')
  expect(only.identify(document)).toEqual({ kind: 'type', type: picture })
  expect(only.validate(document, picture)).toEqual({ findings: [], fields: {} })
})

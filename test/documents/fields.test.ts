import { describe, expect, it } from 'vitest'
import { compileDocuments } from '../../src/documents/documents.ts'
import type { FieldSource } from '../../src/domain/fields.ts'
import { bundle, documentsFor, inBand, limits, ORDER, ORDER_XSD, sealed, typeOf } from './given.ts'

const INVOICE = `<t:invoice xmlns:t="urn:invoice" xmlns:u="urn:other" id=" 7 " u:id="8">
  <t:total currency="EUR">1200.50</t:total><t:line><t:price>1</t:price></t:line><t:line><t:price>x</t:price></t:line>
  <t:paid>true</t:paid><t:empty/><t:mixed>a<t:b>b</t:b>c</t:mixed></t:invoice>`

async function read(source: FieldSource, xml = INVOICE) {
  const invoice = typeOf('invoice', { namespaces: { t: 'urn:invoice', u: 'urn:other' }, fields: { f: source } })
  const documents = await documentsFor([invoice])
  const validation = documents.validate(inBand(documents, xml), invoice)
  documents.dispose()
  return validation
}

describe('an XPath field holds', () => {
  it.each<[string, FieldSource, unknown]>([
    ['the text of an element', { xpath: '/t:invoice/t:total' }, ['1200.50']],
    ['an attribute, white space and all', { xpath: '/t:invoice/@id' }, [' 7 ']],
    ['an attribute in a namespace', { xpath: '/t:invoice/@u:id' }, ['8']],
    ['all nodes that are selected', { xpath: '/t:invoice/t:line/t:price' }, ['1', 'x']],
    ['all text below', { xpath: '/t:invoice/t:mixed' }, ['abc']],
    ['text nodes', { xpath: '/t:invoice/t:mixed/text()' }, ['a', 'c']],
    ['the empty text', { xpath: '/t:invoice/t:empty' }, ['']],
    ['nothing', { xpath: '/t:invoice/t:gone' }, undefined],
    ['nothing for a name without prefix', { xpath: '/invoice/total' }, undefined],
    ['what libxml2 finds', { xpath: '//t:line[2]/t:price' }, ['x']],
    ['a computed string', { xpath: "concat(/t:invoice/t:total/@currency, '-', /t:invoice/@u:id)" }, ['EUR-8']],
    ['a computed number as text', { xpath: 'count(//t:line)' }, ['2']],
    [
      'a computed number as text, without exponent',
      { xpath: '1099511627776 * 1099511627776' },
      ['1208925819614629174706176'],
    ],
    ['a computed number', { xpath: 'count(//t:line) div 4', as: 'number' }, [0.5]],
    ['a computed boolean as text', { xpath: 'not(//t:gone)' }, ['true']],
    ['a number', { xpath: '/t:invoice/t:total', as: 'number' }, [1200.5]],
    ['a boolean', { xpath: '/t:invoice/t:paid', as: 'boolean' }, [true]],
    ['a string', { xpath: '/t:invoice/t:paid', as: 'string' }, ['true']],
  ])('%s', async (_, source, expected) => {
    expect(await read(source)).toEqual({ findings: [], fields: expected === undefined ? {} : { f: expected } })
  })

  it.each([
    ['1e3', 1000],
    [' +1.5 ', 1.5],
    ['-.5', -0.5],
    ['7.', 7],
  ])('the number %j', async (text, expected) => {
    const { fields } = await read(
      { xpath: '/t:invoice', as: 'number' },
      `<t:invoice xmlns:t="urn:invoice">${text}</t:invoice>`,
    )
    expect(fields).toEqual({ f: [expected] })
  })

  it.each(['', 'abc', '1,5', '0x10', 'Infinity', 'NaN', '1e999', '1 2', 'INF'])(
    'no number in %j: a warning, and the field is absent',
    async (text) => {
      const { fields, findings } = await read(
        { xpath: '/t:invoice', as: 'number' },
        `<t:invoice xmlns:t="urn:invoice">${text}</t:invoice>`,
      )
      expect(fields).toEqual({})
      expect(findings).toMatchObject([
        { layer: 'fields', rule: 'number', severity: 'warning', path: '/t:invoice', value: text },
      ])
    },
  )

  it('the numbers that can be read beside one that can’t', async () => {
    const { fields, findings } = await read({ xpath: '/t:invoice/t:line/t:price', as: 'number' })
    expect(fields).toEqual({ f: [1] })
    expect(findings).toHaveLength(1)
  })

  it('not more than a document may: that is an error', async () => {
    const nested = '<t:a>'.repeat(8) + 'x'.repeat(9_000) + '</t:a>'.repeat(8)
    const { fields, findings } = await read(
      { xpath: '//t:a' },
      `<t:invoice xmlns:t="urn:invoice">${nested}</t:invoice>`,
    )
    expect(fields).toEqual({})
    expect(findings).toMatchObject([
      {
        layer: 'fields',
        rule: 'size',
        severity: 'error',
        message: expect.stringContaining('72000 characters, the limit is 20000'),
      },
    ])
  })
})

describe('a JSON field holds', () => {
  const value =
    '{"total":12.5,"text":"12.5","on":true,"none":null,"list":[1,"a",[2]],"a/b":{"~":1},"o":{},"__proto__":5}'
  const readJson = async (source: FieldSource, text = value) => {
    const type = typeOf('reading', { identify: { json: { match: { '/on': true } } }, fields: { f: source } })
    const documents = await documentsFor([type])
    return documents.validate(sealed(documents, text, 'application/json'), type)
  }

  it.each<[string, FieldSource, unknown]>([
    ['a number', { pointer: '/total' }, [12.5]],
    ['a string', { pointer: '/text' }, ['12.5']],
    ['a boolean', { pointer: '/on' }, [true]],
    ['null', { pointer: '/none' }, [null]],
    ['a string as a number', { pointer: '/text', as: 'number' }, [12.5]],
    ['a number as a string', { pointer: '/total', as: 'string' }, ['12.5']],
    ['what stands under escaped tokens', { pointer: '/a~1b/~0' }, [1]],
    ['an item of an array', { pointer: '/list/1' }, ['a']],
    ['an own property of any name', { pointer: '/__proto__' }, [5]],
    ['nothing of what is inherited', { pointer: '/constructor' }, undefined],
    ['nothing', { pointer: '/gone/deeper' }, undefined],
    ['nothing at a wrong index', { pointer: '/list/01' }, undefined],
    ['what a JSONPath selects', { jsonpath: '$.list[?@ == 1]' }, [1]],
    ['what a JSONPath selects, read as something else', { jsonpath: '$.total', as: 'string' }, ['12.5']],
    ['nothing that a JSONPath selects', { jsonpath: '$..gone' }, undefined],
  ])('%s', async (_, source, expected) => {
    expect(await readJson(source)).toEqual({ findings: [], fields: expected === undefined ? {} : { f: expected } })
  })

  it.each<[FieldSource['as'], unknown]>([
    [undefined, 9007199254740992],
    ['number', 9007199254740992],
    ['string', undefined],
  ])('a number beyond 2^53 as %s: %j', async (as, expected) => {
    const source = { pointer: '/large', ...(as && { as }) }
    const { fields, findings } = await readJson(source, '{"on":true,"large":9007199254740993}')
    expect(fields).toEqual(expected === undefined ? {} : { f: [expected] })
    const told = expected === undefined ? [{ rule: 'string', severity: 'warning', path: '/large' }] : []
    expect(findings).toMatchObject(told)
  })

  it('the scalars of an array, with a warning for what is none', async () => {
    const { fields, findings } = await readJson({ pointer: '/list' })
    expect(fields).toEqual({ f: [1, 'a'] })
    expect(findings).toMatchObject([{ rule: 'scalar', severity: 'warning', path: '/list' }])
  })

  it('nothing that takes too long to select: an error, so that no route sees a part', async () => {
    const { fields, findings } = await readJson({
      jsonpath: `$[${Array(400).fill('*').join()}]${'[*,*,*,*,*,*,*,*,*]'.repeat(9)}`,
    })
    expect(fields).toEqual({})
    expect(findings).toMatchObject([{ rule: 'cost', severity: 'error' }])
  })

  it('no object: a warning', async () => {
    expect(await readJson({ pointer: '/o' })).toMatchObject({
      fields: {},
      findings: [{ rule: 'scalar', severity: 'warning' }],
    })
  })
})

it.each<[string, FieldSource, boolean, string, string]>([
  ['an undeclared prefix', { xpath: '/inv:Invoice' }, true, 'fields.f.xpath', "prefix `inv` isn't declared (known: t)"],
  ['a wrong expression', { xpath: '/t:a[' }, true, 'fields.f.xpath', 'the expression ends'],
  ['a pointer that is none', { pointer: 'total' }, false, 'fields.f.pointer', 'is no JSON Pointer'],
  ['a pointer with a wrong escape', { pointer: '/a~2' }, false, 'fields.f.pointer', 'is no JSON Pointer'],
  ['an XPath over JSON', { xpath: '/a' }, false, 'fields.f.xpath', 'the type is not XML'],
  ['a JSONPath that is none', { jsonpath: '$[' }, false, 'fields.f.jsonpath', 'a selector should be (column 3)'],
  ['a JSONPath into XML', { jsonpath: '$.a' }, true, 'fields.f.jsonpath', 'the type is not JSON'],
  ['a pointer into XML', { pointer: '/a' }, true, 'fields.f.pointer', 'the type is not JSON'],
])('%s is a problem when it is loaded', async (_, source, isXml, path, message) => {
  const identify = isXml ? {} : { identify: { json: { datatype: 'd' } } }
  const { problems } = await compileDocuments([typeOf('a', { fields: { f: source }, ...identify })], limits)
  expect(problems.map((problem) => problem.path.join('.'))).toEqual([path])
  expect(problems[0]?.message).toContain(message)
})

it('an invalid document has no fields', async () => {
  const schema = bundle('xsd', { 'order.xsd': ORDER_XSD })
  const order = typeOf('order', { schema, fields: { id: { xpath: '/t:order/t:id' } } })
  const documents = await documentsFor([order])
  const fieldsOf = (xml: string) => documents.validate(inBand(documents, xml), order).fields
  expect(fieldsOf(ORDER)).toEqual({ id: ['7'] })
  expect(fieldsOf(ORDER.replace('EUR', 'euro'))).toEqual({})
})

import { describe, expect, it } from 'vitest'
import { compileDocuments } from '../../src/documents/documents.ts'
import { shape } from '../../src/documents/projection.ts'
import type { Json } from '../../src/domain/document.ts'
import type { Finding } from '../../src/domain/rejection.ts'
import { bundle, inBand, limits, sealed, typeOf } from './given.ts'

const SCHEMA = {
  type: 'object',
  required: ['o:order'],
  additionalProperties: false,
  properties: {
    'o:order': {
      type: 'object',
      required: ['o:line', '@currency'],
      properties: {
        '@currency': { pattern: '^[A-Z]{3}$' },
        'o:line': { type: 'array', minItems: 1, items: { $ref: '#/$defs/line' } },
        'o:note': { type: 'object', properties: { '#text': { maxLength: 10 } } },
      },
    },
  },
  $defs: {
    line: {
      type: 'object',
      additionalProperties: false,
      required: ['o:quantity'],
      properties: {
        '@unit': { enum: ['kg', 'l'] },
        'o:item': { type: 'string' },
        'o:quantity': { type: 'integer', minimum: 1 },
        'o:fresh': { type: 'boolean' },
      },
    },
  },
}

async function findingsOf(
  xml: string,
  form: 'in-band' | 'sealed' = 'in-band',
  schema: unknown = SCHEMA,
): Promise<readonly Finding[]> {
  const type = typeOf('order', {
    namespaces: { o: 'urn:order' },
    schema: bundle('json', { 'order.json': JSON.stringify(schema) }),
  })
  const { documents, problems } = await compileDocuments([type], { ...limits, depth: 1_000 })
  expect(problems).toEqual([])
  const { findings } = documents.validate(form === 'sealed' ? sealed(documents, xml) : inBand(documents, xml), type)
  documents.dispose()
  return findings
}

const line = (content: string) => `<order xmlns="urn:order" currency="EUR"><line>${content}</line></order>`

describe('XML is checked by JSON Schema', () => {
  it.each([
    line('<quantity>3</quantity>'),
    line('<quantity> 3 </quantity><fresh>true</fresh>'),
    `<x:order xmlns:x="urn:order" currency="EUR"><x:line><x:quantity>3</x:quantity></x:line><x:line unit="l"><x:quantity>1</x:quantity></x:line></x:order>`,
    `<order xmlns="urn:order" currency="EUR"><note>short</note><line><quantity>3</quantity><item>a &amp;lt; b</item></line></order>`,
    `<order xmlns="urn:order" currency="EUR"><note lang="en">short</note><line><quantity>3</quantity></line></order>`,
  ])('and is valid, whatever its prefixes: %s', async (xml) => {
    expect(await findingsOf(xml)).toEqual([])
    expect(await findingsOf(`<?xml version="1.0"?><!-- - -->${xml}`, 'sealed')).toEqual([])
  })

  it.each([
    [line('<quantity>0</quantity>'), ['minimum', '/o:order/o:line[1]/o:quantity', '0']],
    [line('<quantity>many</quantity>'), ['type', '/o:order/o:line[1]/o:quantity', 'many']],
    [line('<quantity>1</quantity><colour/>'), ['additionalProperties', '/o:order/o:line[1]', undefined]],
    [line('<quantity xmlns="urn:other">1</quantity>'), ['required', '/o:order/o:line[1]', undefined]],
    [line('<item/>'), ['required', '/o:order/o:line[1]', undefined]],
    [line('<quantity>1</quantity>').replace('EUR', 'Euro'), ['pattern', '/o:order/@currency', 'Euro']],
    [
      `<order xmlns="urn:order" currency="EUR"><line><quantity>1</quantity></line><line unit="m"><quantity>1</quantity></line></order>`,
      ['enum', '/o:order/o:line[2]/@unit', 'm'],
    ],
    [
      `<order xmlns="urn:order" currency="EUR"><note a="b">much too long</note><line><quantity>1</quantity></line></order>`,
      ['maxLength', '/o:order/o:note', 'much too long'],
    ],
  ])('and findings say where in the XML: %s', async (xml, expected) => {
    const findings = await findingsOf(xml)
    expect(findings.map(({ rule, path, value }) => [rule, path, value])[0]).toEqual(expected)
  })

  it('however many entities its text needs', async () => {
    expect(await findingsOf(line(`<quantity>1</quantity><item>${'&amp;'.repeat(2_000)}</item>`))).toEqual([])
  })
})

describe('a JSON Schema for XML sees', () => {
  /** Of the root's content. */
  const rootOf = (schema: object) => ({ properties: { 'o:order': { type: 'object', ...schema } } })
  const order = (content: string) => `<order xmlns="urn:order" c="EUR">${content}</order>`
  const closed = (names: readonly string[]) => {
    return rootOf({
      additionalProperties: false,
      properties: Object.fromEntries(['@c', ...names].map((one) => [one, {}])),
    })
  }
  const INHERITED = ['constructor', 'prototype', 'hasOwnProperty', 'toString', 'valueOf'] as const

  it.each<[what: string, schema: object, xml: string]>([
    ['no declaration', closed(['o:n']), order('<n>a</n>')],
    ['none of a prefix either', closed(['o:n']), '<x:order xmlns:x="urn:order" xmlns:y="urn:y"><x:n/></x:order>'],
    ['line feeds', rootOf({ properties: { '@c': { const: 'a\nb' } } }), '<order xmlns="urn:order" c="a&#10;b"/>'],
    ['tabs', rootOf({ properties: { '@c': { maxLength: 3 } } }), '<order xmlns="urn:order" c="a&#9;b"/>'],
    ['carriage returns', rootOf({ properties: { 'o:n': { const: 'a\rb' } } }), order('<n>a&#13;b</n>')],
    ...INHERITED.map((name): [string, object, string] => {
      return [name, { ...closed([name]) }, order(`<${name} xmlns="">1</${name}>`)]
    }),
    ['constructor, asked for', rootOf({ required: ['constructor'] }), order('<constructor xmlns=""/>')],
    [
      'more than 100 levels',
      {
        $ref: '#/$defs/a',
        $defs: { a: { type: 'object', properties: { 'o:a': { type: 'array', items: { $ref: '#/$defs/a' } } } } },
      },
      order('<a>'.repeat(300) + '</a>'.repeat(300)).replaceAll(/(?<=<\/?)order/g, 'a'),
    ],
  ])('%s', async (_, schema, xml) => {
    expect(await findingsOf(xml, 'in-band', schema)).toEqual([])
    expect(await findingsOf(xml, 'sealed', schema)).toEqual([])
  })

  it.each<[what: string, schema: object, content: string, rule: string]>([
    ['what is too much, whatever its name', closed([]), '<constructor xmlns=""/>', 'additionalProperties'],
    ['__proto__ that is too much', closed([]), '<__proto__ xmlns=""><o/></__proto__>', 'additionalProperties'],
    ['a name that is not there', rootOf({ required: ['constructor'] }), '<n/>', 'required'],
    [
      'a name that is not within __proto__',
      rootOf({ required: ['n'] }),
      '<__proto__ xmlns=""><n/></__proto__>',
      'required',
    ],
    [
      'what is within constructor',
      rootOf({ properties: { constructor: { properties: { n: { type: 'integer' } } } } }),
      '<constructor xmlns=""><n>x</n></constructor>',
      'type',
    ],
  ])('%s', async (_, schema, content, rule) => {
    expect((await findingsOf(order(content), 'in-band', schema)).map((one) => one.rule)).toEqual([rule])
  })
})

describe('what stands alone takes the shape that the schema wants', () => {
  const schema = {
    $defs: { a: { type: 'array', items: { type: 'object' } } },
    properties: { x: { allOf: [{ $ref: '#a' }] } },
  }
  const resolve = () => schema.$defs.a
  it.each<[Json, Json]>([
    [{ x: 'one' }, { x: [{ '#text': 'one' }] }],
    [{ x: ['one', { y: '1' }] }, { x: [{ '#text': 'one' }, { y: '1' }] }],
    [{ x: '' }, { x: [] }],
    [{ z: 'other' }, { z: 'other' }],
    ['text', 'text'],
  ])('%j', (value, expected) => expect(shape(value, schema, resolve)).toEqual(expected))

  it('even where it refers to itself', () => {
    const circle = { $ref: '#' }
    expect(shape('text', circle, () => circle)).toBe('text')
    const lists = { type: 'array', items: { $ref: '#' } }
    expect(() => shape({ x: 'text' }, lists, () => lists)).not.toThrow()
    const mappings = { type: 'object', properties: { '#text': { $ref: '#' } } }
    expect(() => shape({ '#text': 'text' }, mappings, () => mappings)).not.toThrow()
  })
})

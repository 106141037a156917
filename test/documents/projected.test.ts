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

async function findingsOf(xml: string, form: 'in-band' | 'sealed' = 'in-band'): Promise<readonly Finding[]> {
  const type = typeOf('order', {
    namespaces: { o: 'urn:order' },
    schema: bundle('json', { 'order.json': JSON.stringify(SCHEMA) }),
  })
  const { documents, problems } = await compileDocuments([type], limits)
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
  })
})

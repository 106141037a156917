import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readSchemaFiles } from '../../../src/documents/schema-files.ts'
import { attributeOfType, childrenOf, mostOf, typesInPlaceOf } from '../../../src/documents/xsd/children.ts'
import type { ComplexType, Particle, TypeDefinition, XsdSchema } from '../../../src/documents/xsd/components.ts'
import { readXsdSchema } from '../../../src/documents/xsd/read-schema.ts'
import { schemaOf, xsd } from './given.ts'

/** A content model as text: `a, (b | c{0,*}), any`. */
function modelOf(type: TypeDefinition): string {
  if (type.kind !== 'complex') return type.kind
  const { content } = type
  if (content.kind !== 'elements') return content.kind
  return show(content.particle)
}

function show(particle: Particle): string {
  const times =
    particle.min === 1 && particle.max === 1
      ? ''
      : `{${particle.min},${particle.max === Number.POSITIVE_INFINITY ? '*' : particle.max}}`
  switch (particle.kind) {
    case 'element':
      return particle.declaration.name + times
    case 'wildcard':
      return `any${times}`
    case 'unknown':
      return `?${times}`
    default: {
      const sign = { sequence: ', ', choice: ' | ', all: ' & ' }[particle.kind]
      return `(${particle.particles.map(show).join(sign)})${times}`
    }
  }
}

const typeIn = (text: string, name = 't') => schemaOf(text).types.get(name)!
const complexIn = (text: string, name?: string) => typeIn(text, name) as ComplexType

describe('the content model of a type', () => {
  it.each([
    [
      'a sequence',
      '<xs:sequence><xs:element name="a"/><xs:element name="b" minOccurs="0"/></xs:sequence>',
      '(a, b{0,1})',
    ],
    [
      'a choice',
      '<xs:choice maxOccurs="unbounded"><xs:element name="a"/><xs:element name="b"/></xs:choice>',
      '(a | b){1,*}',
    ],
    ['all', '<xs:all><xs:element name="a"/><xs:element name="b"/></xs:all>', '(a & b)'],
    [
      'a group in a group',
      '<xs:sequence><xs:choice><xs:element name="a"/></xs:choice><xs:any/></xs:sequence>',
      '((a), any)',
    ],
    ['what can never stand there', '<xs:sequence><xs:element name="a" maxOccurs="0"/></xs:sequence>', '()'],
    ['nothing', '', 'empty'],
    ['a named group', '<xs:sequence><xs:group ref="g" minOccurs="0"/></xs:sequence>', '((x, y){0,1})'],
    ['a reference', '<xs:sequence><xs:element ref="top" maxOccurs="9"/></xs:sequence>', '(top{1,9})'],
    ['a reference to nothing', '<xs:sequence><xs:element ref="nowhere"/></xs:sequence>', '(?)'],
    ['a group that is in itself', '<xs:sequence><xs:group ref="loop"/></xs:sequence>', '((?))'],
    [
      'an extension after its base',
      '<xs:complexContent><xs:extension base="base"><xs:sequence><xs:element name="c"/></xs:sequence></xs:extension></xs:complexContent>',
      '((a), (c))',
    ],
    ['an extension without more', '<xs:complexContent><xs:extension base="base"/></xs:complexContent>', '(a)'],
    [
      'a restriction in the place of its base',
      '<xs:complexContent><xs:restriction base="base"><xs:sequence><xs:element name="a" minOccurs="2"/></xs:sequence></xs:restriction></xs:complexContent>',
      '(a{2,1})',
    ],
    ['text', '<xs:simpleContent><xs:extension base="xs:decimal"/></xs:simpleContent>', 'simple'],
    ['an unknown base', '<xs:complexContent><xs:extension base="nowhere"/></xs:complexContent>', 'unknown'],
  ])('holds %s', (_, inner, expected) => {
    const schema = schemaOf(`
      <xs:complexType name="t">${inner}</xs:complexType>
      <xs:complexType name="base"><xs:sequence><xs:element name="a"/></xs:sequence></xs:complexType>
      <xs:group name="g"><xs:sequence><xs:element name="x"/><xs:element name="y"/></xs:sequence></xs:group>
      <xs:group name="loop"><xs:sequence><xs:group ref="loop"/></xs:sequence></xs:group>
      <xs:element name="top" type="xs:string"/>`)
    expect(modelOf(schema.types.get('t')!)).toBe(expected)
  })

  it('may be recursive', () => {
    const type = complexIn(
      '<xs:complexType name="t"><xs:sequence><xs:element name="t" type="t" minOccurs="0"/></xs:sequence></xs:complexType>',
    )
    const { content } = type
    const inner = content.kind === 'elements' && content.particle.kind === 'sequence' && content.particle.particles[0]
    expect(inner && inner.kind === 'element' && inner.declaration.type).toBe(type)
  })

  it('of a type that is derived from itself is unknown', () => {
    const text =
      '<xs:complexType name="t"><xs:complexContent><xs:extension base="t"/></xs:complexContent></xs:complexType>'
    expect(typeIn(text).kind).toBe('unknown')
  })
})

describe('names', () => {
  const text =
    '<xs:element name="r"><xs:complexType><xs:sequence><xs:element name="a"/><xs:element name="b" form="unqualified"/></xs:sequence><xs:attribute name="c"/></xs:complexType></xs:element>'

  it.each([
    ['elementFormDefault="qualified"', ['{urn:t}a', 'b'], 'c'],
    ['', ['a', 'b'], 'c'],
    ['attributeFormDefault="qualified"', ['a', 'b'], '{urn:t}c'],
  ])('of local declarations follow the form (%s)', (form, elements, attribute) => {
    const schema = readXsdSchema(xsd({ 'a.xsd': [text, `targetNamespace="urn:t" ${form}`] }))
    const { type } = schema.elements.get('{urn:t}r')!
    expect([...childrenOf(type, schema).elements.keys()]).toEqual(elements)
    expect((type as ComplexType).attributes.map(({ declaration }) => declaration.name)).toEqual([attribute])
  })

  it('of an included file without namespace are in that of the file which includes it', () => {
    const schema = readXsdSchema(
      xsd({
        'a.xsd': ['<xs:include schemaLocation="inner/b.xsd"/>', 'targetNamespace="urn:t" xmlns="urn:t"'],
        'inner/b.xsd': [
          '<xs:element name="e" type="T"/><xs:simpleType name="T"><xs:restriction base="xs:int"/></xs:simpleType>',
          '',
        ],
      }),
    )
    expect(schema.elements.get('{urn:t}e')!.type).toBe(schema.types.get('{urn:t}T'))
  })

  it('of an imported namespace that has no file are unknown, not absent', () => {
    const schema = readXsdSchema(
      xsd({ 'a.xsd': ['<xs:import namespace="urn:o"/><xs:element name="e" type="o:T" xmlns:o="urn:o"/>', ''] }),
    )
    expect(schema.elements.get('e')!.type.kind).toBe('unknown')
    expect([...schema.unknownNamespaces]).toEqual(['urn:o'])
  })

  it('that are redefined are unknown', () => {
    const schema = readXsdSchema(
      xsd({
        'a.xsd': [
          '<xs:redefine schemaLocation="b.xsd"><xs:complexType name="T"><xs:complexContent><xs:extension base="T"/></xs:complexContent></xs:complexType></xs:redefine>',
          '',
        ],
        'b.xsd': ['<xs:complexType name="T"/><xs:complexType name="U"/>', ''],
      }),
    )
    expect([schema.types.get('T')!.kind, schema.types.get('U')!.kind]).toEqual(['unknown', 'complex'])
  })
})

describe('attributes', () => {
  const type = (inner: string, more = '') => complexIn(`<xs:complexType name="t">${inner}</xs:complexType>${more}`)
  const names = ({ attributes }: ComplexType) => attributes.map(({ declaration }) => declaration.name)

  it('come from groups and from the base', () => {
    const made = type(
      '<xs:complexContent><xs:extension base="b"><xs:attribute name="c"/><xs:attributeGroup ref="g"/></xs:extension></xs:complexContent>',
      '<xs:complexType name="b"><xs:attribute name="a" use="required"/></xs:complexType><xs:attributeGroup name="g"><xs:attribute name="d" default="1"/></xs:attributeGroup>',
    )
    expect(names(made)).toEqual(['a', 'c', 'd'])
    expect(made.attributes.map(({ required }) => required)).toEqual([true, false, false])
    expect(made.attributes[2]!.default).toBe('1')
    expect([attributeOfType(made, 'e'), made.attributesKnown]).toEqual([undefined, true])
  })

  it('go where a restriction prohibits them', () => {
    const made = type(
      '<xs:complexContent><xs:restriction base="b"><xs:attribute name="a" use="prohibited"/></xs:restriction></xs:complexContent>',
      '<xs:complexType name="b"><xs:attribute name="a"/><xs:attribute name="c"/></xs:complexType>',
    )
    expect(names(made)).toEqual(['c'])
  })

  it('are open under a wildcard and in an unknown group', () => {
    expect(attributeOfType(type('<xs:anyAttribute namespace="##other"/>'), '{urn:x}a')).toBe('perhaps')
    expect(attributeOfType(type('<xs:anyAttribute namespace="##other"/>'), 'a')).toBeUndefined()
    expect(attributeOfType(type('<xs:attributeGroup ref="nowhere"/>'), 'a')).toBe('perhaps')
  })
})

describe('what may stand for another', () => {
  const schema = schemaOf(`
    <xs:element name="head" type="xs:string" abstract="true"/>
    <xs:element name="one" substitutionGroup="head"/>
    <xs:element name="two" substitutionGroup="one"/>
    <xs:complexType name="t"><xs:sequence><xs:element ref="head" maxOccurs="3"/></xs:sequence></xs:complexType>
    <xs:complexType name="u"><xs:complexContent><xs:extension base="t"/></xs:complexContent></xs:complexType>
    <xs:complexType name="v"><xs:complexContent><xs:extension base="u"/></xs:complexContent></xs:complexType>`)

  it('are the elements of its substitution group, of any depth', () => {
    const type = schema.types.get('t')!
    expect([...childrenOf(type, schema).elements.keys()]).toEqual(['one', 'two'])
    expect(mostOf(type, 'two', schema)).toBe(3)
    expect(schema.elements.get('one')!.type).toMatchObject({ kind: 'simple', primitive: 'string' })
  })

  it('are the types derived from it, of any depth', () => {
    const types = typesInPlaceOf(schema.types.get('t')!, schema)
    expect(types.map((type) => (type.kind === 'complex' ? type.name : ''))).toEqual(['t', 'u', 'v'])
  })
})

describe('how often an element may stand there', () => {
  it.each([
    ['<xs:sequence><xs:element name="a"/><xs:element name="a"/></xs:sequence>', 2],
    ['<xs:choice><xs:element name="a" maxOccurs="3"/><xs:element name="a"/></xs:choice>', 3],
    ['<xs:sequence maxOccurs="4"><xs:element name="a" maxOccurs="2"/></xs:sequence>', 8],
    ['<xs:sequence><xs:element name="b"/></xs:sequence>', 0],
    ['<xs:sequence><xs:element name="a"/><xs:any maxOccurs="unbounded"/></xs:sequence>', Number.POSITIVE_INFINITY],
    ['<xs:sequence maxOccurs="unbounded"><xs:element name="b"/></xs:sequence>', 0],
  ])('%s: %d', (inner, most) => {
    const schema: XsdSchema = schemaOf(`<xs:complexType name="t">${inner}</xs:complexType>`)
    expect(mostOf(schema.types.get('t')!, 'a', schema)).toBe(most)
  })
})

const CORPORA = resolve(process.env.WAYBILL_CORPORA ?? '../shared/corpora')
const present = existsSync(CORPORA)
if (!present) console.warn(`The corpora are not in ${CORPORA}: their schemas are not read here.`)

describe.runIf(present)('of the schemas of real documents', () => {
  it.each([
    ['ubl-2.1', 'maindoc/UBL-Invoice-2.1.xsd'],
    ['ubl-2.1', 'maindoc/UBL-Order-2.1.xsd'],
    ['camt', 'camt.053.001.02.xsd'],
    ['camt', 'camt.053.001.08.xsd'],
  ])('%s/%s everything is known', (bundle, file) => {
    const folder = join(CORPORA, bundle)
    const schema = readXsdSchema(readSchemaFiles({ language: 'xsd', folder, file: join(folder, file) }))
    expect([...schema.unknownNamespaces]).toEqual([])
    expect(unknownsIn(schema)).toEqual([])
  })
})

/** Everything that can be reached from the global declarations, and isn't known. */
function unknownsIn(schema: XsdSchema): readonly string[] {
  const unknowns: string[] = []
  const seen = new Set<TypeDefinition>()
  const look = (type: TypeDefinition, whose: string): void => {
    if (seen.has(type)) return
    seen.add(type)
    if (type.kind === 'unknown') unknowns.push(`${whose}: ${type.reason}`)
    if (type.kind !== 'complex') return
    if (type.content.kind === 'unknown') unknowns.push(`${whose}: content`)
    for (const { declaration } of type.attributes) look(declaration.type, `${whose}/@${declaration.name}`)
    const { elements, open } = childrenOf(type, schema)
    if (open) unknowns.push(`${whose}: open`)
    for (const [name, declarations] of elements) for (const one of declarations) look(one.type, `${whose}/${name}`)
  }
  for (const { name, type } of schema.elements.values()) look(type, name)
  for (const [name, type] of schema.types) look(type, name)
  return unknowns
}

import { BUILT_IN_TYPES } from './built-in-types.ts'
import type { Facets, SimpleType, TypeDefinition, UnknownType } from './components.ts'
import type { SchemaNode } from './schema-document.ts'
import { type Defined, placeOf, resolveName } from './symbols.ts'

/** How the type of a name is found. */
export type TypeNamed = (name: string) => TypeDefinition

type Simple = SimpleType | UnknownType

/** The simple type that an `xs:simpleType` defines. */
export function makeSimpleType(defined: Defined, name: string | undefined, typeNamed: TypeNamed): Simple {
  const way = defined.node.children.find((child) => ['restriction', 'list', 'union'].includes(child.name))
  switch (way?.name) {
    case 'restriction':
      return restricted({ ...defined, node: way }, name, typeNamed)
    case 'list':
      return listOf({ ...defined, node: way }, name, typeNamed)
    case 'union':
      return unionOf({ ...defined, node: way }, name, typeNamed)
    default:
      return unknown('a simple type without restriction, list or union')
  }
}

export function unknown(reason: string): UnknownType {
  return { kind: 'unknown', reason }
}

/** What a restriction in a simple type, or in simple content, makes of its base. */
export function restrict(base: Simple, defined: Defined, name: string | undefined): Simple {
  if (base.kind === 'unknown') return base
  if (hasTwice(defined.node.children)) return unknown('a facet is given twice')
  const facets = mergeFacets(base.facets, defined.node.children)
  return { ...base, name, at: placeOf(defined), base, facets }
}

const REPEATED: ReadonlySet<string> = new Set(['enumeration', 'pattern', 'annotation', 'attribute', 'attributeGroup'])

/** Which libxml2 lets pass, against XML Schema 2, 4.3. */
function hasTwice(nodes: readonly SchemaNode[]): boolean {
  const names = nodes.map(({ name }) => name).filter((name) => !REPEATED.has(name))
  return new Set(names).size < names.length
}

function restricted(defined: Defined, name: string | undefined, typeNamed: TypeNamed): Simple {
  const base = referred(defined, 'base', typeNamed) ?? inner(defined, typeNamed)[0]
  return base ? restrict(base, defined, name) : unknown('a restriction without base')
}

const COLLAPSED: Facets = { whiteSpace: 'collapse' }

function listOf(defined: Defined, name: string | undefined, typeNamed: TypeNamed): Simple {
  const item = referred(defined, 'itemType', typeNamed) ?? inner(defined, typeNamed)[0]
  if (!item) return unknown('a list without item type')
  return { ...composed(defined, name), variety: 'list', item, members: [], facets: COLLAPSED }
}

function unionOf(defined: Defined, name: string | undefined, typeNamed: TypeNamed): Simple {
  const names = defined.node.attributes.get('memberTypes')?.trim().split(/\s+/) ?? []
  const members = [
    ...names.map((member) => asSimple(typeNamed(resolveName(member, defined)))),
    ...inner(defined, typeNamed),
  ]
  return { ...composed(defined, name), variety: 'union', item: undefined, members, facets: COLLAPSED }
}

function composed(defined: Defined, name: string | undefined) {
  return { kind: 'simple', name, at: placeOf(defined), primitive: undefined, base: undefined } as const
}

function referred(defined: Defined, attribute: string, typeNamed: TypeNamed): Simple | undefined {
  const name = defined.node.attributes.get(attribute)
  return name === undefined ? undefined : asSimple(typeNamed(resolveName(name, defined)))
}

function inner({ node, document }: Defined, typeNamed: TypeNamed): readonly Simple[] {
  return node.children
    .filter(({ name }) => name === 'simpleType')
    .map((child) => makeSimpleType({ node: child, document }, undefined, typeNamed))
}

export function asSimple(type: TypeDefinition): Simple {
  return type.kind === 'complex' ? unknown('a complex type in the place of a simple one') : type
}

const NUMBERS: ReadonlySet<string> = new Set(['length', 'minLength', 'maxLength', 'totalDigits', 'fractionDigits'])
const BOUNDS: Readonly<Record<string, readonly (keyof Facets)[]>> = {
  minInclusive: ['minExclusive'],
  minExclusive: ['minInclusive'],
  maxInclusive: ['maxExclusive'],
  maxExclusive: ['maxInclusive'],
}

const BY_STRICTNESS: readonly Facets['whiteSpace'][] = ['preserve', 'replace', 'collapse']

/** A restriction that loosens it is no schema; libxml2 lets it pass, and goes by the base. */
function stricter(one: Facets['whiteSpace'], other: Facets['whiteSpace']): Facets['whiteSpace'] {
  return BY_STRICTNESS.indexOf(one) < BY_STRICTNESS.indexOf(other) ? other : one
}

/** Facets of one step of derivation over those of the base. Patterns of one step are an OR, steps are an AND (XML Schema 2, 4.3.4). */
function mergeFacets(base: Facets, nodes: readonly SchemaNode[]): Facets {
  const merged: { -readonly [K in keyof Facets]: Facets[K] } = { ...base }
  const values = (name: string) =>
    nodes.flatMap((node) => (node.name === name ? [node.attributes.get('value') ?? ''] : []))
  const enumeration = values('enumeration')
  if (enumeration.length > 0) merged.enumeration = enumeration
  const patterns = values('pattern')
  if (patterns.length > 0) merged.patterns = [...(base.patterns ?? []), patterns]
  for (const { name, attributes } of nodes) {
    const value = attributes.get('value')?.trim()
    if (value === undefined) continue
    if (NUMBERS.has(name)) merged[name as 'length'] = Number(value)
    if (Object.hasOwn(BOUNDS, name)) {
      for (const other of BOUNDS[name]!) delete merged[other]
      merged[name as 'minInclusive'] = value
    }
    if (name === 'whiteSpace') merged.whiteSpace = stricter(base.whiteSpace, value as Facets['whiteSpace'])
  }
  return merged
}

export function builtInType(name: string): SimpleType | undefined {
  return BUILT_IN_TYPES.get(name)
}

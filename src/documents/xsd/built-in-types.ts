import type { ComplexType, Facets, SimpleType, Wildcard } from './components.ts'

export const XSD_NAMESPACE = 'http://www.w3.org/2001/XMLSchema'

const name = (local: string) => `{${XSD_NAMESPACE}}${local}`

/** XML Schema 2, 3.2. The white space of all but string is collapsed. */
const PRIMITIVES =
  'string boolean decimal float double duration dateTime time date gYearMonth gYear gMonthDay gDay gMonth hexBinary base64Binary anyURI QName NOTATION'

type Derived = readonly [local: string, base: string, facets?: Partial<Facets>]

/** XML Schema 2, 3.3, each after its base. */
const DERIVED: readonly Derived[] = [
  ['normalizedString', 'string', { whiteSpace: 'replace' }],
  ['token', 'normalizedString', { whiteSpace: 'collapse' }],
  ['language', 'token', { patterns: [['[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*']] }],
  ['NMTOKEN', 'token', { minLength: 1 }],
  ['Name', 'token', { minLength: 1 }],
  ['NCName', 'Name'],
  ['ID', 'NCName'],
  ['IDREF', 'NCName'],
  ['ENTITY', 'NCName'],
  ['integer', 'decimal', { fractionDigits: 0 }],
  ['nonPositiveInteger', 'integer', { maxInclusive: '0' }],
  ['negativeInteger', 'nonPositiveInteger', { maxInclusive: '-1' }],
  ['long', 'integer', { minInclusive: '-9223372036854775808', maxInclusive: '9223372036854775807' }],
  ['int', 'long', { minInclusive: '-2147483648', maxInclusive: '2147483647' }],
  ['short', 'int', { minInclusive: '-32768', maxInclusive: '32767' }],
  ['byte', 'short', { minInclusive: '-128', maxInclusive: '127' }],
  ['nonNegativeInteger', 'integer', { minInclusive: '0' }],
  ['unsignedLong', 'nonNegativeInteger', { maxInclusive: '18446744073709551615' }],
  ['unsignedInt', 'unsignedLong', { maxInclusive: '4294967295' }],
  ['unsignedShort', 'unsignedInt', { maxInclusive: '65535' }],
  ['unsignedByte', 'unsignedShort', { maxInclusive: '255' }],
  ['positiveInteger', 'nonNegativeInteger', { minInclusive: '1' }],
]

const LISTS: readonly (readonly [local: string, item: string])[] = [
  ['NMTOKENS', 'NMTOKEN'],
  ['IDREFS', 'IDREF'],
  ['ENTITIES', 'ENTITY'],
]

const ATOMIC = { kind: 'simple', at: '', variety: 'atomic', item: undefined, members: [] } as const

/** XML Schema 2, 3.1: what an attribute without a type has. It takes every text. */
export const ANY_SIMPLE_TYPE: SimpleType = {
  ...ATOMIC,
  name: name('anySimpleType'),
  primitive: undefined,
  base: undefined,
  facets: { whiteSpace: 'preserve' },
}

/** By expanded name. */
export const BUILT_IN_TYPES: ReadonlyMap<string, SimpleType> = makeBuiltIns()

function makeBuiltIns(): ReadonlyMap<string, SimpleType> {
  const types = new Map<string, SimpleType>()
  for (const local of PRIMITIVES.split(' ')) {
    const facets: Facets = { whiteSpace: local === 'string' ? 'preserve' : 'collapse' }
    types.set(name(local), { ...ATOMIC, name: name(local), primitive: local, base: undefined, facets })
  }
  for (const [local, baseName, facets = {}] of DERIVED) {
    const base = types.get(name(baseName))!
    const merged = { ...base.facets, ...facets }
    types.set(name(local), { ...ATOMIC, name: name(local), primitive: base.primitive, base, facets: merged })
  }
  for (const [local, itemName] of LISTS) {
    const facets: Facets = { whiteSpace: 'collapse', minLength: 1 }
    const item = types.get(name(itemName))!
    const list = { ...ATOMIC, variety: 'list', name: name(local), primitive: undefined, base: undefined, item } as const
    types.set(name(local), { ...list, facets })
  }
  types.set(ANY_SIMPLE_TYPE.name!, ANY_SIMPLE_TYPE)
  return types
}

const ANYTHING: Wildcard = { namespaces: { kind: 'any' }, process: 'lax' }

/** XML Schema 1, 3.4.7: what an element without a type has. */
export const ANY_TYPE: ComplexType = {
  kind: 'complex',
  name: name('anyType'),
  at: '',
  abstract: false,
  mixed: true,
  base: undefined,
  derivation: 'restriction',
  content: {
    kind: 'elements',
    particle: {
      kind: 'wildcard',
      wildcard: ANYTHING,
      min: 0,
      max: Number.POSITIVE_INFINITY,
    },
  },
  attributes: [],
  anyAttribute: ANYTHING,
  attributesKnown: true,
}

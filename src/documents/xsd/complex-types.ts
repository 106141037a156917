import { ANY_TYPE } from './built-in-types.ts'
import type {
  AttributeUse,
  ComplexType,
  Content,
  Name,
  Particle,
  SimpleType,
  Term,
  TypeDefinition,
  UnknownType,
  Wildcard,
} from './components.ts'
import type { Components } from './lookup.ts'
import { isTrue, type SchemaNode } from './schema-document.ts'
import { makeSimpleType, restrict, unknown } from './simple-types.ts'
import { type Defined, placeOf, resolveName } from './symbols.ts'

/** The complex type that an `xs:complexType` defines (XML Schema 1, 3.4.2). Content and attributes are made when they are asked for. */
export function makeComplexType(
  defined: Defined,
  name: Name | undefined,
  components: Components,
): ComplexType | UnknownType {
  const derivation = derivationOf(defined, components)
  if (derivation.base.kind === 'unknown') return derivation.base
  let content: Content | undefined
  let attributes: Attributes | undefined
  const attributesOnce = () => {
    attributes ??= attributesOf(derivation, components)
    return attributes
  }
  return {
    kind: 'complex',
    name,
    at: placeOf(defined),
    abstract: isTrue(defined.node.attributes.get('abstract')),
    mixed: derivation.mixed,
    base: derivation.base,
    derivation: derivation.kind,
    get content() {
      content ??= contentOf(derivation, components)
      return content
    },
    get attributes() {
      return attributesOnce().uses
    },
    get anyAttribute() {
      return attributesOnce().wildcard
    },
    get attributesKnown() {
      return attributesOnce().known
    },
  }
}

/** What a type is made of its base by: the element that holds the particle and the attributes. */
interface Derivation {
  readonly kind: 'extension' | 'restriction'
  readonly base: TypeDefinition
  readonly mixed: boolean
  readonly isSimple: boolean
  readonly defined: Defined
}

function derivationOf(defined: Defined, { typeNamed }: Components): Derivation {
  const { node, document } = defined
  const mixed = isTrue(node.attributes.get('mixed'))
  const content = node.children.find(({ name }) => name === 'simpleContent' || name === 'complexContent')
  const way = content?.children.find(({ name }) => name === 'extension' || name === 'restriction')
  // Without either it restricts xs:anyType.
  if (!content || !way) return { kind: 'restriction', base: ANY_TYPE, mixed, isSimple: false, defined }
  const inner: Defined = { node: way, document }
  const baseName = way.attributes.get('base')
  const base = baseName === undefined ? unknown('no base is named') : typeNamed(resolveName(baseName, inner))
  const own = content.attributes.get('mixed')
  return {
    kind: way.name === 'extension' ? 'extension' : 'restriction',
    base,
    mixed:
      (own === undefined ? mixed : isTrue(own)) || (base.kind === 'complex' && way.name === 'extension' && base.mixed),
    isSimple: content.name === 'simpleContent',
    defined: inner,
  }
}

// ------------------------------------------------------------------------------------------------------ content

const UNKNOWN_CONTENT: Content = { kind: 'unknown' }

function contentOf(derivation: Derivation, components: Components): Content {
  if (derivation.isSimple) return simpleContent(derivation, components)
  const own = particleWithin(derivation.defined, components)
  const { base } = derivation
  if (derivation.kind === 'restriction') return own ? { kind: 'elements', particle: own } : { kind: 'empty' }
  if (base.kind !== 'complex') return UNKNOWN_CONTENT
  const inherited = base.content
  switch (inherited.kind) {
    case 'empty':
      return own ? { kind: 'elements', particle: own } : inherited
    case 'elements': {
      if (!own) return inherited
      // XML Schema 1, 3.4.2: the base's particle, then its own.
      return { kind: 'elements', particle: { kind: 'sequence', particles: [inherited.particle, own], min: 1, max: 1 } }
    }
    default:
      return UNKNOWN_CONTENT
  }
}

function simpleContent({ kind, base, defined }: Derivation, { typeNamed }: Components): Content {
  const inherited = simpleTypeOf(base)
  if (!inherited) return UNKNOWN_CONTENT
  if (kind === 'extension') return { kind: 'simple', type: inherited }
  const inner = defined.node.children.find(({ name }) => name === 'simpleType')
  const narrowed = inner ? makeSimpleType({ ...defined, node: inner }, undefined, typeNamed) : inherited
  return { kind: 'simple', type: restrict(narrowed, defined, undefined) }
}

function simpleTypeOf(type: TypeDefinition): SimpleType | UnknownType | undefined {
  if (type.kind !== 'complex') return type
  return type.content.kind === 'simple' ? type.content.type : undefined
}

const PARTICLES: ReadonlySet<string> = new Set(['sequence', 'choice', 'all', 'group'])

function particleWithin({ node, document }: Defined, components: Components): Particle | undefined {
  const found = node.children.find(({ name }) => PARTICLES.has(name))
  const particle = found && particleOf({ node: found, document }, components, new Set())
  return particle && particle.max > 0 ? particle : undefined
}

/** @param around Names of the groups that this stands in: a group in itself is no schema. */
function particleOf(defined: Defined, components: Components, around: ReadonlySet<Name>): Particle {
  return { ...occurrenceOf(defined.node), ...termOf(defined, components, around) }
}

function occurrenceOf({ attributes }: SchemaNode): { readonly min: number; readonly max: number } {
  const max = attributes.get('maxOccurs')?.trim()
  return {
    min: Number(attributes.get('minOccurs') ?? 1),
    max: max === 'unbounded' ? Number.POSITIVE_INFINITY : Number(max ?? 1),
  }
}

function termOf(defined: Defined, components: Components, around: ReadonlySet<Name>): Term {
  const { node, document } = defined
  switch (node.name) {
    case 'element':
      return elementTerm(defined, components)
    case 'any':
      return { kind: 'wildcard', wildcard: wildcardOf(defined) }
    case 'group':
      return groupTerm(defined, components, around)
    case 'sequence':
    case 'choice':
    case 'all': {
      const particles = node.children
        .filter(({ name }) => PARTICLES.has(name) || name === 'element' || name === 'any')
        .map((child) => particleOf({ node: child, document }, components, around))
      return { kind: node.name, particles: particles.filter(({ max }) => max > 0) }
    }
    default:
      return { kind: 'unknown', reason: `a particle ${node.name}` }
  }
}

function elementTerm(defined: Defined, components: Components): Term {
  const reference = defined.node.attributes.get('ref')
  if (reference === undefined) return { kind: 'element', declaration: components.localElement(defined) }
  const declaration = components.elementNamed(resolveName(reference, defined))
  return declaration
    ? { kind: 'element', declaration }
    : { kind: 'unknown', reason: `there is no element ${reference}` }
}

function groupTerm(defined: Defined, components: Components, around: ReadonlySet<Name>): Term {
  const name = resolveName(defined.node.attributes.get('ref') ?? '', defined)
  const group = components.symbols.groups.get(name)
  if (!group || components.symbols.redefined.has(name) || around.has(name)) {
    return { kind: 'unknown', reason: `the group ${name}` }
  }
  const inner = group.node.children.find((child) => PARTICLES.has(child.name))
  if (!inner) return { kind: 'sequence', particles: [] }
  // The group's own model has no occurrences; those of the reference count.
  return termOf({ node: inner, document: group.document }, components, new Set([...around, name]))
}

function wildcardOf({ node, document }: Defined): Wildcard {
  const process = node.attributes.get('processContents') ?? 'strict'
  const namespace = node.attributes.get('namespace')?.trim() ?? '##any'
  return { namespaces: namespacesOf(namespace, document.targetNamespace), process: process as Wildcard['process'] }
}

function namespacesOf(text: string, target: string): Wildcard['namespaces'] {
  if (text === '##any') return { kind: 'any' }
  if (text === '##other') return { kind: 'other', than: target }
  // An empty list takes nothing.
  const names = (text === '' ? [] : text.split(/\s+/)).map((name) => {
    if (name === '##targetNamespace') return target
    return name === '##local' ? '' : name
  })
  return { kind: 'list', names }
}

// --------------------------------------------------------------------------------------------------- attributes

interface Attributes {
  readonly uses: readonly AttributeUse[]
  readonly wildcard: Wildcard | undefined
  readonly known: boolean
}

const NO_ATTRIBUTES: Attributes = { uses: [], wildcard: undefined, known: true }

function attributesOf({ kind, base, defined }: Derivation, components: Components): Attributes {
  const own = ownAttributes(defined, components, new Set())
  const inherited = base.kind === 'complex' && base !== ANY_TYPE ? inheritedAttributes(base) : NO_ATTRIBUTES
  // An extension takes nothing away: there, what is prohibited stays as the base has it (XML Schema 1, 3.4.2).
  const prohibited = kind === 'restriction' ? own.prohibited : []
  const mine = new Set([...own.uses.map(({ declaration }) => declaration.name), ...prohibited])
  const uses = [...inherited.uses.filter(({ declaration }) => !mine.has(declaration.name)), ...own.uses]
  // A restriction has the wildcard that it says; an extension has its base's as well, and of two the union, which isn't made here.
  const wildcard = kind === 'restriction' ? own.wildcard : (own.wildcard ?? inherited.wildcard)
  const isUnion = kind === 'extension' && own.wildcard !== undefined && inherited.wildcard !== undefined
  return { uses, wildcard, known: own.known && inherited.known && !isUnion }
}

function inheritedAttributes({ attributes, anyAttribute, attributesKnown }: ComplexType): Attributes {
  return { uses: attributes, wildcard: anyAttribute, known: attributesKnown }
}

interface OwnAttributes extends Attributes {
  readonly prohibited: readonly Name[]
}

function ownAttributes({ node, document }: Defined, components: Components, around: ReadonlySet<Name>): OwnAttributes {
  const uses: AttributeUse[] = []
  const prohibited: Name[] = []
  let wildcard: Wildcard | undefined
  let known = true
  for (const child of node.children) {
    const defined: Defined = { node: child, document }
    if (child.name === 'anyAttribute') wildcard = wildcardOf(defined)
    if (child.name === 'attribute') {
      const use = attributeUse(defined, components)
      if (child.attributes.get('use') === 'prohibited') prohibited.push(use.declaration.name)
      else uses.push(use)
    }
    if (child.name !== 'attributeGroup') continue
    const group = attributeGroup(defined, components, around)
    uses.push(...group.uses)
    // Of two the intersection holds, which isn't made here.
    known &&= group.known && (wildcard === undefined || group.wildcard === undefined)
    wildcard ??= group.wildcard
  }
  return { uses, prohibited, wildcard, known }
}

function attributeGroup(defined: Defined, components: Components, around: ReadonlySet<Name>): Attributes {
  const name = resolveName(defined.node.attributes.get('ref') ?? '', defined)
  const group = components.symbols.attributeGroups.get(name)
  if (!group || components.symbols.redefined.has(name) || around.has(name)) return { ...NO_ATTRIBUTES, known: false }
  return ownAttributes(group, components, new Set([...around, name]))
}

function attributeUse(defined: Defined, components: Components): AttributeUse {
  const { attributes } = defined.node
  const reference = attributes.get('ref')
  const declaration =
    reference === undefined ? components.localAttribute(defined) : referredAttribute(reference, defined, components)
  return {
    declaration,
    required: attributes.get('use') === 'required',
    default: attributes.get('default') ?? declaration.default,
    fixed: attributes.get('fixed') ?? declaration.fixed,
  }
}

/** `xml:lang` and the like are referred to without being declared in any file at hand. */
function referredAttribute(reference: string, defined: Defined, { attributeNamed }: Components) {
  const name = resolveName(reference, defined)
  const missing = { name, at: placeOf(defined), isGlobal: true, default: undefined, fixed: undefined }
  return attributeNamed(name) ?? { ...missing, type: unknown(`there is no attribute ${reference}`) }
}

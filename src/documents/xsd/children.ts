import { ANY_TYPE } from './built-in-types.ts'
import type {
  ComplexType,
  ElementDeclaration,
  Name,
  Particle,
  TypeDefinition,
  Wildcard,
  XsdSchema,
} from './components.ts'
import { namespaceOfName } from './symbols.ts'

/** What may stand in elements of one type. */
export interface Children {
  /** By name; two declarations of one name may stand in one type. */
  readonly elements: ReadonlyMap<Name, readonly ElementDeclaration[]>
  readonly wildcards: readonly Wildcard[]
  /** There may be more than is told here. */
  readonly open: boolean
}

const NO_CHILDREN: Children = { elements: new Map(), wildcards: [], open: false }

/** What a declared type lets stand in an element, without what `xsi:type` may bring. */
export function childrenOf(type: TypeDefinition, schema: XsdSchema): Children {
  if (type.kind === 'unknown') return { ...NO_CHILDREN, open: true }
  if (type.kind === 'simple') return NO_CHILDREN
  const { content } = type
  switch (content.kind) {
    case 'empty':
    case 'simple':
      return NO_CHILDREN
    case 'unknown':
      return { ...NO_CHILDREN, open: true }
    case 'elements':
      return gather(content.particle, schema)
  }
}

function gather(particle: Particle, schema: XsdSchema): Children {
  const elements = new Map<Name, ElementDeclaration[]>()
  const wildcards: Wildcard[] = []
  let open = false
  const add = (declaration: ElementDeclaration) => {
    const known = elements.get(declaration.name) ?? []
    if (!known.includes(declaration)) elements.set(declaration.name, [...known, declaration])
  }
  const visit = (one: Particle): void => {
    switch (one.kind) {
      case 'element':
        for (const declaration of schema.substitutesFor(one.declaration)) {
          if (!declaration.abstract) add(declaration)
        }
        if (isOpenHead(one.declaration, schema)) open = true
        return
      case 'wildcard':
        wildcards.push(one.wildcard)
        return
      case 'unknown':
        open = true
        return
      default:
        for (const inner of one.particles) visit(inner)
    }
  }
  visit(particle)
  return { elements, wildcards, open }
}

/** Somewhere in what could not be read, there may be elements that stand in for it. */
function isOpenHead({ isGlobal }: ElementDeclaration, { unknownNamespaces }: XsdSchema): boolean {
  return isGlobal && unknownNamespaces.size > 0
}

/** The type, and those that a document may put in its place by `xsi:type`. */
export function typesInPlaceOf(type: TypeDefinition, schema: XsdSchema): readonly TypeDefinition[] {
  return type === ANY_TYPE ? [type] : [type, ...schema.derivedFrom(type)]
}

export function takesNamespace({ namespaces }: Wildcard, namespace: string): boolean {
  switch (namespaces.kind) {
    case 'any':
      return true
    case 'other':
      return namespace !== '' && namespace !== namespaces.than
    case 'list':
      return namespaces.names.includes(namespace)
  }
}

/** How often an element of this name can stand in one of the type; `Infinity` where it isn't bounded or not known. */
export function mostOf(type: TypeDefinition, name: Name, schema: XsdSchema): number {
  if (type.kind !== 'complex') return type.kind === 'simple' ? 0 : Number.POSITIVE_INFINITY
  const { content } = type
  if (content.kind === 'unknown') return Number.POSITIVE_INFINITY
  return content.kind === 'elements' ? mostIn(content.particle, name, schema) : 0
}

function mostIn(particle: Particle, name: Name, schema: XsdSchema): number {
  const most = mostInOne(particle, name, schema)
  return most === 0 ? 0 : most * particle.max
}

function mostInOne(particle: Particle, name: Name, schema: XsdSchema): number {
  switch (particle.kind) {
    case 'element':
      return schema.substitutesFor(particle.declaration).some((one) => one.name === name) ? 1 : 0
    case 'wildcard':
      return takesNamespace(particle.wildcard, namespaceOfName(name)) ? 1 : 0
    case 'unknown':
      return Number.POSITIVE_INFINITY
    case 'choice':
      return Math.max(0, ...particle.particles.map((inner) => mostIn(inner, name, schema)))
    default:
      return particle.particles.reduce((sum, inner) => sum + mostIn(inner, name, schema), 0)
  }
}

/** Whether an attribute may stand on elements of the type. */
export function attributeOfType(
  type: TypeDefinition,
  name: Name,
): ComplexType['attributes'][number] | 'perhaps' | undefined {
  if (type.kind === 'unknown') return 'perhaps'
  if (type.kind === 'simple') return undefined
  const use = type.attributes.find(({ declaration }) => declaration.name === name)
  if (use) return use
  const wildcard = type.anyAttribute
  return !type.attributesKnown || (wildcard && takesNamespace(wildcard, namespaceOfName(name))) ? 'perhaps' : undefined
}

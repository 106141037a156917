import { expandedName } from '../../domain/element.ts'
import type { NodeTest, Step } from '../../domain/xpath-grammar.ts'
import { attributeOfType, type Children, childrenOf, takesNamespace, typesInPlaceOf } from './children.ts'
import type { AttributeDeclaration, ElementDeclaration, Name, TypeDefinition, XsdSchema } from './components.ts'
import { localNameOf, namespaceOfName } from './symbols.ts'

/** A kind of node that valid documents can have. */
export type Spot =
  | { readonly kind: 'document' }
  | { readonly kind: 'element'; readonly declaration: ElementDeclaration }
  | { readonly kind: 'attribute'; readonly declaration: AttributeDeclaration }
  | { readonly kind: 'text'; readonly of: ElementDeclaration }

/** All that a path can have arrived at. */
export interface Arrival {
  readonly spots: readonly Spot[]
  /** There may be other nodes, of which the schema says nothing that is understood here. */
  readonly open: boolean
}

export const ANYWHERE: Arrival = { spots: [], open: true }
export const AT_DOCUMENT: Arrival = { spots: [{ kind: 'document' }], open: false }

/** A schema that paths are walked through, for documents with one root. */
export interface Walk {
  readonly schema: XsdSchema
  readonly root: Name
  readonly namespaces: Readonly<Record<string, string>>
  readonly children: (declaration: ElementDeclaration) => Children
}

export function startWalk(schema: XsdSchema, root: Name, namespaces: Walk['namespaces']): Walk {
  const known = new Map<TypeDefinition, Children>()
  const children = ({ type }: ElementDeclaration) => {
    const found = known.get(type) ?? together(typesInPlaceOf(type, schema).map((one) => childrenOf(one, schema)))
    known.set(type, found)
    return found
  }
  return { schema, root, namespaces, children }
}

function together(all: readonly Children[]): Children {
  const [only] = all
  if (only && all.length === 1) return only
  const elements = new Map<Name, readonly ElementDeclaration[]>()
  for (const one of all) {
    for (const [name, declarations] of one.elements) {
      elements.set(name, [...new Set([...(elements.get(name) ?? []), ...declarations])])
    }
  }
  return { elements, wildcards: all.flatMap(({ wildcards }) => wildcards), open: all.some(({ open }) => open) }
}

/** Where one step leads, its predicates left aside. Axes that go up or aside lead anywhere. */
export function takeStep(from: Arrival, { axis, test }: Step, walk: Walk): Arrival {
  switch (axis) {
    case 'self':
      return selfOf(from, test, walk)
    case 'child':
      return merged(from, (spot) => childStep(spot, test, walk))
    case 'attribute':
      return merged(from, (spot) => attributeStep(spot, test, walk))
    case 'descendant':
    case 'descendant-or-self': {
      const below = descendants(from, walk)
      const all = axis === 'descendant' ? below : { ...below, spots: [...from.spots, ...below.spots] }
      return selfOf(all, test, walk)
    }
    default:
      return ANYWHERE
  }
}

function merged({ spots, open }: Arrival, step: (spot: Spot) => Arrival): Arrival {
  const arrivals = spots.map(step)
  return {
    spots: distinct(arrivals.flatMap((arrival) => arrival.spots)),
    open: open || arrivals.some((one) => one.open),
  }
}

function distinct(spots: readonly Spot[]): readonly Spot[] {
  const known = new Map<unknown, Spot>()
  for (const spot of spots) known.set(keyOf(spot), spot)
  return [...known.values()]
}

const textKeys = new WeakMap<ElementDeclaration, object>()

function keyOf(spot: Spot): unknown {
  if (spot.kind === 'document') return spot.kind
  if (spot.kind !== 'text') return spot.declaration
  const key = textKeys.get(spot.of) ?? {}
  textKeys.set(spot.of, key)
  return key
}

function elementSpot(declaration: ElementDeclaration): Spot {
  return { kind: 'element', declaration }
}

function childStep(spot: Spot, test: NodeTest, walk: Walk): Arrival {
  if (spot.kind === 'document') return rootStep(test, walk)
  if (spot.kind !== 'element') return { spots: [], open: false }
  const below = walk.children(spot.declaration)
  const elements = [...below.elements].flatMap(([name, declarations]) => (passes(name, test, walk) ? declarations : []))
  const byWildcards = wildcardStep(below, test, walk)
  const text: readonly Spot[] = test.kind === 'type' && takesText(test) ? [{ kind: 'text', of: spot.declaration }] : []
  return {
    spots: [...elements.map(elementSpot), ...byWildcards.spots, ...text],
    // Comments and the like are nothing that a schema tells of.
    open: byWildcards.open || (test.kind === 'type' && !takesText(test)),
  }
}

function takesText(test: NodeTest): boolean {
  return test.kind === 'type' && (test.type === 'text' || test.type === 'node')
}

function rootStep(test: NodeTest, walk: Walk): Arrival {
  const { schema, root } = walk
  if (test.kind === 'type') return test.type === 'node' ? rootStep(ANY_ELEMENT, walk) : ANYWHERE
  if (!passes(root, test, walk)) return { spots: [], open: false }
  const declaration = schema.elements.get(root)
  return declaration ? { spots: [elementSpot(declaration)], open: false } : ANYWHERE
}

const ANY_ELEMENT: NodeTest = { kind: 'name', prefix: undefined, name: '*' }

/** What `xs:any` lets stand: declared elements where it is strict, anything where it isn't. */
function wildcardStep({ wildcards, open }: Children, test: NodeTest, { schema, namespaces }: Walk): Arrival {
  const spots: Spot[] = []
  let anything = open
  for (const wildcard of wildcards) {
    const reached = [...schema.elements].filter(([name]) => {
      return takesNamespace(wildcard, namespaceOfName(name)) && passes(name, test, { namespaces })
    })
    spots.push(...reached.map(([, declaration]) => elementSpot(declaration)))
    const wanted = namespaceOfTest(test, namespaces)
    const mayTake = wanted === undefined || takesNamespace(wildcard, wanted)
    if (mayTake && (wildcard.process !== 'strict' || schema.unknownNamespaces.size > 0)) anything = true
  }
  return { spots, open: anything }
}

/** Undefined where any namespace will do. */
function namespaceOfTest(test: NodeTest, namespaces: Walk['namespaces']): string | undefined {
  if (test.kind === 'type') return undefined
  if (test.prefix === undefined) return test.name === '*' ? undefined : ''
  return test.prefix === 'xml' ? XML : namespaces[test.prefix]
}

/** XPath 1.0, 2.3: a name without prefix is in no namespace. */
function passes(name: Name, test: NodeTest, { namespaces }: Pick<Walk, 'namespaces'>): boolean {
  if (test.kind === 'type') return test.type === 'node'
  const wanted = namespaceOfTest(test, namespaces)
  if (wanted !== undefined && namespaceOfName(name) !== wanted) return false
  return test.name === '*' || localNameOf(name) === test.name
}

/** Bound without being declared (Namespaces in XML 1.0, 3). */
export const XML = 'http://www.w3.org/XML/1998/namespace'
const XSI = 'http://www.w3.org/2001/XMLSchema-instance'

function attributeStep(spot: Spot, test: NodeTest, walk: Walk): Arrival {
  if (spot.kind !== 'element') return { spots: [], open: false }
  if (test.kind === 'type') return ANYWHERE
  const wanted = namespaceOfTest(test, walk.namespaces)
  // Any element may have xsi:type, xsi:nil and the places of schemas (XML Schema 1, 2.6).
  if (wanted === XSI) return ANYWHERE
  const types = typesInPlaceOf(spot.declaration.type, walk.schema)
  if (test.name === '*') return ANYWHERE
  const uses = types.map((type) => attributeOfType(type, expandedName(wanted ?? '', test.name)))
  const declared = uses.flatMap((use): Spot[] => {
    return typeof use === 'object' ? [{ kind: 'attribute', declaration: use.declaration }] : []
  })
  return { spots: declared, open: uses.includes('perhaps') }
}

function selfOf({ spots, open }: Arrival, test: NodeTest, walk: Walk): Arrival {
  if (test.kind === 'type' && test.type === 'node') return { spots: distinct(spots), open }
  const kept = spots.filter((spot) => {
    if (test.kind === 'type') return spot.kind === 'text' && test.type === 'text'
    return spot.kind === 'element' && passes(spot.declaration.name, test, walk)
  })
  const others = test.kind === 'type' && test.type !== 'text'
  return { spots: distinct(kept), open: open || others }
}

/** All elements and texts below, each declaration once. */
function descendants(from: Arrival, walk: Walk): Arrival {
  const found = new Map<ElementDeclaration, Spot>()
  let open = from.open
  const pending: Spot[] = [...from.spots]
  for (let spot = pending.pop(); spot; spot = pending.pop()) {
    const below = childStep(spot, ANY_ELEMENT, walk)
    open ||= below.open
    for (const child of below.spots) {
      if (child.kind !== 'element' || found.has(child.declaration)) continue
      found.set(child.declaration, child)
      pending.push(child)
    }
  }
  const texts = [...found.keys(), ...elementsOf(from)].map((of): Spot => ({ kind: 'text', of }))
  return { spots: distinct([...found.values(), ...texts]), open }
}

function elementsOf({ spots }: Arrival): readonly ElementDeclaration[] {
  return spots.flatMap((spot) => (spot.kind === 'element' ? [spot.declaration] : []))
}

/** The type of what stands there; undefined for the document. An element that may be nil may be empty whatever its type says. */
export function typeOfSpot(spot: Spot): TypeDefinition | undefined {
  switch (spot.kind) {
    case 'document':
      return undefined
    case 'attribute':
      return spot.declaration.type
    case 'element':
    case 'text': {
      const { nillable, type } = spot.kind === 'element' ? spot.declaration : spot.of
      return nillable ? { kind: 'unknown', reason: 'it may be nil' } : type
    }
  }
}

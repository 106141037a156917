import { posix } from 'node:path'
import { expandedName } from '../../domain/element.ts'
import { BUNDLE, type SchemaFiles } from '../schema-files.ts'
import { BUILT_IN_TYPES, XSD_NAMESPACE } from '../xsd/built-in-types.ts'
import type {
  AttributeUse,
  ComplexType,
  ElementDeclaration,
  Facets,
  Name,
  Particle,
  SimpleType,
  UnknownType,
  Wildcard,
  XsdSchema,
} from '../xsd/components.ts'
import { readSchemaDocument, type SchemaNode } from '../xsd/schema-document.ts'
import { type NameClass, nameClassOf } from './name-class.ts'

export const RNG_NAMESPACE = 'http://relaxng.org/ns/structure/1.0'

/** A pattern with what is inherited from around it. */
interface Pattern {
  readonly node: SchemaNode
  readonly scope: Scope
}

interface Scope {
  /** What a `ref` finds: all definitions of a name, since they combine. */
  readonly definitions: Map<string, Pattern[]>
  /** For `parentRef`. */
  readonly parent: Scope | undefined
  readonly ns: string
  readonly datatypes: string
  readonly path: string
}

/**
 * What a RELAX NG grammar says of elements within elements, attributes and values, in the components of XML Schema: order and number are
 * left aside (anything may stand any number of times), so that it serves for the question whether a path can exist, and for
 * nothing else. What isn't understood is unknown.
 */
export function readRngSchema({ files, url }: Pick<SchemaFiles, 'files' | 'url'>): XsdSchema {
  const reading: Reading = { files, types: new Map(), declarations: new Map(), depth: 0 }
  const path = decodeURI(url).slice(BUNDLE.length)
  const start = startOf(reading, path, '')
  const found = start ? contentOf([start], reading) : undefined
  const unknown = !found || found.open || found.wildcards.length > 0
  const roots = new Map<Name, ElementDeclaration>()
  for (const [name, declarations] of found?.elements ?? []) {
    // Of several elements of one name nobody knows which is meant.
    if (declarations.length === 1 && !unknown) roots.set(name, declarations[0]!)
  }
  return {
    targetNamespace: '',
    elements: roots,
    attributes: new Map(),
    types: new Map(),
    substitutesFor: (head) => [head],
    derivedFrom: () => [],
    unknownNamespaces: new Set(),
    blocks: false,
    ambiguous: false,
  }
}

interface Reading {
  readonly files: SchemaFiles['files']
  readonly types: Map<SchemaNode, ComplexType>
  /** An element pattern may be for several names. */
  readonly declarations: Map<SchemaNode, Map<Name, ElementDeclaration>>
  depth: number
}

function documentAt({ files }: Reading, path: string): SchemaNode | undefined {
  const bytes = files.get(BUNDLE + path)
  const root = bytes && readSchemaDocument(new TextDecoder().decode(bytes))
  return root?.uri === RNG_NAMESPACE ? root : undefined
}

/** The pattern that a file begins with. */
function startOf(reading: Reading, path: string, ns: string): Pattern | undefined {
  const root = documentAt(reading, path)
  if (!root) return undefined
  const scope: Scope = { definitions: new Map(), parent: undefined, ns, datatypes: '', path }
  return { node: root, scope: inherit(root, scope) }
}

function inherit({ attributes }: SchemaNode, scope: Scope): Scope {
  const ns = attributes.get('ns') ?? scope.ns
  const datatypes = attributes.get('datatypeLibrary') ?? scope.datatypes
  return ns === scope.ns && datatypes === scope.datatypes ? scope : { ...scope, ns, datatypes }
}

// ------------------------------------------------------------------------------------------------------ patterns

interface Content {
  readonly elements: Map<Name, ElementDeclaration[]>
  readonly wildcards: Wildcard[]
  readonly attributes: Map<Name, AttributeUse>
  anyAttribute: Wildcard | undefined
  readonly values: string[]
  readonly simple: (SimpleType | UnknownType)[]
  text: boolean
  open: boolean
}

/** Deeper references than this are a loop, or as good as one. */
const DEPTH = 200

/** What may stand in an element whose content is made of these patterns. */
function contentOf(patterns: readonly Pattern[], reading: Reading): Content {
  const content: Content = {
    elements: new Map(),
    wildcards: [],
    attributes: new Map(),
    anyAttribute: undefined,
    values: [],
    simple: [],
    text: false,
    open: false,
  }
  const seen = new Set<SchemaNode>()
  for (const pattern of patterns) gather(pattern, content, seen, reading)
  return content
}

function gather({ node, scope: outer }: Pattern, content: Content, seen: Set<SchemaNode>, reading: Reading): void {
  if (node.uri !== RNG_NAMESPACE || seen.has(node)) return
  seen.add(node)
  const scope = inherit(node, outer)
  switch (node.name) {
    case 'element':
      addElement({ node, scope }, content, reading)
      break
    case 'attribute':
      addAttribute({ node, scope }, content, reading)
      break
    case 'value':
      content.values.push(node.text)
      break
    case 'data':
      content.simple.push(dataType(node, scope))
      break
    case 'list':
      content.simple.push({ kind: 'unknown', reason: 'a list' })
      break
    case 'ref':
    case 'parentRef':
      follow({ node, scope }, content, seen, reading)
      break
    case 'externalRef':
      followFile({ node, scope }, content, seen, reading)
      break
    case 'grammar':
      gatherGrammar({ node, scope }, content, seen, reading)
      break
    default:
      // Groups, choices and the like: what may stand in one of them may stand here.
      if (node.name === 'text' || node.name === 'mixed') content.text = true
      for (const child of node.children) gather({ node: child, scope }, content, seen, reading)
  }
}

function follow({ node, scope }: Pattern, content: Content, seen: Set<SchemaNode>, reading: Reading): void {
  const where = node.name === 'parentRef' ? scope.parent : scope
  const found = where?.definitions.get(node.attributes.get('name')?.trim() ?? '')
  if (!found) content.open = true
  for (const definition of found ?? []) {
    for (const child of definition.node.children)
      gather({ node: child, scope: definition.scope }, content, seen, reading)
  }
}

function followFile({ node, scope }: Pattern, content: Content, seen: Set<SchemaNode>, reading: Reading): void {
  const start = startOf(reading, pathFrom(node, scope), scope.ns)
  if (start && reading.depth < DEPTH) {
    reading.depth += 1
    gather(start, content, seen, reading)
    reading.depth -= 1
  } else content.open = true
}

function pathFrom({ attributes }: SchemaNode, { path }: Scope): string {
  return posix.normalize(posix.join(posix.dirname(path), attributes.get('href') ?? ''))
}

function gatherGrammar({ node, scope }: Pattern, content: Content, seen: Set<SchemaNode>, reading: Reading): void {
  const inner: Scope = { ...scope, definitions: new Map(), parent: scope }
  const starts: Pattern[] = []
  if (!define(node, inner, starts, reading)) content.open = true
  for (const start of starts) {
    for (const child of start.node.children) gather({ node: child, scope: start.scope }, content, seen, reading)
  }
}

/** Notes the definitions of a grammar, with those of the files that it includes. False where one of them isn't there. */
function define(
  grammar: SchemaNode,
  scope: Scope,
  starts: Pattern[],
  reading: Reading,
  overridden = new Set<string>(),
): boolean {
  let whole = true
  for (const node of grammar.children) {
    if (node.uri !== RNG_NAMESPACE) continue
    const own = inherit(node, scope)
    const name = node.attributes.get('name')?.trim() ?? ''
    if (node.name === 'start' && !overridden.has('start')) starts.push({ node, scope: own })
    if (node.name === 'define' && !overridden.has(`define ${name}`)) {
      scope.definitions.set(name, [...(scope.definitions.get(name) ?? []), { node, scope: own }])
    }
    if (node.name === 'div') whole = define(node, own, starts, reading, overridden) && whole
    if (node.name === 'include') whole = include(node, own, starts, reading) && whole
  }
  return whole
}

/** What stands in the `include` itself takes the place of what it includes (RELAX NG, 4.7). */
function include(node: SchemaNode, scope: Scope, starts: Pattern[], reading: Reading): boolean {
  const path = pathFrom(node, scope)
  const root = documentAt(reading, path)
  if (root?.name !== 'grammar' || reading.depth >= DEPTH) return false
  const replaced = new Set(
    node.children.map((child) => (child.name === 'start' ? 'start' : `define ${child.attributes.get('name')?.trim()}`)),
  )
  reading.depth += 1
  const whole = define(root, inherit(root, { ...scope, path }), starts, reading, replaced)
  reading.depth -= 1
  return define(node, scope, starts, reading) && whole
}

// ---------------------------------------------------------------------------------------- elements and attributes

function addElement(pattern: Pattern, content: Content, reading: Reading): void {
  const { names, rest } = nameClassOf(pattern.node, pattern.scope.ns)
  for (const name of names) {
    const known = content.elements.get(name) ?? []
    content.elements.set(name, [...known, declarationOf(name, pattern, reading)])
  }
  content.wildcards.push(...wildcardsOf(rest))
}

function wildcardsOf(rest: readonly NameClass[]): readonly Wildcard[] {
  return rest.map((one): Wildcard => {
    return { namespaces: one.kind === 'any' ? { kind: 'any' } : { kind: 'list', names: [one.ns] }, process: 'skip' }
  })
}

function declarationOf(name: Name, pattern: Pattern, reading: Reading): ElementDeclaration {
  const known = reading.declarations.get(pattern.node) ?? new Map<Name, ElementDeclaration>()
  reading.declarations.set(pattern.node, known)
  const declaration = known.get(name) ?? {
    name,
    at: `${pattern.scope.path}:${pattern.node.line}`,
    isGlobal: false,
    get type() {
      return typeOf(pattern, reading)
    },
    nillable: false,
    abstract: false,
    default: undefined,
    fixed: undefined,
    substitutionGroup: undefined,
    identities: [],
  }
  known.set(name, declaration)
  return declaration
}

function typeOf(pattern: Pattern, reading: Reading): ComplexType {
  const known = reading.types.get(pattern.node)
  if (known) return known
  const content = contentOf(bodyOf(pattern), reading)
  const type: ComplexType = {
    kind: 'complex',
    name: undefined,
    at: `${pattern.scope.path}:${pattern.node.line}`,
    abstract: false,
    mixed: content.text,
    base: undefined,
    derivation: 'restriction',
    content: contentModel(content),
    attributes: [...content.attributes.values()],
    anyAttribute: content.anyAttribute,
    attributesKnown: !content.open,
  }
  reading.types.set(pattern.node, type)
  return type
}

/** The patterns behind the name. */
function bodyOf({ node, scope }: Pattern): readonly Pattern[] {
  const named = node.attributes.has('name')
  const children = node.children.filter(({ uri }) => uri === RNG_NAMESPACE)
  return (named ? children : children.slice(1)).map((child) => ({ node: child, scope }))
}

const ANY_NUMBER = { min: 0, max: Number.POSITIVE_INFINITY }

function contentModel({ elements, wildcards, values, simple, text, open }: Content): ComplexType['content'] {
  if (open) return { kind: 'unknown' }
  if (elements.size === 0 && wildcards.length === 0) {
    if (text) return { kind: 'simple', type: { kind: 'unknown', reason: 'any text' } }
    return values.length + simple.length === 0
      ? { kind: 'empty' }
      : { kind: 'simple', type: simpleType(values, simple) }
  }
  const particles: Particle[] = [
    ...[...elements.values()].flat().map((declaration): Particle => ({ kind: 'element', declaration, ...ANY_NUMBER })),
    ...wildcards.map((wildcard): Particle => ({ kind: 'wildcard', wildcard, ...ANY_NUMBER })),
  ]
  return { kind: 'elements', particle: { kind: 'choice', particles, ...ANY_NUMBER } }
}

function simpleType(
  values: readonly string[],
  simple: readonly (SimpleType | UnknownType)[],
): SimpleType | UnknownType {
  if (values.length === 0 && simple.length === 1) return simple[0]!
  if (simple.length > 0) return { kind: 'unknown', reason: 'values of several kinds' }
  const facets: Facets = { enumeration: values, whiteSpace: 'collapse' }
  const token = BUILT_IN_TYPES.get(expandedName(XSD_NAMESPACE, 'token'))!
  return { ...token, name: undefined, base: token, facets }
}

const XSD_DATATYPES = 'http://www.w3.org/2001/XMLSchema-datatypes'

/** A type of XML Schema without its parameters, which only narrow it. */
function dataType({ attributes }: SchemaNode, { datatypes }: Scope): SimpleType | UnknownType {
  const name = attributes.get('type')?.trim() ?? ''
  const known = datatypes === XSD_DATATYPES ? BUILT_IN_TYPES.get(expandedName(XSD_NAMESPACE, name)) : undefined
  return known ?? { kind: 'unknown', reason: `the datatype ${name}` }
}

function addAttribute(pattern: Pattern, content: Content, reading: Reading): void {
  const named = pattern.node.attributes.has('name')
  // An attribute's own name is in no namespace unless it says so (RELAX NG, 4.8).
  const ns = named ? (pattern.node.attributes.get('ns') ?? '') : pattern.scope.ns
  const { names, rest } = nameClassOf(pattern.node, ns)
  const body = bodyOf(pattern)
  for (const name of names) {
    content.attributes.set(name, {
      declaration: {
        name,
        at: `${pattern.scope.path}:${pattern.node.line}`,
        isGlobal: false,
        get type() {
          return attributeType(body, reading)
        },
        default: undefined,
        fixed: undefined,
      },
      required: false,
      default: undefined,
      fixed: undefined,
    })
  }
  if (rest.length > 0) content.anyAttribute = { namespaces: { kind: 'any' }, process: 'skip' }
}

function attributeType(body: readonly Pattern[], reading: Reading): SimpleType | UnknownType {
  const { values, simple, text, open } = contentOf(body, reading)
  if (text || open || values.length + simple.length === 0) return { kind: 'unknown', reason: 'any text' }
  return simpleType(values, simple)
}

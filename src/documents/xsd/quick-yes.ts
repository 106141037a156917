import { type Element, expandedName } from '../../domain/element.ts'
import { ANY_TYPE } from './built-in-types.ts'
import { takesNamespace } from './children.ts'
import type {
  AttributeUse,
  ComplexType,
  ElementDeclaration,
  Name,
  Particle,
  TypeDefinition,
  Wildcard,
  XsdSchema,
} from './components.ts'
import { type Expectation, expectationOf, type Model, type Room, type Step } from './content-model.ts'
import { type QuickTest, quickTestOf } from './quick-values.ts'
import { localNameOf, namespaceOfName } from './symbols.ts'

/**
 * Whether a document is valid beyond doubt, told from the tree that is there already. False leaves it to libxml2, which is the judge of
 * everything that isn't plain, and of all that is wrong (docs/adr/0024).
 */
export type QuickYes = (root: Element) => boolean

/**
 * Tells documents whose root is a global element of the schema's own namespace: of what is imported there may be thousands that are no
 * documents. Undefined where none could ever be told.
 */
export function compileQuickYes(schema: XsdSchema): QuickYes | undefined {
  if (schema.blocks || schema.ambiguous || schema.unknownNamespaces.size > 0) return undefined
  const uri = schema.targetNamespace
  const elements = createPlainElements(schema)
  const roots = new Map<string, PlainElement>()
  for (const [name, declaration] of schema.elements) {
    const plain = namespaceOfName(name) === uri ? elements.of(declaration) : undefined
    if (plain) roots.set(localNameOf(name), plain)
  }
  elements.fill()
  for (const [name, plain] of roots) if (!plain.attributes) roots.delete(name)
  if (roots.size === 0) return undefined
  return (root) => {
    const plain = root.uri === uri ? roots.get(root.name) : undefined
    return plain !== undefined && isValid(root, plain, 0)
  }
}

/** Elements of one declaration: what may stand in them, where that can be told. */
interface PlainElement {
  attributes: Attributes | undefined
  /** Of simple content. */
  text: QuickTest | undefined
  /** Of elements, and of no content at all. */
  content: Expectation<PlainElement> | undefined
  /** Text may stand between elements. */
  mixed: boolean
  /** Of what a wildcard took: in place of all else. */
  readonly open: ((element: Element, depth: number) => boolean) | undefined
}

interface Attributes {
  /** By local name; attributes in namespaces are left to libxml2, as are `xsi:type` and `xsi:nil`. */
  readonly tests: ReadonlyMap<string, QuickTest>
  readonly required: readonly string[]
}

/** Deeper documents are left to libxml2: this way is one of recursion. */
const DEPTH_AT_MOST = 100

function isValid(element: Element, plain: PlainElement, depth: number): boolean {
  if (plain.open) return plain.open(element, depth)
  if (!hasAttributes(element, plain.attributes)) return false
  const { children } = element
  if (plain.text) {
    if (children.length === 0) return plain.text('')
    const [only] = children
    return children.length === 1 && typeof only === 'string' && plain.text(only)
  }
  if (!plain.content || depth > DEPTH_AT_MOST) return false
  let expected: Expectation<PlainElement> = plain.content
  for (let at = 0; at < children.length; at++) {
    const child = children[at]!
    if (typeof child === 'string') {
      if (!plain.mixed && !isBlank(child)) return false
      continue
    }
    const step: Step<PlainElement> | undefined = expected.after(child.name, child.uri)
    if (step === undefined || !isValid(child, step.found, depth + 1)) return false
    expected = step.next
  }
  return expected.canEnd
}

const XSI_NAMESPACE = 'http://www.w3.org/2001/XMLSchema-instance'
/** Allowed everywhere, and nothing but hints (XML Schema 1, 2.6.3): the schema is the type's. */
const HINTS: ReadonlySet<string> = new Set(['schemaLocation', 'noNamespaceSchemaLocation'])

function hasAttributes({ attributes }: Element, known: Attributes | undefined): boolean {
  if (!known) return false
  if (attributes.length === 0) return known.required.length === 0
  for (const { name, uri, value } of attributes) {
    const isKnown = uri === '' ? known.tests.get(name)?.(value) : uri === XSI_NAMESPACE && HINTS.has(name)
    if (!isKnown) return false
  }
  return known.required.every((name) => attributes.some((given) => given.name === name && given.uri === ''))
}

function isBlank(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x09 && code !== 0x0d) return false
  }
  return true
}

// ------------------------------------------------------------------------------------------------------ compile

const UNKNOWN: PlainElement = {
  attributes: undefined,
  text: undefined,
  content: undefined,
  mixed: false,
  open: undefined,
}
/** Whatever it is (XML Schema 1, 3.10.1). */
const SKIPPED: PlainElement = { ...UNKNOWN, open: () => true }

/** What the documents of a schema may add to what is held of it: some ten megabytes. */
const ROOM = 100_000
/** Groups that stand in groups twice multiply; what is in a larger schema is left to libxml2. */
const PARTICLES_AT_MOST = 100_000

function createPlainElements(schema: XsdSchema) {
  const byType = new Map<TypeDefinition, PlainElement>()
  const pending: (() => void)[] = []
  const room: Room = { left: ROOM }
  let particles = 0
  let undeclared: PlainElement | undefined

  /** Makes whole what was asked for, and what that asks for: one after the other, as types stand in types without end. */
  function fill(): void {
    for (let next = pending.pop(); next; next = pending.pop()) next()
    // What stands in the schema takes none of it.
    room.left = ROOM
  }

  /** Undefined where nothing can be told of such an element; to be filled. */
  function of(declaration: ElementDeclaration): PlainElement | undefined {
    const { abstract, fixed, identities, type } = declaration
    // A default stands in for no content; what is unique is seen in the whole document only.
    if (abstract || fixed !== undefined || declaration.default !== undefined || identities.length > 0) return undefined
    return ofType(type)
  }

  function ofType(type: TypeDefinition): PlainElement {
    const known = byType.get(type)
    if (known) return known
    const plain: PlainElement = { ...UNKNOWN }
    byType.set(type, plain)
    if (type.kind === 'simple') pending.push(() => fillSimple(plain, quickTestOf(type)))
    if (type.kind === 'complex' && type !== ANY_TYPE && !type.abstract) pending.push(() => fillComplex(plain, type))
    return plain
  }

  function fillSimple(plain: PlainElement, test: QuickTest | undefined): void {
    plain.attributes = test && NO_ATTRIBUTES
    plain.text = test
  }

  function fillComplex(plain: PlainElement, type: ComplexType): void {
    const { content } = type
    switch (content.kind) {
      case 'unknown':
        return
      case 'simple':
        plain.text = quickTestOf(content.type)
        plain.attributes = plain.text && attributesOf(type)
        return
      case 'empty':
        // Not even white space may stand there.
        plain.text = isEmpty
        plain.attributes = type.mixed ? undefined : attributesOf(type)
        return
      case 'elements':
        // A sequence of nothing is empty content, but not each that comes to nothing (XML Schema 1, 3.4.2).
        if (!holdsElements(content.particle)) return
        plain.attributes = attributesOf(type)
        plain.mixed = type.mixed
        plain.content = expectationOf(modelOf(content.particle), room)
    }
  }

  function modelOf(particle: Particle): Model<PlainElement> {
    particles += 1
    if (particles > PARTICLES_AT_MOST) return { kind: 'nothing' }
    const part = modelOfTerm(particle)
    return { kind: 'repeat', part, min: particle.min, max: particle.max }
  }

  function modelOfTerm(particle: Particle): Model<PlainElement> {
    switch (particle.kind) {
      case 'element':
        return { kind: 'element', named: standInsFor(particle.declaration) }
      case 'sequence':
      case 'choice':
        return { kind: particle.kind, parts: particle.particles.map(modelOf) }
      case 'all':
        return modelOfAll(particle.particles)
      case 'wildcard':
        return modelOfWildcard(particle.wildcard)
      case 'unknown':
        return { kind: 'nothing' }
    }
  }

  function modelOfWildcard(wildcard: Wildcard): Model<PlainElement> {
    const takes = (uri: string) => takesNamespace(wildcard, uri)
    switch (wildcard.process) {
      case 'skip':
        return { kind: 'wildcard', takes, found: SKIPPED }
      case 'lax':
        undeclared ??= { ...UNKNOWN, open: undeclaredBy(schema) }
        return { kind: 'wildcard', takes, found: undeclared }
      case 'strict':
        return { kind: 'nothing' }
    }
  }

  function modelOfAll(particles: readonly Particle[]): Model<PlainElement> {
    if (particles.some(({ max }) => max !== 1)) return { kind: 'nothing' }
    const parts = particles.map((one) => ({ part: modelOfTerm(one), optional: one.min === 0 }))
    return { kind: 'all', parts }
  }

  /** The element, and those of its substitution group (XML Schema 1, 3.3.6). */
  function standInsFor(declaration: ElementDeclaration): ReadonlyMap<Name, PlainElement> {
    const named = new Map<Name, PlainElement>()
    for (const one of schema.substitutesFor(declaration)) named.set(one.name, of(one) ?? UNKNOWN)
    return named
  }

  return { of, fill }
}

function holdsElements(particle: Particle): boolean {
  return 'particles' in particle ? particle.particles.some(holdsElements) : true
}

/** What is lax is assessed where it is declared, at any depth (XML Schema 1, 3.10.1); that is left to libxml2. */
function undeclaredBy(schema: XsdSchema) {
  // Not the schema itself, which would keep all its files in memory.
  const elements = new Set(schema.elements.keys())
  const attributes = new Set(schema.attributes.keys())
  return function isUndeclared(element: Element, depth: number): boolean {
    if (depth > DEPTH_AT_MOST || elements.has(expandedName(element.uri, element.name))) return false
    for (const { name, uri } of element.attributes) {
      if (attributes.has(expandedName(uri, name)) || (uri === XSI_NAMESPACE && !HINTS.has(name))) return false
    }
    return element.children.every((child) => typeof child === 'string' || isUndeclared(child, depth + 1))
  }
}

const isEmpty: QuickTest = (text) => text === ''

const NO_ATTRIBUTES: Attributes = { tests: new Map(), required: [] }

function attributesOf({ attributes, attributesKnown }: ComplexType): Attributes | undefined {
  if (!attributesKnown) return undefined
  const tests = new Map<string, QuickTest>()
  const required: string[] = []
  for (const use of attributes) {
    const { name } = use.declaration
    if (use.required && name.startsWith('{')) return undefined
    if (use.required) required.push(name)
    const test = testOf(use)
    if (test && !name.startsWith('{')) tests.set(name, test)
  }
  return { tests, required }
}

function testOf({ declaration, fixed }: AttributeUse): QuickTest | undefined {
  const test = quickTestOf(declaration.type)
  if (!test || fixed === undefined) return test
  return (text) => text === fixed && test(text)
}

import type { NodeTest, Step, XPathNode } from '../../domain/xpath-grammar.ts'
import type { NameTest } from './names.ts'
import type { IndexPath, PathEnd, PathStep } from './paths.ts'
import type { XPathTests } from './xpath-tests.ts'

/** Location paths of XPath as paths of the index. */

type Namespaces = Readonly<Record<string, string>>
export type Path = Extract<XPathNode, { kind: 'path' }>

/** What a predicate asks, of elements at the end of a way, as it can be said of the whole document. */
export type Lift = (predicate: XPathNode, way: readonly PathStep[]) => XPathTests

export interface FoundPaths {
  /** The nodes are those of all of them together. */
  readonly paths: readonly IndexPath[]
  /** False where steps are left that no path of the index has: the paths lead to where the nodes are looked for. */
  readonly isWhole: boolean
  /** What the predicates ask, of the whole document; where there are any, not all nodes of the paths are meant. */
  readonly lifted: readonly XPathTests[]
}

/** Undefined where nothing of the path can be held. */
export function pathsOf(
  { absolute, from, steps }: Path,
  context: readonly PathStep[],
  namespaces: Namespaces,
  lift: Lift,
): FoundPaths | undefined {
  if (from) return undefined
  const way: PathStep[] = absolute ? [] : [...context]
  const lifted: XPathTests[] = []
  let isDescending = false
  for (const [at, step] of steps.entries()) {
    const isLast = at === steps.length - 1
    if (isAnyBelow(step)) {
      isDescending = true
      continue
    }
    const kind = kindOf(step, namespaces)
    if (kind === 'self' && !isDescending) {
      lifted.push(...step.predicates.map((predicate) => lift(predicate, way)))
      continue
    }
    if (kind === undefined || kind === 'self' || (typeof kind === 'object' && kind.end && !isLast)) {
      return partOf(way, lifted)
    }
    if (!kind.end) {
      const { test, rest } = nameTestOf(step, namespaces)
      way.push({ descendant: isDescending || step.axis === 'descendant', test })
      isDescending = false
      lifted.push(...rest.map((predicate) => lift(predicate, way)))
      continue
    }
    if (step.predicates.length > 0) lifted.push({ kind: 'constant', holds: true })
    return { paths: ended(way, kind.end, isDescending), isWhole: true, lifted }
  }
  if (way.length === 0) return partOf(way, lifted)
  return { paths: [{ steps: way, end: { kind: 'element' } }], isWhole: true, lifted }
}

function partOf(way: readonly PathStep[], lifted: readonly XPathTests[]): FoundPaths | undefined {
  if (way.length === 0) return undefined
  return { paths: [{ steps: way, end: { kind: 'element' } }], isWhole: false, lifted }
}

/** `//` before an attribute or text means those of the element itself, too. */
function ended(way: readonly PathStep[], end: PathEnd, isDescending: boolean): readonly IndexPath[] {
  const below: IndexPath = { steps: [...way, { descendant: true, test: ANY }], end }
  if (!isDescending) return way.length === 0 ? [] : [{ steps: way, end }]
  return way.length === 0 ? [below] : [{ steps: way, end }, below]
}

const ANY: NameTest = { uri: undefined, name: undefined }

function isAnyBelow({ axis, test, predicates }: Step): boolean {
  return axis === 'descendant-or-self' && test.kind === 'type' && test.type === 'node' && predicates.length === 0
}

function kindOf(
  { axis, test }: Step,
  namespaces: Namespaces,
): 'self' | { readonly end: PathEnd | undefined } | undefined {
  if (test.kind === 'type') {
    if (axis === 'self' && test.type === 'node') return 'self'
    return axis === 'child' && test.type === 'text' ? { end: { kind: 'text' } } : undefined
  }
  if (axis === 'child' || axis === 'descendant') return { end: undefined }
  return axis === 'attribute' ? { end: { kind: 'attribute', test: resolved(test, namespaces) } } : undefined
}

/** `*[local-name() = 'x']` is a test of the name; the other predicates are left. */
function nameTestOf(
  { test, predicates }: Step,
  namespaces: Namespaces,
): { readonly test: NameTest; readonly rest: readonly XPathNode[] } {
  const plain = resolved(test as Extract<NodeTest, { kind: 'name' }>, namespaces)
  const [first, ...rest] = predicates
  const name = first && plain.name === undefined && plain.uri === undefined ? localNameIn(first) : undefined
  return name === undefined ? { test: plain, rest: predicates } : { test: { uri: undefined, name }, rest }
}

function localNameIn(node: XPathNode): string | undefined {
  if (node.kind !== 'binary' || node.operator !== '=') return undefined
  const { left, right } = node
  const [call, literal] = left.kind === 'call' ? [left, right] : [right, left]
  const isLocalName = call.kind === 'call' && call.name === 'local-name' && call.arguments.length === 0
  return isLocalName && literal.kind === 'literal' && literal.value !== '' ? literal.value : undefined
}

const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace'

/** XPath 1.0, 2.3: a name without prefix is in no namespace, whatever the default is. */
function resolved({ prefix, name }: Extract<NodeTest, { kind: 'name' }>, namespaces: Namespaces): NameTest {
  const local = name === '*' ? undefined : name
  if (prefix === undefined) return { uri: local === undefined ? undefined : '', name: local }
  return { uri: prefix === 'xml' ? XML_NAMESPACE : namespaces[prefix]!, name: local }
}

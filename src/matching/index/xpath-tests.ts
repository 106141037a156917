import { toNumber } from '../../domain/location-path.ts'
import type { BinaryOperator, NodeTest, Step, XPathNode } from '../../domain/xpath-grammar.ts'
import { nextDown, nextUp } from './doubles.ts'
import type { NameTest } from './names.ts'
import type { IndexPath, PathEnd, PathStep } from './paths.ts'

/**
 * What the index can hold of an XPath 1.0 expression, as tests of paths. Either exactly the expression, or a necessary condition:
 * something that holds wherever the expression does, so that the expression itself is asked of few documents.
 */
export type XPathTests =
  | { readonly kind: 'constant'; readonly holds: boolean }
  | { readonly kind: 'all' | 'any'; readonly parts: readonly XPathTests[] }
  | { readonly kind: 'not'; readonly part: XPathTests }
  | { readonly kind: 'path'; readonly path: IndexPath; readonly test: PathTest }

/**
 * Holds where one of the nodes is so; `count` is about how many there are. `span`: one node is at least `low` and one, the same or
 * another, is at most `high`, which is what `p >= 1 and p <= 5` says.
 */
export type PathTest =
  | { readonly kind: 'exists' }
  | { readonly kind: 'equal' | 'differs'; readonly constant: string | number }
  | { readonly kind: 'within' | 'span' | 'count'; readonly low: number; readonly high: number }
  | { readonly kind: 'prefix' | 'contains'; readonly text: string }

type Namespaces = Readonly<Record<string, string>>

const TRUE: XPathTests = { kind: 'constant', holds: true }
const FALSE: XPathTests = { kind: 'constant', holds: false }

/** The expression itself, as `boolean()` would have it; undefined where the index can't hold it. */
export function exactTests(node: XPathNode, namespaces: Namespaces): XPathTests | undefined {
  switch (node.kind) {
    case 'literal':
      return { kind: 'constant', holds: node.value !== '' }
    case 'number':
      return { kind: 'constant', holds: node.value !== 0 }
    case 'path':
      return exactPath(node, { kind: 'exists' }, namespaces)
    case 'call':
      return exactCall(node.name, node.arguments, namespaces)
    case 'binary':
      return exactBinary(node, namespaces)
    case 'negative':
    case 'variable':
      return undefined
  }
}

function exactCall(name: string, given: readonly XPathNode[], namespaces: Namespaces): XPathTests | undefined {
  if (name === 'true') return TRUE
  if (name === 'false') return FALSE
  if (name !== 'not' && name !== 'boolean') return undefined
  const part = exactTests(given[0]!, namespaces)
  return part && name === 'not' ? { kind: 'not', part } : part
}

type Binary = Extract<XPathNode, { kind: 'binary' }>
type Path = Extract<XPathNode, { kind: 'path' }>

function exactBinary({ operator, left, right }: Binary, namespaces: Namespaces): XPathTests | undefined {
  if (operator === 'and' || operator === 'or' || operator === '|') {
    const parts = [exactTests(left, namespaces), exactTests(right, namespaces)]
    const [first, second] = parts
    if (!first || !second) return undefined
    return operator === 'and' ? allOf(first, second) : { kind: 'any', parts: [first, second] }
  }
  const comparison = comparisonOf(operator, left, right)
  if (!comparison) return undefined
  const { of, constant } = comparison
  if (of.kind === 'call' && of.name === 'count') {
    return exactCount(of.arguments[0]!, comparison.operator, numberOf(constant), namespaces)
  }
  const test = testOf(comparison.operator, constant)
  return test && exactPath(of, test, namespaces)
}

function exactPath(node: XPathNode, test: PathTest, namespaces: Namespaces): XPathTests | undefined {
  if (node.kind === 'binary' && node.operator === '|') {
    const parts = [exactPath(node.left, test, namespaces), exactPath(node.right, test, namespaces)]
    return parts[0] && parts[1] && { kind: 'any', parts: [parts[0], parts[1]] }
  }
  if (node.kind !== 'path') return undefined
  const own = test.kind === 'exists' ? ownTest(node) : undefined
  const found = pathsOf(own ? own.path : node, [], namespaces)
  if (!found?.isWhole || found.lifted.length > 0) return undefined
  return anyOf(found.paths, own ? own.test : test)
}

/** `p[. = 'x']` is `p = 'x'`: a predicate that asks the last node about itself alone. */
function ownTest(node: Path): { readonly path: Path; readonly test: PathTest } | undefined {
  const last = node.steps.at(-1)
  const [predicate] = last?.predicates ?? []
  if (last?.predicates.length !== 1 || !predicate) return undefined
  const test = testOfSelf(predicate)
  return test && { path: { ...node, steps: node.steps.with(-1, { ...last, predicates: [] }) }, test }
}

function testOfSelf(predicate: XPathNode): PathTest | undefined {
  if (predicate.kind === 'call') {
    const [of, text] = predicate.arguments
    if (!of || !isSelf(of) || text?.kind !== 'literal') return undefined
    if (predicate.name === 'starts-with') return { kind: 'prefix', text: text.value }
    return predicate.name === 'contains' ? { kind: 'contains', text: text.value } : undefined
  }
  if (predicate.kind !== 'binary') return undefined
  const comparison = comparisonOf(predicate.operator, predicate.left, predicate.right)
  return comparison && isSelf(comparison.of) ? testOf(comparison.operator, comparison.constant) : undefined
}

function isSelf(node: XPathNode): boolean {
  if (node.kind !== 'path' || node.absolute || node.from || node.steps.length !== 1) return false
  const { axis, test, predicates } = node.steps[0]!
  return axis === 'self' && test.kind === 'type' && test.type === 'node' && predicates.length === 0
}

function exactCount(
  node: XPathNode,
  operator: Comparison,
  bound: number,
  namespaces: Namespaces,
): XPathTests | undefined {
  if (node.kind !== 'path') return undefined
  const found = pathsOf(node, [], namespaces)
  if (!found?.isWhole || found.lifted.length > 0 || found.paths.length !== 1) return undefined
  const [path] = found.paths
  if (Number.isNaN(bound)) return { kind: 'constant', holds: operator === '!=' }
  const count = (low: number, high: number): XPathTests => ({
    kind: 'path',
    path: path!,
    test: { kind: 'count', low, high },
  })
  if (operator === '!=') return { kind: 'not', part: count(bound, bound) }
  const { low, high } = operator === '=' ? { low: bound, high: bound } : boundsOf(operator, bound)
  if (low > high) return FALSE
  return low <= 0 && high === Number.POSITIVE_INFINITY ? TRUE : count(low, high)
}

// --------------------------------------------------------------------------------------------- necessary conditions

/** What holds wherever the expression does. */
export function necessaryTests(node: XPathNode, namespaces: Namespaces): XPathTests {
  return exactTests(node, namespaces) ?? necessary(node, [], namespaces)
}

/**
 * Only what stays true of the whole document when it is true of one of the nodes `context`: no negation, no counts.
 */
function necessary(node: XPathNode, context: readonly PathStep[], namespaces: Namespaces): XPathTests {
  switch (node.kind) {
    case 'literal':
    case 'number':
    case 'negative':
    case 'variable':
      return TRUE
    case 'path':
      return necessaryPath(node, { kind: 'exists' }, context, namespaces)
    case 'call':
      return necessaryCall(node.name, node.arguments, context, namespaces)
    case 'binary':
      return necessaryBinary(node, context, namespaces)
  }
}

function necessaryCall(
  name: string,
  given: readonly XPathNode[],
  context: readonly PathStep[],
  namespaces: Namespaces,
): XPathTests {
  const [first, second] = given
  if (name === 'false') return FALSE
  if (name === 'boolean') return necessary(first!, context, namespaces)
  const text = second?.kind === 'literal' ? second.value : ''
  if ((name !== 'starts-with' && name !== 'contains') || text === '') return TRUE
  // Nodes are taken as the text of the first one.
  const test: PathTest = { kind: name === 'contains' ? 'contains' : 'prefix', text }
  return necessaryPath(first!, test, context, namespaces)
}

function necessaryBinary(
  { operator, left, right }: Binary,
  context: readonly PathStep[],
  namespaces: Namespaces,
): XPathTests {
  if (operator === 'and' || operator === 'or' || operator === '|') {
    const parts = [necessary(left, context, namespaces), necessary(right, context, namespaces)] as const
    return operator === 'and' ? allOf(...parts) : { kind: 'any', parts }
  }
  if (!isComparison(operator)) return TRUE
  const comparison = comparisonOf(operator, left, right)
  if (comparison) return necessaryComparison(comparison, context, namespaces)
  if (isBoolean(left) || isBoolean(right)) return TRUE
  // Nodes compare where one of them does, so that there must be one.
  const sides = [left, right].filter((side) => side.kind === 'path')
  const parts = sides.map((side) => necessaryPath(side, { kind: 'exists' }, context, namespaces))
  return { kind: 'all', parts }
}

function necessaryComparison(comparison: Compared, context: readonly PathStep[], namespaces: Namespaces): XPathTests {
  const { of, operator, constant } = comparison
  if (of.kind !== 'call') {
    const test = testOf(operator, constant)
    return test ? necessaryPath(of, test, context, namespaces) : FALSE
  }
  const [nodes] = of.arguments
  if (nodes?.kind !== 'path') return TRUE
  switch (of.name) {
    case 'count':
      return holdsForZero(operator, numberOf(constant))
        ? TRUE
        : necessaryPath(nodes, { kind: 'exists' }, context, namespaces)
    case 'string':
    case 'normalize-space':
      return necessaryText(of.name, nodes, operator, constant, context, namespaces)
    case 'number': {
      const test = operator === '!=' ? undefined : testOf(operator, { kind: 'number', value: numberOf(constant) })
      return test ? necessaryPath(nodes, test, context, namespaces) : TRUE
    }
    default:
      return TRUE
  }
}

function necessaryText(
  name: string,
  nodes: XPathNode,
  operator: Comparison,
  constant: Constant,
  context: readonly PathStep[],
  namespaces: Namespaces,
): XPathTests {
  if (operator !== '=' || constant.kind !== 'literal' || constant.value === '') return TRUE
  if (name === 'string') return necessaryPath(nodes, { kind: 'equal', constant: constant.value }, context, namespaces)
  const words = constant.value.split(' ').sort((a, b) => b.length - a.length)
  return necessaryPath(nodes, { kind: 'contains', text: words[0]! }, context, namespaces)
}

function necessaryPath(
  node: XPathNode,
  test: PathTest,
  context: readonly PathStep[],
  namespaces: Namespaces,
): XPathTests {
  if (node.kind === 'binary' && node.operator === '|') {
    const parts = [node.left, node.right].map((side) => necessaryPath(side, test, context, namespaces))
    return { kind: 'any', parts }
  }
  if (node.kind !== 'path') return TRUE
  if (node.from) return necessaryPath(node.from, { kind: 'exists' }, context, namespaces)
  const found = pathsOf(node, context, namespaces)
  if (!found) return TRUE
  const { paths, isWhole, lifted } = found
  return { kind: 'all', parts: [anyOf(paths, isWhole ? test : { kind: 'exists' }), ...lifted] }
}

function holdsForZero(operator: Comparison, bound: number): boolean {
  if (operator === '=') return bound === 0
  if (operator === '!=') return bound !== 0
  const { low, high } = boundsOf(operator, bound)
  return low <= 0 && high >= 0
}

/** Two bounds on one path are one test: together they let a document be found that neither would find. */
function allOf(first: XPathTests, second: XPathTests): XPathTests {
  const parts = [first, second].flatMap((one) => (one.kind === 'all' ? one.parts : [one]))
  const low = parts.find((part) => isBound(part, 'low'))
  const high = low && parts.find((part) => isBound(part, 'high') && isSamePath(part.path, (low as Bound).path))
  if (!low || !high) return { kind: 'all', parts }
  const bounds = { low: (low as Bound).test.low, high: (high as Bound).test.high }
  const others = parts.filter((part) => part !== low && part !== high)
  if (bounds.low > bounds.high) return { kind: 'all', parts }
  const span: XPathTests = { kind: 'path', path: (low as Bound).path, test: { kind: 'span', ...bounds } }
  return { kind: 'all', parts: [...others, span] }
}

interface Bound {
  readonly kind: 'path'
  readonly path: IndexPath
  readonly test: { readonly kind: 'within'; readonly low: number; readonly high: number }
}

function isBound(tests: XPathTests, end: 'low' | 'high'): tests is Bound {
  if (tests.kind !== 'path' || tests.test.kind !== 'within') return false
  const { low, high } = tests.test
  return end === 'low' ? high === Number.POSITIVE_INFINITY : low === Number.NEGATIVE_INFINITY
}

function isSamePath(a: IndexPath, b: IndexPath): boolean {
  if (a.steps.length !== b.steps.length || a.end.kind !== b.end.kind) return false
  if (a.end.kind === 'attribute' && b.end.kind === 'attribute' && !isSameName(a.end.test, b.end.test)) return false
  return a.steps.every((step, at) => {
    const other = b.steps[at]!
    return step.descendant === other.descendant && isSameName(step.test, other.test)
  })
}

function isSameName(a: NameTest, b: NameTest): boolean {
  return a.name === b.name && a.uri === b.uri
}

// ---------------------------------------------------------------------------------------------------------- paths

interface FoundPaths {
  /** The nodes are those of all of them together. */
  readonly paths: readonly IndexPath[]
  /** False where steps are left that no path of the index has: the paths lead to where the nodes are looked for. */
  readonly isWhole: boolean
  /** What the predicates ask, of the whole document; where there are any, not all nodes of the paths are meant. */
  readonly lifted: readonly XPathTests[]
}

/** Undefined where nothing of the path can be held. */
function pathsOf(
  { absolute, from, steps }: Path,
  context: readonly PathStep[],
  namespaces: Namespaces,
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
      lifted.push(...step.predicates.map((predicate) => liftedOf(predicate, way, namespaces)))
      continue
    }
    if (kind === undefined || kind === 'self' || (typeof kind === 'object' && kind.end && !isLast)) {
      return partOf(way, lifted)
    }
    if (!kind.end) {
      const { test, rest } = nameTestOf(step, namespaces)
      way.push({ descendant: isDescending || step.axis === 'descendant', test })
      isDescending = false
      lifted.push(...rest.map((predicate) => liftedOf(predicate, way, namespaces)))
      continue
    }
    if (step.predicates.length > 0) lifted.push(TRUE)
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

function liftedOf(predicate: XPathNode, way: readonly PathStep[], namespaces: Namespaces): XPathTests {
  return way.length === 0 ? TRUE : necessary(predicate, [...way], namespaces)
}

function anyOf(paths: readonly IndexPath[], test: PathTest): XPathTests {
  if (test.kind === 'within' && test.low > test.high) return FALSE
  const parts = paths.map((path): XPathTests => ({ kind: 'path', path, test }))
  return parts.length === 1 ? parts[0]! : { kind: 'any', parts }
}

// ----------------------------------------------------------------------------------------------------- comparisons

type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>='
type Constant = Extract<XPathNode, { kind: 'literal' | 'number' }>

interface Compared {
  readonly operator: Comparison
  /** No constant. */
  readonly of: XPathNode
  readonly constant: Constant
}

const FLIPPED: Readonly<Record<Comparison, Comparison>> = {
  '=': '=',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
}

function isComparison(operator: BinaryOperator): operator is Comparison {
  return Object.hasOwn(FLIPPED, operator)
}

/** A comparison with one constant, which then stands on the right. */
function comparisonOf(operator: BinaryOperator, left: XPathNode, right: XPathNode): Compared | undefined {
  if (!isComparison(operator)) return undefined
  const [first, second] = [constantOf(left), constantOf(right)]
  if (second) return first ? undefined : { operator, of: left, constant: second }
  return first && { operator: FLIPPED[operator], of: right, constant: first }
}

function constantOf(node: XPathNode): Constant | undefined {
  if (node.kind === 'literal' || node.kind === 'number') return node
  if (node.kind !== 'negative') return undefined
  const of = constantOf(node.of)
  return of && { kind: 'number', value: -numberOf(of) }
}

function numberOf(constant: Constant): number {
  return constant.kind === 'number' ? constant.value : toNumber(constant.value)
}

/** How nodes compare with a constant: as text with a string for equality, else as numbers (XPath 1.0, 3.4). Undefined: never. */
function testOf(operator: Comparison, constant: Constant): PathTest | undefined {
  const kind = operator === '=' ? 'equal' : 'differs'
  const bound = numberOf(constant)
  if (operator === '=' || operator === '!=') {
    if (constant.kind === 'literal') return { kind, constant: constant.value }
    if (!Number.isNaN(bound)) return { kind, constant: bound }
    return operator === '=' ? { kind: 'within', low: 1, high: 0 } : { kind: 'exists' }
  }
  if (Number.isNaN(bound)) return { kind: 'within', low: 1, high: 0 }
  return { kind: 'within', ...boundsOf(operator, bound) }
}

function boundsOf(
  operator: Exclude<Comparison, '=' | '!='>,
  bound: number,
): { readonly low: number; readonly high: number } {
  switch (operator) {
    case '<':
      return bound === Number.NEGATIVE_INFINITY ? EMPTY : { low: Number.NEGATIVE_INFINITY, high: nextDown(bound) }
    case '<=':
      return { low: Number.NEGATIVE_INFINITY, high: bound }
    case '>':
      return bound === Number.POSITIVE_INFINITY ? EMPTY : { low: nextUp(bound), high: Number.POSITIVE_INFINITY }
    case '>=':
      return { low: bound, high: Number.POSITIVE_INFINITY }
  }
}

const EMPTY = { low: 1, high: 0 }

function isBoolean(node: XPathNode): boolean {
  if (node.kind === 'call')
    return ['true', 'false', 'not', 'boolean', 'starts-with', 'contains', 'lang'].includes(node.name)
  return node.kind === 'binary' && (node.operator === 'and' || node.operator === 'or' || isComparison(node.operator))
}

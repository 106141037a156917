import type { Comparison } from '../../domain/location-path.ts'
import type { XPathNode } from '../../domain/xpath-grammar.ts'
import { boundsOf, comparisonOf, numberOf, testOf } from './xpath-comparisons.ts'
import { type Path, pathsOf } from './xpath-paths.ts'
import { allOf, anyOf, FALSE, type PathTest, TRUE, type XPathTests } from './xpath-tests.ts'

type Namespaces = Readonly<Record<string, string>>

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
  const found = pathsOf(own ? own.path : node, [], namespaces, noLift)
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
  const found = pathsOf(node, [], namespaces, noLift)
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

/** Where a predicate is left, the path isn't exact, whatever the predicate asks. */
const noLift = () => TRUE

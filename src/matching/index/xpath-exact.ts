import type { Comparison } from '../../domain/location-path.ts'
import type { XPathNode } from '../../domain/xpath-grammar.ts'
import { boundsOf, comparisonOf, numberOf, testOf } from './xpath-comparisons.ts'
import { type FoundPaths, type Path, pathsOf } from './xpath-paths.ts'
import { allOf, anyOf, FALSE, type PathTest, TRUE, type XPathTests } from './xpath-tests.ts'

type Namespaces = Readonly<Record<string, string>>

/** @param isOwn Without the last predicate, which is a test of the last node itself. */
export type FindPaths = (path: Path, isOwn: boolean) => FoundPaths | undefined

export function pathFinder(namespaces: Namespaces): FindPaths {
  return (path, isOwn) => pathsOf(isOwn ? withoutLast(path) : path, [], namespaces, noLift)
}

/** The expression itself, as `boolean()` would have it; undefined where the index can't hold it. */
export function exactTests(node: XPathNode, find: FindPaths): XPathTests | undefined {
  switch (node.kind) {
    case 'literal':
      return { kind: 'constant', holds: node.value !== '' }
    case 'number':
      return { kind: 'constant', holds: node.value !== 0 }
    case 'path':
      return exactPath(node, { kind: 'exists' }, find)
    case 'call':
      return exactCall(node.name, node.arguments, find)
    case 'binary':
      return exactBinary(node, find)
    case 'negative':
    case 'variable':
      return undefined
  }
}

function exactCall(name: string, given: readonly XPathNode[], find: FindPaths): XPathTests | undefined {
  if (name === 'true') return TRUE
  if (name === 'false') return FALSE
  if (name !== 'not' && name !== 'boolean') return undefined
  const part = exactTests(given[0]!, find)
  return part && name === 'not' ? { kind: 'not', part } : part
}

type Binary = Extract<XPathNode, { kind: 'binary' }>

function exactBinary({ operator, left, right }: Binary, find: FindPaths): XPathTests | undefined {
  if (operator === 'and' || operator === 'or' || operator === '|') {
    const parts = [exactTests(left, find), exactTests(right, find)]
    const [first, second] = parts
    if (!first || !second) return undefined
    return operator === 'and' ? allOf(first, second) : { kind: 'any', parts: [first, second] }
  }
  const comparison = comparisonOf(operator, left, right)
  if (!comparison) return undefined
  const { of, constant } = comparison
  if (of.kind === 'call' && of.name === 'count') {
    return exactCount(of.arguments[0]!, comparison.operator, numberOf(constant), find)
  }
  const test = testOf(comparison.operator, constant)
  return test && exactPath(of, test, find)
}

function exactPath(node: XPathNode, test: PathTest, find: FindPaths): XPathTests | undefined {
  if (node.kind === 'binary' && node.operator === '|') {
    const parts = [exactPath(node.left, test, find), exactPath(node.right, test, find)]
    return parts[0] && parts[1] && { kind: 'any', parts: [parts[0], parts[1]] }
  }
  if (node.kind !== 'path') return undefined
  const own = test.kind === 'exists' ? ownTest(node) : undefined
  const found = find(node, own !== undefined)
  if (!found?.isWhole || found.lifted.length > 0) return undefined
  return anyOf(found.paths, own ?? test)
}

/** `p[. = 'x']` is `p = 'x'`: a predicate that asks the last node about itself alone. */
export function ownTest({ steps }: Path): PathTest | undefined {
  const last = steps[steps.length - 1]
  return last?.predicates.length === 1 ? testOfSelf(last.predicates[0]!) : undefined
}

function withoutLast(path: Path): Path {
  return { ...path, steps: path.steps.with(-1, { ...path.steps.at(-1)!, predicates: [] }) }
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

function exactCount(node: XPathNode, operator: Comparison, bound: number, find: FindPaths): XPathTests | undefined {
  if (node.kind !== 'path') return undefined
  const found = find(node, false)
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

import { type Comparison, isComparison } from '../../domain/location-path.ts'
import type { XPathNode } from '../../domain/xpath-grammar.ts'
import type { PathStep } from './paths.ts'
import {
  type Compared,
  type Constant,
  comparisonOf,
  holdsForZero,
  isBoolean,
  numberOf,
  testOf,
} from './xpath-comparisons.ts'
import { exactTests, pathFinder } from './xpath-exact.ts'
import { type Lift, pathsOf } from './xpath-paths.ts'
import { allOf, anyOf, FALSE, type PathTest, TRUE, type XPathTests } from './xpath-tests.ts'

type Namespaces = Readonly<Record<string, string>>
type Binary = Extract<XPathNode, { kind: 'binary' }>

/** What holds wherever the expression does. */
export function necessaryTests(node: XPathNode, namespaces: Namespaces): XPathTests {
  return exactTests(node, pathFinder(namespaces)) ?? necessary(node, [], namespaces)
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
  const found = pathsOf(node, context, namespaces, liftWith(namespaces))
  if (!found) return TRUE
  const { paths, isWhole, lifted } = found
  return { kind: 'all', parts: [anyOf(paths, isWhole ? test : { kind: 'exists' }), ...lifted] }
}

function liftWith(namespaces: Namespaces): Lift {
  return (predicate, way) => (way.length === 0 ? TRUE : necessary(predicate, [...way], namespaces))
}

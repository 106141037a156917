import { type Comparison, FLIPPED, isComparison, toNumber } from '../../domain/location-path.ts'
import type { BinaryOperator, XPathNode } from '../../domain/xpath-grammar.ts'
import { nextDown, nextUp } from './doubles.ts'
import type { PathTest } from './xpath-tests.ts'

/** Comparisons of XPath 1.0 with a constant, as tests of values. */

export type Constant = Extract<XPathNode, { kind: 'literal' | 'number' }>

export interface Compared {
  readonly operator: Comparison
  /** No constant. */
  readonly of: XPathNode
  readonly constant: Constant
}

/** A comparison with one constant, which then stands on the right. */
export function comparisonOf(operator: BinaryOperator, left: XPathNode, right: XPathNode): Compared | undefined {
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

export function numberOf(constant: Constant): number {
  return constant.kind === 'number' ? constant.value : toNumber(constant.value)
}

/** How nodes compare with a constant: as text with a string for equality, else as numbers (XPath 1.0, 3.4). Undefined: never. */
export function testOf(operator: Comparison, constant: Constant): PathTest | undefined {
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

export function boundsOf(
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

export function isBoolean(node: XPathNode): boolean {
  if (node.kind === 'call')
    return ['true', 'false', 'not', 'boolean', 'starts-with', 'contains', 'lang'].includes(node.name)
  return node.kind === 'binary' && (node.operator === 'and' || node.operator === 'or' || isComparison(node.operator))
}

export function holdsForZero(operator: Comparison, bound: number): boolean {
  if (operator === '=') return bound === 0
  if (operator === '!=') return bound !== 0
  const { low, high } = boundsOf(operator, bound)
  return low <= 0 && high >= 0
}

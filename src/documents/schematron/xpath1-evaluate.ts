import { type Comparison, compare, isComparison, toNumber } from '../../domain/location-path.ts'
import type { BinaryOperator, NodeTest, Step, XPathNode } from '../../domain/xpath-grammar.ts'
import { nodesOnAxis } from './axes.ts'
import { look } from './expression.ts'
import { documentOf, inDocumentOrder, stringOf, type TreeNode } from './tree.ts'
import { callFunction } from './xpath1-functions.ts'
import { nodesOf, numberFrom, type Point, truthOf, type Value } from './xpath1-values.ts'

export function evaluate(node: XPathNode, point: Point): Value {
  switch (node.kind) {
    case 'literal':
    case 'number':
      return node.value
    case 'negative':
      return -numberFrom(evaluate(node.of, point))
    case 'variable':
      return point.valueNamed(node.name)
    case 'call':
      return callFunction(
        node.name,
        node.arguments.map((argument) => evaluate(argument, point)),
        point,
      )
    case 'path':
      return walk(node, point)
    case 'binary':
      return operate(node.operator, node.left, node.right, point)
  }
}

// ---------------------------------------------------------------------------------------------------- operators

function operate(operator: BinaryOperator, left: XPathNode, right: XPathNode, point: Point): Value {
  if (operator === 'or') return truthOf(evaluate(left, point)) || truthOf(evaluate(right, point))
  if (operator === 'and') return truthOf(evaluate(left, point)) && truthOf(evaluate(right, point))
  const one = evaluate(left, point)
  const other = evaluate(right, point)
  if (operator === '|') return inDocumentOrder([...nodesOf(one), ...nodesOf(other)])
  if (isComparison(operator)) return compareValues(operator, one, other)
  return calculate(operator, numberFrom(one), numberFrom(other))
}

function calculate(operator: BinaryOperator, one: number, other: number): number {
  switch (operator) {
    case '+':
      return one + other
    case '-':
      return one - other
    case '*':
      return one * other
    case 'div':
      return one / other
    default:
      return one % other
  }
}

/** XPath 1.0, 3.4. */
function compareValues(operator: Comparison, one: Value, other: Value): boolean {
  if (isNodes(one)) {
    return isNodes(other) ? compareNodes(operator, one, other) : comparedWith(operator, one, other)
  }
  if (isNodes(other)) return comparedWith(flipped(operator), other, one)
  if (operator !== '=' && operator !== '!=') return compare(operator, numberFrom(one), numberFrom(other))
  const equal = equals(one, other)
  return operator === '=' ? equal : !equal
}

function equals(one: string | number | boolean, other: string | number | boolean): boolean {
  if (typeof one === 'boolean' || typeof other === 'boolean') return truthOf(one) === truthOf(other)
  if (typeof one === 'number' || typeof other === 'number') return numberFrom(one) === numberFrom(other)
  return one === other
}

function compareNodes(operator: Comparison, one: readonly TreeNode[], other: readonly TreeNode[]): boolean {
  const isText = operator === '=' || operator === '!='
  const values = other.map(stringOf)
  return one.some((node) => {
    const value = stringOf(node)
    return values.some((against) => {
      look()
      if (isText) return (value === against) === (operator === '=')
      return compare(operator, toNumber(value), toNumber(against))
    })
  })
}

function comparedWith(operator: Comparison, nodes: readonly TreeNode[], other: string | number | boolean): boolean {
  if (typeof other === 'boolean') return compareValues(operator, nodes.length > 0, other)
  return nodes.some((node) => {
    look()
    return compareValues(operator, typeof other === 'number' ? toNumber(stringOf(node)) : stringOf(node), other)
  })
}

function isNodes(value: Value): value is readonly TreeNode[] {
  return typeof value === 'object'
}

function flipped(operator: Comparison): Comparison {
  const opposite: Partial<Record<Comparison, Comparison>> = { '<': '>', '>': '<', '<=': '>=', '>=': '<=' }
  return opposite[operator] ?? operator
}

// -------------------------------------------------------------------------------------------------------- paths

function walk(path: Extract<XPathNode, { kind: 'path' }>, point: Point): readonly TreeNode[] {
  const { steps } = path
  const parents = path.from ? undefined : parentsForDescent(path, point)
  const start = parents ?? startOf(path, point)
  const left = parents ? steps.slice(1) : steps
  return left.reduce((nodes, step) => stepTo(step, nodes, point), start)
}

/** `//name` begins at the parents of such elements, which are known, instead of at every node. */
function parentsForDescent(
  { absolute, steps }: Extract<XPathNode, { kind: 'path' }>,
  { node }: Point,
): readonly TreeNode[] | undefined {
  const [descent, named] = steps
  const isDescent =
    descent?.axis === 'descendant-or-self' && descent.test.kind === 'type' && descent.test.type === 'node'
  if (!absolute || !isDescent || descent.predicates.length > 0) return undefined
  if (named?.axis !== 'child' || named.test.kind !== 'name' || named.test.name === '*') return undefined
  return documentOf(node).index.parentsOf(named.test.name)
}

function startOf(path: Extract<XPathNode, { kind: 'path' }>, point: Point): readonly TreeNode[] {
  if (path.from) return filtered(nodesOf(evaluate(path.from, point)), path.predicates, point)
  return [path.absolute ? documentOf(point.node) : point.node]
}

function stepTo(step: Step, from: readonly TreeNode[], point: Point): readonly TreeNode[] {
  const found = from.flatMap((node) => {
    const onAxis = nodesOnAxis(step.axis, node).filter((one) => passes(step.test, one, step.axis, point))
    return step.predicates.length === 0 ? onAxis : filtered(onAxis, step.predicates, point)
  })
  return from.length > 1 || isReverse(step.axis) ? inDocumentOrder(found) : found
}

const REVERSE: readonly string[] = ['ancestor', 'ancestor-or-self', 'preceding', 'preceding-sibling']

function isReverse(axis: string): boolean {
  return REVERSE.includes(axis)
}

/** In the order of the axis, which is what positions count by. */
function filtered(nodes: readonly TreeNode[], predicates: readonly XPathNode[], point: Point): readonly TreeNode[] {
  return predicates.reduce((left, predicate) => {
    return left.filter((node, at) => {
      const value = evaluate(predicate, { ...point, node, position: at + 1, size: left.length })
      return typeof value === 'number' ? value === at + 1 : truthOf(value)
    })
  }, nodes)
}

const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace'

function passes(test: NodeTest, node: TreeNode, axis: string, { namespaces }: Point): boolean {
  look()
  if (test.kind === 'type') return test.type === 'node' || (test.type === 'text' && node.nodeType === 3)
  if (node.nodeType !== (axis === 'attribute' ? 2 : 1)) return false
  if (test.name !== '*' && node.localName !== test.name) return false
  if (test.prefix === undefined) return test.name === '*' || node.namespaceURI === null
  return node.namespaceURI === (test.prefix === 'xml' ? XML_NAMESPACE : namespaces[test.prefix])
}

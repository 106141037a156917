import { type Element, isElement, textOf } from './element.ts'
import type { BinaryOperator, NodeTest, Step, XPathNode } from './xpath-grammar.ts'

/**
 * The XPath that most fields and routes consist of, evaluated on the element tree as it is: location paths of child steps
 * with an element, an attribute or text at the end, and comparisons, counts and `and`, `or`, `not` of such. Everything
 * else is libxml2's, whose answers these must equal (a test compares them on random trees).
 */

/** String values of the nodes, in document order. */
export type Select = (root: Element) => readonly string[]

interface Names {
  readonly [prefix: string]: string
}

/** Undefined where the path is not of the simple kind. */
export function compileSelect(node: XPathNode, namespaces: Names): Select | undefined {
  if (node.kind !== 'path' || node.from !== undefined) return undefined
  // Relative paths begin at the document node, which is what absolute ones begin at.
  const inner = node.steps.slice(0, -1)
  const last = node.steps.at(-1)
  if (!last || !inner.every(isElementStep)) return undefined
  const matches = inner.map((step) => matcherOf(step.test, namespaces))
  const end = compileEnd(last, namespaces)
  if (!end || (matches.length === 0 && !isElementStep(last))) return undefined
  return (root) => {
    const found: string[] = []
    walk(root, matches, end, found)
    return found
  }
}

type Matches = (name: string, uri: string) => boolean
type End = (parent: Element, found: string[]) => void

/** The root is the one child of the document node. */
function walk(root: Element, inner: readonly Matches[], end: End, found: string[]): void {
  const documentNode: Element = { name: '', uri: '', prefix: '', attributes: [], namespaces: null, children: [root] }
  walkFrom(documentNode, 0, inner, end, found)
}

function walkFrom(parent: Element, depth: number, inner: readonly Matches[], end: End, found: string[]): void {
  const matches = inner[depth]
  if (!matches) {
    end(parent, found)
    return
  }
  for (const child of parent.children) {
    if (isElement(child) && matches(child.name, child.uri)) walkFrom(child, depth + 1, inner, end, found)
  }
}

function isElementStep({ axis, test, predicates }: Step): boolean {
  return axis === 'child' && test.kind === 'name' && predicates.length === 0
}

function compileEnd(step: Step, namespaces: Names): End | undefined {
  if (step.predicates.length > 0) return undefined
  if (isElementStep(step)) return elementsEnd(matcherOf(step.test, namespaces))
  if (step.axis === 'attribute' && step.test.kind === 'name') return attributesEnd(matcherOf(step.test, namespaces))
  return step.axis === 'child' && step.test.kind === 'type' && step.test.type === 'text' ? textEnd : undefined
}

function elementsEnd(matches: Matches): End {
  return ({ children }, found) => {
    for (const child of children) if (isElement(child) && matches(child.name, child.uri)) found.push(textOf(child))
  }
}

function attributesEnd(matches: Matches): End {
  return ({ attributes }, found) => {
    for (const { name, uri, value } of attributes) if (matches(name, uri)) found.push(value)
  }
}

/** Text without an element between is one node, however it came. */
const textEnd: End = ({ children }, found) => {
  let text = ''
  for (const child of children) {
    if (!isElement(child)) {
      text += child
      continue
    }
    if (text !== '') found.push(text)
    text = ''
  }
  if (text !== '') found.push(text)
}

const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace'

/** XPath 1.0, 2.3: a name without prefix is in no namespace, whatever the default is. */
function matcherOf(test: NodeTest, namespaces: Names): Matches {
  if (test.kind === 'type') return () => false
  if (test.prefix === undefined) {
    return test.name === '*' ? () => true : (name, uri) => name === test.name && uri === ''
  }
  const wanted = test.prefix === 'xml' ? XML_NAMESPACE : namespaces[test.prefix]
  return test.name === '*' ? (_, uri) => uri === wanted : (name, uri) => name === test.name && uri === wanted
}

// -------------------------------------------------------------------------------------------------------- tests

export type Test = (root: Element) => boolean

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>='

/** What holds when the sides change places. */
export const FLIPPED: Readonly<Record<Comparison, Comparison>> = {
  '=': '=',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
}

/** The expression as `boolean()` would have it; undefined where it is not of the simple kind. */
export function compileTest(node: XPathNode, namespaces: Names): Test | undefined {
  if (node.kind === 'path') {
    const select = compileSelect(node, namespaces)
    return select && ((root) => select(root).length > 0)
  }
  if (node.kind === 'call') return compileCall(node.name, node.arguments, namespaces)
  if (node.kind !== 'binary') return undefined
  const { operator, left, right } = node
  if (operator === 'and' || operator === 'or') return compileLogic(operator, left, right, namespaces)
  return isComparison(operator) ? compileComparison(operator, left, right, namespaces) : undefined
}

function compileCall(name: string, given: readonly XPathNode[], namespaces: Names): Test | undefined {
  if (name === 'true') return () => true
  if (name === 'false') return () => false
  if (name !== 'not' && name !== 'boolean') return undefined
  const test = compileTest(given[0]!, namespaces)
  return name === 'not' ? test && ((root) => !test(root)) : test
}

function compileLogic(operator: 'and' | 'or', left: XPathNode, right: XPathNode, namespaces: Names): Test | undefined {
  const first = compileTest(left, namespaces)
  const second = compileTest(right, namespaces)
  if (!first || !second) return undefined
  return operator === 'and' ? (root) => first(root) && second(root) : (root) => first(root) || second(root)
}

export function isComparison(operator: BinaryOperator): operator is Comparison {
  return Object.hasOwn(FLIPPED, operator)
}

function compileComparison(
  operator: Comparison,
  left: XPathNode,
  right: XPathNode,
  namespaces: Names,
): Test | undefined {
  if (isConstant(left) && !isConstant(right)) return compileComparison(FLIPPED[operator], right, left, namespaces)
  if (!isConstant(right)) return undefined
  const count = left.kind === 'call' && left.name === 'count' ? left.arguments[0] : undefined
  if (count) {
    const select = compileSelect(count, namespaces)
    const bound = right.kind === 'number' ? right.value : toNumber(right.value)
    // A number and a string compare as numbers (XPath 1.0, 3.4).
    return select && ((root) => compare(operator, select(root).length, bound))
  }
  const select = compileSelect(left, namespaces)
  const holds = comparisonWith(operator, right)
  return select && ((root) => select(root).some(holds))
}

type Constant = Extract<XPathNode, { kind: 'literal' | 'number' }>

function isConstant(node: XPathNode): node is Constant {
  return node.kind === 'literal' || node.kind === 'number'
}

/** A set of nodes compares where one of them does: as text with a string for equality, else as numbers (XPath 1.0, 3.4). */
function comparisonWith(operator: Comparison, constant: Constant): (value: string) => boolean {
  if (constant.kind === 'literal' && operator === '=') return (value) => value === constant.value
  if (constant.kind === 'literal' && operator === '!=') return (value) => value !== constant.value
  const bound = constant.kind === 'number' ? constant.value : toNumber(constant.value)
  return (value) => compare(operator, toNumber(value), bound)
}

export function compare(operator: Comparison, left: number, right: number): boolean {
  switch (operator) {
    case '=':
      return left === right
    case '!=':
      return left !== right
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    case '>=':
      return left >= right
  }
}

/** XPath's `number()` of a string, with the exponents that libxml2 reads too. */
export function toNumber(text: string): number {
  if (isPlainNumber(text)) return Number(text)
  const match = /^[ \t\r\n]*(-?(?:\d+(?:\.\d*)?|\.\d+))(?:[eE]([+-]?\d*))?[ \t\r\n]*$/.exec(text)
  if (!match) return Number.NaN
  const exponent = match[2] === undefined ? '' : `e${/\d/.test(match[2]) ? match[2] : '0'}`
  return Number(`${match[1]}${exponent}`)
}

/** Digits with a point among them, as most numbers are: they need no more looking at. */
function isPlainNumber(text: string): boolean {
  let points = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x2e) points += 1
    else if (code < 0x30 || code > 0x39) return false
  }
  return points < 2 && text.length > points
}

/**
 * XPath 1.0 read into a tree, with everything checked that can be known without a document: grammar, functions with their
 * arguments, prefixes, types. An expression that passes here doesn't fail on a document.
 */

import { arity, FUNCTIONS, type XPathType } from './xpath-functions.ts'
import { type Token, tokenise, XPathProblem } from './xpath-tokens.ts'

export type BinaryOperator = 'or' | 'and' | '=' | '!=' | '<' | '<=' | '>' | '>=' | '+' | '-' | '*' | 'div' | 'mod' | '|'

export type XPathNode =
  | { readonly kind: 'binary'; readonly operator: BinaryOperator; readonly left: XPathNode; readonly right: XPathNode }
  | { readonly kind: 'negative'; readonly of: XPathNode }
  | { readonly kind: 'literal'; readonly value: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly XPathNode[] }
  | { readonly kind: 'variable'; readonly name: string; readonly type: XPathType }
  /** `from` is the filter expression that the steps begin at; undefined: the context, or the root where absolute. */
  | {
      readonly kind: 'path'
      readonly absolute: boolean
      readonly from: XPathNode | undefined
      readonly predicates: readonly XPathNode[]
      readonly steps: readonly Step[]
    }

export interface Step {
  readonly axis: string
  readonly test: NodeTest
  readonly predicates: readonly XPathNode[]
}

export type NodeTest =
  /** `*` for any name; prefix undefined for none. */
  | { readonly kind: 'name'; readonly prefix: string | undefined; readonly name: string }
  | { readonly kind: 'type'; readonly type: string }

interface Reader {
  readonly tokens: readonly Token[]
  at: number
  depth: number
  /** Predicates around the place that is read. */
  predicates: number
  readonly namespaces: Readonly<Record<string, string>>
  readonly variables: Variables | undefined
}

/** Variables by their names, with the types of their values. {@link CURRENT} stands for the call. */
export type Variables = ReadonlyMap<string, XPathType>

/** XSLT 1.0, 12.4: the node that the whole expression is asked at. */
export const CURRENT = 'current()'

/** Nested further than this, an expression is a mistake, or an attempt on the stack. */
const DEPTH = 100

/**
 * @param variables What may be mentioned; left out, there are none.
 * @throws XPathProblem
 */
export function parseXPath(
  text: string,
  namespaces: Readonly<Record<string, string>>,
  variables?: Variables,
): XPathNode {
  const reader: Reader = { tokens: tokenise(text), at: 0, depth: 0, predicates: 0, namespaces, variables }
  const node = expression(reader)
  if (current(reader).kind !== 'end') throw unexpected(reader, 'the end')
  return node
}

function current({ tokens, at }: Reader): Token {
  return tokens[at]!
}

function next({ tokens, at }: Reader): Token | undefined {
  return tokens[at + 1]
}

function isSymbol(reader: Reader, text: string): boolean {
  const token = current(reader)
  return token.kind === 'symbol' && token.text === text
}

function take(reader: Reader): Token {
  const token = current(reader)
  reader.at += 1
  return token
}

function expect(reader: Reader, symbol: string): void {
  if (!isSymbol(reader, symbol)) throw unexpected(reader, symbol)
  reader.at += 1
}

function unexpected(reader: Reader, wanted: string): XPathProblem {
  const { kind, text, column } = current(reader)
  const found = kind === 'end' ? 'the expression ends' : `${JSON.stringify(text)} stands`
  return new XPathProblem(`${found} where ${wanted} should be (column ${column})`)
}

// ---------------------------------------------------------------------------------------------------- operators

/** How tightly an operator binds (XPath 1.0, 3.4 and 3.5). */
const LEVELS: ReadonlyMap<string, number> = new Map<BinaryOperator, number>([
  ['or', 0],
  ['and', 1],
  ['=', 2],
  ['!=', 2],
  ['<', 3],
  ['<=', 3],
  ['>', 3],
  ['>=', 3],
  ['+', 4],
  ['-', 4],
  ['*', 5],
  ['div', 5],
  ['mod', 5],
])

function expression(reader: Reader): XPathNode {
  reader.depth += 1
  if (reader.depth > DEPTH) throw new XPathProblem(`it is nested more than ${DEPTH} deep`)
  const node = binary(reader, 0)
  reader.depth -= 1
  return node
}

/** Operands joined by operators that bind at least so tightly. */
function binary(reader: Reader, least: number): XPathNode {
  let left = unary(reader)
  for (;;) {
    const { kind, text } = current(reader)
    const level = kind === 'symbol' || kind === 'name' ? LEVELS.get(text) : undefined
    if (level === undefined || level < least) return left
    reader.at += 1
    const right = binary(reader, level + 1)
    left = { kind: 'binary', operator: text as BinaryOperator, left, right }
  }
}

function unary(reader: Reader): XPathNode {
  let minus = 0
  while (isSymbol(reader, '-')) {
    reader.at += 1
    minus += 1
  }
  const node = union(reader)
  return minus === 0 ? node : negative(node, minus)
}

function negative(node: XPathNode, minus: number): XPathNode {
  let of = node
  for (let count = 0; count < minus; count += 1) of = { kind: 'negative', of }
  return of
}

function union(reader: Reader): XPathNode {
  let left = path(reader)
  while (isSymbol(reader, '|')) {
    const { column } = take(reader)
    const right = path(reader)
    if (typeOf(left) !== 'nodes' || typeOf(right) !== 'nodes') {
      throw new XPathProblem(`| joins nodes only (column ${column})`)
    }
    left = { kind: 'binary', operator: '|', left, right }
  }
  return left
}

// -------------------------------------------------------------------------------------------------------- paths

const NODE_TYPES: readonly string[] = ['comment', 'text', 'processing-instruction', 'node']

function path(reader: Reader): XPathNode {
  if (isSymbol(reader, '/') || isSymbol(reader, '//')) return absolutePath(reader)
  if (!startsPrimary(reader)) return locationPath(reader, false, [])
  const { column } = current(reader)
  const from = primary(reader)
  const predicates = predicatesOf(reader)
  const continues = isSymbol(reader, '/') || isSymbol(reader, '//')
  if (predicates.length === 0 && !continues) return from
  if (typeOf(from) !== 'nodes')
    throw new XPathProblem(`a ${typeOf(from)} has no nodes to select from (column ${column})`)
  const steps = continues ? stepsAfterSlash(reader) : []
  return { kind: 'path', absolute: false, from, predicates, steps }
}

function absolutePath(reader: Reader): XPathNode {
  if (isSymbol(reader, '//')) return locationPath(reader, true, stepsAfterSlash(reader))
  reader.at += 1
  if (!startsStep(reader)) return { kind: 'path', absolute: true, from: undefined, predicates: [], steps: [] }
  return locationPath(reader, true, [step(reader)])
}

function locationPath(reader: Reader, absolute: boolean, begun: readonly Step[]): XPathNode {
  const steps = begun.length > 0 ? [...begun] : [step(reader)]
  while (isSymbol(reader, '/') || isSymbol(reader, '//')) steps.push(...stepsAfterSlash(reader))
  return { kind: 'path', absolute, from: undefined, predicates: [], steps }
}

const ANY_BELOW: Step = { axis: 'descendant-or-self', test: { kind: 'type', type: 'node' }, predicates: [] }

/** All steps from the `/` or `//` that stands here. */
function stepsAfterSlash(reader: Reader): Step[] {
  const steps: Step[] = []
  while (isSymbol(reader, '/') || isSymbol(reader, '//')) {
    if (take(reader).text === '//') steps.push(ANY_BELOW)
    steps.push(step(reader))
  }
  return steps
}

function startsStep(reader: Reader): boolean {
  const { kind, text } = current(reader)
  return kind === 'name' || (kind === 'symbol' && ['*', '@', '.', '..'].includes(text))
}

function startsPrimary(reader: Reader): boolean {
  const { kind, text } = current(reader)
  if (kind === 'literal' || kind === 'number') return true
  if (kind === 'symbol') return text === '(' || text === '$'
  return kind === 'name' && next(reader)?.text === '(' && !NODE_TYPES.includes(text)
}

const AXES: readonly string[] = [
  'ancestor',
  'ancestor-or-self',
  'attribute',
  'child',
  'descendant',
  'descendant-or-self',
  'following',
  'following-sibling',
  'namespace',
  'parent',
  'preceding',
  'preceding-sibling',
  'self',
]

function step(reader: Reader): Step {
  const node: NodeTest = { kind: 'type', type: 'node' }
  if (isSymbol(reader, '.') || isSymbol(reader, '..')) {
    return { axis: take(reader).text === '.' ? 'self' : 'parent', test: node, predicates: [] }
  }
  const axis = axisOf(reader)
  const test = nodeTest(reader)
  return { axis, test, predicates: predicatesOf(reader) }
}

function axisOf(reader: Reader): string {
  if (isSymbol(reader, '@')) {
    reader.at += 1
    return 'attribute'
  }
  if (next(reader)?.text !== '::') return 'child'
  const { text, column } = take(reader)
  if (!AXES.includes(text)) throw new XPathProblem(`${text} is no axis of XPath 1.0 (column ${column})`)
  reader.at += 1
  return text
}

function nodeTest(reader: Reader): NodeTest {
  if (isSymbol(reader, '*')) {
    reader.at += 1
    return { kind: 'name', prefix: undefined, name: '*' }
  }
  if (current(reader).kind !== 'name') throw unexpected(reader, 'a name')
  if (next(reader)?.text === '(') return typeTest(reader)
  const { text } = take(reader)
  const colon = text.indexOf(':')
  if (colon < 0) return { kind: 'name', prefix: undefined, name: text }
  const prefix = text.slice(0, colon)
  declared(prefix, reader.namespaces)
  return { kind: 'name', prefix, name: text.slice(colon + 1) }
}

function declared(prefix: string, namespaces: Readonly<Record<string, string>>): void {
  if (prefix === 'xml' || Object.hasOwn(namespaces, prefix)) return
  const known = Object.keys(namespaces)
  throw new XPathProblem(
    `prefix \`${prefix}\` isn't declared (known: ${known.length === 0 ? 'none' : known.join(', ')})`,
  )
}

function typeTest(reader: Reader): NodeTest {
  const { text, column } = take(reader)
  if (!NODE_TYPES.includes(text)) throw new XPathProblem(`${text}() can't stand in a path (column ${column})`)
  expect(reader, '(')
  if (text === 'processing-instruction' && current(reader).kind === 'literal') reader.at += 1
  expect(reader, ')')
  return { kind: 'type', type: text }
}

function predicatesOf(reader: Reader): readonly XPathNode[] {
  const predicates: XPathNode[] = []
  while (isSymbol(reader, '[')) {
    reader.at += 1
    reader.predicates += 1
    predicates.push(expression(reader))
    reader.predicates -= 1
    expect(reader, ']')
  }
  return predicates
}

// ----------------------------------------------------------------------------------------------------- primaries

function primary(reader: Reader): XPathNode {
  const token = take(reader)
  if (token.kind === 'literal') return { kind: 'literal', value: token.text.slice(1, -1) }
  if (token.kind === 'number') return { kind: 'number', value: Number(token.text) }
  if (token.text === '$') return variable(reader, token)
  if (token.text !== '(') return call(reader, token)
  const node = expression(reader)
  expect(reader, ')')
  return node
}

function variable(reader: Reader, { column }: Token): XPathNode {
  const { variables } = reader
  if (!variables) throw new XPathProblem(`there are no variables here (column ${column})`)
  const name = take(reader)
  const type = name.kind === 'name' ? variables.get(name.text) : undefined
  if (type === undefined) throw new XPathProblem(`there is no variable $${name.text} here (column ${column})`)
  return { kind: 'variable', name: name.text, type }
}

function call(reader: Reader, { text: name, column }: Token): XPathNode {
  if (name === 'current' && reader.variables?.has(CURRENT)) {
    expect(reader, '(')
    expect(reader, ')')
    return { kind: 'variable', name: CURRENT, type: 'nodes' }
  }
  const signature = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined
  if (!signature) throw new XPathProblem(`${name}() is no function of XPath 1.0 (column ${column})`)
  if ((name === 'last' || name === 'position') && reader.predicates === 0) {
    throw new XPathProblem(`${name}() means something within [ ] only (column ${column})`)
  }
  const given = argumentsOf(reader)
  if (given.length < signature.least || given.length > signature.most) {
    throw new XPathProblem(`${name}() takes ${arity(signature)}, not ${given.length} (column ${column})`)
  }
  if (signature.ofNodes && given.some((argument) => typeOf(argument) !== 'nodes')) {
    throw new XPathProblem(`${name}() takes nodes, not a ${typeOf(given[0]!)} (column ${column})`)
  }
  return { kind: 'call', name, arguments: given }
}

function argumentsOf(reader: Reader): readonly XPathNode[] {
  const given: XPathNode[] = []
  expect(reader, '(')
  while (!isSymbol(reader, ')')) {
    if (given.length > 0) expect(reader, ',')
    given.push(expression(reader))
  }
  reader.at += 1
  return given
}

// --------------------------------------------------------------------------------------------------------- types

const NUMERIC: readonly BinaryOperator[] = ['+', '-', '*', 'div', 'mod']

/** Every expression's type is known beforehand, since those of variables are. */
export function typeOf(node: XPathNode): XPathType {
  switch (node.kind) {
    case 'literal':
      return 'string'
    case 'number':
    case 'negative':
      return 'number'
    case 'path':
      return 'nodes'
    case 'variable':
      return node.type
    case 'call':
      return FUNCTIONS[node.name]!.gives
    case 'binary':
      if (node.operator === '|') return 'nodes'
      return NUMERIC.includes(node.operator) ? 'number' : 'boolean'
  }
}

import { readPattern } from './pattern.ts'
import {
  type Comparable,
  type Comparison,
  type Condition,
  JsonPathProblem,
  type Query,
  type Segment,
  type Selector,
} from './query.ts'
import { readStringLiteral } from './string-literal.ts'

interface Reader {
  readonly text: string
  at: number
  depth: number
}

/** Nested further than this, a query is a mistake, or an attempt on the stack. */
const DEPTH = 100
/** RFC 9535 2.1: integers are those that a double holds exactly. */
const LARGEST = Number.MAX_SAFE_INTEGER

/** @throws JsonPathProblem */
export function readQuery(text: string): Query {
  const reader: Reader = { text, at: 0, depth: 0 }
  if (text[0] !== '$') throw unexpected(reader, '$')
  const query = queryAt(reader)
  if (reader.at < text.length) throw unexpected(reader, 'a segment or the end')
  return query
}

function unexpected({ text, at }: Reader, wanted: string): JsonPathProblem {
  const found = at < text.length ? `${JSON.stringify(text[at])} stands` : 'it ends'
  return new JsonPathProblem(`${found} where ${wanted} should be (column ${at + 1})`)
}

function isNext({ text, at }: Reader, what: string): boolean {
  return text.startsWith(what, at)
}

function take(reader: Reader, what: string): boolean {
  if (!isNext(reader, what)) return false
  reader.at += what.length
  return true
}

function expect(reader: Reader, what: string): void {
  if (!take(reader, what)) throw unexpected(reader, what)
}

function matchAt(reader: Reader, expression: RegExp): string | undefined {
  expression.lastIndex = reader.at
  const found = expression.exec(reader.text)?.[0]
  if (found !== undefined) reader.at += found.length
  return found
}

const BLANK = /[ \t\n\r]*/y

function skipBlank(reader: Reader): void {
  matchAt(reader, BLANK)
}

function deeper<T>(reader: Reader, read: () => T): T {
  reader.depth += 1
  if (reader.depth > DEPTH) throw new JsonPathProblem(`it is nested more than ${DEPTH} deep`)
  const made = read()
  reader.depth -= 1
  return made
}

// ------------------------------------------------------------------------------------------------------ segments

function queryAt(reader: Reader): Query {
  const from = reader.text[reader.at++] as Query['from']
  const segments: Segment[] = []
  for (;;) {
    // White space stands between segments, not behind the last one.
    const before = reader.at
    skipBlank(reader)
    const segment = segmentAt(reader)
    if (!segment) {
      reader.at = before
      return { from, segments }
    }
    segments.push(segment)
  }
}

const SHORTHAND =
  /[A-Za-z_\u0080-\ud7ff\ue000-\uffff\u{10000}-\u{10ffff}][A-Za-z0-9_\u0080-\ud7ff\ue000-\uffff\u{10000}-\u{10ffff}]*/uy

function segmentAt(reader: Reader): Segment | undefined {
  if (isNext(reader, '[')) return { kind: 'child', selectors: bracketed(reader) }
  if (take(reader, '..')) {
    if (isNext(reader, '[')) return { kind: 'descendant', selectors: bracketed(reader) }
    return { kind: 'descendant', selectors: [shorthand(reader)] }
  }
  if (take(reader, '.')) return { kind: 'child', selectors: [shorthand(reader)] }
  return undefined
}

function shorthand(reader: Reader): Selector {
  if (take(reader, '*')) return { kind: 'wildcard' }
  const name = matchAt(reader, SHORTHAND)
  if (name === undefined) throw unexpected(reader, 'a name or *')
  return { kind: 'name', name }
}

function bracketed(reader: Reader): readonly Selector[] {
  expect(reader, '[')
  const selectors: Selector[] = []
  do {
    skipBlank(reader)
    selectors.push(selectorAt(reader))
    skipBlank(reader)
  } while (take(reader, ','))
  expect(reader, ']')
  return selectors
}

function selectorAt(reader: Reader): Selector {
  if (take(reader, '*')) return { kind: 'wildcard' }
  if (isNext(reader, "'") || isNext(reader, '"')) return { kind: 'name', name: stringAt(reader) }
  if (take(reader, '?')) {
    skipBlank(reader)
    return { kind: 'filter', condition: conditionAt(reader) }
  }
  return indexOrSlice(reader)
}

function stringAt(reader: Reader): string {
  const { value, end } = readStringLiteral(reader.text, reader.at)
  reader.at = end
  return value
}

const INTEGER = /-?[0-9]+/y

function integerAt(reader: Reader): number | undefined {
  const from = reader.at
  const text = matchAt(reader, INTEGER)
  if (text === undefined) return undefined
  // No leading zeros, and no minus zero (2.3.3.1).
  if (!/^(?:0|-?[1-9][0-9]*)$/.test(text) || Math.abs(Number(text)) > LARGEST) {
    throw new JsonPathProblem(`${text} is no index (column ${from + 1})`)
  }
  return Number(text)
}

function indexOrSlice(reader: Reader): Selector {
  const start = integerAt(reader)
  const afterStart = reader.at
  skipBlank(reader)
  if (!take(reader, ':')) {
    reader.at = afterStart
    if (start === undefined) throw unexpected(reader, 'a selector')
    return { kind: 'index', index: start }
  }
  skipBlank(reader)
  const end = integerAt(reader)
  skipBlank(reader)
  if (!take(reader, ':')) return { kind: 'slice', start, end, step: 1 }
  skipBlank(reader)
  return { kind: 'slice', start, end, step: integerAt(reader) ?? 1 }
}

// ------------------------------------------------------------------------------------------------------- filters

function conditionAt(reader: Reader): Condition {
  return deeper(reader, () => listAt(reader, '||', 'or', () => listAt(reader, '&&', 'and', () => basicAt(reader))))
}

function listAt(reader: Reader, sign: string, kind: 'or' | 'and', read: () => Condition): Condition {
  const of = [read()]
  for (;;) {
    const before = reader.at
    skipBlank(reader)
    if (!take(reader, sign)) {
      reader.at = before
      return of.length === 1 ? of[0]! : { kind, of }
    }
    skipBlank(reader)
    of.push(read())
  }
}

function basicAt(reader: Reader): Condition {
  if (take(reader, '!')) {
    skipBlank(reader)
    const of = isNext(reader, '(') ? inParentheses(reader) : testAt(reader)
    if (of.kind === 'compare') throw new JsonPathProblem('! stands before a test or parentheses, not a comparison')
    return { kind: 'not', of }
  }
  return isNext(reader, '(') ? inParentheses(reader) : testOrComparison(reader)
}

function inParentheses(reader: Reader): Condition {
  expect(reader, '(')
  skipBlank(reader)
  const condition = conditionAt(reader)
  skipBlank(reader)
  expect(reader, ')')
  // What was negated as a whole may be a comparison within.
  return condition.kind === 'compare' ? { kind: 'and', of: [condition] } : condition
}

/** A function, a query, or a literal, before it is known what it serves for. */
type Operand =
  | { readonly kind: 'query'; readonly query: Query }
  | { readonly kind: 'comparable'; readonly comparable: Comparable }
  | { readonly kind: 'logical'; readonly condition: Condition }

function testAt(reader: Reader): Condition {
  const from = reader.at
  return testOf(operandAt(reader), from)
}

function testOf(operand: Operand, from: number): Condition {
  if (operand.kind === 'query') return { kind: 'exists', query: operand.query }
  if (operand.kind === 'logical') return operand.condition
  throw new JsonPathProblem(`a value is no condition: compare it with something (column ${from + 1})`)
}

const OPERATORS: readonly Comparison[] = ['==', '!=', '<=', '>=', '<', '>']

function testOrComparison(reader: Reader): Condition {
  const from = reader.at
  const left = operandAt(reader)
  const before = reader.at
  skipBlank(reader)
  const operator = OPERATORS.find((sign) => take(reader, sign))
  if (operator === undefined) {
    reader.at = before
    return testOf(left, from)
  }
  skipBlank(reader)
  const rightFrom = reader.at
  const right = operandAt(reader)
  return { kind: 'compare', operator, left: comparable(left, from), right: comparable(right, rightFrom) }
}

function comparable(operand: Operand, at: number): Comparable {
  if (operand.kind === 'comparable') return operand.comparable
  if (operand.kind === 'logical') throw new JsonPathProblem(`match and search are not compared (column ${at + 1})`)
  if (!isSingular(operand.query)) {
    throw new JsonPathProblem(
      `only a path of names and indexes can be compared: this may select several values (column ${at + 1})`,
    )
  }
  return { kind: 'singular', query: operand.query }
}

function isSingular({ segments }: Query): boolean {
  return segments.every(({ kind, selectors }) => {
    const [only] = selectors
    return kind === 'child' && selectors.length === 1 && (only!.kind === 'name' || only!.kind === 'index')
  })
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const WORD = /[a-z][a-z_0-9]*/y

function operandAt(reader: Reader): Operand {
  if (isNext(reader, '$') || isNext(reader, '@')) return { kind: 'query', query: deeper(reader, () => queryAt(reader)) }
  if (isNext(reader, "'") || isNext(reader, '"')) return literalOf(stringAt(reader))
  const number = matchAt(reader, NUMBER)
  if (number !== undefined) return literalOf(Number(number))
  const from = reader.at
  const word = matchAt(reader, WORD)
  if (word !== undefined && isNext(reader, '(')) return deeper(reader, () => functionAt(reader, word, from))
  if (word === 'true' || word === 'false') return literalOf(word === 'true')
  if (word === 'null') return literalOf(null)
  reader.at = from
  throw unexpected(reader, 'a query, a literal or a function')
}

function literalOf(value: string | number | boolean | null): Operand {
  return { kind: 'comparable', comparable: { kind: 'literal', value } }
}

// ----------------------------------------------------------------------------------------------------- functions

/** RFC 9535 2.4.4 to 2.4.8. */
const ARGUMENTS: Readonly<Record<string, number>> = { length: 1, count: 1, value: 1, match: 2, search: 2 }

function functionAt(reader: Reader, name: string, from: number): Operand {
  const needed = Object.hasOwn(ARGUMENTS, name) ? ARGUMENTS[name] : undefined
  const where = `(column ${from + 1})`
  if (needed === undefined) throw new JsonPathProblem(`${name}() is no function of JSONPath ${where}`)
  const given = argumentsAt(reader)
  if (given.length !== needed) {
    throw new JsonPathProblem(
      `${name}() takes ${needed === 1 ? 'one argument' : 'two arguments'}, not ${given.length} ${where}`,
    )
  }
  const [first, second] = given
  switch (name) {
    case 'length':
      return { kind: 'comparable', comparable: { kind: 'length', of: comparable(first!, from) } }
    case 'count':
    case 'value':
      if (first!.kind !== 'query') throw new JsonPathProblem(`${name}() takes a query ${where}`)
      return { kind: 'comparable', comparable: { kind: name, of: first!.query } }
    default:
      return { kind: 'logical', condition: matchOf(name, comparable(first!, from), comparable(second!, from), where) }
  }
}

function matchOf(name: string, text: Comparable, pattern: Comparable, where: string): Condition {
  if (pattern.kind !== 'literal') {
    // A pattern that a document brings could keep the process busy for hours.
    throw new JsonPathProblem(`the pattern of ${name}() must stand in the query as a text ${where}`)
  }
  if (typeof pattern.value !== 'string') return { kind: 'match', text, pattern: undefined }
  return { kind: 'match', text, pattern: readPattern(pattern.value, name === 'match') }
}

function argumentsAt(reader: Reader): readonly Operand[] {
  expect(reader, '(')
  skipBlank(reader)
  const given: Operand[] = []
  if (take(reader, ')')) return given
  do {
    skipBlank(reader)
    given.push(operandAt(reader))
    skipBlank(reader)
  } while (take(reader, ','))
  expect(reader, ')')
  return given
}

import type { FieldScalar, Fields } from '../domain/fields.ts'
import type { Literal, Operator, ValueCondition } from '../domain/route.ts'

/** What the conditions on one value ask, compiled. */
export interface ValueTest {
  /** In words: `EUR or USD`, `>= 1000`, `not (prefix X)`. */
  readonly expected: string
  readonly holds: Holds
}

type Holds = (values: readonly FieldScalar[]) => boolean

/**
 * A list of conditions is an OR, and a condition holds where it holds for one of the values. The rules for each kind stand in
 * docs/routes.md, "Table of conditions".
 */
export function compileValueConditions(conditions: readonly ValueCondition[]): ValueTest {
  return { expected: conditions.map(describe).join(' or '), holds: anyOf(conditions) }
}

function anyOf(conditions: readonly ValueCondition[]): Holds {
  const texts = new Set<string>()
  const others: Holds[] = []
  for (const condition of conditions) {
    if (condition.kind === 'is' && typeof condition.value === 'string') texts.add(condition.value)
    else others.push(compile(condition))
  }
  if (texts.size > 0) others.unshift(some((value) => value !== null && texts.has(String(value))))
  const [only] = others
  return only !== undefined && others.length === 1 ? only : (values) => others.some((holds) => holds(values))
}

function compile(condition: ValueCondition): Holds {
  switch (condition.kind) {
    case 'is':
      return some(equals(condition.value))
    case 'prefix':
      return some((value) => typeof value === 'string' && value.startsWith(condition.text))
    case 'suffix':
      return some((value) => typeof value === 'string' && value.endsWith(condition.text))
    case 'contains':
      return some((value) => typeof value === 'string' && value.includes(condition.text))
    case 'compare':
      return some(within(condition.bounds))
    case 'exists':
      return (values) => values.length > 0 === condition.expected
    case 'not': {
      const inner = anyOf(condition.conditions)
      return (values) => !inner(values)
    }
  }
}

function some(test: (value: FieldScalar) => boolean): Holds {
  return (values) => {
    for (const value of values) {
      if (test(value)) return true
    }
    return false
  }
}

function equals(literal: Literal): (value: FieldScalar) => boolean {
  if (typeof literal === 'number') return (value) => numberOf(value) === literal
  if (typeof literal === 'boolean') return (value) => value === literal || value === String(literal)
  return (value) => value === literal
}

function within(bounds: readonly { readonly operator: Operator; readonly bound: number }[]) {
  return (value: FieldScalar): boolean => {
    const number = numberOf(value)
    return number !== undefined && bounds.every(({ operator, bound }) => compare(number, operator, bound))
  }
}

function compare(number: number, operator: Operator, bound: number): boolean {
  switch (operator) {
    case '<':
      return number < bound
    case '<=':
      return number <= bound
    case '>':
      return number > bound
    case '>=':
      return number >= bound
  }
}

// The lexical space of xs:double without INF and NaN, white space around it collapsed (XML Schema 2, 3.2.5.1).
const NUMERIC = /^[ \t\r\n]*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?[ \t\r\n]*$/

/** The finite number that a value is or reads as, or undefined. */
export function numberOf(value: FieldScalar): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value !== 'string' || !NUMERIC.test(value)) return undefined
  const number = Number(value)
  return Number.isFinite(number) ? number : undefined
}

/** The field's values; none where it is absent. */
export function valuesOf(fields: Fields, name: string): readonly FieldScalar[] {
  return Object.hasOwn(fields, name) ? (fields[name] ?? []) : []
}

function describe(condition: ValueCondition): string {
  switch (condition.kind) {
    case 'is':
      return condition.value === '' ? "''" : String(condition.value)
    case 'prefix':
    case 'suffix':
    case 'contains':
      return `${condition.kind} ${condition.text}`
    case 'compare':
      return condition.bounds.map(({ operator, bound }) => `${operator} ${bound}`).join(' and ')
    case 'exists':
      return condition.expected ? 'any value' : 'no value'
    case 'not': {
      const inner = condition.conditions.map(describe).join(' or ')
      return condition.conditions.length === 1 ? `not ${inner}` : `not (${inner})`
    }
  }
}

const SHOWN_VALUES = 3
const SHOWN_CHARACTERS = 80

/** What was found, for people: at most three values of 80 characters, control characters made visible. */
export function showValues(values: readonly FieldScalar[]): string {
  if (values.length === 0) return 'absent'
  const shown = values.slice(0, SHOWN_VALUES).map((value) => showText(String(value)))
  const rest = values.length - shown.length
  return rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ')
}

export function showText(text: string): string {
  if (text === '') return "''"
  const cut = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text
  return cut.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (character) => {
    return `\\u{${character.codePointAt(0)!.toString(16)}}`
  })
}

import { mayBacktrackForLong } from '../../matching/allow.ts'
import type { Facets, SimpleType, TypeDefinition, UnknownType } from './components.ts'

/** Whether a type admits a text, as far as it can be told. */
export type Admission = 'yes' | 'no' | 'unknown'

/**
 * Whether the content of an element, or the value of an attribute, can be this text. White space is normalised as the type says,
 * as a validator does before it looks.
 */
export function admits(type: TypeDefinition, text: string): Admission {
  if (type.kind === 'unknown') return 'unknown'
  if (type.kind === 'simple') return admitsSimple(type, text)
  const { content } = type
  switch (content.kind) {
    case 'simple':
      return admits(content.type, text)
    case 'empty':
      return type.mixed || text === '' ? 'yes' : 'no'
    default:
      return 'unknown'
  }
}

function admitsSimple(type: SimpleType, text: string): Admission {
  const value = normalise(text, type.facets.whiteSpace)
  switch (type.variety) {
    case 'union':
      return worst(type, value, best(type.members.map((member) => admits(member, text))))
    case 'list':
      return worst(type, value, allOf(items(value).map((item) => admits(type.item!, item))))
    case 'atomic':
      return worst(type, value, isLexical(type.primitive, value))
  }
}

function items(value: string): readonly string[] {
  return value === '' ? [] : value.split(' ')
}

function best(answers: readonly Admission[]): Admission {
  if (answers.includes('yes')) return 'yes'
  return answers.includes('unknown') ? 'unknown' : 'no'
}

function allOf(answers: readonly Admission[]): Admission {
  if (answers.includes('no')) return 'no'
  return answers.includes('unknown') ? 'unknown' : 'yes'
}

/** What the type's form and its facets say together. */
function worst(type: SimpleType, value: string, form: Admission): Admission {
  return form === 'no' ? 'no' : allOf([form, byFacets(type, value)])
}

/** XML Schema 2, 4.3.6. */
export function normalise(text: string, whiteSpace: Facets['whiteSpace']): string {
  if (whiteSpace === 'preserve') return text
  const replaced = text.replace(/[\t\n\r]/g, ' ')
  return whiteSpace === 'replace' ? replaced : replaced.replace(/ +/g, ' ').replace(/^ | $/g, '')
}

const LEXICAL: Readonly<Record<string, RegExp>> = {
  boolean: /^(?:true|false|0|1)$/,
  decimal: /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/,
  float: /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|-?INF|NaN)$/,
  double: /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|-?INF|NaN)$/,
  date: /^-?\d{4,}-\d\d-\d\d(?:Z|[+-]\d\d:\d\d)?$/,
  dateTime: /^-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?$/,
  time: /^\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?$/,
  gYear: /^-?\d{4,}(?:Z|[+-]\d\d:\d\d)?$/,
  gYearMonth: /^-?\d{4,}-\d\d(?:Z|[+-]\d\d:\d\d)?$/,
  hexBinary: /^(?:[0-9a-fA-F]{2})*$/,
}

/** Where no form is written here, none is ruled out. */
function isLexical(primitive: string | undefined, value: string): Admission {
  const form = LEXICAL[primitive ?? '']
  if (!form) return 'yes'
  return form.test(value) ? 'yes' : 'no'
}

function byFacets(type: SimpleType, value: string): Admission {
  const { enumeration, patterns = [] } = type.facets
  if (enumeration && !enumeration.some((one) => isSame(type, one, value))) return 'no'
  return allOf([...patterns.map((step) => matchesOne(step, value)), byLength(type, value), byBounds(type, value)])
}

const NUMERIC: ReadonlySet<string> = new Set(['decimal', 'float', 'double'])

function isSame(type: SimpleType, one: string, value: string): boolean {
  const other = normalise(one, type.facets.whiteSpace)
  if (other === value) return true
  return type.primitive !== undefined && NUMERIC.has(type.primitive) && Number(other) === Number(value)
}

function byLength(type: SimpleType, value: string): Admission {
  const { length, minLength, maxLength } = type.facets
  if (length === undefined && minLength === undefined && maxLength === undefined) return 'yes'
  const measured = lengthOf(type, value)
  if (measured === undefined) return 'unknown'
  const fits = measured >= (minLength ?? length ?? 0) && measured <= (maxLength ?? length ?? Number.POSITIVE_INFINITY)
  return fits ? 'yes' : 'no'
}

/** In characters, items, or not known: octets of binary types. */
function lengthOf({ variety, primitive }: SimpleType, value: string): number | undefined {
  if (variety === 'list') return items(value).length
  return primitive === 'string' || primitive === 'anyURI' ? [...value].length : undefined
}

function byBounds({ primitive, facets }: SimpleType, value: string): Admission {
  const { minInclusive, maxInclusive, minExclusive, maxExclusive } = facets
  const bounds = [minInclusive, maxInclusive, minExclusive, maxExclusive].filter((bound) => bound !== undefined)
  if (bounds.length === 0) return 'yes'
  // Dates and durations have an order too; it isn't needed here.
  if (primitive === undefined || !NUMERIC.has(primitive)) return 'unknown'
  const number = Number(value)
  if (Number.isNaN(number)) return 'unknown'
  const fits =
    number >= Number(minInclusive ?? Number.NEGATIVE_INFINITY) &&
    number <= Number(maxInclusive ?? Number.POSITIVE_INFINITY) &&
    (minExclusive === undefined || number > Number(minExclusive)) &&
    (maxExclusive === undefined || number < Number(maxExclusive))
  return fits ? 'yes' : 'no'
}

function matchesOne(patterns: readonly string[], value: string): Admission {
  return best(
    patterns.map((pattern) => {
      const expression = readPattern(pattern)
      if (!expression) return 'unknown'
      return expression.test(value) ? 'yes' : 'no'
    }),
  )
}

/**
 * A pattern of XML Schema as a regular expression, where both languages mean the same by it. Not taken: subtraction of classes,
 * `\i`, `\c`, blocks of Unicode, and what repeats a repetition.
 */
export function readPattern(pattern: string): RegExp | undefined {
  if (/\\[icIC]|\\[pP]\{Is|\(\?/.test(pattern) || mayBacktrackForLong(pattern)) return undefined
  if (/\[[^\]]*-\[/.test(pattern.replace(/\\./g, ''))) return undefined
  // `^` and `$` are characters there; `.` is any character but a line's end in both.
  const translated = pattern.replace(/\\.|\[[^\]]*\]|[$^]/gs, (piece) => (piece.length === 1 ? `\\${piece}` : piece))
  try {
    return new RegExp(`^(?:${translated})$`, 'u')
  } catch {
    return undefined
  }
}

/** All texts that a type admits, where they are listed; undefined where they are not, or not known. */
export function enumerationOf(type: TypeDefinition | UnknownType): readonly string[] | undefined {
  if (type.kind === 'unknown') return undefined
  if (type.kind === 'complex') return type.content.kind === 'simple' ? enumerationOf(type.content.type) : undefined
  const { enumeration, whiteSpace } = type.facets
  if (enumeration) return enumeration.map((value) => normalise(value, whiteSpace))
  if (type.primitive === 'boolean') return ['true', 'false', '1', '0']
  if (type.variety !== 'union') return undefined
  const members = type.members.map(enumerationOf)
  return members.every((one) => one !== undefined) ? [...new Set(members.flat())] : undefined
}

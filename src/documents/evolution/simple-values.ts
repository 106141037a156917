import { BUILT_IN_TYPES, XSD_NAMESPACE } from '../xsd/built-in-types.ts'
import type { Facets, SimpleType, UnknownType } from '../xsd/components.ts'
import { localNameOf } from '../xsd/symbols.ts'
import { admits, normalise } from '../xsd/values.ts'
import { compareDecimals, countDigits, stepped } from './decimals.ts'
import { ALL_TEXTS, automatonOf, findText, isText, type TextLanguage } from './text-language.ts'

export type Simple = SimpleType | UnknownType

// ---------------------------------------------------------------------------------------------------- languages

/** Forms of built-in types, as patterns (XML Schema 2, 3.2 and 3.3). */
const FORMS: Readonly<Record<string, string>> = {
  language: '[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*',
  NMTOKEN: '\\c+',
  Name: '\\i\\c*',
  NCName: '[\\i-[:]][\\c-[:]]*',
  decimal: '[+\\-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)',
  integer: '[+\\-]?[0-9]+',
  boolean: 'true|false|0|1',
  float: '[+\\-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+\\-]?[0-9]+)?|-?INF|NaN',
  double: '[+\\-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+\\-]?[0-9]+)?|-?INF|NaN',
  date: '-?[0-9]{4}[0-9]*-[0-9]{2}-[0-9]{2}(Z|[+\\-][0-9]{2}:[0-9]{2})?',
  dateTime: '-?[0-9]{4}[0-9]*-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?(Z|[+\\-][0-9]{2}:[0-9]{2})?',
  time: '[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?(Z|[+\\-][0-9]{2}:[0-9]{2})?',
  hexBinary: '([0-9a-fA-F]{2})*',
}

const SPACED: Readonly<Record<Facets['whiteSpace'], string | undefined>> = {
  preserve: undefined,
  replace: '[^\\t\\n\\r]*',
  collapse: '([^\\s]+( [^\\s]+)*)?',
}

/** The names of the built-in types that a type goes back to, the nearest first. */
export function builtInsOf(type: SimpleType): readonly string[] {
  const names: string[] = []
  for (let at: Simple | undefined = type; at?.kind === 'simple'; at = at.base) {
    if (at.name !== undefined && BUILT_IN_TYPES.get(at.name) === at) names.push(localNameOf(at.name))
  }
  return names
}

export function isBuiltIn({ name }: SimpleType): boolean {
  return name?.startsWith(`{${XSD_NAMESPACE}}`) ?? false
}

/**
 * The normalised texts of an atomic type by its form, its patterns and, where characters are counted, its length; undefined where a
 * pattern isn't understood. All its values are among them; where it is derived from `xs:string`, they are all of them.
 */
export function languageOf(type: SimpleType, facets: Facets = type.facets): TextLanguage | undefined {
  const { patterns = [], enumeration, whiteSpace, length, minLength = length ?? 0, maxLength = length ?? ALL } = facets
  const form = builtInsOf(type).find((name) => Object.hasOwn(FORMS, name))
  const spaces = SPACED[whiteSpace]
  const texts = isString(type)
    ? [...(spaces ? [[spaces]] : []), ...(enumeration ? [literals(enumeration, whiteSpace)] : [])]
    : []
  const automata = [...patterns, ...(form ? [[FORMS[form]!]] : []), ...texts].map(automatonOf)
  const known = automata.filter((automaton) => automaton !== undefined)
  if (known.length < automata.length) return undefined
  return { ...ALL_TEXTS, automata: known, ...(isString(type) ? { minLength, maxLength } : {}) }
}

function literals(values: readonly string[], whiteSpace: Facets['whiteSpace']): readonly string[] {
  return values.map((value) => normalise(value, whiteSpace).replace(/[\\|.?*+(){}[\]^-]/g, '\\$&'))
}

const ALL = Number.POSITIVE_INFINITY

export function isString({ variety, primitive }: SimpleType): boolean {
  return variety === 'atomic' && primitive === 'string'
}

// ------------------------------------------------------------------------------------------------------- values

/** Whether a type takes a text for sure, or surely not; undefined where this can't be told. */
export function takes(type: Simple, text: string): boolean | undefined {
  if (type.kind === 'unknown') return undefined
  const value = normalise(text, type.facets.whiteSpace)
  const { enumeration, patterns = [] } = type.facets
  const listed = enumeration ? enumeration.some((one) => isSame(type, one, value)) : true
  const matched = patterns.map((step) => matches(step, value))
  const parts = [formOf(type, value), ...matched, listed || (isString(type) ? false : undefined), lengthOf(type, value)]
  return allOf(parts)
}

function matches(step: readonly string[], value: string): boolean | undefined {
  const automaton = automatonOf(step)
  return automaton && isText({ ...ALL_TEXTS, automata: [automaton] }, value)
}

function allOf(answers: readonly (boolean | undefined)[]): boolean | undefined {
  if (answers.includes(false)) return false
  return answers.includes(undefined) ? undefined : true
}

function isSame(type: SimpleType, one: string, value: string): boolean {
  const other = normalise(one, type.facets.whiteSpace)
  return other === value || (type.primitive === 'decimal' && compareDecimals(other, value) === 0)
}

function formOf(type: SimpleType, value: string): boolean | undefined {
  switch (type.variety) {
    case 'union': {
      const answers = type.members.map((member) => takes(member, value))
      return answers.includes(true) || (answers.includes(undefined) ? undefined : false)
    }
    case 'list':
      return allOf(items(value).map((item) => takes(type.item!, item)))
    case 'atomic':
      return atomicForm(type, value)
  }
}

function atomicForm(type: SimpleType, value: string): boolean | undefined {
  if (type.primitive === undefined) return true
  const language = languageOf(type, { whiteSpace: type.facets.whiteSpace })
  if (!language) return undefined
  if (!isText(language, value)) return false
  if (type.primitive === 'string') return isIdentity(type) ? undefined : true
  if (type.primitive === 'boolean') return true
  if (type.primitive === 'decimal') return withinBounds(type.facets, value) && withinDigits(type.facets, value)
  const { minInclusive, maxInclusive, minExclusive, maxExclusive } = type.facets
  const bounded = [minInclusive, maxInclusive, minExclusive, maxExclusive].some((bound) => bound !== undefined)
  if (type.primitive === 'double' || type.primitive === 'float') return !bounded || undefined
  return admits(type, value) === 'no' ? false : undefined
}

/** Whether equal texts are equal values of both, and equal values the same of both: `1` and `1.0` are one number and two texts. */
export function isSameSpace(one: Simple | undefined, other: Simple | undefined): boolean {
  if (one === other) return true
  if (one?.kind !== 'simple' || other?.kind !== 'simple' || one.variety !== 'atomic') return false
  const isSameSpacing = one.facets.whiteSpace === other.facets.whiteSpace
  return one.variety === other.variety && one.primitive === other.primitive && isSameSpacing
}

/** Of which validity isn't a matter of the text alone. */
export function isIdentity(type: SimpleType): boolean {
  return builtInsOf(type).some((name) => IDENTITIES.has(name))
}

export const IDENTITIES: ReadonlySet<string> = new Set(['ID', 'IDREF', 'ENTITY'])

function withinBounds({ minInclusive, maxInclusive, minExclusive, maxExclusive }: Facets, value: string): boolean {
  const against = (bound: string | undefined) => (bound === undefined ? undefined : compareDecimals(value, bound))
  const [low, high, over, under] = [minInclusive, maxInclusive, minExclusive, maxExclusive].map(against)
  return (
    (low === undefined || low >= 0) &&
    (high === undefined || high <= 0) &&
    (over === undefined || over > 0) &&
    (under === undefined || under < 0)
  )
}

function withinDigits({ totalDigits = ALL, fractionDigits = ALL }: Facets, value: string): boolean {
  const { total, fraction } = countDigits(value)
  return total <= totalDigits && fraction <= fractionDigits
}

function items(value: string): readonly string[] {
  return value === '' ? [] : value.split(' ')
}

/** Octets of binary types are not counted here. */
function lengthOf(type: SimpleType, value: string): boolean | undefined {
  const { length, minLength = length ?? 0, maxLength = length ?? ALL } = type.facets
  if (minLength === 0 && maxLength === ALL) return true
  if (type.variety !== 'list' && !isString(type)) return undefined
  const counted = type.variety === 'list' ? items(value).length : [...value].length
  return counted >= minLength && counted <= maxLength
}

// ------------------------------------------------------------------------------------------------------ samples

const TYPICAL: Readonly<Record<string, readonly string[]>> = {
  string: ['x', '', 'a b', ' x ', 'x:y', '0', 'true', 'x'.repeat(300), 'ä€', 'http://example.org/', 'A1-'],
  boolean: ['true', 'false', '1', '0'],
  decimal: ['0', '1', '-1', '1.5', '10', '100', '1000', '-1.5', '12345678901234567890', '0.123456789'],
  float: ['0', '1', '-1', '1.5', 'INF', 'NaN', '1E10', '1000'],
  double: ['0', '1', '-1', '1.5', 'INF', 'NaN', '1E10', '1000'],
  duration: ['P1D', 'PT1S', 'P1Y', '-P1D'],
  dateTime: ['2026-01-01T00:00:00', '2026-01-01T00:00:00Z', '1900-01-01T00:00:00', '2026-01-01T00:00:00.5'],
  time: ['00:00:00', '12:30:00Z', '12:30:00.5'],
  date: ['2026-01-01', '2026-01-01Z', '1900-01-01', '2100-01-01'],
  gYearMonth: ['2026-01'],
  gYear: ['2026', '1900'],
  gMonthDay: ['--01-01'],
  gDay: ['---01'],
  gMonth: ['--01'],
  hexBinary: ['00', '', '0000', '00'.repeat(100)],
  base64Binary: ['AAAA', '', 'AA==', 'AAAA'.repeat(100)],
  anyURI: ['http://example.org/', 'x', '', 'urn:x:y'],
  QName: ['x'],
  NOTATION: ['x'],
}

/** Texts that a type takes, or may take: the surer and shorter ones first. */
export function samplesOf(type: Simple): readonly string[] {
  if (type.kind === 'unknown') return ['', 'x', '1', '2026-01-01', 'true']
  const found = [...new Set(proposals(type))].filter((value) => takes(type, value) !== false)
  return found.sort((one, other) => Number(takes(type, other) === true) - Number(takes(type, one) === true))
}

function proposals(type: SimpleType): readonly string[] {
  const { enumeration } = type.facets
  if (enumeration) return enumeration
  switch (type.variety) {
    case 'union':
      return type.members.flatMap(samplesOf)
    case 'list':
      return lists(type)
    case 'atomic':
      return [...TYPICAL[type.primitive ?? 'string']!, ...shortest(type), ...sized(type), ...bounds(type)]
  }
}

const ITEMS_AT_MOST = 100

function lists(type: SimpleType): readonly string[] {
  const { length, minLength = length ?? 0, maxLength = length } = type.facets
  const items = samplesOf(type.item!).filter((item) => item !== '' && !/\s/.test(item))
  const counts = [minLength, minLength + 1, maxLength ?? 3, 2].filter((count) => count <= ITEMS_AT_MOST)
  const lone = items.slice(0, 20)
  return [...counts.flatMap((count) => items.slice(0, 3).map((item) => Array(count).fill(item).join(' '))), ...lone]
}

function shortest(type: SimpleType): readonly string[] {
  const language = languageOf(type)
  const search = language && findText(language, undefined)
  return search?.kind === 'found' ? [search.text] : []
}

function sized({ facets: { length, minLength, maxLength } }: SimpleType): readonly string[] {
  const lengths = [length, minLength, maxLength].filter((one) => one !== undefined && one <= 10_000)
  return lengths.map((one) => 'x'.repeat(one!))
}

/** The edges of the bounds and what lies one beyond: samples of one version are asked of the other. */
function bounds({ facets, primitive }: SimpleType): readonly string[] {
  const { minInclusive, maxInclusive, minExclusive, maxExclusive, totalDigits, fractionDigits } = facets
  const edges = [minInclusive, maxInclusive, minExclusive, maxExclusive].filter((bound) => bound !== undefined)
  if (primitive !== 'decimal') return edges
  const halves = edges.flatMap((edge) => [stepped(edge, -1n), edge]).map((edge) => `${edge?.split('.')[0]}.5`)
  const around = [...halves, ...edges.flatMap((edge) => [stepped(edge, 1n), stepped(edge, -1n)])].filter(
    (one) => one !== undefined,
  )
  const digits =
    totalDigits !== undefined && totalDigits <= 100 ? ['9'.repeat(totalDigits), '9'.repeat(totalDigits + 1)] : []
  const fraction = fractionDigits !== undefined && fractionDigits <= 100 ? [`0.${'1'.repeat(fractionDigits + 1)}`] : []
  const most = fractionDigits ? [`0.${'1'.repeat(fractionDigits)}`] : []
  return [...edges, ...around, ...digits, ...fraction, ...most]
}

/** Texts to try where two versions differ: those of both, and the edges of both. */
export function contestedBetween(one: Simple, other: Simple): readonly string[] {
  const edges = [one, other].flatMap((type) => (type.kind === 'simple' ? edgesOf(type) : []))
  const tried = [...new Set([...samplesOf(one), ...samplesOf(other), ...edges])]
  return tried.filter((value) => takes(one, value) !== false && takes(other, value) !== true)
}

function edgesOf(type: SimpleType): readonly string[] {
  const { length, maxLength = length, minLength = length } = type.facets
  const near = [maxLength === undefined ? -1 : maxLength + 1, (minLength ?? 0) - 1]
  const over = near.filter((one) => one >= 0 && one <= 10_000)
  if (type.variety === 'list') {
    const [item = 'x'] = samplesOf(type.item!)
    return over.filter((count) => count <= ITEMS_AT_MOST).map((count) => Array(count).fill(item).join(' '))
  }
  return [...bounds(type), ...over.map((count) => 'x'.repeat(count)), ...over.map((count) => '00'.repeat(count))]
}

import { XSD_NAMESPACE } from './built-in-types.ts'
import type { Facets, SimpleType, UnknownType } from './components.ts'
import { localNameOf, namespaceOfName } from './symbols.ts'
import { readPattern } from './values.ts'

/** True only where the text is a value without any doubt; false leaves it open. */
export type QuickTest = (text: string) => boolean

/**
 * What tells values of a simple type at a glance. Only what every reading of XML Schema 2 agrees upon is told: plain forms, few digits,
 * ASCII where a pattern looks. Undefined where nothing can be told of the type.
 */
export function quickTestOf(type: SimpleType | UnknownType): QuickTest | undefined {
  if (type.kind === 'unknown') return undefined
  switch (type.variety) {
    case 'atomic':
      return atomicTest(type)
    case 'list':
      return listTest(type)
    case 'union':
      return undefined
  }
}

function atomicTest(type: SimpleType): QuickTest | undefined {
  const builtIn = builtInOf(type)
  const form = builtIn && FORMS.get(localNameOf(builtIn.name!))
  if (!form) return undefined
  const { facets } = type
  // Of the built-in type that is in the form.
  const patterns = facets.patterns?.slice(builtIn.facets.patterns?.length ?? 0) ?? []
  const tests = [
    form,
    enumerationTest(facets),
    lengthTest(type, facets),
    boundsTest(type, facets),
    digitsTest(facets),
    ...patterns.map(patternTest),
  ].filter((test) => test !== ANY_TEXT)
  if (!tests.every((test) => test !== undefined)) return undefined
  // Before a facet looks, white space is made what the type says; where there is nothing to be made, nobody can differ.
  if (form === ANY_TEXT && facets.whiteSpace !== 'preserve' && tests.length > 0) tests.unshift(isNormal)
  return together(tests)
}

function together(tests: readonly QuickTest[]): QuickTest {
  const [first, second] = tests
  if (!first) return ANY_TEXT
  if (!second) return first
  if (tests.length === 2) return (text) => first(text) && second(text)
  return (text) => tests.every((test) => test(text))
}

/** The nearest built-in type that a type is derived from, or is. */
function builtInOf(type: SimpleType): SimpleType | undefined {
  if (type.name !== undefined && namespaceOfName(type.name) === XSD_NAMESPACE) return type
  return type.base?.kind === 'simple' ? builtInOf(type.base) : undefined
}

// -------------------------------------------------------------------------------------------------------- forms

const ANY_TEXT: QuickTest = () => true

/** Nothing that `replace` or `collapse` would change. */
const isNormal: QuickTest = (text) => !/^ |[\t\n\r]| {2}| $/.test(text)

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
const ZONE = '(?:Z|[+-](?:0\\d|1[0-3]):[0-5]\\d)?'
const DATE = '(?!0000)(\\d{4})-(0[1-9]|1[0-2])-([0-2]\\d|3[01])'
const TIME = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?'

function matches(form: RegExp): QuickTest {
  return (text) => form.test(text)
}

function startsWithDay(form: RegExp): QuickTest {
  return (text) => form.test(text) && isDay(text)
}

/** `YYYY-MM-DD`, each in its own bounds. */
function isDay(text: string): boolean {
  const month = Number(text.slice(5, 7))
  const day = Number(text.slice(8, 10))
  if (day === 0 || day > DAYS[month - 1]!) return false
  return month !== 2 || day < 29 || isLeap(Number(text.slice(0, 4)))
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

/** As many characters as a number can have whose digits a double holds. */
const NUMBER_LENGTH = 15

/** What says no by Number is compared there exactly. */
function isPlainNumber(form: RegExp): QuickTest {
  return (text) => text.length <= NUMBER_LENGTH && form.test(text)
}

const DECIMAL = isPlainNumber(/^(?:-?(?=[\d.]*[1-9])|(?=\d))\d+(?:\.\d+)?$/)
const INTEGER = isPlainNumber(/^(?:-?[1-9]\d*|0+)$/)
/** No negative zero, which may or may not be less than zero. */
const DOUBLE = isPlainNumber(/^(?:-(?=[\d.]*[1-9])|(?=\d))\d+(?:\.\d+)?(?:E-?\d{1,2})?$/)

/** How long a text may be in which a group repeats: with longer ones a regular expression runs out of its stack, and throws. */
const REPETITION_LENGTH = 65_536

function repeats(form: RegExp): QuickTest {
  return (text) => text.length <= REPETITION_LENGTH && form.test(text)
}

/** By the built-in type that a type goes back to. Those that depend on more than their text are left out, as are rare ones. */
const FORMS: ReadonlyMap<string, QuickTest> = new Map<string, QuickTest>([
  ...['anySimpleType', 'string', 'normalizedString', 'token'].map((name) => [name, ANY_TEXT] as const),
  ['boolean', matches(/^(?:true|false|0|1)$/)],
  ['decimal', DECIMAL],
  ...[
    ...['integer', 'nonPositiveInteger', 'negativeInteger', 'nonNegativeInteger', 'positiveInteger'],
    ...['long', 'int', 'short', 'byte', 'unsignedLong', 'unsignedInt', 'unsignedShort', 'unsignedByte'],
  ].map((name) => [name, INTEGER] as const),
  ['double', DOUBLE],
  ['float', DOUBLE],
  ['date', startsWithDay(new RegExp(`^${DATE}${ZONE}$`))],
  ['dateTime', startsWithDay(new RegExp(`^${DATE}T${TIME}${ZONE}$`))],
  ['time', matches(new RegExp(`^${TIME}${ZONE}$`))],
  ['gYear', matches(/^(?!0000)\d{4}$/)],
  ['gYearMonth', matches(/^(?!0000)\d{4}-(?:0[1-9]|1[0-2])$/)],
  ['language', repeats(/^[a-zA-Z]{1,8}(?:-[a-zA-Z0-9]{1,8})*$/)],
  ['NMTOKEN', matches(/^[-.:\w]+$/)],
  ['Name', matches(/^[:A-Z_a-z][-.:\w]*$/)],
  ['NCName', matches(/^[A-Z_a-z][-.\w]*$/)],
  ['anyURI', repeats(/^(?:https?:\/\/[a-z0-9.-]+(?:\/[\w.~-]+)*\/?|urn:[\w.-]+(?::[\w.-]+)*|#?[\w.-]+)$/)],
  ['base64Binary', repeats(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/)],
])

// ------------------------------------------------------------------------------------------------------- facets

// A test is undefined where it can't be told, ANY_TEXT where there is no such facet.

/** By the text: another way to write the same value is left open, and values that white space could be taken from are as well. */
function enumerationTest({ enumeration, whiteSpace }: Facets): QuickTest {
  if (!enumeration) return ANY_TEXT
  // They were listed in the white space of the type that they restrict, which may be another than this type's.
  const values = new Set(enumeration.filter((value) => whiteSpace === 'preserve' || isNormal(value)))
  return (text) => values.has(text)
}

function lengthTest({ primitive }: SimpleType, { length, minLength, maxLength }: Facets): QuickTest | undefined {
  if (length === undefined && minLength === undefined && maxLength === undefined) return ANY_TEXT
  if (primitive !== 'string') return undefined
  const least = Math.max(length ?? 0, minLength ?? 0)
  const most = Math.min(length ?? Number.POSITIVE_INFINITY, maxLength ?? Number.POSITIVE_INFINITY)
  return (text) => {
    // Characters, of which some are two units of UTF-16.
    if (text.length < least) return false
    if (text.length <= most && text.length >= 2 * least) return true
    const characters = charactersOf(text)
    return characters >= least && characters <= most
  }
}

function charactersOf(text: string): number {
  let characters = text.length
  for (let at = 0; at < text.length; at++) if ((text.charCodeAt(at) & 0xfc00) === 0xdc00) characters -= 1
  return characters
}

const ORDERED: ReadonlySet<string | undefined> = new Set(['decimal', 'double'])

function boundsTest({ primitive }: SimpleType, facets: Facets): QuickTest | undefined {
  const { minInclusive, maxInclusive, minExclusive, maxExclusive } = facets
  const given = [minInclusive, maxInclusive, minExclusive, maxExclusive].filter((bound) => bound !== undefined)
  if (given.length === 0) return ANY_TEXT
  if (!ORDERED.has(primitive) || !given.every(isComparable)) return undefined
  const least = Number(minInclusive ?? Number.NEGATIVE_INFINITY)
  const most = Number(maxInclusive ?? Number.POSITIVE_INFINITY)
  const above = Number(minExclusive ?? Number.NEGATIVE_INFINITY)
  const below = Number(maxExclusive ?? Number.POSITIVE_INFINITY)
  return (text) => {
    const value = Number(text)
    return value >= least && value <= most && value > above && value < below
  }
}

/** A double holds it as it is, or it is far beyond all that a {@link isPlainNumber} can be. */
function isComparable(bound: string): boolean {
  return /^-?\d{1,15}$/.test(bound) || /^-?\d{1,7}\.\d{1,7}$/.test(bound) || /^-?[1-9]\d{16,}$/.test(bound)
}

/** By the digits that are written: there may be fewer in the value. */
function digitsTest({ totalDigits, fractionDigits }: Facets): QuickTest {
  if (totalDigits === undefined && fractionDigits === undefined) return ANY_TEXT
  const total = totalDigits ?? Number.POSITIVE_INFINITY
  const fraction = fractionDigits ?? Number.POSITIVE_INFINITY
  return (text) => {
    const point = text.indexOf('.')
    const behind = point < 0 ? 0 : text.length - point - 1
    const digits = text.length - (point < 0 ? 0 : 1) - (text.startsWith('-') ? 1 : 0)
    return behind <= fraction && digits <= total
  }
}

/** One of them has to match. */
function patternTest(step: readonly string[]): QuickTest | undefined {
  const patterns = step.map(plainPattern)
  const [first] = patterns
  if (!first || !patterns.every((pattern) => pattern !== undefined)) return undefined
  const most = Math.min(...patterns.map(({ longest }) => longest))
  if (patterns.length === 1 && takesOnlyWhatItNames(step[0]!)) {
    return (text) => text.length <= most && first.form.test(text)
  }
  return (text) => text.length <= most && isPlain(text) && patterns.some(({ form }) => form.test(text))
}

/**
 * How long a text may be that a pattern looks at, by how often the pattern has to choose how much to take: each choice multiplies the
 * time by the length.
 */
const LONGEST_BY_CHOICES: readonly number[] = [128, 128, 128, 32]

/** Of other characters Unicode's versions, and flavours of expressions, think differently. */
const isPlain: QuickTest = (text) => /^[ -~]*$/.test(text)

/** So that a text that it takes is plain, if the pattern is. */
function takesOnlyWhatItNames(pattern: string): boolean {
  return isPlain(pattern) && !/\\D|\[\^|\./.test(pattern)
}

/** Single characters, escapes, and ranges between letters that aren't escaped; a hyphen only at the ends. */
const PLAIN_CLASS = /^\[\^?-?(?:\\.|[^-\\[\]](?:-[^-\\[\]])?)*-?\]$/u

/** Characters, classes and counts; of escapes only those that mean the same everywhere. */
function plainPattern(pattern: string): { readonly form: RegExp; readonly longest: number } | undefined {
  if (/\\[^dnrt.\\?*+{}()[\]|^-]/.test(pattern)) return undefined
  const pieces = pattern.match(/\\.|\[(?:\\.|[^\]\\])*\]/gs) ?? []
  if (!pieces.every((piece) => piece.startsWith('\\') || PLAIN_CLASS.test(piece))) return undefined
  const shape = pattern.replace(/\\./g, 'x').replace(/\[[^\]]*\]/g, 'x')
  // libxml2 loses its way behind what may not come at all, and where what isn't in a class overlaps with something else.
  if (/\{0+(?:,0+)?\}/.test(shape) || (/\[\^/.test(pattern) && !/^x(?:[*+?]|\{[\d,]+\})?$/.test(shape)))
    return undefined
  // A group may be left out, but not come again: then its choices would multiply.
  if (/\)(?:[*+]|\{(?!0,1\}|1\}|1,1\}))/.test(shape)) return undefined
  const choices = shape.match(/[*+?|]|\{(?!(\d+)(?:,\1)?\})/g) ?? []
  const longest = LONGEST_BY_CHOICES[choices.length]
  const form = longest === undefined ? undefined : readPattern(pattern)
  return form && { form, longest: longest! }
}

// -------------------------------------------------------------------------------------------------------- lists

function listTest({ item, facets, base }: SimpleType): QuickTest | undefined {
  const test = item && quickTestOf(item)
  if (!test || facets.enumeration || facets.patterns || base?.kind === 'unknown') return undefined
  const least = Math.max(facets.length ?? 0, facets.minLength ?? 0)
  const most = Math.min(facets.length ?? Number.POSITIVE_INFINITY, facets.maxLength ?? Number.POSITIVE_INFINITY)
  return (text) => {
    if (!isNormal(text)) return false
    const items = text === '' ? [] : text.split(' ')
    return items.length >= least && items.length <= most && items.every(test)
  }
}

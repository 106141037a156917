import type { Facets, SimpleType } from '../xsd/components.ts'
import { normalise } from '../xsd/values.ts'
import { compareDecimals } from './decimals.ts'
import {
  builtInsOf,
  contestedBetween,
  IDENTITIES,
  isIdentity,
  isString,
  languageOf,
  type Simple,
  samplesOf,
  takes,
} from './simple-values.ts'
import { ALL_TEXTS, automatonOf, findText, type TextLanguage } from './text-language.ts'

/** Why one type's values are not known to be the other's too, and texts that may show it. */
export interface Gap {
  readonly message: string
  readonly values: readonly string[]
}

/** Undefined where every text that `old` takes is proven to be taken by `next`. */
export function findGap(old: Simple, next: Simple): Gap | undefined {
  if (old === next || isAnyText(next)) return undefined
  const message = gapBetween(old, next)
  return message === undefined ? undefined : { message: message.text, values: valuesFor(message, old, next) }
}

interface Message {
  readonly text: string
  readonly values?: readonly string[]
}

function valuesFor({ values = [] }: Message, old: Simple, next: Simple): readonly string[] {
  return [...new Set([...values, ...contestedBetween(old, next)])].slice(0, 12)
}

/** Takes every text, however its white space is treated. */
export function isAnyText(type: Simple): boolean {
  if (type.kind === 'unknown' || type.variety !== 'atomic') return false
  if (type.primitive === undefined) return Object.keys(type.facets).length === 1
  const { enumeration, patterns, length, minLength = length ?? 0, maxLength } = type.facets
  const isFree = !enumeration && !patterns && minLength === 0 && maxLength === undefined && length === undefined
  return isFree && type.primitive === 'string' && PLAIN.has(builtInsOf(type)[0] ?? '')
}

const PLAIN: ReadonlySet<string> = new Set(['string', 'normalizedString', 'token'])

function gapBetween(old: Simple, next: Simple): Message | undefined {
  if (old.kind === 'unknown' || next.kind === 'unknown') return { text: 'a simple type isn’t understood' }
  if (old.facets.enumeration) return gapOfListed(old, old.facets.enumeration, next)
  if (old.variety === 'union') return firstOf(old.members.map((member) => () => gapBetween2(member, next)))
  if (next.variety === 'union') return gapToUnion(old, next)
  if (old.variety === 'list' || next.variety === 'list') return gapOfLists(old, next)
  return gapOfAtomic(old, next)
}

/** As {@link gapBetween}, for parts that may be the same. */
function gapBetween2(old: Simple, next: Simple): Message | undefined {
  return old === next || isAnyText(next) ? undefined : gapBetween(old, next)
}

function firstOf(gaps: readonly (() => Message | undefined)[]): Message | undefined {
  for (const gap of gaps) {
    const found = gap()
    if (found) return found
  }
  return undefined
}

// -------------------------------------------------------------------------------------------------- enumerations

/** Listed texts are all there are where values are texts; numbers may be written in other ways too. */
function gapOfListed(old: SimpleType, listed: readonly string[], next: SimpleType): Message | undefined {
  const values = listed.filter((value) => takes(old, value) !== false)
  const refused = values.filter((value) => takes(next, value) === false)
  if (refused.length > 0) return { text: `${quoted(refused)} is not allowed`, values: refused }
  const open = values.filter((value) => takes(next, value) === undefined)
  // Equal dates, names and the like may be written in several ways: the same type takes them in all.
  const sameListed =
    isSameType(old, next) &&
    !gapOfBounds(old, next) &&
    values.every((value) => next.facets.enumeration?.includes(value))
  if (open.length > 0 && !sameListed) {
    return { text: `whether ${quoted(open)} is still allowed can’t be told`, values: open }
  }
  return firstOf([() => gapOfSpaces(old, next), () => gapOfSpelling(old, next)])
}

function isSameType(old: SimpleType, next: SimpleType): boolean {
  const [one, other] = [builtInsOf(old)[0], builtInsOf(next)[0]]
  return old.variety === 'atomic' && one !== undefined && one === other && !next.facets.patterns
}

function gapOfSpelling(old: SimpleType, next: SimpleType): Message | undefined {
  if (isString(old)) return undefined
  const { patterns, enumeration } = next.facets
  const isKept = old.primitive === next.primitive && old.variety === next.variety && !patterns
  const integers = old.primitive !== 'decimal' || !isInteger(next) || isInteger(old)
  if (isKept && integers && old.variety === 'atomic') return undefined
  const free = isAnyText(next) || (next.variety === 'union' && !enumeration && next.members.some(isAnyText))
  return free ? undefined : { text: 'values may be written in ways that the new version refuses' }
}

function quoted(values: readonly string[]): string {
  const shown = values.slice(0, 3).map((value) => `“${value.slice(0, 40)}”`)
  return values.length > 3 ? `${shown.join(', ')} and ${values.length - 3} more` : shown.join(', ')
}

// --------------------------------------------------------------------------------------------- unions and lists

function gapToUnion(old: SimpleType, next: SimpleType): Message | undefined {
  const { enumeration, patterns } = next.facets
  const text = 'whether the values of the type are those of the new union can’t be told'
  if (enumeration || patterns) return { text }
  return next.members.some((member) => gapBetween2(old, member) === undefined) ? undefined : { text }
}

function gapOfLists(old: SimpleType, next: SimpleType): Message | undefined {
  if (next.variety !== 'list') return { text: 'a list became a single value' }
  if (next.facets.enumeration) return { text: 'a list is limited to listed values' }
  if (old.variety !== 'list') return gapToList(old, next)
  return firstOf([
    () => gapBetween2(old.item!, next.item!),
    () => gapOfLength(old.facets, next.facets),
    () => gapOfPatterns(old, next),
  ])
}

function gapToList(old: SimpleType, next: SimpleType): Message | undefined {
  if (isString(old) || next.facets.patterns) return { text: 'a single value became a list' }
  const { length, minLength = length ?? 0, maxLength = length ?? 1 } = next.facets
  if (minLength > 1 || maxLength < 1) return { text: 'a single value became a list of another length' }
  return gapBetween2(old, next.item!)
}

// ------------------------------------------------------------------------------------------------- atomic types

function gapOfAtomic(old: SimpleType, next: SimpleType): Message | undefined {
  return firstOf([
    () => gapOfForm(old, next),
    () => (next.facets.enumeration && !isString(next) ? { text: 'the type is limited to listed values' } : undefined),
    () => gapOfSpaces(old, next),
    () => gapOfBounds(old, next),
    () => gapOfDigits(old, next),
    () =>
      isString(next)
        ? gapOfTexts(old, next)
        : firstOf([() => gapOfLength(old.facets, next.facets), () => gapOfPatterns(old, next)]),
  ])
}

export function isInteger(type: SimpleType): boolean {
  return builtInsOf(type).includes('integer')
}

const BINARY: ReadonlySet<string> = new Set(['float', 'double'])

function gapOfForm(old: SimpleType, next: SimpleType): Message | undefined {
  const text = `${nameOf(old)} became ${nameOf(next)}`
  const [mine, other] = [old, next].map((type) =>
    builtInsOf(type)
      .filter((name) => IDENTITIES.has(name))
      .join(' '),
  )
  if (isIdentity(next) && mine !== other) return { text }
  if (isString(next)) return undefined
  if (old.primitive === undefined || next.primitive === undefined) return { text }
  if (BINARY.has(next.primitive) && (old.primitive === 'decimal' || BINARY.has(old.primitive))) {
    return old.primitive === next.primitive || !isBounded(next.facets) ? undefined : { text }
  }
  if (old.primitive !== next.primitive) return { text }
  return next.primitive === 'decimal' && isInteger(next) && !isInteger(old) ? { text } : undefined
}

export function nameOf(type: Simple): string {
  if (type.kind === 'unknown') return 'a type that isn’t understood'
  const [builtIn] = builtInsOf(type)
  return type.name ?? (builtIn ? `a restriction of xs:${builtIn}` : `a ${type.variety}`)
}

const SPACE_RANK = { preserve: 0, replace: 1, collapse: 2 } as const

function gapOfSpaces(old: SimpleType, next: SimpleType): Message | undefined {
  const [mine, other] = [SPACE_RANK[old.facets.whiteSpace], SPACE_RANK[next.facets.whiteSpace]]
  if (mine === other) return undefined
  if (mine > other) {
    const values = samplesOf(old).slice(0, 3)
    return {
      text: 'white space is not normalised',
      values: values.flatMap((value) => [` ${value} `, `${value}\n`]),
    }
  }
  if (old.facets.enumeration) {
    return old.facets.enumeration.every((value) => normalise(value, next.facets.whiteSpace) === value)
      ? undefined
      : { text: 'white space of listed values is normalised' }
  }
  // Where no text of the old type has white space to normalise, nothing changes.
  const spaced = automatonOf([next.facets.whiteSpace === 'collapse' ? '([^\\s]+( [^\\s]+)*)?' : '[^\\t\\n\\r]*'])!
  const language = languageOf(old)
  const search = language && findText(language, { ...ALL_TEXTS, automata: [spaced] })
  return search?.kind === 'none' ? undefined : { text: 'white space is normalised before it is looked at' }
}

const BOUNDS = ['minInclusive', 'minExclusive', 'maxInclusive', 'maxExclusive'] as const

function isBounded(facets: Facets): boolean {
  return BOUNDS.some((name) => facets[name] !== undefined)
}

function gapOfBounds(old: SimpleType, next: SimpleType): Message | undefined {
  if (!isBounded(next.facets)) return undefined
  const exact = old.primitive === 'decimal' && next.primitive === 'decimal'
  for (const name of BOUNDS) {
    const bound = next.facets[name]
    if (bound === undefined || old.facets[name] === bound) continue
    if (!exact || !implies(old.facets, name, bound)) return { text: `${name} is ${bound}` }
  }
  return undefined
}

/** Whether old bounds keep all values on the right side of a new one. */
function implies(old: Facets, name: (typeof BOUNDS)[number], bound: string): boolean {
  const isLow = name.startsWith('min')
  const inclusive = isLow ? old.minInclusive : old.maxInclusive
  const exclusive = isLow ? old.minExclusive : old.maxExclusive
  const order = (one: string) => {
    const compared = compareDecimals(one, bound)
    if (compared === undefined) return Number.NaN
    return isLow ? compared : -compared
  }
  if (exclusive !== undefined && order(exclusive) >= 0) return true
  if (inclusive === undefined) return false
  return name.endsWith('Inclusive') ? order(inclusive) >= 0 : order(inclusive) > 0
}

function gapOfDigits(old: SimpleType, next: SimpleType): Message | undefined {
  const { totalDigits, fractionDigits } = next.facets
  if (fractionDigits !== undefined && !isInteger(old) && (old.facets.fractionDigits ?? ALL) > fractionDigits) {
    return { text: `fractionDigits is ${fractionDigits}` }
  }
  if (totalDigits === undefined || (old.facets.totalDigits ?? ALL) <= totalDigits) return undefined
  const limit = '9'.repeat(Math.min(totalDigits, 1_000))
  const isWithin =
    isInteger(old) && implies(old.facets, 'maxInclusive', limit) && implies(old.facets, 'minInclusive', `-${limit}`)
  return isWithin ? undefined : { text: `totalDigits is ${totalDigits}` }
}

const ALL = Number.POSITIVE_INFINITY

function gapOfLength(old: Facets, next: Facets): Message | undefined {
  const [least, most] = [next.minLength ?? next.length ?? 0, next.maxLength ?? next.length ?? ALL]
  if ((old.minLength ?? old.length ?? 0) < least) return { text: `the length is at least ${least}` }
  return (old.maxLength ?? old.length ?? ALL) > most ? { text: `the length is at most ${most}` } : undefined
}

/** Both are all about characters: the languages are compared. */
function gapOfTexts(old: SimpleType, next: SimpleType): Message | undefined {
  return compareTexts(languageOf(old), languageOf(next), old, next)
}

function gapOfPatterns(old: SimpleType, next: SimpleType): Message | undefined {
  const kept = new Set(old.facets.patterns?.map((step) => step.join('\n')))
  const added = (next.facets.patterns ?? []).filter((step) => !kept.has(step.join('\n')))
  if (added.length === 0) return undefined
  const automata = added.map(automatonOf).filter((automaton) => automaton !== undefined)
  const language = automata.length < added.length ? undefined : { ...ALL_TEXTS, automata }
  return compareTexts(old.variety === 'atomic' ? languageOf(old) : undefined, language, old, next)
}

function compareTexts(
  mine: TextLanguage | undefined,
  other: TextLanguage | undefined,
  old: SimpleType,
  next: SimpleType,
): Message | undefined {
  const text = `${nameOf(old)} became ${nameOf(next)}, which is narrower`
  if (!mine || !other) return { text: 'a pattern isn’t understood, or is too large' }
  const search = findText(mine, other)
  if (search.kind === 'none') return undefined
  return search.kind === 'found' ? { text, values: [search.text] } : { text: 'the patterns are too large to compare' }
}

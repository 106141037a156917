import type { Conditions, Route, ValueCondition } from '../domain/route.ts'
import { numberOf } from './value.ts'

/**
 * Whether every document that meets the one set of conditions meets the other too, as far as that can be told without
 * documents. False says nothing: XPaths are compared as texts, and what two fields have to do with each other isn't known.
 */
export function implies(narrow: Conditions, wide: Conditions): boolean {
  const facts = factsOf(narrow)
  if (holdsAll(facts, wide)) return true
  // Each group of an `any` together with the rest may do it.
  return facts.some(
    ({ any = [] }) => any.length > 0 && any.every((group) => holdsAll([...facts, ...factsOf(group)], wide)),
  )
}

/** The conditions and the groups of its `all`s: each of them holds. */
function factsOf(conditions: Conditions): readonly Conditions[] {
  return [conditions, ...(conditions.all ?? []).flatMap(factsOf)]
}

function holdsAll(facts: readonly Conditions[], wide: Conditions): boolean {
  return (
    listHolds(facts, wide, 'type', (one, other) => one === other) &&
    listHolds(facts, wide, 'version', (one, other) => one === other) &&
    listHolds(facts, wide, 'stanza', (one, other) => one === other) &&
    listHolds(facts, wide, 'from', coversPattern) &&
    listHolds(facts, wide, 'to', coversPattern) &&
    valuesHold(facts, wide.node, ({ node }) => node) &&
    valuesHold(facts, wide.mediaType, ({ mediaType }) => mediaType) &&
    recordHolds(facts, wide, 'headers') &&
    recordHolds(facts, wide, 'fields') &&
    xpathHolds(facts, wide) &&
    (wide.all ?? []).every((group) => holdsAll(facts, group)) &&
    anyHolds(facts, wide) &&
    notHolds(facts, wide)
  )
}

function listHolds(
  facts: readonly Conditions[],
  wide: Conditions,
  key: 'type' | 'version' | 'stanza' | 'from' | 'to',
  covers: (wider: string, narrower: string) => boolean,
): boolean {
  const accepted = wide[key]
  if (accepted === undefined) return true
  return facts.some((fact) => fact[key]?.every((one) => accepted.some((other) => covers(other, one))))
}

function valuesHold(
  facts: readonly Conditions[],
  wide: readonly ValueCondition[] | undefined,
  read: (fact: Conditions) => readonly ValueCondition[] | undefined,
): boolean {
  if (wide === undefined) return true
  return facts.some((fact) => read(fact)?.every((one) => wide.some((other) => impliesValue(one, other))))
}

function recordHolds(facts: readonly Conditions[], wide: Conditions, key: 'headers' | 'fields'): boolean {
  return Object.entries(wide[key] ?? {}).every(([name, conditions]) => {
    return valuesHold(facts, conditions, (fact) =>
      Object.hasOwn(fact[key] ?? {}, name) ? fact[key]![name] : undefined,
    )
  })
}

function xpathHolds(facts: readonly Conditions[], { xpath, namespaces }: Conditions): boolean {
  if (xpath === undefined) return true
  return facts.some((fact) => fact.xpath === xpath && canonical(fact.namespaces) === canonical(namespaces))
}

function anyHolds(facts: readonly Conditions[], { any }: Conditions): boolean {
  if (any === undefined) return true
  return any.some((group) => holdsAll(facts, group)) || facts.some((fact) => canonical(fact.any) === canonical(any))
}

function notHolds(facts: readonly Conditions[], { not = [] }: Conditions): boolean {
  return not.every((group) => facts.some((fact) => fact.not?.some((other) => canonical(other) === canonical(group))))
}

/** Whether the one holding for a set of values has the other hold for it. */
function impliesValue(narrow: ValueCondition, wide: ValueCondition): boolean {
  if (canonical(narrow) === canonical(wide)) return true
  if (wide.kind === 'exists' && wide.expected) return isPositive(narrow)
  if (narrow.kind === 'is') return isValue(narrow.value, wide)
  if (narrow.kind === 'compare' && wide.kind === 'compare') return isWithin(narrow.bounds, wide.bounds)
  if (narrow.kind === 'prefix') {
    return (wide.kind === 'prefix' && narrow.text.startsWith(wide.text)) || isPart(narrow.text, wide)
  }
  if (narrow.kind === 'suffix') {
    return (wide.kind === 'suffix' && narrow.text.endsWith(wide.text)) || isPart(narrow.text, wide)
  }
  return narrow.kind === 'contains' && isPart(narrow.text, wide)
}

function isPart(text: string, wide: ValueCondition): boolean {
  return wide.kind === 'contains' && text.includes(wide.text)
}

/** Holds for no absent value. */
function isPositive(condition: ValueCondition): boolean {
  return condition.kind !== 'not' && (condition.kind !== 'exists' || condition.expected)
}

/** Whether what equals this value meets a condition. A text that a number or boolean could be read as says less. */
function isValue(value: string | number | boolean | null, wide: ValueCondition): boolean {
  if (typeof value === 'number')
    return (
      wide.kind === 'compare' &&
      isWithin(
        [
          { operator: '>=', bound: value },
          { operator: '<=', bound: value },
        ],
        wide.bounds,
      )
    )
  if (typeof value !== 'string') return false
  const number = numberOf(value)
  if (wide.kind === 'compare')
    return (
      number !== undefined &&
      isWithin(
        [
          { operator: '>=', bound: number },
          { operator: '<=', bound: number },
        ],
        wide.bounds,
      )
    )
  if (wide.kind === 'is') return typeof wide.value === 'number' && wide.value === number
  const isText = number === undefined && value !== 'true' && value !== 'false'
  if (!isText) return false
  if (wide.kind === 'prefix') return value.startsWith(wide.text)
  return wide.kind === 'suffix' ? value.endsWith(wide.text) : isPart(value, wide)
}

type Bounds = Extract<ValueCondition, { kind: 'compare' }>['bounds']

/** Each outer bound is met by one of the inner ones. */
function isWithin(inner: Bounds, outer: Bounds): boolean {
  return outer.every(({ operator, bound }) => inner.some((one) => isTighter(one, operator, bound)))
}

function isTighter(one: Bounds[number], operator: Bounds[number]['operator'], bound: number): boolean {
  if (one.operator[0] !== operator[0]) return false
  if (one.bound === bound) return operator.length === 2 || one.operator.length === 1
  return operator.startsWith('<') ? one.bound < bound : one.bound > bound
}

/** Stands for what a star of the narrower pattern may stand for: only a star takes it. */
const ANYTHING = '\u0001'

/** Whether every JID that the one pattern takes is taken by the other. */
export function coversPattern(wide: string, narrow: string): boolean {
  const [wider, narrower] = [partsOf(wide), partsOf(narrow)]
  if (wider.resource === undefined)
    return coversPart(wider.local, narrower.local) && coversPart(wider.domain, narrower.domain)
  if (narrower.resource === undefined) return false
  return (['local', 'domain', 'resource'] as const).every((part) => coversPart(wider[part] ?? '', narrower[part] ?? ''))
}

function partsOf(pattern: string) {
  const slash = pattern.indexOf('/')
  const bare = (slash < 0 ? pattern : pattern.slice(0, slash)).toLowerCase()
  const at = bare.indexOf('@')
  return {
    local: at < 0 ? '' : bare.slice(0, at),
    domain: bare.slice(at + 1),
    resource: slash < 0 ? undefined : pattern.slice(slash + 1),
  }
}

function coversPart(wide: string, narrow: string): boolean {
  if (wide === narrow) return true
  // A lone star needs a character; a star beside others may stand for none.
  if (wide === '*') return narrow === '*' || narrow.replaceAll('*', '') !== ''
  const pieces = wide.split('*')
  if (pieces.length === 1) return false
  const text = narrow.replaceAll('*', ANYTHING)
  const [first = ''] = pieces
  const last = pieces.at(-1)!
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false
  let at = first.length
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at)
    if (found < 0 || found + piece.length > text.length - last.length) return false
    at = found + piece.length
  }
  return true
}

/** The same text for the same conditions, however their keys and lists are ordered. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).sort().join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  const entries = Object.entries(value).filter(([, one]) => one !== undefined)
  return `{${entries
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`)
    .join()}}`
}

/** Conditions without the prefixes that serve no XPath. */
export function canonicalWhen({ when }: Pick<Route, 'when'>): string {
  const plain = ({ namespaces, ...rest }: Conditions): unknown => ({
    ...rest,
    ...(rest.xpath === undefined ? {} : { namespaces }),
    all: rest.all?.map(plain),
    any: rest.any?.map(plain),
    not: rest.not?.map(plain),
  })
  return canonical(plain(when))
}

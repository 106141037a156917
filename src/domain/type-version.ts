/** Versions of document types, and what a route may ask of them. */

/**
 * Negative where the first is the older one. Parts between `.`, `-`, `_` and `+` are compared one by one: as numbers where both are, else as
 * text, and a part that only one has is newer: 2.1 < 2.1.3 < 2.10.
 */
export function compareVersions(one: string, other: string): number {
  const [a, b] = [partsOf(one), partsOf(other)]
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const [left, right] = [a[at], b[at]]
    if (left === undefined || right === undefined) return left === undefined ? -1 : 1
    if (left === right) continue
    if (/^\d+$/.test(left) && /^\d+$/.test(right)) {
      if (Number(left) !== Number(right)) return Number(left) - Number(right)
    } else return left < right ? -1 : 1
  }
  return 0
}

function partsOf(version: string): readonly string[] {
  return version === '' ? [] : version.split(/[._+-]/)
}

interface Versioned {
  readonly version: string
  readonly deprecated: string | undefined
}

/** Among versions of one type: what is not deprecated goes before what is, then the newest. Undefined where there is none. */
export function newestOf<T extends Versioned>(types: readonly T[]): T | undefined {
  return types.reduce<T | undefined>(
    (best, type) => (best === undefined || isNewer(type, best) ? type : best),
    undefined,
  )
}

function isNewer(type: Versioned, than: Versioned): boolean {
  if ((type.deprecated === undefined) !== (than.deprecated === undefined)) return type.deprecated === undefined
  return compareVersions(type.version, than.version) > 0
}

/** One version, `newest`, or bounds that must all hold: `>=2.0 <3`. */
export type VersionCondition =
  | { readonly kind: 'is'; readonly version: string }
  | { readonly kind: 'newest' }
  | {
      readonly kind: 'range'
      readonly bounds: readonly { readonly operator: '<' | '<=' | '>' | '>='; readonly version: string }[]
    }

const VERSION = /^[0-9A-Za-z][0-9A-Za-z._+-]{0,31}$/
const BOUND = /^(<=|>=|<|>)([0-9A-Za-z][0-9A-Za-z._+-]{0,31})$/

/** Undefined where it is none of them. */
export function parseVersionCondition(text: string): VersionCondition | undefined {
  if (text === 'newest') return { kind: 'newest' }
  if (VERSION.test(text)) return { kind: 'is', version: text }
  const bounds = text
    .trim()
    .split(/\s+/)
    .map((part) => BOUND.exec(part))
  if (!bounds.every((bound) => bound !== null)) return undefined
  return {
    kind: 'range',
    bounds: bounds.map(([, operator, version]) => ({
      operator: operator as '<' | '<=' | '>' | '>=',
      version: version!,
    })),
  }
}

/** Those of the versions of one type that meet the condition. */
export function versionsMeeting<T extends Versioned>(condition: VersionCondition, types: readonly T[]): readonly T[] {
  switch (condition.kind) {
    case 'is':
      return types.filter(({ version }) => version === condition.version)
    case 'newest': {
      const newest = newestOf(types)
      return newest === undefined ? [] : [newest]
    }
    case 'range':
      return types.filter(({ version }) =>
        condition.bounds.every((bound) => meets(compareVersions(version, bound.version), bound.operator)),
      )
  }
}

function meets(compared: number, operator: '<' | '<=' | '>' | '>='): boolean {
  switch (operator) {
    case '<':
      return compared < 0
    case '<=':
      return compared <= 0
    case '>':
      return compared > 0
    case '>=':
      return compared >= 0
  }
}

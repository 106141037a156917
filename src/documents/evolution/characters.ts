/** A set of characters: ranges of code points, ascending, that don't touch. */
export type Characters = readonly (readonly [from: number, to: number])[]

const LAST = 0x10ffff

export const NO_CHARACTERS: Characters = []

export function only(character: string): Characters {
  const code = character.codePointAt(0)!
  return [[code, code]]
}

export function unite(...sets: readonly Characters[]): Characters {
  const sorted = sets.flat().sort(([one], [other]) => one - other)
  const united: [number, number][] = []
  for (const [from, to] of sorted) {
    const last = united.at(-1)
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to)
    else united.push([from, to])
  }
  return united
}

export function invert(set: Characters): Characters {
  const inverted: [number, number][] = []
  let next = 0
  for (const [from, to] of set) {
    if (from > next) inverted.push([next, from - 1])
    next = to + 1
  }
  if (next <= LAST) inverted.push([next, LAST])
  return inverted
}

export function without(set: Characters, other: Characters): Characters {
  return invert(unite(invert(set), other))
}

export function has(set: Characters, code: number): boolean {
  return set.some(([from, to]) => from <= code && code <= to)
}

const byProperty = new Map<string, Characters>()

/** By a general category of Unicode, `Lu` or `N`; undefined for a name that is none. Kept: counting them takes a while. */
export function withCategory(name: string): Characters | undefined {
  const known = byProperty.get(name)
  if (known) return known
  if (!/^[LMNPZSC][a-z]?$/.test(name)) return undefined
  let expression: RegExp
  try {
    expression = new RegExp(`\\p{${name}}`, 'u')
  } catch {
    return undefined
  }
  const found: [number, number][] = []
  for (let code = 0; code <= LAST; code += 1) {
    if (!expression.test(String.fromCodePoint(code))) continue
    const last = found.at(-1)
    if (last && last[1] === code - 1) last[1] = code
    else found.push([code, code])
  }
  byProperty.set(name, found)
  return found
}

const RANGE = (from: string, to: string) => [from.codePointAt(0)!, to.codePointAt(0)!] as const

/** XML 1.0, 2.3: NameStartChar and NameChar. */
export const NAME_STARTS: Characters = unite([
  RANGE(':', ':'),
  RANGE('A', 'Z'),
  RANGE('_', '_'),
  RANGE('a', 'z'),
  [0xc0, 0xd6],
  [0xd8, 0xf6],
  [0xf8, 0x2ff],
  [0x370, 0x37d],
  [0x37f, 0x1fff],
  [0x200c, 0x200d],
  [0x2070, 0x218f],
  [0x2c00, 0x2fef],
  [0x3001, 0xd7ff],
  [0xf900, 0xfdcf],
  [0xfdf0, 0xfffd],
  [0x10000, 0xeffff],
])

export const NAME_CHARACTERS: Characters = unite(NAME_STARTS, [
  RANGE('-', '.'),
  RANGE('0', '9'),
  [0xb7, 0xb7],
  [0x300, 0x36f],
  [0x203f, 0x2040],
])

/** XML 1.0, 2.2: what may stand in a document at all. */
export const XML_CHARACTERS: Characters = [
  [0x9, 0xa],
  [0xd, 0xd],
  [0x20, 0xd7ff],
  [0xe000, 0xfffd],
  [0x10000, LAST],
]

const LIKED = [RANGE('A', 'Z'), RANGE('a', 'z'), RANGE('0', '9'), RANGE('!', '~')]

/** A character of a range, one that people can read where there is one. */
export function readable(from: number, to: number): number {
  for (const [low, high] of LIKED) {
    if (low <= to && high >= from) return Math.max(low, from)
  }
  return from
}

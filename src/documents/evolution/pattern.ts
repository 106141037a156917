import {
  type Characters,
  invert,
  NAME_CHARACTERS,
  NAME_STARTS,
  NO_CHARACTERS,
  only,
  unite,
  withCategory,
  without,
} from './characters.ts'
import type { Expression } from './expression.ts'

/**
 * Reads a pattern of XML Schema (XML Schema 2, appendix F). Undefined for what isn't understood: blocks of Unicode, and what is no
 * pattern.
 */
export function readRegular(pattern: string): Expression<Characters> | undefined {
  const reading: Reading = { characters: [...pattern], at: 0 }
  try {
    const expression = readBranches(reading)
    return reading.at === reading.characters.length ? expression : undefined
  } catch (error) {
    if (error instanceof NotUnderstood) return undefined
    throw error
  }
}

/** Leaves the reader; never leaves this file. */
class NotUnderstood extends Error {}

interface Reading {
  readonly characters: readonly string[]
  at: number
}

function peek({ characters, at }: Reading, ahead = 0): string | undefined {
  return characters[at + ahead]
}

function take(reading: Reading, wanted?: string): string {
  const found = peek(reading)
  if (found === undefined || (wanted !== undefined && found !== wanted)) throw new NotUnderstood()
  reading.at += 1
  return found
}

function readBranches(reading: Reading): Expression<Characters> {
  const branches = [readBranch(reading)]
  while (peek(reading) === '|') {
    take(reading)
    branches.push(readBranch(reading))
  }
  return branches.length === 1 ? branches[0]! : { kind: 'choice', parts: branches }
}

function readBranch(reading: Reading): Expression<Characters> {
  const parts: Expression<Characters>[] = []
  for (let next = peek(reading); next !== undefined && next !== '|' && next !== ')'; next = peek(reading)) {
    parts.push(readQuantified(reading))
  }
  return { kind: 'sequence', parts }
}

function readQuantified(reading: Reading): Expression<Characters> {
  const part = readAtom(reading)
  switch (peek(reading)) {
    case '?':
      take(reading)
      return { kind: 'repeat', part, min: 0, max: 1 }
    case '*':
      take(reading)
      return { kind: 'repeat', part, min: 0, max: Number.POSITIVE_INFINITY }
    case '+':
      take(reading)
      return { kind: 'repeat', part, min: 1, max: Number.POSITIVE_INFINITY }
    case '{':
      return { kind: 'repeat', part, ...readCounts(reading) }
    default:
      return part
  }
}

function readCounts(reading: Reading): { readonly min: number; readonly max: number } {
  const end = reading.characters.indexOf('}', reading.at)
  const match = /^\{(\d+)(,(\d*))?$/.exec(reading.characters.slice(reading.at, Math.max(0, end)).join(''))
  if (!match) throw new NotUnderstood()
  reading.at = end + 1
  const min = Number(match[1])
  if (match[2] === undefined) return { min, max: min }
  return { min, max: match[3] === '' ? Number.POSITIVE_INFINITY : Number(match[3]) }
}

const LINE_ENDS: Characters = unite(only('\n'), only('\r'))
const META = new Set('?*+{}()[]|')

function readAtom(reading: Reading): Expression<Characters> {
  const found = take(reading)
  if (found === '(') {
    const inner = readBranches(reading)
    take(reading, ')')
    return inner
  }
  if (found === '[') return label(readClass(reading))
  if (found === '.') return label(invert(LINE_ENDS))
  if (found === '\\') return label(readEscape(reading))
  if (META.has(found)) throw new NotUnderstood()
  return label(only(found))
}

function label(set: Characters): Expression<Characters> {
  return { kind: 'label', label: set }
}

/** Behind its `[`. */
function readClass(reading: Reading): Characters {
  const negative = peek(reading) === '^'
  if (negative) take(reading)
  let set: Characters = NO_CHARACTERS
  let subtracted: Characters = NO_CHARACTERS
  for (let isFirst = true; peek(reading) !== ']'; isFirst = false) {
    if (!isFirst && peek(reading) === '-' && peek(reading, 1) === '[') {
      reading.at += 2
      subtracted = readClass(reading)
      break
    }
    set = unite(set, readRange(reading))
  }
  take(reading, ']')
  return without(negative ? invert(set) : set, subtracted)
}

function readRange(reading: Reading): Characters {
  const from = readClassCharacter(reading)
  const isRange = peek(reading) === '-' && peek(reading, 1) !== ']' && peek(reading, 1) !== '['
  if (!isRange || from.length !== 1 || from[0]![0] !== from[0]![1]) return from
  take(reading)
  const to = readClassCharacter(reading)
  if (to.length !== 1 || to[0]![0] !== to[0]![1] || to[0]![0] < from[0]![0]) throw new NotUnderstood()
  return [[from[0]![0], to[0]![0]]]
}

function readClassCharacter(reading: Reading): Characters {
  const found = take(reading)
  if (found === '[') throw new NotUnderstood()
  return found === '\\' ? readEscape(reading) : only(found)
}

const CONTROLS: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' }
const SPACES = unite(...[' ', '\t', '\n', '\r'].map(only))

/** Behind its backslash. */
function readEscape(reading: Reading): Characters {
  const found = take(reading)
  if (Object.hasOwn(CONTROLS, found)) return only(CONTROLS[found]!)
  if (found === 'p' || found === 'P') return readProperty(reading, found === 'P')
  const set = classOf(found.toLowerCase())
  if (set) return found === found.toLowerCase() ? set : invert(set)
  if (/[a-zA-Z0-9]/.test(found)) throw new NotUnderstood()
  return only(found)
}

function classOf(letter: string): Characters | undefined {
  switch (letter) {
    case 's':
      return SPACES
    case 'd':
      return withCategory('Nd')
    case 'i':
      return NAME_STARTS
    case 'c':
      return NAME_CHARACTERS
    case 'w':
      return invert(unite(...['P', 'Z', 'C'].map((name) => withCategory(name)!)))
    default:
      return undefined
  }
}

function readProperty(reading: Reading, isInverted: boolean): Characters {
  take(reading, '{')
  let name = ''
  while (peek(reading) !== '}') name += take(reading)
  take(reading, '}')
  const set = withCategory(name)
  if (!set) throw new NotUnderstood()
  return isInverted ? invert(set) : set
}

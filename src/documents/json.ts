import type { Json } from '../domain/document.ts'
import { type Finding, type Rejection, reject } from '../domain/rejection.ts'
import { exceeds, type Limits } from './limits.ts'
import { shown } from './shown.ts'

export type JsonParse =
  | { readonly kind: 'json'; readonly value: Json }
  | { readonly kind: 'rejected'; readonly rejection: Rejection }

/**
 * Parses JSON strictly (RFC 8259), and what RFC 7493 (I-JSON) forbids is refused too, since parties would read it differently: keys that
 * stand twice in one object, halves of surrogate pairs, numbers beyond a double. Limits on depth and on the length of keys
 * end it where they are overstepped; the size is the caller's to check.
 */
export function parseJson(text: string, limits: Limits): JsonParse {
  const rejection = scan({ text, at: 0, escaped: false, limits })
  if (rejection) return { kind: 'rejected', rejection }
  return { kind: 'json', value: JSON.parse(text) as Json }
}

interface Scan {
  readonly text: string
  at: number
  /** There is an escape in the string that was read last. */
  escaped: boolean
  readonly limits: Limits
}

/** An array or object that is open: its keys so far, or null for an array. */
type Open = Set<string> | null

/** Walks the text once, without recursion; gives the first thing that is wrong with it. */
function scan(state: Scan): Rejection | undefined {
  const open: Open[] = []
  for (;;) {
    const started = startValue(state, open)
    if (started === 'opened') continue
    if (started !== 'value') return started
    const ended = endValues(state, open)
    if (ended !== 'next') return ended
  }
}

/** One value, or the opening of one that holds others and isn't empty. */
function startValue(state: Scan, open: Open[]): 'opened' | 'value' | Rejection {
  skipSpace(state)
  const character = state.text[state.at]
  if (character === '{' || character === '[') return openContainer(state, open, character)
  if (character === '"') return string(state) ?? 'value'
  return scalar(state) ?? 'value'
}

function openContainer(state: Scan, open: Open[], character: '{' | '['): 'opened' | 'value' | Rejection {
  if (open.length >= state.limits.depth)
    return exceeds('depth', open.length + 1, state.limits, position(state, state.at))
  state.at += 1
  skipSpace(state)
  if (state.text[state.at] === (character === '{' ? '}' : ']')) {
    state.at += 1
    return 'value'
  }
  const keys: Open = character === '{' ? new Set() : null
  open.push(keys)
  return keys === null ? 'opened' : (key(state, keys) ?? 'opened')
}

/** After a value: closes what ends here, up to the comma before the next value or the end of the text. */
function endValues(state: Scan, open: Open[]): 'next' | Rejection | undefined {
  for (;;) {
    skipSpace(state)
    const character = state.text[state.at]
    const keys = open.at(-1)
    if (keys === undefined) return character === undefined ? undefined : unexpected(state, 'the end')
    const end = keys === null ? ']' : '}'
    if (character === ',') {
      state.at += 1
      return keys === null ? 'next' : (key(state, keys) ?? 'next')
    }
    if (character !== end) return unexpected(state, `, or ${end}`)
    state.at += 1
    open.pop()
  }
}

/** `"name" :`, new to its object. */
function key(state: Scan, keys: Set<string>): Rejection | undefined {
  skipSpace(state)
  if (state.text[state.at] !== '"') return unexpected(state, 'a key in quotes')
  const from = state.at
  const wrong = string(state)
  if (wrong) return wrong
  const written = state.text.slice(from + 1, state.at - 1)
  const name = state.escaped ? (JSON.parse(`"${written}"`) as string) : written
  if (name.length > state.limits.nameLength) {
    return exceeds('nameLength', name.length, state.limits, position(state, from))
  }
  if (keys.has(name)) {
    return malformed(state, 'duplicate-key', `the key ${quoted(name)} stands twice in one object`, from)
  }
  keys.add(name)
  skipSpace(state)
  if (state.text[state.at] !== ':') return unexpected(state, 'a colon')
  state.at += 1
  return undefined
}

const LONE_SURROGATE = /\p{Surrogate}/u
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const WORD = /true|false|null/y

function string(state: Scan): Rejection | undefined {
  const end = stringEnd(state)
  if (end === undefined) {
    return malformed(state, 'syntax', 'a string is not closed, or has a control character or a wrong escape in it')
  }
  // The text itself was decoded: only an escape can write one.
  if (state.escaped && LONE_SURROGATE.test(JSON.parse(state.text.slice(state.at, end)) as string)) {
    return malformed(state, 'lone-surrogate', 'a string holds half of a surrogate pair')
  }
  state.at = end
  return undefined
}

function stringEnd(state: Scan): number | undefined {
  const { text, at } = state
  state.escaped = false
  for (let next = at + 1; next < text.length; next += 1) {
    const code = text.charCodeAt(next)
    if (code === 0x22) return next + 1
    if (code < 0x20) return undefined
    if (code !== 0x5c) continue
    state.escaped = true
    const length = escapeLength(text, next)
    if (length === 0) return undefined
    next += length - 1
  }
  return undefined
}

function escapeLength(text: string, at: number): number {
  const character = text[at + 1]
  if (character === undefined) return 0
  if ('"\\/bfnrt'.includes(character)) return 2
  return character === 'u' && /^[0-9a-fA-F]{4}$/.test(text.slice(at + 2, at + 6)) ? 6 : 0
}

/** Shorter numbers without an exponent are far from what a double can't hold. */
const SURELY_FINITE_LENGTH = 300

function scalar(state: Scan): Rejection | undefined {
  const isNumber = matches(NUMBER, state)
  if (!isNumber && !matches(WORD, state)) return unexpected(state, 'a value')
  const end = isNumber ? NUMBER.lastIndex : WORD.lastIndex
  if (isNumber && !isFiniteNumber(state.text.slice(state.at, end))) {
    const shownNumber = state.text.slice(state.at, Math.min(end, state.at + 40))
    return malformed(state, 'number-range', `the number ${shownNumber} is beyond what a double holds`)
  }
  state.at = end
  return undefined
}

function isFiniteNumber(written: string): boolean {
  if (written.length < SURELY_FINITE_LENGTH && !/[eE]/.test(written)) return true
  return Number.isFinite(Number(written))
}

function matches(expression: RegExp, { text, at }: Scan): boolean {
  expression.lastIndex = at
  return expression.test(text)
}

function skipSpace(state: Scan): void {
  for (;;) {
    const code = state.text.charCodeAt(state.at)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
    state.at += 1
  }
}

function unexpected(state: Scan, wanted: string): Rejection {
  const character = state.text.codePointAt(state.at)
  const found = character === undefined ? 'the text ends' : `${quoted(String.fromCodePoint(character))} stands`
  return malformed(state, 'syntax', `${found} where ${wanted} should be`)
}

function position({ text }: Scan, at: number): { readonly line: number; readonly column: number } {
  const lines = text.slice(0, at).split('\n')
  return { line: lines.length, column: lines.at(-1)!.length + 1 }
}

function malformed(state: Scan, rule: string, reason: string, at = state.at): Rejection {
  const { line, column } = position(state, at)
  const message = `Cannot read the JSON: ${reason}`
  const finding: Finding = { layer: 'json', rule, severity: 'error', path: '', line, column, message }
  return reject('malformed', `${message} (line ${line}, column ${column})`, [finding])
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${shown(text, 40)}…` : shown(text))
}

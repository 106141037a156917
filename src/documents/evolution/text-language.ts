import { type Characters, readable, XML_CHARACTERS } from './characters.ts'
import { type Automaton, makeAutomaton } from './expression.ts'
import { readRegular } from './pattern.ts'

/** A set of texts: those that all automata accept, of a length in characters within the bounds. */
export interface TextLanguage {
  readonly automata: readonly Automaton<Characters>[]
  readonly minLength: number
  readonly maxLength: number
}

export const ALL_TEXTS: TextLanguage = { automata: [], minLength: 0, maxLength: Number.POSITIVE_INFINITY }

const automata = new Map<string, Automaton<Characters> | undefined>()
const KEPT_AT_MOST = 1_000

/** Of patterns that are an OR; undefined where one isn't understood, or too large. */
export function automatonOf(patterns: readonly string[]): Automaton<Characters> | undefined {
  const key = patterns.join('\n')
  if (automata.has(key)) return automata.get(key)
  if (automata.size >= KEPT_AT_MOST) automata.clear()
  const parts = patterns.map(readRegular)
  const known = parts.filter((part) => part !== undefined)
  const made = known.length === parts.length ? makeAutomaton({ kind: 'choice', parts: known }) : undefined
  automata.set(key, made)
  return made
}

export type TextSearch =
  | { readonly kind: 'found'; readonly text: string }
  | { readonly kind: 'none' }
  /** The search was given up. */
  | { readonly kind: 'open' }

const STATES_AT_MOST = 5_000

/**
 * A shortest text of the one language that isn't in the other; `without` undefined stands for the empty language. Both automata
 * are made deterministic as they are walked; characters that no label tells apart are one step.
 */
export function findText(language: TextLanguage, without: TextLanguage | undefined): TextSearch {
  if (without && isAll(without)) return { kind: 'none' }
  const bound = lengthBound(language, without)
  const start: Walked = {
    inside: language.automata.map(({ start: state }) => [state]),
    outside: without?.automata.map(({ start: state }) => [state]) ?? [],
    length: 0,
    text: '',
  }
  const seen = new Set([keyOf(start, bound)])
  const pending = [start]
  for (const walked of pending) {
    if (accepts(walked.inside, walked.length, language) && !isIn(walked, without)) {
      return { kind: 'found', text: walked.text }
    }
    if (walked.length >= language.maxLength) continue
    if (seen.size > STATES_AT_MOST) return { kind: 'open' }
    for (const next of follow(walked, language, without)) {
      const key = keyOf(next, bound)
      if (seen.has(key)) continue
      seen.add(key)
      pending.push(next)
    }
  }
  return { kind: 'none' }
}

interface Walked {
  /** For each automaton, the states that it may be in. */
  readonly inside: readonly (readonly number[])[]
  readonly outside: readonly (readonly number[])[]
  readonly length: number
  readonly text: string
}

function isAll({ automata: all, minLength, maxLength }: TextLanguage): boolean {
  return all.length === 0 && minLength === 0 && maxLength === Number.POSITIVE_INFINITY
}

/** Lengths beyond it are all the same. */
function lengthBound(one: TextLanguage, other: TextLanguage | undefined): number {
  const lengths = [one.minLength, one.maxLength, other?.minLength ?? 0, other?.maxLength ?? 0]
  return Math.max(...lengths.filter(Number.isFinite)) + 1
}

function keyOf({ inside, outside, length }: Walked, bound: number): string {
  return `${inside.join(';')}|${outside.join(';')}|${Math.min(length, bound)}`
}

function accepts(states: Walked['inside'], length: number, language: TextLanguage): boolean {
  return (
    length >= language.minLength &&
    length <= language.maxLength &&
    language.automata.every((automaton, at) => states[at]!.some((state) => automaton.accepts(state)))
  )
}

function isIn({ outside, length }: Walked, without: TextLanguage | undefined): boolean {
  return without !== undefined && accepts(outside, length, without)
}

function* follow(walked: Walked, language: TextLanguage, without: TextLanguage | undefined): Generator<Walked> {
  const sets = [
    ...labelsOf(language, walked.inside),
    ...(without ? labelsOf(without, walked.outside) : []),
    XML_CHARACTERS,
  ]
  for (const code of representatives(sets)) {
    const inside = advance(language, walked.inside, code)
    if (inside.some((states) => states.length === 0)) continue
    const outside = without ? advance(without, walked.outside, code) : []
    yield { inside, outside, length: walked.length + 1, text: walked.text + String.fromCodePoint(code) }
  }
}

function labelsOf({ automata: all }: TextLanguage, states: Walked['inside']): readonly Characters[] {
  return all.flatMap((automaton, at) =>
    states[at]!.flatMap((state) => automaton.steps(state).map((step) => step.label)),
  )
}

/** One character for each part into which the sets cut what XML allows; readable ones first. */
function representatives(sets: readonly Characters[]): readonly number[] {
  const cuts = new Set<number>()
  for (const [from, to] of sets.flat()) cuts.add(from).add(to + 1)
  const sorted = [...cuts].sort((one, other) => one - other)
  const codes: number[] = []
  for (const [at, from] of sorted.entries()) {
    const to = (sorted[at + 1] ?? from + 1) - 1
    if (XML_CHARACTERS.some(([low, high]) => low <= from && to <= high)) codes.push(readable(from, to))
  }
  return codes.sort((one, other) => rank(one) - rank(other))
}

function rank(code: number): number {
  return code > 0x20 && code < 0x7f ? 0 : 1
}

function advance({ automata: all }: TextLanguage, states: Walked['inside'], code: number): number[][] {
  return all.map((automaton, at) => {
    const next = new Set<number>()
    for (const state of states[at]!) {
      for (const step of automaton.steps(state)) {
        if (step.label.some(([from, to]) => from <= code && code <= to)) next.add(step.next)
      }
    }
    return [...next].sort((one, other) => one - other)
  })
}

/** Whether a text is in the language. */
export function isText(language: TextLanguage, text: string): boolean {
  let states: readonly (readonly number[])[] = language.automata.map(({ start }) => [start])
  let length = 0
  for (const character of text) {
    states = advance(language, states, character.codePointAt(0)!)
    length += 1
  }
  return accepts(states, length, language)
}

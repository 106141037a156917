import { escapeLocalpart } from '../domain/jid.ts'
import type { DestinationTemplate } from '../domain/route.ts'
import { type Automaton, automatonOf, type States } from './expression.ts'
import { parseTemplate, percentEncode, type Template } from './template.ts'

/** All values that a place can take; undefined where any text may come. */
export type PlaceValues = (place: string) => readonly string[] | undefined

/** What a percent-encoded value is made of (RFC 3986 2.1 and 2.3). */
const ENCODED: readonly string[] = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%')

/** Whether any values at all make an address that `allow` admits. True where that can't be told. */
export function isFillable({ target, allow }: DestinationTemplate, valuesOf: PlaceValues): boolean {
  const template = parseTemplate(target.kind === 'node' ? target.node : target.jid)
  const automaton = allow === undefined ? undefined : automatonOf(allow)
  if (!template || !automaton) return true
  const fill = target.kind === 'node' ? NODE : JID
  return automaton.isAccepted(walk(template, automaton, fill, valuesOf))
}

interface Fill {
  readonly alphabet: readonly string[] | 'all'
  /** The forms in which a value may stand in the address. */
  readonly encode: (value: string) => readonly string[]
  /** The characters that one of the template may be. */
  readonly characters: (character: string) => readonly string[]
}

const NODE: Fill = {
  alphabet: ENCODED,
  encode: (value) => [percentEncode(value)],
  characters: (character) => [character],
}

/** What is normalised (RFC 7622) is taken in either form. */
const JID: Fill = {
  alphabet: 'all',
  encode: (value) => [...new Set([value, escapeLocalpart(value), escapeLocalpart(value).toLowerCase()])],
  characters: (character) => [...new Set([character, character.toLowerCase()])],
}

function walk(template: Template, automaton: Automaton, fill: Fill, valuesOf: PlaceValues): States {
  let states = automaton.start
  for (const part of template.parts) {
    if (part.kind === 'text') {
      states = afterText(states, part.text, automaton, fill)
      continue
    }
    const values = valuesOf(part.name)?.filter((value) => value !== '')
    if (!values) {
      states = automaton.afterAny(states, fill.alphabet)
      continue
    }
    const ends = values.flatMap(fill.encode).map((value) => afterText(states, value, automaton, fill))
    states = new Set(ends.flatMap((end) => [...end]))
  }
  return states
}

function afterText(states: States, text: string, automaton: Automaton, fill: Fill): States {
  let at = states
  for (const character of text) {
    const ends = fill.characters(character).map((one) => automaton.after(at, one))
    at = new Set(ends.flatMap((end) => [...end]))
  }
  return at
}

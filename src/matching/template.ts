import type { FieldScalar } from '../domain/fields.ts'
import { bareJid } from '../domain/jid.ts'
import type { Subject } from './subject.ts'
import { valuesOf } from './value.ts'

/** A text with `{name}` places in it, taken apart: texts and places by turns. */
export interface Template {
  readonly parts: readonly Part[]
  /** Names of the places, each once, in the order of their first use. */
  readonly places: readonly string[]
}

export type Part = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'place'; readonly name: string }

/** Places that are not fields: the document type's name, and the sender's bare JID. A field of that name is hidden by them. */
export const BUILT_IN_PLACES: readonly string[] = ['type', 'sender']

/** A place in a text for people. */
export const PLACE = /\{([^{}\s]+)\}/g

/** Undefined where a brace opens or closes no place. */
export function parseTemplate(text: string): Template | undefined {
  const parts: Part[] = []
  for (const piece of text.split(/(\{[^{}\s]+\})/)) {
    if (piece === '') continue
    if (/^\{[^{}\s]+\}$/.test(piece)) parts.push({ kind: 'place', name: piece.slice(1, -1) })
    else if (/[{}]/.test(piece)) return undefined
    else parts.push({ kind: 'text', text: piece })
  }
  const names = parts.flatMap((part) => (part.kind === 'place' ? [part.name] : []))
  return { parts, places: [...new Set(names)] }
}

/** What a place can be filled with: texts, null for JSON's null. None where the field is absent. */
export function placeValues(name: string, subject: Subject): readonly FieldScalar[] {
  if (name === 'type') return [subject.type]
  if (name === 'sender') return [bareJid(subject.origin.from)]
  return valuesOf(subject.fields, name)
}

/** @param values One encoded value for each place. */
export function fillTemplate(template: Template, values: ReadonlyMap<string, string>): string {
  let text = ''
  for (const part of template.parts) text += part.kind === 'text' ? part.text : (values.get(part.name) ?? '')
  return text
}

/** RFC 3986 2.3: unreserved characters stay, all others are percent-encoded in UTF-8. Halves of surrogate pairs become U+FFFD. */
export function percentEncode(text: string): string {
  const whole = text.replace(/\p{Cs}/gu, '\uFFFD')
  return encodeURIComponent(whole).replace(/[!'()*]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  })
}

const BODY_VALUE_CHARACTERS = 500

/**
 * Fills a text for people: several values stand with commas, an absent one leaves nothing, and what is no XML 1.0 character is
 * replaced. A brace that opens no place stays as it is. A value is cut to 500 characters.
 */
export function fillBody(text: string, subject: Subject): string {
  return text.replace(PLACE, (_, name: string) => bodyText(placeValues(name, subject)))
}

function bodyText(values: readonly FieldScalar[]): string {
  const characters = [
    ...values
      .map(String)
      .join(', ')
      .slice(0, BODY_VALUE_CHARACTERS * 2 + 1),
  ]
  const cut = characters.length > BODY_VALUE_CHARACTERS
  const text = characters.slice(0, BODY_VALUE_CHARACTERS).join('')
  return `${text.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')}${cut ? '…' : ''}`
}

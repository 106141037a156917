import { JsonPathProblem } from './query.ts'

const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
  '/': '/',
  '\\': '\\',
}

/** A text in single or double quotes (RFC 9535 2.3.1.1), from the quote at `start`. */
export function readStringLiteral(text: string, start: number): { readonly value: string; readonly end: number } {
  const quote = text[start]!
  let value = ''
  let at = start + 1
  for (;;) {
    const character = text[at]
    if (character === undefined) throw problem('a quote is not closed', start)
    if (character === quote) return { value, end: at + 1 }
    if (character < ' ') throw problem('a control character stands in a text', at)
    if (character !== '\\') {
      value += character
      at += 1
      continue
    }
    const escaped = escapeAt(text, at, quote)
    value += escaped.value
    at = escaped.end
  }
}

function escapeAt(text: string, at: number, quote: string): { readonly value: string; readonly end: number } {
  const character = text[at + 1] ?? ''
  if (character === 'u') return unicodeAt(text, at)
  // The other kind of quote needs no escape, and has none.
  const known = Object.hasOwn(ESCAPES, character) ? ESCAPES[character] : undefined
  const value = character === quote ? quote : known
  if (value === undefined) throw problem(`\\${character} is no escape`, at)
  return { value, end: at + 2 }
}

function unicodeAt(text: string, at: number): { readonly value: string; readonly end: number } {
  const found = /^\\u(?:([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})|([0-9a-fA-F]{4}))/.exec(
    text.slice(at, at + 12),
  )
  const [whole, high, low, plain] = found ?? []
  if (whole === undefined || (plain !== undefined && /^[dD][89a-fA-F]/.test(plain))) {
    throw problem('\\u needs four hexadecimal digits, and both halves of a pair', at)
  }
  const units = plain === undefined ? [high!, low!] : [plain]
  return { value: String.fromCharCode(...units.map((unit) => Number.parseInt(unit, 16))), end: at + whole.length }
}

function problem(reason: string, at: number): JsonPathProblem {
  return new JsonPathProblem(`${reason} (column ${at + 1})`)
}

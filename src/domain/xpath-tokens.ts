/** The words of an XPath 1.0 expression. */

/** The expression is wrong; the message says how. */
export class XPathProblem extends Error {
  override name = 'XPathProblem'
}

export interface Token {
  readonly kind: 'name' | 'literal' | 'number' | 'symbol' | 'end'
  readonly text: string
  /** From 1. */
  readonly column: number
}

// XPath 1.0, 3.7. A name may hold one colon here; which names are operators is told by what stands before.
const PART = '[\\p{L}_][\\p{L}\\p{N}\\p{M}_.\\u00b7-]*'
const NAME = new RegExp(`${PART}(?::(?:${PART}|\\*))?`, 'uy')
const NUMBER = /\d+(?:\.\d*)?|\.\d+/y
const WHITE_SPACE = /\s*/uy
const SYMBOLS = new Set('()[].@,/|+=<>*$-')
const LONG_SYMBOLS = new Set(['::', '..', '//', '!=', '<=', '>='])

/** @throws XPathProblem where a part of the text is no word. */
export function tokenise(text: string): readonly Token[] {
  const tokens: Token[] = []
  for (let at = 0, end = 0; ; at = end) {
    const start = afterWhiteSpace(text, at)
    if (start === text.length) break
    const kind = kindAt(text, start)
    end = endOf(kind, text, start)
    if (end === start) {
      const rest = text.slice(start).trimEnd().slice(0, 20)
      throw new XPathProblem(`${JSON.stringify(rest)} is no XPath 1.0 (column ${at + 1})`)
    }
    tokens.push({ kind, text: text.slice(start, end), column: start + 1 })
  }
  tokens.push({ kind: 'end', text: '', column: text.length + 1 })
  return tokens
}

function afterWhiteSpace(text: string, at: number): number {
  const code = text.charCodeAt(at)
  // Most words begin at once, or behind one space.
  if (code > 0x20 && code < 0x80) return at
  return at === text.length ? at : matchEnd(WHITE_SPACE, text, at)
}

/** Where the pattern's match from there on ends; `at` where there is none. */
function matchEnd(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}

/** What it has to be, by its first character. */
function kindAt(text: string, at: number): Token['kind'] {
  const code = text.charCodeAt(at)
  if (code === 0x22 || code === 0x27) return 'literal'
  if (isDigit(code) || (code === 0x2e && isDigit(text.charCodeAt(at + 1)))) return 'number'
  return isLetter(code) || code >= 0x80 ? 'name' : 'symbol'
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f
}

function endOf(kind: Token['kind'], text: string, at: number): number {
  switch (kind) {
    case 'literal': {
      const closing = text.indexOf(text.charAt(at), at + 1)
      return closing < 0 ? at : closing + 1
    }
    case 'number':
      return matchEnd(NUMBER, text, at)
    case 'name':
      return matchEnd(NAME, text, at)
    default:
      if (LONG_SYMBOLS.has(text.slice(at, at + 2))) return at + 2
      return SYMBOLS.has(text.charAt(at)) ? at + 1 : at
  }
}

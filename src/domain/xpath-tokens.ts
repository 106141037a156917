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
const NAME = '[\\p{L}_][\\p{L}\\p{N}\\p{M}_.\\u00b7-]*'
const QUALIFIED = new RegExp(`${NAME}(?::(?:${NAME}|\\*))?`, 'uy')
const LITERAL = /"[^"]*"|'[^']*'/y
const NUMBER = /\d+(?:\.\d*)?|\.\d+/y
const SYMBOL = /::|\.\.|\/\/|!=|<=|>=|[()[\].@,/|+=<>*$-]/y
const SPACE = /\s*/y

/** @throws XPathProblem where a part of the text is no word. */
export function tokenise(text: string): readonly Token[] {
  const tokens: Token[] = []
  for (let at = afterSpace(text, 0); at < text.length; ) {
    const kind = kindAt(text, at)
    const found = match(PATTERNS[kind], text, at)
    if (found === undefined) {
      throw new XPathProblem(`${JSON.stringify(text.slice(at).trim().slice(0, 20))} is no XPath 1.0 (column ${at + 1})`)
    }
    tokens.push({ kind, text: found, column: at + 1 })
    at = afterSpace(text, at + found.length)
  }
  tokens.push({ kind: 'end', text: '', column: text.length + 1 })
  return tokens
}

const PATTERNS = { name: QUALIFIED, literal: LITERAL, number: NUMBER, symbol: SYMBOL } as const

/** By the first character, what the word can be. */
function kindAt(text: string, at: number): keyof typeof PATTERNS {
  const code = text.charCodeAt(at)
  if (code === 0x22 || code === 0x27) return 'literal'
  if (isDigit(code) || (code === 0x2e && isDigit(text.charCodeAt(at + 1)))) return 'number'
  const isLetter = code > 0x7f || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f
  return isLetter ? 'name' : 'symbol'
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function afterSpace(text: string, at: number): number {
  const code = text.charCodeAt(at)
  if (code > 0x20 && code < 0x80) return at
  SPACE.lastIndex = at
  SPACE.exec(text)
  return SPACE.lastIndex
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.test(text) ? text.slice(at, pattern.lastIndex) : undefined
}

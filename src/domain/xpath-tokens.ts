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
const TOKEN = new RegExp(
  `\\s*(?:(?<literal>"[^"]*"|'[^']*')|(?<number>\\d+(?:\\.\\d*)?|\\.\\d+)|(?<name>${NAME}(?::(?:${NAME}|\\*))?)|(?<symbol>::|\\.\\.|//|!=|<=|>=|[()[\\].@,/|+=<>*$-]))`,
  'uy',
)

/** @throws XPathProblem where a part of the text is no word. */
export function tokenise(text: string): readonly Token[] {
  const tokens: Token[] = []
  let at = 0
  const rest = () => text.slice(at).trim()
  while (rest() !== '') {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(text)
    if (!match) throw new XPathProblem(`${JSON.stringify(rest().slice(0, 20))} is no XPath 1.0 (column ${at + 1})`)
    const { literal, number, name, symbol } = match.groups!
    const found = literal ?? number ?? name ?? symbol!
    const column = match.index + match[0].length - found.length + 1
    tokens.push({ kind: kindOf(literal, number, name), text: found, column })
    at = TOKEN.lastIndex
  }
  tokens.push({ kind: 'end', text: '', column: text.length + 1 })
  return tokens
}

function kindOf(literal: string | undefined, number: string | undefined, name: string | undefined): Token['kind'] {
  if (literal !== undefined) return 'literal'
  if (number !== undefined) return 'number'
  return name !== undefined ? 'name' : 'symbol'
}

/** The words of RELAX NG compact syntax (ISO/IEC 19757-2, Annex C.2). */

/** The schema is wrong. */
export class RncProblem extends Error {
  override name = 'RncProblem'
  readonly line: number
  readonly column: number
  constructor(message: string, { line, column }: Place) {
    super(message)
    this.line = line
    this.column = column
  }
}

/** From 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

export interface Token extends Place {
  /** `prefixed` is `a:b`, `prefix` is `a:*`; `quoted` a name behind `\`, which is no keyword. */
  readonly kind: 'name' | 'quoted' | 'prefixed' | 'prefix' | 'literal' | 'symbol' | 'end'
  /** Of a literal what it stands for, of a quoted name without `\`, of a prefix without `:*`. */
  readonly text: string
}

const NAME = '[\\p{L}_][\\p{L}\\p{N}\\p{M}_.\\u00b7-]*'
const TOKEN = new RegExp(
  [
    '(?<space>[ \\t\\r\\n\\ufeff]+|#[^\\n\\r]*)',
    '(?<long>"""[^]*?"""|\'\'\'[^]*?\'\'\')',
    '(?<literal>"[^"\\n\\r]*"|\'[^\'\\n\\r]*\')',
    `(?<prefix>${NAME}:\\*)`,
    `(?<prefixed>${NAME}:${NAME})`,
    `(?<quoted>\\\\${NAME})`,
    `(?<name>${NAME})`,
    '(?<symbol>\\|=|&=|>>|[{}()\\[\\],|&?*+=~-])',
  ].join('|'),
  'uy',
)

/** @throws RncProblem */
export function tokenise(written: string): readonly Token[] {
  const text = withEscapes(written)
  const tokens: Token[] = []
  const lines = lineStarts(text)
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at
    const place = placeAt(lines, at)
    const match = TOKEN.exec(text)
    if (!match) throw new RncProblem(`${JSON.stringify(text.slice(at, at + 10))} is no RELAX NG compact syntax`, place)
    const token = tokenOf(match.groups!)
    if (token) tokens.push({ ...token, ...place })
    // The pattern is asked for nothing else in between.
    TOKEN.lastIndex = at + match[0].length
  }
  return [...tokens, { kind: 'end', text: '', ...placeAt(lines, text.length) }]
}

/** C.2: `\x{HEX}` stands for a character anywhere. */
function withEscapes(text: string): string {
  return text.replace(/\\x+\{([0-9A-Fa-f]{1,6})\}/g, (whole, hex: string) => {
    const code = Number.parseInt(hex, 16)
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}

function tokenOf(groups: Readonly<Record<string, string | undefined>>): Pick<Token, 'kind' | 'text'> | undefined {
  const { space, long, literal, prefix, prefixed, quoted, name, symbol } = groups
  if (space !== undefined) return undefined
  if (long !== undefined) return { kind: 'literal', text: long.slice(3, -3) }
  if (literal !== undefined) return { kind: 'literal', text: literal.slice(1, -1) }
  if (prefix !== undefined) return { kind: 'prefix', text: prefix.slice(0, -2) }
  if (prefixed !== undefined) return { kind: 'prefixed', text: prefixed }
  if (quoted !== undefined) return { kind: 'quoted', text: quoted.slice(1) }
  return name === undefined ? { kind: 'symbol', text: symbol! } : { kind: 'name', text: name }
}

function lineStarts(text: string): readonly number[] {
  return [0, ...[...text.matchAll(/\r\n|\n|\r/g)].map((match) => match.index + match[0].length)]
}

function placeAt(lines: readonly number[], at: number): Place {
  const line = lines.findLastIndex((start) => start <= at)
  return { line: line + 1, column: at - lines[line]! + 1 }
}

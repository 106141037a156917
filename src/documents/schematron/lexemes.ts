/**
 * The words of an XPath 2 or 3 expression, as far as Schematron needs them: which variables it names, where its alternatives
 * part, where a path begins. Whether the expression is right is for the engine to say.
 */
export interface Lexeme {
  readonly kind: 'name' | 'variable' | 'literal' | 'number' | 'symbol'
  /** With its prefix, where it has one; of a variable without `$`. */
  readonly text: string
  readonly start: number
  readonly end: number
  /** An operand may begin here; otherwise an operator is expected, and a name is one: `a or //b`. */
  readonly begins: boolean
}

const NAME = /(?:Q\{[^{}]*\}|[\p{L}_][\p{L}\p{N}._\u00b7-]*:(?!:))?[\p{L}_][\p{L}\p{N}._\u00b7-]*/uy
const VARIABLE = /\$\s*((?:Q\{[^{}]*\}|[\p{L}_][\p{L}\p{N}._\u00b7-]*:)?[\p{L}_][\p{L}\p{N}._\u00b7-]*)/uy
const LITERAL = /"(?:[^"]|"")*"|'(?:[^']|'')*'/y
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y
const SYMBOL = /\/\/|::|\.\.|!=|<=|>=|<<|>>|:=|=>|\|\||[^\s]/uy
const SPACE = /\s+/y

export function lexemesOf(text: string): readonly Lexeme[] {
  const lexemes: Lexeme[] = []
  let begins = true
  for (let at = 0; at < text.length; ) {
    const skipped = spaceAt(text, at)
    if (skipped > at) {
      at = skipped
      continue
    }
    const lexeme = lexemeAt(text, at, begins)
    lexemes.push(lexeme)
    begins = operandFollows(lexeme)
    at = lexeme.end
  }
  return lexemes
}

function spaceAt(text: string, at: number): number {
  if (text.startsWith('(:', at)) return commentEnd(text, at)
  return matchAt(SPACE, text, at)?.end ?? at
}

/** Comments nest (XPath 2.0, 2.6). */
function commentEnd(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    if (text.startsWith('(:', at)) depth += 1
    else if (text.startsWith(':)', at)) depth -= 1
    else continue
    at += 1
    if (depth === 0) return at + 1
  }
  return text.length
}

function matchAt(
  pattern: RegExp,
  text: string,
  at: number,
): { readonly found: string; readonly end: number } | undefined {
  pattern.lastIndex = at
  const match = pattern.exec(text)
  return match ? { found: match[1] ?? match[0], end: pattern.lastIndex } : undefined
}

function lexemeAt(text: string, start: number, begins: boolean): Lexeme {
  const kinds = [
    ['variable', VARIABLE],
    ['literal', LITERAL],
    ['number', NUMBER],
    ['name', NAME],
    ['symbol', SYMBOL],
  ] as const
  for (const [kind, pattern] of kinds) {
    const match = matchAt(pattern, text, start)
    if (match) return { kind, text: match.found, start, end: match.end, begins }
  }
  return { kind: 'symbol', text: text[start]!, start, end: start + 1, begins }
}

/** XPath 1.0, 3.7: after what is no operator, a name or `*` is one. */
function operandFollows({ kind, text, begins }: Lexeme): boolean {
  switch (kind) {
    case 'name':
      return !begins
    case 'symbol':
      if (text === '*') return !begins
      return ![')', ']', '}', '.', '..', '?'].includes(text)
    default:
      return false
  }
}

/** Names of the variables that an expression mentions. */
export function variablesIn(text: string): ReadonlySet<string> {
  if (!text.includes('$')) return new Set()
  return new Set(lexemesOf(text).flatMap(({ kind, text: name }) => (kind === 'variable' ? [name] : [])))
}

/** The alternatives of `a | b/c[d | e]`: parted at the outermost `|` and `union` only. */
export function alternativesOf(text: string): readonly string[] {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (const { kind, text: word, start, end, begins } of lexemesOf(text)) {
    if (kind === 'symbol' && (word === '(' || word === '[' || word === '{')) depth += 1
    if (kind === 'symbol' && (word === ')' || word === ']' || word === '}')) depth -= 1
    if (depth > 0 || begins || (word !== '|' && word !== 'union')) continue
    if (kind !== 'symbol' && kind !== 'name') continue
    parts.push(text.slice(from, start))
    from = end
  }
  return [...parts, text.slice(from)].map((part) => part.trim())
}

export interface FirstStep {
  readonly kind: 'element' | 'attribute'
  /** Without its prefix. */
  readonly localName: string
}

/** The name that a relative path begins with: `cac:Party[1]/cbc:Name` begins with the element `Party`. Undefined for all else. */
export function firstStepOf(lexemes: readonly Lexeme[], at = 0): FirstStep | undefined {
  const first = lexemes[at]
  if (first?.kind === 'symbol' && first.text === '@') {
    const name = lexemes[at + 1]
    return name?.kind === 'name' ? { kind: 'attribute', localName: localName(name.text) } : undefined
  }
  if (first?.kind !== 'name' || !first.begins) return undefined
  const after = lexemes[at + 1]
  // A function, a node test, an axis, `name:*`, or a keyword such as `for $x`.
  if (after && (after.kind === 'variable' || ['(', '::', ':', '#'].includes(after.text))) return undefined
  return { kind: 'element', localName: localName(first.text) }
}

function localName(name: string): string {
  return name.slice(Math.max(name.lastIndexOf(':'), name.lastIndexOf('}')) + 1)
}

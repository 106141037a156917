import { type Place, RncProblem, type Token, tokenise } from './tokens.ts'

/** Where the reading of a schema stands, and which names are bound. */
export interface Reader {
  readonly tokens: readonly Token[]
  at: number
  depth: number
  /** Prefix → namespace name; undefined is `inherit`. '' is the default namespace. */
  readonly namespaces: Map<string, string | undefined>
  /** Prefix → data type library. */
  readonly datatypes: Map<string, string>
}

export const XSD_TYPES = 'http://www.w3.org/2001/XMLSchema-datatypes'
const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace'

export function createReader(text: string): Reader {
  return {
    tokens: tokenise(text),
    at: 0,
    depth: 0,
    namespaces: new Map([['xml', XML_NAMESPACE]]),
    datatypes: new Map([['xsd', XSD_TYPES]]),
  }
}

export function current({ tokens, at }: Reader): Token {
  return tokens[at]!
}

export function following({ tokens, at }: Reader, by = 1): Token | undefined {
  return tokens[at + by]
}

export function take(reader: Reader): Token {
  const token = current(reader)
  reader.at += 1
  return token
}

export function isSymbol(reader: Reader, text: string): boolean {
  const { kind, text: found } = current(reader)
  return kind === 'symbol' && found === text
}

export function isKeyword(reader: Reader, word: string): boolean {
  const { kind, text } = current(reader)
  return kind === 'name' && text === word
}

/** Takes it where it stands there. */
export function takeSymbol(reader: Reader, text: string): boolean {
  if (!isSymbol(reader, text)) return false
  reader.at += 1
  return true
}

export function takeKeyword(reader: Reader, word: string): boolean {
  if (!isKeyword(reader, word)) return false
  reader.at += 1
  return true
}

export function expectSymbol(reader: Reader, text: string): void {
  if (!takeSymbol(reader, text)) throw unexpected(reader, `"${text}"`)
}

/** A name of any kind but with a colon: keywords are names where only names can stand. */
export function takeName(reader: Reader): string {
  const { kind, text } = current(reader)
  if (kind !== 'name' && kind !== 'quoted') throw unexpected(reader, 'a name')
  reader.at += 1
  return text
}

/** Segments joined by `~`. */
export function takeLiteral(reader: Reader): string {
  if (current(reader).kind !== 'literal') throw unexpected(reader, 'a text in quotes')
  let text = take(reader).text
  while (takeSymbol(reader, '~')) {
    if (current(reader).kind !== 'literal') throw unexpected(reader, 'a text in quotes')
    text += take(reader).text
  }
  return text
}

export function unexpected(reader: Reader, wanted: string): RncProblem {
  const { kind, text } = current(reader)
  const found = kind === 'end' ? 'the file ends' : `${JSON.stringify(text)} stands`
  return problem(reader, `${found} where ${wanted} should be`)
}

export function problem(reader: Reader, message: string, place: Place = current(reader)): RncProblem {
  return new RncProblem(message, place)
}

/** Annotations say nothing about what is valid: `[ a:x = "1" ]` before, `>> a:b [ … ]` behind. Comments are none. */
export function skipAnnotations(reader: Reader): void {
  while (isSymbol(reader, '[')) skipBrackets(reader)
}

export function skipFollowing(reader: Reader): void {
  while (takeSymbol(reader, '>>')) {
    reader.at += 1
    skipBrackets(reader)
  }
}

export function skipBrackets(reader: Reader): void {
  const start = current(reader)
  expectSymbol(reader, '[')
  for (let depth = 1; depth > 0; ) {
    const { kind, text } = take(reader)
    if (kind === 'end') throw problem(reader, 'an annotation never ends', start)
    if (kind === 'symbol' && text === '[') depth += 1
    if (kind === 'symbol' && text === ']') depth -= 1
  }
}

/** Undefined where it is inherited from the schema that includes this one. */
export function namespaceFor(reader: Reader, prefix: string, place: Place): string | undefined {
  if (reader.namespaces.has(prefix)) return reader.namespaces.get(prefix)
  if (prefix === '') return undefined
  throw problem(reader, `the prefix ${prefix} isn't declared`, place)
}

import { readData, readValue } from './data-types.ts'
import { readNameClass } from './name-classes.ts'
import {
  current,
  expectSymbol,
  following,
  isKeyword,
  isSymbol,
  namespaceFor,
  problem,
  type Reader,
  skipAnnotations,
  skipBrackets,
  skipFollowing,
  take,
  takeKeyword,
  takeLiteral,
  takeName,
  takeSymbol,
  unexpected,
} from './reader.ts'
import { node, type RngNode } from './rng.ts'
import type { Token } from './tokens.ts'

/** Nested further than this, a schema is a mistake, or an attempt on the stack. */
const DEPTH = 200

const COMBINATIONS: Readonly<Record<string, string>> = { ',': 'group', '|': 'choice', '&': 'interleave' }

/** C.1 `pattern`: one kind of combination at a time, others in parentheses. */
export function readPattern(reader: Reader): RngNode {
  reader.depth += 1
  if (reader.depth > DEPTH) throw problem(reader, `it is nested more than ${DEPTH} deep`)
  const first = readParticle(reader)
  const { kind, text: operator, line } = current(reader)
  const combination = kind === 'symbol' ? COMBINATIONS[operator] : undefined
  const parts = [first]
  while (combination !== undefined && takeSymbol(reader, operator)) parts.push(readParticle(reader))
  if (combination !== undefined && current(reader).kind === 'symbol' && COMBINATIONS[current(reader).text]) {
    throw unexpected(reader, `"${operator}" or the end (other combinations need parentheses)`)
  }
  reader.depth -= 1
  return combination === undefined ? first : node(combination, { line }, {}, parts)
}

const REPEATS: Readonly<Record<string, string>> = { '?': 'optional', '*': 'zeroOrMore', '+': 'oneOrMore' }

function readParticle(reader: Reader): RngNode {
  skipAnnotations(reader)
  const primary = readPrimary(reader)
  const { kind, text } = current(reader)
  const repeat = kind === 'symbol' ? REPEATS[text] : undefined
  if (repeat !== undefined) reader.at += 1
  skipFollowing(reader)
  return repeat === undefined ? primary : node(repeat, primary, {}, [primary])
}

function readPrimary(reader: Reader): RngNode {
  const token = current(reader)
  switch (token.kind) {
    case 'symbol': {
      expectSymbol(reader, '(')
      const inner = readPattern(reader)
      expectSymbol(reader, ')')
      return inner
    }
    case 'literal':
      return readValue(reader, { type: 'token', datatypeLibrary: '' }, token)
    case 'prefixed':
      return readData(reader, readExcepted)
    case 'quoted':
      return node('ref', take(reader), { name: token.text })
    case 'name':
      return readKeyword(reader, token)
    default:
      throw unexpected(reader, 'a pattern')
  }
}

function readKeyword(reader: Reader, token: Token): RngNode {
  switch (token.text) {
    case 'element':
    case 'attribute':
      return readNamed(reader, token.text)
    case 'list':
    case 'mixed':
      return node(take(reader).text, token, {}, [inBraces(reader)])
    case 'empty':
    case 'text':
    case 'notAllowed':
      return node(take(reader).text, token)
    case 'string':
    case 'token':
      return readData(reader, readExcepted)
    case 'parent':
      reader.at += 1
      return node('parentRef', token, { name: takeName(reader) })
    case 'external':
      reader.at += 1
      return node('externalRef', token, { href: takeLiteral(reader), ...inherited(reader) })
    case 'grammar':
      reader.at += 1
      expectSymbol(reader, '{')
      return node('grammar', token, {}, readGrammarBody(reader))
    default:
      if (KEYWORDS.includes(token.text)) throw unexpected(reader, 'a pattern')
      return node('ref', take(reader), { name: token.text })
  }
}

/** The others of C.2 `keyword`: none of them is a pattern. */
const KEYWORDS: readonly string[] = ['start', 'div', 'include', 'default', 'namespace', 'datatypes', 'inherit']

function readNamed(reader: Reader, kind: 'element' | 'attribute'): RngNode {
  const token = take(reader)
  const name = readNameClass(reader, kind)
  return node(kind, token, {}, [name, inBraces(reader)])
}

function inBraces(reader: Reader): RngNode {
  expectSymbol(reader, '{')
  const inner = readPattern(reader)
  expectSymbol(reader, '}')
  return inner
}

function readExcepted(reader: Reader): RngNode {
  skipAnnotations(reader)
  return readPrimary(reader)
}

/** C.1 `inherit`: the namespace that an included schema takes for its default. */
function inherited(reader: Reader): Readonly<Record<string, string>> {
  const token = current(reader)
  let prefix = ''
  if (isKeyword(reader, 'inherit') && following(reader)?.text === '=') {
    takeKeyword(reader, 'inherit')
    expectSymbol(reader, '=')
    prefix = takeName(reader)
  }
  const ns = namespaceFor(reader, prefix, token)
  return ns === undefined ? {} : { ns }
}

export function startsPattern(reader: Reader): boolean {
  const { kind, text } = current(reader)
  if (kind === 'literal' || kind === 'prefixed') return following(reader)?.text !== '['
  if (isSymbol(reader, '(')) return true
  if (kind === 'quoted') return !isAssigned(reader)
  return kind === 'name' && !KEYWORDS.includes(text) && !isAssigned(reader)
}

function isAssigned(reader: Reader): boolean {
  const after = following(reader)
  return after?.kind === 'symbol' && ['=', '|=', '&=', '['].includes(after.text)
}

// ----------------------------------------------------------------------------------------------------- grammars

/** C.1 `grammarContent` up to `}`, which is taken. */
function readGrammarBody(reader: Reader): readonly RngNode[] {
  const members: RngNode[] = []
  while (!takeSymbol(reader, '}')) members.push(...readMember(reader))
  return members
}

/** One definition; none where an annotation stands in its place. */
export function readMember(reader: Reader): readonly RngNode[] {
  skipAnnotations(reader)
  if (isAnnotation(reader)) {
    reader.at += 1
    skipBrackets(reader)
    return []
  }
  const token = current(reader)
  if (token.kind !== 'name' && token.kind !== 'quoted') throw unexpected(reader, 'a definition')
  const member = isKeyword(reader, 'div') || isKeyword(reader, 'include') ? readPart(reader) : readDefinition(reader)
  skipFollowing(reader)
  return [member]
}

/** `sch:ns [ prefix = "o" ]`. */
function isAnnotation(reader: Reader): boolean {
  const { kind } = current(reader)
  const after = following(reader)
  return (kind === 'prefixed' || kind === 'name' || kind === 'quoted') && after?.kind === 'symbol' && after.text === '['
}

function readPart(reader: Reader): RngNode {
  const token = take(reader)
  if (token.text === 'include') {
    const attributes = { href: takeLiteral(reader), ...inherited(reader) }
    return node('include', token, attributes, takeSymbol(reader, '{') ? readGrammarBody(reader) : [])
  }
  if (!takeSymbol(reader, '{')) throw unexpected(reader, '"{"')
  return node('div', token, {}, readGrammarBody(reader))
}

const COMBINES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '=': {},
  '|=': { combine: 'choice' },
  '&=': { combine: 'interleave' },
}

function readDefinition(reader: Reader): RngNode {
  const token = current(reader)
  const isStart = takeKeyword(reader, 'start')
  const named = isStart ? {} : { name: takeName(reader) }
  const { kind, text } = current(reader)
  const combine = kind === 'symbol' ? COMBINES[text] : undefined
  if (combine === undefined) throw unexpected(reader, '"=", "|=" or "&="')
  reader.at += 1
  return node(isStart ? 'start' : 'define', token, { ...named, ...combine }, [readPattern(reader)])
}

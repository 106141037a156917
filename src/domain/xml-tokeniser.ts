/**
 * A text taken apart: tags, attributes and text (XML 1.0), strictly, and straight from the text as it comes. It is made for streams, which
 * may hold no more than these (RFC 6120 11.1), and serves for whole documents that hold no more. Namespaces are not its business.
 */

/** What the text consists of, in order. What these throw goes to who writes. */
export interface TokenListener {
  /** The XML declaration; the encoding is '' where it names none. */
  declaration(version: string, encoding: string): void
  /** A start tag. Name, value, name, value of its attributes. */
  opened(name: string, attributes: readonly string[]): void
  /** An end tag, the right one; or that of an empty element. */
  closed(): void
  /** References and CDATA resolved; a long text comes in pieces. Within the root. */
  text(text: string): void
  /** What has no place in a stream. */
  restricted(what: 'comment' | 'processing instruction' | 'document type (doctype)'): void
}

export interface Tokeniser {
  /** Throws {@link Malformed}, and what the listener throws; nothing may be written after that. */
  write(text: string): void
  /** How much of all that was written has been told, in units of UTF-16. */
  position(): number
}

export class Malformed extends Error {
  override name = 'Malformed'
}

const TAB = 0x09
const LINE_FEED = 0x0a
const RETURN = 0x0d
const SPACE = 0x20
const DOUBLE_QUOTE = 0x22
const SINGLE_QUOTE = 0x27
const SLASH = 0x2f
const LESS = 0x3c
const EQUALS = 0x3d
const GREATER = 0x3e
const BRACKET = 0x5d

const CDATA = '<![CDATA['
const DECLARATION = '<?xml'
/** Where a reference must have ended. */
const REFERENCE_MOST = 32

export function createTokeniser(listener: TokenListener): Tokeniser {
  /** What was written and not told yet begins at `at`. */
  let input = ''
  let at = 0
  /** How much was told before `input`. */
  let before = 0
  /** Of the open elements. */
  const names: string[] = []
  let isInCdata = false
  let isOver = false
  /** Nothing has been told. */
  let isFirst = true
  /** What begins at `at` ends with a `>` that has not come. */
  let isWaiting = false

  function write(piece: string): void {
    if (isOver) return
    before += at
    input = at === input.length ? piece : input.slice(at) + piece
    at = 0
    if (isWaiting && !piece.includes('>')) return
    isWaiting = false
    if (before === 0 && input.charCodeAt(0) === 0xfeff) at = 1
    while (at < input.length && !isOver && readNext()) isFirst = false
  }

  /** False where what comes next is not there as a whole. */
  function readNext(): boolean {
    if (isInCdata) return readCdata()
    if (input.charCodeAt(at) !== LESS) return readText()
    switch (input.charCodeAt(at + 1)) {
      case SLASH:
        return readEndTag()
      case 0x21:
        return readBang()
      case 0x3f:
        return readQuestion()
      default:
        return readStartTag()
    }
  }

  function readText(): boolean {
    const plainEnd = endOfPlainText(input, at)
    const isPlain = plainEnd === input.length || input.charCodeAt(plainEnd) === LESS
    const next = isPlain ? plainEnd : input.indexOf('<', plainEnd)
    let text = input.slice(at, next < 0 ? input.length : next)
    if (!isPlain && next < 0) text = text.slice(0, safeLength(text))
    if (text === '') return false
    at += text.length
    isFirst = false
    tellText(isPlain ? text : resolved(text))
    return next >= 0 && next < input.length
  }

  function tellText(text: string): void {
    if (names.length > 0) listener.text(text)
    else if (/[^ \t\r\n]/.test(text)) throw new Malformed('text data outside of the root')
  }

  function readCdata(): boolean {
    const end = input.indexOf(']]>', at)
    // Of the last two the end may consist, and a line's end of CR and LF.
    let to = end < 0 ? Math.max(at, input.length - 2) : end
    if (end < 0 && to > at && isHalf(input.charCodeAt(to - 1))) to -= 1
    const text = input.slice(at, to)
    if (text !== '') tellText(checked(text).replace(/\r\n?/g, '\n'))
    if (end < 0) {
      at = to
      return false
    }
    at = end + 3
    isInCdata = false
    return true
  }

  function readEndTag(): boolean {
    const name = names.length === 0 ? '' : names[names.length - 1]!
    const nameEnd = at + 2 + name.length
    const end = input.charCodeAt(nameEnd) === GREATER ? nameEnd : input.indexOf('>', at)
    if (end < 0) return wait()
    if (name === '' || !input.startsWith(name, at + 2) || !isBlank(nameEnd, end)) {
      throw new Malformed(`unexpected close tag: ${input.slice(at, Math.min(end + 1, at + 100))}`)
    }
    at = end + 1
    names.pop()
    if (names.length === 0) isOver = true
    listener.closed()
    return true
  }

  function isBlank(from: number, to: number): boolean {
    for (let index = from; index < to; index++) if (!isSpace(input.charCodeAt(index))) return false
    return from <= to
  }

  /** The tag is read up to its end before anything is told of it. */
  function readStartTag(): boolean {
    let next = nameEnd(at + 1)
    if (next === input.length) return wait()
    if (next === at + 1) throw new Malformed('disallowed character in tag name')
    const name = nameBetween(at + 1, next)
    if (input.charCodeAt(next) === GREATER) return open(name, NO_ATTRIBUTES, next + 1, false)
    const attributes: string[] = []
    for (;;) {
      const afterSpace = skipSpace(next)
      const code = input.charCodeAt(afterSpace)
      if (code === GREATER) return open(name, attributes, afterSpace + 1, false)
      if (code === SLASH) {
        const last = input.charCodeAt(afterSpace + 1)
        if (last === GREATER) return open(name, attributes, afterSpace + 2, true)
        if (afterSpace + 1 < input.length) throw new Malformed('forward-slash in opening tag not followed by >')
        return wait()
      }
      if (afterSpace >= input.length) return wait()
      if (afterSpace === next)
        throw new Malformed('no whitespace between attributes, or a disallowed character in a name')
      next = readAttribute(attributes, afterSpace)
      if (next < 0) return wait()
    }
  }

  /** Gives where it ends; -1 where its end is not there yet. */
  function readAttribute(attributes: string[], from: number): number {
    const end = nameEnd(from)
    if (end === from) throw new Malformed('disallowed character in attribute name')
    const equals = skipSpace(end)
    if (equals >= input.length) return -1
    if (input.charCodeAt(equals) !== EQUALS) throw new Malformed('attribute without value')
    const open = skipSpace(equals + 1)
    if (open >= input.length) return -1
    const quote = input.charCodeAt(open)
    if (quote !== DOUBLE_QUOTE && quote !== SINGLE_QUOTE) throw new Malformed('unquoted attribute value')
    const close = input.indexOf(quote === DOUBLE_QUOTE ? '"' : "'", open + 1)
    if (close < 0) return -1
    const name = nameBetween(from, end)
    const value = input.slice(open + 1, close)
    attributes.push(name, NOT_PLAIN_VALUE.test(value) ? resolvedAttribute(value) : value)
    return close + 1
  }

  function open(name: string, attributes: readonly string[], end: number, isEmpty: boolean): boolean {
    if (attributes.length > 2) refuseDuplicates(attributes)
    at = end
    names.push(name)
    listener.opened(name, attributes)
    if (!isEmpty) return true
    names.pop()
    if (names.length === 0) isOver = true
    listener.closed()
    return true
  }

  function readBang(): boolean {
    if (input.startsWith(CDATA, at)) {
      if (names.length === 0) throw new Malformed('text data outside of the root')
      at += CDATA.length
      isInCdata = true
      return true
    }
    for (const start of [CDATA, '<!--', '<!DOCTYPE']) {
      const there = input.slice(at, at + start.length)
      if (there !== start && start.startsWith(there)) return false
    }
    if (input.startsWith('<!--', at)) listener.restricted('comment')
    if (input.startsWith('<!DOCTYPE', at)) listener.restricted('document type (doctype)')
    throw new Malformed('disallowed character in markup declaration')
  }

  function readQuestion(): boolean {
    const there = input.slice(at, at + DECLARATION.length + 1)
    if (!isFirst) listener.restricted('processing instruction')
    if (there.length <= DECLARATION.length && DECLARATION.startsWith(there)) return false
    if (!there.startsWith(DECLARATION) || !isSpace(there.charCodeAt(DECLARATION.length))) {
      listener.restricted('processing instruction')
    }
    const end = input.indexOf('?>', at)
    if (end < 0) return false
    const found = XML_DECLARATION.exec(input.slice(at, end + 2))
    if (!found) throw new Malformed('the XML declaration is malformed')
    at = end + 2
    listener.declaration(found[1]!.slice(1, -1), found[2]?.slice(1, -1) ?? '')
    return true
  }

  function wait(): false {
    isWaiting = true
    return false
  }

  function skipSpace(from: number): number {
    const text = input
    let next = from
    while (next < text.length && isSpace(text.charCodeAt(next))) next++
    return next
  }

  function nameEnd(from: number): number {
    const text = input
    let next = from
    while (next < text.length && isNameUnit(text.charCodeAt(next))) next++
    return next
  }

  function nameBetween(from: number, to: number): string {
    const name = input.slice(from, to)
    const first = name.charCodeAt(0)
    // Digits, '-' and '.' begin no name.
    if (first < 0x3a || !isAscii(name)) checkName(name)
    return name
  }

  return {
    write,
    position: () => before + at,
  }
}

const NO_ATTRIBUTES: readonly string[] = []

// XML 1.0, 3.1.
function refuseDuplicates(attributes: readonly string[]): void {
  const names = new Set<string>()
  for (let index = 0; index < attributes.length; index += 2) names.add(attributes[index]!)
  if (2 * names.size < attributes.length) throw new Malformed('duplicate attribute')
}

// XML 1.0, 2.8.
const XML_DECLARATION =
  /^<\?xml[ \t\r\n]+version[ \t\r\n]*=[ \t\r\n]*('1\.[0-9]+'|"1\.[0-9]+")(?:[ \t\r\n]+encoding[ \t\r\n]*=[ \t\r\n]*('[A-Za-z][\w.-]*'|"[A-Za-z][\w.-]*"))?(?:[ \t\r\n]+standalone[ \t\r\n]*=[ \t\r\n]*(?:'(?:yes|no)'|"(?:yes|no)"))?[ \t\r\n]*\?>$/

// XML 1.0, 2.3.
const NAME =
  /^[:A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\u{10000}-\u{effff}][-.0-9:A-Z_a-z\xb7\xc0-\xd6\xd8-\xf6\xf8-\u037d\u037f-\u1fff\u200c-\u200d\u203f-\u2040\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\u{10000}-\u{effff}]*$/u

function checkName(name: string): void {
  if (!NAME.test(name)) throw new Malformed('disallowed character in a name')
}

function isAscii(name: string): boolean {
  for (let index = 0; index < name.length; index++) if (name.charCodeAt(index) >= 0x80) return false
  return true
}

/** What may stand in a name; beyond ASCII that is looked at afterwards. */
function isNameUnit(code: number): boolean {
  if (code >= 0x61 && code <= 0x7a) return true
  if (code >= 0x80 || (code >= 0x41 && code <= 0x5a) || code === 0x5f) return true
  return code >= 0x2d && code <= 0x3a && code !== SLASH
}

function isSpace(code: number): boolean {
  return code === SPACE || code === LINE_FEED || code === TAB || code === RETURN
}

/** A CR, of which an LF may be the rest, or half of a surrogate pair. */
function isHalf(code: number): boolean {
  return code === RETURN || (code >= 0xd800 && code <= 0xdbff)
}

/** How much of a text that may go on can be told. */
function safeLength(text: string): number {
  const reference = text.lastIndexOf('&')
  if (reference >= 0 && !text.includes(';', reference)) {
    if (text.length - reference > REFERENCE_MOST) throw new Malformed('an entity that never ends')
    return reference
  }
  if (text.endsWith(']]')) return text.length - 2
  const last = text.charCodeAt(text.length - 1)
  return last === BRACKET || isHalf(last) ? text.length - 1 : text.length
}

/** What has to be looked at. */
const NOT_PLAIN_VALUE = /[&<\x00-\x1f\ud800-\uffff]/

/** Where text begins that has to be looked at, or markup. */
function endOfPlainText(text: string, from: number): number {
  const { length } = text
  for (let at = from; at < length; at++) {
    const code = text.charCodeAt(at)
    if (code === LESS || code === 0x26 || code === BRACKET || code >= 0xd800) return at
    if (code < SPACE && code !== LINE_FEED && code !== TAB) return at
  }
  return length
}

// XML 1.0, 2.2.
const NO_CHARACTER = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u

function checked(text: string): string {
  if (NO_CHARACTER.test(text)) throw new Malformed('disallowed character')
  return text
}

function resolved(text: string): string {
  if (text.includes(']]>')) throw new Malformed('the string "]]>" is disallowed in text')
  return dereferenced(checked(text).replace(/\r\n?/g, '\n'))
}

// XML 1.0, 3.3.3: white space that is not written as a reference becomes spaces.
function resolvedAttribute(value: string): string {
  if (value.includes('<')) throw new Malformed('disallowed character in attribute value: <')
  return dereferenced(checked(value).replace(/\r\n|[\t\r\n]/g, ' '))
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
])

function dereferenced(text: string): string {
  return text.includes('&') ? text.replace(/&([^;&]*)(;?)/g, (_, name, end) => dereference(name, end)) : text
}

function dereference(name: string, end: string): string {
  const known = end === '' ? undefined : (ENTITIES.get(name) ?? character(name))
  if (known === undefined) throw new Malformed(`undefined entity, or a malformed reference: &${name.slice(0, 20)}`)
  return known
}

// XML 1.0, 4.1.
function character(name: string): string | undefined {
  const found = /^#(?:([0-9]+)|x([0-9a-fA-F]+))$/.exec(name)
  if (!found) return undefined
  const code = found[1] === undefined ? Number.parseInt(found[2]!, 16) : Number(found[1])
  if (code > 0x10ffff) return undefined
  const text = String.fromCodePoint(code)
  return NO_CHARACTER.test(text) ? undefined : text
}

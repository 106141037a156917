import type { Attribute, Element } from '../domain/element.ts'
import { appendElement, appendText, NO_CHILDREN, type OpenElement } from '../domain/open-element.ts'
import { type Rejection, reject } from '../domain/rejection.ts'
import { createScope, type Declarations, NamespaceFault } from '../domain/xml-scope.ts'
import { createTokeniser } from '../domain/xml-tokeniser.ts'
import { legible } from './replies.ts'

/**
 * The parser of a stream: strict, limited, and straight to domain elements. The library's own has no limits, dies of an
 * undefined entity, and swallows what follows a DOCTYPE.
 */

const STREAMS = 'http://etherx.jabber.org/streams'

/**
 * Limits of one stanza. What goes beyond them is skipped rather than a reason to close the stream: who sends it should lose
 * his own stanza, not everybody's connection. Ten to a hundred times as much closes the stream.
 */
export interface StanzaLimits {
  /** Bytes of UTF-8, judged with each read. */
  readonly bytes: number
  /** Elements within each other, the stanza being the first. */
  readonly depth: number
  /** Attributes and declarations of one element. */
  readonly attributes: number
}

/** How much more than a stanza may have is read and skipped. */
const SKIPPED_BYTES_FACTOR = 16
const SKIPPED_DEPTH_FACTOR = 200

const NOTHING: readonly string[] = []
/** RFC 6120 8.1: what an answer needs of a stanza. */
const ANSWERED_BY: ReadonlySet<string> = new Set(['from', 'to', 'id', 'type'])

/** What a stream has to be closed for (RFC 6120 4.9.3). */
export interface StreamFault {
  readonly condition: 'not-well-formed' | 'restricted-xml' | 'policy-violation' | 'unsupported-encoding'
  readonly text: string
}

/** What a stream is made of, in order. None of these may throw. */
export interface StreamListener {
  /** The stream header, without children. */
  opened(header: Element): void
  /**
   * A child of the stream: a stanza, or something else. Where there is an excess it is only the element itself, with
   * nothing in it.
   */
  child(element: Element, excess: Rejection | undefined): void
  closed(): void
  /** Once, and nothing comes after it. */
  failed(fault: StreamFault): void
}

/** Takes text as it comes. Never throws. */
export interface StreamParser {
  write(text: string): void
  /** Bytes of the stanza that isn't whole yet. */
  readonly unfinished: number
}

class Fault extends Error {
  readonly condition: StreamFault['condition']
  constructor(condition: StreamFault['condition'], text: string) {
    super(text)
    this.condition = condition
  }
}

export function createStreamParser(limits: StanzaLimits, listener: StreamListener): StreamParser {
  const scope = createScope({ takesXmlRenamed: true })
  const open: OpenElement[] = []
  /** What the stream's header declares for all stanzas. */
  let inherited: Declarations | null = null
  /** Set when the child that is being read goes beyond a limit, or has a name that means nothing: what follows in it is skipped. */
  let excess: Rejection | undefined
  /** Open elements that are skipped. */
  let skipped = 0
  let ended = false
  /**
   * The text that is being read, where it begins in the stream, and where the last child or the header ended, in units of
   * UTF-16; bytes from there up to the text.
   */
  let text = ''
  let textStart = 0
  let childEnd = 0
  let bytes = 0

  const tokeniser = createTokeniser({
    declaration(_, encoding) {
      if (encoding === '' || encoding.toUpperCase() === 'UTF-8') return
      throw new Fault('unsupported-encoding', `the stream is in ${encoding}`)
    },
    opened: begin,
    closed: end,
    text: addText,
    // RFC 6120 11.1: comments, processing instructions and document types have no place in a stream.
    restricted(what) {
      throw new Fault('restricted-xml', `there is a ${what}`)
    },
  })

  /** @param raw Name, value, name, value. */
  function begin(name: string, raw: readonly string[]): void {
    if (raw.length > 2 * limits.attributes && open.length > 0) {
      excess ??= tooLarge(`it has an element of more than ${limits.attributes} attributes`)
    }
    if (open.length > limits.depth) excess ??= tooDeep(limits.depth)
    if (excess !== undefined && open.length > 1) {
      skip()
      return
    }
    const element = open.length === 0 ? build(name, raw) : buildWithin(name, raw)
    if (element === undefined) {
      skip()
      return
    }
    open.push(element)
    if (open.length > 2) appendElement(open[open.length - 2]!, element)
    else if (open.length === 1) openStream(element)
  }

  function skip(): void {
    skipped += 1
    if (skipped <= SKIPPED_DEPTH_FACTOR * limits.depth) return
    throw new Fault('policy-violation', 'elements are nested too deep')
  }

  /**
   * A stanza, or an element in one. A name that means nothing was let through by the server, and written by anybody: it costs the stanza
   * that it is in, and not the stream. Undefined where the element is to be skipped.
   */
  function buildWithin(name: string, raw: readonly string[]): OpenElement | undefined {
    try {
      if (excess === undefined) return build(name, raw)
    } catch (error) {
      if (!(error instanceof NamespaceFault)) throw error
      excess = malformed(error.message)
    }
    return open.length === 1 ? buildBare(name, raw) : undefined
  }

  function build(qualified: string, raw: readonly string[]): OpenElement {
    const declarations = scope.enter(raw)
    try {
      const { name, uri, prefix } = scope.elementName(qualified)
      const attributes = scope.attributes(raw, declarations)
      const namespaces = open.length === 1 && inherited !== null ? { ...inherited, ...declarations } : declarations
      return { name, uri, prefix, attributes, namespaces, children: NO_CHILDREN }
    } catch (error) {
      scope.leave()
      throw error
    }
  }

  /** A stanza's own tag, with what it takes to refuse the stanza. A name with a prefix is no stanza's. */
  function buildBare(qualified: string, raw: readonly string[]): OpenElement {
    scope.enter(NOTHING)
    const attributes: Attribute[] = []
    for (let at = 0; at < raw.length; at += 2) {
      const name = raw[at]!
      if (ANSWERED_BY.has(name)) attributes.push({ name, uri: '', prefix: '', value: raw[at + 1]! })
    }
    const { name, uri } = qualified.includes(':') ? { name: qualified, uri: '' } : scope.elementName(qualified)
    return { name, uri, prefix: '', attributes, namespaces: null, children: NO_CHILDREN }
  }

  function openStream(header: Element): void {
    if (header.name !== 'stream' || header.uri !== STREAMS) {
      throw new Fault('not-well-formed', `the root is {${header.uri}}${header.name}, not a stream`)
    }
    inherited = inheritable(header.namespaces)
    childEnd = tokeniser.position()
    excess = undefined
    listener.opened(header)
  }

  function addText(text: string): void {
    if (open.length < 2) {
      // White space between stanzas is a sign of life and nothing else (RFC 6120 4.6.1).
      if (/[^ \t\r\n]/.test(text)) throw new Fault('not-well-formed', 'there is text between stanzas')
      return
    }
    if (excess !== undefined) return
    if (text !== '') appendText(open[open.length - 1]!, text)
  }
  function end(): void {
    if (skipped > 0) {
      skipped -= 1
      return
    }
    const element = open.pop()!
    scope.leave()
    if (open.length === 1) finish(element)
    if (open.length > 0) return
    ended = true
    listener.closed()
  }

  function finish(child: OpenElement): void {
    const finishedAt = tokeniser.position()
    // A unit of UTF-16 takes three bytes at most.
    if (3 * (finishedAt - childEnd) > limits.bytes && bytesUntil(finishedAt) > limits.bytes) {
      excess ??= tooManyBytes(limits.bytes)
    }
    childEnd = finishedAt
    const found = excess
    excess = undefined
    if (found !== undefined) child.children = []
    listener.child(child, found)
  }

  /** Bytes since the last child ended. */
  function bytesUntil(position: number): number {
    const piece = Buffer.byteLength(text.slice(Math.max(childEnd - textStart, 0), position - textStart))
    return childEnd > textStart ? piece : bytes + piece
  }

  function count(): void {
    bytes = bytesUntil(textStart + text.length)
    textStart += text.length
    if (bytes <= limits.bytes) return
    if (bytes > SKIPPED_BYTES_FACTOR * limits.bytes) throw new Fault('policy-violation', 'a stanza has too many bytes')
    excess ??= tooManyBytes(limits.bytes)
  }

  return {
    get unfinished() {
      return bytes
    },
    write(piece) {
      if (ended) return
      text = piece
      try {
        tokeniser.write(piece)
        count()
      } catch (error) {
        if (ended) return
        ended = true
        listener.failed(faultOf(error))
      }
    },
  }
}

function tooManyBytes(limit: number): Rejection {
  return tooLarge(`it has more than ${limit} bytes`)
}

function tooLarge(reason: string): Rejection {
  return reject('too-large', `Cannot read the stanza: ${reason}`)
}

/** Some of the text is the sender's, and may be long. */
function malformed(reason: string): Rejection {
  return reject('malformed', legible(`Cannot read the stanza: ${reason}`))
}

function tooDeep(limit: number): Rejection {
  return reject('too-deep', `Cannot read the stanza: its elements are nested deeper than ${limit}`)
}

function faultOf(error: unknown): StreamFault {
  const text = error instanceof Error ? error.message : String(error)
  return { condition: error instanceof Fault ? error.condition : 'not-well-formed', text }
}

/** Prefixes that stanzas may rely on: all but the stream's own, so that nothing of the transport leaks into documents. */
function inheritable(declarations: Element['namespaces']): Declarations | null {
  const kept = Object.entries(declarations ?? {}).filter(([prefix, uri]) => {
    return prefix !== '' && uri !== STREAMS && !uri.startsWith('jabber:')
  })
  if (kept.length === 0) return null
  return Object.assign(Object.create(null) as Declarations, Object.fromEntries(kept))
}

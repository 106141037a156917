import { SaxesParser } from 'saxes'
import type { Element, Node } from '../domain/element.ts'
import { type Rejection, reject } from '../domain/rejection.ts'
import { createScope, type Declarations } from './scope.ts'

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
}

class Fault extends Error {
  readonly condition: StreamFault['condition']
  constructor(condition: StreamFault['condition'], text: string) {
    super(text)
    this.condition = condition
  }
}

interface OpenElement extends Element {
  readonly children: Node[]
}

export function createStreamParser(limits: StanzaLimits, listener: StreamListener): StreamParser {
  // Namespaces are resolved here: with saxes' own way a stanza takes twice as long.
  const sax = new SaxesParser({ position: false, defaultXMLVersion: '1.0', forceXMLVersion: true })
  makePlaces(sax)
  const scope = createScope()
  const open: OpenElement[] = []
  /** Name, value, name, value of the start tag that is being read. */
  let raw: string[] = []
  /** What the stream's header declares for all stanzas. */
  let inherited: Declarations | null = null
  /** Set when the child that is being read goes beyond a limit: what follows in it is skipped. */
  let excess: Rejection | undefined
  /** Open elements that are skipped. */
  let skipped = 0
  /** The child or the stream whose end tag was read last, and where that was; undefined when it is told. */
  let finished: OpenElement | undefined
  let finishedAt = 0
  let ended = false
  /**
   * The text that is being read, where it begins in the stream, and where the last child or the header ended, in units of
   * UTF-16; bytes from there up to the text.
   */
  let text = ''
  let textStart = 0
  let childEnd = 0
  let bytes = 0

  sax.on('attribute', ({ name, value }) => {
    if (raw.length < 2 * limits.attributes || open.length === 0) {
      raw.push(name, value)
      return
    }
    tell()
    excess ??= tooLarge(`it has an element of more than ${limits.attributes} attributes`)
  })

  sax.on('opentag', ({ name }) => {
    tell()
    if (open.length > limits.depth) excess ??= tooDeep(limits.depth)
    if (excess !== undefined && open.length > 1) {
      skip()
      return
    }
    const element = build(name)
    open.push(element)
    if (open.length > 2) open[open.length - 2]!.children.push(element)
    else if (open.length === 1) openStream(element)
  })

  function skip(): void {
    raw = []
    skipped += 1
    if (skipped <= SKIPPED_DEPTH_FACTOR * limits.depth) return
    throw new Fault('policy-violation', 'elements are nested too deep')
  }

  function build(qualified: string): OpenElement {
    const declarations = scope.enter(raw)
    const { name, uri, prefix } = scope.elementName(qualified)
    const attributes = scope.attributes(raw, declarations)
    if (raw.length > 0) raw = []
    const namespaces = open.length === 1 && inherited !== null ? { ...inherited, ...declarations } : declarations
    return { name, uri, prefix, attributes, namespaces, children: [] }
  }

  function openStream(header: Element): void {
    if (header.name !== 'stream' || header.uri !== STREAMS) {
      throw new Fault('not-well-formed', `the root is {${header.uri}}${header.name}, not a stream`)
    }
    inherited = inheritable(header.namespaces)
    childEnd = sax.position
    excess = undefined
    listener.opened(header)
  }

  function addText(text: string): void {
    tell()
    if (open.length < 2) {
      // White space between stanzas is a sign of life and nothing else (RFC 6120 4.6.1).
      if (/[^ \t\r\n]/.test(text)) throw new Fault('not-well-formed', 'there is text between stanzas')
      return
    }
    if (excess !== undefined) return
    const { children } = open[open.length - 1]!
    const last = children.length - 1
    if (typeof children[last] === 'string') children[last] += text
    else if (text !== '') children.push(text)
  }
  sax.on('text', addText)
  sax.on('cdata', addText)

  sax.on('closetag', () => {
    tell()
    if (skipped > 0) {
      skipped -= 1
      return
    }
    const element = open.pop()!
    scope.leave()
    // saxes says that an element is closed before it looks whether its end tag is the right one.
    if (open.length > 1) return
    finished = element
    finishedAt = sax.position
  })

  /** Tells of the child, or the stream, that was closed by the last tag. */
  function tell(): void {
    const element = finished
    if (element === undefined) return
    finished = undefined
    if (open.length === 1) {
      finish(element)
      return
    }
    ended = true
    listener.closed()
  }

  function finish(child: OpenElement): void {
    // A unit of UTF-16 takes three bytes at most.
    if (3 * (finishedAt - childEnd) > limits.bytes && bytesUntil(finishedAt) > limits.bytes) {
      excess ??= tooManyBytes(limits.bytes)
    }
    childEnd = finishedAt
    const found = excess
    excess = undefined
    if (found !== undefined) child.children.length = 0
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

  // RFC 6120 11.1: comments, processing instructions and document types have no place in a stream.
  sax.on('comment', () => {
    throw new Fault('restricted-xml', 'there is a comment')
  })
  sax.on('processinginstruction', () => {
    throw new Fault('restricted-xml', 'there is a processing instruction')
  })
  sax.on('doctype', () => {
    throw new Fault('restricted-xml', 'there is a document type declaration')
  })
  sax.on('xmldecl', ({ encoding = 'UTF-8' }) => {
    if (encoding.toUpperCase() !== 'UTF-8') throw new Fault('unsupported-encoding', `the stream is in ${encoding}`)
  })
  sax.on('error', ({ message }) => {
    throw new Fault(message.includes('doctype') ? 'restricted-xml' : 'not-well-formed', message)
  })

  return {
    write(piece) {
      if (ended) return
      text = piece
      try {
        sax.write(piece)
        tell()
        count()
      } catch (error) {
        if (sax.position > finishedAt) tell()
        if (ended) return
        ended = true
        listener.failed(faultOf(error))
      }
    },
  }
}

/**
 * Makes a place for each handler. Where `on` has to add more than a few, by names that it computes, V8 keeps all fields of
 * the parser in a dictionary, and a stanza takes five times as long.
 */
function makePlaces(sax: SaxesParser): void {
  const fields = sax as unknown as Record<string, undefined>
  fields.attributeHandler = undefined
  fields.openTagHandler = undefined
  fields.closeTagHandler = undefined
  fields.textHandler = undefined
  fields.cdataHandler = undefined
  fields.commentHandler = undefined
  fields.piHandler = undefined
  fields.doctypeHandler = undefined
  fields.xmldeclHandler = undefined
  fields.errorHandler = undefined
}

function tooManyBytes(limit: number): Rejection {
  return tooLarge(`it has more than ${limit} bytes`)
}

function tooLarge(reason: string): Rejection {
  return reject('too-large', `Cannot read the stanza: ${reason}`)
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

import { SaxesParser } from 'saxes'
import type { Element, Node } from '../domain/element.ts'
import { createScope, type Declarations } from './scope.ts'

/**
 * The parser of a stream: strict, limited, and straight to domain elements. The library's own has no limits, dies of an
 * undefined entity, and swallows what follows a DOCTYPE.
 */

const STREAMS = 'http://etherx.jabber.org/streams'

/** Limits of one child of the stream. */
export interface StreamLimits {
  /** Bytes of UTF-8, found exceeded with the read that exceeds them. */
  readonly stanzaBytes: number
  /** Elements within each other, the stanza being the first. */
  readonly depth: number
  /** Attributes and declarations of one element. */
  readonly attributes: number
}

/** What a stream has to be closed for (RFC 6120 4.9.3). */
export interface StreamFault {
  readonly condition: 'not-well-formed' | 'restricted-xml' | 'policy-violation' | 'unsupported-encoding'
  readonly text: string
}

/** What a stream is made of, in order. None of these may throw. */
export interface StreamListener {
  /** The stream header, without children. */
  opened(header: Element): void
  /** A whole child of the stream: a stanza, or something else. */
  child(element: Element): void
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

export function createStreamParser(limits: StreamLimits, listener: StreamListener): StreamParser {
  // Namespaces are resolved here: with saxes' own way a stanza takes twice as long.
  const sax = new SaxesParser({ position: false, defaultXMLVersion: '1.0', forceXMLVersion: true })
  makePlaces(sax)
  const scope = createScope()
  const open: OpenElement[] = []
  /** Name, value, name, value of the start tag that is being read. */
  let raw: string[] = []
  /** What the stream's header declares for all stanzas. */
  let inherited: Declarations | null = null
  let ended = false
  /** Units of UTF-16 in all, and up to where the last child of the stream ended; bytes since then. */
  let received = 0
  let childEnd = 0
  let bytes = 0

  sax.on('attribute', ({ name, value }) => {
    raw.push(name, value)
    if (raw.length > 2 * limits.attributes) throw exceeded('attributes of an element', limits.attributes)
  })

  sax.on('opentag', ({ name }) => {
    if (open.length > limits.depth) throw exceeded('depth of elements', limits.depth)
    const element = build(name)
    open.push(element)
    if (open.length > 2) open[open.length - 2]!.children.push(element)
    else if (open.length === 1) openStream(element)
  })

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
    listener.opened(header)
  }

  function addText(text: string): void {
    if (open.length < 2) {
      // White space between stanzas is a sign of life and nothing else (RFC 6120 4.6.1).
      if (/[^ \t\r\n]/.test(text)) throw new Fault('not-well-formed', 'there is text between stanzas')
      return
    }
    const { children } = open[open.length - 1]!
    const last = children.length - 1
    if (typeof children[last] === 'string') children[last] += text
    else if (text !== '') children.push(text)
  }
  sax.on('text', addText)
  sax.on('cdata', addText)

  sax.on('closetag', () => {
    const element = open.pop()!
    scope.leave()
    if (open.length === 1) finish(element)
    else if (open.length === 0) close()
  })

  function finish(child: Element): void {
    // No text is shorter in bytes than in units of UTF-16.
    if (sax.position - childEnd > limits.stanzaBytes) throw exceeded('bytes of a stanza', limits.stanzaBytes)
    childEnd = sax.position
    listener.child(child)
  }

  function close(): void {
    ended = true
    listener.closed()
  }

  function count(text: string): void {
    const from = received
    received += text.length
    const since = childEnd > from ? text.slice(childEnd - from) : text
    bytes = (childEnd > from ? 0 : bytes) + Buffer.byteLength(since)
    if (bytes > limits.stanzaBytes) throw exceeded('bytes of a stanza', limits.stanzaBytes)
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
    write(text) {
      if (ended) return
      try {
        sax.write(text)
        count(text)
      } catch (error) {
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

function exceeded(what: string, limit: number): Fault {
  return new Fault('policy-violation', `the limit of ${limit} for the ${what} is exceeded`)
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

import { EventEmitter } from 'node:events'
import { component, type LtxElement, xml } from '@xmpp/component'
import { attributeOf, childElements, childNamed, type Element, textOf } from '../domain/element.ts'
import type { Rejection } from '../domain/rejection.ts'
import { escapeText } from '../domain/serialise.ts'
import type { Backlog } from './backlog.ts'
import { createStreamParser, type StanzaLimits, type StreamFault } from './parser.ts'
import { asReturned } from './returned.ts'
import { type Endpoint, ServerSocket, type TlsOptions } from './socket.ts'

/**
 * One stream, from the first packet to the last: the library opens it, we do the rest. It is given nothing but what it
 * needs for that, because it answers requests by itself, follows redirects, dies of odd addresses, and waits for ever for
 * servers that don't answer.
 */

const COMPONENT = 'jabber:component:accept'
/** XEP-0114 knows the first only; the router of jabberd2 passes stanzas on in the namespace of clients. */
const OF_STANZAS: ReadonlySet<string> = new Set([COMPONENT, 'jabber:client'])
const STREAMS = 'http://etherx.jabber.org/streams'
const STREAM_ERRORS = 'urn:ietf:params:xml:ns:xmpp-streams'
const STANZAS: ReadonlySet<string> = new Set(['iq', 'message', 'presence'])
/** How long a server may take to close what we closed because of an error. */
const CLOSE_MS = 1_000
/** A stanza of which so much has come is large. */
const LARGE_BYTES = 65_536

export interface StreamOptions {
  readonly endpoint: Endpoint
  readonly tls: TlsOptions
  readonly domain: string
  readonly secret: string
  readonly limits: StanzaLimits
  readonly openTimeoutMs: number
  /** Asked right before anything is given to the system. */
  readonly mayWrite: () => boolean
}

/** None of these may throw. */
export interface StreamListener {
  online(): void
  /** With an excess it is only the element itself, with nothing in it. */
  stanza(element: Element, excess: Rejection | undefined): void
  /** It has a stanza's name, and is in a namespace that is none of theirs. */
  stranger(element: Element): void
  /** Something came, be it a space. `isPart`: it goes on with a large stanza, and what the server says next comes behind that. */
  received(isPart: boolean): void
  /** What was buffered is gone. */
  drained(): void
  /** Once, and nothing comes after it. */
  ended(end: StreamEnd): void
}

export interface StreamEnd {
  /** A stream error's condition (RFC 6120 4.9.3), a code of the system (`ECONNREFUSED`), or `certificate`, `timeout`, `silent`, `closed`, `lease-lost`. */
  readonly reason: string
  /** In words. */
  readonly text: string
  /** The server sent what no server may send. */
  readonly fault?: true
}

export interface ServerStream {
  /** From the handshake until either side begins to close. */
  readonly online: boolean
  readonly bufferedBytes: number
  /** How far what was written has got; to be asked rarely. */
  readonly backlog: Backlog
  /** A large stanza of the server's has begun to come and isn't whole. */
  readonly isReading: boolean
  /** To be called only while online. */
  write(text: string): void
  /** Closes the stream, and the connection after `timeoutMs` if the server didn't. */
  close(timeoutMs: number): void
  /** Drops the connection. */
  abort(end: StreamEnd): void
}

export function openStream(options: StreamOptions, listener: StreamListener): ServerStream {
  const { endpoint, domain, openTimeoutMs } = options
  // The socket knows where to go; the library only has to be able to read it.
  const server = `xmpp://${domain}`
  const entity = component({ service: server, domain, password: options.secret })
  /** Stands where the library's parser was: it tells the library what it may know. */
  const library = new EventEmitter()
  let state: 'opening' | 'online' | 'closing' | 'ended' = 'opening'
  let end: StreamEnd | undefined
  let graceTimer: NodeJS.Timeout | undefined
  /** Stanzas that came in one read with the handshake's answer. */
  let early: [Element, Rejection | undefined][] | undefined

  const socket = new ServerSocket(endpoint, options.tls, options.mayWrite)
  const parser = createStreamParser(options.limits, {
    opened: (header) => void library.emit('start', headerFor(header)),
    child: takeChild,
    closed: () => close(CLOSE_MS, { reason: 'closed', text: 'the server closed the stream' }),
    failed: (fault) => close(CLOSE_MS, faultEnd(fault), faultText(fault)),
  })

  const isReading = () => parser.unfinished > LARGE_BYTES

  function takeChild(element: Element, excess: Rejection | undefined): void {
    if (STANZAS.has(element.name)) {
      if (OF_STANZAS.has(element.uri)) takeStanza(asReturned(element, domain), excess)
      else listener.stranger(element)
    } else if (element.name === 'error' && element.uri === STREAMS) {
      close(CLOSE_MS, errorEnd(element))
    } else if (element.name === 'handshake' && element.uri === COMPONENT) {
      early = []
      library.emit('element', xml('handshake'))
    }
  }

  function takeStanza(stanza: Element, excess: Rejection | undefined): void {
    if (state === 'online') listener.stanza(stanza, excess)
    else if (state === 'opening') early?.push([stanza, excess])
  }

  function goOnline(): void {
    if (state !== 'opening') return
    clearTimeout(openTimer)
    state = 'online'
    listener.online()
    for (const [stanza, excess] of early ?? []) listener.stanza(stanza, excess)
    early = undefined
  }

  function close(timeoutMs: number, because: StreamEnd, lastWords = ''): void {
    if (state === 'closing' || state === 'ended') return
    state = 'closing'
    end ??= because
    socket.end(`${lastWords}</stream:stream>`)
    graceTimer = setTimeout(() => socket.destroy(), timeoutMs)
  }

  function abort(because: StreamEnd): void {
    end ??= because
    if (state !== 'ended') state = 'closing'
    socket.destroy()
  }

  function finish(): void {
    if (state === 'ended') return
    state = 'ended'
    clearTimeout(openTimer)
    clearTimeout(graceTimer)
    // Whatever the library still waits for.
    entity.emit('error', new Error('The stream has ended'))
    listener.ended(end ?? { reason: 'closed', text: 'the server closed the connection' })
  }

  const openTimer = setTimeout(() => {
    abort({ reason: 'timeout', text: `the stream was not open within ${openTimeoutMs} ms` })
  }, openTimeoutMs)

  entity.reconnect.stop()
  entity.Socket = newable(socket)
  entity.Parser = newable(library)
  entity.timeout = openTimeoutMs * 2
  entity.on('online', goOnline)
  // The socket and the parser tell what happened; without a listener the process would die of it.
  entity.on('error', () => {})
  socket.on('error', (error: NodeJS.ErrnoException) => {
    end ??= socketEnd(error)
  })
  socket.on('text', (text: string) => {
    listener.received(isReading())
    parser.write(text)
  })
  socket.on('drain', () => listener.drained())
  entity
    .connect(server)
    .then(() => entity.open({ domain }))
    .catch((error: NodeJS.ErrnoException) => {
      end ??= socketEnd(error)
      socket.destroy()
    })
  // After the library's own listener, which forgets the socket.
  socket.on('close', finish)

  return {
    get online() {
      return state === 'online'
    },
    get bufferedBytes() {
      return socket.bufferedBytes
    },
    get backlog() {
      return socket.backlog
    },
    get isReading() {
      return isReading()
    },
    write: (text) => socket.write(text),
    close(timeoutMs) {
      const because = { reason: 'closed', text: 'we closed the stream' }
      if (state === 'opening') abort(because)
      else close(timeoutMs, because)
    },
    abort,
  }
}

/** The library makes its parts by `new`. */
function newable<T extends object>(made: T): new () => T {
  return new Proxy(class {}, { construct: () => made }) as unknown as new () => T
}

function headerFor(header: Element): LtxElement {
  return xml('stream:stream', { id: attributeOf(header, 'id') ?? '' })
}

// RFC 6120 4.9.
function errorEnd(error: Element): StreamEnd {
  const condition = childElements(error).find((child) => child.uri === STREAM_ERRORS && child.name !== 'text')
  const text = childNamed(error, 'text', STREAM_ERRORS)
  const reason = condition?.name ?? 'undefined-condition'
  return { reason, text: `the server says ${reason}${text ? ` (${textOf(text)})` : ''}` }
}

function faultEnd({ condition, text }: StreamFault): StreamEnd {
  return { reason: condition, text: `what the server sent can't be read: ${text}`, fault: true }
}

function faultText({ condition, text }: StreamFault): string {
  const words = `<text xmlns="${STREAM_ERRORS}">${escapeText(text)}</text>`
  return `<stream:error><${condition} xmlns="${STREAM_ERRORS}"/>${words}</stream:error>`
}

function socketEnd(error: NodeJS.ErrnoException): StreamEnd {
  const code = error.code ?? error.name
  const ofCertificate = /CERT|SELF_SIGNED|UNABLE_TO_|CRL/.test(code)
  return { reason: ofCertificate ? 'certificate' : code, text: error.message === '' ? code : error.message }
}

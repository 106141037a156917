import { EventEmitter } from 'node:events'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type Backlog, backlogOf } from './backlog.ts'

const DEFAULT_PORT = 5347
const KEEP_ALIVE_MS = 30_000
/** So much at a time of a large text is given to the system, so that it is seen how far a large stanza has got. */
const PIECE_BYTES = 65_536
/** What goes out under load comes in one write. */
const LARGE_LENGTH = 4 * PIECE_BYTES
/** What the system says is known for so long: many may ask at once. */
const LOOK_AGAIN_MS = 100
const NOTHING: Backlog = { left: 0, taken: 0 }
/** Why a connection was dropped that we may not write to. */
export const LEASE_LOST = 'lease-lost'

export interface Endpoint {
  readonly host: string
  readonly port: number
  /** Direct TLS. */
  readonly secure: boolean
}

export interface TlsOptions {
  readonly ca?: string
  readonly servername?: string
}

/** Reads `xmpp://HOST[:PORT]` and `xmpps://HOST[:PORT]`. Throws where the text is neither. */
export function endpointOf(service: string): Endpoint {
  const url = URL.canParse(service) ? new URL(service) : undefined
  if (!url || url.hostname === '' || (url.protocol !== 'xmpp:' && url.protocol !== 'xmpps:')) {
    throw new Error(`Cannot attach to the server: its address is ${service}, not xmpp://HOST:PORT or xmpps://HOST:PORT`)
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return { host, port: url.port === '' ? DEFAULT_PORT : Number(url.port), secure: url.protocol === 'xmpps:' }
}

interface Piece {
  readonly data: string | Uint8Array
  readonly written: ((error?: Error | null) => void) | undefined
}

/**
 * The socket as the library wants it, `connect` being said when the connection can be used: for direct TLS, which the
 * library doesn't know, after the handshake. What comes in is said as `text`, decoded, with characters that were split over
 * two reads whole; not as `data`, since the library would take that, and breaks characters.
 *
 * Nothing is given to the system, not even the handshake, unless `mayWrite` holds at that moment (docs/operations.md, guarantee 5); otherwise the
 * connection is dropped with the error `lease-lost`. One piece at a time is given to it: what a frozen process had waiting
 * would be sent by the system after it woke, with nobody asked.
 */
export class ServerSocket extends EventEmitter {
  readonly #endpoint: Endpoint
  readonly #tls: TlsOptions
  readonly #mayWrite: () => boolean
  #socket: Socket | undefined
  #queue: Piece[] = []
  #queuedLength = 0
  #isWriting = false
  #seen = NOTHING
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(endpoint: Endpoint, tls: TlsOptions, mayWrite: () => boolean) {
    super()
    this.#endpoint = endpoint
    this.#tls = tls
    this.#mayWrite = mayWrite
  }

  connect(): void {
    const { secure } = this.#endpoint
    const socket = secure ? this.#connectTls() : connectTcp({ ...this.#address(), noDelay: true })
    this.#socket = socket
    socket.setEncoding('utf8')
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    socket.on(secure ? 'secureConnect' : 'connect', () => this.emit('connect'))
    socket.on('data', (text: string) => this.emit('text', text))
    socket.on('error', (error: Error) => this.emit('error', error))
    socket.on('close', (failed: boolean) => this.emit('close', failed))
  }

  #address(): { host: string; port: number } {
    return { host: this.#endpoint.host, port: this.#endpoint.port }
  }

  #connectTls(): Socket {
    const { host } = this.#endpoint
    // RFC 6066 3: an address is no name to ask for.
    const servername = this.#tls.servername ?? (isIP(host) === 0 ? host : undefined)
    return connectTls({
      ...this.#address(),
      minVersion: 'TLSv1.2',
      ...(servername === undefined ? {} : { servername }),
      ...(this.#tls.ca === undefined ? {} : { ca: this.#tls.ca }),
    })
  }

  write(text: string, written?: (error?: Error | null) => void): void {
    if (text.length <= LARGE_LENGTH) {
      this.#add({ data: text, written })
      return
    }
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const data = bytes.subarray(at, at + PIECE_BYTES)
      this.#add({ data, written: at + data.length === bytes.length ? written : undefined })
    }
  }

  #add(piece: Piece): void {
    if (this.#isWriting) {
      this.#queue.push(piece)
      this.#queuedLength += piece.data.length
    } else this.#pass(piece)
  }

  #pass({ data, written }: Piece): void {
    if (!this.#mayWrite()) {
      this.#refuse(written)
      return
    }
    this.#isWriting = true
    this.#socket?.write(data, 'utf8', (error) => {
      this.#isWriting = false
      written?.(error)
      this.#passNext()
    })
  }

  #passNext(): void {
    const next = this.#queue.shift()
    if (!next) {
      this.emit('drain')
      return
    }
    this.#queuedLength -= next.data.length
    this.#pass(next)
  }

  #refuse(written: Piece['written']): void {
    const error = Object.assign(new Error('the lease of the domain may have run out'), { code: LEASE_LOST })
    this.#queue = []
    this.#queuedLength = 0
    written?.(error)
    this.#socket?.destroy(error)
  }

  /** Sends what is buffered, the text, and that nothing more will come. */
  end(text = ''): void {
    if (!this.#mayWrite()) {
      this.destroy()
      return
    }
    for (const { data } of this.#queue) this.#socket?.write(data)
    this.#queue = []
    this.#queuedLength = 0
    this.#socket?.end(text)
  }

  /** `close` is said after it, in any case. */
  destroy(): void {
    if (this.#socket) this.#socket.destroy()
    else this.emit('close', true)
  }

  get bufferedBytes(): number {
    return this.#queuedLength + (this.#socket?.writableLength ?? 0)
  }

  /** How far what was written has got, by a look that is 100 ms old at most. */
  get backlog(): Backlog {
    const now = performance.now()
    if (this.#socket && now - this.#lookedAt >= LOOK_AGAIN_MS) {
      this.#seen = backlogOf(this.#socket)
      this.#lookedAt = now
    }
    return { left: this.#queuedLength + this.#seen.left, taken: this.#seen.taken }
  }
}

import { EventEmitter } from 'node:events'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

const DEFAULT_PORT = 5347
const KEEP_ALIVE_MS = 30_000

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

/** Whether what is sent there stays on this machine. */
export function isLoopback(host: string): boolean {
  return host.toLowerCase() === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/**
 * The socket as the library wants it, `connect` being said when the connection can be used: for direct TLS, which the
 * library doesn't know, after the handshake. What comes in is said as `text`, decoded, with characters that were split over
 * two reads whole; not as `data`, since the library would take that, and breaks characters.
 */
export class ServerSocket extends EventEmitter {
  readonly #endpoint: Endpoint
  readonly #tls: TlsOptions
  #socket: Socket | undefined

  constructor(endpoint: Endpoint, tls: TlsOptions) {
    super()
    this.#endpoint = endpoint
    this.#tls = tls
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
    socket.on('drain', () => this.emit('drain'))
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
    this.#socket?.write(text, 'utf8', written)
  }

  /** Sends what is buffered, the text, and that nothing more will come. */
  end(text = ''): void {
    this.#socket?.end(text)
  }

  /** `close` is said after it, in any case. */
  destroy(): void {
    if (this.#socket) this.#socket.destroy()
    else this.emit('close', true)
  }

  get bufferedBytes(): number {
    return this.#socket?.writableLength ?? 0
  }
}

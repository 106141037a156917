import type { Element } from '../domain/element.ts'
import type { Log } from '../flow/ports.ts'
import type { IqAnswer } from './iq.ts'

export interface ConnectionOptions {
  /** `xmpp://HOST[:PORT]`, 5347 by default; `xmpps://` is direct TLS. */
  readonly service: string
  /** The component's own domain. */
  readonly domain: string
  readonly secret: string
  /** Allows plain TCP beyond loopback. */
  readonly insecure: boolean
  /** The largest stanza that we write; what the server may send is bounded at four times of it, and 1 MiB at least. */
  readonly maxStanzaBytes: number
  /** Limits of documents. The stream is given more, so that a document beyond them is refused with words. */
  readonly depth: number
  readonly attributes: number
  readonly tls?: {
    /** PEM text of the authorities that are trusted instead of the system's. */
    readonly ca?: string
    /** The name that the certificate must be for; the host of `service` by default. */
    readonly servername?: string
  }
  /** Who is asked for a sign of life when nothing came for `keepAliveMs`: the server's own domain. */
  readonly pingTo?: string
  /** 30 s by default. */
  readonly keepAliveMs?: number
  /** How long the answer to the ping may take: 15 s by default. */
  readonly pingTimeoutMs?: number
  /** How long it may take from the first packet until the stream is online: 10 s by default. */
  readonly openTimeoutMs?: number
  /** How long a refusal must last at the first start to be believed (DESIGN 5, guarantee 8): 15 s by default. */
  readonly refusalAfterMs?: number
  /** First pause before another try; it doubles up to 30 s, up to 60 s where the server refuses us. 250 ms by default. */
  readonly firstPauseMs?: number
  readonly log: Log
}

/** Hears of every stanza that answers no request of ours. */
export type StanzaHandler = (stanza: Element) => void

export type StreamEvent =
  | { readonly kind: 'online'; readonly stream: number }
  | { readonly kind: 'lost'; readonly stream: number; readonly reason: string }

export interface Connection {
  readonly domain: string
  readonly online: boolean
  /** A number that changes with every stream; what was written under another is unproven. */
  readonly stream: number
  /** Resolves when online for the first time. Throws {@link ConnectionRefused}; otherwise it keeps trying. */
  start(onStanza: StanzaHandler): Promise<void>
  /** Writes what is pending, closes the stream, and waits for the server to close it, at most `timeoutMs`. */
  stop(timeoutMs: number): Promise<void>
  /**
   * Writes one or more complete stanzas, put together with all that is written in the same turn of the event loop.
   * False when offline: nothing is written. True promises nothing but the attempt.
   */
  write(xml: string): boolean
  /** Resolves at once unless more than 1 MiB is buffered; then when that is gone, or the stream ended. */
  drained(): Promise<void>
  readonly bufferedBytes: number
  /** Sends a request and settles with the answer that has the right id and comes from whom it was sent to. */
  request(iq: IqRequest): Promise<IqAnswer>
  /** Gives the way to stop listening. */
  onStream(listener: (event: StreamEvent) => void): () => void
}

export interface IqRequest {
  readonly to: string
  readonly type: 'get' | 'set'
  /** The one child as XML text. */
  readonly payload: string
  /** Made here where it is left out. */
  readonly id?: string
  readonly timeoutMs: number
}

/** The server, or we ourselves, won't have this component: trying again is of no use until somebody changes something. */
export class ConnectionRefused extends Error {
  override name = 'ConnectionRefused'
  /** `not-authorized`, `conflict`, `host-unknown`, `certificate`, `insecure`, … */
  readonly reason: string
  constructor(message: string, reason: string) {
    super(message)
    this.reason = reason
  }
}

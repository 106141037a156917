import { setTimeout as delay } from 'node:timers/promises'
import { attributeOf, type Element } from '../domain/element.ts'
import { isLoopback } from '../domain/loopback.ts'
import type { Rejection } from '../domain/rejection.ts'
import type { Lease, Log } from '../flow/ports.ts'
import { isUnexplained } from './closes.ts'
import { createRequests, type IqAnswer, type IqRequest } from './iq.ts'
import { type KeepAlive, keepAlive } from './keep-alive.ts'
import { PING } from './namespaces.ts'
import { createNudge } from './nudge.ts'
import { createOutbox } from './outbox.ts'
import type { StanzaLimits } from './parser.ts'
import { type Endpoint, endpointOf, LEASE_LOST } from './socket.ts'
import { openStream, type ServerStream, type StreamEnd } from './stream.ts'

export type { IqAnswer, IqRequest }

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
  /** Limits of documents. Stanzas are read up to 1,000 and 4,096 at least, so that the document is refused for what it is. */
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
  /** How long a refusal must last at the first start to be believed (docs/operations.md, guarantee 8): 15 s by default. */
  readonly refusalAfterMs?: number
  /** First pause before another try; it doubles up to 2 s, up to 60 s where the server refuses us. 250 ms by default. */
  readonly firstPauseMs?: number
  /**
   * Nothing is written, and nothing attached, while it isn't held (docs/operations.md, guarantee 5). Where another process has held it, its connection
   * may be half-open still: a conflict is waited out then, however long it lasts. Without a lease we may always write.
   */
  readonly lease?: Pick<Lease, 'held' | 'wasOthers' | 'onChange'>
  readonly log: Log
}

/**
 * Hears of every stanza that answers no request of ours. One that goes beyond what we read comes with the reason, and with
 * nothing in it.
 */
export type StanzaHandler = (stanza: Element, excess?: Rejection) => void

export type StreamEvent =
  | { readonly kind: 'online'; readonly stream: number }
  | {
      readonly kind: 'lost'
      readonly stream: number
      readonly reason: string
      /** What the server said, where what was written at that place may be why; otherwise undefined. */
      readonly closed: (place: number) => string | undefined
    }

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
  /** The number of what was written last; it only grows. */
  readonly place: number
  /** The server is known to have had everything that was written. */
  readonly isQuiet: boolean
  /**
   * What was written at this place may not have reached the server yet, or its answer may be behind a large stanza that comes: the time for an
   * answer hasn't begun. To be asked rarely.
   */
  isOnItsWay(place: number): boolean
  /** Resolves at once unless more than 1 MiB is buffered; then when that is gone, or the stream ended. */
  drained(): Promise<void>
  readonly bufferedBytes: number
  /** Sends a request and settles with the answer that has the right id and comes from whom it was sent to. */
  request(iq: IqRequest): Promise<IqAnswer>
  /** Drops the stream, which comes back: the server has stopped reading it. */
  giveUp(text: string): void
  /** Gives the way to stop listening. */
  onStream(listener: (event: StreamEvent) => void): () => void
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

/** Above this `drained` waits. */
const HIGH_WATER_BYTES = 1_048_576
/** A server that leaves so much unread is given up. */
const STALLED_BYTES = 64 * HIGH_WATER_BYTES
/** An attempt costs nothing, and after a restart of the server everybody waits for us. */
const LONGEST_PAUSE_MS = 2_000
/** A server that refuses us is asked less often. */
const LONGEST_REFUSED_PAUSE_MS = 60_000
/** A stream that lasted so long makes what went wrong before it irrelevant. */
const STEADY_MS = 10_000
/**
 * Where the server has answered before it closed the stream, something on the stream was wrong rather than the server: pauses stay
 * short, about a second, so that what it was is found soon.
 */
const FAILURES_WHERE_USED = 2

/** RFC 6120 4.9.3; what they mean for a component (XEP-0114). Somebody has to change something before they go away. */
const refusals: Readonly<Record<string, string>> = {
  'not-authorized': 'the server says not-authorized (the secret is wrong)',
  conflict: 'the server says conflict (another connection has this address)',
  'host-unknown': 'the server says host-unknown (it has no component of this name)',
  certificate: "the server's certificate is not accepted",
}

/** A component's connection to its server, which comes back by itself (XEP-0114). */
export function createConnection(options: ConnectionOptions): Connection {
  const { domain, log, lease } = options
  const limits = stanzaLimits(options)
  const requests = createRequests(domain, isOnItsWay)
  const outbox = createOutbox((text) => {
    if (server?.online) server.write(text)
  })
  const nudge = createNudge({ had: () => requests.had, write: (spaces) => outbox.add(spaces) })
  const listeners = new Set<(event: StreamEvent) => void>()
  const waiting = new Set<() => void>()
  let onStanza: StanzaHandler = () => {}
  let server: ServerStream | undefined
  let alive: KeepAlive | undefined
  let stream = 0
  let place = 0
  let hadBefore = 0
  let onlineSince: number | undefined
  let failures = 0
  let retryTimer: NodeJS.Timeout | undefined
  let attachTo: Endpoint | undefined
  let stopping = false
  let onEnded: () => void = () => {}
  let first: FirstStart | undefined

  const mayWrite = () => lease?.held ?? true
  lease?.onChange((held) => {
    if (!held) drop()
    else if (attachTo && !server && !stopping) attach(attachTo)
  })

  /** The first write after the lease could have run out is refused, and nothing after it is tried. */
  function drop(): void {
    server?.abort({ reason: LEASE_LOST, text: `the lease of ${domain} may have run out` })
  }

  /** Another holder would be kicked by a handshake; when the lease is taken, we hear of it. */
  function attach(endpoint: Endpoint): void {
    clearTimeout(retryTimer)
    if (!mayWrite()) return
    const { secret, tls = {}, openTimeoutMs = 10_000 } = options
    log('debug', 'connecting', { service: options.service, domain })
    server = openStream(
      { endpoint, tls, domain, secret, limits, openTimeoutMs, mayWrite },
      {
        online: goOnline,
        stanza: take,
        stranger: skip,
        received: (isPart) => alive?.heard(isPart),
        drained: release,
        ended: (end) => goOffline(end, endpoint),
      },
    )
  }

  function goOnline(): void {
    stream += 1
    hadBefore = requests.had
    onlineSince = performance.now()
    alive = watch()
    log('info', 'online', { service: options.service, domain, stream })
    tell({ kind: 'online', stream })
    first?.resolve()
    first = undefined
  }

  function goOffline(end: StreamEnd, endpoint: Endpoint): void {
    server = undefined
    alive?.stop()
    alive = undefined
    outbox.clear()
    nudge.stop()
    const closed = closing(end)
    requests.lose(undefined, closed)
    release()
    if (onlineSince === undefined) logEnd('connection-failed', end)
    else loseStream(end, onlineSince, closed)
    onlineSince = undefined
    onEnded()
    if (!stopping) tryAgain(end, endpoint)
  }

  function loseStream(end: StreamEnd, since: number, closed: (place: number) => string | undefined): void {
    if (performance.now() - since >= STEADY_MS) failures = 0
    else if (requests.had > hadBefore) failures = Math.min(failures, FAILURES_WHERE_USED)
    logEnd('connection-lost', end)
    tell({ kind: 'lost', stream, reason: end.reason, closed })
  }

  /**
   * What may be why the stream ended (docs/operations.md, guarantee 6): what the server was not known to have had. Where it sent what can't
   * be read, that may have come of anything that we wrote.
   */
  function closing(end: StreamEnd): (place: number) => string | undefined {
    const had = end.fault ? 0 : requests.had
    const mayBe = !stopping && isUnexplained(end)
    return (at) => (mayBe && at > had ? end.text : undefined)
  }

  function logEnd(event: string, { reason, text, fault }: StreamEnd): void {
    const level = stopping ? 'info' : 'warn'
    log(fault ? 'error' : level, event, { service: options.service, domain, stream, reason, text })
  }

  function tryAgain(end: StreamEnd, endpoint: Endpoint): void {
    const refused = isRefusal(end)
    const enduring = end.reason === 'conflict' && lease?.wasOthers === true
    const leftMs = first && refused && !enduring ? first.refusedBy - performance.now() : Number.POSITIVE_INFINITY
    if (first && leftMs <= 0) {
      refuse(first, end)
      return
    }
    const pauseMs = Math.min(leftMs, pauseAfter(failures, refused, options.firstPauseMs))
    failures += 1
    retryTimer = setTimeout(attach, pauseMs, endpoint)
  }

  /** docs/operations.md, guarantee 8: only what never was online ends for it. */
  function refuse({ reject }: FirstStart, { reason, text }: StreamEnd): void {
    const words = reason === 'certificate' ? `${refusals[reason]}: ${text}` : refusals[reason]
    first = undefined
    reject(new ConnectionRefused(`Cannot attach to ${options.service} as ${domain}: ${words}`, reason))
  }

  function watch(): KeepAlive | undefined {
    const { pingTo, keepAliveMs: silenceMs = 30_000, pingTimeoutMs: timeoutMs = 15_000 } = options
    if (pingTo === undefined) return undefined
    const watched = server!
    const ping = { to: pingTo, type: 'get', payload: `<ping xmlns="${PING}"/>`, timeoutMs } as const
    return keepAlive({
      silenceMs,
      // XEP-0199 4.3. Any answer is a sign of life.
      ask: () => Promise.race([request(ping), delay(timeoutMs, undefined, { ref: false })]),
      had: () => requests.had,
      backlog: () => watched.backlog,
      dead: () =>
        watched.abort({ reason: 'silent', text: `the server answered nothing for ${silenceMs + timeoutMs} ms` }),
    })
  }

  function take(stanza: Element, excess: Rejection | undefined): void {
    if (!mayWrite()) {
      drop()
      return
    }
    const taken = requests.take(stanza, excess)
    if (taken === 'answered') return
    if (taken === 'foreign') {
      log('debug', 'foreign-answer', { from: attributeOf(stanza, 'from'), id: attributeOf(stanza, 'id') })
      return
    }
    if (excess) log('warn', 'stanza-skipped', { from: attributeOf(stanza, 'from'), reason: excess.text })
    try {
      onStanza(stanza, excess)
    } catch (error) {
      log('error', 'stanza-failed', { stanza: stanza.name, from: attributeOf(stanza, 'from'), reason: String(error) })
    }
  }

  /** Whoever sent it hears nothing: how an answer would have to look is not known either. */
  function skip(stanza: Element): void {
    const reason = `its namespace is ${stanza.uri === '' ? 'none' : stanza.uri}, which no component is sent`
    log('warn', 'stanza-skipped', { from: attributeOf(stanza, 'from'), reason })
  }

  function write(xml: string): boolean {
    if (!server?.online) return false
    if (!mayWrite()) {
      drop()
      return false
    }
    place += 1
    outbox.add(xml)
    nudge.wrote(xml.length, place)
    if (bufferedBytes() <= STALLED_BYTES) return true
    server.abort({ reason: 'stalled', text: `the server leaves ${bufferedBytes()} bytes unread` })
    return false
  }

  async function request(iq: IqRequest): Promise<IqAnswer> {
    if (!server?.online) return { kind: 'lost' }
    const { text, id, answer } = requests.add(iq, place + 1)
    if (!write(text)) requests.lose(id)
    return answer
  }

  function bufferedBytes(): number {
    return outbox.length + (server?.bufferedBytes ?? 0)
  }

  /** Not for ever: where nothing moves the stream is given up. */
  function isOnItsWay(at: number): boolean {
    if (!server || !alive || requests.had >= at) return false
    return outbox.length > 0 || server.isReading || server.backlog.left > 0
  }

  async function drained(): Promise<void> {
    if (bufferedBytes() <= HIGH_WATER_BYTES) return
    outbox.flush()
    await new Promise<void>((resolve) => waiting.add(resolve))
  }

  function release(): void {
    for (const resolve of waiting) resolve()
    waiting.clear()
  }

  function tell(event: StreamEvent): void {
    for (const listener of listeners) {
      try {
        listener(event)
      } catch (error) {
        log('error', 'stream-listener-failed', { event: event.kind, reason: String(error) })
      }
    }
  }

  return {
    domain,
    get online() {
      return mayWrite() && (server?.online ?? false)
    },
    get stream() {
      return stream
    },
    get place() {
      return place
    },
    get isQuiet() {
      return requests.had >= place
    },
    get bufferedBytes() {
      return bufferedBytes()
    },
    write,
    drained,
    isOnItsWay,
    request,
    async start(handler) {
      if (first || server) throw new Error(`Cannot attach to ${options.service}: it was started already`)
      const endpoint = permitted(options)
      attachTo = endpoint
      onStanza = handler
      await new Promise<void>((resolve, reject) => {
        first = { resolve, reject, refusedBy: performance.now() + (options.refusalAfterMs ?? 15_000) }
        attach(endpoint)
      })
    },
    async stop(timeoutMs) {
      stopping = true
      clearTimeout(retryTimer)
      first?.reject(new Error(`Cannot attach to ${options.service}: it was stopped before it was online`))
      first = undefined
      if (!server) return
      const ended = new Promise<void>((resolve) => {
        onEnded = resolve
      })
      outbox.flush()
      server.close(timeoutMs)
      await ended
    },
    giveUp(text) {
      server?.abort({ reason: 'silent', text })
    },
    onStream(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

interface FirstStart {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  /** On the clock of `performance.now`: from then on a refusal is believed. */
  readonly refusedBy: number
}

function isRefusal({ reason }: StreamEnd): boolean {
  return Object.hasOwn(refusals, reason)
}

function stanzaLimits({ maxStanzaBytes, depth, attributes }: ConnectionOptions): StanzaLimits {
  return {
    bytes: Math.max(4 * maxStanzaBytes, 1_048_576),
    depth: Math.max(depth + 16, 1_000),
    attributes: Math.max(attributes + 16, 4_096),
  }
}

function permitted({ service, insecure }: ConnectionOptions): Endpoint {
  const endpoint = endpointOf(service)
  if (endpoint.secure || insecure || isLoopback(endpoint.host)) return endpoint
  const cure = 'Use xmpps://, or say xmpp.insecure: true where the network can be trusted'
  const reason = `the secret and all documents would cross the network in plain TCP. ${cure}`
  throw new ConnectionRefused(`Cannot attach to ${service}: ${reason}`, 'insecure')
}

/** Doubles with each failure, and is spread by a quarter of itself, so that many components don't come back at once. */
function pauseAfter(failures: number, refused: boolean, firstMs = 250): number {
  const longestMs = refused ? LONGEST_REFUSED_PAUSE_MS : LONGEST_PAUSE_MS
  return Math.min(longestMs, firstMs * 2 ** Math.min(failures, 16)) * (0.75 + Math.random() / 2)
}

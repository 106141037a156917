import { jidPattern, normaliseJid } from '../domain/jid.ts'
import { isLoopback } from '../domain/loopback.ts'
import { parseListenAddress, parseXmppAddress } from './formats.ts'
import type { Waybill } from './kinds.ts'
import type { Complain } from './problem.ts'
import { complainOfRedis, type RedisSettings, readRedis } from './redis-settings.ts'
import { parseTimespan } from './timespan.ts'

/** The installation, normalised: durations in milliseconds, JIDs in their normal form, defaults filled in. */
export interface Settings {
  readonly xmpp: {
    /** `xmpp://HOST:PORT` or `xmpps://HOST:PORT`, always with a port. */
    readonly service: string
    readonly domain: string
    /** Further ones. */
    readonly domains: readonly string[]
    /** The server, asked for the hand-over proof. */
    readonly host: string
    readonly secret: string
    readonly maxStanzaBytes: number
    /** Plain TCP beyond loopback is allowed. */
    readonly insecure: boolean
  }
  readonly redis: RedisSettings
  /** Undefined: no HTTP at all. */
  readonly http:
    | { readonly listen: { readonly host: string; readonly port: number }; readonly token?: string }
    | undefined
  /** Bare JIDs. */
  readonly admins: readonly string[]
  /** JID patterns. */
  readonly senders: readonly string[]
  readonly limits: {
    readonly documentBytes: number
    readonly depth: number
    readonly attributes: number
    readonly waiting: number
    readonly waitingBytes: number
    /** Documents, and bytes of them, that may be held. */
    readonly held: number
    readonly heldBytes: number
    readonly perSender: { readonly perMinute: number; readonly waiting: number; readonly held: number }
  }
  readonly dedupe: { readonly windowMs: number }
  readonly subscriptions: readonly {
    readonly pubsub: string
    readonly node: string
    readonly from: 'publisher' | 'service'
  }[]
  readonly alarms: { readonly to: readonly string[] }
  /** Threads that validate heavy documents; undefined: as many as suit the machine. */
  readonly checking: { readonly threads?: number }
  /** What has the folder loaded again: changes of its files and SIGHUP, or SIGHUP alone. */
  readonly reload: 'watch' | 'signal'
  readonly retention: {
    readonly deadMs: number
    readonly deadCount: number
    readonly deadBytes: number
    readonly heldMs: number
    /** At least `bounceWindowMs`. */
    readonly finishedMs: number
    readonly finishedCount: number
    readonly finishedBytes: number
  }
  /** Undefined: accepted documents are not archived. */
  readonly archive:
    | { readonly keepMs: number; readonly count: number; readonly bytes: number; readonly types: readonly string[] }
    | undefined
  readonly bounceWindowMs: number
}

/**
 * Settings of a `waybill.yaml` that its schema found sound.
 *
 * @param folder What paths are relative to.
 */
export function readSettings(value: Waybill, folder: string, complain: Complain): Settings {
  const { xmpp, limits, retention } = value
  const bounceWindowMs = parseTimespan(value.bounceWindow)!
  const settings: Settings = {
    xmpp: {
      ...xmpp,
      service: readService(xmpp),
      domain: jid(xmpp.domain),
      domains: xmpp.domains.map(jid),
      host: jid(xmpp.host),
    },
    redis: readRedis(value.redis, folder),
    http: readHttp(value.http),
    admins: value.admins.map(jid),
    senders: value.senders,
    limits,
    dedupe: { windowMs: parseTimespan(value.dedupe.window)! },
    subscriptions: value.subscriptions.map((subscription) => ({ ...subscription, pubsub: jid(subscription.pubsub) })),
    alarms: { to: value.alarms.to.map(jid) },
    checking: value.checking,
    reload: value.reload,
    retention: {
      deadMs: parseTimespan(retention.dead)!,
      deadCount: retention.deadCount,
      deadBytes: retention.deadBytes,
      heldMs: parseTimespan(retention.held)!,
      finishedMs: parseTimespan(retention.finished)!,
      finishedCount: retention.finishedCount,
      finishedBytes: retention.finishedBytes,
    },
    archive: value.archive && readArchive(value.archive),
    bounceWindowMs,
  }
  complainOfSettings(settings, complain)
  return settings
}

function readArchive({ keep, count, bytes, types }: NonNullable<Waybill['archive']>): Settings['archive'] {
  return { keepMs: parseTimespan(keep)!, count, bytes, types }
}

function jid(text: string): string {
  return normaliseJid(text) ?? text
}

function readService({ service }: Waybill['xmpp']): string {
  const { secure, host, port } = parseXmppAddress(service)!
  return `${secure ? 'xmpps' : 'xmpp'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function readHttp(http: Waybill['http']): Settings['http'] {
  if (typeof http === 'string') return undefined
  const listen = parseListenAddress(http.listen)!
  return http.token === undefined ? { listen } : { listen, token: http.token }
}

// Base64 makes four bytes of three; the rest of the stanza needs some room as well.
const STANZA_ROOM_BYTES = 4096

function complainOfSettings(settings: Settings, complain: Complain): void {
  const { xmpp, limits, senders, retention, bounceWindowMs } = settings
  const { secure, host } = parseXmppAddress(xmpp.service)!
  if (!secure && !xmpp.insecure && !isLoopback(host)) {
    const message = `Cannot attach to ${xmpp.service}: plain TCP beyond loopback needs insecure: true, or an xmpps address`
    complain('insecure-service', ['xmpp', 'service'], message)
  }
  complainOfRedis(settings.redis, complain)
  if (senders.length === 0) {
    complain('no-senders', ['senders'], 'senders is empty: nobody may send', { severity: 'warning' })
  }
  complainOfDomains(xmpp, complain)
  complainOfSubscriptions(settings, complain)
  const fittingBytes = Math.floor(((xmpp.maxStanzaBytes - STANZA_ROOM_BYTES) * 3) / 4)
  if (limits.documentBytes > fittingBytes) {
    const message = `limits.documentBytes is ${limits.documentBytes}: sealed in a stanza of ${xmpp.maxStanzaBytes} bytes only ${fittingBytes} find room`
    complain('limit-unreachable', ['limits', 'documentBytes'], message, {
      severity: 'warning',
      or: ['xmpp', 'maxStanzaBytes'],
    })
  }
  if (retention.finishedMs < bounceWindowMs) {
    const message = `retention.finished must not be less than bounceWindow: ${retention.finishedMs / 1000} s is less than ${bounceWindowMs / 1000} s`
    complain('limits-conflict', ['retention', 'finished'], message, { or: ['bounceWindow'] })
  }
}

function complainOfDomains({ domain, domains }: Settings['xmpp'], complain: Complain): void {
  for (const [at, name] of domains.entries()) {
    if (name !== domain && domains.indexOf(name) === at) continue
    complain('duplicate-domain', ['xmpp', 'domains', at], `Cannot be attached as ${name} twice`)
  }
}

function complainOfSubscriptions({ subscriptions, senders }: Settings, complain: Complain): void {
  const known = new Set<string>()
  const allows = senders.map(jidPattern)
  for (const [at, { pubsub, node, from }] of subscriptions.entries()) {
    const path = ['subscriptions', at]
    const name = `${pubsub} ${node}`
    if (known.has(name)) complain('duplicate-subscription', path, `Cannot subscribe to ${node} of ${pubsub} twice`)
    known.add(name)
    if (from === 'service' && senders.length > 0 && !allows.some((allow) => allow?.(pubsub))) {
      const message = `senders does not allow ${pubsub}: every item of ${node} would be refused`
      complain('source-not-allowed', [...path, 'pubsub'], message, { severity: 'warning' })
    }
  }
}

import { parseDestination } from '../domain/delivery.ts'
import { jidPattern, parseJid } from '../domain/jid.ts'
import { parseVersionCondition } from '../domain/type-version.ts'
import { parseTimespan } from './timespan.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

interface Format {
  /** Ends the sentence "X must be …". */
  readonly expects: string
  readonly accepts: (text: string) => boolean
}

/** The `format` names of the schemas. */
export const formats: Readonly<Record<string, Format>> = {
  'xmpp-address': {
    expects: 'an address such as xmpp://127.0.0.1:5347 or xmpps://HOST:PORT',
    accepts: (text) => parseXmppAddress(text) !== undefined,
  },
  'redis-address': { expects: 'an address such as redis://127.0.0.1:6379', accepts: isRedisAddress },
  'server-address': {
    expects: 'HOST:PORT such as 10.0.0.1:26379',
    accepts: (text) => (parseListenAddress(text)?.port ?? 0) > 0,
  },
  'listen-address': {
    expects: 'HOST:PORT such as 127.0.0.1:8480',
    accepts: (text) => parseListenAddress(text) !== undefined,
  },
  domain: { expects: 'a domain such as waybill.example.org', accepts: isDomain },
  'bare-jid': { expects: 'a bare JID such as ops@example.org, not a pattern', accepts: isBareJid },
  jid: { expects: 'a JID such as ops@example.org, not a pattern', accepts: isJid },
  'jid-pattern': {
    expects: 'a JID pattern such as *@example.org',
    accepts: (text) => jidPattern(text) !== undefined,
  },
  timespan: {
    expects: 'a duration such as 500ms, 30s, 10m, 1h, 7d or PT10M',
    accepts: (text) => parseTimespan(text) !== undefined,
  },
  'expanded-name': { expects: 'a name such as {urn:example:order}order', accepts: isExpandedName },
  'json-pointer': {
    expects: 'a JSON Pointer such as /total',
    accepts: (text) => /^(?:\/(?:[^~/]|~[01])*)*$/.test(text),
  },
  'media-type': {
    expects: 'a media type without parameters such as image/png',
    accepts: (text) => /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(text),
  },
  'version-condition': {
    expects: 'a version such as 2.1, bounds such as >=2.0 <3, or newest',
    accepts: (text) => parseVersionCondition(text) !== undefined,
  },
  expression: { expects: 'a regular expression', accepts: isExpression },
  destination: {
    expects: 'a destination: xmpp:SERVICE?;node=NODE, or a JID',
    accepts: isDestination,
  },
}

/** The port is 5347 where none is given. */
export function parseXmppAddress(text: string): (Address & { readonly secure: boolean }) | undefined {
  const match = /^(xmpps?):\/\/(\[[0-9a-f:.]+\]|[^\s:/?#@[\]]+)(?::(\d{1,5}))?$/i.exec(text)
  if (!match) return undefined
  const port = Number(match[3] ?? 5347)
  if (port < 1 || port > 65_535) return undefined
  return { secure: match[1]!.toLowerCase() === 'xmpps', host: unbracketed(match[2]!), port }
}

export function parseListenAddress(text: string): Address | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[^\s:/?#@[\]]+):(\d{1,5})$/i.exec(text)
  if (!match || Number(match[2]) > 65_535) return undefined
  return { host: unbracketed(match[1]!), port: Number(match[2]) }
}

function unbracketed(host: string): string {
  return host.replace(/^\[|\]$/g, '')
}

function isRedisAddress(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, pathname } = new URL(text)
  return /^rediss?:$/.test(protocol) && hostname !== '' && /^(?:\/\d*)?$/.test(pathname)
}

function isDomain(text: string): boolean {
  const jid = parseJid(text)
  return jid !== undefined && jid.local === '' && jid.resource === ''
}

/** RFC 7622 allows a star in a localpart. Who writes one means a pattern, which would be compared to the letter. */
function isJid(text: string): boolean {
  return !text.includes('*') && parseJid(text) !== undefined
}

function isBareJid(text: string): boolean {
  return isJid(text) && parseJid(text)!.resource === ''
}

// The name is an NCName; which characters beyond ASCII begin one is left to the documents.
function isExpandedName(text: string): boolean {
  return /^(?:\{[^{}\s]+\})?[A-Za-z_\u0080-\u{10FFFF}][\w.\-\u0080-\u{10FFFF}]*$/u.test(text)
}

function isExpression(text: string): boolean {
  try {
    return new RegExp(text, 'u') instanceof RegExp
  } catch {
    return false
  }
}

function isDestination(text: string): boolean {
  const destination = parseDestination(text)
  if (destination.kind === 'jid') return !text.startsWith('xmpp:') && parseJid(text) !== undefined
  return parseJid(destination.service) !== undefined && destination.node !== ''
}

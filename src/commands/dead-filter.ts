import { parseTimespan } from '../config/timespan.ts'
import { type Destination, deadReasons, parseDestination } from '../domain/delivery.ts'
import { normaliseJid } from '../domain/jid.ts'
import { didYouMean } from '../domain/nearest.ts'
import type { DeadFilter } from '../flow/ports.ts'
import { CommandFailed } from './output.ts'

/** What chooses dead letters, as it is typed. */
export interface DeadFilterWords {
  readonly type?: string
  readonly route?: string
  readonly destination?: string
  readonly from?: string
  readonly reason?: string
  readonly group?: string
  /** `name=value`, several times. */
  readonly field?: readonly string[]
  readonly since?: string
  readonly until?: string
  readonly limit?: number
}

/** Throws {@link CommandFailed} 2 for what can't be read. */
export function readDeadFilter(words: DeadFilterWords, nowMs: number): DeadFilter {
  const { type, route, destination, from, reason, group, field, since, until, limit } = words
  if (reason !== undefined) refuseUnknown(reason)
  const filter = {
    type,
    route,
    destination,
    from,
    reason,
    group,
    fields: field && readFields(field),
    sinceMs: since === undefined ? undefined : readTime('--since', since, nowMs),
    untilMs: until === undefined ? undefined : readTime('--until', until, nowMs),
    limit,
  }
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined))
}

const FILTERS = [
  ...(['type', 'route', 'destination', 'from', 'reason', 'group', 'rule'] as const),
  ...(['field', 'since', 'until', 'limit'] as const),
]

/** The filters as they were typed: `--type invoice --field currency=EUR`; `--all` where there are none. */
export function filtersTyped(words: DeadFilterWords & { readonly rule?: string }): string {
  const typed = FILTERS.flatMap((name) => [words[name] ?? []].flat().map((value) => `--${name} ${value}`))
  return typed.join(' ') || '--all'
}

// The set is closed: another word would choose nothing, and look like good news.
function refuseUnknown(reason: string): void {
  if (deadReasons.some((known) => known === reason)) return
  const guess = didYouMean(reason, deadReasons)
  throw new CommandFailed(2, `Cannot choose by --reason ${reason}: it is none of ${deadReasons.join(', ')}${guess}`)
}

function readFields(words: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=')
      if (at < 1) throw new CommandFailed(2, `Cannot choose by --field ${word}: write it as NAME=VALUE`)
      return [word.slice(0, at), word.slice(at + 1)]
    }),
  )
}

/** A time as it is printed, in UTC where it names no zone; or a duration that has passed since. */
function readTime(option: string, text: string, nowMs: number): number {
  const agoMs = parseTimespan(text)
  if (agoMs !== undefined) return nowMs - agoMs
  const iso = text.trim().replace(' ', 'T')
  const zoned = /T/.test(iso) && !/(?:Z|[+-]\d\d:?\d\d)$/i.test(iso) ? `${iso}Z` : iso
  const atMs = /^\d{4}-\d\d-\d\d/.test(zoned) ? Date.parse(zoned) : Number.NaN
  if (Number.isNaN(atMs)) {
    throw new CommandFailed(2, `Cannot read ${option} ${text}: write 2026-11-21, "2026-11-21 03:35:45" (UTC) or 2h`)
  }
  return atMs
}

/** `xmpp:SERVICE?;node=NODE` or a JID. Throws {@link CommandFailed} 2 where it is neither. */
export function readDestination(text: string): Destination {
  const written = parseDestination(text)
  const jid = normaliseJid(written.kind === 'node' ? written.service : written.jid)
  if (jid === undefined || (written.kind === 'node' && written.node === '')) {
    throw new CommandFailed(2, `Cannot send to ${text}: it is neither a JID nor xmpp:SERVICE?;node=NODE`)
  }
  return written.kind === 'node' ? { ...written, service: jid } : { kind: 'jid', jid }
}

import { bareJid, jidPattern } from '../domain/jid.ts'
import { type Rejection, reject } from '../domain/rejection.ts'

/** Whether a sender matches one of the patterns. Verdicts are remembered, since few senders send much. */
export type SenderRule = (from: string) => boolean

const REMEMBERED = 10_000

/** Patterns that are no JID patterns match nobody; the configuration has refused them before. */
export function compileSenders(patterns: readonly string[]): SenderRule {
  const rules = patterns.map(jidPattern).filter((rule) => rule !== undefined)
  const known = new Map<string, boolean>()
  return (from) => {
    const verdict = known.get(from)
    if (verdict !== undefined) return verdict
    if (known.size >= REMEMBERED) known.clear()
    const allowed = rules.some((rule) => rule(from))
    known.set(from, allowed)
    return allowed
  }
}

const WINDOW_MS = 60_000

/** Counts each bare sender's documents, before anything costly. */
export interface RateLimit {
  /** For the one document that every stanza has; gives the rejection for one too many. */
  take(from: string, nowMs: number): Rejection | undefined
  /** For those that a stanza had besides: it passes as a whole, and what comes next waits the longer. */
  charge(from: string, documents: number): void
}

/**
 * A bucket of `perMinute` documents, or questions, for each bare JID, filled evenly within a minute: a burst passes, and up to twice as many
 * in the minute that begins with it. Memory is bounded by the senders whose buckets aren't full again.
 */
export function limitRate(perMinute: number, what: 'documents' | 'questions' = 'documents'): RateLimit {
  const buckets = new Map<string, { left: number; atMs: number }>()
  const perMs = perMinute / WINDOW_MS
  let sweptMs = 0
  return {
    take(from, nowMs) {
      if (Math.abs(nowMs - sweptMs) > WINDOW_MS) {
        for (const [sender, { left, atMs }] of buckets)
          if (left + (nowMs - atMs) * perMs >= perMinute) buckets.delete(sender)
        sweptMs = nowMs
      }
      const sender = bareJid(from)
      const bucket = buckets.get(sender)
      if (!bucket) {
        buckets.set(sender, { left: perMinute - 1, atMs: nowMs })
        return undefined
      }
      // The clock may have been set back.
      bucket.left = Math.min(perMinute, bucket.left + Math.max(0, nowMs - bucket.atMs) * perMs)
      bucket.atMs = nowMs
      if (bucket.left < 1) return tooMany(sender, `${perMinute} ${what}`, (1 - bucket.left) / perMs)
      bucket.left--
      return undefined
    },
    charge(from, documents) {
      const bucket = buckets.get(bareJid(from))
      if (bucket) bucket.left -= documents
    },
  }
}

function tooMany(sender: string, limit: string, waitMs: number): Rejection {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000))
  const text = `Cannot take more from ${sender} now: the limit is ${limit} a minute, and as many at once`
  return reject('overloaded', text, [], seconds)
}

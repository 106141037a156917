import { bareJid } from '../domain/jid.ts'
import type { OfferedType } from '../domain/offered-type.ts'
import { type Rejection, reject } from '../domain/rejection.ts'
import { goingBy, notAllowed, refuseSender } from './check.ts'
import { isEnvelopeId } from './ids.ts'
import type { Ruling } from './intake.ts'
import { offeredTo } from './offer.ts'
import {
  type Clock,
  type EnvelopeTrace,
  type InboundStanza,
  type Log,
  type Standing,
  type Store,
  StoreUnavailable,
} from './ports.ts'
import type { RateLimit } from './senders.ts'
import { standingOf } from './standing.ts'
import { type Trace, traceDocument } from './trace.ts'

export interface QuestionNeeds {
  readonly store: Pick<Store, 'trace'>
  readonly ruling: () => Ruling
  /** All types that are in force. */
  readonly offered: () => readonly OfferedType[]
  /** Bare JIDs. */
  readonly admins: () => readonly string[]
  /** Its own, so that asking costs nobody a document. */
  readonly rate: Pick<RateLimit, 'take'>
  readonly now: Clock
  readonly log: Log
  /** Questions that may be in hand at once. */
  readonly inHandLimit: number
}

export type TrackAnswer =
  /** `deliveries` is for administrators only. */
  | { readonly kind: 'found'; readonly standing: Standing; readonly deliveries?: EnvelopeTrace['deliveries'] }
  /** Unknown, or somebody else's: nobody learns which. */
  | { readonly kind: 'not-found' }
  | { readonly kind: 'rejected'; readonly rejection: Rejection }

export type TraceAnswer =
  /** `full` is for administrators only: routes and destinations. */
  | { readonly kind: 'traced'; readonly trace: Trace; readonly full: boolean }
  | { readonly kind: 'rejected'; readonly rejection: Rejection }

export type OfferAnswer =
  | { readonly kind: 'offered'; readonly types: readonly OfferedType[] }
  | { readonly kind: 'rejected'; readonly rejection: Rejection }

/** What may be asked over XMPP; senders see counts and reasons, administrators destinations and routes. */
export interface Questions {
  /** What became of a document: one's own, or any for administrators. */
  track(id: string, from: string): Promise<TrackAnswer>
  /** What would become of the document in the stanza, with no effect; `as`: in whose name, for administrators only. */
  trace(stanza: InboundStanza, as: string | undefined): Promise<TraceAnswer>
  /** The types that one may send, with what may be read of them: all of them for administrators. */
  offer(from: string): OfferAnswer
}

export function createQuestions(needs: QuestionNeeds): Questions {
  let inHand = 0
  const isAdmin = (from: string) => needs.admins().includes(bareJid(from))

  function gate(from: string): Rejection | undefined {
    if (inHand < needs.inHandLimit) return isAdmin(from) ? undefined : needs.rate.take(from, needs.now())
    const text = `Cannot answer now: ${inHand} questions are in hand, the limit is ${needs.inHandLimit}`
    return reject('overloaded', text, [], 2)
  }

  async function hold<T>(answering: Promise<T>): Promise<T> {
    inHand++
    try {
      return await answering
    } finally {
      inHand--
    }
  }

  return {
    async track(id, from) {
      const refused = gate(from)
      if (refused) return { kind: 'rejected', rejection: refused }
      try {
        const seen = isEnvelopeId(id) ? await hold(needs.store.trace(id)) : undefined
        const admin = isAdmin(from)
        if (!seen || !(admin || bareJid(seen.origin.from) === bareJid(from))) return { kind: 'not-found' }
        return { kind: 'found', standing: standingOf(seen), ...(admin && { deliveries: seen.deliveries }) }
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error
        needs.log('warn', 'track-unavailable', { reason: error.message })
        return { kind: 'rejected', rejection: unavailable }
      }
    },

    async trace(stanza, as) {
      const ruling = needs.ruling()
      const { from } = stanza
      const full = isAdmin(from)
      const refused = full ? gate(from) : (refuseTrace(from, as, ruling) ?? gate(from))
      if (refused) return { kind: 'rejected', rejection: refused }
      return {
        kind: 'traced',
        trace: await goingBy(ruling, () => hold(traceDocument(stanza, as ?? from, ruling, full))),
        full,
      }
    },

    offer(from) {
      const refused = gate(from)
      if (refused) return { kind: 'rejected', rejection: refused }
      return { kind: 'offered', types: offeredTo(from, needs.offered(), needs.ruling(), needs.admins()) }
    },
  }
}

/** Whoever may not send learns nothing of what would happen. */
function refuseTrace(from: string, as: string | undefined, ruling: Ruling): Rejection | undefined {
  if (as !== undefined) return notAllowed(`${from} may not trace documents in the name of others`)
  return refuseSender(from, ruling)
}

const unavailable = reject('unavailable', 'Cannot look now: the queue is not available', [], 5)

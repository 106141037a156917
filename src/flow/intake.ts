import { type Rejection, reject } from '../domain/rejection.ts'
import type { Matcher } from '../matching/matcher.ts'
import { type AcceptNeeds, accept, type Matched } from './accept.ts'
import { type CheckRules, checkDocument, notAllowed, refuseSender } from './check.ts'
import { isEnvelopeId } from './ids.ts'
import type { InboundStanza, Metrics, Submission } from './ports.ts'
import type { Reply } from './reply.ts'
import type { RateLimit } from './senders.ts'

/** What routes and types are in force. A reload replaces it whole; a stanza keeps the one it began with. */
export interface Ruling extends CheckRules {
  readonly matcher: Matcher
}

export interface IntakeNeeds extends AcceptNeeds {
  readonly ruling: () => Ruling
  readonly rate: RateLimit
  readonly metrics: Metrics
  /** Stanzas that may be in hand at once; more is `overloaded`. Bounds memory while Redis is slow. */
  readonly inHandLimit: number
}

type Checked = Matched | Rejection

/**
 * The way of a stanza from its arrival to its answer: check each document, reject the stanza or match them, accept them
 * durably, answer. Never throws for what a peer sent.
 */
export function createIntake(needs: IntakeNeeds): (stanza: InboundStanza) => Promise<Reply> {
  let inHand = 0
  return async (stanza) => {
    const ruling = needs.ruling()
    const refused = gate(stanza, ruling, needs, inHand)
    if (refused) return answer(refused, '', needs)
    inHand++
    try {
      return await take(stanza, ruling, needs)
    } finally {
      inHand--
    }
  }
}

/** What can be said before anything costly: who sends, and how much. */
function gate(
  stanza: InboundStanza,
  ruling: Ruling,
  needs: IntakeNeeds,
  inHand: number,
): Rejection | 'ignored' | undefined {
  if (ruling.documents.carriesNothing(stanza)) return 'ignored'
  const refused = refuseSender(stanza.from, ruling)
  if (refused) return refused
  if (inHand >= needs.inHandLimit) {
    return reject(
      'overloaded',
      `Cannot take more now: ${inHand} stanzas are in hand, the limit is ${needs.inHandLimit}`,
      [],
      2,
    )
  }
  return needs.rate.take(stanza.from, needs.now())
}

async function take(stanza: InboundStanza, ruling: Ruling, needs: IntakeNeeds): Promise<Reply> {
  const startedMs = performance.now()
  const extraction = ruling.documents.extract(stanza)
  if (extraction.kind === 'ignored') return answer('ignored', '', needs)
  if (extraction.kind === 'rejected') return answer(extraction.rejection, extraction.item ?? '', needs)
  needs.rate.charge(stanza.from, extraction.submissions.length - 1)
  const matched: Matched[] = []
  for (const submission of extraction.submissions) {
    const checked = (await loops(submission, needs)) ?? check(submission, ruling, needs)
    if (isRejection(checked)) return answer(checked, submission.origin.item, needs)
    matched.push(checked)
  }
  const result = await accept(matched, needs)
  if (result.kind === 'rejected') return answer(result.rejection, result.item, needs)
  count(result.accepted, stanza, startedMs, needs.metrics)
  return result
}

function check(submission: Submission, ruling: Ruling, needs: IntakeNeeds): Checked {
  const { document, origin } = submission
  const checked = checkDocument(document, origin, ruling)
  if (checked.kind === 'rejected') return checked.rejection
  const { type, subject } = checked
  const decision = ruling.matcher.match(subject)
  if (decision.refused.length > 0)
    needs.log('warn', 'address-refused', { from: origin.from, refused: decision.refused })
  return { submission, type, fields: subject.fields, decision, receivedAtMs: needs.now() }
}

/** An item that we published ourselves has come back. Ids of ours are looked up only where one could be. */
async function loops({ origin }: Submission, { store, log }: IntakeNeeds): Promise<Rejection | undefined> {
  if (!isEnvelopeId(origin.item)) return undefined
  const seen = await store.trace(origin.item).catch((error: Error) => {
    log('warn', 'loop-check-unavailable', { reason: error.message })
    return undefined
  })
  return seen && notAllowed(`Item ${origin.item} was made here: taking it in again would loop`)
}

function isRejection(checked: Checked): checked is Rejection {
  return 'kind' in checked
}

function answer(outcome: Rejection | 'ignored', item: string, { metrics }: IntakeNeeds): Reply {
  if (outcome === 'ignored') {
    metrics.ignored()
    return { kind: 'ignored' }
  }
  metrics.rejected(outcome.kind)
  return item === '' ? { kind: 'rejected', rejection: outcome } : { kind: 'rejected', rejection: outcome, item }
}

function count(
  accepted: readonly { readonly type: string; readonly duplicate: boolean }[],
  stanza: InboundStanza,
  startedMs: number,
  metrics: Metrics,
): void {
  const seconds = (performance.now() - startedMs) / 1000
  for (const { type, duplicate } of accepted) {
    if (duplicate) metrics.duplicate(type)
    else metrics.accepted(type, stanza.kind, seconds)
  }
}

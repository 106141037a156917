import type { Document } from '../domain/document.ts'
import type { Node } from '../domain/element.ts'
import { holdingOf } from '../domain/held.ts'
import { bareJid } from '../domain/jid.ts'
import { type Rejection, reject } from '../domain/rejection.ts'
import type { Decision, Matcher } from '../matching/matcher.ts'
import { type AcceptNeeds, accept, type Matched } from './accept.ts'
import {
  type CheckRules,
  checkDocumentApart,
  type DocumentCheck,
  goingBy,
  notAllowed,
  refuseRoots,
  refuseSender,
} from './check.ts'
import { isEnvelopeId } from './ids.ts'
import type { InboundStanza, Metrics, Submission } from './ports.ts'
import type { Accepted, Reply } from './reply.ts'
import type { RateLimit } from './senders.ts'
import { createSenderTurns, type SenderTurns, type Turn } from './turns.ts'

/** What routes and types are in force. A reload replaces it whole; a stanza keeps the one it began with. */
export interface Ruling extends CheckRules {
  readonly matcher: Matcher
  /** A route asks for an order: then what a sender sends is accepted in the order in which it came, however long each takes to be checked. */
  readonly keepsOrder?: boolean
}

export interface IntakeNeeds extends AcceptNeeds {
  readonly ruling: () => Ruling
  readonly rate: RateLimit
  readonly metrics: Metrics
  /** Stanzas, and bytes of their documents, that may be in hand at once; more is `overloaded`. Bounds memory while Redis is slow. */
  readonly inHandLimit: number
  readonly inHandBytes: number
}

export type Checked = Matched | Rejection

/**
 * The way of a stanza from its arrival to its answer: check each document, reject the stanza or match them, accept them
 * durably, answer. Never throws for what a peer sent.
 */
export function createIntake(needs: IntakeNeeds): (stanza: InboundStanza) => Promise<Reply> {
  const inHand: InHand = { stanzas: 0, bytes: 0, turns: createSenderTurns() }
  return async (stanza) => {
    const ruling = needs.ruling()
    const refused = gate(stanza, ruling, needs, inHand.stanzas)
    if (refused) return answer(refused, '', needs)
    const startedMs = performance.now()
    const extraction = ruling.documents.extract(stanza)
    if (extraction.kind === 'ignored') return answer('ignored', '', needs)
    if (extraction.kind === 'rejected') return answer(extraction.rejection, extraction.item ?? '', needs)
    const { submissions } = extraction
    needs.rate.charge(stanza.from, submissions.length - 1)
    const bytes = bytesOf(submissions)
    // Something is always taken, however large.
    if (inHand.bytes > 0 && inHand.bytes + bytes > needs.inHandBytes)
      return answer(tooMuch(inHand.bytes, needs), '', needs)
    inHand.stanzas++
    inHand.bytes += bytes
    try {
      const turn = ruling.keepsOrder ? inHand.turns.join(stanza.from) : undefined
      const result = await goingBy(ruling, () => decide(submissions, ruling, needs, turn))
      if (result.kind === 'accepted') count(result.accepted, stanza, startedMs, needs.metrics)
      return result
    } finally {
      inHand.stanzas--
      inHand.bytes -= bytes
    }
  }
}

/** What has come in and isn't answered. */
interface InHand {
  stanzas: number
  bytes: number
  readonly turns: SenderTurns
}

/** What can be said before anything costly: who sends, and how much. */
function gate(
  stanza: InboundStanza,
  ruling: Ruling,
  needs: IntakeNeeds,
  inHand: number,
): Rejection | 'ignored' | undefined {
  if (ruling.documents.carriesNothing(stanza)) return 'ignored'
  const refused = refuseSender(stanza.from, ruling) ?? refuseRoots(stanza, ruling)
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

function bytesOf(submissions: readonly Submission[]): number {
  let bytes = 0
  for (const { document } of submissions) bytes += document.bytes
  return bytes
}

function tooMuch(bytes: number, { inHandBytes }: IntakeNeeds): Rejection {
  const text = `Cannot take more now: ${bytes} bytes of documents are in hand, the limit is ${inHandBytes}`
  return reject('overloaded', text, [], 2)
}

async function decide(
  submissions: readonly Submission[],
  ruling: Ruling,
  needs: IntakeNeeds,
  turn: Turn | undefined,
): Promise<Reply> {
  try {
    const matched: Matched[] = []
    for (const submission of submissions) {
      const looping = loops(submission, needs)
      const checking = (looping && (await looping)) ?? check(submission, ruling, needs)
      // What is light is not kept waiting for anything.
      const checked = checking instanceof Promise ? await checking : checking
      if (isRejection(checked)) return answer(checked, submission.origin.item, needs)
      matched.push(checked)
    }
    for (const { submission } of matched) forget(submission.document)
    if (turn?.before) await turn.before
    const accepting = accept(matched, needs)
    turn?.pass()
    const result = await accepting
    return result.kind === 'rejected' ? answer(result.rejection, result.item, needs) : result
  } finally {
    turn?.pass()
  }
}

/**
 * What has been matched is written from its payload: its tree is emptied, since what waits for Redis is much, and whatever it keeps
 * alive is copied by each collection of garbage.
 */
function forget(document: Document): void {
  if (document.content.kind !== 'xml') return
  // Of the tree, and taken when it is first asked for.
  void document.digest
  const children = document.content.root.children as Node[]
  children.length = 0
}

/** Of what is held: the decision is taken when it is released. */
const UNDECIDED: Decision = { deliveries: [], impossible: [], refused: [], routes: [] }

/** Identifies, validates and matches one document; or says why it is refused. A promise where it is heavy. */
export function check(
  submission: Submission,
  ruling: Ruling,
  needs: Pick<IntakeNeeds, 'now'>,
): Checked | Promise<Checked> {
  const { document, origin, submit } = submission
  const receivedAtMs = needs.now()
  const checked = checkDocumentApart(document, origin, submit, ruling)
  if (checked instanceof Promise) return checked.then((known) => match(submission, known, receivedAtMs, ruling))
  return match(submission, checked, receivedAtMs, ruling)
}

function match(submission: Submission, checked: DocumentCheck, receivedAtMs: number, ruling: Ruling): Checked {
  if (checked.kind === 'rejected') return checked.rejection
  const { type, subject, findings } = checked
  if (checked.kind === 'held') {
    const holding = holdingOf(findings)
    return { submission, type, fields: subject.fields, decision: UNDECIDED, holding, receivedAtMs }
  }
  const decision = ruling.matcher.match(subject)
  const marked = subject.valid === false ? { marked: holdingOf(findings) } : {}
  return { submission, type, fields: subject.fields, decision, ...marked, receivedAtMs }
}

/** An item that we published ourselves has come back. Ids of ours are looked up only where one could be: undefined where none could. */
export function loops(
  { origin }: Submission,
  { store, log }: Pick<IntakeNeeds, 'store' | 'log'>,
): Promise<Rejection | undefined> | undefined {
  if (!isEnvelopeId(origin.item)) return undefined
  return store.trace(origin.item).then(
    (seen) => seen && notAllowed(`Item ${origin.item} was made here: taking it in again would loop`),
    (error: Error) => {
      log('warn', 'loop-check-unavailable', { reason: error.message })
      return undefined
    },
  )
}

export function isRejection(checked: Checked): checked is Rejection {
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

function count(accepted: readonly Accepted[], stanza: InboundStanza, startedMs: number, metrics: Metrics): void {
  const seconds = (performance.now() - startedMs) / 1000
  for (const { type, version, deprecated, duplicate } of accepted) {
    if (duplicate) metrics.duplicate(type)
    else metrics.accepted(type, stanza.kind, seconds)
    if (deprecated !== undefined && !duplicate) metrics.deprecated(type, version ?? '', bareJid(stanza.from))
  }
}

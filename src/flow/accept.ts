import { deliveryId } from '../domain/delivery.ts'
import type { DocumentType } from '../domain/document-type.ts'
import { type Envelope, OPAQUE_TYPE } from '../domain/envelope.ts'
import { type Fields, isInexact } from '../domain/fields.ts'
import { causeOf, type Holding } from '../domain/held.ts'
import { bareJid } from '../domain/jid.ts'
import { type Rejection, reject } from '../domain/rejection.ts'
import type { Decision } from '../matching/matcher.ts'
import type { Alarm } from './alarms.ts'
import type { Reserve } from './deliver.ts'
import { expand } from './expand.ts'
import { firstAttempts, hasBegun } from './first-attempts.ts'
import { envelopeIdAt } from './ids.ts'
import {
  type AcceptAnswer,
  type Acceptance,
  type Clock,
  DELIVERIES_AT_ONCE,
  DELIVERIES_MOST,
  type Log,
  type Metrics,
  type OverloadScope,
  type Store,
  StoreUnavailable,
  type Submission,
  type Wakes,
} from './ports.ts'
import type { Accepted } from './reply.ts'

export interface AcceptNeeds {
  readonly store: Store
  readonly wakes: Wakes
  readonly reserve: Reserve
  readonly now: Clock
  readonly log: Log
  /** `dedupe.window`. */
  readonly dedupeWindowMs: number
  readonly metrics: Pick<Metrics, 'claimReplaced' | 'held'>
  readonly alarm: Alarm
}

/** A document that was checked and matched, and only has to be written down. */
export interface Matched {
  readonly submission: Submission
  /** Undefined: opaque content that no type claims. */
  readonly type: DocumentType | undefined
  readonly fields: Fields
  readonly decision: Decision
  /** Where it is to be held. */
  readonly holding?: Holding
  /** Where it is invalid and goes on. */
  readonly marked?: Holding
  readonly receivedAtMs: number
  /** Set for items of subscribed nodes: what was taken from there decides instead of the claim, which is forgotten after its window. */
  readonly taken?: NonNullable<Acceptance['taken']>
}

export type AcceptResult =
  | { readonly kind: 'accepted'; readonly accepted: readonly Accepted[] }
  | { readonly kind: 'rejected'; readonly rejection: Rejection; readonly item: string }

/**
 * Writes the documents of one stanza in one atomic step, all or none, and wakes the workers. On return of `accepted` they
 * are durable at the configured level.
 */
export async function accept(matched: readonly Matched[], needs: AcceptNeeds): Promise<AcceptResult> {
  const acceptances = matched.map((one, at) => acceptanceOf(one, at, needs.dedupeWindowMs))
  const planned = acceptances.reduce((sum, { deliveries }) => sum + deliveries.length, 0)
  if (planned > DELIVERIES_MOST) return refuse(tooMany(planned), matched[0]!)
  const answers = await write(acceptances, needs)
  if (!answers) return refuse(unavailable(), matched[0]!)
  const refused = answers.findIndex((answer) => answer.kind === 'overloaded' || answer.kind === 'key-conflict')
  if (refused >= 0)
    return refuse(neverFitting(acceptances, answers) ?? rejectionOf(answers[refused]!), matched[refused]!)
  wakeAll(acceptances, answers, needs)
  if (planned > DELIVERIES_AT_ONCE) expandBehind(needs)
  countReplaced(acceptances, answers, needs)
  tellHeld(acceptances, answers, needs)
  tellRefused(matched, answers, needs)
  return { kind: 'accepted', accepted: acceptances.map((one, at) => acceptedOf(one, answers[at]!, matched[at]!)) }
}

function acceptanceOf(matched: Matched, at: number, windowMs: number): Acceptance {
  const { submission, type, fields, decision, holding, marked, receivedAtMs, taken } = matched
  const { document, origin, submit } = submission
  const envelope: Envelope = {
    id: envelopeIdAt(receivedAtMs),
    document,
    origin,
    type: type?.name ?? OPAQUE_TYPE,
    ...(type && type.version !== '' && { version: type.version }),
    fields,
    ...(marked && { marked }),
    receivedAtMs,
    submit,
  }
  const claim = taken ? undefined : claimName(submission, at)
  const key = keyOf(submission, type, fields)
  return {
    envelope,
    deliveries: [...decision.deliveries, ...decision.impossible],
    ...(holding && { holding }),
    ...(claim === undefined ? {} : { claim: { name: claim, windowMs } }),
    ...(key === undefined ? {} : { key: { name: `${envelope.type} ${bareJid(origin.from)} ${key}`, windowMs } }),
    ...(taken && { taken }),
  }
}

/**
 * What makes two documents the same one sent twice (docs/protocol.md 1.4), or undefined where the sender gave nothing to tell by.
 * Items without ids are told by their stanza and their place in it: under one name each would take the claim of the one before.
 */
function claimName({ origin }: Submission, at: number): string | undefined {
  if (origin.item !== '') return `item ${bareJid(origin.from)} ${origin.to} ${origin.node} ${origin.item}`
  return origin.stanzaId === '' ? undefined : `stanza ${bareJid(origin.from)} ${at} ${origin.stanzaId}`
}

/** Of one sender: what others number alike is none of its business. */
function keyOf({ submit }: Submission, type: DocumentType | undefined, fields: Fields): string | undefined {
  if (submit.key !== undefined) return submit.key
  const value = type?.key === undefined ? undefined : fields[type.key]?.[0]
  // Null names nothing, and what has lost its last digits would name another document too.
  return value === undefined || value === null || isInexact(value) ? undefined : String(value)
}

async function write(
  acceptances: readonly Acceptance[],
  { store, reserve, log }: AcceptNeeds,
): Promise<readonly AcceptAnswer[] | undefined> {
  const first = firstAttempts(acceptances, reserve)
  let answers: readonly AcceptAnswer[] | undefined
  try {
    answers = await store.accept(first.acceptances)
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error
    log('warn', 'accept-unavailable', { reason: error.message })
  } finally {
    first.settle(answers)
  }
  return answers
}

function rejectionOf(answer: AcceptAnswer): Rejection {
  switch (answer.kind) {
    case 'overloaded':
      return overloaded(answer.scope, answer.waiting, answer.limit)
    case 'key-conflict':
      return reject(
        'key-conflict',
        `Cannot take the document: another one with the same key ${answer.held ? 'is held as invalid' : 'was accepted'} as ${answer.id}`,
      )
    case 'accepted':
    case 'duplicate':
      throw new Error(`Cannot reject what was answered with ${answer.kind}`)
  }
}

const WHOSE: Readonly<Record<OverloadScope, string>> = {
  all: 'documents wait',
  sender: 'of your documents wait',
  bytes: 'bytes of documents wait',
  held: 'invalid documents are held',
  'held of sender': 'of your documents are held as invalid',
  'held bytes': 'bytes of invalid documents are held',
}

function overloaded(scope: OverloadScope, waiting: number, limit: number): Rejection {
  const text = `Cannot take more now: ${waiting} ${WHOSE[scope]} already, the limit is ${limit}`
  return reject('overloaded', text, [], 10)
}

const WHAT_MAY: Readonly<Record<OverloadScope, string>> = {
  all: 'documents that may wait',
  sender: 'documents of one sender that may wait',
  bytes: 'bytes of documents that may wait',
  held: 'invalid documents that may be held',
  'held of sender': 'invalid documents of one sender that may be held',
  'held bytes': 'bytes of invalid documents that may be held',
}

/** Where the documents of one stanza would be too many though nothing else waited, nor was held: it could be sent again for ever. */
function neverFitting(acceptances: readonly Acceptance[], answers: readonly AcceptAnswer[]): Rejection | undefined {
  const full = answers.find((answer) => answer.kind === 'overloaded')
  if (!full) return undefined
  const { scope, limit } = full
  let sum = 0
  for (const [at, acceptance] of acceptances.entries()) {
    const { kind } = answers[at]!
    const isNew = kind === 'accepted' || kind === 'overloaded'
    if (!isNew || (acceptance.holding !== undefined) !== scope.startsWith('held')) continue
    if (sum >= limit) {
      const text = `Cannot take ${acceptances.length} documents in one stanza: by themselves they are more than the ${limit} ${WHAT_MAY[scope]}. Send fewer items`
      return reject('too-large', text)
    }
    sum += weightOf(acceptance, scope)
  }
  return undefined
}

/** What is dead from the beginning doesn't wait. */
function weightOf({ envelope, deliveries, holding }: Acceptance, scope: OverloadScope): number {
  if (!holding && deliveries.every(({ impossible }) => impossible)) return 0
  return scope.endsWith('bytes') ? envelope.document.bytes : 1
}

function tooMany(planned: number): Rejection {
  const text = `Cannot take the stanza: it would make ${planned} deliveries, the limit is ${DELIVERIES_MOST}. Send fewer items`
  return reject('too-large', text)
}

/** It may be kept all the same, where only its copies were not told in time: under its id it is a duplicate then. */
function unavailable(): Rejection {
  const text = 'Cannot store the document now: the queue is not available. Send it again, with the same id'
  return reject('unavailable', text, [], 5)
}

function refuse(rejection: Rejection, of: Matched): AcceptResult {
  return { kind: 'rejected', rejection, item: of.submission.origin.item }
}

function wakeAll(
  acceptances: readonly Acceptance[],
  answers: readonly AcceptAnswer[],
  { wakes, log }: AcceptNeeds,
): void {
  let room = DELIVERIES_AT_ONCE
  const ids = acceptances.flatMap((acceptance, at) => {
    const waiting = waitingOf(acceptance, answers[at]!, room)
    room = Math.max(0, room - acceptance.deliveries.length)
    return waiting
  })
  if (ids.length === 0) return
  // A wake that is lost costs time only: the sweeper finds what is due.
  wakes.wake(ids, 0).catch((error: Error) => log('warn', 'wake-lost', { ids: ids.length, reason: error.message }))
}

/** The sender isn't kept waiting for it, and what is left undone is found later. */
function expandBehind(needs: AcceptNeeds): void {
  expand(needs).catch((error: Error) => needs.log('warn', 'expansion-interrupted', { reason: error.message }))
}

/** What has to be begun yet, of the first `most`: those behind it are woken for when they are written. */
function waitingOf({ envelope, deliveries }: Acceptance, answer: AcceptAnswer, most: number): readonly string[] {
  if (answer.kind !== 'accepted') return []
  return deliveries
    .slice(0, most)
    .flatMap(({ impossible }, index) => (impossible || hasBegun(answer, index) ? [] : [deliveryId(envelope.id, index)]))
}

/** A device that counts its stanzas anew after a restart is not swallowed, but worth knowing of. */
function countReplaced(
  acceptances: readonly Acceptance[],
  answers: readonly AcceptAnswer[],
  { metrics, log }: AcceptNeeds,
): void {
  for (const [at, { envelope }] of acceptances.entries()) {
    const answer = answers[at]!
    if (answer.kind !== 'accepted' || !answer.replaced) continue
    metrics.claimReplaced(envelope.type)
    log('debug', 'claim-replaced', { id: envelope.id, from: envelope.origin.from })
  }
}

/** Somebody has to look at what is held: nothing becomes of it by itself. */
function tellHeld(
  acceptances: readonly Acceptance[],
  answers: readonly AcceptAnswer[],
  { metrics, log, alarm }: AcceptNeeds,
): void {
  for (const [at, { envelope, holding }] of acceptances.entries()) {
    if (!holding || answers[at]!.kind !== 'accepted') continue
    const { id, type, origin } = envelope
    const cause = causeOf(holding)
    metrics.held(type)
    log('info', 'held', { id, type, from: origin.from, cause, findings: holding.total })
    alarm(`held ${type} ${cause}`, `${id} of type ${type} from ${origin.from} is held as invalid: ${cause}`)
  }
}

/** Of what is written down alone: a duplicate was told of when it came first. */
function tellRefused(matched: readonly Matched[], answers: readonly AcceptAnswer[], { log }: AcceptNeeds): void {
  for (const [at, { decision, submission }] of matched.entries()) {
    const answer = answers[at]!
    if (decision.refused.length === 0 || answer.kind !== 'accepted') continue
    log('warn', 'address-refused', { id: answer.id, from: submission.origin.from, refused: decision.refused })
  }
}

function acceptedOf({ envelope, holding }: Acceptance, answer: AcceptAnswer, { type }: Matched): Accepted {
  const duplicate = answer.kind === 'duplicate'
  const id = answer.kind === 'overloaded' ? envelope.id : answer.id
  const held = answer.kind === 'duplicate' ? answer.held === true : holding !== undefined
  const { version } = envelope
  return {
    id,
    type: envelope.type,
    ...(version === undefined ? {} : { version }),
    ...(type?.deprecated === undefined ? {} : { deprecated: type.deprecated }),
    duplicate,
    held,
    item: envelope.origin.item,
  }
}

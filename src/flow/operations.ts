import {
  type DeliveryState,
  type Destination,
  destinationName,
  type PlannedDelivery,
  parseDeliveryId,
} from '../domain/delivery.ts'
import type { Document, Form } from '../domain/document.ts'
import { typeKey } from '../domain/document-type.ts'
import { OPAQUE_TYPE } from '../domain/envelope.ts'
import type { Finding, Rejection } from '../domain/rejection.ts'
import { inWords } from './check.ts'
import type { Ruling } from './intake.ts'
import type { Clock, DeliveryTrace, EndedByHand, EnvelopeTrace, Redrive, Replacement, Store } from './ports.ts'

export interface OperationNeeds {
  readonly store: Pick<Store, 'trace' | 'payload' | 'redrive' | 'replan' | 'drop' | 'park'>
  /** What is in force now, asked for only where a document is matched again or another one is checked: loading it may take long. */
  readonly ruling: () => Ruling | Promise<Ruling>
  /** A document again from what is stored of it. */
  readonly rehydrate: (form: Form, mediaType: string, datatype: string, payload: Uint8Array) => Document
  /** Bytes as a document in the place of another one. */
  readonly replacementOf: (
    bytes: Uint8Array,
    original: Pick<Document, 'form' | 'mediaType' | 'contentType' | 'datatype'>,
  ) =>
    | { readonly kind: 'document'; readonly document: Document }
    | { readonly kind: 'rejected'; readonly rejection: Rejection }
  readonly now: Clock
}

/**
 * `to`: where it goes; empty for what was dropped or parked. `impossible`: the templates of which no address can be made, each a
 * dead letter. `expired`: where it would have gone, had its time not run out; it ends so. `asked`: an attempt is under way, and what was asked for comes with its end, unless that is delivered or expired.
 */
export type OperationResult =
  | {
      readonly kind: 'done'
      readonly to: readonly string[]
      readonly impossible?: readonly string[]
      readonly expired?: readonly string[]
    }
  | { readonly kind: 'asked' }
  | { readonly kind: 'refused'; readonly reason: string }

type Refused = Extract<OperationResult, { kind: 'refused' }>

const done = (to: readonly string[] = []): OperationResult => ({ kind: 'done', to })

/** What was planned for a document, by whether it is past its time already. */
function byExpiry(planned: readonly PlannedDelivery[], { receivedAtMs, submit }: EnvelopeTrace, nowMs: number) {
  const namesOf = (some: readonly PlannedDelivery[]) => some.map(({ destination }) => destinationName(destination))
  const isExpired = ({ expiresMs = Infinity }: PlannedDelivery) =>
    receivedAtMs + Math.min(expiresMs, submit.expiresMs ?? Infinity) <= nowMs
  const possible = planned.filter(({ impossible }) => !impossible)
  return {
    timely: namesOf(possible.filter((one) => !isExpired(one))),
    expired: namesOf(possible.filter(isExpired)),
    impossible: namesOf(planned.filter(({ impossible }) => impossible)),
  }
}

export function donePlanned(planned: readonly PlannedDelivery[], seen: EnvelopeTrace, nowMs: number): OperationResult {
  const { timely, expired, impossible } = byExpiry(planned, seen, nowMs)
  return {
    kind: 'done',
    to: timely,
    ...(impossible.length > 0 && { impossible }),
    ...(expired.length > 0 && { expired }),
  }
}

const refused = (reason: string): Refused => ({ kind: 'refused', reason })

export interface RedriveOrder {
  readonly by: string
  /** Says what would be done, and does nothing. */
  readonly dryRun?: boolean
  /** Another destination, for a delivery. */
  readonly to?: Destination
  /** Another document, checked against the type like the one that was accepted. */
  readonly document?: Uint8Array
  /** By the routes of now, rather than to where it went before. A document without route always is. */
  readonly matchAgain?: boolean
  /** Where order is kept: before what was accepted later, and holding that back; otherwise behind all that was accepted by now. */
  readonly keepPlace?: boolean
}

/** To drop or to park. */
export interface EndOrder {
  readonly by: string
  readonly reason: string
  /** Says what would be done, and does nothing. */
  readonly dryRun?: boolean
}

export interface Operations {
  /** Takes a delivery id, or an envelope id for all that is dead of it. Done twice it delivers once. */
  redrive(id: string, order: RedriveOrder): Promise<OperationResult>
  /** Ends what is dead or waits; the reason and who dropped it are kept. */
  drop(id: string, order: EndOrder): Promise<OperationResult>
  /** Makes a dead letter of what waits, so that those behind it go on; the reason and who parked it are kept. */
  park(id: string, order: EndOrder): Promise<OperationResult>
}

/** A dead letter that was looked at. */
interface Dead {
  readonly id: string
  readonly seen: EnvelopeTrace
  /** Its dead deliveries; none where no route matched. */
  readonly deliveries: readonly DeliveryTrace[]
}

const GONE = refused('is not a dead letter any more')
/** Sent again it would end at once, and be no dead letter any more. */
const EXPIRED = refused('has expired: no try is made after that. It stays dead until it is dropped')

/** What an operator does by hand: one vocabulary for the command line and every other way in. */
export function createOperations({ store, ruling, rehydrate, replacementOf, now }: OperationNeeds): Operations {
  async function redrive(id: string, order: RedriveOrder): Promise<OperationResult> {
    const dead = await lookAt(id)
    if (dead.kind === 'refused') return dead
    const replacement = order.document && check(order.document, dead.seen, await ruling(), replacementOf)
    if (replacement?.kind === 'refused') return replacement
    const { by, keepPlace } = order
    const how: Redrive = { by, ...(replacement && { document: replacement }), ...(keepPlace && { keepPlace }) }
    const unrouted = dead.deliveries.length === 0
    if (order.to && (unrouted || order.matchAgain)) return refused('is matched again: a destination can not be given')
    if (unrouted || order.matchAgain) return matchAgain(dead, how, order.dryRun === true)
    return send(dead, order.to ? { ...how, to: order.to } : how, order.dryRun === true)
  }

  async function lookAt(id: string): Promise<(Dead & { readonly kind: 'dead' }) | Refused> {
    const { envelopeId, index } = parseDeliveryId(id)
    const seen = await store.trace(envelopeId)
    if (!seen) return refused('is not known')
    const named = seen.deliveries.filter((delivery) => index === undefined || delivery.id === id)
    const deliveries = named.filter(({ state }) => state === 'dead')
    if (index !== undefined && named.length === 0) return refused('is not known')
    const state = index === undefined ? seen.state : named[0]!.state
    const unrouted = index === undefined && named.length === 0 && seen.state === 'dead'
    if (!unrouted && deliveries.length === 0) return refused(`is not a dead letter but ${state}`)
    return { kind: 'dead', id, seen, deliveries }
  }

  async function send({ id, seen, deliveries }: Dead, how: Redrive, dryRun: boolean): Promise<OperationResult> {
    const to = how.to && destinationName(how.to)
    const sendable = deliveries.filter(({ reason }) => to !== undefined || reason !== 'address-refused')
    if (sendable.length === 0) return refused('has no address that may be used: give another one, or match it again')
    const timely = sendable.filter(({ expiresAtMs = Infinity }) => expiresAtMs > now())
    if (timely.length === 0) return EXPIRED
    if (to !== undefined) {
      if (timely.length > 1) return refused(`has ${timely.length} dead deliveries: only one can go to ${to}`)
      const other = seen.deliveries.find((one) => one.destination === to && one.id !== timely[0]!.id && !one.isReplaced)
      if (other) return refused(`has a delivery to ${to} already: ${other.id}`)
    }
    if (!dryRun && !(await store.redrive(id, how))) return GONE
    return done(to === undefined ? timely.map(({ destination }) => destination) : [to])
  }

  async function matchAgain(dead: Dead, how: Redrive, dryRun: boolean): Promise<OperationResult> {
    const planned = await plan(dead, how.document)
    if (!Array.isArray(planned)) return planned as Refused
    const { timely, expired } = byExpiry(planned, dead.seen, now())
    if (timely.length === 0 && expired.length > 0) return EXPIRED
    if (!dryRun && !(await store.replan(dead.id, planned, how))) return GONE
    return donePlanned(planned, dead.seen, now())
  }

  /** What the routes of now plan, without what the document has already. */
  async function plan(
    { seen, deliveries }: Dead,
    replacement: Replacement | undefined,
  ): Promise<readonly PlannedDelivery[] | Refused> {
    const document = replacement?.document ?? (await stored(seen))
    if (!document) return refused('has lost its payload to the retention')
    const { matcher } = await ruling()
    const decision = matcher.match({
      type: seen.type,
      typeKey: typeKey({ name: seen.type, version: seen.version ?? '' }),
      origin: seen.origin,
      mediaType: document.mediaType,
      fields: replacement?.fields ?? seen.fields,
      content: document.content,
      ...(seen.marked && !replacement && { valid: false as const }),
    })
    const unrouted = deliveries.length === 0
    if (decision.deliveries.length + decision.impossible.length === 0) return refused('still matches no route')
    if (!unrouted && decision.deliveries.length === 0) return refused('still makes no address that may be used')
    const others = seen.deliveries.filter((one) => !deliveries.includes(one) && !one.isReplaced)
    const kept = new Set(others.map((one) => one.destination))
    const planned = [...decision.deliveries, ...decision.impossible].filter(
      ({ destination }) => !kept.has(destinationName(destination)),
    )
    return planned.length > 0 ? planned : refused('has a delivery to every destination that it matches already')
  }

  async function stored({ id, form, mediaType, datatype }: EnvelopeTrace): Promise<Document | undefined> {
    const payload = await store.payload(id)
    return payload && rehydrate(form, mediaType, datatype, payload)
  }

  async function drop(id: string, { by, reason, dryRun }: EndOrder): Promise<OperationResult> {
    return resultOf(dryRun ? await wouldEnd(id, ['dead', 'waiting']) : await store.drop(id, reason, by))
  }

  async function park(id: string, { by, reason, dryRun }: EndOrder): Promise<OperationResult> {
    return resultOf(dryRun ? await wouldEnd(id, ['waiting']) : await store.park(id, reason, by))
  }

  async function wouldEnd(id: string, from: readonly DeliveryState[]): Promise<EndedByHand> {
    const seen = await store.trace(parseDeliveryId(id).envelopeId)
    if (!seen) return 'refused'
    const named = seen.deliveries.filter((one) => (id === seen.id || id === one.id) && from.includes(one.state))
    if (named.some(({ attempts }) => attempts.at(-1)?.result === 'under way')) return 'asked'
    const isDeadDocument =
      seen.deliveries.length === 0 && id === seen.id && seen.state === 'dead' && from.includes('dead')
    return named.length > 0 || isDeadDocument ? 'ended' : 'refused'
  }

  return { redrive, drop, park }
}

function resultOf(ended: EndedByHand): OperationResult {
  switch (ended) {
    case 'ended':
      return done()
    case 'asked':
      return { kind: 'asked' }
    case 'refused':
      return refused('has ended otherwise, or is not known')
  }
}

const FINDINGS_TOLD = 5

/** Of the same type, and as valid as the accepted one had to be. */
function check(
  bytes: Uint8Array,
  seen: EnvelopeTrace,
  { documents }: Ruling,
  replacementOf: OperationNeeds['replacementOf'],
): (Replacement & { readonly kind: 'replacement' }) | Refused {
  const read = replacementOf(bytes, seen)
  if (read.kind === 'rejected') return refusedFor(read.rejection.text, read.rejection.findings)
  const { document } = read
  const identification = documents.identify(document, seen.version)
  if (identification.kind === 'rejected') return refusedFor(identification.rejection.text, [])
  const type = identification.kind === 'type' ? identification.type : undefined
  const name = type?.name ?? OPAQUE_TYPE
  if (name !== seen.type)
    return refusedFor(`The document is of type ${name}, the dead letter is of type ${seen.type}`, [])
  const { findings, fields } = type ? documents.validate(document, type) : { findings: [], fields: {} }
  const errors = findings.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) return refusedFor(`The document is not a valid ${name}: ${inWords(errors.length)}`, errors)
  return { kind: 'replacement', document, fields }
}

function refusedFor(text: string, findings: readonly Finding[]): Refused {
  const told = findings.slice(0, FINDINGS_TOLD).map(({ path, message }) => `\n  ${path} ${message}`)
  return refused(`stays dead: ${text}${told.join('')}`)
}

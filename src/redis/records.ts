/** How envelopes and deliveries stand in Redis: the values that scripts/transition.lua lists. */
import {
  type AttemptRecord,
  type DeliveryOptions,
  type DeliveryState,
  destinationName,
  type PlannedDelivery,
} from '../domain/delivery.ts'
import type { Form, Origin, SubmitOptions } from '../domain/document.ts'
import type { Envelope } from '../domain/envelope.ts'
import type { Fields } from '../domain/fields.ts'
import type { Holding } from '../domain/held.ts'
import type { Redrive, Replacement } from '../flow/ports.ts'
import { nameDigest } from './keys.ts'

/** Everything of an envelope that never changes, the payload apart. */
export interface Meta {
  readonly type: string
  /** Of the type; undefined where it has none. */
  readonly version?: string
  readonly origin: Origin
  readonly submit: SubmitOptions
  readonly fields: Fields
  /** What is wrong with it, where it is invalid and goes on. */
  readonly marked?: Holding
  readonly again?: Envelope['again']
  readonly receivedAtMs: number
  readonly form: Form
  readonly mediaType: string
  /** See Document.contentType; undefined in what was accepted before there was any. */
  readonly contentType?: string
  readonly rootName: string
  readonly datatype: string
  readonly bytes: number
  readonly digest: string
}

/** What is other in a document that deliveries were redriven with. */
export type ReplacementMeta = Pick<
  Meta,
  'fields' | 'form' | 'mediaType' | 'contentType' | 'rootName' | 'datatype' | 'bytes' | 'digest'
>

export function replacementMetaOf({ document, fields }: Replacement): ReplacementMeta {
  const { form, mediaType, contentType, rootName, datatype, bytes, digest } = document
  const parameters = contentType === undefined ? {} : { contentType }
  return { fields, form, mediaType, ...parameters, rootName, datatype, bytes, digest }
}

/** What the trace shows of a redrive: by whom, and what is other than it was. */
export function redriveRecord(
  { by, to, document, matchedAgain, keepPlace }: Redrive & { matchedAgain?: boolean },
  atMs: number,
): string {
  const changes = [
    `by ${by}`,
    ...(matchedAgain ? ['matched again'] : []),
    ...(document
      ? [`with another document: SHA-256 ${document.document.digest}, ${document.document.bytes} bytes`]
      : []),
    ...(to ? [`to ${destinationName(to)}`] : []),
    ...(keepPlace ? ['at its old place'] : []),
  ]
  return recordLine({ atMs, result: 'redriven', text: changes.join(', ') })
}

/** What the deliveries of an envelope come to. Without deliveries, the document itself is counted as one. */
export interface Sum {
  readonly state: DeliveryState | 'held'
  readonly type: string
  readonly sender: string
  readonly reason?: string
  readonly by?: string
  readonly ended?: number
  /** Of which ends the sender wants to hear. */
  readonly report?: 'delivered' | 'failed' | 'all'
  /** Until when a bounce may reopen one of its deliveries, as far as they have ended. */
  readonly reopenable?: number
  /** The parts of its deliveries that are still to be written: which is next, and with which number each begins. */
  readonly rest?: { readonly next: number; readonly starts: readonly number[] }
  /** How many reports there were to give so far. */
  readonly ends?: number
}

/** What changes of a delivery, and what the scripts have to know of it. */
export interface Facts {
  readonly state: DeliveryState
  readonly to: string
  readonly route: string
  readonly priority: number
  readonly tries: number
  readonly due: number
  readonly lane?: string
  /** Its place in the lane, where that is another one than its document's. */
  readonly place?: number
  readonly expires?: number
  /** When it was redriven; giving up is reckoned from then on. */
  readonly since?: number
  /** How long its confirmation may take. */
  readonly patience: number
  /** The number of the document that it was redriven with. */
  readonly document?: number
  /** The instance that has it under way, and since when. */
  readonly holder?: string
  readonly started?: number
  /** Of the script call that began it. */
  readonly token?: string
  /** The token of the last bounce that reopened it. */
  readonly bounce?: string
  /** It has the stream to itself: 1 until the server has had it, 2 until it ends. */
  readonly alone?: 1 | 2
  /** At how many closes of the stream it was unproven, and at how many ends of a process under way, since it was last answered. */
  readonly closes?: number
  readonly crashes?: number
  /** What an operator asked for meanwhile. */
  readonly asked?: { readonly state: 'dropped' | 'dead'; readonly reason: string; readonly by?: string }
  readonly ended?: number
  /** Its receiver has answered: no bounce reopens it. */
  readonly proven?: true
  readonly reason?: string
  readonly by?: string
  /** Its attempt probes the destination, and burns no try. */
  readonly probe?: true
}

// Written for every document: an object copied for each member that it may have took longer than all else here.
type Changing<T> = { -readonly [Member in keyof T]: T[Member] }

export function metaOf(envelope: Envelope): Meta {
  const { form, mediaType, contentType, rootName, datatype, bytes, digest } = envelope.document
  const { type, version, origin, submit, fields, marked, again, receivedAtMs } = envelope
  const document = { form, mediaType, rootName, datatype, bytes, digest }
  const meta: Changing<Meta> = { type, origin, submit, fields, receivedAtMs, ...document }
  if (contentType !== undefined) meta.contentType = contentType
  if (version !== undefined) meta.version = version
  if (marked) meta.marked = marked
  if (again) meta.again = again
  return meta
}

/** The more urgent, the larger; beyond these bounds there is no difference. */
const PRIORITY_MOST = 100

/**
 * A delivery that waits, due at once; or one that is dead from the beginning, because its address is impossible. Both the
 * route and the sender may set an end to it: the earlier counts.
 */
export function factsOf(
  planned: PlannedDelivery,
  times: { readonly receivedAtMs: number; readonly nowMs: number; readonly submitExpiresMs: number | undefined },
): Facts {
  const { destination, route, priority, lane, impossible, options } = planned
  const to = destinationName(destination)
  const facts: Changing<Facts> = {
    state: impossible ? 'dead' : 'waiting',
    to,
    route,
    priority: Math.max(-PRIORITY_MOST, Math.min(PRIORITY_MOST, Math.round(priority))),
    tries: 0,
    due: times.nowMs,
    patience: options.confirmTimeoutMs,
  }
  if (impossible) {
    facts.reason = impossible.reason
    facts.ended = times.nowMs
  } else if (lane !== undefined) {
    facts.lane = nameDigest(lane, to)
  }
  const expiresMs = Math.min(planned.expiresMs ?? Infinity, times.submitExpiresMs ?? Infinity)
  if (expiresMs !== Infinity) facts.expires = times.receivedAtMs + expiresMs
  return facts
}

/** The one record of a delivery that is dead from the beginning; '' for all others. */
export function firstRecord({ impossible }: PlannedDelivery, nowMs: number): string {
  return impossible ? recordLine({ atMs: nowMs, result: impossible.reason, text: impossible.text }) : ''
}

/** How many characters of a text are kept. */
export const TEXT_MOST = 500

/** One line of JSON; the text of a peer's error is cut, since many records are kept. */
export function recordLine(record: AttemptRecord): string {
  return JSON.stringify(record.text === undefined ? record : { ...record, text: record.text.slice(0, TEXT_MOST) })
}

export function parseRecords(lines: string): AttemptRecord[] {
  return lines === '' ? [] : lines.split('\n').map((line) => JSON.parse(line) as AttemptRecord)
}

const optionsTexts = new WeakMap<DeliveryOptions, string>()

/** Options as they are stored. A route gives the same ones to most of its deliveries. */
export function optionsText(options: DeliveryOptions): string {
  const known = optionsTexts.get(options)
  if (known !== undefined) return known
  const text = JSON.stringify(options)
  optionsTexts.set(options, text)
  return text
}

export function parseOptions(text: string): DeliveryOptions {
  return JSON.parse(text) as DeliveryOptions
}

import type { Answer } from './retry.ts'

export type Destination =
  | { readonly kind: 'node'; readonly service: string; readonly node: string }
  | { readonly kind: 'jid'; readonly jid: string }

/** `xmpp:SERVICE?;node=NODE`, or the normalised JID: the name by which a destination is known everywhere. */
export function destinationName(destination: Destination): string {
  return destination.kind === 'node' ? `xmpp:${destination.service}?;node=${destination.node}` : destination.jid
}

/** The inverse of {@link destinationName}. */
export function parseDestination(name: string): Destination {
  const match = /^xmpp:([^?]*)\?;node=(.*)$/s.exec(name)
  return match ? { kind: 'node', service: match[1]!, node: match[2]! } : { kind: 'jid', jid: name }
}

/** How a delivery is proven: by the server's word that it has it (`none`), or by the receiver's. */
export type Confirm = 'none' | 'receipt' | 'iq'

/** What the owning route says about a destination; stored with the delivery, so that a reload changes nothing under way. */
export interface DeliveryOptions {
  /** Name of the retry policy. */
  readonly retry: string
  readonly confirm: Confirm
  /** How long an iq result or a receipt may take. */
  readonly confirmTimeoutMs: number
  /** Undefined: as it came in. */
  readonly as?: 'element' | 'sealed'
  /** Text for people, already filled in. */
  readonly body?: string
  /** Node configuration with which a missing node is created, `pubsub#` left out; undefined: never created. */
  readonly create?: Readonly<Record<string, string | number | boolean>>
}

/** What matching decides for one destination. */
export interface PlannedDelivery {
  readonly destination: Destination
  /** Name of the owning route. */
  readonly route: string
  readonly options: DeliveryOptions
  /** Order key: deliveries of one lane to one destination go one after the other, in the order of acceptance. */
  readonly lane?: string
  /** The route's `expires`. */
  readonly expiresMs?: number
  /** Larger is more urgent. */
  readonly priority: number
  /** The address could not be made, or is not allowed: written as a dead letter in the same step, so that it is not lost. */
  readonly impossible?: { readonly reason: DeadReason; readonly text: string }
}

export type DeliveryState = 'waiting' | 'delivered' | 'dead' | 'expired' | 'dropped'

/** Envelope id + `.` + index. */
export function deliveryId(envelopeId: string, index: number): string {
  return `${envelopeId}.${index}`
}

/** `ENVELOPE-ID.INDEX` or `ENVELOPE-ID`, taken apart. What is neither is left whole, so that it names nothing. */
export function parseDeliveryId(id: string): { readonly envelopeId: string; readonly index: number | undefined } {
  const match = /^([^.]+)\.(0|[1-9]\d{0,8})$/.exec(id)
  return match ? { envelopeId: match[1]!, index: Number(match[2]) } : { envelopeId: id, index: undefined }
}

/** How one attempt ended. */
export type AttemptOutcome =
  /** `result`: an iq result; `receipt`: XEP-0184; `handed-over`: the ping behind it was answered (docs/operations.md, guarantee 5). */
  | { readonly kind: 'delivered'; readonly proof: 'result' | 'receipt' | 'handed-over' }
  /** The peer answered with an error, or with nothing in time (`timeout`, `no-receipt`). */
  | { readonly kind: 'refused'; readonly answer: Answer }
  /**
   * The connection was lost: burns no attempt (docs/operations.md, guarantee 6). `closed`: the server closed the stream before it was
   * known to have had this, and nothing else explains it.
   */
  | { readonly kind: 'void'; readonly reason: string; readonly closed?: true }
  /** We can't write it: it would break the stream, or loops. Never tried again by itself. */
  | { readonly kind: 'unsendable'; readonly reason: DeadReason; readonly text: string }
  /** Its time was over before it was its turn to be written. */
  | { readonly kind: 'expired' }

/** Why a delivery or a document was given up. */
export const deadReasons = [
  'no-route',
  'address-refused',
  'refused',
  'tries-exhausted',
  'too-late',
  'too-large',
  'loop',
  'breaks-stream',
  'breaks-step',
  'parked',
  'bounced',
  'unfit-form',
] as const

export type DeadReason = (typeof deadReasons)[number]

/** What is kept of every attempt. */
export interface AttemptRecord {
  readonly atMs: number
  readonly tookMs?: number
  /** `delivered`, `void`, `under way`, or the condition of the answer. */
  readonly result: string
  readonly text?: string
}

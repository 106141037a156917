/**
 * What the flow needs of the world, in the flow's words. `main` passes the real ones; tests may pass fakes of these, and of
 * nothing else.
 */
import type { OpenBreaker } from '../domain/breaker.ts'
import type {
  AttemptOutcome,
  AttemptRecord,
  DeadReason,
  DeliveryOptions,
  DeliveryState,
  Destination,
  PlannedDelivery,
} from '../domain/delivery.ts'
import type { Content, Document, Form, Origin, SubmitOptions } from '../domain/document.ts'
import type { DocumentType, OnInvalid, SchemaLayer } from '../domain/document-type.ts'
import type { Element } from '../domain/element.ts'
import type { Envelope } from '../domain/envelope.ts'
import type { Fields } from '../domain/fields.ts'
import type { Cause } from '../domain/fingerprint.ts'
import type { Holding } from '../domain/held.ts'
import type { RegistryAnswer, RegistryChange, RegistryState } from '../domain/registration.ts'
import type { Finding, Rejection } from '../domain/rejection.ts'

// ---------------------------------------------------------------------------------------------------- documents

/** A stanza as it came, from which documents are taken: everything that needs no look into the documents themselves. */
export interface InboundStanza {
  readonly kind: 'iq' | 'message' | 'publish' | 'event'
  /** The whole stanza. */
  readonly element: Element
  readonly from: string
  readonly to: string
  /** '' where it has none. */
  readonly id: string
}

/** One document of a stanza, with all that travels beside it. */
export interface Submission {
  readonly document: Document
  readonly origin: Origin
  readonly submit: SubmitOptions
}

/**
 * `ignored`: a message without body and with known extensions only (docs/protocol.md 1.3): counted, never answered.
 * A stanza of several items gives all submissions or one rejection.
 */
export type Extraction =
  | { readonly kind: 'submissions'; readonly submissions: readonly Submission[] }
  | { readonly kind: 'ignored' }
  | { readonly kind: 'rejected'; readonly rejection: Rejection; readonly item?: string }

export type Identification =
  | { readonly kind: 'type'; readonly type: DocumentType }
  /** Opaque content that no type claims: there is nothing to look into. */
  | { readonly kind: 'opaque' }
  | { readonly kind: 'rejected'; readonly rejection: Rejection }

export interface Validation {
  /** Empty, or warnings only: valid. */
  readonly findings: readonly Finding[]
  /** What the type's fields hold; of an invalid document read only where it isn't rejected. */
  readonly fields: Fields
  /** What becomes of a document that is invalid, as the layer says that found it so; left out: as the type says. */
  readonly onInvalid?: OnInvalid
}

/** `rejected`: it was not checked, and may be sent again later. */
export type CheckedApart =
  | { readonly kind: 'validated'; readonly validation: Validation }
  | { readonly kind: 'rejected'; readonly rejection: Rejection }

/** Where documents are validated that would keep others waiting. Safe to ask in any order; answers come in any order. */
export interface Checkers {
  /**
   * Undefined: it is light, to be validated here and now. Otherwise settles within a bounded time; throws where validating it
   * failed, which is a fault of ours.
   *
   * @param sender whose documents wait in one line: others are served in turn with them
   */
  validate(document: Document, type: DocumentType, sender: string): Promise<CheckedApart> | undefined
}

/** What the layers of a type found in a document. */
export interface CheckedLayers {
  readonly findings: readonly Finding[]
  /** What the layer that found it invalid says of such; undefined where it is valid. */
  readonly failedAs: SchemaLayer['onInvalid'] | undefined
}

/** One document to be validated: enough of it to make it again on another thread, or in another process. */
export interface CheckTask extends Pick<Document, 'form' | 'mediaType' | 'datatype' | 'payload' | 'bytes'> {
  /** Key of its type. */
  readonly type: string
  /** The kind of its content. */
  readonly content: Content['kind']
}

export type CheckAnswer =
  | { readonly kind: 'checked'; readonly checked: CheckedLayers }
  /** It can't be made again from its payload alone: only who has it can check it. */
  | { readonly kind: 'unreadable' }
  /** A fault of ours. */
  | { readonly kind: 'failed'; readonly reason: string }

/** Who was asked doesn't check by this set, has no room after all, is gone, or has not answered in time; nothing is known of the document. */
export interface NotChecked {
  readonly kind: 'lost'
  readonly reason: string
}

/** Other processes that check documents for this one. */
export interface FarCheckers {
  /**
   * Undefined where none has room that checks by this very set. Settles within a bounded time, and never throws.
   *
   * @param set digest of types, limits and schema files
   */
  check(task: CheckTask, set: string): Promise<CheckAnswer | NotChecked> | undefined
  /** Hears when one may have room. */
  onRoom(listener: () => void): void
}

/** The documents room. Nothing here throws for what a peer sent; all of it is bounded in time and memory. */
export interface Documents {
  /** A message without body and with known extensions only: to be ignored, whoever sent it. Looks at names, not into them. */
  carriesNothing(stanza: InboundStanza): boolean
  /** For each document that stands in the stanza as an element with a known root: the types that it may be of. Nothing is parsed for it. */
  typesByRoots(stanza: InboundStanza): readonly (readonly DocumentType[])[]
  extract(stanza: InboundStanza): Extraction
  /** @param version That the sender says it is of; undefined: the document shows it, or it is of the newest. */
  identify(document: Document, version?: string): Identification
  /** Checks against the type's schema and reads its fields. */
  validate(document: Document, type: DocumentType): Validation
}

/** XPath 1.0 over a document, with its answer as a boolean: what matching is given for a route's `xpath`. */
export type XPathTest = (content: Content) => boolean

// -------------------------------------------------------------------------------------------------------- store

/** Redis is away, or refuses writes. Nothing was lost, and nothing was half-accepted. */
export class StoreUnavailable extends Error {
  override name = 'StoreUnavailable'
}

/** Of one stanza. */
export const DELIVERIES_MOST = 20_000

/** Of one stanza: so many deliveries are written in the step that accepts it, the others behind it by {@link Store.expand}. */
export const DELIVERIES_AT_ONCE = 1_000

/** What is written in one atomic step: envelope, deliveries with their places in the order, claims and ledger. */
export interface Acceptance {
  readonly envelope: Envelope
  /** Empty: a dead letter `no-route`, or held. */
  readonly deliveries: readonly PlannedDelivery[]
  /**
   * Deliveries, by index, whose first attempt is recorded in the same step, where nothing is in the way: of their lane they must be
   * the first, and their destination must not be open.
   */
  readonly begin?: readonly number[]
  /** It is kept, and matched when it is released. */
  readonly holding?: Holding
  /** Duplicate detection (docs/protocol.md 1.4); undefined where the stanza has no id. */
  readonly claim?: { readonly name: string; readonly windowMs: number }
  /** The type's key (docs/protocol.md 1.4): same key and another digest is a conflict. */
  readonly key?: { readonly name: string; readonly windowMs: number }
  /** The item of a subscribed node that it was: remembered in the same step. One that is remembered already is a `duplicate`. */
  readonly taken?: { readonly source: string; readonly item: string; readonly keep: number }
}

/** The first attempts that have begun with an acceptance: the indexes of their deliveries, and their {@link StartedAttempt.token}. */
export interface Begun {
  readonly indexes: readonly number[]
  readonly token: string
}

export type AcceptAnswer =
  /** `replaced`: an earlier document of the same sender had the same stanza id and another digest. `begun`: see {@link Acceptance.begin}. */
  | { readonly kind: 'accepted'; readonly id: string; readonly replaced?: boolean; readonly begun?: Begun }
  /** The first one's id. */
  | { readonly kind: 'duplicate'; readonly id: string; readonly held?: true }
  /** The id of the one that has the key, until an operator refuses it where it is held. */
  | { readonly kind: 'key-conflict'; readonly id: string; readonly held?: true }
  /** High-water mark of what waits, or of what is held: documents in all or from this sender, or bytes of all of them. */
  | {
      readonly kind: 'overloaded'
      readonly waiting: number
      readonly limit: number
      readonly scope: OverloadScope
    }

export type OverloadScope = 'all' | 'sender' | 'bytes' | 'held' | 'held of sender' | 'held bytes'

/** A sender who asked for it is to hear that a document has ended. */
export interface OwedReport {
  readonly envelopeId: string
  /** Which of its ends: a document that was reopened ends again. */
  readonly end: number
}

/** A delivery whose attempt is recorded already: now it may be written. */
export interface StartedAttempt {
  readonly id: string
  readonly envelopeId: string
  /** Tells this attempt from the others of its delivery. */
  readonly token?: string
  /** This attempt's number, 1 for the first; void attempts are not counted. */
  readonly tries: number
  readonly destination: Destination
  readonly route: string
  readonly options: DeliveryOptions
  readonly type: string
  readonly from: string
  /** What is wrong with it, where it is invalid and goes on. */
  readonly marked?: Holding
  readonly receivedAtMs: number
  /** From when on a policy's `giveUpAfter` is reckoned: the receipt, or the last redrive. */
  readonly sinceMs: number
  readonly hops: number
  readonly form: Form
  readonly mediaType: string
  /** See {@link Document.contentType}. */
  readonly contentType?: string
  readonly rootName: string
  readonly datatype: string
  /** The document itself; from the store it comes as bytes, in UTF-8 for in-band forms. */
  readonly payload: string | Uint8Array
  readonly expiresAtMs?: number
  /** It probes its destination, which is open: the try isn't counted where it fails. */
  readonly probe?: true
  /**
   * It may be what makes the server close the stream, or a process die (docs/operations.md, guarantee 6): it has the stream to itself
   * until the server has had it, or, where that was not enough to tell, until it ends.
   */
  readonly alone?: 'until-had' | 'until-ended'
}

/** How far a delivery has come: what a retry policy goes by. */
export interface Progress {
  /** Name of the policy. */
  readonly retry: string
  readonly tries: number
  readonly destination: string
  /** See {@link StartedAttempt.sinceMs}. */
  readonly sinceMs: number
  readonly receivedAtMs: number
}

/** How an attempt has ended: the one of its token. Without one it is whichever this process has under way. */
export type AttemptEnd = Ending & { readonly token?: string }

export type Ending =
  /** `proven`: the receiver has answered, and nothing comes back. Otherwise the server has it, and a bounce may reopen it. */
  | { readonly id: string; readonly kind: 'delivered'; readonly record: AttemptRecord; readonly proven?: true }
  /** `uncounted`: it was a probe, and burns no try. */
  | {
      readonly id: string
      readonly kind: 'retry'
      readonly dueAtMs: number
      readonly record: AttemptRecord
      readonly uncounted?: true
    }
  /** The attempt is marked void and not counted. `closed`: the stream was, and this may be why; it is counted apart. */
  | {
      readonly id: string
      readonly kind: 'void'
      readonly dueAtMs: number
      readonly record: AttemptRecord
      readonly closed?: true
    }
  | { readonly id: string; readonly kind: 'dead'; readonly reason: DeadReason; readonly record: AttemptRecord }
  | { readonly id: string; readonly kind: 'expired'; readonly record: AttemptRecord }

/** The ledger (docs/operations.md, guarantee 2). */
export interface Ledger {
  readonly documents: LedgerCounts & { readonly accepted: number; readonly held: number; readonly duplicate: number }
  readonly deliveries: LedgerCounts & { readonly planned: number }
  /** What the payloads of all documents that are kept come to, by their state. */
  readonly bytes: {
    readonly waiting: number
    readonly held: number
    readonly dead: number
    readonly finished: number
  }
  /** By document type. */
  readonly types: Readonly<Record<string, Ledger['documents']>>
  /** By owning route. */
  readonly routes: Readonly<Record<string, Ledger['deliveries']>>
}

export interface LedgerCounts {
  readonly waiting: number
  readonly delivered: number
  readonly dead: number
  readonly expired: number
  readonly dropped: number
}

export interface DeliveryTrace {
  readonly id: string
  readonly destination: string
  readonly route: string
  readonly state: DeliveryState
  /** Void ones and those before a redrive are not counted. */
  readonly tries: number
  readonly dueAtMs?: number
  /** Where it waits or is dead: when no try is made any more. */
  readonly expiresAtMs?: number
  /** It is sent alone: it was there each time when the stream was closed, or the process died. */
  readonly isSuspect?: true
  /** It was matched again: others have taken its place, and its destination is theirs to have. */
  readonly isReplaced?: true
  readonly reason?: string
  /** The document that it was redriven with, where that is another one than was accepted. */
  readonly document?: { readonly digest: string; readonly bytes: number }
  /** The first of its lane, where that is another one: it waits behind it, and behind `ahead - 1` others. */
  readonly behind?: string
  readonly ahead?: number
  /** What an operator has asked for while an attempt was under way: it comes with the attempt's end. */
  readonly asked?: { readonly state: 'dropped' | 'dead'; readonly reason: string }
  /** Where it waits for its destination, which is open. */
  readonly open?: OpenBreaker
  readonly attempts: readonly AttemptRecord[]
}

/** Everything that is known of one envelope. */
export interface EnvelopeTrace {
  readonly id: string
  readonly type: string
  /** Of the type that it was checked with; undefined where it has none. */
  readonly version?: string
  readonly origin: Origin
  readonly submit: SubmitOptions
  readonly fields: Fields
  readonly receivedAtMs: number
  readonly form: Form
  readonly mediaType: string
  /** See {@link Document.contentType}. */
  readonly contentType?: string
  readonly rootName: string
  readonly datatype: string
  readonly bytes: number
  readonly digest: string
  readonly state: DeliveryState | 'held'
  /** What is wrong with it, where it is invalid and goes on. */
  readonly marked?: Holding
  readonly again?: Envelope['again']
  /** Where it is or was held. */
  readonly holding?: Holding
  /** For documents that ended without deliveries: why. */
  readonly reason?: string
  readonly deliveries: readonly DeliveryTrace[]
}

/** What its sender may know of a document: counts and reasons, neither destinations nor routes (docs/operations.md, guarantee 9). */
export interface Standing {
  readonly id: string
  readonly type: string
  readonly receivedAtMs: number
  readonly state: EnvelopeTrace['state']
  readonly deliveries: number
  readonly counts: Readonly<Record<DeliveryState, number>>
  /** Why deliveries ended otherwise than delivered; a document that found no route has one with the count 1. */
  readonly reasons: readonly ReasonCount[]
}

export interface ReasonCount {
  readonly state: DeliveryState
  readonly reason: string
  readonly count: number
}

export interface DeadLetter {
  /** Delivery id, or envelope id where there is no delivery (`no-route`). */
  readonly id: string
  readonly envelopeId: string
  readonly type: string
  readonly from: string
  /** '' where there is none. */
  readonly route: string
  readonly destination: string
  readonly reason: string
  readonly diedAtMs: number
  readonly tries: number
  /** What the last attempt ended with, or ''. */
  readonly condition: string
  /** Last error in words. */
  readonly text: string
  readonly fields: Fields
  /** Stands for the cause: the same for dead letters that died of the same. */
  readonly fingerprint: string
}

/** Dead letters that died of the same cause. */
export interface DeadGroup {
  readonly fingerprint: string
  readonly count: number
  /** What they have in common: see domain/fingerprint.ts. */
  readonly cause: Cause
  readonly firstDiedAtMs: number
  readonly lastDiedAtMs: number
  /** The newest of them. */
  readonly example: string
}

/** Deliveries of one key to one destination, of which all but the first wait behind that one. */
export interface Lane {
  /** The first. */
  readonly id: string
  readonly envelopeId: string
  readonly destination: string
  readonly route: string
  /** Of the first's document. */
  readonly type: string
  readonly from: string
  readonly receivedAtMs: number
  readonly tries: number
  /** When its attempt began, or when it is due. */
  readonly underWaySinceMs?: number
  readonly dueAtMs?: number
  /** How many wait behind it. */
  readonly waiting: number
  /** What its last attempt ended with, or ''; and the error in words, or ''. */
  readonly condition: string
  readonly text: string
}

/**
 * What became of an operator's wish to end a delivery. `asked`: an attempt is under way, and the end comes with the attempt's,
 * unless that is delivered or expired. `refused`: it has ended otherwise, or is not known.
 */
export type EndedByHand = 'ended' | 'asked' | 'refused'

/** Who sends a dead letter on its way again, and what is other than it was. */
export interface Redrive {
  readonly by: string
  /** At its old place in the order, before what was accepted later; otherwise behind all that was accepted by now. */
  readonly keepPlace?: boolean
  /** Another destination. */
  readonly to?: Destination
  /** Another document, for the deliveries that are redriven alone. */
  readonly document?: Replacement
}

/** A document of the same type, checked like the accepted one. */
export interface Replacement {
  readonly document: Document
  readonly fields: Fields
}

/** All that are given must fit. */
export interface DeadFilter {
  readonly type?: string
  readonly route?: string
  readonly destination?: string
  readonly from?: string
  readonly reason?: string
  /** Name → value: one of the field's values, as text, must be it. */
  readonly fields?: Readonly<Record<string, string>>
  /** Died at that time or later. */
  readonly sinceMs?: number
  /** Died at that time or before. */
  readonly untilMs?: number
  /** A fingerprint. */
  readonly group?: string
  /** 1,000; `Infinity` for all. */
  readonly limit?: number
}

/** A document that is held. */
export interface HeldDocument {
  readonly id: string
  readonly type: string
  readonly from: string
  readonly receivedAtMs: number
  readonly fields: Fields
  readonly bytes: number
  readonly holding: Holding
}

/** All that are given must fit; like those of {@link DeadFilter}. */
export interface HeldFilter extends Pick<DeadFilter, 'type' | 'from' | 'fields' | 'sinceMs' | 'untilMs' | 'limit'> {
  /** The rule of one of its findings. */
  readonly rule?: string
}

/** What a document that is held comes to when it is released. */
export interface HeldPlan {
  /** The version of its type that it is now; left out: as it was. */
  readonly version?: string
  readonly fields: Fields
  readonly deliveries: readonly PlannedDelivery[]
}

/** Who ends the holding of a document, and why. */
export interface HeldOrder {
  readonly by: string
  readonly reason: string
}

/**
 * The truth about envelopes and deliveries. Every method is one transition or one look, atomic, safe to repeat, and throws
 * {@link StoreUnavailable} where Redis can't be asked.
 */
export interface Store {
  /**
   * The documents of one stanza, all or none: where one is `overloaded` or a `key-conflict`, nothing at all is written (and the
   * others' answers mean nothing). On return of `accepted` and `duplicate` they are durable at the configured level.
   * Repeating it with the same envelope ids changes nothing and answers `accepted` again.
   */
  accept(acceptances: readonly Acceptance[]): Promise<readonly AcceptAnswer[]>
  /**
   * Writes the next part of the deliveries beyond {@link DELIVERIES_AT_ONCE}, those of the oldest document first; gives the ids that may
   * start, and whether there are more. They were counted as waiting and had their places in the order since their acceptance.
   */
  expand(): Promise<{ readonly ids: readonly string[]; readonly more: boolean }>
  /**
   * Records the start of an attempt for those of the deliveries that are waiting, due, head of their lane and not under way, and
   * whose destination is not named in `full`; the others are left as they are (those of full destinations become due a
   * little later). What has expired is never begun: {@link Store.expire} ends it.
   */
  start(ids: readonly string[], full: readonly string[]): Promise<readonly StartedAttempt[]>
  /**
   * Records the start of an attempt for the suspect that is due first: what was unproven at three closes of the stream, or under way at
   * three ends of a process. {@link Store.start} begins none of them. Undefined where there is none.
   */
  startSuspect(): Promise<StartedAttempt | undefined>
  /** The server has had what was started as a suspect, and the stream lives: it is alone no more. */
  cleared(started: Pick<StartedAttempt, 'id' | 'token'>): Promise<void>
  /** How long an attempt is under way before it is taken back, unless it is prolonged. */
  readonly attemptLeaseMs: number
  /** Begins the leases of these attempts anew, where they are under way still, this process's, and have not run out. One that has followed another is not meant. */
  prolong(attempts: readonly Pick<StartedAttempt, 'id' | 'token'>[]): Promise<void>
  /** Gives the ids that became free to start by it (the next of the lane). The end of an attempt that is over changes nothing. */
  end(end: AttemptEnd): Promise<readonly string[]>
  /** Undefined where the delivery is not known. */
  progress(deliveryId: string): Promise<Progress | undefined>
  /**
   * A late bounce of a delivery that counted as delivered reopens it: it is due again at `dueAtMs`, or dead with the reason.
   * False where there is nothing to reopen (unknown, another destination, not delivered, its receiver has answered, window over).
   * Repeating it with the same token changes nothing and gives the same answer.
   */
  bounce(
    id: string,
    from: string,
    then: { readonly dueAtMs: number } | { readonly dead: DeadReason },
    record: AttemptRecord,
    token?: string,
  ): Promise<boolean>
  /** Ends waiting deliveries that have expired, an attempt under way excepted; gives their ids. */
  expire(limit: number): Promise<readonly string[]>
  /** Reports that are owed to senders, those of the oldest ends first. Written in the step that ends the last delivery. */
  owedReports(limit: number): Promise<readonly OwedReport[]>
  /** They were handed over, or nobody wants them: owed no more. One that tells of a later end stays owed. */
  reported(reports: readonly OwedReport[]): Promise<void>
  /** Waiting deliveries that nobody has under way and whose time has come, oldest first. */
  due(limit: number): Promise<readonly string[]>
  /**
   * Makes everything that earlier processes had under way due again; their attempts are marked void. A suspect that was alone when
   * its process ended is a dead letter `breaks-step` instead: `dead` has the ids of those.
   */
  reclaim(): Promise<{ readonly deliveries: number; readonly dead: readonly string[] }>
  /**
   * Dead → waiting, one delivery or all dead ones of an envelope, as they were or with what is changed; the record shows it.
   * False where nothing is dead, its address may not be used, or the document has a delivery to the new destination already.
   * Done twice it delivers once.
   */
  redrive(id: string, how: Redrive): Promise<boolean>
  /**
   * What was matched again gets new deliveries: a document that died for want of a route, or, in the place of dead ones, which are
   * dropped with the reason `matched-again`, those to destinations that no other delivery of the document has. False where it is no
   * such dead letter, or nothing would be new.
   */
  replan(id: string, deliveries: readonly PlannedDelivery[], how: Omit<Redrive, 'to'>): Promise<boolean>
  /** Dead or waiting → dropped, with the operator's reason kept. */
  drop(id: string, reason: string, by: string): Promise<EndedByHand>
  /** Waiting → dead with the reason `parked`; what waited behind it goes on. The operator's reason is kept as a record. */
  park(id: string, reason: string, by: string): Promise<EndedByHand>
  /** Documents that are held, newest first. */
  held(filter: HeldFilter): Promise<readonly HeldDocument[]>
  /**
   * Held → waiting, with version, fields and deliveries as they are now; none of these: a dead letter `no-route`. False where it is not held.
   * Done twice it delivers once.
   */
  plan(id: string, planned: HeldPlan, order: HeldOrder): Promise<boolean>
  /** Held → dropped, with the reason kept. False where it is not held. */
  refuse(id: string, order: HeldOrder): Promise<boolean>
  /** Lanes in which something waits behind the first, those with the most waiting first. */
  lanes(): Promise<readonly Lane[]>
  trace(envelopeId: string): Promise<EnvelopeTrace | undefined>
  /**
   * The document that was accepted; by the id of a delivery, the one that it sends. Undefined also where all has ended, and nothing can
   * reopen a delivery.
   */
  payload(id: string): Promise<Uint8Array | undefined>
  dead(filter: DeadFilter): Promise<readonly DeadLetter[]>
  /** Dead letters by cause, the largest group first. */
  deadGroups(filter: DeadFilter): Promise<readonly DeadGroup[]>
  ledger(): Promise<Ledger>
  /** Removes what retention no longer keeps, and payloads that nothing sends any more; gives how many envelopes. */
  prune(): Promise<number>
  /** Deliveries waiting, documents held, and the age of the delivery that has been due longest. */
  depth(): Promise<{
    readonly waiting: number
    readonly underWay: number
    /** Waiting to be sent alone. */
    readonly suspects: number
    readonly dead: number
    readonly held: number
    readonly oldestDueMs: number
  }>
}

/** An accepted document as it came, kept apart from what becomes of it. */
export interface ArchivedDocument
  extends Pick<
    EnvelopeTrace,
    | 'id'
    | 'type'
    | 'version'
    | 'origin'
    | 'submit'
    | 'fields'
    | 'receivedAtMs'
    | 'form'
    | 'mediaType'
    | 'contentType'
    | 'rootName'
    | 'datatype'
    | 'bytes'
    | 'digest'
    | 'marked'
  > {}

export interface ArchiveFilter extends Pick<DeadFilter, 'type' | 'from' | 'fields' | 'sinceMs' | 'untilMs' | 'limit'> {
  /** Leaves out those that were invalid and marked. */
  readonly valid?: true
}

/** Accepted documents, written in the step that accepts them. Throws {@link StoreUnavailable} where Redis can't be asked. */
export interface Archive {
  /** Newest first. */
  archived(filter: ArchiveFilter): Promise<readonly ArchivedDocument[]>
  archivedDocument(id: string): Promise<(ArchivedDocument & { readonly payload: Uint8Array }) | undefined>
}

/** An open destination, as it stands in Redis. */
export interface KnownBreaker {
  readonly destination: string
  /** Undefined: it answers again, and what waited for it is being let go. */
  readonly breaker: OpenBreaker | undefined
}

export interface OpenDestination extends KnownBreaker {
  /** Deliveries that wait for it, those behind the first of their lane included. */
  readonly waiting: number
}

/** A delivery that was given up while its destination was open. */
export interface LapsedDelivery {
  readonly id: string
  readonly destination: string
  readonly route: string
  /** Of the destination's last failure. */
  readonly condition: string
}

/**
 * Destinations that are open: what waits for one is neither due nor started until the destination is probed by it, or closed.
 * Every method is one atomic step, or one look, and throws {@link StoreUnavailable} where Redis can't be asked.
 */
export interface Breakers {
  /** From now on what goes there waits. Safe to repeat. */
  keepOpen(destinations: readonly { readonly destination: string; readonly breaker: OpenBreaker }[]): Promise<void>
  /** Makes some of what waits for it due at once, and gives their ids; it is closed when there are no more. */
  letGo(destination: string): Promise<{ readonly ids: readonly string[]; readonly more: boolean }>
  /** Chooses for each the delivery that probes it and may start now; undefined where none waits. */
  probes(destinations: readonly string[]): Promise<readonly (string | undefined)[]>
  /** Ends some of what has waited for longer than its policy allows. */
  lapse(allowedMs: ReadonlyMap<string, number>, defaultMs: number): Promise<readonly LapsedDelivery[]>
  /** Costs little, whatever waits. */
  openBreakers(): Promise<readonly KnownBreaker[]>
  openDestinations(): Promise<readonly OpenDestination[]>
}

/** What is known of an item of a subscribed node. `taken`: with this digest, and nothing else since; or refused for good. */
export type ItemStanding = 'new' | 'taken' | 'own'

/**
 * Which items of subscribed nodes were dealt with: for each source the newest `keep` ids, each with the digest that it had last.
 * {@link Store.accept} remembers what it accepts. Throws {@link StoreUnavailable} where Redis can't be asked.
 */
export interface Checkpoints {
  standing(
    source: string,
    items: readonly { readonly item: string; readonly digest: string }[],
  ): Promise<readonly ItemStanding[]>
  /** Items that are never to be taken: refused with this digest, or `own` whatever they hold. Safe to repeat. */
  passOver(
    source: string,
    items: readonly { readonly item: string; readonly digest: string | 'own' }[],
    keep: number,
  ): Promise<void>
}

/** Wakes a worker for deliveries. Losing or doubling a wake has no effect but time: the sweeper makes new ones. */
export interface Wakes {
  wake(ids: readonly string[], delayMs: number): Promise<void>
  /** Wakes this very process for them, at once and with nothing in between; the next of a lane would wait for its job otherwise. */
  hand(ids: readonly string[]): void
}

// ----------------------------------------------------------------------------------------------------- registry

/** Versions of document types that were registered at run time. Every method throws {@link StoreUnavailable} where Redis can't be asked. */
export interface Registry {
  read(): Promise<RegistryState>
  /** A bundle as it was packed; undefined where no version has that digest. */
  bundle(digest: string): Promise<Uint8Array | undefined>
  /**
   * One atomic step, in the order of all: it is made only where the registry is at `expected` still. Durable at the configured level
   * on return. Repeating a registration that was made changes nothing, and is `done`.
   */
  change(change: RegistryChange, expected: number, by: string): Promise<RegistryAnswer>
}

// -------------------------------------------------------------------------------------------------------- lease

export interface LeaseHolder {
  /** The process, as it names itself. */
  readonly instance: string
  /** By the clock of Redis. */
  readonly sinceMs: number
}

/** The right to be the one process that is attached as a domain (docs/operations.md, guarantee 5). */
export interface Lease {
  /**
   * False from the moment when it could have run out by our own monotonic clock, reckoned from before the renewal was sent,
   * minus a safety margin. No timer is involved: a process that was frozen reads false as the first thing.
   */
  readonly held: boolean
  /** Who else holds it, as far as is known. */
  readonly other: LeaseHolder | undefined
  /** Somebody else has held it since this process first asked. */
  readonly wasOthers: boolean
  /** Asks once, and keeps nothing up. Throws {@link StoreUnavailable}. */
  tryTake(): Promise<boolean>
  /**
   * Resolves when it is held for the first time. It is renewed from then on, and taken again where it was lost, until it is
   * released. Throws where it is cancelled.
   */
  take(cancelled?: AbortSignal): Promise<void>
  /** Hears of each loss and of each time when it was taken again; not of the release. */
  onChange(listener: (held: boolean) => void): void
  /** Gives it back, so that another has it at once. Never throws: where Redis can't be asked it runs out. */
  release(): Promise<void>
}

// --------------------------------------------------------------------------------------------------------- xmpp

/** Writes documents to destinations and tells how that ended. Never throws for what a peer did. */
export interface Outlet {
  /**
   * Settles when the outcome is known: proof, error, time-out or loss of the connection. `onHad` is called at most once, for an attempt
   * that is alone until then: the server has had it, the stream lives, and others are written again.
   */
  send(attempt: StartedAttempt, onHad?: () => void): Promise<AttemptOutcome>
  /** A readable message to a person. Best effort: an alarm is also a log line and a metric. */
  notify(jid: string, text: string): void
  readonly online: boolean
}

/** What a sender is told of a document that has ended. */
export interface Report {
  /** The stanza's. */
  readonly id: string
  /** Full JID that sent the document. */
  readonly to: string
  readonly standing: Standing
}

/** Writes reports to senders. Never throws for what a peer did. */
export interface ReportOutlet {
  /** Settles when it is proven that the server has it; `lost`: nobody knows, or we are offline. */
  report(report: Report): Promise<'handed-over' | 'lost' | 'unsendable'>
  readonly online: boolean
}

// ------------------------------------------------------------------------------------------------------ watching

/** Everything worth counting, by what happened. Implemented by the http room, documented in one file there. */
export interface Metrics {
  accepted(type: string, stanza: string, seconds: number): void
  duplicate(type: string): void
  /** Accepted and held, because it is invalid. */
  held(type: string): void
  /** How the holding of a document ended. */
  heldEnded(how: 'released' | 'refused'): void
  /** Accepted, of a version that will be gone one day. */
  deprecated(type: string, version: string, sender: string): void
  /** Accepted under a stanza id that the same sender had given to another document. */
  claimReplaced(type: string): void
  rejected(kind: string): void
  ignored(): void
  /** A document was validated apart from all others: where, and how long that took with the wait for it. */
  checked(where: CheckPlace, seconds: number): void
  /** A stanza that made Waybill itself fail. */
  failed(): void
  /** What became of an item of a subscribed node: `taken`, `known`, `own`, `refused`, or `stranger` for what we didn't subscribe to. */
  item(outcome: 'taken' | 'known' | 'own' | 'refused' | 'stranger'): void
  attempt(result: string): void
  ended(state: DeliveryState, reason: string, secondsSinceAccepted: number): void
  /** A destination was opened, probed, or closed. */
  breaker(to: 'open' | 'half-open' | 'closed'): void
  /** What became of a report to a sender: a bounce comes after the hand-over. */
  report(outcome: 'handed-over' | 'bounced' | 'unsendable'): void
  alarm(cause: string): void
}

/** `thread`: of this process; `process`: another one; `here`: after all, where no thread could. */
export type CheckPlace = 'thread' | 'process' | 'here'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** One JSON line on stderr. Never a payload, never a secret. */
export type Log = (level: LogLevel, event: string, details?: Readonly<Record<string, unknown>>) => void

/** Milliseconds since the epoch. */
export type Clock = () => number

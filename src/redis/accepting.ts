import { deliveryId } from '../domain/delivery.ts'
import { bareJid } from '../domain/jid.ts'
import {
  type AcceptAnswer,
  type Acceptance,
  type Clock,
  DELIVERIES_MOST,
  type OverloadScope,
  type Store,
} from '../flow/ports.ts'
import { type ArchiveOptions, archivedPayload } from './archive.ts'
import type { Call } from './calls.ts'
import { coalesce } from './coalesce.ts'
import { PATIENCE_MS } from './connection.ts'
import { type LaterDeliveries, laterDeliveries, type SplitDeliveries, splitDeliveries } from './expansion.ts'
import { nameDigest } from './keys.ts'
import { type LostStarts, startToken } from './lost-starts.ts'
import { type Facts, factsOf, firstRecord, metaOf, optionsText } from './records.ts'
import type { Argument } from './scripts.ts'

/** How many documents may wait, in all and of one sender, and how many bytes their payloads may come to. */
export interface AcceptLimits {
  readonly waiting: number
  readonly perSenderWaiting: number
  readonly waitingBytes: number
  /** The same of documents that are held. */
  readonly held: number
  readonly perSenderHeld: number
  readonly heldBytes: number
}

export interface AcceptOptions {
  readonly limits: AcceptLimits
  /** WAITAOF after each write (docs/operations.md, guarantee 1) where Redis syncs its file every second. */
  readonly waitAof: boolean
  /** Throws {@link StoreUnavailable} where what was written isn't kept as configured. */
  readonly confirm: () => Promise<void>
  readonly clock: Clock
  readonly archive?: ArchiveOptions
  readonly atOnce?: number
  readonly part?: number
  /** Whose the first attempts are, and how long one may be under way. */
  readonly instance: string
  readonly attemptLeaseMs: number
  readonly lost: LostStarts
}

/** How the first attempts of one script call begin. */
interface Beginning {
  readonly holder: string
  readonly token: string
  readonly leaseMs: number
  readonly nowMs: number
}

interface Prepared {
  readonly acceptance: Acceptance
  readonly split: SplitDeliveries
  /** Deflated, or ''. */
  readonly archived: Buffer | ''
}

const BATCH_BYTES = 1 << 20
const GATHERED_BYTES = 64 << 20
const DELIVERY_BYTES = 500
const ENVELOPE_BYTES = 1_000
/** A receipt may take longer than a common lease; the lease outlasts it by this (start.lua). */
const LEASE_GRACE_MS = 30_000

/** Store.accept(): concurrent calls share one script call, and one sync of Redis's file. */
export function createAccept(call: Call, options: AcceptOptions): Store['accept'] {
  const { limits, clock, confirm, instance, attemptLeaseMs, lost } = options
  // A sync may take a second; many documents must share it.
  const most = options.waitAof ? 2_048 : 128
  const accept = coalesce<readonly Prepared[], readonly AcceptAnswer[]>(
    async (stanzas, deadlineMs) => {
      const { waiting, perSenderWaiting, waitingBytes, held, perSenderHeld, heldBytes } = limits
      const senders = sendersOf(stanzas)
      const args: Argument[] = [waiting, perSenderWaiting, waitingBytes, held, perSenderHeld, heldBytes, stanzas.length]
      args.push(senders.length, ...senders)
      const beginning = { holder: instance, token: startToken(), leaseMs: attemptLeaseMs, nowMs: clock() }
      for (const stanza of stanzas) {
        args.push(stanza.length)
        for (const one of stanza) addArguments(args, one, beginning, options.part)
      }
      const reply = await call('accept', args, { repeatable: true, deadlineMs, confirm }).catch((error: unknown) => {
        lost.add(beginning.token, stanzas.flatMap(toBegin))
        throw error
      })
      return (reply as BatchReply[]).map((answers, at) => answersOf(answers, stanzas[at]!, limits, beginning.token))
    },
    {
      name: 'accept',
      most,
      mostWeight: options.waitAof ? 8 * BATCH_BYTES : BATCH_BYTES,
      weigh: (stanza) =>
        stanza.reduce((sum, { acceptance, archived }) => sum + bytesOf(acceptance) + archived.length, 0),
      gatheredWeight: GATHERED_BYTES,
      patienceMs: PATIENCE_MS,
    },
  )
  /** What was given before has been handed on: the order of calls is that of documents, whichever takes longer to be compressed. */
  let turn = Promise.resolve()
  return async (stanza) => {
    if (stanza.length === 0) return []
    const deliveries = stanza.reduce((sum, acceptance) => sum + acceptance.deliveries.length, 0)
    if (deliveries > DELIVERIES_MOST) {
      const [{ envelope }] = stanza as readonly [Acceptance]
      throw new RangeError(
        `Cannot accept ${envelope.id}: ${deliveries} deliveries at once, at most ${DELIVERIES_MOST} can be`,
      )
    }
    const split = splitDeliveries(stanza, options.atOnce)
    if (!options.archive) {
      return accept(stanza.map((acceptance, at) => ({ acceptance, split: split[at]!, archived: '' })))
    }
    const compressed = Promise.all(stanza.map((one) => archivedPayload(one, options.archive)))
    const given = turn
      .then(() => compressed)
      .then((archived) => ({
        answers: accept(stanza.map((acceptance, at) => ({ acceptance, split: split[at]!, archived: archived[at]! }))),
      }))
    turn = given.then(ignore, ignore)
    return (await given).answers
  }
}

function ignore(): void {}

function bytesOf({ envelope, deliveries }: Acceptance): number {
  return envelope.document.bytes + ENVELOPE_BYTES + DELIVERY_BYTES * deliveries.length
}

/** Bare JIDs, each once. */
function sendersOf(stanzas: readonly (readonly Prepared[])[]): readonly string[] {
  const senders = new Set<string>()
  for (const stanza of stanzas)
    for (const { acceptance } of stanza) senders.add(bareJid(acceptance.envelope.origin.from))
  return [...senders]
}

/** The ids of deliveries whose attempts were to begin. */
function toBegin(stanza: readonly Prepared[]): readonly string[] {
  return stanza.flatMap(({ acceptance: { envelope, begin = [] } }) => begin.map((at) => deliveryId(envelope.id, at)))
}

function addArguments(
  args: Argument[],
  { acceptance, split, archived }: Prepared,
  beginning: Beginning,
  part: number | undefined,
): void {
  const { envelope, begin, claim } = acceptance
  const { document, receivedAtMs, submit } = envelope
  const { nowMs } = beginning
  const times = { receivedAtMs, nowMs, submitExpiresMs: submit.expiresMs }
  const later = laterDeliveries(split, times, part)
  args.push(
    envelope.id,
    envelope.type,
    bareJid(envelope.origin.from),
    document.digest,
    claim ? nameDigest(claim.name) : '',
    claim?.windowMs ?? 0,
    submit.report ?? '',
    rareOf(acceptance, archived !== '', later?.rest),
    JSON.stringify(metaOf(envelope)),
    typeof document.payload === 'string' ? document.payload : asBuffer(document.payload),
  )
  if (archived !== '') args.push(archived)
  if (later) args.push(...later.parts)
  args.push(split.now.length)
  for (const { planned, number } of split.now) {
    const waiting = factsOf(planned, times)
    // No try is made later than that: it is ended as expired.
    const isOver = waiting.expires !== undefined && waiting.expires <= nowMs
    const isToBegin = !isOver && begin?.includes(number) === true
    const facts = isToBegin ? underWay(waiting, beginning) : waiting
    args.push(
      facts.route,
      facts.lane ?? '',
      JSON.stringify(facts),
      optionsText(planned.options),
      firstRecord(planned, nowMs),
      isToBegin ? nowMs + Math.max(beginning.leaseMs, facts.patience + LEASE_GRACE_MS) : '',
    )
  }
}

/** What few documents have; '' for most, which accept.lua then writes as they are given. */
function rareOf(
  { holding, key, taken }: Acceptance,
  archived: boolean,
  rest: LaterDeliveries['rest'] | undefined,
): string {
  if (!holding && !key && !taken && !archived && !rest) return ''
  return JSON.stringify({
    ...(key && { key: nameDigest(key.name), keyMs: key.windowMs }),
    ...(taken && { source: nameDigest(taken.source), item: nameDigest(taken.item), keep: taken.keep }),
    ...(holding && { held: JSON.stringify(holding) }),
    ...(archived && { archived: 1 }),
    ...(rest && { rest }),
  })
}

/** The facts of a delivery whose first attempt has begun, as start.lua would write them. */
function underWay(facts: Facts, { holder, token, nowMs }: Beginning): Facts {
  return { ...facts, tries: 1, holder, token, started: nowMs }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const LIMIT_OF = {
  all: 'waiting',
  sender: 'perSenderWaiting',
  bytes: 'waitingBytes',
  held: 'held',
  'held of sender': 'perSenderHeld',
  'held bytes': 'heldBytes',
} as const satisfies Record<OverloadScope, keyof AcceptLimits>

/** 1: its one document is accepted, and all its attempts have begun. */
type BatchReply = 1 | (Buffer | number)[][]

function answersOf(
  reply: BatchReply,
  stanza: readonly Prepared[],
  limits: AcceptLimits,
  token: string,
): readonly AcceptAnswer[] {
  if (reply !== 1) return reply.map((answer) => acceptAnswer(answer, limits, token))
  return stanza.map(({ acceptance: { envelope, begin } }) => ({
    kind: 'accepted',
    id: envelope.id,
    ...(begin && { begun: { indexes: begin, token } }),
  }))
}

function acceptAnswer(
  answer: readonly (Buffer | number)[],
  limits: AcceptOptions['limits'],
  token: string,
): AcceptAnswer {
  const kind = String(answer[0])
  if (kind === 'overloaded') {
    const scope = String(answer[1]) as OverloadScope
    return { kind, scope, waiting: Number(answer[2]), limit: limits[LIMIT_OF[scope]] }
  }
  const id = String(answer[1])
  if (kind === 'accepted') {
    const isReplacing = (answer[2] as Buffer).length > 0
    const indexes = answer.slice(3).map(Number)
    return {
      kind,
      id,
      ...(isReplacing && { replaced: true }),
      ...(indexes.length > 0 && { begun: { indexes, token } }),
    }
  }
  return { kind: kind as 'duplicate' | 'key-conflict', id, ...(answer.length > 2 && { held: true as const }) }
}

import type { Redis } from 'ioredis'
import {
  type AttemptRecord,
  type DeadReason,
  destinationName,
  type PlannedDelivery,
  parseDeliveryId,
} from '../domain/delivery.ts'
import { bareJid } from '../domain/jid.ts'
import {
  type Archive,
  type Breakers,
  type Checkpoints,
  type Clock,
  DELIVERIES_MOST,
  type EndedByHand,
  type Log,
  type Redrive,
  type Registry,
  type Store,
  StoreUnavailable,
} from '../flow/ports.ts'
import { type AcceptLimits, createAccept } from './accepting.ts'
import { isFound, type RedisAddress } from './address.ts'
import { type ArchiveOptions, createArchive } from './archive.ts'
import { createEnd, createProlong, createStart } from './attempts.ts'
import { createBreakerStore } from './breakers.ts'
import { ask, type Call, createCall } from './calls.ts'
import { createCheckpoints } from './checkpoints.ts'
import { connectImpatient, describe, disconnect, PATIENCE_MS, whenReady } from './connection.ts'
import { createDeadLetters } from './dead-letters.ts'
import { keepDurability, needsWaitAof } from './durability.ts'
import { createExpand } from './expansion.ts'
import { createFiguresStore, type FiguresStore } from './figures.ts'
import { createHeld } from './held.ts'
import { type Durability, inspectRedis, type RedisInspection } from './inspection.ts'
import { keyPrefix } from './keys.ts'
import { createLanes } from './lanes.ts'
import { createLostStarts, type LostStarts, startToken } from './lost-starts.ts'
import { createOwedReports } from './owed-reports.ts'
import { createPresence, type Presence } from './presence.ts'
import { createReadings } from './readings.ts'
import { factsOf, firstRecord, type Meta, recordLine, redriveRecord, replacementMetaOf, TEXT_MOST } from './records.ts'
import { createRegistry } from './registry.ts'
import type { Argument } from './scripts.ts'
import { createServed, type Served } from './served.ts'

export interface StoreOptions extends RedisAddress {
  readonly durability: Durability
  /** How many replicas must have a document before it counts as accepted. */
  readonly replicas: number
  readonly limits: AcceptLimits
  /** A finished envelope is kept for at least `bounceWindowMs`, unless there are more of them, in count or bytes. */
  readonly retention: {
    readonly finishedMs: number
    readonly finishedCount: number
    readonly finishedBytes: number
    readonly deadMs: number
    readonly deadCount: number
    readonly deadBytes: number
    readonly heldMs: number
  }
  /** Left out: there is none. */
  readonly archive?: ArchiveOptions
  /** How many deliveries of a stanza are written with it, and how many in each part after that; 1,000 and 500. */
  readonly expansion?: { readonly atOnce: number; readonly part: number }
  /** How long after its delivery a bounce reopens it. */
  readonly bounceWindowMs: number
  /** How long an attempt may be under way unheard of before it is taken back; 120 s. A longer `confirmTimeoutMs` extends it. */
  readonly attemptLeaseMs?: number
  /** A server that refuses connections isn't waited for, unless sentinels or a cluster may soon name another one. */
  readonly isAskedOnce?: boolean
  /** Unique for each process. */
  readonly instance: string
  readonly clock: Clock
  readonly log: Log
}

export interface RedisStore extends Store, Checkpoints, Breakers, Archive, FiguresStore {
  readonly registry: Registry
  readonly presence: Presence
  readonly served: Served
  /** Redis can be asked at this moment. */
  readonly ready: boolean
  inspect(): Promise<RedisInspection>
  /** Throws {@link StoreUnavailable} with what Redis says where it takes no documents: no memory, no disk, a replica only. */
  probeWrites(): Promise<void>
  /** Ends the connection; what is in flight has its answer first, within a second or so. */
  close(): Promise<void>
}

const LEASE_MS = 120_000
const VERSION = '1'
/** How many envelopes, deliveries or dead letters a script looks at before others have their turn. */
const PART = 500

/**
 * Opens the one truth about envelopes and deliveries (docs/adr/0001). Throws {@link StoreUnavailable} where Redis can't be asked
 * within five seconds, and an Error where the keys of the prefix are not ours.
 */
export async function openStore(options: StoreOptions): Promise<RedisStore> {
  const prefix = keyPrefix(options.prefix, options.shard)
  const client = connectImpatient(options, 'store', options.log)
  try {
    await whenReady(client, Date.now() + PATIENCE_MS, !options.isAskedOnce || isFound(options))
    await checkKeys(client, prefix)
    const inspection = await inspectRedis(client)
    return createStore(client, prefix, inspection, options)
  } catch (error) {
    client.disconnect()
    if (error instanceof StoreUnavailable || !isReplyOrLoss(error)) throw error
    throw new StoreUnavailable(`Cannot open the store: ${describe(error)}`, { cause: error })
  }
}

class ForeignKeys extends Error {
  override name = 'ForeignKeys'
}

function isReplyOrLoss(error: unknown): boolean {
  return !(error instanceof ForeignKeys)
}

const TYPES = {
  expanding: 'zset',
  ready: 'zset',
  later: 'zset',
  suspects: 'zset',
  underway: 'zset',
  expiring: 'zset',
  dead: 'zset',
  finished: 'zset',
  reopenable: 'zset',
  held: 'zset',
  reports: 'zset',
  breakers: 'hash',
  figures: 'hash',
  checkers: 'hash',
  lapsing: 'zset',
  ledger: 'hash',
  senders: 'hash',
  holding: 'hash',
  archive: 'zset',
  sequence: 'string',
  registry: 'hash',
  registered: 'stream',
  processes: 'hash',
  served: 'set',
  registration: 'string',
} as const

// A script that meets a foreign type stops half-way: better not to start at all.
async function checkKeys(client: Redis, prefix: string): Promise<void> {
  for (const [name, type] of Object.entries(TYPES)) {
    const found = await client.type(prefix + name)
    if (found !== 'none' && found !== type) {
      throw new ForeignKeys(`Cannot open the store: ${prefix}${name} is a ${found}, it must be a ${type}`)
    }
  }
  const version = (await client.get(`${prefix}version`)) ?? (await writeVersion(client, prefix))
  if (version !== VERSION) {
    const cure = 'start the version that wrote it, or name another redis.prefix'
    throw new ForeignKeys(
      `Cannot open the store: ${prefix}version is ${version}, this Waybill knows ${VERSION}; ${cure}`,
    )
  }
}

async function writeVersion(client: Redis, prefix: string): Promise<string | null> {
  await client.setnx(`${prefix}version`, VERSION)
  return client.get(`${prefix}version`)
}

function createStore(client: Redis, prefix: string, inspection: RedisInspection, options: StoreOptions): RedisStore {
  const { clock, log, instance, durability, limits } = options
  const call = createCall(client, prefix, clock, log)
  const kept = keepDurability(client, inspection, options)
  const waitAof = needsWaitAof(inspection, durability)
  const { bounceWindowMs, attemptLeaseMs = LEASE_MS } = options
  const attempts = { instance, attemptLeaseMs, bounceWindowMs, log }
  const lost = createLostStarts(call, instance)
  const archive = createArchive(call, client, prefix)
  return {
    accept: createAccept(call, {
      limits,
      waitAof,
      confirm: kept.confirm,
      clock,
      instance,
      attemptLeaseMs,
      lost,
      ...options.expansion,
      ...(options.archive && { archive: options.archive }),
    }),
    expand: createExpand(call),
    ...createStart(call, lost, attempts),
    async cleared({ id, token = '' }) {
      await call('cleared', [instance, id, token], { repeatable: true })
    },
    end: createEnd(call, attempts),
    attemptLeaseMs,
    prolong: createProlong(call, attempts),
    ...createReturns(call, lost, options),
    ...createOperations(call, client, prefix, options, archive),
    ...archive,
    ...createReadings(call, client, prefix, clock),
    ...createCheckpoints(call, client, prefix),
    ...createDeadLetters(call),
    ...createHeld(call, client, prefix, clock),
    ...createLanes(call),
    ...createOwedReports(call),
    ...createBreakerStore(call),
    ...createFiguresStore(call),
    registry: createRegistry(call, client, prefix, kept.confirm),
    presence: createPresence(call, instance),
    served: createServed(client, prefix),
    get ready() {
      return client.status === 'ready'
    },
    inspect: () => ask('inspect', client, kept.inspect),
    async probeWrites() {
      await call('write', [], { repeatable: true })
    },
    close: () => disconnect(client),
  }
}

/** What brings deliveries back: bounces, the sweep, and a new process. */
function createReturns(
  call: Call,
  lost: LostStarts,
  options: StoreOptions,
): Pick<Store, 'bounce' | 'due' | 'expire' | 'reclaim'> {
  const { log, instance } = options
  return {
    async bounce(id, from, then, record: AttemptRecord, token = startToken()) {
      const [dueAtMs, reason]: [number | '', DeadReason | ''] = 'dead' in then ? ['', then.dead] : [then.dueAtMs, '']
      const args = [id, from, bareJid(from), options.bounceWindowMs, dueAtMs, reason, recordLine(record), token]
      return (await call('bounce', args, { repeatable: true })) === 1
    },

    async due(limit) {
      await lost.release()
      const [expired, ids] = (await call('due', [limit], { repeatable: true })) as [number, Buffer[]]
      if (expired > 0) log('warn', 'leases-ran-out', { attempts: expired })
      return ids.map(String)
    },

    async expire(limit) {
      return ((await call('expire', [limit], { repeatable: false })) as Buffer[]).map(String)
    },

    async reclaim() {
      let deliveries = 0
      const dead: string[] = []
      for (let offset = 0; ; ) {
        const reply = await call('reclaim', [instance, offset, PART], { repeatable: true })
        const [taken, own, deadNow] = reply as [number, number, Buffer[]]
        deliveries += taken
        dead.push(...deadNow.map(String))
        offset += own
        if (taken + own < PART) return { deliveries, dead }
      }
    },
  }
}

/** What operators do, and retention in their place. */
function createOperations(
  call: Call,
  client: Redis,
  prefix: string,
  { clock, log, retention, bounceWindowMs, archive: kept }: StoreOptions,
  archive: ReturnType<typeof createArchive>,
): Pick<Store, 'redrive' | 'replan' | 'drop' | 'park' | 'prune'> {
  const endByHand = async (name: 'drop' | 'park', args: readonly Argument[]): Promise<EndedByHand> => {
    const [ended, asked] = (await call(name, args, { repeatable: true })) as [number, number]
    if (asked > 0) return 'asked'
    return ended > 0 ? 'ended' : 'refused'
  }
  return {
    async redrive(id, how) {
      const to = how.to ? destinationName(how.to) : ''
      const args = [id, redriveRecord(how, clock()), to, ...replacementArguments(how), placeArgument(how)]
      return Number(await call('redrive', args, { repeatable: false })) > 0
    },

    async replan(id, deliveries: readonly PlannedDelivery[], how) {
      const { envelopeId } = parseDeliveryId(id)
      if (deliveries.length === 0) return false
      if (deliveries.length > DELIVERIES_MOST) {
        throw new RangeError(
          `Cannot replan ${envelopeId}: ${deliveries.length} deliveries, at most ${DELIVERIES_MOST} can be`,
        )
      }
      const meta = await ask('replan', client, () => client.hget(`${prefix}envelope:${envelopeId}`, 'meta'))
      if (meta === null) return false
      const { receivedAtMs, submit } = JSON.parse(meta) as Meta
      const times = { receivedAtMs, nowMs: clock(), submitExpiresMs: submit.expiresMs }
      const record = redriveRecord({ ...how, matchedAgain: true }, times.nowMs)
      const triples = deliveries.flatMap((planned) => [
        JSON.stringify(factsOf(planned, times)),
        JSON.stringify(planned.options),
        firstRecord(planned, times.nowMs),
      ])
      const args = [id, how.by, record, ...replacementArguments(how), placeArgument(how), ...triples]
      return (await call('replan', args, { repeatable: false })) === 1
    },

    drop: (id, reason, by) => endByHand('drop', [id, reason, by]),

    park: (id, reason, by) => endByHand('park', [id, `by ${by}: ${reason}`.slice(0, TEXT_MOST)]),

    async prune() {
      const finishedMs = Math.max(retention.finishedMs, bounceWindowMs)
      const { finishedCount, finishedBytes, deadMs, deadCount, deadBytes, heldMs } = retention
      const args = [finishedMs, finishedCount, finishedBytes, deadMs, deadCount, deadBytes, PART, heldMs]
      let removed = 0
      let dropped = 0
      let held = 0
      for (let more = 1; more === 1; ) {
        const reply = (await call('prune', args, { repeatable: true })) as [number, number, number, number]
        removed += reply[0]
        dropped += reply[1]
        more = reply[2]
        held += reply[3]
      }
      if (dropped > 0) log('warn', 'dead-letters-dropped', { count: dropped, reason: 'retention' })
      if (kept) await archive.forget(kept)
      if (held > 0) log('warn', 'held-documents-dropped', { count: held, reason: 'retention' })
      return removed
    },
  }
}

function placeArgument({ keepPlace }: Redrive): 'keep' | '' {
  return keepPlace ? 'keep' : ''
}

/** Meta and payload of the other document, or ''. */
function replacementArguments({ document }: Redrive): readonly [string, string | Buffer] {
  if (!document) return ['', '']
  const { payload } = document.document
  return [JSON.stringify(replacementMetaOf(document)), typeof payload === 'string' ? payload : Buffer.from(payload)]
}

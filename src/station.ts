import { setTimeout as delay } from 'node:timers/promises'
import type { Settings } from './config/configuration.ts'
import { rehydrate, toElementText } from './documents/documents.ts'
import { destinationName } from './domain/delivery.ts'
import type { Answer } from './domain/retry.ts'
import { createAlarm } from './flow/alarms.ts'
import { createDeliverer, type Deliverer } from './flow/deliver.ts'
import { expand } from './flow/expand.ts'
import { createHeldOperations, type HeldOperations } from './flow/held.ts'
import { createIntake } from './flow/intake.ts'
import { offeredTo } from './flow/offer.ts'
import type { Checkpoints, Lease, Log, Metrics } from './flow/ports.ts'
import { createQuestions } from './flow/questions.ts'
import { createReports, type Reports, reportedEnvelope } from './flow/reports.ts'
import { limitRate } from './flow/senders.ts'
import { createSources, markOwn } from './flow/source.ts'
import { openLease, type RedisLease } from './redis/lease.ts'
import type { RedisStore } from './redis/store.ts'
import { openWakes, type RedisWakes } from './redis/wakes.ts'
import type { InForce } from './reload.ts'
import { addressOf, connectionOptionsOf, leaseOptionsOf } from './settings.ts'
import { asStartFailed } from './start-failed.ts'
import { logged, type Undo, unwind } from './unwind.ts'
import { VERSION } from './version.ts'
import { type Connection, createConnection } from './xmpp/connection.ts'
import { createDispatch, type Dispatch } from './xmpp/dispatch.ts'
import { createOutlet } from './xmpp/outlet.ts'
import { createReportOutlet } from './xmpp/reports.ts'
import { createSubscriptions, type Subscriptions } from './xmpp/subscriptions.ts'

const SWEEP_MS = 1_000
const PRUNE_MS = 5_000
const DRAIN_MS = 6_000
const CLOSE_MS = 2_000
/** How long the ends of what was under way may take to be written. */
const ENDS_MS = 1_500
/** What a peer may have under way by its window, and as much again that is being proven and written down. */
const PLACES = { all: 4_096, perDestination: 2_048, bytes: 64 << 20 }
const IN_HAND_LIMIT = 4_096
/** In memory a document takes several times its bytes. */
const IN_HAND_BYTES = 32 << 20
const WORKERS = 8

export interface StationNeeds {
  readonly settings: Settings
  readonly domain: string
  readonly inForce: InForce
  /** Of the domain's shard. */
  readonly store: RedisStore
  /** Where it is remembered which items of subscribed nodes are our own: with the domain that is subscribed. */
  readonly checkpoints: Checkpoints
  readonly metrics: Metrics
  readonly log: Log
}

/** What serves one domain, its rooms made for one another: standing by until it has begun. */
export interface Station {
  readonly domain: string
  readonly store: RedisStore
  readonly lease: RedisLease
  readonly connection: Connection
  readonly subscriptions: Subscriptions
  readonly deliverer: Deliverer
  /** Waits for the domain, goes online, and takes back what an earlier process had under way before anything new is begun. */
  begin(cancelled?: AbortSignal): Promise<void>
  /** What is held may be valid by another configuration. One process looks: that which holds the domain. */
  reviewHeld(): void
  /** New documents are refused with `wait`, what is in hand is answered, and what is under way is ended as far as it can be in time. */
  drain(): Promise<void>
  /** Gives the domain back, and closes everything but the store. */
  close(): Promise<void>
}

interface Rooms {
  readonly store: RedisStore
  readonly wakes: RedisWakes
  readonly lease: Lease
  readonly connection: Connection
  readonly dispatch: Dispatch
  readonly subscriptions: Subscriptions
  readonly deliverer: Deliverer
  readonly reports: Reports
  readonly held: HeldOperations
}

/** Opens what must be open before the first stanza. Throws {@link StartFailed}. */
export async function openStation(needs: StationNeeds): Promise<Station> {
  const { settings, domain, store, log } = needs
  const undo: Undo = []
  try {
    const wakes = await openWakes({ ...addressOf(settings, domain), log })
    undo.push(() => wakes.close())
    const lease = await openLease(leaseOptionsOf(settings, domain, log)).catch(asStartFailed)
    undo.push(() => lease.close())
    const connection = createConnection(connectionOptionsOf(settings, domain, lease, log))
    const rooms = { store, wakes, lease, connection, ...furnish(needs, wakes, lease, connection) }
    undo.push(() => detach(rooms))
    let stopTimers = () => {}
    return {
      domain,
      store,
      lease,
      connection,
      subscriptions: rooms.subscriptions,
      deliverer: rooms.deliverer,
      async begin(cancelled) {
        await attach(rooms, log, cancelled)
        stopTimers = beginWork(rooms, log)
      },
      reviewHeld: () => reviewHeld(rooms, log),
      async drain() {
        stopTimers()
        await drain(rooms, log)
      },
      async close() {
        stopTimers()
        await unwind(undo, log)
      },
    }
  } catch (error) {
    await unwind(undo, log)
    throw error
  }
}

function furnish(
  { settings, domain, inForce, store, checkpoints, metrics, log }: StationNeeds,
  wakes: RedisWakes,
  lease: Lease,
  connection: Connection,
): Pick<Rooms, 'dispatch' | 'subscriptions' | 'deliverer' | 'reports' | 'held'> {
  const now = Date.now
  const outlet = createOutlet({
    connection,
    host: settings.xmpp.host,
    maxStanzaBytes: settings.xmpp.maxStanzaBytes,
    toElement: toElementText,
    onBounce: (id, from, answer) =>
      void deliverer
        .bounced(id, from, answer)
        .catch(({ message }: Error) => log('error', 'bounce-failed', { id, from, reason: message })),
    now,
    log,
  })
  const alarm = createAlarm(() => inForce.assembly.configuration.settings.alarms.to, outlet, metrics, log, now)
  const sources = settings.subscriptions.map(({ pubsub: service, node, from }) => ({ service, node, from }))
  const sourceNames = new Set(sources.map(({ service, node }) => destinationName({ kind: 'node', service, node })))
  const deliverer = createDeliverer({
    store,
    wakes,
    lease,
    outlet: markOwn(outlet, (name) => sourceNames.has(name), checkpoints),
    policies: () => inForce.assembly.configuration.policies,
    metrics,
    alarm,
    now,
    log,
    random: Math.random,
    places: PLACES,
  })
  const accepting = {
    store,
    wakes,
    reserve: deliverer.reserve,
    metrics,
    alarm,
    now,
    log,
    ruling: () => inForce.assembly.ruling,
    rate: limitRate(settings.limits.perSender.perMinute),
    dedupeWindowMs: settings.dedupe.windowMs,
  }
  const intake = createIntake({ ...accepting, inHandLimit: IN_HAND_LIMIT, inHandBytes: IN_HAND_BYTES })
  const subscriptions = createSubscriptions({
    connection,
    // An item is a document once: for the first domain.
    subscriptions: domain === settings.xmpp.domain ? sources : [],
    sources: createSources({ ...accepting, checkpoints }),
    metrics,
    alarm,
    log,
  })
  const admins = () => inForce.assembly.configuration.settings.admins
  const questions = createQuestions({
    store,
    now,
    log,
    ruling: () => inForce.assembly.ruling,
    offered: () => inForce.assembly.offered,
    admins,
    rate: limitRate(settings.limits.perSender.perMinute, 'questions'),
    inHandLimit: IN_HAND_LIMIT,
  })
  const reports = createReports({ store, metrics, log, outlet: createReportOutlet(connection, settings.xmpp.host) })
  const held = createHeldOperations({ store, rehydrate, metrics, log, now, ruling: () => inForce.assembly.ruling })
  const returns = {
    receipt: outlet.receipt,
    bounce(id: string, from: string, answer: Answer) {
      if (reportedEnvelope(id) === undefined) outlet.bounce(id, from, answer)
      else void reports.bounced(id, from).catch(logged(log, 'bounce-failed'))
    },
  }
  const describe = (from: string) => {
    const { offered, ruling } = inForce.assembly
    const types = offeredTo(from, offered, ruling, admins()).map(({ type }) => type)
    return { version: VERSION, types, limits: settings.limits }
  }
  const dispatch = createDispatch({
    connection,
    maxStanzaBytes: settings.xmpp.maxStanzaBytes,
    outlet: returns,
    intake,
    questions,
    subscriptions,
    describe,
    metrics,
    log,
  })
  return { dispatch, subscriptions, deliverer, reports, held }
}

async function attach(rooms: Rooms, log: Log, cancelled?: AbortSignal): Promise<void> {
  const { lease, connection, dispatch, deliverer } = rooms
  await lease.take(cancelled)
  cancelled?.throwIfAborted()
  const giveUp = () => void connection.stop(0)
  cancelled?.addEventListener('abort', giveUp)
  await connection.start(dispatch.handle)
  cancelled?.removeEventListener('abort', giveUp)
  await deliverer.reclaim()
  reviewHeld(rooms, log)
  connection.onStream(({ kind }) => {
    if (kind === 'online') void deliverer.sweep().catch(logged(log, 'sweep-failed'))
  })
}

function reviewHeld({ held, lease }: Pick<Rooms, 'held' | 'lease'>, log: Log): void {
  if (lease.held) void held.review().catch(logged(log, 'review-failed'))
}

/**
 * Without the lease the station stands by and leaves the wakes to the holder; with it, it goes on where that one ended. That is tried until
 * it is done: what the other had under way would wait for its leases, and what it found open would be probed by nobody.
 */
export function followLease(
  { lease, wakes, goOn }: { lease: Lease; wakes: Pick<RedisWakes, 'pause' | 'resume'>; goOn: () => Promise<unknown> },
  log: Log,
): () => void {
  const stopped = new AbortController()
  const failed = logged(log, 'lease-change-failed')
  let turn = Promise.resolve()
  const untilDone = async () => {
    wakes.resume()
    while (lease.held && !stopped.signal.aborted) {
      const isDone = await goOn().then(() => true, failed)
      if (isDone) return
      await delay(SWEEP_MS, undefined, { signal: stopped.signal }).catch(() => {})
    }
  }
  lease.onChange((held) => {
    turn = turn.then(held ? untilDone : wakes.pause).catch(failed)
  })
  return () => stopped.abort()
}

async function goOn(rooms: Rooms, log: Log): Promise<void> {
  await rooms.deliverer.reclaim()
  await rooms.deliverer.sweep()
  reviewHeld(rooms, log)
}

/** Gives the way to stop what is done at intervals. */
function beginWork(rooms: Rooms, log: Log): () => void {
  const { wakes, deliverer, reports, store } = rooms
  wakes.work((ids) => deliverer.deliver(ids), { concurrency: WORKERS })
  const stops = [
    followLease({ ...rooms, goOn: () => goOn(rooms, log) }, log),
    repeat(SWEEP_MS, () => deliverer.sweep(), logged(log, 'sweep-failed')),
    repeat(SWEEP_MS, () => reports.sweep(), logged(log, 'reports-failed')),
    repeat(PRUNE_MS, () => store.prune(), logged(log, 'prune-failed')),
    repeat(PRUNE_MS, () => expand(rooms), logged(log, 'expansion-failed')),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

/** The next one begins when the one before has ended. */
export function repeat(pauseMs: number, work: () => Promise<unknown>, failed: (error: Error) => void): () => void {
  const stopped = new AbortController()
  const loop = async () => {
    while (!stopped.signal.aborted) {
      await work().catch(failed)
      await delay(pauseMs, undefined, { signal: stopped.signal }).catch(() => {})
    }
  }
  void loop()
  return () => stopped.abort()
}

/** What is under way ends with the connection: another process that had the domain before that is written would take it for a death of ours. */
export async function detach({
  connection,
  deliverer,
}: {
  connection: Pick<Connection, 'stop'>
  deliverer: Pick<Deliverer, 'idle'>
}): Promise<void> {
  await connection.stop(CLOSE_MS)
  const patience = new AbortController()
  const late = delay(ENDS_MS, undefined, { signal: patience.signal }).catch(() => {})
  await Promise.race([deliverer.idle(), late])
  patience.abort()
}

async function drain({ dispatch, subscriptions, wakes, deliverer }: Rooms, log: Log): Promise<void> {
  dispatch.close()
  const patience = new AbortController()
  const quiet = Promise.all([dispatch.idle(), subscriptions.stop(), wakes.pause().then(() => deliverer.idle())]).then(
    () => true,
  )
  const late = delay(DRAIN_MS, false, { signal: patience.signal }).catch(() => false)
  const drained = await Promise.race([quiet, late])
  patience.abort()
  log('info', 'drained', { drained, underWay: deliverer.underWay })
}

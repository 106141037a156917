import { setTimeout as delay } from 'node:timers/promises'
import { type Assembly, assemble } from './assemble.ts'
import { giveCheckers } from './checking.ts'
import { formatProblem, type Problem, type Settings } from './config/configuration.ts'
import { rehydrate, toElementText } from './documents/documents.ts'
import { describeOpen } from './domain/breaker.ts'
import { destinationName } from './domain/delivery.ts'
import type { Answer } from './domain/retry.ts'
import { createAlarm } from './flow/alarms.ts'
import { createDeliverer, type Deliverer } from './flow/deliver.ts'
import { expand } from './flow/expand.ts'
import { createFigures, type Figures } from './flow/figures.ts'
import { createHeldOperations, type HeldOperations } from './flow/held.ts'
import { createIntake } from './flow/intake.ts'
import type { Lease, Log, Metrics } from './flow/ports.ts'
import { createQuestions } from './flow/questions.ts'
import { createReports, type Reports, reportedEnvelope } from './flow/reports.ts'
import { limitRate } from './flow/senders.ts'
import { createSources, markOwn } from './flow/source.ts'
import { createMetrics } from './http/metrics.ts'
import type { SchemaApi } from './http/schemas.ts'
import { type Readiness, type RunningHttp, startHttp } from './http/server.ts'
import { tellFigures } from './process-figures.ts'
import { durabilityProblems } from './redis/durability.ts'
import { openLease } from './redis/lease.ts'
import { followRegistry } from './redis/registry.ts'
import { openStore, type RedisStore } from './redis/store.ts'
import { openWakes, type RedisWakes } from './redis/wakes.ts'
import { openRegistered, type Registered } from './registered.ts'
import { createReloads, type InForce } from './reload.ts'
import { createSchemaCommands } from './schema-command.ts'
import { connectionOptionsOf, leaseOptionsOf, storeOptionsOf } from './settings.ts'
import { VERSION } from './version.ts'
import { type Connection, ConnectionRefused, createConnection } from './xmpp/connection.ts'
import { createDispatch, type Dispatch } from './xmpp/dispatch.ts'
import { createOutlet } from './xmpp/outlet.ts'
import { createReportOutlet } from './xmpp/reports.ts'
import { createSubscriptions, type Subscriptions } from './xmpp/subscriptions.ts'

/** What the process needs of its surroundings. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly log: Log
  /** Lines for people: the problems of a configuration. */
  readonly complain: (line: string) => void
  /** Ends a start that is under way: it throws then, with everything closed. What is up already is ended by `stop`. */
  readonly cancelled?: AbortSignal
}

/** A start that can't succeed: one clear sentence, and the exit code that says whose matter it is (1 findings, 3 environment). */
export class StartFailed extends Error {
  override name = 'StartFailed'
  readonly exitCode: 1 | 3
  constructor(exitCode: 1 | 3, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}

export interface RunningWaybill {
  readonly domain: string
  /** '' where `http` is not configured. */
  readonly http: string
  /** Loads types, routes and policies again, as a change of the files does; a set with errors is refused whole and the last good one stays. */
  reload(): Promise<void>
  /** Finishes what is in flight and ends, within ten seconds. */
  stop(): Promise<void>
}

const SWEEP_MS = 1_000
const PRUNE_MS = 5_000
const DRAIN_MS = 6_000
const CLOSE_MS = 2_000
const PLACES = { all: 2_048, perDestination: 1_024, bytes: 64 << 20 }
const IN_HAND_LIMIT = 4_096
/** In memory a document takes several times its bytes. */
const IN_HAND_BYTES = 32 << 20
const WORKERS = 8
/** `/readyz` names so many open destinations. */
const OPEN_SHOWN_MOST = 20

/** The rooms of a running process, made for one another. */
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
  readonly metrics: Metrics
  readonly figures: Figures
  readonly http: RunningHttp | undefined
}

/**
 * Starts Waybill on a configuration folder and resolves when it is up: while another process holds the domain, it stands by.
 * Throws {@link StartFailed}.
 */
export async function start(folder: string, surroundings: Surroundings): Promise<RunningWaybill> {
  const { log } = surroundings
  const undo: (() => Promise<void>)[] = []
  try {
    const { assembly, store, registered, sequence } = await load(folder, surroundings, undo)
    const inForce: InForce = { assembly }
    const { settings } = assembly.configuration
    const rooms = await furnish(
      settings,
      inForce,
      store,
      createSchemaCommands(folder, surroundings.environment),
      log,
      undo,
    )
    const reloads = createReloads({
      folder,
      environment: surroundings.environment,
      inForce,
      registered: async () => (await registered.read()).bundles,
      log,
      prepare: (assembled) => giveCheckers(assembled, rooms.metrics, log),
      tookOver: () => reviewHeld(rooms, log),
    })
    const onChange = () => reloads.reload('registered')
    const following = followRegistry({ ...settings.redis, log, after: sequence, onChange })
    undo.push(() => following.stop())
    const stopTelling = tellFigures({
      ...{ figures: rooms.figures, store, lease: rooms.lease, domain: settings.xmpp.domain, log },
      checking: () => inForce.assembly.checkers?.inHand ?? 0,
    })
    undo.push(async () => stopTelling())
    await attach(rooms, log, surroundings.cancelled)
    const stopTimers = beginWork(rooms, log)
    if (settings.reload === 'watch') reloads.watch()
    return {
      domain: settings.xmpp.domain,
      http: rooms.http?.url ?? '',
      reload: () => reloads.reload('signal'),
      async stop() {
        reloads.stop()
        stopTimers()
        await drain(rooms, log)
        await unwind(undo, log)
      },
    }
  } catch (error) {
    await unwind(undo, log)
    throw error
  }
}

/** What a start begins with: the folder's configuration together with what is registered. */
interface Loaded {
  readonly assembly: Assembly
  readonly store: RedisStore
  readonly registered: Registered
  /** At which change of the registry it was loaded. */
  readonly sequence: number
}

async function load(folder: string, surroundings: Surroundings, undo: (() => Promise<void>)[]): Promise<Loaded> {
  const { environment, log } = surroundings
  const alone = await assemble(folder, environment)
  if (!alone.settings) throw refusal(folder, alone.problems, surroundings)
  const store = await openDurableStore(alone.settings, log).catch((error: Error) => {
    // What is wrong in the files can be told without Redis.
    throw alone.assembly ? error : refusal(folder, alone.problems, surroundings)
  })
  undo.push(() => store.close())
  const registered = openRegistered(store.registry)
  undo.push(() => registered.close())
  const { state, bundles } = await registered.read()
  const { assembly, problems } = bundles.length === 0 ? alone : await assemble(folder, environment, bundles)
  if (assembly !== alone.assembly) alone.assembly?.documents.dispose()
  if (!assembly) throw refusal(folder, problems, surroundings)
  for (const problem of problems) log('warn', 'configuration', { problem: formatProblem(problem) })
  return { assembly, store, registered, sequence: state.sequence }
}

function refusal(folder: string, problems: readonly Problem[], { complain }: Surroundings): StartFailed {
  for (const problem of problems) complain(formatProblem(problem))
  return new StartFailed(1, `Cannot start: the configuration in ${folder} has errors`)
}

/** Opens what must be open before the first stanza; `undo` learns how each of it is closed, in the order of opening. */
async function furnish(
  settings: Settings,
  inForce: InForce,
  store: RedisStore,
  runSchema: SchemaApi['run'],
  log: Log,
  undo: (() => Promise<void>)[],
): Promise<Rooms> {
  const wakes = await openWakes({ ...settings.redis, log })
  undo.push(() => wakes.close())
  const lease = await openLease(leaseOptionsOf(settings, log)).catch((error: Error) => {
    throw new StartFailed(3, error.message)
  })
  undo.push(() => lease.close())
  const connection = createConnection(connectionOptionsOf(settings, lease, log))
  undo.push(() => connection.stop(CLOSE_MS))

  const now = Date.now
  const { metrics: counters, registry } = createMetrics({
    online: () => connection.online,
    standby: () => lease.other !== undefined,
    openDestinations: () => deliverer.open.size,
    bytes: async () => (await store.ledger()).bytes,
    depth: () => store.depth(),
  })
  const figures = createFigures(counters, () => performance.now())
  const { metrics } = figures
  inForce.assembly = await giveCheckers(inForce.assembly, metrics, log)
  undo.push(async () => inForce.assembly.checkers?.close())
  const outlet = createOutlet({
    connection,
    host: settings.xmpp.host,
    maxStanzaBytes: settings.xmpp.maxStanzaBytes,
    toElement: toElementText,
    onBounce: (id, from, answer) => void deliverer.bounced(id, from, answer).catch(logged(log, 'bounce-failed')),
    now,
    log,
  })
  const alarm = createAlarm(() => inForce.assembly.configuration.settings.alarms.to, outlet, metrics, log, now)
  const sources = settings.subscriptions.map(({ pubsub: service, node, from }) => ({ service, node, from }))
  const sourceNames = new Set(sources.map(({ service, node }) => destinationName({ kind: 'node', service, node })))
  const deliverer = createDeliverer({
    store,
    wakes,
    outlet: markOwn(outlet, (name) => sourceNames.has(name), store),
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
    subscriptions: sources,
    sources: createSources({ ...accepting, checkpoints: store }),
    metrics,
    alarm,
    log,
  })
  const questions = createQuestions({
    store,
    now,
    log,
    ruling: () => inForce.assembly.ruling,
    admins: () => inForce.assembly.configuration.settings.admins,
    rate: limitRate(settings.limits.perSender.perMinute, 'questions'),
    inHandLimit: IN_HAND_LIMIT,
  })
  const reports = createReports({ store, metrics, log, outlet: createReportOutlet(connection, settings.xmpp.host) })
  const held = createHeldOperations({ store, rehydrate, metrics, log, ruling: () => inForce.assembly.ruling })
  const returns = {
    receipt: outlet.receipt,
    bounce(id: string, from: string, answer: Answer) {
      if (reportedEnvelope(id) === undefined) outlet.bounce(id, from, answer)
      else void reports.bounced(id, from).catch(logged(log, 'bounce-failed'))
    },
  }
  const describe = () => ({ version: VERSION, types: inForce.assembly.configuration.types, limits: settings.limits })
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
  const http = await listen(
    settings,
    () => readiness(settings, connection, lease, store, subscriptions, deliverer),
    registry,
    runSchema,
    log,
  )
  if (http) undo.push(() => http.close())
  return { store, wakes, lease, connection, dispatch, subscriptions, deliverer, reports, held, metrics, figures, http }
}

/** docs/operations.md, guarantee 1: if Redis offers less than is configured, or can't be asked, Waybill doesn't start. */
async function openDurableStore(settings: Settings, log: Log): Promise<RedisStore> {
  const store = await openStore(storeOptionsOf(settings, log)).catch((error: Error) => {
    throw new StartFailed(3, error.message)
  })
  const problems = durabilityProblems(await store.inspect(), settings.redis.durability)
  if (problems.length === 0) return store
  await store.close()
  throw new StartFailed(3, `Cannot promise redis.durability ${settings.redis.durability}: ${problems.join('; ')}`)
}

async function listen(
  { http }: Settings,
  readinessNow: () => Promise<readonly Readiness[]>,
  registry: Parameters<typeof startHttp>[0]['registry'],
  runSchema: SchemaApi['run'],
  log: Log,
): Promise<RunningHttp | undefined> {
  if (!http) return undefined
  const { listen: address, token } = http
  const schemas = token === undefined ? {} : { schemas: { token, run: runSchema } }
  return startHttp({ ...address, registry, readiness: readinessNow, ...schemas, log }).catch((error: Error) => {
    throw new StartFailed(3, error.message)
  })
}

async function readiness(
  { redis }: Settings,
  connection: Connection,
  lease: Lease,
  store: RedisStore,
  subscriptions: Subscriptions,
  deliverer: Deliverer,
): Promise<readonly Readiness[]> {
  const asked = await store.probeWrites().then(
    () => '',
    (error: Error) => error.message,
  )
  return [
    { part: 'xmpp', ready: connection.online, reason: connection.online ? '' : detachedBecause(connection, lease) },
    { part: 'redis', ready: asked === '', reason: asked },
    ...(await durabilityReadiness(store, redis.durability)),
    ...subscriptions.states().map(({ name, confirmed, reason }) => {
      return { part: `subscription ${name}`, ready: confirmed, reason, vital: false }
    }),
    ...openReadiness(deliverer.open),
    ...(await heldReadiness(store)),
  ]
}

/** After a fail-over it is another Redis than the one that was looked at before the start. */
async function durabilityReadiness(
  store: RedisStore,
  wanted: Settings['redis']['durability'],
): Promise<readonly Readiness[]> {
  const seen = await store.inspect().catch(() => undefined)
  if (!seen) return []
  const problems = durabilityProblems(seen, wanted)
  return [{ part: 'durability', ready: problems.length === 0, reason: problems.join('; ') }]
}

/** Nothing becomes of what is held until somebody looks at it, or a configuration accepts it. */
async function heldReadiness(store: RedisStore): Promise<readonly Readiness[]> {
  const { held } = await store.depth().catch(() => ({ held: 0 }))
  if (held === 0) return []
  return [{ part: 'held documents', ready: false, reason: `${held} are held as invalid: waybill held`, vital: false }]
}

function openReadiness(open: Deliverer['open']): readonly Readiness[] {
  const shown = [...open].slice(0, OPEN_SHOWN_MOST)
  const parts = shown.map(([destination, breaker]) => {
    return { part: `destination ${destination}`, ready: false, reason: describeOpen(breaker), vital: false }
  })
  const more = open.size - shown.length
  const rest = { part: 'destinations', ready: false, reason: `${more} more are open`, vital: false }
  return more > 0 ? [...parts, rest] : parts
}

function detachedBecause({ domain }: Connection, lease: Lease): string {
  if (lease.other) return `standby: ${lease.other.instance} holds ${domain}`
  return lease.held
    ? 'not attached to the XMPP server'
    : `not attached: Redis could not be asked in time who holds ${domain}`
}

/** Waits for the domain, goes online, and takes back what an earlier process had under way before anything new is begun. */
async function attach(rooms: Rooms, log: Log, cancelled?: AbortSignal): Promise<void> {
  const { lease, connection, dispatch, deliverer } = rooms
  await lease.take(cancelled)
  cancelled?.throwIfAborted()
  const giveUp = () => void connection.stop(0)
  cancelled?.addEventListener('abort', giveUp)
  await connection.start(dispatch.handle).catch((error: Error) => {
    throw error instanceof ConnectionRefused ? new StartFailed(3, error.message) : error
  })
  cancelled?.removeEventListener('abort', giveUp)
  await deliverer.reclaim()
  reviewHeld(rooms, log)
  connection.onStream(({ kind }) => {
    if (kind === 'online') void deliverer.sweep().catch(logged(log, 'sweep-failed'))
  })
}

/** What is held may be valid by another configuration. One process looks: that which holds the domain. */
function reviewHeld({ held, lease }: Rooms, log: Log): void {
  if (lease.held) void held.review().catch(logged(log, 'review-failed'))
}

/** Without the lease the process stands by and leaves the wakes to the holder; with it, it goes on where that one ended. */
function followLease(rooms: Rooms, log: Log): void {
  const { lease, wakes, deliverer } = rooms
  let turn = Promise.resolve()
  const goOn = async () => {
    wakes.resume()
    await deliverer.reclaim()
    await deliverer.sweep()
    reviewHeld(rooms, log)
  }
  lease.onChange((held) => {
    turn = turn.then(held ? goOn : wakes.pause).catch(logged(log, 'lease-change-failed'))
  })
}

/** Gives the way to stop what is done at intervals. */
function beginWork(rooms: Rooms, log: Log): () => void {
  const { wakes, deliverer, reports, store } = rooms
  wakes.work((ids) => deliverer.deliver(ids), { concurrency: WORKERS })
  followLease(rooms, log)
  const stops = [
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
function repeat(pauseMs: number, work: () => Promise<unknown>, failed: (error: Error) => void): () => void {
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

/** New documents are refused with `wait`, what is in hand is answered, and what is under way is ended as far as it can be in time. */
async function drain({ dispatch, subscriptions, wakes, deliverer }: Rooms, log: Log): Promise<void> {
  dispatch.close()
  deliverer.rest()
  const patience = new AbortController()
  const quiet = Promise.all([dispatch.idle(), subscriptions.stop(), wakes.pause().then(() => deliverer.idle())]).then(
    () => true,
  )
  const late = delay(DRAIN_MS, false, { signal: patience.signal }).catch(() => false)
  const drained = await Promise.race([quiet, late])
  patience.abort()
  log('info', 'drained', { drained, underWay: deliverer.underWay })
}

async function unwind(undo: (() => Promise<void>)[], log: Log): Promise<void> {
  for (const close of undo.splice(0).reverse()) await close().catch(logged(log, 'close-failed'))
}

function logged(log: Log, event: string): (error: Error) => void {
  return (error) => log('error', event, { reason: error.message })
}

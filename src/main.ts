import { randomUUID } from 'node:crypto'
import { type Assembly, assemble } from './assemble.ts'
import { formatProblem, type Settings } from './config/configuration.ts'
import { toElementText } from './documents/documents.ts'
import { createAlarm } from './flow/alarms.ts'
import { createDeliverer, type Deliverer } from './flow/deliver.ts'
import { createIntake } from './flow/intake.ts'
import type { Log } from './flow/ports.ts'
import { limitRate } from './flow/senders.ts'
import { createMetrics } from './http/metrics.ts'
import { type Readiness, type RunningHttp, startHttp } from './http/server.ts'
import { durabilityProblems, openStore } from './redis/store.ts'
import { openWakes } from './redis/wakes.ts'
import { type Connection, createConnection } from './xmpp/connection.ts'
import { createDispatch } from './xmpp/dispatch.ts'
import { createOutlet } from './xmpp/outlet.ts'
import { VERSION } from './version.ts'

/** What the process needs of its surroundings. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly log: Log
  /** Lines for people: problems of the configuration, the one sentence with which a start fails. */
  readonly complain: (line: string) => void
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
  /** Loads the folder again; a set with errors is refused whole and the last good one stays. */
  reload(): Promise<void>
  /** Finishes what is in flight and ends; within ten seconds. */
  stop(): Promise<void>
}

const SWEEP_MS = 1_000
const PRUNE_MS = 10_000
const DRAIN_MS = 7_000
const PLACES = { all: 2_048, perDestination: 512 }
const IN_HAND_LIMIT = 4_096

/** Starts Waybill on a configuration folder: resolves when it is up. Throws {@link StartFailed}. */
export async function start(folder: string, { environment, log, complain }: Surroundings): Promise<RunningWaybill> {
  let assembly = await load(folder, environment, complain)
  const { settings } = assembly.configuration
  const stops: (() => Promise<void>)[] = []
  const unwind = async () => {
    for (const stop of stops.splice(0).reverse()) await stop().catch((error: Error) => log('error', 'stop-failed', { reason: error.message }))
  }
  try {
    const store = await openDurableStore(settings, log)
    stops.push(() => store.close())
    const wakes = await openWakes({ url: settings.redis.url, prefix: settings.redis.prefix, log })
    stops.push(() => wakes.close())

    const connection = connectionOf(settings, log)
    const outlet = createOutlet({
      connection,
      host: settings.xmpp.host,
      maxStanzaBytes: settings.xmpp.maxStanzaBytes,
      toElement: toElementText,
      onBounce: (id, from, answer) => void deliverer.bounced(id, from, answer).catch(logged(log, 'bounce-failed')),
      now: Date.now,
      log,
    })
    const { metrics, registry } = createMetrics({ online: () => connection.online, depth: () => store.depth() })
    const now = Date.now
    const alarm = createAlarm(() => assembly.configuration.settings.alarms.to, outlet, metrics, log, now)
    const deliverer: Deliverer = createDeliverer({
      store,
      wakes,
      outlet,
      policies: () => assembly.configuration.policies,
      metrics,
      alarm,
      now,
      log,
      random: Math.random,
      places: PLACES,
    })
    const intake = createIntake({
      store,
      wakes,
      now,
      log,
      metrics,
      dedupeWindowMs: settings.dedupe.windowMs,
      ruling: () => assembly.ruling,
      rate: limitRate(settings.limits.perSender.perMinute),
      inHandLimit: IN_HAND_LIMIT,
    })
    const dispatch = createDispatch({ connection, outlet, intake, describe: () => describe(assembly), log })

    const http = await listen(settings, registry, () => readiness(connection, store), log)
    if (http) stops.push(() => http.close())
    connection.onStream((event) => {
      if (event.kind === 'online') void deliverer.sweep().catch(logged(log, 'sweep-failed'))
    })
    stops.push(() => connection.stop(2_000))
    await attach(connection, dispatch.handle)
    await store.reclaim()
    wakes.work((ids) => deliverer.deliver(ids), { concurrency: 8 })
    const timers = [
      repeat(SWEEP_MS, async () => void (await deliverer.sweep()), log, 'sweep-failed'),
      repeat(PRUNE_MS, async () => void (await store.prune()), log, 'prune-failed'),
    ]
    log('info', 'started', { domain: settings.xmpp.domain, types: assembly.configuration.types.length, routes: assembly.configuration.routes.length })

    return {
      domain: settings.xmpp.domain,
      http: http?.url ?? '',
      async reload() {
        const { assembly: next, problems } = await assemble(folder, environment)
        if (!next) return log('error', 'reload-refused', { problems: problems.map(formatProblem) })
        const before = assembly
        assembly = next
        // Stanzas in hand keep the ruling that they began with; they are done long before this.
        setTimeout(() => before.documents.dispose(), 60_000).unref()
        log('info', 'reloaded', { types: next.configuration.types.length, routes: next.configuration.routes.length })
      },
      async stop() {
        for (const timer of timers) timer()
        dispatch.close()
        await Promise.race([Promise.all([dispatch.idle(), wakes.pause().then(() => deliverer.idle())]), delay(DRAIN_MS)])
        await unwind()
        log('info', 'stopped')
      },
    }
  } catch (error) {
    await unwind()
    throw error
  }
}

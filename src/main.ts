import { type Assembly, assemble, withoutPlaces } from './assemble.ts'
import { type CheckingNeeds, giveCheckers, shareChecks } from './checking.ts'
import type { RegisteredBundle } from './config/bundle.ts'
import { formatProblem, loadSettings, type Problem, type Settings } from './config/configuration.ts'
import { digestOfConfiguration } from './config/difference.ts'
import { createFigures, type Figures } from './flow/figures.ts'
import type { Log } from './flow/ports.ts'
import { type Gauges, type MetricsText, metricsOfDomains } from './http/metrics.ts'
import type { SchemaApi } from './http/schemas.ts'
import { type Readiness, type RunningHttp, startHttp } from './http/server.ts'
import { tellLeftDomains } from './left-domains.ts'
import { meetNeighbours, type Neighbours } from './neighbours.ts'
import { tellFigures } from './process-figures.ts'
import { readinessOf } from './readiness.ts'
import { durabilityProblems } from './redis/durability.ts'
import { followRegistry } from './redis/registry.ts'
import { openStore, type RedisStore } from './redis/store.ts'
import { openRegistered, type Registered } from './registered.ts'
import { createReloads, type InForce } from './reload.ts'
import { createSchemaCommands } from './schema-command.ts'
import { domainsOf, INSTANCE, storeOptionsOf } from './settings.ts'
import { openShares, type Shares } from './shares.ts'
import { asStartFailed, StartFailed } from './start-failed.ts'
import { openStation, type Station } from './station.ts'
import { type Undo, unwind } from './unwind.ts'
import { type EarlyWatch, watchEarly } from './watch.ts'

/** What the process needs of its surroundings. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly log: Log
  /** Lines for people: the problems of a configuration. */
  readonly complain: (line: string) => void
  /** Ends a start that is under way: it throws then, with everything closed. What is up already is ended by `stop`. */
  readonly cancelled?: AbortSignal
  /**
   * Told, once there is a configuration in force, how it is loaded again, as a change of the files has it loaded; a set with errors is refused
   * whole and the last good one stays. That is before a domain is served: a process may stand by for months.
   */
  readonly loaded?: (reload: () => Promise<void>) => void
}

export interface RunningWaybill {
  /** Those that this process holds, the first one first. */
  readonly domains: readonly string[]
  /** '' where `http` is not configured. */
  readonly http: string
  /** Finishes what is in flight and ends, within ten seconds. */
  stop(): Promise<void>
}

/**
 * Starts Waybill on a configuration folder and resolves when it serves a domain: while other processes hold all of them, it stands by.
 * Throws {@link StartFailed}.
 */
export async function start(folder: string, surroundings: Surroundings): Promise<RunningWaybill> {
  const { environment, log } = surroundings
  const undo: Undo = []
  try {
    const changes = await watchAsConfigured(folder, environment, undo)
    const { assembly, store, registered, bundles, sequence } = await load(folder, surroundings, undo)
    const inForce: InForce = { assembly: withoutPlaces(assembly) }
    const { settings } = assembly.configuration
    const { shares, neighbours, figures, checking, metricsText } = await settle(
      settings,
      inForce,
      store,
      surroundings,
      undo,
    )
    const http = await listen(
      settings,
      async () => [...(await readinessOf(shares, settings)), configurationInForce(inForce, neighbours)],
      metricsText,
      createSchemaCommands(folder, environment),
      log,
    )
    if (http) undo.push(() => http.close())
    const reloads = createReloads({
      folder,
      environment,
      inForce,
      bundles,
      registered: async () => (await registered.read()).bundles,
      log,
      prepare: (assembled) => giveCheckers(assembled, checking),
      agreed: ({ configuration }) => neighbours.agree(digestOfConfiguration(configuration)),
      tookOver() {
        for (const station of shares.stations) station.reviewHeld()
      },
    })
    undo.push(async () => reloads.stop())
    if (changes) reloads.follow(changes)
    surroundings.loaded?.(() => reloads.reload('signal'))
    const onChange = () => reloads.reload('registered')
    const following = followRegistry({ ...settings.redis, log, after: sequence, onChange })
    undo.push(() => following.stop())
    const stopTelling = tellFigures({
      ...{ figures, store, holds: shares.holds, domains: domainsOf(settings), log },
      checking: () => inForce.assembly.checkers?.inHand ?? 0,
    })
    undo.push(async () => stopTelling())
    await shares.begin()
    return {
      domains: shares.holds(),
      http: http?.url ?? '',
      async stop() {
        reloads.stop()
        // First, so that nobody counts on this process any more.
        await neighbours.stop()
        await shares.stop()
        await unwind(undo, log)
      },
    }
  } catch (error) {
    await unwind(undo, log)
    throw error
  }
}

/** By itself, so that what is undone at the end holds nothing else until then: the files of the start, say. */
function closeAtTheEnd(opened: { close(): Promise<void> }, undo: Undo): void {
  undo.push(() => opened.close())
}

/** Before anything else is read; undefined where SIGHUP alone has the folder loaded again, and where its settings have errors. */
async function watchAsConfigured(
  folder: string,
  environment: Surroundings['environment'],
  undo: Undo,
): Promise<EarlyWatch | undefined> {
  const settings = await loadSettings(folder, environment)
  if (settings?.reload !== 'watch') return undefined
  const changes = await watchEarly(folder)
  undo.push(async () => changes.stop())
  return changes
}

/** What a start begins with: the folder's configuration together with what is registered. */
interface Loaded {
  readonly assembly: Assembly
  readonly store: RedisStore
  readonly registered: Registered
  /** What was registered then. */
  readonly bundles: readonly RegisteredBundle[]
  /** At which change of the registry it was loaded. */
  readonly sequence: number
}

async function load(folder: string, surroundings: Surroundings, undo: Undo): Promise<Loaded> {
  const { environment, log } = surroundings
  const alone = await assemble(folder, environment)
  if (!alone.settings) throw refusal(folder, alone.problems, surroundings)
  const store = await openDurableStore(alone.settings, alone.settings.xmpp.domain, log).catch((error: Error) => {
    // What is wrong in the files can be told without Redis.
    throw alone.assembly ? error : refusal(folder, alone.problems, surroundings)
  })
  closeAtTheEnd(store, undo)
  const registered = openRegistered(store.registry)
  closeAtTheEnd(registered, undo)
  const { state, bundles } = await registered.read()
  const { assembly, problems } = bundles.length === 0 ? alone : await assemble(folder, environment, bundles)
  if (assembly !== alone.assembly) alone.assembly?.documents.dispose()
  if (!assembly) throw refusal(folder, problems, surroundings)
  for (const problem of problems) log('warn', 'configuration', { problem: formatProblem(problem) })
  return { assembly, store, registered, bundles, sequence: state.sequence }
}

function refusal(folder: string, problems: readonly Problem[], { complain }: Surroundings): StartFailed {
  for (const problem of problems) complain(formatProblem(problem))
  return new StartFailed(1, `Cannot start: the configuration in ${folder} has errors`)
}

/** What all domains of the process have in common, and their shares in it. */
interface Settled {
  readonly shares: Shares
  readonly neighbours: Neighbours
  readonly figures: Figures
  readonly checking: CheckingNeeds
  readonly metricsText: MetricsText
}

/** Opens what every domain needs, standing by; `undo` learns how each of it is closed, in the order of opening. */
async function settle(
  settings: Settings,
  inForce: InForce,
  first: RedisStore,
  { log, cancelled }: Surroundings,
  undo: Undo,
): Promise<Settled> {
  const domains = domainsOf(settings)
  await first.served.remember(settings.xmpp.domains).catch(asStartFailed)
  await tellLeftDomains(settings, first.served, log)
  const stores = new Map([[settings.xmpp.domain, first]])
  for (const domain of settings.xmpp.domains) {
    const store = await openDurableStore(settings, domain, log)
    undo.push(() => store.close())
    stores.set(domain, store)
  }
  const stationOf = (domain: string) => shares?.stations.find((station) => station.domain === domain)
  const { of, text } = metricsOfDomains(domains, (domain) => gaugesOf(stores.get(domain)!, () => stationOf(domain)))
  const figures = createFigures(of(settings.xmpp.domain), () => performance.now())
  const checks = shareChecks(settings.redis, inForce, log)
  undo.push(() => checks.close())
  const checking: CheckingNeeds = { metrics: figures.metrics, log, far: checks }
  inForce.assembly = await giveCheckers(inForce.assembly, checking)
  undo.push(async () => inForce.assembly.checkers?.close())
  const open = (domain: string) => {
    const store = stores.get(domain)!
    const metrics = figures.over(of(domain))
    return openStation({ settings, domain, inForce, store, checkpoints: first, metrics, log })
  }
  let shares: Shares | undefined
  const neighbours = meetNeighbours({
    presence: first.presence,
    instance: INSTANCE,
    holds: () => shares?.holds() ?? [],
    inForce: () => digestOfConfiguration(inForce.assembly.configuration),
    log,
  })
  undo.push(() => neighbours.stop())
  shares = await openShares({ domains, open, neighbours, cancelled, log })
  undo.push(() => shares!.stop())
  return { shares, neighbours, figures, checking, metricsText: text }
}

/** docs/operations.md, guarantee 1: if Redis offers less than is configured, or can't be asked, Waybill doesn't start. */
async function openDurableStore(settings: Settings, domain: string, log: Log): Promise<RedisStore> {
  const store = await openStore(storeOptionsOf(settings, domain, log)).catch(asStartFailed)
  const problems = durabilityProblems(await store.inspect(), settings.redis.durability)
  if (problems.length === 0) return store
  await store.close()
  throw new StartFailed(3, `Cannot promise redis.durability ${settings.redis.durability}: ${problems.join('; ')}`)
}

async function listen(
  { http }: Settings,
  readinessNow: () => Promise<readonly Readiness[]>,
  registry: MetricsText,
  runSchema: SchemaApi['run'],
  log: Log,
): Promise<RunningHttp | undefined> {
  if (!http) return undefined
  const { listen: address, token } = http
  const schemas = token === undefined ? {} : { schemas: { token, run: runSchema } }
  return startHttp({ ...address, registry, readiness: readinessNow, ...schemas, log }).catch(asStartFailed)
}

/** Which set this process judges and routes by, and which processes have another one. */
function configurationInForce({ assembly }: InForce, { others }: Neighbours): Readiness {
  const digest = digestOfConfiguration(assembly.configuration)
  const different = others.filter((other) => other.inForce !== digest)
  const reason = different.map((other) => `; ${other.instance} has ${other.inForce}`).join('')
  return {
    part: 'configuration',
    ready: different.length === 0,
    reason: `${digest} is in force${reason}`,
    vital: false,
  }
}

function gaugesOf(store: RedisStore, station: () => Station | undefined): Gauges {
  return {
    online: () => station()?.connection.online ?? false,
    standby: () => station()?.lease.other !== undefined,
    openDestinations: () => station()?.deliverer.open.size ?? 0,
    bytes: async () => (await store.ledger()).bytes,
    depth: () => store.depth(),
  }
}

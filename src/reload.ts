import { setTimeout as delay } from 'node:timers/promises'
import { type AssemblyInForce, assemble, withoutPlaces } from './assemble.ts'
import type { RegisteredBundle } from './config/bundle.ts'
import { formatProblem } from './config/configuration.ts'
import { type Changes, type Difference, difference, isEmpty, needRestart } from './config/difference.ts'
import { type Log, StoreUnavailable } from './flow/ports.ts'
import type { EarlyWatch } from './watch.ts'

/** The assembly in force; a reload replaces it whole. */
export interface InForce {
  assembly: AssemblyInForce
}

/** `registered`: the registry has changed. */
export type ReloadCause = 'signal' | 'change' | 'registered'

export interface Reloads {
  /**
   * Loads the folder again. A set with errors is refused whole, with its reasons, and the one in force stays. One reload goes on
   * at a time; those that are asked for meanwhile are one. Throws for `registered` alone, where the registry can't be read.
   */
  reload(cause: ReloadCause): Promise<void>
  /** Reloads when files change. */
  follow(changes: EarlyWatch): void
  /** Nothing comes into force any more, nor what is being loaded. */
  stop(): void
}

export interface ReloadNeeds {
  readonly folder: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly inForce: InForce
  /** What was registered when the assembly in force was loaded. */
  readonly bundles: readonly RegisteredBundle[]
  /** What is registered now, laid out. Throws {@link StoreUnavailable}. */
  readonly registered: () => Promise<readonly RegisteredBundle[]>
  readonly log: Log
  /** Gives an assembly what it needs to come into force. */
  readonly prepare: (assembly: AssemblyInForce) => Promise<AssemblyInForce>
  /** Resolves when the other processes know of it too, or have been waited for long enough. */
  readonly agreed: (next: AssemblyInForce) => Promise<void>
  /** Another assembly is in force. */
  readonly tookOver: () => void
  /** A minute by default. */
  readonly oldRulingMs?: number
}

/** A predecessor is freed when nothing goes by it any more; how often it is looked at. */
const OLD_RULING_MS = 60_000

/** Which of several causes is told, the first of these that there was. */
const CAUSES: readonly ReloadCause[] = ['registered', 'signal', 'change']

export function createReloads({
  folder,
  environment,
  inForce,
  bundles: first,
  registered,
  log,
  prepare,
  agreed,
  tookOver,
  oldRulingMs = OLD_RULING_MS,
}: ReloadNeeds): Reloads {
  let bundles = first
  let running: Promise<void> | undefined
  let next: ReloadCause | undefined
  let stopped = false

  async function reloadAll(): Promise<void> {
    for (let cause = next; cause !== undefined && !stopped; cause = next) {
      next = undefined
      await reloadOnce(cause)
    }
  }

  async function reloadOnce(cause: ReloadCause): Promise<void> {
    await readRegistered(cause)
    const { assembly, problems } = await assemble(folder, environment, bundles)
    if (stopped) return assembly?.documents.dispose()
    if (!assembly) {
      log('error', 'reload-refused', { cause, problems: problems.map(formatProblem) })
      return
    }
    const changes = difference(inForce.assembly.configuration, assembly.configuration)
    if (cause === 'change' && isEmpty(changes)) {
      log('debug', 'reload-unneeded', { cause })
      assembly.documents.dispose()
      return
    }
    const prepared = await prepare(withoutPlaces(assembly))
    await agreed(prepared)
    if (stopped) return discard(prepared)
    takeOver(prepared)
    const { types, routes } = assembly.configuration
    log('info', 'reloaded', { cause, types: types.length, routes: routes.length, changes: shown(changes) })
    const late = needRestart(changes)
    if (late.length > 0) log('warn', 'reload-needs-restart', { settings: late })
  }

  /** Where Redis is away, the files are loaded with what was registered when it was last asked. */
  async function readRegistered(cause: ReloadCause): Promise<void> {
    try {
      bundles = await registered()
    } catch (error) {
      if (cause === 'registered' || !(error instanceof StoreUnavailable)) throw error
      log('warn', 'registry-not-read', { reason: error.message })
    }
  }

  /** A stanza keeps the ruling that it began with. */
  function takeOver(assembly: AssemblyInForce): void {
    const before = inForce.assembly
    inForce.assembly = assembly
    tookOver()
    before.checkers?.retire()
    void discardUnused(before)
  }

  /** One stanza may hold hundreds of items, each of which takes seconds to be checked. */
  async function discardUnused(assembly: AssemblyInForce): Promise<void> {
    do await delay(oldRulingMs, undefined, { ref: false })
    while (assembly.ruling.uses!.count > 0)
    discard(assembly)
  }

  const reload: Reloads['reload'] = async (cause) => {
    if (stopped) return
    // A signal is always answered, also where nothing has changed.
    next = CAUSES.find((one) => one === cause || one === next)
    running ??= reloadAll().finally(() => {
      running = undefined
      // Asked for when the last one had just ended.
      return next === undefined ? undefined : reload(next)
    })
    return running
  }

  return {
    reload,
    follow(changes) {
      const failed = (error: Error) => log('warn', 'watch-failed', { reason: error.message })
      const changed = () => {
        void reload('change').catch((error: Error) => log('error', 'reload-failed', { reason: error.message }))
      }
      changes.listen({ changed, failed })
    },
    stop() {
      stopped = true
    },
  }
}

/** Frees what nothing is judged by. */
function discard({ checkers, documents }: AssemblyInForce): void {
  checkers?.close()
  documents.dispose()
}

const NAMES_SHOWN = 20

/** What has changed, in as many names as a line of the log should hold. */
function shown({ types, routes, policies, settings }: Difference): Readonly<Record<string, unknown>> {
  const named = Object.entries({ types, routes, policies }).map(
    ([key, changes]) => [key, shownChanges(changes)] as const,
  )
  return Object.fromEntries(
    [...named, ['settings', settings] as const].filter(([, value]) => Object.keys(value).length > 0),
  )
}

function shownChanges(changes: Changes): Readonly<Record<string, unknown>> {
  const given = Object.entries(changes).filter(([, names]: [string, readonly string[]]) => names.length > 0)
  return Object.fromEntries(
    given.map(([key, names]: [string, readonly string[]]) => {
      return [key, names.length > NAMES_SHOWN ? { count: names.length, first: names.slice(0, NAMES_SHOWN) } : names]
    }),
  )
}

import { setImmediate } from 'node:timers/promises'
import { checkSamples } from './check-samples.ts'
import type { RegisteredBundle } from './config/bundle.ts'
import { byPlace, type Configuration, loadConfiguration, type Problem, type Settings } from './config/configuration.ts'
import { keepReading } from './documents/bundle-reader.ts'
import type { ThreadedCheckers } from './documents/checking/checkers.ts'
import type { CheckedSet } from './documents/checking/task.ts'
import { type CompiledDocuments, compileDocuments, compileXPathTest } from './documents/documents.ts'
import { typeKey } from './domain/document-type.ts'
import type { OfferedType } from './domain/offered-type.ts'
import type { Ruling } from './flow/intake.ts'
import { compileSenders } from './flow/senders.ts'
import { compileRoutesInSlices } from './matching/matcher.ts'
import { offeredTypes } from './offered-types.ts'

/** A configuration with all that its types and routes compile into. */
export interface Assembly {
  readonly configuration: Configuration
  readonly ruling: Ruling
  readonly documents: CompiledDocuments
  /** What senders may read of the types. */
  readonly offered: readonly OfferedType[]
  /** What other threads need to validate by it. */
  readonly checkedSet: CheckedSet
  /** Where a running process has given it threads. */
  readonly checkers?: ThreadedCheckers
}

/** What of it is in force: a running process has no more problems to tell, and no places to tell them at. */
export type AssemblyInForce = Omit<Assembly, 'configuration'> & {
  readonly configuration: Omit<Configuration, 'locate'>
}

/** Lets go of what problems are located by: of 100,000 routes it takes 200 MB. */
export function withoutPlaces(assembly: Assembly): AssemblyInForce {
  const { locate: _, ...configuration } = assembly.configuration
  return { ...assembly, configuration }
}

export interface Assembled {
  readonly assembly: Assembly | undefined
  /** Undefined where they have errors themselves. */
  readonly settings: Settings | undefined
  readonly problems: readonly Problem[]
}

/** Only for finding what is wrong where the installation's own are not known. */
const LIMITS = { documentBytes: 190_000, depth: 64, attributes: 256 }

/**
 * Loads a folder and compiles what it says, as `run`, `check` and every other command see it. All problems at once; there
 * is an assembly only where none of them is an error.
 *
 * @param registered Document types that were registered at run time.
 */
export async function assemble(
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
  registered: readonly RegisteredBundle[] = [],
): Promise<Assembled> {
  const { configuration, sound, problems } = await loadConfiguration(folder, environment, registered)
  const { settings, types, routes, locate } = sound
  const limits = settings?.limits ?? LIMITS
  const bundle = keepReading()
  const compiled = await compileDocuments(types, limits, bundle)
  const broken = new Set(compiled.problems.flatMap(({ type, severity }) => (severity === 'error' ? [type] : [])))
  const sampleProblems = await checkSamples(sound, compiled.documents, limits, (key) => !broken.has(key))
  const { matcher, problems: routeProblems } = await compileRoutesInSlices(routes, compileXPathTest, setImmediate)
  const all = [
    ...problems,
    ...sampleProblems,
    ...compiled.problems.map(({ type, path, message, severity, at }): Problem => {
      const text = `type ${type}: ${message}${at === undefined ? '' : ` (at ${at})`}`
      return {
        code: `type-${path[0] ?? 'invalid'}`,
        severity,
        message: text,
        ...locate('DocumentType', type, path),
      }
    }),
    ...routeProblems.map(({ route, path, message, severity, code }): Problem => {
      return { code, severity, message: `route ${route}: ${message}`, ...locate('Route', route, path) }
    }),
  ].sort(byPlace)
  if (!configuration || all.some((problem) => problem.severity === 'error')) {
    compiled.documents.dispose()
    return { assembly: undefined, settings, problems: all }
  }
  const { documents } = compiled
  const typeSenders = new Map(
    configuration.types.flatMap((type) =>
      type.senders === undefined ? [] : [[typeKey(type), compileSenders(type.senders)] as const],
    ),
  )
  const senders = compileSenders(configuration.settings.senders)
  const keepsOrder = configuration.routes.some(({ order }) => order.by !== 'none')
  const ruling: Ruling = { documents, matcher, senders, typeSenders, keepsOrder, uses: { count: 0 } }
  const checkedSet: CheckedSet = { types: configuration.types, limits, files: bundle.kept }
  const offered = offeredTypes(configuration, documents)
  return { assembly: { configuration, ruling, documents, offered, checkedSet }, settings, problems: all }
}

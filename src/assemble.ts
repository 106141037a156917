import { type Configuration, loadConfiguration, type Problem } from './config/configuration.ts'
import { compileDocuments, compileXPathTest } from './documents/documents.ts'
import type { Ruling } from './flow/intake.ts'
import type { Documents } from './flow/ports.ts'
import { compileSenders } from './flow/senders.ts'
import { compileRoutes } from './matching/matcher.ts'

/** A configuration with all that its types and routes compile into. */
export interface Assembly {
  readonly configuration: Configuration
  readonly ruling: Ruling
  readonly documents: Documents & { dispose(): void }
}

/**
 * Loads a folder and compiles what it says, as `run`, `check` and every other command see it. All problems at once; there
 * is an assembly only where none of them is an error.
 */
export async function assemble(
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<{ readonly assembly: Assembly | undefined; readonly problems: readonly Problem[] }> {
  const { configuration, problems } = await loadConfiguration(folder, environment)
  if (!configuration) return { assembly: undefined, problems }
  const { limits } = configuration.settings
  const compiled = await compileDocuments(configuration.types, limits)
  const { matcher, problems: routeProblems } = compileRoutes(configuration.routes, compileXPathTest)
  const all = [
    ...problems,
    ...compiled.problems.map(({ type, path, message, severity, at }): Problem => {
      const text = `type ${type}: ${message}${at === undefined ? '' : ` (at ${at})`}`
      return {
        code: `type-${path[0] ?? 'invalid'}`,
        severity,
        message: text,
        ...configuration.locate('DocumentType', type, path),
      }
    }),
    ...routeProblems.map(({ route, path, message, severity, code }): Problem => {
      return { code, severity, message: `route ${route}: ${message}`, ...configuration.locate('Route', route, path) }
    }),
  ]
  if (all.some((problem) => problem.severity === 'error')) {
    compiled.documents.dispose()
    return { assembly: undefined, problems: all }
  }
  const { documents } = compiled
  const typeSenders = new Map(
    configuration.types.flatMap((type) =>
      type.senders === undefined ? [] : [[type.name, compileSenders(type.senders)] as const],
    ),
  )
  const ruling: Ruling = { documents, matcher, senders: compileSenders(configuration.settings.senders), typeSenders }
  return { assembly: { configuration, ruling, documents }, problems: all }
}

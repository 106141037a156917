import { type Assembled, type Assembly, assemble } from '../assemble.ts'
import { type Configuration, formatProblem, loadConfiguration, type Problem } from '../config/configuration.ts'
import type { Settings } from '../config/settings.ts'
import { openRegistered } from '../registered.ts'
import { CommandFailed, type Output } from './output.ts'
import { withStore } from './with-store.ts'

/**
 * The folder's configuration, compiled; fails with all problems where it has errors. Warnings are left to `check`. Redis is asked only where
 * a route names a type that isn't in the folder: it may be registered.
 */
export async function assembled(folder: string, output: Output): Promise<Assembly> {
  const alone = await assemble(folder, process.env)
  if (alone.assembly) return alone.assembly
  const { settings, problems } = alone
  if (!settings || !problems.some(isOfUnknownType)) return refuse(folder, problems, output)
  const together = await withRegistered(folder, settings)
  return together.assembly ?? refuse(folder, together.problems, output)
}

/** The folder's configuration together with what is registered: as the processes have it that run on it. */
export async function assembledAsRunning(folder: string, output: Output): Promise<Assembly> {
  const { settings } = await configured(folder, output)
  const { assembly, problems } = await withRegistered(folder, settings)
  return assembly ?? refuse(folder, problems, output)
}

function withRegistered(folder: string, settings: Settings): Promise<Assembled> {
  return withStore(settings, async ({ registry }) => {
    const registered = openRegistered(registry)
    try {
      return await assemble(folder, process.env, (await registered.read()).bundles)
    } finally {
      await registered.close()
    }
  })
}

/** The configuration alone, for commands that look at no document: a type that isn't in the folder may be registered. */
export async function configured(folder: string, output: Output): Promise<Pick<Configuration, 'settings'>> {
  const { configuration, sound, problems } = await loadConfiguration(folder, process.env)
  if (configuration) return configuration
  const { settings } = sound
  const errors = problems.filter(({ severity }) => severity === 'error')
  return settings && errors.every(isOfUnknownType) ? { settings } : refuse(folder, problems, output)
}

function isOfUnknownType({ code }: Problem): boolean {
  return code === 'type-unknown'
}

function refuse(folder: string, problems: readonly Problem[], output: Output): never {
  for (const problem of problems) output.complain(formatProblem(problem))
  throw new CommandFailed(1, `Cannot use the configuration in ${folder}: see the problems above`)
}

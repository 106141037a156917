import { type Assembled, type Assembly, assemble } from '../assemble.ts'
import { formatProblem, loadConfiguration, type Problem } from '../config/configuration.ts'
import type { Settings } from '../config/settings.ts'
import { WAYBILL_FILE } from '../config/waybill-file.ts'
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
  const settings = await settingsOf(folder, output)
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

/**
 * The settings alone, for commands that look into Redis. Mistakes in types and routes are passed over: a process whose reload was
 * refused runs on, and has to be looked at all the same.
 */
export async function settingsOf(folder: string, output: Output): Promise<Settings> {
  const { sound, problems } = await loadConfiguration(folder, process.env)
  const isOurs = ({ file, severity }: Problem) => severity === 'error' && file === WAYBILL_FILE
  return sound.settings && !problems.some(isOurs) ? sound.settings : refuse(folder, problems, output)
}

function isOfUnknownType({ code }: Problem): boolean {
  return code === 'type-unknown'
}

function refuse(folder: string, problems: readonly Problem[], output: Output): never {
  for (const problem of problems) output.complain(formatProblem(problem))
  throw new CommandFailed(1, `Cannot use the configuration in ${folder}: see the problems above`)
}

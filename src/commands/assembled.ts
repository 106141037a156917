import { type Assembled, type Assembly, assemble } from '../assemble.ts'
import type { Problem } from '../config/configuration.ts'
import type { Settings } from '../config/settings.ts'
import { openRegistered } from '../registered.ts'
import type { Output } from './output.ts'
import { refuse, settingsOf } from './settings-of.ts'
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

function isOfUnknownType({ code }: Problem): boolean {
  return code === 'type-unknown'
}

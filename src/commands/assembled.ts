import { type Assembled, type Assembly, assemble } from '../assemble.ts'
import type { Problem } from '../config/configuration.ts'
import type { Settings } from '../config/settings.ts'
import type { RegisteredVersion } from '../domain/registration.ts'
import type { Ruling } from '../flow/intake.ts'
import { StoreUnavailable } from '../flow/ports.ts'
import { openRegistered } from '../registered.ts'
import { CommandFailed, type Output } from './output.ts'
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

/**
 * What judges and matches documents by that configuration, loaded when it is first asked for: with many routes it takes seconds, and fails
 * where types or routes have mistakes.
 */
export function rulingOnce(folder: string, output: Output): () => Promise<Ruling> {
  let loading: Promise<Ruling> | undefined
  return () => {
    loading ??= assembledAsRunning(folder, output).then(({ ruling }) => ruling)
    return loading
  }
}

/**
 * The same configuration, with what is known of the versions that are registered. Where Redis can't be asked it says so, and gives what stands in the folder.
 */
export async function assembledWithWhatIsRegistered(
  folder: string,
  output: Output,
): Promise<{ readonly assembly: Assembly; readonly versions: readonly RegisteredVersion[] }> {
  const settings = await settingsOf(folder, output)
  const { assembly, problems, versions } = await withRegistered(folder, settings).catch(async (error: Error) => {
    if (!isAway(error)) throw error
    output.complain(`What is registered can't be told, this is the folder alone: ${error.message}`)
    return { ...(await assemble(folder, process.env)), versions: [] }
  })
  return { assembly: assembly ?? refuse(folder, problems, output), versions }
}

function isAway(error: Error): boolean {
  return error instanceof StoreUnavailable || (error instanceof CommandFailed && error.exitCode === 3)
}

type Together = Assembled & { readonly versions: readonly RegisteredVersion[] }

function withRegistered(folder: string, settings: Settings): Promise<Together> {
  return withStore(settings, async ({ registry }) => {
    const registered = openRegistered(registry)
    try {
      const { state, bundles } = await registered.read()
      return { ...(await assemble(folder, process.env, bundles)), versions: state.versions }
    } finally {
      await registered.close()
    }
  })
}

function isOfUnknownType({ code, severity }: Problem): boolean {
  return code === 'type-unknown' && severity === 'error'
}

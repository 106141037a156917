import { type Assembly, assemble } from '../assemble.ts'
import { formatProblem } from '../config/configuration.ts'
import { createLog } from '../log.ts'
import { openStore, type RedisStore } from '../redis/store.ts'
import { storeOptionsOf } from '../settings.ts'
import { CommandFailed, type Output } from './output.ts'

/** The folder's configuration, compiled; fails with all problems where it has errors. Warnings are left to `check`. */
export async function assembled(folder: string, output: Output): Promise<Assembly> {
  const { assembly, problems } = await assemble(folder, process.env)
  if (assembly) return assembly
  for (const problem of problems) output.complain(formatProblem(problem))
  throw new CommandFailed(1, `Cannot use the configuration in ${folder}: see the problems above`)
}

/** Works on the store of a configuration, also while Waybill is down, and closes it. */
export async function withStore<T>(assembly: Assembly, work: (store: RedisStore) => Promise<T>): Promise<T> {
  const { settings } = assembly.configuration
  const log = createLog((line) => process.stderr.write(line), 'error')
  const store = await openStore(storeOptionsOf(settings, log)).catch((error: Error) => {
    throw new CommandFailed(3, error.message)
  })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

import type { Settings } from '../config/configuration.ts'
import { createLog } from '../log.ts'
import { openStore, type RedisStore } from '../redis/store.ts'
import { storeOptionsOf } from '../settings.ts'
import { CommandFailed } from './output.ts'

/** Works on the store of a configuration, also while Waybill is down, and closes it. */
export async function withStore<T>(settings: Settings, work: (store: RedisStore) => Promise<T>): Promise<T> {
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

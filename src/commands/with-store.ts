import type { Settings } from '../config/configuration.ts'
import { createLog } from '../log.ts'
import { joinStores, type OperatorsStore } from '../redis/joined.ts'
import { openStore, type RedisStore } from '../redis/store.ts'
import { domainsOf, storeOptionsOf } from '../settings.ts'
import { CommandFailed } from './output.ts'

/** Works on the store of a configuration, that of all its domains, also while Waybill is down, and closes it. */
export async function withStore<T>(settings: Settings, work: (store: OperatorsStore) => Promise<T>): Promise<T> {
  const store = await openAll(settings)
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

async function openAll(settings: Settings): Promise<OperatorsStore> {
  const log = createLog((line) => process.stderr.write(line), 'error')
  const stores: RedisStore[] = []
  try {
    for (const domain of domainsOf(settings)) stores.push(await openStore(storeOptionsOf(settings, domain, log)))
    return joinStores(stores as [RedisStore, ...RedisStore[]])
  } catch (error) {
    await Promise.all(stores.map((store) => store.close()))
    throw new CommandFailed(3, (error as Error).message)
  }
}

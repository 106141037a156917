import type { Settings } from '../config/configuration.ts'
import { createLog } from '../log.ts'
import { joinStores, type OperatorsStore } from '../redis/joined.ts'
import { openStore, type RedisStore } from '../redis/store.ts'
import { domainsOf, storeOptionsOf } from '../settings.ts'
import { CommandFailed } from './output.ts'

/**
 * Works on the store of a configuration, that of all its domains, also while Waybill is down, and closes it.
 *
 * @param work is also given the store of each domain by itself
 */
export async function withStore<T>(
  settings: Settings,
  work: (store: OperatorsStore, byDomain: ReadonlyMap<string, RedisStore>) => Promise<T>,
): Promise<T> {
  const byDomain = await openAll(settings)
  const store = joinStores([...byDomain.values()] as [RedisStore, ...RedisStore[]])
  try {
    return await work(store, byDomain)
  } finally {
    await store.close()
  }
}

async function openAll(settings: Settings): Promise<ReadonlyMap<string, RedisStore>> {
  const log = createLog((line) => process.stderr.write(line), 'error')
  const stores = new Map<string, RedisStore>()
  try {
    for (const domain of domainsOf(settings))
      stores.set(domain, await openStore({ ...storeOptionsOf(settings, domain, log), isAskedOnce: true }))
    return stores
  } catch (error) {
    await Promise.all([...stores.values()].map((store) => store.close()))
    throw new CommandFailed(3, (error as Error).message)
  }
}

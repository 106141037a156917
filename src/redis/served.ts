import type { Redis } from 'ioredis'
import { ask } from './calls.ts'

/**
 * The further domains that an installation has ever served, each of which has a shard of its own: nobody looks at it any more when its
 * domain is gone from the configuration. In the first shard, and for good.
 */
export interface Served {
  /** Before the first document of these is accepted. Throws {@link StoreUnavailable}. */
  remember(domains: readonly string[]): Promise<void>
  /** By name. Throws {@link StoreUnavailable}. */
  domains(): Promise<readonly string[]>
}

export function createServed(client: Redis, prefix: string): Served {
  const key = `${prefix}served`
  return {
    async remember(domains) {
      if (domains.length > 0) await ask('served', client, () => client.sadd(key, ...domains))
    },
    domains: async () => (await ask('served', client, () => client.smembers(key))).sort(),
  }
}

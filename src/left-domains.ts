import type { Settings } from './config/configuration.ts'
import type { Log } from './flow/ports.ts'
import { shardOf } from './redis/keys.ts'
import type { Served } from './redis/served.ts'
import { openStore } from './redis/store.ts'
import { storeOptionsOf } from './settings.ts'

/** A domain that is served no more, and what it has left in its shard: documents. */
export interface LeftDomain {
  readonly domain: string
  readonly waiting: number
  readonly held: number
  readonly dead: number
}

/**
 * Domains that were once in `xmpp.domains` and are no more, where something is left that nobody would see: what waits there is delivered
 * by nobody. Throws {@link StoreUnavailable}.
 */
export async function leftDomains(settings: Settings, served: Served, log: Log): Promise<readonly LeftDomain[]> {
  const left: LeftDomain[] = []
  for (const domain of await served.domains()) {
    if (settings.xmpp.domains.includes(domain)) continue
    const counts = await countLeft(settings, domain, log)
    if (counts.waiting + counts.held + counts.dead > 0) left.push(counts)
  }
  return left
}

async function countLeft(settings: Settings, domain: string, log: Log): Promise<LeftDomain> {
  // Also where it is the first domain now: that one has another shard.
  const store = await openStore({ ...storeOptionsOf(settings, domain, log), shard: shardOf(domain) })
  try {
    const { waiting, held, dead } = (await store.ledger()).documents
    return { domain, waiting, held, dead }
  } finally {
    await store.close()
  }
}

/** At the start, for the log. Never throws: what is served doesn't wait for what isn't. */
export async function tellLeftDomains(settings: Settings, served: Served, log: Log): Promise<void> {
  try {
    for (const left of await leftDomains(settings, served, log)) log('warn', 'domain-left', { ...left })
  } catch (error) {
    log('warn', 'left-domains-not-read', { reason: (error as Error).message })
  }
}

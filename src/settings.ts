import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Settings } from './config/configuration.ts'
import type { Lease, Log } from './flow/ports.ts'
import type { RedisAddress } from './redis/address.ts'
import { shardOf } from './redis/keys.ts'
import type { LeaseOptions } from './redis/lease.ts'
import type { StoreOptions } from './redis/store.ts'
import type { ConnectionOptions } from './xmpp/connection.ts'

/** This process, as others are told of it: host, process id, and what no second process has. */
export const INSTANCE = `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`

/** All domains of the installation, the first one first. */
export function domainsOf({ xmpp }: Settings): readonly string[] {
  return [xmpp.domain, ...xmpp.domains]
}

/** Where the keys of a domain are: the first one has the shard of an installation with one domain. */
export function addressOf({ redis, xmpp }: Settings, domain: string): RedisAddress {
  return domain === xmpp.domain ? redis : { ...redis, shard: shardOf(domain) }
}

/** What the store of a domain needs of the settings: the same for the process and for every command. */
export function storeOptionsOf(settings: Settings, domain: string, log: Log): StoreOptions {
  const { redis, limits, retention, archive, bounceWindowMs } = settings
  return {
    ...addressOf(settings, domain),
    durability: redis.durability,
    replicas: redis.replicas,
    limits: {
      waiting: limits.waiting,
      perSenderWaiting: limits.perSender.waiting,
      waitingBytes: limits.waitingBytes,
      held: limits.held,
      perSenderHeld: limits.perSender.held,
      heldBytes: limits.heldBytes,
    },
    retention,
    ...(archive && { archive }),
    bounceWindowMs,
    instance: INSTANCE,
    clock: Date.now,
    log,
  }
}

export function leaseOptionsOf(settings: Settings, domain: string, log: Log): LeaseOptions {
  return { ...addressOf(settings, domain), domain, instance: INSTANCE, log }
}

/** A connection is attached only while the lease is held. */
export function connectionOptionsOf(
  { xmpp, limits }: Settings,
  domain: string,
  lease: Lease,
  log: Log,
): ConnectionOptions {
  return {
    service: xmpp.service,
    domain,
    secret: xmpp.secret,
    insecure: xmpp.insecure,
    maxStanzaBytes: xmpp.maxStanzaBytes,
    depth: limits.depth,
    attributes: limits.attributes,
    pingTo: xmpp.host,
    lease,
    log,
  }
}

import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Settings } from './config/configuration.ts'
import type { Lease, Log } from './flow/ports.ts'
import type { LeaseOptions } from './redis/lease.ts'
import type { StoreOptions } from './redis/store.ts'
import type { ConnectionOptions } from './xmpp/connection.ts'

/** This process, as others are told of it: host, process id, and what no second process has. */
export const INSTANCE = `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`

/** What the store needs of the settings: the same for the process and for every command. */
export function storeOptionsOf(settings: Settings, log: Log): StoreOptions {
  const { redis, limits, retention, archive, bounceWindowMs } = settings
  return {
    ...redis,
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

export function leaseOptionsOf({ redis, xmpp }: Settings, log: Log): LeaseOptions {
  return { ...redis, domain: xmpp.domain, instance: INSTANCE, log }
}

/** A connection is attached only while the lease is held. */
export function connectionOptionsOf({ xmpp, limits }: Settings, lease: Lease, log: Log): ConnectionOptions {
  return {
    service: xmpp.service,
    domain: xmpp.domain,
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

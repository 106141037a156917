import { randomUUID } from 'node:crypto'
import type { Settings } from './config/configuration.ts'
import type { Log } from './flow/ports.ts'
import type { StoreOptions } from './redis/store.ts'
import type { ConnectionOptions } from './xmpp/connection.ts'

/** What the store needs of the settings: the same for the process and for every command. */
export function storeOptionsOf(settings: Settings, log: Log): StoreOptions {
  const { redis, limits, retention, bounceWindowMs } = settings
  return {
    url: redis.url,
    prefix: redis.prefix,
    durability: redis.durability,
    replicas: redis.replicas,
    limits: { waiting: limits.waiting, perSenderWaiting: limits.perSender.waiting, waitingBytes: limits.waitingBytes },
    retention,
    bounceWindowMs,
    instance: randomUUID(),
    clock: Date.now,
    log,
  }
}

export function connectionOptionsOf({ xmpp, limits }: Settings, log: Log): ConnectionOptions {
  return {
    service: xmpp.service,
    domain: xmpp.domain,
    secret: xmpp.secret,
    insecure: xmpp.insecure,
    maxStanzaBytes: xmpp.maxStanzaBytes,
    depth: limits.depth,
    attributes: limits.attributes,
    pingTo: xmpp.host,
    log,
  }
}

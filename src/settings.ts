import { randomUUID } from 'node:crypto'
import type { Settings } from './config/configuration.ts'
import type { Log } from './flow/ports.ts'
import type { StoreOptions } from './redis/store.ts'

/** What the store needs of the settings: the same for the process and for every command. */
export function storeOptionsOf(settings: Settings, log: Log): StoreOptions {
  const { redis, limits, retention } = settings
  return {
    url: redis.url,
    prefix: redis.prefix,
    durability: redis.durability,
    replicas: redis.replicas,
    limits: { waiting: limits.waiting, perSenderWaiting: limits.perSender.waiting },
    retention,
    bounceWindowMs: settings.bounceWindowMs,
    attemptLeaseMs: ATTEMPT_LEASE_MS,
    instance: randomUUID(),
    clock: Date.now,
    log,
  }
}

/** Longer than any `confirmTimeout` that the configuration allows: an attempt that is still under way is never begun twice. */
const ATTEMPT_LEASE_MS = 15 * 60_000

import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { type Lease, type LeaseHolder, type Log, StoreUnavailable } from '../flow/ports.ts'
import type { RedisAddress } from './address.ts'
import { connectImpatient, describe, disconnect, PATIENCE_MS, tellOnce, whenReady } from './connection.ts'
import { keyPrefix } from './keys.ts'
import { evaluate } from './scripts.ts'

export interface LeaseOptions extends RedisAddress {
  /** What is leased: the component's domain. */
  readonly domain: string
  /** Unique for each process. */
  readonly instance: string
  readonly log: Log
  /**
   * 8 s by default. After the last renewal we may write for 6 s at least: when Redis goes away, the senders whose documents are in
   * hand hear so (within 5 s) before the stream is dropped.
   */
  readonly lengthMs?: number
}

export interface RedisLease extends Lease {
  /** Whether anybody holds it; for who doesn't. Throws {@link StoreUnavailable}. */
  isFree(): Promise<boolean>
  /** Releases it, and ends the connection. */
  close(): Promise<void>
}

const LENGTH_MS = 8_000
/** Parts of the length: the pause between renewals, and how much earlier than by Redis it ends by our own clock. */
const RENEWALS = 8
const MARGINS = 8
/** Takes nothing and gives nothing back. */
const LOOK = -1
/** How soon a standby process notices that the lease is free, and a holder that Redis can be asked again. */
const SOON_MS = 250

/** Opens a connection of its own, since a renewal must not wait behind payloads. Throws {@link StoreUnavailable}. */
export async function openLease(options: LeaseOptions): Promise<RedisLease> {
  const client = connectImpatient(options, 'lease', options.log)
  try {
    await whenReady(client, Date.now() + PATIENCE_MS)
  } catch (error) {
    client.disconnect()
    throw error
  }
  return createLease(client, options)
}

function createLease(
  client: Redis,
  { prefix, shard, domain, instance, log, lengthMs = LENGTH_MS }: LeaseOptions,
): RedisLease {
  const keys = keyPrefix(prefix, shard)
  const errors = tellOnce(log, 'lease-not-asked', { domain })
  const released = new AbortController()
  const listeners = new Set<(held: boolean) => void>()
  /** On the clock of `performance.now`, which goes on while the process is frozen, and isn't set by anybody. */
  let heldUntil = Number.NEGATIVE_INFINITY
  /** That one stands still while the machine is suspended, and the time of day is set when it wakes. */
  let heldUntilTimeOfDay = Number.NEGATIVE_INFINITY
  let other: LeaseHolder | undefined
  let wasOthers = false
  let told = false
  let keeping: Promise<void> | undefined
  const lapse = setInterval(tell, Math.min(500, lengthMs / MARGINS))
  lapse.unref()

  const isHeld = () => performance.now() < heldUntil && Date.now() < heldUntilTimeOfDay

  async function ask(wantedMs: number): Promise<void> {
    // From before the command is sent: Redis begins to count later, so that its lease outlasts ours.
    const sentAt = performance.now()
    const sentAtTimeOfDay = Date.now()
    const reply = await evaluate(client, 'lease', keys, [0, domain, instance, wantedMs])
    const [ours, holder, since] = reply as [number, Buffer, Buffer]
    // What ran out while nobody looked was lost, even if it is ours again now: somebody else may have had it.
    tell()
    if (wantedMs > 0) {
      const oursMs = ours === 1 ? wantedMs - lengthMs / MARGINS : Number.NEGATIVE_INFINITY
      heldUntil = sentAt + oursMs
      heldUntilTimeOfDay = sentAtTimeOfDay + oursMs
    }
    meet(ours === 1 || holder.length === 0 ? undefined : { instance: String(holder), sinceMs: Number(String(since)) })
  }

  async function askOnce(wantedMs: number): Promise<void> {
    try {
      await ask(wantedMs)
    } catch (error) {
      throw new StoreUnavailable(`Cannot ask who holds ${domain}: ${describe(error)}`, { cause: error })
    }
  }

  function meet(next: LeaseHolder | undefined): void {
    if (next && next.instance !== other?.instance) {
      log('info', 'standby', { domain, holder: next.instance, since: new Date(next.sinceMs).toISOString() })
      wasOthers = true
    }
    other = next
  }

  /** Where it was lost or taken, those who listen hear of it: after each answer, and in between, since time alone can end it. */
  function tell(): void {
    const held = isHeld()
    if (held === told || released.signal.aborted) return
    told = held
    if (held) log('info', 'lease-taken', { domain, instance })
    else log('warn', 'lease-lost', { domain, instance, holder: other?.instance })
    for (const listener of listeners) listener(held)
  }

  async function keep(): Promise<void> {
    while (!released.signal.aborted) {
      const answered = await ask(lengthMs).then(
        () => true,
        (error: Error) => errors.tell(error),
      )
      if (answered) errors.forget()
      tell()
      const pauseMs = answered && isHeld() ? lengthMs / RENEWALS : SOON_MS
      await delay(pauseMs, undefined, { signal: released.signal }).catch(() => {})
    }
  }

  async function release(): Promise<void> {
    if (released.signal.aborted) return
    released.abort()
    clearInterval(lapse)
    await keeping
    listeners.clear()
    heldUntil = Number.NEGATIVE_INFINITY
    await ask(0).catch((error: Error) => log('warn', 'lease-not-released', { domain, reason: describe(error) }))
  }

  return {
    get held() {
      return isHeld()
    },
    get other() {
      return other
    },
    get wasOthers() {
      return wasOthers
    },
    async tryTake() {
      await askOnce(lengthMs)
      return isHeld()
    },
    async isFree() {
      await askOnce(LOOK)
      return other === undefined
    },
    async take(cancelled) {
      cancelled?.throwIfAborted()
      const taken = new Promise<void>((resolve, reject) => {
        const settle = () => {
          listeners.delete(settle)
          resolve()
        }
        listeners.add(settle)
        const giveUp = () => reject(new Error(`Cannot take ${domain}: it was cancelled`))
        cancelled?.addEventListener('abort', giveUp, { once: true })
      })
      keeping ??= keep()
      await taken
    },
    onChange(listener) {
      listeners.add(listener)
    },
    release,
    async close() {
      await release()
      await disconnect(client)
    },
  }
}

import type { Clock, Lease, StartedAttempt, Store } from './ports.ts'

export interface UnderWayNeeds {
  readonly store: Pick<Store, 'prolong' | 'attemptLeaseMs'>
  readonly lease: Pick<Lease, 'held'>
  readonly now: Clock
}

/** The attempts that this process has begun and whose ends aren't written yet. */
export interface UnderWay {
  /** Keeps an attempt until `ended` settles, and settles with it. */
  keep(started: StartedAttempt, ended: Promise<void>): Promise<void>
  /** Settles when the newest attempt of a delivery has ended; undefined where none is under way. */
  end(id: string): Promise<void> | undefined
  /** Has the leases of those that have lasted for long begin anew. At ordinary speed there are none, and nothing is asked of the store. */
  prolong(): Promise<void>
}

export function createUnderWay({ store, lease, now }: UnderWayNeeds): UnderWay {
  /** When the lease of each began; the oldest first. */
  const sinceMs = new Map<StartedAttempt, number>()
  const endById = new Map<string, Promise<void>>()

  async function keep(started: StartedAttempt, ended: Promise<void>): Promise<void> {
    endById.set(started.id, ended)
    sinceMs.set(started, now())
    try {
      await ended
    } finally {
      // Where its lease ran out, a newer one may have taken its place.
      if (endById.get(started.id) === ended) endById.delete(started.id)
      sinceMs.delete(started)
    }
  }

  async function prolong(): Promise<void> {
    // Without the lease of the domain they are the next holder's.
    if (!lease.held) return
    const nowMs = now()
    const old = lasting(nowMs)
    if (old.length === 0) return
    await store.prolong(old)
    for (const started of old) {
      // It may have ended meanwhile.
      if (sinceMs.delete(started)) sinceMs.set(started, nowMs)
    }
  }

  function lasting(nowMs: number): readonly StartedAttempt[] {
    const old: StartedAttempt[] = []
    for (const [started, beganMs] of sinceMs) {
      if (nowMs - beganMs < store.attemptLeaseMs / 2) break
      old.push(started)
    }
    return old
  }

  return { keep, end: (id) => endById.get(id), prolong }
}

/** The clock that documents and faults are planned by: it stands still while the senders are far behind, so that there is load under each fault. */
export interface RunClock {
  nowMs(): number
  /** Resolves when it shows this, or at once where it has been stopped. */
  until(ms: number): Promise<void>
  stop(): void
}

const TICK_MS = 20
const FAR_BEHIND_MS = 3_000
/** It goes on then: what keeps the senders from their work may be the next fault's matter as well. */
const STANDS_MOST_MS = 12_000

/** `behindMs`: how far the senders are behind what is shown. */
export function startClock(behindMs: (nowMs: number) => number): RunClock {
  const waiting = new Set<{ readonly ms: number; readonly resolve: () => void }>()
  let shown = 0
  let stoodMs = 0
  let lookedAt = performance.now()
  let isStopped = false

  const tick = () => {
    const passed = performance.now() - lookedAt
    lookedAt += passed
    const stands = behindMs(shown) > FAR_BEHIND_MS && stoodMs < STANDS_MOST_MS
    if (stands) stoodMs += passed
    else shown += passed
    if (behindMs(shown) <= FAR_BEHIND_MS) stoodMs = 0
    for (const one of waiting) {
      if (!isStopped && one.ms > shown) continue
      waiting.delete(one)
      one.resolve()
    }
  }
  const timer = setInterval(tick, TICK_MS)
  return {
    nowMs: () => shown,
    until: (ms) =>
      new Promise((resolve) => {
        if (isStopped || ms <= shown) resolve()
        else waiting.add({ ms, resolve })
      }),
    stop() {
      isStopped = true
      clearInterval(timer)
      tick()
    },
  }
}

/** What tells a half-open connection from a quiet one. */
export interface KeepAliveOptions {
  /** After how long a silence of the other side a sign of life is asked for. */
  readonly silenceMs: number
  /** Asks, and settles when it was answered or is given up. */
  readonly ask: () => Promise<unknown>
  /** The other side said nothing, not even when it was asked. */
  readonly dead: () => void
}

export interface KeepAlive {
  /** Something came from the other side. */
  heard(): void
  stop(): void
}

export function keepAlive({ silenceMs, ask, dead }: KeepAliveOptions): KeepAlive {
  let heardAt = performance.now()
  let stopped = false
  let timer = setTimeout(check, silenceMs)

  function check(): void {
    const silentMs = performance.now() - heardAt
    if (silentMs < silenceMs) timer = setTimeout(check, silenceMs - silentMs)
    else void probe()
  }

  async function probe(): Promise<void> {
    const askedAt = performance.now()
    await ask()
    // After a pause of our own the time is up before what came meanwhile is read.
    await new Promise((resolve) => setImmediate(resolve))
    if (stopped) return
    if (heardAt < askedAt) dead()
    else check()
  }

  return {
    heard() {
      heardAt = performance.now()
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

import type { Backlog } from './backlog.ts'

/** What tells a half-open connection from a quiet one, and a server that reads no more from one that has nothing to say. */
export interface KeepAliveOptions {
  /** After how long a silence of the other side a sign of life is asked for. */
  readonly silenceMs: number
  /** Asks, and settles when it was answered or is given up. */
  readonly ask: () => Promise<unknown>
  /** How far the other side is known to have read what was written: it grows. 0: it has never answered anything. */
  readonly had: () => number
  /** How far what was written has got. */
  readonly backlog: () => Backlog
  /** The other side said nothing, or read nothing, not even when it was asked. */
  readonly dead: () => void
}

export interface KeepAlive {
  /** Something came from the other side. `isPart`: of a large stanza, and what was asked is answered behind it at the earliest. */
  heard(isPart: boolean): void
  stop(): void
}

/**
 * Who has answered before is alive for as long as answers tell that more of what is written is read: it may go on talking while a stanza
 * of ours has stopped it reading. Anybody else is alive while anything comes. And whoever is slow is alive while a large stanza goes on,
 * in either direction: what waits to be taken is taken, or what has begun to come comes.
 */
export function keepAlive({ silenceMs, ask, had, backlog, dead }: KeepAliveOptions): KeepAlive {
  let heardAt = performance.now()
  let readAt = heardAt
  let known = had()
  let before = backlog()
  let stopped = false
  let timer = setTimeout(check, silenceMs)

  function aliveAt(): number {
    const now = had()
    if (now > known) readAt = performance.now()
    known = now
    return known > 0 ? readAt : heardAt
  }

  /** Where nothing waited, the system may take what nobody ever reads. */
  function look(): void {
    const now = backlog()
    if (before.left > 0 && now.taken > before.taken) moved()
    before = now
  }

  function moved(): void {
    readAt = performance.now()
    heardAt = readAt
  }

  function check(): void {
    look()
    const silentMs = performance.now() - aliveAt()
    if (silentMs < silenceMs) timer = setTimeout(check, silenceMs - silentMs)
    else void probe()
  }

  async function probe(): Promise<void> {
    const askedAt = performance.now()
    await ask()
    // After a pause of our own the time is up before what came meanwhile is read.
    await new Promise((resolve) => setImmediate(resolve))
    if (stopped) return
    look()
    if (aliveAt() < askedAt) dead()
    else check()
  }

  return {
    heard(isPart) {
      if (isPart) moved()
      else heardAt = performance.now()
      aliveAt()
    },
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

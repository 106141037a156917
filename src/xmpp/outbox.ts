/** The text that waits for the end of the turn, so that many stanzas make one write. */
export interface Outbox {
  add(text: string): void
  /** Writes now. */
  flush(): void
  /** What waits is forgotten. */
  clear(): void
  /** In units of UTF-16. */
  readonly length: number
}

/** So much is written at once, without waiting for more. */
const FULL = 65_536

export function createOutbox(write: (text: string) => void): Outbox {
  let pending = ''
  let scheduled: NodeJS.Immediate | undefined

  function flush(): void {
    clearImmediate(scheduled)
    scheduled = undefined
    if (pending === '') return
    const text = pending
    pending = ''
    write(text)
  }

  return {
    add(text) {
      pending += text
      if (pending.length >= FULL) flush()
      else scheduled ??= setImmediate(flush)
    },
    flush,
    clear() {
      pending = ''
    },
    get length() {
      return pending.length
    },
  }
}

/** Documents that wait to be checked: each sender's in their order, and senders in turn. */
export interface FairQueue<T> {
  readonly size: number
  /** With what was put back. */
  sizeOf(sender: string): number
  add(sender: string, item: T): void
  /** Before everything else: it was begun once. */
  putBack(sender: string, item: T): void
  take(): { readonly sender: string; readonly item: T } | undefined
  /** Takes out what came first of each sender, as long as it is late. */
  takeLate(isLate: (item: T) => boolean): readonly T[]
}

export function createFairQueue<T>(): FairQueue<T> {
  /** Whose turn is next stands first. */
  const lines = new Map<string, T[]>()
  const returned: { readonly sender: string; readonly item: T }[] = []
  let size = 0

  return {
    get size() {
      return size + returned.length
    },
    sizeOf: (sender) => (lines.get(sender)?.length ?? 0) + returned.filter((one) => one.sender === sender).length,
    add(sender, item) {
      const line = lines.get(sender)
      if (line) line.push(item)
      else lines.set(sender, [item])
      size += 1
    },
    putBack(sender, item) {
      returned.push({ sender, item })
    },
    take() {
      const again = returned.shift()
      if (again) return again
      const next = lines.entries().next()
      if (next.done) return undefined
      const [sender, line] = next.value
      const item = line.shift()!
      size -= 1
      lines.delete(sender)
      if (line.length > 0) lines.set(sender, line)
      return { sender, item }
    },
    takeLate(isLate) {
      const late: T[] = []
      for (const [sender, line] of lines) {
        const end = line.findIndex((item) => !isLate(item))
        const taken = line.splice(0, end < 0 ? line.length : end)
        size -= taken.length
        late.push(...taken)
        if (line.length === 0) lines.delete(sender)
      }
      return late
    },
  }
}

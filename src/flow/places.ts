/** Attempts under way at once, in all and to one destination. A destination that is slow holds only its own places. */
export interface PlaceCounts {
  readonly all: number
  readonly perDestination: number
}

export interface Places {
  readonly taken: number
  /** Takes one for the destination of that name, and gives the way to leave it, to be called once. */
  take(destination: string): () => void
  /** The destinations that have all of theirs taken. */
  full(): readonly string[]
  /** Resolves when there is one. */
  free(): Promise<void>
  /** Resolves when none is taken. */
  empty(): Promise<void>
}

/** Places are counted, not kept: who begins several attempts after one {@link Places.free} may exceed the count by those. */
export function createPlaces({ all, perDestination }: PlaceCounts): Places {
  const byDestination = new Map<string, number>()
  const waiters: (() => void)[] = []
  let taken = 0

  function take(destination: string): () => void {
    taken++
    byDestination.set(destination, (byDestination.get(destination) ?? 0) + 1)
    return () => leave(destination)
  }

  function leave(destination: string): void {
    taken--
    const left = byDestination.get(destination)! - 1
    if (left === 0) byDestination.delete(destination)
    else byDestination.set(destination, left)
    if (taken < all) for (const goOn of waiters.splice(0)) goOn()
  }

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => waiters.push(resolve))
  }

  return {
    get taken() {
      return taken
    },
    take,
    full: () => [...byDestination].filter(([, count]) => count >= perDestination).map(([name]) => name),
    free: () => until(() => taken < all),
    empty: () => until(() => taken === 0),
  }
}

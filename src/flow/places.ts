/**
 * Attempts under way at once, in all and to one destination, and the bytes of documents that they hold in memory. A destination
 * that is slow holds only its own places.
 */
export interface PlaceCounts {
  readonly all: number
  readonly perDestination: number
  readonly bytes: number
}

export interface Places {
  readonly taken: number
  /** Takes one for the destination of that name, and gives the way to leave it, to be called once. */
  take(destination: string, bytes: number): () => void
  /** The same; undefined where there is none, or others wait for one already. */
  tryTake(destination: string, bytes: number): (() => void) | undefined
  /** The destinations that have all of theirs taken. */
  full(): readonly string[]
  /** Resolves when there is one. */
  free(): Promise<void>
  /** Resolves when none is taken. */
  empty(): Promise<void>
}

/** Places are counted, not kept: who begins several attempts after one {@link Places.free} may exceed the count by those. */
export function createPlaces({ all, perDestination, bytes: allBytes }: PlaceCounts): Places {
  const byDestination = new Map<string, number>()
  const waiters: (() => void)[] = []
  let taken = 0
  let bytesTaken = 0

  const isFree = () => taken < all && bytesTaken < allBytes

  function take(destination: string, bytes: number): () => void {
    taken++
    bytesTaken += bytes
    byDestination.set(destination, (byDestination.get(destination) ?? 0) + 1)
    return () => leave(destination, bytes)
  }

  function tryTake(destination: string, bytes: number): (() => void) | undefined {
    const isFull = (byDestination.get(destination) ?? 0) >= perDestination
    return isFull || !isFree() || waiters.length > 0 ? undefined : take(destination, bytes)
  }

  function leave(destination: string, bytes: number): void {
    taken--
    bytesTaken -= bytes
    const left = byDestination.get(destination)! - 1
    if (left === 0) byDestination.delete(destination)
    else byDestination.set(destination, left)
    if (isFree() || taken === 0) for (const goOn of waiters.splice(0)) goOn()
  }

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => waiters.push(resolve))
  }

  return {
    get taken() {
      return taken
    },
    take,
    tryTake,
    full: () => [...byDestination].filter(([, count]) => count >= perDestination).map(([name]) => name),
    free: () => until(isFree),
    empty: () => until(() => taken === 0),
  }
}

import { setImmediate } from 'node:timers/promises'

/** Compiled for longer than this at a stretch, schemas would keep what a running process has in hand waiting. */
const SLICE_MS = 10

/** Gives everything else its turn where the last one is longer ago than a slice; to be awaited between steps. */
export type Turns = () => Promise<void>

export function takeTurns(): Turns {
  let since = performance.now()
  return async () => {
    if (performance.now() - since < SLICE_MS) return
    await setImmediate()
    since = performance.now()
  }
}

const waiting: (() => void)[] = []

/**
 * Has something done when the test file that runs now has ended. Several files share a process and its modules, so that an `afterAll`
 * beside a helper would count for the first of them alone.
 */
export function afterwards(work: () => void): void {
  waiting.push(work)
}

export function doWhatWaits(): void {
  for (const work of waiting.splice(0)) work()
}

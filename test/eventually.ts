export interface EventuallyOptions {
  readonly timeoutMs?: number
  /** What is waited for, said in the error. */
  readonly what?: string
}

/**
 * Polls until `probe` neither throws nor gives `undefined` or `false`, and gives what it gave. Throws after `timeoutMs`
 * (30 seconds: patience for a busy machine, and no check of a time), with the last error as the cause.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  { timeoutMs = 30_000, what = 'the condition to hold' }: EventuallyOptions = {},
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + timeoutMs
  let pauseMs = 5
  let last: unknown
  for (;;) {
    try {
      const value = await probe()
      if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>
      last = undefined
    } catch (error) {
      last = error
    }
    if (performance.now() >= deadline) {
      const reason = last instanceof Error ? `: ${last.message}` : ''
      throw new Error(`Waited ${timeoutMs} ms in vain for ${what}${reason}`, { cause: last })
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
    pauseMs = Math.min(pauseMs * 1.5, 100)
  }
}

import type { Log } from '../../flow/ports.ts'
import type { ThreadData } from './task.ts'
import { type CheckingThread, startThread, type ThreadTimes } from './thread.ts'

/** Threads that end before they are ready, one after the other. */
const STARTS_FAILED_MOST = 3

export interface ThreadsNeeds {
  readonly program: URL
  readonly data: ThreadData
  readonly most: number
  readonly times: ThreadTimes
  readonly log: Log
}

/** The threads of one set. */
export interface Threads {
  readonly count: number
  /** None can be started. */
  readonly broken: boolean
  idle(): CheckingThread | undefined
  /** Starts another one where so many documents wait, and there may be more. */
  startFor(waiting: number): void
  /** Resolves when one is idle, where any is being started; never throws. */
  ready(): Promise<void>
  endIdle(): void
  end(): void
}

/**
 * Starts one at once where types are to be compiled first.
 *
 * @param changed one is idle, or is no more
 */
export function createThreads({ program, data, most, times, log }: ThreadsNeeds, changed: () => void): Threads {
  const threads = new Set<CheckingThread>()
  const waiters: (() => void)[] = []
  let startsFailed = 0
  let ended = false
  const isBroken = () => startsFailed >= STARTS_FAILED_MOST

  function startOne(): void {
    let wasReady = false
    const thread = startThread(program, data, times, () => {
      if (thread.state === 'idle') {
        wasReady = true
        startsFailed = 0
      }
      if (thread.state === 'ended') {
        threads.delete(thread)
        if (!wasReady && !ended) failStart()
      }
      if (wasReady || isBroken()) for (const tell of waiters.splice(0)) tell()
      changed()
    })
    threads.add(thread)
  }

  function failStart(): void {
    startsFailed += 1
    log('error', 'checker-not-started', { tries: startsFailed })
    if (!isBroken() && data.first.length > 0 && threads.size === 0) startOne()
  }

  function idle(): CheckingThread | undefined {
    for (const thread of threads) if (thread.state === 'idle') return thread
    return undefined
  }

  if (data.first.length > 0 && most > 0) startOne()
  return {
    get count() {
      return threads.size
    },
    get broken() {
      return isBroken()
    },
    idle,
    startFor(waiting) {
      const starting = [...threads].filter(({ state }) => state === 'starting').length
      if (waiting > starting && threads.size < most && !isBroken() && !ended) startOne()
    },
    async ready() {
      const isStarting = [...threads].some(({ state }) => state === 'starting')
      if (isStarting && !idle()) await new Promise<void>((resolve) => waiters.push(resolve))
    },
    endIdle() {
      for (const thread of threads) if (thread.state === 'idle') thread.end()
    },
    end() {
      ended = true
      for (const thread of threads) thread.end()
      for (const tell of waiters.splice(0)) tell()
    },
  }
}

import { closeSync, openSync, readlinkSync, readSync } from 'node:fs'

/**
 * Processor time by thread. Node tells that of the process only, in which a busy thread would use up what another one may take. Linux
 * tells it; elsewhere undefined.
 */

/** Names this thread to the others of the process. */
export function threadName(): string | undefined {
  try {
    // PID/task/TID
    return readlinkSync('/proc/thread-self').split('/')[2]
  } catch {
    return undefined
  }
}

/** Milliseconds that a thread of this process has had of the processor. */
export function cpuMsOf(thread: string): number | undefined {
  return readSchedule(`/proc/self/task/${thread}/schedstat`)
}

export function ownCpuMs(): number | undefined {
  return readSchedule('/proc/thread-self/schedstat')
}

const line = Buffer.alloc(128)

/** Its first number is nanoseconds on the processor. */
function readSchedule(file: string): number | undefined {
  try {
    const handle = openSync(file, 'r')
    try {
      const length = readSync(handle, line)
      const nanoseconds = Number(line.toString('latin1', 0, length).split(' ')[0])
      return Number.isFinite(nanoseconds) ? nanoseconds / 1e6 : undefined
    } finally {
      closeSync(handle)
    }
  } catch {
    return undefined
  }
}

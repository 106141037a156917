import { readFileSync } from 'node:fs'

// proc(5): utime and stime are counted in clock ticks, which are a hundredth of a second on every Linux that Node runs on.
const TICK_SECONDS = 0.01

/**
 * CPU seconds that a process has used so far, all its threads, user and system; 0 where /proc isn't there or the process has ended.
 * @param {number} pid
 */
export function cpuSeconds(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the name in parentheses, and may hold spaces: count from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * TICK_SECONDS
  } catch {
    return 0
  }
}

/**
 * Resident memory of a process now, in MiB; 0 where /proc isn't there or the process has ended.
 * @param {number} pid
 */
export function residentMiB(pid) {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  } catch {
    return 0
  }
}

/**
 * @param {Readonly<Record<string, number>>} pids
 * @returns {() => Record<string, number>} CPU seconds that each has used since
 */
export function watchCpu(pids) {
  const before = Object.entries(pids).map(([name, pid]) => ({ name, pid, used: cpuSeconds(pid) }))
  return () => Object.fromEntries(before.map(({ name, pid, used }) => [name, cpuSeconds(pid) - used]))
}

import type { Clock, Log, Metrics, Outlet } from './ports.ts'

/** Tells people of something that they should look at. `cause` is stable: one message per cause in five minutes. */
export type Alarm = (cause: string, text: string) => void

const QUIET_MS = 5 * 60_000

/** An alarm is a log line and a metric each time, and a readable message to the configured JIDs at most once per cause in five minutes. */
export function createAlarm(
  to: () => readonly string[],
  outlet: Pick<Outlet, 'notify'>,
  metrics: Pick<Metrics, 'alarm'>,
  log: Log,
  now: Clock,
): Alarm {
  const told = new Map<string, { atMs: number; untold: number }>()
  return (cause, text) => {
    log('error', 'alarm', { cause, text })
    metrics.alarm(cause.split(' ')[0]!)
    const before = told.get(cause)
    // The clock may have been set back.
    if (before && Math.abs(now() - before.atMs) < QUIET_MS) {
      before.untold++
      return
    }
    if (told.size > 1_000) told.clear()
    told.set(cause, { atMs: now(), untold: 0 })
    const more = before && before.untold > 0 ? ` (and ${before.untold} more like this since the last message)` : ''
    for (const jid of to()) outlet.notify(jid, `Waybill: ${text}${more}`)
  }
}

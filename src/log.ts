import type { Log, LogLevel } from './flow/ports.ts'

const order: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }

/** JSON lines, one event each: `{"time":…,"level":…,"event":…, details}`. Levels below `least` are left out. */
export function createLog(write: (line: string) => void, least: LogLevel): Log {
  return (level, event, details) => {
    if (order[level] < order[least]) return
    write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...details })}\n`)
  }
}

/** The level that `WAYBILL_LOG_LEVEL` names; `info` where it names none. */
export function logLevelOf(name: string | undefined): LogLevel {
  return name !== undefined && name in order ? (name as LogLevel) : 'info'
}

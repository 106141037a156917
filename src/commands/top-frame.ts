import type { Latencies, ProcessFigures, Rate } from '../domain/process-figures.ts'
import { formatTable, type Row } from './output.ts'

/** What one look shows. */
export interface Seen {
  readonly domain: string
  readonly atMs: number
  readonly processes: readonly ProcessFigures[]
  readonly depth: {
    readonly waiting: number
    readonly underWay: number
    readonly suspects: number
    readonly dead: number
    readonly held: number
    readonly oldestDueMs: number
  }
}

/** One frame as lines. */
export function frameOf({ domain, atMs, processes, depth }: Seen): readonly string[] {
  const { waiting, underWay, suspects, dead, held, oldestDueMs } = depth
  const rows = processes.map((one) => rowOf(one, atMs))
  const all = processes.length > 1 ? [totalOf(processes)] : []
  const table = rows.length === 0 ? ['no process runs'] : formatTable([...rows, ...all]).split('\n')
  return [
    `${domain}  ${new Date(atMs).toISOString().slice(11, 19)} UTC`,
    `waiting ${waiting}   under way ${underWay}   oldest due ${duration(oldestDueMs)}   suspects ${suspects}   held ${held}   dead ${dead}`,
    '',
    ...table,
  ]
}

function rowOf(figures: ProcessFigures, atMs: number): Row {
  const { instance, role, sinceMs, perSecond, acceptMs, deliveryMs, checking, cpu, residentBytes } = figures
  return {
    process: instance,
    role,
    up: duration(Math.max(0, atMs - sinceMs)),
    ...ratesOf((rate) => perSecond[rate]),
    'accept ms': latencies(acceptMs),
    'delivery ms': latencies(deliveryMs),
    checking,
    cpu: `${Math.round(cpu * 100)} %`,
    memory: `${Math.round(residentBytes / 1e6)} MB`,
  }
}

function totalOf(processes: readonly ProcessFigures[]): Row {
  const sum = (of: (one: ProcessFigures) => number) => processes.reduce((total, one) => total + of(one), 0)
  return {
    process: 'all',
    role: '',
    up: '',
    ...ratesOf((rate) => sum(({ perSecond }) => perSecond[rate])),
    'accept ms': '',
    'delivery ms': '',
    checking: sum(({ checking }) => checking),
    cpu: `${Math.round(sum(({ cpu }) => cpu) * 100)} %`,
    memory: `${Math.round(sum(({ residentBytes }) => residentBytes) / 1e6)} MB`,
  }
}

function ratesOf(rate: (name: Rate) => number): Row {
  return {
    'accepted/s': amount(rate('accepted')),
    'dup/s': amount(rate('duplicate')),
    'rejected/s': amount(rate('rejected')),
    'delivered/s': amount(rate('delivered')),
    'dead/s': amount(rate('dead')),
    'checked/s': amount(rate('checked')),
  }
}

function amount(value: number): string {
  return value >= 10 || value === 0 ? String(Math.round(value)) : value.toFixed(1)
}

/** p50 / p99. */
function latencies(of: Latencies | null): string {
  return of ? `${amount(of.p50)} / ${amount(of.p99)}` : '-'
}

function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  const seconds = Math.floor(ms / 1_000)
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`
}

/** Lines as they fit: what is beyond the right and the lower edge is not shown. */
export function fitted(lines: readonly string[], columns: number, rows: number): readonly string[] {
  return lines.slice(0, rows).map((line) => line.slice(0, columns))
}

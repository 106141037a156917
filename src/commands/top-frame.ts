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

/** One frame as lines of at most so many columns: of what doesn't fit, nothing is shown by halves. */
export function frameOf({ domain, atMs, processes, depth }: Seen, columns = Infinity): readonly string[] {
  const { waiting, underWay, suspects, dead, held, oldestDueMs } = depth
  const rows = processes.map((one) => rowOf(one, atMs))
  const all = processes.length > 1 ? [totalOf(processes)] : []
  const amounts = [
    `waiting ${waiting}`,
    `dead ${dead}`,
    `held ${held}`,
    `under way ${underWay}`,
    `oldest due ${duration(oldestDueMs)}`,
    `suspects ${suspects}`,
  ]
  return [
    `${domain}  ${new Date(atMs).toISOString().slice(11, 19)} UTC`,
    wholeParts(amounts, columns),
    '',
    ...(rows.length === 0 ? ['no process runs'] : wholeColumns([...rows, ...all], columns)),
  ]
}

/** Says at the right edge that there is more. */
const MORE = '…'

function wholeParts(parts: readonly string[], columns: number): string {
  const line = parts.join('   ')
  if (line.length <= columns) return line
  const shown = longest(parts.length, (count) => `${parts.slice(0, count).join('   ')}   ${MORE}`.length <= columns)
  return [...parts.slice(0, shown), MORE].join('   ')
}

/** The first columns of the rows, as many as fit. */
function wholeColumns(rows: readonly Row[], columns: number): readonly string[] {
  const first = (count: number): readonly Row[] =>
    rows.map((row) => Object.fromEntries([...Object.entries(row).slice(0, count), [MORE, MORE]]))
  const fits = (lines: readonly string[]) => lines.every((line) => line.length <= columns)
  const all = formatTable(rows).split('\n')
  if (fits(all)) return all
  const count = longest(Object.keys(rows[0]!).length, (some) => fits(formatTable(first(some)).split('\n')))
  return formatTable(first(count)).split('\n')
}

/** The largest number below the one given that holds; 1 where none does. */
function longest(below: number, holds: (count: number) => boolean): number {
  let count = below - 1
  while (count > 1 && !holds(count)) count -= 1
  return count
}

/** What matters most comes first: a narrow terminal shows no more than that. */
function rowOf(figures: ProcessFigures, atMs: number): Row {
  const { instance, role, sinceMs, perSecond, acceptMs, deliveryMs, checking, cpu, residentBytes } = figures
  return {
    process: instance,
    role,
    ...ratesOf((rate) => perSecond[rate]),
    cpu: `${Math.round(cpu * 100)} %`,
    memory: `${Math.round(residentBytes / 1e6)} MB`,
    'accept ms': latencies(acceptMs),
    'delivery ms': latencies(deliveryMs),
    up: duration(Math.max(0, atMs - sinceMs)),
    ...lesserRatesOf((rate) => perSecond[rate]),
    checking,
  }
}

function totalOf(processes: readonly ProcessFigures[]): Row {
  const sum = (of: (one: ProcessFigures) => number) => processes.reduce((total, one) => total + of(one), 0)
  return {
    process: 'all',
    role: '',
    ...ratesOf((rate) => sum(({ perSecond }) => perSecond[rate])),
    cpu: `${Math.round(sum(({ cpu }) => cpu) * 100)} %`,
    memory: `${Math.round(sum(({ residentBytes }) => residentBytes) / 1e6)} MB`,
    'accept ms': '',
    'delivery ms': '',
    up: '',
    ...lesserRatesOf((rate) => sum(({ perSecond }) => perSecond[rate])),
    checking: sum(({ checking }) => checking),
  }
}

function ratesOf(rate: (name: Rate) => number): Row {
  return {
    'accepted/s': amount(rate('accepted')),
    'delivered/s': amount(rate('delivered')),
    'dead/s': amount(rate('dead')),
    'rejected/s': amount(rate('rejected')),
  }
}

function lesserRatesOf(rate: (name: Rate) => number): Row {
  return { 'dup/s': amount(rate('duplicate')), 'checked/s': amount(rate('checked')) }
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

/** Lines as they fit; where there is more beyond the right edge, a mark says so. */
export function fitted(lines: readonly string[], columns: number, rows: number): readonly string[] {
  return lines
    .slice(0, rows)
    .map((line) => (line.length <= columns ? line : line.slice(0, Math.max(0, columns - 1)) + MORE))
}

import { tally } from './count.ts'
import { leaks, MARGINS } from './resources.ts'
import type { ChaosResult } from './run.ts'

export interface Goal {
  readonly text: string
  readonly met: boolean
}

const SHOWN = 20
const ENDS = ['delivered', 'dead', 'expired', 'dropped', 'waiting']

/** What has to be 0. */
export function goalsOf(results: readonly ChaosResult[]): readonly Goal[] {
  const sum = (of: (result: ChaosResult) => number) => results.reduce((all, result) => all + of(result), 0)
  const goal = (name: string, of: (result: ChaosResult) => number) => ({
    text: `${sum(of)} ${name}`,
    met: sum(of) === 0,
  })
  return [
    goal('lost', ({ count }) => count.lost.length),
    goal('inversions', ({ count }) => count.inversions.length),
    goal('unaccounted', ({ count }) => count.unaccounted.length),
    goal('orphaned', ({ count }) => count.orphans.length),
    goal('repeated for no reason', ({ count }) => count.unexplained.length),
    goal('reports missing', ({ count }) => count.unreported.length),
    goal('leaks', ({ resources }) => resources.flatMap(leaks).length),
    goal('not done in time', ({ isWhole }) => (isWhole ? 0 : 1)),
  ]
}

/** A column for each server. */
export function tableOf(results: readonly ChaosResult[]): string {
  const rows: [string, ...string[]][] = [
    row('seed', ({ seed }) => seed),
    row('faults', ({ faults }) => faults.length),
    row('seconds of load, of quiet', ({ seconds }) => `${seconds.load.toFixed(0)}, ${seconds.quiet.toFixed(0)}`),
    row('documents sent', ({ count }) => count.documents.sent),
    row('  acknowledged', ({ count }) => count.documents.acknowledged),
    row('  sent again', ({ count }) => count.documents.sentAgain),
    row('documents accepted', ({ count }) => whole(count.envelopes)),
    ...ENDS.map((state) => row(`  ${state}`, ({ count }) => count.envelopes[state] ?? 0)),
    row('deliveries planned', ({ count }) => whole(count.deliveries)),
    ...ENDS.map((state) => row(`  ${state}`, ({ count }) => count.deliveries[state] ?? 0)),
    row('arrivals', ({ count }) => count.arrivals.all),
    row('  distinct', ({ count }) => count.arrivals.distinct),
    row('repeated, outcome was unknown', ({ count }) => count.repeats.length),
    row('repeated for no reason', ({ count }) => count.unexplained.length),
    row('lost', ({ count }) => count.lost.length),
    row('lost by a server that was killed', ({ count }) => count.lostByServer.length),
    row('inversions', ({ count }) => count.inversions.length),
    row('unaccounted', ({ count }) => count.unaccounted.length),
    row('orphaned, or wrong in the ledger', ({ count }) => count.orphans.length),
    row('reports missing', ({ count }) => count.unreported.length),
    row('leaks', ({ resources }) => resources.flatMap(leaks).length),
    row('ends that nobody wanted', ({ unwanted }) => unwanted.length),
  ]
  return inColumns([['', ...results.map(({ kind }) => kind)], ...rows])

  function whole(counts: Readonly<Record<string, number>>): number {
    return Object.values(counts).reduce((all, one) => all + one, 0)
  }

  function row(name: string, of: (result: ChaosResult) => number | string): [string, ...string[]] {
    return [name, ...results.map((result) => String(of(result)))]
  }
}

/** Everything that has to be looked at, a list each. */
export function listsOf({ kind, count, faults, resources, unwanted }: ChaosResult): string {
  const counts = (of: Readonly<Record<string, number>>) =>
    Object.entries(of)
      .toSorted(([, one], [, other]) => other - one)
      .map(([name, times]) => `${name}: ${times}`)
  const lists: [string, readonly string[]][] = [
    ['faults made', counts(tally(faults.map((fault) => fault.kind)))],
    ['faults that went wrong', faults.flatMap(({ kind: name, trouble }) => (trouble ? [`${name}: ${trouble}`] : []))],
    ['dead letters by route and reason', counts(count.dead)],
    ['lost', count.lost],
    ['lost by a server that was killed', count.lostByServer],
    ['inversions', count.inversions],
    ['unaccounted', count.unaccounted],
    ['orphaned, or wrong in the ledger', count.orphans],
    ['reports missing', count.unreported],
    ['repeated for no reason', count.unexplained],
    ['repeated, by what the attempts came to', counts(tally(count.repeats.map((line) => line.replace(/^.*?: /, ''))))],
    ['repeated', count.repeats],
    [
      `what processes had and have (margins: ${MARGINS.descriptors} descriptors, ${MARGINS.megabytes} MB)`,
      resources.map(
        ({ process, seconds, descriptors, megabytes }) =>
          `${process}, ${seconds} s: ${descriptors.join(' → ')} descriptors, ${megabytes.join(' → ')} MB`,
      ),
    ],
    ['leaks', resources.flatMap(leaks)],
    ['ends that nobody wanted', unwanted.map(({ pid, lastWords }) => `${pid}: ${lastWords.split('\n').at(-1)}`)],
  ]
  return lists
    .filter(([, lines]) => lines.length > 0)
    .map(([name, lines]) => `${kind}, ${name}:\n${shown(lines)}`)
    .join('\n')
}

function shown(lines: readonly string[]): string {
  const more = lines.length > SHOWN ? [`… and ${lines.length - SHOWN} more: --json FILE has all of them`] : []
  return [...lines.slice(0, SHOWN), ...more].map((line) => `  ${line}`).join('\n')
}

function inColumns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, at) => Math.max(...rows.map((cells) => cells[at]!.length)))
  return rows
    .map((cells) =>
      cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join('  '),
    )
    .join('\n')
}

import type { Ledger } from '../flow/ports.ts'
import { type ExitCode, formatTable, type Output, printJson } from './output.ts'
import { settingsOf } from './settings-of.ts'
import { withStore } from './with-store.ts'

export interface LedgerOptions {
  readonly limit?: number
}

/** How many types, and how many routes, are shown where nothing is said. */
const LISTED = 100

/** Both equations of the ledger, in all, by type and by route. 1 where one does not balance. */
export async function ledger(folder: string, options: LedgerOptions, output: Output): Promise<ExitCode> {
  const settings = await settingsOf(folder, output)
  return showLedger(await withStore(settings, (store) => store.ledger()), options, output)
}

/** For programs whole; for people those types and routes first that they would look for. */
export function showLedger(counts: Ledger, { limit = LISTED }: LedgerOptions, output: Output): ExitCode {
  const balanced = balances(counts)
  if (output.format === 'json') printJson(output, { ...counts, balanced })
  else {
    const types = Object.entries(counts.types).sort(byTelling(documentsBalance, ({ accepted }) => accepted))
    const routes = Object.entries(counts.routes).sort(byTelling(deliveriesBalance, ({ planned }) => planned))
    output.print(describe(counts, types.slice(0, limit), routes.slice(0, limit), balanced))
    for (const [what, all] of [
      ['types', types],
      ['routes', routes],
    ] as const)
      if (all.length > limit)
        output.complain(
          `Only ${limit} of ${all.length} ${what} are shown, those with most that waits or is dead first: --limit N, or -o json for all`,
        )
  }
  return balanced ? 0 : 1
}

type Named<Counts> = readonly [name: string, counts: Counts]

/** What doesn't balance first; then what has most that is to be looked at, and most of all; then by name. */
function byTelling<Counts extends Ledger['deliveries'] | Ledger['documents']>(
  isBalanced: (counts: Counts) => boolean,
  sumOf: (counts: Counts) => number,
): (one: Named<Counts>, other: Named<Counts>) => number {
  const open = (counts: Counts) => counts.waiting + counts.dead + ('held' in counts ? counts.held : 0)
  return ([name, one], [otherName, other]) =>
    Number(isBalanced(one)) - Number(isBalanced(other)) ||
    open(other) - open(one) ||
    sumOf(other) - sumOf(one) ||
    (name < otherName ? -1 : 1)
}

function balances({ documents, deliveries, types, routes }: Ledger): boolean {
  return (
    [documents, ...Object.values(types)].every(documentsBalance) &&
    [deliveries, ...Object.values(routes)].every(deliveriesBalance)
  )
}

function documentsBalance(of: Ledger['documents']): boolean {
  return of.accepted === of.waiting + of.held + of.delivered + of.dead + of.expired + of.dropped
}

function deliveriesBalance(of: Ledger['deliveries']): boolean {
  return of.planned === of.waiting + of.delivered + of.dead + of.expired + of.dropped
}

function describe(
  { documents, deliveries, bytes }: Ledger,
  types: readonly Named<Ledger['documents']>[],
  routes: readonly Named<Ledger['deliveries']>[],
  balanced: boolean,
): string {
  const documentRow = (type: string, of: Ledger['documents']) => {
    const { accepted, waiting, held, delivered, dead, expired, dropped, duplicate } = of
    return { documents: type, accepted, waiting, held, delivered, dead, expired, dropped, duplicate }
  }
  const deliveryRow = (route: string, of: Ledger['deliveries']) => {
    const { planned, waiting, delivered, dead, expired, dropped } = of
    return { deliveries: route, planned, waiting, delivered, dead, expired, dropped }
  }
  return [
    formatTable([documentRow('all', documents), ...types.map(([type, of]) => documentRow(type, of))]),
    '',
    formatTable([deliveryRow('all', deliveries), ...routes.map(([route, of]) => deliveryRow(route, of))]),
    '',
    formatTable([{ bytes: 'all', ...bytes }]),
    '',
    balanced ? 'The ledger balances.' : 'The ledger does NOT balance.',
  ].join('\n')
}

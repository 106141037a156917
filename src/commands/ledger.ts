import type { Ledger } from '../flow/ports.ts'
import { type ExitCode, formatTable, type Output, printJson } from './output.ts'
import { settingsOf } from './settings-of.ts'
import { withStore } from './with-store.ts'

/** Both equations of the ledger, in all, by type and by route. 1 where one does not balance. */
export async function ledger(folder: string, output: Output): Promise<ExitCode> {
  const settings = await settingsOf(folder, output)
  const counts = await withStore(settings, (store) => store.ledger())
  const balanced = balances(counts)
  if (output.format === 'json') printJson(output, { ...counts, balanced })
  else output.print(describe(counts, balanced))
  return balanced ? 0 : 1
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

function describe({ documents, deliveries, bytes, types, routes }: Ledger, balanced: boolean): string {
  const documentRow = (type: string, of: Ledger['documents']) => {
    const { accepted, waiting, held, delivered, dead, expired, dropped, duplicate } = of
    return { documents: type, accepted, waiting, held, delivered, dead, expired, dropped, duplicate }
  }
  const deliveryRow = (route: string, of: Ledger['deliveries']) => {
    const { planned, waiting, delivered, dead, expired, dropped } = of
    return { deliveries: route, planned, waiting, delivered, dead, expired, dropped }
  }
  return [
    formatTable([documentRow('all', documents), ...Object.entries(types).map(([type, of]) => documentRow(type, of))]),
    '',
    formatTable([
      deliveryRow('all', deliveries),
      ...Object.entries(routes).map(([route, of]) => deliveryRow(route, of)),
    ]),
    '',
    formatTable([{ bytes: 'all', ...bytes }]),
    '',
    balanced ? 'The ledger balances.' : 'The ledger does NOT balance.',
  ].join('\n')
}

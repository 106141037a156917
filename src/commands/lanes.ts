import type { Lane } from '../flow/ports.ts'
import { type ExitCode, formatTime, type Output, printRows } from './output.ts'
import { settingsOf } from './settings-of.ts'
import { withStore } from './with-store.ts'

export interface LanesOptions {
  readonly destination?: string
  readonly route?: string
  readonly limit?: number
}

/** How many are shown where nothing is said. */
const LISTED = 100

/** Where order is kept: what holds others back, those with the most behind them first. */
export async function lanes(folder: string, options: LanesOptions, output: Output): Promise<ExitCode> {
  const settings = await settingsOf(folder, output)
  const { destination, route, limit = LISTED } = options
  const found = (await withStore(settings, (store) => store.lanes())).filter(
    (lane) => (destination ?? lane.destination) === lane.destination && (route ?? lane.route) === lane.route,
  )
  const shown = found.slice(0, limit)
  printRows(output, shown.map(rowOf), shown, 'nothing waits behind another one')
  if (found.length > shown.length) output.complain(`Only ${shown.length} of ${found.length} are shown: --limit N`)
  return 0
}

function rowOf({ id, waiting, receivedAtMs, from, route, destination, tries, ...lane }: Lane) {
  return {
    first: id,
    behind: waiting,
    received: formatTime(receivedAtMs),
    from,
    route,
    destination,
    tries,
    next: lane.dueAtMs === undefined ? 'under way' : formatTime(lane.dueAtMs),
    last: [lane.condition, lane.text].filter(Boolean).join(': ') || '-',
  }
}

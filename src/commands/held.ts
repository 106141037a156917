import type { Settings } from '../config/configuration.ts'
import { causeOf } from '../domain/held.ts'
import type { HeldFilter } from '../flow/ports.ts'
import { showDocument } from './dead.ts'
import type { HeldChangeVerb, HeldOptions } from './held-changes.ts'
import { readHeldFilter } from './held-filter.ts'
import { CommandFailed, type ExitCode, formatTime, type Output, printRows } from './output.ts'
import { settingsOf } from './settings-of.ts'
import { withStore } from './with-store.ts'

export type HeldVerb = 'ls' | 'show' | HeldChangeVerb

/** How many `ls` shows where nothing is said. */
const LISTED = 100

/** Documents that are held because they are invalid: list, look at one, release, refuse. */
export async function held(
  folder: string,
  verb: HeldVerb,
  id: string | undefined,
  options: HeldOptions,
  output: Output,
): Promise<ExitCode> {
  switch (verb) {
    case 'ls':
      return list(await settingsOf(folder, output), readHeldFilter(options), output)
    case 'show':
      if (id === undefined) throw new CommandFailed(2, 'Cannot show without an ID: waybill held DIR show ID')
      return showDocument(await settingsOf(folder, output), id, output)
    case 'release':
    case 'refuse':
      // With all that judges and matches documents, which looking doesn't wait for.
      return (await import('./held-changes.ts')).changeHeld(folder, verb, id, options, output)
  }
}

async function list(settings: Settings, filter: HeldFilter, output: Output): Promise<ExitCode> {
  const { limit = LISTED } = filter
  const documents = await withStore(settings, (store) => store.held({ ...filter, limit }))
  const rows = documents.map(({ id, receivedAtMs, type, from, holding }) => ({
    id,
    received: formatTime(receivedAtMs),
    type,
    from,
    findings: holding.total,
    cause: `${causeOf(holding)}: ${holding.findings[0]?.message ?? ''}`,
  }))
  printRows(output, rows, documents, 'no documents are held')
  if (documents.length === limit) output.complain(`Only ${limit} are shown; there may be more: --limit N`)
  return 0
}

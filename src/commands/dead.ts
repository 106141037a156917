import type { Settings } from '../config/configuration.ts'
import { projectPayload } from '../documents/projection.ts'
import type { DeadFilter, DeadGroup } from '../flow/ports.ts'
import type { DeadChangeVerb, DeadOptions } from './dead-changes.ts'
import { readDeadFilter } from './dead-filter.ts'
import { CommandFailed, type ExitCode, formatTime, type Output, printJson, printRows } from './output.ts'
import { settingsOf } from './settings-of.ts'
import { describeTrace } from './trace.ts'
import { withStore } from './with-store.ts'

export type DeadVerb = 'ls' | 'groups' | 'show' | DeadChangeVerb

/** How many `ls` shows where nothing is said. */
const LISTED = 100

/** Dead letters: list, group by cause, look at one, send on its way again, drop with a reason. */
export async function dead(
  folder: string,
  verb: DeadVerb,
  id: string | undefined,
  options: DeadOptions,
  output: Output,
): Promise<ExitCode> {
  if (id !== undefined && (verb === 'ls' || verb === 'groups'))
    throw new CommandFailed(2, `Cannot choose by the ID ${id}: waybill dead DIR show ID, or filters`)
  switch (verb) {
    case 'ls':
      return list(await settingsOf(folder, output), readDeadFilter(options, Date.now()), output)
    case 'groups':
      return group(await settingsOf(folder, output), readDeadFilter(options, Date.now()), output)
    case 'show':
      return showDocument(await settingsOf(folder, output), needed(id, verb), output)
    case 'redrive':
    case 'drop':
    case 'park':
      // With all that judges and matches documents, which looking doesn't wait for.
      return (await import('./dead-changes.ts')).changeDead(folder, verb, id, options, output)
  }
}

async function list(settings: Settings, filter: DeadFilter, output: Output): Promise<ExitCode> {
  const { limit = LISTED } = filter
  const letters = await withStore(settings, (store) => store.dead({ ...filter, limit }))
  const rows = letters.map((letter) => ({
    id: letter.id,
    died: formatTime(letter.diedAtMs),
    type: letter.type,
    route: letter.route || '-',
    destination: letter.destination || '-',
    tries: letter.tries,
    reason: letter.text ? `${letter.reason}: ${letter.text}` : letter.reason,
  }))
  printRows(output, rows, letters, 'no dead letters')
  if (letters.length === limit) output.complain(`Only ${limit} are shown; there may be more: --limit N`)
  return 0
}

async function group(settings: Settings, filter: DeadFilter, output: Output): Promise<ExitCode> {
  const groups = await withStore(settings, (store) => store.deadGroups(filter))
  const rows = groups.map(({ fingerprint, count, firstDiedAtMs, lastDiedAtMs, cause }) => ({
    group: fingerprint,
    count,
    first: formatTime(firstDiedAtMs),
    last: formatTime(lastDiedAtMs),
    where: whereOf(cause),
    cause: [cause.reason, cause.condition, cause.text]
      .filter((part, at, all) => part && all.indexOf(part) === at)
      .join(': '),
  }))
  printRows(output, rows, groups, 'no dead letters')
  return 0
}

function whereOf({ destination, route, type }: DeadGroup['cause']): string {
  const parts = [destination && `to ${destination}`, route && `route ${route}`, type && `type ${type}`]
  return parts.filter(Boolean).join(', ')
}

/** Everything that is known of a document, with its payload. */
export async function showDocument(settings: Settings, id: string, output: Output): Promise<ExitCode> {
  const envelopeId = id.split('.')[0]!
  const [trace, payload] = await withStore(
    settings,
    async (store) => [await store.trace(envelopeId), await store.payload(id)] as const,
  )
  if (!trace)
    throw new CommandFailed(1, `Cannot show ${id}: nothing is known of it (it may be older than the retention)`)
  const text = payload === undefined ? '' : new TextDecoder().decode(payload)
  if (output.format === 'json')
    printJson(output, { ...trace, payload: text, content: projectPayload(trace.mediaType, text) })
  else output.print(`${describeTrace(trace)}\n\n${text}`)
  return 0
}

function needed(id: string | undefined, verb: DeadVerb): string {
  if (id === undefined) throw new CommandFailed(2, `Cannot ${verb} without an ID: waybill dead DIR ${verb} ID`)
  return id
}

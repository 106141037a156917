import type { Settings } from '../config/configuration.ts'
import { rehydrate } from '../documents/documents.ts'
import { type AgainResult, sendAgain } from '../flow/again.ts'
import type { ArchiveFilter } from '../flow/ports.ts'
import { assembled } from './assembled.ts'
import { type DeadFilterWords, readDeadFilter } from './dead-filter.ts'
import { CommandFailed, type ExitCode, formatTime, type Output, printJson, printRows } from './output.ts'
import { settingsOf } from './settings-of.ts'
import { withStore } from './with-store.ts'

export type ArchiveVerb = 'ls' | 'show' | 'redrive'

export interface ArchiveOptions extends Pick<DeadFilterWords, 'type' | 'from' | 'field' | 'since' | 'until' | 'limit'> {
  readonly by: string
  /** redrive: why. */
  readonly reason?: string
  readonly dryRun?: boolean
}

/** How many `ls` shows where nothing is said. */
const LISTED = 100

/** Accepted documents that are kept: list, look at one, send one again. */
export async function archive(
  folder: string,
  verb: ArchiveVerb,
  id: string | undefined,
  options: ArchiveOptions,
  output: Output,
): Promise<ExitCode> {
  if (verb === 'ls') return list(await settingsOf(folder, output), options, output)
  if (id === undefined) throw new CommandFailed(2, `Cannot ${verb} without an ID: waybill archive DIR ${verb} ID`)
  return verb === 'show' ? show(await settingsOf(folder, output), id, output) : redrive(folder, id, options, output)
}

async function list(settings: Settings, options: ArchiveOptions, output: Output): Promise<ExitCode> {
  const { type, from, field, since, until, limit = LISTED } = options
  const filter: ArchiveFilter = readDeadFilter(
    { type, from, field, since, until, limit } as DeadFilterWords,
    Date.now(),
  )
  const documents = await withStore(settings, (store) => store.archived(filter))
  const rows = documents.map(({ id: one, receivedAtMs, type: name, version = '-', origin, bytes }) => {
    return { id: one, received: formatTime(receivedAtMs), type: name, version, from: origin.from, bytes }
  })
  printRows(
    output,
    rows,
    documents,
    settings.archive ? 'the archive is empty' : 'there is no archive: see archive in waybill.yaml',
  )
  if (documents.length === limit) output.complain(`Only ${limit} are shown; there may be more: --limit N`)
  return 0
}

async function show(settings: Settings, id: string, output: Output): Promise<ExitCode> {
  const kept = await withStore(settings, (store) => store.archivedDocument(id))
  if (!kept) throw new CommandFailed(1, `Cannot show ${id}: it is not in the archive`)
  const text = new TextDecoder().decode(kept.payload)
  if (output.format === 'json') printJson(output, { ...kept, payload: text })
  else
    output.print(
      `${id}  ${kept.type}, ${kept.bytes} bytes\n  ${formatTime(kept.receivedAtMs)}  from ${kept.origin.from}\n\n${text}`,
    )
  return 0
}

async function redrive(folder: string, id: string, options: ArchiveOptions, output: Output): Promise<ExitCode> {
  const { by, reason, dryRun = false } = options
  if (!reason)
    throw new CommandFailed(2, 'Cannot redrive without a reason: give --reason TEXT; it is kept with the record')
  const { configuration, ruling, documents } = await assembled(folder, output)
  const result = await withStore(configuration.settings, (store) => {
    return sendAgain(id, { by, reason, dryRun }, { store, ruling, rehydrate, now: Date.now })
  })
  documents.dispose()
  if (output.format === 'json') printJson(output, { dryRun, ...result })
  else output.print(sentence(id, result, dryRun))
  return result.kind === 'done' ? 0 : 1
}

function sentence(id: string, result: AgainResult, dryRun: boolean): string {
  if (result.kind === 'refused') return `${id} ${result.reason}`
  const to = result.to.join(', ')
  return dryRun ? `${id} would be sent again to ${to}` : `${id} is sent again as ${result.id} to ${to}`
}

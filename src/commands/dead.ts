import type { Assembly } from '../assemble.ts'
import type { Settings } from '../config/configuration.ts'
import { rehydrate } from '../documents/documents.ts'
import { projectXml } from '../documents/projection.ts'
import { createOperations } from '../flow/operations.ts'
import type { DeadFilter, DeadLetter } from '../flow/ports.ts'
import { assembled, configured } from './assembled.ts'
import { CommandFailed, type ExitCode, formatTime, type Output, printJson, printRows } from './output.ts'
import { describeTrace } from './trace.ts'
import { withStore } from './with-store.ts'

export type DeadVerb = 'ls' | 'show' | 'redrive' | 'drop'

export interface DeadOptions extends DeadFilter {
  readonly reasonToDrop?: string
  readonly by: string
  /** With a filter instead of an id: every dead letter that fits. */
  readonly all?: boolean
}

/** Dead letters: list, look at one, send on its way again, drop with a reason. */
export async function dead(
  folder: string,
  verb: DeadVerb,
  id: string | undefined,
  options: DeadOptions,
  output: Output,
): Promise<ExitCode> {
  switch (verb) {
    case 'ls':
      return list((await configured(folder, output)).settings, options, output)
    case 'show':
      return show((await configured(folder, output)).settings, needed(id, verb), output)
    case 'redrive':
    case 'drop':
      return change(await assembled(folder, output), verb, id, options, output)
  }
}

async function list(settings: Settings, filter: DeadFilter, output: Output): Promise<ExitCode> {
  const letters = await withStore(settings, (store) => store.dead(filter))
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
  if (letters.length === filter.limit) output.complain(`Only ${filter.limit} are shown; there may be more: --limit N`)
  return 0
}

async function show(settings: Settings, id: string, output: Output): Promise<ExitCode> {
  const envelopeId = id.split('.')[0]!
  const [trace, payload] = await withStore(
    settings,
    async (store) => [await store.trace(envelopeId), await store.payload(envelopeId)] as const,
  )
  if (!trace)
    throw new CommandFailed(1, `Cannot show ${id}: nothing is known of it (it may be older than the retention)`)
  const text = payload === undefined ? '' : new TextDecoder().decode(payload)
  if (output.format === 'json')
    printJson(output, { ...trace, payload: text, content: contentOf(trace.mediaType, text) })
  else output.print(`${describeTrace(trace)}\n\n${text}`)
  return 0
}

/** The document as JSON: read where it is JSON, projected where it is XML, null where it is neither. */
function contentOf(mediaType: string, text: string): unknown {
  if (/[/+]json$/.test(mediaType)) return JSON.parse(text)
  return /[/+]xml$/.test(mediaType) ? projectXml(text) : null
}

async function change(
  assembly: Assembly,
  verb: 'redrive' | 'drop',
  id: string | undefined,
  options: DeadOptions,
  output: Output,
): Promise<ExitCode> {
  const reason = options.reasonToDrop
  if (verb === 'drop' && !reason)
    throw new CommandFailed(2, 'Cannot drop without a reason: give --reason TEXT; it is kept with the record')
  if (id !== undefined && options.all) throw new CommandFailed(2, 'Cannot choose: give an ID or --all, not both')
  return withStore(assembly.configuration.settings, async (store) => {
    const operations = createOperations({ store, ruling: assembly.ruling, rehydrate })
    const ids = id === undefined ? await chosen(store.dead, options) : [id]
    let changed = 0
    for (const one of ids) {
      const done = verb === 'redrive' ? await operations.redrive(one) : await operations.drop(one, reason!, options.by)
      if (done.kind === 'done') changed++
      output.print(
        done.kind === 'done'
          ? `${one} ${verb === 'redrive' ? 'is on its way again' : 'dropped'}`
          : `${one} ${done.reason}`,
      )
    }
    return changed === ids.length ? 0 : 1
  })
}

async function chosen(
  ls: (filter: DeadFilter) => Promise<readonly DeadLetter[]>,
  options: DeadOptions,
): Promise<string[]> {
  if (!options.all) throw new CommandFailed(2, 'Cannot choose: give an ID, or --all with filters')
  return (await ls(options)).map((letter) => letter.id)
}

function needed(id: string | undefined, verb: DeadVerb): string {
  if (id === undefined) throw new CommandFailed(2, `Cannot ${verb} without an ID: waybill dead DIR ${verb} ID`)
  return id
}

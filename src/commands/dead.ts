import type { Assembly } from '../assemble.ts'
import type { Settings } from '../config/configuration.ts'
import { rehydrate } from '../documents/documents.ts'
import { projectXml } from '../documents/projection.ts'
import { replacementOf } from '../documents/replacement.ts'
import {
  createOperations,
  type EndOrder,
  type OperationResult,
  type Operations,
  type RedriveOrder,
} from '../flow/operations.ts'
import type { DeadFilter, DeadGroup, Store } from '../flow/ports.ts'
import { assembledAsRunning } from './assembled.ts'
import { carryOut } from './carry-out.ts'
import { type DeadFilterWords, readDeadFilter, readDestination } from './dead-filter.ts'
import { CommandFailed, type ExitCode, formatTime, type Output, printJson, printRows } from './output.ts'
import { settingsOf } from './settings-of.ts'
import { readDocument } from './subject.ts'
import { describeTrace } from './trace.ts'
import { withStore } from './with-store.ts'

export type DeadVerb = 'ls' | 'groups' | 'show' | ChangeVerb
type ChangeVerb = 'redrive' | 'drop' | 'park'

export interface DeadOptions extends DeadFilterWords {
  readonly by: string
  /** With filters instead of an id: every dead letter that fits. */
  readonly all?: boolean
  /** Without it, what concerns many is told and not done. */
  readonly yes?: boolean
  readonly dryRun?: boolean
  /** redrive: a file, a destination, and by the routes of now. */
  readonly document?: string
  readonly to?: string
  readonly matchAgain?: boolean
  /** redrive: at the old place in the order. */
  readonly keepPlace?: boolean
}

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
      return change(await assembledAsRunning(folder, output), verb, id, options, output)
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
  verb: ChangeVerb,
  id: string | undefined,
  options: DeadOptions,
  output: Output,
): Promise<ExitCode> {
  if (verb === 'park' && options.all) throw new CommandFailed(2, 'Cannot park --all: what is parked waits; give its ID')
  if (id !== undefined && options.all) throw new CommandFailed(2, 'Cannot choose: give an ID or --all, not both')
  const { settings } = assembly.configuration
  // What concerns many is a dry run first.
  const dryRun = options.dryRun === true || (id === undefined && !options.yes)
  const order = await readOrder(verb, options, dryRun)
  return withStore(settings, async (store) => {
    const operations = createOperations({
      store,
      ruling: assembly.ruling,
      rehydrate,
      replacementOf: (bytes, original) => replacementOf(bytes, original, settings.limits),
    })
    const ids = id === undefined ? await chosen(store, verb, options) : [id]
    return carryOut(
      {
        ids,
        dryRun,
        dryRunAsked: options.dryRun === true,
        one: (one) => giveOrder(operations, one, order),
        sentence: (one, result) => sentence(one, result, verb, dryRun),
      },
      output,
    )
  })
}

type Order = ({ readonly verb: 'redrive' } & RedriveOrder) | ({ readonly verb: 'drop' | 'park' } & EndOrder)

function giveOrder(operations: Operations, id: string, order: Order): Promise<OperationResult> {
  switch (order.verb) {
    case 'redrive':
      return operations.redrive(id, order)
    case 'drop':
      return operations.drop(id, order)
    case 'park':
      return operations.park(id, order)
  }
}

async function readOrder(verb: ChangeVerb, options: DeadOptions, dryRun: boolean): Promise<Order> {
  const { by, reason, document, to, matchAgain, keepPlace } = options
  if (verb !== 'redrive') {
    if (!reason)
      throw new CommandFailed(2, `Cannot ${verb} without a reason: give --reason TEXT; it is kept with the record`)
    return { verb, by, reason, dryRun }
  }
  if (document !== undefined && options.all)
    throw new CommandFailed(2, 'Cannot redrive --all with one document: give an ID with --document')
  return {
    verb,
    by,
    dryRun,
    ...(to === undefined ? {} : { to: readDestination(to) }),
    ...(document === undefined ? {} : { document: await readDocument(document) }),
    ...(matchAgain ? { matchAgain } : {}),
    ...(keepPlace ? { keepPlace } : {}),
  }
}

const ENDED = { drop: 'dropped', park: 'parked' } as const

function sentence(id: string, result: OperationResult, verb: ChangeVerb, dryRun: boolean): string {
  if (result.kind === 'refused') return `${id} ${result.reason}`
  if (verb !== 'redrive') return `${id} ${ending(ENDED[verb], result.kind === 'asked', dryRun)}`
  if (result.kind === 'asked') throw new Error('Cannot redrive: a dead letter has no attempt under way')
  return `${id} ${dryRun ? 'would be' : 'is'} on its way again to ${result.to.join(', ') || 'nobody: no address may be used'}`
}

function ending(ended: string, later: boolean, dryRun: boolean): string {
  if (!later) return dryRun ? `would be ${ended}` : ended
  return `${dryRun ? 'would' : 'will'} be ${ended} when the attempt that is under way has ended, unless it delivers`
}

/** Oldest first: what is ordered goes behind all others one by one. */
async function chosen(store: Pick<Store, 'dead'>, verb: ChangeVerb, options: DeadOptions): Promise<string[]> {
  if (!options.all) throw new CommandFailed(2, 'Cannot choose: give an ID, or --all with filters')
  // To drop, the reason is the operator's own.
  const { reason, ...words } = options
  const filter = readDeadFilter(verb === 'drop' ? words : options, Date.now())
  return (await store.dead({ limit: Infinity, ...filter })).map((letter) => letter.id).sort()
}

function needed(id: string | undefined, verb: DeadVerb): string {
  if (id === undefined) throw new CommandFailed(2, `Cannot ${verb} without an ID: waybill dead DIR ${verb} ID`)
  return id
}

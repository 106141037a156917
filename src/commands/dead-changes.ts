import { rehydrate } from '../documents/documents.ts'
import { replacementOf } from '../documents/replacement.ts'
import { parseDeliveryId } from '../domain/delivery.ts'
import {
  createOperations,
  type EndOrder,
  type OperationResult,
  type Operations,
  type RedriveOrder,
} from '../flow/operations.ts'
import type { Store } from '../flow/ports.ts'
import { rulingOnce } from './assembled.ts'
import { carryOut, whereTo } from './carry-out.ts'
import { type DeadFilterWords, filtersTyped, readDeadFilter, readDestination } from './dead-filter.ts'
import { CommandFailed, type ExitCode, type Output } from './output.ts'
import { settingsOf } from './settings-of.ts'
import { readDocument } from './subject.ts'
import { withStore } from './with-store.ts'

export type DeadChangeVerb = 'redrive' | 'drop' | 'park'

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

/** Sends dead letters on their way again, drops or parks them: one by its id, or all that fit the filters. */
export async function changeDead(
  folder: string,
  verb: DeadChangeVerb,
  id: string | undefined,
  options: DeadOptions,
  output: Output,
): Promise<ExitCode> {
  if (verb === 'park' && options.all) throw new CommandFailed(2, 'Cannot park --all: what is parked waits; give its ID')
  if (id !== undefined && options.all) throw new CommandFailed(2, 'Cannot choose: give an ID or --all, not both')
  const typed = filtersTyped(filterWords(verb, options))
  // Passed over, they would leave more to be ended than was meant.
  if (id !== undefined && typed !== '--all')
    throw new CommandFailed(2, `Cannot choose: filters go with --all, found ${typed} beside the ID ${id}`)
  // What concerns many is a dry run first.
  const dryRun = options.dryRun === true || (id === undefined && !options.yes)
  const order = await readOrder(verb, options, dryRun)
  const settings = await settingsOf(folder, output)
  const ruling = rulingOnce(folder, output)
  return withStore(settings, async (store) => {
    const operations = createOperations({
      store,
      ruling,
      rehydrate,
      now: Date.now,
      replacementOf: (bytes, original) => replacementOf(bytes, original, settings.limits),
    })
    const words = filterWords(verb, options)
    const ids = id === undefined ? await chosen(store, words) : [id]
    // Of many, none is changed where one of them couldn't be matched.
    if (verb === 'redrive' && id === undefined && ids.some(isOfDocument)) await ruling()
    return carryOut(
      {
        ids,
        filters: filtersTyped(words),
        dryRun,
        dryRunAsked: options.dryRun === true,
        one: (one) => giveOrder(operations, one, order),
        sentence: (one, result) => sentence(one, result, verb, dryRun),
      },
      output,
    )
  })
}

/** Of a document without route, rather than of a delivery. */
function isOfDocument(id: string): boolean {
  return parseDeliveryId(id).index === undefined
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

async function readOrder(verb: DeadChangeVerb, options: DeadOptions, dryRun: boolean): Promise<Order> {
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

function sentence(id: string, result: OperationResult, verb: DeadChangeVerb, dryRun: boolean): string {
  if (result.kind === 'refused') return `${id} ${result.reason}`
  if (verb !== 'redrive') return `${id} ${ending(ENDED[verb], result.kind === 'asked', dryRun)}`
  if (result.kind === 'asked') throw new Error('Cannot redrive: a dead letter has no attempt under way')
  return `${id} ${dryRun ? 'would be' : 'is'} on its way again to ${whereTo(result, 'no address may be used')}`
}

function ending(ended: string, later: boolean, dryRun: boolean): string {
  if (!later) return dryRun ? `would be ${ended}` : ended
  return `${dryRun ? 'would' : 'will'} be ${ended} when the attempt that is under way has ended, unless it delivers`
}

/** To drop and to park, the reason is the operator's own. */
function filterWords(verb: DeadChangeVerb, { reason, ...words }: DeadOptions): DeadOptions {
  return verb !== 'redrive' || reason === undefined ? words : { ...words, reason }
}

/** Oldest first: what is ordered goes behind all others one by one. */
async function chosen(store: Pick<Store, 'dead'>, words: DeadOptions): Promise<string[]> {
  if (!words.all) throw new CommandFailed(2, 'Cannot choose: give an ID, or --all with filters')
  const filter = readDeadFilter(words, Date.now())
  return (await store.dead({ limit: Infinity, ...filter })).map((letter) => letter.id).sort()
}

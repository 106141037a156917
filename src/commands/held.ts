import type { Assembly } from '../assemble.ts'
import type { Settings } from '../config/configuration.ts'
import { rehydrate } from '../documents/documents.ts'
import { causeOf } from '../domain/held.ts'
import { createHeldOperations } from '../flow/held.ts'
import type { OperationResult } from '../flow/operations.ts'
import type { HeldFilter, Store } from '../flow/ports.ts'
import { createLog } from '../log.ts'
import { assembledAsRunning } from './assembled.ts'
import { carryOut } from './carry-out.ts'
import { showDocument } from './dead.ts'
import { type DeadFilterWords, readDeadFilter } from './dead-filter.ts'
import { CommandFailed, type ExitCode, formatTime, type Output, printRows } from './output.ts'
import { settingsOf } from './settings-of.ts'
import { withStore } from './with-store.ts'

export type HeldVerb = 'ls' | 'show' | ChangeVerb
type ChangeVerb = 'release' | 'refuse'

export interface HeldOptions extends Pick<DeadFilterWords, 'type' | 'from' | 'field' | 'since' | 'until' | 'limit'> {
  readonly by: string
  readonly rule?: string
  /** Why it is released or refused. */
  readonly reason?: string
  /** With filters instead of an id: every document that fits. */
  readonly all?: boolean
  /** Without it, what concerns many is told and not done. */
  readonly yes?: boolean
  readonly dryRun?: boolean
}

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
      return change(await assembledAsRunning(folder, output), verb, id, options, output)
  }
}

function readHeldFilter({ rule, type, from, field, since, until, limit }: HeldOptions): HeldFilter {
  const words = { type, from, field, since, until, limit } as DeadFilterWords
  return { ...readDeadFilter(words, Date.now()), ...(rule === undefined ? {} : { rule }) }
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

async function change(
  assembly: Assembly,
  verb: ChangeVerb,
  id: string | undefined,
  options: HeldOptions,
  output: Output,
): Promise<ExitCode> {
  const { reason, by } = options
  if (!reason)
    throw new CommandFailed(2, `Cannot ${verb} without a reason: give --reason TEXT; it is kept with the record`)
  if ((id === undefined) !== (options.all === true)) {
    throw new CommandFailed(2, 'Cannot choose: give an ID, or --all with filters')
  }
  // What concerns many is a dry run first.
  const dryRun = options.dryRun === true || (id === undefined && !options.yes)
  return withStore(assembly.configuration.settings, async (store) => {
    const operations = createHeldOperations({
      store,
      rehydrate,
      ruling: () => assembly.ruling,
      metrics: { heldEnded() {} },
      log: createLog((line) => process.stderr.write(line), 'error'),
    })
    const ids = id === undefined ? await chosen(store, options) : [id]
    return carryOut(
      {
        ids,
        dryRun,
        dryRunAsked: options.dryRun === true,
        one: (one) => operations[verb](one, { by, reason, dryRun }),
        sentence: (one, result) => sentence(one, result, verb, dryRun),
      },
      output,
    )
  })
}

/** Oldest first: what is ordered goes in the order in which it came. */
async function chosen(store: Pick<Store, 'held'>, options: HeldOptions): Promise<readonly string[]> {
  const documents = await store.held({ limit: Infinity, ...readHeldFilter(options) })
  return documents.map(({ id }) => id).toReversed()
}

function sentence(id: string, result: OperationResult, verb: ChangeVerb, dryRun: boolean): string {
  const [would, is] = dryRun ? ['would be', 'would be'] : ['', 'is']
  switch (result.kind) {
    case 'refused':
      return `${id} ${result.reason}`
    case 'asked':
      throw new Error(`Cannot ${verb}: what is held has no attempt under way`)
    case 'done':
      if (verb === 'refuse') return `${id} ${would} refused`.replace('  ', ' ')
      return `${id} ${is} on its way to ${result.to.join(', ') || 'nobody: no route matches, it is a dead letter'}`
  }
}

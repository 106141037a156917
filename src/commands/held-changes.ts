import { rehydrate } from '../documents/documents.ts'
import { createHeldOperations } from '../flow/held.ts'
import type { OperationResult } from '../flow/operations.ts'
import type { Store } from '../flow/ports.ts'
import { createLog } from '../log.ts'
import { rulingOnce } from './assembled.ts'
import { carryOut, whereTo } from './carry-out.ts'
import { filtersTyped } from './dead-filter.ts'
import { type HeldFilterWords, readHeldFilter } from './held-filter.ts'
import { CommandFailed, type ExitCode, type Output } from './output.ts'
import { settingsOf } from './settings-of.ts'
import { withStore } from './with-store.ts'

export type HeldChangeVerb = 'release' | 'refuse'

export interface HeldOptions extends HeldFilterWords {
  readonly by: string
  /** Why it is released or refused. */
  readonly reason?: string
  /** With filters instead of an id: every document that fits. */
  readonly all?: boolean
  /** Without it, what concerns many is told and not done. */
  readonly yes?: boolean
  readonly dryRun?: boolean
}

/** Releases held documents, or refuses them: one by its id, or all that fit the filters. */
export async function changeHeld(
  folder: string,
  verb: HeldChangeVerb,
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
  const settings = await settingsOf(folder, output)
  const ruling = rulingOnce(folder, output)
  return withStore(settings, async (store) => {
    const operations = createHeldOperations({
      store,
      rehydrate,
      ruling,
      metrics: { heldEnded() {} },
      now: Date.now,
      log: createLog((line) => process.stderr.write(line), 'error'),
    })
    const ids = id === undefined ? await chosen(store, options) : [id]
    return carryOut(
      {
        ids,
        // The reason is the operator's own.
        filters: filtersTyped(withoutReason(options)),
        dryRun,
        dryRunAsked: options.dryRun === true,
        one: (one) => operations[verb](one, { by, reason, dryRun }),
        sentence: (one, result) => sentence(one, result, verb, dryRun),
      },
      output,
    )
  })
}

function withoutReason({ reason: _, ...words }: HeldOptions): HeldFilterWords {
  return words
}

/** Oldest first: what is ordered goes in the order in which it came. */
async function chosen(store: Pick<Store, 'held'>, options: HeldOptions): Promise<readonly string[]> {
  const documents = await store.held({ limit: Infinity, ...readHeldFilter(options) })
  return documents.map(({ id }) => id).toReversed()
}

function sentence(id: string, result: OperationResult, verb: HeldChangeVerb, dryRun: boolean): string {
  const [would, is] = dryRun ? ['would be', 'would be'] : ['', 'is']
  switch (result.kind) {
    case 'refused':
      return `${id} ${result.reason}`
    case 'asked':
      throw new Error(`Cannot ${verb}: what is held has no attempt under way`)
    case 'done':
      if (verb === 'refuse') return `${id} ${would} refused`.replace('  ', ' ')
      return `${id} ${is} on its way to ${whereTo(result, 'no route matches, it is a dead letter')}`
  }
}

import type { OperationResult } from '../flow/operations.ts'
import { type ExitCode, type Output, printJson } from './output.ts'

/** How an operation goes about what was chosen. */
export interface Carrying {
  readonly ids: readonly string[]
  /** By which filters they were chosen, for people: `--type invoice`. */
  readonly filters: string
  /** Nothing is done; said because of many, or because `dryRun` was asked for. */
  readonly dryRun: boolean
  readonly dryRunAsked: boolean
  one(id: string): Promise<OperationResult>
  /** What became of one, for people. */
  sentence(id: string, result: OperationResult): string
}

/** One after the other, each told as it is done. 1 where any was refused. */
export async function carryOut(
  { ids, filters, dryRun, dryRunAsked, one, sentence }: Carrying,
  output: Output,
): Promise<ExitCode> {
  const results: { readonly id: string; readonly result: OperationResult }[] = []
  for (const id of ids) {
    const result = await one(id)
    if (output.format === 'table') output.print(sentence(id, result))
    results.push({ id, result })
  }
  const changed = results.filter(({ result }) => result.kind !== 'refused').length
  if (output.format === 'json')
    printJson(output, { dryRun, results: results.map(({ id, result }) => ({ id, ...result })) })
  else if (ids.length === 0) output.print(`Nothing was done: nothing is chosen by ${filters}`)
  else if (dryRun)
    output.print(
      `Nothing was done. ${changed} of ${ids.length} could be: add --yes${dryRunAsked ? ', and leave out --dry-run' : ''}`,
    )
  return changed === ids.length ? 0 : 1
}

/**
 * Where something goes that was matched, for people.
 *
 * @param ifUnmatched Why it goes to nobody where no address was refused either.
 */
export function whereTo(
  { to, impossible = [], expired = [] }: Extract<OperationResult, { kind: 'done' }>,
  ifUnmatched: string,
): string {
  const letters = `${impossible.length === 1 ? 'a dead letter' : `${impossible.length} dead letters`} address-refused`
  const left = [
    ...(impossible.length > 0 ? [`no address may be used of ${impossible.join(', ')} (${letters})`] : []),
    ...(expired.length > 0 ? [`it has expired for ${expired.join(', ')}`] : []),
  ].join('; ')
  if (left === '') return to.join(', ') || `nobody: ${ifUnmatched}`
  return to.length > 0 ? `${to.join(', ')}; ${left}` : `nobody: ${left}`
}

import { checkKind } from './check-kind.ts'
import type { Route as Written } from './kinds.ts'
import type { Complain } from './problem.ts'
import { type ReadRoute, readRoute, type Surroundings } from './routes.ts'
import type { Thing } from './thing.ts'

const ANYWHERE = [{ jid: 'nobody@example.invalid' }]

/**
 * A route with the conditions of one whose schema found something else wrong: so what is wrong with its XPaths is told at once with the
 * rest. Undefined where the conditions themselves are wrong.
 */
export async function readConditionsAlone(
  { value, ...thing }: Thing,
  surroundings: Surroundings,
): Promise<ReadRoute | undefined> {
  const { when } = value as { readonly when?: unknown }
  if (thing.name === '' || !isWritten(thing.yaml, 'when')) return undefined
  const alone = { kind: 'Route', name: thing.name, when, deliver: ANYWHERE }
  const told = { complain: () => {}, variableOf: () => undefined }
  if (!checkKind({ kind: 'Route', value: alone, thing: thing.yaml, ...told })) return undefined
  let isSound = true
  const complain: Complain = (code, path, message, how) => {
    if (path[0] !== 'when') return
    if (how?.severity !== 'warning') isSound = false
    thing.complain(code, path, message, how)
  }
  const read = await readRoute({ ...thing, complain, value: alone as unknown as Written }, surroundings)
  return isSound ? read : undefined
}

/** A default has no place of its own. */
function isWritten({ locate }: Thing['yaml'], key: string): boolean {
  const [there, whole] = [locate([key]), locate([])]
  return there.line !== whole.line || there.column !== whole.column
}

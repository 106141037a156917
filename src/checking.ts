import { availableParallelism } from 'node:os'
import type { AssemblyInForce } from './assemble.ts'
import { createCheckers } from './documents/checking/checkers.ts'
import { type CheckedSet, digestOfSet } from './documents/checking/task.ts'
import type { FarCheckers, Log, Metrics } from './flow/ports.ts'
import type { RedisAddress } from './redis/address.ts'
import { type Checks, openChecks } from './redis/checks.ts'
import type { InForce } from './reload.ts'
import { INSTANCE } from './settings.ts'
import { VERSION } from './version.ts'

/** Beside this file once it is compiled: a thread runs JavaScript only. */
const PROGRAM = new URL('./documents/checking/worker.js', import.meta.url)

export interface CheckingNeeds {
  readonly metrics: Pick<Metrics, 'checked'>
  readonly log: Log
  /** Other processes, where they may be asked. */
  readonly far?: FarCheckers | undefined
}

/**
 * The assembly with threads of its own for what is heavy: they validate by this very set, and it comes into force in all of them at
 * once. Resolves when they can be used.
 */
export async function giveCheckers(
  assembly: AssemblyInForce,
  { metrics, log, far: others }: CheckingNeeds,
): Promise<AssemblyInForce> {
  const { configuration, ruling, documents, checkedSet } = assembly
  const { threads = Math.max(1, availableParallelism() - 1) } = configuration.settings.checking
  const far = others && { far: { checkers: others, digest: setOf(assembly) } }
  const checkers = createCheckers({ set: checkedSet, program: PROGRAM, threads, documents, metrics, log, ...far })
  await checkers.ready()
  return { ...assembly, checkers, ruling: { ...ruling, checkers } }
}

/** What processes must have in common to check for one another. */
function setOf({ checkedSet }: AssemblyInForce): string {
  const known = digests.get(checkedSet) ?? digestOfSet(checkedSet, VERSION)
  digests.set(checkedSet, known)
  return known
}

const digests = new WeakMap<CheckedSet, string>()

/** Lets this process check for others and have others check for it; they share the Redis. */
export function shareChecks(address: RedisAddress, inForce: InForce, log: Log): Checks {
  return openChecks({
    ...address,
    instance: INSTANCE,
    offer: () => ({ set: setOf(inForce.assembly), free: inForce.assembly.checkers?.free ?? 0 }),
    async serve(task, set, from) {
      const { checkers } = inForce.assembly
      if (checkers && set === setOf(inForce.assembly)) return checkers.serve(task, from)
      return { kind: 'lost', reason: 'another set is in force there' }
    },
    log,
  })
}

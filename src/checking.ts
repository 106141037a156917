import { availableParallelism } from 'node:os'
import type { Assembly } from './assemble.ts'
import { createCheckers } from './documents/checking/checkers.ts'
import type { Log, Metrics } from './flow/ports.ts'

/** Beside this file once it is compiled: a thread runs JavaScript only. */
const PROGRAM = new URL('./documents/checking/worker.js', import.meta.url)

/**
 * The assembly with threads of its own for what is heavy: they validate by this very set, and it comes into force in all of them at
 * once. Resolves when they can be used.
 */
export async function giveCheckers(assembly: Assembly, metrics: Pick<Metrics, 'checked'>, log: Log): Promise<Assembly> {
  const { configuration, ruling, documents, checkedSet } = assembly
  const { threads = Math.max(1, availableParallelism() - 1) } = configuration.settings.checking
  const checkers = createCheckers({ set: checkedSet, program: PROGRAM, threads, documents, metrics, log })
  await checkers.ready()
  return { ...assembly, checkers, ruling: { ...ruling, checkers } }
}

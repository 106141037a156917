import { relative } from 'node:path'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Measured, in the order of the time they take. It decides who begins: what is missing costs seconds and nothing else. */
const LONGEST: readonly string[] = [
  'test/scenarios/standby.test.ts',
  'test/scenarios/breaks.test.ts',
  'test/scenarios/subscriptions.test.ts',
  'test/scenarios/poison.test.ts',
  'test/scenarios/breaker.test.ts',
  'test/bench/bench.test.ts',
  'test/scenarios/reports.test.ts',
  'test/scenarios/cli.test.ts',
  'test/conformance/conformance.test.ts',
  'test/scenarios/chaos.test.ts',
  'test/demo.test.ts',
  'test/scenarios/traps.test.ts',
  'test/scenarios/order.test.ts',
  'test/scenarios/registry.test.ts',
  'test/scenarios/traps-of-delivery.test.ts',
  'test/scenarios/held.test.ts',
  'test/scenarios/senders.test.ts',
  'test/scenarios/overload.test.ts',
  'test/scenarios/domains.test.ts',
  'test/scenarios/dead-letters.test.ts',
  'test/scenarios/failover.test.ts',
  'test/servers/servers.test.ts',
  'test/redis/random-transitions.test.ts',
  'test/redis/outages.test.ts',
  'test/documents/schematron/schematron.test.ts',
  'test/scenarios/bad-input.test.ts',
]

/** Whole processes and servers mostly wait; what they leave of the processor is for the others. */
const WAITING = /^test\/(scenarios|redis|servers|bench)\/|-servers\.test\.ts$/

/** The longest files first: one that begins last would keep everybody waiting, with the rest of the machine idle. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId, project }: TestSpecification) => {
      // Files that share a process can do so only where no other one stands between them.
      if (project.config.isolate) return LONGEST.length + 2
      const file = relative(this.ctx.config.root, moduleId)
      const known = LONGEST.indexOf(file)
      if (known >= 0) return known
      return WAITING.test(file) ? LONGEST.length : LONGEST.length + 1
    }
    const largestFirst = await super.sort(files)
    return largestFirst.toSorted((a, b) => rank(a) - rank(b))
  }
}

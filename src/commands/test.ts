import { relative } from 'node:path'
import type { Route, RouteTest } from '../domain/route.ts'
import { judgeRouteTest } from '../matching/route-tests.ts'
import { assembled } from './assembled.ts'
import { type ExitCode, type Output, printJson } from './output.ts'
import { examine, readDocument } from './subject.ts'

interface Verdict {
  readonly route: string
  readonly document: string
  readonly from: string
  readonly passed: boolean
  readonly message: string
  readonly source: string
}

/** Runs the tests that stand in the route files, without servers. 1 where one fails. */
export async function test(folder: string, output: Output): Promise<ExitCode> {
  const assembly = await assembled(folder, output)
  const verdicts: Verdict[] = []
  for (const route of assembly.configuration.routes) {
    for (const one of route.tests) verdicts.push(await run(route, one, folder))
  }
  assembly.documents.dispose()
  const failed = verdicts.filter((verdict) => !verdict.passed).length
  if (output.format === 'json') printJson(output, { passed: verdicts.length - failed, failed, tests: verdicts })
  else report(verdicts, failed, output)
  return failed === 0 ? 0 : 1

  async function run(route: Route, one: RouteTest, base: string): Promise<Verdict> {
    const name = { route: route.name, document: relative(base, one.document), from: one.from, source: one.source }
    const examined = examine(await readDocument(one.document), one.document, one.from, assembly)
    if (examined.explanation) return { ...name, ...judgeRouteTest(route, one, examined.explanation) }
    const { rejection } = examined
    const expected = one.delivers.length === 0 && one.because === rejection!.kind
    return { ...name, passed: expected, message: `the document is rejected: ${rejection!.kind}: ${rejection!.text}` }
  }
}

function report(verdicts: readonly Verdict[], failed: number, output: Output): void {
  for (const { passed, route, document, from, message, source } of verdicts) {
    output.print(
      passed
        ? `ok      ${route}: ${document} from ${from}`
        : `FAILED  ${route}: ${document} from ${from}\n        ${source}: ${message}`,
    )
  }
  output.print(`${verdicts.length - failed} passed, ${failed} failed`)
}

import { writeFile } from 'node:fs/promises'
import { relative } from 'node:path'
import type { Route, RouteTest } from '../domain/route.ts'
import { judgeRouteTest } from '../matching/route-tests.ts'
import { assembled } from './assembled.ts'
import { cannot } from './cannot.ts'
import { type Coverage, tallyCoverage } from './coverage.ts'
import { junitReport } from './junit.ts'
import { CommandFailed, type ExitCode, type Output, printJson } from './output.ts'
import { type Examined, examine, readDocument } from './subject.ts'

interface Verdict {
  readonly route: string
  readonly document: string
  readonly from: string
  readonly passed: boolean
  readonly message: string
  readonly source: string
  readonly seconds: number
}

/**
 * Runs the tests that stand in the route files, without servers, and says what they leave untested. 1 where one fails.
 *
 * @param junit File for a report in JUnit's XML.
 */
export async function test(folder: string, junit: string | undefined, output: Output): Promise<ExitCode> {
  const assembly = await assembled(folder, output)
  const { routes } = assembly.configuration
  const tally = tallyCoverage(routes)
  const verdicts: Verdict[] = []
  for (const route of routes) {
    for (const one of route.tests) verdicts.push(await run(route, one))
  }
  assembly.documents.dispose()
  const failed = verdicts.filter((verdict) => !verdict.passed).length
  const coverage = tally.coverage()
  if (junit !== undefined) await writeReport(junit, verdicts)
  if (output.format === 'json') {
    printJson(output, { passed: verdicts.length - failed, failed, tests: verdicts, coverage })
  } else report(verdicts, failed, coverage, output)
  return failed === 0 ? 0 : 1

  async function run(route: Route, one: RouteTest): Promise<Verdict> {
    const name = { route: route.name, document: relative(folder, one.document), from: one.from, source: one.source }
    const begun = performance.now()
    const judgement = await judged(route, one)
    return { ...name, ...judgement, seconds: (performance.now() - begun) / 1000 }
  }

  async function judged(route: Route, one: RouteTest): Promise<Judgement> {
    const read = await readDocument(one.document).catch(reasonOfFailure)
    // The other tests say what they say all the same.
    if (typeof read === 'string') return { passed: false, message: read }
    const examined = examine(read, one.document, one.from, assembly, one.mediaType)
    if (examined.explanation) tally.note(examined.explanation)
    return judge(route, one, examined)
  }
}

function reasonOfFailure(error: Error): string {
  if (error instanceof CommandFailed) return error.message
  throw error
}

type Judgement = Pick<Verdict, 'passed' | 'message'>

function judge(route: Route, one: RouteTest, { explanation, rejection, isHeld }: Examined): Judgement {
  if (explanation) return judgeRouteTest(route, one, explanation)
  if (isHeld) {
    const passed = one.delivers.length === 0 && one.because === 'held'
    return { passed, message: 'the document is invalid, and held' }
  }
  const passed = one.delivers.length === 0 && one.because === rejection!.kind
  return { passed, message: `the document is rejected: ${rejection!.kind}: ${rejection!.text}` }
}

async function writeReport(file: string, verdicts: readonly Verdict[]): Promise<void> {
  const text = junitReport(
    verdicts.map(({ route, document, from, passed, message, source, seconds }) => ({
      suite: route,
      name: `${document} from ${from}`,
      source,
      seconds,
      failure: passed ? undefined : message,
    })),
  )
  await writeFile(file, text).catch(cannot('write', file))
}

function report(verdicts: readonly Verdict[], failed: number, coverage: Coverage, output: Output): void {
  for (const { passed, route, document, from, message, source } of verdicts) {
    output.print(
      passed
        ? `ok      ${route}: ${document} from ${from}`
        : `FAILED  ${route}: ${document} from ${from}\n        ${source}: ${message}`,
    )
  }
  for (const { source, route, message } of coverage.gaps) output.print(`untested  ${source}  ${route}: ${message}`)
  const { routes, conditions } = coverage
  output.print(
    `${verdicts.length - failed} passed, ${failed} failed; ${routes.shown} of ${routes.of} routes matched, ${conditions.shown} of ${conditions.of} conditions seen to hold and to fail`,
  )
}

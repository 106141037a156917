/** One test as a report for machines tells it. */
export interface ReportedTest {
  /** What it is about: tests of one suite stand together. */
  readonly suite: string
  readonly name: string
  /** `file:line:column`. */
  readonly source: string
  readonly seconds: number
  /** Why it failed; undefined where it passed. */
  readonly failure: string | undefined
}

/** The tests as JUnit's XML, which CI systems read: suites, cases, failures with their text. */
export function junitReport(tests: readonly ReportedTest[]): string {
  const suites = [...new Set(tests.map(({ suite }) => suite))]
  const parts = suites.map((suite) =>
    suiteElement(
      suite,
      tests.filter((test) => test.suite === suite),
    ),
  )
  const totals = attributes({ name: 'waybill', ...countsOf(tests) })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${totals}>\n${parts.join('')}</testsuites>\n`
}

function suiteElement(suite: string, tests: readonly ReportedTest[]): string {
  const cases = tests.map(caseElement)
  return `  <testsuite${attributes({ name: suite, ...countsOf(tests) })}>\n${cases.join('')}  </testsuite>\n`
}

function caseElement({ suite, name, source, seconds, failure }: ReportedTest): string {
  const [, file = source, line = ''] = /^(.*?):(\d+):\d+$/.exec(source) ?? []
  const own = attributes({ classname: suite, name, file, line, time: seconds.toFixed(3) })
  if (failure === undefined) return `    <testcase${own}/>\n`
  const inner = `<failure${attributes({ message: failure })}>${escaped(`${source}: ${failure}`)}</failure>`
  return `    <testcase${own}>${inner}</testcase>\n`
}

function countsOf(tests: readonly ReportedTest[]): Readonly<Record<string, string>> {
  const seconds = tests.reduce((sum, test) => sum + test.seconds, 0)
  const failures = tests.filter(({ failure }) => failure !== undefined).length
  return { tests: String(tests.length), failures: String(failures), time: seconds.toFixed(3) }
}

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escaped(value)}"`)
    .join('')
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** What XML 1.0 can't hold at all becomes U+FFFD: values of documents stand in messages. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
    .replace(/[&<>"]/g, (character) => ENTITIES[character]!)
}

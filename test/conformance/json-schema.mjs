// JSON Schema: groups of tests as those of the official suite are, draft 2020-12: ours always, and the official ones where they are.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compile, isValid, write } from './waybill.mjs'

/** @typedef {{ description: string, schema: any, tests: { description: string, data: any, valid: boolean }[] }} Group */
/** @typedef {{ what: string, ours: unknown, theirs: unknown, message: string, text: string }} Difference */

/** In the corpora, or in a folder of its own; `tests/draft2020-12` of https://github.com/json-schema-org/JSON-Schema-Test-Suite. */
const OFFICIAL = ['json-schema', 'JSON-Schema-Test-Suite', 'json-schema-test-suite'].map((name) =>
  join(name, 'tests', 'draft2020-12'),
)
const OWN = new URL('json-schema/', import.meta.url)

/**
 * What Waybill refuses, or takes otherwise, on purpose: the operator's mistake is likelier than the wish. They are counted apart.
 *
 * @type {readonly { why: string, when: (problem: string, group: Group) => boolean }[]}
 */
const REFUSED = [
  { why: 'a schema is an object: true and false are not taken', when: (_, { schema }) => typeof schema === 'boolean' },
  { why: 'a schema that checks nothing is refused', when: (problem) => problem.includes('it accepts everything') },
  {
    why: 'an unknown keyword is refused, and so is an unknown format',
    when: (problem) => /unknown (keyword|format)/.test(problem),
  },
  {
    why: 'keywords that have no effect beside each other are refused',
    when: (problem) => problem.includes('strict mode'),
  },
  {
    why: 'references lead into the folder of the schema only',
    when: (problem) => problem.includes('no file of the bundle is that'),
  },
  {
    why: 'what ajv would judge wrongly is refused (docs/schemas.md)',
    when: (problem) => /would not be checked|neither allows|none allows|of the whole file only/.test(problem),
  },
  {
    why: 'references by a relative $id or a URN that ajv follows without end are refused',
    when: (problem) => problem.includes('Maximum call stack size exceeded'),
  },
  {
    why: 'ajv takes an $id for one within an unknown keyword too, and then it is there twice',
    when: (problem, { description }) =>
      problem.includes('resolves to more than one schema') && description.includes('unknown keyword'),
  },
  { why: '$schema names another dialect', when: (problem) => problem.includes('are understood') },
]

/** @param {import('./run.mjs').Settings} settings */
export async function run({ corpora, folder }) {
  const official =
    corpora === undefined ? undefined : OFFICIAL.map((name) => join(corpora, name)).find((name) => existsSync(name))
  const own = await runFolder(OWN.pathname, join(folder, 'own'))
  const theirs = official === undefined ? undefined : await runFolder(official, join(folder, 'official'))
  const theirDifferences = theirs?.differences ?? []
  const refused = [...own.refused, ...(theirs?.refused ?? [])]
  return {
    counts: { ownTests: own.tests, officialTests: theirs?.tests ?? 0, schemasRefused: refused.length },
    differences: [...own.differences, ...theirDifferences],
    explained: REFUSED.map(({ why }) => ({ why, count: refused.filter((one) => one === why).length })).filter(
      ({ count }) => count > 0,
    ),
    leftOut: official === undefined ? ['the official suite: it is not in the corpora'] : [],
    goals: [
      {
        text: `JSON Schema: tests of our own: ${own.differences.length} of ${own.tests} fail`,
        met: own.tests > 200 && own.differences.length === 0,
      },
      ...(theirs
        ? [
            {
              text: `JSON Schema: official tests: ${theirDifferences.length} of ${theirs.tests} fail`,
              met: theirs.tests > 0 && theirDifferences.length === 0,
            },
          ]
        : []),
    ],
  }
}

/** @param {string} from @param {string} to */
async function runFolder(from, to) {
  /** @type {Difference[]} */
  const differences = []
  /** @type {string[]} */
  const refused = []
  let tests = 0
  // `optional/` is a folder: what is required stands beside it.
  for (const name of readdirSync(from).filter((one) => one.endsWith('.json'))) {
    const groups = /** @type {Group[]} */ (JSON.parse(readFileSync(join(from, name), 'utf8')))
    for (const [at, group] of groups.entries()) {
      const place = join(to, `${name}-${at}`)
      const [file = ''] = write(place, { 'schema.json': JSON.stringify(group.schema) })
      const { problems, findingsOf, dispose } = await compile({ language: 'json', file, folder: place })
      tests += group.tests.length
      const what = `${name}: ${group.description}`
      if (problems.length > 0) {
        const problem = problems[0]?.message ?? ''
        const why = REFUSED.find(({ when }) => when(problem, group))?.why
        if (why === undefined)
          differences.push({
            what,
            ours: 'refuses the schema',
            theirs: 'takes it',
            message: problem,
            text: JSON.stringify(group.schema),
          })
        else refused.push(why)
        continue
      }
      for (const { description, data, valid } of group.tests) {
        const ours = isValid(findingsOf(JSON.stringify(data)))
        if (ours !== valid)
          differences.push({
            what: `${what}: ${description}`,
            ours,
            theirs: valid,
            message: '',
            text: JSON.stringify({ schema: group.schema, data }),
          })
      }
      dispose()
    }
  }
  return { tests, differences, refused }
}

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
  { why: '$schema names another dialect', when: (problem) => problem.includes('are understood') },
]

/** What ajv is known to do otherwise (https://ajv.js.org/json-schema.html). */
const AJV = [
  {
    why: 'ajv finds a $dynamicAnchor only where the way of the evaluation led past it, not within $defs',
    when: (/** @type {string} */ name) => /dynamic/i.test(name),
  },
]

/** @param {import('./run.mjs').Settings} settings */
export async function run({ corpora, folder }) {
  const official =
    corpora === undefined ? undefined : OFFICIAL.map((name) => join(corpora, name)).find((name) => existsSync(name))
  const own = await runFolder(OWN.pathname, join(folder, 'own'))
  const theirs = official === undefined ? undefined : await runFolder(official, join(folder, 'official'))
  const isExplained = (/** @type {Difference} */ { what }) => AJV.some(({ when }) => when(what))
  const found = [...own.differences, ...(theirs?.differences ?? [])]
  const ownUnexplained = own.differences.filter((one) => !isExplained(one))
  const unexplained = (theirs?.differences ?? []).filter((one) => !isExplained(one))
  const refused = [...own.refused, ...(theirs?.refused ?? [])]
  return {
    counts: { ownTests: own.tests, officialTests: theirs?.tests ?? 0, schemasRefused: refused.length },
    differences: [...ownUnexplained, ...unexplained],
    explained: [
      ...REFUSED.map(({ why }) => ({ why, count: refused.filter((one) => one === why).length })),
      ...AJV.map(({ why, when }) => ({
        why,
        count: found.filter(({ what }) => when(what)).length,
      })),
    ].filter(({ count }) => count > 0),
    leftOut: official === undefined ? ['the official suite: it is not in the corpora'] : [],
    goals: [
      {
        text: `JSON Schema: tests of our own: ${ownUnexplained.length} of ${own.tests} fail`,
        met: own.tests > 200 && ownUnexplained.length === 0,
      },
      ...(theirs
        ? [
            {
              text: `JSON Schema: official tests: ${unexplained.length} of ${theirs.tests} fail`,
              met: theirs.tests > 0 && unexplained.length === 0,
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

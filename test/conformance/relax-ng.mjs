// RELAX NG, both syntaxes: the verdicts of Waybill are those that stand in the cases, and jing's on damaged documents too.
import { join } from 'node:path'
import { mutate, randomFrom } from './mutate.mjs'
import { askJing } from './oracles.mjs'
import { CASES, WRONG } from './relax-ng-cases.mjs'
import { compile, isValid, parse, serialise, write } from './waybill.mjs'

/** @typedef {{ what: string, ours: unknown, theirs: unknown, message: string, text: string }} Difference */

/** @param {import('./run.mjs').Settings} settings */
export async function run({ seed, quick, folder, has }) {
  const random = randomFrom(seed)
  const each = quick ? 3 : 25
  /** @type {Difference[]} */
  const differences = []
  /** @type {{ why: string, count: number }[]} */
  const explained = []
  const counts = {
    schemas: CASES.length,
    wrongSchemas: WRONG.length,
    documents: 0,
    mutants: 0,
    askedJing: 0,
  }
  for (const [at, one] of CASES.entries()) {
    const place = join(folder, `case-${at}`)
    const given = [
      ...one.valid.map((text) => ({ text, expected: true })),
      ...one.invalid.map((text) => ({ text, expected: false })),
    ]
    const mutants = given.flatMap(({ text }) =>
      Array.from({ length: each }, () => serialise(mutate(parse(text), random).root)),
    )
    counts.documents += given.length
    counts.mutants += mutants.length
    const [schema = ''] = write(place, one.files)
    const found = await verdictsOf(schema, place, [...given.map(({ text }) => text), ...mutants])
    differences.push(...given.flatMap(({ text, expected }, n) => compared(one.name, text, found[n], expected)))
    if (!has('jing')) continue
    if (one.ours !== undefined) {
      explained.push({ why: one.ours, count: 1 })
      continue
    }
    const texts = [...given.map(({ text }) => text), ...mutants]
    const asked = askJing(
      schema,
      write(join(place, 'documents'), Object.fromEntries(texts.map((text, n) => [`${n}.xml`, text]))),
    )
    if (asked.isSchemaWrong) throw new Error(`jing refuses the schema of ${one.name}`)
    counts.askedJing += texts.length
    differences.push(...texts.flatMap((text, n) => compared(`${one.name}, jing`, text, found[n], asked.valid[n])))
  }
  const accepted = await acceptedWrongly(folder, has('jing'))
  return {
    counts,
    differences: [...differences, ...accepted],
    explained,
    leftOut: has('jing') ? [] : ['jing: it is not there'],
    goals: [
      {
        text: `RELAX NG: verdicts as expected, and as jing's: ${differences.length} differ`,
        met: differences.length === 0,
      },
      {
        text: `RELAX NG: wrong schemas refused: ${accepted.length} of ${WRONG.length} are not`,
        met: accepted.length === 0,
      },
    ],
  }
}

/** @param {string} schema @param {string} folder @param {readonly string[]} texts */
async function verdictsOf(schema, folder, texts) {
  const validator = await compile({ language: 'rng', file: schema, folder })
  if (validator.problems.length > 0) throw new Error(`${schema}: ${validator.problems[0]?.message}`)
  const verdicts = texts.map((text) => isValid(validator.findingsOf(text)))
  validator.dispose()
  return verdicts
}

/** @param {string} what @param {string} text @param {boolean | undefined} ours @param {boolean | undefined} theirs @returns {Difference[]} */
function compared(what, text, ours, theirs) {
  return ours === theirs ? [] : [{ what, ours, theirs, message: text.slice(0, 200), text }]
}

/** @param {string} folder @param {boolean} hasJing @returns {Promise<Difference[]>} */
async function acceptedWrongly(folder, hasJing) {
  /** @type {Difference[]} */
  const accepted = []
  for (const [at, text] of WRONG.entries()) {
    const place = join(folder, `wrong-${at}`)
    const [schema = '', document = ''] = write(place, { 'schema.rnc': text, 'a.xml': '<a/>' })
    const { problems, dispose } = await compile({ language: 'rng', file: schema, folder: place })
    dispose()
    const difference = { what: 'a wrong schema', ours: 'accepted', theirs: 'refused', message: text, text }
    if (problems.length === 0) accepted.push(difference)
    // What jing takes was no wrong schema.
    if (hasJing && !askJing(schema, [document]).isSchemaWrong)
      accepted.push({ ...difference, ours: 'refused', theirs: 'jing accepts it' })
  }
  return accepted
}

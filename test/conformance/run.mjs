// `npm run conformance [SUITE…]`: Waybill's validators against others, over suites of our own and the corpora.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { failWith, SetUpFailed } from '../../deploy/setup/command.mjs'
import { build, installPackages } from '../../deploy/setup/packages.mjs'
import { CONFORMANCE_PROGRAMS, ensurePrograms, PROGRAMS } from '../../deploy/setup/programs.mjs'

/**
 * @typedef {{ seed: number, quick: boolean, corpora: string | undefined, folder: string, has: (program: keyof typeof CONFORMANCE_PROGRAMS) => boolean }} Settings
 * `corpora` is undefined where they aren't there; `folder` is for files, and goes afterwards.
 * @typedef {{
 *   counts: Record<string, number>, differences: { what: string, ours: unknown, theirs: unknown, message: string, text: string }[],
 *   explained: { why: string, count: number }[], leftOut: string[], goals: { text: string, met: boolean }[]
 * }} Outcome
 */

const DIFFERENCES_TOLD = 20

/** @type {Readonly<Record<string, () => Promise<{ run: (settings: Settings) => Promise<Outcome> }>>>} */
const SUITES = {
  xsd: () => import('./xsd.mjs'),
  'relax-ng': () => import('./relax-ng.mjs'),
  'json-schema': () => import('./json-schema.mjs'),
  schematron: () => import('./schematron.mjs'),
}
const OPTIONS = /** @type {const} */ ({
  seed: { type: 'string', default: '1' },
  quick: { type: 'boolean', default: false },
  json: { type: 'string' },
  check: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
})
const USAGE = `npm run conformance
npm run conformance -- xsd relax-ng --seed 7
npm run conformance -- --check --json result.json
npm run conformance -- [SUITE…] [OPTION…]      SUITE: ${Object.keys(SUITES).join(', ')}; all where none is named

  --seed N         of the damaged documents (1)
  --quick          under a minute, with fewer documents, and only the validators that are there
  --json FILE      writes everything that was found into FILE
  --check          what was left out counts as a failure as well

Exit codes: 0 all agree, 1 differences that nobody has explained, 2 usage, 3 something is missing.
WAYBILL_CORPORA names the folder of the corpora.`

const { values, positionals } = readArguments()
if (values.help) {
  console.log(USAGE)
  process.exit(0)
}
const root = fileURLToPath(new URL('../..', import.meta.url))
try {
  await installPackages(root)
  await build(root)
  await ensurePrograms([PROGRAMS.xmllint, ...(values.quick ? [] : Object.values(CONFORMANCE_PROGRAMS))])
} catch (error) {
  failWith(error instanceof SetUpFailed ? error : new SetUpFailed(String(error)))
}

const folder = mkdtempSync(join(tmpdir(), 'waybill-conformance-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  process.once(signal, () => process.exit(130))
process.exitCode = await main()

function readArguments() {
  try {
    const read = parseArgs({ options: OPTIONS, allowPositionals: true })
    const unknown = read.positionals.filter((name) => SUITES[name] === undefined)
    if (unknown.length > 0) throw new RangeError(`There is no suite ${unknown.join(', ')}`)
    if (!Number.isSafeInteger(Number(read.values.seed)))
      throw new RangeError(`--seed must be a number: ${read.values.seed}`)
    return read
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    return process.exit(2)
  }
}

async function main() {
  const corpora = resolve(process.env.WAYBILL_CORPORA ?? join(root, '../shared/corpora'))
  const there = Object.fromEntries(
    await Promise.all(
      Object.entries(CONFORMANCE_PROGRAMS).map(async ([name, program]) => [name, await program.isThere()]),
    ),
  )
  const begun = Date.now()
  /** @type {Record<string, Outcome>} */
  const outcomes = {}
  for (const name of positionals.length > 0 ? positionals : Object.keys(SUITES)) {
    const suite = await SUITES[name]?.()
    if (!suite) continue
    const settings = {
      seed: Number(values.seed),
      quick: values.quick,
      corpora: existsSync(corpora) ? corpora : undefined,
      folder: join(folder, name),
      has: (/** @type {string} */ program) => there[program] === true,
    }
    outcomes[name] = await suite.run(settings)
    tell(name, outcomes[name])
  }
  const tookSeconds = Math.round((Date.now() - begun) / 1000)
  if (values.json)
    writeFileSync(values.json, JSON.stringify({ seed: Number(values.seed), tookSeconds, ...outcomes }, null, 2))
  return verdict(Object.values(outcomes), tookSeconds)
}

/** @param {string} name @param {Outcome} outcome */
function tell(name, { counts, differences, explained, leftOut }) {
  console.log(
    `${name}: ${Object.entries(counts)
      .map(([what, count]) => `${count} ${what}`)
      .join(', ')}`,
  )
  for (const { why, count } of explained) console.log(`  ${count} differ, explained: ${why}`)
  for (const what of leftOut) console.log(`  left out: ${what}`)
  for (const { what, ours, theirs, message } of differences.slice(0, DIFFERENCES_TOLD)) {
    console.log(`  DIFFERS: ${what}: Waybill ${ours}, expected ${theirs}${message === '' ? '' : ` (${message})`}`)
  }
  if (differences.length > DIFFERENCES_TOLD) console.log(`  … ${differences.length - DIFFERENCES_TOLD} more`)
}

/** @param {readonly Outcome[]} outcomes @param {number} tookSeconds */
function verdict(outcomes, tookSeconds) {
  const goals = outcomes.flatMap((outcome) => outcome.goals)
  const leftOut = values.check ? outcomes.flatMap((outcome) => outcome.leftOut) : []
  const missed = [
    ...goals.filter(({ met }) => !met).map(({ text }) => text),
    ...leftOut.map((what) => `left out: ${what}`),
  ]
  console.log(`\nconformance took ${tookSeconds} s, seed ${values.seed}`)
  console.log(missed.length === 0 ? `all ${goals.length} goals met` : `goals missed: ${missed.join(' | ')}`)
  return missed.length === 0 ? 0 : 1
}

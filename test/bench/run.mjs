// `npm run bench -- NAME`: one benchmark, with servers of its own where it needs some, and nothing left behind.
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { failWith, SetUpFailed } from '../../deploy/setup/command.mjs'
import { installPackages } from '../../deploy/setup/packages.mjs'
import { makeClosing } from './closing.mjs'

/** @type {Readonly<Record<string, () => Promise<any>>>} */
const BENCHMARKS = {
  e2e: () => import('./e2e.mjs'),
  match: () => import('./match.mjs'),
  order: () => import('./order.mjs'),
  soak: () => import('./soak.mjs'),
  validate: () => import('./validate.mjs'),
}
const LONGEST_MS = 30 * 60_000
const COMMON = /** @type {const} */ ({
  seed: { type: 'string', default: '1' },
  quick: { type: 'boolean', default: false },
  json: { type: 'string' },
  check: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
})
const USAGE = `npm run bench -- e2e --quick
npm run bench -- match --check --json result.json
npm run bench -- validate --check
npm run bench -- NAME [OPTION…]      NAME: ${Object.keys(BENCHMARKS).join(', ')}

  --seed N         of the generated documents (1)
  --quick          under a minute, less exact
  --json FILE      writes everything measured into FILE
  --check          exits with 1 where a goal is missed, and names it in the last line`

const [name = '', ...rest] = process.argv.slice(2)
const load = BENCHMARKS[name]
if (load === undefined || rest.includes('--help')) {
  console.log(load === undefined ? USAGE : `${USAGE}\n${(await load()).HELP}`)
  process.exit(name === '--help' || load !== undefined ? 0 : 2)
}

await installPackages(fileURLToPath(new URL('../..', import.meta.url))).catch(failWith)
const closing = makeClosing()
let ending = false
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.once(signal, () => endWith(130))
setTimeout(() => {
  console.error(`Cannot go on: ${name} has taken ${LONGEST_MS / 60_000} minutes`)
  endWith(3)
}, LONGEST_MS).unref()

const exitCode = await main().catch(complain)
// What is closed in the middle of a run makes it fail: whoever closes says how it ends.
if (!ending) await endWith(exitCode)

/** @param {number} code */
async function endWith(code) {
  ending = true
  await closing.close()
  process.exit(code)
}

async function main() {
  const benchmark = await load()
  const values = readArguments(benchmark.OPTIONS)
  if (values === undefined) return 2
  const seed = Number(values.seed)
  const begun = Date.now()
  const result = await benchmark.run({ values, seed, quick: values.quick, closing })
  await closing.close()
  const tookSeconds = Math.round((Date.now() - begun) / 1000)
  if (values.json)
    writeFileSync(values.json, JSON.stringify({ name, seed, tookSeconds, ...machine(), ...result }, null, 2))
  console.log(`\n${name} took ${tookSeconds} s, seed ${seed}`)
  return verdict(result.goals, values.check === true)
}

/** @param {Record<string, any>} own */
function readArguments(own) {
  try {
    return parseArgs({ args: rest, options: { ...COMMON, ...own } }).values
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
    return undefined
  }
}

function machine() {
  return { node: process.version, processor: cpus()[0]?.model ?? '', processors: cpus().length }
}

/**
 * @param {readonly { text: string, met: boolean }[]} goals
 * @param {boolean} check
 */
function verdict(goals, check) {
  const missed = goals.filter(({ met }) => !met)
  if (!check) return 0
  console.log(
    missed.length === 0
      ? `all ${goals.length} goals met`
      : `goals missed: ${missed.map(({ text }) => text).join(' | ')}`,
  )
  return missed.length === 0 ? 0 : 1
}

/** @param {unknown} error */
function complain(error) {
  const isPlain = error instanceof RangeError || error instanceof SetUpFailed
  if (!ending) console.error(isPlain ? error.message : error)
  return error instanceof RangeError ? 2 : 3
}

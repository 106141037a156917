// `npm run chaos`: Waybill under load while everything around it breaks, on servers of its own, with nothing left behind.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runnerImport } from 'vite'
import { failWith } from '../../deploy/setup/command.mjs'
import { build, installPackages } from '../../deploy/setup/packages.mjs'
import { ensurePrograms, PROGRAMS } from '../../deploy/setup/programs.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const SERVERS = ['prosody', 'ejabberd']
const USAGE = `npm run chaos -- --quick
npm run chaos -- --seed 7 --check --json result.json
npm run chaos -- --documents 10000 --faults 50 --minutes 20

  --documents N    to send, over all servers (10000; 600 with --quick)
  --faults N       to make, over all servers (50; 12 with --quick)
  --minutes N      no fault and no document later than this (15; 1 with --quick): documents and faults decide, this only caps
  --servers LIST   of ${SERVERS.join()}, all at once (all)
  --seed N         decides what goes wrong and when (a random one)
  --quick          under a minute
  --json FILE      writes everything counted into FILE
  --check          exits with 1 where a goal is missed, and names it in the last line`

const options = readArguments()
try {
  await installPackages(root)
  await build(root)
  await ensurePrograms([PROGRAMS.redis, ...options.servers.map((name) => PROGRAMS[name])])
} catch (error) {
  failWith(error)
}
process.exitCode = await main().catch((error) => {
  console.error(error)
  return 3
})
// A stalled link or a frozen server must not keep it from ending.
process.exit()

async function main() {
  const { runChaos } = await load('test/chaos/run.ts')
  const { PACES } = await load('test/chaos/schedule.ts')
  const { goalsOf, listsOf, tableOf } = await load('test/chaos/report.ts')
  const { seed, servers } = options
  console.log(`seed ${seed}`)
  const beganAtMs = Date.now()
  const share = (count) => Math.ceil(count / servers.length)
  const results = await Promise.all(
    servers.map((kind) =>
      runChaos({
        kind,
        seed,
        documents: share(options.documents),
        faults: share(options.faults),
        capMs: options.minutes * 60_000,
        pace: options.quick ? PACES.quick : PACES.steady,
        quietMs: options.quick ? 60_000 : 240_000,
        tell: (line) => console.log(`${((Date.now() - beganAtMs) / 1_000).toFixed(1).padStart(7)} ${kind}: ${line}`),
      }),
    ),
  )
  const goals = goalsOf(results)
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify({ seed, goals, results }, null, 2))
  console.log(`\n${results.map(listsOf).join('\n')}\n\n${tableOf(results)}\n`)
  const missed = goals.filter(({ met }) => !met).map(({ text }) => text)
  const verdict = missed.length === 0 ? goals.map(({ text }) => text).join(', ') : `goals missed: ${missed.join(' | ')}`
  console.log(`chaos took ${Math.round((Date.now() - beganAtMs) / 1_000)} s, seed ${seed}: ${verdict}`)
  return options.check && missed.length > 0 ? 1 : 0
}

/** The servers' starters are TypeScript; vite comes with vitest and runs them as they are. */
async function load(file) {
  const { module } = await runnerImport(`${root}${file}`, { root, configFile: false, logLevel: 'silent' })
  return module
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        documents: { type: 'string' },
        faults: { type: 'string' },
        minutes: { type: 'string' },
        seed: { type: 'string' },
        servers: { type: 'string', default: SERVERS.join() },
        quick: { type: 'boolean', default: false },
        json: { type: 'string' },
        check: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      console.log(USAGE)
      process.exit(0)
    }
    const { quick, check, json } = values
    return {
      quick,
      check,
      json,
      servers: chosenServers(values.servers),
      documents: whole('documents', values.documents, quick ? 600 : 10_000),
      faults: whole('faults', values.faults, quick ? 12 : 50),
      minutes: whole('minutes', values.minutes, quick ? 1 : 15),
      seed: whole('seed', values.seed, Math.floor(Math.random() * 1_000_000)),
    }
  } catch (error) {
    console.error(`${error.message}\n\n${USAGE}`)
    return process.exit(2)
  }
}

function chosenServers(text) {
  const wanted = text.split(',')
  const strange = wanted.find((name) => !SERVERS.includes(name))
  if (strange !== undefined) throw new Error(`Cannot read --servers: "${strange}" is none of ${SERVERS.join()}`)
  return SERVERS.filter((name) => wanted.includes(name))
}

function whole(option, text, otherwise) {
  if (text === undefined) return otherwise
  if (!/^\d{1,9}$/.test(text)) throw new Error(`Cannot read --${option}: "${text}" is no whole number`)
  return Number(text)
}

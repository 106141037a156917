// `npm start`: everything from a fresh clone to documents on their way. `npm start -- --exit` ends after the demo.
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { failWith, SetUpFailed } from '../setup/command.mjs'
import { build, installPackages } from '../setup/packages.mjs'
import { ensurePrograms, PROGRAMS } from '../setup/programs.mjs'
import { step } from '../setup/progress.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = resolve(process.env.WAYBILL_DEMO_FOLDER || join(root, '.waybill'))
const mark = join(folder, 'running')
const stops = []
let stopping

process.on('SIGINT', () => stop(130))
process.on('SIGTERM', () => stop(143))
process.on('SIGHUP', () => stop(129))

try {
  const exitAfterwards = readArguments(process.argv.slice(2))
  await installPackages(root)
  await build(root)
  const needed = [
    ...(process.env.WAYBILL_REDIS_URL ? [] : [PROGRAMS.redis]),
    ...(process.env.WAYBILL_XMPP_SERVICE ? [] : [PROGRAMS.prosody]),
  ]
  await ensurePrograms(needed)
  await run(exitAfterwards)
} catch (error) {
  if (!stopping) {
    await stopAll()
    releaseFolder()
    failWith(error)
  }
}

function readArguments(args) {
  const unknown = args.filter((argument) => argument !== '--exit')
  if (unknown.length > 0) throw new SetUpFailed(`Unknown argument ${unknown[0]}. Known: --exit (stop after the demo)`)
  return args.includes('--exit')
}

async function run(exitAfterwards) {
  // These need the npm packages, which the lines above may have installed just now.
  const { openDemo } = await import('./demo.mjs')
  const { invitation } = await import('./invitation.mjs')
  const { createView } = await import('./view.mjs')
  claimFolder()
  const view = createView()
  const { site, http } = await step('starting the servers and Waybill', startEverything)
  const demo = await openDemo({ ...site, service: site.clientService }, view)
  stops.push(() => demo.close())

  view.heading(`Documents to ${site.waybill}`)
  const differing = await demo.run()
  report(view, differing)
  if (exitAfterwards) return stop(differing.length === 0 ? 0 : 1)
  view.print(invitation(site, http, relative(process.cwd(), site.config)))
  demo.follow()
}

/** Two demos must not share a folder, not even if they are started in the same moment: a link is made whole, or not at all. */
function claimFolder() {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const own = `${mark}.${process.pid}`
  writeFileSync(own, String(process.pid))
  try {
    while (!link(own)) {
      const other = markOwner()
      if (other && isAlive(other)) {
        throw new SetUpFailed(`The demo runs already in ${folder}: process ${other}. Stop that one first`)
      }
      rmSync(mark, { force: true })
    }
  } finally {
    rmSync(own)
  }
}

function link(own) {
  try {
    linkSync(own, mark)
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    return false
  }
}

/** 0 where there is no mark, or nothing in it. */
function markOwner() {
  return existsSync(mark) ? Number(readFileSync(mark, 'utf8')) : 0
}

async function startEverything() {
  const { forgetPorts, prepareSite } = await import('./site.mjs')
  const { startProsody, startRedis, startWaybill } = await import('./servers.mjs')
  for (let tries = 0; tries < 5; tries++) {
    const site = await prepareSite(folder, process.env)
    const servers = await Promise.all([
      site.ownRedis ? startRedis(site) : 'not ours',
      site.ownXmpp ? startProsody(site) : 'not ours',
    ])
    const ours = servers.filter((server) => typeof server === 'object')
    stops.push(...ours.map((server) => () => server.stop()))
    if (servers.every((server) => server !== undefined)) {
      const { waybill, http } = await startWaybill(root, site)
      stops.push(() => waybill.stop())
      for (const server of [...ours, waybill]) void server.ended.then((how) => ended(server.name, how))
      return { site, http }
    }
    await stopAll()
    forgetPorts(folder)
  }
  throw new SetUpFailed('Cannot start the servers: their ports were taken five times in a row')
}

function report(view, differing) {
  if (differing.length === 0) return view.heading('Every document had the outcome that was declared for it.')
  view.heading(`${differing.length} documents had another outcome than the declared one:`)
  for (const { document, differing: list } of differing) view.print(`  ${document.what}: ${list.join('; ')}`)
}

function ended(name, how) {
  if (stopping) return
  process.stderr.write(`${name} ended by itself (${how}). Its log is in ${join(folder, 'logs')}\n`)
  void stop(1)
}

/** @param {number} exitCode */
function stop(exitCode) {
  stopping ??= stopAll().then(() => {
    releaseFolder()
    process.exit(exitCode)
  })
  return stopping
}

/** In the opposite order of starting: the clients first, the servers last. */
async function stopAll() {
  for (const undo of stops.splice(0).reverse())
    await undo().catch((error) => process.stderr.write(`${error.message}\n`))
}

function releaseFolder() {
  if (markOwner() === process.pid) rmSync(mark)
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

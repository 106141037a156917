import { fork, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const path = (/** @type {string} */ relative) => fileURLToPath(new URL(relative, import.meta.url))
const WAYBILL = path('../../dist/cli.js')
const TARGET = 'erp@other.example.test'
const START_MS = 20_000
const STOP_MS = 12_000

/** @typedef {{ pid: number, hasEnded: () => boolean, complaints: () => string, stop: () => Promise<void> }} RunningPeer */
/** @typedef {import('../servers/xmpp.ts').RunningXmppServer} RunningXmppServer */

/** What can stand between sender and receiver. */
export const PEERS = /** @type {const} */ (['raw', 'naive', 'waybill'])

/**
 * @param {typeof PEERS[number]} peer
 * @param {{ server: RunningXmppServer, redisUrl: string, profileFolder?: string | undefined }} surroundings
 * @returns {Promise<RunningPeer>} when it is online
 */
export function startPeer(peer, { server, redisUrl, profileFolder }) {
  const { domain, port, secret } = server.component('waybill')
  const service = `xmpp://127.0.0.1:${port}`
  const profile = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`]
  if (peer === 'waybill') {
    if (!existsSync(WAYBILL)) throw new Error(`Cannot start Waybill: ${WAYBILL} is missing. Run "npm run build" first`)
    return startProcess([...profile, WAYBILL, 'run', path('config')], {
      BENCH_XMPP_SERVICE: service,
      BENCH_XMPP_DOMAIN: domain,
      BENCH_XMPP_HOST: server.domain,
      BENCH_XMPP_SECRET: secret,
      BENCH_REDIS_URL: redisUrl,
    })
  }
  return startProcess([...profile, path(peer === 'naive' ? 'naive-peer.mjs' : 'raw-forwarder.mjs')], {
    XMPP_SERVICE: service,
    XMPP_DOMAIN: domain,
    XMPP_SECRET: secret,
    REDIS_URL: redisUrl,
    TARGET,
    SCHEMA: path('config/order.schema.json'),
  })
}

/**
 * A Node process that says `ready…` on its standard output when it is up.
 * @param {string[]} args
 * @param {Record<string, string>} environment
 * @returns {Promise<RunningPeer>}
 */
async function startProcess(args, environment) {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, NODE_ENV: 'production', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaints = (complaints + text).slice(-4_000)
  })
  const killAtExit = () => child.kill('SIGKILL')
  process.once('exit', killAtExit)
  const ended = new Promise((resolve) => child.once('exit', resolve)).then(() => process.off('exit', killAtExit))

  const peer = {
    pid: child.pid ?? 0,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    complaints: () => complaints,
    async stop() {
      child.kill('SIGTERM')
      const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await ended
      clearTimeout(impatience)
    },
  }
  const ready = new Promise((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => line.startsWith('ready') && resolve(true))
    ended.then(() => resolve(false))
    setTimeout(() => resolve(false), START_MS).unref()
  })
  if (await ready) return peer
  await peer.stop()
  throw new Error(`Cannot start ${args.at(-1)}: it was not ready within ${START_MS / 1000} s and said: ${complaints}`)
}

/**
 * Both ends of the measurement, in one process of their own.
 * @param {RunningXmppServer} server
 * @param {number} seed
 */
export async function startTraffic(server, seed) {
  const child = fork(path('traffic.mjs'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const ask = (/** @type {unknown} */ order) =>
    new Promise((resolve, reject) => {
      const onExit = () => reject(new Error('Cannot measure: the process that sends and receives has ended'))
      child.once('exit', onExit)
      child.once('message', (answer) => {
        child.off('exit', onExit)
        const { failed } = /** @type {{ failed?: string }} */ (answer)
        if (failed === undefined) resolve(answer)
        else reject(new Error(failed))
      })
      child.send(/** @type {object} */ (order))
    })
  const { domain } = server.component('waybill')
  await ask({ start: { peer: server.component('peer'), other: server.component('other'), target: domain, seed } })
  return {
    pid: child.pid ?? 0,
    /** @type {(order: import('./traffic.mjs').Order['run']) => Promise<import('./traffic.mjs').Outcome>} */
    run: (order) => ask({ run: order }),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
    },
  }
}

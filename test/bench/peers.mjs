import { fork } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const path = (/** @type {string} */ relative) => fileURLToPath(new URL(relative, import.meta.url))
const TARGET = 'erp@other.example.test'
const NEVER = /(?!)/

/** @typedef {import('../servers/xmpp.ts').RunningXmppServer} RunningXmppServer */
/** @typedef {typeof import('../servers/processes.ts')} Processes */

/** What can stand between sender and receiver. */
export const PEERS = /** @type {const} */ (['raw', 'naive', 'waybill'])

/**
 * @param {typeof PEERS[number]} peer
 * @param {{ processes: Processes, server: RunningXmppServer, redisUrl: string, profileFolder?: string | undefined }} surroundings
 * @returns when it is online
 */
export function startPeer(peer, { processes, server, redisUrl, profileFolder }) {
  const { domain, port, secret } = server.component('waybill')
  const service = `xmpp://127.0.0.1:${port}`
  const profile = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(profileFolder, peer)}`]
  if (peer === 'waybill') {
    return startProcess(processes, [...profile, path('../../dist/cli.js'), 'run', path('config')], {
      BENCH_XMPP_SERVICE: service,
      BENCH_XMPP_DOMAIN: domain,
      BENCH_XMPP_HOST: server.domain,
      BENCH_XMPP_SECRET: secret,
      BENCH_REDIS_URL: redisUrl,
    })
  }
  return startProcess(processes, [...profile, path(peer === 'naive' ? 'naive-peer.mjs' : 'raw-forwarder.mjs')], {
    XMPP_SERVICE: service,
    XMPP_DOMAIN: domain,
    XMPP_SECRET: secret,
    REDIS_URL: redisUrl,
    TARGET,
    SCHEMA: path('config/order.schema.json'),
  })
}

/**
 * A Node process that says `ready…` when it is up.
 * @param {Processes} processes
 * @param {string[]} args
 * @param {Record<string, string>} environment
 */
async function startProcess({ launch, removeFolder, serverFolder, whenReady }, args, environment) {
  const folder = serverFolder('peer')
  const peer = launch({
    command: process.execPath,
    arguments: args,
    folder,
    environment: { NODE_ENV: 'production', ...environment },
  })
  await whenReady(peer, { ready: [/^ready/m], portTaken: NEVER })
  return {
    pid: peer.pid,
    hasEnded: peer.hasEnded,
    lastWords: () => peer.output().slice(-4_000),
    async stop() {
      if (!peer.hasEnded()) await peer.kill('SIGTERM')
      removeFolder(folder)
    },
  }
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

import { fork } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { destinationsOf, writeConfiguration } from './configuration.mjs'

const path = (/** @type {string} */ relative) => fileURLToPath(new URL(relative, import.meta.url))
const NEVER = /(?!)/
const READY = /^ready/m
const READY_OR_STANDBY = /^ready|"standby"/m
/** As deploy/systemd and the Dockerfile start Waybill, and all peers alike. */
const ENVIRONMENT = { NODE_ENV: 'production', NODE_OPTIONS: '--max-semi-space-size=64' }

/** @typedef {import('../../servers/xmpp.ts').RunningXmppServer} RunningXmppServer */
/** @typedef {typeof import('../../servers/processes.ts')} Processes */
/** @typedef {import('./cells.mjs').Situation} Situation */
/**
 * What stands between sender and receiver, online.
 * @typedef {{ name: string, domains: string[], pids: number[], redis: string, hasEnded: () => boolean, lastWords: () => string, stop: () => Promise<void> }} Peer
 */

/**
 * @param {'raw' | 'naive'} name
 * @param {{ components: readonly string[], situation: Situation, server: RunningXmppServer, redisUrl: string, processes: Processes, profileFolder?: string | undefined }} given
 * @returns {Promise<Peer>}
 */
export async function startYardstick(name, { components, situation, server, redisUrl, processes, profileFolder }) {
  const { domain, port, secret } = server.component(components[0])
  const destinations = destinationsOf(domain, situation.fanOut)
  const args = [
    ...profileArguments(profileFolder, name),
    path(name === 'naive' ? 'naive-peer.mjs' : 'raw-forwarder.mjs'),
  ]
  const process = await startProcess(processes, args, {
    ...ENVIRONMENT,
    XMPP_SERVICE: `xmpp://127.0.0.1:${port}`,
    XMPP_DOMAIN: domain,
    XMPP_SECRET: secret,
    REDIS_URL: redisUrl,
    JIDS: situation.to === 'jid' ? destinations.map(({ jid }) => jid).join() : '',
    PUBSUB: server.pubsub,
    NODES: situation.to === 'jid' ? '' : destinations.map(({ node }) => node).join(),
    PERSIST: situation.to === 'node' ? '1' : '0',
    SCHEMA: path('../config/order.schema.json'),
  })
  return peerOf(name, [domain], '', [process])
}

/**
 * One installation: as many processes as domains share these, and further ones stand by.
 *
 * @param {import('./cells.mjs').Variant} variant
 * @param {{ name: string, components: readonly string[], situation: Situation, server: RunningXmppServer, redis: { url: string }, processes: Processes, profileFolder?: string | undefined, more?: string }} given `more`: YAML beside what it writes itself
 * @returns {Promise<Peer>} when all are up
 */
export async function startWaybill(
  variant,
  { name, components, situation, server, redis, processes, profileFolder, more },
) {
  const folder = processes.serverFolder('peer')
  const { fanOut, to } = situation
  const { domain: host, pubsub } = server
  const entries = components.map((component) => server.component(component))
  const config = join(folder, 'waybill')
  writeConfiguration(config, { entries, host, pubsub, redisUrl: redis.url, fanOut, to, variant, more })
  const args = [...profileArguments(profileFolder, 'waybill'), path('../../../dist/cli.js'), 'run', config]
  const domains = entries.map(({ domain }) => domain)
  const running = []
  // A process that holds two domains more than another one hands one over: as many as there are domains get ready.
  for (let count = 0; count < domains.length * variant.processes; count += 1)
    running.push(await startProcess(processes, args, ENVIRONMENT, count >= domains.length))
  const peer = peerOf(name, domains, redis.url, running)
  return {
    ...peer,
    async stop() {
      await peer.stop()
      processes.removeFolder(folder)
    },
  }
}

/** @param {string | undefined} folder @param {string} name */
function profileArguments(folder, name) {
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${join(folder, name)}`]
}

/**
 * @param {string} name
 * @param {string[]} domains
 * @param {string} redis
 * @param {Awaited<ReturnType<typeof startProcess>>[]} running
 * @returns {Peer}
 */
function peerOf(name, domains, redis, running) {
  return {
    name,
    domains,
    redis,
    pids: running.map(({ pid }) => pid),
    hasEnded: () => running.some((process) => process.hasEnded()),
    lastWords: () => running.map((process) => process.lastWords()).join('\n'),
    async stop() {
      for (const process of running.toReversed()) await process.stop()
    },
  }
}

/**
 * A Node process that says `ready…` when it is up, or in its log that it stands by.
 * @param {Processes} processes
 * @param {string[]} args
 * @param {Record<string, string>} environment
 */
async function startProcess({ launch, removeFolder, serverFolder, whenReady }, args, environment, mayStandBy = false) {
  const folder = serverFolder('process')
  const peer = launch({ command: process.execPath, arguments: args, folder, environment })
  await whenReady(peer, { ready: [mayStandBy ? READY_OR_STANDBY : READY], portTaken: NEVER })
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
 * @param {{ receives?: boolean }} options without `receives` nobody is attached where the documents go to
 */
export async function startTraffic(server, seed, { receives = true } = {}) {
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
  await ask({
    start: { sender: server.component('peer'), receiver: receives ? server.component('other') : undefined, seed },
  })
  return {
    pid: child.pid ?? 0,
    /** @type {(order: import('./traffic.mjs').Work) => Promise<import('./tally.mjs').Outcome>} */
    run: (order) => /** @type {any} */ (ask({ run: order })),
    /** @type {(order: { pubsub: string, nodes: string[] }) => Promise<void>} */
    subscribe: async (order) => {
      await ask({ subscribe: order })
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** The demo's working folder: ports and secrets that are kept from start to start, and the configuration made of them. */
import { randomBytes } from 'node:crypto'
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SetUpFailed } from '../setup/command.mjs'
import { ACCOUNTS } from './demo.mjs'

const TEMPLATE = fileURLToPath(new URL('./config', import.meta.url))
const TEMPLATE_HOST = 'demo.localhost'

/**
 * @typedef {object} Site
 * @property {string} folder
 * @property {string} config the configuration folder of Waybill
 * @property {boolean} ownRedis started by the demo
 * @property {boolean} ownXmpp started by the demo
 * @property {{ redis: number, clients: number, components: number }} ports
 * @property {string} host the XMPP server's domain
 * @property {string} waybill Waybill's domain
 * @property {string} pubsub
 * @property {string} service where components connect
 * @property {string} clientService where clients connect
 * @property {string} redisUrl
 * @property {string} secret
 * @property {string} token
 * @property {Record<string, string>} passwords by account
 */

/**
 * Reads what is kept, makes what is missing, writes the configuration. Servers that are named by the environment are used
 * instead of own ones.
 *
 * @param {string} folder
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Promise<Site>}
 */
export async function prepareSite(folder, environment) {
  for (const part of ['', 'logs', 'redis', 'prosody']) mkdirSync(join(folder, part), { recursive: true, mode: 0o700 })
  const kept = await keptSettings(join(folder, 'settings.json'))
  const site = environment.WAYBILL_XMPP_SERVICE ? foreignServer(environment) : ownServer(kept)
  const { WAYBILL_REDIS_URL: redisUrl, WAYBILL_HTTP_TOKEN: token } = environment
  const complete = {
    ...site,
    folder,
    config: join(folder, 'config'),
    ports: kept.ports,
    ownRedis: !redisUrl,
    redisUrl: redisUrl || `redis://127.0.0.1:${kept.ports.redis}`,
    token: token || kept.token,
  }
  writeConfiguration(complete)
  return complete
}

/** Other ports: those that were kept are taken by somebody else. */
export function forgetPorts(folder) {
  const file = join(folder, 'settings.json')
  const { ports: _, ...kept } = JSON.parse(readFileSync(file, 'utf8'))
  writePrivately(file, JSON.stringify(kept, null, 2))
}

async function keptSettings(file) {
  const settings = readSettings(file)
  settings.secret ??= newSecret()
  settings.token ??= newSecret()
  settings.passwords ??= Object.fromEntries(ACCOUNTS.map((name) => [name, newSecret()]))
  settings.ports ??= await newPorts()
  writePrivately(file, JSON.stringify(settings, null, 2))
  return settings
}

function readSettings(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return {}
  }
}

async function newPorts() {
  const [redis, clients, components] = await Promise.all([freePort(), freePort(), freePort()])
  return { redis, clients, components }
}

// Below the range of outgoing connections: a client that reconnects to a stopped server must not meet itself.
async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const isFree = await new Promise((resolve) => {
      const server = createServer()
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
    })
    if (isFree) return port
  }
}

function ownServer({ ports, secret, passwords }) {
  return {
    ownXmpp: true,
    host: TEMPLATE_HOST,
    waybill: `waybill.${TEMPLATE_HOST}`,
    pubsub: `pubsub.${TEMPLATE_HOST}`,
    service: `xmpp://127.0.0.1:${ports.components}`,
    clientService: `xmpp://127.0.0.1:${ports.clients}`,
    secret,
    passwords,
  }
}

function foreignServer(environment) {
  const needed = ['WAYBILL_XMPP_DOMAIN', 'WAYBILL_XMPP_HOST', 'WAYBILL_XMPP_SECRET', 'WAYBILL_DEMO_PASSWORD']
  const missing = needed.filter((name) => !environment[name])
  if (missing.length > 0) {
    throw new SetUpFailed(
      `Cannot use the server ${environment.WAYBILL_XMPP_SERVICE}: ${missing.join(', ')} must be set as well.\n` +
        `The demo signs in as ${ACCOUNTS.join(', ')} with WAYBILL_DEMO_PASSWORD, at WAYBILL_DEMO_CLIENT_SERVICE ` +
        '(xmpp://HOST:5222), and uses the PubSub service WAYBILL_DEMO_PUBSUB (pubsub.HOST).',
    )
  }
  const host = environment.WAYBILL_XMPP_HOST
  return {
    ownXmpp: false,
    host,
    waybill: environment.WAYBILL_XMPP_DOMAIN,
    pubsub: environment.WAYBILL_DEMO_PUBSUB || `pubsub.${host}`,
    service: environment.WAYBILL_XMPP_SERVICE,
    clientService: environment.WAYBILL_DEMO_CLIENT_SERVICE || `xmpp://${host}:5222`,
    secret: environment.WAYBILL_XMPP_SECRET,
    passwords: Object.fromEntries(ACCOUNTS.map((name) => [name, environment.WAYBILL_DEMO_PASSWORD])),
  }
}

/** The demo's configuration with the addresses of this site in it. It holds the secret: nobody else may read it. */
function writeConfiguration(site) {
  rmSync(site.config, { recursive: true, force: true })
  cpSync(TEMPLATE, site.config, { recursive: true })
  chmodSync(site.config, 0o700)
  const values = {
    WAYBILL_XMPP_SERVICE: site.service,
    WAYBILL_XMPP_DOMAIN: site.waybill,
    WAYBILL_XMPP_HOST: site.host,
    WAYBILL_XMPP_SECRET: site.secret,
    WAYBILL_REDIS_URL: site.redisUrl,
    WAYBILL_HTTP_TOKEN: site.token,
  }
  for (const name of readdirSync(site.config, { recursive: true })) {
    const file = join(site.config, name)
    if (!statSync(file).isFile() || !file.endsWith('.yaml')) continue
    const text = readFileSync(file, 'utf8')
      .replaceAll(`pubsub.${TEMPLATE_HOST}`, site.pubsub)
      .replaceAll(`@${TEMPLATE_HOST}`, `@${site.host}`)
      .replace(/\$\{(\w+)\}/g, (place, variable) => (variable in values ? JSON.stringify(values[variable]) : place))
    writePrivately(file, text)
  }
}

function writePrivately(file, text) {
  writeFileSync(file, text, { mode: 0o600 })
  chmodSync(file, 0o600)
}

function newSecret() {
  return randomBytes(18).toString('base64url')
}

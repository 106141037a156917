/** The demo's servers: from the very files in deploy/ that an operator copies, on loopback, with folders of their own. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runQuietly } from '../setup/command.mjs'
import { findProgram } from '../setup/programs.mjs'
import { ACCOUNTS } from './demo.mjs'
import { launch, whenReady } from './processes.mjs'

const REDIS_CONF = fileURLToPath(new URL('../redis.conf', import.meta.url))
const PROSODY_ENTRY = fileURLToPath(new URL('../prosody/waybill.cfg.lua', import.meta.url))

/**
 * @param {import('./site.mjs').Site} site
 * @returns {Promise<import('./processes.mjs').Process | undefined>} undefined where the port is taken
 */
export async function startRedis(site) {
  const directives = { bind: '127.0.0.1', port: site.ports.redis, dir: join(site.folder, 'redis'), daemonize: 'no' }
  const args = Object.entries(directives).flatMap(([name, value]) => [`--${name}`, String(value)])
  const redis = launch({
    name: 'redis-server',
    command: findProgram('redis-server'),
    args: [REDIS_CONF, ...args],
    log: join(site.folder, 'logs', 'redis.log'),
  })
  const ready = await whenReady(redis, {
    ready: /Ready to accept connections/,
    portTaken: /Address already in use|Could not create server TCP listening socket/,
  })
  return ready && redis
}

/**
 * @param {import('./site.mjs').Site} site
 * @returns {Promise<import('./processes.mjs').Process | undefined>} undefined where a port is taken
 */
export async function startProsody(site) {
  const folder = join(site.folder, 'prosody')
  for (const part of ['data', 'certs']) mkdirSync(join(folder, part), { recursive: true })
  const config = join(folder, 'prosody.cfg.lua')
  writeFileSync(config, prosodyConfiguration(site, folder), { mode: 0o600 })
  const env = {
    WAYBILL_XMPP_DOMAIN: site.waybill,
    WAYBILL_XMPP_SECRET: site.secret,
    WAYBILL_PUBSUB_DOMAIN: site.pubsub,
  }
  await addAccounts(site, config, join(folder, 'data'), env)
  const prosody = launch({
    name: 'prosody',
    command: findProgram('prosody'),
    args: ['-F', '--config', config],
    log: join(site.folder, 'logs', 'prosody.log'),
    env,
  })
  const ready = await whenReady(prosody, {
    ready:
      /Activated service 'c2s' on \[[\s\S]*Activated service 'component' on \[|Activated service 'component' on \[[\s\S]*Activated service 'c2s' on \[/,
    portTaken: /Failed to open server port/,
  })
  return ready && prosody
}

async function addAccounts(site, config, data, env) {
  const accounts = join(data, site.host.replaceAll('.', '%2e'), 'accounts')
  for (const name of ACCOUNTS) {
    if (existsSync(join(accounts, `${name}.dat`))) continue
    const args = ['--config', config, 'register', name, site.host, site.passwords[name]]
    await runQuietly(findProgram('prosodyctl'), args, { env: { ...process.env, ...env } })
  }
}

function prosodyConfiguration(site, folder) {
  const text = JSON.stringify
  return `-- Made by the demo. Only clients of this machine reach it, without TLS.
${process.getuid?.() === 0 ? 'run_as_root = true' : ''}
data_path = ${text(join(folder, 'data'))}
pidfile = ${text(join(folder, 'prosody.pid'))}
certificates = ${text(join(folder, 'certs'))}
log = { { levels = { min = "info" }, to = "console" } }
interfaces = { "127.0.0.1" }
component_interfaces = { "127.0.0.1" }
c2s_ports = { ${site.ports.clients} }
component_ports = { ${site.ports.components} }
modules_enabled = { "saslauth", "roster", "disco", "ping", "version", "carbons" }
modules_disabled = { "s2s", "s2s_auth_certs", "tls" }
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_hashed"
storage = "internal"

VirtualHost ${text(site.host)}

Include ${text(PROSODY_ENTRY)}
`
}

/**
 * @param {string} root the clone
 * @param {import('./site.mjs').Site} site
 * @returns {Promise<{ waybill: import('./processes.mjs').Process, http: string }>}
 */
export async function startWaybill(root, site) {
  const waybill = launch({
    name: 'waybill',
    command: process.execPath,
    args: [join(root, 'dist', 'cli.js'), 'run', site.config],
    log: join(site.folder, 'logs', 'waybill.log'),
    cwd: root,
  })
  const [, ready] = await whenReady(waybill, { ready: /^ready (\{.*\})$/m })
  return { waybill, http: JSON.parse(ready).http }
}

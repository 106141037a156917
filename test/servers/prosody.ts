import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { domainOf, entryOf, newSecrets } from './components.ts'
import { freePorts } from './ports.ts'
import {
  findProgram,
  launch,
  restartable,
  type ServerProcess,
  serverFolder,
  whenReady,
  withFreePorts,
} from './processes.ts'
import type { ComponentName, RunningXmppServer, XmppServerOptions } from './xmpp.ts'

const TEMPLATE = fileURLToPath(new URL('../../deploy/prosody/waybill.cfg.lua', import.meta.url))
const run = promisify(execFile)

/** Prosody with `deploy/prosody/waybill.cfg.lua` for Waybill's component and the PubSub service. */
export async function startProsody({
  stanzaBytes,
  components = [],
  asAdvised = false,
}: XmppServerOptions = {}): Promise<RunningXmppServer> {
  const command = findProgram('prosody', 'prosody')
  const control = findProgram('prosodyctl', 'prosody')
  const folder = serverFolder('prosody')
  const config = join(folder, 'prosody.cfg.lua')
  const secrets = newSecrets(['waybill', 'peer', 'other', ...components])
  const environment = {
    WAYBILL_XMPP_DOMAIN: 'waybill.example.test',
    WAYBILL_XMPP_SECRET: entryOf('waybill', secrets, 0).secret,
    WAYBILL_PUBSUB_DOMAIN: 'pubsub.example.test',
  }
  mkdirSync(join(folder, 'certs'))
  mkdirSync(join(folder, 'data'))
  const text = readFileSync(TEMPLATE, 'utf8')
  const template = asAdvised ? text.replace(/^-- (?=gc = )/m, '') : text
  const limit = stanzaBytes === undefined ? '$1' : String(stanzaBytes)
  const entry = join(folder, 'waybill.cfg.lua')
  const admins = components.map((name) => `, "${domainOf(name)}"`).join('')
  writeFileSync(
    entry,
    template
      .replace(/(?<=component_stanza_size_limit = )(.*)/, limit)
      .replace('admins = { waybill_domain', (found) => found + admins),
  )

  return withFreePorts(async () => {
    const [clientPort, componentPort] = (await freePorts(2)) as [number, number]
    writeFileSync(config, configuration({ folder, entry, clientPort, componentPort, secrets }))
    const launchOnce = () => launchProsody(command, config, folder, environment)
    const first = await launchOnce()
    if (!first) return undefined
    return Object.assign(restartable(folder, first, launchOnce), {
      kind: 'prosody' as const,
      domain: 'example.test' as const,
      pubsub: 'pubsub.example.test',
      clientPort,
      component: (name: ComponentName) => entryOf(name, secrets, componentPort),
      async addUser(local: string, password: string) {
        const env = { ...process.env, ...environment }
        await run(control, ['--config', config, 'register', local, 'example.test', password], { env })
        return `${local}@example.test`
      },
    })
  })
}

async function launchProsody(
  command: string,
  config: string,
  folder: string,
  environment: Readonly<Record<string, string>>,
): Promise<ServerProcess | undefined> {
  const server = launch({ command, arguments: ['-F', '--config', config], folder, environment })
  const ready = await whenReady(server, {
    ready: [/Activated service 'c2s' on \[/, /Activated service 'component' on \[/],
    portTaken: /Failed to open server port/,
  })
  return ready ? server : undefined
}

function configuration(given: {
  folder: string
  /** Waybill's own. */
  entry: string
  clientPort: number
  componentPort: number
  secrets: Readonly<Record<string, string>>
}): string {
  return `
run_as_root = true
data_path = "${given.folder}/data"
pidfile = "${given.folder}/prosody.pid"
certificates = "${given.folder}/certs"
log = { { levels = { min = "info" }, to = "console" } }
interfaces = { "127.0.0.1" }
component_interfaces = { "127.0.0.1" }
c2s_ports = { ${given.clientPort} }
component_ports = { ${given.componentPort} }
modules_enabled = { "saslauth", "roster", "disco", "ping" }
modules_disabled = { "s2s", "s2s_auth_certs", "tls", "limits" }
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
storage = "internal"
c2s_stanza_size_limit = 1024 * 1024

VirtualHost "example.test"

Include "${given.entry}"

${Object.entries(given.secrets)
  .filter(([name]) => name !== 'waybill')
  .map(([name, secret]) => `Component "${domainOf(name)}"\n  component_secret = "${secret}"\n`)
  .join('\n')}`
}

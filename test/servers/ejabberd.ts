import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { domainOf, entryOf, isOurs, newSecrets } from './components.ts'
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

const TEMPLATE = fileURLToPath(new URL('../../deploy/ejabberd/waybill.yml', import.meta.url))

type Ports = Readonly<Record<string, number>> & Readonly<Record<'client' | 'api', number>>
type Secrets = Readonly<Record<string, string>>

/**
 * ejabberd with `deploy/ejabberd/waybill.yml` for Waybill's component. `ejabberdctl` insists on the system's own user and
 * folders, so Erlang is started directly; without a node name, so that no port mapper (epmd) is started beside it.
 */
export async function startEjabberd({
  tlsCertificate,
  stanzaBytes,
  components = [],
  asAdvised = false,
}: XmppServerOptions = {}): Promise<RunningXmppServer> {
  const command = findProgram('erl', 'ejabberd')
  const environment = { ERL_LIBS: librariesFolder() }
  const folder = serverFolder('ejabberd')
  const config = join(folder, 'ejabberd.yml')
  const entry = join(folder, 'waybill.yml')
  const text = readFileSync(TEMPLATE, 'utf8')
  const options = asAdvised ? advisedOptions(text) : []
  const template = text
    .replaceAll('waybill.example.org', 'waybill.example.test')
    .replace(/(?<=max_stanza_size: )(\d+)/, stanzaBytes === undefined ? '$1' : String(stanzaBytes))
    .replace(/(?<=^ +server: )(waybill\S+)/m, `[${['$1', ...components.map(domainOf)].join(', ')}]`)
    .replace(/^ +password: WAYBILL_SECRET\n/m, (found) => found + components.filter(isOurs).map(hostOf).join(''))
  writeFileSync(entry, tlsCertificate === undefined ? template : withTls(template, tlsCertificate))
  const secrets = newSecrets(['waybill', 'peer', 'other', ...components])

  return withFreePorts(async () => {
    const names = Object.keys(secrets)
    const [client, api, ours, ...own] = (await freePorts(3 + names.length)) as [number, number, number, ...number[]]
    const portOf = (name: string, index: number) => [name, isOurs(name) ? ours : own[index]!]
    const ports: Ports = { ...Object.fromEntries(names.map(portOf)), client, api }
    writeFileSync(config, configuration(entry, ports, secrets))
    const launchOnce = () => launchEjabberd(command, options, folder, { ...environment, EJABBERD_CONFIG_PATH: config })
    const first = await launchOnce()
    if (!first) return undefined
    return Object.assign(restartable(folder, first, launchOnce), {
      kind: 'ejabberd' as const,
      domain: 'example.test' as const,
      pubsub: 'pubsub.example.test',
      clientPort: client,
      component: (name: ComponentName) => entryOf(name, secrets, ports[name]),
      addUser: (local: string, password: string) => register(api, local, password),
    })
  })
}

/** Of Erlang, as the template's own comment says. */
function advisedOptions(template: string): readonly string[] {
  const found = /^# +(-kernel .*)$/m.exec(template)
  if (found === null)
    throw new Error('Cannot start ejabberd as advised: its entry in deploy/ names no options of Erlang')
  return found[1]!.split(' ')
}

/** A further domain of Waybill, as the template's own comment says. */
function hostOf(name: string): string {
  return `      ${domainOf(name)}:\n        password: WAYBILL_SECRET\n`
}

/** As the template's own comment says. */
function withTls(template: string, certificate: string): string {
  return template
    .replace(/# (tls: true)\n/, '$1\n')
    .replace(/# (certfile: )\S+\n/, (_, option: string) => `${option}"${certificate}"\n`)
}

async function launchEjabberd(
  command: string,
  options: readonly string[],
  folder: string,
  environment: Readonly<Record<string, string>>,
): Promise<ServerProcess | undefined> {
  const server = launch({
    command,
    arguments: [...options, '-noinput', '-mnesia', 'dir', `"${folder}/db"`, '-s', 'ejabberd'],
    folder,
    environment: { ...environment, HOME: folder, EJABBERD_LOG_PATH: join(folder, 'ejabberd.log') },
  })
  const listening = ['ejabberd_c2s', 'ejabberd_http', 'ejabberd_service']
  const ready = await whenReady(server, {
    ready: listening.map((module) => new RegExp(`Start accepting TCP connections at .* for ${module}`)),
    portTaken: /Failed to open socket|eaddrinuse|address already in use/,
  })
  return ready ? server : undefined
}

/** Through the HTTP API, which the configuration opens on loopback for just this command. */
async function register(apiPort: number, local: string, password: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${apiPort}/api/register`, {
    method: 'POST',
    body: JSON.stringify({ user: local, host: 'example.test', password }),
  })
  if (!answer.ok) throw new Error(`Cannot add the user ${local}: ejabberd says ${answer.status} ${await answer.text()}`)
  return `${local}@example.test`
}

/** Where Debian keeps ejabberd's Erlang libraries (`/usr/lib/x86_64-linux-gnu`), or where other packages do. */
function librariesFolder(): string {
  const triplets = ['x86_64-linux-gnu', 'aarch64-linux-gnu', 'arm-linux-gnueabihf', 'erlang/lib']
  const folders = [...triplets.map((triplet) => `/usr/lib/${triplet}`), '/usr/lib', '/usr/local/lib', brewFolder()]
  const found = folders.find(holdsEjabberd)
  if (found === undefined) {
    throw new Error('Cannot start ejabberd: it is not installed. Install the package ejabberd (npm test does it)')
  }
  return found
}

function holdsEjabberd(folder: string): boolean {
  try {
    return folder !== '' && readdirSync(folder).some((name) => /^ejabberd-\d/.test(name))
  } catch {
    return false
  }
}

function brewFolder(): string {
  try {
    return join(
      execFileSync('brew', ['--prefix', 'ejabberd'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim(),
      'lib',
    )
  } catch {
    return ''
  }
}

function configuration(entry: string, ports: Ports, secrets: Secrets): string {
  return `
define_macro:
  WAYBILL_SECRET: "${secrets.waybill}"
  WAYBILL_PORT: ${ports.waybill}
  WAYBILL_IP: "127.0.0.1"
include_config_file:
  - ${entry}
hosts: [example.test]
loglevel: info
log_rotate_count: 0
auth_password_format: plain
listen:
  - { port: ${ports.client}, ip: "127.0.0.1", module: ejabberd_c2s, max_stanza_size: 1048576, shaper: none, starttls: false }
  - { port: ${ports.api}, ip: "127.0.0.1", module: ejabberd_http, request_handlers: { /api: mod_http_api } }
${Object.keys(secrets)
  .filter((name) => !isOurs(name))
  .map((name) => componentListener(name, ports, secrets))
  .join('\n')}
acl:
  loopback: { ip: 127.0.0.0/8 }
  local: { user_regexp: "" }
api_permissions:
  "users of the tests": { from: [mod_http_api], who: { acl: loopback }, what: [register] }
modules:
  mod_http_api: {}
  mod_disco: {}
  mod_ping: {}
  mod_roster: {}
  mod_offline: {}
  mod_caps: {}
  mod_pubsub: { host: pubsub.example.test, access_createnode: waybill_createnode, max_items_node: 1000 }
`
}

function componentListener(name: string, ports: Ports, secrets: Secrets): string {
  return `  - { port: ${ports[name]}, ip: "127.0.0.1", module: ejabberd_service, access: all, global_routes: false, shaper: none,
      max_stanza_size: 1048576, hosts: { ${domainOf(name)}: { password: "${secrets[name]}" } } }`
}

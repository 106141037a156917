import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { domainOf } from './components.ts'
import { freePorts } from './ports.ts'
import {
  findProgram,
  isInstalled,
  launch,
  removeFolder,
  restartable,
  type ServerProcess,
  serverFolder,
  whenReady,
  withFreePorts,
} from './processes.ts'
import type { ComponentName, RunningXmppServer } from './xmpp.ts'

const TEMPLATE = fileURLToPath(new URL('../../deploy/jabberd2/router.xml', import.meta.url))

/** Not every distribution has it. */
export function hasJabberd2(): boolean {
  return isInstalled('jabberd2-router') && isInstalled('jabberd2-sm')
}

/**
 * The router of jabberd2 with what `deploy/jabberd2/router.xml` says of components, and a session manager behind it, which is
 * `example.test`. One secret serves all components. There is no PubSub service, and there are no clients.
 */
export async function startJabberd2(): Promise<RunningXmppServer> {
  const router = findProgram('jabberd2-router', 'jabberd2')
  const sessions = findProgram('jabberd2-sm', 'jabberd2')
  const folder = serverFolder('jabberd2')
  const secret = randomBytes(12).toString('hex')
  mkdirSync(join(folder, 'data'))

  return withFreePorts(async () => {
    const [port] = (await freePorts(1)) as [number]
    writeFileSync(join(folder, 'users.xml'), users(secret))
    writeFileSync(join(folder, 'router.xml'), routerConfiguration(folder, port, secret))
    writeFileSync(join(folder, 'sm.xml'), sessionsConfiguration(folder, port, secret))
    const launchOnce = () => launchRouter(router, folder)
    const first = await launchOnce()
    if (!first) return undefined
    const life = restartable(folder, first, launchOnce)
    const manager = await launchSessions(sessions, folder)
    return Object.assign(life, {
      kind: 'jabberd2' as const,
      domain: 'example.test' as const,
      pubsub: 'pubsub.example.test',
      clientPort: 0,
      component: (name: ComponentName) => ({ domain: domainOf(name), port, secret }),
      addUser: () => Promise.reject(new Error('Cannot add a user: jabberd2 runs without clients here')),
      stop: async () => {
        await manager.kill()
        await life.kill()
        removeFolder(folder)
      },
    })
  })
}

/** Where Debian keeps its modules. */
function modulesFolder(): string {
  const folders = ['x86_64-linux-gnu/', 'aarch64-linux-gnu/', 'arm-linux-gnueabihf/', '']
  const found = folders.map((folder) => `/usr/lib/${folder}jabberd2`).find((folder) => existsSync(folder))
  if (found === undefined) throw new Error('Cannot start jabberd2: its modules are not where Debian keeps them')
  return found
}

async function launchRouter(command: string, folder: string): Promise<ServerProcess | undefined> {
  const own = join(folder, 'router')
  const server = launch({ command, arguments: ['-c', join(folder, 'router.xml')], folder: own })
  const ready = await whenReady(server, {
    ready: [/listening for incoming connections/],
    portTaken: /failed to listen|in use/i,
  })
  return ready ? server : undefined
}

/** It finds the router again by itself after each restart of that. */
async function launchSessions(command: string, folder: string): Promise<ServerProcess> {
  const own = join(folder, 'sm')
  const server = launch({ command, arguments: ['-c', join(folder, 'sm.xml')], folder: own })
  await whenReady(server, { ready: [/sm ready for sessions/], portTaken: /(?!)/ })
  return server
}

function users(secret: string): string {
  return `<users><user><name>jabberd</name><secret>${secret}</secret></user></users>`
}

function routerConfiguration(folder: string, port: number, secret: string): string {
  const local = /<local>[\s\S]*<\/local>/
    .exec(readFileSync(TEMPLATE, 'utf8'))![0]
    .replace('5347', String(port))
    .replace('REPLACE-WITH-A-SECRET', secret)
    .replace('</local>', `<users>${folder}/users.xml</users></local>`)
  return `<router>
  <id>router</id>
  <log type='stdout'/>
  ${local}
  <io><max_fds>1024</max_fds></io>
  <aci><acl type='all'><user>jabberd</user></acl></aci>
</router>`
}

function sessionsConfiguration(folder: string, port: number, secret: string): string {
  return `<sm>
  <id>sm</id>
  <log type='stdout'/>
  <router>
    <ip>127.0.0.1</ip><port>${port}</port><user>jabberd</user><pass>${secret}</pass>
    <retry><init>-1</init><lost>-1</lost><sleep>1</sleep></retry>
  </router>
  <local><id>example.test</id></local>
  <storage><path>${modulesFolder()}</path><driver>fs</driver><fs><path>${folder}/data</path></fs></storage>
  <modules>
    <path>${modulesFolder()}</path>
    <chain id='in-router'><module>session</module><module>validate</module></chain>
    <chain id='pkt-sm'><module>iq-ping</module><module>disco</module></chain>
    <chain id='pkt-user'><module>deliver</module></chain>
    <chain id='pkt-router'><module>session</module><module>disco</module></chain>
  </modules>
  <discovery><identity><category>server</category><type>im</type><name>test</name></identity></discovery>
</sm>`
}

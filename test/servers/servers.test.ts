import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { connectRawComponent } from './raw-component.ts'
import { startRedis } from './redis.ts'
import { startXmppServer } from './xmpp.ts'

describe('a Redis for tests', () => {
  it('keeps its data over a kill and a start, and takes its folder along when it stops', async () => {
    const redis = await startRedis()
    expect(await redisSays(redis.port, 'SET a 1')).toBe('+OK')
    await redis.kill('SIGKILL')
    await redis.start()
    expect(await redisSays(redis.port, 'GET a')).toBe('$1\r\n1')
    const folder = await redisSays(redis.port, 'CONFIG GET dir')
    await redis.stop()
    expect(existsSync(/(\/\S+)$/.exec(folder)![1]!)).toBe(false)
    expect(isAlive(redis.pid)).toBe(false)
  })

  it('takes further directives, is durable and never evicts', async () => {
    const redis = await startRedis({ config: { appendfsync: 'always', maxmemory: '5mb' } })
    expect(await redisSays(redis.port, 'CONFIG GET appendfsync')).toContain('always')
    expect(await redisSays(redis.port, 'CONFIG GET appendonly')).toContain('yes')
    expect(await redisSays(redis.port, 'CONFIG GET maxmemory-policy')).toContain('noeviction')
    await redis.stop()
  })
})

describe.each(['prosody', 'ejabberd'] as const)('%s for tests', (kind) => {
  it('carries stanzas between components, before and after a restart', async () => {
    const server = await startXmppServer(kind)
    for (const restarted of [false, true]) {
      if (restarted) {
        await server.kill()
        await server.start()
      }
      const waybill = await connectRawComponent(server.component('waybill'))
      const peer = await connectRawComponent(server.component('peer'))
      const other = await connectRawComponent(server.component('other'))
      peer.send(
        `<message from='a@peer.example.test' to='waybill.example.test' id='1'><x xmlns='urn:x'>Grüße 😀 &lt;</x></message>`,
      )
      const stanza = await waybill.next((text) => text.includes('urn:x'))
      expect(stanza).toContain('Grüße 😀 &lt;')
      expect(stanza).toMatch(/^<message[\s\S]*<\/message>$/)
      expect(other.received).toEqual([])
      for (const component of [waybill, peer, other]) component.close()
    }
    await server.stop()
    expect(isAlive(server.pid)).toBe(false)
  })

  it('carries a stanza larger than it reads at once with the settings that deploy/ advises', async () => {
    const server = await startXmppServer(kind, { asAdvised: true })
    const waybill = await connectRawComponent(server.component('waybill'))
    const peer = await connectRawComponent(server.component('peer'))
    const text = 'Größe '.repeat(20_000)
    peer.send(
      `<message from='a@peer.example.test' to='waybill.example.test' id='1'><x xmlns='urn:x'>${text}</x></message>`,
    )
    expect(await waybill.next((stanza) => stanza.includes('urn:x'))).toContain(text)
    for (const component of [waybill, peer]) component.close()
    await server.stop()
  })

  it('lets the waybill component create a node and publish to it', async () => {
    const server = await startXmppServer(kind)
    const waybill = await connectRawComponent(server.component('waybill'))
    waybill.send(`<iq type='set' id='c' from='waybill.example.test' to='${server.pubsub}'>
      <pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='orders/EUR'/></pubsub></iq>`)
    expect(await waybill.next((text) => /id=['"]c['"]/.test(text))).toMatch(/type=['"]result['"]/)
    waybill.send(`<iq type='set' id='p' from='waybill.example.test' to='${server.pubsub}'>
      <pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='orders/EUR'><item id='1'><x xmlns='urn:x'/></item></publish></pubsub></iq>`)
    expect(await waybill.next((text) => /id=['"]p['"]/.test(text))).toMatch(/type=['"]result['"]/)
    waybill.close()
    await server.stop()
  })

  it('refuses a component with a wrong secret', async () => {
    const server = await startXmppServer(kind)
    const entry = { ...server.component('waybill'), secret: 'wrong' }
    await expect(connectRawComponent(entry)).rejects.toThrow(/not-authorized/)
    await server.stop()
  })

  it('adds users who can sign in', async () => {
    const server = await startXmppServer(kind)
    expect(await server.addUser('anna', 'geheim')).toBe('anna@example.test')
    expect(await signIn(server.clientPort, 'anna', 'geheim')).toContain('<success')
    expect(await signIn(server.clientPort, 'anna', 'falsch')).toContain('<failure')
    await server.stop()
  })
})

describe('servers of a test process', () => {
  it('end and leave no folder when the test process is killed', async () => {
    const compiled = compileServers()
    const script = `import { startRedis } from '${compiled}/test/servers/redis.js'
      const redis = await startRedis()
      console.log(redis.pid)
      setInterval(() => {}, 1000)`
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, TMPDIR: compiled },
    })
    const pid = await new Promise<number>((resolve) => owner.stdout.once('data', (data) => resolve(Number(data))))
    expect(isAlive(pid)).toBe(true)
    expect(readdirSync(compiled).some((name) => name.startsWith('waybill-test-'))).toBe(true)
    owner.kill('SIGKILL')
    await eventually(() => !isAlive(pid), { what: 'redis-server to end' })
    await eventually(() => !readdirSync(compiled).some((name) => name.startsWith('waybill-test-')))
    rmSync(compiled, { recursive: true })
  })

  it('start no Erlang port mapper', async () => {
    const before = portMappers()
    const server = await startXmppServer('ejabberd')
    expect(portMappers()).toEqual(before)
    await server.stop()
  })
})

/** Node 20 runs no TypeScript: the harness as JavaScript, in a folder of its own. */
function compileServers(): string {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const folder = mkdtempSync(join(tmpdir(), 'waybill-compiled-'))
  const compilerOptions = {
    noEmit: false,
    outDir: folder,
    rootDir: root,
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
  }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions,
      include: [],
      files: [join(root, 'test/servers/redis.ts')],
    }),
  )
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder])
  cpSync(join(root, 'deploy/redis.conf'), join(folder, 'deploy/redis.conf'))
  return folder
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function portMappers(): string {
  return execFileSync('ps', ['-A', '-o', 'comm'])
    .toString()
    .split('\n')
    .filter((name) => name.includes('epmd'))
    .join()
}

/** One inline command, and the answer as Redis writes it, without the last line end. */
async function redisSays(port: number, command: string): Promise<string> {
  return dialogue(port, [`${command}\r\n`], /\r\n$/).then((answer) => answer.trimEnd())
}

/** RFC 6120 6: PLAIN, up to the server's verdict. */
function signIn(port: number, user: string, password: string): Promise<string> {
  const plain = Buffer.from(`\0${user}\0${password}`).toString('base64')
  const header = `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='example.test' version='1.0'>`
  const auth = `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain}</auth>`
  return dialogue(port, [header, auth], /<success|<failure/)
}

async function dialogue(port: number, lines: readonly string[], end: RegExp): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' })
  let answer = ''
  socket.setEncoding('utf8')
  socket.on('data', (chunk) => {
    answer += chunk
  })
  for (const line of lines) socket.write(line)
  await eventually(() => end.test(answer), { what: `${end} in ${answer}` })
  socket.destroy()
  return answer
}

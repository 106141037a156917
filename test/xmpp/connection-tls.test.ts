import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type ConnectionOptions, createConnection } from '../../src/xmpp/connection.ts'
import { eventually } from '../eventually.ts'
import { connectRawComponent } from '../servers/raw-component.ts'
import { startXmppServer } from '../servers/xmpp.ts'
import { connectionTo, type ScriptedServer, startScriptedServer } from './scripted-server.ts'

let folder: string
/** The same pair in one file, as ejabberd wants it. */
let pem: string
let pair: { readonly key: string; readonly cert: string }
let server: ScriptedServer
const cleanups: (() => Promise<unknown>)[] = []

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'waybill-tls-'))
  const file = (name: string) => join(folder, name)
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
      .concat(['-subj', '/CN=xmpp.example.test', '-addext', 'subjectAltName=DNS:xmpp.example.test'])
      .concat(['-keyout', file('key.pem'), '-out', file('cert.pem')]),
    { stdio: 'pipe' },
  )
  pair = { key: readFileSync(file('key.pem'), 'utf8'), cert: readFileSync(file('cert.pem'), 'utf8') }
  pem = file('both.pem')
  writeFileSync(pem, pair.key + pair.cert)
})
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function connect(tls: NonNullable<ConnectionOptions['tls']>) {
  server = await startScriptedServer({}, pair)
  cleanups.push(() => server.close())
  const connection = connectionTo(server.service, { tls, refusalAfterMs: 100 })
  cleanups.push(() => connection.stop(100))
  return connection
}

it('a server with the right certificate is attached to, in TLS from the first byte', async () => {
  const connection = await connect({ ca: pair.cert, servername: 'xmpp.example.test' })
  await connection.start(() => {})
  connection.write('<message>ä€😀</message>')
  await eventually(() => server.peers[0]!.text.endsWith('<message>ä€😀</message>'))
  await connection.stop(1_000)
  expect(server.peers[0]!.text.endsWith('</stream:stream>')).toBe(true)
})

const wrong: readonly { what: string; tls: () => NonNullable<ConnectionOptions['tls']>; words: RegExp }[] = [
  { what: 'of nobody that is trusted', tls: () => ({ servername: 'xmpp.example.test' }), words: /self-signed/ },
  {
    what: 'for another name',
    tls: () => ({ ca: pair.cert, servername: 'other.example.test' }),
    words: /other\.example\.test/,
  },
  { what: 'for a name where an address was asked for', tls: () => ({ ca: pair.cert }), words: /127\.0\.0\.1/ },
  { what: 'while authorities were given that are none', tls: () => ({ ca: 'none' }), words: /self-signed/ },
]
for (const { what, tls, words } of wrong) {
  it(`a certificate ${what} is refused before anything is said`, async () => {
    const connection = await connect(tls())
    await expect(connection.start(() => {})).rejects.toMatchObject({
      name: 'ConnectionRefused',
      reason: 'certificate',
      message: expect.stringMatching(words),
    })
    expect(server.peers.every(({ text }) => text === '')).toBe(true)
  })
}

it('a server that speaks no TLS is tried again', async () => {
  const plain = await startScriptedServer({ header: () => {} })
  cleanups.push(() => plain.close())
  const connection = connectionTo(plain.service.replace('xmpp:', 'xmpps:'), { openTimeoutMs: 100 })
  cleanups.push(() => connection.stop(0))
  connection.start(() => {}).catch(() => {})
  await eventually(() => plain.peers.length > 1)
  expect(connection.online).toBe(false)
})

it("ejabberd's direct TLS, as deploy/ejabberd/waybill.yml has it, is attached to and answers", async () => {
  const ejabberd = await startXmppServer('ejabberd', { tlsCertificate: pem })
  cleanups.push(() => ejabberd.stop())
  const { domain, port, secret } = ejabberd.component('waybill')
  const connection = createConnection({
    ...{ service: `xmpps://127.0.0.1:${port}`, domain, secret, pingTo: ejabberd.domain, log: () => {} },
    ...{ insecure: false, maxStanzaBytes: 262_144, depth: 64, attributes: 256 },
    tls: { ca: pair.cert, servername: 'xmpp.example.test' },
  })
  cleanups.push(() => connection.stop(1_000))
  await connection.start(() => {})
  const payload = `<query xmlns='http://jabber.org/protocol/disco#info'/>`
  const answer = await connection.request({ to: ejabberd.domain, type: 'get', payload, timeoutMs: 60_000 })
  expect(answer.kind).toBe('result')
  await expect(connectRawComponent({ port, domain, secret }), 'nobody is let in without TLS').rejects.toThrow()
})

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import {
  acceptedId,
  command,
  type Installation,
  install,
  type LaunchedWaybill,
  launchWaybill,
  rejectedAs,
} from './waybill.ts'

const TOKEN = 'a token'
const bundles: string[] = []

function bundle(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-bundle-'))
  bundles.push(folder)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return folder
}

const claimXsd = (attributes: string) =>
  `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:claim"><xs:include schemaLocation="parts/amount.xsd"/><xs:element name="claim"><xs:complexType>${attributes}</xs:complexType></xs:element></xs:schema>`
const AMOUNT = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:claim"/>'
const attribute = (name: string, use = 'required') => `<xs:attribute name="${name}" type="xs:decimal" use="${use}"/>`
const claim = (version: string, attributes: string, more = '') =>
  bundle({
    'type.yaml': `kind: DocumentType\nname: claim\nversion: "${version}"\nidentify: { xml: { root: "{urn:claim}claim" } }\nschema: { xsd: xsd/claim.xsd }\n${more}`,
    'xsd/claim.xsd': claimXsd(attributes),
    'xsd/parts/amount.xsd': AMOUNT,
  })

describe('versions that are registered while two processes run', () => {
  let at: Installation
  let standby: LaunchedWaybill
  beforeAll(async () => {
    at = await install({ kind: 'prosody', settings: { http: { listen: '127.0.0.1:0', token: TOKEN } } })
    standby = launchWaybill(at.folder)
    await eventually(() => standby.log().includes('"standby"'))
  })
  afterAll(async () => {
    await at?.stop()
    standby?.signal('SIGKILL')
    for (const folder of bundles) rmSync(folder, { recursive: true, force: true })
  })

  const schema = (verb: string, ...words: readonly string[]) => command(['schema', verb, at.folder, ...words])
  const submitClaim = (text: string, version = '') =>
    at.submit(
      version === ''
        ? `<claim xmlns='urn:claim' ${text}/>`
        : `<submit xmlns='urn:waybill:0' version='${version}'><claim xmlns='urn:claim' ${text}/></submit>`,
    )
  const reloads = (log: string) =>
    log.split('\n').filter((line) => line.includes('"reloaded"') && line.includes('"registered"')).length

  /** Both processes have taken in so many changes. */
  async function inForce(changes: number): Promise<void> {
    await eventually(() => reloads(at.waybill.log()) >= changes && reloads(standby.log()) >= changes, {
      timeoutMs: 60_000,
      what: 'the change in both processes',
    })
  }

  /** What senders read of the registered versions, over the stream, and people with the command. */
  async function tellSenders(): Promise<void> {
    const ask = (id: string, payload: string) => {
      at.peer.send(`<iq type='get' id='${id}' from='a@peer.example.test/1' to='waybill.example.test'>${payload}</iq>`)
      return at.peer.next((stanza) => stanza.includes(id))
    }
    const types = await ask('ask-types', "<types xmlns='urn:waybill:0'/>")
    expect(types).toMatch(/<type [^>]*version=['"]1['"][^>]*><notice>please send 2<\/notice>/)
    expect(types).toMatch(/<type [^>]*version=['"]2['"]/)
    const amount = "type='claim' version='2' file='xsd/parts/amount.xsd'"
    expect(await ask('ask-file', `<schema xmlns='urn:waybill:0' ${amount}/>`)).toContain(
      `>${Buffer.from(AMOUNT).toString('base64')}<`,
    )
    const yaml = "type='claim' version='2' file='type.yaml'"
    expect(await ask('ask-yaml', `<schema xmlns='urn:waybill:0' ${yaml}/>`)).toContain('item-not-found')
    const { code, stdout } = await command(['types', 'show', at.folder, 'claim', '-o', 'json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ version: '2', from: { registered: { sequence: 2 } } })
  }

  it('are in force in both at once, and stay so through a restart', async () => {
    expect(rejectedAs(await submitClaim("amount='1'"))).toBe('unknown-type')
    const { code, stdout, stderr } = await schema(
      'register',
      claim('1', attribute('amount'), 'compatibility: backward\n'),
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^claim@1 is registered with the digest [0-9a-f]{64} \(change 1\)\n$/)
    await inForce(1)
    const answer = await submitClaim("amount='1'")
    expect(answer).toMatch(/version=['"]1['"]/)
    expect(await at.trace(acceptedId(answer))).toMatchObject({ type: 'claim', version: '1' })
    expect(rejectedAs(await submitClaim("amount='x'"))).toBe('invalid')
  })

  it('are refused with all that is wrong, and nothing is changed', async () => {
    const broken = bundle({
      'type.yaml':
        'kind: DocumentType\nname: claim\nversion: "2"\nidentify: { xml: { root: "{urn:claim}claim", where: "/c:claim" } }\nschema: { xsd: claim.xsd }\nsenders: [{ group: nobody }]\n',
      'claim.xsd':
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a" type="missing"/></xs:schema>',
    })
    const refused = await schema('register', broken)
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('bundle/type.yaml:6:')
    expect(refused.stderr).toContain('Unknown group of senders "nobody"')
    expect(refused.stderr).toContain('Nothing was changed')
    writeFileSync(
      join(broken, 'type.yaml'),
      'kind: DocumentType\nname: claim\nversion: "2"\nidentify: { xml: { root: "{urn:claim}claim", where: "/c:claim" } }\nschema: { xsd: claim.xsd }\n',
    )
    const uncompiled = await schema('register', broken)
    expect(uncompiled).toMatchObject({ code: 1, stdout: '' })
    expect(uncompiled.stderr).toMatch(/bundle\/claim\.xsd:1/)
    expect(uncompiled.stderr).toMatch(/prefix/i)
    expect(uncompiled.stderr).not.toContain('waybill-schemas-')
    const others = await schema('register', claim('1', attribute('other')))
    expect(others.code).toBe(1)
    expect(others.stderr).toContain('There are two of DocumentType claim@1')
    expect((await schema('register', bundle({ 'a.xsd': AMOUNT }))).stderr).toContain('there is no type.yaml in it')
    expect(await schema('register', bundle({ 'type.yaml': '# nothing yet\n' }))).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('holds one document type, found none (bundle-unfit)'),
    })
    expect(await schema('register', '/nowhere/bundle')).toMatchObject({
      code: 3,
      stderr: 'Cannot read /nowhere/bundle: there is no such file or folder\n',
    })
    expect(JSON.parse((await schema('ls', '-o', 'json')).stdout)).toHaveLength(1)
  })

  it('must keep what their type asks for', async () => {
    const { code, stderr } = await schema('register', claim('2', attribute('amount') + attribute('tax')))
    expect(code).toBe(1)
    expect(stderr).toContain('type claim@2: it must be backward compatible with claim@1 (backward)')
    expect(stderr).toContain('accepted by claim@1 and refused by claim@2: <')
  })

  it('are several at once, of which a deprecated one has a notice', async () => {
    const optional = attribute('amount') + attribute('tax', 'optional')
    expect(await schema('register', claim('2', optional))).toMatchObject({ code: 0, stderr: '' })
    await inForce(2)
    expect(await submitClaim("amount='1' tax='2'")).toMatch(/version=['"]2['"]/)
    expect(rejectedAs(await submitClaim("amount='1' tax='2'", '1'))).toBe('invalid')
    expect(await schema('deprecate', 'claim@1', '--text', 'please send 2')).toMatchObject({ code: 0 })
    await inForce(3)
    expect(await submitClaim("amount='1'", '1')).toMatch(/deprecated=['"]true['"].*<notice>please send 2<\/notice>/)
    expect(await at.metrics()).toContain(
      'waybill_documents_deprecated_total{type="claim",version="1",sender="a@peer.example.test"} 1',
    )
    await tellSenders()
    expect((await schema('ls')).stdout).toMatch(/claim@1 .*please send 2\n3?.*claim@2/s)
    expect((await schema('show', 'claim@2')).stdout).toContain('file        xsd/parts/amount.xsd')
  })

  it('are registered over HTTP as well, by whoever has the token', async () => {
    const { http } = at.waybill.ready
    const call = (method: string, path: string, body?: string, token = TOKEN) =>
      fetch(`${http}/api/schemas${path}`, {
        method,
        headers: { authorization: `Bearer ${token}` },
        ...(body === undefined ? {} : { body }),
      })
    expect((await fetch(`${http}/api/schemas`)).status).toBe(401)
    expect((await call('GET', '', undefined, 'wrong')).status).toBe(401)
    const base64 = (text: string) => Buffer.from(text).toString('base64')
    const type = (schema: string) =>
      base64(
        `kind: DocumentType\nname: parcel\nversion: "1"\nidentify: { xml: { root: "{urn:p}parcel" } }\nschema: ${schema}\n`,
      )
    const posted = async (files: unknown) => call('POST', '', JSON.stringify({ files }))
    const refused = await posted({ 'type.yaml': type('{ xsd: missing.xsd }') })
    expect(refused.status).toBe(422)
    expect(await refused.json()).toMatchObject({
      problems: [expect.stringContaining('missing.xsd'), expect.anything()],
    })
    expect((await posted({ 'type.yaml': type('none'), '../out': base64('x') })).status).toBe(400)
    expect((await call('POST', '', 'nonsense')).status).toBe(400)
    expect((await posted({ 'type.yaml': type('none'), 'a.xsd': 'no base64!' })).status).toBe(400)
    const done = await posted({ 'type.yaml': type('none') })
    expect([done.status, await done.json()]).toMatchObject([201, { type: 'parcel@1', sequence: 4 }])
    await inForce(4)
    acceptedId(await at.submit("<parcel xmlns='urn:p'/>"))
    expect((await call('PUT', '/parcel@1/deprecated', 'soon gone')).status).toBe(200)
    expect(await (await call('GET', '/parcel@1')).json()).toMatchObject({
      deprecated: 'soon gone',
      files: { 'type.yaml': expect.any(Number) },
    })
    expect((await call('DELETE', '/parcel@1')).status).toBe(200)
    expect(await (await call('GET', '')).json()).toHaveLength(2)
    expect((await call('PATCH', '')).status).toBe(405)
    expect((await call('GET', '/no@such/thing')).status).toBe(404)
  })

  it('are in force in the process that takes over, and after a start', async () => {
    at.waybill.signal('SIGKILL')
    await at.waybill.ended
    at.waybill = await standby.ready(30_000)
    expect(await submitClaim("amount='1' tax='2'")).toMatch(/version=['"]2['"]/)
    at.waybill.signal('SIGTERM')
    await at.waybill.ended
    await at.restart()
    expect(await submitClaim("amount='1' tax='2'")).toMatch(/version=['"]2['"]/)
    expect(await submitClaim("amount='1'", '1')).toContain('please send 2')
  })

  it('can be named by routes in the folder, which the commands understand', async () => {
    const reloaded = at.waybill.log().split('"reloaded"').length
    const route =
      'kind: Route\nname: claims\nwhen: { type: claim, version: newest }\ndeliver: [{ jid: claims@other.example.test }]\n'
    writeFileSync(join(at.folder, 'routes', 'claims.yaml'), route)
    await eventually(() => at.waybill.log().split('"reloaded"').length > reloaded)
    const id = acceptedId(await submitClaim("amount='1' tax='2'"))
    expect((await at.trace(id)).deliveries).toMatchObject([{ route: 'claims' }])
    const document = join(bundle({ 'claim.xml': "<claim xmlns='urn:claim' amount='1'/>" }), 'claim.xml')
    const explained = await command(['explain', at.folder, document, '--from', 'a@peer.example.test'])
    expect(explained).toMatchObject({ code: 0, stderr: '' })
    expect(explained.stdout).toContain('claims@other.example.test')
    const [dead] = JSON.parse((await command(['dead', at.folder, 'ls', '-o', 'json'])).stdout)
    const again = await command(['dead', at.folder, 'redrive', dead.id, '--match-again', '--dry-run'])
    expect(again.stderr).not.toContain('type-unknown')
    expect((await command(['check', at.folder])).stdout).toContain('type-unknown')
  })

  it('are taken no longer when they are removed', async () => {
    expect(await schema('remove', 'claim@1')).toMatchObject({ code: 0 })
    await eventually(() => reloads(at.waybill.log()) === 1)
    expect(rejectedAs(await submitClaim("amount='1'", '1'))).toBe('unknown-type')
    expect((await schema('remove', 'claim@1')).stderr).toContain('no such version is registered')
  })
})

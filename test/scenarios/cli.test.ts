import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { acceptedId, command, type Installation, install, order, waybill } from './waybill.ts'

describe('the command line', () => {
  let at: Installation
  let samples: string
  beforeAll(async () => {
    at = await install({ kind: 'prosody', settings: { senders: ['*@peer.example.test', '*@example.test'] } })
    samples = join(at.folder, 'samples')
    mkdirSync(samples)
    writeFileSync(join(samples, 'good.xml'), order('C-1', { currency: 'EUR', total: '1500' }))
    writeFileSync(join(samples, 'bad.xml'), order('C-2', { currency: 'euro' }))
    writeFileSync(join(samples, 'reading.json'), '{"kind":"reading","sensor":"s","celsius":400}')
    writeFileSync(join(samples, 'broken.xml'), '<order xmlns="urn:example:order">')
  })
  afterAll(() => at?.stop())

  it('run prints exactly one line on stdout: ready, with domain, address and pid', () => {
    expect(at.waybill.ready).toEqual({
      domain: 'waybill.example.test',
      http: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      pid: at.waybill.pid,
    })
    for (const line of at.waybill.log().trim().split('\n')) expect(() => JSON.parse(line), line).not.toThrow()
  })

  it('check says that a good folder is fine', async () => {
    expect(await waybill(['check', at.folder])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('fine: 4 document types, 8 routes'),
    })
  })

  it('check finds every mistake at once, with place, reason and the nearest known key', async () => {
    const file = join(at.folder, 'routes', 'wrong.yaml')
    writeFileSync(
      file,
      [
        'kind: Route',
        'name: wrong-xpath',
        'when: { type: order, xpath: "count(/ord:order) > 1" }',
        'deliver: [{ jid: other.example.test }]',
        '---',
        'kind: Route',
        'name: wrong-key',
        'wen: { type: order }',
        'deliver: [{ jid: other.example.test }]',
        '---',
        'kind: Route',
        'name: wrong-type',
        'when: { type: ordre }',
        'deliver: [{ jid: other.example.test }]',
        '',
      ].join('\n'),
    )
    writeFileSync(
      join(at.folder, 'schemas', 'broken.xsd'),
      '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a" type="nope"/></xs:schema>',
    )
    const { code, stdout } = await waybill(['check', at.folder])
    rmSync(file)
    expect(code).toBe(1)
    expect(stdout).toMatch(/routes\/wrong\.yaml:8:1 .*"?wen"?.*when/)
    expect(stdout).toMatch(/routes\/wrong\.yaml:13:\d+ .*ordre.*order/)
  })

  it('check places an undeclared prefix, and a schema that does not compile', async () => {
    const route = join(at.folder, 'routes', 'wrong.yaml')
    const type = join(at.folder, 'types', 'wrong.yaml')
    writeFileSync(
      route,
      'kind: Route\nname: wrong\nowner: t\nwhen:\n  type: order\n  xpath: "count(/ord:order) > 1"\ndeliver: [{ jid: other.example.test }]\n',
    )
    writeFileSync(
      type,
      'kind: DocumentType\nname: wrong\nidentify: { xml: { root: wrong } }\nschema: { xsd: broken.xsd }\nfields: {}\n',
    )
    const { code, stdout } = await waybill(['check', at.folder])
    rmSync(route)
    rmSync(type)
    expect(code).toBe(1)
    expect(stdout).toMatch(/routes\/wrong\.yaml:6:\d+ .*prefix.*ord.*declared/)
    expect(stdout).toMatch(/types\/wrong\.yaml:4:\d+ .*broken\.xsd/)
  })

  it('explain tells type, fields, and of each route what matched or what failed first', async () => {
    const { code, stdout } = await waybill([
      'explain',
      at.folder,
      join(samples, 'good.xml'),
      '--from',
      'a@peer.example.test',
    ])
    expect(code).toBe(0)
    expect(stdout).toContain('type      order')
    expect(stdout).toContain('currency = EUR')
    expect(stdout).toContain('xmpp:pubsub.example.test?;node=orders/EUR')
    expect(stdout).toMatch(/receipts\s+fails\s+fields\.number: expected .*R-.*found .*C-1/)
  })

  it.each([
    ['bad.xml', 'a@peer.example.test', 'invalid'],
    ['broken.xml', 'a@peer.example.test', 'malformed'],
    ['reading.json', 'a@peer.example.test', 'invalid'],
    ['good.xml', 'a@elsewhere.example', 'not-allowed'],
  ])('explain of %s from %s says %s, and exits with 1', async (file, from, reason) => {
    const { code, stdout } = await waybill(['explain', at.folder, join(samples, file), '--from', from])
    expect(stdout).toContain(`rejected  ${reason}`)
    expect(code).toBe(1)
  })

  it('send signs in as a client and prints the acknowledgement, or the findings', async () => {
    const from = await at.server.addUser('shop', 'very-secret')
    const service = [
      '--from',
      from,
      '--service',
      `xmpp://127.0.0.1:${at.server.clientPort}`,
      '--password-env',
      'SHOP_PASSWORD',
    ]
    const send = (...words: string[]) =>
      waybill(['send', at.folder, ...words, ...service], { SHOP_PASSWORD: 'very-secret' })
    const good = await send(join(samples, 'good.xml'))
    expect(good, good.stderr).toMatchObject({ code: 0 })
    const id = /accepted {2}([0-9a-f-]{36})/.exec(good.stdout)![1]!
    await eventually(async () => (await waybill(['trace', at.folder, id])).stdout.includes('delivered'))
    const sealed = await send(join(samples, 'good.xml'), '--sealed')
    expect(sealed.stdout, sealed.stderr).toMatch(/^accepted/)
    const bad = await send(join(samples, 'bad.xml'))
    expect(bad.code, bad.stderr).toBe(1)
    expect(bad.stdout).toMatch(/rejected {2}invalid[\s\S]*currency/)
    const json = await send(join(samples, 'reading.json'))
    expect(json.stdout, json.stderr).toMatch(/rejected {2}invalid[\s\S]*celsius/)
    const wrong = await waybill(['send', at.folder, join(samples, 'good.xml'), ...service], { SHOP_PASSWORD: 'no' })
    expect(wrong.code).toBe(3)
    expect(wrong.stderr).toContain('Cannot sign in')
    expect(wrong.stderr + wrong.stdout).not.toContain('very-secret')
  })

  it('test runs the tests of route files and fails where one fails', async () => {
    const file = join(at.folder, 'routes', 'tested.yaml')
    const route = (tests: string) =>
      writeFileSync(
        file,
        `kind: Route\nname: tested\nowner: t\nwhen: { type: order, fields: { currency: [EUR] } }\ndeliver: [{ jid: tested@other.example.test }]\ntests:\n${tests}`,
      )
    route(`  - { document: ../samples/good.xml, from: a@peer.example.test, delivers: [tested@other.example.test] }\n`)
    const good = await waybill(['test', at.folder])
    expect(good, good.stdout + good.stderr).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 passed, 0 failed'),
    })
    route(`  - { document: ../samples/good.xml, from: a@peer.example.test, delivers: [] }\n`)
    const bad = await waybill(['test', at.folder])
    expect(bad.code).toBe(1)
    expect(bad.stdout).toContain('FAILED')
    rmSync(file)
  })

  it('doctor says that all is fine, also where Waybill runs, and what is wrong where something is', async () => {
    const running = await waybill(['doctor', at.folder])
    expect(running.stdout).toMatch(/redis +fine/)
    const wrong = await waybill(['doctor', at.folder], { WAYBILL_REDIS_URL: 'redis://127.0.0.1:1' })
    expect(wrong.code).toBe(3)
    at.waybill.signal('SIGTERM')
    await at.waybill.ended
    const alone = await waybill(['doctor', at.folder])
    expect(alone, alone.stdout).toMatchObject({ code: 0 })
    expect(alone.stdout).toMatch(/pubsub pubsub\.example\.test +fine +may create and publish/)
    const secret = await waybill(['doctor', at.folder], { WAYBILL_XMPP_SECRET: 'wrong' })
    expect(secret.code).toBe(3)
    expect(secret.stdout).toMatch(/xmpp +wrong.*not-authorized/)
    await at.restart()
  })

  it('trace and ledger print as JSON what stands in Redis', async () => {
    const id = acceptedId(await at.submit(order('C-8')))
    await eventually(async () => (await at.trace(id)).state === 'delivered')
    const trace = await waybill(['trace', at.folder, `${id}.0`, '-o', 'json'])
    expect(trace.code).toBe(0)
    expect(JSON.parse(trace.stdout)).toEqual(await at.trace(id))
    const ledger = await waybill(['ledger', at.folder, '-o', 'json'])
    expect(ledger.code).toBe(0)
    expect(JSON.parse(ledger.stdout)).toEqual(await at.ledger())
    const unknown = await waybill(['trace', at.folder, '01900000-0000-7000-8000-000000000000', '-o', 'json'])
    expect(unknown).toMatchObject({ code: 1, stdout: '' })
  })

  it('ledger balances', async () => {
    acceptedId(await at.submit(order('C-9')))
    const { code, stdout } = await waybill(['ledger', at.folder])
    expect(code).toBe(0)
    expect(stdout).toContain('The ledger balances.')
  })

  const usage: readonly (readonly [words: readonly string[], code: number, says: RegExp])[] = [
    [['nonsense'], 2, /unknown command/],
    [['explain', 'x.xml'], 2, /--from/],
    [['explain', '.', 'no-such-file.xml', '--from', 'a@b'], 1, /waybill\.yaml/],
    [['check', '/no/such/folder'], 1, /no\/such\/folder/],
    [['dead', '.', 'eat'], 2, /eat/],
    [['dead', '.', 'ls', '--limit', 'all'], 2, /--limit/],
    [['send', '.', 'x.xml', '--from', 'a@b', '--timeout', 'soon'], 2, /--timeout/],
    [['check', '-o', 'xml'], 2, /xml/],
    [['--help'], 0, /Examples:\n/],
    [['dead', '--help'], 0, /Examples:\n[\s\S]*Usage:/],
    [['schema'], 2, /Examples:\n(?: {2}waybill schema .+\n){3}/],
    [['--version'], 0, /^\d+\.\d+\.\d+/],
  ]
  it.each(usage)('waybill %j exits with %i', async (words, code, says) => {
    const result = await waybill(words)
    expect(result.code, result.stderr).toBe(code)
    expect(result.stdout + result.stderr).toMatch(says)
  })

  const work: readonly (readonly string[])[] = [
    ['types', 'ls', 'DIR'],
    ['diff', 'DIR', 'DIR', '--documents', 'DIR/samples', '--from', 'a@peer.example.test'],
    ['lanes', 'DIR'],
    ['dead', 'DIR', 'redrive', '--all'],
    ['held', 'DIR', 'release', '--all', '--reason', 'none is held'],
    ['archive', 'DIR', 'ls'],
    ['schema', 'ls', 'DIR'],
    ['schema', 'diff', 'DIR/schemas/order.xsd', 'DIR/schemas/order.xsd'],
  ]
  // The other scenarios run their commands in the process of the tests.
  it.each(work.map((words) => [words]))(
    'waybill %j says as a process what it says in this one, and ends',
    async (words) => {
      const inFolder = words.map((word) => word.replace('DIR', at.folder))
      const here = await command(inFolder)
      expect(here.code, here.stderr).toBe(0)
      expect(await waybill(inFolder)).toEqual(here)
    },
  )

  it('top ends where it is to say it once', async () => {
    const { code, stdout } = await waybill(['top', at.folder, '-o', 'json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toHaveProperty('processes')
  })

  it('no secret is printed anywhere', () => {
    const { secret } = at.server.component('waybill')
    expect(readFileSync(join(at.folder, 'waybill.yaml'), 'utf8')).toContain(secret)
    expect(at.waybill.log()).not.toContain(secret)
  })
})

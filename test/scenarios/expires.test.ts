import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { scenarioFolder } from './folder.ts'
import { acceptedId, command, type Installation, install, order } from './waybill.ts'

/** What becomes of a document with a time, wherever that runs out. Nobody is attached as `other.example.test`, a node is missing. */
const ROUTES = `
kind: Route
name: to-nobody
when: { type: order, fields: { number: [{ prefix: "AWAY-" }] } }
deliver: [{ jid: x@other.example.test, retry: brittle }]
---
kind: Route
name: to-no-node
when: { type: order, fields: { number: [{ prefix: "DEAD-" }] } }
deliver: [{ pubsub: pubsub.example.test, node: missing }]
---
kind: Route
name: of-a-route
when: { type: order, fields: { number: [{ prefix: "ROUTE-" }] } }
expires: 2s
deliver: [{ jid: x@other.example.test, retry: brittle }]
---
kind: Policy
name: brittle
deliveries: 1000
backoff: { first: 10m, max: 10m }
breaker: { failures: 2, first: 10m, max: 10m }
`
const types = readFileSync(fileURLToPath(new URL('./config/types/types.yaml', import.meta.url)), 'utf8')
const quarantining = types.replace('schema: { xsd: order.xsd }', 'schema: { xsd: order.xsd }\nonInvalid: quarantine')
const within = (document: string, expires: string) =>
  `<submit xmlns='urn:waybill:0' expires='${expires}' report='all'>${document}</submit>`

describe('a document with a time, on a real server', () => {
  let at: Installation
  beforeAll(async () => {
    at = await install({
      kind: 'prosody',
      config: scenarioFolder({ 'routes/routes.yaml': ROUTES, 'types/types.yaml': quarantining }),
    })
    at.other.close()
  })
  afterAll(() => at?.stop())

  const becomes = (id: string, state: string) =>
    eventually(async () => (await at.trace(id)).state === state, { what: `${id} to be ${state}` })
  const dead = (...words: string[]) => command(['dead', at.folder, ...words])
  const reported = (id: string) => at.peer.next((stanza) => stanza.includes('<report ') && stanza.includes(id))

  it('ends when that runs out in a pause, at an open destination, and by its route; its sender hears of it', async () => {
    const paused = acceptedId(await at.submit(within(order('AWAY-1'), 'PT3S')))
    const [another] = [acceptedId(await at.submit(order('AWAY-2'))), acceptedId(await at.submit(order('AWAY-3')))]
    await eventually(async () => (await at.trace(another)).deliveries[0]!.open !== undefined)
    const barred = acceptedId(await at.submit(within(order('AWAY-4'), 'PT2S')))
    const routed = acceptedId(await at.submit(within(order('ROUTE-1'), 'PT1H')))
    expect((await at.trace(routed)).deliveries[0]!.expiresAtMs).toBe((await at.trace(routed)).receivedAtMs + 2_000)
    for (const id of [paused, barred, routed]) {
      await becomes(id, 'expired')
      expect(await reported(id)).toMatch(/<reason\b[^>]*name=["']expired["']/)
    }
    expect((await at.trace(another)).state).toBe('waiting')
    expect((await at.ledger()).balanced).toBe(true)
  })

  it('is held beyond it, and its release says that it has expired', async () => {
    const id = acceptedId(await at.submit(within(order('AWAY-5', { currency: 'mark' }), 'PT1S')))
    await eventually(async () => Date.now() > (await at.trace(id)).receivedAtMs + 1_000)
    expect((await at.trace(id)).state).toBe('held')
    const { stdout, code } = await command(['held', at.folder, 'release', id, '--reason', 'agreed'])
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: `${id} is on its way to nobody: it has expired for x@other.example.test\n`,
    })
    await becomes(id, 'expired')
    expect(await reported(id)).toMatch(/state=["']expired["']/)
  })

  it('stays a dead letter beyond it, and is sent no more', async () => {
    const id = acceptedId(await at.submit(within(order('DEAD-1'), 'PT4S')))
    await becomes(id, 'dead')
    await eventually(async () => Date.now() > (await at.trace(id)).receivedAtMs + 4_000)
    const { stdout, code } = await dead('redrive', id)
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining('has expired') })
    expect((await dead('show', id)).stdout).toContain('expires 20')
    expect((await at.trace(id)).state).toBe('dead')
    expect((await dead('drop', id, '--reason', 'too late')).code).toBe(0)
  })
})

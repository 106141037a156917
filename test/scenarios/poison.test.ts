import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { scenarioFolder } from './folder.ts'
import { acceptedId, attribute, command, type Installation, install, order, runWaybill } from './waybill.ts'

/** One document that makes a server close the stream, among many that don't (docs/operations.md, guarantee 6). */

const ROUTES = `
kind: Route
name: to-a-jid
when: { type: order }
deliver: [{ jid: other.example.test, as: sealed }]
---
kind: Route
name: to-a-node
when: { type: order, fields: { currency: [EUR] } }
deliver: [{ pubsub: pubsub.example.test, node: poisoned, as: sealed, create: { max_items: 100, access_model: open } }]
---
kind: Route
name: by-iq
when: { type: order, fields: { number: [{ prefix: "Q-" }] } }
deliver: [{ jid: desk@other.example.test/iq, confirm: iq, confirmTimeout: 30s, as: sealed }]
---
kind: Route
name: in-order
when: { type: order, fields: { number: [{ prefix: "LANE-" }] } }
deliver: [{ jid: lane@other.example.test, as: sealed }]
order: { by: sender }
`
const SERVER_TAKES = 60_000
/** Small enough to come in, and when it is sealed too large for the server, which looks after each 8 KB that it reads. */
const POISON = 'x'.repeat(0.95 * SERVER_TAKES)
const INNOCENTS = 120

/** Sends it again, as a sender does who got no acknowledgement. */
async function submit(at: Installation, id: string, payload: string, timeoutMs = 60_000): Promise<string> {
  const once = async () => {
    const answer = await at.submit(payload, { id, from: `${id}@peer.example.test/x`, timeoutMs: 3_000 }).catch(() => '')
    return attribute(answer, 'type') === 'result' ? acceptedId(answer) : undefined
  }
  return eventually(once, { timeoutMs, what: `${id} to be accepted` })
}

/** The ids at other.example.test: of messages, and of the items that it was told of. */
function arrived(at: Installation): { readonly messages: Set<string>; readonly items: Set<string> } {
  const messages = new Set<string>()
  const items = new Set<string>()
  for (const stanza of at.other.received) {
    const item = /<item\b[^>]*?\sid=(["'])(.*?)\1/.exec(stanza)?.[2]
    if (stanza.startsWith('<message') && item !== undefined) items.add(item)
    else if (stanza.startsWith('<message')) messages.add(attribute(stanza, 'id') ?? '')
  }
  return { messages, items }
}

interface Kept {
  readonly state: string
  readonly reason?: string
  readonly tries: number
}

/** What Redis keeps of the deliveries, by their ids. */
async function deliveries(at: Installation): Promise<Map<string, Kept>> {
  const client = new Redis(at.redis.url)
  const found = new Map<string, Kept>()
  for (const key of await client.keys('*:envelope:*')) {
    for (const [field, text] of Object.entries(await client.hgetall(key))) {
      if (/^d\d+$/.test(field)) found.set(`${key.split(':').at(-1)}.${field.slice(1)}`, JSON.parse(text))
    }
  }
  client.disconnect()
  return found
}

const settled = (at: Installation) =>
  eventually(
    async () => {
      const ledger = await at.ledger()
      return ledger.balanced && ledger.deliveries.waiting === 0 ? ledger : undefined
    },
    { timeoutMs: 100_000, what: 'nothing to wait any more' },
  )

describe.each(['prosody', 'ejabberd'] as const)(
  'a document that makes %s close the stream',
  { timeout: 240_000 },
  (kind) => {
    let at: Installation
    beforeAll(async () => {
      const config = scenarioFolder({ 'routes/routes.yaml': ROUTES })
      at = await install({ kind, config, serverOptions: { stanzaBytes: SERVER_TAKES } })
      await submit(at, 'first', order('first', { currency: 'EUR' }))
      await settled(at)
      const subscribe = `<subscribe node='poisoned' jid='other.example.test'/>`
      at.other.send(
        `<iq type='set' id='sub' from='other.example.test' to='pubsub.example.test'><pubsub xmlns='http://jabber.org/protocol/pubsub'>${subscribe}</pubsub></iq>`,
      )
      await at.other.next((stanza) => stanza.startsWith('<iq') && attribute(stanza, 'type') === 'result')
    })
    afterAll(() => at?.stop())

    it(`is a dead letter, and ${INNOCENTS} others arrive, at a JID and at a node, with no try burnt`, async () => {
      const began = performance.now()
      const ids = await Promise.all(
        Array.from({ length: INNOCENTS + 1 }, (_, n) => {
          const note = n === INNOCENTS / 2 ? { note: POISON } : {}
          return submit(at, `n${n}`, order(`N-${n}`, { currency: 'EUR', ...note }))
        }),
      )
      const poison = ids[INNOCENTS / 2]!
      const innocents = ids.filter((id) => id !== poison)
      const ledger = await settled(at)
      const tookMs = Math.round(performance.now() - began)
      expect(ledger.deliveries.dead).toBe(2)
      await eventually(() => innocents.every((id) => arrived(at).messages.has(`${id}.0`)))
      await eventually(() => innocents.every((id) => arrived(at).items.has(id)))
      const kept = await deliveries(at)
      for (const id of innocents.flatMap((one) => [`${one}.0`, `${one}.1`])) {
        expect(kept.get(id)).toMatchObject({ state: 'delivered', tries: 1 })
      }
      const trace = await at.trace(poison)
      for (const { state, reason, attempts } of trace.deliveries) {
        expect({ state, reason }).toEqual({ state: 'dead', reason: 'breaks-stream' })
        expect(attempts.map(({ result }) => result)).toEqual([...attempts.slice(1).map(() => 'void'), 'breaks-stream'])
        expect(attempts.length).toBeGreaterThanOrEqual(4)
      }
      const closes = at.waybill.log().split('"connection-lost"').length - 1
      const alone = at.waybill.log().split('"sent-alone"').length - 1
      console.info(`${kind}: ${closes} closes, ${alone} sent alone, all settled after ${tookMs} ms`)
      expect(closes).toBeLessThanOrEqual(12)
      const counted = /waybill_deliveries_ended_total\{state="dead",reason="breaks-stream"\} 2/
      await eventually(async () => counted.test(await at.metrics()))
      expect(at.waybill.log()).toContain(`breaks-stream other.example.test`)
    })

    it('by an iq is found as well, and what waits behind it in its lane goes on', async () => {
      const [poison, first] = await Promise.all([
        submit(at, 'Q', order('Q-1', { note: POISON })),
        submit(at, 'LANE', order('LANE-1', { note: POISON })),
      ])
      const second = await submit(at, 'LANE', order('LANE-2'))
      await settled(at)
      const reasons = (await at.trace(poison)).deliveries.map(({ reason }) => reason)
      expect(reasons).toEqual(['breaks-stream', 'breaks-stream'])
      expect((await at.trace(first)).deliveries.map(({ state }) => state)).toEqual(['dead', 'dead'])
      expect((await at.trace(second)).deliveries.map(({ state }) => state)).toEqual(['delivered', 'delivered'])
    })

    it('is alone from the beginning where it is redriven', async () => {
      const closes = at.waybill.log().split('"connection-lost"').length
      const { stdout } = await command(['dead', at.folder, 'ls', '--reason', 'breaks-stream', '-o', 'json'])
      const [letter] = JSON.parse(stdout) as { readonly id: string }[]
      expect((await command(['dead', at.folder, 'redrive', letter!.id])).code).toBe(0)
      await eventually(() => at.waybill.log().split('"connection-lost"').length === closes + 1, { timeoutMs: 60_000 })
      await settled(at)
      expect((await deliveries(at)).get(letter!.id)).toMatchObject({ state: 'dead', reason: 'breaks-stream' })
    })
  },
)

/** Loaded into the process beside Waybill: whoever writes this document to the XMPP server dies of it. */
const CRASH = `
import { Socket } from 'node:net'
const { write } = Socket.prototype
Socket.prototype.write = function (text, ...rest) {
  if (typeof text === 'string' && text.includes('<message') && text.includes('CRASH-1')) process.kill(process.pid, 'SIGKILL')
  return write.call(this, text, ...rest)
}
`

describe('a document that kills the process', () => {
  let at: Installation
  beforeAll(async () => {
    const routes = `
kind: Route
name: all
when: { type: order }
deliver: [{ jid: other.example.test }]
---
kind: Route
name: receipts
when: { type: order, fields: { number: [{ prefix: "R-" }] } }
deliver: [{ jid: receipts@other.example.test, confirm: receipt, confirmTimeout: 60s }]
`
    at = await install({ kind: 'prosody', config: scenarioFolder({ 'routes/routes.yaml': routes }) })
  })
  afterAll(() => at?.stop())

  it('is not what was under way when it was stopped', async () => {
    const id = await submit(at, 'R', order('R-1'))
    await eventually(() => arrived(at).messages.has(`${id}.1`))
    at.waybill.signal('SIGTERM')
    expect(await at.waybill.ended).toBe(0)
    const facts = (await deliveries(at)).get(`${id}.1`)
    expect(facts).toMatchObject({ state: 'waiting', tries: 0 })
    expect(Object.keys(facts!)).not.toContain('holder')
    expect(Object.keys(facts!)).not.toContain('closes')
    await at.restart()
    await eventually(() => at.other.received.filter((stanza) => attribute(stanza, 'id') === `${id}.1`).length === 2)
    expect(Object.keys((await deliveries(at)).get(`${id}.1`)!)).not.toContain('crashes')
    const bare = 'receipts@other.example.test'
    at.other.send(
      `<message from='${bare}/x' to='waybill.example.test'><received xmlns='urn:xmpp:receipts' id='${id}.1'/></message>`,
    )
    await settled(at)
  })

  it('is a dead letter after the fourth time, and the others arrive', { timeout: 240_000 }, async () => {
    const hook = join(at.folder, 'crash.mjs')
    writeFileSync(hook, CRASH)
    const environment = { NODE_OPTIONS: `--import ${pathToFileURL(hook)}` }
    at.waybill.signal('SIGTERM')
    await at.waybill.ended
    at.waybill = await runWaybill(at.folder, environment)
    const names = Array.from({ length: 40 }, (_, n) => (n === 20 ? 'CRASH-1' : `N-${n}`))
    const sending = Promise.all(names.map((name, n) => submit(at, `c${n}`, order(name), 90_000)))
    let deaths = 0
    const isOver = async () => (await at.ledger()).deliveries.dead === 1
    // As systemd does with Restart=always.
    while (!(await isOver())) {
      await eventually(async () => !at.waybill.running || (await isOver()), { timeoutMs: 30_000 })
      if (at.waybill.running) break
      deaths += 1
      await at.endLease()
      at.waybill = await runWaybill(at.folder, environment)
    }
    const ids = await sending
    await settled(at)
    expect(deaths).toBe(4)
    const innocents = ids.filter((_, n) => n !== 20)
    await eventually(() => innocents.every((id) => arrived(at).messages.has(`${id}.0`)))
    const kept = await deliveries(at)
    for (const id of innocents) expect(kept.get(`${id}.0`)).toMatchObject({ state: 'delivered', tries: 1 })
    const { state, reason, attempts } = (await at.trace(ids[20]!)).deliveries[0]!
    expect({ state, reason }).toEqual({ state: 'dead', reason: 'breaks-step' })
    expect(attempts.map(({ result }) => result)).toEqual(['void', 'void', 'void', 'breaks-step'])
    const counted = /waybill_deliveries_ended_total\{state="dead",reason="breaks-step"\} 1/
    await eventually(async () => counted.test(await at.metrics()))
  })
})

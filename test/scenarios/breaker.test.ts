import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { connectRawComponent } from '../servers/raw-component.ts'
import { scenarioFolder } from './folder.ts'
import { acceptedId, attribute, command, type Installation, install, order } from './waybill.ts'

/** Destinations that are down, on real servers: what is written to them is counted. */

const BREAKER = 'breaker: { failures: 5, first: 1s, max: 4s }'
const ROUTES = `
kind: Route
name: to-a-component
when: { type: order, fields: { number: [{ prefix: "JID-" }] } }
deliver: [{ jid: other.example.test, retry: brittle }]
---
kind: Route
name: to-a-service
when: { type: order, fields: { number: [{ prefix: "NODE-" }] } }
deliver: [{ pubsub: other.example.test, node: orders, retry: brittle }]
---
kind: Route
name: to-somebody-else
when: { type: order }
deliver: [{ jid: mirror@peer.example.test, retry: brittle }]
---
kind: Policy
name: brittle
deliveries: 8
backoff: { first: 1s, factor: 2, max: 10m, jitter: 0 }
${BREAKER}
`

const MANY = 200
/** Of a service that makes no nodes by itself. */
const DISCO = `<query xmlns='http://jabber.org/protocol/disco#info'/>`

describe.each(['prosody', 'ejabberd'] as const)('a destination that is down, on %s', (kind) => {
  let at: Installation
  beforeAll(async () => {
    at = await install({ kind, config: scenarioFolder({ 'routes/routes.yaml': ROUTES }) })
  })
  afterAll(() => at?.stop())

  async function send(prefix: string, from: number, to: number): Promise<string[]> {
    const numbers = Array.from({ length: to - from }, (_, n) => `${prefix}-${from + n}`)
    return Promise.all(numbers.map(async (number) => acceptedId(await at.submit(order(number)))))
  }

  /** Attempts that ended with an error or a bounce, by the count of the process. */
  async function failedAttempts(): Promise<number> {
    const lines = (await at.metrics()).matchAll(/^waybill_attempts_total\{result="(.*?)"\} (\d+)$/gm)
    const fine = ['result', 'receipt', 'handed-over', 'void']
    return [...lines].reduce((sum, [, result, count]) => sum + (fine.includes(result!) ? 0 : Number(count)), 0)
  }

  const isOpen = async (open: number) => (await at.metrics()).includes(`\nwaybill_destinations_open ${open}\n`)
  const becomesOpen = () => eventually(() => isOpen(1), { what: 'the destination to be open', timeoutMs: 30_000 })
  const triesOf = async (id: string) =>
    (await at.trace(id)).deliveries.find(({ route }) => route === 'to-a-service')!.tries
  const delivered = async () => (await at.ledger()).deliveries.delivered
  const mirrored = (prefix: string) => at.peer.received.filter((stanza) => stanza.includes(`>${prefix}-`)).length
  const alarms = (destination: string) =>
    at.peer.received.filter((stanza) => stanza.includes('<body>') && stanza.includes(`${destination} has failed`))

  async function isSaidToBeOpen(name: string, id: string): Promise<void> {
    const { stdout, code } = await command(['doctor', at.folder])
    const line = stdout.split('\n').find((one) => one.startsWith(`destination ${name} `))
    expect(line).toMatch(/ limited +open since 20\S+: \S+.*(?:next probe|probed now by).*; \d+ waiting$/)
    expect(code).toBe(0)
    const readyz = await fetch(`${at.waybill.ready.http}/readyz`)
    expect(readyz.status).toBe(200)
    expect(await readyz.text()).toContain(`{"part":"destination ${name}","ready":false,"reason":"open since `)
    const trace = await command(['trace', at.folder, id])
    expect(trace.stdout).toContain('  waits for its destination, which is open since ')
  }

  it('as a component that is gone: few messages are written to it, and all arrive when it is back', async () => {
    at.other.close()
    await send('JID', 0, 20)
    await becomesOpen()
    const before = await failedAttempts()
    const ids = await send('JID', 20, MANY)
    await eventually(() => mirrored('JID') === MANY, { what: 'what goes elsewhere to arrive' })
    await isSaidToBeOpen('other.example.test', ids.at(-1)!)

    await at.kill()
    await at.restart()
    await eventually(() => isOpen(1))
    const sinceMs = Date.now()
    await eventually(() => Date.now() - sinceMs > 8_000)
    // Probes after 1, 2, 4 and 4 s in each of both lives, and what was under way when it was found to be down.
    expect((await failedAttempts()) + before).toBeLessThanOrEqual(20 + 20)

    const backMs = Date.now()
    at.other = await connectRawComponent(at.server.component('other'))
    await eventually(async () => (await delivered()) === 2 * MANY, { timeoutMs: 30_000, what: 'all to arrive' })
    expect(Date.now() - backMs, 'and not when their own pauses have passed').toBeLessThan(20_000)
    const arrived = () => at.other.received.filter((stanza) => stanza.startsWith('<message'))
    await eventually(() => new Set(arrived().map((stanza) => attribute(stanza, 'id'))).size === MANY)
    await eventually(() => isOpen(0), { what: 'the destination to be closed' })
    expect(alarms('other.example.test')).toHaveLength(1)
    expect((await at.ledger()).balanced).toBe(true)
  })

  it('as a service that answers `wait`: few publishes are written to it, and all arrive when it takes them', async () => {
    const publishes = () => at.other.received.filter((stanza) => stanza.startsWith('<iq') && stanza.includes('NODE-'))
    const wait = `<error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`
    let takes = false
    let seen = at.other.received.length
    const answering = setInterval(() => {
      for (const iq of at.other.received.slice(seen)) {
        seen += 1
        const addresses = `id='${attribute(iq, 'id')}' from='other.example.test' to='waybill.example.test'`
        if (iq.includes('disco#info')) at.other.send(`<iq type='result' ${addresses}>${DISCO}</iq>`)
        else if (takes) at.other.send(`<iq type='result' ${addresses}/>`)
        else at.other.send(`<iq type='error' ${addresses}>${wait}</iq>`)
      }
    }, 5)
    try {
      const deliveredBefore = await delivered()
      await send('NODE', 0, 20)
      await becomesOpen()
      const openedMs = Date.now()
      const burst = publishes().length
      const ids = await send('NODE', 20, MANY)
      await eventually(() => mirrored('NODE') === MANY, { what: 'what goes elsewhere to arrive' })
      await isSaidToBeOpen('xmpp:other.example.test?;node=orders', ids.at(-1)!)
      const sinceMs = Date.now()
      await eventually(() => Date.now() - sinceMs > 8_000)
      expect(burst).toBeLessThanOrEqual(20)
      // One each 4 s: on a busy machine it takes longer to come here.
      const probes = Math.max(8, 4 + (Date.now() - openedMs) / 4_000)
      expect(publishes().length - burst, 'probes').toBeLessThanOrEqual(probes)
      const tries = await Promise.all(ids.slice(-5).map(async (id) => triesOf(id)))
      expect(tries).toEqual([0, 0, 0, 0, 0])

      takes = true
      await eventually(async () => (await delivered()) - deliveredBefore === 2 * MANY, { timeoutMs: 30_000 })
      expect((await at.ledger()).balanced).toBe(true)
    } finally {
      clearInterval(answering)
    }
  })
})

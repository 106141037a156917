import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { stateOf, whenNothingIsUnderWay } from './state.ts'
import { acceptedId, attribute, command, type Installation, install, order } from './waybill.ts'

const SENDER = 'a@peer.example.test/1'
const ADMIN = 'ops@peer.example.test/desk'
const note = (to: string) => `<note xmlns='urn:example:note'><to>${to}</to><text>hello</text></note>`
const submitted = (document: string, options: string) => `<submit xmlns='urn:waybill:0' ${options}>${document}</submit>`

describe.each(['prosody', 'ejabberd'] as const)('reports, track and trace, on %s', (kind) => {
  let at: Installation
  beforeAll(async () => {
    at = await install({ kind })
  })
  afterAll(() => at?.stop())

  const becomes = (id: string, state: string) =>
    eventually(async () => (await at.trace(id)).state === state, { timeoutMs: 30_000, what: `${id} to be ${state}` })
  const isReport = (stanza: string) => stanza.startsWith('<message') && stanza.includes('<report ')
  const reportsOn = (id: string) => at.peer.received.filter((stanza) => isReport(stanza) && stanza.includes(id))
  const reportOn = (id: string, end = 1) =>
    at.peer.next((stanza) => isReport(stanza) && attribute(stanza, 'id') === `${id}.report.${end}`, 30_000)
  /** What follows it in the stream has come, so that it would have, too. */
  const nothingOn = async (id: string) => {
    const later = acceptedId(await at.submit(submitted(order('later'), "report='all'")))
    await reportOn(later)
    expect(reportsOn(id)).toEqual([])
  }

  let asked = 0
  async function ask(payload: string, from = SENDER): Promise<string> {
    const id = `ask-${asked++}`
    at.peer.send(`<iq type='get' id='${id}' from='${from}' to='waybill.example.test'>${payload}</iq>`)
    return at.peer.next((stanza) => stanza.startsWith('<iq') && attribute(stanza, 'id') === id, 60_000)
  }
  const track = (id: string, from?: string) => ask(`<track xmlns='urn:waybill:0' id='${id}'/>`, from)

  it('whoever asked for it hears once that all has arrived, and the report names no destination', async () => {
    const id = acceptedId(await at.submit(submitted(order('1', { lines: 3 }), "report='delivered'")))
    const report = await reportOn(id)
    expect(attribute(report, 'to')).toBe(SENDER)
    expect(attribute(report, 'type') ?? 'normal').toBe('normal')
    const expected = { id, state: 'delivered', deliveries: '2', delivered: '2', dead: '0' }
    expect(says(report, 'report')).toMatchObject(expected)
    expect(says(report, 'origin-id')).toMatchObject({ id: `${id}.report.1` })
    expect(report).not.toContain('other.example.test')
    expect(reportsOn(id)).toHaveLength(1)
  })

  it('failed is told only where something has not arrived, delivered only where all has', async () => {
    const [good, bad, both, unheard] = await Promise.all([
      at.submit(submitted(order('2'), "report='failed'")),
      at.submit(submitted(note('nobody'), "report='failed'")),
      at.submit(submitted(note('nobody'), "report='all'")),
      at.submit(submitted(note('nobody'), "report='delivered'")),
    ])
    const report = await reportOn(acceptedId(bad))
    expect(says(report, 'reason')).toEqual({ state: 'dead', name: 'tries-exhausted', count: '1' })
    await reportOn(acceptedId(both))
    await becomes(acceptedId(good), 'delivered')
    await becomes(acceptedId(unheard), 'dead')
    await nothingOn(acceptedId(good))
    await nothingOn(acceptedId(unheard))
  })

  it('a document without a route is reported as well', async () => {
    const secret = submitted(`<order xmlns='urn:example:secret'/>`, "report='failed'")
    const report = await reportOn(acceptedId(await at.submit(secret, { from: 'boss@peer.example.test' })))
    expect(says(report, 'reason')).toMatchObject({ name: 'no-route', count: '1' })
    expect(attribute(report, 'to')).toBe('boss@peer.example.test')
  })

  it('a document that is redriven after its report gives a new one when it ends again', async () => {
    const id = acceptedId(await at.submit(submitted(note('reborn'), "report='all'")))
    expect(says(await reportOn(id), 'report')).toMatchObject({ state: 'dead' })
    await at.server.addUser('reborn', 'secret')
    expect((await command(['dead', at.folder, 'redrive', `${id}.0`])).code).toBe(0)
    expect(says(await reportOn(id, 2), 'report')).toMatchObject({ state: 'delivered' })
    expect(reportsOn(id)).toHaveLength(2)
  })

  it('a report that comes back is counted and not sent again', async () => {
    const id = acceptedId(await at.submit(submitted(order('3'), "report='all'")))
    await reportOn(id)
    at.peer.send(
      `<message type='error' id='${id}.report.1' from='${SENDER}' to='waybill.example.test'><error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>`,
    )
    await eventually(async () => /waybill_reports_total\{outcome="bounced"\} 1\b/.test(await at.metrics()))
    await nothingOn(`${id}.report.2`)
    expect(reportsOn(id)).toHaveLength(1)
  })

  it('what waits for too long ends as expired: in the ledger, the metrics and the report', async () => {
    // Nobody confirms the receipt, and the next try would come after the end of the document's time.
    const id = acceptedId(await at.submit(submitted(order('R-expires'), "report='failed' expires='PT3S'")))
    const report = await reportOn(id)
    expect(says(report, 'report')).toMatchObject({ state: 'expired', delivered: '1', expired: '1', waiting: '0' })
    const ledger = await at.ledger()
    expect(ledger).toMatchObject({ balanced: true, routes: { receipts: { planned: 1, expired: 1 } } })
    const counted = /waybill_deliveries_ended_total\{state="expired",reason=""\} 1\b/
    await eventually(async () => counted.test(await at.metrics()))
  })

  it('a sender tracks its own documents from any device; others and administrators see what is theirs to see', async () => {
    const id = acceptedId(await at.submit(note('nobody')))
    await becomes(id, 'dead')
    const own = await track(id, 'a@peer.example.test/2')
    expect(says(own, 'track')).toMatchObject({ state: 'dead', deliveries: '1' })
    expect(says(own, 'reason')).toMatchObject({ count: '1' })
    expect(own).not.toContain('nobody@example.test')
    expect(says(await track(id, ADMIN), 'delivery')).toMatchObject({ destination: 'nobody@example.test', tries: '2' })
    const foreign = await track(id, 'b@peer.example.test/1')
    const unknown = await track('01890a5d-ac96-774b-bcce-b302099a8057', 'b@peer.example.test/1')
    const anonymous = (answer: string) => [...answer.replace(/ask-\d+/, '')].sort().join('')
    expect(foreign).toContain('<item-not-found ')
    expect(anonymous(foreign)).toBe(anonymous(unknown))
  })

  it('a trace tells what would happen, and has no effect', async () => {
    const before = await whenNothingIsUnderWay(at)
    const document = order('4', { currency: 'EUR', total: '5000' })
    const trace = (inside: string, attributes = '') => `<trace xmlns='urn:waybill:0' ${attributes}>${inside}</trace>`
    const sender = await ask(trace(document))
    expect(says(sender, 'trace')).toMatchObject({ verdict: 'accepted', type: 'order', deliveries: '2' })
    expect(sender).not.toContain('pubsub.example.test')
    const admin = await ask(trace(document, "from='a@peer.example.test'"), ADMIN)
    expect(admin).toContain('xmpp:pubsub.example.test?;node=orders/EUR')
    expect(admin).toContain('fields.number')
    const invalid = await ask(trace(`<order xmlns='urn:example:order'/>`))
    expect(says(invalid, 'trace')).toMatchObject({ verdict: 'rejected', reason: 'invalid' })
    expect(await ask(trace(document, "from='b@peer.example.test'"))).toContain('<forbidden ')
    expect(await stateOf(at)).toEqual(before)
  })

  it('a report survives a kill -9 between the end of the document and its report', async () => {
    const id = acceptedId(await at.submit(submitted(order('R-killed'), "report='all'")))
    await at.other.next((stanza) => attribute(stanza, 'id') === `${id}.1` || attribute(stanza, 'id') === `${id}.0`)
    await at.kill()
    // The last delivery ends while nobody is there who could tell of it.
    expect((await command(['dead', at.folder, 'drop', id, '--reason', 'the receiver is gone'])).code).toBe(0)
    expect(reportsOn(id)).toEqual([])
    await at.restart()
    const report = await reportOn(id)
    expect(says(report, 'reason')).toMatchObject({ name: 'dropped' })
    expect(report).not.toContain('the receiver is gone')
    await nothingOn(`${id}.report.2`)
    expect(reportsOn(id)).toHaveLength(1)
  })

  it('whenever it is killed, each end is reported, and once but for the id that says so', async () => {
    const ids: string[] = []
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 5; n++) {
        ids.push(acceptedId(await at.submit(submitted(order(`K-${round}-${n}`), "report='all'"))))
      }
      await at.other.next((stanza) => attribute(stanza, 'id') === `${ids.at(-1)}.0`)
      // Reports go out once a second: at once, a little later, and later still.
      await new Promise((resolve) => setTimeout(resolve, 300 * round))
      await at.kill()
      await at.restart()
    }
    for (const id of ids) await reportOn(id)
    for (const id of ids) {
      expect(new Set(reportsOn(id).map((stanza) => attribute(stanza, 'id')))).toEqual(new Set([`${id}.report.1`]))
    }
    expect((await at.ledger()).balanced).toBe(true)
  })
})

/** The attributes of the first element of that name; servers write them in any order. */
function says(stanza: string, name: string): Readonly<Record<string, string>> {
  const [tag = ''] = new RegExp(`<${name}\\b[^>]*>`).exec(stanza) ?? []
  return Object.fromEntries([...tag.matchAll(/\s([\w:]+)=(["'])(.*?)\2/g)].map(([, key, , value]) => [key, value]))
}

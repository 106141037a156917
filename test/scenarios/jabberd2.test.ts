import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { hasJabberd2 } from '../servers/jabberd2.ts'
import { connectRawComponent } from '../servers/raw-component.ts'
import { acceptedId, attribute, type Installation, install, order, rejectedAs } from './waybill.ts'

/** What its router does otherwise than Prosody and ejabberd: the namespace of stanzas, and the addresses of what comes back. */
describe.runIf(hasJabberd2())('through the router of jabberd2', () => {
  let at: Installation
  beforeAll(async () => {
    at = await install({ kind: 'jabberd2' })
  })
  afterAll(() => at?.stop())

  const arrives = (id: string) => at.other.next((stanza) => stanza.startsWith('<message') && stanza.includes(`${id}.0`))
  const becomes = (id: string, state: string) => eventually(async () => (await at.trace(id)).state === state)

  it('an order is accepted, and arrives with its way and its ids', async () => {
    const id = acceptedId(await at.submit(order('A-1')))
    const message = await arrives(id)
    expect(attribute(message, 'from')).toBe('waybill.example.test')
    expect(message).toContain('<number>A-1</number>')
    expect(message).toMatch(/<via\b[^>]*hops=(["'])1\1/)
    await becomes(id, 'delivered')
  })

  it('an order that is not valid is refused with what is wrong', async () => {
    const answer = await at.submit(order('A-2').replace('<total>', '<total>x'))
    expect(rejectedAs(answer)).toBe('invalid')
  })

  it('a message that asks for a receipt gets one with the acknowledgement', async () => {
    at.peer.send(
      `<message id='m1' from='a@peer.example.test/1' to='waybill.example.test'>${order('A-3')}<request xmlns='urn:xmpp:receipts'/></message>`,
    )
    const receipt = await at.peer.next((stanza) => stanza.includes('urn:xmpp:receipts') && stanza.includes('<accepted'))
    await arrives(acceptedId(receipt))
  })

  it('what comes back because nobody is there counts as that, and arrives when somebody is', async () => {
    at.other.close()
    const id = acceptedId(await at.submit(order('A-4')))
    await eventually(async () => {
      const [delivery] = (await at.trace(id)).deliveries
      return delivery!.attempts.some(({ result }) => result === 'service-unavailable')
    })
    at.other = await connectRawComponent(at.server.component('other'))
    await arrives(id)
    await becomes(id, 'delivered')
  })

  it('a restart of the router loses nothing', async () => {
    const ids: string[] = []
    for (let n = 0; n < 20; n += 1) ids.push(acceptedId(await at.submit(order(`B-${n}`))))
    await at.server.kill('SIGKILL')
    await at.server.start()
    at.peer = await connectRawComponent(at.server.component('peer'))
    at.other = await connectRawComponent(at.server.component('other'))
    for (const id of ids) await becomes(id, 'delivered')
    // Until Waybill is back as well, the router answers in its place.
    const last = await eventually(async () => acceptedId(await at.submit(order('B-last'))))
    await arrives(last)
  })
})

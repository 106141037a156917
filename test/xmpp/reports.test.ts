import { expect, it } from 'vitest'
import type { Report } from '../../src/flow/ports.ts'
import { createReportOutlet } from '../../src/xmpp/reports.ts'
import { eventually } from '../eventually.ts'
import { fakeConnection } from './fake-connection.ts'
import { meaning } from './stanza.ts'

const ID = '01890a5d-ac96-774b-bcce-b302099a8057'
const report: Report = {
  id: `${ID}.report.1`,
  to: "o'hara@example.test/desk",
  standing: {
    id: ID,
    type: 'order',
    receivedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    state: 'dead',
    deliveries: 3,
    counts: { waiting: 0, delivered: 1, dead: 2, expired: 0, dropped: 0 },
    reasons: [{ state: 'dead', reason: 'refused', count: 2 }],
  },
}
const text = `<message id='${ID}.report.1' from='waybill.example.test' to='o&apos;hara@example.test/desk'>
<report xmlns='urn:waybill:0' id='${ID}' type='order' received='2026-01-02T03:04:05.000Z' state='dead' deliveries='3' waiting='0' delivered='1' dead='2' expired='0' dropped='0' held='0'><reason state='dead' name='refused' count='2'/></report>
<origin-id xmlns='urn:xmpp:sid:0' id='${ID}.report.1'/><store xmlns='urn:xmpp:hints'/></message>`

it('a report is a message that says counts and reasons, and is proven by the ping behind it', async () => {
  const connection = fakeConnection()
  connection.answerWith(() => `<iq type='result' id='ID' from='example.test' to='waybill.example.test'/>`)
  const outlet = createReportOutlet(connection, 'example.test')
  expect(await outlet.report(report)).toBe('handed-over')
  expect(meaning(connection.written[0]!)).toEqual(meaning(text.replaceAll('\n', '')))
  expect(connection.written[1]).toContain('urn:xmpp:ping')
})

it('any answer to the ping is a proof, an error included', async () => {
  const connection = fakeConnection()
  connection.answerWith(() => `<iq type='error' id='ID' from='example.test' to='waybill.example.test'/>`)
  expect(await createReportOutlet(connection, 'example.test').report(report)).toBe('handed-over')
})

it('a report of which the stream ends before the proof is lost, and one offline is not written', async () => {
  const connection = fakeConnection()
  const outlet = createReportOutlet(connection, 'example.test')
  const outcome = outlet.report(report)
  await eventually(() => connection.written.length === 2)
  connection.lose('the server restarts')
  expect(await outcome).toBe('lost')
  expect(outlet.online).toBe(false)
  expect(await outlet.report(report)).toBe('lost')
  expect(connection.written).toHaveLength(2)
})

it('an address that XML can not hold is never written', async () => {
  const connection = fakeConnection()
  const outlet = createReportOutlet(connection, 'example.test')
  expect(await outlet.report({ ...report, to: 'a\u0001@example.test' })).toBe('unsendable')
  expect(connection.written).toEqual([])
})

import { afterEach, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { scenarioFolder } from './folder.ts'
import { attribute, type Installation, install, type LaunchedWaybill, launchWaybill, order } from './waybill.ts'

/** Compares every line with every other: some milliseconds for twenty lines. */
const RULES = `<schema xmlns="http://purl.oclc.org/dsdl/schematron" queryBinding="xslt2">
<ns prefix="o" uri="urn:example:order"/>
<pattern><rule context="o:order">
<assert id="unlike" test="every $one in o:line, $other in o:line satisfies $one is $other or $one/@sku ne $other/@sku">two lines are for the same</assert>
</rule></pattern></schema>`

const TYPES = `kind: DocumentType
name: order
identify: { xml: { root: "{urn:example:order}order" } }
namespaces: { o: "urn:example:order" }
schema: { xsd: order.xsd, schematron: unlike.sch }
fields: { number: { xpath: "/o:order/o:number" } }
`
const ROUTES = `kind: Route
name: to-other
owner: tests
when: { type: order }
deliver: [{ jid: other.example.test }]
order: { by: sender }
`
const SENDERS = ['a', 'b', 'c', 'd']

let at: Installation | undefined
let second: LaunchedWaybill | undefined
afterEach(async () => {
  if (second?.running) second.signal('SIGKILL')
  await at?.stop()
  at = undefined
})

it('a process that stands by checks for the one that holds the domain; when it is killed nothing is lost or overtaken', async () => {
  const config = scenarioFolder({
    'schemas/unlike.sch': RULES,
    'types/types.yaml': TYPES,
    'routes/routes.yaml': ROUTES,
  })
  at = await install({ kind: 'prosody', config, settings: { checking: { threads: 1 } } })
  second = launchWaybill(at.folder, { WAYBILL_HTTP_LISTEN: '127.0.0.1:0' })
  const sent: Promise<string>[] = []
  const submitted: string[] = []
  const send = (count: number) => {
    for (let each = 0; each < count; each += 1) {
      const number = String(submitted.length).padStart(4, '0')
      const from = `${SENDERS[submitted.length % SENDERS.length]}@peer.example.test/1`
      submitted.push(`${from} ${number}`)
      sent.push(at!.submit(order(number, { lines: 20 }), { from, timeoutMs: 120_000 }))
    }
  }
  const checkedElsewhere = async () => {
    if (sent.length < 400) send(4)
    return /waybill_check_seconds_count\{where="process"\} [1-9]/.test(await at!.metrics())
  }
  await eventually(() => second!.log().includes('"standby"'), { timeoutMs: 60_000 })
  await eventually(checkedElsewhere, { timeoutMs: 120_000, what: 'the second process to check a document' })
  // It keeps what it is given from now on.
  second.signal('SIGSTOP')
  send(20)
  await eventually(async () => /"checker-lost".*"where":"process"/.test(at!.waybill.log()), { timeoutMs: 60_000 })
  second.signal('SIGKILL')
  const answers = await Promise.all(sent)
  expect(answers.filter((answer) => attribute(answer, 'type') !== 'result')).toEqual([])
  const arrived: string[] = []
  while (arrived.length < submitted.length) {
    const message = await at.other.next((stanza) => stanza.includes('<number>'), 120_000)
    arrived.push(/<number>(\d+)</.exec(message)![1]!)
  }
  const numbersOf = (sender: string) => submitted.filter((one) => one.startsWith(sender)).map((one) => one.slice(-4))
  for (const sender of SENDERS) {
    const own = new Set(numbersOf(sender))
    expect(arrived.filter((number) => own.has(number))).toEqual(numbersOf(sender))
  }
})

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Assembly, assemble } from '../../src/assemble.ts'
import { attributeOf, childElements, textOf } from '../../src/domain/element.ts'
import { offeredTo } from '../../src/flow/offer.ts'
import { createQuestions } from '../../src/flow/questions.ts'
import { limitRate } from '../../src/flow/senders.ts'
import { createDispatch } from '../../src/xmpp/dispatch.ts'
import { withFolder } from '../config/folder.ts'
import { fakeConnection } from './fake-connection.ts'
import { meaning, stanza } from './stanza.ts'

const SENDER = 'a@peer.example.test/x'
const BOSS = 'boss@peer.example.test/x'
const ADMIN = 'ops@elsewhere.example/desk'
const STRANGER = 'a@elsewhere.example/x'

const xs = (content: string) => `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">${content}</xs:schema>`
const INVOICE_XSD = xs('<xs:include schemaLocation="../common/parts.xsd"/><xs:element name="invoice" type="Invoice"/>')
const PARTS_XSD = xs(
  '<xs:complexType name="Invoice"><xs:simpleContent><xs:extension base="xs:decimal"><xs:attribute name="v"/></xs:extension></xs:simpleContent></xs:complexType>',
)
const LARGE_XSD = xs(`<!-- ${'x'.repeat(150_000)} --><xs:element name="large" type="xs:string"/>`)
const RULES = `<sch:schema xmlns:sch="http://purl.oclc.org/dsdl/schematron"><sch:pattern><sch:rule context="/invoice"><sch:assert test=". &gt; 0">positive</sch:assert></sch:rule></sch:pattern></sch:schema>`
const SAMPLE = '<invoice v="2.1">12.50</invoice>'
const READING = '{ "$ref": "urn:example:celsius" }'
const CELSIUS = '{ "$id": "urn:example:celsius", "type": "object" }'

const FILES = {
  'waybill.yaml': `
xmpp: { domain: waybill.example.test, host: example.test, secret: s3cr3t-0 }
senders: ["*@peer.example.test"]
admins: ["ops@elsewhere.example"]
`,
  'types/types.yaml': `
kind: DocumentType
name: invoice
version: "2.0"
deprecated: please send 2.1
identify: { xml: { root: invoice } }
schema: none
---
kind: DocumentType
name: invoice
version: "2.1"
family: bills
identify: { xml: { root: invoice, match: { "/invoice/@v": ["2.1", "2.1a"] }, where: "/invoice[not(@draft)]" } }
namespaces: { x: "urn:example:x" }
schema: { xsd: bills/main/invoice.xsd, schematron: [{ file: rules/rules.sch, onInvalid: warn }] }
sample: samples/invoice.xml
fields: { secret: { xpath: /invoice } }
---
kind: DocumentType
name: reading
identify: { json: { match: { /kind: reading } } }
schema: { json: reading.json }
---
kind: DocumentType
name: large
identify: { xml: { root: large } }
schema: { xsd: large.xsd }
---
kind: DocumentType
name: salary
identify: { xml: { root: salary } }
schema: { json: salary.json }
senders: ["boss@peer.example.test"]
`,
  'schemas/bills/main/invoice.xsd': INVOICE_XSD,
  'schemas/bills/common/parts.xsd': PARTS_XSD,
  'schemas/bills/common/unused.xsd': xs(''),
  'schemas/rules/rules.sch': RULES,
  'schemas/reading.json': READING,
  'schemas/celsius.json': CELSIUS,
  'schemas/salary.json': '{ "title": "urn:example:celsius is not this one", "type": "object" }',
  'schemas/large.xsd': LARGE_XSD,
  'samples/invoice.xml': SAMPLE,
}

let assembly: Assembly
beforeAll(async () => {
  assembly = await withFolder(FILES, async (folder) => {
    const assembled = await assemble(folder, {})
    expect(assembled.problems.filter(({ severity }) => severity === 'error')).toEqual([])
    return assembled.assembly!
  })
})
afterAll(() => assembly?.documents.dispose())

/** What the whole way from stanza to stanza answers. */
async function ask(payload: string, from = SENDER, maxStanzaBytes = 262_144) {
  const connection = fakeConnection()
  const unexpected = () => Promise.reject(new Error('nobody should have asked'))
  const admins = () => assembly.configuration.settings.admins
  const rate = limitRate(1_000, 'questions')
  const dispatch = createDispatch({
    maxStanzaBytes,
    connection,
    outlet: { receipt: () => {}, bounce: () => {} },
    intake: unexpected,
    questions: createQuestions({
      store: { trace: unexpected },
      ruling: () => assembly.ruling,
      offered: () => assembly.offered,
      ...{ admins, rate, now: Date.now, log: () => {}, inHandLimit: 10 },
    }),
    subscriptions: { hear: () => {}, miss: () => false },
    describe: (one) => ({
      version: '1',
      types: offeredTo(one, assembly.offered, assembly.ruling, admins()).map(({ type }) => type),
      limits: { documentBytes: 1, depth: 1, attributes: 1 },
    }),
    metrics: { rejected: () => {}, failed: () => {} },
    log: () => {},
  })
  dispatch.handle(stanza(`<iq type='get' id='q' from='${from}' to='waybill.example.test'>${payload}</iq>`))
  await dispatch.idle()
  expect(connection.written).toHaveLength(1)
  return connection.written[0]!
}

const result = (payload: string, to = SENDER) =>
  meaning(`<iq type='result' id='q' to='${to}' from='waybill.example.test'>${payload}</iq>`)
const notFound = (to = SENDER) =>
  meaning(
    `<iq type='error' id='q' to='${to}' from='waybill.example.test'><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`,
  )
const own = (name: string, attributes = '') => `<${name} xmlns='urn:waybill:0' ${attributes}/>`
const digest = (text: string) => createHash('sha256').update(text).digest('hex')
const named = (name: string, text: string) => `name='${name}' bytes='${text.length}' digest='${digest(text)}'`

describe('types', () => {
  const bills = `<type name='invoice' version='2.0'><notice>please send 2.1</notice></type><type name='invoice' version='2.1'/>`
  const others = `<type name='reading'/><type name='large'/>`
  it.each([
    { who: 'a sender', from: SENDER, types: bills + others },
    { who: 'one who may send another type besides', from: BOSS, types: `${bills}${others}<type name='salary'/>` },
    { who: 'an administrator', from: ADMIN, types: `${bills}${others}<type name='salary'/>` },
    { who: 'somebody who may send nothing', from: STRANGER, types: '' },
  ])('$who is told those that may be sent, with their notices', async ({ from, types }) => {
    expect(meaning(await ask(own('types'), from))).toEqual(
      result(`<types xmlns='urn:waybill:0'>${types}</types>`, from),
    )
  })

  it.each([SENDER, STRANGER])('are no others in service discovery (%s)', async (from) => {
    const items = await ask(`<query xmlns='http://jabber.org/protocol/disco#items' node='types'/>`, from)
    expect(items.includes('types/invoice@2.1')).toBe(from === SENDER)
    expect(items).not.toContain('salary')
    const info = `<query xmlns='http://jabber.org/protocol/disco#info' node='types/salary'/>`
    expect(meaning(await ask(info, from))).toEqual(notFound(from))
  })
})

describe('schema', () => {
  it('tells how a type is recognised, its layers, files and sample', async () => {
    const matches = ['2.1', '2.1a'].map((value) => `<match at='/invoice/@v' value='${value}'/>`).join('')
    const layers =
      `<layer language='xsd' file='bills/main/invoice.xsd' on-invalid='reject'/>` +
      `<layer language='schematron' file='rules/rules.sch' on-invalid='warn' phase='#DEFAULT'/>`
    const files =
      `<file ${named('bills/common/parts.xsd', PARTS_XSD)}/><file ${named('bills/main/invoice.xsd', INVOICE_XSD)}/>` +
      `<file ${named('rules/rules.sch', RULES)}/>`
    const answer = await ask(own('schema', `type='invoice' version='2.1'`))
    expect(meaning(answer)).toEqual(
      result(
        `<schema xmlns='urn:waybill:0' type='invoice' version='2.1' root='invoice' where='/invoice[not(@draft)]'>` +
          `${matches}${layers}<sample ${named('invoice.xml', SAMPLE)}/>${files}</schema>`,
      ),
    )
    expect(answer).toContain('xmlns:x="urn:example:x"')
  })

  it('names no file but those that the schema takes in, and no path outside of its folder', async () => {
    expect(meaning(await ask(own('schema', `type='reading'`)))).toEqual(
      result(
        `<schema xmlns='urn:waybill:0' type='reading'><match at='/kind' value='reading'/><layer language='json' file='reading.json' on-invalid='reject'/>` +
          `<file ${named('celsius.json', CELSIUS)}/><file ${named('reading.json', READING)}/></schema>`,
      ),
    )
  })

  it.each([
    { what: 'the newest version that is not deprecated, where none is named', asked: `type='invoice'`, is: '2.1' },
    { what: 'a version that is named', asked: `type='invoice' version='2.0'`, is: '2.0' },
  ])('is of $what', async ({ asked, is }) => {
    expect(await ask(own('schema', asked))).toContain(`type="invoice" version="${is}"`)
  })

  it.each([
    { what: 'a type that is not there', from: SENDER, asked: `type='nothing'` },
    { what: 'a type that somebody else may send', from: SENDER, asked: `type='salary'` },
    { what: 'a file of it', from: SENDER, asked: `type='salary' file='salary.json'` },
    { what: 'any type, for somebody who may send nothing', from: STRANGER, asked: `type='invoice'` },
    { what: 'a version that is not there', from: SENDER, asked: `type='invoice' version='9'` },
    { what: 'a file of another type', from: SENDER, asked: `type='reading' file='salary.json'` },
    {
      what: 'a file that the schema does not take in',
      from: SENDER,
      asked: `type='invoice' file='bills/common/unused.xsd'`,
    },
    { what: 'a path out of the folder', from: SENDER, asked: `type='reading' file='../waybill.yaml'` },
    { what: 'a path that leads back in', from: SENDER, asked: `type='reading' file='x/../reading.json'` },
    { what: 'the YAML of the type', from: SENDER, asked: `type='reading' file='types/types.yaml'` },
    { what: 'a file without a name', from: SENDER, asked: `type='reading' file=''` },
  ])('does not find $what', async ({ from, asked }) => {
    expect(meaning(await ask(own('schema', asked), from))).toEqual(notFound(from))
  })

  it('gives a file, as it was when its type was compiled', async () => {
    const base64 = Buffer.from(PARTS_XSD).toString('base64')
    expect(meaning(await ask(own('schema', `type='invoice' file='bills/common/parts.xsd'`)))).toEqual(
      result(
        `<schema xmlns='urn:waybill:0' type='invoice' version='2.1'><file ${named('bills/common/parts.xsd', PARTS_XSD)} offset='0'>${base64}</file></schema>`,
      ),
    )
  })

  it.each([10_000, 262_144])(
    'gives a large file part by part, in stanzas of at most %i bytes',
    async (maxStanzaBytes) => {
      const parts: Buffer[] = []
      let offset = 0
      do {
        const question = own('schema', `type='large' file='large.xsd' offset='${offset}'`)
        const answer = await ask(question, SENDER, maxStanzaBytes)
        expect(Buffer.byteLength(answer)).toBeLessThanOrEqual(maxStanzaBytes)
        const [schema] = childElements(stanza(answer))
        const [file] = childElements(schema!)
        expect([attributeOf(file!, 'offset'), attributeOf(file!, 'bytes')]).toEqual([
          `${offset}`,
          `${LARGE_XSD.length}`,
        ])
        parts.push(Buffer.from(textOf(file!), 'base64'))
        offset += parts.at(-1)!.length
      } while (offset < LARGE_XSD.length)
      expect(Buffer.concat(parts).toString()).toBe(LARGE_XSD)
      expect(parts.length).toBeGreaterThan(1)
    },
  )

  it.each([
    [`version='2.1'`, 'Cannot tell the schema: the type is missing'],
    [
      `type='reading' file='reading.json' offset='99'`,
      `Cannot read reading.json from there: it has ${READING.length} bytes, and offset is 99`,
    ],
    [
      `type='reading' file='reading.json' offset='-1'`,
      `Cannot read reading.json from there: it has ${READING.length} bytes, and offset is -1`,
    ],
  ])('%s is a bad request', async (asked, words) => {
    expect(await ask(own('schema', asked))).toContain(
      `<bad-request xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/><text xmlns="urn:ietf:params:xml:ns:xmpp-stanzas" xml:lang="en">${words}</text>`,
    )
  })

  it('is told so often only as questions may be asked', async () => {
    const answers: string[] = []
    const questions = createQuestions({
      store: { trace: () => Promise.reject(new Error()) },
      ruling: () => assembly.ruling,
      offered: () => assembly.offered,
      ...{ admins: () => ['ops@elsewhere.example'], rate: limitRate(2), now: () => 0, log: () => {}, inHandLimit: 10 },
    })
    for (let n = 0; n < 3; n++) answers.push(questions.offer(SENDER).kind, questions.offer(ADMIN).kind)
    expect(answers).toEqual(['offered', 'offered', 'offered', 'offered', 'rejected', 'offered'])
  })
})

describe('sample', () => {
  it('is given to who may send the type', async () => {
    const base64 = Buffer.from(SAMPLE).toString('base64')
    expect(meaning(await ask(own('sample', `type='invoice'`)))).toEqual(
      result(
        `<sample xmlns='urn:waybill:0' type='invoice' version='2.1'><file ${named('invoice.xml', SAMPLE)} offset='0'>${base64}</file></sample>`,
      ),
    )
  })

  it.each([
    { what: 'the type has none', from: SENDER, asked: `type='reading'` },
    { what: 'one may not send the type', from: STRANGER, asked: `type='invoice'` },
  ])('is not found where $what', async ({ from, asked }) => {
    expect(meaning(await ask(own('sample', asked), from))).toEqual(notFound(from))
  })
})

it('the protocol page shows nothing that no answer has', async () => {
  const page = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8')
  const section = page.slice(page.indexOf('### 1.8'), page.indexOf('## 2.'))
  const words = (text: string) => new Set(text.match(/<[a-z]+|(?<= )[a-z-]+(?==['"])/g))
  const asked = ['types', `schema type='invoice'`, `schema type='reading' file='reading.json'`, `sample type='invoice'`]
  const answers = await Promise.all(asked.map((one) => ask(`<${one} xmlns='urn:waybill:0'/>`)))
  const known = words(answers.join('') + asked.map((one) => `<${one}`).join(''))
  const shown = words([...section.matchAll(/```xml\n(.*?)```/gs)].map(([, text]) => text).join(''))
  expect(shown.size).toBeGreaterThan(15)
  expect([...shown].filter((word) => !known.has(word))).toEqual([])
})

import { expect, it } from 'vitest'
import { compileDocuments, compileXPathTest } from '../../src/documents/documents.ts'
import { memoryBytes } from '../../src/documents/libxml2.ts'
import { releaseTrees } from '../../src/documents/parsed.ts'
import { bundle, documentsFor, limits, ORDER, ORDER_XSD, onlySubmission, stanzaOf, typeOf } from './given.ts'

const schema = bundle('xsd', { 'order.xsd': ORDER_XSD })
const fields = { last: { xpath: '/o:order/o:line[last()]/o:quantity' } }
const order = typeOf('order', { schema, fields, namespaces: { o: 'urn:order' } })

it('20,000 documents, good and bad, with XPaths, leave libxml2’s memory as it was', async () => {
  const documents = await documentsFor([order])
  const route = compileXPathTest("count(//o:line[o:item = 'flour']) = 1", { o: 'urn:order' })
  if (route.kind === 'error') throw new Error(route.message)
  const bad = ORDER.replace('>3<', '>x<').replace('EUR', '?').replace('<id>', '<!-- c --><id>')
  const stanzas = [
    `<iq>${ORDER}</iq>`,
    `<iq><data xmlns='urn:xmpp:bob' type='text/xml'>${Buffer.from(bad).toString('base64')}</data></iq>`,
  ].map((xml) => stanzaOf(xml))
  const one = (at: number) => {
    const { document } = onlySubmission(documents.extract(stanzas[at % 2]!))
    const { findings } = documents.validate(document, order)
    return route.test(document.content) && findings.length === (at % 2) * 2
  }
  for (let at = 0; at < 500; at += 1) expect(one(at)).toBe(true)
  const before = memoryBytes()
  let right = 0
  for (let at = 0; at < 20_000; at += 1) right += Number(one(at))
  expect(right).toBe(20_000)
  expect(memoryBytes()).toBe(before)
  documents.dispose()
})

it('200 reloads of a configuration leave it as it was', async () => {
  const reload = async () => {
    const { documents } = await compileDocuments(
      [order, typeOf('broken', { schema: bundle('xsd', { 'b.xsd': '<broken/>' }) })],
      limits,
    )
    const { document } = onlySubmission(documents.extract(stanzaOf(`<iq>${ORDER}</iq>`)))
    expect(documents.validate(document, order).fields).toEqual({ last: ['3'] })
    documents.dispose()
  }
  for (let at = 0; at < 20; at += 1) await reload()
  const before = memoryBytes()
  for (let at = 0; at < 200; at += 1) await reload()
  expect(memoryBytes()).toBe(before)
})

it('a document that was released is parsed again when it is asked about', async () => {
  const documents = await documentsFor([order])
  const { document } = onlySubmission(documents.extract(stanzaOf(`<iq>${ORDER}</iq>`)))
  const first = documents.validate(document, order)
  releaseTrees()
  expect(documents.validate(document, order)).toEqual(first)
  documents.dispose()
})

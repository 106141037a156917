import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createIsHeavy } from '../../../src/documents/checking/heavy.ts'
import type { Document } from '../../../src/domain/document.ts'
import type { DocumentType } from '../../../src/domain/document-type.ts'
import type { CheckedApart } from '../../../src/flow/ports.ts'
import { eventually } from '../../eventually.ts'
import { bundle, inBand, ORDER, ORDER_XSD, sealed, typeOf } from '../given.ts'
import { rulesLayer, schema } from '../schematron/given.ts'
import { given, programOf, rulesFound } from './given.ts'

const RULES = schema(
  '<pattern><rule context="o:line"><assert id="few" test="number(o:quantity) &lt; 10">few of <value-of select="o:item"/></assert></rule></pattern>',
)
const fields = { id: { xpath: '/t:order/t:id' }, items: { xpath: '//t:item[text() != ""]' } }
const order = (more: Partial<DocumentType> = {}) =>
  typeOf('order', { layers: [bundle('xsd', { 'order.xsd': ORDER_XSD }), rulesLayer(RULES)], fields, ...more })

const MANY = ORDER.replace('>3<', '>30<')
const BROKEN = ORDER.replace('>3<', '>none<')
const LARGE = ORDER.replace('</order>', `<note>${'x'.repeat(70_000)}</note></order>`)
/** Large, and nothing in it that libxml2 would have to be asked about. */
const PLAIN = ORDER.replace('</item>', `${'x'.repeat(70_000)}</item>`)
const plain = typeOf('order', { schema: bundle('xsd', { 'order.xsd': ORDER_XSD }), fields })

const counted = (pattern: string) =>
  typeOf('code', {
    schema: bundle('xsd', {
      'code.xsd': `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:code"><xs:element name="code">
<xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="${pattern}"/></xs:restriction></xs:simpleType></xs:element></xs:schema>`,
    }),
  })
const code = (text: string) => `<code xmlns="urn:code">${text}</code>`

const many = (most: number) =>
  typeOf('list', {
    schema: bundle('xsd', {
      'list.xsd': `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:list"><xs:element name="list">
<xs:complexType><xs:sequence><xs:element name="a" minOccurs="0" maxOccurs="${most}"/></xs:sequence></xs:complexType></xs:element></xs:schema>`,
    }),
  })

const jsonType = (pattern: string) =>
  typeOf('reading', {
    identify: { json: { match: { '/kind': 'reading' } } },
    schema: bundle('json', { 'reading.json': JSON.stringify({ properties: { name: { pattern } } }) }),
  })
const reading = (name: string) => `<json xmlns="urn:xmpp:json:0">${JSON.stringify({ kind: 'reading', name })}</json>`

async function textOf(apart: Promise<CheckedApart> | undefined): Promise<string> {
  const checked = await apart
  return checked?.kind === 'rejected' && checked.rejection.kind === 'overloaded' ? checked.rejection.text : ''
}

describe('threads that check', () => {
  it('say of each document what this thread says', async () => {
    const marking = order({ onInvalid: 'mark' })
    const { documents, checkers, places } = await given([marking])
    const lineless = ORDER.replace(/<line.*<\/line>/, '')
    const bodies = [ORDER, MANY, BROKEN, LARGE, lineless, `<!-- first -->\n${MANY}`]
    const all: Document[] = [
      ...bodies.slice(0, 5).map((xml) => inBand(documents, xml)),
      ...bodies.map((xml) => sealed(documents, `<?xml version="1.0"?>\n${xml}`)),
      inBand(
        documents,
        '<o:order xmlns:o="urn:order" currency="EUR"><o:id xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:int">7</o:id></o:order>',
      ),
    ]
    const apart = await Promise.all(all.map((document) => checkers.validate(document, marking, 'a@shop.example')))
    const here = all.map((document) => ({ kind: 'validated', validation: documents.validate(document, marking) }))
    expect(apart).toEqual(here)
    expect(places).toEqual(all.map(() => 'thread'))
    expect(here.map(({ validation }) => validation.findings.length > 0)).toContain(true)
  })

  it('check a document here that can be read nowhere else', async () => {
    const type = order()
    const { documents, checkers, places } = await given([type], { program: programOf(`tell({ kind: 'unreadable' })`) })
    expect(await rulesFound(checkers.validate(inBand(documents, MANY), type, 'a'))).toEqual(['few'])
    expect(places).toEqual(['here'])
  })

  it.each([
    ['a small document of a schema', plain, ORDER, false],
    ['a large one', plain, LARGE, true],
    ['a small one of a type with rules', order(), ORDER, true],
    ['a small one whose pattern repeats what is repeated', counted('(a{1,5}){1,50}b'), code('aab'), true],
    ['one whose pattern does not', counted('a{1,5}b'), code('aab'), false],
    ['one that may have very many elements', many(100_000), '<list xmlns="urn:list"/>', true],
    ['one that may have some', many(100), '<list xmlns="urn:list"/>', false],
    ['one of a JSON Schema whose pattern repeats what is repeated', jsonType('^(a+)+$'), reading('aa'), true],
    ['one of a JSON Schema whose pattern does not', jsonType('^a+$'), reading('aa'), false],
    ['a large one of a JSON Schema', jsonType('^a+$'), reading('a'.repeat(70_000)), false],
    ['one of a type without a schema', typeOf('order'), LARGE, false],
  ])('are given %s: %#', async (_, type, xml, expected) => {
    const { documents, set } = await given([type], { threads: 0 })
    expect(createIsHeavy(set)(inBand(documents, xml), type)).toBe(expected)
  })

  it.each([
    ['a large one that is told to be valid', plain, PLAIN, 'here'],
    ['the same where rules are asked as well', order(), PLAIN, []],
    ['a large one that is wrong', plain, PLAIN.replace('>3<', '>none<'), ['cvc-datatype-valid.1.2.1']],
    ['a large one that nobody can tell', plain, LARGE, []],
  ] as const)('judge %s: %#', async (_, type, xml, expected) => {
    const { documents, checkers } = await given([type])
    expect(await rulesFound(checkers.validate(inBand(documents, xml), type, 'a'))).toEqual(expected)
  })

  it('leave everything here where there are none', async () => {
    const type = order()
    const { documents, checkers } = await given([type], { threads: 0 })
    expect(checkers.validate(inBand(documents, ORDER), type, 'a')).toBeUndefined()
  })

  it.each([
    ['an XML Schema', counted('(a{1,5}){1,50}b'), code(`${'a'.repeat(60)}c`), code('aab')],
    ['a JSON Schema', jsonType('^(a+)+$'), reading(`${'a'.repeat(60)}c`), reading('aa')],
  ])('give up a document that would take for ever by %s, and go on', async (_, type, endless, quick) => {
    const { documents, checkers, events } = await given([type], { times: { documentMs: 300, compileMs: 60_000 } })
    const slow = rulesFound(checkers.validate(inBand(documents, endless), type, 'a'))
    const next = rulesFound(checkers.validate(inBand(documents, quick), type, 'a'))
    expect(await slow).toEqual(['too-costly'])
    expect(await next).toEqual([])
    expect(events).toEqual(['check-too-costly'])
  })

  it('compile what was read at the start, whatever the files say now', async () => {
    const layer = bundle('xsd', { 'order.xsd': ORDER_XSD })
    const type = typeOf('order', { schema: layer })
    const { documents, checkers } = await given([type])
    writeFileSync(layer.file, ORDER_XSD.replaceAll('quantity', 'amount'))
    expect(await rulesFound(checkers.validate(inBand(documents, LARGE), type, 'a'))).toEqual([])
  })

  it('are replaced when they end; a document at which three of them end is refused', async () => {
    const type = order()
    const program = programOf(`if (String(task.payload).includes('flour')) process.exit(7); tell(valid)`)
    const { documents, checkers, events } = await given([type], { program })
    const fatal = rulesFound(checkers.validate(inBand(documents, ORDER), type, 'a'))
    const other = inBand(documents, ORDER.replace('flour', 'salt'))
    const next = rulesFound(checkers.validate(other, type, 'b'))
    expect(await fatal).toEqual(['breaks-step'])
    expect(await next).toEqual([])
    expect(events).toEqual(['checker-lost', 'checker-lost', 'checker-lost'])
  })

  it('have a fault of ours told to who asked', async () => {
    const type = order()
    const program = programOf(`tell({ kind: 'failed', reason: 'Cannot count to three' })`)
    const { documents, checkers } = await given([type], { program })
    await expect(checkers.validate(inBand(documents, ORDER), type, 'a')).rejects.toThrow('Cannot count to three')
  })

  it('that never start leave everything here', async () => {
    const type = order()
    const program = new URL('file:///nowhere/worker.js')
    const { documents, checkers, places, events } = await given([type], { program })
    const document = inBand(documents, MANY)
    expect(await rulesFound(checkers.validate(document, type, 'a'))).toEqual(['few'])
    await checkers.ready()
    expect(checkers.validate(document, type, 'a')).toBeUndefined()
    expect(places).toEqual(['here'])
    expect(events).toEqual(Array(3).fill('checker-not-started'))
  })

  it('bound what waits: of one sender, who alone is told, and of all', async () => {
    const type = order()
    const { documents, checkers } = await given([type], { program: programOf('') })
    const document = inBand(documents, ORDER)
    const ask = (sender: string) => checkers.validate(document, type, sender)
    await checkers.ready()
    // The first is in the thread for good.
    for (let at = 0; at < 501; at += 1) void ask('eager@shop.example')
    // What waits for too long is told to be overload as well, half a minute later.
    expect(await textOf(ask('eager@shop.example'))).toContain('500 of your documents wait to be checked already')
    for (let at = 0; at < 500; at += 1) void ask(`other-${at}@shop.example`)
    expect(await textOf(ask('late@shop.example'))).toContain('1000 documents wait to be checked already')
  })

  it('end with the last document when another set has come into force', async () => {
    const type = order()
    const { documents, checkers } = await given([type])
    const last = rulesFound(checkers.validate(inBand(documents, MANY), type, 'a'))
    checkers.retire()
    expect(await last).toEqual(['few'])
    await eventually(() => checkers.threads === 0)
    expect(await rulesFound(checkers.validate(inBand(documents, MANY), type, 'a'))).toEqual(['few'])
    await eventually(() => checkers.threads === 0)
  })
})

import { afterAll, describe, expect, it } from 'vitest'
import { compileXPathTest } from '../../src/documents/documents.ts'
import { memoryBytes } from '../../src/documents/libxml2.ts'
import { bundle, documentsFor, inBand, onlySubmission, stanzaOf, typeOf } from './given.ts'

/** White space where it counts for a schema, and where it does not, in documents that libxml2 is asked about and in others. */
const XSD = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:order" xmlns="urn:order"
    elementFormDefault="qualified">
  <xs:element name="order">
    <xs:complexType>
      <xs:choice minOccurs="0" maxOccurs="unbounded">
        <xs:element name="line"><xs:complexType><xs:sequence minOccurs="0"><xs:element name="id" type="xs:int"/></xs:sequence></xs:complexType></xs:element>
        <xs:element name="empty" nillable="true"><xs:complexType/></xs:element>
        <xs:element name="code" type="Code" nillable="true"/>
        <xs:element name="short" type="Short"/>
        <xs:element name="mixed"><xs:complexType mixed="true"><xs:sequence minOccurs="0"><xs:element name="b" minOccurs="0"/></xs:sequence></xs:complexType></xs:element>
        <xs:element name="fixed" fixed="x"><xs:complexType mixed="true"><xs:sequence><xs:element name="b" minOccurs="0"/></xs:sequence></xs:complexType></xs:element>
        <xs:element name="any"/>
      </xs:choice>
    </xs:complexType>
  </xs:element>
  <xs:simpleType name="Code"><xs:restriction base="xs:string"><xs:pattern value="[A-Z]+"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="Short"><xs:restriction base="xs:string"><xs:maxLength value="2"/></xs:restriction></xs:simpleType>
</xs:schema>`

const order = typeOf('order', { schema: bundle('xsd', { 'order.xsd': XSD }) })
const documents = await documentsFor([order])
afterAll(() => documents.dispose())

/** Findings of the document as an element, and sealed. */
function findings(content: string): { readonly asElement: readonly string[]; readonly sealed: readonly string[] } {
  const xml = `<order xmlns="urn:order" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">${content}</order>`
  const data = Buffer.from(xml).toString('base64')
  const sealed = stanzaOf(`<iq><data xmlns='urn:xmpp:bob' type='text/xml'>${data}</data></iq>`)
  const found = (document: ReturnType<typeof inBand>) =>
    documents.validate(document, order).findings.map(({ message, path }) => `${path} ${message}`)
  return {
    asElement: found(inBand(documents, xml)),
    sealed: found(onlySubmission(documents.extract(sealed)).document),
  }
}

describe('white space counts as it does in the whole document', () => {
  it.each([
    ['\n  <line>\n    <id>1</id>\n  </line>\n', true],
    ['<line>\n  </line>', true],
    ['<line> <id> 1 </id> </line>', true],
    ['<line> x <id>1</id></line>', false],
    ['<line><id>1</id> x </line>', false],
    ['<empty/>', true],
    ['<empty> </empty>', false],
    ['<empty xsi:nil="true"> </empty>', false],
    ['<code>A</code>', true],
    ['<code> </code>', false],
    ['<code> A</code>', false],
    ['<code xsi:nil="true"/>', true],
    ['<code xsi:nil="true"> </code>', false],
    ['<code> <id/> </code>', false],
    ['<short>  </short>', true],
    ['<short>   </short>', false],
    ['<mixed> <b/> x </mixed>', true],
    ['<mixed> x <b/> </mixed>', true],
    ['<mixed> <b/> <b/> </mixed>', false],
    ['<fixed/>', true],
    ['<fixed> </fixed>', false],
    ['<fixed> <b/> </fixed>', false],
    ['<fixed>x</fixed>', true],
    ['<any>  <id>  </id>  </any>', true],
  ])('%j is valid: %s', (content, valid) => {
    const { asElement, sealed } = findings(content)
    expect(asElement).toEqual(sealed)
    expect(asElement.length === 0).toBe(valid)
  })
})

it('an XPath sees the white space of a document that was validated', () => {
  const xml = '<order xmlns="urn:order">\n  <line> <id>1</id> </line>\n</order>'
  const length = (text: string) => compileXPathTest(`string-length(string(.)) = ${text.length}`, {})
  const route = length('\n   1 \n')
  if (route.kind === 'error') throw new Error(route.message)
  for (let at = 0; at < 3; at += 1) {
    const document = inBand(documents, xml)
    expect(documents.validate(document, order).findings).toEqual([])
    expect(route.test(document.content)).toBe(true)
  }
})

it('a bad document does nothing to the next, however they come one after the other', () => {
  const good = '<line><id>1</id></line>'
  const bad = ['<line/><unknown/>', '<line><id>x</id></line>', '<code> </code>']
  for (let at = 0; at < 60; at += 1) {
    expect(findings(bad[at % bad.length]!).asElement).not.toEqual([])
    expect(findings(good)).toEqual({ asElement: [], sealed: [] })
  }
})

it('ever new names don’t stay in libxml2’s memory', () => {
  const document = (at: number) => {
    const names = Array.from({ length: 40 }, (_, index) => `<n${at}-${index} a${at}-${index}="${at}"/>`)
    return `<order xmlns="urn:order"><any>${names.join('')}</any></order>`
  }
  const take = (from: number, to: number) => {
    for (let at = from; at < to; at += 1)
      expect(documents.validate(inBand(documents, document(at)), order).findings).toEqual([])
  }
  take(0, 800)
  const before = memoryBytes()
  take(800, 1_600)
  expect(memoryBytes()).toBe(before)
})

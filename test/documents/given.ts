import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { compileDocuments } from '../../src/documents/documents.ts'
import { noLimits } from '../../src/documents/limits.ts'
import { parseXml } from '../../src/documents/xml.ts'
import type { Document } from '../../src/domain/document.ts'
import type { DocumentType, SchemaLayer } from '../../src/domain/document-type.ts'
import { attributeOf, type Element } from '../../src/domain/element.ts'
import type { Rejection } from '../../src/domain/rejection.ts'
import type { Documents, Extraction, InboundStanza, Submission } from '../../src/flow/ports.ts'
import { afterwards } from '../afterwards.ts'

export const limits = { documentBytes: 20_000, depth: 12, attributes: 10, nameLength: 64 }

export function elementOf(xml: string): Element {
  const parsed = parseXml(xml, noLimits)
  if (parsed.kind === 'rejected') throw new Error(parsed.rejection.text)
  return parsed.root
}

/** The stanza as the connection hands it over; its default namespace is the component's, as on the stream. */
export function stanzaOf(xml: string, kind?: InboundStanza['kind']): InboundStanza {
  const withDefault = xml.replace(/^<(iq|message)/, "<$1 xmlns='jabber:component:accept'")
  const element = elementOf(withDefault)
  const told = kind ?? (element.name === 'iq' ? 'iq' : 'message')
  const from = attributeOf(element, 'from') ?? 'a@example.test/x'
  return { kind: told, element, from, to: 'waybill.example.test', id: attributeOf(element, 'id') ?? '' }
}

/** `schema` is the only layer. */
export function typeOf(
  name: string,
  { schema, ...parts }: Partial<DocumentType> & { readonly schema?: SchemaLayer } = {},
): DocumentType {
  return {
    name,
    version: '',
    families: [],
    deprecated: undefined,
    identify: { xml: { root: `{urn:${name}}${name}` } },
    namespaces: { t: `urn:${name}` },
    layers: schema ? [schema] : [],
    senders: undefined,
    fields: {},
    key: undefined,
    onInvalid: 'reject',
    ...parts,
  }
}

/** Schema files in a folder of their own; gives a layer of the first. */
export function bundle(
  language: SchemaLayer['language'],
  files: Readonly<Record<string, string>>,
  more: Partial<SchemaLayer> = {},
): SchemaLayer {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-schema-'))
  afterwards(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  const phase = language === 'schematron' ? '#DEFAULT' : ''
  const file = join(folder, Object.keys(files)[0]!)
  return { language, file, folder, onInvalid: 'reject', phase, place: ['schema', language], ...more }
}

export const ORDER_XSD = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:order" xmlns="urn:order"
    elementFormDefault="qualified">
  <xs:element name="order">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="id" type="xs:string"/>
        <xs:element name="line" maxOccurs="unbounded">
          <xs:complexType>
            <xs:sequence>
              <xs:element name="item" type="xs:string"/>
              <xs:element name="quantity" type="xs:positiveInteger"/>
            </xs:sequence>
            <xs:attribute name="unit" type="xs:NMTOKEN"/>
          </xs:complexType>
        </xs:element>
        <xs:element name="note" minOccurs="0"/>
      </xs:sequence>
      <xs:attribute name="currency" use="required">
        <xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="[A-Z]{3}"/></xs:restriction></xs:simpleType>
      </xs:attribute>
    </xs:complexType>
  </xs:element>
</xs:schema>`

export const ORDER = `<order xmlns="urn:order" currency="EUR"><id>7</id><line unit="kg"><item>flour</item><quantity>3</quantity></line></order>`

/** Compiled types of which none has a problem. */
export async function documentsFor(types: readonly DocumentType[]): Promise<Documents & { dispose(): void }> {
  const { documents, problems } = await compileDocuments(types, limits)
  if (problems.length > 0) throw new Error(problems.map((problem) => problem.message).join('\n'))
  return documents
}

export function onlySubmission(extraction: Extraction): Submission {
  if (extraction.kind !== 'submissions' || extraction.submissions.length !== 1) {
    throw new Error(`Expected one submission, not ${JSON.stringify(extraction)}`)
  }
  return extraction.submissions[0]!
}

export function rejectionOf(extraction: Extraction): Rejection & { readonly item?: string } {
  if (extraction.kind !== 'rejected') throw new Error(`Expected a rejection, not ${extraction.kind}`)
  return extraction.item === undefined ? extraction.rejection : { ...extraction.rejection, item: extraction.item }
}

export function inBand(documents: Documents, xml: string): Document {
  return onlySubmission(documents.extract(stanzaOf(`<iq id='1'>${xml}</iq>`))).document
}

export function sealed(documents: Documents, content: string | Uint8Array, type = 'application/xml'): Document {
  const base64 = Buffer.from(content).toString('base64')
  return onlySubmission(
    documents.extract(stanzaOf(`<iq id='1'><data xmlns='urn:xmpp:bob' type='${type}'>${base64}</data></iq>`)),
  ).document
}

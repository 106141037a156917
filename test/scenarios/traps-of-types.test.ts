import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scenarioFolder } from './folder.ts'
import { becomes } from './traps.ts'
import { acceptedId, command, type Installation, install, rejectedAs } from './waybill.ts'

/** What has gone wrong in the best products of this kind where a document meets its schema. */

const WAYBILL = `
xmpp: { domain: waybill.example.test, host: example.test, secret: unused }
senders: ["*@example.test"]
`

describe('trap 9 (Apicurio): unknown is not yes: what there is no checker for is refused when the configuration is loaded', () => {
  const xsd = (type: string) =>
    `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:example:unknown"><xs:element name="r">${type}</xs:element></xs:schema>`
  const rng = (inside: string) =>
    `<element name="r" ns="urn:example:unknown" xmlns="http://relaxng.org/ns/structure/1.0">${inside}</element>`
  const schemas: readonly (readonly [what: string, language: string, text: string, message: RegExp])[] = [
    ['a language of schemas', 'proto', 'message R {}', /Unknown key "proto"/],
    [
      'a draft of JSON Schema',
      'json',
      '{"$schema":"http://json-schema.org/draft-04/schema#","type":"object"}',
      /are understood/,
    ],
    ['a format', 'json', '{"type":"string","format":"ean-13"}', /unknown format "ean-13"/],
    ['a keyword', 'json', '{"type":"object","minKeys":1}', /unknown keyword: "minKeys"/],
    ['a type', 'json', '{"type":"decimal"}', /type must be JSONType|must be equal to one of the allowed values/],
    ['content that only says what it is', 'json', '{"contentMediaType":"application/json"}', /it accepts everything/],
    [
      'a facet of XSD',
      'xsd',
      xsd(
        '<xs:simpleType><xs:restriction base="xs:string"><xs:explicitLength value="3"/></xs:restriction></xs:simpleType>',
      ),
      /restriction': The content is not valid/,
    ],
    [
      'an assertion, which is XSD 1.1',
      'xsd',
      xsd('<xs:complexType><xs:attribute name="a"/><xs:assert test="@a > 1"/></xs:complexType>'),
      /complexType': The content is not valid/,
    ],
    [
      'a facet that its type has not',
      'xsd',
      xsd(
        '<xs:simpleType><xs:restriction base="xs:boolean"><xs:minInclusive value="1"/></xs:restriction></xs:simpleType>',
      ),
      /minInclusive/,
    ],
    [
      'a library of datatypes',
      'rng',
      rng('<data type="ean13" datatypeLibrary="urn:example:nobody"/>'),
      /datatype|library|Library/,
    ],
    [
      'a datatype',
      'rng',
      rng('<data type="ean13" datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes"/>'),
      /ean13/,
    ],
  ]
  const files = Object.fromEntries(
    schemas.flatMap(([what, language, text], n) => {
      const identify =
        language === 'json'
          ? `{ json: { match: { /n: ${n} } } }`
          : `{ xml: { root: "{urn:example:unknown}r", where: "/u:r/@n = '${n}'" } }`
      const type = `# ${what}\nkind: DocumentType\nname: unknown-${n}\nidentify: ${identify}\nnamespaces: { u: "urn:example:unknown" }\nschema: { ${language}: unknown-${n}.${language} }\n`
      return [
        [`types/unknown-${n}.yaml`, type],
        [`schemas/unknown-${n}.${language}`, text],
      ]
    }),
  )

  it.each(schemas.map(([what, , , message], n) => [what, n, message] as const))('%s', async (_, n, message) => {
    const { code, stdout } = await checked
    expect(code).toBe(1)
    const lines = stdout
      .split('\n')
      .filter((line) => line.startsWith(`types/unknown-${n}.yaml:`) || line.includes(`unknown-${n}.`))
    expect(lines.join('\n')).toMatch(message)
    expect(lines.join('\n')).toContain('error')
  })
  const checked = command(['check', scenarioFolder({ 'waybill.yaml': WAYBILL, ...files })])
})

describe('trap 16 (UBL): a root name alone does not pick a schema', () => {
  const TYPE = (version: string, where: string) => `kind: DocumentType
name: bill-${version}
identify: { xml: { root: "{urn:example:bill}bill"${where} } }
namespaces: { b: "urn:example:bill" }
schema: { xsd: bill-${version}.xsd }
`
  const saying = (version: string) => TYPE(version, `, where: "/b:bill/b:version = '${version}'"`)
  /** The later version knows one element more, and wants it. */
  const schema = (more: string) =>
    `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:example:bill" elementFormDefault="qualified"><xs:element name="bill"><xs:complexType><xs:sequence><xs:element name="version" type="xs:string" maxOccurs="2"/>${more}</xs:sequence></xs:complexType></xs:element></xs:schema>`
  const schemas = {
    'schemas/bill-2.1.xsd': schema(''),
    'schemas/bill-2.3.xsd': schema('<xs:element name="process" type="xs:string"/>'),
  }
  const ROUTE =
    'kind: Route\nname: bills\nwhen: { type: [bill-2.1, bill-2.3] }\ndeliver: [{ jid: other.example.test }]\n'
  const bill = (inside: string) => `<bill xmlns='urn:example:bill'>${inside}</bill>`

  const mistakes: readonly (readonly [what: string, types: string])[] = [
    ['two types with one root', `${TYPE('2.1', '')}---\n${TYPE('2.3', '')}`],
    ['two types with one root, of which one says which', `${TYPE('2.1', '')}---\n${saying('2.3')}`],
  ]
  it.each(mistakes)('%s are an error of the configuration', async (_, types) => {
    const folder = scenarioFolder({ 'waybill.yaml': WAYBILL, 'types/bills.yaml': types, ...schemas })
    const { code, stdout } = await command(['check', folder])
    expect(code).toBe(1)
    expect(stdout).toMatch(/types\/bills\.yaml:\d+:\d+ .*Cannot tell bill-2\.\d and bill-2\.\d .*apart/)
  })

  describe('with discriminators', () => {
    let at: Installation
    beforeAll(async () => {
      const types = `${saying('2.1')}---\n${saying('2.3')}`
      const config = scenarioFolder({ 'types/bills.yaml': types, 'routes/bills.yaml': ROUTE, ...schemas })
      at = await install({ kind: 'prosody', config })
    })
    afterAll(() => at?.stop())

    const V21 = '<version>2.1</version>'
    const V23 = '<version>2.3</version>'
    const documents: readonly (readonly [what: string, inside: string, becomes: string])[] = [
      ['one version is checked by its own schema', V21, 'bill-2.1'],
      ['and the other by the other', `${V23}<process>p</process>`, 'bill-2.3'],
      ['what is valid for the other version only is refused', V23, 'invalid'],
      ['and the other way round', `${V21}<process>p</process>`, 'invalid'],
      ['a version that no type takes is unknown, though its root is known', '<version>9</version>', 'unknown-type'],
      ['one that two types take belongs to neither', V21 + V23, 'ambiguous-type'],
    ]
    it.each(documents)('%s', async (_, inside, expected) => {
      const answer = await at.submit(bill(inside))
      const reason = rejectedAs(answer)
      if (reason !== '') return expect(reason).toBe(expected)
      expect((await becomes(at, acceptedId(answer), 'delivered')).type).toBe(expected)
    })
  })
})

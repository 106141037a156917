import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import type { SchemaLayer } from '../../src/domain/document-type.ts'
import type { Finding } from '../../src/domain/rejection.ts'
import { findingElements } from '../../src/xmpp/replies.ts'
import { bundle, elementOf, ORDER, ORDER_XSD } from './given.ts'
import { findingsOf, rulesLayer, schema } from './schematron/given.ts'

const published = JSON.parse(readFileSync(new URL('../../schemas/finding.schema.json', import.meta.url), 'utf8')) as {
  readonly properties: Readonly<Record<string, unknown>>
  readonly examples: readonly unknown[]
}
const validate = new Ajv({ allErrors: true }).compile(published)

const RNG = `<element name="order" ns="urn:order" xmlns="http://relaxng.org/ns/structure/1.0"><empty/></element>`
const JSON_SCHEMA = '{"properties":{"o:order":{"required":["x"],"properties":{"@currency":{"maxLength":2}}}}}'
const RULES = schema(
  '<pattern><rule context="@currency"><assert id="a" flag="fatal" see="urn:x" test=". = \'USD\'">No.</assert></rule></pattern>',
)
const layers: readonly SchemaLayer[] = [
  bundle('xsd', { 'o.xsd': ORDER_XSD.replace('[A-Z]{3}', 'USD') }),
  bundle('rng', { 'o.rng': RNG }),
  bundle('json', { 'o.json': JSON_SCHEMA }),
  rulesLayer(RULES),
]

describe('findings are as their published schema says', () => {
  it.each(layers.map((layer) => [layer.language, layer] as const))('of %s', async (_, layer) => {
    const findings = await findingsOf(layer, ORDER, 'sealed')
    expect(findings.length).toBeGreaterThan(0)
    for (const finding of findings) expect(validate(finding), JSON.stringify(validate.errors)).toBe(true)
  })

  it('and the examples are', () => {
    for (const example of published.examples) expect(validate(example)).toBe(true)
  })

  it('in a stanza too, with the message as text', () => {
    const whole: Required<Finding> = {
      layer: 'schematron',
      rule: 'a',
      severity: 'information',
      path: '/o:order/@currency',
      line: 3,
      column: 4,
      message: 'No & "never".',
      value: 'EUR<',
      test: ". = 'USD'",
      flag: 'info',
      see: 'urn:x?a&b',
    }
    // What the schema knows is all that there is.
    expect(Object.keys(whole).sort()).toEqual(Object.keys(published.properties).sort())
    const element = elementOf(findingElements([whole]))
    const read = Object.fromEntries(element.attributes.map(({ name, value }) => [name, value]))
    const { line, column } = read
    expect({ ...read, line: Number(line), column: Number(column), message: element.children.join('') }).toEqual(whole)
  })
})

import { describe, expect, it } from 'vitest'
import { compileDocuments } from '../../src/documents/documents.ts'
import { compactToXml } from '../../src/documents/rnc/compact-syntax.ts'
import { bundle, limits, sealed, typeOf } from './given.ts'

// Verdicts, construct by construct, stand in test/conformance/relax-ng-cases.mjs, where jing is asked too.

async function compile(files: Readonly<Record<string, string>>) {
  const schema = bundle('rng', files)
  const type = typeOf('order', { identify: { xml: { root: '{urn:order}order' } }, schema })
  const { documents, problems } = await compileDocuments([type], limits)
  return {
    problems: problems.map(({ at = '', message }) => `${at.replace(`${schema.folder}/`, '')} ${message}`),
    findingsOf: (xml: string) => documents.validate(sealed(documents, xml), type).findings,
    dispose: () => documents.dispose(),
  }
}

describe('RELAX NG in compact syntax', () => {
  it('finds what is wrong, in files that include others', async () => {
    const { problems, findingsOf, dispose } = await compile({
      'schemas/order.rnc': `default namespace = "urn:order"
        include "../parts/line.rnc"
        start = element order { attribute currency { xsd:string { pattern = "[A-Z]{3}" } }, line+ }`,
      'parts/line.rnc': 'line = element line { quantity }\nquantity = element quantity { xsd:positiveInteger }',
    })
    expect(problems).toEqual([])
    const order = (quantity: string) =>
      `<order xmlns="urn:order" currency="EUR"><line><quantity>${quantity}</quantity></line></order>`
    expect(findingsOf(order('3'))).toEqual([])
    expect(findingsOf(order('0'))[0]).toMatchObject({ layer: 'rng', line: 1 })
    dispose()
  })

  it.each([
    [
      'a word that is none',
      'start = element order { %',
      'main.rnc:1:25 Cannot read the schema: "%" is no RELAX NG compact syntax',
    ],
    [
      'a pattern that ends too early',
      'start =\n  element order { text',
      'main.rnc:2:23 Cannot read the schema: the file ends where "}" should be',
    ],
    [
      'combinations that are mixed',
      'start = element a { b, c | d }',
      'main.rnc:1:26 Cannot read the schema: "|" stands where',
    ],
    [
      'a prefix that isn’t declared',
      'start = element o:order { empty }',
      "main.rnc:1:17 Cannot read the schema: the prefix o isn't declared",
    ],
    [
      'types that nobody has',
      'datatypes m = "urn:mine"\nstart = element a { m:t }',
      "main.rnc:2:21 Cannot read the schema: the data types urn:mine aren't there",
    ],
    [
      'a keyword where a pattern should be',
      'start = element a { start }',
      'main.rnc:1:21 Cannot read the schema: "start" stands where a pattern should be',
    ],
    [
      'a definition that is missing',
      '\n\nstart = element a { gone }',
      'main.rnc:3:1 Cannot compile the schema: Reference gone has no matching definition',
    ],
    ['a file that is missing', '\ninclude "gone.rnc"', 'main.rnc:2:'],
    ['the network', 'include "http://example.org/a.rnc"', 'never from the network'],
    ['a way out of the bundle', 'include "../../a.rnc"', 'it leads out of the bundle'],
    ['nothing', '# only a comment', 'main.rnc:1:1'],
    ['nesting without end', `start = ${'('.repeat(300)}`, 'it is nested more than 200 deep'],
  ])('says where %s stands', async (_, text, message) => {
    const { problems, dispose } = await compile({ 'main.rnc': text })
    expect(problems[0]).toContain(message)
    dispose()
  })

  it('keeps every line where it was, for what libxml2 has to say', () => {
    const xml = compactToXml('# first\n\nstart =\n  element a {\n    b,\n\n    c\n  }\nb = empty\nc = text')
    const lineOf = (part: string) => xml.slice(0, xml.indexOf(part)).split('\n').length
    expect([lineOf('<element'), lineOf('name="b"'), lineOf('name="c"'), lineOf('<empty')]).toEqual([4, 5, 7, 9])
  })
})

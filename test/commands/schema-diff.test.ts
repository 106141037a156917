import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { CommandFailed, type Output } from '../../src/commands/output.ts'
import { type SchemaDiffOptions, schemaDiff } from '../../src/commands/schema-diff.ts'

const folder = mkdtempSync(join(tmpdir(), 'waybill-diff-'))
afterAll(() => rmSync(folder, { recursive: true }))

function put(name: string, text: string): string {
  mkdirSync(dirname(join(folder, name)), { recursive: true })
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

const schema = (content: string) => `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">${content}</xs:schema>`
const V1 = put(
  'v1/main/order.xsd',
  schema('<xs:include schemaLocation="../common/types.xsd"/><xs:element name="order" type="Order"/>'),
)
put('v1/common/types.xsd', schema('<xs:simpleType name="Order"><xs:restriction base="xs:int"/></xs:simpleType>'))
const V2 = put(
  'v2/main/order.xsd',
  schema('<xs:include schemaLocation="../common/types.xsd"/><xs:element name="order" type="Order"/>'),
)
put('v2/common/types.xsd', schema('<xs:simpleType name="Order"><xs:restriction base="xs:short"/></xs:simpleType>'))

async function run(
  old: string,
  next: string,
  options: Partial<SchemaDiffOptions> = {},
  format: Output['format'] = 'table',
) {
  const printed: string[] = []
  const output: Output = { format, print: (text) => void printed.push(text), complain: () => {} }
  const code = await schemaDiff(old, next, { mode: 'backward', ...options }, output)
  return { code, text: printed.join('\n') }
}

it('files that include from beside their folder are compared, and the witness is shown', async () => {
  expect(await run(V1, V2)).toEqual({
    code: 1,
    text: `backward: does the new version accept what the old one accepts? incompatible
  /order: minInclusive is -32768 (common/types.xsd:1 → common/types.xsd:1)
  refused by the new version: <order>-2147483648</order>
  because: Element 'order': '-2147483648' is not a valid value of the atomic type 'Order'.`,
  })
  expect((await run(V2, V1)).code).toBe(0)
})

it('folders with one first file, as JSON, in both directions', async () => {
  const { code, text } = await run(join(folder, 'v2'), join(folder, 'v1'), { mode: 'full' }, 'json')
  const { allowed, verdicts } = JSON.parse(text)
  expect({ code, allowed }).toEqual({ code: 1, allowed: false })
  expect(verdicts.map((verdict: { direction: string; kind: string }) => [verdict.direction, verdict.kind])).toEqual([
    ['backward', 'compatible'],
    ['forward', 'incompatible'],
  ])
})

it('documents of a folder are tried on the new version', async () => {
  const small = put('samples/small.xml', '<order>1</order>')
  const large = put('samples/large.xml', '<order>100000</order>')
  const { code, text } = await run(V1, V1, { against: dirname(small) })
  expect({ code, told: text.includes('documents: 2 tried, 0 refused') }).toEqual({ code: 0, told: true })
  const refused = await run(V2, V2, { against: dirname(small) })
  expect(refused.code).toBe(1)
  expect(refused.text).toContain(`${large}: Element 'order': '100000' is not a valid value`)
})

it.each([
  ['a schema that is wrong', () => put('wrong.xsd', schema('<xs:element name="a" type="Gone"/>')), 2, 'Gone'],
  ['a file that is not there', () => join(folder, 'gone.xsd'), 3, 'there is no such file or folder'],
  [
    'another language',
    () => put('order.json', '{ "type": "object" }'),
    2,
    'the old one is XML Schema, the new one JSON Schema',
  ],
  [
    'a folder with two first files',
    () => dirname(put('two/b.xsd', schema('')) && put('two/a.xsd', schema(''))),
    2,
    '2 schemas',
  ],
])('%s is refused with the reason', async (_, path, exitCode, reason) => {
  const failed = await run(V1, path()).catch((error: unknown) => error)
  expect(failed).toBeInstanceOf(CommandFailed)
  expect(failed).toMatchObject({ exitCode })
  expect((failed as CommandFailed).message).toContain(reason)
})

it.each([['ordr'], ['{urn:x}order']])('a root that neither version has proves nothing: %s', async (root) => {
  const failed = await run(V1, V1, { root: ['order', root] }).catch((error: unknown) => error)
  expect(failed).toMatchObject({ exitCode: 2 })
  expect((failed as CommandFailed).message).toContain(
    `Cannot compare documents with the root ${root}: neither version declares it`,
  )
})

const element = (content: string) => schema(`<xs:element name="e">${content}</xs:element>`)
const typed = (content: string) => element(`<xs:complexType>${content}</xs:complexType>`)
const integers = (facet: string) =>
  element(`<xs:simpleType><xs:restriction base="xs:int">${facet}</xs:restriction></xs:simpleType>`)

describe('a difference says what the version has that refuses', () => {
  it.each([
    [
      'an attribute',
      typed('<xs:attribute name="a" use="required"/>'),
      typed('<xs:attribute name="a"/>'),
      '/e/@a: the attribute is required',
    ],
    ['an attribute less', typed(''), typed('<xs:attribute name="a"/>'), '/e/@a: the attribute is not allowed'],
    [
      'a fixed value',
      typed('<xs:attribute name="a" fixed="x"/>'),
      typed('<xs:attribute name="a"/>'),
      '/e/@a: the attribute is fixed to “x”',
    ],
    ['a bound', integers('<xs:maxInclusive value="5"/>'), integers(''), '/e: maxInclusive is 5'],
    [
      'an element less',
      typed(''),
      typed('<xs:sequence><xs:element name="x" minOccurs="0"/></xs:sequence>'),
      '/e: x is not allowed',
    ],
    [
      'a root less',
      schema('<xs:element name="f"/>'),
      schema('<xs:element name="f"/><xs:element name="e"/>'),
      '/e: there is no element e',
    ],
  ])('%s, in both directions', async (name, strict, loose, says) => {
    const file = name.replaceAll(' ', '-')
    const [narrow, wide] = [put(`both/${file}-narrow.xsd`, strict), put(`both/${file}-wide.xsd`, loose)]
    const backward = await run(wide, narrow, { mode: 'backward' })
    const forward = await run(narrow, wide, { mode: 'forward' })
    for (const [{ text }, asked] of [
      [backward, 'new'],
      [forward, 'old'],
    ] as const) {
      expect(text).toContain(says)
      expect(text).not.toMatch(/\bnow\b|no longer|any more/)
      expect(text).toContain(`refused by the ${asked} version: <`)
    }
  })

  it('and where each version says it, the old one first', async () => {
    const narrow = put('places/narrow.xsd', typed('<xs:attribute name="a" use="required"/>'))
    const wide = put('places/wide.xsd', typed('<xs:attribute name="a"/>'))
    expect((await run(narrow, wide, { mode: 'forward' })).text).toContain('(narrow.xsd:1 → wide.xsd:1)')
    expect((await run(wide, narrow, { mode: 'backward' })).text).toContain('(wide.xsd:1 → narrow.xsd:1)')
  })
})

it('documents with a dot first are passed over, none are told of, and what is for the archive alone is refused', async () => {
  put('hidden/order.xml', '<order>1</order>')
  put('hidden/.git/config', 'no document')
  put('hidden/.DS_Store', 'nor this')
  const { code, text } = await run(V1, V1, { against: join(folder, 'hidden') })
  expect({ code, text }).toEqual({ code: 0, text: expect.stringContaining('documents: 1 tried, 0 refused') })
  mkdirSync(join(folder, 'empty'), { recursive: true })
  await expect(run(V1, V1, { against: join(folder, 'empty') })).rejects.toThrow(
    'Cannot compare: there are no documents in',
  )
  for (const one of [{ type: 'order' }, { config: '.' }, { last: 5, against: join(folder, 'hidden') }])
    await expect(run(V1, V1, one)).rejects.toThrow(`Cannot compare: --${Object.keys(one)[0]} is for --against archive`)
})

import { describe, expect, it } from 'vitest'
import { type Assembly, assemble } from '../../src/assemble.ts'
import { check } from '../../src/commands/check.ts'
import { withFolder as withFolderOperand } from '../../src/commands/folder-operand.ts'
import type { ExitCode, Output } from '../../src/commands/output.ts'
import { listTypes, showType, typesList } from '../../src/commands/types.ts'
import { type Files, withFolder } from '../config/folder.ts'
import { keptOutput, WAYBILL } from './given.ts'

const xsd = (content: string) => `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">${content}</xs:schema>`
const type = (name: string, rest: string) =>
  `kind: DocumentType\nname: ${name}\nidentify: { xml: { root: ${name} } }\n${rest}\n`
/** Nobody listens on port 1. */
const AWAY = 'redis: { url: "redis://127.0.0.1:1" }\n'
const FILES: Files = {
  'waybill.yaml': WAYBILL,
  'types/order.yaml': [
    type('order', 'version: "1"\ndeprecated: please send 2\nschema: none'),
    type(
      'order',
      'version: "2"\nfamily: sales\nschema: { xsd: order.xsd }\nsample: samples/order.xml\nsenders: ["a@example.org"]\nfields: { total: { xpath: /order, as: number } }',
    ),
    type('note', 'schema: none'),
  ].join('---\n'),
  'schemas/order.xsd': xsd('<xs:element name="order" type="xs:decimal"/>'),
  'samples/order.xml': '<order>1</order>',
}

/** What is registered besides is order@1. */
const VERSIONS = [{ name: 'order', version: '1', digest: 'abc'.repeat(20), sequence: 7, atMs: 0, by: 'ops' }]

async function run(act: (assembly: Assembly, output: Output) => ExitCode, format: Output['format'] = 'table') {
  return withFolder(FILES, async (folder) => {
    const { assembly, problems } = await assemble(folder, {})
    expect(problems).toEqual([])
    assembly!.documents.dispose()
    const kept = keptOutput(format)
    const code = act(assembly!, kept.output)
    return { code, text: kept.text(), complained: kept.complained }
  })
}

describe('waybill types', () => {
  it('lists all versions with what they are, and where they come from', async () => {
    const { code, text } = await run((assembly, output) => listTypes(assembly, VERSIONS, output))
    expect(code).toBe(0)
    const [head, ...rows] = text.split('\n').map((line) => line.split(/ {2,}/))
    expect(head).toEqual('TYPE SCHEMA FAMILIES SENDERS FIELDS SAMPLE DIGEST FROM DEPRECATED'.split(' '))
    expect(rows).toEqual([
      ['order@1', 'none', '-', '(all)', '-', '-', 'abcabcabcabc', 'registered', 'please send 2'],
      expect.arrayContaining(['order@2', 'xsd', 'sales', 'a@example.org', 'total', 'order.xml']),
      ['note', 'none', '-', '(all)', '-', '-', '-', expect.stringMatching(/^types\/order\.yaml:/), '-'],
    ])
  })

  it('tells what stands in the folder while Redis is away, and says so', async () => {
    await withFolder({ ...FILES, 'waybill.yaml': WAYBILL + AWAY }, async (folder) => {
      const kept = keptOutput('json')
      expect(await typesList(folder, kept.output)).toBe(0)
      expect(kept.json()).toHaveLength(3)
      expect(kept.complained).toEqual([
        expect.stringContaining("What is registered can't be told, this is the folder alone: "),
      ])
    })
  })

  it.each([
    ['the newest that is not deprecated', 'order', 'order@2'],
    ['the one that is named', 'order@1', 'order@1'],
    ['one without versions', 'note', 'note'],
  ])('shows %s', async (_, subject, shown) => {
    const { code, text } = await run((assembly, output) => showType(subject, assembly, [], output))
    expect([code, text.split('\n')[0]]).toEqual([0, shown])
  })

  it('shows layers, files, fields, senders and sample, for people and for programs', async () => {
    const show = (assembly: Assembly, output: Output) => showType('order@2', assembly, VERSIONS, output)
    const { text } = await run(show)
    expect(text).toMatch(/^from {8}types\/order\.yaml:\d+$/m)
    expect(text).toContain('layer       xsd order.xsd (reject)')
    expect(text).toMatch(/^file {8}order\.xsd \(\d+ bytes\)$/m)
    expect(text).toContain('field       total: xpath /order as number')
    expect(text).toContain('senders     a@example.org')
    expect(text).toContain('sample      order.xml (16 bytes)')
    const { text: json } = await run(show, 'json')
    expect(JSON.parse(json)).toMatchObject({
      ...{ name: 'order', version: '2', deprecated: null, families: ['sales'], senders: ['a@example.org'] },
      layers: [{ language: 'xsd', file: 'order.xsd', onInvalid: 'reject' }],
      files: { 'order.xsd': expect.any(Number) },
      sample: { name: 'order.xml', bytes: 16 },
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      from: { file: expect.stringContaining('types/order.yaml:') },
    })
  })

  it('knows nothing of a type that is not there, and guesses which was meant', async () => {
    const { code, complained } = await run((assembly, output) => showType('order@3', assembly, [], output))
    expect(code).toBe(1)
    expect(complained.at(-1)).toMatch(/^Cannot find the document type order@3.*order@[12]/)
  })

  it.each([
    [
      ['types', 'show', 'order'],
      ['types', 'show', '.', 'order'],
    ],
    [
      ['types', 'show', 'conf', 'order', '-o', 'json'],
      ['types', 'show', 'conf', 'order', '-o', 'json'],
    ],
    [
      ['types', 'show', '--help'],
      ['types', 'show', '--help'],
    ],
    [
      ['types', 'ls'],
      ['types', 'ls'],
    ],
    [
      ['constructor', 'show', 'x'],
      ['constructor', 'show', 'x'],
    ],
  ])('takes %j as %j', (words, meant) => {
    expect(withFolderOperand(words)).toEqual(meant)
  })
})

describe('a sample', () => {
  const found = async (changes: Files) => {
    const files = { ...FILES, ...changes }
    return withFolder(files, async (folder) => {
      const kept = keptOutput()
      return { code: await check(folder, false, kept.output), text: kept.text() }
    })
  }
  const reading = (sample: string): Files => ({
    'types/reading.yaml':
      'kind: DocumentType\nname: reading\nidentify: { json: { match: { /kind: reading } } }\nschema: { json: reading.json }\nsample: r.json\n',
    'schemas/reading.json': '{ "properties": { "values": { "items": { "type": "number" } } } }',
    'types/r.json': sample,
  })
  const named = (sample: string): Files => ({ 'types/order.yaml': type('order', `schema: none\nsample: ${sample}`) })

  it.each<readonly [string, Files, string]>([
    [
      'breaks its schema',
      { 'samples/order.xml': '<order>\nx</order>' },
      'samples/order.xml:1:1  error  type order@2: the sample is not valid:',
    ],
    [
      'breaks it in JSON',
      reading('{ "kind": "reading",\n  "values": [1,\n    "x"] }'),
      'types/r.json:3:5  error  type reading: the sample is not valid:',
    ],
    [
      'is not well-formed',
      { 'samples/order.xml': '<order>\n<a></order>' },
      "samples/order.xml:2:11  error  type order@2: the sample can't be read:",
    ],
    [
      'is of another type',
      { 'samples/order.xml': '<note/>' },
      'types/order.yaml:14:9  error  type order@2: the sample samples/order.xml is no document of the type:',
    ],
    [
      'is not there',
      named('gone.xml'),
      'types/order.yaml:5:9  error  Cannot find the sample gone.xml: it is none of types/gone.xml, gone.xml (file-missing)',
    ],
    [
      'leads out of the folder',
      named('../../etc/hosts'),
      'Cannot read the sample ../../etc/hosts: it lies outside of the configuration folder (file-outside)',
    ],
  ])('that %s is an error, with its place', async (_, files, words) => {
    const { code, text } = await found(files)
    expect(text).toContain(words)
    expect(code).toBe(1)
  })

  it.each<readonly [string, Files]>([
    ['a valid one', {}],
    ['one of JSON', reading('{ "kind": "reading", "values": [1] }')],
    [
      'one that only a layer with onInvalid: warn finds fault with',
      {
        'types/order.yaml': type(
          'order',
          'schema: { xsd: { file: order.xsd, onInvalid: warn } }\nsample: samples/order.xml',
        ),
        'samples/order.xml': '<order>x</order>',
      },
    ],
  ])('is fine: %s', async (_, files) => {
    expect(await found(files)).toMatchObject({ code: 0, text: expect.stringContaining('fine: ') })
  })
})

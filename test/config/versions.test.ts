import { describe, expect, it } from 'vitest'
import type { Conditions } from '../../src/domain/route.ts'
import { compileRoutes } from '../../src/matching/matcher.ts'
import { subjectOf, xpathEngine } from '../matching/samples.ts'
import { load, loadSound, WAYBILL } from './folder.ts'

const typeText = (name: string, more: string, root = name) =>
  `kind: DocumentType\nname: ${name}\nidentify: { xml: { root: "{urn:x}${root}" } }\nschema: none\n${more}\n`
const TYPES = [
  typeText('invoice', 'version: "2.0"\ndeprecated: Please send 2.1'),
  typeText('invoice', 'version: "2.1"'),
  typeText('invoice', 'version: "2.10"\nsenders: [{ group: testers }, "b@example.org"]'),
  typeText('invoice-de', 'family: invoice', 'rechnung'),
  typeText('invoice-de-xr', 'family: [invoice-de]', 'xrechnung'),
  typeText('order', 'family: [sales, paper]'),
  'kind: SenderGroup\nname: testers\nsenders: ["*@test.example", a@example.org]\n',
].join('---\n')
const files = (when: string) => ({
  'waybill.yaml': WAYBILL,
  'types/all.yaml': TYPES,
  'routes/r.yaml': `kind: Route\nname: r\nowner: o\nwhen: ${when}\ndeliver: [{ jid: a@example.org }]\n`,
})

async function whenOf(text: string): Promise<Conditions> {
  const { routes } = await loadSound(files(text))
  const { namespaces: _, ...when } = routes[0]!.when
  return when as Conditions
}

describe('a route asks for', () => {
  it.each<[string, string, Partial<Conditions>]>([
    ['a type', '{ type: order }', { type: ['order'] }],
    [
      'a type, and what is within it as a family',
      '{ type: invoice }',
      { type: ['invoice', 'invoice-de', 'invoice-de-xr'] },
    ],
    ['a family within a family', '{ type: invoice-de }', { type: ['invoice-de', 'invoice-de-xr'] }],
    ['a family that is no type', '{ type: [paper, invoice-de-xr] }', { type: ['order', 'invoice-de-xr'] }],
    ['a version', '{ type: invoice, version: "2.0" }', { version: ['invoice@2.0'] }],
    ['a range', '{ type: invoice, version: ">2.0" }', { version: ['invoice@2.1', 'invoice@2.10'] }],
    [
      'one of several',
      '{ type: invoice, version: ["2.0", newest] }',
      { version: ['invoice@2.0', 'invoice@2.10', 'invoice-de', 'invoice-de-xr'] },
    ],
    [
      'the newest of all types',
      '{ version: newest }',
      { version: ['invoice@2.10', 'invoice-de', 'invoice-de-xr', 'order'] },
    ],
    ['another version, in a group', '{ type: order, not: { type: invoice, version: "2.0" } }', {}],
  ])('%s', async (_, text, expected) => {
    expect(await whenOf(text)).toMatchObject(expected)
  })

  it('a version that is not there, which is worth a warning and matches nothing', async () => {
    const { configuration, problems } = await load(files('{ type: invoice, version: "3" }'))
    expect(problems).toMatchObject([
      {
        code: 'version-unknown',
        severity: 'warning',
        message: expect.stringContaining('there are invoice@2.0, invoice@2.1'),
      },
    ])
    const { matcher } = compileRoutes(configuration!.routes, xpathEngine)
    expect(matcher.match(subjectOf({ type: 'invoice', typeKey: 'invoice@2.1' })).deliveries).toEqual([])
    expect(matcher.explain(subjectOf({ type: 'invoice', typeKey: 'invoice@2.1' })).decision.deliveries).toEqual([])
  })

  it('a version, and gets documents of that one alone', async () => {
    const { routes } = await loadSound(files('{ type: invoice, version: [">=2.1 <2.10", "2.0"] }'))
    const { matcher } = compileRoutes(routes, xpathEngine)
    const keys = ['invoice@2.0', 'invoice@2.1', 'invoice@2.10', 'invoice-de']
    const matched = keys.filter((typeKey) => {
      return matcher.match(subjectOf({ type: typeKey.split('@')[0]!, typeKey })).deliveries.length > 0
    })
    expect(matched).toEqual(['invoice@2.0', 'invoice@2.1'])
    const { routes: explained } = matcher.explain(subjectOf({ type: 'invoice', typeKey: 'invoice@2.10' }))
    expect(explained[0]).toMatchObject({
      failed: { message: 'version: expected invoice@2.1 or invoice@2.0, found invoice@2.10' },
    })
  })
})

it('senders of a type are patterns and groups of them', async () => {
  const { types } = await loadSound(files('{}'))
  expect(types.find(({ version }) => version === '2.10')?.senders).toEqual([
    '*@test.example',
    'a@example.org',
    'b@example.org',
  ])
})

import { describe, expect, it } from 'vitest'
import { type Difference, difference, isEmpty, needRestart } from '../../src/config/difference.ts'
import { type Files, loadSound, ORDER, WAYBILL } from './folder.ts'

const ROUTE = `kind: Route
name: r
when: { type: order, fields: { currency: EUR } }
deliver: [{ jid: a@example.org }]
`
const BEFORE: Files = { 'waybill.yaml': WAYBILL, 'types/t.yaml': ORDER, 'routes/r.yaml': ROUTE }

async function compare(changed: Files, before = BEFORE): Promise<Difference> {
  const [one, other] = [await loadSound(before), await loadSound({ ...before, ...changed })]
  return difference(one, other)
}

const NOTHING = { added: [], removed: [], changed: [] }
const XSD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>'

describe('the difference of two configurations', () => {
  it.each<readonly [string, Files, Partial<Record<keyof Difference, unknown>>]>([
    ['nothing', {}, {}],
    ['a comment, and where things stand', { 'routes/r.yaml': `# why\n\n${ROUTE}` }, {}],
    ['a test', { 'routes/r.yaml': `${ROUTE}tests: [{ document: routes/r.yaml, from: a@b, delivers: [] }]` }, {}],
    ['a condition', { 'routes/r.yaml': ROUTE.replace('EUR', 'USD') }, { routes: { ...NOTHING, changed: ['r'] } }],
    ['a new route', { 'routes/s.yaml': ROUTE.replace('name: r', 'name: s') }, { routes: { ...NOTHING, added: ['s'] } }],
    [
      'another name',
      { 'routes/r.yaml': ROUTE.replace('name: r', 'name: s') },
      { routes: { added: ['s'], removed: ['r'], changed: [] } },
    ],
    [
      'a field',
      { 'types/t.yaml': `${ORDER}  other: { xpath: /o:order }` },
      { types: { ...NOTHING, changed: ['order'] } },
    ],
    ['a policy', { 'routes/p.yaml': 'kind: Policy\nname: p' }, { policies: { ...NOTHING, added: ['p'] } }],
    ['who may send', { 'waybill.yaml': WAYBILL.replace('*@example.org', '*@other.org') }, { settings: ['senders'] }],
    ['a secret', { 'waybill.yaml': WAYBILL.replace('s3cr3t-0', 's3cr3t-1') }, { settings: ['xmpp.secret'] }],
  ])('is %s', async (_, changed, expected) => {
    const found = await compare(changed)
    expect(found).toEqual({ types: NOTHING, routes: NOTHING, policies: NOTHING, settings: [], ...expected })
    expect(isEmpty(found)).toBe(Object.keys(expected).length === 0)
  })

  it('is what stands in the files of a schema', async () => {
    const before = {
      ...BEFORE,
      'types/t.yaml': ORDER.replace('schema: none', 'schema: { xsd: trade/order.xsd }'),
      'schemas/trade/order.xsd': XSD,
      'schemas/trade/common.xsd': XSD,
    }
    const found = await compare({ 'schemas/trade/common.xsd': `${XSD}<!-- more -->` }, before)
    expect(found.types).toEqual({ ...NOTHING, changed: ['order'] })
    expect(isEmpty(await compare({ 'schemas/other/x.xsd': XSD }, before))).toBe(true)
  })

  it('says which settings need a restart', async () => {
    const waybill = `${WAYBILL.replace('waybill.example.org', 'other.example.org')}admins: [ops@example.org]\nlimits: { depth: 10, waiting: 5 }\n`
    const found = await compare({ 'waybill.yaml': waybill })
    expect(found.settings).toEqual(['xmpp.domain', 'admins', 'limits.depth', 'limits.waiting'])
    expect(needRestart(found)).toEqual(['xmpp.domain', 'limits.waiting'])
  })
})

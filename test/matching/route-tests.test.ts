import { describe, expect, it } from 'vitest'
import type { RouteTest } from '../../src/domain/route.ts'
import { compileRoutes } from '../../src/matching/matcher.ts'
import { judgeRouteTest } from '../../src/matching/route-tests.ts'
import { is, routeOf, subjectOf, toJid, toNode, xpathEngine } from './samples.ts'

const routes = [
  routeOf('large', {
    when: { from: ['*@suppliers.example'], fields: { currency: is('EUR') }, xpath: 'Invoice' },
    deliver: [toNode('invoices/{currency}', { allow: 'invoices/[A-Z]{3}' }), toJid('erp@b.example')],
  }),
  routeOf('first', {
    priority: 1,
    when: { headers: { Urgency: is('high') } },
    deliver: [toJid('erp@b.example')],
    stop: true,
  }),
  routeOf('fan', {
    when: { fields: { site: [{ kind: 'exists', expected: true }] } },
    deliver: [toNode('s/{site}', { allow: 's/[a-z]' })],
  }),
  routeOf('rest', { otherwise: true }),
]
const { matcher } = compileRoutes(routes, xpathEngine)

const NODE = 'xmpp:p.example?;node=invoices/EUR'
const eur = { fields: { currency: ['EUR'] } }

type Given = Parameters<typeof subjectOf>[0]
const judge = (route: string, given: Given, delivers: readonly string[], because?: string) => {
  const test: RouteTest = { document: '/d.xml', from: 'a@suppliers.example', delivers, because, source: 'r.yaml:1:1' }
  return judgeRouteTest({ name: route }, test, matcher.explain(subjectOf(given)))
}

describe('the judgement on a route test', () => {
  it.each([
    ['all destinations, in any order', 'large', eur, ['erp@b.example', NODE], undefined],
    ['a JID written in capitals', 'large', eur, ['ERP@B.example', NODE], undefined],
    ['a destination named twice', 'large', eur, ['erp@b.example', NODE, NODE], undefined],
    ['nothing, because of a field', 'large', { fields: { currency: ['USD'] } }, [], 'currency'],
    ['nothing, because of a field written in full', 'large', { fields: { currency: ['USD'] } }, [], 'fields.currency'],
    ['nothing, because the field is absent', 'large', {}, [], 'currency'],
    ['nothing, because of the sender', 'large', { ...eur, origin: { from: 'a@x.example' } }, [], 'from'],
    ['nothing, because of the XPath', 'large', { ...eur, content: { kind: 'opaque' } }, [], 'xpath'],
    ['nothing, because of a header', 'first', {}, [], 'Urgency'],
    ['nothing, and it does not matter why', 'large', {}, [], undefined],
    ['nothing, because another one stops', 'large', { ...eur, origin: { headers: { Urgency: 'high' } } }, [], 'stop'],
    ['nothing, because another one matched', 'rest', eur, [], 'otherwise'],
    ['nothing, because the address is not allowed', 'fan', { fields: { site: ['A'] } }, [], 'allow'],
    [
      'some, because the other address is not allowed',
      'fan',
      { fields: { site: ['A', 'b'] } },
      ['xmpp:P.example?;node=s/b'],
      'allow',
    ],
  ] as const)('passes: %s', (_, route, given, delivers, because) => {
    expect(judge(route, given as Given, delivers, because)).toMatchObject({ passed: true })
  })

  it.each([
    [
      'a destination is missing',
      'large',
      { fields: { currency: ['USD'] } },
      [NODE],
      undefined,
      `expected ${NODE}, which is missing (fields.currency: expected EUR, found USD)`,
    ],
    ['a destination is too many', 'large', eur, [NODE], undefined, 'did not expect erp@b.example (matches)'],
    [
      'both',
      'large',
      eur,
      [NODE, 'x@b.example'],
      undefined,
      'expected x@b.example, which is missing; did not expect erp@b.example (matches)',
    ],
    [
      'another condition failed first',
      'large',
      { origin: { from: 'a@x.example' } },
      [],
      'currency',
      'expected because currency, but it was from (from: expected *@suppliers.example, found a@x.example)',
    ],
    [
      'nothing failed',
      'large',
      eur,
      ['erp@b.example', NODE],
      'currency',
      'expected because currency, but nothing stood in the way (matches)',
    ],
    [
      'a field is taken for a part of its name',
      'large',
      {},
      [],
      'curr',
      'expected because curr, but it was fields.currency (fields.currency: absent)',
    ],
    [
      'an address is refused',
      'fan',
      { fields: { site: ['A'] } },
      ['xmpp:p.example?;node=s/A'],
      undefined,
      'expected xmpp:p.example?;node=s/A, which is missing (matches; s/A is not allowed)',
    ],
    [
      'another node by its capitals',
      'large',
      eur,
      ['erp@b.example', 'xmpp:p.example?;node=invoices/eur'],
      undefined,
      `expected xmpp:p.example?;node=invoices/eur, which is missing; did not expect ${NODE} (matches)`,
    ],
    [
      'it was not asked',
      'large',
      { ...eur, origin: { headers: { Urgency: 'high' } } },
      [NODE],
      undefined,
      `expected ${NODE}, which is missing (not asked: route first matched and stops)`,
    ],
    ['there is no such route', 'nobody', eur, [], undefined, 'Cannot judge the test: there is no route nobody'],
  ] as const)('fails where %s', (_, route, given, delivers, because, message) => {
    expect(judge(route, given as Given, delivers, because)).toEqual({ passed: false, message })
  })

  it('counts a destination that an earlier route owns: the document gets there', () => {
    const shared = [
      routeOf('a', { deliver: [toJid('x@e.example')] }),
      routeOf('b', { deliver: [toJid('x@e.example')] }),
    ]
    const explanation = compileRoutes(shared, xpathEngine).matcher.explain(subjectOf())
    const test = { document: '/d', from: 'a@b', delivers: ['x@e.example'], because: undefined, source: '' }
    expect(judgeRouteTest(shared[1]!, test, explanation)).toEqual({ passed: true, message: 'matches' })
  })
})

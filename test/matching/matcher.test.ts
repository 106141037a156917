import { describe, expect, it } from 'vitest'
import { destinationName } from '../../src/domain/delivery.ts'
import type { Route } from '../../src/domain/route.ts'
import { compileRoutes } from '../../src/matching/matcher.ts'
import { processorMs } from '../processor.ts'
import { is, routeOf, subjectOf, toJid, toNode, xpathEngine } from './samples.ts'

const decide = (routes: readonly Route[], subject = subjectOf()) =>
  compileRoutes(routes, xpathEngine).matcher.match(subject)
const never = { fields: { x: is('never') } }

describe('the order in which routes are asked', () => {
  it.each([
    ['larger priority first', [routeOf('a', { priority: 1 }), routeOf('b', { priority: 2 })], ['b', 'a']],
    ['negative ones last', [routeOf('a', { priority: -1 }), routeOf('b')], ['b', 'a']],
    ['equal ones by name', [routeOf('b'), routeOf('a'), routeOf('a.b'), routeOf('a-b')], ['a', 'a-b', 'a.b', 'b']],
    ['names by code point, not by UTF-16 unit', [routeOf('\u{1f600}'), routeOf('\uff5e')], ['\uff5e', '\u{1f600}']],
    ['capitals before small letters', [routeOf('a'), routeOf('B')], ['B', 'a']],
    ['whatever fails is left out', [routeOf('a', { when: never }), routeOf('b')], ['b']],
  ] as const)('%s', (_, routes, expected) => {
    expect(decide(routes).routes).toEqual(expected)
    expect(decide([...routes].reverse()).routes).toEqual(expected)
  })

  it.each([
    ['stop ends asking', [routeOf('a', { stop: true }), routeOf('b')], ['a']],
    ['a stop that fails ends nothing', [routeOf('a', { stop: true, when: never }), routeOf('b')], ['b']],
    [
      'a stop of low priority ends what is lower still',
      [routeOf('a', { priority: 2 }), routeOf('b', { priority: 1, stop: true }), routeOf('c')],
      ['a', 'b'],
    ],
    [
      'otherwise is asked where nothing matched',
      [routeOf('a', { when: never }), routeOf('b', { otherwise: true })],
      ['b'],
    ],
    [
      'otherwise is not asked where something matched',
      [routeOf('a'), routeOf('b', { otherwise: true, priority: 9 })],
      ['a'],
    ],
    ['otherwise is not asked after a stop', [routeOf('a', { stop: true }), routeOf('b', { otherwise: true })], ['a']],
    ['otherwise has conditions of its own', [routeOf('b', { otherwise: true, when: never })], []],
    [
      'several otherwise routes all match',
      [routeOf('c', { otherwise: true }), routeOf('b', { otherwise: true, priority: 1 })],
      ['b', 'c'],
    ],
    [
      'a stop among otherwise routes ends them',
      [routeOf('b', { otherwise: true, stop: true }), routeOf('c', { otherwise: true })],
      ['b'],
    ],
    [
      'otherwise and stop fail together',
      [routeOf('b', { otherwise: true, stop: true, when: never }), routeOf('c', { otherwise: true })],
      ['c'],
    ],
    [
      'a route whose addresses are all refused has matched',
      [routeOf('a', { deliver: [toNode('{f}', { allow: 'x' })] }), routeOf('b', { otherwise: true })],
      ['a'],
    ],
  ] as const)('%s', (_, routes, expected) => {
    expect(decide(routes).routes).toEqual(expected)
  })

  it('keeps it among routes with and without a type', () => {
    const routes = [
      routeOf('a', { when: { type: ['invoice'] } }),
      routeOf('b'),
      routeOf('c', { when: { type: ['order', 'invoice'] }, priority: 1 }),
      routeOf('d', { when: { type: ['order'] } }),
    ]
    expect(decide(routes).routes).toEqual(['c', 'a', 'b'])
    expect(decide(routes, subjectOf({ type: 'order' })).routes).toEqual(['c', 'b', 'd'])
    expect(decide(routes, subjectOf({ type: 'opaque', content: { kind: 'opaque' } })).routes).toEqual(['b'])
  })
})

describe('the owner of a delivery', () => {
  const slow = { retry: 'slow' }
  it.each([
    [
      'is the first matching route',
      [routeOf('a', { deliver: [toJid('x@e.example')] }), routeOf('b', { deliver: [toJid('x@e.example', slow)] })],
      [['x@e.example', 'a', 'default']],
    ],
    [
      'is the one of larger priority',
      [
        routeOf('a', { deliver: [toJid('x@e.example')] }),
        routeOf('b', { priority: 1, deliver: [toJid('x@e.example', slow)] }),
      ],
      [['x@e.example', 'b', 'slow']],
    ],
    [
      'is not a route that fails',
      [
        routeOf('a', { when: never, deliver: [toJid('x@e.example')] }),
        routeOf('b', { deliver: [toJid('x@e.example', slow)] }),
      ],
      [['x@e.example', 'b', 'slow']],
    ],
    [
      'is the first entry of one route',
      [routeOf('a', { deliver: [toJid('x@e.example'), toJid('X@E.example', slow)] })],
      [['x@e.example', 'a', 'default']],
    ],
    [
      'is told apart by node',
      [routeOf('a', { deliver: [toNode('n'), toNode('N')] })],
      [
        ['xmpp:p.example?;node=n', 'a', 'default'],
        ['xmpp:p.example?;node=N', 'a', 'default'],
      ],
    ],
    [
      'is told apart by resource',
      [routeOf('a', { deliver: [toJid('x@e.example'), toJid('x@e.example/r')] })],
      [
        ['x@e.example', 'a', 'default'],
        ['x@e.example/r', 'a', 'default'],
      ],
    ],
    [
      'holds for filled templates too',
      [
        routeOf('a', { deliver: [toNode('{type}', { allow: '.*' })] }),
        routeOf('b', { deliver: [toNode('invoice', slow), toNode('other')] }),
      ],
      [
        ['xmpp:p.example?;node=invoice', 'a', 'default'],
        ['xmpp:p.example?;node=other', 'b', 'default'],
      ],
    ],
  ] as const)('%s', (_, routes, expected) => {
    const owned = decide(routes).deliveries.map(({ destination, route, options }) => [
      destinationName(destination),
      route,
      options.retry,
    ])
    expect(owned).toEqual(expected)
  })
})

describe('problems of routes', () => {
  const problemsOf = (routes: readonly Route[]) =>
    compileRoutes(routes, xpathEngine).problems.map(({ route, code, path, severity }) => [
      route,
      code,
      path.join('.'),
      severity,
    ])
  const x = (some: Partial<ReturnType<typeof toJid>> = {}) => [toJid('x@e.example', some)]
  const differs = (route: string, at = 0) => [[route, 'options-differ', `deliver.${at}`, 'warning']]

  it.each([
    [
      'an XPath that does not compile',
      [routeOf('r', { when: { xpath: 'u:x' } })],
      [['r', 'xpath-invalid', 'when.xpath', 'error']],
    ],
    ['an XPath with a declared prefix', [routeOf('r', { when: { xpath: 'u:x', namespaces: { u: 'urn:u' } } })], []],
    [
      'a sender pattern that is no JID',
      [routeOf('r', { when: { from: ['*@a.example', '@'] } })],
      [['r', 'pattern-invalid', 'when.from.1', 'error']],
    ],
    [
      'an addressee pattern that is no JID',
      [routeOf('r', { when: { to: ['a b@c'] } })],
      [['r', 'pattern-invalid', 'when.to.0', 'error']],
    ],
    [
      'the same destination with the same options',
      [routeOf('a', { deliver: x() }), routeOf('b', { deliver: x() })],
      [],
    ],
    [
      'the same destination with another policy',
      [routeOf('a', { deliver: x() }), routeOf('b', { deliver: x({ retry: 'p' }) })],
      differs('b'),
    ],
    [
      'the same destination with another proof',
      [routeOf('a', { deliver: x({ confirm: 'iq' }) }), routeOf('b', { deliver: x() })],
      differs('b'),
    ],
    [
      'the same destination with another order',
      [routeOf('a', { deliver: x() }), routeOf('b', { deliver: x(), order: { by: 'sender' } })],
      differs('b'),
    ],
    [
      'the same destination with another time to live',
      [routeOf('a', { deliver: x(), expiresMs: 1 }), routeOf('b', { deliver: x() })],
      differs('b'),
    ],
    [
      'the same node configuration in another order',
      [
        routeOf('a', { deliver: [toNode('n', { create: { a: 1, b: 2 } })] }),
        routeOf('b', { deliver: [toNode('n', { create: { b: 2, a: 1 } })] }),
      ],
      [],
    ],
    [
      'the owner is named by priority',
      [routeOf('a', { deliver: x() }), routeOf('b', { priority: 1, deliver: x({ retry: 'p' }) })],
      differs('a'),
    ],
    [
      'the same destination in routes of different types',
      [
        routeOf('a', { when: { type: ['s'] }, deliver: x() }),
        routeOf('b', { when: { type: ['t'] }, deliver: x({ retry: 'p' }) }),
      ],
      [],
    ],
    [
      'the same destination in routes that share a type',
      [
        routeOf('a', { when: { type: ['s', 't'] }, deliver: x() }),
        routeOf('b', { when: { type: ['t'] }, deliver: x({ retry: 'p' }) }),
      ],
      differs('b'),
    ],
    [
      'the same destination in a route that is asked otherwise only',
      [routeOf('a', { deliver: x() }), routeOf('b', { otherwise: true, deliver: x({ retry: 'p' }) })],
      [],
    ],
    [
      'a template that reaches the other one',
      [
        routeOf('a', { deliver: [toNode('n/{type}', { allow: 'n/[a-z]+' })] }),
        routeOf('b', { deliver: [toNode('n/x', { retry: 'p' })] }),
      ],
      differs('b'),
    ],
    [
      'a later template that reaches the other one',
      [
        routeOf('a', { deliver: [toNode('n/x', { retry: 'p' })] }),
        routeOf('b', { deliver: [toNode('n/{type}', { allow: 'n/[a-z]+' })] }),
      ],
      differs('b'),
    ],
    [
      'a template that may not reach it',
      [
        routeOf('a', { deliver: [toNode('n/{type}', { allow: 'n/[A-Z]+' })] }),
        routeOf('b', { deliver: [toNode('n/x', { retry: 'p' })] }),
      ],
      [],
    ],
    [
      'the same template',
      [
        routeOf('a', { deliver: [toNode('{type}', { allow: '.+' })] }),
        routeOf('b', { deliver: [toNode('{type}', { allow: '.+', as: 'sealed' })] }),
      ],
      differs('b'),
    ],
    [
      'the same node of another service',
      [routeOf('a', { deliver: [toNode('n')] }), routeOf('b', { deliver: [toNode('n', { retry: 'p' }, 'q.example')] })],
      [],
    ],
  ] as const)('%s', (_, routes, expected) => {
    expect(problemsOf(routes)).toEqual(expected)
  })

  it('never lets a route match whose conditions have an error', () => {
    const routes = [
      routeOf('a', { when: { from: ['@', '*@suppliers.example'] } }),
      routeOf('b', { when: { xpath: 'u:x' } }),
      routeOf('c'),
    ]
    const { matcher } = compileRoutes(routes, xpathEngine)
    expect(matcher.match(subjectOf()).routes).toEqual(['c'])
    expect(matcher.explain(subjectOf()).routes.map(({ outcome }) => outcome)).toEqual(['fails', 'fails', 'matches'])
  })

  it('names the owner and what differs', () => {
    const routes = [
      routeOf('a', { deliver: x(), expiresMs: 5 }),
      routeOf('b', { deliver: x({ retry: 'p', confirmTimeoutMs: 1 }) }),
    ]
    expect(compileRoutes(routes, xpathEngine).problems[0]?.message).toBe(
      'x@e.example is reached by route a too, which comes first: where both match, its confirmTimeout, retry, expires counts',
    )
  })
})

describe('an explanation', () => {
  const explain = (routes: readonly Route[], subject = subjectOf()) =>
    compileRoutes(routes, xpathEngine).matcher.explain(subject)

  it.each([
    ['another type', { type: ['order'] }, 'type: expected order, found invoice'],
    [
      'another sender',
      { from: ['*@x.example', 'y@z.example'] },
      'from: expected *@x.example or y@z.example, found a@suppliers.example/desk',
    ],
    [
      'another addressee',
      { to: ['x@waybill.example.org'] },
      'to: expected x@waybill.example.org, found waybill.example.org',
    ],
    ['no node', { node: is('n') }, 'node: absent'],
    ['another way', { stanza: ['publish'] }, 'stanza: expected publish, found iq'],
    [
      'another media type',
      { mediaType: [{ kind: 'suffix', text: '+json' }] },
      'mediaType: expected suffix +json, found application/xml',
    ],
    ['a header that is absent', { headers: { Urgency: is('high') } }, 'headers.Urgency: absent'],
    ['another value', { fields: { currency: is('EUR') } }, 'fields.currency: expected EUR, found USD, GBP'],
    ['an absent field', { fields: { nothing: is('EUR') } }, 'fields.nothing: absent'],
    [
      'a value that should not be there',
      { fields: { currency: [{ kind: 'exists', expected: false }] } },
      'fields.currency: expected no value, found USD, GBP',
    ],
    [
      'a number out of bounds',
      {
        fields: {
          total: [
            {
              kind: 'compare',
              bounds: [
                { operator: '>=', bound: 1000 },
                { operator: '<', bound: 2000 },
              ],
            },
          ],
        },
      },
      'fields.total: expected >= 1000 and < 2000, found 12.5',
    ],
    [
      'a forbidden value',
      { fields: { currency: [{ kind: 'not', conditions: is('USD', 'CHF') }] } },
      'fields.currency: expected not (USD or CHF), found USD, GBP',
    ],
    ['an XPath that is false', { xpath: 'Order' }, 'xpath: expected Order, found false'],
    [
      'an XPath that the engine gives up on',
      { xpath: "id('throw')" },
      "xpath: expected id('throw'), found it could not be evaluated: too many nodes",
    ],
    [
      'the first of several',
      { type: ['invoice'], stanza: ['iq'], fields: { total: is(12.5), currency: is('EUR') }, xpath: 'Order' },
      'fields.currency: expected EUR, found USD, GBP',
    ],
  ] as const)('names %s', (_, when, message) => {
    const subject = subjectOf({ fields: { currency: ['USD', 'GBP'], total: [12.5] } })
    const [route] = explain([routeOf('r', { when })], subject).routes
    expect(route).toMatchObject({ outcome: 'fails', failed: { message }, destinations: [] })
  })

  it('says what is found where the content is not XML', () => {
    const [route] = explain([routeOf('r', { when: { xpath: 'x' } })], subjectOf({ content: { kind: 'opaque' } })).routes
    expect(route?.failed?.message).toBe('xpath: expected x, found content that is not XML')
  })

  it('tells what held, and the destinations with their places filled and their owners', () => {
    const routes = [
      routeOf('a', {
        when: { type: ['invoice'], fields: { c: is('EUR') } },
        deliver: [toNode('{c}', { allow: 'EUR' })],
      }),
      routeOf('b', { deliver: [toNode('EUR'), toNode('x/{c}', { allow: 'y' })] }),
    ]
    expect(explain(routes, subjectOf({ fields: { c: ['EUR'] } })).routes).toEqual([
      {
        route: 'a',
        outcome: 'matches',
        held: [
          { condition: 'type', expected: 'invoice', found: 'invoice' },
          { condition: 'fields.c', expected: 'EUR', found: 'EUR' },
        ],
        destinations: [
          {
            template: 'xmpp:p.example?;node={c}',
            filled: [{ destination: 'xmpp:p.example?;node=EUR', owner: 'a' }],
            refusals: [],
          },
        ],
      },
      {
        route: 'b',
        outcome: 'matches',
        held: [],
        destinations: [
          {
            template: 'xmpp:p.example?;node=EUR',
            filled: [{ destination: 'xmpp:p.example?;node=EUR', owner: 'a' }],
            refusals: [],
          },
          {
            template: 'xmpp:p.example?;node=x/{c}',
            filled: [],
            refusals: [{ reason: 'allow', value: 'x/EUR', text: 'x/EUR is not allowed' }],
          },
        ],
      },
    ])
  })

  it('tells which routes were not asked, and why', () => {
    const routes = [
      routeOf('a', { when: never }),
      routeOf('b', { stop: true }),
      routeOf('c'),
      routeOf('d', { otherwise: true }),
    ]
    expect(explain(routes).routes.map(({ route, outcome, notAsked }) => [route, outcome, notAsked])).toEqual([
      ['a', 'fails', undefined],
      ['b', 'matches', undefined],
      ['c', 'not asked', { because: 'stop', by: 'b' }],
      ['d', 'not asked', { because: 'stop', by: 'b' }],
    ])
    expect(explain([routeOf('c'), routeOf('d', { otherwise: true })]).routes[1]?.notAsked).toEqual({
      because: 'otherwise',
      by: 'c',
    })
  })
})

describe('many routes', () => {
  it('cost little where most are of other types', () => {
    const routes = Array.from({ length: 1000 }, (_, at) =>
      routeOf(`r${at}`, {
        when: { type: [`t${at % 50}`], from: [`*@s${at}.example`], fields: { currency: is('EUR') } },
      }),
    )
    const { matcher } = compileRoutes(routes, xpathEngine)
    const subject = subjectOf({ type: 't7', fields: { currency: ['EUR'] }, origin: { from: 'a@s57.example/x' } })
    expect(matcher.match(subject).routes).toEqual(['r57'])
    const startedMs = processorMs()
    for (let at = 0; at < 1000; at++) matcher.match(subject)
    // A thousand documents; a loop over XPath would take seconds.
    expect(processorMs() - startedMs).toBeLessThan(1000)
  })
})

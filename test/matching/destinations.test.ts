import { describe, expect, it } from 'vitest'
import { destinationName, type PlannedDelivery } from '../../src/domain/delivery.ts'
import type { FieldScalar } from '../../src/domain/fields.ts'
import type { DestinationTemplate, Order } from '../../src/domain/route.ts'
import { mayBacktrackForLong } from '../../src/matching/allow.ts'
import { compileRoutes } from '../../src/matching/matcher.ts'
import { processorMs } from '../processor.ts'
import { routeOf, subjectOf, toJid, toNode, xpathEngine } from './samples.ts'

function decide(
  template: DestinationTemplate,
  fields: Readonly<Record<string, readonly FieldScalar[]>>,
  from = 'a@suppliers.example/desk',
) {
  const { matcher, problems } = compileRoutes([routeOf('r', { deliver: [template] })], xpathEngine)
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
  return matcher.match(subjectOf({ fields, origin: { from } }))
}

const names = (deliveries: readonly PlannedDelivery[]) =>
  deliveries.map(({ destination }) => destinationName(destination))

const ANY = '[^]*'
const long = 'x'.repeat(2000)

/** Node template `n/{f}`, what is allowed, the field's values → nodes that are reached, reasons of what is refused. */
const nodes: readonly (readonly [
  allow: string,
  values: readonly FieldScalar[],
  reached: string[],
  refused: string[],
])[] = [
  ['n/[A-Z]{3}', ['EUR'], ['n/EUR'], []],
  ['n/[A-Z]{3}', ['EUR', 'USD'], ['n/EUR', 'n/USD'], []],
  ['n/[A-Z]{3}', ['EUR', 'EUR'], ['n/EUR'], []],
  ['n/[A-Z]{3}', ['eur'], [], ['allow']],
  ['n/[A-Z]{3}', ['EURO'], [], ['allow']],
  ['n/[A-Z]{3}', ['EUR\n'], [], ['allow']],
  ['n/[A-Z]{3}', ['EUR\nUSD'], [], ['allow']],
  ['n/[A-Z]{3}', ['EUR', 'bad', 'USD'], ['n/EUR', 'n/USD'], ['allow']],
  ['n/[A-Z]{3}', [''], [], ['empty']],
  ['n/[A-Z]{3}', [null], [], ['empty']],
  ['n/[A-Z]{3}', ['', 'EUR'], ['n/EUR'], ['empty']],
  ['n/[A-Z]{3}', [], [], ['absent']],
  ['[A-Z]{3}', ['EUR'], [], ['allow']],
  ['x|n/A', ['A'], ['n/A'], []],
  ['n/A|x', ['AB'], [], ['allow']],
  ['n/\\d+', [1000], ['n/1000'], []],
  ['n/(true|false)', [true], ['n/true'], []],
  [ANY, [9007199254740991], ['n/9007199254740991'], []],
  [ANY, [-9007199254740991], ['n/-9007199254740991'], []],
  // Of which the last digits are not known: another document would have the same.
  [ANY, [9007199254740992], [], ['inexact']],
  [ANY, [1e21], [], ['inexact']],
  [ANY, [7, 2 ** 60, ''], ['n/7'], ['empty', 'inexact']],
  [ANY, ['9007199254740993', 1.5], ['n/9007199254740993', 'n/1.5'], []],
  [ANY, ['../'], ['n/..%2F'], []],
  [ANY, ['../../etc'], ['n/..%2F..%2Fetc'], []],
  [ANY, ['%2F'], ['n/%252F'], []],
  [ANY, ['%'], ['n/%25'], []],
  [ANY, ['a b'], ['n/a%20b'], []],
  [ANY, ['a/b'], ['n/a%2Fb'], []],
  [ANY, ['a\nb'], ['n/a%0Ab'], []],
  [ANY, ['a\u0000b'], ['n/a%00b'], []],
  [ANY, ['a@b'], ['n/a%40b'], []],
  [ANY, ['a;node=b'], ['n/a%3Bnode%3Db'], []],
  [ANY, ['?;node=x'], ['n/%3F%3Bnode%3Dx'], []],
  [ANY, ["!'()*"], ['n/%21%27%28%29%2A'], []],
  [ANY, ['A-Za-z0-9-._~'], ['n/A-Za-z0-9-._~'], []],
  [ANY, ['é'], ['n/%C3%A9'], []],
  [ANY, ['日本'], ['n/%E6%97%A5%E6%9C%AC'], []],
  [ANY, ['\u{1f600}'], ['n/%F0%9F%98%80'], []],
  [ANY, ['\ud83d'], ['n/%EF%BF%BD'], []],
  [ANY, ['\udc00x'], ['n/%EF%BF%BDx'], []],
  [ANY, ['{f}'], ['n/%7Bf%7D'], []],
  [ANY, ['{sender}'], ['n/%7Bsender%7D'], []],
  [ANY, ['$&$1'], ['n/%24%26%241'], []],
  [ANY, ['<a href="x">'], ['n/%3Ca%20href%3D%22x%22%3E'], []],
  [ANY, [long], [], ['too-long']],
  [ANY, ['é'.repeat(1000)], [], ['too-long']],
  [ANY, ['x'.repeat(1021)], [`n/${'x'.repeat(1021)}`], []],
  [ANY, ['x'.repeat(1022)], [], ['too-long']],
]

/** JID template, `allow`, values → JIDs, reasons. */
const jids: readonly (readonly [
  template: string,
  allow: string,
  values: readonly FieldScalar[],
  reached: string[],
  refused: string[],
])[] = [
  ['{f}@b.example', '[a-z]+@b\\.example', ['erp'], ['erp@b.example'], []],
  // The address that is really used is what must be allowed.
  ['{f}@b.example', '[a-z]+@b\\.example', ['ERP'], ['erp@b.example'], []],
  ['{f}@b.example', '[A-Z]+@b\\.example', ['ERP'], [], ['allow']],
  ['{f}@b.example', ANY, ['ERP', 'erp'], ['erp@b.example'], []],
  ['{f}@b.example', ANY, ['a@evil.example'], ['a\\40evil.example@b.example'], []],
  ['{f}@b.example', ANY, ['evil.example/x'], ['evil.example\\2fx@b.example'], []],
  ['{f}@b.example', ANY, ['a b'], ['a\\20b@b.example'], []],
  ['{f}@b.example', ANY, [' a'], [], ['not-a-jid']],
  ['{f}@b.example', ANY, ['a '], [], ['not-a-jid']],
  ['{f}@b.example', ANY, ['a\\40b'], ['a\\5c40b@b.example'], []],
  ['{f}@b.example', ANY, ['<a&"\'>:'], ['\\3ca\\26\\22\\27\\3e\\3a@b.example'], []],
  ['{f}@b.example', ANY, ['a\nb'], [], ['not-a-jid']],
  ['{f}@b.example', ANY, ['a\u0000b'], [], ['not-a-jid']],
  ['{f}@b.example', ANY, ['\ud83d'], [], ['not-a-jid']],
  // Width mapping makes an @ and a / of these, which no localpart has.
  ['{f}@b.example', ANY, ['a\uff20evil.example'], [], ['not-a-jid']],
  ['{f}@b.example', ANY, ['a\uff0fb'], [], ['not-a-jid']],
  ['{f}@b.example', ANY, ['ｅｒｐ'], ['erp@b.example'], []],
  ['{f}@b.example', ANY, [long], [], ['too-long']],
  ['{f}@b.example', ANY, [''], [], ['empty']],
  ['{f}@b.example', ANY, [], [], ['absent']],
  ['team-{f}@b.example', 'team-[0-9]+@b\\.example', [7], ['team-7@b.example'], []],
  ['{f}@b.example/desk', '[a-z]@b\\.example/desk', ['a', 'b'], ['a@b.example/desk', 'b@b.example/desk'], []],
  ['a@b.example/{f}', ANY, ['X/y@z'], ['a@b.example/X/y@z'], []],
  ['a@b.example/{f}', ANY, ['e\u0301'], ['a@b.example/\u00e9'], []],
  ['a@b.example/{f}', ANY, ['a\u0000'], [], ['not-a-jid']],
  ['a@b.example/{f}', ANY, [long], [], ['not-a-jid']],
  ['a@B.Example/{f}', ANY, ['x'], ['a@b.example/x'], []],
  ['{sender}@b.example', ANY, [], ['a\\40suppliers.example@b.example'], []],
  ['{type}@b.example', 'invoice@b\\.example', [], ['invoice@b.example'], []],
]

describe('a node template', () => {
  it.each(nodes)('allowing %s, filled with %j, reaches %j and refuses for %j', (allow, values, reached, refused) => {
    const decision = decide(toNode('n/{f}', { allow }), { f: values })
    expect(names(decision.deliveries)).toEqual(reached.map((node) => `xmpp:p.example?;node=${node}`))
    expect(decision.refused.map(({ reason }) => reason)).toEqual(refused)
  })

  it('never lets a value out of its place', () => {
    for (let code = 0; code < 0x3000; code++) {
      const value = `a${String.fromCharCode(code)}b`
      for (const { destination } of decide(toNode('n/{f}/z', { allow: ANY }), { f: [value] }).deliveries) {
        expect(destination).toMatchObject({ service: 'p.example' })
        expect(destination.kind === 'node' && destination.node).toMatch(/^n\/a[A-Za-z0-9\-._~%]+b\/z$/)
      }
      if (code > 0x500) code += 97
    }
  })

  it('fills the type and the sender, and each place wherever it stands', () => {
    const template = toNode('{type}/{sender}/{f}-{f}', { allow: ANY })
    expect(names(decide(template, { f: ['x'], type: ['other'] }).deliveries)).toEqual([
      'xmpp:p.example?;node=invoice/a%40suppliers.example/x-x',
    ])
  })

  it('reaches every combination of several values', () => {
    const template = toNode('{a}/{b}', { allow: ANY })
    expect(names(decide(template, { a: ['1', '2'], b: ['x', 'y'] }).deliveries)).toEqual([
      'xmpp:p.example?;node=1/x',
      'xmpp:p.example?;node=1/y',
      'xmpp:p.example?;node=2/x',
      'xmpp:p.example?;node=2/y',
    ])
  })

  it('reaches up to maxNodes nodes, and none where there are more', () => {
    const values = ['a', 'b', 'c']
    expect(decide(toNode('{f}', { allow: ANY, maxNodes: 3 }), { f: values }).deliveries).toHaveLength(3)
    const decision = decide(toNode('{f}', { allow: ANY, maxNodes: 2 }), { f: values })
    expect(names(decision.deliveries)).toEqual([])
    expect(decision.refused).toEqual([
      { route: 'r', destination: 'xmpp:p.example?;node={f}', reason: 'too-many', value: '3' },
    ])
  })

  it('counts combinations before it makes them', () => {
    const many = Array.from({ length: 10_000 }, (_, at) => at)
    const startedMs = processorMs()
    const decision = decide(toNode('{a}{b}{c}', { allow: ANY }), { a: many, b: many, c: many })
    expect(processorMs() - startedMs).toBeLessThan(500)
    expect(decision.refused).toMatchObject([{ reason: 'too-many', value: '1000000000000' }])
  })

  it('keeps one impossible delivery for what could not be filled, apart from those that may be sent', () => {
    const decision = decide(toNode('n/{f}', { allow: 'n/[a-z]' }), { f: ['a', 'B', 'C'] })
    expect(decision.routes).toEqual(['r'])
    expect(names(decision.deliveries)).toEqual(['xmpp:p.example?;node=n/a'])
    expect(names(decision.impossible)).toEqual(['xmpp:p.example?;node=n/{f}'])
    expect(decision.impossible[0]?.impossible).toEqual({
      reason: 'address-refused',
      text: 'Cannot fill xmpp:p.example?;node=n/{f}: n/B is not allowed; n/C is not allowed',
    })
  })

  it('keeps one for each template, whoever has it', () => {
    const deliver = [toNode('n/{f}', { allow: 'x' }), toNode('m/{f}', { allow: 'x' })]
    const routes = [routeOf('a', { deliver }), routeOf('b', { deliver })]
    const { deliveries, impossible } = compileRoutes(routes, xpathEngine).matcher.match(
      subjectOf({ fields: { f: ['y'] } }),
    )
    expect(deliveries).toEqual([])
    expect(impossible.map(({ destination, route }) => [destinationName(destination), route])).toEqual([
      ['xmpp:p.example?;node=n/{f}', 'a'],
      ['xmpp:p.example?;node=m/{f}', 'a'],
    ])
  })

  it('tells of a hostile value in a bounded and readable way', () => {
    const { refused, impossible } = decide(toNode('n/{f}', { allow: 'n/[a-z]' }), {
      f: [`\u001b[2J${'y'.repeat(900)}`],
    })
    expect(refused[0]?.value.length).toBeLessThan(100)
    expect(JSON.stringify(impossible).length).toBeLessThan(1000)
    expect(JSON.stringify(refused)).not.toContain('\u001b')
  })
})

describe('a JID template', () => {
  it.each(jids)(
    '%s allowing %s, filled with %j, reaches %j and refuses for %j',
    (jid, allow, values, reached, refused) => {
      const decision = decide(toJid(jid, { allow }), { f: values })
      expect(names(decision.deliveries)).toEqual(reached)
      expect(decision.refused.map(({ reason }) => reason)).toEqual(refused)
    },
  )

  it('never lets a value choose another domain', () => {
    const hostile = [
      '@evil.example',
      '/',
      '@',
      'x@evil.example/',
      '\\40',
      'a\u3002b',
      '\u2100',
      '＠evil',
      '／',
      'xmpp:a?',
    ]
    for (const { destination } of decide(toJid('{f}@b.example', { allow: ANY }), { f: hostile }).deliveries) {
      expect(destination.kind === 'jid' && destination.jid).toMatch(/^[^@/]+@b\.example$/)
    }
  })
})

describe('the text for people', () => {
  const bodyOf = (body: string, fields: Readonly<Record<string, readonly FieldScalar[]>>) =>
    decide(toJid('a@b.example', { body }), fields).deliveries[0]?.options.body

  it.each([
    ['Invoice {n} over {t}', { n: ['7'], t: [12.5] }, 'Invoice 7 over 12.5'],
    ['{n}', { n: ['a', 'b'] }, 'a, b'],
    ['<{n}>', {}, '<>'],
    ['{type} from {sender}', {}, 'invoice from a@suppliers.example'],
    ['{n}', { n: ['{type}'] }, '{type}'],
    ['{n}', { n: ['a\u0000\u001bb\ud83d'] }, 'a\ufffd\ufffdb\ufffd'],
    ['{ and } and {}', {}, '{ and } and {}'],
    ['{n}', { n: ['\u{1f600}'.repeat(600)] }, `${'\u{1f600}'.repeat(500)}…`],
  ] as const)('fills in row %#', (body, fields, expected) => {
    expect(bodyOf(body, fields)).toBe(expected)
  })
})

describe('what goes with a delivery', () => {
  const planOf = (order: Order, fields: Readonly<Record<string, readonly FieldScalar[]>> = {}) => {
    const route = routeOf('r', {
      order,
      priority: 7,
      expiresMs: 60_000,
      deliver: [toNode('n', { create: { max_items: 5 } })],
    })
    return compileRoutes([route], xpathEngine).matcher.match(subjectOf({ fields })).deliveries[0]
  }

  it('is all that the owning route says', () => {
    expect(planOf({ by: 'none' })).toEqual({
      destination: { kind: 'node', service: 'p.example', node: 'n' },
      route: 'r',
      options: { retry: 'default', confirm: 'none', confirmTimeoutMs: 30_000, create: { max_items: 5 } },
      expiresMs: 60_000,
      priority: 7,
    })
  })

  it.each([
    [{ by: 'none' }, {}, undefined],
    [{ by: 'sender' }, {}, 'a@suppliers.example'],
    [{ by: 'field', field: 'k' }, { k: ['x', 'y'] }, 'x'],
    [{ by: 'field', field: 'k' }, { k: [12] }, '12'],
    [{ by: 'field', field: 'k' }, { k: [''] }, ''],
    // What has no key has no place in any order.
    [{ by: 'field', field: 'k' }, {}, undefined],
    [{ by: 'field', field: 'k' }, { k: [null] }, undefined],
    [{ by: 'field', field: 'k' }, { k: ['z'.repeat(5000)] }, 'z'.repeat(256)],
    [{ by: 'field', field: 'k' }, { k: [`${'z'.repeat(255)}\u{1f600}`] }, 'z'.repeat(255)],
    [{ by: 'field', field: 'k' }, { k: ['\ud83d'] }, '\ufffd'],
    [{ by: 'field', field: 'constructor' }, {}, undefined],
  ] as const)('ordered by %j with %j the lane is %j', (order, fields, lane) => {
    expect(planOf(order, fields)?.lane).toBe(lane)
  })
})

describe('problems of a template', () => {
  const problemsOf = (template: DestinationTemplate) =>
    compileRoutes([routeOf('r', { deliver: [toJid('ok@b.example'), template] })], xpathEngine).problems.map(
      ({ code, path, severity }) => [code, path.join('.'), severity],
    )

  it.each([
    ['an address without places needs no allow', toNode('n'), []],
    ['a place without allow', toNode('{f}'), [['allow-missing', 'deliver.1.allow', 'error']]],
    ['an allow that is no expression', toNode('{f}', { allow: '[' }), [['allow-invalid', 'deliver.1.allow', 'error']]],
    [
      'an allow that breaks its anchors',
      toNode('{f}', { allow: 'a)|(b' }),
      [['allow-invalid', 'deliver.1.allow', 'error']],
    ],
    [
      'an allow that may take for ever',
      toNode('{f}', { allow: '(a+)+' }),
      [['allow-slow', 'deliver.1.allow', 'warning']],
    ],
    ['a brace that is never closed', toNode('{f', { allow: ANY }), [['template-invalid', 'deliver.1.node', 'error']]],
    ['a brace that was never opened', toNode('f}', { allow: ANY }), [['template-invalid', 'deliver.1.node', 'error']]],
    ['an empty place', toNode('{}', { allow: ANY }), [['template-invalid', 'deliver.1.node', 'error']]],
    ['a place within a place', toNode('{a{b}}', { allow: ANY }), [['template-invalid', 'deliver.1.node', 'error']]],
    ['an empty node', toNode(''), [['address-invalid', 'deliver.1.node', 'error']]],
    ['a place in the service', toNode('n', {}, '{f}.example'), [['place-in-domain', 'deliver.1.pubsub', 'error']]],
    ['a service that is no JID', toNode('n', {}, 'a@@b'), [['address-invalid', 'deliver.1.pubsub', 'error']]],
    ['a place in the domain', toJid('a@{f}', { allow: ANY }), [['place-in-domain', 'deliver.1.jid', 'error']]],
    ['a place for all of the JID', toJid('{f}', { allow: ANY }), [['place-in-domain', 'deliver.1.jid', 'error']]],
    [
      'a place in a part of the domain',
      toJid('a@x.{f}.example', { allow: ANY }),
      [['place-in-domain', 'deliver.1.jid', 'error']],
    ],
    ['a JID that is none', toJid('a@'), [['address-invalid', 'deliver.1.jid', 'error']]],
    [
      'a JID template that can be none',
      toJid('{f} x@b.example', { allow: ANY }),
      [['address-invalid', 'deliver.1.jid', 'error']],
    ],
  ] as const)('%s', (_, template, expected) => {
    expect(problemsOf(template)).toEqual(expected)
  })

  it.each([
    ['(a+)+', true],
    ['(?:[a-z]*)*', true],
    ['(a|b+)*x', true],
    ['((a+)b){2,}', true],
    ['(\\d+\\.)*', true],
    ['[A-Z]{3}', false],
    ['a+b+', false],
    ['(a|b)+', false],
    ['(\\(+)', false],
    ['[(+]+', false],
    ['(a{3})+', false],
    ['(a{3,3})+', false],
    ['([A-Z]{3,3}){0,1}', false],
    ['(a{1,3})+', true],
    ['(a+){30}', true],
    ['(a+){1}', false],
    ['\\p{Lu}+', false],
  ])('%s may take long: %s', (allow, slow) => {
    expect(mayBacktrackForLong(allow)).toBe(slow)
  })
})

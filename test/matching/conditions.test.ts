import { describe, expect, it } from 'vitest'
import { element } from '../../src/domain/element.ts'
import type { FieldScalar } from '../../src/domain/fields.ts'
import type { Conditions, ValueCondition } from '../../src/domain/route.ts'
import { compileRoutes } from '../../src/matching/matcher.ts'
import type { Subject } from '../../src/matching/subject.ts'
import { compileValueConditions, numberOf, showValues } from '../../src/matching/value.ts'
import { processorMs } from '../processor.ts'
import { is, originOf, routeOf, subjectOf, xpathEngine } from './samples.ts'

type Values = readonly FieldScalar[]
type Row = readonly [conditions: readonly ValueCondition[], should: readonly Values[], shouldNot: readonly Values[]]

const prefix = (text: string): ValueCondition => ({ kind: 'prefix', text })
const suffix = (text: string): ValueCondition => ({ kind: 'suffix', text })
const contains = (text: string): ValueCondition => ({ kind: 'contains', text })
const exists = (expected: boolean): ValueCondition => ({ kind: 'exists', expected })
const not = (...conditions: ValueCondition[]): ValueCondition => ({ kind: 'not', conditions })
const compare = (bounds: Partial<Record<'<' | '<=' | '>' | '>=', number>>): ValueCondition => ({
  kind: 'compare',
  bounds: Object.entries(bounds).map(([operator, bound]) => ({ operator: operator as '<', bound: bound! })),
})

const NUMBERS_TOO_BIG = '1e999'

const rows: readonly Row[] = [
  // A text is compared as text, character by character.
  [is('EUR'), [['EUR'], ['USD', 'EUR']], [[], ['eur'], ['EUR '], ['EURO'], [null], ['']]],
  [is('EUR', 'USD'), [['EUR'], ['USD'], ['GBP', 'USD']], [[], ['GBP'], ['EUR,USD']]],
  [is(''), [['']], [[], [' '], [null], [0], [false]]],
  [is('1000'), [['1000'], [1000]], [['1000.00'], ['01000'], [' 1000']]],
  [is('1e3'), [['1e3']], [[1000], ['1000']]],
  [is('true'), [['true'], [true]], [['TRUE'], [false], ['1'], [1]]],
  [is('null'), [['null']], [[null], []]],
  [is('\u00e9'), [['\u00e9']], [['e\u0301'], ['e']]],
  // A number equals every number and every text that reads as that number.
  [
    is(1000),
    [[1000], ['1000'], ['1000.00'], ['+1000'], ['1e3'], [' 1000\n'], ['01000']],
    [[], [999], ['1,000'], ['x1000'], ['']],
  ],
  [is(0), [[0], [-0], ['0'], ['-0'], ['.0'], ['0.']], [[], [''], [' '], [null], [false], ['.'], ['O']]],
  [is(0.1), [[0.1], ['0.1'], ['.1'], ['1E-1']], [['0.10000001'], ['0,1'], ['1/10']]],
  [is(-5), [[-5], ['-5'], ['-5.0']], [[5], ['- 5'], ['--5'], ['(5)']]],
  [is(16), [['16']], [['0x10'], ['0b10000'], ['16px'], ['1_6']]],
  [is(1), [[1], ['1']], [[true], ['true'], ['one']]],
  // A boolean equals a boolean, and the words true and false.
  [is(true), [[true], ['true']], [[false], ['false'], ['True'], [1], ['1'], [null], []]],
  [is(false), [[false], ['false']], [[true], [0], ['0'], [''], [null], []]],
  [is(null), [[null], ['x', null]], [[], [''], [0], [false], ['null']]],
  // Beginnings, ends and parts are asked of texts only.
  [[prefix('INV-')], [['INV-'], ['INV-1'], ['x', 'INV-2']], [[], ['inv-1'], [' INV-1'], ['IN'], [null]]],
  [[prefix('1')], [['10']], [[10], [true]]],
  [[prefix('')], [['x'], ['']], [[], [1], [null]]],
  [[suffix('.xml')], [['.xml'], ['a.xml']], [[], ['a.xml '], ['a.XML'], ['xml']]],
  [[suffix('0')], [['10']], [[10]]],
  [[contains('ab')], [['ab'], ['xaby'], ['x', 'ab']], [[], ['a b'], ['AB'], ['a', 'b'], [null]]],
  [[contains('\u{1f600}')], [['x\u{1f600}y']], [['\ud83d'], ['x']]],
  [[contains('0')], [['10']], [[10]]],
  // Bounds are asked of numbers, and of texts that read as one.
  [
    [compare({ '>=': 1000 })],
    [[1000], [1000.01], ['1000'], ['1e4'], [1, 2000]],
    [[], [999.99], ['999'], ['many'], [''], [null], [true]],
  ],
  [[compare({ '>': 1000 })], [[1000.01], ['1001']], [[1000], ['1000'], ['1000.0']]],
  [[compare({ '<': 0 })], [[-1], ['-0.5']], [[0], ['0'], [''], [null], ['-']]],
  [[compare({ '<=': 0 })], [[0], [-1], ['0.0']], [[1], ['0.001'], [null], [false], ['']]],
  [[compare({ '>=': 1, '<': 5 })], [[1], [4.99], ['3']], [[0.99], [5], [0, 5]]],
  // One value must lie within both bounds: 0 and 9 don't share them.
  [[compare({ '>': 1, '<': 5 })], [[0, 3]], [[0, 9]]],
  [[compare({ '>': 0 })], [['9007199254740993']], [[NUMBERS_TOO_BIG], ['INF'], ['NaN'], ['Infinity'], ['0x1']]],
  [
    [compare({ '<': 10 }), compare({ '>': 100 })],
    [[5], [500], ['5', 50]],
    [[50], []],
  ],
  [[exists(true)], [['x'], [''], [null], [0], [false]], [[]]],
  [[exists(false)], [[]], [['x'], [''], [null]]],
  [[not(...is('EUR'))], [[], ['USD'], [''], [null]], [['EUR'], ['USD', 'EUR']]],
  [[not(...is('EUR', 'USD'))], [[], ['GBP']], [['EUR'], ['USD']]],
  [[not(compare({ '>=': 10 }))], [[], [9], ['many']], [[10], ['11'], [1, 12]]],
  [[not(exists(true))], [[]], [['x']]],
  [[not(exists(false))], [['x']], [[]]],
  [[not(not(...is('EUR')))], [['EUR']], [[], ['USD']]],
  [[not(prefix('a'), suffix('z'))], [['bcd'], []], [['abc'], ['xyz']]],
  [[exists(false), ...is('EUR')], [[], ['EUR']], [['USD']]],
  [[], [], [[], ['x']]],
]

describe('a condition on a value', () => {
  for (const [conditions, should, shouldNot] of rows) {
    const { expected, holds } = compileValueConditions(conditions)
    for (const values of should) {
      it(`[${expected}] holds for ${JSON.stringify(values)}`, () => expect(holds(values)).toBe(true))
    }
    for (const values of shouldNot) {
      it(`[${expected}] fails for ${JSON.stringify(values)}`, () => expect(holds(values)).toBe(false))
    }
  }

  it('stays quick on a text that almost reads as a number', () => {
    const startedMs = processorMs()
    expect(numberOf(`${'1'.repeat(100_000)}x`)).toBeUndefined()
    expect(numberOf(`${' '.repeat(100_000)}x`)).toBeUndefined()
    expect(processorMs() - startedMs).toBeLessThan(500)
  })

  it('shows values in a bounded way, with control characters made visible', () => {
    expect(showValues([])).toBe('absent')
    expect(showValues(['a\u0000b\n\u202e'])).toBe('a\\u{0}b\\u{a}\\u{202e}')
    expect(showValues(['x'.repeat(1000)])).toHaveLength(81)
    expect(showValues(['a', 1, null, 'd', 'e'])).toBe('a, 1, null and 2 more')
    expect(showValues([''])).toBe("''")
  })
})

type Metadata = readonly [
  name: string,
  when: Partial<Conditions>,
  should: readonly Subject[],
  shouldNot: readonly Subject[],
]

const from = (jid: string) => subjectOf({ origin: { from: jid } })
const to = (jid: string) => subjectOf({ origin: { to: jid } })
const json = subjectOf({ content: { kind: 'json', value: { a: 1 } } })
const opaque = subjectOf({ type: 'opaque', mediaType: 'image/png', content: { kind: 'opaque' } })

const metadata: readonly Metadata[] = [
  ['no condition at all', {}, [subjectOf(), json, opaque], []],
  [
    'type',
    { type: ['invoice', 'order'] },
    [subjectOf(), subjectOf({ type: 'order' })],
    [subjectOf({ type: 'Invoice' }), opaque],
  ],
  ['type opaque', { type: ['opaque'] }, [opaque], [subjectOf()]],
  [
    'a type that is called like something every object has',
    { type: ['invoice'] },
    [],
    [subjectOf({ type: 'constructor' }), subjectOf({ type: '__proto__' })],
  ],
  [
    'from, any account of a domain',
    { from: ['*@suppliers.example'] },
    [from('a@suppliers.example/x'), from('b@suppliers.example')],
    [from('suppliers.example'), from('a@sub.suppliers.example'), from('a@suppliers.example.evil')],
  ],
  [
    'from, one resource',
    { from: ['a@x.example/desk'] },
    [from('a@x.example/desk')],
    [from('a@x.example'), from('a@x.example/other')],
  ],
  [
    'from, several',
    { from: ['a@x.example', '*@y.example'] },
    [from('a@x.example/1'), from('q@y.example')],
    [from('b@x.example')],
  ],
  [
    'to',
    { to: ['waybill.example.org/orders'] },
    [to('waybill.example.org/orders')],
    [to('waybill.example.org'), to('x@waybill.example.org/orders')],
  ],
  [
    'to, a localpart',
    { to: ['orders@waybill.example.org'] },
    [to('orders@waybill.example.org'), to('orders@waybill.example.org/x')],
    [to('waybill.example.org')],
  ],
  [
    'node',
    { node: [prefix('in/')] },
    [subjectOf({ origin: { node: 'in/a' } })],
    [subjectOf(), subjectOf({ origin: { node: 'out' } })],
  ],
  ['no node', { node: [exists(false)] }, [subjectOf()], [subjectOf({ origin: { node: 'x' } })]],
  [
    'stanza',
    { stanza: ['iq', 'publish'] },
    [subjectOf(), subjectOf({ origin: { stanza: 'publish' } })],
    [subjectOf({ origin: { stanza: 'message' } })],
  ],
  ['mediaType', { mediaType: [prefix('image/')] }, [opaque], [subjectOf()]],
  [
    'headers',
    { headers: { Urgency: is('high') } },
    [subjectOf({ origin: { headers: { Urgency: 'high' } } })],
    [
      subjectOf(),
      subjectOf({ origin: { headers: { urgency: 'high' } } }),
      subjectOf({ origin: { headers: { Urgency: 'low' } } }),
    ],
  ],
  [
    'headers, several are an AND',
    { headers: { A: is('1'), B: [exists(true)] } },
    [subjectOf({ origin: { headers: { A: '1', B: '' } } })],
    [subjectOf({ origin: { headers: { A: '1' } } })],
  ],
  [
    'a header with a name that every object has',
    { headers: { constructor: [exists(true)] } },
    [subjectOf({ origin: { headers: { constructor: 'x' } as never } })],
    [subjectOf()],
  ],
  [
    'fields, several are an AND',
    { fields: { currency: is('EUR'), total: [compare({ '>=': 10 })] } },
    [subjectOf({ fields: { currency: ['EUR'], total: [10] } })],
    [subjectOf({ fields: { currency: ['EUR'], total: [9] } }), subjectOf({ fields: { total: [10] } }), subjectOf()],
  ],
  [
    'a field with a name that every object has',
    { fields: { toString: [exists(true)] } },
    [],
    [subjectOf({ fields: {} })],
  ],
  ['xpath', { xpath: 'Invoice' }, [subjectOf()], [json, opaque]],
  ['xpath that is false', { xpath: 'Order' }, [], [subjectOf(), json, opaque]],
  ['xpath that the engine gives up on', { xpath: "id('throw')" }, [], [subjectOf()]],
  [
    'everything at once is an AND',
    { type: ['invoice'], stanza: ['iq'], fields: { a: is(1) }, xpath: 'Invoice' },
    [subjectOf({ fields: { a: [1] } })],
    [
      subjectOf({ fields: { a: [2] } }),
      subjectOf({ fields: { a: [1] }, type: 'order' }),
      subjectOf({ fields: { a: [1] }, origin: { stanza: 'message' } }),
    ],
  ],
]

describe('a condition on a document', () => {
  for (const [name, when, should, shouldNot] of metadata) {
    const { matcher, problems } = compileRoutes([routeOf('r', { when })], xpathEngine)
    it(`${name}: compiles without a problem`, () => expect(problems).toEqual([]))
    it.each(should.map((subject, at) => [at, subject]))(`${name}: matches should-row %i`, (_, subject) => {
      expect(matcher.match(subject as Subject).routes).toEqual(['r'])
    })
    it.each(shouldNot.map((subject, at) => [at, subject]))(`${name}: doesn't match should-not-row %i`, (_, subject) => {
      expect(matcher.match(subject as Subject).routes).toEqual([])
    })
  }

  it('asks the same XPath once a document, and none where an earlier condition failed', () => {
    let asked = 0
    const counting: typeof xpathEngine = () => ({ kind: 'ok', test: () => ++asked > 0 })
    const routes = ['a', 'b', 'c'].map((name) => routeOf(name, { when: { xpath: 'sum(//x) < 3' } }))
    const { matcher } = compileRoutes(
      [...routes, routeOf('d', { when: { fields: { x: is(1) }, xpath: 'sum(//y) < 3' } })],
      counting,
    )
    expect(matcher.match(subjectOf()).routes).toEqual(['a', 'b', 'c'])
    expect(asked).toBe(1)
  })

  it('keeps apart one XPath with two meanings of its prefix', () => {
    const content = { kind: 'xml', root: element('x', 'urn:yes') } as const
    const routes = [
      routeOf('a', { when: { xpath: 'p:x', namespaces: { p: 'urn:yes' } } }),
      routeOf('b', { when: { xpath: 'p:x', namespaces: { p: 'urn:no' } } }),
    ]
    expect(compileRoutes(routes, xpathEngine).matcher.match(subjectOf({ content })).routes).toEqual(['a'])
  })

  it('says of an XPath that gave up that it is not known whether the route matches', () => {
    const { matcher } = compileRoutes([routeOf('r', { when: { xpath: "id('throw')" } })], xpathEngine)
    const decision = matcher.match(subjectOf())
    expect(decision.deliveries).toEqual([])
    expect(decision.refused).toEqual([{ route: 'r', destination: '', reason: 'xpath-failed', value: 'too many nodes' }])
  })

  it('does not take a sender for another whose JID merely begins alike', () => {
    const { matcher } = compileRoutes([routeOf('r', { when: { from: ['a@x.example'] } })], xpathEngine)
    expect(matcher.match(subjectOf({ origin: originOf({ from: 'a@x.example.evil/d' }) })).routes).toEqual([])
  })
})

import { describe, expect, it } from 'vitest'
import { jidPattern } from '../../src/domain/jid.ts'
import type { Conditions, ValueCondition } from '../../src/domain/route.ts'
import { coversPattern, implies } from '../../src/matching/implied.ts'
import { compileRoutes } from '../../src/matching/matcher.ts'
import { shadowedRoutes } from '../../src/matching/shadows.ts'
import { processorMs } from '../processor.ts'
import { is, routeOf, subjectOf, toJid, whenOf, xpathEngine } from './samples.ts'

const field = (...conditions: ValueCondition[]): Conditions => whenOf({ fields: { a: conditions } })
const compare = (bounds: Record<string, number>): ValueCondition => ({
  kind: 'compare',
  bounds: Object.entries(bounds).map(([operator, bound]) => ({ operator: operator as '<', bound })),
})
const text = (kind: 'prefix' | 'suffix' | 'contains', part: string): ValueCondition => ({ kind, text: part })
const exists: ValueCondition = { kind: 'exists', expected: true }
const x = is('x')[0]!
const y = is('y')[0]!

const should: readonly (readonly [string, Conditions, Conditions])[] = [
  ['anything anything', field(x), whenOf()],
  ['one value several', field(x), field(x, y)],
  ['a value its beginning', field(...is('INV-7')), field(text('prefix', 'INV'))],
  ['a beginning a shorter one', field(text('prefix', 'INV-7')), field(text('prefix', 'INV'))],
  ['an end a part', field(text('suffix', '.xml')), field(text('contains', 'xm'))],
  ['a value that it is there', field(x), field(exists)],
  ['a tighter bound a wider one', field(compare({ '>': 5, '<': 7 })), field(compare({ '>=': 5 }))],
  ['a number its range', field(...is(5)), field(compare({ '>': 4, '<': 6 }))],
  ['one type several', whenOf({ type: ['a'] }), whenOf({ type: ['a', 'b'] })],
  ['a sender its domain', whenOf({ from: ['a@x.org'] }), whenOf({ from: ['*@x.org'] })],
  ['the same XPath', whenOf({ xpath: 'a' }), whenOf({ xpath: 'a' })],
  ['what stands in all', whenOf({ all: [field(x)] }), field(x)],
  ['each group of an any', whenOf({ any: [field(x), field(y)] }), field(x, y)],
  ['one group of an any', field(x), whenOf({ any: [field(y), field(x)] })],
  ['the same not', whenOf({ not: [field(x)] }), whenOf({ not: [field(x)] })],
]
const shouldNot: readonly (readonly [string, Conditions, Conditions])[] = [
  ['nothing something', whenOf(), field(x)],
  ['several values one', field(x, y), field(x)],
  ['a wider bound a tighter one', field(compare({ '>=': 5 })), field(compare({ '>': 5 }))],
  ['a number-like text its beginning: numbers count as that text', field(...is('10')), field(text('prefix', '1'))],
  ['another field', field(x), whenOf({ fields: { b: [x] } })],
  ['a domain a sender', whenOf({ from: ['*@x.org'] }), whenOf({ from: ['a@x.org'] })],
  ['an any of which one group is wider', whenOf({ any: [field(x), whenOf()] }), field(x)],
  ['two XPaths', whenOf({ xpath: 'a' }), whenOf({ xpath: 'b' })],
  [
    'prefixes of two meanings',
    whenOf({ xpath: 'p:a', namespaces: { p: 'u' } }),
    whenOf({ xpath: 'p:a', namespaces: { p: 'v' } }),
  ],
  ['another not', whenOf({ not: [field(x)] }), whenOf({ not: [field(y)] })],
]

describe('conditions that imply others', () => {
  it.each(should)('%s', (_, narrow, wide) => expect(implies(narrow, wide)).toBe(true))
  it.each(shouldNot)('not: %s', (_, narrow, wide) => expect(implies(narrow, wide)).toBe(false))
})

describe('a JID pattern covers', () => {
  const patterns = [
    '*',
    '*@*',
    '*@x.org',
    'a*@x.org',
    'ab@x.org',
    '*b@x.org',
    'a*b@*.org',
    'x.org',
    '*.org',
    'ab@x.org/r',
    '*@x.org/r*',
    'A*@X.org',
  ]
  const jids = [
    'ab@x.org',
    'a@x.org',
    'b@x.org',
    'aXb@x.org',
    'x.org',
    'y.org',
    'ab@x.org/r',
    'ab@x.org/rs',
    'ab@y.org/q',
    'acb@z.org',
  ]

  it('another only where it takes all that the other does', () => {
    const wrong = patterns.flatMap((wide) =>
      patterns.flatMap((narrow) => {
        if (!coversPattern(wide, narrow)) return []
        const [takesWide, takesNarrow] = [jidPattern(wide)!, jidPattern(narrow)!]
        return jids
          .filter((jid) => takesNarrow(jid.toLowerCase()) && !takesWide(jid.toLowerCase()))
          .map((jid) => [wide, narrow, jid])
      }),
    )
    expect(wrong).toEqual([])
  })

  it.each([
    ['*@x.org', 'a*@x.org', true],
    ['a*@x.org', '*@x.org', false],
    ['*@*', '*@x.org', true],
    ['*@x.org', '*@*', false],
    ['ab@x.org', 'ab@x.org/r', true],
    ['ab@x.org/r', 'ab@x.org', false],
    ['*@x.org', 'x.org', false],
    ['a*@x.org', 'A*@X.org', true],
  ])('%s, %s: %s', (wide, narrow, expected) => expect(coversPattern(wide, narrow)).toBe(expected))
})

describe('shadowed routes', () => {
  const names = (routes: Parameters<typeof shadowedRoutes>[0]) =>
    shadowedRoutes(routes).map(({ route, code }) => `${route} ${code}`)

  it('are those below a route that stops, in the order in which routes are asked', () => {
    const a = routeOf('a', { stop: true, when: { fields: { a: [x] } } })
    const b = routeOf('b', { when: { fields: { a: [x] }, type: ['t'] } })
    expect(names([a, b])).toEqual(['b route-shadowed'])
    expect(names([a, { ...b, priority: 1 }])).toEqual([])
    expect(names([{ ...a, stop: false }, b])).toEqual([])
    expect(names([{ ...a, otherwise: true }, b])).toEqual([])
  })

  it('never match, whatever comes', () => {
    const values = ['x', 'y', 'INV-1', '10', 10, 5, true, null]
    const conditions = [...should, ...shouldNot].flatMap(([, narrow, wide]) => [narrow, wide])
    for (const [at, when] of conditions.entries()) {
      const above = routeOf('a', { stop: true, when: conditions[(at * 7 + 3) % conditions.length]! })
      const below = routeOf('b', { when })
      if (names([above, below]).length === 0) continue
      const { matcher } = compileRoutes([above, below], xpathEngine)
      for (const value of values) {
        expect(matcher.match(subjectOf({ fields: { a: [value] } })).routes).not.toContain('b')
      }
    }
  })

  it('are told of apart from those that say the same', () => {
    const twin = { when: { type: ['t'], fields: { a: [x, y] } }, deliver: [toJid('d@e.org')] }
    const other = { when: { fields: { a: [y, x] }, type: ['t'] }, deliver: [toJid('d@e.org')] }
    expect(names([routeOf('a', twin), routeOf('b', other)])).toEqual(['b route-duplicate'])
    expect(names([routeOf('a', twin), routeOf('b', { ...other, deliver: [toJid('f@e.org')] })])).toEqual([])
  })

  it('of a hundred thousand are found in seconds', () => {
    const many = Array.from({ length: 100_000 }, (_, at) =>
      routeOf(`r${at}`, { stop: at % 1_000 === 0, when: { type: [`t${at % 500}`], fields: { a: is(`v${at}`) } } }),
    )
    const begun = processorMs()
    expect(names(many)).toEqual([])
    expect(processorMs() - begun).toBeLessThan(20_000)
  })
})

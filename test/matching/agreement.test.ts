import { describe, expect, it } from 'vitest'
import type { FieldScalar } from '../../src/domain/fields.ts'
import type { DestinationTemplate, Operator, Route, ValueCondition } from '../../src/domain/route.ts'
import { compileRoutes, type Matcher } from '../../src/matching/matcher.ts'
import type { Subject } from '../../src/matching/subject.ts'
import { routeOf, subjectOf, toJid, toNode, xpathEngine } from './samples.ts'

const SEED = 20_240_229
const PAIRS = 2_000

/** Numerical Recipes' linear congruential generator: the same sequence everywhere. */
function generator(seed: number) {
  let state = seed >>> 0
  const below = (limit: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
  return {
    below,
    chance: (percent: number) => below(100) < percent,
    pick: <T>(from: readonly T[]): T => from[below(from.length)]!,
  }
}
type Random = ReturnType<typeof generator>

const TYPES = ['invoice', 'order', 'opaque', 'feed']
const FIELDS = ['a', 'b', 'c', 'constructor']
const VALUES: readonly FieldScalar[] = [
  'EUR',
  'USD',
  '',
  '10',
  '10.0',
  'a@b',
  '../x',
  '\ud83d',
  'É',
  10,
  0,
  -1,
  1e21,
  true,
  false,
  null,
]
const JIDS = ['a@s.example/x', 'b@s.example', 's.example', 'a@t.example/y', 'a@sub.s.example']
const PATTERNS = ['*@s.example', 'a@*.example', 's.example', '*@*.example/x', 'a*@s.example', '@']
const ROOTS = ['Invoice', 'Order', "id('throw')", 'p:x', "name(/*) = 'Order'", "/Order[1] or id('throw')"]
const NODES = ['', 'in', 'in/a']
const ALLOWS = ['.*', '[A-Za-z0-9/]+', 'n/(EUR|10)', '[^@]+@s\\.example']

function conditionOf(random: Random, depth = 0): ValueCondition {
  const kind = random.pick([
    'is',
    'is',
    'is',
    'prefix',
    'suffix',
    'contains',
    'compare',
    'exists',
    ...(depth < 2 ? ['not'] : []),
  ])
  const text = random.pick(['E', 'R', '1', '', '@'])
  if (kind === 'prefix' || kind === 'suffix' || kind === 'contains') return { kind, text }
  if (kind === 'exists') return { kind, expected: random.chance(50) }
  if (kind === 'not') return { kind, conditions: conditionsOf(random, depth + 1) }
  if (kind === 'is') return { kind: 'is', value: random.pick(VALUES) }
  const bounds = [{ operator: random.pick<Operator>(['<', '<=', '>', '>=']), bound: random.pick([0, 10, 11]) }]
  return { kind: 'compare', bounds }
}

function conditionsOf(random: Random, depth = 0): readonly ValueCondition[] {
  return Array.from({ length: 1 + random.below(3) }, () => conditionOf(random, depth))
}

function some<T>(random: Random, from: readonly T[]): readonly T[] {
  return Array.from({ length: 1 + random.below(2) }, () => random.pick(from))
}

function whenOf(random: Random, depth = 0): Partial<Route['when']> {
  const groups = () =>
    Array.from({ length: 1 + random.below(3) }, () => ({ namespaces: {}, ...whenOf(random, depth + 1) }))
  const nested = depth < 2 ? (['all', 'any', 'not'] as const).filter(() => random.chance(12)) : []
  return {
    ...Object.fromEntries(nested.map((key) => [key, groups()])),
    ...(random.chance(50) ? { type: some(random, TYPES) } : {}),
    ...(random.chance(25) ? { from: some(random, PATTERNS) } : {}),
    ...(random.chance(10) ? { to: some(random, PATTERNS) } : {}),
    ...(random.chance(15) ? { node: conditionsOf(random) } : {}),
    ...(random.chance(20) ? { stanza: some(random, ['iq', 'message', 'publish']) } : {}),
    ...(random.chance(15) ? { mediaType: conditionsOf(random) } : {}),
    ...(random.chance(15) ? { headers: { a: conditionsOf(random) } } : {}),
    ...(random.chance(50) ? { fields: { [random.pick(FIELDS)]: conditionsOf(random) } } : {}),
    ...(random.chance(20) ? { xpath: random.pick(ROOTS) } : {}),
  }
}

function templateOf(random: Random): DestinationTemplate {
  const place = random.pick(['{a}', '{b}', '{type}', '{sender}', '{a}{c}'])
  const options = { allow: random.pick(ALLOWS), retry: random.pick(['p', 'q']), maxNodes: random.pick([1, 3, 100]) }
  return random.pick([
    toNode(random.pick(['n/EUR', 'n/10', 'invoice'])),
    toNode(`n/${place}`, options),
    toJid(random.pick(['x@s.example', 'EUR@s.example'])),
    toJid(`${place}@s.example`, options),
    toJid(`x@s.example/${place}`, options),
  ])
}

function randomRoute(random: Random, at: number): Route {
  return routeOf(`r${at}`, {
    priority: random.below(3) - 1,
    stop: random.chance(10),
    otherwise: random.chance(15),
    ...(random.chance(20) ? { takes: random.pick(['invalid', 'both']) } : {}),
    when: whenOf(random),
    deliver: Array.from({ length: 1 + random.below(2) }, () => templateOf(random)),
    order: random.pick<Route['order']>([{ by: 'none' }, { by: 'sender' }, { by: 'field', field: 'a' }]),
  })
}

function randomSubject(random: Random): Subject {
  const values = () => Array.from({ length: random.below(4) }, () => random.pick(VALUES))
  const names = FIELDS.filter(() => random.chance(60))
  const root = {
    name: random.pick(['Invoice', 'Order']),
    uri: '',
    prefix: '',
    attributes: [],
    namespaces: null,
    children: [],
  }
  return subjectOf({
    ...(random.chance(20) ? { valid: false } : {}),
    type: random.pick([...TYPES, 'unheard-of']),
    mediaType: random.pick(['application/xml', '', 'image/EUR']),
    fields: Object.fromEntries(names.map((name) => [name, values()])),
    content: random.pick<Subject['content']>([{ kind: 'xml', root }, { kind: 'xml', root }, { kind: 'opaque' }]),
    origin: {
      from: random.pick(JIDS),
      to: random.pick(JIDS),
      node: random.pick(NODES),
      stanza: random.pick(['iq', 'message', 'publish']),
      headers: random.chance(50) ? { a: random.pick(['E', '10', '']) } : {},
    },
  })
}

/** Where not all routes are explained, what is said of each is the same, and those that match are among them. */
function checkSome(matcher: Matcher, subject: Subject): void {
  const { routes, decision } = matcher.explain(subject)
  for (const most of [1, 2, 5]) {
    const some = matcher.explain(subject, most)
    expect(some.decision).toEqual(decision)
    expect(some.routes).toHaveLength(Math.min(most, routes.length))
    expect(some.routes.length + some.more).toBe(routes.length)
    expect(routes).toEqual(expect.arrayContaining([...some.routes]))
    const told = some.routes.map(({ route }) => route)
    const isKnown = decision.refused.every(({ reason }) => reason !== 'xpath-failed')
    if (isKnown) expect(told).toEqual(expect.arrayContaining(decision.routes.slice(0, most)))
  }
}

function check(matcher: Matcher, subject: Subject): number {
  const decision = matcher.match(subject)
  const { routes, decision: explained } = matcher.explain(subject)
  expect(explained).toEqual(decision)
  expect(routes.filter(({ outcome }) => outcome === 'matches').map(({ route }) => route)).toEqual(decision.routes)
  for (const { outcome, failed, notAsked } of routes) {
    expect([failed !== undefined, notAsked !== undefined]).toEqual([outcome === 'fails', outcome === 'not asked'])
  }
  checkSome(matcher, subject)
  const named = decision.deliveries.map(({ destination }) => JSON.stringify(destination))
  expect(new Set(named).size).toBe(named.length)
  expect(decision.deliveries.every(({ impossible }) => impossible === undefined)).toBe(true)
  // A route that matched shows: in a delivery, in one that says what can't be done, or in one that another owns.
  if (decision.routes.length > 0) expect(decision.deliveries.length + decision.impossible.length).toBeGreaterThan(0)
  return decision.routes.length
}

describe('match and explain', () => {
  it(`say the same on ${PAIRS} random pairs of routes and document (seed ${SEED})`, () => {
    const random = generator(SEED)
    const matches: number[] = []
    for (let at = 0; at < PAIRS / 10; at++) {
      const routes = Array.from({ length: 1 + random.below(12) }, (_, index) => randomRoute(random, index))
      const { matcher } = compileRoutes(routes, xpathEngine)
      for (let again = 0; again < 10; again++) matches.push(check(matcher, randomSubject(random)))
    }
    expect(matches).toHaveLength(PAIRS)
    // The pairs are worth something: some match nothing, many match several.
    expect(matches.filter((count) => count === 0).length).toBeGreaterThan(PAIRS / 20)
    expect(matches.filter((count) => count > 1).length).toBeGreaterThan(PAIRS / 20)
  })

  it('leave the document as it was', () => {
    const random = generator(SEED + 1)
    const freeze = <T>(value: T): T => {
      if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(freeze)
      return value
    }
    const routes = Array.from({ length: 20 }, (_, index) => freeze(randomRoute(random, index)))
    const { matcher } = compileRoutes(freeze(routes), xpathEngine)
    for (let at = 0; at < 50; at++) check(matcher, freeze(randomSubject(random)))
  })
})

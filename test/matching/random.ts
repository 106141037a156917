import type { Element, Node } from '../../src/domain/element.ts'
import type { FieldScalar } from '../../src/domain/fields.ts'
import type { Conditions, Operator, Route, ValueCondition } from '../../src/domain/route.ts'
import type { Subject } from '../../src/matching/subject.ts'
import { routeOf, subjectOf } from './samples.ts'

/** Numerical Recipes' linear congruential generator: the same sequence everywhere. */
export function generator(seed: number) {
  let state = seed >>> 0
  const below = (limit: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
  return {
    below,
    chance: (percent: number) => below(100) < percent,
    pick: <T>(from: readonly T[]): T => from[below(from.length)]!,
    list: <T>(least: number, most: number, make: () => T): T[] =>
      Array.from({ length: least + below(most - least + 1) }, make),
  }
}
export type Random = ReturnType<typeof generator>

export const NAMESPACES = { a: 'urn:a', b: 'urn:b' }

const NAMES = ['x', 'y', 'z']
const URIS = ['', '', 'urn:a', 'urn:b']
const TEXTS = ['1', '2', ' 3 ', '1.5', '-2', 'text', '', ' ', '1e2', '+1', '.5', 'é😀', "it's", 'NaN', '10', 'tex']

export function randomTree(random: Random, depth = 3): Element {
  const uri = random.pick(URIS)
  const attributes = NAMES.filter(() => random.chance(30)).map((name) => {
    const attributeUri = random.pick(URIS)
    return {
      name,
      uri: attributeUri,
      prefix: attributeUri === '' ? '' : attributeUri.slice(4),
      value: random.pick(TEXTS),
    }
  })
  const children: Node[] = []
  // Adjacent texts and empty ones, as a parser may leave them.
  random.list(0, depth === 0 ? 1 : 4, () => {
    children.push(depth === 0 || random.chance(40) ? random.pick(TEXTS) : randomTree(random, depth - 1))
  })
  return { name: random.pick(NAMES), uri, prefix: '', attributes, namespaces: null, children }
}

const TESTS = ['x', 'y', 'z', 'a:x', 'a:y', 'b:z', '*', '*', 'a:*', 'b:*', "*[local-name()='x']"]
const OPERATORS = ['=', '=', '!=', '<', '<=', '>', '>=']
const LITERALS = ["'1'", "'text'", "''", "' 3 '", "'1.5'", "'te'", "'x'", '1', '2', '1.5', '-2', '0', '100', '"it\'s"']

export function randomPath(random: Random, depth = 1): string {
  const step = () => {
    const predicate = depth > 0 && random.chance(15) ? `[${randomPredicate(random, depth - 1)}]` : ''
    return `${random.pick(TESTS)}${predicate}`
  }
  const steps = random.list(1, 3, step).join(random.chance(20) ? '//' : '/')
  const end = random.pick(['', '', '', '', '/text()', '/@x', '/@a:y', '/@*', '//@x', '//text()', '/..', '/.'])
  return `${random.pick(['/', '/', '', '//'])}${steps}${end}`
}

function randomPredicate(random: Random, depth: number): string {
  const inner = random.pick([
    '.',
    '@x',
    'x',
    'a:y',
    '*',
    '@*',
    './/z',
    'text()',
    randomPath(random, depth).replace(/^\/+/, ''),
  ])
  return random.pick([
    inner,
    `${inner} ${random.pick(OPERATORS)} ${random.pick(LITERALS)}`,
    `${inner} = ${random.pick(LITERALS)} and @x`,
    `${inner} = ${random.pick(LITERALS)} or not(y)`,
    `not(${inner} = ${random.pick(LITERALS)})`,
    `count(${inner}) > 1`,
    `starts-with(${inner}, 'te')`,
    '1',
    'last()',
    'position() = 2',
  ])
}

export function randomXPath(random: Random, depth = 2): string {
  if (depth > 0 && random.chance(35)) {
    const [left, right] = [randomXPath(random, depth - 1), randomXPath(random, depth - 1)]
    return random.pick([`${left} and ${right}`, `(${left} or ${right})`, `not(${left})`, `boolean(${left})`])
  }
  const path = randomPath(random)
  const literal = random.pick(LITERALS)
  const operator = random.pick(OPERATORS)
  return random.pick([
    path,
    `${path} ${operator} ${literal}`,
    `${path} ${operator} ${literal}`,
    `${literal} ${operator} ${path}`,
    `count(${path}) ${operator} ${literal}`,
    `starts-with(${path}, ${literal})`,
    `contains(${path}, 'e')`,
    `string(${path}) ${operator} ${literal}`,
    `number(${path}) ${operator} ${literal}`,
    `normalize-space(${path}) ${operator} ${literal}`,
    `string-length(${path}) ${operator} ${literal}`,
    `sum(${path}) ${operator} ${literal}`,
    `${path} ${operator} ${randomPath(random)}`,
    `${path} | ${randomPath(random)}`,
    `(${path} | ${randomPath(random)}) ${operator} ${literal}`,
    `(${path})[1] ${operator} ${literal}`,
    `${path}/following-sibling::x ${operator} ${literal}`,
    `${path}/ancestor::y`,
    `${path} = concat('te', 'xt')`,
    `${path} = (1 = 1)`,
    `${literal} ${operator} ${random.pick(LITERALS)}`,
    `local-name(${path}) = 'x'`,
  ])
}

const TYPES = ['invoice', 'order', 'opaque', 'feed']
const FIELDS = ['a', 'b', 'c', 'constructor']
const VALUES: readonly FieldScalar[] = [
  'EUR',
  'USD',
  '',
  '10',
  '10.0',
  'a@b',
  'EURO',
  '\ud83d',
  10,
  0,
  -1,
  1e21,
  true,
  false,
  null,
]
const JIDS = ['a@s.example/x', 'b@s.example', 's.example', 'a@t.example/y', 'a@sub.s.example']
const PATTERNS = ['*@s.example', 'a@*.example', 's.example', '*@*.example/x', 'a*@s.example', 'a@s.example', '*', '@']

function randomCondition(random: Random, depth = 0): ValueCondition {
  const kind = random.pick([
    'is',
    'is',
    'is',
    'is',
    'prefix',
    'suffix',
    'contains',
    'compare',
    'exists',
    'not',
  ] as const)
  const text = random.pick(['E', 'R', 'EUR', '1', '', '@', 'UR'])
  switch (kind) {
    case 'prefix':
    case 'suffix':
    case 'contains':
      return { kind, text }
    case 'exists':
      return { kind, expected: random.chance(50) }
    case 'not':
      return depth > 1 ? { kind: 'is', value: 'EUR' } : { kind, conditions: randomConditions(random, depth + 1) }
    case 'is':
      return { kind, value: random.pick(VALUES) }
    case 'compare': {
      const bound = () => ({
        operator: random.pick<Operator>(['<', '<=', '>', '>=']),
        bound: random.pick([-1, 0, 10, 11]),
      })
      return { kind, bounds: random.list(1, 2, bound) }
    }
  }
}

function randomConditions(random: Random, depth = 0): readonly ValueCondition[] {
  return random.list(1, 3, () => randomCondition(random, depth))
}

export function randomWhen(random: Random, depth = 0): Conditions {
  const nested = depth < 2 ? (['all', 'any', 'not'] as const).filter(() => random.chance(12)) : []
  const groups = () => random.list(1, 3, () => randomWhen(random, depth + 1))
  return {
    ...Object.fromEntries(nested.map((key) => [key, groups()])),
    ...(random.chance(30) ? { type: random.list(1, 2, () => random.pick(TYPES)) } : {}),
    ...(random.chance(15) ? { from: random.list(1, 2, () => random.pick(PATTERNS.slice(0, -1))) } : {}),
    ...(random.chance(8) ? { to: [random.pick(PATTERNS.slice(0, -1))] } : {}),
    ...(random.chance(8) ? { node: randomConditions(random) } : {}),
    ...(random.chance(10) ? { stanza: random.list(1, 2, () => random.pick(['iq', 'message', 'publish'])) } : {}),
    ...(random.chance(8) ? { mediaType: randomConditions(random) } : {}),
    ...(random.chance(8) ? { headers: { a: randomConditions(random) } } : {}),
    ...(random.chance(30) ? { fields: { [random.pick(FIELDS)]: randomConditions(random) } } : {}),
    ...(random.chance(40) ? { xpath: randomXPath(random) } : {}),
    namespaces: NAMESPACES,
  }
}

export function randomRoutes(random: Random, most: number): readonly Route[] {
  let at = 0
  return random.list(1, most, () =>
    routeOf(`r${at++}`, {
      priority: random.below(3) - 1,
      stop: random.chance(7),
      otherwise: random.chance(10),
      ...(random.chance(20) ? { takes: random.pick(['invalid', 'both']) } : {}),
      when: randomWhen(random),
    }),
  )
}

export function randomSubject(random: Random): Subject {
  const names = FIELDS.filter(() => random.chance(60))
  const xml = (): Subject['content'] => ({ kind: 'xml', root: randomTree(random) })
  return subjectOf({
    ...(random.chance(20) ? { valid: false } : {}),
    type: random.pick([...TYPES, 'unheard-of']),
    mediaType: random.pick(['application/xml', '', 'image/EUR']),
    fields: Object.fromEntries(names.map((name) => [name, random.list(0, 3, () => random.pick(VALUES))])),
    content: random.chance(80)
      ? xml()
      : random.pick<Subject['content']>([{ kind: 'opaque' }, { kind: 'json', value: {} }]),
    origin: {
      from: random.pick(JIDS),
      to: random.pick(JIDS),
      node: random.pick(['', 'in', 'in/a', 'EUR']),
      stanza: random.pick(['iq', 'message', 'publish']),
      headers: random.chance(50) ? { a: random.pick(['E', '10', '']) } : {},
    },
  })
}

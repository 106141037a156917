import { afterAll, describe, expect, it } from 'vitest'
import { releaseTrees } from '../../src/documents/parsed.ts'
import { compileByLibxml2 } from '../../src/documents/xpath.ts'
import type { Route } from '../../src/domain/route.ts'
import { compileRoutes } from '../../src/matching/matcher.ts'
import type { Subject } from '../../src/matching/subject.ts'
import type { CompileXPath } from '../../src/matching/xpath.ts'
import { generator, NAMESPACES, type Random, randomRoutes, randomSubject, randomXPath } from './random.ts'
import { routeOf } from './samples.ts'

afterAll(releaseTrees)

/** libxml2 for everything: nothing of it is shared with the index. */
const byLibxml2: CompileXPath = (expression, namespaces) => {
  const compiled = compileByLibxml2(`boolean(${expression})`, namespaces)
  if (compiled.kind === 'error') return compiled
  return { kind: 'ok', test: (content) => content.kind === 'xml' && compiled.xpath.answer(content) === true }
}

interface Difference {
  readonly index: readonly string[]
  readonly oneByOne: readonly string[]
}

/** Where the index and asking each route by itself differ; undefined where they agree. */
function differenceOn(routes: readonly Route[], subject: Subject): Difference | undefined {
  const { matcher } = compileRoutes(routes, byLibxml2)
  const index = matcher.match(subject).routes
  const oneByOne = matcher.explain(subject).decision.routes
  return index.join() === oneByOne.join() ? undefined : { index, oneByOne }
}

/** Leaves out what isn't needed for the difference: whole routes, then single conditions. */
function shrunk(routes: readonly Route[], subject: Subject): readonly Route[] {
  for (const at of routes.keys()) {
    const fewer = routes.toSpliced(at, 1)
    if (differenceOn(fewer, subject)) return shrunk(fewer, subject)
  }
  for (const [at, route] of routes.entries()) {
    for (const key of Object.keys(route.when)) {
      if (key === 'namespaces') continue
      const { [key as 'type']: _, ...when } = route.when
      const simpler = routes.with(at, { ...route, when })
      if (differenceOn(simpler, subject)) return shrunk(simpler, subject)
    }
  }
  return routes
}

const SEED = Number(process.env.WAYBILL_TEST_SEED ?? 20_260_401)
const PAIRS = Number(process.env.WAYBILL_TEST_PAIRS ?? 10_000)
const DOCUMENTS = 20

describe('the index', () => {
  it(`finds what asking each route by itself with libxml2 finds, on ${PAIRS} random pairs (seed ${SEED})`, () => {
    const random = generator(SEED)
    let matched = 0
    for (let pair = 0; pair < PAIRS; pair += DOCUMENTS) matched += compare(random)
    // Pairs that match nothing would agree whatever they are.
    expect(matched).toBeGreaterThan(PAIRS / 4)
  }, 120_000)
})

describe('an expression', () => {
  const WORDS = ['/', '//', '[', ']', '(', ')', '@', '*', '.', '..', '|', '=', '!=', '<', '-', 'and', 'not(', 'count(']
  const MORE = [
    'a:x',
    'x',
    'c:y',
    '1',
    "'te'",
    "'",
    'text()',
    'child::',
    'ancestor::x',
    'position()',
    'é',
    '$v',
    ' ',
    '::',
  ]

  it(`throws nothing, however broken it is, on 5000 random ones (seed ${SEED})`, () => {
    const random = generator(SEED + 1)
    const subjects = random.list(4, 4, () => randomSubject(random))
    let valid = 0
    for (let count = 0; count < 5_000; count++) {
      const soup = random.list(1, 8, () => random.pick([...WORDS, ...MORE])).join(random.pick(['', ' ']))
      const whole = randomXPath(random)
      const at = random.below(whole.length)
      const broken = whole.slice(0, at) + random.pick([...WORDS, ...MORE]) + whole.slice(at + random.below(3))
      const xpath = random.pick([soup, broken])
      const { matcher, problems } = compileRoutes(
        [routeOf('r', { when: { xpath, namespaces: NAMESPACES } })],
        byLibxml2,
      )
      for (const subject of subjects) expect(matcher.match(subject)).toEqual(matcher.explain(subject).decision)
      if (problems.length === 0) valid += 1
    }
    expect(valid).toBeGreaterThan(500)
  }, 120_000)
})

function compare(random: Random): number {
  const routes = randomRoutes(random, 12)
  const { matcher, problems } = compileRoutes(routes, byLibxml2)
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
  let matched = 0
  for (let count = 0; count < DOCUMENTS; count++) {
    const subject = randomSubject(random)
    const index = matcher.match(subject)
    const { routes: explained, decision } = matcher.explain(subject)
    if (index.routes.join() !== decision.routes.join()) {
      const culprits = shrunk(routes, subject)
      expect({
        culprits: culprits.map(({ when }) => when),
        subject,
        ...differenceOn(culprits, subject),
      }).toBeUndefined()
    }
    expect(index).toEqual(decision)
    expect(explained.length).toBe(routes.length)
    matched += index.routes.length
  }
  return matched
}

import { afterAll, expect, it } from 'vitest'
import { compileXPathTest } from '../../src/documents/documents.ts'
import { releaseTrees } from '../../src/documents/parsed.ts'
import type { Route } from '../../src/domain/route.ts'
import { compileRoutes } from '../../src/matching/matcher.ts'
import { createRouteSet } from '../../src/matching/route-set.ts'
import { generator, randomRoutes, randomSubject } from './random.ts'

afterAll(releaseTrees)

const CHANGES = 400
const DOCUMENTS = 5

it('matches after each of many changes, with documents between them, as routes do that were all there from the beginning', () => {
  const random = generator(20_261_121)
  const { matcher, changeAtOnce } = createRouteSet(compileXPathTest)
  const present = new Map<string, Route>()
  let matched = 0
  for (let change = 0; change < CHANGES; change++) {
    const remove = [...present.keys()].filter(() => random.chance(present.size > 40 ? 30 : 5))
    for (const name of remove) present.delete(name)
    // Some of them replace routes that are there.
    const add = randomRoutes(random, 4).map((route) => ({ ...route, name: `r${random.below(60)}` }))
    for (const route of add) present.set(route.name, route)
    changeAtOnce({ remove, add })
    const fresh = compileRoutes([...present.values()], compileXPathTest).matcher
    for (let count = 0; count < DOCUMENTS; count++) {
      const subject = randomSubject(random)
      const found = matcher.match(subject)
      expect(found).toEqual(fresh.match(subject))
      matched += found.routes.length
    }
  }
  expect(matched).toBeGreaterThan(CHANGES)
})

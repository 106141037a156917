import { describe, expect, it } from 'vitest'
import type { Route } from '../../src/domain/route.ts'
import { compileRoutes } from '../../src/matching/matcher.ts'
import { shadowedRoutes } from '../../src/matching/shadows.ts'
import { routeOf, subjectOf, toJid, xpathEngine } from './samples.ts'

const valid = subjectOf()
const invalid = subjectOf({ valid: false })
const ordinary = routeOf('ordinary')
const wanting = routeOf('wanting', { takes: 'invalid' })
const either = routeOf('either', { takes: 'both' })
const matcherOf = (...routes: readonly Route[]) => compileRoutes(routes, xpathEngine).matcher

describe('a route that is for invalid documents', () => {
  it.each([
    ['a valid document goes to those that ask for nothing else, or for both', valid, ['either', 'ordinary']],
    ['an invalid one goes to those alone that ask for it', invalid, ['either', 'wanting']],
  ])('%s', (_, subject, expected) => {
    const matcher = matcherOf(ordinary, wanting, either)
    expect(matcher.match(subject).routes).toEqual(expected)
    expect(matcher.explain(subject).decision.routes).toEqual(expected)
  })

  it.each([
    ['an invalid document has no route where none asks for it', [ordinary], []],
    ['otherwise is for the invalid only where it says so', [routeOf('rest', { otherwise: true })], []],
    ['and is asked then', [ordinary, routeOf('rest', { otherwise: true, takes: 'invalid' })], ['rest']],
    ['a stop of a route that is not for it stops nothing', [routeOf('a', { stop: true }), wanting], ['wanting']],
  ])('%s', (_, routes, expected) => {
    expect(matcherOf(...routes).match(invalid).routes).toEqual(expected)
  })

  it('is told as the reason', () => {
    const failed = (subject: typeof valid) => {
      const { routes } = matcherOf(ordinary, wanting).explain(subject)
      return routes.flatMap((one) => (one.failed ? [`${one.route}: ${one.failed.message}`] : []))
    }
    expect(failed(valid)).toEqual(['wanting: takes: expected an invalid document, found a valid one'])
    expect(failed(invalid)).toEqual(['ordinary: takes: expected a valid document, found an invalid one'])
  })

  it('is shadowed by one that is for the same documents, and by no other', () => {
    const stopping = (takes?: Route['takes']) => routeOf('a', { stop: true, priority: 9, ...(takes && { takes }) })
    const shadowed = (above: Route) =>
      shadowedRoutes([above, { ...wanting, deliver: [toJid('elsewhere@x.example')] }]).map(({ route }) => route)
    expect(shadowed(stopping())).toEqual([])
    expect(shadowed(stopping('invalid'))).toEqual(['wanting'])
    expect(shadowed(stopping('both'))).toEqual(['wanting'])
  })

  it('says nothing else than one for valid documents, without being a duplicate of it', () => {
    expect(shadowedRoutes([ordinary, wanting])).toEqual([])
  })
})

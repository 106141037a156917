import { afterAll, describe, expect, it } from 'vitest'
import { releaseTrees } from '../../src/documents/parsed.ts'
import { createRouteSet } from '../../src/matching/route-set.ts'
import { is, routeOf, subjectOf, xpathEngine } from './samples.ts'

afterAll(releaseTrees)

const never = async () => {}

describe('a set of routes that changes', () => {
  it('takes routes in and out by their names, and replaces those of the same name', async () => {
    const set = createRouteSet(xpathEngine)
    const matching = () => set.matcher.matching(subjectOf()).map(({ name }) => name)
    await set.change({ add: [routeOf('a'), routeOf('b'), routeOf('c')] }, never)
    expect(matching()).toEqual(['a', 'b', 'c'])
    await set.change({ remove: ['b', 'unheard-of'], add: [routeOf('a', { when: { type: ['order'] } })] }, never)
    expect(matching()).toEqual(['c'])
    await set.change({ add: [routeOf('b', { priority: 1 }), routeOf('b', { priority: -1 })] }, never)
    expect(matching()).toEqual(['c', 'b'])
    await set.change({ remove: ['a', 'b', 'c'] }, never)
    expect(matching()).toEqual([])
  })

  it('tells what is wrong with the routes that come in, and never matches them', async () => {
    const set = createRouteSet(xpathEngine)
    const problems = await set.change({ add: [routeOf('a', { when: { xpath: '/u:x' } }), routeOf('b')] }, never)
    expect(problems.map(({ route, code }) => [route, code])).toEqual([['a', 'xpath-invalid']])
    expect(set.matcher.match(subjectOf()).routes).toEqual(['b'])
    expect(set.matcher.explain(subjectOf()).routes[0]?.failed?.condition).toBe('when')
    await set.change({ add: [routeOf('a')] }, never)
    expect(set.matcher.match(subjectOf()).routes).toEqual(['a', 'b'])
  })

  it('is asked by documents between the steps of a change, and answers as before until all of it is there', async () => {
    const set = createRouteSet(xpathEngine)
    const routes = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, at) => routeOf(`r${from + at}`, { when: { fields: { f: is('x') } } }))
    const found = () => set.matcher.matching(subjectOf({ fields: { f: ['x'] } })).length
    await set.change({ add: routes(0, 300) }, never)
    const seen: number[] = []
    const gone = routes(0, 200).map(({ name }) => name)
    for (const _ of set.changeInSteps({ remove: gone, add: routes(300, 1000) })) {
      seen.push(found())
      if (seen.length % 100 === 0) {
        expect(set.matcher.explain(subjectOf({ fields: { f: ['x'] } })).decision.routes.length).toBe(found())
      }
    }
    // 300 of before, or 100 of them and 700 new ones; nothing between.
    expect(new Set(seen)).toEqual(new Set([300, 800]))
    expect(seen.filter((count) => count === 300).length).toBeGreaterThan(800)
    expect(seen.filter((count) => count === 800).length).toBeGreaterThan(800)
    expect(found()).toBe(800)
  })

  it('makes one change after the other, whoever asks first', async () => {
    const set = createRouteSet(xpathEngine)
    const slowly = () => new Promise<void>((resolve) => setImmediate(resolve))
    const many = Array.from({ length: 300 }, (_, at) => routeOf(`r${at}`))
    await Promise.all([
      set.change({ add: many }, slowly),
      set.change({ remove: many.map(({ name }) => name) }, slowly),
      set.change({ add: [routeOf('last')] }, slowly),
    ])
    expect(set.matcher.match(subjectOf()).routes).toEqual(['last'])
  })
})

import { describe, expect, it } from 'vitest'
import type { Conditions } from '../../src/domain/route.ts'
import { compileRoutes } from '../../src/matching/matcher.ts'
import { is, routeOf, subjectOf, whenOf, xpathEngine } from './samples.ts'

const explainOf = (when: Partial<Conditions>, given: Parameters<typeof subjectOf>[0]) =>
  compileRoutes([routeOf('r', { when })], xpathEngine).matcher.explain(subjectOf(given)).routes[0]!

const eur = whenOf({ fields: { currency: is('EUR') } })
const bank = whenOf({ from: ['*@bank.example'] })
const failing = whenOf({ xpath: "id('throw')" })

describe('groups of conditions', () => {
  it('explain a failed any with what failed first in each group', () => {
    const { failed } = explainOf({ any: [eur, bank] }, { fields: { currency: ['USD'] } })
    expect(failed).toMatchObject({
      condition: 'any',
      message:
        'any: expected (fields.currency: EUR) or (from: *@bank.example), found fields.currency: USD, from: a@suppliers.example/desk',
      alternatives: [
        { holds: false, conditions: [{ condition: 'fields.currency', found: 'USD', holds: false }] },
        { holds: false, conditions: [{ condition: 'from', holds: false }] },
      ],
    })
  })

  it('explain a failed not with what held', () => {
    const { failed } = explainOf({ not: [bank, eur] }, { fields: { currency: ['EUR'] } })
    expect(failed).toMatchObject({ condition: 'not', found: 'fields.currency: EUR' })
    expect(failed!.alternatives!.map(({ holds }) => holds)).toEqual([false, true])
  })

  it('name what fails within all by its own name, in its turn', () => {
    const when = { all: [whenOf({ fields: { currency: is('EUR') } }), whenOf({ fields: { currency: is('USD') } })] }
    const { held, failed } = explainOf(when, { fields: { currency: ['EUR'] } })
    expect(held.map(({ condition, expected }) => [condition, expected])).toEqual([['fields.currency', 'EUR']])
    expect(failed).toMatchObject({ condition: 'fields.currency', expected: 'USD', found: 'EUR' })
  })

  it.each<readonly [string, Partial<Conditions>, 'matches' | 'fails', boolean]>([
    ['an any of which one group is unknown and another holds', { any: [failing, whenOf()] }, 'matches', false],
    ['an any of which one group is unknown and the others fail', { any: [failing, eur] }, 'fails', true],
    ['a not around what is unknown', { not: [failing] }, 'fails', true],
    ['a not around what is unknown and fails besides', { not: [{ ...failing, ...eur }] }, 'matches', false],
    ['a not of which another group holds', { not: [failing, whenOf()] }, 'fails', false],
    ['a not around a not around what is unknown', { not: [whenOf({ not: [failing] })] }, 'fails', true],
  ])('%s', (_, when, outcome, isUnknown) => {
    const { matcher } = compileRoutes([routeOf('r', { when })], xpathEngine)
    const { routes, decision } = matcher.explain(subjectOf())
    expect(routes[0]!.outcome).toBe(outcome)
    expect(decision.refused.map(({ reason }) => reason)).toEqual(isUnknown ? ['xpath-failed'] : [])
    expect(matcher.match(subjectOf())).toEqual(decision)
  })

  it('complain of what does not compile where it stands', () => {
    const when = { any: [whenOf(), whenOf({ not: [whenOf({ xpath: 'x:y' })] })], all: [whenOf({ from: ['@'] })] }
    const { problems } = compileRoutes([routeOf('r', { when })], xpathEngine)
    expect(problems.map(({ code, path }) => [code, path])).toEqual([
      ['pattern-invalid', ['when', 'all', 0, 'from', 0]],
      ['xpath-invalid', ['when', 'any', 1, 'not', 0, 'xpath']],
    ])
  })
})

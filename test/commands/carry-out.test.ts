import { describe, expect, it } from 'vitest'
import { carryOut } from '../../src/commands/carry-out.ts'
import { type DeadFilterWords, filtersTyped } from '../../src/commands/dead-filter.ts'
import { keptOutput } from './given.ts'

describe('an operation on many', () => {
  it.each<[string, DeadFilterWords & { readonly rule?: string }, string]>([
    ['by a cause', { group: 'zzz' }, '--group zzz'],
    [
      'by several filters',
      { type: 'nope', field: ['a=1', 'b=2'], limit: 5 },
      '--type nope --field a=1 --field b=2 --limit 5',
    ],
    ['by a rule', { rule: 'element-missing' }, '--rule element-missing'],
    ['by none', {}, '--all'],
  ])('that chooses nothing %s says so, and is fine', async (_, words, filters) => {
    for (const dryRun of [true, false]) {
      const kept = keptOutput()
      const one = () => Promise.reject(new Error('nothing is chosen'))
      const carrying = { ids: [], filters: filtersTyped(words), dryRun, dryRunAsked: false, one, sentence: () => '' }
      expect(await carryOut(carrying, kept.output)).toBe(0)
      expect(kept.text()).toBe(`Nothing was done: nothing is chosen by ${filters}`)
    }
  })
})

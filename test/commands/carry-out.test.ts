import { describe, expect, it } from 'vitest'
import { carryOut, whereTo } from '../../src/commands/carry-out.ts'
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

describe('where something goes that was matched', () => {
  const [erp, node] = ['erp@backend.example', 'xmpp:p.example?;node=usd/{currency}']
  it.each<[string, { to: string[]; impossible?: string[]; expired?: string[] }, string]>([
    ['nowhere, since it has expired', { to: [], expired: [erp] }, `nobody: it has expired for ${erp}`],
    ['to an address', { to: [erp] }, erp],
    ['to several', { to: [erp, 'b@x.example'] }, `${erp}, b@x.example`],
    ['nowhere, since no route matches', { to: [] }, 'nobody: no route matches'],
    [
      'nowhere, since the only address is refused',
      { to: [], impossible: [node] },
      `nobody: no address may be used of ${node} (a dead letter address-refused)`,
    ],
    [
      'to one, while others are refused',
      { to: [erp], impossible: [node, '{to}@x.example'] },
      `${erp}; no address may be used of ${node}, {to}@x.example (2 dead letters address-refused)`,
    ],
  ])('%s', (_, result, expected) => {
    expect(whereTo({ kind: 'done', ...result }, 'no route matches')).toBe(expected)
  })
})

import { describe, expect, it } from 'vitest'
import { dead } from '../../src/commands/dead.ts'
import { readDeadFilter } from '../../src/commands/dead-filter.ts'
import { deadReasons } from '../../src/domain/delivery.ts'
import { keptOutput } from './given.ts'

describe('what chooses dead letters', () => {
  it.each(deadReasons)('may be the reason %s', (reason) => {
    expect(readDeadFilter({ reason }, 0)).toEqual({ reason })
  })

  it('may not be a reason that there is none of', () => {
    expect(() => readDeadFilter({ reason: 'tries-exhusted' }, 0)).toThrow(
      /^Cannot choose by --reason tries-exhusted: it is none of no-route, .*parked.*\(did you mean "tries-exhausted"\?\)$/,
    )
  })

  it.each([
    ['redrive', { type: 'order' }, '--type order'],
    ['redrive', { reason: 'refused', since: '2h' }, '--reason refused --since 2h'],
    ['drop', { destination: 'erp@example.org', reason: 'why' }, '--destination erp@example.org'],
    ['park', { field: ['a=1'], reason: 'why' }, '--field a=1'],
  ] as const)('is not passed over beside an ID: %s %j', async (verb, words, typed) => {
    const { output } = keptOutput()
    await expect(dead('/nowhere', verb, 'an-id', { by: 'me', ...words }, output)).rejects.toMatchObject({
      exitCode: 2,
      message: `Cannot choose: filters go with --all, found ${typed} beside the ID an-id`,
    })
  })

  it.each(['ls', 'groups'] as const)('is no ID: %s', async (verb) => {
    const { output } = keptOutput()
    await expect(dead('/nowhere', verb, 'an-id', { by: 'me' }, output)).rejects.toMatchObject({
      exitCode: 2,
      message: 'Cannot choose by the ID an-id: waybill dead DIR show ID, or filters',
    })
  })
})

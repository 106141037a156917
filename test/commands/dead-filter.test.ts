import { describe, expect, it } from 'vitest'
import { readDeadFilter } from '../../src/commands/dead-filter.ts'
import { deadReasons } from '../../src/domain/delivery.ts'

describe('what chooses dead letters', () => {
  it.each(deadReasons)('may be the reason %s', (reason) => {
    expect(readDeadFilter({ reason }, 0)).toEqual({ reason })
  })

  it('may not be a reason that there is none of', () => {
    expect(() => readDeadFilter({ reason: 'tries-exhusted' }, 0)).toThrow(
      /^Cannot choose by --reason tries-exhusted: it is none of no-route, .*parked.*\(did you mean "tries-exhausted"\?\)$/,
    )
  })
})

import { describe, expect, it } from 'vitest'
import { type CompatibilityMode, isAllowed, judgeVersion } from '../../../src/documents/evolution/compatibility.ts'
import type { Verdict } from '../../../src/documents/evolution/verdict.ts'

/** Versions are texts; one accepts another's documents where it holds all of its letters, and nothing is known of “?”. */
function compare(old: string, next: string): Verdict {
  if (`${old}${next}`.includes('?')) return { kind: 'unknown', reasons: [] }
  const isKept = [...old].every((letter) => next.includes(letter))
  const place = { path: '', message: '', old: '', new: '' }
  const witness = { ...place, document: '', mediaType: 'application/xml', refusal: '' } as const
  return isKept ? { kind: 'compatible' } : { kind: 'incompatible', witness, others: [] }
}

describe('what a mode lets pass', () => {
  it.each<[CompatibilityMode, string[], string, boolean]>([
    ['none', ['ab'], 'x', true],
    ['backward', ['ab'], 'abc', true],
    ['backward', ['ab'], 'a', false],
    ['backward', ['abc', 'ab'], 'ab', true],
    ['backward-transitive', ['abc', 'ab'], 'ab', false],
    ['forward', ['ab'], 'a', true],
    ['forward', ['ab'], 'abc', false],
    ['forward', ['a', 'ab'], 'ab', true],
    ['forward-transitive', ['a', 'ab'], 'ab', false],
    ['full', ['ab'], 'ba', true],
    ['full', ['ab'], 'abc', false],
    ['full-transitive', ['a', 'ab'], 'ab', false],
    ['full', ['?'], 'a', false],
    ['none', ['?'], 'a', true],
    ['full-transitive', [], 'a', true],
  ])('%s after %j: %s is allowed: %s', (mode, earlier, candidate, allowed) => {
    expect(isAllowed(judgeVersion(mode, earlier, candidate, compare))).toBe(allowed)
  })

  it('a transitive mode asks the newest version first', () => {
    const asked = judgeVersion('full-transitive', ['a', 'b'], 'c', compare).map(({ direction, against }) => [
      direction,
      against,
    ])
    expect(asked).toEqual([
      ['backward', 'b'],
      ['forward', 'b'],
      ['backward', 'a'],
      ['forward', 'a'],
    ])
  })
})

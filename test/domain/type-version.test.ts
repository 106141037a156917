import { describe, expect, it } from 'vitest'
import { compareVersions, newestOf, parseVersionCondition, versionsMeeting } from '../../src/domain/type-version.ts'

const version = (text: string, deprecated?: string) => ({ version: text, deprecated })

describe('versions are compared part by part', () => {
  it.each([
    ['2.0', '2.1'],
    ['2.1', '2.10'],
    ['2.9', '2.10'],
    ['2.1', '2.1.1'],
    ['2025-12', '2026-01'],
    ['1.0-alpha', '1.0-beta'],
    ['', '1'],
  ])('%s is older than %s', (older, newer) => {
    expect(compareVersions(older, newer)).toBeLessThan(0)
    expect(compareVersions(newer, older)).toBeGreaterThan(0)
    expect(compareVersions(newer, newer)).toBe(0)
  })
})

describe('what a route asks of versions', () => {
  const types = [version('1.9'), version('2.0', 'old'), version('2.1'), version('3', 'withdrawn')]

  it.each([
    ['2.1', ['2.1']],
    ['4', []],
    ['newest', ['2.1']],
    ['>=2.0', ['2.0', '2.1', '3']],
    ['>=2.0 <3', ['2.0', '2.1']],
    ['<2', ['1.9']],
    ['<=2.0', ['1.9', '2.0']],
    ['>2.1', ['3']],
  ])('%s is met by %j', (text, expected) => {
    expect(versionsMeeting(parseVersionCondition(text)!, types).map((type) => type.version)).toEqual(expected)
  })

  it.each(['', '>', '> 2', '2.0 3', '>=2.0, <3', '=2', ' newest', '>=2 newest', 'v 2'])(
    '%j is no condition',
    (text) => {
      expect(parseVersionCondition(text)).toBeUndefined()
    },
  )

  it('the newest is a deprecated one where there is no other', () => {
    expect(newestOf([version('1', 'old'), version('2', 'old')])?.version).toBe('2')
    expect(newestOf([])).toBeUndefined()
  })
})

import { expect, it } from 'vitest'
import type { Atoms } from '../../src/matching/index/atoms.ts'
import { nextDown, nextUp, orderedBits } from '../../src/matching/index/doubles.ts'
import { createNumberTable } from '../../src/matching/index/number-table.ts'
import { createRangeIndex } from '../../src/matching/index/ranges.ts'
import { generator } from './random.ts'

const VALUES = [0, 1, -1, 0.5, 1e-300, 1e300, -1e9, 12.34, 12.35, 100, 1000, 65_536, Number.MIN_VALUE]

it('doubles are stepped through and ordered as numbers are', () => {
  for (const value of VALUES) {
    expect(nextUp(value)).toBeGreaterThan(value)
    expect(nextDown(nextUp(value))).toBe(value)
  }
  expect([nextUp(0), nextDown(0)]).toEqual([Number.MIN_VALUE, -Number.MIN_VALUE])
  const bits = VALUES.toSorted((a, b) => a - b).map(orderedBits)
  expect(bits).toEqual(bits.toSorted((a, b) => a - b))
})

it('a table of numbers keeps what a Map keeps, through additions and removals', () => {
  const random = generator(7)
  const differing: number[] = []
  const [table, map] = [createNumberTable(), new Map<number, number>()]
  for (let step = 0; step < 20_000; step++) {
    const key = random.below(300) * 2 ** random.below(40)
    if (random.chance(45)) {
      table.delete(key)
      map.delete(key)
    } else {
      table.set(key, step)
      map.set(key, step)
    }
    const asked = random.below(300) * 2 ** random.below(40)
    if (table.get(asked) !== (map.get(asked) ?? -1)) differing.push(asked)
  }
  expect(differing).toEqual([])
})

it('ranges are found by a number, among many, through additions and removals', () => {
  const random = generator(8)
  const first = new Float64Array(4_000)
  const second = new Float64Array(4_000)
  const index = createRangeIndex({ first, second } as unknown as Atoms)
  const present = new Set<number>()
  const end = () => (random.below(2_000) - 1_000) / random.pick([1, 10, 1000])
  for (let atom = 0; atom < first.length; atom++) {
    const [low, high] = [end(), end()].toSorted((a, b) => a - b)
    first[atom] = random.chance(10) ? Number.NEGATIVE_INFINITY : low!
    const narrow = random.chance(20) ? first[atom]! + 0.01 : high!
    second[atom] = random.chance(10) ? Number.POSITIVE_INFINITY : narrow
    if (first[atom]! > second[atom]!) second[atom] = first[atom]!
    index.add(atom)
    present.add(atom)
    if (random.chance(40)) {
      const gone = random.pick([...present])
      index.remove(gone)
      present.delete(gone)
    }
    if (atom % 20 !== 0) continue
    const value = random.chance(50) ? end() : first[random.pick([...present])]!
    const found = new Set<number>()
    index.find(value, (one) => found.add(one))
    expect(found).toEqual(new Set([...present].filter((one) => first[one]! <= value && value <= second[one]!)))
    const between = new Set<number>()
    index.findBetween(-1, 1, (one) => between.add(one))
    expect(between).toEqual(new Set([...present].filter((one) => first[one]! >= -1 && first[one]! <= 1)))
  }
})

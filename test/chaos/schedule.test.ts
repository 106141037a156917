import { describe, expect, it } from 'vitest'
import { seededRandom } from '../redis/model.ts'
import { planDocuments } from './documents.ts'
import { FAULT_KINDS, loadMs, PACES, planFaults } from './schedule.ts'

const plan = (seed: number) => {
  const random = seededRandom(seed)
  const faults = planFaults(60, random)
  return { faults, documents: planDocuments(500, loadMs(faults), random) }
}

describe('the plan of a run', () => {
  it('follows from the seed', () => {
    expect(plan(1)).toEqual(plan(1))
    expect(plan(1)).not.toEqual(plan(2))
  })

  it('has every kind of fault before any of them comes again', () => {
    const kinds = plan(3).faults.map(({ kind }) => kind)
    expect(new Set(kinds.slice(0, FAULT_KINDS.length))).toEqual(new Set(FAULT_KINDS))
  })

  it('lasts longer than its last fault, and has documents all the while', () => {
    const { faults, documents } = plan(4)
    const end = loadMs(faults)
    for (const { atMs, lastsMs } of faults) expect(atMs + lastsMs).toBeLessThan(end)
    const times = documents.flat().map(({ atMs }) => atMs)
    expect(Math.max(...times)).toBeGreaterThan(end * 0.99)
    expect(Math.max(...times)).toBeLessThan(end)
  })

  it('is shorter at the quick pace', () => {
    const quick = planFaults(60, seededRandom(1), PACES.quick)
    expect(loadMs(quick)).toBeLessThan(loadMs(planFaults(60, seededRandom(1))) / 2)
  })
})

import { afterEach, describe, expect, it } from 'vitest'
import type { Log } from '../src/flow/ports.ts'
import { meetNeighbours, type Neighbours } from '../src/neighbours.ts'
import type { LivingProcess, Presence, ProcessState } from '../src/redis/presence.ts'

/** What all processes of a test have said. */
function company() {
  const said = new Map<string, ProcessState>()
  const living = async (): Promise<readonly LivingProcess[]> => {
    return [...said].map(([instance, state]) => ({ instance, ...state }))
  }
  const presenceOf = (instance: string): Presence => ({
    async announce(state) {
      said.set(instance, state)
      return living()
    },
    async leave() {
      said.delete(instance)
    },
    living,
  })
  return { said, presenceOf }
}

const open: Neighbours[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.stop()))
})

interface Character {
  readonly patienceMs?: number
  readonly log?: Log
}

function meet(instance: string, presence: Presence, { patienceMs = 120_000, log = () => {} }: Character = {}) {
  const state = { inForce: 'old' }
  const inForce = () => state.inForce
  const met = meetNeighbours({ presence, instance, holds: () => [], inForce, log, patienceMs })
  open.push(met)
  return { ...met, state, agree: met.agree }
}

describe('processes that change their configuration', () => {
  it('take the new one over when each of them has it ready, and none before', async () => {
    const { presenceOf } = company()
    const [one, other] = [meet('one', presenceOf('one')), meet('other', presenceOf('other'))]
    await other.tell()
    const taken: string[] = []
    const first = one.agree('new').then(() => {
      taken.push('one')
      one.state.inForce = 'new'
    })
    await one.tell()
    await other.tell()
    expect(taken).toEqual([])
    await other.agree('new')
    other.state.inForce = 'new'
    await first
    expect(taken).toEqual(['one'])
  })

  it('wait for nobody that is alone, or has left', async () => {
    const { presenceOf } = company()
    const [one, other] = [meet('one', presenceOf('one')), meet('other', presenceOf('other'))]
    await other.tell()
    await other.stop()
    await one.agree('new')
  })

  it('wait no longer than their patience for one that does not get it ready, and say who it was', async () => {
    const { presenceOf } = company()
    const lines: unknown[][] = []
    const one = meet('one', presenceOf('one'), { patienceMs: 500, log: (...line) => void lines.push(line) })
    const other = meet('other', presenceOf('other'))
    await other.tell()
    await one.agree('new')
    expect(lines).toContainEqual(['warn', 'reload-not-agreed', { digest: 'new', without: ['other'] }])
  })
})

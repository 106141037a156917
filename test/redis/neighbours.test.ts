import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { meetNeighbours, type Neighbours } from '../../src/neighbours.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { closeStores, freshPrefix, keepLog, openTestStore } from './fixtures.ts'

let redis: RunningRedis
const met: Neighbours[] = []
beforeAll(async () => {
  redis = await startRedis()
})
afterEach(async () => {
  await Promise.all(met.splice(0).map((one) => one.stop()))
  await closeStores()
})
afterAll(() => redis?.stop())

/** A process that tells the others what is in force, by a connection of its own. */
async function meet(prefix: string, instance: string) {
  const { presence } = await openTestStore(redis.url, { prefix, instance })
  const state = { inForce: 'old' }
  const { log, lines } = keepLog()
  const neighbours = meetNeighbours({ presence, instance, holds: () => [], inForce: () => state.inForce, log })
  met.push(neighbours)
  return {
    neighbours,
    lines,
    inForce: () => state.inForce,
    async change() {
      await neighbours.agree('new')
      state.inForce = 'new'
    },
  }
}

describe('two processes on one Redis', () => {
  it('change together: the first one that is ready waits for the other, and neither is waited for in vain', async () => {
    const prefix = freshPrefix()
    const [one, other] = [await meet(prefix, 'one'), await meet(prefix, 'other')]
    await other.neighbours.tell()
    const changing = one.change()
    // It has said that it is ready, and has heard twice since that the other one is not.
    await other.neighbours.tell()
    const isHeard = () => other.neighbours.others.some(({ ready }) => ready === 'new')
    for (let told = 0; told < 3 || !isHeard(); told += 1) {
      await other.neighbours.tell()
      expect(one.inForce()).toBe('old')
    }
    await Promise.all([changing, other.change()])
    expect([one.inForce(), other.inForce()]).toEqual(['new', 'new'])
    expect([...one.lines, ...other.lines]).toEqual([])
    await one.neighbours.tell()
    await other.neighbours.tell()
    expect(other.neighbours.others).toEqual([{ instance: 'one', holds: [], inForce: 'new', ready: 'new' }])
  })

  it('change without one that has taken its leave', async () => {
    const prefix = freshPrefix()
    const [one, other] = [await meet(prefix, 'one'), await meet(prefix, 'other')]
    await other.neighbours.tell()
    await other.neighbours.stop()
    await one.change()
    expect(one.inForce()).toBe('new')
    expect(one.lines).toEqual([])
  })
})

describe('processes that tell that they live', () => {
  it('are known for some seconds by the clock of Redis, whatever theirs is, and forgotten then', async () => {
    const prefix = freshPrefix()
    const open = async (instance: string, awayMs: number) => {
      const clock = () => Date.now() + awayMs
      return (await openTestStore(redis.url, { prefix, instance, clock })).presence
    }
    const [early, late, looking] = [
      await open('early', -3_600_000),
      await open('late', 3_600_000),
      await open('looking', 3_600_000),
    ]
    const state = { holds: ['w.example.org'], inForce: 'a', ready: 'b' }
    const names = async () => (await looking.living()).map(({ instance }) => instance).toSorted()
    expect(await early.announce(state)).toEqual([{ instance: 'early', ...state }])
    expect(await late.announce(state)).toHaveLength(2)
    expect(await names(), 'who only looks is none of them').toEqual(['early', 'late'])
    const client = new Redis(redis.url)
    const key = `{${prefix}:0}:processes`
    const lastsMs = Number((await client.hget(key, 'early'))!.split(' ')[0]) - Number((await client.time())[0]) * 1_000
    expect(lastsMs).toBeGreaterThan(0)
    expect(lastsMs).toBeLessThan(10_000)
    await client.hset(key, 'early', `${Date.now() - 60_000} {}`)
    expect(await names()).toEqual(['late'])
    expect(await client.hkeys(key), 'nothing of it is left').toEqual(['late'])
    await late.leave()
    expect(await names()).toEqual([])
    client.disconnect()
  })
})

import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { RedisStore } from '../../src/redis/store.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { acceptance, balances, closeStores, openTestStore, plan, type SetClock, setClock } from './fixtures.ts'
import { seededRandom } from './model.ts'

let redis: RunningRedis
let client: Redis
let clock: SetClock
let store: RedisStore

beforeAll(async () => {
  redis = await startRedis()
  client = new Redis(redis.url)
})
afterEach(closeStores)
afterAll(async () => {
  client?.disconnect()
  await redis?.stop()
})

async function openWith(): Promise<void> {
  clock = setClock(1_800_000_000_000)
  store = await openTestStore(redis.url, { clock })
}

const record = (result: string) => ({ atMs: clock(), result })

/** As many at once as a busy machine answers within the store's patience of five seconds. */
function partsOf<T>(all: readonly T[], most = 500): T[][] {
  return Array.from({ length: Math.ceil(all.length / most) }, (_, at) => all.slice(at * most, (at + 1) * most))
}

/** Accepts `count` documents of each lane, by turns; gives their delivery ids, lane by lane, in the order of acceptance. */
async function acceptInLanes(lanes: readonly string[], count: number): Promise<Map<string, string[]>> {
  const ids = new Map<string, string[]>(lanes.map((lane) => [lane, []]))
  for (let turn = 0; turn < count; turn++) {
    const batch = lanes.map((lane) => acceptance({ receivedAtMs: clock(), deliveries: [plan({ lane })] }))
    for (const part of partsOf(batch)) await Promise.all(part.map((one) => store.accept([one])))
    for (const [at, lane] of lanes.entries()) ids.get(lane)!.push(`${batch[at]!.envelope.id}.0`)
  }
  return ids
}

/** Works like the deliverer: begins what is due, ends it, goes on with what became free. Gives what was delivered, in order. */
async function deliverAll(wakeFor: readonly string[], kindOf: () => 'delivered' | 'retry' | 'void'): Promise<string[]> {
  const delivered: string[] = []
  const endOne = async (id: string): Promise<readonly string[]> => {
    const kind = kindOf()
    const dueAtMs = clock() + 500
    const freed = await store.end(
      kind === 'delivered' ? { id, kind, record: record(kind) } : { id, kind, dueAtMs, record: record(kind) },
    )
    if (kind === 'delivered') delivered.push(id)
    return freed
  }
  let ids = wakeFor
  for (let idle = 0; idle < 3; ) {
    const freed: string[] = []
    for (const part of partsOf(ids)) {
      const started = await store.start(part, [])
      freed.push(...(await Promise.all(started.map(({ id }) => endOne(id)))).flat())
    }
    ids = freed
    if (ids.length > 0) continue
    clock.nowMs += 1_000
    ids = await store.due(2_000)
    idle = ids.length === 0 ? idle + 1 : 0
  }
  return delivered
}

describe('order over many keys', () => {
  it('holds for each of 5,000 keys through retries and lost connections, and leaves no lane behind', {
    timeout: 240_000,
  }, async () => {
    await openWith()
    const lanes = Array.from({ length: 5_000 }, (_, at) => `sensor-${at}@devices.example`)
    const accepted = await acceptInLanes(lanes, 3)
    const random = seededRandom(7)
    const kindOf = () => {
      const drawn = random()
      if (drawn < 0.1) return 'retry'
      return drawn < 0.2 ? 'void' : 'delivered'
    }
    const delivered = await deliverAll([...accepted.values()].flat(), kindOf)
    expect(delivered).toHaveLength(15_000)
    const at = new Map(delivered.map((id, index) => [id, index]))
    const inverted = [...accepted.values()].filter((ids) =>
      ids.some((id, n) => n > 0 && at.get(id)! < at.get(ids[n - 1]!)!),
    )
    expect(inverted).toEqual([])
    expect(await client.keys('*:lane:*')).toEqual([])
    expect(await balances(store)).toEqual([])
  })

  it('shows a lane in each look, however its first goes from state to state meanwhile, and among many without', async () => {
    await openWith()
    const [ids] = (await acceptInLanes(['quick@suppliers.example'], 2)).values()
    const [first] = ids!
    // Alone in their lanes, and so many that a look takes several parts.
    await acceptInLanes(
      Array.from({ length: 2_000 }, (_, at) => `shop-${at}@suppliers.example`),
      1,
    )
    let isLooking = true
    const goRound = async () => {
      while (isLooking) {
        await store.start([first!], [])
        await store.end({ id: first!, kind: 'void', dueAtMs: clock(), record: record('void') })
      }
    }
    const going = goRound()
    const looks = []
    for (let count = 0; count < 20; count++)
      looks.push((await store.lanes()).map(({ id, waiting }) => ({ id, waiting })))
    isLooking = false
    await going
    expect(looks).toEqual(Array.from({ length: 20 }, () => [{ id: first, waiting: 1 }]))
  })

  it('costs the other keys less than a twentieth while 1,000 documents wait behind one that is refused', async () => {
    const others = Array.from({ length: 50 }, (_, at) => `shop-${at}@suppliers.example`)
    /** How many commands Redis runs, those of scripts included, for 500 documents of other keys. */
    const commandsFor = async (stuck: number): Promise<number> => {
      await openWith()
      const [head] = (await acceptInLanes(['stuck@suppliers.example'], stuck + 1)).values()
      await store.start([head![0]!], [])
      await store.end({ id: head![0]!, kind: 'retry', dueAtMs: clock() + 3_600_000, record: record('timeout') })
      await client.config('RESETSTAT')
      const accepted = await acceptInLanes(others, 10)
      expect(await deliverAll([...accepted.values()].flat(), () => 'delivered')).toHaveLength(500)
      const stats = await client.info('commandstats')
      const total = [...stats.matchAll(/^cmdstat_(?!info|config).*?calls=(\d+)/gm)].reduce(
        (sum, [, n]) => sum + Number(n),
        0,
      )
      expect((await store.lanes()).map(({ waiting }) => waiting)).toEqual(stuck === 0 ? [] : [stuck])
      return total
    }
    const alone = await commandsFor(0)
    const beside = await commandsFor(1_000)
    expect(alone).toBeGreaterThan(5_000)
    expect(beside).toBeLessThan(alone * 1.05)
  })
})

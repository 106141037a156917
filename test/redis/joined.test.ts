import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { joinStores } from '../../src/redis/joined.ts'
import { shardOf } from '../../src/redis/keys.ts'
import type { RedisStore } from '../../src/redis/store.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import {
  acceptance,
  accepted,
  closeStores,
  freshPrefix,
  imbalances,
  openTestStore,
  plan,
  setClock,
} from './fixtures.ts'

let redis: RunningRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterEach(closeStores)
afterAll(() => redis?.stop())

const BY = { by: 'ops' }
const holding = { findings: [], total: 1 }

/** Two shards of one installation, each with a document that waits and one that found no route. */
async function openBoth(clock: () => number = Date.now) {
  const changes = {
    prefix: freshPrefix(),
    clock,
    archive: { keepMs: 3_600_000, count: 100, bytes: 1 << 20, types: [] },
  }
  const first = await openTestStore(redis.url, changes)
  const second = await openTestStore(redis.url, { ...changes, shard: shardOf('w2.example.org') })
  const ids = []
  for (const store of [first, second]) {
    ids.push(await accepted(store, { deliveries: [plan()] }))
    ids.push(await accepted(store, { type: 'stray', deliveries: [] }))
  }
  // A name that every object has something under; the other shard knows nothing of it.
  ids.push(await accepted(second, { type: 'constructor', deliveries: [plan({ route: 'toString' })] }))
  return { first, second, joined: joinStores([first, second]), ids }
}

describe('the shards of an installation, as operators see them', () => {
  it('are one ledger, one depth and one list of dead letters', async () => {
    const { joined } = await openBoth()
    const ledger = await joined.ledger()
    expect(ledger.documents).toMatchObject({ accepted: 5, waiting: 3, dead: 2 })
    expect(ledger.types.constructor).toMatchObject({ accepted: 1, waiting: 1 })
    expect(ledger.routes.toString).toMatchObject({ planned: 1, waiting: 1 })
    expect(ledger.types.stray).toMatchObject({ accepted: 2, dead: 2 })
    expect(imbalances(ledger)).toEqual([])
    expect(await joined.depth()).toMatchObject({ waiting: 3, dead: 2 })
    expect(await joined.dead({})).toHaveLength(2)
    expect(await joined.dead({ limit: 1 })).toHaveLength(1)
    const groups = await joined.deadGroups({})
    expect(groups.map(({ count }) => count)).toEqual([2])
  })

  it('are as late as the one that is latest', async () => {
    const clock = setClock(1_800_000_000_000)
    const { first, joined, ids } = await openBoth(clock)
    expect(await first.park(ids[0]!, 'later', 'ops')).toBe('ended')
    clock.nowMs += 50
    expect((await joined.depth()).oldestDueMs).toBe(50)
  })

  it('are asked whether they take writes, each of them, and closed together', async () => {
    const { second, joined } = await openBoth()
    await joined.probeWrites()
    await second.close()
    await expect(joined.probeWrites()).rejects.toThrow()
    const other = await openBoth()
    await other.joined.close()
    for (const store of [other.first, other.second]) await expect(store.ledger()).rejects.toThrow()
  })

  it('know a document wherever it is, and change it there', async () => {
    const { first, second, joined, ids } = await openBoth()
    for (const id of ids) expect((await joined.trace(id))?.id).toBe(id)
    const waiting = ids[2]!
    expect(await joined.park(`${waiting}.0`, 'later', 'ops')).toBe('ended')
    expect((await second.trace(waiting))?.state).toBe('dead')
    expect(await joined.redrive(waiting, BY)).toBe(true)
    expect(await second.due(9)).toContain(`${waiting}.0`)
    expect(await first.due(9)).toEqual([`${ids[0]}.0`])
    expect(await joined.redrive('01900000-0000-7000-8000-ffffffffffff', BY)).toBe(false)
  })

  it('do there what is asked for of a delivery, a document without route, and one that is held', async () => {
    const { second, joined, ids } = await openBoth()
    const [waiting, stray] = [ids[2]!, ids[3]!]
    expect(await joined.drop(`${waiting}.0`, 'a mistake', 'ops')).toBe('ended')
    expect((await second.trace(waiting))!.deliveries).toMatchObject([{ reason: 'a mistake (ops)' }])
    expect(await joined.replan(stray, [plan()], BY)).toBe(true)
    expect((await second.trace(stray))!.state).toBe('waiting')
    expect(await joined.park(stray, 'later', 'ops')).toBe('ended')
    expect((await second.trace(stray))!.deliveries[0]!.attempts.at(-1)?.text).toBe('by ops: later')
    const [one, other] = [await accepted(second, { holding }), await accepted(second, { holding })]
    expect(await joined.plan(one, { fields: {}, deliveries: [plan()] }, { ...BY, reason: 'agreed' })).toBe(true)
    expect(await joined.refuse(other, { ...BY, reason: 'not ours' })).toBe(true)
    expect((await second.trace(one))!.state).toBe('waiting')
    expect((await second.trace(other))!.state).toBe('dropped')
    expect(String(await joined.payload(other))).toBe('undefined')
    expect(String(await joined.payload(one))).toContain('order')
  })

  it('are sent again what one of them has archived, there', async () => {
    const { second, joined, ids } = await openBoth()
    expect((await joined.archivedDocument(ids[2]!))?.id).toBe(ids[2])
    const { envelope, deliveries } = acceptance()
    const again = { of: ids[2]!, by: 'ops', reason: 'lost' }
    const [answer] = await joined.accept([{ envelope: { ...envelope, again }, deliveries }])
    expect(answer!.kind).toBe('accepted')
    expect((await second.trace(envelope.id))?.again).toEqual(again)
  })
})

const breaker = {
  kind: 'open',
  sinceMs: 1,
  condition: 'timeout',
  text: '',
  failedAtMs: 1,
  probes: 0,
  nextProbeMs: 2,
  firstMs: 1,
  maxMs: 9,
  late: false,
} as const

describe('lists of all shards', () => {
  /** In each shard one after the other, by turns. */
  async function byTurns() {
    const { first, second, joined } = await openBoth()
    const ids: string[] = []
    for (const [at, store] of [first, second, first, second].entries()) {
      ids.push(await accepted(store, { holding, receivedAtMs: Date.now() + at }))
    }
    return { first, second, joined, newest: ids.reverse() }
  }

  it('of what is held begin with the newest, and end where they are told to', async () => {
    const { joined, newest } = await byTurns()
    const idsOf = async (limit?: number) =>
      (await joined.held(limit === undefined ? {} : { limit })).map(({ id }) => id)
    expect(await idsOf()).toEqual(newest)
    expect(await idsOf(3)).toEqual(newest.slice(0, 3))
  })

  it('of what is archived begin with the newest, and end where they are told to', async () => {
    const { joined, ids } = await openBoth()
    const found = await joined.archived({})
    expect(found.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
    expect(found).toEqual(found.toSorted((one, other) => other.receivedAtMs - one.receivedAtMs))
    expect(await joined.archived({ limit: 2 })).toEqual(found.slice(0, 2))
  })

  it('of lanes begin with the longest; of open destinations and bytes they have all', async () => {
    const { first, second, joined } = await openBoth()
    for (const [store, many] of [
      [first, 2],
      [second, 3],
    ] as const) {
      for (let index = 0; index < many; index++) await accepted(store, { deliveries: [plan({ lane: 'l' })] })
    }
    expect((await joined.lanes()).map(({ waiting }) => waiting)).toEqual([2, 1])
    const bytes = async () => (await joined.ledger()).bytes.waiting
    expect(await bytes()).toBe((await first.ledger()).bytes.waiting + (await second.ledger()).bytes.waiting)
    expect((await joined.ledger()).deliveries.waiting).toBe(8)
    for (const [store, destination] of [
      [first, 'a@x.example'],
      [second, 'b@x.example'],
    ] as const) {
      await store.keepOpen([{ destination, breaker }])
    }
    expect((await joined.openDestinations()).map(({ destination }) => destination)).toEqual([
      'a@x.example',
      'b@x.example',
    ])
  })

  it('of causes are of one each, from the first death to the last, the largest first', async () => {
    const clock = setClock(1_800_000_000_000)
    const { first, second, joined } = await openBoth(clock)
    const die = async (store: RedisStore, type: string) => {
      clock.nowMs += 1
      await accepted(store, { type, deliveries: [] })
    }
    for (const store of [first, first, first]) await die(store, 'lonely')
    for (const store of [second, first, second, second]) await die(store, 'lost')
    const [lost, ...others] = await joined.deadGroups({})
    expect([lost!.count, ...others.map(({ count }) => count)]).toEqual([4, 3, 2])
    expect([lost!.firstDiedAtMs, lost!.lastDiedAtMs]).toEqual([1_800_000_000_004, clock()])
    expect(lost!.example).toBe((await second.dead({ limit: 1 }))[0]!.id)
    const times = (await joined.dead({})).map(({ diedAtMs }) => diedAtMs - 1_800_000_000_000)
    expect(times).toEqual([7, 6, 5, 4, 3, 2, 1, 0, 0])
  })
})

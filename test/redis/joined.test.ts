import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { joinStores } from '../../src/redis/joined.ts'
import { shardOf } from '../../src/redis/keys.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { accepted, closeStores, freshPrefix, imbalances, openTestStore, plan } from './fixtures.ts'

let redis: RunningRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterEach(closeStores)
afterAll(() => redis?.stop())

const BY = { by: 'ops' }

/** Two shards of one installation, each with a document that waits and one that found no route. */
async function openBoth() {
  const prefix = freshPrefix()
  const first = await openTestStore(redis.url, { prefix })
  const second = await openTestStore(redis.url, { prefix, shard: shardOf('w2.example.org') })
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
})

import { inspect } from 'node:util'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { ProcessFigures } from '../../src/domain/process-figures.ts'
import { StoreUnavailable } from '../../src/flow/ports.ts'
import { durabilityProblems, keepDurability } from '../../src/redis/durability.ts'
import type { Durability, RedisInspection } from '../../src/redis/inspection.ts'
import { eventually } from '../eventually.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { acceptance, accepted, closeStores, freshPrefix, keepLog, openTestStore } from './fixtures.ts'

let redis: RunningRedis

beforeAll(async () => {
  redis = await startRedis({ config: { maxmemory: '100mb' } })
  const client = new Redis(redis.url)
  await client.call('ACL', 'SETUSER', 'default', '-config')
  client.disconnect()
})
afterEach(closeStores)
afterAll(() => redis?.stop())

const good: RedisInspection = {
  version: '7.0.15',
  appendonly: 'yes',
  appendfsync: 'everysec',
  maxmemoryPolicy: 'noeviction',
  maxmemory: 0,
  usedMemory: 1,
  replicas: 0,
  clockSkewMs: 0,
}

describe('durability', () => {
  const cases: readonly [
    wanted: 'memory' | 'everysec' | 'fsync',
    changes: Partial<RedisInspection>,
    problems: RegExp[],
  ][] = [
    ['memory', {}, []],
    ['memory', { appendonly: 'no', appendfsync: 'no' }, []],
    ['memory', { maxmemoryPolicy: 'allkeys-lru' }, [/maxmemory-policy is allkeys-lru, it must be noeviction/]],
    ['everysec', {}, []],
    ['everysec', { appendfsync: 'always' }, []],
    ['everysec', { appendonly: 'no' }, [/appendonly is no, it must be yes/]],
    ['everysec', { appendfsync: 'no' }, [/appendfsync is no, it must be everysec or always/]],
    [
      'everysec',
      { appendonly: undefined, appendfsync: undefined },
      [/appendonly is not told/, /appendfsync is not told/],
    ],
    ['everysec', { maxmemoryPolicy: undefined }, [/maxmemory-policy is not told/]],
    ['fsync', {}, [/appendfsync is everysec, it must be always \(Redis 7\.0\.15 has no WAITAOF\)/]],
    ['fsync', { appendfsync: 'always' }, []],
    ['fsync', { version: '7.2.0' }, []],
    ['fsync', { version: '8.0.1', appendfsync: 'no' }, [/it must be everysec or always/]],
    ['fsync', { version: '7.2.0', appendonly: 'no' }, [/appendonly is no/]],
    ['fsync', { version: 'unknown' }, [/it must be always/]],
  ]
  const named = cases.map(([wanted, changes, problems]) => ({ wanted, changes, problems, what: inspect(changes) }))
  it.each(named)('$wanted with $what has $problems.length problems', ({ wanted, changes, problems }) => {
    const found = durabilityProblems({ ...good, ...changes }, wanted)
    expect(found).toHaveLength(problems.length)
    problems.forEach((problem, index) => {
      expect(found[index]).toMatch(problem)
    })
  })
})

describe('inspect', () => {
  it('tells what Redis is set to', async () => {
    const plain = await startRedis()
    const store = await openTestStore(plain.url)
    const inspection = await store.inspect()
    expect(inspection).toMatchObject({ appendonly: 'yes', maxmemoryPolicy: 'noeviction' })
    expect(inspection.version).toMatch(/^\d+\.\d+\.\d+$/)
    expect(Math.abs(inspection.clockSkewMs)).toBeLessThan(1_000)
    expect(durabilityProblems(inspection, 'everysec')).toEqual([])
    await closeStores()
    await plain.stop()
  })

  it('of a Redis that refuses CONFIG leaves unknown what it can not know, and that is a problem', async () => {
    const store = await openTestStore(redis.url)
    const inspection = await store.inspect()
    expect(inspection).toMatchObject({ appendonly: undefined, appendfsync: undefined, maxmemoryPolicy: 'noeviction' })
    expect(inspection.maxmemory).toBe(100 * 1024 * 1024)
    expect(durabilityProblems(inspection, 'everysec')).toHaveLength(2)
  })
})

describe('a connection to another Redis than before', () => {
  it('that offers less than is promised accepts nothing, and says why; when it offers that again, it goes on', async () => {
    const other = await startRedis()
    const client = new Redis(other.url)
    const { log, lines } = keepLog()
    try {
      const store = await openTestStore(other.url, { log })
      await accepted(store)
      // As a replica that was made the primary might be.
      await client.config('SET', 'appendonly', 'no')
      await client.call('CLIENT', 'KILL', 'TYPE', 'normal')
      await eventually(() => lines.some(({ event }) => event === 'durability-not-kept'))
      await expect(store.accept([acceptance()])).rejects.toThrow(/appendonly is no, it must be yes/)
      await client.config('SET', 'appendonly', 'yes')
      await eventually(() => accepted(store))
      await eventually(async () => (await client.info('persistence')).includes('aof_rewrite_in_progress:0'))
    } finally {
      client.disconnect()
      await closeStores()
      await other.stop()
    }
  })
})

describe('what is written', () => {
  /** Durability that is kept by a Redis which says how many have synced. */
  function keeping(durability: Durability, replicas: number, synced: readonly [number, number]) {
    const answering = { on: () => {}, call: async () => synced, wait: async () => synced[1] }
    const inspection = { ...good, version: '7.2.0', replicas }
    return keepDurability(answering as unknown as Redis, inspection, { durability, replicas, log: () => {} })
  }

  it.each<[Durability, number, [number, number], isKept: boolean]>([
    ['fsync', 0, [1, 0], true],
    ['fsync', 0, [0, 0], false],
    ['fsync', 1, [1, 1], true],
    ['fsync', 1, [1, 0], false],
    ['everysec', 0, [0, 0], true],
    ['everysec', 1, [0, 1], true],
    ['everysec', 1, [0, 0], false],
  ])(
    'with %s and %i replicas counts as kept where %j have synced: %s',
    async (durability, replicas, synced, isKept) => {
      const kept = await keeping(durability, replicas, synced)
        .confirm()
        .then(
          () => true,
          (error: unknown) => !(error instanceof StoreUnavailable),
        )
      expect(kept).toBe(isKept)
    },
  )
})

describe('a connection that could not be looked at when it began', () => {
  it('is looked at again, and accepts', async () => {
    const other = await startRedis()
    const client = new Redis(other.url)
    try {
      const store = await openTestStore(other.url)
      await client.call('ACL', 'SETUSER', 'default', '-time')
      await client.call('CLIENT', 'KILL', 'TYPE', 'normal')
      await eventually(() => store.ready)
      await expect(store.accept([acceptance()])).rejects.toThrow(/^Cannot accept: .*NOPERM/)
      await client.call('ACL', 'SETUSER', 'default', '+time')
      await accepted(store)
    } finally {
      client.disconnect()
      await closeStores()
      await other.stop()
    }
  })
})

describe('figures of processes', () => {
  const figuresOf = (instance: string, accepted: number): ProcessFigures => ({
    ...{ instance, domain: 'waybill.example', role: 'holder', version: '0.1.0', sinceMs: 1, cpu: 0.5 },
    perSecond: { accepted, duplicate: 0, rejected: 0, delivered: 0, dead: 0, attempts: 0, checked: 0 },
    ...{ acceptMs: { p50: 1, p99: 2 }, deliveryMs: null, checking: 0, residentBytes: 1e8 },
  })

  it('are those that each told last, and are forgotten by themselves', async () => {
    const prefix = freshPrefix()
    const [one, other] = [await openTestStore(redis.url, { prefix }), await openTestStore(redis.url, { prefix })]
    expect(await one.figures()).toEqual([])
    await other.tellFigures(figuresOf('beta', 7))
    await one.tellFigures(figuresOf('alpha', 1))
    await one.tellFigures(figuresOf('alpha', 2))
    expect(await one.figures()).toEqual([figuresOf('alpha', 2), figuresOf('beta', 7)])
    const client = new Redis(redis.url)
    const key = `{${prefix}:0}:figures`
    const leftMs = await client.pttl(key)
    expect(leftMs).toBeGreaterThan(0)
    expect(leftMs).toBeLessThanOrEqual(5_000)
    // As it stands when the process has told nothing for longer than that.
    await client.hset(key, 'beta', `1 ${JSON.stringify(figuresOf('beta', 7))}`)
    expect(await one.figures()).toEqual([figuresOf('alpha', 2)])
    await one.tellFigures(figuresOf('alpha', 3))
    expect(await client.hkeys(key)).toEqual(['alpha'])
    client.disconnect()
  })
})

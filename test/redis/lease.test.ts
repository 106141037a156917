import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { openLease, type RedisLease } from '../../src/redis/lease.ts'
import { eventually } from '../eventually.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { freshPrefix, keepLog, type LogLine } from './fixtures.ts'

const DOMAIN = 'waybill.example.test'
const LENGTH_MS = 3_000

let redis: RunningRedis
let client: Redis
const open: RedisLease[] = []

beforeAll(async () => {
  // What Redis has said is in its file when it is killed (docs/adr/0005).
  redis = await startRedis({ config: { maxmemory: '20mb', appendfsync: 'always' } })
  client = new Redis(redis.url)
  client.on('error', () => undefined)
})
afterEach(async () => {
  redis.signal('SIGCONT')
  await Promise.all(open.splice(0).map((lease) => lease.close()))
})
afterAll(async () => {
  client?.disconnect()
  await redis?.stop()
})

interface Contender {
  readonly lease: RedisLease
  readonly lines: readonly LogLine[]
}

async function contend(prefix: string, instance: string, domain = DOMAIN): Promise<Contender> {
  const { log, lines } = keepLog()
  const lease = await openLease({ url: redis.url, prefix, domain, instance, lengthMs: LENGTH_MS, log })
  open.push(lease)
  return { lease, lines }
}

/** What befalls a process that is killed: nothing is released, nothing is renewed. */
async function takeAndVanish(prefix: string, instance: string): Promise<void> {
  const { lease } = await contend(prefix, instance)
  expect(await lease.tryTake()).toBe(true)
}

const keyOf = (prefix: string, domain = DOMAIN) => `{${prefix}:0}:lease:${domain}`

describe('a lease', () => {
  it('is taken once; the others hear who has it, and since when', async () => {
    const prefix = freshPrefix()
    const contenders = await Promise.all(['one', 'two', 'three', 'four'].map((name) => contend(prefix, name)))
    const answers = await Promise.all(contenders.map(({ lease }) => lease.tryTake()))
    expect(answers.filter((taken) => taken)).toHaveLength(1)
    const holder = await client.hgetall(keyOf(prefix))
    for (const [at, { lease, lines }] of contenders.entries()) {
      expect(lease.held).toBe(answers[at])
      expect(lease.wasOthers).toBe(!answers[at])
      if (answers[at]) continue
      expect(lease.other).toEqual({ instance: holder.holder, sinceMs: Number(holder.since) })
      expect(lines).toContainEqual(expect.objectContaining({ level: 'info', event: 'standby' }))
    }
    expect(Math.abs(Number(holder.since) - Date.now())).toBeLessThan(10_000)
  })

  it('of another domain, or of another installation, is another lease', async () => {
    const prefix = freshPrefix()
    const contenders = [
      await contend(prefix, 'one'),
      await contend(prefix, 'two', 'other.example.test'),
      await contend(freshPrefix(), 'three'),
    ]
    for (const { lease } of contenders) expect(await lease.tryTake()).toBe(true)
  })

  it('is renewed for as long as its holder lives, and nobody else gets it', async () => {
    const prefix = freshPrefix()
    const { lease } = await contend(prefix, 'one')
    const changes: boolean[] = []
    lease.onChange((held) => changes.push(held))
    await lease.take()
    const { lease: standby } = await contend(prefix, 'two')
    let taken = false
    void standby.take().then(() => {
      taken = true
    })
    const since = await client.hget(keyOf(prefix), 'since')
    const until = performance.now() + 2 * LENGTH_MS
    await eventually(
      () => {
        expect(lease.held).toBe(true)
        return performance.now() > until
      },
      { timeoutMs: 60_000 },
    )
    expect(taken).toBe(false)
    expect(standby.held).toBe(false)
    expect(changes).toEqual([true])
    expect(await client.hget(keyOf(prefix), 'since')).toBe(since)
  })

  it('has ended for a machine that was suspended, whose monotonic clock stood still; then it is asked for again', async () => {
    const { lease, lines } = await contend(freshPrefix(), 'one')
    await lease.take()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + LENGTH_MS })
    try {
      expect(lease.held).toBe(false)
      await eventually(() => lease.held)
      const told = lines.filter(({ level }) => level !== 'debug').map(({ event }) => event)
      expect(told).toEqual(['lease-taken', 'lease-lost', 'lease-taken'])
    } finally {
      vi.useRealTimers()
    }
    expect(lease.held, 'set back').toBe(true)
  })

  it('that is not renewed has ended for its holder before another one can have it', async () => {
    const prefix = freshPrefix()
    const { lease } = await contend(prefix, 'one')
    const beforeMs = performance.now()
    expect(await lease.tryTake()).toBe(true)
    const { lease: next } = await contend(prefix, 'two')
    const taken = next.take().then(() => ({ stillHeld: lease.held, afterMs: performance.now() - beforeMs }))
    const { stillHeld, afterMs } = await taken
    expect(stillHeld).toBe(false)
    expect(afterMs).toBeGreaterThan(LENGTH_MS - 50)
    expect(next.wasOthers).toBe(true)
    expect(next.other).toBe(undefined)
  })

  it('that is released is another one’s at once', async () => {
    const prefix = freshPrefix()
    const { lease } = await contend(prefix, 'one')
    await lease.take()
    const { lease: next } = await contend(prefix, 'two')
    const taken = next.take()
    await eventually(() => next.other?.instance === 'one')
    await lease.release()
    expect(lease.held).toBe(false)
    expect(await client.exists(keyOf(prefix))).toBe(0)
    await taken
    expect(next.held).toBe(true)
  })

  it('that is released while it is asked for is not held', async () => {
    const prefix = freshPrefix()
    const { lease } = await contend(prefix, 'one')
    const changes: boolean[] = []
    lease.onChange((held) => changes.push(held))
    void lease.take()
    await lease.release()
    expect({ held: lease.held, changes }).toEqual({ held: false, changes: [] })
    expect(await client.exists(keyOf(prefix))).toBe(0)
  })

  it('is never released by who does not hold it', async () => {
    const prefix = freshPrefix()
    await takeAndVanish(prefix, 'one')
    const { lease } = await contend(prefix, 'two')
    expect(await lease.tryTake()).toBe(false)
    await lease.release()
    expect(await client.hget(keyOf(prefix), 'holder')).toBe('one')
  })

  it('can be given up while it is waited for', async () => {
    const prefix = freshPrefix()
    await takeAndVanish(prefix, 'one')
    const { lease } = await contend(prefix, 'two')
    const given = new AbortController()
    const taken = lease.take(given.signal)
    await eventually(() => lease.other)
    given.abort()
    await expect(taken).rejects.toThrow('Cannot take waybill.example.test')
  })

  it('ends by our own clock while Redis is frozen, and is taken again when it answers', async () => {
    const prefix = freshPrefix()
    const { lease, lines } = await contend(prefix, 'one')
    const changes: boolean[] = []
    lease.onChange((held) => changes.push(held))
    await lease.take()
    redis.signal('SIGSTOP')
    const frozenAt = performance.now()
    // Seen to be held last: when it is seen to have ended depends on the machine as well.
    let heldAt = frozenAt
    await eventually(() => {
      const now = performance.now()
      if (!lease.held) return true
      heldAt = now
      return false
    })
    // An eighth before Redis ends it, however the clocks run.
    expect(heldAt - frozenAt).toBeLessThanOrEqual((LENGTH_MS * 7) / 8)
    await eventually(() => changes.length === 2)
    redis.signal('SIGCONT')
    await eventually(() => lease.held, { timeoutMs: 60_000 })
    await eventually(() => changes.length === 3)
    expect(changes).toEqual([true, false, true])
    expect(lines.filter(({ event }) => event === 'lease-lost')).toHaveLength(1)
  })

  it('has one holder again after a restart of Redis', async () => {
    const prefix = freshPrefix()
    const { lease } = await contend(prefix, 'one')
    await lease.take()
    const { lease: standby } = await contend(prefix, 'two')
    void standby.take()
    await eventually(() => standby.other)
    await redis.kill('SIGKILL')
    await redis.start()
    await eventually(async () => (await client.hget(keyOf(prefix), 'holder')) !== null)
    await eventually(() => lease.held || standby.held)
    expect(lease.held && standby.held, 'both').toBe(false)
  })

  it('is renewed while Redis has no memory left', async () => {
    const prefix = freshPrefix()
    const { lease } = await contend(prefix, 'one')
    await lease.take()
    const filled = async () => {
      for (let at = 0; at < 40; at++) await client.set(`${prefix}-fill-${at}`, Buffer.alloc(1_000_000))
    }
    await expect(filled()).rejects.toThrow('OOM')
    const before = performance.now()
    await eventually(() => performance.now() - before > LENGTH_MS, { timeoutMs: 60_000 })
    expect(lease.held).toBe(true)
    await client.del(...Array.from({ length: 40 }, (_, at) => `${prefix}-fill-${at}`))
  })
})

import { afterEach, describe, expect, it } from 'vitest'
import { StoreUnavailable } from '../../src/flow/ports.ts'
import { eventually } from '../eventually.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { acceptance, accepted, balances, closeStores, openTestStore, plan } from './fixtures.ts'

const BY = { by: 'ops' }

const running: RunningRedis[] = []

async function startOne(config: Readonly<Record<string, string>> = {}): Promise<RunningRedis> {
  const redis = await startRedis({ config })
  running.push(redis)
  return redis
}

afterEach(async () => {
  for (const redis of running) redis.signal('SIGCONT')
  await closeStores()
  await Promise.all(running.splice(0).map((redis) => redis.stop()))
})

const HEARD_MS = 7_500

describe('a server that refuses connections', () => {
  const nobody = { host: '127.0.0.1', port: 1 }

  it.each([
    ['is waited for by a process', {}, /^Cannot ask Redis: no connection in time \(.*ECONNREFUSED/],
    ['is not by who asks once', { isAskedOnce: true }, /^Cannot ask Redis: 127\.0\.0\.1:1 refuses connections/],
    [
      'is, where a cluster may say which one it is by then',
      { isAskedOnce: true, cluster: [nobody] },
      /no connection in/,
    ],
  ])('%s', { concurrent: true }, async (_, changes, says) => {
    await expect(openTestStore('redis://127.0.0.1:1', changes)).rejects.toThrow(says)
  })
})

describe('kill -9 of Redis with appendfsync always', () => {
  it('loses nothing that was answered, and the ledger balances', async () => {
    const redis = await startOne({ appendfsync: 'always' })
    const store = await openTestStore(redis.url, { durability: 'fsync' })
    const answered: string[] = []
    const ended = new Set<string>()
    for (let round = 0; round < 3; round++) {
      let stopped = false
      const traffic = (async () => {
        while (!stopped) {
          const lane = `l${round}`
          const id = await accepted(store, { deliveries: [plan({ lane }), plan({ to: 'b@x.example' })] }).catch(
            () => undefined,
          )
          if (id) answered.push(id)
          const started = await store.start(await store.due(4).catch(() => []), []).catch(() => [])
          for (const { id: delivery } of started) {
            const record = { atMs: 1, result: 'delivered' }
            const done = await store.end({ id: delivery, kind: 'delivered', record }).catch(() => undefined)
            if (done) ended.add(delivery)
          }
        }
      })()
      const enough = answered.length + 20
      await eventually(() => answered.length >= enough, { what: 'traffic' })
      await redis.kill('SIGKILL')
      await redis.start()
      await eventually(() => store.ready, { what: 'the store is ready again' })
      stopped = true
      await traffic
      expect(await balances(store)).toEqual([])
    }
    for (const id of answered) expect((await store.trace(id))?.id).toBe(id)
    expect((await store.ledger()).deliveries.delivered).toBeGreaterThanOrEqual(ended.size)
    for (const id of ended) {
      const trace = await store.trace(id.split('.')[0]!)
      expect(trace!.deliveries[Number(id.split('.')[1])]!.state).toBe('delivered')
    }
  })
})

describe('while Redis is away', () => {
  it('every call says so within a bound, and the store works again by itself', async () => {
    const redis = await startOne({ appendfsync: 'always' })
    const store = await openTestStore(redis.url)
    const id = await accepted(store)
    await redis.kill('SIGKILL')
    const sinceMs = Date.now()
    const calls = [
      () => store.accept([acceptance()]),
      () => store.start([`${id}.0`], []),
      () => store.end({ id: `${id}.0`, kind: 'delivered', record: { atMs: 1, result: 'x' } }),
      () => store.due(5),
      () => store.reclaim(),
      () => store.redrive(id, BY),
      () => store.drop(id, 'x', 'y'),
      () => store.replan(id, [plan()], BY),
      () => store.bounce(id, 'a@x.example', { dueAtMs: 1 }, { atMs: 1, result: 'x' }),
      () => store.trace(id),
      () => store.progress(`${id}.0`),
      () => store.payload(id),
      () => store.dead({}),
      () => store.ledger(),
      () => store.prune(),
      () => store.depth(),
      () => store.inspect(),
    ]
    const errors = await Promise.all(
      calls.map((call) =>
        call().then(
          () => undefined,
          (error: unknown) => error,
        ),
      ),
    )
    expect(errors.map((error) => error instanceof StoreUnavailable)).toEqual(calls.map(() => true))
    expect(Date.now() - sinceMs).toBeLessThan(HEARD_MS)
    expect(store.ready).toBe(false)
    await redis.start()
    await eventually(() => store.ready)
    expect((await store.trace(id))?.state).toBe('waiting')
  })

  it('an accept that began before a short restart is answered after it', async () => {
    const redis = await startOne()
    const store = await openTestStore(redis.url)
    await redis.kill('SIGKILL')
    const [[answer]] = await Promise.all([store.accept([acceptance()]), redis.start()])
    expect(answer!.kind).toBe('accepted')
  })

  it('a store does not open', async () => {
    const redis = await startOne()
    await redis.kill('SIGKILL')
    await expect(openTestStore(redis.url)).rejects.toBeInstanceOf(StoreUnavailable)
  })
})

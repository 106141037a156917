import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { StoreUnavailable } from '../../src/flow/ports.ts'
import { openWakes, type RedisWakes } from '../../src/redis/wakes.ts'
import { eventually } from '../eventually.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { accepted, closeStores, freshPrefix, keepLog, openTestStore } from './fixtures.ts'

let redis: RunningRedis
let client: Redis
const open: RedisWakes[] = []

beforeAll(async () => {
  redis = await startRedis()
  client = new Redis(redis.url)
  client.on('error', () => undefined)
})
afterEach(async () => {
  redis.signal('SIGCONT')
  await Promise.all(open.splice(0).map((wakes) => wakes.close()))
  await closeStores()
})
afterAll(async () => {
  client?.disconnect()
  await redis?.stop()
})

async function openTestWakes(prefix = freshPrefix()): Promise<RedisWakes> {
  const wakes = await openWakes({ url: redis.url, prefix, log: keepLog().log })
  open.push(wakes)
  return wakes
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `d.${index}`)

describe('a wake', () => {
  it('that another process took during a pause may be woken for again', async () => {
    const prefix = freshPrefix()
    const [first, second] = [await openTestWakes(prefix), await openTestWakes(prefix)]
    const came: Record<'first' | 'second', string[]> = { first: [], second: [] }
    first.work(async (ids) => void came.first.push(...ids), { concurrency: 1 })
    await first.pause()
    second.work(async (ids) => void came.second.push(...ids), { concurrency: 1 })
    // One of the first may still be fetched by a read that had begun before the pause, and is lost then.
    for (const id of ['a', 'b', 'c']) await first.wake([id], 0)
    await eventually(() => came.second.includes('c'))
    await second.pause()
    first.resume()
    await first.wake(['c'], 0)
    await eventually(() => came.first.includes('c'))
  })

  it('brings all ids to the handler, at most 128 at a time, and leaves nothing behind', async () => {
    const prefix = freshPrefix()
    const wakes = await openTestWakes(prefix)
    const came: (readonly string[])[] = []
    wakes.work(async (ids) => void came.push(ids), { concurrency: 4 })
    await wakes.wake(numbered(300), 0)
    await eventually(() => came.flat().length === 300)
    expect(came.flat().toSorted()).toEqual(numbered(300).toSorted())
    expect(Math.max(...came.map((ids) => ids.length))).toBe(128)
    const jobs = () => client.keys(`{${prefix}:0}:bull:wakes:[0-9]*`)
    await eventually(async () => (await jobs()).length === 0, { what: 'no job is left' })
    const keys = await client.keys(`*${prefix}*`)
    expect(keys.filter((key) => !key.startsWith(`{${prefix}:0}:bull:wakes:`))).toEqual([])
  })

  it('gathers many callers into few jobs', async () => {
    const wakes = await openTestWakes()
    const came: (readonly string[])[] = []
    await Promise.all(numbered(500).map((id) => wakes.wake([id], 0)))
    wakes.work(async (ids) => void came.push(ids), { concurrency: 4 })
    await eventually(() => came.flat().length === 500)
    expect(came.length).toBeLessThanOrEqual(6)
  })

  it('with a delay comes then, and not before', async () => {
    const wakes = await openTestWakes()
    const came = new Map<string, number>()
    wakes.work(async (ids) => ids.forEach((id) => void came.set(id, Date.now())), { concurrency: 1 })
    const sinceMs = Date.now()
    await wakes.wake(['later'], 700)
    await wakes.wake(['now'], 0)
    await eventually(() => came.size === 2)
    expect(came.get('now')! - sinceMs).toBeLessThan(500)
    expect(came.get('later')! - sinceMs).toBeGreaterThanOrEqual(690)
  })

  it('for what is on its way already is not doubled; an earlier one goes through', async () => {
    const wakes = await openTestWakes()
    await wakes.wake(['a', 'b'], 60_000)
    await wakes.wake(['a', 'b'], 60_000)
    await wakes.wake(['b', 'c'], 0)
    await wakes.wake(['b', 'c'], 0)
    const came: string[] = []
    wakes.work(async (ids) => void came.push(...ids), { concurrency: 4 })
    await eventually(() => came.length >= 2)
    await wakes.wake(['b'], 0)
    await eventually(() => came.length >= 3)
    expect(came).toEqual(['b', 'c', 'b'])
  })

  it('does not cross prefixes', async () => {
    const [one, two] = [await openTestWakes(), await openTestWakes()]
    const came: string[] = []
    two.work(async (ids) => void came.push(...ids.map((id) => `two ${id}`)), { concurrency: 1 })
    await one.wake(['x'], 0)
    await two.wake(['y'], 0)
    await eventually(() => came.length > 0)
    expect(came).toEqual(['two y'])
  })
})

describe('a worker', () => {
  it('runs as many handlers at once as it may', async () => {
    const wakes = await openTestWakes()
    let running = 0
    let most = 0
    let done = 0
    let open: () => void = () => undefined
    const opened = new Promise<void>((resolve) => {
      open = resolve
    })
    wakes.work(
      async () => {
        running += 1
        most = Math.max(most, running)
        if (running === 3) open()
        await opened
        running -= 1
        done += 1
      },
      { concurrency: 3 },
    )
    for (const id of numbered(9)) await wakes.wake([id], 0)
    await eventually(() => done === 9)
    expect(most).toBe(3)
  })

  it('goes on after a handler that throws', async () => {
    const wakes = await openTestWakes()
    const came: string[] = []
    wakes.work(
      async ([id]) => {
        came.push(id!)
        if (id === 'bad') throw new Error('no')
      },
      { concurrency: 1 },
    )
    await wakes.wake(['bad'], 0)
    await wakes.wake(['good'], 0)
    await eventually(() => came.includes('good'))
    expect(came).toEqual(['bad', 'good'])
  })

  it('is paused when its handlers have ended, and takes nothing more', async () => {
    const wakes = await openTestWakes()
    const came: string[] = []
    let finish: () => void = () => undefined
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    let ended = false
    wakes.work(
      async (ids) => {
        came.push(...ids)
        await finished
        ended = true
      },
      { concurrency: 1 },
    )
    await wakes.wake(['a'], 0)
    await eventually(() => came.length === 1)
    const paused = wakes.pause().then(() => ended)
    await wakes.wake(['b'], 0)
    finish()
    expect(await paused).toBe(true)
    await wakes.close()
    expect(came).toEqual(['a'])
  })

  it('survives a restart of Redis', async () => {
    const wakes = await openTestWakes()
    const came: string[] = []
    wakes.work(async (ids) => void came.push(...ids), { concurrency: 2 })
    await wakes.wake(['before'], 0)
    await eventually(() => came.includes('before'))
    await redis.kill('SIGKILL')
    // Lost, and no error: the sweeper makes a new one.
    await wakes.wake(['lost'], 0)
    await redis.start()
    await eventually(
      async () => {
        await wakes.wake(['after'], 0)
        return came.includes('after')
      },
      { timeoutMs: 60_000 },
    )
  })

  it('closes in time while Redis is frozen', async () => {
    const wakes = await openTestWakes()
    wakes.work(async () => undefined, { concurrency: 2 })
    await wakes.wake(['a'], 0)
    redis.signal('SIGSTOP')
    const sinceMs = Date.now()
    await wakes.close()
    expect(Date.now() - sinceMs).toBeLessThan(4_500)
  })
})

describe('a Redis without memory', () => {
  it('takes no jobs: the ids go to the handler at once, so that deliveries end and make room', async () => {
    const wakes = await openTestWakes()
    const came: string[] = []
    wakes.work(async (ids) => void came.push(...ids), { concurrency: 2 })
    await wakes.wake(['before'], 0)
    await eventually(() => came.includes('before'))
    await client.config('SET', 'maxmemory', '1000')
    try {
      await wakes.wake(['without a job'], 0)
      await eventually(() => came.includes('without a job'))
    } finally {
      await client.config('SET', 'maxmemory', '0')
    }
  })
})

describe('ids that are handed over', () => {
  it('reach the handler without a job, and gather while it runs', async () => {
    const prefix = freshPrefix()
    const wakes = await openTestWakes(prefix)
    const came: (readonly string[])[] = []
    let goOn = () => {}
    wakes.work(
      (ids) => {
        came.push(ids)
        return new Promise((resolve) => {
          goOn = resolve
        })
      },
      { concurrency: 1 },
    )
    wakes.hand(['a'])
    wakes.hand(['b'])
    wakes.hand(['c', 'd'])
    expect(came).toEqual([['a']])
    goOn()
    await eventually(() => came.length === 2)
    expect(came[1]).toEqual(['b', 'c', 'd'])
    goOn()
    expect(await client.keys(`{${prefix}:0}:bull:wakes:[0-9]*`)).toEqual([])
  })

  it('are left to the sweeper during a pause', async () => {
    const wakes = await openTestWakes()
    const came: string[] = []
    wakes.work(async (ids) => void came.push(...ids), { concurrency: 1 })
    await wakes.pause()
    wakes.hand(['a'])
    wakes.resume()
    wakes.hand(['b'])
    await eventually(() => came.length > 0)
    expect(came).toEqual(['b'])
  })
})

describe('a lost wake', () => {
  it('costs time only: the store tells again what is due', async () => {
    const prefix = freshPrefix()
    const store = await openTestStore(redis.url, { prefix })
    const wakes = await openTestWakes(prefix)
    const id = `${await accepted(store)}.0`
    await wakes.wake([id], 0)
    const jobs = await client.keys(`{${prefix}:0}:bull:*`)
    await client.del(...jobs)
    const started: string[] = []
    wakes.work(async (ids) => void started.push(...(await store.start(ids, [])).map((attempt) => attempt.id)), {
      concurrency: 2,
    })
    expect(await store.due(9)).toEqual([id])
    // Another process would wake for it now; this one believes it on its way for half a minute.
    const other = await openTestWakes(prefix)
    await other.wake(await store.due(9), 0)
    await other.wake(await store.due(9), 0)
    await eventually(() => started.length > 0)
    expect(started).toEqual([id])
  })
})

describe('the queue', () => {
  it('does not open where Redis is away', async () => {
    const { log } = keepLog()
    await expect(openWakes({ url: 'redis://127.0.0.1:1', prefix: 'x', log })).rejects.toBeInstanceOf(StoreUnavailable)
  })
})

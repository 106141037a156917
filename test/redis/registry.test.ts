import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RegistryChange } from '../../src/domain/registration.ts'
import { StoreUnavailable } from '../../src/flow/ports.ts'
import { createCall } from '../../src/redis/calls.ts'
import { keyPrefix } from '../../src/redis/keys.ts'
import { createRegistry, followRegistry } from '../../src/redis/registry.ts'
import { eventually } from '../eventually.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { closeStores, freshPrefix, keepLog, openTestStore } from './fixtures.ts'

let redis: RunningRedis
beforeAll(async () => {
  // Killed in a moment in which the disk is slow, it would lose what it has said it has.
  redis = await startRedis({ config: { appendfsync: 'always' } })
})
afterAll(async () => {
  await closeStores()
  await redis.stop()
})

const bundle = Buffer.from('packed')
const registering = (version: string, digest = `d${version}`): RegistryChange => {
  return { kind: 'register', name: 'order', version, digest, bundle }
}
const registry = async (prefix = freshPrefix()) => (await openTestStore(redis.url, { prefix })).registry

describe('the registry', () => {
  it('keeps versions in the order in which they were registered, by whom and when', async () => {
    const one = await registry()
    expect(await one.read()).toEqual({ sequence: 0, versions: [] })
    expect(await one.change(registering('2'), 0, 'ann')).toEqual({ kind: 'done', sequence: 1 })
    expect(await one.change(registering('1'), 1, 'bob')).toEqual({ kind: 'done', sequence: 2 })
    const { sequence, versions } = await one.read()
    expect(sequence).toBe(2)
    expect(versions).toMatchObject([
      { name: 'order', version: '2', digest: 'd2', sequence: 1, by: 'ann', atMs: expect.any(Number) },
      { name: 'order', version: '1', digest: 'd1', sequence: 2, by: 'bob' },
    ])
    expect(await one.bundle('d2')).toEqual(bundle)
    expect(await one.bundle('d9')).toBeUndefined()
  })

  it('makes no change that was checked against another state', async () => {
    const one = await registry()
    await one.change(registering('1'), 0, 'ann')
    expect(await one.change(registering('2'), 0, 'bob')).toEqual({ kind: 'moved' })
    expect(await one.change({ kind: 'remove', name: 'order', version: '1' }, 0, 'bob')).toEqual({ kind: 'moved' })
    expect((await one.read()).versions).toHaveLength(1)
    expect(await one.bundle('d2')).toBeUndefined()
  })

  it('of many that register at once, lets each in its turn', async () => {
    const prefix = freshPrefix()
    const all = await Promise.all(
      Array.from({ length: 8 }, async (_, at) => {
        const mine = await registry(prefix)
        for (;;) {
          const { sequence } = await mine.read()
          const answer = await mine.change(registering(String(at)), sequence, 'x')
          if (answer.kind === 'done') return answer.sequence
        }
      }),
    )
    expect(all.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('never changes a version, and takes the same one again without a change', async () => {
    const one = await registry()
    await one.change(registering('1'), 0, 'ann')
    expect(await one.change(registering('1', 'other'), 1, 'bob')).toEqual({ kind: 'taken' })
    expect(await one.change(registering('1'), 0, 'bob'), 'a lost reply').toEqual({ kind: 'done', sequence: 1 })
    expect(await one.read()).toMatchObject({ sequence: 1, versions: [{ digest: 'd1', by: 'ann' }] })
    await one.change(registering('2'), 1, 'ann')
    expect(await one.change(registering('1'), 2, 'bob'), 'by the change that made it so').toEqual({
      kind: 'done',
      sequence: 1,
    })
  })

  it('has made no change that Redis does not keep as it is asked to', async () => {
    const client = new Redis(redis.url)
    const prefix = keyPrefix(freshPrefix())
    const call = createCall(client, prefix, Date.now, keepLog().log)
    const one = createRegistry(call, client, prefix, async () => {
      throw new StoreUnavailable('no replica has it')
    })
    await expect(one.change(registering('1'), 0, 'ann')).rejects.toThrow('no replica has it')
    client.disconnect()
  })

  it('deprecates and removes, and forgets a bundle with the last version that has it', async () => {
    const one = await registry()
    const version = { name: 'order', version: '1' }
    expect(await one.change({ kind: 'remove', ...version }, 0, 'x')).toEqual({ kind: 'unknown' })
    await one.change(registering('1', 'same'), 0, 'x')
    await one.change(registering('2', 'same'), 1, 'x')
    await one.change({ kind: 'deprecate', ...version, text: 'soon “gone”' }, 2, 'x')
    expect((await one.read()).versions[0]).toMatchObject({ deprecated: 'soon “gone”' })
    await one.change({ kind: 'deprecate', ...version, text: '' }, 3, 'x')
    expect((await one.read()).versions[0]).not.toHaveProperty('deprecated')
    await one.change({ kind: 'remove', ...version }, 4, 'x')
    expect(await one.bundle('same')).toEqual(bundle)
    await one.change({ kind: 'remove', name: 'order', version: '2' }, 5, 'x')
    expect(await one.bundle('same')).toBeUndefined()
    expect(await one.read()).toEqual({ sequence: 6, versions: [] })
  })
})

describe('whoever follows the registry', () => {
  it('hears of each change at once, and of what came while it was away', async () => {
    const prefix = freshPrefix()
    const one = await registry(prefix)
    await one.change(registering('1'), 0, 'x')
    const heard: number[] = []
    const follow = (after: number) =>
      followRegistry({ url: redis.url, prefix, log: keepLog().log, after, onChange: async (at) => void heard.push(at) })
    const first = follow(1)
    await one.change(registering('2'), 1, 'x')
    await eventually(() => heard.includes(2))
    await first.stop()
    await one.change(registering('3'), 2, 'x')
    await one.change(registering('4'), 3, 'x')
    const again = follow(2)
    await eventually(() => heard.at(-1) === 4)
    await again.stop()
    expect(heard[0]).toBe(2)
  })

  it('hears of changes that a server has lost, by a fail-over say, and of those that come after', async () => {
    const prefix = freshPrefix()
    const one = await registry(prefix)
    for (const [sequence, version] of ['1', '2', '3'].entries()) await one.change(registering(version), sequence, 'x')
    const heard: number[] = []
    const onChange = async (at: number) => void heard.push(at)
    const following = followRegistry({ url: redis.url, prefix, log: keepLog().log, after: 3, onChange })
    const client = new Redis(redis.url)
    await client.del(...(await client.keys(`{${prefix}:0}:*`)))
    await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    client.disconnect()
    await eventually(() => heard.at(-1) === 0)
    await eventually(() => one.change(registering('1'), 0, 'x'))
    await eventually(() => heard.at(-1) === 1)
    await following.stop()
  })

  it('hears of changes also after a while without any', async () => {
    const prefix = freshPrefix()
    const one = await registry(prefix)
    const heard: number[] = []
    const onChange = async (at: number) => void heard.push(at)
    const client = new Redis(redis.url)
    const reads = async () => Number(/cmdstat_xread:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0)
    const before = await reads()
    const log = keepLog()
    const following = followRegistry({ url: redis.url, prefix, log: log.log, after: 0, onChange })
    await eventually(async () => (await reads()) > before + 2)
    await one.change(registering('1'), 0, 'x')
    await eventually(() => heard.includes(1))
    await following.stop()
    const errors = log.lines.filter(({ event }) => event === 'registry-not-followed')
    expect(errors, 'to hear of nothing is none').toEqual([])
    client.disconnect()
  })

  it('is told again of what a server has lost where it could not take that in', async () => {
    const prefix = freshPrefix()
    let tries = 0
    const onChange = async () => {
      tries += 1
      if (tries < 3) throw new Error('not now')
    }
    const following = followRegistry({ url: redis.url, prefix, log: keepLog().log, after: 3, onChange })
    await eventually(() => tries === 3)
    await following.stop()
  })

  it('is told again where it could not take a change in', async () => {
    const prefix = freshPrefix()
    const one = await registry(prefix)
    let tries = 0
    const onChange = async () => {
      tries += 1
      if (tries < 3) throw new Error('not now')
    }
    const following = followRegistry({ url: redis.url, prefix, log: keepLog().log, after: 0, onChange })
    await one.change(registering('1'), 0, 'x')
    await eventually(() => tries === 3)
    await following.stop()
  })

  it('ends when what it was told of last has been taken in, or could not be, and leaves no connection', async () => {
    const prefix = freshPrefix()
    const one = await registry(prefix)
    await one.change(registering('1'), 0, 'x')
    const client = new Redis(redis.url)
    const connections = async () => String(await client.client('LIST')).match(/ name=\S*registry\S* /g)?.length ?? 0
    await eventually(async () => (await connections()) === 0)
    let refuse = (_: Error) => {}
    let taken = 0
    const onChange = () =>
      new Promise<void>((_, reject) => {
        refuse = reject
        taken += 1
      })
    const follow = () => followRegistry({ url: redis.url, prefix, log: keepLog().log, after: 0, onChange })
    const first = follow()
    await eventually(() => taken === 1)
    let ended = false
    const stopping = first.stop().then(() => {
      ended = true
    })
    await one.read()
    expect(ended).toBe(false)
    refuse(new Error('not now'))
    await stopping
    const second = follow()
    await eventually(() => taken === 2)
    refuse(new Error('not now'))
    await one.read()
    await second.stop()
    await eventually(async () => (await connections()) === 0)
    client.disconnect()
  })

  it('hears of changes after Redis was away as before, and ends whether it is there or not', async () => {
    const prefix = freshPrefix()
    const one = await registry(prefix)
    const heard: number[] = []
    const onChange = async (at: number) => void heard.push(at)
    const log = keepLog()
    const following = followRegistry({ url: redis.url, prefix, log: log.log, after: 0, onChange })
    await one.change(registering('1'), 0, 'x')
    await eventually(() => heard.at(-1) === 1)
    await redis.kill('SIGKILL')
    await eventually(() => log.lines.some(({ event }) => event === 'registry-not-followed'))
    await redis.start()
    await eventually(() => one.change(registering('2'), 1, 'x'))
    await eventually(() => heard.at(-1) === 2)
    await redis.kill('SIGKILL')
    await following.stop()
    await redis.start()
  })
})

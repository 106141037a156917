import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { StoreUnavailable } from '../../src/flow/ports.ts'
import { replicaProblems } from '../../src/redis/durability.ts'
import { eventually } from '../eventually.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import {
  acceptance,
  accepted,
  acceptOne,
  balances,
  closeStores,
  freshPrefix,
  keepLog,
  openTestStore,
} from './fixtures.ts'

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

describe('a frozen Redis', () => {
  it('makes accept fail in time; sent again, the document keeps its id and is not doubled', async () => {
    const redis = await startOne()
    const store = await openTestStore(redis.url)
    const one = acceptance({ claim: 'c', digest: 'a' })
    const two = acceptance({ claim: 'c', digest: 'a' })
    await accepted(store)
    redis.signal('SIGSTOP')
    const sinceMs = Date.now()
    await expect(store.accept([one])).rejects.toBeInstanceOf(StoreUnavailable)
    expect(Date.now() - sinceMs).toBeLessThan(HEARD_MS)
    redis.signal('SIGCONT')
    await eventually(() => store.ready)
    expect(await store.accept([one])).toEqual([{ kind: 'accepted', id: one.envelope.id }])
    expect(await store.accept([two])).toEqual([{ kind: 'duplicate', id: one.envelope.id }])
    expect((await store.ledger()).documents.accepted).toBe(2)
    expect(await balances(store)).toEqual([])
  })

  it('that begins attempts without our hearing of it gives them back at the next sweep', async () => {
    const redis = await startOne()
    const store = await openTestStore(redis.url)
    const id = `${await accepted(store)}.0`
    redis.signal('SIGSTOP')
    await expect(store.start([id], [])).rejects.toBeInstanceOf(StoreUnavailable)
    redis.signal('SIGCONT')
    await eventually(() => store.ready)
    expect(await store.due(9)).toEqual([id])
    expect((await store.start([id], [])).map(({ tries }) => tries)).toEqual([1])
  })

  it('for a moment only, delays the answer; the attempt that was begun is given once', async () => {
    const redis = await startOne()
    const { log, lines } = keepLog()
    const store = await openTestStore(redis.url, { log })
    const id = `${await accepted(store)}.0`
    redis.signal('SIGSTOP')
    const started = store.start([id], [])
    await eventually(() => lines.some(({ event }) => event === 'redis-connection'), {
      what: 'the connection is given up',
    })
    redis.signal('SIGCONT')
    expect((await started).map((attempt) => [attempt.id, attempt.tries])).toEqual([[id, 1]])
    expect(await store.start([id], [])).toEqual([])
  })
})

describe('Redis without memory', () => {
  it('refuses documents and lets deliveries end; then it accepts again', async () => {
    const redis = await startOne()
    const client = new Redis(redis.url)
    const { log, lines } = keepLog()
    const retention = { finishedMs: 0, finishedCount: 0, deadMs: 1, deadCount: 1 }
    const store = await openTestStore(redis.url, { retention, bounceWindowMs: 0, log })
    const ids = await Promise.all(Array.from({ length: 20 }, () => accepted(store, { payload: 'x'.repeat(50_000) })))
    const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))![1])
    await client.config('SET', 'maxmemory', String(used - 100_000))
    await expect(store.accept([acceptance()])).rejects.toThrow(/^Cannot accept: OOM/)
    await expect(store.probeWrites()).rejects.toThrow(/^Cannot write: OOM/)
    expect((await store.ledger()).documents.accepted).toBe(20)
    // What is published to a subscribed node is marked as our own before.
    await store.passOver('xmpp:p.example?;node=in', [{ item: ids[0]!, digest: 'own' }], 100)
    for (const { id } of await store.start(
      ids.map((id) => `${id}.0`),
      [],
    )) {
      await store.end({ id, kind: 'delivered', record: { atMs: 1, result: 'delivered' } })
    }
    await eventually(async () => (await store.prune()) + 1 && (await store.trace(ids[19]!)) === undefined)
    await eventually(async () => (await store.accept([acceptance()]).catch(() => []))[0]?.kind === 'accepted')
    expect(await balances(store)).toEqual([])
    expect(lines.filter(({ level }) => level === 'error')).toEqual([])
    client.disconnect()
  })
})

describe('Redis that can not write its file', () => {
  it('refuses documents with its reason, and takes them again when it can', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'waybill-unwritable-'))
    // A folder in the file's place can't be replaced, not even by root.
    mkdirSync(join(folder, 'dump.rdb', 'in the way'), { recursive: true })
    try {
      const redis = await startOne({ dir: folder, save: '3600 1', 'stop-writes-on-bgsave-error': 'yes' })
      const client = new Redis(redis.url)
      const { log, lines } = keepLog()
      const store = await openTestStore(redis.url, { log })
      const id = `${await accepted(store)}.0`
      await client.bgsave()
      await eventually(async () => (await client.info('persistence')).includes('rdb_last_bgsave_status:err'))
      await expect(store.accept([acceptance()])).rejects.toThrow(/^Cannot accept: MISCONF/)
      await expect(store.probeWrites()).rejects.toThrow(/^Cannot write: MISCONF/)
      await expect(store.start([id], [])).rejects.toBeInstanceOf(StoreUnavailable)
      expect((await store.ledger()).documents.accepted).toBe(1)
      rmSync(join(folder, 'dump.rdb'), { recursive: true })
      await client.bgsave()
      await eventually(() => store.probeWrites().then(() => true))
      expect((await acceptOne(store)).kind).toBe('accepted')
      expect(await store.start([id], [])).toHaveLength(1)
      expect(await balances(store)).toEqual([])
      expect(lines.filter(({ level }) => level === 'error')).toEqual([])
      client.disconnect()
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('Redis with a password', () => {
  it('is not opened without the right one, and the error tells why but not the password', async () => {
    const redis = await startOne({ requirepass: 'secret' })
    const { log, lines } = keepLog()
    const withPassword = (password: string) => redis.url.replace('//', `//:${password}@`)
    await expect(openTestStore(redis.url, { log })).rejects.toThrow('NOAUTH')
    await expect(openTestStore(withPassword('wrong'), { log })).rejects.toThrow('WRONGPASS')
    expect(JSON.stringify(lines)).not.toContain('wrong:')
    const store = await openTestStore(withPassword('secret'))
    expect(store.ready).toBe(true)
  })
})

describe('a foreign key in the way', () => {
  it('is logged as an error, and the sender hears unavailable', async () => {
    const redis = await startOne()
    const client = new Redis(redis.url)
    const { log, lines } = keepLog()
    const prefix = freshPrefix()
    const store = await openTestStore(redis.url, { prefix, log })
    await client.set(`{${prefix}:0}:senders`, 'x')
    await expect(store.accept([acceptance()])).rejects.toBeInstanceOf(StoreUnavailable)
    expect(lines.find(({ event }) => event === 'redis-refused')).toMatchObject({
      level: 'error',
      details: { transition: 'accept' },
    })
    expect((await store.ledger()).documents.accepted).toBe(0)
    client.disconnect()
  })
})

describe('replicas', () => {
  it('that are asked for and not there make accept fail', async () => {
    const redis = await startOne()
    const store = await openTestStore(redis.url, { replicas: 1 })
    await expect(store.accept([acceptance()])).rejects.toThrow('0 of 1 replicas have it')
    expect(replicaProblems(await store.inspect(), 1)).toEqual(['Cannot promise a copy: 0 of 1 replicas are attached'])
  })

  it('that have it let accept succeed', async () => {
    const redis = await startOne({ 'repl-diskless-sync': 'no' })
    const replica = await startOne({ replicaof: `127.0.0.1 ${redis.port}`, 'repl-diskless-sync': 'no' })
    const client = new Redis(replica.url)
    await eventually(async () => (await client.info('replication')).includes('master_link_status:up'))
    const store = await openTestStore(redis.url, { replicas: 1 })
    const id = await accepted(store)
    expect(await client.keys(`*${id}`)).toHaveLength(1)
    expect(replicaProblems(await store.inspect(), 1)).toEqual([])
    client.disconnect()
  })
})

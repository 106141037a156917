import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { examineRedis } from '../../src/commands/examine-redis.ts'
import { loadSettings } from '../../src/config/configuration.ts'
import { StoreUnavailable } from '../../src/flow/ports.ts'
import type { RedisAddress } from '../../src/redis/address.ts'
import { keyPrefix, shardOf } from '../../src/redis/keys.ts'
import { openLease } from '../../src/redis/lease.ts'
import { followRegistry } from '../../src/redis/registry.ts'
import { openWakes } from '../../src/redis/wakes.ts'
import { withFolder } from '../config/folder.ts'
import { eventually } from '../eventually.ts'
import { type Certificate, makeCertificate } from '../servers/certificates.ts'
import { asking, type Login, type RedisCluster, startCluster } from '../servers/redis-sets.ts'
import { acceptance, accepted, balances, closeStores, keepLog, openTestStore, plan } from './fixtures.ts'

const USERS = new URL('../../deploy/redis-users.acl', import.meta.url)
const PREFIX = 'waybill'
const PASSWORD = 'REPLACE-WITH-A-PASSWORD'
const SERVER_NAME = 'redis.example.test'

let folder: string
let ours: Certificate
let cluster: RedisCluster
/** An administrator's way to any node. */
let administrator: Login

// TLS with certificates on both sides, the users that deploy/ ships, and three nodes: whatever of it goes wrong is an error here.
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'waybill-cluster-'))
  const theirs = makeCertificate(folder, SERVER_NAME)
  ours = makeCertificate(folder, 'waybill.example.test')
  const trusted = join(folder, 'trusted.pem')
  writeFileSync(trusted, readFileSync(theirs.cert, 'utf8') + readFileSync(ours.cert, 'utf8'))
  const users = join(folder, 'users.acl')
  writeFileSync(users, `${readFileSync(USERS, 'utf8')}user administrator on >secret allkeys allchannels allcommands\n`)
  administrator = {
    username: 'administrator',
    password: 'secret',
    tls: {
      ca: readFileSync(theirs.cert),
      cert: readFileSync(ours.cert),
      key: readFileSync(ours.key),
      servername: SERVER_NAME,
    },
  }
  const config = (port: number) => ({
    port: '0',
    'tls-port': String(port),
    'tls-cluster': 'yes',
    'tls-ca-cert-file': trusted,
    'tls-cert-file': theirs.cert,
    'tls-key-file': theirs.key,
    aclfile: users,
  })
  cluster = await startCluster(config, administrator)
})
afterEach(closeStores)
afterAll(async () => {
  await cluster?.stop()
  rmSync(folder, { recursive: true, force: true })
})

function address(changes: Partial<RedisAddress> = {}): RedisAddress & { readonly url: string } {
  return {
    url: 'redis://127.0.0.1:1',
    prefix: PREFIX,
    cluster: [
      { host: '127.0.0.1', port: 1 },
      { host: '127.0.0.1', port: cluster.nodes[0]!.port },
    ],
    user: 'waybill',
    password: PASSWORD,
    tls: { ca: join(folder, `${SERVER_NAME}.pem`), ...ours, servername: SERVER_NAME },
    ...changes,
  }
}

const open = (changes: Partial<RedisAddress> = {}) => {
  const { url, ...rest } = address(changes)
  return openTestStore(url, rest)
}

const look = <T>(at: number, ask: (client: Redis) => Promise<T>) => {
  return asking(cluster.nodes[at]!.port, ask, administrator)
}

async function slotOf(shard?: string): Promise<number> {
  return look(0, (client) => client.call('CLUSTER', 'KEYSLOT', keyPrefix(PREFIX, shard)) as Promise<number>)
}

const nodeHolding = (slot: number) => Math.floor(slot / Math.ceil(16_384 / 3))

describe('a Redis Cluster over TLS, as the user that is shipped', () => {
  it('holds each shard in a slot of its own, spread over the nodes, and takes everything that Waybill does', async () => {
    const further = [2, 3, 4, 5, 6].map((number) => shardOf(`w${number}.example.org`))
    const shards = [undefined, ...further]
    const slots = await Promise.all(shards.map(slotOf))
    expect(new Set(slots.map(nodeHolding)).size).toBe(3)
    for (const [at, shard] of shards.entries()) {
      const store = await open(shard === undefined ? {} : { shard })
      const id = await accepted(store, { deliveries: [plan({ lane: 'l' }), plan({ to: 'b@x.example' })] })
      const started = await store.start(await store.due(9), [])
      for (const attempt of started) {
        await store.end({ id: attempt.id, kind: 'delivered', record: { atMs: 1, result: 'delivered' } })
      }
      expect(started).toHaveLength(2)
      expect((await store.trace(id))?.state).toBe('delivered')
      expect(await balances(store)).toEqual([])
      const keys = await look(nodeHolding(slots[at]!), (client) => client.keys(`${keyPrefix(PREFIX, shard)}*`))
      expect(keys).toContain(`${keyPrefix(PREFIX, shard)}envelope:${id}`)
    }
  })

  it('wakes, leases and follows the registry there, with no right that is missing', async () => {
    const { log } = keepLog()
    const wakes = await openWakes({ ...address(), log })
    const lease = await openLease({ ...address(), domain: 'w.example.org', instance: 'one', log })
    const changes: number[] = []
    const store = await open({})
    const following = followRegistry({ ...address(), log, after: 0, onChange: async (at) => void changes.push(at) })
    try {
      const woken: string[] = []
      wakes.work(async (ids) => void woken.push(...ids), { concurrency: 2 })
      await wakes.wake(['a.0'], 0)
      await wakes.wake(['b.0'], 200)
      await eventually(() => woken.length === 2, { what: 'both wakes, the delayed one too' })
      expect(await lease.tryTake()).toBe(true)
      const [name, version, digest] = ['order', '1', 'd1']
      await store.registry.change({ kind: 'register', name, version, digest, bundle: Buffer.from('x') }, 0, 'ops')
      await eventually(() => changes.length > 0, { what: 'the change of the registry' })
      expect((await store.registry.read()).versions).toHaveLength(1)
      await store.probeWrites()
      await store.prune()
      await store.depth()
    } finally {
      await Promise.all([following.stop(), lease.close(), wakes.close()])
    }
    for (const at of [0, 1, 2]) expect(await look(at, (client) => client.call('ACL', 'LOG'))).toEqual([])
  })

  it('is examined at the node of each domain', async () => {
    const domains = ['w2', 'w3', 'w4', 'w5', 'w6'].map((name) => `${name}.example.org`)
    const { cluster: places, user, password, tls } = address()
    const addresses = places!.map(({ host, port }) => `${host}:${port}`)
    const waybill = {
      xmpp: { domain: 'w1.example.org', domains, host: 'example.org', secret: 's3cr3t-0' },
      redis: { cluster: addresses, user, password, tls, prefix: PREFIX },
      senders: ['*@example.org'],
    }
    const settings = await withFolder({ 'waybill.yaml': JSON.stringify(waybill) }, (files) => loadSettings(files, {}))
    const at = nodeHolding(await slotOf(shardOf('w2.example.org')))
    const slots = await Promise.all(domains.map((domain) => slotOf(shardOf(domain))))
    const there = domains.filter((_, number) => nodeHolding(slots[number]!) === at)
    await look(at, (client) => client.config('SET', 'maxmemory-policy', 'allkeys-lru'))
    const rows = await examineRedis(settings!)
    await look(at, (client) => client.config('SET', 'maxmemory-policy', 'noeviction'))
    const wrong = rows.filter(({ verdict }) => verdict === 'wrong')
    expect(wrong.map(({ part }) => part)).toEqual(expect.arrayContaining(there.map((one) => `durability of ${one}`)))
    expect(wrong.length).toBeLessThan(rows.filter(({ part }) => part.startsWith('durability of ')).length)
  })

  it('refuses whole what comes while a slot is moved, and goes on at the other node without being opened again', async () => {
    const shard = shardOf('moved.example.org')
    const store = await open({ shard })
    const before = await accepted(store, { deliveries: [plan()] })
    const slot = await slotOf(shard)
    const from = nodeHolding(slot)
    const to = (from + 1) % 3
    const [fromId, toId] = await Promise.all(
      [from, to].map((at) => look(at, (client) => client.call('CLUSTER', 'MYID') as Promise<string>)),
    )
    await look(to, (client) => client.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId!))
    await look(from, (client) => client.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId!))
    await expect(store.accept([acceptance()])).rejects.toBeInstanceOf(StoreUnavailable)
    const { port } = cluster.nodes[to]!
    await look(from, async (client) => {
      const keys = (await client.call('CLUSTER', 'GETKEYSINSLOT', slot, 1_000)) as string[]
      const login = ['AUTH2', 'administrator', 'secret']
      await client.call('MIGRATE', '127.0.0.1', port, '', 0, 5_000, ...login, 'KEYS', ...keys)
    })
    for (const at of [to, from]) await look(at, (client) => client.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId!))
    const after = await eventually(() => accepted(store, { deliveries: [plan()] }))
    expect([...(await store.due(9))].sort()).toEqual([`${before}.0`, `${after}.0`].sort())
    expect((await store.ledger()).documents.accepted).toBe(2)
    expect(await store.lanes()).toEqual([])
    expect(await balances(store)).toEqual([])
  })

  it('is not talked to where its certificate, its users or its nodes are not as they should be', async () => {
    const other = join(folder, 'waybill.example.test.pem')
    const wrong: readonly (readonly [Partial<RedisAddress>, RegExp])[] = [
      [{ tls: { ...ours, ca: other, servername: SERVER_NAME } }, /self-signed certificate/],
      [{ tls: { ...ours, ca: join(folder, `${SERVER_NAME}.pem`), servername: 'x.example' } }, /x\.example/],
      [{ tls: { ...ours, ca: join(folder, 'missing.pem') } }, /ENOENT.*missing\.pem/],
      [{ password: 'guessed' }, /WRONGPASS/],
    ]
    const reasons = await Promise.all(
      wrong.map(([changes]) =>
        open(changes).then(
          () => 'opened',
          (error: Error) => error.message,
        ),
      ),
    )
    for (const [at, [, expected]] of wrong.entries()) expect(reasons[at]).toMatch(expected)
  })
})

describe('the user that is shipped', () => {
  const granted = [...readFileSync(USERS, 'utf8').matchAll(/\s\+(\S+)/g)].map(([, name]) => name!)

  /** Of the scripts that wake and end a job; the others are never asked for. */
  const BULL_SCRIPTS = ['addStandardJob-9', 'addDelayedJob-6', 'addPrioritizedJob-9', 'moveToActive-11']
    .concat(['moveToFinished-14', 'moveStalledJobsToWait-9', 'extendLocks-1', 'extendLock-2', 'releaseLock-1'])
    .concat(['retryJob-11', 'moveToDelayed-11'])
  const CALLS = [
    'blpop',
    'bzpopmin',
    'client|setname',
    'cluster|keyslot',
    'cluster|slots',
    'config|get',
    'eval',
    'evalsha',
  ]
    .concat([
      'exec',
      'get',
      'hget',
      'hgetall',
      'hmget',
      'hset',
      'hvals',
      'info',
      'lpop',
      'multi',
      'rpush',
      'select',
      'setnx',
      'time',
    ])
    .concat(['type', 'wait', 'xread'])

  it('may do what our scripts, those of BullMQ and our own calls do, and nothing else', () => {
    const scripts = new URL('../../src/redis/scripts/', import.meta.url)
    const bull = new URL('../../node_modules/bullmq/dist/cjs/scripts/', import.meta.url)
    const needed = [
      ...readdirSync(scripts).flatMap((name) => commandsOf(new URL(name, scripts))),
      ...BULL_SCRIPTS.flatMap((name) => commandsOf(new URL(`${name}.js`, bull))),
      ...CALLS,
    ]
    expect(granted).toEqual([...new Set(needed)].sort())
  })
})

function commandsOf(script: URL): readonly string[] {
  const called = /(?:redis\.call|rcall) *\( *['"]([A-Za-z]+)['"]|inBatches\(\w+, '([A-Z]+)'/g
  return [...readFileSync(script, 'utf8').matchAll(called)].map(([, one, other]) => (one ?? other)!.toLowerCase())
}

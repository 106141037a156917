import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis, type RedisOptions } from 'ioredis'
import { eventually } from '../eventually.ts'
import { freePorts } from './ports.ts'
import { findProgram, launch, removeFolder, serverFolder, whenReady, withFreePorts } from './processes.ts'
import { type RunningRedis, startRedis } from './redis.ts'

/** As whom, and how, a server is talked to. */
export type Login = Pick<RedisOptions, 'username' | 'password' | 'tls'>

/** A primary with one replica, and a sentinel that makes the other one the primary a second after the first is gone. */
export interface SentinelSet {
  readonly name: string
  /** Of the sentinel. */
  readonly port: number
  readonly servers: readonly [RunningRedis, RunningRedis]
  /** The server that the sentinel calls the primary at this moment. */
  primary(): Promise<RunningRedis>
  stop(): Promise<void>
}

const NAME = 'waybill'

export async function startSentinelSet(config: Readonly<Record<string, string>> = {}): Promise<SentinelSet> {
  // Otherwise a copy is begun only after five seconds, in case another replica wants one too.
  const soon = { ...config, 'repl-diskless-sync-delay': '0' }
  const servers = [await startRedis({ config: soon }), await startRedis({ config: soon })] as const
  const [first, second] = servers
  await asking(second.port, (client) => client.call('REPLICAOF', '127.0.0.1', first.port))
  await eventually(async () => (await role(second.port))[3] === 'connected', { what: 'the replica to have a copy' })
  const sentinel = await startSentinel(first.port)
  return {
    name: NAME,
    port: sentinel.port,
    servers,
    async primary() {
      const [, port] = await asking(sentinel.port, (client) => {
        return client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME) as Promise<[string, string]>
      })
      return servers.find((server) => server.port === Number(port))!
    },
    async stop() {
      await sentinel.stop()
      await Promise.all(servers.map((server) => server.stop()))
    },
  }
}

async function startSentinel(primaryPort: number): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const folder = serverFolder('sentinel')
  return withFreePorts(async () => {
    const [port] = (await freePorts(1)) as [number]
    const file = join(folder, 'sentinel.conf')
    const lines = [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor ${NAME} 127.0.0.1 ${primaryPort} 1`,
    ]
    const times = [`sentinel down-after-milliseconds ${NAME} 1000`, `sentinel failover-timeout ${NAME} 3000`]
    writeFileSync(file, [...lines, ...times, ''].join('\n'))
    const command = findProgram('redis-server', 'redis-server')
    const server = launch({ command, arguments: [file, '--sentinel'], folder })
    const ready = await whenReady(server, { ready: [/\+monitor master/], portTaken: /Address already in use/ })
    if (!ready) return undefined
    // It learns of replicas by asking, and without one there is nothing to fail over to.
    await eventually(
      () => asking(port, async (client) => ((await client.call('SENTINEL', 'REPLICAS', NAME)) as unknown[]).length > 0),
      { what: 'the sentinel to know the replica' },
    )
    return {
      port,
      async stop() {
        await server.kill()
        removeFolder(folder)
      },
    }
  })
}

/** What ROLE says. */
export function role(port: number): Promise<readonly unknown[]> {
  return asking(port, (client) => client.call('ROLE') as Promise<unknown[]>)
}

export interface RedisCluster {
  /** Each holds a third of the slots. */
  readonly nodes: readonly RunningRedis[]
  stop(): Promise<void>
}

const SLOTS = 16_384

/** Three primaries without replicas, in seconds: each is told its slots by hand. `options` are for talking to them. */
export async function startCluster(
  config: (port: number) => Readonly<Record<string, string>>,
  options: Login,
): Promise<RedisCluster> {
  const nodes = await Promise.all([0, 1, 2].map(() => startNode(config)))
  const third = Math.ceil(SLOTS / nodes.length)
  for (const [at, { port }] of nodes.entries()) {
    const last = Math.min(SLOTS, (at + 1) * third) - 1
    await asking(port, (client) => client.call('CLUSTER', 'ADDSLOTSRANGE', at * third, last), options)
    await asking(port, (client) => client.call('CLUSTER', 'SET-CONFIG-EPOCH', at + 1), options)
  }
  const [first, ...others] = nodes as [ClusterNode, ...ClusterNode[]]
  for (const { port, busPort } of others) {
    await asking(first.port, (client) => client.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort), options)
  }
  for (const { port } of nodes) {
    const isWhole = async (client: Redis) => {
      const info = String(await client.call('CLUSTER', 'INFO'))
      return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3')
    }
    await eventually(() => asking(port, isWhole, options), { what: 'the cluster to be whole' })
  }
  return {
    nodes,
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()))
    },
  }
}

interface ClusterNode extends RunningRedis {
  readonly busPort: number
}

async function startNode(config: (port: number) => Readonly<Record<string, string>>): Promise<ClusterNode> {
  const [busPort] = (await freePorts(1)) as [number]
  const cluster = { 'cluster-enabled': 'yes', 'cluster-port': String(busPort), 'cluster-node-timeout': '5000' }
  const node = await startRedis({ config: cluster, configFor: config })
  return Object.assign(node, { busPort })
}

/** One look over a connection of its own. */
export async function asking<T>(port: number, look: (client: Redis) => Promise<T>, options: Login = {}): Promise<T> {
  const client = new Redis({ ...options, host: '127.0.0.1', port, lazyConnect: true, retryStrategy: () => null })
  client.on('error', () => {})
  try {
    await client.connect()
    return await look(client)
  } finally {
    client.disconnect()
  }
}

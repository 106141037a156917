import { execFileSync } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hasWaitAof } from '../../src/redis/inspection.ts'
import { freePorts } from './ports.ts'
import {
  findProgram,
  launch,
  type Restartable,
  restartable,
  type ServerProcess,
  serverFolder,
  whenReady,
  withFreePorts,
} from './processes.ts'

export interface RunningRedis extends Restartable {
  /** `redis://127.0.0.1:PORT` */
  readonly url: string
  readonly port: number
  /** Ends it and removes its folder. */
  stop(): Promise<void>
  /** Ends the process only; data stay. */
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Again, same port, same data. */
  start(): Promise<void>
}

/** WAITAOF came with Redis 7.2. */
export function redisHasWaitAof(): boolean {
  const said = execFileSync(findProgram('redis-server', 'redis-server'), ['--version'], { encoding: 'utf8' })
  return hasWaitAof(/v=(\S+)/.exec(said)?.[1] ?? '0')
}

const CONFIG = fileURLToPath(new URL('../../deploy/redis.conf', import.meta.url))

/**
 * Starts redis-server on loopback with `deploy/redis.conf`, a free port and a folder of its own. `config` are further
 * directives, for instance `{ appendfsync: 'always', maxmemory: '5mb' }`; `configFor` gives those that depend on the port.
 */
export async function startRedis({
  config = {},
  configFor = () => ({}),
}: {
  config?: Readonly<Record<string, string>>
  configFor?: (port: number) => Readonly<Record<string, string>>
} = {}): Promise<RunningRedis> {
  const command = findProgram('redis-server', 'redis-server')
  const folder = serverFolder('redis')
  // A copy, because a sentinel has the servers write down what they have become.
  const file = join(folder, 'redis.conf')
  copyFileSync(CONFIG, file)
  return withFreePorts(async () => {
    const [port] = (await freePorts(1)) as [number]
    const own = { bind: '127.0.0.1', port: String(port), dir: folder, daemonize: 'no', logfile: '' }
    const directives: Readonly<Record<string, string>> = { ...own, ...config, ...configFor(port) }
    const args = [file, ...Object.entries(directives).flatMap(([name, value]) => [`--${name}`, value])]
    const launchOnce = () => launchRedis(command, args, folder)
    const first = await launchOnce()
    if (!first) return undefined
    return Object.assign(restartable(folder, first, launchOnce), { url: `redis://127.0.0.1:${port}`, port })
  })
}

async function launchRedis(
  command: string,
  args: readonly string[],
  folder: string,
): Promise<ServerProcess | undefined> {
  const server = launch({ command, arguments: args, folder })
  const ready = await whenReady(server, {
    ready: [/Ready to accept connections/],
    portTaken: /Address already in use|Could not create server TCP listening socket/,
  })
  return ready ? server : undefined
}

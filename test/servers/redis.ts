import { fileURLToPath } from 'node:url'
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

const CONFIG = fileURLToPath(new URL('../../deploy/redis.conf', import.meta.url))

/**
 * Starts redis-server on loopback with `deploy/redis.conf`, a free port and a folder of its own. `config` are further
 * directives, for instance `{ appendfsync: 'always', maxmemory: '5mb' }`.
 */
export async function startRedis({
  config = {},
}: {
  config?: Readonly<Record<string, string>>
} = {}): Promise<RunningRedis> {
  const command = findProgram('redis-server', 'redis-server')
  const folder = serverFolder('redis')
  return withFreePorts(async () => {
    const [port] = (await freePorts(1)) as [number]
    const directives = { bind: '127.0.0.1', port: String(port), dir: folder, daemonize: 'no', logfile: '', ...config }
    const args = [CONFIG, ...Object.entries(directives).flatMap(([name, value]) => [`--${name}`, value])]
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

import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { stringify } from 'yaml'
import { runCommand } from '../../src/commands/program.ts'
import type { RedisAddress } from '../../src/redis/address.ts'
import { eventually } from '../eventually.ts'
import { inconsistencies } from '../redis/consistency.ts'
import { connectRawComponent, type RawComponent } from '../servers/raw-component.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import type { SentinelSet } from '../servers/redis-sets.ts'
import {
  type RunningXmppServer,
  startXmppServer,
  type XmppServerKind,
  type XmppServerOptions,
} from '../servers/xmpp.ts'
import { type Readings, readingsOf } from './readings.ts'

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
/** Patience only: a start takes about a second of the processor. */
const READY_MS = 60_000
const CONFIG = fileURLToPath(new URL('./config/', import.meta.url))

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/**
 * What the command line does with the words, in this process: one of its own for each costs fifty times as much, nearly all of
 * it for loading the same files again. That each command ends as a process, with its text and code, is proven in cli.test.ts.
 */
export async function command(words: readonly string[]): Promise<CliResult> {
  const stdout: string[] = []
  const stderr: string[] = []
  const code = await runCommand(words, {
    out: (text) => void stdout.push(text),
    err: (text) => void stderr.push(text),
  })
  return { code, stdout: stdout.join(''), stderr: stderr.join('') }
}

/** Runs the built command line as its users do, in a process. */
export function waybill(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CliResult> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [CLI, ...words], { env: { ...process.env, ...environment } })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk) => (stdout += chunk))
    child.stderr.on('data', (chunk) => (stderr += chunk))
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

export interface WaybillProcess {
  readonly pid: number
  /** The JSON of its `ready` line. */
  readonly ready: { readonly domain: string; readonly http: string; readonly pid: number }
  /** JSON log lines so far. */
  log(): string
  signal(signal: NodeJS.Signals): void
  /** Resolves with the exit code, or null where a signal ended it. */
  readonly ended: Promise<number | null>
  readonly running: boolean
}

/** Starts `waybill run FOLDER` and waits for its ready line; throws with its output where it ends before. */
export async function runWaybill(
  folder: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<WaybillProcess> {
  return launchWaybill(folder, environment).ready()
}

/** A process that may stand by for as long as another one holds the domain. */
export interface LaunchedWaybill extends Omit<WaybillProcess, 'ready'> {
  /** Waits for its ready line. */
  ready(timeoutMs?: number): Promise<WaybillProcess>
}

/** Starts `waybill run FOLDER`, without waiting for anything. */
export function launchWaybill(folder: string, environment: Readonly<Record<string, string>> = {}): LaunchedWaybill {
  const child: ChildProcess = spawn(process.execPath, [CLI, 'run', folder], { env: { ...process.env, ...environment } })
  let stdout = ''
  let stderr = ''
  let running = true
  child.stdout!.on('data', (chunk) => (stdout += chunk))
  child.stderr!.on('data', (chunk) => (stderr += chunk))
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', (code) => {
      running = false
      resolve(code)
    })
  })
  killAtExit(child)
  const started = {
    pid: child.pid!,
    log: () => stderr,
    signal: (signal: NodeJS.Signals) => void child.kill(signal),
    ended,
    get running() {
      return running
    },
  }
  async function ready(timeoutMs = READY_MS): Promise<WaybillProcess> {
    const line = await eventually(
      () => {
        // It may have ended since.
        const line = /^ready (\{.*\})$/m.exec(stdout)?.[1]
        return line ?? (running ? undefined : 'ended')
      },
      { timeoutMs, what: 'the ready line of Waybill' },
    ).catch((error: Error) => {
      child.kill('SIGKILL')
      throw new Error(`${error.message}; it said:\n${stdout}\n${stderr}`)
    })
    if (line === 'ended') throw new Error(`Cannot run Waybill: it has ended and said:\n${stdout}\n${stderr}`)
    // Not a copy: whether it runs is a getter.
    return Object.defineProperties({ ready: JSON.parse(line) } as unknown as WaybillProcess, {
      ...Object.getOwnPropertyDescriptors(started),
    })
  }
  return Object.defineProperties({ ready } as LaunchedWaybill, Object.getOwnPropertyDescriptors(started))
}

const children = new Set<ChildProcess>()

/** One listener for all of them: a file of scenarios starts dozens. */
function killAtExit(child: ChildProcess): void {
  if (children.size === 0) process.once('exit', killChildren)
  children.add(child)
  child.once('close', () => {
    children.delete(child)
    if (children.size === 0) process.off('exit', killChildren)
  })
}

function killChildren(): void {
  for (const child of children) child.kill('SIGKILL')
}

export interface Installation extends Pick<Readings, 'trace' | 'ledger'> {
  readonly folder: string
  readonly redis: RunningRedis
  readonly server: RunningXmppServer
  /** peer.example.test: sends. */
  peer: RawComponent
  /** other.example.test: receives. */
  other: RawComponent
  waybill: WaybillProcess
  restart(): Promise<void>
  /** Ends Waybill with SIGKILL, and its lease with it: the next process has nothing to wait for. */
  kill(): Promise<void>
  /**
   * Ends the lease that a killed process has left, which keeps the next one waiting for 8 seconds. That it does, and what
   * comes then, is shown where a test leaves it alone (standby.test.ts, breaks.test.ts).
   */
  endLease(): Promise<void>
  /** Redis can be broken again, and senders hear so. */
  leaseRenewed(): Promise<void>
  endAttempts(): Promise<void>
  /** Sends an iq set with the payload from `a@peer.example.test`; gives the answer's text. */
  submit(
    payload: string,
    options?: { readonly from?: string; readonly id?: string; readonly to?: string; readonly timeoutMs?: number },
  ): Promise<string>
  metrics(): Promise<string>
  /** Ends everything, and throws where what stands in Redis by then doesn't fit together. */
  stop(): Promise<void>
}

export interface InstallOptions {
  readonly kind: XmppServerKind
  /** Merged over the settings of the scenario. */
  readonly settings?: Readonly<Record<string, unknown>>
  readonly redisConfig?: Readonly<Record<string, string>>
  /** Instead of a Redis of its own; they are left running. */
  readonly sentinels?: SentinelSet
  readonly durability?: 'memory' | 'everysec' | 'fsync'
  /** Further domains of Waybill, by their first labels: `waybill2`. */
  readonly further?: readonly string[]
  /** A folder of the kinds, instead of the scenarios' own. */
  readonly config?: string
  /** Is done before Waybill starts; the address of Waybill is free until then. */
  readonly serverOptions?: XmppServerOptions
  readonly prepare?: (server: RunningXmppServer) => Promise<void>
}

let counter = 0

/** Real servers, a configuration folder of its own and a running Waybill between them. */
export async function install({
  kind,
  settings = {},
  redisConfig,
  sentinels,
  further = [],
  durability = 'everysec',
  config = CONFIG,
  serverOptions,
  prepare,
}: InstallOptions): Promise<Installation> {
  const [redis, server] = await Promise.all([
    sentinels?.primary() ?? startRedis(redisConfig === undefined ? {} : { config: redisConfig }),
    startXmppServer(kind, { ...serverOptions, components: [...(serverOptions?.components ?? []), ...further] }),
  ])
  const folder = mkdtempSync(join(tmpdir(), 'waybill-scenario-'))
  cpSync(config, folder, { recursive: true })
  const entry = server.component('waybill')
  const waybillYaml = {
    xmpp: {
      service: `xmpp://127.0.0.1:${entry.port}`,
      domain: entry.domain,
      domains: further.map((name) => server.component(name).domain),
      host: server.domain,
      secret: entry.secret,
    },
    redis: { ...redisSettings(redis, sentinels), prefix: `scenario${process.pid}x${counter++}`, durability },
    http: { listen: '127.0.0.1:0' },
    senders: ['*@peer.example.test'],
    admins: ['ops@peer.example.test'],
    alarms: { to: ['ops@peer.example.test'] },
    limits: { perSender: { perMinute: 100_000, waiting: 50_000 } },
    ...settings,
  }
  writeFileSync(join(folder, 'waybill.yaml'), stringify(waybillYaml))
  const connect = (name: 'peer' | 'other') => connectRawComponent(server.component(name))
  let [peer, other] = await Promise.all([connect('peer'), connect('other')])
  await prepare?.(server)
  let running = await runWaybill(folder)
  const readings = readingsOf({ ...redisAddress(redis, sentinels), prefix: waybillYaml.redis.prefix })

  const installation: Installation = {
    folder,
    redis,
    server,
    get peer() {
      return peer
    },
    set peer(next) {
      peer = next
    },
    get other() {
      return other
    },
    set other(next) {
      other = next
    },
    get waybill() {
      return running
    },
    set waybill(next) {
      running = next
    },
    async restart() {
      running = await runWaybill(folder)
    },
    async kill() {
      running.signal('SIGKILL')
      await running.ended
      await readings.endLease(entry.domain)
    },
    endLease: () => readings.endLease(entry.domain),
    leaseRenewed: () => readings.leaseRenewed(entry.domain),
    endAttempts: readings.endAttempts,
    async submit(
      payload,
      { from = 'a@peer.example.test/1', id = `s${counter++}`, to = entry.domain, timeoutMs = 30_000 } = {},
    ) {
      peer.send(`<iq type='set' id='${id}' from='${from}' to='${to}'>${payload}</iq>`)
      return peer.next((stanza) => stanza.startsWith('<iq') && attribute(stanza, 'id') === id, timeoutMs)
    },
    trace: readings.trace,
    ledger: readings.ledger,
    metrics: async () => (await fetch(`${running.ready.http}/metrics`)).text(),
    async stop() {
      peer.close()
      other.close()
      if (running.running) {
        running.signal('SIGTERM')
        await running.ended
      }
      await readings.close()
      const last = (await sentinels?.primary()) ?? redis
      const found = await inconsistenciesLeft(last.url, waybillYaml.redis.prefix)
      await Promise.all([server.stop(), sentinels ? undefined : redis.stop()])
      rmSync(folder, { recursive: true, force: true })
      if (found.length > 0) throw new Error(`What stands in Redis doesn't fit together:\n${found.join('\n')}`)
    },
  }
  return installation
}

/** As a configuration says it: the copy counts too. */
function redisSettings({ url }: RunningRedis, sentinels: SentinelSet | undefined): Readonly<Record<string, unknown>> {
  if (!sentinels) return { url }
  return { sentinels: { name: sentinels.name, addresses: [`127.0.0.1:${sentinels.port}`] }, replicas: 1 }
}

function redisAddress({ url }: RunningRedis, sentinels: SentinelSet | undefined): Omit<RedisAddress, 'prefix'> {
  if (!sentinels) return { url }
  return { url, sentinels: { name: sentinels.name, places: [{ host: '127.0.0.1', port: sentinels.port }] } }
}

/** Nothing, where the test has left Redis ended or hanging. */
async function inconsistenciesLeft(url: string, prefix: string): Promise<string[]> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, commandTimeout: 10_000 })
  client.on('error', () => {})
  const isThere = await client.connect().then(
    () => true,
    () => false,
  )
  try {
    return isThere ? await inconsistencies(client, prefix) : []
  } finally {
    client.disconnect()
  }
}

/** An attribute of a stanza's own tag. */
export function attribute(stanza: string, name: string): string | undefined {
  const tag = /^<[^>]*>/.exec(stanza)?.[0] ?? ''
  return new RegExp(`\\s${name}=(["'])(.*?)\\1`).exec(tag)?.[2]
}

/** The envelope id that `<accepted/>` tells. */
export function acceptedId(answer: string): string {
  const id = /<accepted\b[^>]*?\sid=(["'])([0-9a-f-]{36})\1/.exec(answer)?.[2]
  if (id === undefined) throw new Error(`Cannot find an acknowledgement in ${answer}`)
  return id
}

/** The reason that `<rejection/>` tells, or ''. */
export function rejectedAs(answer: string): string {
  return /<rejection\b[^>]*?\sreason=(["'])(.*?)\1/.exec(answer)?.[2] ?? ''
}

export function order(
  number: string,
  options: {
    readonly currency?: string
    readonly total?: string
    readonly lines?: number
    readonly note?: string
  } = {},
): string {
  const { currency = 'USD', total = '10.00', lines = 1, note } = options
  const body = Array.from({ length: lines }, (_, at) => `<line sku='S${at}' quantity='${at + 1}'/>`).join('')
  return `<order xmlns='urn:example:order'><number>${number}</number><currency>${currency}</currency><total>${total}</total>${note === undefined ? '' : `<note>${note}</note>`}${body}</order>`
}

/**
 * Server processes that belong to one test process.
 *
 * They end with it, however it ends. On a normal exit they are killed at once. For every other end (SIGKILL, a crash)
 * a small shell process watches: its standard input is a pipe from the test process, and when the pipe closes it kills the
 * servers that are left and removes the folders. It runs in a process group of its own, so Ctrl-C doesn't reach it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, closeSync, constants, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Writable } from 'node:stream'
import { eventually } from '../eventually.ts'

export interface ServerProcess {
  readonly pid: number
  /** Standard output and error of this start. */
  output(): string
  /** True once the process has ended. */
  hasEnded(): boolean
  /** Ends the process and returns when it has ended. A process that doesn't obey within 5 seconds is killed. */
  kill(signal?: NodeJS.Signals): Promise<void>
  signal(signal: NodeJS.Signals): void
}

export interface Launch {
  readonly command: string
  readonly arguments: readonly string[]
  /** Where it runs and keeps its output. */
  readonly folder: string
  readonly environment?: Readonly<Record<string, string>>
}

const WATCH = `
trap '' INT TERM HUP
held=' '
while read -r verb pid; do
  case $verb in
    hold) held="$held$pid " ;;
    free) held=$(printf %s "$held" | sed "s/ $pid / /") ;;
  esac
done
for pid in $held; do kill -9 "$pid" 2>/dev/null; done
sleep 0.2
rm -rf "$1"
`

interface Household {
  readonly folder: string
  readonly watcher: Writable
  readonly running: Set<ChildProcess>
}

let household: Household | undefined

function ownHousehold(): Household {
  if (household) return household
  const folder = mkdtempSync(join(tmpdir(), 'waybill-test-'))
  const watcher = spawn('/bin/sh', ['-c', WATCH, 'watch', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  })
  watcher.unref()
  watcher.stdin.on('error', () => {})
  ;(watcher.stdin as unknown as { unref(): void }).unref()
  const running = new Set<ChildProcess>()
  household = { folder, watcher: watcher.stdin, running }
  process.once('exit', () => {
    for (const child of running) child.kill('SIGKILL')
  })
  return household
}

/** A new folder under the system's folder for temporary files; it goes with the test process at the latest. */
export function serverFolder(name: string): string {
  return mkdtempSync(join(ownHousehold().folder, `${name}-`))
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
}

const USUAL_FOLDERS = [
  '/usr/sbin',
  '/usr/local/sbin',
  '/usr/bin',
  '/usr/local/bin',
  '/opt/homebrew/bin',
  '/opt/homebrew/sbin',
]

/** The first of the places where a program usually is; an error that says what to install where there is none. */
export function findProgram(name: string, debianPackage: string): string {
  const found = placeOf(name)
  if (found !== undefined) return found
  throw new Error(`Cannot start ${name}: it is not installed. Install the package ${debianPackage} (npm test does it)`)
}

export function isInstalled(name: string): boolean {
  return placeOf(name) !== undefined
}

function placeOf(name: string): string | undefined {
  return [...(process.env.PATH ?? '').split(delimiter), ...USUAL_FOLDERS]
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export function launch({ command, arguments: args, folder, environment = {} }: Launch): ServerProcess {
  mkdirSync(folder, { recursive: true })
  const { watcher, running } = ownHousehold()
  const outputFile = join(folder, 'output.log')
  const output = openSync(outputFile, 'w')
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  const pid = child.pid
  if (pid === undefined) throw new Error(`Cannot start ${command}: it gave no process id`)
  running.add(child)
  watcher.write(`hold ${pid}\n`)
  child.unref()
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      running.delete(child)
      watcher.write(`free ${pid}\n`)
      resolve()
    })
  })
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  return {
    pid,
    hasEnded,
    output: () => readFileSync(outputFile, 'utf8'),
    signal: (signal) => {
      child.kill(signal)
    },
    kill: async (signal = 'SIGKILL') => {
      child.kill(signal)
      const impatience = setTimeout(() => child.kill('SIGKILL'), 5_000)
      await ended
      clearTimeout(impatience)
    },
  }
}

export interface Readiness {
  /** All of them must have been said. */
  readonly ready: readonly RegExp[]
  /** What a server says that was given a port on which another process listens. */
  readonly portTaken: RegExp
}

/** Waits until the server has said that it is ready. Gives false where a port was taken: worth another start with others. */
export async function whenReady(server: ServerProcess, { ready, portTaken }: Readiness): Promise<boolean> {
  const verdict = await eventually(
    () => {
      const output = server.output()
      if (portTaken.test(output)) return 'taken'
      if (ready.every((line) => line.test(output))) return 'ready'
      return server.hasEnded() ? 'ended' : undefined
    },
    { timeoutMs: 120_000, what: `the server with process id ${server.pid} to be ready` },
  ).catch(async (error: unknown) => {
    const output = server.output()
    await server.kill()
    throw new Error(`${String(error)}. It said:\n${output}`)
  })
  if (verdict === 'ended') throw new Error(`Cannot start the server: it ended and said:\n${server.output()}`)
  if (verdict === 'taken') await server.kill()
  return verdict === 'ready'
}

/** The life of a server that keeps its ports and data over restarts; what every `Running…` interface shares. */
export interface Restartable {
  readonly pid: number
  kill(signal?: NodeJS.Signals): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
  signal(signal: NodeJS.Signals): void
}

/** `launchOnce` starts with the ports chosen and gives undefined where one of them is taken. */
export function restartable(
  folder: string,
  first: ServerProcess,
  launchOnce: () => Promise<ServerProcess | undefined>,
): Restartable {
  let current = first
  return {
    get pid() {
      return current.pid
    },
    signal: (signal) => current.signal(signal),
    kill: (signal) => (current.hasEnded() ? Promise.resolve() : current.kill(signal)),
    async start() {
      if (!current.hasEnded()) throw new Error(`Cannot start the server: process ${current.pid} is running`)
      // The port can be held for a moment by what is left of the old process.
      current = await eventually(launchOnce, { timeoutMs: 60_000, what: 'the port to be free again' })
    },
    async stop() {
      if (!current.hasEnded()) await current.kill()
      removeFolder(folder)
    },
  }
}

/** Tries other ports until none of them is taken. */
export async function withFreePorts<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 10; tries++) {
    const started = await attempt()
    if (started !== undefined) return started
  }
  throw new Error('Cannot start a server: its ports were taken ten times in a row')
}

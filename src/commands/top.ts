import { setTimeout as delay } from 'node:timers/promises'
import { StoreUnavailable } from '../flow/ports.ts'
import type { OperatorsStore } from '../redis/joined.ts'
import { domainsOf } from '../settings.ts'
import { type ExitCode, type Output, printJson } from './output.ts'
import { settingsOf } from './settings-of.ts'
import { fitted, frameOf, type Seen } from './top-frame.ts'
import { withStore } from './with-store.ts'

export interface TopOptions {
  /** One frame, then the end. */
  readonly once?: boolean
}

const REFRESH_MS = 1_000

/** What all processes do, once a second, until q or Ctrl-C; one look as JSON, with `--once`, or where there is no terminal. */
export async function top(folder: string, { once }: TopOptions, output: Output): Promise<ExitCode> {
  const settings = await settingsOf(folder, output)
  return withStore(settings, async (store): Promise<ExitCode> => {
    const look = () => lookAt(store, domainsOf(settings).join(', '))
    if (output.format === 'json') printJson(output, await look())
    else if (once || !process.stdout.isTTY || !process.stdin.isTTY) output.print(frameOf(await look()).join('\n'))
    else await watch(look)
    return 0
  })
}

async function lookAt(store: OperatorsStore, domain: string): Promise<Seen> {
  const [processes, depth] = await Promise.all([store.figures(), store.depth()])
  return { domain, atMs: Date.now(), processes, depth }
}

const ALTERNATE_SCREEN = '\x1b[?1049h\x1b[?25l'
const BACK = '\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const REST_OF_LINE = '\x1b[K'
const REST_OF_SCREEN = '\x1b[J'

/** Draws until it is told to stop; the terminal is left as it was found. */
async function watch(look: () => Promise<Seen>): Promise<void> {
  const { stdin, stdout } = process
  const stopped = new AbortController()
  const stop = () => stopped.abort()
  // Who wants to leave doesn't wait for Redis.
  const untilStopped = new Promise<undefined>((resolve) => {
    stopped.signal.addEventListener('abort', () => resolve(undefined))
  })
  let frame: Frame = () => ['waiting for Redis']
  const draw = () => {
    const shown = fitted([...frame(stdout.columns), '', 'q quits'], stdout.columns, stdout.rows)
    stdout.write(HOME + shown.map((line) => line + REST_OF_LINE).join('\r\n') + REST_OF_SCREEN)
  }
  // In raw mode Ctrl-C is a character like q.
  const hear = (keys: Buffer) => {
    if (/[qQ\x03\x04]/.test(keys.toString('latin1'))) stop()
  }
  stdout.write(ALTERNATE_SCREEN)
  stdin.setRawMode(true)
  stdin.on('data', hear)
  stdout.on('resize', draw)
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  try {
    draw()
    while (!stopped.signal.aborted) {
      frame = (await Promise.race([look().then(frameOfSeen, frameOfFailure), untilStopped])) ?? frame
      if (!stopped.signal.aborted) draw()
      await delay(REFRESH_MS, undefined, { signal: stopped.signal }).catch(() => {})
    }
  } finally {
    process.off('SIGTERM', stop)
    process.off('SIGINT', stop)
    stdout.off('resize', draw)
    stdin.off('data', hear)
    stdin.setRawMode(false)
    stdin.pause()
    stdout.write(BACK)
  }
}

/** The lines for a terminal of so many columns, which may change between two looks. */
type Frame = (columns: number) => readonly string[]

function frameOfSeen(seen: Seen): Frame {
  return (columns) => frameOf(seen, columns)
}

/** Redis may come back. */
function frameOfFailure(error: Error): Frame {
  if (!(error instanceof StoreUnavailable)) throw error
  return () => [error.message]
}

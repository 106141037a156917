import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { launch, removeFolder, type ServerProcess, serverFolder } from '../servers/processes.ts'

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

/** A process that has ended without anybody wanting it. */
export interface UnwantedEnd {
  readonly pid: number
  readonly lastWords: string
}

/** Two processes on one configuration, started again whenever one has ended, as a service manager does. */
export interface Waybills {
  readonly pids: readonly number[]
  /** Of `pids`; the last that is known where Redis can't say now. */
  holder(): Promise<number>
  signal(slot: number, signal: NodeJS.Signals): void
  /** Ends it, and resolves with the way to have it started again. */
  end(slot: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<() => Promise<void>>
  readonly unwanted: readonly UnwantedEnd[]
  /** What a process says of itself. */
  log(slot: number): string
  stop(): Promise<void>
}

const START_AGAIN_MS = 500
const LOOK_MS = 100

/** `heldBy`: who holds the domain by Redis's word, or undefined where it can't be asked. */
export function startWaybills(folder: string, heldBy: () => Promise<string | undefined>): Waybills {
  const base = serverFolder('waybill')
  const unwanted: UnwantedEnd[] = []
  const kept = new Set<number>()
  let launched = 0
  let isStopped = false
  let lastHolder = 0

  const start = () =>
    launch({
      command: process.execPath,
      arguments: [CLI, 'run', folder],
      folder: join(base, String(launched++)),
      environment: { NODE_ENV: 'production' },
    })
  const slots: ServerProcess[] = [start(), start()]

  async function keepAlive(slot: number): Promise<void> {
    while (!isStopped) {
      await pause(LOOK_MS)
      if (isStopped || kept.has(slot) || !slots[slot]!.hasEnded()) continue
      unwanted.push({ pid: slots[slot]!.pid, lastWords: slots[slot]!.output().trimEnd().slice(-600) })
      await pause(START_AGAIN_MS)
      if (!isStopped && !kept.has(slot)) slots[slot] = start()
    }
  }
  const keeping = slots.map((_, slot) => keepAlive(slot))

  return {
    get pids() {
      return slots.map(({ pid }) => pid)
    },
    async holder() {
      const name = await heldBy()
      const slot = slots.findIndex(({ pid }) => name?.includes(`-${pid}-`))
      if (slot >= 0) lastHolder = slot
      return lastHolder
    },
    signal: (slot, signal) => slots[slot]!.signal(signal),
    async end(slot, signal) {
      kept.add(slot)
      const ending = slots[slot]!
      ending.signal(signal)
      if (signal === 'SIGKILL') await ending.kill()
      return async () => {
        await endPolitely(ending)
        if (!isStopped) slots[slot] = start()
        kept.delete(slot)
      }
    },
    unwanted,
    log: (slot) => slots[slot]!.output(),
    async stop() {
      isStopped = true
      await Promise.all(keeping)
      for (const slot of slots) slot.signal('SIGTERM')
      await Promise.all(slots.map(endPolitely))
      removeFolder(base)
    },
  }
}

/** It may take its time to drain. */
async function endPolitely(process: ServerProcess): Promise<void> {
  for (let waitedMs = 0; waitedMs < 15_000 && !process.hasEnded(); waitedMs += LOOK_MS) await pause(LOOK_MS)
  if (!process.hasEnded()) await process.kill()
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

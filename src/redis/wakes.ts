import { Queue, Worker } from 'bullmq'
import type { Log, Wakes } from '../flow/ports.ts'
import { connect, connectImpatient, describe, PATIENCE_MS, SILENCE_MS, whenReady } from './connection.ts'
import { keyPrefix } from './keys.ts'
import { createOutgoing } from './outgoing.ts'

export interface WakesOptions {
  readonly url: string
  readonly prefix: string
  readonly log: Log
}

/** Takes delivery ids that may be started now; some may have been started already, or never be heard of again. */
export type WakeHandler = (ids: readonly string[]) => Promise<void>

export interface RedisWakes extends Wakes {
  /** Begins to take wakes, `concurrency` jobs at a time. Called once. */
  work(handler: WakeHandler, options: { readonly concurrency: number }): void
  /** Takes no more wakes, and resolves when the handlers that run have ended. */
  pause(): Promise<void>
  /** Pauses, and ends the connections. */
  close(): Promise<void>
}

interface WakeJob {
  readonly v: 1
  readonly ids: readonly string[]
}

const QUEUE = 'wakes'
// A blocked read lasts at most 10 s: a connection that is silent for longer is dead.
const BLOCKED_SILENCE_MS = 20_000

/**
 * Opens the queue that wakes workers. A wake is a BullMQ job that carries ids and nothing else, since the truth is the
 * store's: a job is never retried and leaves nothing behind. Throws StoreUnavailable where Redis can't be reached.
 */
export async function openWakes({ url, prefix, log }: WakesOptions): Promise<RedisWakes> {
  const producer = connectImpatient(url, 'wakes', log)
  try {
    await whenReady(producer, Date.now() + PATIENCE_MS)
  } catch (error) {
    producer.disconnect()
    throw error
  }
  const bullPrefix = `${keyPrefix(prefix)}bull`
  const queue = new Queue<WakeJob>(QUEUE, {
    connection: producer,
    prefix: bullPrefix,
    // Nobody reads BullMQ's stream of events.
    streams: { events: { maxLen: 10 } },
    defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true },
  })
  queue.on('error', (error) => log('warn', 'wakes-queue', { error: describe(error) }))
  const outgoing = createOutgoing(async (jobs) => {
    await queue.addBulk(jobs.map(({ ids, delayMs: delay }) => ({ name: 'wake', data: { v: 1, ids }, opts: { delay } })))
  }, log)
  let worker: RunningWorker | undefined
  return {
    wake: outgoing.wake,
    work(handler, { concurrency }) {
      if (worker) throw new Error('Cannot work: a handler takes the wakes already')
      worker = startWorker(handler, { url, prefix: bullPrefix, concurrency, log, arrived: outgoing.arrived })
    },
    async pause() {
      await worker?.pause()
    },
    async close() {
      await worker?.close()
      await withinSilence(queue.close())
      producer.disconnect()
    },
  }
}

interface RunningWorker {
  pause(): Promise<void>
  close(): Promise<void>
}

function startWorker(
  handler: WakeHandler,
  options: WakesOptions & { readonly concurrency: number; readonly arrived: (ids: readonly string[]) => void },
): RunningWorker {
  const { url, prefix, concurrency, log, arrived } = options
  const running = new Set<Promise<void>>()
  let paused = false
  // BullMQ asks for commands that wait for the connection for ever.
  const connection = connect(url, 'worker', log, { maxRetriesPerRequest: null, socketTimeout: BLOCKED_SILENCE_MS })

  async function handle(ids: readonly string[]): Promise<void> {
    arrived(ids)
    // Fetched while the pause began: the sweeper wakes for it again.
    if (paused) return
    try {
      await handler(ids)
    } catch (error) {
      // What it left undone is due still: the sweeper wakes for it again.
      log('warn', 'wake-failed', { ids: ids.length, error: describe(error) })
    }
  }

  const worker = new Worker<WakeJob>(
    QUEUE,
    async ({ data }) => {
      const handled = handle(data.ids)
      running.add(handled)
      await handled
      running.delete(handled)
    },
    { connection, prefix, concurrency, runRetryDelay: 1_000 },
  )
  worker.on('error', (error) => log('warn', 'wakes-worker', { error: describe(error) }))

  async function pause(): Promise<void> {
    paused = true
    await worker.pause(true)
    await Promise.all(running)
  }

  return {
    pause,
    async close() {
      await pause()
      // Politely, so that finished jobs are removed; but a job that stays is only a wake too many.
      await withinSilence(worker.close())
      await withinSilence(worker.disconnect())
      connection.disconnect()
    },
  }
}

/** Waits for BullMQ, which waits for Redis, but no longer than for an answer of Redis itself. */
async function withinSilence(ending: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, SILENCE_MS)
  })
  await Promise.race([ending.catch(() => undefined), late])
  clearTimeout(timer)
}

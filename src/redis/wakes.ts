import { Queue, Worker } from 'bullmq'
import type { Log, Wakes } from '../flow/ports.ts'
import type { RedisAddress } from './address.ts'
import { comeBack, connect, connectImpatient, describe, PATIENCE_MS, soon, tellOnce, whenReady } from './connection.ts'
import { keyPrefix } from './keys.ts'
import { createOutgoing, type OutgoingJob } from './outgoing.ts'

export interface WakesOptions extends RedisAddress {
  readonly log: Log
}

/** Takes delivery ids that may be started now; some may have been started already, or never be heard of again. */
export type WakeHandler = (ids: readonly string[]) => Promise<void>

export interface RedisWakes extends Wakes {
  /** Begins to take wakes, `concurrency` jobs at a time. Called once. */
  work(handler: WakeHandler, options: { readonly concurrency: number }): void
  /** Takes no more wakes, and resolves when the handlers that run have ended. */
  pause(): Promise<void>
  /** Takes wakes again, and forgets what was on its way: another process may have taken it. */
  resume(): void
  /** Pauses, and ends the connections. */
  close(): Promise<void>
}

const VERSION = 1

interface WakeJob {
  readonly v: typeof VERSION
  readonly ids: readonly string[]
}

const QUEUE = 'wakes'
// A blocked read lasts at most 10 s: a connection that is silent for longer is dead.
const BLOCKED_SILENCE_MS = 20_000
/** More ids than can become free while one call starts what it can. */
const GATHERED_MOST = 4_096

/**
 * Opens the queue that wakes workers. A wake is a BullMQ job that carries ids and nothing else, since the truth is the
 * store's: a job is never retried and leaves nothing behind. Throws StoreUnavailable where Redis can't be reached.
 */
export async function openWakes(options: WakesOptions): Promise<RedisWakes> {
  const { log } = options
  const producer = connectImpatient(options, 'wakes', log)
  try {
    await whenReady(producer, Date.now() + PATIENCE_MS)
  } catch (error) {
    producer.disconnect()
    throw error
  }
  const bullPrefix = `${keyPrefix(options.prefix, options.shard)}bull`
  const queue = new Queue<WakeJob>(QUEUE, {
    connection: producer,
    prefix: bullPrefix,
    // Nobody reads BullMQ's stream of events.
    streams: { events: { maxLen: 10 } },
    defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true },
  })
  const errors = tellOnce(log, 'wakes-queue')
  queue.on('error', errors.tell)
  producer.on('ready', errors.forget)
  let worker: RunningWorker | undefined
  const addJobs = async (jobs: readonly OutgoingJob[]) => {
    await queue.addBulk(
      jobs.map(({ ids, delayMs: delay }) => ({ name: 'wake', data: { v: VERSION, ids }, opts: { delay } })),
    )
  }
  const outgoing = createOutgoing(addJobs, (ids) => worker?.take(ids), log)
  return {
    wake: outgoing.wake,
    hand: (ids) => worker?.take(ids),
    work(handler, { concurrency }) {
      if (worker) throw new Error('Cannot work: a handler takes the wakes already')
      worker = startWorker(handler, { ...options, bullPrefix, concurrency, arrived: outgoing.arrived })
    },
    async pause() {
      await worker?.pause()
    },
    resume() {
      outgoing.forget()
      worker?.resume()
    },
    async close() {
      await worker?.close()
      await soon(queue.close())
      producer.disconnect()
    },
  }
}

interface RunningWorker {
  /** Hands ids to the handler without a job. One call at a time: what comes meanwhile gathers for the next one. */
  take(ids: readonly string[]): void
  pause(): Promise<void>
  resume(): void
  close(): Promise<void>
}

interface WorkerOptions extends WakesOptions {
  readonly bullPrefix: string
  readonly concurrency: number
  readonly arrived: (ids: readonly string[]) => void
}

function startWorker(handler: WakeHandler, options: WorkerOptions): RunningWorker {
  const { bullPrefix, concurrency, log, arrived } = options
  let closed = false
  const connection = connect(options, 'worker', log, {
    // BullMQ asks for commands that wait for the connection for ever.
    maxRetriesPerRequest: null,
    socketTimeout: BLOCKED_SILENCE_MS,
    // BullMQ makes a second connection like this one, and leaves it trying where Redis is away when the worker is closed.
    retryStrategy: (times) => (closed ? null : comeBack(times)),
  })
  const handling = createHandling(handler, arrived, log)
  async function handle({ v, ids }: WakeJob): Promise<void> {
    // Of a later version: what it was to wake for is due, and found by the sweeper.
    if (v !== VERSION) log('warn', 'unknown-version', { wake: v, known: VERSION })
    else await handling.handle(ids)
  }
  const worker = new Worker<WakeJob>(QUEUE, ({ data }) => handle(data), {
    connection,
    prefix: bullPrefix,
    concurrency,
    runRetryDelay: 1_000,
  })
  const errors = tellOnce(log, 'wakes-worker')
  worker.on('error', errors.tell)
  connection.on('ready', errors.forget)

  async function pause(): Promise<void> {
    handling.refuse()
    await worker.pause(true)
    await handling.idle()
  }

  let gathered: string[] = []
  let taking = false

  async function takeGathered(): Promise<void> {
    taking = true
    while (gathered.length > 0) {
      const ids = gathered
      gathered = []
      await handling.handle(ids)
    }
    taking = false
  }

  return {
    take(ids) {
      // The sweeper finds what is left.
      if (gathered.length + ids.length > GATHERED_MOST) return
      gathered.push(...ids)
      if (!taking) void takeGathered()
    },
    pause,
    resume() {
      handling.admit()
      void worker.resume().catch(errors.tell)
    },
    async close() {
      await pause()
      closed = true
      // Politely, so that finished jobs are removed; but a job that stays is only a wake too many.
      await soon(worker.close())
      await soon(worker.disconnect())
      connection.disconnect()
    },
  }
}

/** Runs the handler, knows what runs, and never throws. */
function createHandling(handler: WakeHandler, arrived: (ids: readonly string[]) => void, log: Log) {
  const running = new Set<Promise<void>>()
  let refusing = false

  async function run(ids: readonly string[]): Promise<void> {
    try {
      await handler(ids)
    } catch (error) {
      // What it left undone is due still: the sweeper wakes for it again.
      log('warn', 'wake-failed', { ids: ids.length, error: describe(error) })
    }
  }

  return {
    async handle(ids: readonly string[]): Promise<void> {
      arrived(ids)
      // Fetched while the pause began: the sweeper wakes for it again.
      if (refusing) return
      const handled = run(ids)
      running.add(handled)
      await handled
      running.delete(handled)
    },
    refuse(): void {
      refusing = true
    },
    admit(): void {
      refusing = false
    },
    async idle(): Promise<void> {
      await Promise.all(running)
    },
  }
}

import type { Document } from '../../domain/document.ts'
import { type DocumentType, typeKey } from '../../domain/document-type.ts'
import { type Finding, type Rejection, reject } from '../../domain/rejection.ts'
import type { CheckedApart, Checkers, Log, Metrics } from '../../flow/ports.ts'
import type { CompiledDocuments } from '../documents.ts'
import type { Checked } from '../validate.ts'
import { createIsHeavy, slowTypes } from './heavy.ts'
import { createFairQueue } from './queue.ts'
import type { CheckedSet, CheckTask } from './task.ts'
import { type CheckingThread, type CheckOutcome, startThread, type ThreadTimes } from './thread.ts'

/** Documents that wait for a thread, from all senders and from one. */
const WAITING_MOST = 1_000
const WAITING_OF_ONE = 500
/** Whoever waits for longer has given up. */
const PATIENCE_MS = 30_000
/** A document at which so many threads have ended is what ends them. */
const TRIES_MOST = 3
/** Threads that end before they are ready, one after the other. */
const STARTS_FAILED_MOST = 3
const RETRY_AFTER_SECONDS = 5

const TIMES: ThreadTimes = { documentMs: 5_000, compileMs: 60_000 }

export interface CheckersNeeds {
  readonly set: CheckedSet
  /** The compiled `worker.js`. */
  readonly program: URL
  /** At most so many threads; 0: nothing is heavy. */
  readonly threads: number
  /** Of this very thread: what no other one can validate, and the rest of what one did. */
  readonly documents: Pick<CompiledDocuments, 'validate' | 'complete'>
  readonly metrics: Pick<Metrics, 'checked'>
  readonly log: Log
  /** Five seconds of the processor for a document. */
  readonly times?: ThreadTimes
}

export interface ThreadedCheckers extends Checkers {
  /** Resolves when the first thread is ready, where one is started before it is needed; never throws. */
  ready(): Promise<void>
  /** Another set is in force: what was begun is ended, and threads that have nothing more to do are. */
  retire(): void
  /** Ends all threads; what they had in hand is not answered any more. */
  close(): void
  /** Documents that wait for a thread, or are in one. */
  readonly inHand: number
  /** Those that run. */
  readonly threads: number
}

interface Job {
  readonly document: Document
  readonly type: DocumentType
  readonly atMs: number
  tries: number
  resolve(checked: CheckedApart): void
  reject(error: Error): void
}

/**
 * Threads that validate what is heavy, so that everything else isn't kept waiting. Each holds one document at a time: when a thread
 * ends, it is known why. Started when they are needed; one before that where a type has rules.
 */
export function createCheckers({
  set,
  program,
  threads: most,
  documents,
  metrics,
  log,
  times = TIMES,
}: CheckersNeeds): ThreadedCheckers {
  const queue = createFairQueue<Job>()
  const threads = new Set<CheckingThread>()
  const first = slowTypes(set).map(typeKey)
  const isHeavy = createIsHeavy(set)
  const readers: (() => void)[] = []
  let startsFailed = 0
  let busy = 0
  let retired = false
  let closed = false
  if (first.length > 0 && most > 0) startOne()

  function startOne(): void {
    let wasReady = false
    const thread = startThread(program, { ...set, first }, times, () => {
      if (thread.state === 'idle') {
        wasReady = true
        startsFailed = 0
      }
      if (thread.state === 'ended') {
        threads.delete(thread)
        if (!wasReady && !closed) failStart()
      }
      if (wasReady || isBroken()) for (const tell of readers.splice(0)) tell()
      pump()
    })
    threads.add(thread)
  }

  function isBroken(): boolean {
    return startsFailed >= STARTS_FAILED_MOST
  }

  function failStart(): void {
    startsFailed += 1
    log('error', 'checker-not-started', { tries: startsFailed })
    if (!isBroken() && first.length > 0 && threads.size === 0) startOne()
  }

  function pump(): void {
    if (closed) return
    const nowMs = performance.now()
    for (const job of queue.takeLate(({ atMs }) => nowMs - atMs > PATIENCE_MS)) job.resolve(overloaded(tooLate()))
    while (queue.size > 0) {
      const idle = idleThread()
      if (!idle && !isBroken()) break
      const { sender, item } = queue.take()!
      if (idle) void run(sender, item, idle)
      else checkHere(item)
    }
    const starting = [...threads].filter(({ state }) => state === 'starting').length
    if (queue.size > starting && threads.size < most && !isBroken()) startOne()
    if (retired) for (const thread of threads) if (queue.size === 0 && thread.state === 'idle') thread.end()
  }

  function idleThread(): CheckingThread | undefined {
    for (const thread of threads) if (thread.state === 'idle') return thread
    return undefined
  }

  async function run(sender: string, job: Job, thread: CheckingThread): Promise<void> {
    busy += 1
    const outcome = await thread.check(taskOf(job))
    busy -= 1
    settle(sender, job, outcome)
    pump()
  }

  function settle(sender: string, job: Job, outcome: CheckOutcome): void {
    const { document, type, tries } = job
    const details = { type: typeKey(type), bytes: document.bytes, digest: document.digest }
    switch (outcome.kind) {
      case 'checked':
        metrics.checked('thread', (performance.now() - job.atMs) / 1000)
        complete(job, outcome.checked)
        return
      case 'unreadable':
        checkHere(job)
        return
      case 'failed':
        job.reject(new Error(outcome.reason))
        return
      case 'too-costly':
        log('warn', 'check-too-costly', { ...details, seconds: outcome.seconds })
        complete(job, refused('too-costly', `its check takes more than ${outcome.seconds} seconds of the processor`))
        return
      case 'lost':
        job.tries = tries + 1
        log('error', 'checker-lost', { ...details, tries: job.tries, reason: outcome.reason })
        if (job.tries < TRIES_MOST) queue.putBack(sender, job)
        else complete(job, refused('breaks-step', `what checks it has ended ${TRIES_MOST} times`))
    }
  }

  function complete(job: Job, checked: Checked): void {
    const { document, type } = job
    try {
      job.resolve({ kind: 'validated', validation: documents.complete(document, type, checked) })
    } catch (error) {
      job.reject(error as Error)
    }
  }

  function checkHere(job: Job): void {
    try {
      const validation = documents.validate(job.document, job.type)
      metrics.checked('here', (performance.now() - job.atMs) / 1000)
      job.resolve({ kind: 'validated', validation })
    } catch (error) {
      job.reject(error as Error)
    }
  }

  return {
    validate(document, type, sender) {
      if (most === 0 || isBroken() || closed || !isHeavy(document, type)) return undefined
      const waiting = queue.sizeOf(sender)
      if (waiting >= WAITING_OF_ONE) return Promise.resolve(overloaded(tooMany(waiting, 'of your documents')))
      if (queue.size >= WAITING_MOST) return Promise.resolve(overloaded(tooMany(queue.size, 'documents')))
      return new Promise((resolve, reject) => {
        queue.add(sender, { document, type, atMs: performance.now(), tries: 0, resolve, reject })
        pump()
      })
    },
    async ready() {
      const isStarting = [...threads].some(({ state }) => state === 'starting')
      if (isStarting && !idleThread()) await new Promise<void>((resolve) => readers.push(resolve))
    },
    retire() {
      retired = true
      pump()
    },
    close() {
      closed = true
      for (const thread of threads) thread.end()
    },
    get inHand() {
      return queue.size + busy
    },
    get threads() {
      return threads.size
    },
  }
}

function taskOf({ document, type }: Job): CheckTask {
  const { form, mediaType, datatype, payload, bytes, content } = document
  return { type: typeKey(type), content: content.kind, form, mediaType, datatype, payload, bytes }
}

function tooMany(waiting: number, whose: string): string {
  return `Cannot check more now: ${waiting} ${whose} wait to be checked already`
}

function tooLate(): string {
  return `Cannot check the document: it has waited for ${PATIENCE_MS / 1000} seconds`
}

function overloaded(text: string): { readonly kind: 'rejected'; readonly rejection: Rejection } {
  return { kind: 'rejected', rejection: reject('overloaded', text, [], RETRY_AFTER_SECONDS) }
}

/** What can't be judged is not valid, and never held or marked: whoever looked at it again would fare as badly. */
function refused(rule: 'too-costly' | 'breaks-step', why: string): Checked {
  const message = `Cannot check the document: ${why}`
  const finding: Finding = { layer: 'limits', rule, severity: 'error', path: '', message }
  return { findings: [finding], failedAs: 'reject' }
}

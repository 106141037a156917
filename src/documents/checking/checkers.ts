import type { Document } from '../../domain/document.ts'
import { type DocumentType, typeKey } from '../../domain/document-type.ts'
import type { Finding } from '../../domain/rejection.ts'
import { reject } from '../../domain/rejection.ts'
import type {
  CheckAnswer,
  CheckedApart,
  CheckedLayers,
  Checkers,
  CheckPlace,
  CheckTask,
  FarCheckers,
  Log,
  Metrics,
  NotChecked,
} from '../../flow/ports.ts'
import type { CompiledDocuments } from '../documents.ts'
import { createIsHeavy, slowTypes } from './heavy.ts'
import { createFairQueue } from './queue.ts'
import type { CheckedSet } from './task.ts'
import type { CheckOutcome, ThreadTimes } from './thread.ts'
import { createThreads } from './threads.ts'

/** Documents that wait for a thread, from all senders and from one. */
const WAITING_MOST = 1_000
const WAITING_OF_ONE = 500
/** Whoever waits for longer has given up. */
const PATIENCE_MS = 30_000
/** A document at which so many threads have ended is what ends them. */
const TRIES_MOST = 3
const RETRY_AFTER_SECONDS = 5

const TIMES: ThreadTimes = { documentMs: 5_000, compileMs: 60_000 }

export interface CheckersNeeds {
  readonly set: CheckedSet
  /** The compiled `worker.js`. */
  readonly program: URL
  /** At most so many threads; 0: nothing is heavy. */
  readonly threads: number
  /** Other processes, for what no thread is free for; they are named the set by its digest. */
  readonly far?: { readonly checkers: FarCheckers; readonly digest: string }
  /** Of this very thread: what no other one can validate, and the rest of what one did. */
  readonly documents: Pick<CompiledDocuments, 'isPlainlyValid' | 'validate' | 'complete'>
  readonly metrics: Pick<Metrics, 'checked'>
  readonly log: Log
  /** Five seconds of the processor for a document. */
  readonly times?: ThreadTimes
}

export interface ThreadedCheckers extends Checkers {
  /** Resolves when the first thread is ready, where one is started before it is needed; never throws. */
  ready(): Promise<void>
  /** Checks for another process, by threads alone. Never throws. */
  serve(task: CheckTask, from: string): Promise<CheckAnswer | NotChecked>
  /** Threads that nothing of this process's own keeps busy: whoever asks knows what is in hand for him. */
  readonly free: number
  /** Another set is in force: what was begun is ended, and threads that have nothing more to do are. */
  retire(): void
  /** Ends all threads; what they had in hand is not answered any more. */
  close(): void
  /** Documents that wait to be checked, or are. */
  readonly inHand: number
  /** Those that run. */
  readonly threads: number
}

interface Job {
  readonly task: CheckTask
  readonly atMs: number
  tries: number
  /** By threads of this process alone. */
  near: boolean
  settle(answer: CheckAnswer | NotChecked, where: CheckPlace): void
}

/**
 * Threads that validate what is heavy, so that everything else isn't kept waiting, and other processes where these have none free. Each
 * thread holds one document at a time: when one ends, it is known why. Started when they are needed; one before that where a type
 * is slow.
 */
export function createCheckers({
  set,
  program,
  threads: most,
  far,
  documents,
  metrics,
  log,
  times = TIMES,
}: CheckersNeeds): ThreadedCheckers {
  const queue = createFairQueue<Job>()
  const isHeavy = createIsHeavy(set)
  let busy = 0
  /** Of those in hand, for other processes. */
  let served = 0
  let retired = false
  let closed = false
  const threads = createThreads(
    { program, data: { ...set, first: slowTypes(set).map(typeKey) }, most, times, log },
    pump,
  )
  far?.checkers.onRoom(pump)

  function pump(): void {
    if (closed) return
    const nowMs = performance.now()
    for (const job of queue.takeLate(({ atMs }) => nowMs - atMs > PATIENCE_MS)) {
      job.settle({ kind: 'lost', reason: `it has waited for ${PATIENCE_MS / 1_000} seconds` }, 'here')
    }
    for (let next = queue.take(); next; next = queue.take()) {
      if (begin(next.sender, next.item)) continue
      queue.putBack(next.sender, next.item)
      break
    }
    threads.startFor(queue.size)
    if (retired && queue.size === 0) threads.endIdle()
  }

  /** False where nobody is free for it. */
  function begin(sender: string, job: Job): boolean {
    const idle = threads.idle()
    if (idle) {
      void run(sender, job, idle.check(job.task), 'thread')
      return true
    }
    if (threads.broken) {
      job.settle({ kind: 'unreadable' }, 'here')
      return true
    }
    const asked = job.near ? undefined : far?.checkers.check(job.task, far.digest)
    if (asked) void run(sender, job, asked, 'process')
    return asked !== undefined
  }

  async function run(sender: string, job: Job, checking: Promise<CheckOutcome>, where: 'thread' | 'process') {
    busy += 1
    const outcome = await checking
    busy -= 1
    settle(sender, job, outcome, where)
    pump()
  }

  function settle(sender: string, job: Job, outcome: CheckOutcome, where: 'thread' | 'process'): void {
    const { type, bytes } = job.task
    switch (outcome.kind) {
      case 'checked':
      case 'unreadable':
      case 'failed':
        job.settle(outcome, where)
        return
      case 'too-costly':
        log('warn', 'check-too-costly', { type, bytes, seconds: outcome.seconds })
        job.settle(
          refused('too-costly', `its check takes more than ${outcome.seconds} seconds of the processor`),
          where,
        )
        return
      case 'lost':
        log(where === 'thread' ? 'error' : 'info', 'checker-lost', { type, bytes, where, reason: outcome.reason })
        if (where === 'thread') job.tries += 1
        else job.near = true
        if (job.tries < TRIES_MOST) queue.putBack(sender, job)
        else job.settle(refused('breaks-step', `what checks it has ended ${TRIES_MOST} times`), where)
    }
  }

  function add(sender: string, task: CheckTask, near: boolean, told: Job['settle']): void {
    queue.add(sender, { task, atMs: performance.now(), tries: 0, near, settle: told })
    pump()
  }

  function conclude(document: Document, type: DocumentType, answer: CheckAnswer | NotChecked): CheckedApart {
    switch (answer.kind) {
      case 'checked':
        return { kind: 'validated', validation: documents.complete(document, type, answer.checked) }
      case 'unreadable':
        return { kind: 'validated', validation: documents.validate(document, type) }
      case 'lost':
        return overloaded(`Cannot check the document now: ${answer.reason}`)
      case 'failed':
        throw new Error(answer.reason)
    }
  }

  return {
    validate(document, type, sender) {
      if (most === 0 || threads.broken || closed || !isHeavy(document, type)) return undefined
      // That takes no longer than giving it away.
      if (documents.isPlainlyValid(document, type)) return undefined
      const excess = excessOf(queue.sizeOf(sender), queue.size)
      if (excess !== undefined) return Promise.resolve(overloaded(excess))
      const sinceMs = performance.now()
      return new Promise((resolve, fail) => {
        add(sender, taskOf(document, type), false, (answer, where) => {
          try {
            resolve(conclude(document, type, answer))
            if (answer.kind !== 'lost') {
              metrics.checked(answer.kind === 'unreadable' ? 'here' : where, (performance.now() - sinceMs) / 1_000)
            }
          } catch (error) {
            fail(error as Error)
          }
        })
      })
    },
    serve(task, from) {
      const excess = excessOf(queue.sizeOf(from), queue.size)
      if (most === 0 || threads.broken || closed || retired || excess !== undefined) {
        return Promise.resolve({ kind: 'lost', reason: excess ?? 'no thread checks by this set' })
      }
      served += 1
      return new Promise((resolve) => {
        add(from, task, true, (answer) => {
          served -= 1
          resolve(answer)
        })
      })
    },
    ready: () => threads.ready(),
    get free() {
      return threads.broken || closed || retired ? 0 : Math.max(0, most - (busy + queue.size - served))
    },
    retire() {
      retired = true
      pump()
    },
    close() {
      closed = true
      threads.end()
    },
    get inHand() {
      return queue.size + busy
    },
    get threads() {
      return threads.count
    },
  }
}

function taskOf(document: Document, type: DocumentType): CheckTask {
  const { form, mediaType, datatype, payload, bytes, content } = document
  return { type: typeKey(type), content: content.kind, form, mediaType, datatype, payload, bytes }
}

/** Why no more may wait, or undefined. */
function excessOf(ofSender: number, ofAll: number): string | undefined {
  if (ofSender >= WAITING_OF_ONE)
    return `Cannot check more now: ${ofSender} of your documents wait to be checked already`
  return ofAll >= WAITING_MOST ? `Cannot check more now: ${ofAll} documents wait to be checked already` : undefined
}

function overloaded(text: string): CheckedApart {
  return { kind: 'rejected', rejection: reject('overloaded', text, [], RETRY_AFTER_SECONDS) }
}

/** What can't be judged is not valid, and never held or marked: whoever looked at it again would fare as badly. */
function refused(rule: 'too-costly' | 'breaks-step', why: string): CheckAnswer {
  const message = `Cannot check the document: ${why}`
  const finding: Finding = { layer: 'limits', rule, severity: 'error', path: '', message }
  const checked: CheckedLayers = { findings: [finding], failedAs: 'reject' }
  return { kind: 'checked', checked }
}

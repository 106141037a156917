import { Worker } from 'node:worker_threads'
import { cpuMsOf } from '../thread-cpu.ts'
import type { CheckAnswer, CheckTask, ThreadData, ThreadMessage } from './task.ts'

/** How a check ended. */
export type CheckOutcome =
  | CheckAnswer
  /** It took longer than a document may, and was ended. */
  | { readonly kind: 'too-costly'; readonly seconds: number }
  /** Who checked it is gone; nothing is known of the document. */
  | { readonly kind: 'lost'; readonly reason: string }

/** One thread that checks one document at a time. */
export interface CheckingThread {
  readonly state: 'starting' | 'idle' | 'busy' | 'ended'
  /** Only where it is idle. Never throws. */
  check(task: CheckTask): Promise<CheckOutcome>
  end(): void
}

/** How long things may take, in milliseconds of the processor; of the clock six times as long, since a machine may be busy. */
export interface ThreadTimes {
  readonly documentMs: number
  /** Of the types that are compiled together. */
  readonly compileMs: number
}

const CLOCK_PER_CPU = 6
const LOOK_AGAIN_MS = 100

/**
 * @param program the compiled `worker.js`
 * @param changed its state is another one
 */
export function startThread(
  program: URL,
  data: ThreadData,
  { documentMs, compileMs }: ThreadTimes,
  changed: () => void,
): CheckingThread {
  const worker = new Worker(program, { workerData: data })
  let state: CheckingThread['state'] = 'starting'
  let name: string | undefined
  let settle: ((outcome: CheckOutcome) => void) | undefined
  let stopClock = startClock(compileMs)

  /** Ends the thread when it has had so much of the processor. */
  function startClock(limitMs: number): () => void {
    const startedMs = performance.now()
    const begunMs = name === undefined ? undefined : cpuMsOf(name)
    const usedMs = () => {
      const nowMs = name === undefined ? undefined : cpuMsOf(name)
      return nowMs === undefined || begunMs === undefined ? performance.now() - startedMs : nowMs - begunMs
    }
    const look = () => {
      if (usedMs() < limitMs && performance.now() - startedMs < limitMs * CLOCK_PER_CPU) {
        timer = setTimeout(look, Math.max(LOOK_AGAIN_MS, limitMs - usedMs()))
        return
      }
      leave({ kind: 'too-costly', seconds: limitMs / 1000 })
    }
    let timer = setTimeout(look, limitMs)
    return () => clearTimeout(timer)
  }

  function answer(outcome: CheckOutcome): void {
    const told = settle
    settle = undefined
    told?.(outcome)
  }

  function leave(outcome: CheckOutcome): void {
    if (state === 'ended') return
    state = 'ended'
    stopClock()
    void worker.terminate()
    answer(outcome)
    changed()
  }

  worker.on('message', (message: ThreadMessage) => {
    if (state === 'ended') return
    stopClock()
    switch (message.kind) {
      case 'ready':
        name = message.thread
        state = 'idle'
        changed()
        return
      case 'compiling':
        stopClock = startClock(compileMs)
        return
      case 'compiled':
        stopClock = startClock(documentMs)
        return
      case 'checked':
      case 'unreadable':
      case 'failed':
        state = 'idle'
        answer(message)
        changed()
    }
  })
  worker.on('error', (error: Error) => leave({ kind: 'lost', reason: error.message }))
  worker.on('exit', (code) => leave({ kind: 'lost', reason: `the thread ended with ${code}` }))
  // A process is not kept up by what waits for work.
  worker.unref()

  return {
    get state() {
      return state
    },
    check(task) {
      return new Promise((resolve) => {
        state = 'busy'
        settle = resolve
        stopClock = startClock(documentMs)
        worker.postMessage(task)
      })
    },
    end: () => leave({ kind: 'lost', reason: 'the thread was ended' }),
  }
}

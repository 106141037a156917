import { setTimeout as delay } from 'node:timers/promises'
import type { Redis } from 'ioredis'
import { type Clock, type Log, StoreUnavailable } from '../flow/ports.ts'
import { describe, isElsewhere, PATIENCE_MS, SILENCE_MS, whenReady } from './connection.ts'
import { type Argument, evaluate, type ScriptName } from './scripts.ts'

export interface CallOptions {
  /** Repeating it after a lost reply changes nothing and gives the same answer. */
  readonly repeatable: boolean
  /** Time of day in milliseconds, on the real clock; PATIENCE_MS from now where it is left out. */
  readonly deadlineMs?: number
  /** Asks for more on the very connection that ran the script, before the call counts as done. */
  readonly confirm?: () => Promise<void>
}

/** Runs a transition's script with the time of the clock. Throws {@link StoreUnavailable} for whatever Redis does. */
export type Call = (name: ScriptName, args: readonly Argument[], options: CallOptions) => Promise<unknown>

const UNSENT_PAUSE_MS = 20

/** What Redis says when it can't, for now. Anything else it says is worth an error in the log. */
const FOR_NOW = /^(OOM|MISCONF|READONLY|LOADING|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|ASK|MOVED|BUSY|UNBLOCKED)/

export function createCall(client: Redis, prefix: string, clock: Clock, log: Log): Call {
  let closes = 0
  client.on('close', () => {
    closes += 1
  })

  async function callOnce(name: ScriptName, args: readonly Argument[], { confirm }: CallOptions): Promise<unknown> {
    const closesBefore = closes
    const reply = await evaluate(client, name, prefix, [clock(), ...args])
    if (!confirm) return reply
    await confirm()
    // WAIT and WAITAOF know of the writes of their own connection only.
    if (closes !== closesBefore) throw new Error('the connection was lost before the write was confirmed')
    return reply
  }

  return async (name, args, options) => {
    const deadlineMs = options.deadlineMs ?? Date.now() + PATIENCE_MS
    let found = false
    for (let again = options.repeatable; ; ) {
      await whenReady(client, deadlineMs)
      try {
        return await before(deadlineMs, callOnce(name, args, options))
      } catch (error) {
        const unsent = isUnsent(error)
        const elsewhere = !found && error instanceof Error && isElsewhere(error)
        if (Date.now() >= deadlineMs || !(unsent || elsewhere || (again && isConnectionLoss(error))))
          throw unavailable(name, error, log)
        if (unsent) await delay(UNSENT_PAUSE_MS)
        else if (elsewhere) found = true
        else again = false
      }
    }
  }
}

/** A silent connection is given up after SILENCE_MS, and its reply may be the second try's: that much over the deadline. */
async function before<T>(deadlineMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const waitMs = Math.max(SILENCE_MS, deadlineMs - Date.now())
    timer = setTimeout(() => reject(new StoreUnavailable('Redis gives no answer in time')), waitMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError'
}

// Between the end of its socket and its 'close' event a connection still counts as ready: nothing was written.
function isUnsent(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("Stream isn't writeable")
}

function isConnectionLoss(error: unknown): boolean {
  return !isReply(error) && !(error instanceof StoreUnavailable)
}

function unavailable(name: ScriptName, cause: unknown, log: Log): StoreUnavailable {
  if (cause instanceof StoreUnavailable) return cause
  const reason = describe(cause)
  if (isReply(cause) && !FOR_NOW.test(reason)) log('error', 'redis-refused', { transition: name, error: reason })
  return new StoreUnavailable(`Cannot ${name}: ${reason}`, { cause })
}

/** One look that needs no script. Throws {@link StoreUnavailable} for whatever Redis does. */
export async function ask<T>(what: string, client: Redis, look: () => Promise<T>): Promise<T> {
  await whenReady(client, Date.now() + PATIENCE_MS)
  try {
    return await look()
  } catch (error) {
    throw new StoreUnavailable(`Cannot read ${what}: ${describe(error)}`, { cause: error })
  }
}

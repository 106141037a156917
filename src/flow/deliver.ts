import { type AttemptOutcome, type AttemptRecord, destinationName } from '../domain/delivery.ts'
import { type Answer, defaultPolicy, delayAfter, type RetryPolicy, verdictOf } from '../domain/retry.ts'
import type { Alarm } from './alarms.ts'
import {
  type AttemptEnd,
  type Clock,
  type Log,
  type Metrics,
  type Outlet,
  type StartedAttempt,
  type Store,
  StoreUnavailable,
  type Wakes,
} from './ports.ts'

export interface DeliverNeeds {
  readonly store: Store
  readonly wakes: Wakes
  readonly outlet: Outlet
  readonly policies: () => ReadonlyMap<string, RetryPolicy>
  readonly metrics: Metrics
  readonly alarm: Alarm
  readonly now: Clock
  readonly log: Log
  readonly random: () => number
  /** Attempts under way at once, in all and to one destination. A destination that is slow holds only its own places. */
  readonly places: { readonly all: number; readonly perDestination: number }
}

export interface Deliverer {
  /** Begins an attempt for each of the deliveries that can be begun now; returns when there are places for more. */
  deliver(ids: readonly string[]): Promise<void>
  /** An error message came back for something that counted as delivered (guarantee 5). */
  bounced(id: string, from: string, answer: Answer): Promise<void>
  /** Finds what is due and has nobody to wake it; gives how many. */
  sweep(): Promise<number>
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>
  readonly underWay: number
}

const SWEEP_LIMIT = 1_000

/**
 * Deliveries, each on its own: begin an attempt, send it, judge the outcome, write down how it ended. The attempt is
 * recorded before it is made, and ended by one atomic step; a process that dies between leaves it to its lease.
 */
export function createDeliverer(needs: DeliverNeeds): Deliverer {
  const { store, wakes, outlet, places, log } = needs
  const perDestination = new Map<string, number>()
  const waiters: (() => void)[] = []
  let underWay = 0

  function occupy(name: string): void {
    underWay++
    perDestination.set(name, (perDestination.get(name) ?? 0) + 1)
  }

  function leave(name: string): void {
    underWay--
    const left = perDestination.get(name)! - 1
    if (left === 0) perDestination.delete(name)
    else perDestination.set(name, left)
    if (underWay < places.all || underWay === 0) for (const wakeUp of waiters.splice(0)) wakeUp()
  }

  const full = () => [...perDestination].filter(([, count]) => count >= places.perDestination).map(([name]) => name)

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => waiters.push(resolve))
  }

  async function attempt(started: StartedAttempt): Promise<void> {
    const name = destinationName(started.destination)
    const atMs = needs.now()
    occupy(name)
    try {
      const outcome = await outlet.send(started)
      const judgement = judge(started, outcome, atMs, needs)
      const { end } = judgement
      const free = await write(end)
      tell(started, judgement, needs)
      if (free.length > 0) await wakes.wake(free, 0)
      if (end.kind === 'retry') await wakes.wake([end.id], end.dueAtMs - needs.now())
    } catch (error) {
      // The lease runs out and the sweeper takes the delivery up again.
      log('error', 'attempt-lost', { id: started.id, reason: (error as Error).message })
    } finally {
      leave(name)
    }
  }

  /** The outcome is known and must not be forgotten: while Redis is away it is tried again, as long as the lease can hold. */
  async function write(end: AttemptEnd): Promise<readonly string[]> {
    for (let tries = 1; ; tries++) {
      try {
        return await store.end(end)
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || tries === 30) throw error
        await new Promise((resolve) => setTimeout(resolve, 1_000))
      }
    }
  }

  async function deliver(ids: readonly string[]): Promise<void> {
    if (!outlet.online) return
    await until(() => underWay < places.all)
    const started = await store.start(ids, full())
    for (const one of started) void attempt(one)
  }

  async function sweep(): Promise<number> {
    if (!outlet.online) return 0
    const ids = await store.due(SWEEP_LIMIT)
    if (ids.length > 0) await wakes.wake(ids, 0)
    return ids.length
  }

  async function bounced(id: string, from: string, answer: Answer): Promise<void> {
    const record: AttemptRecord = { atMs: needs.now(), result: `bounced: ${answer.condition}`, text: answer.text }
    const verdict = verdictOf(answer, defaultPolicy)
    const then =
      verdict === 'retry' ? { dueAtMs: needs.now() + defaultPolicy.backoff.firstMs } : { dead: 'bounced' as const }
    const reopened = await store.bounce(id, from, then, record)
    log(reopened ? 'warn' : 'debug', 'bounce', { id, from, condition: answer.condition, reopened })
    if (!reopened) return
    needs.metrics.attempt('bounced')
    if (verdict === 'dead-and-alarm')
      needs.alarm(`bounced ${from}`, `${from} sent back ${id}: ${answer.condition} ${answer.text}`)
  }

  return {
    deliver,
    bounced,
    sweep,
    idle: () => until(() => underWay === 0),
    get underWay() {
      return underWay
    },
  }
}

interface Judgement {
  readonly end: AttemptEnd
  /** Somebody should look at it: a setting is wrong, or a delivery was given up after all its tries. */
  readonly alarm: boolean
}

/** What an outcome means: one row for each kind. */
function judge(started: StartedAttempt, outcome: AttemptOutcome, atMs: number, needs: DeliverNeeds): Judgement {
  const { id } = started
  const nowMs = needs.now()
  const record = (result: string, text: string): AttemptRecord => ({
    atMs,
    tookMs: nowMs - atMs,
    result,
    ...(text && { text }),
  })
  switch (outcome.kind) {
    case 'delivered':
      return { end: { id, kind: 'delivered', record: record(outcome.proof, '') }, alarm: false }
    case 'void':
      return { end: { id, kind: 'void', dueAtMs: nowMs, record: record('void', outcome.reason) }, alarm: false }
    case 'unsendable':
      return {
        end: { id, kind: 'dead', reason: outcome.reason, record: record(outcome.reason, outcome.text) },
        alarm: true,
      }
    case 'refused':
      return judgeRefusal(started, outcome.answer, record(outcome.answer.condition, outcome.answer.text), needs)
  }
}

function judgeRefusal(started: StartedAttempt, answer: Answer, record: AttemptRecord, needs: DeliverNeeds): Judgement {
  const { id, tries, options, sinceMs } = started
  const policy = needs.policies().get(options.retry) ?? defaultPolicy
  const verdict = verdictOf(answer, policy)
  if (verdict !== 'retry')
    return { end: { id, kind: 'dead', reason: 'refused', record }, alarm: verdict === 'dead-and-alarm' }
  const nowMs = needs.now()
  const delayMs = delayAfter(policy, tries, nowMs - sinceMs, needs.random())
  if (delayMs !== null) return { end: { id, kind: 'retry', dueAtMs: nowMs + delayMs, record }, alarm: false }
  return {
    end: { id, kind: 'dead', reason: tries >= policy.deliveries ? 'tries-exhausted' : 'too-late', record },
    alarm: true,
  }
}

function tell(started: StartedAttempt, { end, alarm }: Judgement, needs: DeliverNeeds): void {
  const { record } = end
  needs.metrics.attempt(record.result)
  if (end.kind === 'retry' || end.kind === 'void') return
  const reason = end.kind === 'dead' ? end.reason : ''
  needs.metrics.ended(end.kind, reason, (needs.now() - started.receivedAtMs) / 1000)
  if (!alarm) return
  const destination = destinationName(started.destination)
  const why = record.text ? `${record.result} (${record.text})` : record.result
  needs.alarm(
    `${reason} ${destination} ${record.result}`,
    `gave up a delivery to ${destination} (route ${started.route}): ${why}. See: waybill trace DIR ${started.envelopeId}`,
  )
}

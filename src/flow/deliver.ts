import { randomUUID } from 'node:crypto'
import {
  type AttemptOutcome,
  type AttemptRecord,
  type DeadReason,
  type Destination,
  destinationName,
  parseDeliveryId,
} from '../domain/delivery.ts'
import { type Answer, defaultPolicy, delayAfter, type RetryPolicy, verdictOf } from '../domain/retry.ts'
import type { Alarm } from './alarms.ts'
import { createWatch, type Watch } from './breakers.ts'
import { expand } from './expand.ts'
import { expire } from './expire.ts'
import { createPlaces, type PlaceCounts } from './places.ts'
import {
  type Breakers,
  type Clock,
  type Ending,
  type Lease,
  type Log,
  type Metrics,
  type Outlet,
  type Progress,
  type StartedAttempt,
  type Store,
  StoreUnavailable,
  type Wakes,
} from './ports.ts'
import { createSuspects } from './suspects.ts'
import { createUnderWay } from './under-way.ts'

export interface DeliverNeeds {
  readonly store: Store & Breakers
  readonly wakes: Wakes
  readonly outlet: Outlet
  readonly lease: Pick<Lease, 'held'>
  readonly policies: () => ReadonlyMap<string, RetryPolicy>
  readonly metrics: Metrics
  readonly alarm: Alarm
  readonly now: Clock
  readonly log: Log
  readonly random: () => number
  readonly places: PlaceCounts
}

export interface Deliverer {
  /** Begins an attempt for each of the deliveries that can be begun now; returns when there are places for more. */
  deliver(ids: readonly string[]): Promise<void>
  /** Keeps a place for a delivery whose first attempt is to begin with the acceptance of its document; undefined where it has to wait its turn. */
  reserve(destination: Destination, bytes: number): Reservation | undefined
  /** Keeps no more places for what is accepted: it waits for the next process. */
  rest(): void
  /** An error message came back for something that counted as delivered (docs/operations.md, guarantee 5). */
  bounced(id: string, from: string, answer: Answer): Promise<void>
  /**
   * Prolongs what is under way for long, ends what has expired, sends suspects, and finds what is due and has nobody to wake it; gives how
   * many of those.
   */
  sweep(): Promise<number>
  /** Takes back what earlier processes had under way, learns which destinations they found open, and goes on with what they left to write. */
  reclaim(): Promise<void>
  /** Destinations that get nothing but probes. */
  readonly open: Watch['open']
  /** Resolves when nothing is under way any more. */
  idle(): Promise<void>
  readonly underWay: number
}

/** A place that is kept: for the attempt that has begun, or for nothing. Exactly one of these is called. */
export interface Reservation {
  begin(started: StartedAttempt): void
  cancel(): void
}

export type Reserve = Deliverer['reserve']

const SWEEP_LIMIT = 1_000
/** How many of the most urgent are looked at where there was no place for a while. */
const URGENT_MOST = 16
/** Together they stay well within the lease of an attempt. */
const WRITES = 30
const WRITE_PAUSE_MS = 1_000
/** Bounces in hand at once. */
const BOUNCES_MOST = 20_000

/**
 * Deliveries, each on its own: begin an attempt, send it, judge the outcome, write down how it ended. The attempt is
 * recorded before it is made, and ended by one atomic step; a process that dies between leaves it to its lease. One that lives prolongs it,
 * since an attempt may wait for long behind others to the same node.
 */
export function createDeliverer(needs: DeliverNeeds): Deliverer {
  const { store, wakes, outlet, log } = needs
  const places = createPlaces(needs.places)
  const underWay = createUnderWay(needs)
  const watch = createWatch({ ...needs, wake: (ids) => wake(ids, 0) })
  /** Attempts under way that are no suspects'. */
  let ordinary = 0
  let isResting = false
  let bounces = 0
  const sendSuspects = createSuspects({
    store,
    outlet,
    attempt: (started, onHad) => attempt(started, takePlace(started), onHad),
    log,
    othersGo: () => ordinary > 0,
  })

  async function deliver(ids: readonly string[]): Promise<void> {
    if (!outlet.online) return
    const hadToWait = places.taken >= needs.places.all
    await places.free()
    // What is more urgent may have come meanwhile, with its wake behind many others.
    const urgent = hadToWait ? await store.due(URGENT_MOST) : []
    await begin([...urgent, ...ids])
  }

  async function begin(ids: readonly string[]): Promise<readonly string[]> {
    const started = await store.start(ids, places.full())
    for (const one of started) go(one, takePlace(one))
    return started.map(({ id }) => id)
  }

  function reserve(destination: Destination, bytes: number): Reservation | undefined {
    if (isResting || !outlet.online) return undefined
    const leave = places.tryTake(destinationName(destination), bytes)
    return leave && { begin: (started) => go(started, leave), cancel: leave }
  }

  function takePlace({ destination, payload }: StartedAttempt): () => void {
    return places.take(destinationName(destination), payload.length)
  }

  function go(started: StartedAttempt, leave: () => void): void {
    ordinary += 1
    void attempt(started, () => {
      ordinary -= 1
      leave()
    })
  }

  async function attempt(started: StartedAttempt, leave: () => void, onHad?: () => void): Promise<void> {
    try {
      await underWay.keep(started, carryOut(started, onHad))
    } finally {
      leave()
    }
  }

  async function carryOut(started: StartedAttempt, onHad?: () => void): Promise<void> {
    const atMs = needs.now()
    try {
      const outcome = await send(started, onHad)
      watch.heard(started, outcome)
      const judgement = judge(started, outcome, atMs, needs)
      const { end } = judgement
      const { token } = started
      const free = await insist(() => store.end(token === undefined ? end : { ...end, token }), WRITES)
      tell(started, judgement, needs)
      if (free.length > 0) wakes.hand(free)
      if (end.kind === 'retry' && !end.uncounted) wake([end.id], end.dueAtMs - needs.now())
    } catch (error) {
      watch.heardNothing(started)
      // The lease runs out and the sweeper takes the delivery up again.
      log('error', 'attempt-lost', { id: started.id, reason: (error as Error).message })
    }
  }

  /** A fault of ours with one delivery is counted like an answer: whatever it comes from, the tries end. */
  async function send(started: StartedAttempt, onHad?: () => void): Promise<SendOutcome> {
    let isAlone = started.alone !== undefined
    try {
      const outcome = await outlet.send(started, () => {
        isAlone = false
        onHad?.()
      })
      return outcome.kind === 'void' && outcome.closed && isAlone ? { kind: 'broken', reason: outcome.reason } : outcome
    } catch (error) {
      const reason = (error as Error).message
      if (error instanceof StoreUnavailable) return { kind: 'void', reason }
      log('error', 'attempt-failed', { id: started.id, reason })
      return { kind: 'fault', reason }
    }
  }

  /** What became of an attempt is known and must not be forgotten: while Redis is away it is tried again, `most` times at most. */
  async function insist<T>(ask: () => Promise<T>, most: number): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await ask()
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || tries === most) throw error
        await new Promise((resolve) => setTimeout(resolve, WRITE_PAUSE_MS))
      }
    }
  }

  /** A wake that is lost costs time only: the sweeper finds what is due. */
  function wake(ids: readonly string[], delayMs: number): void {
    if (ids.length === 0) return
    wakes
      .wake(ids, delayMs)
      .catch((error: Error) => log('warn', 'wake-lost', { ids: ids.length, reason: error.message }))
  }

  async function sweep(): Promise<number> {
    await underWay.prolong()
    await expire(needs)
    await watch.tend()
    if (!outlet.online) return 0
    void sendSuspects().catch((error: Error) => log('warn', 'suspects-left', { reason: error.message }))
    await watch.probe(begin)
    const ids = await store.due(SWEEP_LIMIT)
    if (ids.length > 0) await wakes.wake(ids, 0)
    return ids.length
  }

  async function reclaim(): Promise<void> {
    await watch.takeUp()
    const { deliveries, dead } = await store.reclaim()
    if (deliveries > 0) log('info', 'reclaimed', { deliveries, dead: dead.length })
    for (const id of dead) await tellBroken(id)
    await expand(needs)
  }

  async function tellBroken(id: string): Promise<void> {
    const progress = await store.progress(id)
    needs.metrics.ended('dead', 'breaks-step', (needs.now() - (progress?.receivedAtMs ?? needs.now())) / 1000)
    const envelopeId = parseDeliveryId(id).envelopeId
    needs.alarm(
      `breaks-step ${id}`,
      `gave up a delivery: the process has died each time it was under way. See: waybill trace DIR ${envelopeId}`,
    )
  }

  /** Nobody says it again: it is kept in memory until Redis is back. */
  async function bounced(id: string, from: string, answer: Answer): Promise<void> {
    if (bounces >= BOUNCES_MOST) throw new StoreUnavailable(`Cannot keep the bounce: ${bounces} wait for Redis already`)
    bounces += 1
    try {
      await reopen(id, from, answer)
    } finally {
      bounces -= 1
    }
  }

  async function reopen(id: string, from: string, answer: Answer): Promise<void> {
    // The end of what came back may wait behind others to be written, and until then the delivery doesn't count as delivered.
    await underWay.end(id)
    const progress = await insist(() => store.progress(id), Infinity)
    const judged = progress && judgeAnswer(answer, progress, needs)
    const then = judged?.kind === 'again' ? { dueAtMs: judged.dueAtMs } : { dead: 'bounced' as const }
    const record: AttemptRecord = { atMs: needs.now(), result: `bounced: ${answer.condition}`, text: answer.text }
    const token = randomUUID()
    const reopened =
      progress !== undefined && (await insist(() => store.bounce(id, from, then, record, token), Infinity))
    log(reopened ? 'warn' : 'debug', 'bounce', { id, from, condition: answer.condition, reopened })
    if (!reopened) return
    needs.metrics.attempt('bounced')
    watch.bounced({ id, retry: progress.retry }, progress.destination, answer)
    if (judged?.kind !== 'over') return
    needs.metrics.ended('dead', 'bounced', (needs.now() - progress.receivedAtMs) / 1000)
    if (judged.alarm) needs.alarm(`bounced ${from}`, `${from} sent back ${id}: ${answer.condition} ${answer.text}`)
  }

  return {
    deliver,
    reserve,
    rest() {
      isResting = true
    },
    bounced,
    reclaim,
    sweep,
    open: watch.open,
    idle: places.empty,
    get underWay() {
      return places.taken
    },
  }
}

interface Judgement {
  readonly end: Ending
  /** Somebody should look at it: a setting is wrong, or a delivery was given up after all its tries. */
  readonly alarm: boolean
}

type SendOutcome =
  | AttemptOutcome
  /** The stream closed while this was alone on it. */
  | { readonly kind: 'broken'; readonly reason: string }
  /** Our own handling of it threw. */
  | { readonly kind: 'fault'; readonly reason: string }

/** What an outcome means: one row for each kind. */
function judge(started: StartedAttempt, outcome: SendOutcome, atMs: number, needs: DeliverNeeds): Judgement {
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
      return { end: deliveredEnd(id, outcome, record(outcome.proof, '')), alarm: false }
    case 'void':
      return { end: { ...voidEnd(id, outcome, nowMs), record: record('void', outcome.reason) }, alarm: false }
    case 'broken':
      return {
        end: { id, kind: 'dead', reason: 'breaks-stream', record: record('breaks-stream', outcome.reason) },
        alarm: true,
      }
    case 'fault':
      return judgeFault(started, record('fault', outcome.reason), needs)
    case 'unsendable':
      return {
        end: { id, kind: 'dead', reason: outcome.reason, record: record(outcome.reason, outcome.text) },
        alarm: true,
      }
    case 'expired':
      return { end: { id, kind: 'expired', record: record('expired', '') }, alarm: false }
    case 'refused':
      return judgeRefusal(started, outcome.answer, record(outcome.answer.condition, outcome.answer.text), needs)
  }
}

function deliveredEnd(id: string, { proof }: { readonly proof: string }, record: AttemptRecord): Ending {
  return { id, kind: 'delivered', record, ...(proof !== 'handed-over' && { proven: true }) }
}

function voidEnd(id: string, { closed }: { readonly closed?: true }, dueAtMs: number) {
  return { id, kind: 'void', dueAtMs, ...(closed && { closed }) } as const
}

function judgeFault(
  { id, tries, options, sinceMs }: StartedAttempt,
  record: AttemptRecord,
  needs: DeliverNeeds,
): Judgement {
  const nowMs = needs.now()
  const delayMs = delayAfter(policyOf(options.retry, needs), tries, nowMs - sinceMs, needs.random())
  return delayMs === null
    ? { end: { id, kind: 'dead', reason: 'breaks-step', record }, alarm: true }
    : { end: { id, kind: 'retry', dueAtMs: nowMs + delayMs, record }, alarm: false }
}

function judgeRefusal(started: StartedAttempt, answer: Answer, record: AttemptRecord, needs: DeliverNeeds): Judgement {
  const { id, tries, options, sinceMs, receivedAtMs, probe } = started
  if (probe && verdictOf(answer, policyOf(options.retry, needs)) === 'retry') {
    return { end: { id, kind: 'retry', dueAtMs: needs.now(), record, uncounted: true }, alarm: false }
  }
  const destination = destinationName(started.destination)
  const judged = judgeAnswer(answer, { retry: options.retry, tries, sinceMs, receivedAtMs, destination }, needs)
  return judged.kind === 'again'
    ? { end: { id, kind: 'retry', dueAtMs: judged.dueAtMs, record }, alarm: false }
    : { end: { id, kind: 'dead', reason: judged.reason, record }, alarm: judged.alarm }
}

function policyOf(retry: string, { policies }: DeliverNeeds): RetryPolicy {
  return policies().get(retry) ?? defaultPolicy
}

type Judged =
  | { readonly kind: 'again'; readonly dueAtMs: number }
  | { readonly kind: 'over'; readonly reason: DeadReason; readonly alarm: boolean }

/** What an error means for a delivery that has come so far, by the policy of its route. */
function judgeAnswer(answer: Answer, { retry, tries, sinceMs }: Progress, needs: DeliverNeeds): Judged {
  const policy = policyOf(retry, needs)
  const verdict = verdictOf(answer, policy)
  if (verdict !== 'retry') return { kind: 'over', reason: 'refused', alarm: verdict === 'dead-and-alarm' }
  const nowMs = needs.now()
  const delayMs = delayAfter(policy, tries, nowMs - sinceMs, needs.random())
  if (delayMs !== null) return { kind: 'again', dueAtMs: nowMs + delayMs }
  return { kind: 'over', reason: tries >= policy.deliveries ? 'tries-exhausted' : 'too-late', alarm: true }
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

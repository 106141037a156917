import {
  afterAnswer,
  afterFailure,
  afterNothing,
  afterProbeStart,
  type Breaker,
  type BreakerSettings,
  dueStep,
  type Failure,
  type OpenBreaker,
} from '../domain/breaker.ts'
import { type AttemptOutcome, destinationName, parseDeliveryId } from '../domain/delivery.ts'
import { type Answer, defaultPolicy, type RetryPolicy, verdictOf } from '../domain/retry.ts'
import type { Alarm } from './alarms.ts'
import { envelopeTimeMs } from './ids.ts'
import type { Breakers, Clock, KnownBreaker, Lease, Log, Metrics, StartedAttempt } from './ports.ts'

export interface WatchNeeds {
  readonly store: Breakers
  /** Only its holder writes down what it knows of destinations. */
  readonly lease: Pick<Lease, 'held'>
  readonly policies: () => ReadonlyMap<string, RetryPolicy>
  readonly metrics: Pick<Metrics, 'breaker' | 'ended'>
  readonly alarm: Alarm
  readonly now: Clock
  readonly log: Log
  readonly random: () => number
  /** Tells workers of deliveries that may start. */
  readonly wake: (ids: readonly string[]) => void
}

/** Watches destinations: which of them fail, and when they are probed. */
export interface Watch {
  /** What an earlier process knew, in place of what this one did. Throws StoreUnavailable, and has changed nothing then. */
  takeUp(): Promise<void>
  /** How an attempt ended; `broken` and `fault` say nothing of the destination. */
  heard(attempt: StartedAttempt, outcome: Heard): void
  /** Nobody knows how it ended. */
  heardNothing(attempt: StartedAttempt): void
  /** A delivery came back after it counted as delivered. */
  bounced(delivery: { readonly id: string; readonly retry: string }, destination: string, answer: Answer): void
  /**
   * Keeps what has changed, lets go what waits for destinations that answer, gives up what has waited for too long, and from time to
   * time looks whether Redis holds open what this process does. Forgets all while another may hold the lease.
   */
  tend(): Promise<void>
  /** Deliveries that may start now, each to probe its destination; those that `start` doesn't name were not begun. */
  probe(start: (ids: readonly string[]) => Promise<readonly string[]>): Promise<void>
  isOpen(destination: string): boolean
  readonly open: ReadonlyMap<string, OpenBreaker>
}

type Heard = AttemptOutcome | { readonly kind: 'broken' | 'fault' }

/** In one sweep, so that thousands of destinations that are open make no storm either. */
const PROBES_MOST = 100
/** Closed destinations with failures that are remembered. */
const KNOWN_MOST = 10_000
/** An open destination for which nothing waits is forgotten this long after its last failure. */
const FORGET_MS = 3_600_000
/** Between two looks at what Redis holds open. */
const LOOK_MS = 60_000

/**
 * The state of destinations is this process's alone, since one process holds the domain. What is open is kept in Redis as well, and there
 * it bars every delivery: what stood open there and not here would be probed by nobody.
 */
export function createWatch(needs: WatchNeeds): Watch {
  const { store, lease, metrics, alarm, now, log, random } = needs
  const closed = new Map<string, Breaker>()
  const open = new Map<string, OpenBreaker>()
  const changed = new Set<string>()
  const closing = new Set<string>()
  let lettingGo = Promise.resolve()
  let lookedAtMs = Number.NEGATIVE_INFINITY

  const settingsOf = (retry: string): BreakerSettings => policyOf(retry).breaker
  const policyOf = (retry: string) => needs.policies().get(retry) ?? defaultPolicy

  async function takeUp(): Promise<void> {
    const breakers = await store.openBreakers()
    forget()
    learn(breakers)
  }

  function forget(): void {
    closed.clear()
    open.clear()
    changed.clear()
    closing.clear()
  }

  function learn(breakers: readonly KnownBreaker[]): void {
    for (const { destination, breaker } of breakers) {
      if (!breaker || !isWanted()) closing.add(destination)
      else open.set(destination, inherited(breaker))
    }
    if (breakers.length > 0) log('warn', 'destinations-open', { destinations: breakers.length })
    lookedAtMs = now()
  }

  /** An earlier holder may have written late, or Redis gone back to an older state. What changed since the question is not looked at. */
  async function look(): Promise<void> {
    const known = new Set([...open.keys(), ...closing])
    const breakers = await store.openBreakers()
    const kept = new Set(breakers.flatMap(({ destination, breaker }) => (breaker ? [destination] : [])))
    for (const destination of open.keys()) {
      if (known.has(destination) && !kept.has(destination)) changed.add(destination)
    }
    learn(breakers.filter(({ destination }) => !known.has(destination) && !open.has(destination)))
  }

  /** The earlier process's probe is nobody's any more, and its clock may have been another. */
  function inherited({ probing: _, ...breaker }: OpenBreaker): OpenBreaker {
    return { ...breaker, nextProbeMs: Math.min(breaker.nextProbeMs, now() + breaker.maxMs) }
  }

  /** False where no policy opens anything any more. */
  function isWanted(): boolean {
    const policies = new Map([[defaultPolicy.name, defaultPolicy], ...needs.policies()])
    return [...policies.values()].some(({ breaker }) => breaker.failures > 0)
  }

  function heard(attempt: StartedAttempt, outcome: Heard): void {
    const destination = destinationName(attempt.destination)
    const { id, options } = attempt
    switch (outcome.kind) {
      case 'delivered':
        answered(destination, { id, handedOver: outcome.proof === 'handed-over' }, options.retry)
        break
      case 'refused':
        heardRefusal(destination, id, outcome.answer, options.retry)
        break
      case 'void':
      case 'unsendable':
      case 'broken':
      case 'fault':
      case 'expired':
        heardNothing(attempt)
    }
  }

  /** Whoever refuses one document for good is there for the others. */
  function heardRefusal(destination: string, id: string, answer: Answer, retry: string): void {
    const { condition, text } = answer
    if (mayPass(answer, retry)) failed(destination, { id, condition, text, late: false }, retry)
    else answered(destination, { id, handedOver: false }, retry)
  }

  const mayPass = (answer: Answer, retry: string) => verdictOf(answer, policyOf(retry)) === 'retry'

  function heardNothing({ id, destination }: StartedAttempt): void {
    const name = destinationName(destination)
    const breaker = open.get(name)
    if (breaker) open.set(name, afterNothing(breaker, id))
  }

  function bounced({ id, retry }: { id: string; retry: string }, destination: string, answer: Answer): void {
    if (!mayPass(answer, retry)) return
    failed(destination, { id, condition: answer.condition, text: answer.text, late: true }, retry)
  }

  function failed(destination: string, failure: Failure, retry: string): void {
    const before = open.get(destination)
    const settings = settingsOf(retry)
    if (!before && settings.failures === 0) return
    const next = afterFailure(before ?? closed.get(destination), failure, settings, now(), random())
    if (next.kind === 'closed') {
      remember(destination, next)
      return
    }
    open.set(destination, next)
    if (before?.nextProbeMs !== next.nextProbeMs) changed.add(destination)
    if (!before) opened(destination, next, settings)
  }

  function remember(destination: string, breaker: Breaker): void {
    closed.delete(destination)
    closed.set(destination, breaker)
    if (closed.size > KNOWN_MOST) closed.delete(closed.keys().next().value!)
  }

  function opened(destination: string, { condition, text }: OpenBreaker, { failures }: BreakerSettings): void {
    closed.delete(destination)
    closing.delete(destination)
    metrics.breaker('open')
    log('warn', 'destination-open', { destination, condition, text })
    const why = text ? `${condition} (${text})` : condition
    alarm(
      `open ${destination}`,
      `${destination} has failed ${failures} times in a row: ${why}. What goes there waits, and is probed by one at a time. See: waybill doctor DIR`,
    )
    void keep().catch((error: Error) => log('warn', 'breakers-not-kept', { reason: error.message }))
  }

  function answered(destination: string, answer: { id: string; handedOver: boolean }, retry: string): void {
    const breaker = open.get(destination) ?? closed.get(destination)
    if (!breaker) return
    const next = afterAnswer(breaker, answer, settingsOf(retry), now(), random())
    if (next === undefined) close(destination)
    else if (next.kind === 'closed') closed.set(destination, next)
    else if (next !== breaker) {
      open.set(destination, next)
      changed.add(destination)
    }
  }

  function close(destination: string): void {
    closed.delete(destination)
    const breaker = open.get(destination)
    if (!breaker) return
    open.delete(destination)
    changed.delete(destination)
    closing.add(destination)
    metrics.breaker('closed')
    log('info', 'destination-closed', { destination, openMs: now() - breaker.sinceMs, probes: breaker.probes })
    void letGo().catch((error: Error) => log('warn', 'breakers-not-kept', { reason: error.message }))
  }

  async function keep(): Promise<void> {
    if (!lease.held) return
    const entries = [...changed].flatMap((destination) => {
      const breaker = open.get(destination)
      return breaker ? [{ destination, breaker }] : []
    })
    changed.clear()
    await store.keepOpen(entries).catch((error: unknown) => {
      for (const { destination } of entries) changed.add(destination)
      throw error
    })
  }

  /** One at a time; one that opens again meanwhile stays open. */
  function letGo(): Promise<void> {
    const next = lettingGo.then(async () => {
      for (const destination of closing) await letAllGo(destination)
    })
    lettingGo = next.catch(() => {})
    return next
  }

  async function letAllGo(destination: string): Promise<void> {
    while (lease.held && closing.has(destination)) {
      const { ids, more } = await store.letGo(destination)
      if (ids.length > 0) needs.wake(ids)
      if (!more) closing.delete(destination)
    }
  }

  async function tend(): Promise<void> {
    if (!lease.held) return forget()
    if (changed.size > 0) await keep()
    if (closing.size > 0) await letGo()
    if (open.size > 0) await giveUp()
    if (Math.abs(now() - lookedAtMs) >= LOOK_MS) await look()
  }

  async function giveUp(): Promise<void> {
    if (!lease.held) return
    const policies = needs.policies()
    const allowedMs = new Map([...policies].map(([name, { giveUpAfterMs }]) => [name, giveUpAfterMs]))
    const defaultMs = (policies.get('default') ?? defaultPolicy).giveUpAfterMs
    const lapsed = await store.lapse(allowedMs, defaultMs)
    for (const { id, destination, route, condition } of lapsed) {
      const receivedAtMs = envelopeTimeMs(parseDeliveryId(id).envelopeId)
      metrics.ended('dead', 'too-late', (now() - receivedAtMs) / 1000)
      alarm(
        `too-late ${destination} ${condition}`,
        `gave up a delivery to ${destination} (route ${route}), which is open: ${condition}. See: waybill trace DIR ${id}`,
      )
    }
  }

  async function probe(start: (ids: readonly string[]) => Promise<readonly string[]>): Promise<void> {
    const destinations: string[] = []
    for (const [destination, breaker] of open) {
      const step = dueStep(breaker, now())
      if (step === 'close') close(destination)
      if (step === 'probe') destinations.push(destination)
    }
    destinations.sort((one, other) => open.get(one)!.nextProbeMs - open.get(other)!.nextProbeMs)
    const chosen = destinations.slice(0, PROBES_MOST)
    if (chosen.length === 0) return
    const ids = await store.probes(chosen)
    const probing = chosen.flatMap((destination, at) => begin(destination, ids[at]))
    if (probing.length === 0) return
    const started = new Set(await start(probing.map(({ id }) => id)).catch(() => []))
    for (const { destination, id } of probing) {
      if (started.has(id)) metrics.breaker('half-open')
      else forgetProbe(destination, id)
    }
  }

  function begin(destination: string, id: string | undefined): readonly { destination: string; id: string }[] {
    const breaker = open.get(destination)
    if (!breaker) return []
    if (id !== undefined) {
      open.set(destination, afterProbeStart(breaker, id))
      return [{ destination, id }]
    }
    if (now() - breaker.failedAtMs > FORGET_MS) close(destination)
    return []
  }

  function forgetProbe(destination: string, id: string): void {
    const breaker = open.get(destination)
    if (breaker) open.set(destination, afterNothing(breaker, id))
  }

  return { takeUp, heard, heardNothing, bounced, tend, probe, isOpen: (destination) => open.has(destination), open }
}

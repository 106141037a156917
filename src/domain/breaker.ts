/**
 * A destination that keeps failing is open: nothing goes there but one probe at a time, a delivery like any other, until one of
 * them is answered. Pure values: what is known of one destination, and what each event makes of it.
 */

/** When a destination counts as failing, and how often it is probed then. */
export interface BreakerSettings {
  /** Failed attempts in a row that open it, of at least two deliveries where it is more than one; 0: never. */
  readonly failures: number
  /** From the opening to the first probe, doubled with each probe that fails. */
  readonly firstMs: number
  readonly maxMs: number
}

/** Kept only while something has failed: a destination of which nothing is known is closed. */
export interface ClosedBreaker {
  readonly kind: 'closed'
  /** Failed attempts since it last answered. */
  readonly failures: number
  /** The delivery of all of them; undefined where they were several: one alone may be to blame itself, and opens nothing. */
  readonly only: string | undefined
  /** Hand-overs since the last late bounce. */
  readonly passed: number
  /** Some of the failures were bounces of what counted as handed over. */
  readonly late: boolean
}

export interface OpenBreaker {
  readonly kind: 'open'
  readonly sinceMs: number
  /** Condition and text of the last failure. */
  readonly condition: string
  readonly text: string
  readonly failedAtMs: number
  /** Probes that have failed since it opened. */
  readonly probes: number
  readonly nextProbeMs: number
  readonly firstMs: number
  readonly maxMs: number
  readonly late: boolean
  /** The delivery that probes it now: it is half-open. */
  readonly probing?: string
  /** A probe was handed over, and unless it bounces until `nextProbeMs`, that was an answer. */
  readonly trusting?: boolean
}

export type Breaker = ClosedBreaker | OpenBreaker

export interface Failure {
  readonly condition: string
  readonly text: string
  /** The delivery that failed. */
  readonly id: string
  /** It came back after it counted as handed over. */
  readonly late: boolean
}

const FACTOR = 2
const JITTER = 0.2
/** A bounce takes a while: to reach another server may take this long to fail. */
const TRUST_MS = 5_000

/**
 * From the opening, or from a failed probe, to the next one.
 * @param probes that have failed so far
 * @param random 0 ≤ random < 1
 */
export function probeDelay(
  { firstMs, maxMs }: Omit<BreakerSettings, 'failures'>,
  probes: number,
  random: number,
): number {
  const plain = Math.min(maxMs, firstMs * FACTOR ** probes)
  return Math.round(plain * (1 + JITTER * (2 * random - 1)))
}

/** An attempt failed in a way that may pass. */
export function afterFailure(
  breaker: Breaker | undefined,
  failure: Failure,
  settings: BreakerSettings,
  nowMs: number,
  random: number,
): Breaker {
  if (breaker?.kind === 'open') return stillOpen(breaker, failure, nowMs, random)
  const failures = (breaker?.failures ?? 0) + 1
  const only = !breaker || breaker.only === failure.id ? failure.id : undefined
  const late = failure.late || (breaker?.late ?? false)
  const isTheirs = only === undefined || settings.failures === 1
  const opens = settings.failures > 0 && failures >= settings.failures && isTheirs
  if (!opens) return { kind: 'closed', failures, only, passed: 0, late }
  const { condition, text } = failure
  const { firstMs, maxMs } = settings
  const nextProbeMs = nowMs + probeDelay(settings, 0, random)
  return {
    kind: 'open',
    sinceMs: nowMs,
    failedAtMs: nowMs,
    condition,
    text,
    probes: 0,
    nextProbeMs,
    firstMs,
    maxMs,
    late,
  }
}

/** What was under way before it opened fails as well, and says nothing new. */
function stillOpen(
  open: OpenBreaker,
  { condition, text, id, late }: Failure,
  nowMs: number,
  random: number,
): OpenBreaker {
  const { probing, trusting, ...rest } = open
  const known = { ...rest, condition, text, failedAtMs: nowMs, late: open.late || late }
  const isProbe = probing === id || (trusting && late)
  if (!isProbe) return { ...known, ...(probing && { probing }), ...(trusting && { trusting }) }
  const probes = open.probes + 1
  return { ...known, probes, nextProbeMs: nowMs + probeDelay(open, probes, random) }
}

/**
 * It answered: undefined where nothing has to be kept, which closes it where it was open. A hand-over is the server's word alone.
 * Where bounces came late, it counts as an answer only if none comes again.
 */
export function afterAnswer(
  breaker: Breaker,
  answer: { readonly handedOver: boolean; readonly id: string },
  settings: BreakerSettings,
  nowMs: number,
  random: number,
): Breaker | undefined {
  if (!answer.handedOver || !breaker.late) return undefined
  if (breaker.kind === 'closed') {
    const passed = breaker.passed + 1
    return passed < settings.failures ? { ...breaker, passed } : undefined
  }
  if (breaker.probing !== answer.id) return breaker
  const { probing: _, ...rest } = breaker
  const waitMs = Math.max(TRUST_MS, probeDelay(breaker, breaker.probes, random))
  return { ...rest, trusting: true, nextProbeMs: nowMs + waitMs }
}

export function afterProbeStart(breaker: OpenBreaker, id: string): OpenBreaker {
  return { ...breaker, probing: id }
}

/** Nobody knows how the probe ended, or it was never made: the next one may go at once. */
export function afterNothing(breaker: OpenBreaker, id: string): OpenBreaker {
  if (breaker.probing !== id) return breaker
  const { probing: _, ...rest } = breaker
  return rest
}

/** What is to be done with an open destination now. */
export function dueStep(breaker: OpenBreaker, nowMs: number): 'wait' | 'probe' | 'close' {
  const leftMs = breaker.nextProbeMs - nowMs
  // Longer than any pause is: the clock has been set back since.
  const isDue = leftMs <= 0 || leftMs > Math.max(TRUST_MS, breaker.maxMs * (1 + JITTER))
  if (breaker.probing !== undefined || !isDue) return 'wait'
  return breaker.trusting ? 'close' : 'probe'
}

/** `open since 2026-11-21T03:35:45Z: remote-server-not-found (text); next probe 2026-11-21T03:36:17Z`. */
export function describeOpen({ sinceMs, condition, text, nextProbeMs, probing }: OpenBreaker): string {
  const why = text ? `${condition} (${text})` : condition
  const next = probing === undefined ? `next probe ${timeOf(nextProbeMs)}` : `probed now by ${probing}`
  return `open since ${timeOf(sinceMs)}: ${why}; ${next}`
}

function timeOf(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`
}

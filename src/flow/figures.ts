import type { Latencies, Rate } from '../domain/process-figures.ts'
import type { Metrics } from './ports.ts'

/** Counts for the last seconds, beside what is counted for good. */
export interface Figures {
  /** Counts, and passes on. */
  readonly metrics: Metrics
  /** Counts the same, and passes on to others: those of another domain. */
  over(metrics: Metrics): Metrics
  /** Rates and latencies of the last {@link SECONDS_KEPT} whole seconds. */
  read(): {
    readonly perSecond: Readonly<Record<Rate, number>>
    readonly acceptMs: Latencies | null
    readonly deliveryMs: Latencies | null
  }
}

const SECONDS_KEPT = 5
const RATES: readonly Rate[] = ['accepted', 'duplicate', 'rejected', 'delivered', 'dead', 'attempts', 'checked']
/** Each bucket of latencies ends a tenth above the one before, the first at a tenth of a millisecond, the last at two hours. */
const STEP = Math.log(1.1)
const BUCKETS = 190

interface Second {
  at: number
  readonly counts: Map<Rate, number>
  readonly acceptMs: Uint32Array
  readonly deliveryMs: Uint32Array
}

/** @param clock milliseconds that only ever rise */
export function createFigures(metrics: Metrics, clock: () => number): Figures {
  const startedAt = secondOf(clock())
  const ring: Second[] = Array.from({ length: SECONDS_KEPT + 1 }, () => ({
    at: -1,
    counts: new Map(),
    acceptMs: new Uint32Array(BUCKETS),
    deliveryMs: new Uint32Array(BUCKETS),
  }))

  function now(): Second {
    const at = secondOf(clock())
    const second = ring[at % ring.length]!
    if (second.at !== at) {
      second.at = at
      second.counts.clear()
      second.acceptMs.fill(0)
      second.deliveryMs.fill(0)
    }
    return second
  }

  function count(rate: Rate): Second {
    const second = now()
    second.counts.set(rate, (second.counts.get(rate) ?? 0) + 1)
    return second
  }

  function recent(): readonly Second[] {
    const at = secondOf(clock())
    return ring.filter((second) => second.at >= at - SECONDS_KEPT && second.at < at)
  }

  const over = (metrics: Metrics): Metrics => ({
    ...metrics,
    accepted(type, stanza, seconds) {
      count('accepted').acceptMs[bucketOf(seconds * 1_000)]! += 1
      metrics.accepted(type, stanza, seconds)
    },
    duplicate(type) {
      count('duplicate')
      metrics.duplicate(type)
    },
    rejected(kind) {
      count('rejected')
      metrics.rejected(kind)
    },
    checked(where, seconds) {
      count('checked')
      metrics.checked(where, seconds)
    },
    attempt(result) {
      count('attempts')
      metrics.attempt(result)
    },
    ended(state, reason, seconds) {
      if (state === 'delivered') count('delivered').deliveryMs[bucketOf(seconds * 1_000)]! += 1
      if (state === 'dead') count('dead')
      metrics.ended(state, reason, seconds)
    },
  })

  return {
    metrics: over(metrics),
    over,
    read() {
      const seconds = recent()
      const span = Math.max(1, Math.min(SECONDS_KEPT, secondOf(clock()) - startedAt))
      const rateOf = (rate: Rate) => seconds.reduce((sum, { counts }) => sum + (counts.get(rate) ?? 0), 0) / span
      return {
        perSecond: Object.fromEntries(RATES.map((rate) => [rate, rateOf(rate)])) as Record<Rate, number>,
        acceptMs: latenciesOf(seconds.map(({ acceptMs }) => acceptMs)),
        deliveryMs: latenciesOf(seconds.map(({ deliveryMs }) => deliveryMs)),
      }
    },
  }
}

function secondOf(ms: number): number {
  return Math.floor(ms / 1_000)
}

function bucketOf(ms: number): number {
  return Math.max(0, Math.min(BUCKETS - 1, Math.ceil(Math.log(ms * 10) / STEP)))
}

/** The upper end of the bucket: at most a tenth more than it was. */
function latenciesOf(histograms: readonly Uint32Array[]): Latencies | null {
  const counts = Array.from({ length: BUCKETS }, (_, at) => histograms.reduce((sum, one) => sum + one[at]!, 0))
  const total = counts.reduce((sum, one) => sum + one, 0)
  if (total === 0) return null
  const at = (share: number) => {
    let left = Math.ceil(total * share)
    const bucket = counts.findIndex((one) => {
      left -= one
      return left <= 0
    })
    return Math.exp(bucket * STEP) / 10
  }
  return { p50: at(0.5), p99: at(0.99) }
}

import type { RetryPolicy } from '../domain/retry.ts'
import type { Policy as Written } from './kinds.ts'
import type { Thing } from './thing.ts'
import { parseTimespan } from './timespan.ts'

/** A retry policy of a thing that its schema found sound. */
export function readPolicy({ value, complain }: Thing<Written>): RetryPolicy {
  const { factor, jitter } = value.backoff
  const firstMs = parseTimespan(value.backoff.first)!
  const maxMs = parseTimespan(value.backoff.max)!
  if (firstMs > maxMs) {
    const message = `backoff.first must not be longer than backoff.max: ${value.backoff.first} is longer than ${value.backoff.max}`
    complain('limits-conflict', ['backoff', 'first'], message, { or: ['backoff', 'max'] })
  }
  const probeFirstMs = parseTimespan(value.breaker.first)!
  const probeMaxMs = parseTimespan(value.breaker.max)!
  if (probeFirstMs > probeMaxMs) {
    const message = `breaker.first must not be longer than breaker.max: ${value.breaker.first} is longer than ${value.breaker.max}`
    complain('limits-conflict', ['breaker', 'first'], message, { or: ['breaker', 'max'] })
  }
  return {
    name: value.name,
    deliveries: value.deliveries,
    backoff: { firstMs, factor, maxMs, jitter },
    giveUpAfterMs: parseTimespan(value.giveUpAfter)!,
    answers: value.answers.map(({ then: verdict, ...answer }) => ({ ...answer, verdict })),
    breaker: { failures: value.breaker.failures, firstMs: probeFirstMs, maxMs: probeMaxMs },
  }
}

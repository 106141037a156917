import { describe, expect, it } from 'vitest'
import {
  afterAnswer,
  afterFailure,
  afterNothing,
  afterProbeStart,
  type Breaker,
  type BreakerSettings,
  describeOpen,
  dueStep,
  type OpenBreaker,
  probeDelay,
} from '../../src/domain/breaker.ts'
import { defaultPolicy } from '../../src/domain/retry.ts'

const SETTINGS: BreakerSettings = { failures: 3, firstMs: 1_000, maxMs: 8_000 }
const MIDDLE = 0.5

type Event =
  | 'failure'
  | 'failure of another'
  | 'late bounce'
  | 'failure of the probe'
  | 'late bounce of another'
  | 'answer'
  | 'hand-over'
  | 'hand-over of the probe'
  | 'probe'
  | 'probe lost'
  | `${number} s`

/** What becomes of a destination by events, told in words. */
function history(events: readonly Event[], settings = SETTINGS): string {
  let breaker: Breaker | undefined
  let nowMs = 0
  const fail = (id: string, late: boolean) => {
    const failure = { condition: 'timeout', text: '', id, late }
    breaker = afterFailure(breaker, failure, settings, nowMs, MIDDLE)
  }
  const answer = (id: string, handedOver: boolean) => {
    if (breaker) breaker = afterAnswer(breaker, { id, handedOver }, settings, nowMs, MIDDLE)
  }
  const steps: Readonly<Record<string, () => void>> = {
    failure: () => fail('a', false),
    'failure of another': () => fail('b', false),
    'late bounce': () => fail('a', true),
    'failure of the probe': () => fail('probe', false),
    'late bounce of another': () => fail('b', true),
    answer: () => answer('a', false),
    'hand-over': () => answer('a', true),
    'hand-over of the probe': () => answer('probe', true),
    probe: () => (breaker = afterProbeStart(breaker as OpenBreaker, 'probe')),
    'probe lost': () => (breaker = afterNothing(breaker as OpenBreaker, 'probe')),
  }
  for (const event of events) {
    const seconds = /^(-?\d+) s$/.exec(event)?.[1]
    if (seconds === undefined) steps[event]!()
    else nowMs += Number(seconds) * 1_000
  }
  return tell(breaker, nowMs)
}

function tell(breaker: Breaker | undefined, nowMs: number): string {
  if (breaker === undefined) return 'closed'
  if (breaker.kind === 'closed') return `closed, ${breaker.failures} failed`
  if (breaker.probing) return 'half-open'
  const words = { wait: 'open', probe: 'open, probe due', close: 'open, to be closed' }[dueStep(breaker, nowMs)]
  const leftMs = breaker.nextProbeMs - nowMs
  return leftMs > 0 ? `${words}, ${leftMs / 1_000} s` : words
}

const OPENING = ['failure', 'failure', 'failure of another'] as const
const LATE_OPENING = ['late bounce', 'late bounce', 'late bounce of another'] as const

const histories: readonly (readonly [becomes: string, events: readonly Event[]])[] = [
  ['closed', []],
  ['closed', ['answer']],
  ['closed, 2 failed', ['failure', 'failure']],
  ['closed', ['failure', 'failure', 'answer']],
  ['closed, 2 failed', ['failure', 'failure', 'answer', 'failure', 'failure']],
  ['closed', ['failure', 'failure', 'hand-over']],
  ['open, 1 s', OPENING],
  ['closed, 4 failed', ['failure', 'failure', 'failure', 'failure']],
  ['open, 1 s', ['failure', 'failure', 'failure', 'failure', 'failure of another']],
  ['open, 1 s', ['failure of another', 'failure', 'failure']],
  ['closed, 3 failed', ['failure of another', 'answer', 'failure', 'failure', 'failure']],
  ['open, 1 s', [...OPENING, 'failure', 'failure', 'failure']],
  ['open, probe due', [...OPENING, '1 s']],
  ['open, probe due', [...OPENING, '900 s']],
  // The clock was set back.
  ['open, 5 s', [...OPENING, '-4 s']],
  ['open, probe due, 3601 s', [...OPENING, '-3600 s']],
  ['half-open', [...OPENING, '1 s', 'probe']],
  ['half-open', [...OPENING, '1 s', 'probe', 'failure']],
  ['half-open', [...OPENING, '1 s', 'probe', '900 s']],
  ['open, 2 s', [...OPENING, '1 s', 'probe', 'failure of the probe']],
  ['open, 4 s', [...OPENING, '1 s', 'probe', 'failure of the probe', '2 s', 'probe', 'failure of the probe']],
  ['open, probe due', [...OPENING, '1 s', 'probe', 'probe lost']],
  ['closed', [...OPENING, '1 s', 'probe', 'hand-over of the probe']],
  ['closed', [...OPENING, 'answer']],
  ['closed, 1 failed', [...OPENING, 'answer', 'failure']],
  // A hand-over is the server's word: where bounces come late it says little.
  ['closed, 2 failed', ['late bounce', 'late bounce', 'hand-over', 'hand-over']],
  ['open, 1 s', ['late bounce', 'hand-over', 'late bounce', 'hand-over', 'hand-over', 'late bounce of another']],
  ['closed', ['late bounce', 'late bounce', 'hand-over', 'hand-over', 'hand-over']],
  ['closed', ['late bounce', 'late bounce', 'answer']],
  ['open, 1 s', [...LATE_OPENING, 'hand-over']],
  ['open, 5 s', [...LATE_OPENING, '1 s', 'probe', 'hand-over of the probe']],
  ['open, to be closed', [...LATE_OPENING, '1 s', 'probe', 'hand-over of the probe', '5 s']],
  ['open, 2 s', [...LATE_OPENING, '1 s', 'probe', 'hand-over of the probe', '2 s', 'late bounce of another']],
  ['open, 3 s', [...LATE_OPENING, '1 s', 'probe', 'hand-over of the probe', '2 s', 'failure']],
  ['closed', [...LATE_OPENING, '1 s', 'probe', 'hand-over of the probe', '2 s', 'answer']],
]

describe('a destination', () => {
  it.each(histories)('is %s after %j', (becomes, events) => {
    expect(history(events)).toBe(becomes)
  })

  it('is never opened by deliveries whose policy says so', () => {
    const failures = Array.from({ length: 10_000 }, () => 'failure' as const)
    expect(history(failures, { ...SETTINGS, failures: 0 })).toBe('closed, 10000 failed')
  })

  it('tells why it is open, since when, and what comes next', () => {
    const failure = { condition: 'remote-server-not-found', text: 'no route', id: 'a', late: false }
    const settings = { ...SETTINGS, failures: 1 }
    const open = afterFailure(undefined, failure, settings, Date.UTC(2026, 10, 21, 3, 35, 45), MIDDLE) as OpenBreaker
    const since = 'open since 2026-11-21T03:35:45Z: remote-server-not-found (no route)'
    expect(describeOpen(open)).toBe(`${since}; next probe 2026-11-21T03:35:46Z`)
    expect(describeOpen(afterProbeStart(open, 'x.0'))).toBe(`${since}; probed now by x.0`)
  })
})

describe('probes', () => {
  it('come at growing intervals, no longer than the longest, spread by a fifth', () => {
    const { breaker } = defaultPolicy
    const seconds = (random: number) =>
      [0, 1, 2, 3, 4, 5, 6, 7, 1_000].map((n) => probeDelay(breaker, n, random) / 1_000)
    expect(seconds(0.5)).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60])
    expect(seconds(0)).toEqual([0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 48, 48, 48])
    expect(seconds(1 - Number.EPSILON)).toEqual([1.2, 2.4, 4.8, 9.6, 19.2, 38.4, 72, 72, 72])
  })
})

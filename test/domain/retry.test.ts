import { describe, expect, it } from 'vitest'
import type { ErrorType } from '../../src/domain/rejection.ts'
import {
  answerTable,
  defaultPolicy,
  delayAfter,
  type RetryPolicy,
  type Verdict,
  verdictOf,
} from '../../src/domain/retry.ts'

const MIDDLE = 0.5

describe('the default policy', () => {
  it('waits 1 s to 256 s, and gives up after the tenth try', () => {
    const delays = Array.from({ length: 12 }, (_, at) => delayAfter(defaultPolicy, at + 1, 0, MIDDLE))
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, null, null, null])
  })

  it.each([
    [1, 800, 1_200],
    [5, 12_800, 19_200],
    [9, 204_800, 307_200],
  ])('spreads the wait after try %i between %i and %i ms', (tries, leastMs, mostMs) => {
    expect(delayAfter(defaultPolicy, tries, 0, 0)).toBe(leastMs)
    expect(delayAfter(defaultPolicy, tries, 0, 1 - Number.EPSILON)).toBe(mostMs)
    for (let random = 0; random < 1; random += 0.01) {
      const delayMs = delayAfter(defaultPolicy, tries, 0, random)!
      expect(delayMs).toBeGreaterThanOrEqual(leastMs)
      expect(delayMs).toBeLessThanOrEqual(mostMs)
    }
  })

  it('makes no try later than a day after the document was accepted', () => {
    const dayMs = 24 * 3_600_000
    expect(delayAfter(defaultPolicy, 1, dayMs - 1_000, MIDDLE)).toBe(1_000)
    expect(delayAfter(defaultPolicy, 1, dayMs - 999, MIDDLE)).toBeNull()
    expect(delayAfter(defaultPolicy, 1, dayMs * 9, MIDDLE)).toBeNull()
  })
})

describe('a policy', () => {
  const policy = (some: Partial<RetryPolicy>): RetryPolicy => ({ ...defaultPolicy, ...some })
  const backoff = { firstMs: 100, factor: 3, maxMs: 2_000, jitter: 0 }

  it.each([
    ['grows by its factor up to its longest wait', policy({ backoff }), [100, 300, 900, 2_000, 2_000]],
    [
      'waits the same each time with factor 1',
      policy({ backoff: { ...backoff, factor: 1 } }),
      [100, 100, 100, 100, 100],
    ],
    ['tries once with one delivery', policy({ backoff, deliveries: 1 }), [null, null, null, null, null]],
    ['tries twice with two', policy({ backoff, deliveries: 2 }), [100, null, null, null, null]],
  ] as const)('%s', (_, of, expected) => {
    expect([1, 2, 3, 4, 5].map((tries) => delayAfter(of, tries, 0, 0.9))).toEqual(expected)
  })

  it('stays at its longest wait however many tries there were', () => {
    expect(delayAfter(policy({ backoff: { ...backoff, factor: 100 }, deliveries: 1000 }), 999, 0, 0)).toBe(2_000)
  })
})

/** Everything that XMPP servers were seen to answer, and what it means. */
const verdicts: readonly (readonly [condition: string, type: ErrorType, text: string, verdict: Verdict])[] = [
  ['remote-server-timeout', 'wait', '', 'retry'],
  ['remote-server-timeout', 'cancel', '', 'retry'],
  ['remote-server-not-found', 'cancel', '', 'retry'],
  ['resource-constraint', 'wait', 'Your contact offline message queue is full', 'retry'],
  ['resource-constraint', 'cancel', '', 'retry'],
  ['resource-constraint', 'wait', "Unknown field 'pubsub#max_items' in publish options", 'dead-and-alarm'],
  ['resource-constraint', 'wait', "Bad value of field 'pubsub#max_items'", 'dead-and-alarm'],
  ['closed-node', 'cancel', '', 'dead-and-alarm'],
  ['not-in-roster-group', 'auth', '', 'dead-and-alarm'],
  ['presence-subscription-required', 'auth', '', 'dead-and-alarm'],
  ['unsupported', 'cancel', '', 'dead-and-alarm'],
  ['resource-constraint', 'wait', "The server said Unknown field 'x'", 'retry'],
  ['internal-server-error', 'wait', '', 'retry'],
  ['internal-server-error', 'cancel', '', 'retry'],
  ['recipient-unavailable', 'wait', '', 'retry'],
  ['recipient-unavailable', 'cancel', '', 'retry'],
  ['service-unavailable', 'cancel', '', 'retry'],
  ['undefined-condition', 'wait', '', 'retry'],
  ['undefined-condition', 'cancel', '', 'dead'],
  ['timeout', 'wait', '', 'retry'],
  ['no-receipt', 'wait', '', 'retry'],
  ['policy-violation', 'wait', 'Too many stanzas', 'retry'],
  ['policy-violation', 'modify', '', 'dead'],
  ['unexpected-request', 'wait', '', 'retry'],
  ['unexpected-request', 'modify', '', 'dead'],
  ['something-new', 'wait', '', 'retry'],
  ['something-new', 'cancel', '', 'dead'],
  ['bad-request', 'modify', '', 'dead'],
  ['item-not-found', 'cancel', '', 'dead-and-alarm'],
  ['forbidden', 'auth', '', 'dead-and-alarm'],
  ['not-allowed', 'cancel', '', 'dead-and-alarm'],
  ['not-authorized', 'auth', '', 'dead-and-alarm'],
  ['not-acceptable', 'modify', '', 'dead'],
  ['payload-too-big', 'modify', '', 'dead'],
  ['conflict', 'cancel', '', 'dead'],
  ['precondition-not-met', 'cancel', '', 'dead-and-alarm'],
  ['feature-not-implemented', 'cancel', '', 'dead'],
  ['jid-malformed', 'modify', '', 'dead'],
  ['gone', 'cancel', '', 'dead'],
  ['redirect', 'modify', '', 'dead'],
]

describe('an answer', () => {
  it.each(verdicts)('%s of type %s with text "%s" means %s', (condition, type, text, verdict) => {
    expect(verdictOf({ condition, type, text }, defaultPolicy)).toBe(verdict)
  })

  it('has a row of the table tested for each condition', () => {
    const tested = new Set(verdicts.map(([condition]) => condition))
    expect(answerTable.map(({ condition }) => condition).filter((name) => name !== '*' && !tested.has(name))).toEqual(
      [],
    )
  })

  it('never reaches a row behind one that fits all it fits', () => {
    const covers = (one: (typeof answerTable)[number], other: (typeof answerTable)[number]) =>
      (one.condition === '*' || one.condition === other.condition) &&
      (one.type === undefined || one.type === other.type) &&
      one.text === undefined
    const hidden = answerTable.filter((row, at) => answerTable.slice(0, at).some((earlier) => covers(earlier, row)))
    expect(hidden).toEqual([])
    expect(answerTable.at(-1)).toEqual({ condition: '*', verdict: 'dead' })
  })

  it('means what a policy says first, row by row', () => {
    const own: RetryPolicy = {
      ...defaultPolicy,
      answers: [
        { condition: 'item-not-found', type: 'cancel', verdict: 'retry' },
        { condition: 'timeout', text: 'twice', verdict: 'dead' },
      ],
    }
    expect(verdictOf({ condition: 'item-not-found', type: 'cancel', text: '' }, own)).toBe('retry')
    expect(verdictOf({ condition: 'item-not-found', type: 'auth', text: '' }, own)).toBe('dead-and-alarm')
    expect(verdictOf({ condition: 'timeout', type: 'wait', text: 'timed out twice' }, own)).toBe('dead')
    expect(verdictOf({ condition: 'timeout', type: 'wait', text: 'once' }, own)).toBe('retry')
  })
})

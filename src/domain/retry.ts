import type { BreakerSettings } from './breaker.ts'
import type { ErrorType } from './rejection.ts'

/** What an answer means for a delivery. */
export type Verdict = 'retry' | 'dead' | 'dead-and-alarm'

/** A row of the one table; a policy overrides single rows. */
export interface AnswerRow {
  /** RFC 6120 8.3.3 condition, or a pubsub condition, or one of ours (`timeout`, `no-receipt`); `*` for any. */
  readonly condition: string
  /** Undefined: any type. */
  readonly type?: ErrorType
  /** A pattern of the error's text; undefined: any text. */
  readonly text?: string
  readonly verdict: Verdict
}

export interface RetryPolicy {
  readonly name: string
  /** The count of tries, the first one included. */
  readonly deliveries: number
  readonly backoff: Backoff
  /** No try is made later than this after the document was accepted. */
  readonly giveUpAfterMs: number
  /** Rows that come before the common table. */
  readonly answers: readonly AnswerRow[]
  /** When a destination counts as failing, if it is a delivery of this policy that fails. */
  readonly breaker: BreakerSettings
}

/** Before try n + 1: `firstMs × factor^(n − 1)`, at most `maxMs`, spread by ± `jitter` of itself. */
export interface Backoff {
  readonly firstMs: number
  readonly factor: number
  readonly maxMs: number
  /** 0 to 1. */
  readonly jitter: number
}

/** With these, the tries come after 1 s, 2 s, 4 s … 4 min 16 s: ten of them within 9 minutes, give or take the jitter. */
export const defaultPolicy: RetryPolicy = {
  name: 'default',
  deliveries: 10,
  backoff: { firstMs: 1_000, factor: 2, maxMs: 300_000, jitter: 0.2 },
  giveUpAfterMs: 24 * 3_600_000,
  answers: [],
  breaker: { failures: 10, firstMs: 1_000, maxMs: 60_000 },
}

/**
 * How long to wait after the given number of tries, or null for giving up.
 * @param random 0 ≤ random < 1
 */
export function delayAfter(policy: RetryPolicy, tries: number, sinceAcceptedMs: number, random: number): number | null {
  if (tries >= policy.deliveries) return null
  const { firstMs, factor, maxMs, jitter } = policy.backoff
  const plain = Math.min(maxMs, firstMs * factor ** (tries - 1))
  const delayMs = Math.round(plain * (1 + jitter * (2 * random - 1)))
  return sinceAcceptedMs + delayMs > policy.giveUpAfterMs ? null : delayMs
}

/** The first row that fits counts; the last row fits everything. docs/operations.md shows it. */
export const answerTable: readonly AnswerRow[] = [
  // ejabberd 23.01 says "wait" to an option of a node that it will never know, or never allow.
  { condition: 'resource-constraint', text: "^Unknown field '", verdict: 'dead-and-alarm' },
  { condition: 'resource-constraint', text: "^Bad value of field '", verdict: 'dead-and-alarm' },
  // RFC 6120 8.3.2: `wait` says that trying again later is worth it, whatever the condition.
  { condition: '*', type: 'wait', verdict: 'retry' },
  // RFC 6120 says cancel, but on ejabberd and Openfire it is a component that restarts.
  { condition: 'remote-server-not-found', verdict: 'retry' },
  { condition: 'remote-server-timeout', verdict: 'retry' },
  { condition: 'resource-constraint', verdict: 'retry' },
  { condition: 'internal-server-error', verdict: 'retry' },
  { condition: 'recipient-unavailable', verdict: 'retry' },
  // An account that is offline and for which the server keeps nothing, or a service that is starting.
  { condition: 'service-unavailable', verdict: 'retry' },
  { condition: 'timeout', verdict: 'retry' },
  { condition: 'no-receipt', verdict: 'retry' },
  // What only somebody's setting can cure: the operator hears of it.
  { condition: 'forbidden', verdict: 'dead-and-alarm' },
  { condition: 'not-authorized', verdict: 'dead-and-alarm' },
  { condition: 'not-allowed', verdict: 'dead-and-alarm' },
  { condition: 'item-not-found', verdict: 'dead-and-alarm' },
  { condition: 'precondition-not-met', verdict: 'dead-and-alarm' },
  { condition: 'closed-node', verdict: 'dead-and-alarm' },
  { condition: 'unsupported', verdict: 'dead-and-alarm' },
  { condition: 'not-in-roster-group', verdict: 'dead-and-alarm' },
  { condition: 'presence-subscription-required', verdict: 'dead-and-alarm' },
  { condition: 'bad-request', verdict: 'dead' },
  { condition: 'payload-too-big', verdict: 'dead' },
  { condition: 'not-acceptable', verdict: 'dead' },
  { condition: 'conflict', verdict: 'dead' },
  { condition: 'feature-not-implemented', verdict: 'dead' },
  { condition: 'jid-malformed', verdict: 'dead' },
  { condition: 'gone', verdict: 'dead' },
  { condition: 'redirect', verdict: 'dead' },
  { condition: 'policy-violation', verdict: 'dead' },
  { condition: '*', verdict: 'dead' },
]

export interface Answer {
  readonly condition: string
  readonly type: ErrorType
  readonly text: string
}

export function verdictOf(answer: Answer, policy: RetryPolicy): Verdict {
  const row = policy.answers.find((own) => fits(own, answer)) ?? answerTable.find((common) => fits(common, answer))
  return row?.verdict ?? 'dead'
}

function fits(row: AnswerRow, answer: Answer): boolean {
  if (row.condition !== '*' && row.condition !== answer.condition) return false
  if (row.type !== undefined && row.type !== answer.type) return false
  return row.text === undefined || new RegExp(row.text, 'u').test(answer.text)
}

/** Why a document is refused (docs/protocol.md 2): the one table from which error stanzas, metrics and docs are made. */

export type ErrorType = 'auth' | 'cancel' | 'continue' | 'modify' | 'wait'

export interface StanzaCondition {
  readonly type: ErrorType
  readonly condition: string
}

export const rejectionConditions = {
  'no-document': { type: 'modify', condition: 'bad-request' },
  'several-documents': { type: 'modify', condition: 'bad-request' },
  malformed: { type: 'modify', condition: 'bad-request' },
  'too-large': { type: 'modify', condition: 'policy-violation' },
  'too-deep': { type: 'modify', condition: 'not-acceptable' },
  'forbidden-xml': { type: 'modify', condition: 'not-acceptable' },
  invalid: { type: 'modify', condition: 'not-acceptable' },
  'unknown-type': { type: 'cancel', condition: 'feature-not-implemented' },
  'ambiguous-type': { type: 'cancel', condition: 'conflict' },
  'key-conflict': { type: 'cancel', condition: 'conflict' },
  'not-allowed': { type: 'auth', condition: 'forbidden' },
  unsigned: { type: 'auth', condition: 'not-authorized' },
  'bad-signature': { type: 'auth', condition: 'not-authorized' },
  'unknown-key': { type: 'auth', condition: 'not-authorized' },
  overloaded: { type: 'wait', condition: 'resource-constraint' },
  unavailable: { type: 'wait', condition: 'service-unavailable' },
} as const satisfies Record<string, StanzaCondition>

export type RejectionKind = keyof typeof rejectionConditions

/** An error makes the document invalid; a warning and an information are told, and the document goes on. */
export type Severity = 'error' | 'warning' | 'information'

/**
 * One thing that is wrong with a document, as a sender can act on it. Published as schemas/finding.schema.json; it has this shape in
 * error stanzas, dead letters, the command line and the API.
 */
export interface Finding {
  /** What found it: `xml`, `json`, `xsd`, `rng`, `json-schema`, `schematron`, `limits`, `fields`, … */
  readonly layer: string
  /** The rule's own name: a libxml2 error code's name, a JSON Schema keyword, the id of a Schematron assert, a limit. */
  readonly rule: string
  readonly severity: Severity
  /** Where: an XPath with names, or a JSON Pointer. '' for the whole document. */
  readonly path: string
  readonly line?: number
  readonly column?: number
  readonly message: string
  /** The value found, cut to 80 characters. */
  readonly value?: string
  /** Schematron: the expression that was asked, cut to 500 characters. */
  readonly test?: string
  /** Schematron: `flag` or `role` as the rule says it: `fatal`, `warning`. */
  readonly flag?: string
  /** Where to read more: an address that the rule names. */
  readonly see?: string
}

export interface Rejection {
  readonly kind: RejectionKind
  /** Action, reason and current value, for people. Never the payload. */
  readonly text: string
  readonly findings: readonly Finding[]
  /** For `wait` conditions: when it is worth trying again. */
  readonly retryAfterSeconds?: number
}

export function reject(
  kind: RejectionKind,
  text: string,
  findings: readonly Finding[] = [],
  retryAfterSeconds?: number,
): Rejection {
  return retryAfterSeconds === undefined ? { kind, text, findings } : { kind, text, findings, retryAfterSeconds }
}

/** At most this many findings, and this many bytes of them, travel in an error stanza (docs/protocol.md 2). */
export const FINDINGS_SHOWN = 20
export const FINDINGS_BYTES = 8192

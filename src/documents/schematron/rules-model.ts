import type { Finding } from '../../domain/rejection.ts'

/** A Schematron schema (ISO/IEC 19757-3) when all its files are read, what is abstract made concrete and one phase chosen. */
export interface RuleSet {
  /** As written: `xslt2`; '' where the schema names none. */
  readonly queryBinding: string
  readonly namespaces: Readonly<Record<string, string>>
  /** Of the schema and of the phase. */
  readonly lets: readonly Let[]
  readonly patterns: readonly Pattern[]
}

/** `file:line:column`. */
export interface Placed {
  readonly at: string
}

export interface Let extends Placed {
  readonly name: string
  readonly select: string
}

export interface Pattern extends Placed {
  /** '' where it has none. */
  readonly id: string
  readonly lets: readonly Let[]
  readonly rules: readonly Rule[]
}

/** Of the rules of a pattern, the first one fires whose context a node is (ISO/IEC 19757-3, 6.5). */
export interface Rule extends Placed {
  readonly context: string
  readonly lets: readonly Let[]
  readonly checks: readonly Check[]
}

export interface Check extends Placed {
  /** An assert finds where its test is false, a report where it is true. */
  readonly kind: 'assert' | 'report'
  /** '' where it has none. */
  readonly id: string
  readonly test: string
  /** As written, of the check or else of its rule; '' for none. */
  readonly flag: string
  readonly severity: Finding['severity']
  readonly message: Message
  /** What `diagnostics` adds to the message. */
  readonly diagnostics: readonly Message[]
  /** Where to look, from the rule's node; '' for the node itself. */
  readonly subject: string
  /** Where to read more; ''. */
  readonly see: string
}

export type Message = readonly MessagePart[]

export type MessagePart =
  | { readonly kind: 'text'; readonly text: string }
  /** `value-of`. */
  | { readonly kind: 'value'; readonly select: string; readonly at: string }
  /** `name`: of the rule's node, or of what `path` selects. */
  | { readonly kind: 'name'; readonly path: string; readonly at: string }

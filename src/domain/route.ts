import type { Confirm } from './delivery.ts'

/** Conditions and the destinations that follow from them. */
export interface Route {
  readonly name: string
  readonly owner: string | undefined
  /** Larger first; equal priorities go by name. */
  readonly priority: number
  /** When it matches, routes after it are not asked. */
  readonly stop: boolean
  /** Matches where no other route did. */
  readonly otherwise: boolean
  /** It is asked for valid documents only where it is left out. */
  readonly takes?: 'invalid' | 'both'
  readonly when: Conditions
  readonly deliver: readonly DestinationTemplate[]
  readonly order: Order
  readonly expiresMs: number | undefined
  readonly tests: readonly RouteTest[]
  /** `file:line:column`, for messages. */
  readonly source: string
}

/** All that are given must hold (AND); a list of values is an OR. A `when`, or a group within one. */
export interface Conditions {
  readonly type?: readonly string[]
  /** Keys of types, `NAME@VERSION`: what the versions that were asked for come to. None: nothing is meant. */
  readonly version?: readonly string[]
  /** JID patterns. */
  readonly from?: readonly string[]
  readonly to?: readonly string[]
  readonly node?: readonly ValueCondition[]
  readonly stanza?: readonly string[]
  readonly mediaType?: readonly ValueCondition[]
  readonly headers?: Readonly<Record<string, readonly ValueCondition[]>>
  readonly fields?: Readonly<Record<string, readonly ValueCondition[]>>
  /** XPath 1.0 over the document, with the prefixes of `namespaces`. */
  readonly xpath?: string
  /** Prefixes of the route's types, for `xpath`. A group has those of what it stands in as well. */
  readonly namespaces: Readonly<Record<string, string>>
  /** Every group must hold. */
  readonly all?: readonly Conditions[]
  /** At least one group must hold. */
  readonly any?: readonly Conditions[]
  /** No group may hold. One of which it isn't known, since an XPath failed, counts as one that may. */
  readonly not?: readonly Conditions[]
}

export type Literal = string | number | boolean | null

export type ValueCondition =
  | { readonly kind: 'is'; readonly value: Literal }
  | { readonly kind: 'prefix' | 'suffix' | 'contains'; readonly text: string }
  /** All bounds given in one condition must hold: `{">=": 1, "<": 5}`. */
  | { readonly kind: 'compare'; readonly bounds: readonly { readonly operator: Operator; readonly bound: number }[] }
  | { readonly kind: 'exists'; readonly expected: boolean }
  /** Holds where none of them does, an absent field included. */
  | { readonly kind: 'not'; readonly conditions: readonly ValueCondition[] }

export type Operator = '<' | '<=' | '>' | '>='

export type Order =
  | { readonly by: 'none' }
  | { readonly by: 'sender' }
  | { readonly by: 'field'; readonly field: string }

/** A destination with `{field}` places in it. */
export interface DestinationTemplate {
  readonly target:
    | { readonly kind: 'node'; readonly service: string; readonly node: string }
    | { readonly kind: 'jid'; readonly jid: string }
  /** Anchored regular expression that a filled template must match; undefined only where the template has no places. */
  readonly allow: string | undefined
  readonly confirm: Confirm
  readonly confirmTimeoutMs: number
  readonly retry: string
  readonly as: 'element' | 'sealed' | undefined
  readonly body: string | undefined
  readonly create: Readonly<Record<string, string | number | boolean>> | undefined
  /** How many nodes one document may reach through the values of a field. */
  readonly maxNodes: number
}

export interface RouteTest {
  /** Absolute file name. */
  readonly document: string
  /** Undefined: by the file's ending, or by what the document begins with. */
  readonly mediaType?: string | undefined
  readonly from: string
  readonly delivers: readonly string[]
  readonly because: string | undefined
  readonly source: string
}

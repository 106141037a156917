/** A JSONPath query (RFC 9535), read. */

export interface Query {
  /** `$` the document, `@` the node that a filter looks at. */
  readonly from: '$' | '@'
  readonly segments: readonly Segment[]
}

export interface Segment {
  /** `descendant`: of every node below as well (2.5.2). */
  readonly kind: 'child' | 'descendant'
  readonly selectors: readonly Selector[]
}

export type Selector =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'wildcard' }
  | { readonly kind: 'index'; readonly index: number }
  | {
      readonly kind: 'slice'
      readonly start: number | undefined
      readonly end: number | undefined
      readonly step: number
    }
  | { readonly kind: 'filter'; readonly condition: Condition }

export type Condition =
  | { readonly kind: 'or' | 'and'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition }
  /** Whether the query selects anything. */
  | { readonly kind: 'exists'; readonly query: Query }
  | {
      readonly kind: 'compare'
      readonly operator: Comparison
      readonly left: Comparable
      readonly right: Comparable
    }
  /** `match` is about the whole text, `search` about a part of it (2.4.6, 2.4.7). */
  | { readonly kind: 'match'; readonly text: Comparable; readonly pattern: RegExp | undefined }

export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>='

export type Comparable =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  /** A query that selects one node at most (2.3.5.1). */
  | { readonly kind: 'singular'; readonly query: Query }
  | { readonly kind: 'length'; readonly of: Comparable }
  | { readonly kind: 'count' | 'value'; readonly of: Query }

/** A JSONPath that can't be read, for people. Never leaves this folder. */
export class JsonPathProblem extends Error {}

/** What the comparison of two versions of a schema says: whether all documents that the old one accepts are accepted by the new one. */
export type Verdict =
  /** Proven. */
  | { readonly kind: 'compatible' }
  /** Shown by a document. */
  | { readonly kind: 'incompatible'; readonly witness: Witness; readonly others: readonly Difference[] }
  /** Neither proven nor shown. Nobody may take it for a yes. */
  | { readonly kind: 'unknown'; readonly reasons: readonly Difference[] }

/** A place where the versions differ, or can't be compared. */
export interface Difference {
  /** From the root, local names only; attributes with `@`. A JSON Pointer for JSON. '' for the whole. */
  readonly path: string
  /** What the version says that is asked, the new one or, for forward compatibility, the old one. */
  readonly message: string
  /** Where the old and the new version say it: `file:line` in the schema's folder; '' where that isn't known. */
  readonly old: string
  readonly new: string
}

/** A document that the one version accepts and the one that is asked refuses, as the validators themselves have said. */
export interface Witness extends Difference {
  readonly document: string
  readonly mediaType: 'application/xml' | 'application/json'
  /** The validator's first words about it. */
  readonly refusal: string
}

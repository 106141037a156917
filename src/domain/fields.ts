/** A scalar that a field can hold; numbers only where the type says `as: number` or JSON holds one. */
export type FieldScalar = string | number | boolean | null

/** Whether it is a whole number that is too large to be held to the last digit: of the document another one may have stood there. */
export function isInexact(value: FieldScalar): boolean {
  return Number.isInteger(value) && !Number.isSafeInteger(value)
}

/**
 * Named values read from a document. A field can have several values (an XPath can select several nodes); a condition on
 * it holds when it holds for one of them. An absent field has none.
 */
export type Fields = Readonly<Record<string, readonly FieldScalar[]>>

/** Where a field is read from. Exactly one of `xpath`, `pointer` and `jsonpath`. */
export interface FieldSource {
  readonly xpath?: string
  /** JSON Pointer, RFC 6901. */
  readonly pointer?: string
  /** RFC 9535. */
  readonly jsonpath?: string
  readonly as?: 'string' | 'number' | 'boolean'
}

import type { Content, Origin } from '../domain/document.ts'
import type { Fields } from '../domain/fields.ts'

/** All that routes can ask about: a document that was identified and validated, and how it came. */
export interface Subject {
  /** Name of the document type, or `opaque`. */
  readonly type: string
  /** The type's name with `@VERSION`, where it has one. */
  readonly typeKey: string
  readonly origin: Origin
  readonly mediaType: string
  readonly fields: Fields
  readonly content: Content
  /** It breaks the schema of its type, and is for those alone that ask for such. */
  readonly valid?: false
}

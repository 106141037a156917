import type { DocumentType, SchemaLayer } from './document-type.ts'

/** A document type with what those who may send it may read of it. */
export interface OfferedType {
  readonly type: DocumentType
  /** In the order in which they are asked; `file` is the name of one of the files. */
  readonly layers: readonly (Pick<SchemaLayer, 'language' | 'onInvalid' | 'phase'> & { readonly file: string })[]
  /** All that the schema consists of, in the order of the names. */
  readonly files: readonly OfferedFile[]
  readonly sample: OfferedFile | undefined
}

export interface OfferedFile {
  /** With `/`, as the files refer to one another; never where they lie on a machine. */
  readonly name: string
  readonly content: Uint8Array
}

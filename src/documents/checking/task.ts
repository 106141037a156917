import type { Document } from '../../domain/document.ts'
import type { DocumentType } from '../../domain/document-type.ts'
import type { ReadFiles } from '../bundle-reader.ts'
import type { DocumentLimits } from '../limits.ts'
import type { Checked } from '../validate.ts'

/** What checkers are made for: the types of one configuration, with the files that their schemas were compiled from. */
export interface CheckedSet {
  readonly types: readonly DocumentType[]
  readonly limits: DocumentLimits
  readonly files: ReadFiles
}

/** One document to be validated: enough of it to make it again elsewhere. */
export interface CheckTask extends Pick<Document, 'form' | 'mediaType' | 'datatype' | 'payload' | 'bytes'> {
  /** Key of its type. */
  readonly type: string
  /** The kind of its content. */
  readonly content: Document['content']['kind']
}

export type CheckAnswer =
  | { readonly kind: 'checked'; readonly checked: Checked }
  /** It can't be made again from its payload alone, as where a charset stood beside it: only who has it can check it. */
  | { readonly kind: 'unreadable' }
  /** A fault of ours. */
  | { readonly kind: 'failed'; readonly reason: string }

/** What a checking thread is given at its start. */
export interface ThreadData extends CheckedSet {
  /** Keys of the types to be compiled before it is ready; the others are when they are asked for. */
  readonly first: readonly string[]
}

/** What a checking thread tells. The clock of a document stops while its type is compiled. */
export type ThreadMessage =
  | { readonly kind: 'ready'; readonly thread: string | undefined }
  | { readonly kind: 'compiling' | 'compiled' }
  | CheckAnswer

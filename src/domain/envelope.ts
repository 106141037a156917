import type { Document, Origin, SubmitOptions } from './document.ts'
import type { Fields } from './fields.ts'
import type { Holding } from './held.ts'

/** Document + id + sender + type + fields + time of receipt: the unit that is accepted. */
export interface Envelope {
  /** UUIDv7, lower case. */
  readonly id: string
  readonly document: Document
  readonly origin: Origin
  /** Name of the document type; `opaque` for opaque content that no type claims. */
  readonly type: string
  /** The version of the type that it was checked with; undefined where the type has none. */
  readonly version?: string
  readonly fields: Fields
  /** What is wrong with an invalid document that goes on all the same (`onInvalid: mark`). */
  readonly marked?: Holding
  /** It was sent again from the archive: what it repeats, by whom and why. */
  readonly again?: { readonly of: string; readonly by: string; readonly reason: string }
  readonly receivedAtMs: number
  readonly submit: SubmitOptions
}

/** Name of the type of opaque content that no document type claims; no document type may be called so. */
export const OPAQUE_TYPE = 'opaque'

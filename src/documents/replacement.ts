import type { Document } from '../domain/document.ts'
import { serialise } from '../domain/serialise.ts'
import { ENCRYPTED_MEDIA_TYPE } from './carriage.ts'
import { rehydrate } from './documents.ts'
import { completeLimits, type DocumentLimits } from './limits.ts'
import { type DocumentParse, sealedDocument } from './sealed.ts'

/**
 * A document in the place of another one, in the form in which that one travels: sealed byte for byte, in-band as what it
 * says. The limits count as for a document that is sent.
 */
export function replacementOf(
  bytes: Uint8Array,
  original: Pick<Document, 'form' | 'mediaType' | 'datatype'>,
  limits: DocumentLimits,
): DocumentParse {
  const { form, mediaType, datatype } = original
  const read = sealedDocument(bytes, { name: mediaType, charset: undefined }, completeLimits(limits))
  if (form === 'sealed' || read.kind === 'rejected') return read
  const { content } = read.document
  const text = content.kind === 'xml' ? serialise(content.root) : new TextDecoder().decode(bytes)
  // Opaque content that came in-band is an encrypted element: its name says so, and nothing else of it.
  const type = content.kind === 'opaque' ? ENCRYPTED_MEDIA_TYPE : mediaType
  return { kind: 'document', document: rehydrate(form, type, datatype, new TextEncoder().encode(text)) }
}

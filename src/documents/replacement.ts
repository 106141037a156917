import type { Document } from '../domain/document.ts'
import { serialise } from '../domain/serialise.ts'
import { ENCRYPTED_MEDIA_TYPE } from './carriage.ts'
import { rehydrate } from './documents.ts'
import { completeLimits, type DocumentLimits } from './limits.ts'
import { isJsonType, isXmlType, type MediaType } from './media-type.ts'
import { type DocumentParse, sealedDocument } from './sealed.ts'

/**
 * A document in the place of another one, in the form in which that one travels: sealed byte for byte, in-band as what it
 * says. The limits count as for a document that is sent.
 */
export function replacementOf(
  bytes: Uint8Array,
  original: Pick<Document, 'form' | 'mediaType' | 'contentType' | 'datatype'>,
  limits: DocumentLimits,
): DocumentParse {
  const { form, mediaType, datatype } = original
  const type = { name: mediaType, charset: undefined, ...parametersOf(original) }
  const read = sealedDocument(bytes, type, completeLimits(limits))
  if (form === 'sealed' || read.kind === 'rejected') return read
  const { content } = read.document
  const text = content.kind === 'xml' ? serialise(content.root) : new TextDecoder().decode(bytes)
  // Opaque content that came in-band is an encrypted element: its name says so, and nothing else of it.
  const name = content.kind === 'opaque' ? ENCRYPTED_MEDIA_TYPE : mediaType
  return { kind: 'document', document: rehydrate(form, name, datatype, new TextEncoder().encode(text)) }
}

/** XML and JSON say themselves how they are encoded, which may be otherwise than in the original; opaque content is taken to be alike. */
function parametersOf({
  mediaType,
  contentType,
}: Pick<Document, 'mediaType' | 'contentType'>): Pick<MediaType, 'written'> {
  if (contentType === undefined || isXmlType(mediaType) || isJsonType(mediaType)) return {}
  return { written: contentType }
}

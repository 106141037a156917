import { hash } from 'node:crypto'
import type { Content, Document } from '../domain/document.ts'
import { attributeOf, type Element, expandedName, isElement, textOf } from '../domain/element.ts'
import { type Rejection, reject } from '../domain/rejection.ts'
import { sha256 } from './digest.ts'
import { type Decoded, decodeJson, decodeXml } from './encoding.ts'
import { parseJson } from './json.ts'
import { exceeds, type Limits } from './limits.ts'
import { isJsonType, isXmlType, type MediaType, parseMediaType } from './media-type.ts'
import { shown } from './shown.ts'
import { parseXml } from './xml.ts'

export type DocumentParse =
  | { readonly kind: 'document'; readonly document: Document }
  | { readonly kind: 'rejected'; readonly rejection: Rejection }

/** XEP-0231 `<data/>`: the document byte for byte, in base64. */
export function readSealed(data: Element, limits: Limits): DocumentParse {
  const type = attributeOf(data, 'type')
  if (type === undefined) return malformed('type', 'it has no type attribute, which names its media type')
  if (type.length > TYPE_MOST)
    return malformed('type', `its type has ${type.length} characters, at most ${TYPE_MOST} are read`)
  const mediaType = parseMediaType(type)
  if (!mediaType) return malformed('type', `its type is ${JSON.stringify(shown(type))}, which is no media type`)
  if (data.children.some(isElement)) return malformed('base64', 'it holds elements, not base64')
  const bytes = decodeBase64(textOf(data), limits)
  if ('rejection' in bytes) return bytes
  const cid = attributeOf(data, 'cid')
  const fault = cid === undefined ? undefined : faultOfCid(cid, bytes)
  return fault ? malformed('cid', fault) : sealedDocument(bytes, mediaType, limits)
}

/** It is kept with the document, beside what limits.documentBytes counts. */
const TYPE_MOST = 1_000

/** Bytes as if they had come in `<data/>`. XML and JSON are parsed; anything else is never looked into. */
export function sealedDocument(bytes: Uint8Array, mediaType: MediaType, limits: Limits): DocumentParse {
  const read = readContent(bytes, mediaType, limits)
  if (read.kind === 'rejected') return read
  const { content } = read
  const { name, written } = mediaType
  const document: Document = {
    form: 'sealed',
    mediaType: name,
    ...(written !== undefined && { contentType: written }),
    rootName: content.kind === 'xml' ? expandedName(content.root.uri, content.root.name) : '',
    datatype: '',
    content,
    payload: bytes,
    bytes: bytes.length,
    digest: sha256(bytes),
  }
  return { kind: 'document', document }
}

type ContentRead =
  | { readonly kind: 'content'; readonly content: Content }
  | { readonly kind: 'rejected'; readonly rejection: Rejection }

function readContent(bytes: Uint8Array, { name, charset }: MediaType, limits: Limits): ContentRead {
  const { length } = bytes
  if (length > limits.documentBytes) return { kind: 'rejected', rejection: exceeds('documentBytes', length, limits) }
  if (isXmlType(name)) return readXml(decodeXml(bytes, charset), limits)
  if (isJsonType(name)) return readJson(decodeJson(bytes, charset), limits)
  return { kind: 'content', content: { kind: 'opaque' } }
}

function readXml(decoded: Decoded, limits: Limits): ContentRead {
  if (decoded.kind === 'undecodable') return undecodable('xml', decoded)
  const parsed = parseXml(decoded.text, limits)
  return parsed.kind === 'rejected' ? parsed : { kind: 'content', content: parsed }
}

function readJson(decoded: Decoded, limits: Limits): ContentRead {
  if (decoded.kind === 'undecodable') return undecodable('json', decoded)
  const parsed = parseJson(decoded.text, limits)
  return parsed.kind === 'rejected' ? parsed : { kind: 'content', content: parsed }
}

function undecodable(layer: 'xml' | 'json', { rule, message }: Extract<Decoded, { kind: 'undecodable' }>): ContentRead {
  const rejection = reject('malformed', message, [{ layer, rule, severity: 'error', path: '', message }])
  return { kind: 'rejected', rejection }
}

/** RFC 4648 4, with white space between; measured before it is decoded. */
function decodeBase64(text: string, limits: Limits): Uint8Array | Extract<DocumentParse, { kind: 'rejected' }> {
  // Base64 of that length, and of no more bytes than allowed, which is written again just so: nothing else has to be looked at.
  if (text !== '' && 3 * text.length <= 4 * limits.documentBytes) {
    const bytes = Buffer.from(text, 'base64')
    if (bytes.toString('base64') === text) return bytes
  }
  const plain = text.replace(/[ \t\r\n]+/g, '')
  const padding = plain.endsWith('==') ? 2 : Number(plain.endsWith('='))
  const length = Math.floor((plain.length * 3) / 4) - padding
  if (length > limits.documentBytes) return { kind: 'rejected', rejection: exceeds('documentBytes', length, limits) }
  if (plain === '') return malformed('base64', 'it is empty')
  if (plain.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(plain)) {
    return malformed('base64', 'it is no base64 (RFC 4648 4)')
  }
  const bytes = Buffer.from(plain, 'base64')
  // Bits beyond the last byte must be zero, or two texts would mean the same.
  const last = bytes.subarray(bytes.length - (bytes.length % 3 || 3)).toString('base64')
  return plain.endsWith(last) ? bytes : malformed('base64', 'it is no base64: bits are set behind its last byte')
}

const CID = /^(sha-?1|sha-?256)\+([0-9a-f]+)@bob\.xmpp\.org$/i

/** XEP-0231 2: the cid names the bytes by their digest; sha1 and sha256 are known. */
function faultOfCid(cid: string, bytes: Uint8Array): string | undefined {
  const match = CID.exec(cid)
  if (!match)
    return `its cid is ${JSON.stringify(shown(cid, 100))}; sha1+HEX@bob.xmpp.org and sha256+HEX@bob.xmpp.org are known`
  const algorithm = match[1]!.toLowerCase().replace('-', '')
  const digest = hash(algorithm, bytes)
  if (digest === match[2]!.toLowerCase()) return undefined
  return `its cid says ${algorithm} ${match[2]!.slice(0, 64)}, the bytes have ${digest}: they were changed on the way`
}

function malformed(rule: string, why: string): Extract<DocumentParse, { kind: 'rejected' }> {
  const message = `Cannot read <data/>: ${why}`
  const rejection = reject('malformed', message, [{ layer: 'data', rule, severity: 'error', path: '', message }])
  return { kind: 'rejected', rejection }
}

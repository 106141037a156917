import { createHash } from 'node:crypto'
import type { DocumentType } from '../domain/document-type.ts'
import { attributeOf, type Element } from '../domain/element.ts'
import type { OfferedFile, OfferedType } from '../domain/offered-type.ts'
import { escapeAttribute, escapeText } from '../domain/serialise.ts'
import { newestOf } from '../domain/type-version.ts'
import type { OfferAnswer } from '../flow/questions.ts'
import { WAYBILL } from './namespaces.ts'
import { listed } from './questions.ts'
import { attribute, badRequest, errorReply, iqResult, itemNotFound, legible, rejectionReply } from './replies.ts'

/** What an answer needs besides: addresses, ids, the names of types and files. */
const ENVELOPE_BYTES = 8_192
/** Of a file, in one answer: a small question must not have a large one. */
const PART_BYTES = 65_536

/** `<types/>`, `<schema/>` and `<sample/>`: what may be asked of us about document types (docs/protocol.md 1.8). */
export function asksForOffer({ name, uri }: Element): boolean {
  return uri === WAYBILL && (name === 'types' || name === 'schema' || name === 'sample')
}

/**
 * The answer's text. What isn't among the types that are offered to the one who asks is answered as what isn't there at all.
 *
 * @param payload The one child of the stanza.
 */
export function answerOffer(request: Element, payload: Element, answer: OfferAnswer, maxStanzaBytes: number): string {
  if (answer.kind === 'rejected') return rejectionReply(request, answer.rejection, undefined)
  const room = maxStanzaBytes - ENVELOPE_BYTES
  if (payload.name === 'types') return iqResult(request, typesElement(answer.types, room))
  const name = attributeOf(payload, 'type') ?? ''
  if (name === '') return errorReply(request, badRequest, `Cannot tell the ${payload.name}: the type is missing`)
  const offered = typeAsked(name, attributeOf(payload, 'version') ?? '', answer.types)
  if (!offered) return errorReply(request, itemNotFound, '')
  const asked = attributeOf(payload, 'file')
  if (payload.name === 'schema' && asked === undefined) return iqResult(request, schemaElement(offered, room))
  const file = payload.name === 'sample' ? offered.sample : offered.files.find((one) => one.name === asked)
  if (!file) return errorReply(request, itemNotFound, '')
  const offset = offsetIn(attributeOf(payload, 'offset') ?? '0', file)
  if (typeof offset === 'string') return errorReply(request, badRequest, offset)
  const part = partElement(file, offset, room)
  return iqResult(request, `<${payload.name} ${head(offered.type)}>${part}</${payload.name}>`)
}

/** Where no version is named: the newest that isn't deprecated. */
function typeAsked(name: string, version: string, types: readonly OfferedType[]): OfferedType | undefined {
  const versions = types.filter(({ type }) => type.name === name)
  if (version !== '') return versions.find(({ type }) => type.version === version)
  const newest = newestOf(versions.map(({ type }) => type))
  return versions.find(({ type }) => type === newest)
}

function typesElement(types: readonly OfferedType[], room: number): string {
  const elements = types.map(({ type }) => {
    const said = notice(type)
    return said === '' ? `<type ${names(type)}/>` : `<type ${names(type)}>${said}</type>`
  })
  return `<types xmlns="${WAYBILL}">${listed(elements, room)}</types>`
}

function schemaElement({ type, layers, files, sample }: OfferedType, room: number): string {
  const about =
    notice(type) +
    matchElements(type) +
    layers.map(layerElement).join('') +
    (sample ? `<sample ${fileNames(sample)}/>` : '')
  const listedFiles = listed(
    files.map((file) => `<file ${fileNames(file)}/>`),
    room - Buffer.byteLength(about),
  )
  return `<schema ${head(type)}${recognition(type)}>${about}${listedFiles}</schema>`
}

/** How documents of the type are told from others; the prefixes of its XPaths are declared here. */
function recognition({ identify, namespaces }: DocumentType): string {
  const { xml, json, mediaType } = identify
  const prefixes =
    xml?.match === undefined && xml?.where === undefined
      ? ''
      : Object.entries(namespaces)
          .map(([prefix, uri]) => ` xmlns:${prefix}="${attribute(uri)}"`)
          .join('')
  return (
    prefixes +
    given('root', xml?.root) +
    given('body', xml?.body) +
    given('where', xml?.where) +
    given('datatype', json?.datatype) +
    given('media-type', mediaType)
  )
}

function matchElements({ identify: { xml, json } }: DocumentType): string {
  const byXPath = Object.entries(xml?.match ?? {}).flatMap(([at, values]) =>
    values.map((value) => [at, value] as const),
  )
  const byPointer = Object.entries(json?.match ?? {})
  return [...byXPath, ...byPointer]
    .map(([at, value]) => `<match at="${attribute(at)}" value="${attribute(String(value))}"/>`)
    .join('')
}

function layerElement({ language, file, onInvalid, phase }: OfferedType['layers'][number]): string {
  const asked = language === 'schematron' ? given('phase', phase) : ''
  return `<layer language="${language}" file="${attribute(file)}" on-invalid="${onInvalid}"${asked}/>`
}

function partElement(file: OfferedFile, offset: number, room: number): string {
  // Base64 makes four of three.
  const most = Math.min(PART_BYTES, Math.floor((room * 3) / 4))
  const part = Buffer.from(file.content.subarray(offset, offset + most))
  return `<file ${fileNames(file)} offset="${offset}">${part.toString('base64')}</file>`
}

/** The offset, or why it is none. At the very end there is nothing left, which is no mistake. */
function offsetIn(text: string, { name, content }: OfferedFile): number | string {
  const offset = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (offset <= content.length) return offset
  return `Cannot read ${name} from there: it has ${content.length} bytes, and offset is ${text}`
}

function head(type: DocumentType): string {
  return `xmlns="${WAYBILL}" ${names(type, 'type')}`
}

function names({ name, version }: DocumentType, as = 'name'): string {
  return `${as}="${escapeAttribute(name)}"${version === '' ? '' : ` version="${escapeAttribute(version)}"`}`
}

function notice({ deprecated }: DocumentType): string {
  return deprecated === undefined ? '' : `<notice>${escapeText(legible(deprecated))}</notice>`
}

function fileNames({ name, content }: OfferedFile): string {
  return `name="${attribute(name)}" bytes="${content.length}" digest="${digestOf(content)}"`
}

/** SHA-256, hex. */
function digestOf(content: Uint8Array): string {
  const known = digests.get(content) ?? createHash('sha256').update(content).digest('hex')
  digests.set(content, known)
  return known
}

/** What was read once never changes; most files nobody asks for. */
const digests = new WeakMap<Uint8Array, string>()

function given(name: string, value: string | undefined): string {
  return value === undefined ? '' : ` ${name}="${attribute(value)}"`
}

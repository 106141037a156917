import type { Content, Document, Form } from '../domain/document.ts'
import {
  attributeOf,
  childElements,
  childNamed,
  type Element,
  expandedName,
  isElement,
  textOf,
} from '../domain/element.ts'
import { reject } from '../domain/rejection.ts'
import { digestOf, sha256 } from './digest.ts'
import { parseJson } from './json.ts'
import { exceeds, type Limits } from './limits.ts'
import { type DocumentParse, readSealed } from './sealed.ts'
import { type Inherited, selfContained } from './self-contained.ts'
import { writeDocument } from './write.ts'

export const BITS_OF_BINARY = 'urn:xmpp:bob'
export const JSON_CONTAINER = 'urn:xmpp:json:0'
export const JSON_MESSAGE = 'urn:xmpp:json-msg:0'

/** Encrypted elements (XEP-0380) are opaque content of this type: RFC 3923's, the one that is registered for such. */
export const ENCRYPTED_MEDIA_TYPE = 'application/xmpp+xml'

/**
 * The document that an element carries (docs/protocol.md 1.2), with all limits checked.
 *
 * @param inherited What the element has from what it stands in; asked for only where that is the document's.
 * @param encrypted The namespace that XEP-0380 names for the stanza, if any.
 */
export function readDocument(
  carrier: Element,
  inherited: () => Inherited,
  limits: Limits,
  encrypted: string | undefined,
): DocumentParse {
  const { name, uri } = carrier
  if (uri === BITS_OF_BINARY && name === 'data') return readSealed(carrier, limits)
  if (uri === JSON_CONTAINER && name === 'json') return readJson(carrier, 'json', '', limits)
  if (uri === JSON_MESSAGE && name === 'payload') return readJsonMessage(carrier, limits)
  return readElement(carrier, inherited(), limits, uri === encrypted)
}

function readElement(carrier: Element, inherited: Inherited, limits: Limits, opaque: boolean): DocumentParse {
  const root = selfContained(carrier, inherited)
  const written = writeDocument(root, limits)
  if (written.kind === 'rejected') return written
  const { text: payload, bytes } = written
  const document = opaque ? encryptedDocument(root, payload, bytes) : new ElementDocument(root, payload, bytes)
  return { kind: 'document', document }
}

/**
 * Only what is accepted needs a digest, so it is taken when it is asked for. By a class, since the engine keeps every object with a getter
 * of its own, and what hangs on it, until it looks through all memory.
 */
class ElementDocument implements Document {
  readonly form = 'element'
  readonly mediaType = 'application/xml'
  readonly rootName: string
  readonly datatype = ''
  readonly content: Content
  readonly payload: string
  readonly bytes: number
  readonly #root: Element
  #digest: string | undefined

  constructor(root: Element, payload: string, bytes: number) {
    this.rootName = expandedName(root.uri, root.name)
    this.content = { kind: 'xml', root }
    this.payload = payload
    this.bytes = bytes
    this.#root = root
  }

  get digest(): string {
    this.#digest ??= digestOf(this.#root)
    return this.#digest
  }
}

function encryptedDocument(root: Element, payload: string, bytes: number): Document {
  const digest = digestOf(root)
  const content = { kind: 'opaque' } as const
  return {
    form: 'element',
    mediaType: ENCRYPTED_MEDIA_TYPE,
    rootName: '',
    datatype: '',
    content,
    payload,
    bytes,
    digest,
  }
}

/** XEP-0432 3: a JSON container with the name of its data type. */
function readJsonMessage(payload: Element, limits: Limits): DocumentParse {
  const json = childNamed(payload, 'json', JSON_CONTAINER)
  if (!json || childElements(payload).length > 1)
    return malformed('json', 'a payload of XEP-0432 holds one <json/> of urn:xmpp:json:0')
  const datatype = attributeOf(payload, 'datatype')
  if (!datatype) return malformed('datatype', 'a payload of XEP-0432 has a datatype')
  return readJson(json, 'json-message', datatype, limits)
}

/** XEP-0335 3: the text of the container is the JSON. */
function readJson(container: Element, form: Form, datatype: string, limits: Limits): DocumentParse {
  if (container.children.some(isElement)) return malformed('json', '<json/> holds text only (XEP-0335 3)')
  const payload = textOf(container)
  const bytes = Buffer.byteLength(payload)
  if (bytes > limits.documentBytes) return { kind: 'rejected', rejection: exceeds('documentBytes', bytes, limits) }
  const parsed = parseJson(payload, limits)
  if (parsed.kind === 'rejected') return parsed
  const mediaType = 'application/json'
  const digest = sha256(payload)
  return {
    kind: 'document',
    document: { form, mediaType, rootName: '', datatype, content: parsed, payload, bytes, digest },
  }
}

function malformed(rule: string, why: string): DocumentParse {
  const message = `Cannot read the JSON: ${why}`
  const rejection = reject('malformed', message, [{ layer: 'json', rule, severity: 'error', path: '', message }])
  return { kind: 'rejected', rejection }
}

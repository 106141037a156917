import { attributeOf, type Element } from '../domain/element.ts'
import {
  FINDINGS_BYTES,
  FINDINGS_SHOWN,
  type Finding,
  type Rejection,
  rejectionConditions,
  type StanzaCondition,
} from '../domain/rejection.ts'
import { escapeAttribute, escapeText, isXmlText } from '../domain/serialise.ts'
import type { Accepted } from '../flow/reply.ts'
import { PUBSUB, RECEIPTS, STANZA_ERRORS, WAYBILL } from './namespaces.ts'

/**
 * Answers as text. Every one goes out `from` the address that was asked and `to` the one that asked, letter by letter as
 * they stood, with the same id (RFC 6120 8.1, 8.2.3); none of them ever repeats the payload.
 */

/** RFC 6120 8.3.3: the conditions that dispatch answers with by itself. */
export const badRequest: StanzaCondition = { type: 'modify', condition: 'bad-request' }
export const featureNotImplemented: StanzaCondition = { type: 'cancel', condition: 'feature-not-implemented' }
export const internalServerError: StanzaCondition = { type: 'cancel', condition: 'internal-server-error' }
export const itemNotFound: StanzaCondition = { type: 'cancel', condition: 'item-not-found' }
export const serviceUnavailable: StanzaCondition = { type: 'cancel', condition: 'service-unavailable' }

const TEXT_LIMIT = 1_000

export function iqResult(request: Element, payload: string): string {
  const open = `<iq type="result"${addresses(request)}`
  return payload === '' ? `${open}/>` : `${open}>${payload}</iq>`
}

/** RFC 6120 8.3.1: an error of the same kind of stanza. `extra` is an application-specific condition, as XML. */
export function errorReply(request: Element, { type, condition }: StanzaCondition, text: string, extra = ''): string {
  const words = text === '' ? '' : `<text xmlns="${STANZA_ERRORS}" xml:lang="en">${escapeText(legible(text))}</text>`
  const error = `<error type="${type}"><${condition} xmlns="${STANZA_ERRORS}"/>${words}${extra}</error>`
  return `<${request.name} type="error"${addresses(request)}>${error}</${request.name}>`
}

/** docs/protocol.md 2. */
export function rejectionReply(request: Element, rejection: Rejection, item: string | undefined): string {
  const { kind, findings, retryAfterSeconds } = rejection
  const retryAfter = retryAfterSeconds === undefined ? '' : ` retry-after="${retryAfterSeconds}"`
  const where = item === undefined || item === '' ? '' : ` item="${escapeAttribute(item)}"`
  const open = `<rejection xmlns="${WAYBILL}" reason="${kind}" findings="${findings.length}"${retryAfter}${where}`
  const shown = findingElements(findings)
  const extra = shown === '' ? `${open}/>` : `${open}>${shown}</rejection>`
  return errorReply(request, rejectionConditions[kind], rejection.text, extra)
}

/** As many as may travel; the first that would be too much ends the list. */
export function findingElements(findings: readonly Finding[]): string {
  let text = ''
  let bytes = 0
  for (const finding of findings.slice(0, FINDINGS_SHOWN)) {
    const one = findingElement(finding)
    bytes += Buffer.byteLength(one)
    if (bytes > FINDINGS_BYTES) break
    text += one
  }
  return text
}

const TEST_LENGTH = 200

/** schemas/finding.schema.json, with the message as text. */
function findingElement({ layer, rule, severity, path, line, column, message, ...more }: Finding): string {
  const place = (line === undefined ? '' : ` line="${line}"`) + (column === undefined ? '' : ` column="${column}"`)
  const names = `layer="${attribute(layer)}" rule="${attribute(rule)}" severity="${severity}" path="${attribute(path)}"`
  const { flag, test, value, see } = more
  const told =
    given('flag', flag) + given('test', test?.slice(0, TEST_LENGTH)) + given('value', value) + given('see', see)
  return `<finding ${names}${place}${told}>${escapeText(legible(message))}</finding>`
}

function given(name: string, value: string | undefined): string {
  return value === undefined ? '' : ` ${name}="${attribute(value)}"`
}

/** docs/protocol.md 1. */
function acceptedElement({ id, type, version, deprecated, duplicate, held, item }: Accepted): string {
  const marks =
    given('version', version) +
    (deprecated === undefined ? '' : ' deprecated="true"') +
    (duplicate ? ' duplicate="true"' : '') +
    (held ? ' state="held"' : '') +
    (item === '' ? '' : ` item="${escapeAttribute(item)}"`)
  const open = `<accepted xmlns="${WAYBILL}" id="${id}" type="${escapeAttribute(type)}"${marks}`
  return deprecated === undefined
    ? `${open}/>`
    : `${open}><notice>${escapeText(legible(deprecated))}</notice></accepted>`
}

export function acceptedElements(accepted: readonly Accepted[]): string {
  let text = ''
  for (const one of accepted) text += acceptedElement(one)
  return text
}

/** XEP-0060 7.1.2, with `<accepted/>` beside `<publish/>`: an item without an id of its own gets the envelope's. */
export function publishResult(request: Element, node: string, accepted: readonly Accepted[]): string {
  const named = accepted.map((one) => (one.item === '' ? { ...one, item: one.id } : one))
  let items = ''
  for (const { item } of named) items += `<item id="${escapeAttribute(item)}"/>`
  const publish = `<publish node="${escapeAttribute(node)}">${items}</publish>`
  return iqResult(request, `<pubsub xmlns="${PUBSUB}">${publish}${acceptedElements(named)}</pubsub>`)
}

/** XEP-0184 5.4: never with a request of its own. */
export function receiptReply(request: Element, id: string, accepted: readonly Accepted[]): string {
  const type = attributeOf(request, 'type') === 'chat' ? ' type="chat"' : ''
  const received = `<received xmlns="${RECEIPTS}" id="${escapeAttribute(id)}"/>`
  const [from, to] = [attributeOf(request, 'to') ?? '', attributeOf(request, 'from') ?? '']
  const head = `<message${type} from="${escapeAttribute(from)}" to="${escapeAttribute(to)}">`
  return `${head}${received}${acceptedElements(accepted)}</message>`
}

/** RFC 6121 3.1.3: nobody is let into a roster that we don't have. */
export function unsubscribedReply(from: string, to: string): string {
  return `<presence type="unsubscribed" from="${escapeAttribute(from)}" to="${escapeAttribute(to)}"/>`
}

function addresses(request: Element): string {
  let id = ''
  let from = ''
  let to = ''
  for (const { name, uri, value } of request.attributes) {
    if (uri !== '') continue
    if (name === 'id') id = ` id="${escapeAttribute(value)}"`
    else if (name === 'from') to = ` to="${escapeAttribute(value)}"`
    else if (name === 'to') from = ` from="${escapeAttribute(value)}"`
  }
  return id + from + to
}

/** A value for an attribute, cut and made legible. */
export const attribute = (text: string): string => escapeAttribute(legible(text))

/** Cut to a fair length; characters that XML can't hold would make the server close the stream. */
export function legible(text: string): string {
  const cut = text.length > TEXT_LIMIT ? `${text.slice(0, TEXT_LIMIT)}…` : text
  return isXmlText(cut) ? cut : cut.replace(/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
}

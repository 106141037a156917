import { compileDocuments } from '../../../dist/documents/documents.js'
import { noLimits } from '../../../dist/documents/limits.js'
import { parseXml } from '../../../dist/documents/xml.js'
import { element } from '../../../dist/domain/element.js'

/** The documents room as intake calls it: from the element tree of a stanza to the verdict. */

const LIMITS = { documentBytes: 10_000_000, depth: 64, attributes: 256 }

/** @param {readonly any[]} types */
export async function openRoom(types) {
  const { documents, problems } = await compileDocuments(types, LIMITS)
  const errors = problems.filter(({ severity }) => severity === 'error')
  if (errors.length > 0) throw new Error(`Cannot compile the types: ${errors[0].message}`)
  return documents
}

/** @typedef {Awaited<ReturnType<typeof openRoom>>} Room */

/**
 * Extract, identify, validate.
 *
 * @param {Room} room
 * @param {any} stanza
 * @returns {boolean} whether the document is valid
 */
export function judge(room, stanza) {
  const extraction = room.extract(stanza)
  if (extraction.kind !== 'submissions') throw new Error(`Cannot judge the stanza: it is ${JSON.stringify(extraction)}`)
  const { document } = extraction.submissions[0]
  const identified = room.identify(document)
  if (identified.kind !== 'type') throw new Error(`Cannot judge the document: it is ${JSON.stringify(identified)}`)
  const { onInvalid } = room.validate(document, identified.type)
  return onInvalid === undefined
}

/** The document as the room makes it from the stanza: what libxml2 is given. @param {Room} room @param {any} stanza */
export function payloadOf(room, stanza) {
  const extraction = room.extract(stanza)
  if (extraction.kind !== 'submissions') throw new Error(`Cannot extract: ${JSON.stringify(extraction)}`)
  return Buffer.from(extraction.submissions[0].document.payload)
}

/**
 * The stanza as the connection hands it over.
 *
 * @param {'xml' | 'json'} carrier
 * @param {string} text
 */
export function stanzaOf(carrier, text) {
  const carried = carrier === 'xml' ? parse(text) : element('json', 'urn:xmpp:json:0', {}, [text])
  const message = element('message', 'jabber:component:accept', {}, [carried])
  return { kind: 'message', element: message, from: 'a@example.test/x', to: 'waybill.example.test', id: '1' }
}

/** @param {string} text */
export function parse(text) {
  const parsed = parseXml(text, noLimits)
  if (parsed.kind !== 'xml') throw new Error(`Cannot parse a document: ${parsed.rejection.text}`)
  return parsed.root
}

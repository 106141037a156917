import type { Content, Document } from '../domain/document.ts'
import { serialise } from '../domain/serialise.ts'
import { decodeXml, isUtf8Xml } from './encoding.ts'
import { freeTree, parseTree, type Report, type Tree } from './libxml2.ts'

/**
 * The one document that libxml2 holds at a time. Validation, fields and routes ask about the same document one after the
 * other, so it is parsed once; the next one takes its place, so that there is nothing to forget and nothing to leak.
 */

export type XmlContent = Extract<Content, { kind: 'xml' }>

interface Current {
  readonly content: XmlContent
  /** As it was sent: lines count, comments are in it. */
  sent: Tree | undefined
  /** Elements, attributes and text only: what XPath sees. The same tree where there is nothing to leave out. */
  matched: Tree | undefined
}

let current: Current | undefined

/** The document as it was sent, for validation; without `tree` where libxml2 finds it malformed, with its report. */
export function sentTree(
  document: Document,
  content: XmlContent,
): { readonly tree: Tree | undefined; readonly report: Report } {
  const slot = slotFor(content)
  if (slot.sent) return { tree: slot.sent, report: { errors: [], total: 0 } }
  const bytes = utf8Of(document.payload)
  const { tree, report } = parseTree(bytes)
  slot.sent = tree
  if (tree && !slot.matched && (document.form === 'element' || holdsOnlyContent(bytes))) slot.matched = tree
  return { tree, report }
}

/** The document without comments and processing instructions, for XPath. */
export function matchedTree(content: XmlContent): Tree {
  const slot = slotFor(content)
  if (slot.matched) return slot.matched
  const { tree } = parseTree(Buffer.from(serialise(content.root)))
  if (!tree) throw new Error('Cannot evaluate an XPath: libxml2 refuses a document that was parsed before')
  slot.matched = tree
  return tree
}

/** Frees what is held. Safe at any time: the next question parses again. */
export function releaseTrees(): void {
  if (!current) return
  const { sent, matched } = current
  if (sent) freeTree(sent)
  if (matched && matched !== sent) freeTree(matched)
  current = undefined
}

function slotFor(content: XmlContent): Current {
  if (current?.content === content) return current
  releaseTrees()
  current = { content, sent: undefined, matched: undefined }
  return current
}

function utf8Of(payload: string | Uint8Array): Uint8Array {
  if (typeof payload === 'string') return encoded(payload)
  if (isUtf8Xml(payload)) return payload
  const decoded = decodeXml(payload)
  return decoded.kind === 'text' ? Buffer.from(decoded.text) : payload
}

/** Memory that one document after the other is encoded into. */
const encoding = Buffer.allocUnsafeSlow(65_536)

function encoded(text: string): Uint8Array {
  // A unit of UTF-16 takes three bytes at most.
  if (3 * text.length > encoding.length) return Buffer.from(text)
  return encoding.subarray(0, encoding.write(text))
}

/** No comment, and no processing instruction behind the XML declaration. In CDATA they only cost a second parse. */
function holdsOnlyContent(bytes: Uint8Array): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return !buffer.includes('<!--') && buffer.lastIndexOf('<?') <= 3
}

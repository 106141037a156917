import { createHash, type Hash, hash } from 'node:crypto'
import type { Attribute, Element } from '../domain/element.ts'
import { allBut, copyPlain } from './plain-text.ts'
import { attributeNameOf, attributeSaid, elementNameOf, elementSaid } from './written-names.ts'

/** SHA-256 in hex of bytes, or of text in UTF-8. */
export function sha256(data: string | Uint8Array): string {
  return hash('sha256', data)
}

/**
 * SHA-256 of what an XML document says, whatever its prefixes, quotes and order of attributes (docs/protocol.md 1.4): expanded names, sorted
 * attributes and text. The separators are characters that XML 1.0 can't contain, so that two documents never
 * read alike. How deep the document is has been measured before.
 */
export function digestOf(root: Element): string {
  const speech: Speech = { bytes: 0, hash: undefined }
  sayElement(speech, root)
  const rest = said.subarray(0, speech.bytes)
  return speech.hash === undefined ? hash('sha256', rest) : speech.hash.update(rest).digest('hex')
}

interface Speech {
  /** How many bytes of {@link said} are in use. */
  bytes: number
  /** Of what was said before that. */
  hash: Hash | undefined
}

/** Long names of namespaces make many times a document of what is said, so it goes to the hash by pieces. */
const said = Buffer.allocUnsafeSlow(65_536)

/** Behind the attributes, and behind the content. */
const CONTENT = 0x05
const END = 0x06

function sayElement(speech: Speech, of: Element): void {
  const name = elementNameOf(of)
  if (name === undefined) say(speech, elementSaid(of))
  else sayBytes(speech, name.said)
  if (of.attributes.length > 0) sayAttributes(speech, of.attributes)
  sayByte(speech, CONTENT)
  const { children } = of
  for (let at = 0; at < children.length; at += 1) {
    const child = children[at]!
    if (typeof child === 'string') say(speech, child)
    else sayElement(speech, child)
  }
  sayByte(speech, END)
}

/** Sorted. Most elements have two at most, for which no list has to be made. */
function sayAttributes(speech: Speech, attributes: readonly Attribute[]): void {
  const [first, second] = attributes
  if (attributes.length === 2 && compare(first!, second!) > 0) {
    sayAttribute(speech, second!)
    sayAttribute(speech, first!)
    return
  }
  for (const attribute of sorted(attributes)) sayAttribute(speech, attribute)
}

function sayAttribute(speech: Speech, attribute: Attribute): void {
  const name = attribute.uri === '' ? attributeNameOf(attribute) : undefined
  if (name === undefined) say(speech, attributeSaid(attribute))
  else sayBytes(speech, name.said)
  say(speech, attribute.value)
}

function sorted(attributes: readonly Attribute[]): readonly Attribute[] {
  for (let at = 1; at < attributes.length; at += 1) {
    if (compare(attributes[at - 1]!, attributes[at]!) > 0) return attributes.toSorted(compare)
  }
  return attributes
}

function compare(one: Attribute, other: Attribute): number {
  return compareTexts(one.uri, other.uri) || compareTexts(one.name, other.name)
}

function compareTexts(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}

// --------------------------------------------------------------------------------------------------------- bytes

const ANY = allBut('')
/** Bytes that a unit of UTF-16 takes at most. */
const UNIT_BYTES = 3

function sayByte(speech: Speech, byte: number): void {
  makeRoom(speech, 1)
  said[speech.bytes] = byte
  speech.bytes += 1
}

/** @param bytes Of a name that is kept: few. */
function sayBytes(speech: Speech, bytes: Uint8Array): void {
  makeRoom(speech, bytes.length)
  said.set(bytes, speech.bytes)
  speech.bytes += bytes.length
}

function say(speech: Speech, text: string): void {
  const { length } = text
  if (UNIT_BYTES * length > said.length) {
    hand(speech).update(text)
    return
  }
  makeRoom(speech, UNIT_BYTES * length)
  if (copyPlain(text, said, speech.bytes, ANY)) speech.bytes += length
  else speech.bytes += said.write(text, speech.bytes)
}

function makeRoom(speech: Speech, bytes: number): void {
  if (speech.bytes + bytes > said.length) hand(speech)
}

/** Hands to the hash what was said so far. */
function hand(speech: Speech): Hash {
  speech.hash ??= createHash('sha256')
  speech.hash.update(said.subarray(0, speech.bytes))
  speech.bytes = 0
  return speech.hash
}

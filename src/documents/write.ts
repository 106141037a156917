import type { Attribute, Element } from '../domain/element.ts'
import type { Rejection } from '../domain/rejection.ts'
import { type Bindings, bindingsOf, escapeAttribute, escapeText, restore, writeStartTag } from '../domain/serialise.ts'
import { exceeds, excessOf, type Limits } from './limits.ts'
import {
  beginOutput,
  endOutput,
  type Output,
  say,
  sayByte,
  sayBytes,
  write,
  writeAndSay,
  writeByte,
  writeBytes,
  writePlainValue,
} from './output.ts'
import { attributeNameOf, attributeSaid, elementNameOf, elementSaid, type WrittenName } from './written-names.ts'

export type Writing =
  | ({ readonly kind: 'written' } & Written)
  | { readonly kind: 'rejected'; readonly rejection: Rejection }

export interface Written {
  /** The element as self-contained XML text, as `serialise` has it. */
  readonly text: string
  /** Of the text in UTF-8. */
  readonly bytes: number
  /**
   * SHA-256 in hex of what the document says, whatever its prefixes, quotes and order of attributes (docs/protocol.md 1.4): expanded names,
   * sorted attributes and text. The separators are characters that XML 1.0 can't contain, so that two documents never
   * read alike.
   */
  readonly digest: string
}

/** A document's text and its digest, or the first of the limits that it oversteps, in one walk. */
export function writeDocument(root: Element, limits: Limits): Writing {
  const walk: Walk = { output: beginOutput(), bound: bindingsOf(), limits, excess: undefined }
  writeElement(walk, root, 1)
  const { excess } = walk
  if (excess !== undefined) return { kind: 'rejected', rejection: excess }
  const written = endOutput(walk.output)
  if (written.bytes <= limits.documentBytes) return { kind: 'written', ...written }
  return { kind: 'rejected', rejection: exceeds('documentBytes', written.bytes, limits) }
}

const QUOTE = 0x22
const SLASH = 0x2f
const GREATER_THAN = 0x3e
/** In what is said, behind the attributes and behind the content. */
const CONTENT = 0x05
const END = 0x06

interface Walk {
  readonly output: Output
  readonly bound: Bindings
  readonly limits: Limits
  /** Where it is set, the walk ends. */
  excess: Rejection | undefined
}

function writeElement(walk: Walk, of: Element, depth: number): void {
  walk.excess ??= excessOf(of, depth, walk.limits)
  if (walk.excess !== undefined) return
  const name = isPlain(walk.bound, of) ? elementNameOf(of) : undefined
  if (name === undefined) writeDeclaring(walk, of, depth)
  else writePlain(walk, of, depth, name)
}

/** Whether names stand as they are: nothing is declared here, and nothing has to be. */
function isPlain(bound: Bindings, { namespaces, prefix, uri, attributes }: Element): boolean {
  if (namespaces !== null || bound.get(prefix) !== uri) return false
  for (const attribute of attributes) if (attribute.uri !== '') return false
  return true
}

function writePlain(walk: Walk, of: Element, depth: number, name: WrittenName): void {
  const { output } = walk
  writeBytes(output, name.start)
  for (const attribute of of.attributes) writeAttribute(output, attribute)
  sayBytes(output, name.said)
  if (writeContent(walk, of, depth)) writeBytes(output, name.end)
}

function writeDeclaring(walk: Walk, of: Element, depth: number): void {
  const { output, bound } = walk
  const { name, text, shadowed } = writeStartTag(bound, of)
  write(output, text)
  say(output, elementSaid(of))
  if (writeContent(walk, of, depth)) write(output, `</${name}>`)
  if (shadowed !== undefined) restore(bound, shadowed)
}

function writeAttribute(output: Output, attribute: Attribute): void {
  const name = attributeNameOf(attribute)
  if (name === undefined) write(output, ` ${attribute.name}="`)
  else writeBytes(output, name.start)
  const { value } = attribute
  if (!writePlainValue(output, value)) write(output, escapeAttribute(value))
  writeByte(output, QUOTE)
}

/** Ends the start tag, with what is within; whether an end tag has to follow. */
function writeContent(walk: Walk, { attributes, children }: Element, depth: number): boolean {
  const { output } = walk
  if (attributes.length > 0) sayAttributes(output, attributes)
  sayByte(output, CONTENT)
  const isEmpty = children.length === 0
  if (isEmpty) writeByte(output, SLASH)
  writeByte(output, GREATER_THAN)
  for (let at = 0; at < children.length; at += 1) {
    const child = children[at]!
    if (typeof child !== 'string') writeElement(walk, child, depth + 1)
    else if (!writeAndSay(output, child)) {
      write(output, escapeText(child))
      say(output, child)
    }
  }
  sayByte(output, END)
  return !isEmpty
}

/** Sorted. Most elements have two at most, for which no list has to be made. */
function sayAttributes(output: Output, attributes: readonly Attribute[]): void {
  const [first, second] = attributes
  if (attributes.length === 2 && compare(first!, second!) > 0) {
    sayAttribute(output, second!)
    sayAttribute(output, first!)
    return
  }
  for (const attribute of sorted(attributes)) sayAttribute(output, attribute)
}

function sayAttribute(output: Output, attribute: Attribute): void {
  const name = attribute.uri === '' ? attributeNameOf(attribute) : undefined
  if (name === undefined) say(output, attributeSaid(attribute))
  else sayBytes(output, name.said)
  say(output, attribute.value)
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

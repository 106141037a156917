import { hash } from 'node:crypto'
import { type Attribute, type Element, isElement } from '../domain/element.ts'

/** SHA-256 in hex of bytes, or of text in UTF-8. */
export function sha256(data: string | Uint8Array): string {
  return hash('sha256', data)
}

/**
 * SHA-256 of what an XML document says, whatever its prefixes, quotes and order of attributes (docs/protocol.md 1.4): expanded names, sorted
 * attributes and text. The separators are characters that XML 1.0 can't contain, so that two documents never
 * read alike.
 */
export function digestOf(root: Element): string {
  return sha256(canonical(root))
}

function canonical(of: Element): string {
  let text = `\u0001${of.uri}\u0002${of.name}`
  for (const { uri, name, value } of sorted(of.attributes)) text += `\u0003${uri}\u0002${name}\u0004${value}`
  text += '\u0005'
  for (const child of of.children) text += isElement(child) ? canonical(child) : child
  return `${text}\u0006`
}

function sorted(attributes: readonly Attribute[]): readonly Attribute[] {
  if (attributes.length < 2) return attributes
  return [...attributes].sort((a, b) => compare(a.uri, b.uri) || compare(a.name, b.name))
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

import type { Element } from '../domain/element.ts'
import { type Finding, type Rejection, type RejectionKind, reject } from '../domain/rejection.ts'

/** What a document may be at most. All of it is checked before a schema or an XPath sees the document. */
export interface DocumentLimits {
  /** Bytes of the document itself: of the text in UTF-8 when in-band, of the decoded bytes when sealed. */
  readonly documentBytes: number
  /** Elements, or JSON arrays and objects, within each other; the root is 1. */
  readonly depth: number
  /** Attributes of one element, namespace declarations included: in-band those too that its root inherits. */
  readonly attributes: number
  /** Characters of one name: of elements and attributes with their prefix, and of JSON keys. 256 where it isn't given. */
  readonly nameLength?: number
}

export type Limits = Required<DocumentLimits>

export function completeLimits(limits: DocumentLimits): Limits {
  return { nameLength: 256, ...limits }
}

/** For what was accepted under the limits of its day and is only read again. */
export const noLimits: Limits = {
  documentBytes: Number.POSITIVE_INFINITY,
  depth: 2_000,
  attributes: Number.POSITIVE_INFINITY,
  nameLength: Number.POSITIVE_INFINITY,
}

/** A limit, how its overstepping is rejected (docs/protocol.md 2), and how people read of it. */
const limitTable = {
  documentBytes: { kind: 'too-large', rule: 'bytes', is: 'bytes' },
  depth: { kind: 'too-deep', rule: 'depth', is: 'levels deep' },
  attributes: { kind: 'too-large', rule: 'attributes', is: 'attributes on one element' },
  nameLength: { kind: 'too-large', rule: 'name-length', is: 'characters in a name' },
} as const satisfies Record<keyof Limits, { kind: RejectionKind; rule: string; is: string }>

export interface Place {
  readonly path?: string
  readonly line?: number
  readonly column?: number
}

/** The rejection for a document that oversteps a limit. `found` may be a lower bound: reading stops at the first excess. */
export function exceeds(limit: keyof Limits, found: number, limits: Limits, place: Place = {}): Rejection {
  const { kind, rule, is } = limitTable[limit]
  const most = limits[limit]
  const excess = limit === 'depth' ? `is deeper than ${most} levels` : `has ${found} ${is}, the limit is ${most}`
  const text = `Cannot take the document: it ${excess}`
  const finding: Finding = { layer: 'limits', rule, severity: 'error', path: '', ...place, message: text }
  return reject(kind, text, [finding])
}

/** What one element of a tree that came in-band oversteps; its children are not looked at, and its declarations are counted as they are written. */
export function excessOf(of: Element, depth: number, limits: Limits): Rejection | undefined {
  if (depth > limits.depth) return exceeds('depth', depth, limits)
  if (of.attributes.length > limits.attributes) return exceeds('attributes', of.attributes.length, limits)
  const longest = longestName(of)
  return longest > limits.nameLength ? exceeds('nameLength', longest, limits) : undefined
}

function longestName({ name, prefix, attributes }: Element): number {
  let longest = qualifiedLength(prefix, name)
  for (const attribute of attributes) {
    const length = qualifiedLength(attribute.prefix, attribute.name)
    if (length > longest) longest = length
  }
  return longest
}

function qualifiedLength(prefix: string, name: string): number {
  return prefix === '' ? name.length : prefix.length + 1 + name.length
}

import { type Element, isElement } from '../domain/element.ts'

/** What documents have from what they stand in: made once for all that stand in the same. */
export interface Inherited {
  /** The default namespace in force. */
  readonly uri: string
  /** Prefixes that are bound, as far as they are a document's; undefined where there are none. */
  readonly prefixes: Prefixes | undefined
}

type Prefixes = Readonly<Record<string, string>>

const NOTHING: Inherited = { uri: '', prefixes: undefined }

/** @param around What documents stand in, outermost first. */
export function inheritedFrom(around: readonly Element[]): Inherited {
  return around.reduce(inheritedIn, NOTHING)
}

/** What is inherited within an element that inherits `outer` itself. */
export function inheritedIn(outer: Inherited, inner: Element): Inherited {
  return { uri: ownDefault(inner) ?? outer.uri, prefixes: withPrefixes(outer.prefixes, inner.namespaces) }
}

/**
 * A document cut out of its stanza: what it inherited is put on it, as far as it is the document's.
 *
 * Prefixes that are bound around it are declared on it, since names in its content may need them. The default namespace around
 * it belongs to the stream or the wrapper and not to the document: elements that have it only because nobody declared
 * another have none.
 */
export function selfContained(root: Element, { uri, prefixes }: Inherited): Element {
  const cleared = withoutDefault(root, uri)
  if (!prefixes) return cleared
  const namespaces = cleared.namespaces === null ? prefixes : Object.assign(copyOf(prefixes), cleared.namespaces)
  return { ...cleared, namespaces }
}

/** The namespace that the element has as a document's root. */
export function rootUri(root: Element, around: readonly Element[]): string {
  return inheritsDefault(root, defaultIn(around)) ? '' : root.uri
}

const STREAMS = 'http://etherx.jabber.org/streams'

/** `outer` itself where nothing is added to it. */
function withPrefixes(outer: Prefixes | undefined, own: Element['namespaces']): Prefixes | undefined {
  let added: Record<string, string> | undefined
  for (const prefix in own) {
    const uri = own[prefix]!
    if (prefix === '' || uri === STREAMS || uri.startsWith('jabber:')) continue
    added ??= copyOf(outer)
    added[prefix] = uri
  }
  return added ?? outer
}

/** A prefix may be called like a member of Object.prototype. */
function copyOf(prefixes: Prefixes | undefined): Record<string, string> {
  return Object.assign(Object.create(null) as Record<string, string>, prefixes)
}

function defaultIn(around: readonly Element[]): string {
  for (const element of around.toReversed()) {
    const uri = ownDefault(element)
    if (uri !== undefined) return uri
  }
  return ''
}

/** The default namespace in force inside the element, where it says so: a declaration's, or that of a name without prefix. */
function ownDefault({ namespaces, prefix, uri }: Element): string | undefined {
  return namespaces?.[''] ?? (prefix === '' ? uri : undefined)
}

function inheritsDefault(element: Element, around: string): boolean {
  return element.prefix === '' && element.uri !== '' && element.uri === around && element.namespaces?.[''] === undefined
}

function withoutDefault(root: Element, around: string): Element {
  return around === '' || !isAffected(root, around) ? root : clear(root, around)
}

/** Whether an element is in the outer default namespace by inheritance; looks no further than a declaration of another. */
function isAffected(element: Element, around: string): boolean {
  if (element.namespaces?.[''] !== undefined) return false
  if (inheritsDefault(element, around)) return true
  return element.children.some((child) => isElement(child) && isAffected(child, around))
}

function clear(element: Element, around: string): Element {
  if (element.namespaces?.[''] !== undefined) return element
  const children = element.children.map((child) => (isElement(child) ? clear(child, around) : child))
  return { ...element, uri: inheritsDefault(element, around) ? '' : element.uri, children }
}

import { type Element, isElement } from '../domain/element.ts'

/**
 * A document cut out of its stanza: what it inherited is put on it, as far as it is the document's.
 *
 * Prefixes that are bound around it are declared on it, since names in its content may need them. The default namespace around
 * it belongs to the stream or the wrapper and not to the document: elements that have it only because nobody declared
 * another have none.
 *
 * @param around What the document stands in, outermost first.
 */
export function selfContained(root: Element, around: readonly Element[]): Element {
  const cleared = withoutDefault(root, defaultIn(around))
  const inherited = prefixesOf(around)
  if (!inherited) return cleared
  return { ...cleared, namespaces: Object.assign(inherited, cleared.namespaces) }
}

/** The namespace that the element has as a document's root. */
export function rootUri(root: Element, around: readonly Element[]): string {
  return inheritsDefault(root, defaultIn(around)) ? '' : root.uri
}

const STREAMS = 'http://etherx.jabber.org/streams'

function prefixesOf(around: readonly Element[]): Record<string, string> | undefined {
  let found: Record<string, string> | undefined
  for (const { namespaces } of around) {
    for (const prefix in namespaces) {
      const uri = namespaces[prefix]!
      if (prefix === '' || uri === STREAMS || uri.startsWith('jabber:')) continue
      // A prefix may be called like a member of Object.prototype.
      found ??= Object.create(null) as Record<string, string>
      found[prefix] = uri
    }
  }
  return found
}

/** The default namespace in force inside the innermost: a declaration's, or that of a name without prefix. */
function defaultIn(around: readonly Element[]): string {
  for (const { namespaces, prefix, uri } of around.toReversed()) {
    const declared = namespaces?.['']
    if (declared !== undefined) return declared
    if (prefix === '') return uri
  }
  return ''
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

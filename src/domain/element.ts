/**
 * The element tree: what the connection parses, what is matched and what is written out again.
 * Plain values, so that a tree can be shared by extraction, matching and serialising without copies.
 */

export interface Attribute {
  readonly name: string
  /** Namespace name; '' for none. */
  readonly uri: string
  readonly prefix: string
  readonly value: string
}

export type Node = Element | string

export interface Element {
  readonly name: string
  /** Namespace name; '' for none. */
  readonly uri: string
  readonly prefix: string
  readonly attributes: readonly Attribute[]
  /** Declarations made on this very element, prefix → namespace name; '' is the default namespace. Null where there are none. */
  readonly namespaces: Readonly<Record<string, string>> | null
  readonly children: readonly Node[]
}

/** `{uri}name`, or `name` alone where there is no namespace (James Clark's notation). */
export function expandedName(uri: string, name: string): string {
  return uri === '' ? name : `{${uri}}${name}`
}

export function element(
  name: string,
  uri: string,
  attributes: Readonly<Record<string, string>> = {},
  children: readonly Node[] = [],
): Element {
  const list = Object.entries(attributes).map(([key, value]) => ({ name: key, uri: '', prefix: '', value }))
  return { name, uri, prefix: '', attributes: list, namespaces: null, children }
}

export function isElement(node: Node): node is Element {
  return typeof node !== 'string'
}

export function childElements(parent: Element): Element[] {
  return parent.children.filter(isElement)
}

export function childNamed(parent: Element, name: string, uri: string): Element | undefined {
  for (const child of parent.children) {
    if (typeof child !== 'string' && child.name === name && child.uri === uri) return child
  }
  return undefined
}

/** The attribute's value, or undefined where it is absent. */
export function attributeOf(of: Element, name: string, uri = ''): string | undefined {
  for (const attribute of of.attributes) {
    if (attribute.name === name && attribute.uri === uri) return attribute.value
  }
  return undefined
}

/** All text below the element, in document order: XPath's string value of an element. Depth does not matter. */
export function textOf(of: Element): string {
  const [only] = of.children
  if (of.children.length === 1 && typeof only === 'string') return only
  let text = ''
  const pending: Node[] = [...of.children].reverse()
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (typeof node === 'string') text += node
    else for (let at = node.children.length - 1; at >= 0; at--) pending.push(node.children[at]!)
  }
  return text
}

import { type Element, isElement, textOf } from '../domain/element.ts'

/** A place in a document as people write it, and what stands there. */
export interface NamedPlace {
  /** `/inv:Invoice/cac:InvoiceLine[2]/cbc:ID`. */
  readonly path: string
  /** From the root to the element; empty where the library's path leads nowhere in the tree. */
  readonly elements: readonly Element[]
}

type Namespaces = Readonly<Record<string, string>>

/**
 * Names places of one document: libxml2's path of a node (`/*[1]/*[2]/cbc:ID[3]`, where default namespaces have no name) with
 * names in the prefixes of the type, or the document's own where the type has none for the namespace. What it learns of
 * siblings is kept, since a bad document has many bad places among them.
 */
export function createPlaceNamer(root: Element, namespaces: Namespaces): (nodePath: string) => NamedPlace {
  const known = new Map<Element | null, Siblings>()
  const childrenOf = (parent: Element | null): Siblings => {
    const siblings = known.get(parent) ?? siblingsOf(parent === null ? [root] : parent.children.filter(isElement))
    known.set(parent, siblings)
    return siblings
  }
  return (nodePath) => {
    const elements: Element[] = []
    let path = ''
    for (const step of parseSteps(nodePath)) {
      const siblings = childrenOf(elements.at(-1) ?? null)
      const element = siblings.fitting(step)[Math.max(0, step.position - 1)]
      if (!element) return { path: nodePath, elements: [] }
      path += `/${nameOf(element, namespaces)}${siblings.positionOf(element)}`
      elements.push(element)
    }
    return { path, elements }
  }
}

/** The attribute's name as it stands in a path. */
export function attributePath(name: string, uri: string, namespaces: Namespaces): string {
  const prefix = uri === '' ? '' : prefixFor(uri, namespaces)
  return `/@${prefix ? `${prefix}:${name}` : name}`
}

/** The value of an element without elements in it; undefined otherwise. */
export function simpleValue(element: Element): string | undefined {
  return element.children.some(isElement) ? undefined : textOf(element)
}

export function prefixFor(uri: string, namespaces: Namespaces): string | undefined {
  for (const prefix in namespaces) if (namespaces[prefix] === uri) return prefix
  return undefined
}

/** The element's name in a path. */
export function nameOf({ name, uri, prefix }: Element, namespaces: Namespaces): string {
  const chosen = uri === '' ? '' : (prefixFor(uri, namespaces) ?? prefix)
  return chosen === '' ? name : `${chosen}:${name}`
}

interface Step {
  /** '*' for an element whose namespace is the default one. */
  readonly name: string
  readonly prefix: string
  /** From 1, among the siblings that the name fits; 0 where it is the only one. */
  readonly position: number
}

function parseSteps(nodePath: string): readonly Step[] {
  return nodePath
    .split('/')
    .filter((text) => text !== '')
    .flatMap((text) => {
      const match = /^(?:([^:[\]]+):)?([^:[\]]+)(?:\[(\d+)\])?$/.exec(text)
      // Attributes and texts are no elements: the place is their parent's.
      if (!match || text.startsWith('@') || match[2]!.endsWith(')')) return []
      return [{ prefix: match[1] ?? '', name: match[2]!, position: Number(match[3] ?? 0) }]
    })
}

interface Siblings {
  fitting(step: Step): readonly Element[]
  /** `[2]` among siblings of the same expanded name; '' where it is the only one. */
  positionOf(element: Element): string
}

function siblingsOf(elements: readonly Element[]): Siblings {
  // Elements in a default namespace are found by their position only.
  const named = elements.filter(({ prefix, uri }) => prefix !== '' || uri === '')
  const written = groupedBy(named, ({ prefix, name }) => `${prefix}:${name}`)
  const alike = groupedBy(elements, expanded)
  const positions = new Map<Element, number>()
  for (const group of alike.values()) for (const [at, element] of group.entries()) positions.set(element, at + 1)
  return {
    fitting: ({ name, prefix }) => (name === '*' ? elements : (written.get(`${prefix}:${name}`) ?? [])),
    positionOf: (element) => (alike.get(expanded(element))!.length < 2 ? '' : `[${positions.get(element)}]`),
  }
}

function expanded({ uri, name }: Element): string {
  return `${uri} ${name}`
}

function groupedBy(elements: readonly Element[], key: (element: Element) => string): Map<string, Element[]> {
  const groups = new Map<string, Element[]>()
  for (const element of elements) {
    const group = groups.get(key(element))
    if (group) group.push(element)
    else groups.set(key(element), [element])
  }
  return groups
}

import { type Element, isElement, textOf } from '../domain/element.ts'

/** A place in a document as people write it, and what stands there. */
export interface NamedPlace {
  /** `/inv:Invoice/cac:InvoiceLine[2]/cbc:ID`. */
  readonly path: string
  /** The element; undefined where the library's path leads nowhere in the tree. */
  readonly element: Element | undefined
}

type Namespaces = Readonly<Record<string, string>>

interface Step {
  /** '*' for an element whose namespace is the default one. */
  readonly name: string
  readonly prefix: string
  /** From 1, among the siblings that the name fits; 0 where it is the only one. */
  readonly position: number
}

/**
 * libxml2's path of a node (`/*[1]/*[2]/cbc:ID[3]`: default namespaces have no name there) with names in the prefixes of the
 * type, or the document's own where the type has none for the namespace.
 */
export function namePath(nodePath: string, root: Element, namespaces: Namespaces): NamedPlace {
  const steps = parseSteps(nodePath)
  if (steps.length === 0) return { path: '', element: undefined }
  let siblings: readonly Element[] = [root]
  let path = ''
  let element: Element | undefined
  for (const step of steps) {
    const fitting = siblings.filter((sibling) => fits(sibling, step))
    element = fitting[Math.max(0, step.position - 1)]
    if (!element) return { path: nodePath, element: undefined }
    path += `/${nameOf(element, namespaces)}${positionOf(element, siblings)}`
    siblings = element.children.filter(isElement)
  }
  return { path, element }
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

function fits({ name, prefix }: Element, step: Step): boolean {
  return step.name === '*' || (name === step.name && prefix === step.prefix)
}

function nameOf({ name, uri, prefix }: Element, namespaces: Namespaces): string {
  const chosen = uri === '' ? '' : (prefixFor(uri, namespaces) ?? prefix)
  return chosen === '' ? name : `${chosen}:${name}`
}

function positionOf(element: Element, siblings: readonly Element[]): string {
  const alike = siblings.filter((sibling) => sibling.name === element.name && sibling.uri === element.uri)
  return alike.length < 2 ? '' : `[${alike.indexOf(element) + 1}]`
}

import { expandedName } from '../../domain/element.ts'
import type { Name } from '../xsd/components.ts'
import type { SchemaNode } from '../xsd/schema-document.ts'

/** Names that are not listed: all, or all of a namespace. What is excepted from them is left aside. */
export type NameClass = { readonly kind: 'any' } | { readonly kind: 'namespace'; readonly ns: string }

/** The names that an `element` or `attribute` pattern is for (RELAX NG, 4.8 and 5). */
export function nameClassOf(
  node: SchemaNode,
  ns: string,
): { readonly names: readonly Name[]; readonly rest: readonly NameClass[] } {
  const written = node.attributes.get('name')
  if (written !== undefined) return { names: [nameIn(written, ns, node)], rest: [] }
  const [first] = node.children
  const names: Name[] = []
  const rest: NameClass[] = []
  const visit = (one: SchemaNode, outer: string): void => {
    const own = one.attributes.get('ns') ?? outer
    switch (one.name) {
      case 'name':
        names.push(nameIn(one.text, own, one))
        return
      case 'anyName':
        rest.push({ kind: 'any' })
        return
      case 'nsName':
        rest.push({ kind: 'namespace', ns: own })
        return
      default:
        for (const child of one.children) visit(child, own)
    }
  }
  if (first) visit(first, ns)
  return { names, rest }
}

function nameIn(written: string, ns: string, node: SchemaNode): Name {
  const text = written.trim()
  const colon = text.indexOf(':')
  if (colon < 0) return expandedName(ns, text)
  return expandedName(node.namespaceOf(text.slice(0, colon)) ?? '', text.slice(colon + 1))
}

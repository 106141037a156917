import type { SchemaNode } from './schema-document.ts'
import type { Defined } from './symbols.ts'
import { resolveName } from './symbols.ts'

const CONSTRAINTS: ReadonlySet<string> = new Set(['key', 'unique', 'keyref'])

/** The identity constraints of an element (XML Schema 1, 3.11), each as one text. */
export function identitiesOf(defined: Defined): readonly string[] {
  const { node, document } = defined
  return node.children
    .filter(({ name }) => CONSTRAINTS.has(name))
    .map((child) => {
      const refer = child.attributes.get('refer')
      const paths = child.children.flatMap((one) => pathOf(one))
      const to = refer === undefined ? '' : resolveName(refer, { node: child, document })
      return [child.name, child.attributes.get('name') ?? '', to, ...paths].join(' ')
    })
}

function pathOf(node: SchemaNode): readonly string[] {
  const path = node.attributes.get('xpath')
  if (path === undefined) return []
  // A name without prefix is in no namespace there.
  const expanded = path.replace(/([\w.-]+):(?!:)/g, (_, prefix: string) => `{${node.namespaceOf(prefix) ?? ''}}`)
  return [`${node.name}(${expanded.replace(/\s+/g, '')})`]
}

import { SaxesParser, type SaxesTagNS } from 'saxes'

/** One element of a schema's own text. */
export interface SchemaNode {
  readonly name: string
  readonly uri: string
  /** Attributes without namespace. */
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly SchemaNode[]
  /** The text that stands directly in it. */
  readonly text: string
  readonly line: number
  /** The namespace that a prefix is bound to here; '' is the default namespace. */
  readonly namespaceOf: (prefix: string) => string | undefined
}

const ENTITIES_AT_MOST = 100

/**
 * Reads the text of a schema file that libxml2 has found well-formed. Undefined where this parser doesn't take it all the same:
 * entities that make elements, say.
 */
export function readSchemaDocument(text: string): SchemaNode | undefined {
  const parser = new SaxesParser({ xmlns: true, position: true })
  for (const [name, value] of internalEntities(text)) parser.ENTITIES[name] = value
  let root: SchemaNode | undefined
  let failed = false
  const open: OpenNode[] = []
  parser.on('error', () => {
    failed = true
  })
  parser.on('opentag', (tag) => {
    const node = nodeOf(tag, parser.line, open.at(-1))
    open.at(-1)?.children.push(node)
    root ??= node
    open.push(node)
  })
  const addText = (text: string) => {
    const parent = open.at(-1)
    if (parent) parent.text += text
  }
  parser.on('text', addText)
  parser.on('cdata', addText)
  parser.on('closetag', () => {
    open.pop()
  })
  parser.write(text).close()
  return failed ? undefined : root
}

interface OpenNode extends SchemaNode {
  readonly children: SchemaNode[]
  text: string
}

function nodeOf(tag: SaxesTagNS, line: number, parent: SchemaNode | undefined): OpenNode {
  const attributes = new Map<string, string>()
  for (const { prefix, local, uri, value } of Object.values(tag.attributes)) {
    if (uri === '' && prefix === '') attributes.set(local, value)
  }
  const { ns: own } = tag
  const namespaceOf = (prefix: string): string | undefined => {
    if (Object.hasOwn(own, prefix)) return own[prefix]
    return parent ? parent.namespaceOf(prefix) : builtInPrefix(prefix)
  }
  return { name: tag.local, uri: tag.uri, attributes, children: [], text: '', line, namespaceOf }
}

function builtInPrefix(prefix: string): string | undefined {
  return prefix === 'xml' ? 'http://www.w3.org/XML/1998/namespace' : undefined
}

/** Text entities of the internal subset; what has others in it is left out, and fails where it is used. */
function internalEntities(text: string): readonly (readonly [string, string])[] {
  const start = text.indexOf('<!DOCTYPE')
  if (start < 0) return []
  const subset = text.slice(start, text.indexOf(']', start) + 1)
  return [...subset.matchAll(/<!ENTITY\s+([\w.-]+)\s+(?:"([^"<&%]*)"|'([^'<&%]*)')\s*>/g)]
    .slice(0, ENTITIES_AT_MOST)
    .map(([, name, double, single]) => [name!, double ?? single ?? ''])
}

/** A value of xs:boolean. */
export function isTrue(text: string | undefined): boolean {
  return text?.trim() === 'true' || text?.trim() === '1'
}

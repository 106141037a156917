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
 * Reads the text of a schema file that libxml2 has found well-formed. Undefined where this parser might read something else than
 * libxml2 all the same: for a DOCTYPE that declares more than plain texts, say.
 */
export function readSchemaDocument(text: string): SchemaNode | undefined {
  const parser = new SaxesParser({ xmlns: true, position: true, defaultXMLVersion: '1.0', forceXMLVersion: true })
  let root: SchemaNode | undefined
  let failed = false
  const open: OpenNode[] = []
  parser.on('error', () => {
    failed = true
  })
  let prefixes: Declarations['prefixes'] = new Map()
  parser.on('doctype', (doctype) => {
    const declared = declarationsOf(doctype)
    failed ||= declared === undefined
    prefixes = declared?.prefixes ?? prefixes
    for (const [name, value] of declared?.entities ?? []) parser.ENTITIES[name] = value
  })
  parser.on('opentag', (tag) => {
    const node = nodeOf(tag, parser.line, open.at(-1))
    open.at(-1)?.children.push(node)
    // What it has by default is not seen here: it has to say so itself.
    if (!root) failed ||= [...prefixes].some(([prefix, uri]) => node.namespaceOf(prefix) !== uri)
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

interface Declarations {
  readonly entities: ReadonlyMap<string, string>
  /** Prefixes that the root has by default, with their namespaces. */
  readonly prefixes: ReadonlyMap<string, string>
}

const TEXT = /(?:"([^"<&%\t\n\r]*)"|'([^'<&%\t\n\r]*)')/.source
const NAME = /([A-Za-z_][\w.-]*)/.source
const ENTITY = new RegExp(`<!ENTITY\\s+${NAME}\\s+${TEXT}\\s*>`, 'g')
const PREFIX = new RegExp(`<!ATTLIST\\s+[\\w:.-]+\\s+xmlns:${NAME}\\s+CDATA\\s+#FIXED\\s+${TEXT}\\s*>`, 'g')
/** For the declarations themselves; here none refers to one. */
const PARAMETER = new RegExp(`<!ENTITY\\s+%\\s+${NAME}\\s+${TEXT}\\s*>`, 'g')
const BUILT_IN_ENTITIES: ReadonlySet<string> = new Set(['lt', 'gt', 'amp', 'quot', 'apos'])

/**
 * What a DOCTYPE declares. Undefined where there is anything besides plain texts and prefixes, each under a name of its own: of two the
 * first would count, and attributes that are declared may have defaults, and other white space.
 */
function declarationsOf(doctype: string): Declarations | undefined {
  const [, subset = ''] = /^[^[\]"']*(?:\[([\s\S]*)\]\s*)?$/.exec(doctype) ?? [undefined, '?']
  if (subset.replace(ENTITY, '').replace(PREFIX, '').replace(PARAMETER, '').trim() !== '') return undefined
  const entities = namedIn(subset, ENTITY)
  const prefixes = namedIn(subset, PREFIX)
  if (!entities || !prefixes || entities.size > ENTITIES_AT_MOST) return undefined
  return [...entities.keys()].some((name) => BUILT_IN_ENTITIES.has(name)) ? undefined : { entities, prefixes }
}

function namedIn(subset: string, declaration: RegExp): ReadonlyMap<string, string> | undefined {
  const found = [...subset.matchAll(declaration)]
  const named = new Map(found.map(([, name, double, single]) => [name!, double ?? single ?? '']))
  return named.size === found.length ? named : undefined
}

/** A value of xs:boolean. */
export function isTrue(text: string | undefined): boolean {
  return text?.trim() === 'true' || text?.trim() === '1'
}

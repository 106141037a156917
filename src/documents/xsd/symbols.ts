import { posix } from 'node:path'
import { expandedName } from '../../domain/element.ts'
import { BUNDLE, type SchemaFiles } from '../schema-files.ts'
import { XSD_NAMESPACE } from './built-in-types.ts'
import type { Name } from './components.ts'
import { readSchemaDocument, type SchemaNode } from './schema-document.ts'

/** One file, read for one namespace. */
export interface SchemaDocument {
  /** Path in the schema's folder. */
  readonly path: string
  readonly root: SchemaNode
  readonly targetNamespace: string
}

/** A declaration or definition with the file it stands in. */
export interface Defined {
  readonly node: SchemaNode
  readonly document: SchemaDocument
}

/** Everything that stands at the top of the files of a schema, by expanded name. */
export interface Symbols {
  /** Of the first file; '' for none. */
  targetNamespace: string
  readonly elements: Map<Name, Defined>
  readonly attributes: Map<Name, Defined>
  readonly types: Map<Name, Defined>
  readonly groups: Map<Name, Defined>
  readonly attributeGroups: Map<Name, Defined>
  /** Redefined: what they are now isn't followed. */
  readonly redefined: Set<Name>
  readonly unknownNamespaces: Set<string>
  /** Somewhere `block` or `blockDefault` says something. */
  blocks: boolean
  /** A name is defined in two places, or a namespace imported from two. */
  ambiguous: boolean
  /** The first place that each namespace is imported from. */
  readonly importedFrom: Map<string, string>
}

/** Gathers the symbols of the first file and of all that it includes and imports. */
export function gatherSymbols({ files, url }: Pick<SchemaFiles, 'files' | 'url'>): Symbols {
  const symbols: Symbols = {
    targetNamespace: '',
    elements: new Map(),
    attributes: new Map(),
    types: new Map(),
    groups: new Map(),
    attributeGroups: new Map(),
    redefined: new Set(),
    unknownNamespaces: new Set(),
    blocks: false,
    ambiguous: false,
    importedFrom: new Map(),
  }
  const roots = new Map<string, SchemaNode | undefined>()
  const seen = new Set<string>()
  const pending: Wanted[] = [{ path: decodeURI(url).slice(BUNDLE.length), namespace: undefined }]
  for (let wanted = pending.pop(); wanted; wanted = pending.pop()) {
    if (!roots.has(wanted.path)) roots.set(wanted.path, rootOf(files, wanted.path))
    const root = roots.get(wanted.path)
    if (!root) {
      symbols.unknownNamespaces.add(wanted.namespace ?? '')
      continue
    }
    // A file without namespace takes that of the file which includes it (XML Schema 1, 4.2.1).
    const targetNamespace = root.attributes.get('targetNamespace') ?? wanted.namespace ?? ''
    if (seen.size === 0) symbols.targetNamespace = targetNamespace
    const key = `${wanted.path} ${targetNamespace}`
    if (seen.has(key)) continue
    seen.add(key)
    symbols.blocks ||= hasBlock(root)
    const document: SchemaDocument = { path: wanted.path, root, targetNamespace }
    pending.push(...takeIn(document, symbols))
  }
  return symbols
}

function hasBlock({ attributes, children }: SchemaNode): boolean {
  const said = attributes.get('block') ?? attributes.get('blockDefault') ?? ''
  return said.trim() !== '' || children.some(hasBlock)
}

/** A file to be read; `namespace` is what a file without its own takes, or what an import says. */
interface Wanted {
  readonly path: string
  readonly namespace: string | undefined
}

function rootOf(files: SchemaFiles['files'], path: string): SchemaNode | undefined {
  const bytes = files.get(BUNDLE + path)
  if (!bytes) return undefined
  const root = readSchemaDocument(new TextDecoder().decode(bytes))
  return root?.uri === XSD_NAMESPACE && root.name === 'schema' ? root : undefined
}

const TABLES = {
  element: 'elements',
  attribute: 'attributes',
  simpleType: 'types',
  complexType: 'types',
  group: 'groups',
  attributeGroup: 'attributeGroups',
} as const

/** Notes the symbols of one file, and gives the files that it names. */
function takeIn(document: SchemaDocument, symbols: Symbols): readonly Wanted[] {
  const { root, targetNamespace } = document
  const wanted: Wanted[] = []
  for (const node of root.children) {
    if (node.uri !== XSD_NAMESPACE) continue
    switch (node.name) {
      case 'include':
        wanted.push(...wantedBy(node, document, targetNamespace))
        break
      case 'redefine':
        wanted.push(...wantedBy(node, document, targetNamespace))
        for (const child of node.children) {
          const name = child.attributes.get('name')
          if (name !== undefined) symbols.redefined.add(expandedName(targetNamespace, name))
        }
        break
      case 'import':
        wanted.push(...imported(node, document, symbols))
        break
      default:
        note(node, document, symbols)
    }
  }
  return wanted
}

function imported(node: SchemaNode, document: SchemaDocument, symbols: Symbols): readonly Wanted[] {
  const namespace = node.attributes.get('namespace') ?? ''
  const found = wantedBy(node, document, namespace)
  // An import without a place leaves it to whoever validates to find the namespace.
  if (found.length === 0) symbols.unknownNamespaces.add(namespace)
  for (const { path } of found) {
    const first = symbols.importedFrom.get(namespace)
    if (first === undefined) symbols.importedFrom.set(namespace, path)
    symbols.ambiguous ||= first !== undefined && first !== path
  }
  return found
}

function wantedBy(node: SchemaNode, { path }: SchemaDocument, namespace: string): readonly Wanted[] {
  const location = node.attributes.get('schemaLocation')?.trim()
  if (location === undefined) return []
  return [{ path: posix.normalize(posix.join(posix.dirname(path), decoded(location))), namespace }]
}

function decoded(location: string): string {
  try {
    return decodeURIComponent(location)
  } catch {
    return location
  }
}

function note(node: SchemaNode, document: SchemaDocument, symbols: Symbols): void {
  const table = Object.hasOwn(TABLES, node.name) ? TABLES[node.name as keyof typeof TABLES] : undefined
  const name = node.attributes.get('name')
  if (table === undefined || name === undefined) return
  const expanded = expandedName(document.targetNamespace, name)
  symbols.ambiguous ||= symbols[table].has(expanded)
  if (!symbols[table].has(expanded)) symbols[table].set(expanded, { node, document })
}

/** The expanded name that a QName in an attribute stands for. */
export function resolveName(qualified: string, { node, document }: Defined): Name {
  const text = qualified.trim()
  const colon = text.indexOf(':')
  const prefix = colon < 0 ? '' : text.slice(0, colon)
  const bound = node.namespaceOf(prefix) ?? ''
  const isChameleon = document.root.attributes.get('targetNamespace') === undefined
  return expandedName(
    bound === '' && prefix === '' && isChameleon ? document.targetNamespace : bound,
    text.slice(colon + 1),
  )
}

/** `path:line` of a node. */
export function placeOf({ node, document }: Defined): string {
  return `${document.path}:${node.line}`
}

export function namespaceOfName(name: Name): string {
  return name.startsWith('{') ? name.slice(1, name.indexOf('}')) : ''
}

export function localNameOf(name: Name): string {
  return name.slice(name.indexOf('}') + 1)
}

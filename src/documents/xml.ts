import { SaxesParser, type SaxesTagNS } from 'saxes'
import type { Attribute, Element, Node } from '../domain/element.ts'
import { type Finding, type Rejection, type RejectionKind, reject } from '../domain/rejection.ts'
import { shared } from '../domain/shared-text.ts'
import { exceeds, type Limits } from './limits.ts'
import { readPlainXml } from './plain-xml.ts'
import { shown } from './shown.ts'

export type XmlParse =
  | { readonly kind: 'xml'; readonly root: Element }
  | { readonly kind: 'rejected'; readonly rejection: Rejection }

/**
 * Parses a whole XML document strictly (XML 1.0, Namespaces in XML 1.0) into an element tree: elements, attributes and text.
 * Comments and processing instructions are left out, and what stands on both sides of them becomes one text. A
 * DOCTYPE is refused unread, so that there are no entities but the five of XML. Limits on depth, attributes and names
 * end the parse where they are overstepped; the size is the caller's to check.
 *
 * @param places Takes in where each element's tag begins.
 */
export function parseXml(text: string, limits: Limits, places?: Places): XmlParse {
  const plain = places ? undefined : readPlainXml(text, limits)
  return plain ? { kind: 'xml', root: plain } : parseBySaxes(text, limits, places)
}

/** As {@link parseXml}, but always by saxes: the measure that the shorter way is compared with. */
export function parseBySaxes(text: string, limits: Limits, places?: Places): XmlParse {
  try {
    return { kind: 'xml', root: parseStrictly(text, limits, places) }
  } catch (error) {
    if (error instanceof Refused) return { kind: 'rejected', rejection: error.rejection }
    throw error
  }
}

/** Lines and columns count from 1. */
export type Places = Map<Element, { readonly line: number; readonly column: number }>

/** Leaves the parser's callbacks; never leaves this file. */
class Refused extends Error {
  readonly rejection: Rejection
  constructor(rejection: Rejection) {
    super(rejection.text)
    this.rejection = rejection
  }
}

type Parser = SaxesParser<{ xmlns: true }>

interface OpenElement extends Element {
  readonly children: Node[]
}

function parseStrictly(text: string, limits: Limits, places: Places | undefined): Element {
  const parser: Parser = new SaxesParser({ xmlns: true, defaultXMLVersion: '1.0', forceXMLVersion: true })
  const tree = buildTree(parser, places)
  refuseWhatIsForbidden(parser)
  enforce(parser, limits, tree)
  parser.write(text).close()
  // Without a root the parser has reported an error before.
  return tree.root()!
}

interface Tree {
  root(): Element | undefined
  depth(): number
  /** A tag begins: its name has just been read. */
  begin(name: string): void
}

function buildTree(parser: Parser, places: Places | undefined): Tree {
  let root: OpenElement | undefined
  let place = { line: 1, column: 1 }
  const open: OpenElement[] = []
  const addText = (text: string): void => {
    const parent = open.at(-1)
    if (!parent || text === '') return
    const last = parent.children.length - 1
    if (typeof parent.children[last] === 'string') parent.children[last] += text
    else parent.children.push(text)
  }
  parser.on('opentag', (tag) => {
    const element = elementOf(tag)
    places?.set(element, place)
    open.at(-1)?.children.push(element)
    root ??= element
    open.push(element)
  })
  parser.on('closetag', () => {
    open.pop()
  })
  parser.on('text', addText)
  parser.on('cdata', addText)
  return {
    root: () => root,
    depth: () => open.length,
    begin(name) {
      // One character behind the name has been read, and `<` stands before it.
      if (places) place = { line: parser.line, column: Math.max(1, parser.column - name.length - 1) }
    },
  }
}

function elementOf(tag: SaxesTagNS): OpenElement {
  const attributes: Attribute[] = []
  let namespaces: Record<string, string> | null = null
  for (const key in tag.attributes) {
    const { local, prefix, uri, value } = tag.attributes[key]!
    const declared = declaredPrefix(prefix, local)
    if (declared === undefined) {
      attributes.push({ name: shared(local), uri: shared(uri), prefix: shared(prefix), value })
      continue
    }
    // A prefix may be called like a member of Object.prototype.
    namespaces ??= Object.create(null) as Record<string, string>
    namespaces[declared] = shared(value)
  }
  return {
    name: shared(tag.local),
    uri: shared(tag.uri),
    prefix: shared(tag.prefix),
    attributes,
    namespaces,
    children: [],
  }
}

function declaredPrefix(prefix: string, local: string): string | undefined {
  if (prefix === 'xmlns') return local
  return prefix === '' && local === 'xmlns' ? '' : undefined
}

function refuseWhatIsForbidden(parser: Parser): void {
  parser.on('error', (error) => {
    // `line:column: text.`, where the text quotes names at most.
    const message = shown(error.message.replace(/^\d+:\d+: /, '').replace(/\.$/, ''), 200)
    throw refuse(parser, 'malformed', 'well-formed', `Cannot read the XML: ${message}`)
  })
  parser.on('doctype', () => {
    throw refuse(parser, 'forbidden-xml', 'doctype', 'Cannot take the document: a DOCTYPE is not allowed in it')
  })
  parser.on('xmldecl', ({ version }) => {
    if (version === undefined || version === '1.0') return
    throw refuse(parser, 'malformed', 'version', `Cannot read the XML: its version is ${shown(version, 20)}, not 1.0`)
  })
}

function refuse(parser: Parser, kind: RejectionKind, rule: string, message: string): Refused {
  const { line, column } = parser
  const finding: Finding = { layer: 'xml', rule, severity: 'error', path: '', line, column, message }
  return new Refused(reject(kind, `${message} (line ${line}, column ${column})`, [finding]))
}

function enforce(parser: Parser, limits: Limits, tree: Tree): void {
  let attributes = 0
  const stop = (limit: keyof Limits, found: number): never => {
    throw new Refused(exceeds(limit, found, limits, { line: parser.line, column: parser.column }))
  }
  parser.on('opentagstart', ({ name }) => {
    attributes = 0
    tree.begin(name)
    if (tree.depth() >= limits.depth) stop('depth', tree.depth() + 1)
    if (name.length > limits.nameLength) stop('nameLength', name.length)
  })
  parser.on('attribute', ({ name }) => {
    attributes += 1
    if (attributes > limits.attributes) stop('attributes', attributes)
    if (name.length > limits.nameLength) stop('nameLength', name.length)
  })
}

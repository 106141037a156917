/**
 * libxml2, and nothing of Waybill: this file and `libxml2-schemas.ts` alone know libxml2-wasm. They call the functions under the package's
 * classes, for three things that the classes don't give: error codes, an end to the collecting of errors, and memory that is
 * freed at once instead of by the garbage collector. Everything here is synchronous and must be freed by its caller.
 */
import { ParseOption, xmlRegisterInputProvider } from 'libxml2-wasm'
import {
  addFunction,
  XmlErrorStruct,
  XmlNodeSetStruct,
  XmlNodeStruct,
  XmlTreeCommonStruct,
  XmlXPathObjectStruct,
  xmlCtxtSetErrorHandler,
  xmlFreeDoc,
  xmlFreeParserCtxt,
  xmlGetNodePath,
  xmlNewParserCtxt,
  xmlNodeGetContent,
  xmlReadMemory,
  xmlXPathCompiledEval,
  xmlXPathCtxtCompile,
  xmlXPathFreeCompExpr,
  xmlXPathFreeContext,
  xmlXPathFreeObject,
  xmlXPathNewContext,
  xmlXPathRegisterNs,
  xmlXPathSetContextNode,
} from 'libxml2-wasm/lib/libxml2.mjs'

declare module 'libxml2-wasm/lib/libxml2.mjs' {
  /** Emscripten's: makes a function of ours callable from the library. Exported by the package, left out of its types. */
  export function addFunction(callback: (context: number, error: number) => void, signature: 'vii'): number
}

// ------------------------------------------------------------------------------------------------------- errors

export interface LibraryError {
  readonly code: number
  readonly message: string
  readonly warning: boolean
  /** '' where the library names none. */
  readonly file: string
  /** 0 where there is none. */
  readonly line: number
  readonly column: number
  /** As libxml2 writes it: `/*[1]/*[2]/cbc:ID`; '' where there is none. */
  readonly nodePath: string
}

export interface Report {
  /** The first {@link ERRORS_KEPT}. */
  readonly errors: readonly LibraryError[]
  readonly total: number
}

/** Finding the path of a node costs time for each of its siblings, so not every error of a bad document gets one. */
export const ERRORS_KEPT = 1_000

let collected: LibraryError[] = []
let total = 0

/** The library is to tell its errors to it. */
export const collector = addFunction((_context: number, error: number) => {
  total += 1
  if (collected.length < ERRORS_KEPT) collected.push(readError(error))
}, 'vii')

function readError(error: number): LibraryError {
  return {
    code: errorCode(error),
    message: XmlErrorStruct.message(error),
    warning: XmlErrorStruct.level(error) === 1,
    file: XmlErrorStruct.file(error) ?? '',
    line: Math.max(0, XmlErrorStruct.line(error)),
    column: XmlErrorStruct.col(error),
    nodePath: xmlGetNodePath(XmlErrorStruct.node(error)) ?? '',
  }
}

/** `struct xmlError { int domain; int code; char *message; … }`: the package reads all of it but the code. */
function errorCode(error: number): number {
  return firstInt32(error + 4)
}

const firstInt32: (pointer: number) => number = XmlNodeSetStruct.nodeCount

/** What the library tells while it runs. */
export function collecting<T>(run: () => T): { readonly result: T; readonly report: Report } {
  collected = []
  total = 0
  const result = run()
  const report = { errors: collected, total }
  collected = []
  return { result, report }
}

// -------------------------------------------------------------------------------------------------------- files

/** What schemas may include, by the name under which libxml2 asks for it; everything else doesn't exist. */
let readable: ReadonlyMap<string, Uint8Array> = new Map()

/** Lets the library read the files, by name, and no others, while it runs. */
export function withFiles<T>(files: ReadonlyMap<string, Uint8Array>, run: () => T): T {
  readable = files
  try {
    return run()
  } finally {
    readable = new Map()
  }
}

const opened = new Map<number, { readonly bytes: Uint8Array; at: number }>()
let lastHandle = 0

// Asked before the library's own ways to files: nothing else is ever opened.
xmlRegisterInputProvider({
  match: () => true,
  open(name) {
    // The library decodes some parts of the names that it puts together, and others not.
    const bytes = readable.get(name) ?? readable.get(decoded(name))
    if (!bytes) return undefined
    lastHandle += 1
    opened.set(lastHandle, { bytes, at: 0 })
    return lastHandle
  },
  read(handle, buffer) {
    const file = opened.get(handle)
    if (!file) return -1
    const part = file.bytes.subarray(file.at, file.at + buffer.byteLength)
    buffer.set(part)
    file.at += part.length
    return part.length
  },
  close: (handle) => opened.delete(handle),
})

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

// -------------------------------------------------------------------------------------------------------- trees

/** A document in libxml2's memory. */
export interface Tree {
  readonly document: number
  /** XPath's context, made when it is first asked for. */
  context: number
}

const DOCUMENT_OPTIONS =
  ParseOption.XML_PARSE_NONET |
  ParseOption.XML_PARSE_NO_XXE |
  ParseOption.XML_PARSE_NO_SYS_CATALOG |
  ParseOption.XML_PARSE_BIG_LINES |
  // XPath knows no CDATA: it is text, and one with the text beside it (XPath 1.0, 5.7).
  ParseOption.XML_PARSE_NOCDATA

/** Of documents, not of schemas. */
const INSTANCE_OPTIONS =
  // Documents have been measured before: the library's own limit of depth, 256, would only be another answer.
  ParseOption.XML_PARSE_HUGE |
  // Short texts stand in their node, which saves a tenth of the time; such a tree may only be read, and a schema's is rewritten when it is compiled.
  ParseOption.XML_PARSE_COMPACT

export interface ParseTreeOptions {
  /** Entities declared in the document itself are put in; their expansion is bounded by the library. */
  readonly entities?: boolean
  readonly url?: string
}

/** Parses bytes in UTF-8, whatever the XML declaration says; without `tree` where they are no XML. */
export function parseTree(
  bytes: Uint8Array,
  { entities = false, url }: ParseTreeOptions = {},
): { readonly tree: Tree | undefined; readonly report: Report } {
  const parser = entities ? newParser() : instanceParser(bytes.length)
  const options = DOCUMENT_OPTIONS | (entities ? ParseOption.XML_PARSE_NOENT : INSTANCE_OPTIONS)
  const { result: document, report } = collecting(() => xmlReadMemory(parser, bytes, url ?? null, 'UTF-8', options))
  if (entities) xmlFreeParserCtxt(parser)
  else if (report.total > 0) forgetInstanceParser()
  return { tree: document === 0 ? undefined : { document, context: 0 }, report }
}

function newParser(): number {
  const parser = xmlNewParserCtxt()
  xmlCtxtSetErrorHandler(parser, collector, 0)
  return parser
}

/**
 * Documents share a parser, and through it the names that they repeat. It has to go before ever new names fill the memory, and
 * where something was wrong: nothing of a bad document is to touch the next.
 */
const SHARED_BY_BYTES = 1_048_576
let shared = { parser: 0, bytes: 0 }

function instanceParser(bytes: number): number {
  if (shared.bytes + bytes > SHARED_BY_BYTES) forgetInstanceParser()
  if (shared.parser === 0) shared.parser = newParser()
  shared.bytes += bytes
  return shared.parser
}

function forgetInstanceParser(): void {
  if (shared.parser !== 0) xmlFreeParserCtxt(shared.parser)
  shared = { parser: 0, bytes: 0 }
}

export function freeTree(tree: Tree): void {
  if (tree.context !== 0) xmlXPathFreeContext(tree.context)
  xmlFreeDoc(tree.document)
}

// -------------------------------------------------------------------------------------------------------- XPath

/** Compiled expressions by their text: a reload brings most of them again. The oldest ones make room, and are compiled anew when they are asked. */
const expressions = new Map<string, number>()

/** About a kilobyte each, in memory that the library never gives back. */
export const EXPRESSIONS_KEPT = 10_000

/**
 * 0 where it is no XPath; the library says why on stderr, so ask only for what was checked before.
 *
 * @returns what {@link evaluate} takes, true until the next call
 */
export function compileExpression(text: string): number {
  const known = expressions.get(text)
  if (known !== undefined) return known
  const expression = xmlXPathCtxtCompile(0, text)
  if (expression === 0) return 0
  if (expressions.size >= EXPRESSIONS_KEPT) forgetOldest()
  expressions.set(text, expression)
  return expression
}

function forgetOldest(): void {
  for (const [text, expression] of expressions) {
    expressions.delete(text)
    xmlXPathFreeCompExpr(expression)
    return
  }
}

export interface SelectedNode {
  /** Its string value (XPath 1.0, 5). */
  readonly value: string
  /** Of the element, or of the attribute's element; 0 where there is none. */
  readonly line: number
}

export type XPathValue =
  | { readonly kind: 'nodes'; readonly nodes: readonly SelectedNode[] }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }

/**
 * Evaluates on the document node. Undefined where the library fails, which an expression that was checked before does only
 * for want of memory.
 *
 * @param nodesAtMost Values are read of so many nodes; 0 tells only whether there are any, by an empty value.
 */
export function evaluate(
  tree: Tree,
  expression: number,
  namespaces: Readonly<Record<string, string>>,
  nodesAtMost = Number.POSITIVE_INFINITY,
): XPathValue | undefined {
  if (tree.context === 0) tree.context = xmlXPathNewContext(tree.document)
  xmlXPathSetContextNode(tree.document, tree.context)
  for (const prefix in namespaces) xmlXPathRegisterNs(tree.context, prefix, namespaces[prefix]!)
  const object = xmlXPathCompiledEval(expression, tree.context)
  if (object === 0) return undefined
  const value = readValue(object, nodesAtMost)
  xmlXPathFreeObject(object)
  return value
}

function readValue(object: number, nodesAtMost: number): XPathValue {
  switch (XmlXPathObjectStruct.type(object)) {
    case XmlXPathObjectStruct.Type.XPATH_NODESET:
      return { kind: 'nodes', nodes: readNodes(XmlXPathObjectStruct.nodesetval(object), nodesAtMost) }
    case XmlXPathObjectStruct.Type.XPATH_BOOLEAN:
      return { kind: 'boolean', value: XmlXPathObjectStruct.boolval(object) !== 0 }
    case XmlXPathObjectStruct.Type.XPATH_NUMBER:
      return { kind: 'number', value: XmlXPathObjectStruct.floatval(object) }
    default:
      return { kind: 'string', value: XmlXPathObjectStruct.stringval(object) }
  }
}

function readNodes(set: number, atMost: number): SelectedNode[] {
  const count = set === 0 ? 0 : XmlNodeSetStruct.nodeCount(set)
  if (count === 0) return []
  if (atMost === 0) return [{ value: '', line: 0 }]
  // A copy: reading contents may move the library's memory away under the view.
  const pointers = Array.from(XmlNodeSetStruct.nodeTable(set, Math.min(count, atMost)))
  return pointers.map((pointer) => ({ value: xmlNodeGetContent(pointer), line: lineOf(pointer) }))
}

const ELEMENT_NODE = 1
const ATTRIBUTE_NODE = 2

function lineOf(pointer: number): number {
  const type = XmlTreeCommonStruct.type(pointer)
  if (type === ATTRIBUTE_NODE) return lineOf(XmlTreeCommonStruct.parent(pointer))
  return type === ELEMENT_NODE ? XmlNodeStruct.line(pointer) : 0
}

/** Bytes of the library's memory, which only ever grows; for watching it. */
export function memoryBytes(): number {
  return XmlNodeSetStruct.nodeTable(0, 0).buffer.byteLength
}

import type { Content, Document, Form } from '../domain/document.ts'
import { type DocumentType, type SchemaLayer, typeKey } from '../domain/document-type.ts'
import { expandedName } from '../domain/element.ts'
import { serialise } from '../domain/serialise.ts'
import type { CheckedLayers, Documents, Validation, XPathTest } from '../flow/ports.ts'
import { type BundleReader, onDisk, type SchemaFile } from './bundle-reader.ts'
import { ENCRYPTED_MEDIA_TYPE } from './carriage.ts'
import { digestOf, sha256 } from './digest.ts'
import type { DocumentsProblem } from './documents-problem.ts'
import { decodeXml } from './encoding.ts'
import { carriesNothing, extract, registeredRoots } from './extract.ts'
import { compileFields } from './fields.ts'
import { compileIdentifier } from './identify.ts'
import { parseJson } from './json.ts'
import { type CompiledOrNot, createLayers, type Layers } from './layers.ts'
import { completeLimits, type DocumentLimits, type Limits, noLimits } from './limits.ts'
import { mediaTypeOfFile, parseMediaType } from './media-type.ts'
import { releaseTrees } from './parsed.ts'
import { type DocumentParse, sealedDocument } from './sealed.ts'
import { takeTurns } from './turns.ts'
import { type CompiledLayer, type CompiledType, check, complete, isPlainlyValid, validate } from './validate.ts'
import { parseXml } from './xml.ts'
import { type Compiled, compileTruth } from './xpath.ts'

/** The types that documents are validated against, each made ready by itself. */
export interface Validator {
  /** Compiles the type's layers and fields; documents of a type with an error can't be validated. */
  compile(type: DocumentType): Promise<readonly DocumentsProblem[]>
  isReady(type: DocumentType): boolean
  /** What the type's schema consists of, as it was compiled. */
  filesOf(type: DocumentType): readonly SchemaFile[]
  validate(document: Document, type: DocumentType): Validation
  /** The first part of {@link Validator.validate}: all that takes long. */
  check(document: Document, type: DocumentType): CheckedLayers
  /** Whether the document is valid beyond doubt, told in a millisecond for a megabyte or two. */
  isPlainlyValid(document: Document, type: DocumentType): boolean
  /** The rest of it. */
  complete(document: Document, type: DocumentType, checked: CheckedLayers): Validation
  /** Frees what libxml2 holds. */
  dispose(): void
}

/**
 * @param bundle where the schemas' files are read from
 * @param canTell false: no document is told to be valid without its layers being asked
 */
export function createValidator(
  documentLimits: DocumentLimits,
  bundle: BundleReader = onDisk,
  canTell = true,
): Validator {
  const limits = completeLimits(documentLimits)
  const compiled = new Map<string, CompiledType>()
  const layers = createLayers(bundle, canTell)
  const ready = (type: DocumentType): CompiledType => {
    const made = compiled.get(typeKey(type))
    if (!made) throw new Error(`Cannot validate: the type ${typeKey(type)} is not compiled`)
    return made
  }
  return {
    async compile(type) {
      const made = await compileType(type, limits, layers)
      if (made.compiled) compiled.set(typeKey(type), made.compiled)
      return made.problems
    },
    isReady: (type) => compiled.has(typeKey(type)),
    filesOf: (type) => type.layers.flatMap(layers.filesOf),
    validate: (document, type) => validate(ready(type), document),
    check: (document, type) => check(ready(type), document),
    isPlainlyValid: (document, type) => isPlainlyValid(ready(type), document),
    complete: (document, type, checked) => complete(ready(type), document, checked),
    dispose() {
      releaseTrees()
      layers.dispose()
      compiled.clear()
    },
  }
}

/** The documents room, and what has to do with where it validates. */
export interface CompiledDocuments
  extends Documents,
    Pick<Validator, 'complete' | 'isPlainlyValid' | 'filesOf' | 'dispose'> {}

/**
 * Makes the document types ready: schemas are read and compiled, XPaths checked, types that can't be told apart found. All
 * problems come back at once. Types with an error are left out of validation: their documents are refused, never passed.
 *
 * Schemas live in libxml2's memory until `dispose`; nothing may be validated after it.
 */
export async function compileDocuments(
  types: readonly DocumentType[],
  documentLimits: DocumentLimits,
  bundle: BundleReader = onDisk,
): Promise<{ readonly documents: CompiledDocuments; readonly problems: readonly DocumentsProblem[] }> {
  const limits = completeLimits(documentLimits)
  const { identifier, problems } = compileIdentifier(types)
  const all: DocumentsProblem[] = [...problems]
  const validator = createValidator(documentLimits, bundle)
  const turn = takeTurns()
  for (const type of types) {
    all.push(...(await validator.compile(type)))
    await turn()
  }
  const documents = {
    carriesNothing,
    extract: (stanza) => extract(stanza, identifier.isRegistered, limits),
    typesByRoots: (stanza) =>
      registeredRoots(stanza, identifier.isRegistered).map((root) => identifier.typesOfRoot(root)),
    identify: identifier.identify,
    validate: validator.validate,
    isPlainlyValid: validator.isPlainlyValid,
    complete: validator.complete,
    filesOf: validator.filesOf,
    dispose: validator.dispose,
  } satisfies CompiledDocuments
  return { documents, problems: all }
}

interface Made {
  readonly compiled: CompiledType | undefined
  readonly problems: readonly DocumentsProblem[]
}

async function compileType(type: DocumentType, limits: Limits, layers: Layers): Promise<Made> {
  const fields = compileFields(type, limits)
  const problems: DocumentsProblem[] = [...fields.problems]
  const compiled: CompiledLayer[] = []
  for (const layer of type.layers) {
    const made = await compileLayer(layer, type, layers)
    problems.push(...made.problems.map((one): DocumentsProblem => ({ type: typeKey(type), path: layer.place, ...one })))
    if (made.layer) compiled.push(made.layer)
  }
  const isWhole = compiled.length === type.layers.length
  return { compiled: isWhole ? { type, layers: compiled, read: fields.read } : undefined, problems }
}

async function compileLayer(layer: SchemaLayer, type: DocumentType, layers: Layers): Promise<CompiledOrNot> {
  const { language, file } = layer
  const { identify } = type
  const fits = identify.xml !== undefined || (language === 'json' && identify.json !== undefined)
  if (fits) return layers.compile(layer, type)
  const message = `Cannot check the type by ${language}: it is not ${language === 'json' ? 'XML or JSON' : 'XML'}`
  return { layer: undefined, problems: [{ message, severity: 'error', at: `${file}:1:1` }] }
}

/**
 * An XPath 1.0 expression for its truth, as `boolean()` would have it; false for what is no XML. Wrong grammar, functions, types
 * and undeclared prefixes are errors here, not later.
 */
export function compileXPathTest(
  expression: string,
  namespaces: Readonly<Record<string, string>>,
): Compiled<{ readonly test: XPathTest }> {
  const compiled = compileTruth(expression, namespaces)
  if (compiled.kind === 'error') return compiled
  const { truth } = compiled
  return { kind: 'ok', test: (content: Content) => content.kind === 'xml' && truth(content) }
}

/**
 * A document again from what is stored of it, for redrive and new planning. Limits are not checked again: they were when it was
 * accepted.
 * @throws where the payload isn't what was stored
 */
export function rehydrate(form: Form, mediaType: string, datatype: string, payload: Uint8Array): Document {
  if (form === 'sealed') return sealedAgain(mediaType, payload)
  const text = new TextDecoder('utf-8', { fatal: true }).decode(payload)
  const content = contentAgain(form, mediaType, text)
  const common = { form, mediaType, datatype, content, payload: text, bytes: payload.length }
  switch (content.kind) {
    case 'xml': {
      const { root } = content
      return { ...common, rootName: expandedName(root.uri, root.name), digest: digestOf(root) }
    }
    case 'json':
      return { ...common, rootName: '', digest: sha256(text) }
    case 'opaque':
      return { ...common, rootName: '', digest: digestOf(must(parseXml(text, noLimits), 'xml').root) }
  }
}

/**
 * What is in a document, from its payload alone.
 * @throws where the payload isn't that of a document that was taken in
 */
export function contentAgain(form: Form, mediaType: string, payload: string | Uint8Array): Content {
  if (typeof payload !== 'string') return sealedAgain(mediaType, payload).content
  if (form !== 'element') return must(parseJson(payload, noLimits), 'json')
  return mediaType === ENCRYPTED_MEDIA_TYPE ? { kind: 'opaque' } : must(parseXml(payload, noLimits), 'xml')
}

function sealedAgain(mediaType: string, payload: Uint8Array): Document {
  const parsed = sealedDocument(payload, { name: mediaType, charset: undefined }, noLimits)
  return must(parsed, 'document').document
}

function must<T extends { readonly kind: string }, K extends T['kind']>(parsed: T, kind: K): Extract<T, { kind: K }> {
  if (parsed.kind === kind) return parsed as Extract<T, { kind: K }>
  const { rejection } = parsed as unknown as { readonly rejection: { readonly text: string } }
  throw new Error(`Cannot read a stored document again: ${rejection.text}`)
}

/**
 * A sealed XML document as the text of one element that stands by itself: elements, attributes and text only. Undefined for
 * JSON and everything else that is no well-formed XML.
 */
export function toElementText(payload: Uint8Array): string | undefined {
  const decoded = decodeXml(payload)
  if (decoded.kind === 'undecodable') return undefined
  const parsed = parseXml(decoded.text, noLimits)
  return parsed.kind === 'xml' ? serialise(parsed.root) : undefined
}

/** A document from a file as if it had come sealed, for the command line. The file's name tells what it is where `mediaType` doesn't. */
export function parseDocumentFile(
  bytes: Uint8Array,
  file: string,
  limits: DocumentLimits,
  mediaType?: string,
): DocumentParse {
  const said = mediaType === undefined ? undefined : parseMediaType(mediaType)
  return sealedDocument(bytes, said ?? mediaTypeOfFile(file, bytes), completeLimits(limits))
}

export type { SchemaFile } from './bundle-reader.ts'
export type { DocumentsProblem } from './documents-problem.ts'
export type { DocumentLimits } from './limits.ts'
export type { DocumentParse } from './sealed.ts'

import { posix, relative, resolve, sep } from 'node:path'
import type { SchemaSource } from '../domain/document-type.ts'
import { type BundleReader, onDisk } from './bundle-reader.ts'
import { decodeXml } from './encoding.ts'
import { compileExpression, evaluate, freeTree, parseTree, type Tree } from './libxml2.ts'
import { compactToXml } from './rnc/compact-syntax.ts'
import { RncProblem } from './rnc/tokens.ts'

/**
 * The files of a schema in XML: the first one and all that it includes and imports, read before libxml2 sees any of it. Only what
 * lies in the bundle's folder is read; the network is never asked. A DOCTYPE may declare entities of its own, nothing
 * external.
 */
export interface SchemaFiles {
  /** By the name that libxml2 asks for: {@link BUNDLE} + path in the folder. In UTF-8. */
  readonly files: ReadonlyMap<string, Uint8Array>
  readonly problems: readonly SchemaProblem[]
  /** Name of the first file, as a base for references. */
  readonly url: string
}

export interface SchemaProblem {
  readonly message: string
  readonly severity: 'error' | 'warning'
  /** `file:line:column`. */
  readonly at: string
}

/** The folder's place in a made-up file system: what leads out of it can't be reached, and is seen to. */
export const BUNDLE = '/bundle/'
const FILES_AT_MOST = 500

interface Reading {
  readonly folder: string
  readonly bundle: BundleReader
  readonly language: 'xsd' | 'rng'
  readonly files: Map<string, Uint8Array>
  readonly problems: SchemaProblem[]
  /** Paths in the folder, still to be read, with the place that asked for them. */
  readonly wanted: { readonly path: string; readonly at: string }[]
  readonly seen: Set<string>
}

export function readSchemaFiles(
  { language, file, folder }: SchemaSource & { readonly language: 'xsd' | 'rng' },
  bundle: BundleReader = onDisk,
): SchemaFiles {
  const first = relative(folder, file).split(sep).join('/')
  const reading: Reading = {
    folder,
    bundle,
    language,
    files: new Map(),
    problems: [],
    wanted: [{ path: first, at: `${file}:1:1` }],
    seen: new Set([first]),
  }
  for (let next = reading.wanted.pop(); next; next = reading.wanted.pop()) {
    if (reading.seen.size > FILES_AT_MOST) {
      reading.problems.push(problem(`Cannot read the schema: it has more than ${FILES_AT_MOST} files`, next.at))
      break
    }
    readOne(reading, next.path, next.at)
  }
  return { files: reading.files, problems: reading.problems, url: BUNDLE + encodeURI(first) }
}

/** The real file behind a name that libxml2 reports. */
export function fileBehind(name: string, { folder, file }: SchemaSource): string {
  if (!name.startsWith(BUNDLE)) return file
  return resolve(folder, decodeOrKeep(name.slice(BUNDLE.length)))
}

function problem(message: string, at: string): SchemaProblem {
  return { message, severity: 'error', at }
}

function readOne(reading: Reading, path: string, askedAt: string): void {
  const read = parseOne(reading, path, askedAt)
  if ('message' in read) {
    reading.problems.push(read)
    return
  }
  reading.files.set(BUNDLE + path, read.utf8)
  followReferences(reading, path, read.tree, read.text)
  freeTree(read.tree)
}

interface ReadFile {
  readonly text: string
  readonly utf8: Uint8Array
  /** The caller's to free. */
  readonly tree: Tree
}

function parseOne({ folder, bundle }: Reading, path: string, askedAt: string): ReadFile | SchemaProblem {
  const bytes = bundle.read(folder, path)
  if (typeof bytes === 'string') return problem(`Cannot read the schema: ${bytes}`, askedAt)
  const file = resolve(folder, path)
  const decoded = decodeXml(bytes)
  if (decoded.kind !== 'text') return problem(decoded.message, `${file}:1:1`)
  const { text } = decoded
  if (text.trim() === '') return problem('Cannot read the schema: the file is empty', `${file}:1:1`)
  if (/\.rnc$/i.test(path)) return parseCompact(text, path, file)
  return parseText(text, path, file)
}

function parseText(text: string, path: string, file: string): ReadFile | SchemaProblem {
  const external = externalIn(text)
  if (external) return problem(`Cannot read the schema: ${external.message}`, `${file}:${external.line}:1`)
  const utf8 = Buffer.from(text)
  const { tree, report } = parseTree(utf8, { entities: true, url: BUNDLE + encodeURI(path) })
  if (tree) return { text, utf8, tree }
  const [first] = report.errors
  const reason = first?.message.trim() ?? 'it is no XML'
  return problem(`Cannot read the schema: ${reason}`, `${file}:${first?.line ?? 1}:${first?.column || 1}`)
}

/** RELAX NG in compact syntax stands under its own name as what it means in the XML syntax. */
function parseCompact(text: string, path: string, file: string): ReadFile | SchemaProblem {
  try {
    return parseText(compactToXml(text), path, file)
  } catch (error) {
    if (!(error instanceof RncProblem)) throw error
    return problem(`Cannot read the schema: ${error.message}`, `${file}:${error.line}:${error.column}`)
  }
}

/** What a DOCTYPE would fetch from elsewhere: the external subset, or external entities. */
function externalIn(text: string): { readonly message: string; readonly line: number } | undefined {
  // Comments go, their line breaks stay.
  const plain = text.replace(/<!--[\s\S]*?-->/g, (comment) => comment.replace(/[^\n]/g, ' '))
  const start = plain.indexOf('<!DOCTYPE')
  if (start < 0) return undefined
  const declaration = plain.slice(start, doctypeEnd(plain, start))
  const line = plain.slice(0, start).split('\n').length
  if (/^<!DOCTYPE\s+[^\s[>]+\s+(?:PUBLIC|SYSTEM)\b/.test(declaration)) {
    return { message: 'its DOCTYPE names an external subset; only declarations of its own are allowed', line }
  }
  if (/<!(?:ENTITY\s+(?:%\s+)?|NOTATION\s+)\S+\s+(?:PUBLIC|SYSTEM)\b/.test(declaration)) {
    return { message: 'its DOCTYPE declares an external entity', line }
  }
  return undefined
}

function doctypeEnd(text: string, start: number): number {
  const root = text.slice(start + 2).search(/<[A-Za-z_:]/)
  return root < 0 ? text.length : start + 2 + root
}

const REFERENCES = {
  xsd: '//xs:include/@schemaLocation | //xs:import/@schemaLocation | //xs:redefine/@schemaLocation',
  rng: '//rng:include/@href | //rng:externalRef/@href',
} as const

const SCHEMA_NAMESPACES = { xs: 'http://www.w3.org/2001/XMLSchema', rng: 'http://relaxng.org/ns/structure/1.0' }

function followReferences(reading: Reading, path: string, tree: Tree, text: string): void {
  const value = evaluate(tree, compileExpression(REFERENCES[reading.language]), SCHEMA_NAMESPACES)
  if (value?.kind !== 'nodes') return
  for (const { value: reference, line } of value.nodes) {
    const at = `${resolve(reading.folder, path)}:${line}:${columnOf(reference, text, line)}`
    const target = resolveReference(reference, path)
    if ('refused' in target) reading.problems.push(problem(`Cannot include ${reference}: ${target.refused}`, at))
    else if (!reading.seen.has(target.path)) {
      reading.seen.add(target.path)
      reading.wanted.push({ path: target.path, at })
    }
  }
}

function columnOf(reference: string, text: string, line: number): number {
  return Math.max(0, text.split('\n')[line - 1]?.indexOf(reference) ?? 0) + 1
}

export function resolveReference(
  reference: string,
  from: string,
): { readonly path: string } | { readonly refused: string } {
  const location = reference.trim()
  if (/^[A-Za-z][A-Za-z0-9+.-]*:|^\/\//.test(location)) {
    return { refused: 'schemas are read from the bundle’s folder only, never from the network or another place' }
  }
  if (location.startsWith('/') || location.includes('\\')) {
    return { refused: 'it is an absolute path; schemas are read from the bundle’s folder only' }
  }
  const path = posix.normalize(posix.join(posix.dirname(from), decodeOrKeep(location)))
  return path.startsWith('../') ? { refused: 'it leads out of the bundle’s folder' } : { path }
}

function decodeOrKeep(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

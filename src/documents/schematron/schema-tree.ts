import { posix, relative, resolve, sep } from 'node:path'
import type { SchemaSource } from '../../domain/document-type.ts'
import { attributeOf, childElements, type Element, isElement } from '../../domain/element.ts'
import { type BundleReader, onDisk } from '../bundle-reader.ts'
import { decodeXml } from '../encoding.ts'
import { noLimits } from '../limits.ts'
import { resolveReference, type SchemaProblem } from '../schema-files.ts'
import { type Places, parseXml } from '../xml.ts'

/** The files of a Schematron schema as one tree: what it includes stands where it was included. */
export interface SchemaTree {
  /** Undefined where the first file can't be read. */
  readonly root: Element | undefined
  readonly problems: SchemaProblem[]
  /** `file:line:column` of an element, whichever file it came from. */
  at(element: Element): string
  /** Makes `copy` stand where `original` stood. */
  copyPlace(original: Element, copy: Element): void
}

export const SCHEMATRON = 'http://purl.oclc.org/dsdl/schematron'

/** A schema while it is read. */
export interface Reading {
  readonly tree: SchemaTree
  readonly root: Element
  complain(element: Element, message: string): void
}

export function named(parent: Element, name: string): Element[] {
  return childElements(parent).filter((child) => child.uri === SCHEMATRON && child.name === name)
}

const FILES_AT_MOST = 100
const INCLUDED_DEPTH = 20

interface Files {
  readonly source: SchemaSource
  readonly bundle: BundleReader
  readonly problems: SchemaProblem[]
  readonly places: Map<Element, string>
  count: number
}

export function readSchemaTree(source: SchemaSource, bundle: BundleReader = onDisk): SchemaTree {
  const files: Files = { source, bundle, problems: [], places: new Map(), count: 0 }
  const first = relative(source.folder, source.file).split(sep).join('/')
  const at = (element: Element) => files.places.get(element) ?? `${source.file}:1:1`
  const read = readFile(files, first, `${source.file}:1:1`)
  const root = read && includeBelow(files, read, first, [first])
  return {
    root,
    problems: files.problems,
    at,
    copyPlace: (original, copy) => files.places.set(copy, at(original)),
  }
}

function complain(files: Files, message: string, at: string): undefined {
  files.problems.push({ message: `Cannot read the schema: ${message}`, severity: 'error', at })
}

function readFile(files: Files, path: string, askedAt: string): Element | undefined {
  files.count += 1
  if (files.count > FILES_AT_MOST) return complain(files, `it has more than ${FILES_AT_MOST} files`, askedAt)
  const bytes = files.bundle.read(files.source.folder, path)
  if (typeof bytes === 'string') return complain(files, bytes, askedAt)
  const file = resolve(files.source.folder, path)
  const decoded = decodeXml(bytes)
  if (decoded.kind !== 'text') return complain(files, decoded.message, `${file}:1:1`)
  if (decoded.text.trim() === '') return complain(files, 'the file is empty', `${file}:1:1`)
  const places: Places = new Map()
  const parsed = parseXml(decoded.text, noLimits, places)
  if (parsed.kind === 'rejected') {
    const [finding] = parsed.rejection.findings
    return complain(files, parsed.rejection.text, `${file}:${finding?.line ?? 1}:${finding?.column ?? 1}`)
  }
  for (const [element, { line, column }] of places) files.places.set(element, `${file}:${line}:${column}`)
  return parsed.root
}

/** ISO/IEC 19757-3, 5.4.4 `include`, and 5.4.3 `extends` with `href`: both put in the element that is referred to. */
function includeBelow(files: Files, element: Element, path: string, chain: readonly string[]): Element {
  const children = element.children.flatMap((child) => {
    if (!isElement(child)) return [child]
    const href = child.uri === SCHEMATRON ? attributeOf(child, 'href') : undefined
    if (href === undefined || (child.name !== 'include' && child.name !== 'extends')) {
      return [includeBelow(files, child, path, chain)]
    }
    const found = included(files, child, href, path, chain)
    if (!found) return []
    return child.name === 'include' ? [found] : found.children
  })
  const copy = { ...element, children }
  files.places.set(copy, files.places.get(element)!)
  return copy
}

function included(
  files: Files,
  asking: Element,
  href: string,
  from: string,
  chain: readonly string[],
): Element | undefined {
  const at = files.places.get(asking)!
  const [location = '', id] = href.split('#')
  const target = location === '' ? { path: from } : resolveReference(location, from)
  if ('refused' in target) return complain(files, `Cannot include ${href}: ${target.refused}`, at)
  const step = `${target.path}#${id ?? ''}`
  if (chain.includes(step) || chain.length > INCLUDED_DEPTH) {
    return complain(files, `${href} includes itself: ${[...chain, step].join(' includes ')}`, at)
  }
  const root = readFile(files, posix.normalize(target.path), at)
  if (!root) return undefined
  const found = id === undefined ? root : withId(root, id)
  if (!found) return complain(files, `Cannot include ${href}: nothing in it has the id ${id}`, at)
  return includeBelow(files, found, target.path, [...chain, step])
}

function withId(element: Element, id: string): Element | undefined {
  if (attributeOf(element, 'id') === id) return element
  for (const child of element.children) {
    const found = isElement(child) ? withId(child, id) : undefined
    if (found) return found
  }
  return undefined
}

import type { Document } from '../domain/document.ts'
import { type DocumentType, typeKey, type XmlIdentify } from '../domain/document-type.ts'
import { expandedName } from '../domain/element.ts'
import { reject } from '../domain/rejection.ts'
import { hasDiscriminators, overlapOfTypes } from '../domain/type-overlap.ts'
import { newestOf } from '../domain/type-version.ts'
import type { Identification } from '../flow/ports.ts'
import type { DocumentsProblem } from './documents-problem.ts'
import { isJsonType, isXmlType } from './media-type.ts'
import { nearestRoot, type RegisteredRoot } from './nearest-root.ts'
import type { XmlContent } from './parsed.ts'
import { parsePointer, valueAt } from './pointer.ts'
import { shown } from './shown.ts'
import { compileTruth, compileXPath, type XPath } from './xpath.ts'

export interface Identifier {
  /** @param version That the sender says it is of; undefined: the document shows it, or it is of the newest. */
  identify(document: Document, version?: string): Identification
  isRegistered(rootName: string): boolean
  /** Types of which a document with that root may be. */
  typesOfRoot(rootName: string): readonly DocumentType[]
}

/** How one type is told from others. */
interface Candidate {
  readonly type: DocumentType
  readonly matches: (content: XmlContent) => boolean
}

interface Index {
  readonly xml: Map<string, Candidate[]>
  readonly json: JsonCandidate[]
  readonly opaque: Map<string, DocumentType[]>
}

interface JsonCandidate {
  readonly type: DocumentType
  readonly datatype: string | undefined
  readonly match: readonly JsonMatch[]
}

interface JsonMatch {
  readonly pointer: string
  readonly tokens: readonly string[]
  readonly value: string | number | boolean | null
}

/** Root name first, then discriminators. Types that can't be told apart are problems here. */
export function compileIdentifier(types: readonly DocumentType[]): {
  readonly identifier: Identifier
  readonly problems: readonly DocumentsProblem[]
} {
  const index: Index = { xml: new Map(), json: [], opaque: new Map() }
  const problems = types.flatMap((type, at) => [...register(index, type), ...twins(type, types.slice(0, at))])
  const roots = [...index.xml].map(([rootName, [first]]): RegisteredRoot => ({ rootName, type: first!.type.name }))
  const identifier: Identifier = {
    identify: (document, version) => identify(index, roots, document, version),
    isRegistered: (rootName) => index.xml.has(rootName),
    typesOfRoot: (rootName) => (index.xml.get(rootName) ?? []).map(({ type }) => type),
  }
  return { identifier, problems }
}

function identify(
  index: Index,
  roots: readonly RegisteredRoot[],
  document: Document,
  version: string | undefined,
): Identification {
  const { content, mediaType, rootName, datatype } = document
  switch (content.kind) {
    case 'xml': {
      const matching = (index.xml.get(rootName) ?? []).filter((candidate) => candidate.matches(content))
      return choose(matching, version, () => unknownRoot(rootName, index, roots))
    }
    case 'json': {
      const matching = index.json.filter((candidate) => isJsonMatch(candidate, content.value, datatype))
      return choose(matching, version, () => unknownJson(datatype))
    }
    case 'opaque': {
      const types = index.opaque.get(mediaType)
      if (types === undefined) return { kind: 'opaque' }
      return choose(
        types.map((type) => ({ type })),
        version,
        () => '',
      )
    }
  }
}

type Matching = readonly { readonly type: DocumentType }[]

function choose(matching: Matching, version: string | undefined, none: () => string): Identification {
  if (matching.length === 1 && version === undefined) return { kind: 'type', type: matching[0]!.type }
  if (matching.length === 0) return { kind: 'rejected', rejection: reject('unknown-type', none()) }
  const special = withoutFamilies(matching.map(({ type }) => type))
  const names = new Set(special.map(({ name }) => name))
  if (names.size === 1) return chooseVersion(special, version)
  const text = `Cannot tell the document's type: it is ${[...names].join(', ')} at once; that is for the operator to settle`
  return { kind: 'rejected', rejection: reject('ambiguous-type', text) }
}

/** A type within a family says more than the type that the family is named for. */
function withoutFamilies(types: readonly DocumentType[]): readonly DocumentType[] {
  const families = new Set(types.flatMap((type) => type.families))
  return families.size === 0 ? types : types.filter(({ name }) => !families.has(name))
}

/** What the sender says; otherwise what the document shows; otherwise the newest. */
function chooseVersion(types: readonly DocumentType[], version: string | undefined): Identification {
  if (version !== undefined) {
    const said = types.find((type) => type.version === version)
    if (said) return { kind: 'type', type: said }
    const known = types.map((type) => type.version || 'none').join(', ')
    const why = known === 'none' ? 'the type has no versions' : `what it holds is of ${known}`
    const text = `Cannot take the document as version ${shown(version, 40)} of ${types[0]!.name}: ${why}`
    return { kind: 'rejected', rejection: reject('unknown-type', text) }
  }
  const showing = types.filter(({ identify: how }) => hasDiscriminators(how))
  return { kind: 'type', type: newestOf(showing.length > 0 ? showing : types)! }
}

function unknownRoot(rootName: string, index: Index, roots: readonly RegisteredRoot[]): string {
  const root = shown(rootName, 200)
  const known = index.xml.get(rootName)
  if (known) {
    const names = [...new Set(known.map(({ type }) => type.name))].join(', ')
    return `Cannot tell the document's type: its root ${root} is known, but it doesn't meet the conditions of ${names}`
  }
  return `Cannot tell the document's type: no type has the root ${root}${nearestRoot(rootName, roots)}`
}

function unknownJson(datatype: string): string {
  const named = datatype === '' ? '' : ` (datatype ${shown(datatype, 200)})`
  return `Cannot tell the document's type: no type matches the JSON${named}`
}

function isJsonMatch(candidate: JsonCandidate, value: Parameters<typeof valueAt>[0], datatype: string): boolean {
  if (candidate.datatype !== undefined && candidate.datatype !== datatype) return false
  return candidate.match.every((match) => valueAt(value, match.tokens) === match.value)
}

// ------------------------------------------------------------------------------------------------- configuration

function register(index: Index, type: DocumentType): readonly DocumentsProblem[] {
  const { xml, json, mediaType } = type.identify
  const given = [xml, json, mediaType].filter((one) => one !== undefined).length
  if (given !== 1) {
    return [
      problem(type, ['identify'], `Cannot identify the type: it has ${given} of xml, json and mediaType, not one`),
    ]
  }
  if (xml) return registerXml(index, type, xml)
  return json ? registerJson(index, type, json) : registerOpaque(index, type, mediaType!)
}

function problem(type: DocumentType, path: readonly string[], message: string): DocumentsProblem {
  return { type: typeKey(type), path, message, severity: 'error' }
}

/** The configuration finds them first, with their places; here they are found for whoever makes types otherwise. */
function twins(type: DocumentType, earlier: readonly DocumentType[]): readonly DocumentsProblem[] {
  return earlier.flatMap((other) => {
    const overlap = overlapOfTypes(other, type)
    if (overlap?.kind !== 'sure') return []
    return [problem(type, ['identify'], `Cannot tell ${type.name} from ${other.name}: ${overlap.reason}`)]
  })
}

function registerXml(index: Index, type: DocumentType, xml: XmlIdentify): DocumentsProblem[] {
  const { root } = xml
  if (!isExpandedName(root)) {
    return [problem(type, ['identify', 'xml', 'root'], `Cannot read the root: ${root} is not {namespace}name`)]
  }
  const compiled = [...compileBody(xml), ...compileMatch(xml, type), ...compileWhere(xml.where, type)]
  const problems = compiled.filter((one) => 'message' in one)
  if (problems.length > 0) return problems
  const tests = compiled.filter((one) => 'truth' in one).map(({ truth }) => truth)
  const matches = (content: XmlContent) => tests.every((truth) => truth(content))
  index.xml.set(root, [...(index.xml.get(root) ?? []), { type, matches }])
  return []
}

type Truth = { readonly truth: Candidate['matches'] }

/** XEP-0072 3: what a SOAP envelope is about is the first element of its body. */
function compileBody({ root, body }: XmlIdentify): readonly Truth[] {
  if (body === undefined) return []
  const soap = root.slice(1, root.indexOf('}'))
  const truth: Candidate['matches'] = (content) => {
    const bodyElement = elementsOf(content.root).find(({ name, uri }) => name === 'Body' && uri === soap)
    const first = bodyElement && elementsOf(bodyElement)[0]
    return first !== undefined && expandedName(first.uri, first.name) === body
  }
  return [{ truth }]
}

function elementsOf({ children }: XmlContent['root']): readonly XmlContent['root'][] {
  return children.filter((child) => typeof child === 'object')
}

function compileMatch({ match = {} }: XmlIdentify, type: DocumentType): readonly (Truth | DocumentsProblem)[] {
  return Object.entries(match).map(([path, values]) => {
    const compiled = compileXPath(path, type.namespaces)
    if (compiled.kind === 'error') return problem(type, ['identify', 'xml', 'match', path], compiled.message)
    const { xpath } = compiled
    return { truth: (content) => textsOf(xpath.answer(content)).some((text) => values.includes(text.trim())) }
  })
}

function textsOf(answer: ReturnType<XPath['answer']>): readonly string[] {
  return typeof answer === 'object' ? answer : [String(answer)]
}

function isExpandedName(root: string): boolean {
  return /^(?:\{[^{}]+\})?[\p{L}_][\p{L}\p{N}\p{M}_.·-]*$/u.test(root)
}

function compileWhere(where: string | undefined, type: DocumentType): readonly (Truth | DocumentsProblem)[] {
  if (where === undefined) return []
  const compiled = compileTruth(where, type.namespaces)
  return [compiled.kind === 'ok' ? compiled : problem(type, ['identify', 'xml', 'where'], compiled.message)]
}

function registerJson(
  index: Index,
  type: DocumentType,
  { datatype, match = {} }: NonNullable<DocumentType['identify']['json']>,
): DocumentsProblem[] {
  const problems: DocumentsProblem[] = []
  const matches: JsonMatch[] = []
  for (const [pointer, value] of Object.entries(match)) {
    const tokens = parsePointer(pointer)
    if (tokens) matches.push({ pointer, tokens, value })
    else
      problems.push(problem(type, ['identify', 'json', 'match', pointer], `${pointer} is no JSON Pointer (RFC 6901)`))
  }
  if (datatype === undefined && Object.keys(match).length === 0) {
    problems.push(problem(type, ['identify', 'json'], 'Cannot identify the type: give a datatype or a match'))
  }
  if (problems.length > 0) return problems
  index.json.push({ type, datatype, match: matches })
  return []
}

function registerOpaque(index: Index, type: DocumentType, mediaType: string): DocumentsProblem[] {
  const name = mediaType.toLowerCase()
  const path = ['identify', 'mediaType']
  if (isXmlType(name) || isJsonType(name)) {
    return [
      problem(type, path, `Cannot identify by ${mediaType}: such documents are told by their content; use xml or json`),
    ]
  }
  if (!/^[^\s/;]+\/[^\s/;]+$/.test(name))
    return [problem(type, path, `${mediaType} is no media type without parameters`)]
  index.opaque.set(name, [...(index.opaque.get(name) ?? []), type])
  return []
}

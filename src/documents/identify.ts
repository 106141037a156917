import type { Document } from '../domain/document.ts'
import type { DocumentType } from '../domain/document-type.ts'
import { reject } from '../domain/rejection.ts'
import type { Identification } from '../flow/ports.ts'
import type { DocumentsProblem } from './documents-problem.ts'
import { isJsonType, isXmlType } from './media-type.ts'
import { nearestRoot, type RegisteredRoot } from './nearest-root.ts'
import type { XmlContent } from './parsed.ts'
import { parsePointer, valueAt } from './pointer.ts'
import { shown } from './shown.ts'
import { compileTruth } from './xpath.ts'

export interface Identifier {
  identify(document: Document): Identification
  isRegistered(rootName: string): boolean
}

/** How one type is told from others. */
interface Candidate {
  readonly type: DocumentType
  readonly matches: (content: XmlContent) => boolean
}

interface Index {
  readonly xml: Map<string, Candidate[]>
  readonly json: JsonCandidate[]
  readonly opaque: Map<string, DocumentType>
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
  const problems = types.flatMap((type) => register(index, type))
  const roots = [...index.xml].map(([rootName, [first]]): RegisteredRoot => ({ rootName, type: first!.type.name }))
  const identifier: Identifier = {
    identify: (document) => identify(index, roots, document),
    isRegistered: (rootName) => index.xml.has(rootName),
  }
  return { identifier, problems }
}

function identify(index: Index, roots: readonly RegisteredRoot[], document: Document): Identification {
  const { content, mediaType, rootName, datatype } = document
  switch (content.kind) {
    case 'xml': {
      const matching = (index.xml.get(rootName) ?? []).filter((candidate) => candidate.matches(content))
      return choose(matching, () => unknownRoot(rootName, index, roots))
    }
    case 'json': {
      const matching = index.json.filter((candidate) => isJsonMatch(candidate, content.value, datatype))
      return choose(matching, () => unknownJson(datatype))
    }
    case 'opaque': {
      const type = index.opaque.get(mediaType)
      return type ? { kind: 'type', type } : { kind: 'opaque' }
    }
  }
}

function choose(matching: readonly { readonly type: DocumentType }[], none: () => string): Identification {
  const [only] = matching
  if (!only) return { kind: 'rejected', rejection: reject('unknown-type', none()) }
  if (matching.length === 1) return { kind: 'type', type: only.type }
  const names = matching.map(({ type }) => type.name).join(', ')
  const text = `Cannot tell the document's type: it is ${names} at once; that is for the operator to settle`
  return { kind: 'rejected', rejection: reject('ambiguous-type', text) }
}

function unknownRoot(rootName: string, index: Index, roots: readonly RegisteredRoot[]): string {
  const root = shown(rootName, 200)
  const known = index.xml.get(rootName)
  if (known) {
    const names = known.map(({ type }) => type.name).join(', ')
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
  if (xml) return registerXml(index, type, xml.root, xml.where)
  return json ? registerJson(index, type, json) : registerOpaque(index, type, mediaType!)
}

function problem(type: DocumentType, path: readonly string[], message: string): DocumentsProblem {
  return { type: type.name, path, message, severity: 'error' }
}

function registerXml(index: Index, type: DocumentType, root: string, where: string | undefined): DocumentsProblem[] {
  if (!isExpandedName(root)) {
    return [problem(type, ['identify', 'xml', 'root'], `Cannot read the root: ${root} is not {namespace}name`)]
  }
  const others = index.xml.get(root) ?? []
  const twin = others.find(
    ({ type: other }) => where === undefined || [undefined, where].includes(other.identify.xml?.where),
  )
  if (twin) {
    const text = `Cannot tell ${type.name} from ${twin.type.name}: both have the root ${root}, and no \`where\` tells them apart`
    return [problem(type, ['identify', 'xml', 'root'], text)]
  }
  const compiled = compileWhere(where, type)
  if ('message' in compiled) return [compiled]
  index.xml.set(root, [...others, { type, matches: compiled.truth }])
  return []
}

function isExpandedName(root: string): boolean {
  return /^(?:\{[^{}]+\})?[\p{L}_][\p{L}\p{N}\p{M}_.·-]*$/u.test(root)
}

function compileWhere(
  where: string | undefined,
  type: DocumentType,
): { readonly truth: Candidate['matches'] } | DocumentsProblem {
  if (where === undefined) return { truth: () => true }
  const compiled = compileTruth(where, type.namespaces)
  return compiled.kind === 'ok' ? compiled : problem(type, ['identify', 'xml', 'where'], compiled.message)
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
  const candidate: JsonCandidate = { type, datatype, match: matches }
  const twin = index.json.find((other) => implies(candidate, other) || implies(other, candidate))
  if (twin) {
    const text = `Cannot tell ${type.name} from ${twin.type.name}: a document that matches one always matches the other`
    return [problem(type, ['identify', 'json'], text)]
  }
  index.json.push(candidate)
  return []
}

/** Whether every document of the one is a document of the other. */
function implies(one: JsonCandidate, other: JsonCandidate): boolean {
  if (other.datatype !== undefined && other.datatype !== one.datatype) return false
  return other.match.every(({ pointer, value }) => {
    return one.match.some((match) => match.pointer === pointer && match.value === value)
  })
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
  const twin = index.opaque.get(name)
  if (twin) return [problem(type, path, `Cannot tell ${type.name} from ${twin.name}: both are ${mediaType}`)]
  index.opaque.set(name, type)
  return []
}

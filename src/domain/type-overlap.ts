import type { DocumentType, Identify, XmlIdentify } from './document-type.ts'

/** That two types match one document: `sure`, there are such documents; `possible`, nothing in the types excludes it. */
export interface TypeOverlap {
  readonly kind: 'sure' | 'possible'
  readonly reason: string
}

type Identified = Pick<DocumentType, 'name' | 'identify' | 'namespaces' | 'families'>

/**
 * Whether some document is of both types, as far as what identifies them can tell; undefined: none is, or only documents can tell.
 * Versions of one type, and a type within a family that is named like the other, are no conflict: `preferred` says which it is.
 */
export function overlapOfTypes(one: Identified, other: Identified): TypeOverlap | undefined {
  if (one.name === other.name || one.families.includes(other.name) || other.families.includes(one.name))
    return undefined
  const [a, b] = [one.identify, other.identify]
  if (a.xml && b.xml) return overlapOfXml(one, other, a.xml, b.xml)
  if (a.json && b.json) return overlapOfJson(a.json, b.json)
  if (a.mediaType === undefined || a.mediaType.toLowerCase() !== b.mediaType?.toLowerCase()) return undefined
  return { kind: 'sure', reason: `both take ${a.mediaType}` }
}

/** Whether it asks for more than a root, so that it says more of a document than one that doesn't. */
export function hasDiscriminators({ xml, json }: Identify): boolean {
  if (xml) return xml.body !== undefined || xml.match !== undefined || xml.where !== undefined
  return json?.match !== undefined
}

function overlapOfXml(one: Identified, other: Identified, a: XmlIdentify, b: XmlIdentify): TypeOverlap | undefined {
  if (a.root !== b.root) return undefined
  if (a.body !== undefined && b.body !== undefined && a.body !== b.body) return undefined
  const [matchA, matchB] = [expanded(a.match, one.namespaces), expanded(b.match, other.namespaces)]
  const shared = [...matchA.keys()].filter((path) => matchB.has(path))
  if (shared.some((path) => common(matchA.get(path)!, matchB.get(path)!) === undefined)) return undefined
  const [whereA, whereB] = [expandedPath(a.where, one.namespaces), expandedPath(b.where, other.namespaces)]
  const root = `both take the root ${a.root}`
  const asked = (wide: XmlIdentify, whereWide: string, whereNarrow: string, missing: readonly string[]) =>
    (wide.body === undefined || a.body === b.body) &&
    (whereWide === '' || whereWide === whereNarrow) &&
    missing.length === 0
  const onlyA = [...matchA.keys()].filter((path) => !matchB.has(path))
  const onlyB = [...matchB.keys()].filter((path) => !matchA.has(path))
  if (asked(a, whereA, whereB, onlyA) || asked(b, whereB, whereA, onlyB)) {
    const [path] = shared
    const value = path === undefined ? undefined : common(matchA.get(path)!, matchB.get(path)!)
    return { kind: 'sure', reason: `${root}${sureWords(a, b, whereA === whereB, value)}` }
  }
  if (whereA !== '' || whereB !== '') return undefined
  return { kind: 'possible', reason: `${root}, and a document may have what each of them asks for` }
}

function sureWords(a: XmlIdentify, b: XmlIdentify, sameWhere: boolean, value: string | undefined): string {
  if (value !== undefined) return `, and ${value} is a value of both`
  const [hasA, hasB] = [hasDiscriminators({ xml: a }), hasDiscriminators({ xml: b })]
  if (hasA !== hasB) return ', and only one says more'
  return hasA && sameWhere && a.where !== undefined ? ' where the same is true' : ''
}

function common(one: readonly string[], other: readonly string[]): string | undefined {
  return one.find((value) => other.includes(value))
}

function expanded(
  match: XmlIdentify['match'],
  namespaces: Identified['namespaces'],
): ReadonlyMap<string, readonly string[]> {
  return new Map(Object.entries(match ?? {}).map(([path, values]) => [expandedPath(path, namespaces), values]))
}

/** With namespaces in the place of prefixes, so that paths of two types can be compared; what stands in quotes is no prefix. */
function expandedPath(path: string | undefined, namespaces: Identified['namespaces']): string {
  return (path ?? '').replace(/"[^"]*"|'[^']*'|([A-Za-z_][\w.-]*):(?!:)/g, (text, prefix?: string) =>
    prefix !== undefined && Object.hasOwn(namespaces, prefix) ? `{${namespaces[prefix]}}` : text,
  )
}

type JsonIdentify = NonNullable<Identify['json']>

/** Sure where all that one asks for is asked by the other too: every document of the other is one of the first. */
function overlapOfJson(one: JsonIdentify, other: JsonIdentify): TypeOverlap | undefined {
  if (includes(one, other) || includes(other, one)) {
    return { kind: 'sure', reason: 'what identifies one identifies the other too' }
  }
  if (one.datatype !== undefined && other.datatype !== undefined && one.datatype !== other.datatype) return undefined
  const excluded = Object.entries(one.match ?? {}).some(([pointer, value]) => {
    return other.match !== undefined && Object.hasOwn(other.match, pointer) && other.match[pointer] !== value
  })
  if (excluded) return undefined
  return { kind: 'possible', reason: 'a document may have what each of them asks for' }
}

function includes(wide: JsonIdentify, narrow: JsonIdentify): boolean {
  if (wide.datatype !== undefined && wide.datatype !== narrow.datatype) return false
  return Object.entries(wide.match ?? {}).every(([pointer, value]) => {
    return narrow.match !== undefined && Object.hasOwn(narrow.match, pointer) && narrow.match[pointer] === value
  })
}

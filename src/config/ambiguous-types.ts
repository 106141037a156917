import type { DocumentType, Identify } from '../domain/document-type.ts'
import type { Thing } from './thing.ts'

interface ReadType {
  readonly thing: Thing
  readonly type: DocumentType
}

/**
 * Finds types of which it is sure that they both match some document. What only documents can tell is left to
 * them: two discriminators that may both be true.
 */
export function complainOfAmbiguousTypes(types: readonly ReadType[]): void {
  for (const [at, later] of types.entries()) {
    for (const earlier of types.slice(0, at)) {
      const reason = overlap(earlier.type.identify, later.type.identify)
      if (reason === undefined) continue
      const { file, line } = earlier.thing.yaml.locate(['identify'])
      const names = `${later.type.name} and ${earlier.type.name} (${file}:${line})`
      later.thing.complain('ambiguous-types', ['identify'], `Cannot tell ${names} apart: ${reason}`, { at: 'key' })
    }
  }
}

function overlap(one: Identify, other: Identify): string | undefined {
  if (one.xml && other.xml) return overlapOfXml(one.xml, other.xml)
  if (one.json && other.json) return overlapOfJson(one.json, other.json)
  if (one.mediaType === undefined || one.mediaType !== other.mediaType) return undefined
  return `both take ${one.mediaType}`
}

function overlapOfXml(one: NonNullable<Identify['xml']>, other: NonNullable<Identify['xml']>): string | undefined {
  if (one.root !== other.root) return undefined
  if (one.where === other.where)
    return `both take the root ${one.root}${one.where === undefined ? '' : ' where the same is true'}`
  if (one.where !== undefined && other.where !== undefined) return undefined
  return `both take the root ${one.root}, and only one says where`
}

/** Sure where all that one asks for is asked by the other too: every document of the other is one of the first. */
function overlapOfJson(one: NonNullable<Identify['json']>, other: NonNullable<Identify['json']>): string | undefined {
  return includes(one, other) || includes(other, one) ? 'what identifies one identifies the other too' : undefined
}

function includes(wide: NonNullable<Identify['json']>, narrow: NonNullable<Identify['json']>): boolean {
  if (wide.datatype !== undefined && wide.datatype !== narrow.datatype) return false
  return Object.entries(wide.match ?? {}).every(([pointer, value]) => {
    return narrow.match !== undefined && Object.hasOwn(narrow.match, pointer) && narrow.match[pointer] === value
  })
}

import { type DocumentType, typeKey } from '../domain/document-type.ts'
import { OPAQUE_TYPE } from '../domain/envelope.ts'
import { didYouMean } from '../domain/nearest.ts'
import type { Conditions } from '../domain/route.ts'
import { parseVersionCondition, versionsMeeting } from '../domain/type-version.ts'
import { listOf, readConditions } from './conditions.ts'
import type { Group } from './kinds.ts'
import type { Complain, Path } from './problem.ts'
import { complainOfGroupFields } from './route-fields.ts'

/** What the conditions of a route can refer to. */
export interface WhenSurroundings {
  /** Names of all types, those with errors too. */
  readonly typeNames: ReadonlySet<string>
  /** Types without errors, by their keys. */
  readonly types: ReadonlyMap<string, DocumentType>
}

export interface ReadWhen {
  readonly conditions: Conditions
  /** The types that the route is for, all where it names none; undefined where one of them has errors, so that nothing is sure. */
  readonly types: readonly DocumentType[] | undefined
}

/** What a group takes from those around it. */
interface Scope {
  /** Names of the types that are in question; undefined where none are named. */
  readonly typeNames: readonly string[] | undefined
  /** Prefixes that the route itself declares, with the place of each. */
  readonly declared: ReadonlyMap<string, string>
}

/** Deeper than this, groups are a mistake, or an attempt on the stack. */
const GROUPS_DEEP = 8

/** A `when` with its groups; what is wrong with it beyond its schema is complained of. */
export function readWhen(when: Group, surroundings: WhenSurroundings, complain: Complain): ReadWhen {
  const read = readerOf(surroundings, complain)
  const conditions = read(when, ['when'], { typeNames: undefined, declared: new Map() })
  return { conditions, types: soundTypes(typeNamesOf(when), surroundings) }
}

type ReadGroup = (group: Group, path: Path, scope: Scope) => Conditions

function readerOf(surroundings: WhenSurroundings, complain: Complain): ReadGroup {
  const readOne: ReadGroup = (group, path, outer) => {
    complainOfUnknownTypes(group, path, surroundings, complain)
    const typeNames = typeNamesOf(group) ?? outer.typeNames
    const types = soundTypes(typeNames, surroundings)
    const own = Object.entries(group.namespaces ?? {})
    const declared = new Map([...outer.declared, ...own])
    complainOfRedeclared(own, outer, path, complain)
    const namespaces = mergeNamespaces(
      group,
      { types: typeNames === undefined ? [] : (types ?? []), declared },
      path,
      complain,
    )
    const read = readConditions(group, namespaces, path, complain)
    const conditions = {
      ...read,
      ...(read.type && { type: [...new Set(read.type.flatMap((name) => namesBehind(name, surroundings.types)))] }),
      ...readVersions(group, types, path, complain),
      ...readGroups(group, path, { typeNames, declared }),
    }
    if (types) complainOfGroupFields(conditions, types, path, complain)
    return conditions
  }

  function readGroups(group: Group, path: Path, scope: Scope): Pick<Conditions, 'all' | 'any' | 'not'> {
    const groups = (['all', 'any', 'not'] as const).flatMap((key) => {
      const written = group[key]
      if (written === undefined) return []
      if (path.filter((part) => typeof part === 'string').length > GROUPS_DEEP) {
        complain('groups-deep', [...path, key], `Groups are nested more than ${GROUPS_DEEP} deep`, { at: 'key' })
        return []
      }
      const isList = Array.isArray(written)
      return [
        [
          key,
          listOf(written).map((inner, at) => readOne(inner, [...path, key, ...(isList ? [at] : [])], scope)),
        ] as const,
      ]
    })
    return Object.fromEntries(groups)
  }

  return readOne
}

/** The types outside of which a group never holds; undefined where it says nothing of them. */
function typeNamesOf(group: Group): readonly string[] | undefined {
  if (group.type !== undefined) return listOf(group.type)
  const ofAll = (group.all ?? []).map(typeNamesOf).find((names) => names !== undefined)
  if (ofAll) return ofAll
  const ofAny = group.any?.map(typeNamesOf)
  return ofAny?.every((names) => names !== undefined) ? [...new Set(ofAny.flat())] : undefined
}

function soundTypes(
  names: readonly string[] | undefined,
  { typeNames, types }: WhenSurroundings,
): readonly DocumentType[] | undefined {
  const wanted = (names ?? [...typeNames]).filter((name) => name !== OPAQUE_TYPE)
  const members = wanted.map((name) => membersOf(name, types))
  return members.every((some) => some.length > 0) ? [...new Set(members.flat())] : undefined
}

/** All versions of the type of that name, and of the types of the family of that name. */
function membersOf(name: string, types: WhenSurroundings['types']): readonly DocumentType[] {
  return [...types.values()].filter((type) => type.name === name || type.families.includes(name))
}

/** The names of types that a name in `type` stands for: a family is all of its types. */
function namesBehind(name: string, types: WhenSurroundings['types']): readonly string[] {
  const names = membersOf(name, types).map((type) => type.name)
  return names.length > 0 ? names : [name]
}

function complainOfUnknownTypes(
  { type }: Group,
  path: Path,
  { typeNames, types }: WhenSurroundings,
  complain: Complain,
): void {
  if (type === undefined) return
  const known = new Set([...typeNames, ...[...types.values()].flatMap(({ families }) => families)])
  for (const [at, name] of listOf(type).entries()) {
    if (known.has(name) || name === OPAQUE_TYPE) continue
    const guess = didYouMean(name, [...known, OPAQUE_TYPE])
    const place = [...path, 'type', ...(Array.isArray(type) ? [at] : [])]
    complain('type-unknown', place, `Unknown document type "${name}"${guess}`)
  }
}

/** Which versions of the types in question are meant, as keys. With the types that there are now: they are asked anew with each reload. */
function readVersions(
  { version }: Group,
  types: readonly DocumentType[] | undefined,
  path: Path,
  complain: Complain,
): Pick<Conditions, 'version'> {
  if (version === undefined || types === undefined) return {}
  const names = [...new Set(types.map(({ name }) => name))]
  const keys = listOf(version).flatMap((text, at) => {
    const condition = parseVersionCondition(text)!
    const found = names.flatMap((name) =>
      versionsMeeting(
        condition,
        types.filter((type) => type.name === name),
      ),
    )
    if (found.length === 0) {
      const place = [...path, 'version', ...(Array.isArray(version) ? [at] : [])]
      const known = types.map(typeKey).join(', ')
      complain('version-unknown', place, `No type in question has version ${text}: there are ${known}`, {
        severity: 'warning',
      })
    }
    return found.map(typeKey)
  })
  return { version: [...new Set(keys)] }
}

function complainOfRedeclared(
  own: readonly (readonly [string, string])[],
  outer: Scope,
  path: Path,
  complain: Complain,
): void {
  for (const [prefix, name] of own) {
    const known = outer.declared.get(prefix)
    if (known === undefined || known === name) continue
    const message = `Prefix ${prefix} stands for ${known} in a group around and for ${name} here`
    complain('namespace-conflict', [...path, 'namespaces', prefix], message)
  }
}

interface Given {
  readonly types: readonly DocumentType[]
  readonly declared: ReadonlyMap<string, string>
}

function mergeNamespaces(
  group: Group,
  { types, declared }: Given,
  path: Path,
  complain: Complain,
): Readonly<Record<string, string>> {
  const merged = new Map<string, { readonly name: string; readonly by: string }>()
  const bind = (prefix: string, name: string, by: string, place: Path) => {
    const known = merged.get(prefix)
    if (!known || known.name === name) merged.set(prefix, { name, by })
    else if (group.xpath !== undefined || Object.hasOwn(group.namespaces ?? {}, prefix)) {
      const message = `Prefix ${prefix} stands for ${known.name} in ${known.by} and for ${name} in ${by}`
      complain('namespace-conflict', place, message)
    }
  }
  for (const type of types) {
    for (const [prefix, name] of Object.entries(type.namespaces)) {
      bind(prefix, name, `type ${type.name}`, [...path, 'type'])
    }
  }
  for (const [prefix, name] of declared) bind(prefix, name, 'the route', [...path, 'namespaces', prefix])
  return Object.fromEntries([...merged].map(([prefix, { name }]) => [prefix, name]))
}

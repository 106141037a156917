import type { Json } from '../domain/document.ts'
import { type DocumentType, typeKey } from '../domain/document-type.ts'
import type { FieldScalar } from '../domain/fields.ts'
import { nearest } from '../domain/nearest.ts'
import type { Conditions, Route, ValueCondition } from '../domain/route.ts'
import { compileValueConditions } from '../matching/value.ts'
import { readJsonShape, shapeAt } from './json-shape.ts'
import { readRngSchema } from './rng/read-grammar.ts'
import { readSchemaFiles } from './schema-files.ts'
import type { TypeDefinition, XsdSchema } from './xsd/components.ts'
import { readXsdSchema } from './xsd/read-schema.ts'
import { isNeverNumber, refusalOf, reviewXPath, type XPathRemark } from './xsd/review-xpath.ts'
import { enumerationOf } from './xsd/values.ts'
import { type Arrival, startWalk, typeOfSpot, type Walk } from './xsd/walk.ts'

/** Something in a document type or a route that its schema says can never be. */
export interface SchemaRemark {
  readonly kind: 'DocumentType' | 'Route'
  readonly name: string
  /** Place in its YAML. */
  readonly path: readonly (string | number)[]
  readonly code: XPathRemark['code']
  readonly message: string
}

/** What the schema says of the values of a field. */
export interface FieldShape {
  /** Types of the nodes that it is read from; undefined where not all of them are known. */
  readonly types: readonly TypeDefinition[] | undefined
  /** How many values it has at most. */
  readonly most: number
}

export interface SchemaReview {
  readonly remarks: readonly SchemaRemark[]
  /** All values that a field of a type, named by its key, can have, as they stand in documents; undefined where they are not known. */
  readonly valuesOf: (type: string, field: string) => readonly string[] | undefined
  /** How many values a field of a type can have; `Infinity` where that isn't known. */
  readonly mostOf: (type: string, field: string) => number
}

/**
 * Compares the paths and conditions of types and routes with the schemas of the types. Only what no valid document can have is
 * remarked on; types that let invalid documents through are passed over.
 *
 * @param types Sound ones: their XPaths compile.
 */
export function reviewBySchemas(types: readonly DocumentType[], routes: readonly Route[]): SchemaReview {
  const remarks: SchemaRemark[] = []
  const walks = walksOf(types)
  const shapes = new Map<string, FieldShape>()
  for (const type of types) {
    const walk = walks.get(typeKey(type))
    if (!walk) continue
    const note = noteFor('DocumentType', typeKey(type), remarks)
    const { where } = type.identify.xml!
    if (where !== undefined) note(['identify', 'xml', 'where'], reviewXPath(where, walk).remarks)
    for (const [field, { xpath }] of Object.entries(type.fields)) {
      if (xpath === undefined) continue
      const { remarks: found, arrival, most } = reviewXPath(xpath, walk)
      note(['fields', field, 'xpath'], found)
      shapes.set(`${typeKey(type)} ${field}`, { types: knownTypes(arrival), most })
    }
  }
  const json = reviewJson(types, remarks)
  const shapeOf = (type: string, field: string) => shapes.get(`${type} ${field}`)
  for (const route of routes) {
    // What no valid document has, an invalid one may have.
    if (route.takes !== undefined) continue
    const scope: Scope = { types, walks, shapeOf, json, note: noteFor('Route', route.name, remarks) }
    reviewGroup(route.when, types, ['when'], scope)
  }
  return {
    remarks,
    valuesOf: (type, field) => allValues(shapeOf(type, field)?.types),
    mostOf: (type, field) => shapeOf(type, field)?.most ?? Number.POSITIVE_INFINITY,
  }
}

/** Undefined where a node may be of a type that isn't known. */
function knownTypes({ spots, open }: Arrival): readonly TypeDefinition[] | undefined {
  const found = spots.map(typeOfSpot).filter((type) => type !== undefined)
  return open || spots.length === 0 || found.length < spots.length ? undefined : found
}

function isAskedFor(type: DocumentType, { type: names, version }: Conditions): boolean {
  return (names?.includes(type.name) ?? true) && (version?.includes(typeKey(type)) ?? true)
}

/** All values of the fields of JSON types, by type and field, where a schema lists them. */
function reviewJson(types: readonly DocumentType[], remarks: SchemaRemark[]): ReadonlyMap<string, readonly Json[]> {
  const listed = new Map<string, readonly Json[]>()
  for (const type of types) {
    const { identify, layers, fields, onInvalid } = type
    const name = typeKey(type)
    const source = layers.find(({ language, onInvalid: then }) => language === 'json' && then === 'reject')
    const schema = source && identify.json && onInvalid !== 'mark' ? readJsonShape(source.file) : undefined
    if (schema === undefined) continue
    for (const [field, from] of Object.entries(fields)) {
      const shape = shapeAt(schema, from)
      if (shape.kind === 'known' && shape.values) listed.set(`${name} ${field}`, shape.values)
      if (shape.kind !== 'impossible') continue
      const path = from.pointer ?? from.jsonpath ?? ''
      const message = `No valid document has ${path}: ${shape.message}`
      const place = ['fields', field, from.pointer === undefined ? 'jsonpath' : 'pointer']
      remarks.push({ kind: 'DocumentType', name, path: place, code: 'path-impossible', message })
    }
  }
  return listed
}

type Note = (path: SchemaRemark['path'], found: readonly Pick<XPathRemark, 'code' | 'message'>[]) => void

function noteFor(kind: SchemaRemark['kind'], name: string, remarks: SchemaRemark[]): Note {
  return (path, found) => {
    for (const { code, message } of found) remarks.push({ kind, name, path, code, message })
  }
}

function walksOf(types: readonly DocumentType[]): ReadonlyMap<string, Walk> {
  const schemas = new Map<string, XsdSchema | undefined>()
  const walks = new Map<string, Walk>()
  for (const type of types) {
    const { identify, layers, namespaces, onInvalid } = type
    const source = layers.find(
      ({ language, onInvalid: then }) => language in READERS && then !== 'warn' && then !== 'mark',
    )
    if (!source || !identify.xml || onInvalid === 'mark') continue
    const key = `${source.folder} ${source.file}`
    if (!schemas.has(key)) schemas.set(key, schemaOf({ ...source, language: source.language as Language }))
    const schema = schemas.get(key)
    if (schema) walks.set(typeKey(type), startWalk(schema, identify.xml.root, namespaces))
  }
  return walks
}

const READERS = { xsd: readXsdSchema, rng: readRngSchema } as const
type Language = keyof typeof READERS

function schemaOf(source: Parameters<typeof readSchemaFiles>[0] & { readonly language: Language }) {
  const files = readSchemaFiles(source)
  return files.problems.length > 0 ? undefined : READERS[source.language](files)
}

function allValues(types: readonly TypeDefinition[] | undefined): readonly string[] | undefined {
  const lists = types?.map(enumerationOf)
  return lists?.every((list) => list !== undefined) ? [...new Set(lists.flat())] : undefined
}

// -------------------------------------------------------------------------------------------------------- routes

interface Scope {
  readonly types: readonly DocumentType[]
  readonly walks: ReadonlyMap<string, Walk>
  readonly shapeOf: (type: string, field: string) => FieldShape | undefined
  readonly json: ReadonlyMap<string, readonly Json[]>
  readonly note: Note
}

function reviewGroup(
  group: Conditions,
  outer: readonly DocumentType[],
  path: SchemaRemark['path'],
  scope: Scope,
): void {
  const types = (group.type ? scope.types : outer).filter((type) => isAskedFor(type, group))
  for (const [field, conditions] of Object.entries(group.fields ?? {})) {
    reviewConditions(field, conditions, types, [...path, 'fields', field], scope)
    reviewJsonConditions(field, conditions, types, [...path, 'fields', field], scope)
  }
  if (group.xpath !== undefined) {
    scope.note([...path, 'xpath'], remarksOfAll(group.xpath, group.namespaces, types, scope))
  }
  for (const key of ['all', 'any', 'not'] as const) {
    for (const [at, inner] of (group[key] ?? []).entries()) reviewGroup(inner, types, [...path, key, at], scope)
  }
}

/** What the schemas of all types in question remark on: a path may be meant for one of several. */
function remarksOfAll(
  xpath: string,
  namespaces: Conditions['namespaces'],
  types: readonly DocumentType[],
  { walks }: Scope,
): readonly XPathRemark[] {
  const xml = types.filter(({ identify }) => identify.xml)
  const known = xml.map((type) => walks.get(typeKey(type)))
  if (known.length === 0 || !known.every((walk) => walk !== undefined)) return []
  const [first, ...others] = known.map((walk) => reviewXPath(xpath, { ...walk, namespaces }).remarks)
  return first!.flatMap((remark) => {
    const alike = others.map((found) => found.find(({ about }) => about === remark.about))
    if (!alike.every((other) => other !== undefined)) return []
    // The type that was probably meant knows most of the path.
    return [alike.reduce((best, other) => (other.depth > best.depth ? other : best), remark)]
  })
}

function reviewConditions(
  field: string,
  conditions: readonly ValueCondition[],
  types: readonly DocumentType[],
  path: SchemaRemark['path'],
  scope: Pick<Scope, 'shapeOf' | 'note'>,
): void {
  const { shapeOf, note } = scope
  const having = types.filter(({ fields }) => Object.hasOwn(fields, field))
  const shapes = having.map((type) => ({ as: type.fields[field]!.as, types: shapeOf(typeKey(type), field)?.types }))
  const values = shapes.flatMap((shape) => shape.types ?? [])
  if (shapes.length === 0 || shapes.some((shape) => shape.types === undefined || shape.as === 'boolean')) return
  for (const [at, condition] of conditions.entries()) {
    const place = [...path, at]
    const reason = neverHolds(condition, values)
    if (reason !== undefined) note(place, [{ code: 'value-impossible', message: `Field ${field} ${reason}` }])
    if (condition.kind === 'not') reviewConditions(field, condition.conditions, types, [...place, 'not'], scope)
  }
}

function reviewJsonConditions(
  field: string,
  conditions: readonly ValueCondition[],
  types: readonly DocumentType[],
  path: SchemaRemark['path'],
  { json, note }: Pick<Scope, 'json' | 'note'>,
): void {
  const having = types.filter(({ fields }) => Object.hasOwn(fields, field))
  const lists = having.map((type) =>
    type.fields[field]!.as === undefined ? json.get(`${typeKey(type)} ${field}`) : undefined,
  )
  if (lists.length === 0 || !lists.every((list) => list !== undefined)) return
  const values = lists.flat().filter((value) => typeof value !== 'object' || value === null) as FieldScalar[]
  for (const [at, condition] of conditions.entries()) {
    if (condition.kind !== 'is' || compileValueConditions([condition]).holds(values)) continue
    const near = nearest(String(condition.value), values.map(String))
    const known = near === undefined ? values.slice(0, VALUES_SHOWN).map(String).join(', ') : `"${near}" among others`
    const message = `Field ${field} is never ${JSON.stringify(condition.value)}: the schema lists ${known}`
    note([...path, at], [{ code: 'value-impossible', message }])
  }
}

const VALUES_SHOWN = 8

function neverHolds(condition: ValueCondition, types: readonly TypeDefinition[]): string | undefined {
  switch (condition.kind) {
    case 'is':
      return neverIs(condition.value, types)
    case 'prefix':
    case 'suffix':
    case 'contains': {
      const values = allValues(types)
      if (!values || values.some((value) => hasPart(value, condition.kind, condition.text))) return undefined
      return `never has the ${condition.kind === 'contains' ? 'part' : condition.kind} ${condition.text}: no value that the schema lists has it`
    }
    case 'compare':
      return types.every(isNeverNumber) ? 'is never a number by the schema' : undefined
    case 'exists':
    case 'not':
      return undefined
  }
}

function neverIs(value: string | number | boolean | null, types: readonly TypeDefinition[]): string | undefined {
  if (typeof value === 'number') {
    const values = allValues(types)
    const isListed = values?.some((one) => one !== '' && Number(one) === value) ?? !types.every(isNeverNumber)
    return isListed
      ? undefined
      : `is never ${value}: ${values ? 'the schema lists other values' : 'it is no number by the schema'}`
  }
  if (value === null) return undefined
  const reason = refusalOf(types, String(value))
  return reason === undefined ? undefined : `is never "${value}": ${reason}`
}

function hasPart(value: string, kind: 'prefix' | 'suffix' | 'contains', text: string): boolean {
  if (kind === 'prefix') return value.startsWith(text)
  return kind === 'suffix' ? value.endsWith(text) : value.includes(text)
}

import { readFileSync } from 'node:fs'
import type { Json } from '../domain/document.ts'
import type { FieldSource } from '../domain/fields.ts'
import { nearest } from '../domain/nearest.ts'
import { readQuery } from './jsonpath/read-query.ts'
import { isObject, parsePointer } from './pointer.ts'

/** What a JSON Schema says of a place in documents, as far as it is said plainly: by `properties`, `items` and local references. */
export type JsonShape =
  /** Nothing can be told. */
  | { readonly kind: 'open' }
  | { readonly kind: 'impossible'; readonly message: string }
  /** `values`: all that may stand there, where they are listed. */
  | { readonly kind: 'known'; readonly values: readonly Json[] | undefined }

const OPEN: JsonShape = { kind: 'open' }

/** The schema in a file; undefined where it can't be read: that is complained of where it is compiled. */
export function readJsonShape(file: string): Json | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Json
  } catch {
    return undefined
  }
}

/** One step into a document: a key, or some of what is in a list. */
type Step = { readonly kind: 'key'; readonly name: string } | { readonly kind: 'items' }

/** What may stand where a field is read from. */
export function shapeAt(schema: Json, source: FieldSource): JsonShape {
  const steps = source.jsonpath === undefined ? stepsOfPointer(source.pointer ?? '') : stepsOfQuery(source.jsonpath)
  let at: Json | undefined = plain(schema, schema)
  for (const step of steps ?? []) {
    if (at === undefined) return OPEN
    const next = stepInto(at, step)
    if (next.kind !== 'schema') return next
    at = plain(next.schema, schema)
  }
  return steps && at !== undefined ? { kind: 'known', values: valuesOf(at) } : OPEN
}

function stepsOfPointer(pointer: string): readonly Step[] | undefined {
  return parsePointer(pointer)?.map((name) => ({ kind: 'key', name }))
}

/** Undefined where it goes below, or to several places at once. */
function stepsOfQuery(text: string): readonly Step[] | undefined {
  const steps: Step[] = []
  for (const { kind, selectors } of readQuery(text).segments) {
    const [only] = selectors
    if (kind === 'descendant' || selectors.length !== 1 || !only) return undefined
    if (only.kind === 'name') steps.push({ kind: 'key', name: only.name })
    else steps.push({ kind: 'items' })
  }
  return steps
}

/** Keywords under which more than `properties` and `items` has a say. */
const COMPOSED: readonly string[] = [
  'allOf',
  'anyOf',
  'oneOf',
  'if',
  'not',
  'dependentSchemas',
  'dependencies',
  'patternProperties',
  'prefixItems',
  '$dynamicRef',
  '$recursiveRef',
]

const REFERENCES_AT_MOST = 50

/** The schema behind local references; undefined where it isn't plain. */
function plain(schema: Json, root: Json): Json | undefined {
  let at: Json | undefined = schema
  for (let count = 0; count < REFERENCES_AT_MOST; count += 1) {
    if (!isObject(at) || COMPOSED.some((keyword) => Object.hasOwn(at as object, keyword))) return undefined
    const reference: Json | undefined = at.$ref
    if (reference === undefined) return at
    if (typeof reference !== 'string' || !reference.startsWith('#') || !isReferenceAlone(at)) return undefined
    at = referred(reference, root)
  }
  return undefined
}

/** Since 2019-09 what stands beside a reference counts as well. */
function isReferenceAlone(schema: { readonly [key: string]: Json }): boolean {
  const silent: readonly string[] = ['$ref', '$comment', 'title', 'description', 'default', 'examples', 'deprecated']
  return Object.keys(schema).every((key) => silent.includes(key))
}

function referred(reference: string, root: Json): Json | undefined {
  const tokens = parsePointer(decodeURIComponent(reference.slice(1)))
  return tokens?.reduce<Json | undefined>(
    (at, token) => (isObject(at) && Object.hasOwn(at, token) ? at[token] : undefined),
    root,
  )
}

type Next = JsonShape | { readonly kind: 'schema'; readonly schema: Json }

function stepInto(schema: Json, step: Step): Next {
  if (!isObject(schema)) return OPEN
  const types = [schema.type ?? []].flat() as readonly Json[]
  if (step.kind === 'key') return keyOf(schema, types, step.name)
  const { items } = schema
  // A wildcard takes the items of a list, and the values of a mapping, which may be of any kind.
  if (types.length !== 1 || types[0] !== 'array') return OPEN
  return isObject(items) ? { kind: 'schema', schema: items } : OPEN
}

function keyOf(schema: { readonly [key: string]: Json }, types: readonly Json[], name: string): Next {
  // A number in a pointer may be a place in a list.
  if (types.includes('array') || types.length === 0) return /^\d+$/.test(name) ? OPEN : inProperties(schema, name)
  if (types.includes('object')) return inProperties(schema, name)
  return {
    kind: 'impossible',
    message: `the schema has ${types.join(' or ')} where ${JSON.stringify(name)} is looked for`,
  }
}

function inProperties(schema: { readonly [key: string]: Json }, name: string): Next {
  const properties = isObject(schema.properties) ? schema.properties : {}
  if (Object.hasOwn(properties, name)) return { kind: 'schema', schema: properties[name]! }
  if (schema.additionalProperties !== false) return OPEN
  const guess = nearest(name, Object.keys(properties))
  const near = guess === undefined ? '' : ` (did you mean "${guess}"?)`
  return {
    kind: 'impossible',
    message: `the schema has no key ${JSON.stringify(name)} there, and allows no others${near}`,
  }
}

function valuesOf(schema: Json): readonly Json[] | undefined {
  if (!isObject(schema)) return undefined
  if (Object.hasOwn(schema, 'const')) return [schema.const!]
  if (Array.isArray(schema.enum)) return schema.enum as readonly Json[]
  return schema.type === 'boolean' ? [true, false] : undefined
}

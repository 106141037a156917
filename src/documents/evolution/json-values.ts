import { isDeepStrictEqual } from 'node:util'
import type { Json } from '../../domain/document.ts'
import { isObject } from '../pointer.ts'
import {
  gather,
  itemsOf,
  type JsonSchemaObject,
  listedIn,
  namesIn,
  propertyOf,
  requiredIn,
  strictest,
  type Together,
  typeOfValue,
  typesOf,
  typesSaid,
} from './json-facts.ts'

// ------------------------------------------------------------------------------------------------- listed values

/** Whether a listed value satisfies a schema; undefined where that isn't easily told. The validator has the last word elsewhere. */
export function satisfies(value: Json, schema: Json, root: JsonSchemaObject): boolean | undefined {
  if (!isObject(schema)) return schema !== false
  const { schemas, never, open } = gather([schema], root)
  if (never) return false
  const answers = schemas.map((one) => satisfiesOne(value, one))
  if (answers.includes(false)) return false
  return open || answers.includes(undefined) ? undefined : true
}

const TOLD: ReadonlySet<string> = new Set([
  ...['type', 'enum', 'const', 'allOf', '$ref', '$schema', '$id', '$defs', 'definitions', 'title', 'description'],
  ...['$comment', 'default', 'examples', 'deprecated', 'minLength', 'maxLength', 'minimum', 'maximum'],
])

function satisfiesOne(value: Json, schema: JsonSchemaObject): boolean | undefined {
  const { enum: listed, const: constant, minLength, maxLength, minimum, maximum } = schema
  const types = typesSaid(schema)
  if (types && !types.has(typeOfValue(value))) return false
  if (Array.isArray(listed) && !listed.some((one) => isDeepStrictEqual(one, value))) return false
  if (constant !== undefined && !isDeepStrictEqual(constant, value)) return false
  if (typeof value === 'string' && isOutside([...value].length, minLength, maxLength)) return false
  if (typeof value === 'number' && isOutside(value, minimum, maximum)) return false
  return Object.keys(schema).every((keyword) => TOLD.has(keyword)) || undefined
}

function isOutside(value: number, least: Json | undefined, most: Json | undefined): boolean {
  return (typeof least === 'number' && value < least) || (typeof most === 'number' && value > most)
}

// ------------------------------------------------------------------------------------------------------ samples

const VALUES_AT_MOST = 60
const DEPTH_AT_MOST = 6

const PLAIN: readonly Json[] = ['x', 1, true, null, 1.5, [], {}]

/** Values to try: of the old version's make, with the edges of both. Whether they are valid is asked of the validators. */
export function proposeValues(old: Together, next: Together, depth = 0): readonly Json[] {
  const cases = [...alternatives(old), old]
  const values = cases.flatMap((one) => [
    ...(listedIn(one) ?? []),
    ...(listedIn(next) ?? []),
    ...valuesByType(one, next, depth),
  ])
  const distinct = new Map(values.map((value) => [JSON.stringify(value), value]))
  return [...distinct.values()].slice(0, depth === 0 ? 5_000 : VALUES_AT_MOST)
}

function alternatives({ schemas, root }: Together): readonly Together[] {
  const cases = schemas.flatMap(({ anyOf, oneOf }) => [anyOf, oneOf].flatMap((one) => (Array.isArray(one) ? one : [])))
  return cases.slice(0, 10).map((one) => gather([...schemas.map(withoutCases), one], root))
}

function withoutCases({ anyOf: _, oneOf: __, ...rest }: JsonSchemaObject): JsonSchemaObject {
  return rest
}

function valuesByType(old: Together, next: Together, depth: number): readonly Json[] {
  const types = typesOf(old)
  const values: Json[] = []
  if (types.has('string')) values.push(...strings(old, next))
  if (types.has('integer') || types.has('fraction')) values.push(...numbers(old, next))
  values.push(...PLAIN.filter((value) => types.has(typeOfValue(value))), ...(types.has('boolean') ? [false] : []))
  if (depth >= DEPTH_AT_MOST) return values
  if (types.has('object')) values.push(...objects(old, next, depth))
  if (types.has('array')) values.push(...arrays(old, next, depth))
  return values
}

const FORMATTED = [
  ...['2026-01-01', '2026-01-01T00:00:00Z', 'a@example.org', 'https://example.org/'],
  ...['0192a4d0-0000-7000-8000-000000000000', '12:00:00Z', 'A', 'AB', 'ABC', 'abc', '1', '12', '123'],
]

function strings(old: Together, next: Together): readonly Json[] {
  const lengths = [old, next].flatMap((one) => [
    strictest(one, 'minLength', Math.max),
    strictest(one, 'maxLength', Math.min),
  ])
  const edges = lengths.flatMap((length) => (length === undefined ? [] : [length - 1, length, length + 1]))
  const sized = edges.filter((length) => length >= 0 && length <= 10_000).map((length) => 'x'.repeat(length))
  return ['x', '', ...sized, ...FORMATTED]
}

function numbers(old: Together, next: Together): readonly Json[] {
  const names = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']
  const edges = [old, next].flatMap(({ schemas }) => schemas.flatMap((schema) => names.map((name) => schema[name])))
  const around = edges.flatMap((edge) =>
    typeof edge === 'number' ? [edge, edge - 1, edge + 1, edge + 0.5, edge - 0.5] : [],
  )
  return [...around, 0, 1, -1, 1.5, 2, 3, 1_000_000]
}

function objects(old: Together, next: Together, depth: number): readonly Json[] {
  const names = [...new Set([...namesIn(old), ...namesIn(next), 'other'])]
  const needed = requiredIn(old)
  const values = new Map(
    names.map((name) => [name, proposeValues(propertyOf(old, name), propertyOf(next, name), depth + 1)]),
  )
  for (const name of needed) {
    if (!values.has(name)) values.set(name, proposeValues(propertyOf(old, name), propertyOf(next, name), depth + 1))
  }
  const least = objectOf([...needed].map((name) => [name, values.get(name)?.[0] ?? 'x']))
  const declared = namesIn(old).filter((name) => (values.get(name)?.length ?? 0) > 0)
  const full = objectOf(declared.map((name) => [name, values.get(name)![0]!]))
  const varied = [...values].flatMap(([name, all]) => all.flatMap((value) => [{ ...least, [name]: value }]))
  const fullVaried = [...values].flatMap(([name, all]) => all.slice(0, 8).map((value) => ({ ...full, [name]: value })))
  const firstValid = [...needed].flatMap((name) =>
    (values.get(name) ?? []).slice(1, 12).map((value) => ({ ...least, [name]: value })),
  )
  return [least, ...varied, full, ...fullVaried, ...firstValid]
}

function objectOf(entries: readonly (readonly [string, Json])[]): { readonly [name: string]: Json } {
  return Object.fromEntries(entries)
}

function arrays(old: Together, next: Together, depth: number): readonly Json[] {
  const items = proposeValues(itemsOf(old), itemsOf(next), depth + 1)
  const counts = [old, next].flatMap((one) => [
    strictest(one, 'minItems', Math.max),
    strictest(one, 'maxItems', Math.min),
  ])
  const edges = counts.flatMap((count) => (count === undefined ? [] : [count - 1, count, count + 1]))
  const repeated = [...edges, 2].filter((count) => count >= 0 && count <= 200)
  const [first = 'x'] = items
  return [
    ...items.map((item) => [item]),
    ...repeated.map((count) => Array(count).fill(first) as Json[]),
    [first, ...items.slice(0, 3)],
  ]
}

import { isDeepStrictEqual } from 'node:util'
import type { Json } from '../../domain/document.ts'
import { isObject, parsePointer, valueAt } from '../pointer.ts'

export type JsonSchemaObject = { readonly [keyword: string]: Json }

/** What holds together: all of the schemas that a value must satisfy at one place, `allOf` and `$ref` taken apart. */
export interface Together {
  readonly schemas: readonly JsonSchemaObject[]
  readonly root: JsonSchemaObject
  /** One of them is `false`. */
  readonly never: boolean
  /** Not all of them could be found. */
  readonly open: boolean
}

const PARTS_AT_MOST = 200

export function gather(parts: readonly Json[], root: JsonSchemaObject): Together {
  const schemas: JsonSchemaObject[] = []
  const pending = [...parts]
  let never = false
  let open = false
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    if (next === false) never = true
    if (!isObject(next) || schemas.includes(next)) continue
    if (schemas.length > PARTS_AT_MOST) return { schemas, root, never, open: true }
    schemas.push(next)
    if (Array.isArray(next.allOf)) pending.push(...next.allOf)
    if (typeof next.$ref !== 'string') continue
    const target = referred(next.$ref, root)
    if (target === undefined) open = true
    else pending.push(target)
  }
  return { schemas, root, never, open }
}

/** In the same file, by a JSON Pointer. */
export function referred(reference: string, root: JsonSchemaObject): Json | undefined {
  if (reference === '#') return root
  const keys = reference.startsWith('#/') ? parsePointer(decodeURIComponent(reference.slice(1))) : undefined
  return keys && valueAt(root, keys)
}

export const JSON_TYPES = ['null', 'boolean', 'integer', 'fraction', 'string', 'array', 'object'] as const

/** `number` is both of `integer` and `fraction`. */
export type JsonType = (typeof JSON_TYPES)[number]

export function typesOf({ schemas }: Together): ReadonlySet<JsonType> {
  const types = new Set<JsonType>(JSON_TYPES)
  for (const schema of schemas) {
    const said = typesSaid(schema)
    for (const type of said ? [...types] : []) if (!said!.has(type)) types.delete(type)
  }
  return types
}

export function typesSaid({ type }: JsonSchemaObject): ReadonlySet<JsonType> | undefined {
  if (type === undefined) return undefined
  const names = Array.isArray(type) ? type : [type]
  return new Set(names.flatMap((name) => (name === 'number' ? ['integer', 'fraction'] : [name])) as JsonType[])
}

export function typeOfValue(value: Json): JsonType {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'fraction'
  return typeof value as 'boolean' | 'string' | 'object'
}

/** The values that are all there can be, where a schema lists them. */
export function listedIn({ schemas }: Together): readonly Json[] | undefined {
  for (const { enum: listed, const: constant } of schemas) {
    if (constant !== undefined) return [constant]
    if (Array.isArray(listed)) return listed
  }
  return undefined
}

/** The largest, or smallest, of what the schemas say by one keyword. */
export function strictest(
  { schemas }: Together,
  keyword: string,
  pick: (...values: number[]) => number,
): number | undefined {
  const said = schemas.map((schema) => schema[keyword]).filter((value) => typeof value === 'number')
  return said.length === 0 ? undefined : pick(...said)
}

export function requiredIn({ schemas }: Together): ReadonlySet<string> {
  return new Set(schemas.flatMap(({ required }) => (Array.isArray(required) ? (required as string[]) : [])))
}

/** What holds for a property; of one that no schema names where the name is left out. */
export function propertyOf({ schemas, root }: Together, name: string | undefined): Together {
  return gather(
    schemas.flatMap((schema) => propertyIn(schema, name)),
    root,
  )
}

export function propertyIn(schema: JsonSchemaObject, name: string | undefined): readonly Json[] {
  const { properties, additionalProperties, patternProperties } = schema
  if (name !== undefined && isObject(properties) && Object.hasOwn(properties, name)) return [properties[name]!]
  // Whether a pattern takes the name is not asked: then nothing is known of it by this schema.
  if (additionalProperties === undefined || isObject(patternProperties)) return []
  return [additionalProperties]
}

export function namesIn({ schemas }: Together): readonly string[] {
  return [...new Set(schemas.flatMap(({ properties }) => (isObject(properties) ? Object.keys(properties) : [])))]
}

export function itemsOf({ schemas, root }: Together): Together {
  const parts = schemas.flatMap(({ items, prefixItems }) => {
    return items === undefined || Array.isArray(items) || prefixItems !== undefined ? [] : [items]
  })
  return gather(parts, root)
}

/** Whether what a schema says by these keywords is said by the same words by one of the others; references may mean something else there. */
export function isSaidBy(schema: JsonSchemaObject, keywords: readonly string[], { schemas }: Together): boolean {
  const mine = keywords.map((keyword) => schema[keyword])
  if (JSON.stringify(mine).includes('"$')) return false
  return schemas.some((other) =>
    isDeepStrictEqual(
      mine,
      keywords.map((keyword) => other[keyword]),
    ),
  )
}

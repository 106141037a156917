import type { Json } from '../domain/document.ts'
import { isObject } from './pointer.ts'

interface Schema {
  readonly [keyword: string]: Json
}

/** Keywords whose value is a schema, a list of schemas, or schemas by name (JSON Schema 2019-09 and 2020-12). */
const ONE = new Set([
  ...['items', 'additionalItems', 'additionalProperties', 'propertyNames', 'contains', 'not', 'if', 'then', 'else'],
  ...['unevaluatedItems', 'unevaluatedProperties'],
])
const SEVERAL = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items'])
const NAMED = new Set(['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'])

/** Whose schemas judge the same value as the schema that they stand in. */
const IN_PLACE = ['allOf', 'anyOf', 'oneOf', 'if', 'then', 'else'] as const
/** Of these, those that may or may not hold. */
const BRANCHES: ReadonlySet<string> = new Set(['anyOf', 'oneOf', 'if', 'then', 'else'])

/**
 * What ajv is known to judge wrongly, so that documents would be taken that the schema forbids: such a schema is refused
 * instead (docs/schemas.md). Found by the official tests of JSON Schema 2020-12. Gives the reason, undefined where there is none.
 */
export function misjudged(root: Schema): string | undefined {
  for (const schema of schemasWithin(root)) {
    const reason = reasonOf(schema, root)
    if (reason !== undefined) return reason
  }
  return undefined
}

function reasonOf(schema: Schema, root: Schema): string | undefined {
  if (schema.$dynamicRef !== undefined && schema.$dynamicRef !== `#${root.$dynamicAnchor}`)
    return `$dynamicRef is ${JSON.stringify(schema.$dynamicRef)}: it is understood with the $dynamicAnchor of the whole file only`
  if (isObject(schema.properties) && Object.hasOwn(schema.properties, '__proto__'))
    return 'a property is called __proto__, and would not be checked'
  if (schema.unevaluatedItems !== undefined && inPlace(schema).some(({ part }) => part.contains !== undefined))
    return 'unevaluatedItems beside contains would take items that neither allows'
  if (schema.unevaluatedItems !== undefined && inPlace(schema).some(isItemsInBranch))
    return 'unevaluatedItems beside items in anyOf, oneOf or if would take items that neither allows'
  if (schema.unevaluatedProperties !== undefined && inPlace(schema).some(isElseWithoutThen))
    return 'unevaluatedProperties beside if and else without then would take properties that none allows'
  return undefined
}

interface InPlace {
  readonly part: Schema
  readonly isBranch: boolean
}

function isItemsInBranch({ part, isBranch }: InPlace): boolean {
  return isBranch && part.items !== undefined
}

function isElseWithoutThen({ part }: InPlace): boolean {
  return part.if !== undefined && part.else !== undefined && part.then === undefined
}

/** The schema with all that judge the same value, references left aside. */
function inPlace(part: Schema, isBranch = false): readonly InPlace[] {
  const others = IN_PLACE.flatMap((keyword) => {
    const value = part[keyword]
    const schemas: readonly (Json | undefined)[] = Array.isArray(value) ? value : [value]
    return schemas.filter(isObject).flatMap((one) => inPlace(one, isBranch || BRANCHES.has(keyword)))
  })
  return [{ part, isBranch }, ...others]
}

/** It, and all within it. A schema stands where a keyword says so: a property may be called like a keyword. */
function* schemasWithin(schema: Schema): Generator<Schema> {
  yield schema
  for (const [keyword, value] of Object.entries(schema)) {
    for (const one of schemasOf(keyword, value)) if (isObject(one)) yield* schemasWithin(one)
  }
}

function schemasOf(keyword: string, value: Json): readonly Json[] {
  if (Array.isArray(value)) return SEVERAL.has(keyword) ? value : []
  if (NAMED.has(keyword)) return isObject(value) ? Object.values(value) : []
  return ONE.has(keyword) ? [value] : []
}

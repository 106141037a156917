import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { Json } from '../../domain/document.ts'
import type { SchemaSource } from '../../domain/document-type.ts'
import { compileJsonSchemaNow, type JsonSchema } from '../json-schema.ts'
import { isObject } from '../pointer.ts'
import { gather, type JsonSchemaObject } from './json-facts.ts'
import { findJsonGaps } from './json-inclusion.ts'
import { proposeValues } from './json-values.ts'
import { NotComparable } from './not-comparable.ts'
import type { Difference, Verdict, Witness } from './verdict.ts'

/** Compares two JSON Schemas; a difference counts when ajv accepts a value by the one and refuses it by the other. */
export function compareJson(old: SchemaSource, next: SchemaSource, budgetMs: number): Verdict {
  const [mine, other] = [compiled(old), compiled(next)]
  const [schema, nextSchema] = [rootOf(old), rootOf(next)]
  if (isDeepStrictEqual(schema, nextSchema) && !refersOutside(schema)) return { kind: 'compatible' }
  const gaps = [...resourcesWithin(schema), ...resourcesWithin(nextSchema), ...findJsonGaps(schema, nextSchema)]
  if (gaps.length === 0) return { kind: 'compatible' }
  const witness = findWitness(schema, nextSchema, mine, other, budgetMs)
  if (!witness) return { kind: 'unknown', reasons: gaps.slice(0, 20) }
  return { kind: 'incompatible', witness, others: gaps.filter(({ path }) => path !== witness.path).slice(0, 20) }
}

function compiled(source: SchemaSource): JsonSchema {
  const { schema, problems } = compileJsonSchemaNow(source)
  if (!schema) throw new NotComparable(problems)
  return schema
}

function rootOf({ file }: SchemaSource): JsonSchemaObject {
  // Compiled a moment ago: it is an object.
  return JSON.parse(readFileSync(file, 'utf8')) as JsonSchemaObject
}

function refersOutside(schema: Json): boolean {
  if (Array.isArray(schema)) return schema.some(refersOutside)
  if (!isObject(schema)) return false
  const { $ref } = schema
  return (typeof $ref === 'string' && !$ref.startsWith('#')) || Object.values(schema).some(refersOutside)
}

/** Within a schema with an `$id` of its own, references start anew (JSON Schema 2020-12, Core 8.2.1). */
function resourcesWithin(root: JsonSchemaObject): readonly Difference[] {
  const hasId = (schema: Json): boolean => {
    if (Array.isArray(schema)) return schema.some(hasId)
    return isObject(schema) && (typeof schema.$id === 'string' || Object.values(schema).some(hasId))
  }
  if (!Object.values(root).some(hasId)) return []
  return [{ path: '', message: 'schemas with an $id within a schema are not compared', old: '', new: '' }]
}

function findWitness(
  schema: JsonSchemaObject,
  nextSchema: JsonSchemaObject,
  old: JsonSchema,
  next: JsonSchema,
  budgetMs: number,
): Witness | undefined {
  const endMs = performance.now() + budgetMs
  const values = proposeValues(gather([schema], schema), gather([nextSchema], nextSchema))
  const bySize = values.map((value) => ({ value, text: JSON.stringify(value) })).toSorted(smallerFirst)
  for (const { value, text } of bySize) {
    if (performance.now() > endMs) return undefined
    if (old.validate(value).length > 0) continue
    const [finding] = next.validate(value)
    if (!finding) continue
    const refusal = `${finding.path || 'the document'} ${finding.message}`
    const place = { path: finding.path, message: finding.message, old: '', new: '' }
    return { ...place, document: text, mediaType: 'application/json', refusal }
  }
  return undefined
}

function smallerFirst(one: { readonly text: string }, other: { readonly text: string }): number {
  return one.text.length - other.text.length
}

import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import { compareSchemas } from '../../../src/documents/evolution/compare-schemas.ts'
import type { Json } from '../../../src/domain/document.ts'
import { sourceOf } from './given.ts'
import { JSON_PAIRS } from './json-pairs.ts'

const ANSWERS = { compatible: 'yes', incompatible: 'no', unknown: '?' } as const

function isValid(schema: Json, document: string): boolean {
  const ajv = new Ajv2020({ strict: false })
  addFormats.default(ajv)
  return ajv.validate(schema as object, JSON.parse(document))
}

function answer(old: Json, next: Json): string {
  const [one, other] = [old, next].map((schema) => sourceOf('json', { 'a.json': JSON.stringify(schema) }))
  const verdict = compareSchemas(one!, other!)
  if (verdict.kind === 'incompatible') {
    expect(isValid(old, verdict.witness.document)).toBe(true)
    expect(isValid(next, verdict.witness.document)).toBe(false)
  }
  return ANSWERS[verdict.kind]
}

describe('versions of a JSON Schema, backward and forward, with every witness shown to ajv', () => {
  it.each(JSON_PAIRS)('%s', (_, old, next, backward, forward) => {
    expect([answer(old, next), answer(next, old)]).toEqual([backward, forward])
  })
})

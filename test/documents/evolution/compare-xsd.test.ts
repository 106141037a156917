import { describe, expect, it } from 'vitest'
import { compareSchemas } from '../../../src/documents/evolution/compare-schemas.ts'
import type { SchemaSource } from '../../../src/domain/document-type.ts'
import { isAccepted, xsdSource } from './given.ts'
import { XSD_PAIRS } from './xsd-pairs.ts'

const ANSWERS = { compatible: 'yes', incompatible: 'no', unknown: '?' } as const

function answer(old: SchemaSource, next: SchemaSource): string {
  const verdict = compareSchemas(old, next)
  if (verdict.kind === 'incompatible') {
    expect(isAccepted(old, verdict.witness.document)).toBe(true)
    expect(isAccepted(next, verdict.witness.document)).toBe(false)
  }
  return ANSWERS[verdict.kind]
}

describe('versions of an XML Schema, backward and forward, with every witness shown to both validators', () => {
  it.each(XSD_PAIRS)('%s', (_, oldText, newText, backward, forward) => {
    const [old, next] = [xsdSource(oldText), xsdSource(newText)]
    expect([answer(old, next), answer(next, old)]).toEqual([backward, forward])
  })
})

import { describe, expect, it } from 'vitest'
import { envelopeIdAt, isEnvelopeId } from '../../src/flow/ids.ts'

describe('an envelope id', () => {
  it('is a UUIDv7 in lower case that tells its millisecond', () => {
    const atMs = Date.now() + 60_000
    const id = envelopeIdAt(atMs)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(Number.parseInt(id.slice(0, 13).replace('-', ''), 16)).toBe(atMs)
  })

  it('rises and never repeats, also when more are made than a millisecond can count and when the clock steps back', () => {
    const atMs = Date.now() + 120_000
    const ids = Array.from({ length: 10_000 }, (_, at) => envelopeIdAt(atMs - (at % 7)))
    expect(new Set(ids).size).toBe(ids.length)
    expect([...ids].sort()).toEqual(ids)
  })

  const table: readonly (readonly [text: string, is: boolean])[] = [
    ['01932b4e-7d3a-7abc-8def-0123456789ab', true],
    ['01932B4E-7D3A-7ABC-8DEF-0123456789AB', false],
    ['01932b4e-7d3a-4abc-8def-0123456789ab', false],
    ['01932b4e-7d3a-7abc-cdef-0123456789ab', false],
    ['01932b4e-7d3a-7abc-8def-0123456789ab.0', false],
    ['current', false],
    ['', false],
  ]
  it.each(table)('of %j is recognised: %j', (text, is) => expect(isEnvelopeId(text)).toBe(is))
})

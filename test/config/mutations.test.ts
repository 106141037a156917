import { describe, expect, it } from 'vitest'
import { schemaOf } from '../../src/config/kind-schemas.ts'
import { load } from './folder.ts'

const ROUNDS = 150
const WORDS = [
  '{',
  '}',
  '[',
  ']',
  ':',
  '-',
  '"',
  "'",
  '*',
  '&a',
  '\n',
  '\t',
  '  ',
  '${',
  `\${X}`,
  'null',
  '1e999',
  '!!x',
  '|',
  '<<',
  '__proto__',
  '\u0000',
  '\ud800',
]

/** Mulberry32: the same texts in every run. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function mutate(text: string, random: () => number): string {
  let mutated = text
  for (let times = 1 + Math.floor(random() * 3); times > 0; times--) {
    const at = Math.floor(random() * mutated.length)
    const length = Math.floor(random() * 6)
    const word = random() < 0.4 ? '' : WORDS[Math.floor(random() * WORDS.length)]!
    mutated = mutated.slice(0, at) + word + mutated.slice(at + length)
  }
  return mutated
}

const example = (kind: 'Waybill' | 'DocumentType' | 'Route' | 'Policy', at = 0) => {
  const { examples } = schemaOf(kind) as { readonly examples?: readonly unknown[] }
  return JSON.stringify(examples![at], null, 1)
}

describe('texts with random mistakes', () => {
  it('give a configuration or problems with places, and never break the loading', async () => {
    const random = randomFrom(20_261_121)
    const kinds = [example('DocumentType'), example('DocumentType', 1), example('Route'), example('Policy')].join(
      '\n---\n',
    )
    let refused = 0
    for (let round = 0; round < ROUNDS; round++) {
      const files = {
        'waybill.yaml': mutate(example('Waybill'), random),
        'types/all.yaml': mutate(kinds, random),
        'routes/.keep': '',
        'schemas/ubl-2.1/maindoc/UBL-Invoice-2.1.xsd': '<a/>',
        'schemas/en16931/EN16931-UBL-validation.sch': '<a/>',
        'schemas/national.sch': '<a/>',
        'schemas/telemetry.json': '{}',
      }
      const { configuration, problems } = await load(files, { WAYBILL_XMPP_SECRET: 's', WAYBILL_HTTP_TOKEN: 't' })
      const errors = problems.filter(({ severity }) => severity === 'error')
      expect(configuration === undefined, JSON.stringify(files)).toBe(errors.length > 0)
      for (const { line, column, message } of problems) {
        expect(line >= 1 && column >= 1 && message !== '', JSON.stringify(files)).toBe(true)
      }
      refused += Number(configuration === undefined)
    }
    expect(refused).toBeGreaterThan(50)
    expect(refused).toBeLessThan(ROUNDS)
  })
})

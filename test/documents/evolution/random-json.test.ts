import { expect, it } from 'vitest'
import { compareSchemas } from '../../../src/documents/evolution/compare-schemas.ts'
import { gather, type JsonSchemaObject } from '../../../src/documents/evolution/json-facts.ts'
import { proposeValues } from '../../../src/documents/evolution/json-values.ts'
import { compileJsonSchemaNow } from '../../../src/documents/json-schema.ts'
import type { Json } from '../../../src/domain/document.ts'
import { sourceOf } from './given.ts'
import { type Random, seeded } from './random-schemas.ts'

const SEED = Number(process.env.WAYBILL_EVOLUTION_SEED ?? 20261121)
const PAIRS = Number(process.env.WAYBILL_EVOLUTION_PAIRS ?? 100)

/** Written as text: a change is made in the text. */
const BASES = [
  '{"type":"object","properties":{"a":{"type":"integer","minimum":0},"b":{"enum":["x","y"]},"c":{"type":"array","items":{"type":"string","maxLength":3}}},"required":["a"],"additionalProperties":false}',
  '{"anyOf":[{"type":"object","properties":{"k":{"const":"a"},"v":{"type":"number"}},"required":["k"]},{"type":"object","properties":{"k":{"const":"b"},"v":{"type":"string"}},"required":["k"]},{"type":"null"}]}',
  '{"$defs":{"t":{"type":["string","integer"],"minimum":1}},"type":"object","properties":{"a":{"$ref":"#/$defs/t"},"b":{"allOf":[{"$ref":"#/$defs/t"},{"type":"integer"}]},"n":{"$ref":"#"}},"additionalProperties":{"type":"boolean"}}',
  '{"type":"array","minItems":1,"maxItems":3,"items":{"oneOf":[{"type":"string","minLength":1},{"type":"number","multipleOf":2}]}}',
]

const CHANGES: readonly (readonly [what: RegExp, by: readonly string[]])[] = [
  [
    /"type":"[a-z]+"/g,
    ['"type":"string"', '"type":"integer"', '"type":"number"', '"type":["string","null"]', '"type":"object"'],
  ],
  [
    /"(?:minimum|minLength|minItems|maxLength|maxItems)":\d/g,
    [
      '"minimum":1',
      '"maximum":5',
      '"minLength":1',
      '"maxLength":4',
      '"minItems":0',
      '"maxItems":2',
      '"exclusiveMinimum":0',
    ],
  ],
  [/"required":\["[a-z]"\]/g, ['"required":["a","b"]', '"required":[]', '"required":["k"]', '"minProperties":1']],
  [
    /"additionalProperties":(?:false|true|\{[^}]*\})/g,
    ['"additionalProperties":true', '"additionalProperties":false', '"additionalProperties":{"type":"string"}'],
  ],
  [/"(?:a|b|c|k|v)":\{/g, ['"a":{', '"b":{', '"w":{']],
  [/"const":"."/g, ['"const":"c"', '"enum":["a","b"]', '"type":"string"']],
  [/"enum":\[[^\]]*\]/g, ['"enum":["x"]', '"enum":["x","y","z"]', '"type":"string"', '"enum":["x","y",1]']],
  [/"multipleOf":2/g, ['"multipleOf":4', '"multipleOf":1']],
  [/"oneOf"/g, ['"anyOf"']],
  [/"anyOf"/g, ['"oneOf"', '"allOf"']],
  [/"allOf"/g, ['"anyOf"']],
  [/,\{"type":"null"\}/g, ['', ',{"type":"null"},{"type":"boolean"}']],
]

function changed(text: string, random: Random): string {
  let result = text
  for (let count = random.below(3); count >= 0; count -= 1) {
    const [what, by] = random.one(CHANGES)
    const places = [...result.matchAll(what)]
    if (places.length === 0) continue
    const { 0: found, index } = random.one(places)
    result = result.slice(0, index) + random.one(by) + result.slice(index + found.length)
  }
  return result
}

it('no value refutes a “compatible” of random JSON Schemas', () => {
  const random = seeded(SEED)
  const counts = { compatible: 0, incompatible: 0, unknown: 0, tried: 0 }
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const first = random.below(2) === 0 ? random.one(BASES) : changed(random.one(BASES), random)
    const texts = [first, changed(first, random)]
    const sources = texts.map((text) => sourceOf('json', { 'a.json': text }))
    const [old, next] = sources.map((source) => compileJsonSchemaNow(source).schema)
    if (!old || !next) continue
    const verdict = compareSchemas(sources[0]!, sources[1]!)
    counts[verdict.kind] += 1
    if (verdict.kind !== 'compatible') continue
    const [one, other] = texts.map((text) => JSON.parse(text) as JsonSchemaObject)
    const everything: Json = {}
    const together = gather([everything], {})
    // Of the old version's make, of the new one's, and of none.
    const values = [
      ...proposeValues(gather([one!], one!), gather([other!], other!)),
      ...proposeValues(gather([other!], other!), gather([one!], one!)),
      ...proposeValues(together, gather([one!], one!)),
    ]
    for (const value of values.slice(0, 500)) {
      if (old.validate(value).length > 0) continue
      counts.tried += 1
      expect(
        next.validate(value),
        `seed ${SEED}, pair ${pair}: ${JSON.stringify(value)} by ${texts.join(' → ')}`,
      ).toEqual([])
    }
  }
  console.info(`Pairs of random JSON Schemas: ${JSON.stringify(counts)}`)
  expect(Math.min(counts.compatible, counts.incompatible)).toBeGreaterThan(10)
  expect(counts.tried).toBeGreaterThan(1_000)
}, 240_000)

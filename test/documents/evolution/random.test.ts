import { expect, it } from 'vitest'
import { compareSchemas } from '../../../src/documents/evolution/compare-schemas.ts'
import { writeSample } from '../../../src/documents/evolution/sample-text.ts'
import { readSchemaFiles } from '../../../src/documents/schema-files.ts'
import { compileXmlSchema } from '../../../src/documents/xml-schema.ts'
import { readXsdSchema } from '../../../src/documents/xsd/read-schema.ts'
import { xsdSource } from './given.ts'
import { randomDocument } from './random-documents.ts'
import { BASE, mutate, type Random, seeded } from './random-schemas.ts'

const SEED = Number(process.env.WAYBILL_EVOLUTION_SEED ?? 20261121)
const PAIRS = Number(process.env.WAYBILL_EVOLUTION_PAIRS ?? 80)
const DOCUMENTS = 100

/** Two schemas of which the second is the first with changes; undefined where one of them is none. */
function randomPair(random: Random) {
  const first = random.below(2) === 0 ? BASE : mutate(BASE, random)
  const sources = [first, mutate(first, random)].map((text) => xsdSource({ 'a.xsd': text }))
  const compiled = sources.map((source) => compileXmlSchema({ ...source, language: 'xsd' }).schema)
  const [old, next] = compiled
  if (old && next) return { sources, old, next }
  for (const schema of compiled) schema?.dispose()
  return undefined
}

it('no random document refutes a “compatible”', () => {
  const random = seeded(SEED)
  const counts = { compatible: 0, incompatible: 0, unknown: 0, tried: 0, shown: 0 }
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const made = randomPair(random)
    if (!made) continue
    const { sources, old, next } = made
    const verdict = compareSchemas(sources[0]!, sources[1]!, { roots: ['{urn:t}r'] })
    counts[verdict.kind] += 1
    const schema = readXsdSchema(readSchemaFiles({ ...sources[0]!, language: 'xsd' }))
    const root = schema.elements.get('{urn:t}r')!
    for (let document = 0; document < DOCUMENTS; document += 1) {
      const text = writeSample(randomDocument(root, schema, random))
      const bytes = Buffer.from(text)
      if (old.refusalOf(bytes) !== undefined) continue
      counts.tried += 1
      const refusal = next.refusalOf(bytes)
      if (refusal === undefined) continue
      counts.shown += 1
      expect(verdict.kind, `seed ${SEED}, pair ${pair}: ${text} is refused: ${refusal}`).not.toBe('compatible')
      if (verdict.kind === 'unknown' && process.env.WAYBILL_EVOLUTION_TELL) console.log(verdict.reasons, text, refusal)
      break
    }
    old.dispose()
    next.dispose()
  }
  console.info(`Pairs of random schemas: ${JSON.stringify(counts)}`)
  // The test says something only where each verdict was given, and documents were valid.
  expect(Math.min(counts.compatible, counts.incompatible, counts.shown)).toBeGreaterThan(10)
  expect(counts.tried).toBeGreaterThan(500)
}, 240_000)

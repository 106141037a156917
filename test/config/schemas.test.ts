import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { type KindName, schemaOf, validatorOf } from '../../src/config/kind-schemas.ts'
import { answerTable } from '../../src/domain/retry.ts'

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const kinds: readonly KindName[] = ['Waybill', 'DocumentType', 'Route', 'DestinationGroup', 'Policy']

interface Place {
  readonly path: string
  readonly schema: Readonly<Record<string, unknown>>
}

/** Every schema that stands for a value: the kinds themselves, properties, items, named values, definitions. */
function placesOf(schema: Readonly<Record<string, unknown>>, path: string): readonly Place[] {
  const named = (key: string) => Object.entries((schema[key] ?? {}) as Record<string, Place['schema']>)
  const single = ['items', 'additionalProperties'].flatMap((key) => {
    return typeof schema[key] === 'object' ? [[key, schema[key] as Place['schema']] as const] : []
  })
  const below = [...named('properties'), ...named('definitions'), ...single]
  return [{ path, schema }, ...below.flatMap(([name, inner]) => placesOf(inner, `${path}.${name}`))]
}

const places = kinds.flatMap((kind) => placesOf(schemaOf(kind) as Place['schema'], kind))

describe('the schemas of the kinds', () => {
  it('say of everything what it is, with an example', () => {
    // A bare reference is told of where it points to.
    const own = places.filter(({ schema }) => Object.keys(schema).some((key) => key !== '$ref'))
    const bare = own.filter(({ schema }) => !['title', 'description', 'examples'].every((key) => key in schema))
    expect(places.length).toBeGreaterThan(100)
    expect(bare.map(({ path }) => path)).toEqual([])
  })

  it('refuse unknown keys everywhere but where names are free', () => {
    const open = places.filter(({ path, schema }) => {
      // Services have node options of their own.
      if (path.endsWith('.destination.create')) return false
      return schema.properties !== undefined && schema.additionalProperties !== false
    })
    expect(open.map(({ path }) => path)).toEqual([])
  })

  it.each(kinds)('give examples of %s that they find sound', (kind) => {
    const { examples } = schemaOf(kind) as { readonly examples?: readonly unknown[] }
    expect(examples?.length).toBeGreaterThan(0)
    for (const example of examples ?? []) {
      const validate = validatorOf(kind)
      expect(validate(structuredClone(example)), JSON.stringify(validate.errors?.map((e) => e.instancePath))).toBe(true)
    }
  })

  it.each([...kinds, 'SenderGroup'] as const)('describe %s in JSON Schema', (kind) => {
    const ajv = new Ajv({ strict: false })
    expect(ajv.validateSchema({ ...schemaOf(kind) }), ajv.errorsText()).toBe(true)
    expect(ajv.validateSchema({ ...schemaOf(kind), properties: 1 })).toBe(false)
  })

  it('are what the committed types and the reference page were made from', async () => {
    const generate = promisify(execFile)(process.execPath, ['src/config/generate.mjs', '--check'], { cwd: root })
    await expect(generate).resolves.toMatchObject({ stderr: '' })
  })
})

describe('the answers of a policy', () => {
  it('can say something else of every condition of the common table', () => {
    const conditions = new Set(answerTable.map(({ condition }) => condition).filter((condition) => condition !== '*'))
    expect(conditions.size).toBeGreaterThan(20)
    for (const condition of conditions) {
      const policy = parse(`{ kind: Policy, name: own, answers: [{ condition: ${condition}, then: retry }] }`)
      expect(validatorOf('Policy')(policy), condition).toBe(true)
    }
  })
})

describe('the codes of problems', () => {
  const codes = Object.keys(JSON.parse(read('src/config/problems.json')) as object)
  const files = [
    ...readdirSync(new URL('src/config/', root)).map((name) => `src/config/${name}`),
    'src/matching/problem.ts',
    'src/matching/remark.ts',
    'src/documents/xsd/review-xpath.ts',
    'src/compatible.ts',
    'src/check-samples.ts',
  ]
  const sources = files.filter((path) => path.endsWith('.ts')).map(read)

  it('all stand in the reference page', () => {
    const page = read('docs/configuration.md')
    expect(codes.filter((code) => !page.includes(`| \`${code}\` |`))).toEqual([])
  })

  it('are all in use', () => {
    const unused = codes.filter((code) => !sources.some((source) => source.includes(`'${code}'`)))
    // The documents room names the key of a type that doesn't compile.
    expect(unused).toEqual(['type-schema', 'type-fields', 'type-identify'])
  })

  it('of the matching room are explained too', () => {
    const unions = read('src/matching/problem.ts') + read('src/matching/remark.ts')
    const named = [...unions.matchAll(/^ {2}\| '([a-z-]+)'/gm)].map(([, code]) => code)
    expect(named.length).toBeGreaterThan(5)
    expect(named.filter((code) => !codes.includes(code!))).toEqual([])
  })
})

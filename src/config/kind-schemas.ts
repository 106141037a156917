import { readFileSync } from 'node:fs'
import { Ajv, type ValidateFunction } from 'ajv'
import { formats } from './formats.ts'
import type { Path } from './problem.ts'
import { parseTimespan } from './timespan.ts'

export type KindName = 'Waybill' | 'DocumentType' | 'Route' | 'DestinationGroup' | 'SenderGroup' | 'Policy'

const FILES: Readonly<Record<KindName, string>> = {
  Waybill: 'waybill',
  DocumentType: 'document-type',
  Route: 'route',
  DestinationGroup: 'destination-group',
  SenderGroup: 'sender-group',
  Policy: 'policy',
}

/** What is read here of a JSON Schema. */
export interface Schema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly definitions?: Readonly<Record<string, Schema>>
  readonly format?: string
  readonly enum?: readonly unknown[]
  readonly writeOnly?: boolean
  readonly 'x-environment'?: string
  readonly 'x-expects'?: string
}

const schemas = new Map<KindName, Schema>()
const validators = new Map<KindName, ValidateFunction>()

/** The JSON Schema of a kind, as it ships with the package: the same path from src/config and dist/config. */
export function schemaOf(kind: KindName): Schema {
  let schema = schemas.get(kind)
  if (!schema) {
    const file = new URL(`../../schemas/${FILES[kind]}.schema.json`, import.meta.url)
    schema = JSON.parse(readFileSync(file, 'utf8')) as Schema
    schemas.set(kind, schema)
  }
  return schema
}

/** Checks a value and fills in the defaults; compiled at the first use. */
export function validatorOf(kind: KindName): ValidateFunction {
  let validator = validators.get(kind)
  if (!validator) {
    validator = createAjv().compile(schemaOf(kind))
    validators.set(kind, validator)
  }
  return validator
}

function createAjv(): Ajv {
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    messages: false,
    useDefaults: true,
    allowUnionTypes: true,
    // Every command begins with this: that the schemas are sound is proven in test/config/schemas.test.ts.
    validateSchema: false,
    meta: false,
    code: { optimize: false },
  })
  ajv.opts.strictTypes = false
  for (const [name, { accepts }] of Object.entries(formats)) ajv.addFormat(name, accepts)
  ajv.addVocabulary(['x-environment', 'x-expects', 'tsType'])
  ajv.addKeyword({
    keyword: 'x-span',
    type: 'string',
    validate: (span: { minimum: string; maximum: string }, text: string) => {
      const spanMs = parseTimespan(text)
      return spanMs === undefined || (spanMs >= parseTimespan(span.minimum)! && spanMs <= parseTimespan(span.maximum)!)
    },
  })
  return ajv
}

/** The node options that XEP-0060 16.4.4 registers or did once, without `pubsub#`, as the schema names them. */
export function nodeOptions(): readonly string[] {
  return Object.keys(schemaOf('Route').definitions?.destination?.properties?.create?.properties ?? {})
}

/** Keys of waybill.yaml that variables of the environment override, as the schema names them. */
export function environmentKeys(): readonly { readonly path: Path; readonly variable: string }[] {
  return keysBelow(schemaOf('Waybill'), [])
}

function keysBelow(schema: Schema, path: Path): { path: Path; variable: string }[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const variable = property['x-environment']
    const own = variable === undefined ? [] : [{ path: [...path, name], variable }]
    return [...own, ...keysBelow(property, [...path, name])]
  })
}

import { posix, relative, sep } from 'node:path'
import {
  _,
  Ajv,
  type AnySchemaObject,
  type ErrorObject,
  MissingRefError,
  Name,
  type Options,
  type ValidateFunction,
} from 'ajv'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { Json } from '../domain/document.ts'
import type { SchemaSource } from '../domain/document-type.ts'
import type { Finding } from '../domain/rejection.ts'
import { type BundleReader, onDisk } from './bundle-reader.ts'
import { misjudged } from './misjudged.ts'
import { isObject, parsePointer, valueAt } from './pointer.ts'
import { shape } from './projection.ts'
import type { SchemaProblem } from './schema-files.ts'
import { shown } from './shown.ts'

export interface JsonSchema {
  /** All findings; empty where the value is valid. */
  validate(value: Json): readonly Finding[]
}

const FINDINGS_AT_MOST = 1_000
const PATH_LENGTH = 1_000

/**
 * Strict about keywords, since one that is misspelt would check nothing; not about styles of writing that mean what they
 * say.
 */
const OPTIONS: Options = {
  allErrors: true,
  // A property that is called like a member of Object.prototype is not there by itself.
  ownProperties: true,
  strict: true,
  strictTypes: false,
  strictRequired: false,
  strictTuples: false,
  allowUnionTypes: true,
  // Where there is nobody to read it.
  logger: false,
}

/** By the `$schema` that the file names; 2020-12 where it names none. */
const DRAFTS: Readonly<Record<string, (options: Options) => Ajv>> = {
  'https://json-schema.org/draft/2020-12/schema': (options) => new Ajv2020(options),
  'https://json-schema.org/draft/2019-09/schema': (options) => new Ajv2019(options),
  'http://json-schema.org/draft-07/schema': (options) => new Ajv(options),
}

/** Base of references in files without `$id`; never fetched. */
const BUNDLE = 'bundle:///'

/**
 * Compiles a JSON Schema with the files of its bundle that it refers to. Without `schema` where it is wrong.
 *
 * @param options `values: 'text'` for what was XML: a text that reads as the number or truth value that the schema wants is one.
 */
export async function compileJsonSchema(
  source: SchemaSource,
  options: { readonly values?: 'json' | 'text' } = {},
  bundle?: BundleReader,
): Promise<CompiledJsonSchema> {
  return compileJsonSchemaNow(source, options, bundle)
}

export interface CompiledJsonSchema {
  readonly schema: JsonSchema | undefined
  readonly problems: readonly SchemaProblem[]
}

/** As {@link compileJsonSchema}, for who can't wait. */
export function compileJsonSchemaNow(
  source: SchemaSource,
  { values = 'json' }: { readonly values?: 'json' | 'text' } = {},
  bundle: BundleReader = onDisk,
): CompiledJsonSchema {
  try {
    const { validate, schema } = compile(
      source,
      values === 'text' ? { ...OPTIONS, coerceTypes: true } : OPTIONS,
      bundle,
    )
    const read = values === 'text' ? (value: Json) => shape(value, schema, (ref) => within(schema, ref)) : same
    return { schema: { validate: (value) => findingsOf(validate, read(value)) }, problems: [] }
  } catch (error) {
    const place = error instanceof SchemaFault ? error.at : `${source.file}:1:1`
    const message = `Cannot compile the schema: ${(error as Error).message}`
    return { schema: undefined, problems: [{ message, severity: 'error', at: place }] }
  }
}

const same = (value: Json): Json => value

/** What a `$ref` leads to in the same file. */
function within(schema: AnySchemaObject, ref: string): unknown {
  const keys = ref.startsWith('#') ? parsePointer(decodeURIComponent(ref.slice(1))) : undefined
  return keys && valueAt(schema as Json, keys)
}

class SchemaFault extends Error {
  readonly at: string
  constructor(message: string, at: string) {
    super(message)
    this.at = at
  }
}

function compile(
  source: SchemaSource,
  options: Options,
  bundle: BundleReader,
): { readonly validate: ValidateFunction; readonly schema: AnySchemaObject } {
  const path = relative(source.folder, source.file).split(sep).join('/')
  const schema = readSchema(source, path, bundle)
  const draft = String(schema.$schema ?? 'https://json-schema.org/draft/2020-12/schema').replace(/#$/, '')
  const create = Object.hasOwn(DRAFTS, draft) ? DRAFTS[draft] : undefined
  if (!create)
    throw new SchemaFault(`$schema is ${draft}: draft-07, 2019-09 and 2020-12 are understood`, `${source.file}:1:1`)
  if (!constrains(schema))
    throw new SchemaFault('it accepts everything: it has no keyword that checks', `${source.file}:1:1`)
  const base = typeof schema.$id === 'string' ? schema.$id : BUNDLE + encodeURI(path)
  const load = (uri: string) => loadReferenced(uri, { source, bundle, path, base, extensions })
  const ajv = create(options)
  addFormats.default(ajv)
  judgeInherited(ajv)
  // Ajv resolves it (JSON Schema 2020-12, Core 8.2.2), and counts it among the unknown ones.
  if (!ajv.getKeyword('$anchor')) ajv.addKeyword('$anchor')
  const extensions = (found: AnySchemaObject) => allowExtensions(ajv, found)
  extensions(schema)
  return { validate: compileWithReferred(ajv, { ...schema, $id: base }, load), schema }
}

/**
 * Ajv notes the properties that branches have allowed in a plain object, where `constructor` is always found: it inherits nothing
 * by the time that it is asked.
 */
function judgeInherited(ajv: Ajv): void {
  const known = ajv.getKeyword('unevaluatedProperties')
  // Draft-07 has none.
  if (typeof known === 'boolean' || !('code' in known)) return
  ajv.removeKeyword('unevaluatedProperties')
  ajv.addKeyword({
    ...known,
    code(context, ruleType) {
      const { props } = context.it
      if (props instanceof Name) {
        context.gen.if(_`typeof ${props} === "object"`, () =>
          context.gen.code(_`Object.setPrototypeOf(${props}, null)`),
        )
      }
      known.code(context, ruleType)
    },
  })
}

/** Compiling stops at a reference that leads to another file; then that one is read. */
function compileWithReferred(
  ajv: Ajv,
  schema: AnySchemaObject,
  load: (uri: string) => AnySchemaObject,
): ValidateFunction {
  for (;;) {
    try {
      return ajv.compile(schema)
    } catch (error) {
      if (!(error instanceof MissingRefError)) throw error
      const { missingSchema, missingRef } = error
      if (ajv.refs[missingSchema] || ajv.schemas[missingSchema]) {
        throw new Error(`${missingSchema} is there, but ${missingRef} cannot be resolved`)
      }
      ajv.addSchema(load(missingSchema), missingSchema)
    }
  }
}

interface Bundle {
  readonly source: SchemaSource
  readonly bundle: BundleReader
  /** Of the first file, in the folder. */
  readonly path: string
  readonly base: string
  extensions(schema: AnySchemaObject): void
}

/** A schema that another refers to: by its place beside the first file, or by its `$id`. Never from the network. */
function loadReferenced(uri: string, { source, bundle, path, base, extensions }: Bundle): AnySchemaObject {
  const [plain = ''] = uri.split('#')
  const found = besideFirst(plain, { source, bundle, path, base }) ?? withId(plain, source, bundle)
  if (!found) {
    throw new SchemaFault(
      `$ref to ${plain}: no file of the bundle is that; schemas are read from their folder only`,
      `${source.file}:1:1`,
    )
  }
  extensions(found)
  return found
}

function besideFirst(
  uri: string,
  { source, bundle, path, base }: Omit<Bundle, 'extensions'>,
): AnySchemaObject | undefined {
  const folder = base.slice(0, base.lastIndexOf('/') + 1)
  const wanted = uri.startsWith(folder) ? uri.slice(folder.length) : undefined
  const inBundle = uri.startsWith(BUNDLE) ? uri.slice(BUNDLE.length) : undefined
  const target = inBundle ?? (wanted === undefined ? undefined : posix.join(posix.dirname(path), wanted))
  if (target === undefined) return undefined
  const bytes = bundle.read(source.folder, decodeURI(target))
  return typeof bytes === 'string' ? undefined : parseSchema(bytes, target)
}

function withId(uri: string, source: SchemaSource, bundle: BundleReader): AnySchemaObject | undefined {
  const files = bundle.list(source.folder)
  for (const file of files.filter((name) => name.endsWith('.json')).slice(0, 1_000)) {
    const bytes = bundle.peek(source.folder, file)
    if (typeof bytes === 'string' || !Buffer.from(bytes).includes(uri)) continue
    const schema = parseSchema(bytes, file)
    if (String(schema.$id).replace(/#$/, '') !== uri) continue
    bundle.read(source.folder, file)
    return schema
  }
  return undefined
}

function readSchema({ folder, file }: SchemaSource, path: string, bundle: BundleReader): AnySchemaObject {
  const bytes = bundle.read(folder, path)
  if (typeof bytes === 'string') throw new SchemaFault(bytes, `${file}:1:1`)
  return parseSchema(bytes, file)
}

function parseSchema(bytes: Uint8Array, file: string): AnySchemaObject {
  const text = new TextDecoder().decode(bytes)
  if (text.trim() === '') throw new SchemaFault('the file is empty', `${file}:1:1`)
  let schema: Json
  try {
    schema = JSON.parse(text) as Json
  } catch (error) {
    throw new SchemaFault(`it is no JSON: ${(error as Error).message}`, `${file}:1:1`)
  }
  if (!isObject(schema)) throw new SchemaFault('a schema is an object here', `${file}:1:1`)
  const reason = misjudged(schema)
  if (reason !== undefined) throw new SchemaFault(reason, `${file}:1:1`)
  return schema
}

/** Keywords that say something about the schema, and check nothing (JSON Schema 2020-12, Core 8 and Validation 9). */
const ANNOTATIONS: readonly string[] = [
  '$schema',
  '$id',
  '$anchor',
  '$dynamicAnchor',
  '$comment',
  '$vocabulary',
  '$defs',
  'definitions',
  'title',
  'description',
  'default',
  'deprecated',
  'readOnly',
  'writeOnly',
  'examples',
  'contentEncoding',
  'contentMediaType',
  'contentSchema',
]

function constrains(schema: AnySchemaObject): boolean {
  return Object.keys(schema).some((keyword) => !ANNOTATIONS.includes(keyword) && !keyword.startsWith('x-'))
}

/** Keywords with `x-` are their owner's notes, by common usage. */
function allowExtensions(ajv: Ajv, schema: unknown): void {
  if (typeof schema !== 'object' || schema === null) return
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword.startsWith('x-') && !ajv.getKeyword(keyword)) ajv.addKeyword(keyword)
    allowExtensions(ajv, value)
  }
}

/** References that lead back to where they stand, without a step into the value. */
const endless: Finding = {
  layer: 'json-schema',
  rule: '$ref',
  severity: 'error',
  path: '',
  message: 'the schema refers to itself without end',
}

function findingsOf(validate: ValidateFunction, value: Json): readonly Finding[] {
  try {
    if (validate(value)) return []
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    return [endless]
  }
  const errors = validate.errors ?? []
  const findings = errors.slice(0, FINDINGS_AT_MOST).map((error) => findingOf(error, value))
  if (errors.length > FINDINGS_AT_MOST) findings.push(more(errors.length))
  return findings
}

function findingOf({ keyword, instancePath, message, params }: ErrorObject, value: Json): Finding {
  const found = valueAt(value, parsePointer(instancePath) ?? [])
  const scalar = typeof found === 'object' ? undefined : found
  return {
    layer: 'json-schema',
    rule: keyword,
    severity: 'error',
    path: shown(instancePath, PATH_LENGTH),
    message: `${message ?? 'is not valid'}${detailOf(params as Readonly<Record<string, unknown>>)}`,
    ...(scalar === undefined ? {} : { value: shown(String(scalar)) }),
  }
}

/** What the message leaves out: which property is too much, which values are allowed. */
function detailOf({
  additionalProperty,
  unevaluatedProperty,
  allowedValues,
  allowedValue,
}: Record<string, unknown>): string {
  const property = additionalProperty ?? unevaluatedProperty
  if (property !== undefined) return `: ${shown(String(property))}`
  if (Array.isArray(allowedValues)) return `: ${shown(allowedValues.map((one) => JSON.stringify(one)).join(', '), 200)}`
  return allowedValue === undefined ? '' : `: ${shown(JSON.stringify(allowedValue))}`
}

function more(total: number): Finding {
  const message = `${total - FINDINGS_AT_MOST} more findings; the first ${FINDINGS_AT_MOST} are told`
  return { layer: 'json-schema', rule: 'more', severity: 'error', path: '', message }
}

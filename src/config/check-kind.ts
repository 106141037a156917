import type { ErrorObject } from 'ajv'
import { didYouMean, nearest } from '../domain/nearest.ts'
import { formats } from './formats.ts'
import { environmentKeys, type KindName, type Schema, schemaOf, validatorOf } from './kind-schemas.ts'
import { type Complain, type Path, type ProblemCode, showPath } from './problem.ts'
import type { YamlThing } from './yaml-file.ts'

/** A value under examination, with what its messages need. */
interface Examined {
  readonly kind: KindName
  readonly value: unknown
  readonly thing: YamlThing
  readonly complain: Complain
  /** Variable of the environment that a value was taken from, if one was. */
  readonly variableOf: (path: Path) => string | undefined
}

/**
 * Checks a value against the JSON Schema of its kind and fills in the defaults, in place. True where it is sound; otherwise
 * every error is complained of, in words of ours.
 */
export function checkKind(examined: Examined): boolean {
  const validate = validatorOf(examined.kind)
  if (validate(examined.value)) return true
  // Text from the environment where a number or a boolean is needed is read as such.
  if (convertFilledIn(examined, validate.errors ?? []) && validate(examined.value)) return true
  complainOfAll(examined, validate.errors ?? [])
  return false
}

function convertFilledIn({ value, thing }: Examined, errors: readonly ErrorObject[]): boolean {
  let converted = false
  for (const { keyword, instancePath, parentSchema, data } of errors) {
    const path = pathOf(instancePath, value)
    // Where a number or a word may stand, the text is a string that is not the word.
    if (keyword !== 'type' && keyword !== 'pattern') continue
    if (path.length === 0 || thing.sourceOf(path) === undefined) continue
    const scalar = readScalar(String(data), [(parentSchema as Schema).type ?? []].flat())
    if (scalar === undefined) continue
    const parent = valueAt(value, path.slice(0, -1)) as Record<string | number, unknown>
    parent[path.at(-1)!] = scalar
    converted = true
  }
  return converted
}

function readScalar(text: string, types: readonly string[]): number | boolean | undefined {
  const numeric = types.includes('number') || types.includes('integer')
  if (numeric && /^-?\d+(?:\.\d+)?$/.test(text)) return Number(text)
  if (types.includes('boolean') && /^(?:true|false)$/.test(text)) return text === 'true'
  return undefined
}

function complainOfAll(examined: Examined, errors: readonly ErrorObject[]): void {
  const guessed = guessedKeys(errors)
  const told = new Set<string>()
  for (const error of errors) {
    if (isPartOfAnother(error) || isExplainedByGuess(error, guessed)) continue
    // One word about a value is enough; of keys each has its own.
    const about = `${error.instancePath}#${keyOf(error)}`
    if (told.has(about)) continue
    told.add(about)
    complainOf(examined, error)
  }
}

function keyOf({ keyword, params, propertyName }: ErrorObject): string {
  if (keyword === 'additionalProperties') return String(params.additionalProperty)
  if (keyword === 'required') return String(params.missingProperty)
  return propertyName ?? ''
}

/** Keys that unknown ones seem to stand for, by the mapping that they stand in. */
function guessedKeys(errors: readonly ErrorObject[]): ReadonlySet<string> {
  const guessed = new Set<string>()
  for (const { keyword, instancePath, params, parentSchema } of errors) {
    if (keyword !== 'additionalProperties') continue
    const guess = nearest(String(params.additionalProperty), knownKeys(parentSchema))
    if (guess !== undefined) guessed.add(`${instancePath}#${guess}`)
  }
  return guessed
}

function isExplainedByGuess(error: ErrorObject, guessed: ReadonlySet<string>): boolean {
  const { keyword, instancePath, params, schema } = error
  if (keyword === 'required') return guessed.has(`${instancePath}#${params.missingProperty}`)
  if (keyword === 'oneOf' || keyword === 'anyOf') {
    return alternativesOf(schema).some((name) => guessed.has(`${instancePath}#${name}`))
  }
  return false
}

/** Errors that ajv gives beside the one that says it. */
function isPartOfAnother({ keyword, parentSchema, propertyName }: ErrorObject): boolean {
  if (keyword === 'if' || keyword === 'propertyNames') return true
  // A branch of an alternative is a bare `required`.
  return keyword === 'required' && propertyName === undefined && Object.keys(parentSchema ?? {}).length === 1
}

/** A problem, before it is placed. */
interface Description {
  readonly code: ProblemCode
  readonly message: string
  readonly path?: Path
  readonly at?: 'key'
}

function complainOf(examined: Examined, error: ErrorObject): void {
  const path = pathOf(error.instancePath, examined.value)
  const { code, message, path: place = path, at = 'value' } = describe(examined, path, error)
  examined.complain(code, place, message, { at })
}

function describe(examined: Examined, path: Path, error: ErrorObject): Description {
  const params = error.params as Record<string, string>
  const name = nameOf(examined, path)
  switch (error.keyword) {
    case 'additionalProperties':
      return describeUnknown(examined, path, params.additionalProperty!, knownKeys(error.parentSchema))
    case 'required':
      return describeMissing(examined, path, params.missingProperty!)
    case 'dependencies':
      return { code: 'missing-key', message: `${name} needs ${params.missingProperty} beside ${params.property}` }
    case 'oneOf':
    case 'anyOf':
      return describeChoice(name, error)
    case 'type': {
      const words = wordsOfOneForm(error.parentSchema as Schema) ?? typeWords(error.params.type)
      const message = `${name} must be ${words}${found(examined, path, error)}${quotesHint(words, error.data)}`
      return { code: 'wrong-type', message }
    }
    case 'minItems':
    case 'minProperties':
    case 'minLength':
      return { code: 'wrong-value', message: `${name} must not be empty` }
    case 'minimum':
    case 'maximum':
    case 'x-span':
      return { code: 'out-of-range', message: `${name} must be ${rangeWords(error)}${found(examined, path, error)}` }
    default:
      return describeValue(examined, path, error)
  }
}

function describeUnknown(examined: Examined, path: Path, key: string, known: readonly string[]): Description {
  // What stands behind a colon may be a value that lost its space.
  const shown = key.includes(':') ? `${key.slice(0, key.indexOf(':') + 1)}…` : key
  const guess = didYouMean(key.replace(/:.*$/s, ''), known)
  const where = path.length === 0 ? '' : ` in ${nameOf(examined, path)}`
  const list = guess === '' && known.length > 0 ? `; known are ${known.join(', ')}` : ''
  const message = `Unknown key "${shown}"${where}${guess}${list}`
  return { code: 'unknown-key', message, path: [...path, key], at: 'key' }
}

function describeMissing({ kind }: Examined, path: Path, key: string): Description {
  if (kind === 'DocumentType' && path.length === 0 && key === 'schema') {
    const message = 'schema is missing: say which one documents must satisfy, or say schema: none'
    return { code: 'schema-missing', message }
  }
  const variable = environmentKeys().find((candidate) => {
    return kind === 'Waybill' && showPath(candidate.path) === showPath([...path, key])
  })?.variable
  const hint = variable === undefined ? '' : `, and ${variable} isn't set either`
  return { code: 'missing-key', message: `${showPath([...path, key])} is missing${hint}` }
}

function describeChoice(name: string, { keyword, schema, data }: ErrorObject): Description {
  const names = alternativesOf(schema)
  const given = names.filter((alternative) => Object.hasOwn(data as object, alternative))
  const count = keyword === 'oneOf' ? 'exactly one of' : 'one of'
  const foundWords = given.length === 0 ? 'found none' : `found ${given.join(' and ')}`
  return { code: 'choose-one', message: `${name} needs ${count} ${names.join(', ')}: ${foundWords}` }
}

function describeValue(examined: Examined, path: Path, error: ErrorObject): Description {
  const { propertyName, parentSchema, data } = error
  const name = nameOf(examined, path)
  const expected = expectedWords(error)
  if (propertyName !== undefined) {
    const message = `Key "${propertyName}" in ${name} must be ${expected}`
    return { code: 'wrong-value', message, path: [...path, propertyName], at: 'key' }
  }
  const choices = (parentSchema as { enum?: readonly unknown[] }).enum?.map(String) ?? []
  const guess = typeof data === 'string' ? didYouMean(data, choices) : ''
  return { code: 'wrong-value', message: `${name} must be ${expected}${found(examined, path, error)}${guess}` }
}

function expectedWords({ keyword, params, parentSchema, schema, schemaPath }: ErrorObject): string {
  const own = (parentSchema as Schema | undefined)?.['x-expects']
  if (own !== undefined) return own
  if (keyword === 'format') return formats[params.format as string]!.expects
  if (keyword === 'const') return String(schema)
  const choices = (schema as readonly unknown[]).map(String)
  if (choices.length > 1) return `one of ${choices.join(', ')}`
  return schemaPath.endsWith('/then/enum') ? `a mapping or ${choices[0]}` : choices[0]!
}

/** What a value must be that has one form, such as a duration: "a string" would send people to quote the number that they wrote. */
function wordsOfOneForm(schema: Schema): string | undefined {
  const { type = [], format, enum: choices, 'x-expects': own } = schema
  if ([type].flat().some((one) => one === 'array' || one === 'object')) return undefined
  if (own !== undefined) return own
  if (format !== undefined) return formats[format]!.expects
  return choices && `one of ${choices.join(', ')}`
}

function rangeWords({ keyword, schema }: ErrorObject): string {
  if (keyword === 'minimum') return `at least ${schema}`
  if (keyword === 'maximum') return `at most ${schema}`
  const { minimum, maximum } = schema as { minimum: string; maximum: string }
  return `from ${minimum} to ${maximum}`
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  null: 'null',
  array: 'a list',
  object: 'a mapping',
}

function typeWords(types: unknown): string {
  const words = [types as string | string[]].flat().map((type) => TYPE_WORDS[type]!)
  return words.length === 1 ? words[0]! : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

function nameOf({ kind, variableOf }: Examined, path: Path): string {
  const variable = variableOf(path)
  if (variable !== undefined) return `${showPath(path)} (from ${variable})`
  if (path.length > 0) return showPath(path)
  return kind === 'Waybill' ? 'waybill.yaml' : kind
}

/** What stands there, cut to 60 characters; nothing where it is or may hold a secret. */
function found({ kind, thing }: Examined, path: Path, { data }: ErrorObject): string {
  const source = thing.sourceOf(path)
  const value = source ?? data
  if (value === null || value === undefined) return ', found nothing'
  if (Array.isArray(value)) return ', found a list'
  if (typeof value === 'object') return ', found a mapping'
  if (mayShowSecret(kind, path)) return `, found a ${typeof data}`
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return `, found ${typeof value} ${text.length > 60 ? `${text.slice(0, 60)}…` : text}`
}

/** YAML reads `version: 3.0` as the number 3. */
function quotesHint(words: string, data: unknown): string {
  const isWritten = typeof data === 'number' || typeof data === 'boolean'
  return isWritten && words.startsWith('a string') ? ' (in quotes it is a string)' : ''
}

/** A secret itself, or something that has one in it: what stands there by mistake may well be the secret. */
function mayShowSecret(kind: KindName, path: Path): boolean {
  const schema = path.reduce<Schema | undefined>((current, part) => current?.properties?.[part], schemaOf(kind))
  return schema !== undefined && holdsSecret(schema)
}

function holdsSecret({ writeOnly, properties }: Schema): boolean {
  return writeOnly === true || Object.values(properties ?? {}).some(holdsSecret)
}

function knownKeys(schema: ErrorObject['parentSchema']): readonly string[] {
  return Object.keys((schema as Schema | undefined)?.properties ?? {})
}

function alternativesOf(schema: unknown): readonly string[] {
  return (schema as readonly { required: readonly string[] }[]).map(({ required }) => required[0]!)
}

/** RFC 6901, with indexes of lists as numbers. */
function pathOf(pointer: string, value: unknown): Path {
  const path: (string | number)[] = []
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    path.push(Array.isArray(valueAt(value, path)) ? Number(key) : key)
  }
  return path
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (current, part) => (current as Record<string | number, unknown> | undefined)?.[part],
    value,
  )
}

import type { Content, Json } from '../domain/document.ts'
import { type DocumentType, typeKey } from '../domain/document-type.ts'
import { type FieldScalar, type FieldSource, type Fields, isInexact } from '../domain/fields.ts'
import type { Finding } from '../domain/rejection.ts'
import type { DocumentsProblem } from './documents-problem.ts'
import { compileJsonPath } from './jsonpath/jsonpath.ts'
import type { Limits } from './limits.ts'
import { parsePointer, valueAt } from './pointer.ts'
import { shown } from './shown.ts'
import { compileXPath, type XPathAnswer } from './xpath.ts'

/** What the fields of a type hold, and what was wrong with some of them. */
export interface FieldsRead {
  readonly fields: Fields
  readonly findings: readonly Finding[]
}

export type FieldsReader = (content: Content) => FieldsRead

/**
 * Compiles the readers of a type's fields. A field has the string values of all nodes that its XPath selects, or the one value
 * that it computes; a JSON Pointer gives the scalar that stands there, or the scalars of an array; a JSONPath gives the scalars
 * that it selects. A field that selects nothing is absent.
 *
 * `as: number` takes decimal and scientific notation, `as: boolean` takes true, false, 1 and 0 (XSD's forms). A value that can't be
 * read so is left out with a warning: the document is valid by its schema, and a route that compares the field doesn't
 * match. Values that are longer together than a document may be are an error, since routes would see a part only.
 */
export function compileFields(
  type: DocumentType,
  limits: Limits,
): { readonly read: FieldsReader; readonly problems: readonly DocumentsProblem[] } {
  const problems: DocumentsProblem[] = []
  const readers: FieldReader[] = []
  for (const [name, source] of Object.entries(type.fields)) {
    const compiled = compileField(name, source, type)
    if ('message' in compiled) problems.push(compiled)
    else readers.push(compiled)
  }
  return { read: (content) => readAll(readers, content, limits), problems }
}

interface FieldReader {
  readonly name: string
  readonly as: FieldSource['as']
  /** Where it is read from, for findings. */
  readonly path: string
  /** All values as they stand, undefined for what is no scalar; `too-costly` where reading them took more steps than allowed. */
  read(content: Content): readonly (FieldScalar | undefined)[] | 'too-costly'
}

function compileField(name: string, source: FieldSource, type: DocumentType): FieldReader | DocumentsProblem {
  const problem = (key: string, message: string): DocumentsProblem => {
    return { type: typeKey(type), path: ['fields', name, key], message, severity: 'error' }
  }
  if (source.xpath !== undefined) {
    if (type.identify.xml === undefined) return problem('xpath', 'an XPath reads XML, and the type is not XML')
    const compiled = compileXPath(source.xpath, type.namespaces)
    if (compiled.kind === 'error') return problem('xpath', compiled.message)
    const { xpath } = compiled
    const read = (content: Content) => (content.kind === 'xml' ? listOf(xpath.answer(content)) : [])
    return { name, as: source.as, path: source.xpath, read }
  }
  if (source.jsonpath !== undefined) return compileJsonPathField(name, source.jsonpath, source.as, type)
  const pointer = source.pointer ?? ''
  const tokens = parsePointer(pointer)
  if (!tokens) return problem('pointer', `Cannot read the pointer: ${pointer} is no JSON Pointer (RFC 6901)`)
  if (type.identify.json === undefined) return problem('pointer', 'a JSON Pointer reads JSON, and the type is not JSON')
  const read = (content: Content) => (content.kind === 'json' ? scalarsOf(valueAt(content.value, tokens)) : [])
  return { name, as: source.as, path: pointer, read }
}

function compileJsonPathField(
  name: string,
  path: string,
  as: FieldSource['as'],
  type: DocumentType,
): FieldReader | DocumentsProblem {
  const problem = (message: string): DocumentsProblem => {
    return { type: typeKey(type), path: ['fields', name, 'jsonpath'], message, severity: 'error' }
  }
  if (type.identify.json === undefined) return problem('a JSONPath reads JSON, and the type is not JSON')
  const compiled = compileJsonPath(path)
  if (compiled.kind === 'error') return problem(compiled.message)
  const read: FieldReader['read'] = (content) => {
    if (content.kind !== 'json') return []
    const selected = compiled.jsonpath.select(content.value)
    return selected.kind === 'nodes' ? selected.values.map(scalarOf) : selected.kind
  }
  return { name, as, path, read }
}

function readAll(readers: readonly FieldReader[], content: Content, limits: Limits): FieldsRead {
  const fields: Record<string, readonly FieldScalar[]> = {}
  const findings: Finding[] = []
  for (const reader of readers) {
    const found = reader.read(content)
    if (found === 'too-costly') {
      findings.push(tooCostly(reader))
      continue
    }
    const characters = found.reduce<number>((sum, value) => sum + String(value).length, 0)
    if (characters > limits.documentBytes) {
      findings.push(tooMuch(reader, found.length, characters, limits))
      continue
    }
    const values: FieldScalar[] = []
    for (const value of found) {
      const converted = value === undefined ? undefined : convert(value, reader.as)
      if (converted === undefined) findings.push(unreadable(reader, value))
      else values.push(converted)
    }
    if (values.length > 0) fields[reader.name] = values
  }
  return { fields, findings }
}

function listOf(answer: XPathAnswer): readonly FieldScalar[] {
  if (typeof answer === 'object') return answer
  return [typeof answer === 'number' ? numberText(answer) : String(answer)]
}

/** XPath 1.0, 4.2 `string` of a number: never an exponent. */
function numberText(value: number): string {
  if (Object.is(value, -0)) return '0'
  const text = String(value)
  if (!text.includes('e')) return text
  return Math.abs(value) < 1 ? value.toFixed(20).replace(/0+$/, '') : BigInt(value).toString()
}

/** An object can't be a value: undefined. */
function scalarsOf(value: Json | undefined): readonly (FieldScalar | undefined)[] {
  if (value === undefined) return []
  const list: readonly Json[] = Array.isArray(value) ? value : [value as Json]
  return list.map(scalarOf)
}

function scalarOf(value: Json): FieldScalar | undefined {
  return typeof value === 'object' && value !== null ? undefined : (value as FieldScalar)
}

const NUMBER = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/

function convert(value: FieldScalar, as: FieldSource['as']): FieldScalar | undefined {
  switch (as) {
    case undefined:
      return value
    case 'string':
      if (isInexact(value)) return undefined
      return value === null ? null : String(value)
    case 'number':
      return toNumber(value)
    case 'boolean':
      return toBoolean(value)
  }
}

function toNumber(value: FieldScalar): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  const number = NUMBER.test(text) ? Number(text) : Number.NaN
  return Number.isFinite(number) ? number : undefined
}

function toBoolean(value: FieldScalar): boolean | undefined {
  const text = String(value).trim()
  if (text === 'true' || text === '1') return true
  return text === 'false' || text === '0' ? false : undefined
}

function unreadable({ name, as, path }: FieldReader, value: FieldScalar | undefined): Finding {
  const found = value === undefined ? 'an object or array' : notAs(as)
  const finding: Finding = {
    layer: 'fields',
    rule: as ?? 'scalar',
    severity: 'warning',
    path,
    message: `Cannot read the field ${name}: its value is ${found}; it is left out`,
  }
  return value === undefined ? finding : { ...finding, value: shown(String(value)) }
}

/** Of what JSON holds a number alone is no text, and only where the text isn't known. */
function notAs(as: FieldSource['as']): string {
  return as === 'string' ? 'a number beyond 2^53, of which not every digit is known' : `not a ${as}`
}

/** An error, since routes would not see what stands there. */
function tooCostly({ name, path }: FieldReader): Finding {
  const message = `Cannot read the field ${name}: its path looks at too many places of this document`
  return { layer: 'fields', rule: 'cost', severity: 'error', path, message }
}

function tooMuch({ name, path }: FieldReader, values: number, characters: number, limits: Limits): Finding {
  return {
    layer: 'fields',
    rule: 'size',
    severity: 'error',
    path,
    message: `Cannot read the field ${name}: its ${values} values have ${characters} characters, the limit is ${limits.documentBytes}`,
  }
}

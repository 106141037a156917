import type { DocumentType } from '../domain/document-type.ts'
import type { FieldSource } from '../domain/fields.ts'
import { didYouMean } from '../domain/nearest.ts'
import type { Conditions, Literal, Route, ValueCondition } from '../domain/route.ts'
import { BUILT_IN_PLACES, PLACE, parseTemplate } from '../matching/template.ts'
import { numberOf } from '../matching/value.ts'
import { formOf } from './document-types.ts'
import type { Complain, Path } from './problem.ts'

/**
 * Compares the fields that a route's order and destinations use with those that its types have.
 *
 * @param types The route's own types; all types where it names none.
 */
export function complainOfFields(route: Route, types: readonly DocumentType[], complain: Complain): void {
  const known = knownFields(types)
  const check = checkOf(types, known, complain)
  if (route.order.by === 'field') check(route.order.field, ['order', 'by'])
  for (const { name, path, isAddress } of placesOf(route)) {
    if (BUILT_IN_PLACES.includes(name)) complainOfShadow(name, known, path, complain)
    else if (check(name, path) && isAddress) complainOfGap(name, types, path, complain)
  }
}

/**
 * Compares the fields that one group of conditions uses, without the groups in it, with those that its types have.
 *
 * @param path Where the group stands in the route.
 */
export function complainOfGroupFields(
  { fields, xpath }: Conditions,
  types: readonly DocumentType[],
  path: Path,
  complain: Complain,
): void {
  const check = checkOf(types, knownFields(types), complain)
  for (const [name, conditions] of Object.entries(fields ?? {})) {
    const place = [...path, 'fields', name]
    if (check(name, place, 'key')) complainOfReading(name, conditions, types, place, complain)
  }
  if (xpath !== undefined && types.length > 0 && types.every((type) => formOf(type) !== 'xml')) {
    const message = 'xpath holds for XML only, and no type of this route is XML'
    complain('condition-impossible', [...path, 'xpath'], message)
  }
}

function knownFields(types: readonly DocumentType[]): ReadonlySet<string> {
  return new Set(types.flatMap(({ fields }) => Object.keys(fields)))
}

/** Whether a field is known; complains where it isn't. */
function checkOf(types: readonly DocumentType[], known: ReadonlySet<string>, complain: Complain) {
  return (name: string, path: Path, at: 'key' | 'value' = 'value'): boolean => {
    if (known.has(name)) return true
    const whose = types.length === 1 ? types[0]!.name : 'the types in question'
    complain('field-unknown', path, `Unknown field "${name}": ${whose} has no such field${didYouMean(name, known)}`, {
      at,
    })
    return false
  }
}

interface Place {
  readonly name: string
  readonly path: Path
  /** In a node or JID, which can't be filled without the field; not in a body. */
  readonly isAddress: boolean
}

function placesOf({ deliver }: Route): readonly Place[] {
  return deliver.flatMap(({ target, body }, at) => {
    const [key, text] = target.kind === 'node' ? ['node', target.node] : ['jid', target.jid]
    const ofAddress = parseTemplate(text)?.places ?? []
    const ofBody = [...(body ?? '').matchAll(PLACE)].map(([, name]) => name!)
    return [
      ...ofAddress.map((name) => ({ name, path: ['deliver', at, key], isAddress: true })),
      ...[...new Set(ofBody)].map((name) => ({ name, path: ['deliver', at, 'body'], isAddress: false })),
    ]
  })
}

function complainOfShadow(name: string, known: ReadonlySet<string>, path: Path, complain: Complain): void {
  if (!known.has(name)) return
  const message = `{${name}} stands for the document's own ${name}, not for the field of that name`
  complain('field-shadowed', path, message, { severity: 'warning' })
}

function complainOfGap(name: string, types: readonly DocumentType[], path: Path, complain: Complain): void {
  const without = types.filter(({ fields }) => !Object.hasOwn(fields, name)).map((type) => type.name)
  if (without.length === 0) return
  const message = `{${name}} can't be filled for documents of type ${without.join(', ')}, which have no such field`
  complain('field-missing-in-type', path, message, { severity: 'warning' })
}

/** Text conditions hold for text alone: on a field that every type reads as something else they never do. */
function complainOfReading(
  name: string,
  conditions: readonly ValueCondition[],
  types: readonly DocumentType[],
  path: Path,
  complain: Complain,
): void {
  const having = types.filter(({ fields }) => Object.hasOwn(fields, name))
  const readings = new Set(having.map(({ fields }) => fields[name]!.as))
  const [reading] = readings
  for (const [at, condition] of conditions.entries()) {
    const { kind } = condition
    if (kind === 'is') complainOfValue(name, condition.value, having, [...path, at], complain)
    if (readings.size !== 1 || reading === undefined || reading === 'string') continue
    if (kind !== 'prefix' && kind !== 'suffix' && kind !== 'contains') continue
    const message = `${kind} never holds for field ${name}, which is read as a ${reading}`
    complain('condition-impossible', path, message, { at: 'key' })
  }
}

/** A value that the field never has, whatever stands in the document, because of how it is read. */
function complainOfValue(
  name: string,
  value: Literal,
  having: readonly DocumentType[],
  path: Path,
  complain: Complain,
): void {
  const reasons = having.map((type) => neverRead(value, type.fields[name]!))
  const [reason] = reasons
  if (reason === undefined || reasons.includes(undefined)) return
  const message = `Field ${name} is never ${JSON.stringify(value)}: ${reason}`
  complain('condition-impossible', path, message, { severity: 'warning' })
}

function neverRead(value: Literal, { as, xpath }: FieldSource): string | undefined {
  if (value === null) return xpath === undefined ? undefined : NO_NULL
  if (as === 'number') return neverNumber(value)
  if (as !== 'boolean' || value === 'true' || value === 'false' || typeof value === 'boolean') return undefined
  return 'it is read as a boolean, which is true or false'
}

const NO_NULL = 'XML has no null ({ exists: false } holds where there is no value)'

/** A number is compared with a text as JSON writes it; what is no number at all, the schema tells. */
function neverNumber(value: string | number | boolean): string | undefined {
  const number = typeof value === 'string' ? numberOf(value) : undefined
  if (number === undefined || String(number) === value) return undefined
  return `it is read as a number, whose text is ${number} (without quotes ${number} is compared as a number)`
}

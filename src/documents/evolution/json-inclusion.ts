import type { Json } from '../../domain/document.ts'
import { isObject } from '../pointer.ts'
import {
  gather,
  isSaidBy,
  itemsOf,
  type JsonSchemaObject,
  type JsonType,
  listedIn,
  namesIn,
  propertyIn,
  propertyOf,
  requiredIn,
  strictest,
  type Together,
  typeOfValue,
  typesOf,
  typesSaid,
} from './json-facts.ts'
import { satisfies } from './json-values.ts'
import type { Difference } from './verdict.ts'

/** What kept the proof from being one: empty where every value of the old version is proven to be one of the new version. */
export function findJsonGaps(old: JsonSchemaObject, next: JsonSchemaObject): readonly Difference[] {
  const proof: Proof = { assumed: new Set(), numbers: new WeakMap(), last: 0, gaps: [], steps: 0 }
  implies(gather([old], old), { schema: next, root: next }, '', proof)
  return proof.gaps
}

interface Proof {
  /** Pairs that are being compared, or were: what recursion comes back to holds if all the rest does. */
  readonly assumed: Set<string>
  readonly numbers: WeakMap<object, number>
  last: number
  gaps: Difference[]
  steps: number
}

interface Wanted {
  readonly schema: Json
  readonly root: JsonSchemaObject
}

const STEPS_AT_MOST = 20_000

function fail(proof: Proof, path: string, message: string): false {
  if (proof.gaps.length < 50) proof.gaps.push({ path, message, old: '', new: '' })
  return false
}

/** Whether all values of which `mine` holds satisfy the schema. Each keyword of the schema is a question of its own. */
function implies(mine: Together, wanted: Wanted, path: string, proof: Proof): boolean {
  const { schema, root } = wanted
  if (schema === true || mine.never || !isObject(schema)) {
    return schema !== false || mine.never || typesOf(mine).size === 0 || fail(proof, path, 'it is not allowed')
  }
  proof.steps += 1
  if (proof.steps > STEPS_AT_MOST) return fail(proof, path, 'the schemas are too large to compare')
  const key = `${mine.schemas.map((one) => numberOf(one, proof)).join(' ')}|${numberOf(schema, proof)}`
  if (proof.assumed.has(key)) return true
  proof.assumed.add(key)
  const listed = listedIn(mine)
  if (listed) return listedSatisfy(listed, mine, wanted, path, proof)
  if (mine.open) return fail(proof, path, 'a reference leads to another file, or nowhere')
  return branchesOf(mine).every((branch) =>
    Object.keys(schema).every((keyword) => impliesKeyword(branch, keyword, schema, { path, root, proof })),
  )
}

function numberOf(schema: object, proof: Proof): number {
  const known = proof.numbers.get(schema)
  if (known !== undefined) return known
  proof.last += 1
  proof.numbers.set(schema, proof.last)
  return proof.last
}

function listedSatisfy(
  listed: readonly Json[],
  mine: Together,
  { schema, root }: Wanted,
  path: string,
  proof: Proof,
): boolean {
  const possible = listed.filter((value) => mine.schemas.every((one) => satisfies(value, one, mine.root) !== false))
  const refused = possible.find((value) => satisfies(value, schema, root) !== true)
  if (refused === undefined) return true
  return fail(proof, path, `${JSON.stringify(refused).slice(0, 60)} is not allowed, or that can’t be told`)
}

const BRANCHES_AT_MOST = 64

/** The cases that `anyOf` and `oneOf` make; for the old version each of them alone has to be kept. */
function branchesOf(mine: Together): readonly Together[] {
  let branches: readonly (readonly Json[])[] = [mine.schemas]
  for (const { anyOf, oneOf } of mine.schemas) {
    for (const cases of [anyOf, oneOf]) {
      if (!Array.isArray(cases) || branches.length * cases.length > BRANCHES_AT_MOST) continue
      branches = branches.flatMap((branch) => cases.map((one) => [...branch, one]))
    }
  }
  return branches.length === 1 && branches[0] === mine.schemas
    ? [mine]
    : branches.map((parts) => gather(parts, mine.root)).filter(isPossible)
}

function isPossible(branch: Together): boolean {
  return !branch.never && typesOf(branch).size > 0
}

interface Place {
  readonly path: string
  readonly root: JsonSchemaObject
  readonly proof: Proof
}

/** The types of values that a keyword looks at. */
const LOOKS_AT: Readonly<Record<string, readonly JsonType[]>> = {
  minimum: ['integer', 'fraction'],
  maximum: ['integer', 'fraction'],
  exclusiveMinimum: ['integer', 'fraction'],
  exclusiveMaximum: ['integer', 'fraction'],
  multipleOf: ['integer', 'fraction'],
  minLength: ['string'],
  maxLength: ['string'],
  pattern: ['string'],
  minItems: ['array'],
  maxItems: ['array'],
  uniqueItems: ['array'],
  items: ['array'],
  prefixItems: ['array'],
  contains: ['array'],
  minProperties: ['object'],
  maxProperties: ['object'],
  required: ['object'],
  properties: ['object'],
  additionalProperties: ['object'],
  patternProperties: ['object'],
  propertyNames: ['object'],
  dependentRequired: ['object'],
  dependentSchemas: ['object'],
}

const SAYS_NOTHING: ReadonlySet<string> = new Set([
  ...['$schema', '$id', '$anchor', '$comment', '$defs', 'definitions', 'title', 'description', 'default'],
  ...['deprecated', 'readOnly', 'writeOnly', 'examples', 'then', 'else', 'minContains', 'maxContains'],
])

function impliesKeyword(mine: Together, keyword: string, schema: JsonSchemaObject, at: Place): boolean {
  const { path, root, proof } = at
  if (SAYS_NOTHING.has(keyword) || keyword.startsWith('x-') || mine.never) return true
  const types = typesOf(mine)
  const looked = LOOKS_AT[keyword]
  if (types.size === 0 || (looked && !looked.some((type) => types.has(type)))) return true
  const value = schema[keyword]!
  switch (keyword) {
    case '$ref': {
      const { schemas, open, never } = gather([{ $ref: value }], root)
      if (open) return fail(proof, path, `a reference leads to another file, or nowhere: ${String(value)}`)
      if (never) return fail(proof, path, 'it is not allowed')
      return schemas.slice(1).every((one) => implies(mine, { schema: one, root }, path, proof))
    }
    case 'allOf':
      return (value as Json[]).every((one) => implies(mine, { schema: one, root }, path, proof))
    case 'anyOf':
      return impliesAny(mine, value as Json[], at)
    case 'oneOf':
      return impliesOne(mine, schema, at)
    case 'type': {
      const said = typesSaid(schema)!
      const lost = [...types].filter((type) => !said.has(type))
      return lost.length === 0 || fail(proof, path, `${lost.join(', ')} is not allowed`)
    }
    case 'properties':
    case 'additionalProperties':
      return impliesProperties(mine, keyword, schema, at)
    case 'required':
      return impliesRequired(mine, value as string[], at)
    case 'items':
      return impliesItems(mine, schema, at)
    default:
      return (
        impliesBound(mine, keyword, value) ||
        isKept(mine, keyword, schema) ||
        fail(proof, path, changed(keyword, value))
      )
  }
}

function changed(keyword: string, value: Json): string {
  return `${keyword} is ${JSON.stringify(value).slice(0, 60)}`
}

const WITH: Readonly<Record<string, readonly string[]>> = {
  if: ['if', 'then', 'else'],
  contains: ['contains', 'minContains', 'maxContains'],
}
/** What they mean depends on all that stands around them. */
const NEVER_KEPT = new Set([
  'unevaluatedProperties',
  'unevaluatedItems',
  '$dynamicRef',
  '$recursiveRef',
  'prefixItems',
  'patternProperties',
])

function isKept(mine: Together, keyword: string, schema: JsonSchemaObject): boolean {
  return !NEVER_KEPT.has(keyword) && isSaidBy(schema, WITH[keyword] ?? [keyword], mine)
}

// ------------------------------------------------------------------------------------------------------- bounds

function impliesBound(mine: Together, keyword: string, value: Json): boolean {
  if (keyword === 'uniqueItems' && value === false) return true
  if (typeof value !== 'number') return false
  const least = (name: string) => strictest(mine, name, Math.max) ?? Number.NEGATIVE_INFINITY
  const most = (name: string) => strictest(mine, name, Math.min) ?? Number.POSITIVE_INFINITY
  switch (keyword) {
    case 'minimum':
      return Math.max(least('minimum'), least('exclusiveMinimum')) >= value
    case 'maximum':
      return Math.min(most('maximum'), most('exclusiveMaximum')) <= value
    case 'exclusiveMinimum':
      return least('minimum') > value || least('exclusiveMinimum') >= value
    case 'exclusiveMaximum':
      return most('maximum') < value || most('exclusiveMaximum') <= value
    case 'multipleOf':
      return impliesMultiple(mine, value)
    case 'minLength':
    case 'minItems':
      return value === 0 || least(keyword) >= value
    case 'minProperties':
      return value === 0 || Math.max(least(keyword), requiredIn(mine).size) >= value
    case 'maxLength':
    case 'maxItems':
    case 'maxProperties':
      return most(keyword) <= value
    default:
      return false
  }
}

function impliesMultiple(mine: Together, value: number): boolean {
  if (value === 1 && !typesOf(mine).has('fraction')) return true
  return mine.schemas.some(({ multipleOf }) => {
    return (
      typeof multipleOf === 'number' &&
      Number.isInteger(multipleOf) &&
      Number.isInteger(value) &&
      multipleOf % value === 0
    )
  })
}

// ------------------------------------------------------------------------------------------- objects and arrays

function impliesRequired(mine: Together, names: readonly string[], { path, proof }: Place): boolean {
  const known = requiredIn(mine)
  const missing = names.filter((name) => !known.has(name))
  return missing.length === 0 || fail(proof, path, `${missing.join(', ')} is required`)
}

/** Each name that either version knows, and one for all others. */
function impliesProperties(mine: Together, keyword: string, schema: JsonSchemaObject, at: Place): boolean {
  const { path, root, proof } = at
  if (isObject(schema.patternProperties)) {
    return (
      isSaidBy(schema, ['properties', 'patternProperties', 'additionalProperties'], mine) ||
      fail(proof, path, 'properties by pattern are not compared')
    )
  }
  const named = isObject(schema.properties) ? Object.keys(schema.properties) : []
  const names = keyword === 'properties' ? named : [...namesIn(mine).filter((name) => !named.includes(name)), undefined]
  return names.every((name) => {
    const [wanted] = propertyIn(schema, name)
    const below = `${path}/${name ?? '*'}`
    return wanted === undefined || implies(propertyOf(mine, name), { schema: wanted, root }, below, proof)
  })
}

function impliesItems(mine: Together, schema: JsonSchemaObject, { path, root, proof }: Place): boolean {
  const { items } = schema
  if (Array.isArray(items) || schema.prefixItems !== undefined) {
    return fail(proof, path, 'items by place are not compared')
  }
  if (mine.schemas.some((one) => one.maxItems === 0)) return true
  return implies(itemsOf(mine), { schema: items!, root }, `${path}/*`, proof)
}

// ------------------------------------------------------------------------------------------------------- choices

/** Tried in silence: only where none is proven it is told. */
function isProven(mine: Together, wanted: Wanted, proof: Proof): boolean {
  const trial: Proof = { ...proof, assumed: new Set(proof.assumed), gaps: [] }
  const holds = implies(mine, wanted, '', trial)
  proof.steps = trial.steps
  proof.last = trial.last
  return holds
}

function impliesAny(mine: Together, cases: readonly Json[], { path, root, proof }: Place): boolean {
  const isOneOf = (part: Together) => cases.some((one) => isProven(part, { schema: one, root }, proof))
  if (isOneOf(mine)) return true
  const byType = [...typesOf(mine)].map((type) =>
    gather([...mine.schemas, { type: type === 'fraction' ? 'number' : type }], mine.root),
  )
  return (byType.length > 1 && byType.every(isOneOf)) || fail(proof, path, 'none of anyOf is known to hold')
}

function impliesOne(mine: Together, schema: JsonSchemaObject, { path, root, proof }: Place): boolean {
  if (isSaidBy(schema, ['oneOf'], mine)) return true
  const cases = schema.oneOf as Json[]
  const holds = cases.some((one, at) => {
    const others = cases.filter((_, other) => other !== at)
    return (
      isProven(mine, { schema: one, root }, proof) && others.every((other) => isDisjoint(mine, gather([other], root)))
    )
  })
  return holds || fail(proof, path, 'exactly one of oneOf is not known to hold')
}

/** By their types, or by a required property that both list the values of. */
function isDisjoint(one: Together, other: Together): boolean {
  const types = typesOf(other)
  if (![...typesOf(one)].some((type) => types.has(type))) return true
  const listed = listedIn(one)
  if (listed && !listed.some((value) => types.has(typeOfValue(value)))) return true
  const needed = requiredIn(other)
  if ([...typesOf(one)].some((type) => type !== 'object')) return false
  return [...requiredIn(one)].some((name) => {
    const [mine, theirs] = [listedIn(propertyOf(one, name)), listedIn(propertyOf(other, name))]
    if (!needed.has(name) || !mine || !theirs) return false
    const texts = new Set(theirs.map((value) => JSON.stringify(value)))
    return mine.every((value) => typeof value !== 'object' && !texts.has(JSON.stringify(value)))
  })
}

import { nearest } from '../../domain/nearest.ts'
import { parseXPath, type Step, type XPathNode } from '../../domain/xpath-grammar.ts'
import { DATE_AS_NUMBER, isOrdering, isUnordered } from '../../domain/xpath-ordering.ts'
import { mostOf, typesInPlaceOf } from './children.ts'
import type { TypeDefinition } from './components.ts'
import { localNameOf, namespaceOfName } from './symbols.ts'
import { admits, enumerationOf, normalise } from './values.ts'
import { ANYWHERE, type Arrival, AT_DOCUMENT, type Spot, takeStep, typeOfSpot, type Walk, XML } from './walk.ts'

/** What a schema says of an XPath. */
export interface XPathReview {
  readonly remarks: readonly XPathRemark[]
  /** Where the expression leads, where it is a path. */
  readonly arrival: Arrival
  /** How many nodes it selects at most; `Infinity` where that isn't bounded, or not known. */
  readonly most: number
}

export interface XPathRemark {
  readonly code: 'path-impossible' | 'value-impossible'
  /** The part of the expression that it is about: the same for every schema that it is reviewed by. */
  readonly about: string
  /** How many steps of it the schema has. */
  readonly depth: number
  readonly message: string
}

/**
 * Looks for paths that no valid document has, and for comparisons with values that can't stand there. Silent where the schema
 * leaves anything open.
 *
 * @param expression One that compiles.
 */
export function reviewXPath(expression: string, walk: Walk): XPathReview {
  const node = parseXPath(expression, walk.namespaces)
  const remarks: XPathRemark[] = []
  const arrival = visit(node, AT_DOCUMENT, { walk, remarks })
  return { remarks, arrival, most: mostSelected(node, walk) }
}

interface Review {
  readonly walk: Walk
  readonly remarks: XPathRemark[]
}

/** @param at What the expression is asked of. */
function visit(node: XPathNode, at: Arrival, review: Review): Arrival {
  switch (node.kind) {
    case 'literal':
    case 'number':
    case 'variable':
      return ANYWHERE
    case 'negative':
      visit(node.of, at, review)
      return ANYWHERE
    case 'call':
      for (const argument of node.arguments) visit(argument, at, review)
      return ANYWHERE
    case 'binary': {
      const left = visit(node.left, at, review)
      const right = visit(node.right, at, review)
      if (node.operator === '|') return { spots: [...left.spots, ...right.spots], open: left.open || right.open }
      // One remark is enough where neither side is ever a number.
      if (!compareWith(node.operator, { node: node.left, arrival: left }, node.right, review))
        compareWith(node.operator, { node: node.right, arrival: right }, node.left, review)
      return ANYWHERE
    }
    case 'path': {
      const start = node.from ? visit(node.from, at, review) : at
      for (const predicate of node.predicates) visit(predicate, start, review)
      return follow(node, node.absolute ? AT_DOCUMENT : start, review)
    }
  }
}

type Path = Extract<XPathNode, { kind: 'path' }>

function follow({ steps, absolute }: Path, start: Arrival, review: Review): Arrival {
  let arrival = start
  for (const [at, step] of steps.entries()) {
    const before = arrival
    arrival = takeStep(before, step, review.walk)
    if (arrival.spots.length === 0 && !arrival.open) {
      // What led nowhere before was told of there.
      if (before.spots.length > 0) review.remarks.push(deadEnd(steps, at, absolute, before, review.walk))
      return arrival
    }
    for (const predicate of step.predicates) visit(predicate, arrival, review)
  }
  return arrival
}

// ---------------------------------------------------------------------------------------------- paths that aren't

function deadEnd(steps: readonly Step[], at: number, absolute: boolean, before: Arrival, walk: Walk): XPathRemark {
  const step = steps[at]!
  const shown = showPath(steps.slice(0, at + 1), absolute)
  const where = `${whereWords(before, walk)}${guess(step, before, walk)}`
  const message = `No valid document has ${shown}: the schema lets no ${showStep(step)} stand ${where}`
  return { code: 'path-impossible', about: showPath(steps, absolute), depth: at, message }
}

function showPath(steps: readonly Step[], absolute: boolean): string {
  const path = `${absolute ? '/' : ''}${steps.map(showStep).join('/')}`
  return path.replaceAll(/\/?descendant-or-self::node\(\)\//g, '//')
}

function showStep({ axis, test }: Step): string {
  const name =
    test.kind === 'type' ? `${test.type}()` : `${test.prefix === undefined ? '' : `${test.prefix}:`}${test.name}`
  if (axis === 'child') return name
  return axis === 'attribute' ? `@${name}` : `${axis}::${name}`
}

const PARENTS_SHOWN = 3

function whereWords({ spots }: Arrival, walk: Walk): string {
  const isAtRoot = spots.some(({ kind }) => kind === 'document')
  if (isAtRoot && spots.length > 1) return 'anywhere'
  if (isAtRoot) return `at the root, which is ${showName(walk.root, walk)}`
  const names = [...new Set(spots.map((spot) => showSpot(spot, walk)))]
  const shown = names.slice(0, PARENTS_SHOWN).join(', ')
  return `in ${shown}${names.length > PARENTS_SHOWN ? ` or ${names.length - PARENTS_SHOWN} others` : ''}`
}

function showSpot(spot: Spot, walk: Walk): string {
  if (spot.kind === 'element') return showName(spot.declaration.name, walk)
  return spot.kind === 'attribute' ? `@${showName(spot.declaration.name, walk)}` : 'a text'
}

/** With the prefix that the configuration has for it; an expanded name where it has none. */
function showName(name: string, { namespaces }: Walk): string {
  const uri = namespaceOfName(name)
  if (uri === '') return name
  if (uri === XML) return `xml:${localNameOf(name)}`
  const prefix = Object.keys(namespaces).find((candidate) => namespaces[candidate] === uri)
  return prefix === undefined ? name : `${prefix}:${localNameOf(name)}`
}

function guess(step: Step, before: Arrival, walk: Walk): string {
  if (step.test.kind === 'type') return ''
  const known = namesAt(step, before, walk)
  const local = step.test.name
  const elsewhere = known.find((name) => localNameOf(name) === local)
  const near = elsewhere ?? known.find((name) => localNameOf(name) === nearest(local, known.map(localNameOf)))
  if (near === undefined) return ''
  return ` (did you mean "${step.axis === 'attribute' ? '@' : ''}${showName(near, walk)}"?)`
}

function namesAt({ axis }: Step, { spots }: Arrival, walk: Walk): readonly string[] {
  return spots.flatMap((spot): readonly string[] => {
    if (spot.kind === 'document') return axis === 'child' ? [walk.root] : []
    if (spot.kind !== 'element') return []
    if (axis !== 'attribute') return [...walk.children(spot.declaration).elements.keys()]
    return typesInPlaceOf(spot.declaration.type, walk.schema).flatMap((type) => {
      return type.kind === 'complex' ? type.attributes.map(({ declaration }) => declaration.name) : []
    })
  })
}

// --------------------------------------------------------------------------------------------- values that aren't

interface Side {
  readonly node: XPathNode
  readonly arrival: Arrival
}

/** Whether there was something to remark on. */
function compareWith(operator: string, { node, arrival }: Side, other: XPathNode, { walk, remarks }: Review): boolean {
  if (node.kind !== 'path' || arrival.open || arrival.spots.length === 0) return false
  const types = arrival.spots.map(typeOfSpot).filter((type) => type !== undefined)
  if (types.length !== arrival.spots.length) return false
  const reason = reasonAgainst(operator, other, types)
  if (reason === undefined) return false
  const names = [...new Set(arrival.spots.map((spot) => showSpot(spot, walk)))]
  const about = `${showPath(node.steps, node.absolute)} ${operator}`
  const depth = node.steps.length
  remarks.push({
    code: 'value-impossible',
    about,
    depth,
    message: `${names.slice(0, PARENTS_SHOWN).join(', ')} ${reason}`,
  })
  return true
}

/** Why the comparison never holds; undefined where it may. */
function reasonAgainst(operator: string, other: XPathNode, types: readonly TypeDefinition[]): string | undefined {
  if (operator === '=' && other.kind === 'literal') {
    const reason = refusalOf(types, other.value)
    return reason === undefined ? undefined : `is never "${other.value}": ${reason}`
  }
  if (operator === '=' && other.kind === 'number') return types.every(isNeverNumber) ? NEVER_NUMBER : undefined
  if (!isOrdering(operator) || !isComparedAsNumber(other) || !types.every(isNeverNumber)) return undefined
  return `${NEVER_NUMBER}, and ${operator} compares numbers${types.every(isDate) ? ` (${DATE_AS_NUMBER})` : ''}`
}

const NEVER_NUMBER = 'is never a number by the schema'

/** What a node beside it is compared with by size as a number. A text that is none is told of by itself. */
function isComparedAsNumber(node: XPathNode): boolean {
  if (node.kind === 'path') return node.steps.length > 0
  return node.kind === 'number' || (node.kind === 'literal' && !isUnordered(node))
}

function isDate(type: TypeDefinition): boolean {
  if (type.kind === 'complex') return type.content.kind === 'simple' && isDate(type.content.type)
  return type.kind === 'simple' && (type.primitive === 'date' || type.primitive === 'dateTime')
}

const VALUES_SHOWN = 8

/** Why none of the types admits the text, in words; undefined where one does, or may. */
export function refusalOf(types: readonly TypeDefinition[], text: string): string | undefined {
  if (types.length === 0 || types.some((type) => admits(type, text) !== 'no')) return undefined
  const lists = types.map(enumerationOf)
  if (!lists.every((list) => list !== undefined)) return 'its type in the schema admits no such value'
  const known = [...new Set(lists.flat())]
  const near = nearest(text, known)
  if (near !== undefined) return `the schema lists its values (did you mean "${near}"?)`
  const more = known.length > VALUES_SHOWN ? ` and ${known.length - VALUES_SHOWN} more` : ''
  return `the schema lists ${known.slice(0, VALUES_SHOWN).join(', ')}${more}`
}

const NO_NUMBERS: ReadonlySet<string> = new Set(['date', 'dateTime', 'time', 'duration', 'gYearMonth', 'gMonthDay'])

/** Whether no value of the type reads as a number. */
export function isNeverNumber(type: TypeDefinition): boolean {
  if (type.kind === 'unknown') return false
  if (type.kind === 'complex') return type.content.kind === 'simple' && isNeverNumber(type.content.type)
  if (type.variety !== 'atomic') return false
  if (type.primitive !== undefined && NO_NUMBERS.has(type.primitive)) return true
  return type.facets.enumeration?.every((value) => Number.isNaN(Number(normalise(value, 'collapse')))) ?? false
}

// ------------------------------------------------------------------------------------------------------ how many

function mostSelected(node: XPathNode, walk: Walk): number {
  if (node.kind !== 'path' || node.from)
    return node.kind === 'path' || node.kind === 'binary' ? Number.POSITIVE_INFINITY : 1
  let most = 1
  let arrival = AT_DOCUMENT
  for (const step of node.steps) {
    const before = arrival
    arrival = takeStep(before, step, walk)
    if (arrival.open) return Number.POSITIVE_INFINITY
    most *= mostInStep(step, before, arrival, walk)
  }
  return most
}

function mostInStep({ axis, test }: Step, before: Arrival, { spots }: Arrival, { schema }: Walk): number {
  if (test.kind === 'type' || test.name === '*') return Number.POSITIVE_INFINITY
  if (axis === 'attribute' || before.spots.every(({ kind }) => kind === 'document')) return 1
  if (axis !== 'child') return Number.POSITIVE_INFINITY
  const names = new Set(spots.map((spot) => (spot.kind === 'element' ? spot.declaration.name : '')))
  const parents = before.spots.flatMap((spot) => (spot.kind === 'element' ? [spot.declaration.type] : []))
  const types = parents.flatMap((type) => typesInPlaceOf(type, schema))
  return Math.max(...types.flatMap((type) => [...names].map((name) => mostOf(type, name, schema))))
}

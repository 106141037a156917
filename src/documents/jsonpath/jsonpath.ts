import type { Json } from '../../domain/document.ts'
import { isObject } from '../pointer.ts'
import {
  type Comparable,
  type Comparison,
  type Condition,
  JsonPathProblem,
  type Query,
  type Selector,
} from './query.ts'
import { readQuery } from './read-query.ts'

/**
 * JSONPath (RFC 9535), for fields. All of it, but that the pattern of `match` and `search` stands in the query: one that a document
 * brings could keep the process busy for hours.
 */
export interface JsonPath {
  /** The values of the nodes that it selects, in the order of RFC 9535; `too-costly` where that took more steps than allowed. */
  select(document: Json): { readonly kind: 'nodes'; readonly values: readonly Json[] } | { readonly kind: 'too-costly' }
}

export type CompiledJsonPath =
  | { readonly kind: 'ok'; readonly jsonpath: JsonPath }
  | { readonly kind: 'error'; readonly message: string }

/** Nodes looked at for one document: `$..*..*` on a large one would be millions. */
const STEPS_AT_MOST = 200_000

export function compileJsonPath(text: string, stepsAtMost = STEPS_AT_MOST): CompiledJsonPath {
  let query: Query
  try {
    query = readQuery(text)
  } catch (error) {
    if (!(error instanceof JsonPathProblem)) throw error
    return { kind: 'error', message: `Cannot read the JSONPath: ${error.message}` }
  }
  return { kind: 'ok', jsonpath: { select: (document) => select(query, document, stepsAtMost) } }
}

/** Ends the evaluation; never leaves this file. */
class TooCostly extends Error {}

interface Run {
  readonly root: Json
  stepsLeft: number
}

function select(query: Query, document: Json, stepsAtMost: number): ReturnType<JsonPath['select']> {
  try {
    return { kind: 'nodes', values: nodesOf(query, document, { root: document, stepsLeft: stepsAtMost }) }
  } catch (error) {
    if (error instanceof TooCostly) return { kind: 'too-costly' }
    throw error
  }
}

function step(run: Run): void {
  run.stepsLeft -= 1
  if (run.stepsLeft < 0) throw new TooCostly()
}

function nodesOf({ from, segments }: Query, at: Json, run: Run): readonly Json[] {
  let nodes: readonly Json[] = [from === '$' ? run.root : at]
  for (const { kind, selectors } of segments) {
    const found: Json[] = []
    for (const node of nodes) {
      if (kind === 'child') selectAll(selectors, node, run, found)
      else descend(selectors, node, run, found)
    }
    nodes = found
  }
  return nodes
}

/** RFC 9535 2.5.2.2: a node before those below it, the elements of an array in their order. */
function descend(selectors: readonly Selector[], top: Json, run: Run, found: Json[]): void {
  const pending: Json[] = [top]
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    step(run)
    selectAll(selectors, node, run, found)
    const below = childrenOf(node)
    for (let at = below.length - 1; at >= 0; at -= 1) {
      const child = below[at]!
      if (typeof child === 'object' && child !== null) pending.push(child)
    }
  }
}

function childrenOf(node: Json): readonly Json[] {
  if (Array.isArray(node)) return node as readonly Json[]
  return isObject(node) ? Object.values(node) : []
}

function selectAll(selectors: readonly Selector[], node: Json, run: Run, found: Json[]): void {
  for (const selector of selectors) selectOne(selector, node, run, found)
}

function selectOne(selector: Selector, node: Json, run: Run, found: Json[]): void {
  step(run)
  switch (selector.kind) {
    case 'name':
      if (isObject(node) && Object.hasOwn(node, selector.name)) found.push(node[selector.name]!)
      return
    case 'index': {
      if (!Array.isArray(node)) return
      const value = (node as readonly Json[]).at(selector.index)
      if (value !== undefined) found.push(value)
      return
    }
    case 'wildcard':
      for (const child of childrenOf(node)) {
        step(run)
        found.push(child)
      }
      return
    case 'slice':
      if (Array.isArray(node)) slice(selector, node as readonly Json[], run, found)
      return
    case 'filter':
      for (const child of childrenOf(node)) {
        step(run)
        if (holds(selector.condition, child, run)) found.push(child)
      }
  }
}

/** RFC 9535 2.3.4.2.2. */
function slice(
  { start, end, step: by }: Extract<Selector, { kind: 'slice' }>,
  array: readonly Json[],
  run: Run,
  found: Json[],
): void {
  const { length } = array
  if (by === 0) return
  const normal = (index: number) => (index >= 0 ? index : length + index)
  const within = (index: number, least: number, most: number) => Math.min(Math.max(index, least), most)
  if (by > 0) {
    const upper = within(normal(end ?? length), 0, length)
    for (let at = within(normal(start ?? 0), 0, length); at < upper; at += by) add(at)
    return
  }
  const upper = within(normal(start ?? length - 1), -1, length - 1)
  const lower = end === undefined ? -1 : within(normal(end), -1, length - 1)
  for (let at = upper; at > lower; at += by) add(at)

  function add(at: number): void {
    step(run)
    found.push(array[at]!)
  }
}

// ------------------------------------------------------------------------------------------------------- filters

function holds(condition: Condition, node: Json, run: Run): boolean {
  step(run)
  switch (condition.kind) {
    case 'or':
      return condition.of.some((one) => holds(one, node, run))
    case 'and':
      return condition.of.every((one) => holds(one, node, run))
    case 'not':
      return !holds(condition.of, node, run)
    case 'exists':
      return nodesOf(condition.query, node, run).length > 0
    case 'compare':
      return compare(condition.operator, valueFor(condition.left, node, run), valueFor(condition.right, node, run), run)
    case 'match': {
      const text = valueFor(condition.text, node, run)
      return typeof text === 'string' && condition.pattern !== undefined && condition.pattern.test(text)
    }
  }
}

/** Undefined for RFC 9535's Nothing. */
function valueFor(comparable: Comparable, node: Json, run: Run): Json | undefined {
  switch (comparable.kind) {
    case 'literal':
      return comparable.value
    case 'singular':
      return nodesOf(comparable.query, node, run)[0]
    case 'count':
      return nodesOf(comparable.of, node, run).length
    case 'value': {
      const nodes = nodesOf(comparable.of, node, run)
      return nodes.length === 1 ? nodes[0] : undefined
    }
    case 'length':
      return lengthOf(valueFor(comparable.of, node, run))
  }
}

/** In characters, elements or members (2.4.4). */
function lengthOf(value: Json | undefined): number | undefined {
  if (typeof value === 'string') return [...value].length
  if (Array.isArray(value)) return value.length
  return isObject(value) ? Object.keys(value).length : undefined
}

/** RFC 9535 2.3.5.2.2: only numbers, and texts, have an order. */
function compare(operator: Comparison, left: Json | undefined, right: Json | undefined, run: Run): boolean {
  switch (operator) {
    case '==':
      return isEqual(left, right, run)
    case '!=':
      return !isEqual(left, right, run)
    case '<':
      return isLess(left, right)
    case '>':
      return isLess(right, left)
    case '<=':
      return isLess(left, right) || isEqual(left, right, run)
    case '>=':
      return isLess(right, left) || isEqual(left, right, run)
  }
}

function isLess(left: Json | undefined, right: Json | undefined): boolean {
  if (typeof left === 'number' && typeof right === 'number') return left < right
  return typeof left === 'string' && typeof right === 'string' && isBefore(left, right)
}

/** By code points, not by UTF-16's halves. */
function isBefore(left: string, right: string): boolean {
  const [one, other] = [Array.from(left), Array.from(right)]
  for (let at = 0; at < one.length && at < other.length; at += 1) {
    const difference = one[at]!.codePointAt(0)! - other[at]!.codePointAt(0)!
    if (difference !== 0) return difference < 0
  }
  return one.length < other.length
}

function isEqual(left: Json | undefined, right: Json | undefined, run: Run): boolean {
  step(run)
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return left === right
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false
    return left.every((one, at) => isEqual(one as Json, right[at] as Json, run))
  }
  const [one, other] = [left as Readonly<Record<string, Json>>, right as Readonly<Record<string, Json>>]
  const names = Object.keys(one)
  if (names.length !== Object.keys(other).length) return false
  return names.every((name) => Object.hasOwn(other, name) && isEqual(one[name], other[name], run))
}

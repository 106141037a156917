import type { NameTest } from './names.ts'
import type { IndexPath } from './paths.ts'

/**
 * What the index can hold of an XPath 1.0 expression, as tests of paths. Either exactly the expression, or a necessary condition:
 * something that holds wherever the expression does, so that the expression itself is asked of few documents.
 */
export type XPathTests =
  | { readonly kind: 'constant'; readonly holds: boolean }
  | { readonly kind: 'all' | 'any'; readonly parts: readonly XPathTests[] }
  | { readonly kind: 'not'; readonly part: XPathTests }
  | { readonly kind: 'path'; readonly path: IndexPath; readonly test: PathTest }

/**
 * Holds where one of the nodes is so; `count` is about how many there are. `span`: one node is at least `low` and one, the same or
 * another, is at most `high`, which is what `p >= 1 and p <= 5` says.
 */
export type PathTest =
  | { readonly kind: 'exists' }
  | { readonly kind: 'equal' | 'differs'; readonly constant: string | number }
  | { readonly kind: 'within' | 'span' | 'count'; readonly low: number; readonly high: number }
  | { readonly kind: 'prefix' | 'contains'; readonly text: string }

export const TRUE: XPathTests = { kind: 'constant', holds: true }
export const FALSE: XPathTests = { kind: 'constant', holds: false }

/** Two bounds on one path are one test: together they let a document be found that neither would find. */
export function allOf(first: XPathTests, second: XPathTests): XPathTests {
  const parts = [...partsOf(first), ...partsOf(second)]
  if (!parts.some(isRange)) return { kind: 'all', parts }
  const low = parts.find((part) => isBound(part, 'low'))
  const high = low && parts.find((part) => isBound(part, 'high') && isSamePath(part.path, (low as Bound).path))
  if (!low || !high) return { kind: 'all', parts }
  const bounds = { low: (low as Bound).test.low, high: (high as Bound).test.high }
  const others = parts.filter((part) => part !== low && part !== high)
  if (bounds.low > bounds.high) return { kind: 'all', parts }
  const span: XPathTests = { kind: 'path', path: (low as Bound).path, test: { kind: 'span', ...bounds } }
  return { kind: 'all', parts: [...others, span] }
}

function partsOf(tests: XPathTests): readonly XPathTests[] {
  return tests.kind === 'all' ? tests.parts : [tests]
}

interface Bound {
  readonly kind: 'path'
  readonly path: IndexPath
  readonly test: { readonly kind: 'within'; readonly low: number; readonly high: number }
}

function isRange(tests: XPathTests): boolean {
  return tests.kind === 'path' && tests.test.kind === 'within'
}

function isBound(tests: XPathTests, end: 'low' | 'high'): tests is Bound {
  if (tests.kind !== 'path' || tests.test.kind !== 'within') return false
  const { low, high } = tests.test
  return end === 'low' ? high === Number.POSITIVE_INFINITY : low === Number.NEGATIVE_INFINITY
}

function isSamePath(a: IndexPath, b: IndexPath): boolean {
  if (a === b) return true
  if (a.steps.length !== b.steps.length || a.end.kind !== b.end.kind) return false
  if (a.end.kind === 'attribute' && b.end.kind === 'attribute' && !isSameName(a.end.test, b.end.test)) return false
  return a.steps.every((step, at) => {
    const other = b.steps[at]!
    return step.descendant === other.descendant && isSameName(step.test, other.test)
  })
}

function isSameName(a: NameTest, b: NameTest): boolean {
  return a.name === b.name && a.uri === b.uri
}

export function anyOf(paths: readonly IndexPath[], test: PathTest): XPathTests {
  if (test.kind === 'within' && test.low > test.high) return FALSE
  const parts = paths.map((path): XPathTests => ({ kind: 'path', path, test }))
  return parts.length === 1 ? parts[0]! : { kind: 'any', parts }
}

import { parseXPath, type XPathNode } from '../../domain/xpath-grammar.ts'
import { XPathProblem } from '../../domain/xpath-tokens.ts'
import { exactTests, type FindPaths, ownTest, pathFinder } from './xpath-exact.ts'
import type { FoundPaths, Path } from './xpath-paths.ts'
import { isLiteral, type Scan, scanned, valueAt } from './xpath-scan.ts'
import { allOf, type XPathTests } from './xpath-tests.ts'

type Namespaces = Readonly<Record<string, string>>

/**
 * Reads expressions. Those of a hundred thousand routes are put together from few conditions that differ in their constants only: what
 * differs in nothing else is one shape, which is parsed once.
 */
export interface Shapes {
  /**
   * The expression itself; undefined where the index can't hold it.
   *
   * @throws XPathProblem
   */
  exactTests(text: string, namespaces: Namespaces): XPathTests | undefined
}

interface Shape {
  readonly node: XPathNode
  readonly findPaths: FindPaths
  /** What stands before, between and behind the constants. */
  readonly pieces: readonly string[]
  readonly constants: readonly Constant[]
  /** The next one with the same hash. */
  readonly next: Shape | undefined
}

/** Written anew for each expression of its shape. */
interface Constant {
  readonly kind: 'literal' | 'number'
  value: string | number
}

/** Shapes of expressions with the same prefixes. */
interface Space {
  readonly namespaces: Namespaces
  readonly shapes: Map<number, Shape>
}

/** Spaces that are kept; more begin anew. */
const SPACES = 32
/** Shapes that are kept, a few kilobytes each. Others are parsed each time. */
const SHAPES = 400
/** When so many had no place, those that have one may be out of use: all begin anew. */
const PARSED = 100_000

export function createShapes(): Shapes {
  let spaces: Space[] = []
  let count = 0
  let parsed = 0

  function spaceOf(namespaces: Namespaces): Space {
    const known = spaces.find((space) => space.namespaces === namespaces || areEqual(space.namespaces, namespaces))
    if (known) return known
    if (spaces.length === SPACES) forget()
    const made = { namespaces, shapes: new Map() }
    spaces.push(made)
    return made
  }

  function forget(): void {
    spaces = []
    count = 0
    parsed = 0
  }

  function make(text: string, scan: Scan, part: number, { namespaces, shapes }: Space): Shape {
    const node = parseXPath(text.slice(scan.from[part]!, scan.to[part]!), namespaces)
    const find = pathFinder(namespaces)
    const constants = constantsIn(node)
    const hash = scan.hash[part]!
    const shape = {
      node,
      findPaths: hasFixedPaths(node) ? remembering(find) : find,
      pieces: piecesOf(text, scan, part),
      constants,
      next: shapes.get(hash),
    }
    if (!isSame(constants, text, scan, part)) return shape
    shapes.set(hash, shape)
    count += 1
    return shape
  }

  function testsOf(text: string, scan: Scan, part: number, space: Space): XPathTests | undefined {
    let shape = space.shapes.get(scan.hash[part]!)
    while (shape && !hasShape(text, scan, part, shape)) shape = shape.next
    if (!shape && count >= SHAPES) return parsedAlone(text.slice(scan.from[part]!, scan.to[part]!), space)
    if (!shape) return exactIn(make(text, scan, part, space))
    const first = firstConstant(scan, part)
    for (let at = 0; at < shape.constants.length; at++) shape.constants[at]!.value = valueAt(text, scan, first + at)
    return exactIn(shape)
  }

  function parsedAlone(text: string, { namespaces }: Space): XPathTests | undefined {
    parsed += 1
    return exactTests(parseXPath(text, namespaces), pathFinder(namespaces))
  }

  function conjunction(text: string, scan: Scan, space: Space): XPathTests | undefined {
    let all = testsOf(text, scan, 0, space)
    for (let part = 1; all && part < scan.parts; part++) {
      const tests = testsOf(text, scan, part, space)
      all = tests && allOf(all, tests)
    }
    return all
  }

  return {
    exactTests(text, namespaces) {
      if (parsed >= PARSED) forget()
      const scan = scanned(text)
      try {
        const found = scan && conjunction(text, scan, spaceOf(namespaces))
        if (found) return found
      } catch (error) {
        if (!(error instanceof XPathProblem)) throw error
      }
      // What is wrong is told of the whole expression, and a part that can't be held says nothing of those behind it.
      return exactTests(parseXPath(text, namespaces), pathFinder(namespaces))
    },
  }
}

function exactIn({ node, findPaths }: Shape): XPathTests | undefined {
  return exactTests(node, findPaths)
}

function areEqual(one: Namespaces, other: Namespaces): boolean {
  let left = 0
  for (const prefix in one) {
    if (one[prefix] !== other[prefix]) return false
    left += 1
  }
  for (const _ in other) left -= 1
  return left === 0
}

// ------------------------------------------------------------------------------------------------------ constants

function firstConstant({ firstConstant: first }: Scan, part: number): number {
  return part === 0 ? 0 : first[part]!
}

function piecesOf(text: string, scan: Scan, part: number): readonly string[] {
  const pieces: string[] = []
  let from = scan.from[part]!
  for (let at = firstConstant(scan, part); at < scan.firstConstant[part + 1]!; at++) {
    pieces.push(text.slice(from, scan.starts[at]!))
    from = scan.ends[at]!
  }
  return [...pieces, text.slice(from, scan.to[part]!)]
}

function hasShape(text: string, scan: Scan, part: number, { pieces, constants }: Shape): boolean {
  const first = firstConstant(scan, part)
  if (constants.length !== scan.firstConstant[part + 1]! - first) return false
  let from = scan.from[part]!
  for (let at = 0; at < constants.length; at++) {
    const start = scan.starts[first + at]!
    if (!isPiece(pieces[at]!, text, from, start)) return false
    if (isLiteral(text, start) !== (constants[at]!.kind === 'literal')) return false
    from = scan.ends[first + at]!
  }
  return isPiece(pieces[constants.length]!, text, from, scan.to[part]!)
}

function isPiece(piece: string, text: string, from: number, to: number): boolean {
  return piece.length === to - from && (from === to || text.startsWith(piece, from))
}

/** Whether what the parser took for constants is what was taken for them without it. */
function isSame(constants: readonly Constant[], text: string, scan: Scan, part: number): boolean {
  const first = firstConstant(scan, part)
  if (constants.length !== scan.firstConstant[part + 1]! - first) return false
  return constants.every(({ value }, at) => value === valueAt(text, scan, first + at))
}

/** In the order of the text. */
function constantsIn(node: XPathNode): readonly Constant[] {
  switch (node.kind) {
    case 'literal':
    case 'number':
      return [node]
    case 'negative':
      return constantsIn(node.of)
    case 'binary':
      return [...constantsIn(node.left), ...constantsIn(node.right)]
    case 'call':
      return node.arguments.flatMap(constantsIn)
    case 'variable':
      return []
    case 'path':
      return [...(node.from ? constantsIn(node.from) : []), ...node.predicates.flatMap(constantsIn), ...inSteps(node)]
  }
}

function inSteps({ steps }: Path): readonly Constant[] {
  return steps.flatMap(({ predicates }) => predicates.flatMap(constantsIn))
}

// ---------------------------------------------------------------------------------------------------------- paths

/** Whether paths lead to the same places whatever the constants are: these stand in comparisons only, or in a last predicate. */
function hasFixedPaths(node: XPathNode): boolean {
  switch (node.kind) {
    case 'literal':
    case 'number':
    case 'variable':
      return true
    case 'negative':
      return hasFixedPaths(node.of)
    case 'binary':
      return hasFixedPaths(node.left) && hasFixedPaths(node.right)
    case 'call':
      return node.arguments.every(hasFixedPaths)
    case 'path': {
      const own = ownTest(node) ? constantsIn(node.steps.at(-1)!.predicates[0]!).length : 0
      return node.from === undefined && inSteps(node).length === own
    }
  }
}

function remembering(find: FindPaths): FindPaths {
  // There are one or two in a shape.
  const known: { readonly path: Path; readonly isOwn: boolean; readonly found: FoundPaths | undefined }[] = []
  return (path, isOwn) => {
    for (const one of known) if (one.path === path && one.isOwn === isOwn) return one.found
    const found = find(path, isOwn)
    known.push({ path, isOwn, found })
    return found
  }
}

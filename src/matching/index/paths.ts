import type { Names, NameTest } from './names.ts'
import { createOperand, type Operand } from './operands.ts'

/** A way from the root downwards. */
export interface IndexPath {
  readonly steps: readonly PathStep[]
  readonly end: PathEnd
}

export interface PathStep {
  /** Anywhere below, instead of a child. */
  readonly descendant: boolean
  readonly test: NameTest
}

export type PathEnd =
  | { readonly kind: 'element' }
  | { readonly kind: 'text' }
  | { readonly kind: 'attribute'; readonly test: NameTest }

/** A place in the tree of all paths, which share their beginnings. */
export interface PathNode {
  readonly id: number
  readonly edges: Map<number, PathNode>
  /** The place for steps to anywhere below this one. */
  below: PathNode | undefined
  /** It is such a place: whatever the element, it stays in force for the elements within. */
  readonly loops: boolean
  element: Operand | undefined
  text: Operand | undefined
  attributes: { readonly test: NameTest; readonly operand: Operand }[]
}

export interface Paths {
  readonly root: PathNode
  /** The operand of a path, made where it is new. */
  operandOf(path: IndexPath): Operand
  /** The place that an operand of a path is at. */
  placeOf(operand: Operand): PathNode
  /** The place whose elements the operand is; undefined where it is something else. */
  elementsOf(operand: Operand): PathNode | undefined
}

/** @param onGrowth Of a place from which a step goes on that is new, or that has a new operand. */
export function createPaths(names: Names, operands: Operand[], onGrowth: (place: PathNode) => void): Paths {
  let ids = 0
  const root = node(false)
  /** By the operand's id. */
  const places: PathNode[] = []
  /** Expressions of one shape have the same objects for their paths. */
  const found = new WeakMap<IndexPath, Operand>()

  function node(loops: boolean): PathNode {
    return { id: ids++, edges: new Map(), below: undefined, loops, element: undefined, text: undefined, attributes: [] }
  }

  function step(from: PathNode, { descendant, test }: PathStep): PathNode {
    const start = descendant ? placeBelow(from) : from
    const key = names.testOf(test)
    const known = start.edges.get(key)
    if (known) return known
    const next = node(false)
    start.edges.set(key, next)
    onGrowth(start)
    return next
  }

  function placeBelow(from: PathNode): PathNode {
    if (from.below) return from.below
    from.below = node(true)
    onGrowth(from)
    return from.below
  }

  function operandAt(place: PathNode): Operand {
    const made = createOperand(operands.length, 'path')
    operands.push(made)
    places[made.id] = place
    onGrowth(place)
    return made
  }

  function findOrMake({ steps, end }: IndexPath): Operand {
    const last = steps.reduce(step, root)
    switch (end.kind) {
      case 'element':
        last.element ??= operandAt(last)
        return last.element
      case 'text':
        last.text ??= operandAt(last)
        return last.text
      case 'attribute': {
        const known = last.attributes.find(({ test }) => test.uri === end.test.uri && test.name === end.test.name)
        if (known) return known.operand
        const made = operandAt(last)
        last.attributes.push({ test: end.test, operand: made })
        return made
      }
    }
  }

  return {
    root,
    operandOf(path) {
      const known = found.get(path)
      if (known) return known
      const operand = findOrMake(path)
      found.set(path, operand)
      return operand
    },
    placeOf: ({ id }) => places[id]!,
    elementsOf(operand) {
      const place = places[operand.id]
      return place?.element === operand ? place : undefined
    },
  }
}

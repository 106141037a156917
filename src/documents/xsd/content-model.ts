import { expandedName } from '../../domain/element.ts'
import type { Name } from './components.ts'

/**
 * Content models as what is still expected: an expression, and what is left of it behind each element (J. Brzozowski, Derivatives of
 * Regular Expressions, 1964). Occurrences are counted, not unrolled, and only what documents ask for is ever made.
 *
 * `T` is what stands behind a name.
 */
export type Model<T> =
  /** Nothing fits, not even an end: what isn't understood is written so, and never said to fit. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'element'; readonly named: ReadonlyMap<Name, T> }
  /** Any element of some namespaces. */
  | { readonly kind: 'wildcard'; readonly takes: (uri: string) => boolean; readonly found: T }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Model<T>[] }
  /** Each part is an element, at most once, in any order. */
  | { readonly kind: 'all'; readonly parts: readonly { readonly part: Model<T>; readonly optional: boolean }[] }
  | { readonly kind: 'repeat'; readonly part: Model<T>; readonly min: number; readonly max: number }

/** A place in a content model. */
export interface Expectation<T> {
  /** The content may end here. */
  readonly canEnd: boolean
  /** What an element is, and what is expected behind it; undefined where none of this name is, or it could be one of two. */
  after(name: string, uri: string): Step<T> | undefined
}

export interface Step<T> {
  readonly found: T
  readonly next: Expectation<T>
}

/** Places of one model, made when they are first reached: a count to a hundred thousand isn't held in memory. */
const PLACES_AT_MOST = 2_000

/**
 * How many parts of an expression are looked at for one element. Where counts stand within counts, what is left behind an element are
 * ever more alternatives; where there are many names, each is looked at anew. What takes more is told of no document.
 */
const LOOKS_AT_MOST = 500

const PARTS_WORTH_AN_INDEX = 16

/**
 * What models may still take of memory, in parts of expressions. Documents choose which places they reach: where there is no room left,
 * what is known stays, and nothing is added.
 */
export interface Room {
  left: number
}

export function expectationOf<T>(model: Model<T>, room: Room): Expectation<T> {
  return createPlaces<T>(room).placeOf(model)
}

/** Made once for each meaning, so that an expression is compared by its number. */
type Expression<T> = {
  readonly number: number
  /** The empty content is one of those that it takes. */
  readonly empty: boolean
} & (
  | { readonly kind: 'nothing' | 'end' }
  | { readonly kind: 'element'; readonly named: ReadonlyMap<Name, T> }
  | { readonly kind: 'wildcard'; readonly takes: (uri: string) => boolean; readonly found: T }
  | { readonly kind: 'sequence'; readonly first: Expression<T>; readonly rest: Expression<T> }
  | { readonly kind: 'choice'; readonly parts: readonly Expression<T>[] }
  | { readonly kind: 'all'; readonly parts: readonly AllPart<T>[] }
  | { readonly kind: 'repeat'; readonly part: Expression<T>; readonly min: number; readonly max: number }
)

interface AllPart<T> {
  readonly part: Expression<T>
  readonly optional: boolean
}

interface Edge<T> extends Step<T> {
  readonly uri: string
  /** To an element of the same local name in another namespace. */
  readonly other: Edge<T> | undefined
}

/** An element that comes, and what it was found to be. */
interface Arrival<T> {
  readonly name: Name
  readonly uri: string
  readonly found: Set<T>
  /** No wildcard took it. */
  byName: boolean
  /** How many parts may still be looked at; below zero something was left out. */
  looks: number
}

function createPlaces<T>(room: Room) {
  const made = createExpressions<T>(room)
  const places = new Map<Expression<T>, Expectation<T>>()

  function placeAt(expression: Expression<T>): Expectation<T> | undefined {
    const known = places.get(expression)
    if (known) return known
    if (places.size >= PLACES_AT_MOST) return undefined
    const place = makePlace(expression)
    places.set(expression, place)
    return place
  }

  function makePlace(expression: Expression<T>): Expectation<T> {
    const edges = new Map<string, Edge<T>>()
    return {
      canEnd: expression.empty,
      after(name, uri) {
        let edge = edges.get(name)
        while (edge && edge.uri !== uri) edge = edge.other
        return edge ?? lead(name, uri)
      },
    }

    function lead(name: string, uri: string): Step<T> | undefined {
      if (room.left <= 0) return undefined
      const looks = LOOKS_AT_MOST
      const arrival: Arrival<T> = { name: expandedName(uri, name), uri, found: new Set(), byName: true, looks }
      const left = made.derive(expression, arrival)
      if (arrival.looks < 0 || arrival.found.size !== 1 || left.kind === 'nothing') return undefined
      const next = placeAt(left)
      if (!next) return undefined
      const [found] = arrival.found
      const edge = { found: found!, next, uri, other: edges.get(name) }
      // Only what the schema names is noted: senders choose all other names.
      if (!arrival.byName) return edge
      edges.set(name, edge)
      room.left -= 1
      return edge
    }
  }

  return { placeOf: (model: Model<T>): Expectation<T> => placeAt(made.expressionOf(model))! }
}

function createExpressions<T>(room: Room) {
  const byMeaning = new Map<string, Expression<T>>()
  const numbers = new Map<object, number>()
  const indexes = new Map<Expression<T>, ReturnType<typeof indexOf>>()

  type Parts<E> = E extends unknown ? Omit<E, 'number'> : never
  function make(meaning: string, parts: Parts<Expression<T>>): Expression<T> {
    const known = byMeaning.get(meaning)
    if (known) return known
    const expression = { ...parts, number: byMeaning.size } as Expression<T>
    byMeaning.set(meaning, expression)
    room.left -= 'parts' in expression ? 1 + expression.parts.length : 1
    return expression
  }

  const nothing = make('nothing', { kind: 'nothing', empty: false })
  const end = make('end', { kind: 'end', empty: true })

  function numberOf(object: object): number {
    if (!numbers.has(object)) numbers.set(object, numbers.size)
    return numbers.get(object)!
  }

  function element(named: ReadonlyMap<Name, T>): Expression<T> {
    return make(`element ${numberOf(named)}`, { kind: 'element', empty: false, named })
  }

  function wildcard(takes: (uri: string) => boolean, found: T): Expression<T> {
    return make(`wildcard ${numberOf(takes)}`, { kind: 'wildcard', empty: false, takes, found })
  }

  function sequence(first: Expression<T>, rest: Expression<T>): Expression<T> {
    if (first === nothing || rest === nothing) return nothing
    if (first === end) return rest
    if (rest === end) return first
    const empty = first.empty && rest.empty
    return make(`sequence ${first.number} ${rest.number}`, { kind: 'sequence', empty, first, rest })
  }

  function choice(among: readonly Expression<T>[]): Expression<T> {
    const flat = among.flatMap((part) => (part.kind === 'choice' ? part.parts : [part]))
    const parts = [...new Set(flat)].filter((part) => part !== nothing).sort((a, b) => a.number - b.number)
    if (parts.length < 2) return parts[0] ?? nothing
    const empty = parts.some((part) => part.empty)
    return make(`choice ${parts.map(({ number }) => number)}`, { kind: 'choice', empty, parts })
  }

  function all(parts: readonly AllPart<T>[]): Expression<T> {
    if (parts.length === 0) return end
    const meaning = parts.map(({ part, optional }) => `${part.number}${optional ? '?' : ''}`)
    return make(`all ${meaning}`, { kind: 'all', empty: parts.every(({ optional }) => optional), parts })
  }

  function repeat(part: Expression<T>, min: number, max: number): Expression<T> {
    if (max === 0 || part === end) return end
    if (part === nothing) return min === 0 ? end : nothing
    if (min === 1 && max === 1) return part
    const empty = min === 0 || part.empty
    return make(`repeat ${part.number} ${min} ${max}`, { kind: 'repeat', empty, part, min, max })
  }

  function expressionOf(model: Model<T>): Expression<T> {
    switch (model.kind) {
      case 'nothing':
        return nothing
      case 'element':
        return element(model.named)
      case 'wildcard':
        return wildcard(model.takes, model.found)
      case 'sequence':
        return model.parts.reduceRight((rest, part) => sequence(expressionOf(part), rest), end)
      case 'choice':
        return choice(model.parts.map(expressionOf))
      case 'all':
        return all(model.parts.map(({ part, optional }) => ({ part: expressionOf(part), optional })))
      case 'repeat':
        return repeat(expressionOf(model.part), model.min, model.max)
    }
  }

  /** What is left of the expression behind an element; what it is, is added to what is found. */
  function derive(of: Expression<T>, arrival: Arrival<T>): Expression<T> {
    arrival.looks -= 1
    if (arrival.looks < 0) return nothing
    switch (of.kind) {
      case 'nothing':
      case 'end':
        return nothing
      case 'element': {
        const known = of.named.get(arrival.name)
        if (known === undefined) return nothing
        arrival.found.add(known)
        return end
      }
      case 'wildcard':
        if (!of.takes(arrival.uri)) return nothing
        arrival.found.add(of.found)
        arrival.byName = false
        return end
      case 'sequence': {
        const first = sequence(derive(of.first, arrival), of.rest)
        return of.first.empty ? either([first, derive(of.rest, arrival)], arrival) : first
      }
      case 'choice':
        return either(
          beginningWith(of, arrival.name).map((part) => derive(part, arrival)),
          arrival,
        )
      case 'all':
        return deriveAll(of.parts, arrival)
      case 'repeat': {
        const once = derive(of.part, arrival)
        return sequence(once, repeat(of.part, Math.max(0, of.min - 1), of.max - 1))
      }
    }
  }

  function deriveAll(parts: readonly AllPart<T>[], arrival: Arrival<T>): Expression<T> {
    const left = parts.map(({ part }, at) => {
      const behind = derive(part, arrival)
      return behind === nothing ? nothing : sequence(behind, all(parts.filter((_, other) => other !== at)))
    })
    return either(left, arrival)
  }

  function either(among: readonly Expression<T>[], arrival: Arrival<T>): Expression<T> {
    const left = among.filter((part) => part !== nothing)
    if (left.length < 2) return left[0] ?? nothing
    for (const part of left) arrival.looks -= part.kind === 'choice' ? part.parts.length : 1
    return arrival.looks < 0 ? nothing : choice(left)
  }

  /** Those parts of a choice that are an element of this name, and all that aren't a mere element. */
  function beginningWith(of: Expression<T> & { readonly kind: 'choice' }, name: Name): readonly Expression<T>[] {
    if (of.parts.length < PARTS_WORTH_AN_INDEX) return of.parts
    const index = indexes.get(of) ?? indexOf(of.parts)
    indexes.set(of, index)
    return index.get(name) ?? index.get(undefined)!
  }

  /** By name; under undefined what is no mere element, which stands with each name as well. */
  function indexOf(parts: readonly Expression<T>[]): ReadonlyMap<Name | undefined, readonly Expression<T>[]> {
    const others = parts.filter(({ kind }) => kind !== 'element')
    const index = new Map<Name | undefined, Expression<T>[]>([[undefined, others]])
    for (const part of parts) {
      if (part.kind !== 'element') continue
      for (const name of part.named.keys()) index.set(name, [...(index.get(name) ?? others), part])
    }
    return index
  }

  return { expressionOf, derive }
}

/** A regular expression over labels: of characters in a pattern, of elements in a content model. */
export type Expression<L> =
  | { readonly kind: 'label'; readonly label: L }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Expression<L>[] }
  /** `max` is `Infinity` for unbounded. */
  | { readonly kind: 'repeat'; readonly part: Expression<L>; readonly min: number; readonly max: number }

/**
 * An automaton whose states are the places of the labels in the expression (Glushkov 1961); state 0 is before the first one. Where a
 * schema's content model is unambiguous, as XML Schema wants it, the automaton is deterministic (Brüggemann-Klein and Wood 1998).
 */
export interface Automaton<L> {
  readonly start: number
  accepts(state: number): boolean
  steps(state: number): readonly Step<L>[]
}

export interface Step<L> {
  readonly label: L
  readonly next: number
}

/** Places of an automaton: counts are written out, so that `maxOccurs="99999"` would be as many. */
const PLACES_AT_MOST = 4_000

interface Building<L> {
  readonly labels: L[]
  readonly follow: number[][]
  full: boolean
}

interface Fragment {
  readonly nullable: boolean
  readonly first: readonly number[]
  readonly last: readonly number[]
}

const EMPTY: Fragment = { nullable: true, first: [], last: [] }
const NEVER: Fragment = { nullable: false, first: [], last: [] }

/** Undefined where it would have more than 4,000 states. */
export function makeAutomaton<L>(expression: Expression<L>): Automaton<L> | undefined {
  // Place 0 is no label's; nothing reads it.
  const building: Building<L> = { labels: [undefined as L], follow: [[]], full: false }
  const { nullable, first, last } = build(expression, building)
  if (building.full) return undefined
  building.follow[0] = [...first]
  const accepting = new Set(last)
  if (nullable) accepting.add(0)
  const steps = building.follow.map((next) => next.map((place) => ({ label: building.labels[place]!, next: place })))
  return { start: 0, accepts: (state) => accepting.has(state), steps: (state) => steps[state]! }
}

function build<L>(expression: Expression<L>, building: Building<L>): Fragment {
  if (building.full) return EMPTY
  switch (expression.kind) {
    case 'label': {
      const place = building.labels.length
      building.full ||= place > PLACES_AT_MOST
      building.labels.push(expression.label)
      building.follow.push([])
      return { nullable: false, first: [place], last: [place] }
    }
    case 'sequence':
      return expression.parts.reduce((before, part) => join(before, build(part, building), building), EMPTY)
    case 'choice':
      return expression.parts.reduce((one, part) => either(one, build(part, building)), NEVER)
    case 'repeat':
      return repeat(expression, building)
  }
}

function join<L>(one: Fragment, other: Fragment, { follow }: Building<L>): Fragment {
  for (const place of one.last) follow[place]!.push(...other.first)
  return {
    nullable: one.nullable && other.nullable,
    first: one.nullable ? [...one.first, ...other.first] : one.first,
    last: other.nullable ? [...one.last, ...other.last] : other.last,
  }
}

function either(one: Fragment, other: Fragment): Fragment {
  return {
    nullable: one.nullable || other.nullable,
    first: [...one.first, ...other.first],
    last: [...one.last, ...other.last],
  }
}

/** `x{2,4}` is `x x (x (x)?)?`: each copy is followed by the next one only, and the count of follows stays linear. */
function repeat<L>({ part, min, max }: Expression<L> & { readonly kind: 'repeat' }, building: Building<L>): Fragment {
  if (max === 0) return EMPTY
  const copies = max === Number.POSITIVE_INFINITY ? Math.max(1, min) : max
  const first = build(part, building)
  const nullable = first.nullable || min === 0
  const lasts: number[] = []
  let previous = first
  for (let copy = 1; copy <= copies; copy += 1) {
    // What may be empty may be left out of any copy.
    if (copy >= min || first.nullable) lasts.push(...previous.last)
    if (copy === copies || building.full) break
    const next = build(part, building)
    for (const place of previous.last) building.follow[place]!.push(...next.first)
    previous = next
  }
  if (max === Number.POSITIVE_INFINITY) {
    for (const place of previous.last) addNew(building.follow[place]!, previous.first)
  }
  return { nullable, first: first.first, last: lasts }
}

function addNew(to: number[], places: readonly number[]): void {
  const known = new Set(to)
  for (const place of places) if (!known.has(place)) to.push(place)
}

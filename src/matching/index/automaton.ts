import type { Names, NameTest } from './names.ts'
import type { Operand } from './operands.ts'
import type { PathNode } from './paths.ts'

/**
 * The paths as a deterministic automaton over the names of elements, made while documents are read (Green et al., "Processing XML
 * Streams with Deterministic Automata and Stream Indexes"): a state is the set of places in the tree of paths that an
 * element stands at, and most sets never come up.
 */
export interface Automaton {
  /** The state of the document node: a document begins. Where there are too many states, they are made anew. */
  start(): State
  /** The state of a child element with that symbol. */
  next(state: State, symbol: number): State
  /** What goes on from a place, or is asked about it, has changed: the states that have it are made anew when they come up. */
  forget(place: PathNode): void
  /** Whether an element of the document of that epoch stands at the place. */
  isReached(place: PathNode, epoch: number): boolean
  forgetAll(): void
}

export interface State {
  /** Number of the state behind each symbol; 0 where it isn't known yet. */
  row: Int32Array
  readonly nodes: readonly PathNode[]
  /** False: nothing within the element is asked about, and it need not be looked at. */
  readonly descends: boolean
  /** What is asked about such an element; undefined where nothing is. */
  readonly visit: Visit | undefined
  readonly texts: Interest | undefined
  /** Epoch of the last document that had such an element. */
  epoch: number
}

/** What is to be done at an element. */
export interface Visit {
  readonly element: Interest | undefined
  readonly attributes: readonly AttributeInterest[]
}

export interface AttributeInterest {
  readonly test: NameTest
  readonly interest: Interest
}

/** What conditions there are on one and the same value. */
export interface Interest {
  readonly operands: readonly Operand[]
  /** The operands as bits. */
  readonly members: Int32Array
  readonly equalTexts: boolean
  readonly equalNumbers: boolean
  /** Those with atoms that it exists. */
  readonly existing: readonly Operand[]
  /** Those that must keep their nodes for atoms to be asked later. */
  readonly asked: readonly Operand[]
  /** Those with texts or ranges to be found by the value. */
  readonly searched: readonly Operand[]
  /** False: that the value is there is all that counts. */
  readonly isLookedUp: boolean
  /** Epoch of the last document in which it came up. */
  epoch: number
}

/** States, and places in their rows, that are kept from one document to the next: 16 MB. */
const STATES = 4_096
const PLACES = 4_000_000
/** Dropped ones included. */
const NUMBERS = 65_536
/** Room for symbols that come up later: a document may bring out a few. */
const SPARE_SYMBOLS = 32

export function createAutomaton(root: PathNode, names: Names, operands: readonly Operand[]): Automaton {
  const dead: State = {
    row: new Int32Array(0),
    nodes: [],
    descends: false,
    visit: undefined,
    texts: undefined,
    epoch: 0,
  }
  // By number. Numbers stand in rows, and are not used again for another state.
  let states: (State | undefined)[] = []
  let numbers = new Map<string, number>()
  /** By the place's id, the states that have it. */
  let having: (number[] | undefined)[] = []
  let first = 0
  let held = 0
  let places = 0
  let isOutdated = true

  function begin(): void {
    // 0 in a row means unknown, so that the dead state is number 1.
    states = [undefined, dead]
    numbers = new Map([['', 1]])
    having = []
    held = 0
    places = 0
    first = numberOf(closed([root]))
    isOutdated = false
  }

  function numberOf(nodes: readonly PathNode[]): number {
    const key = nodes.map(({ id }) => id).join(' ')
    const known = numbers.get(key)
    if (known !== undefined) return known
    const state = stateOf(nodes)
    const number = states.push(state) - 1
    numbers.set(key, number)
    held += 1
    places += state.row.length
    for (const { id } of nodes) {
      having[id] ??= []
      having[id].push(number)
    }
    return number
  }

  function drop(number: number): void {
    const state = states[number]
    if (state === undefined) return
    states[number] = undefined
    numbers.delete(state.nodes.map(({ id }) => id).join(' '))
    held -= 1
    places -= state.row.length
  }

  function width(): number {
    return names.size() + SPARE_SYMBOLS
  }

  function stateOf(nodes: readonly PathNode[]): State {
    const descends = nodes.some(({ edges, text, loops }) => edges.size > 0 || text !== undefined || loops)
    return {
      row: descends ? new Int32Array(width()) : dead.row,
      nodes,
      descends,
      visit: visitOf(nodes),
      texts: interestIn(nodes.flatMap(({ text }) => text ?? [])),
      epoch: 0,
    }
  }

  function visitOf(nodes: readonly PathNode[]): Visit | undefined {
    const element = interestIn(
      nodes.flatMap((node) => node.element ?? []),
      ({ existenceIsAwaited }) => existenceIsAwaited,
    )
    const tests = new Map<string, { test: NameTest; operands: Operand[] }>()
    for (const { attributes } of nodes) {
      for (const { test, operand } of attributes) {
        const key = `${test.uri ?? '*'} ${test.name ?? '*'}`
        const known = tests.get(key)
        if (known) known.operands.push(operand)
        else tests.set(key, { test, operands: [operand] })
      }
    }
    const attributes = [...tests.values()].flatMap((one) => {
      const interest = interestIn(one.operands)
      return interest ? [{ test: one.test, interest }] : []
    })
    return element || attributes.length > 0 ? { element, attributes } : undefined
  }

  /** @param isMarked Of operands with an atom that they exist: whether that is marked when they are met. */
  function interestIn(all: readonly Operand[], isMarked = (_: Operand) => true): Interest | undefined {
    const asked = all.filter((operand) => operand.asked > 0)
    const existing = all.filter((operand) => operand.exists >= 0 && isMarked(operand))
    const equalTexts = all.some((operand) => operand.equalTexts > 0)
    const equalNumbers = all.some((operand) => operand.equalNumbers > 0)
    if (asked.length + existing.length === 0 && !equalTexts && !equalNumbers) return undefined
    const members = new Int32Array((operands.length >> 5) + 1)
    for (const { id } of all) members[id >> 5]! |= 1 << (id & 31)
    const searched = all.filter(({ texts, ranges }) => texts !== undefined || ranges !== undefined)
    const isLookedUp = equalTexts || equalNumbers || searched.length > 0
    return { operands: all, members, equalTexts, equalNumbers, existing, asked, searched, isLookedUp, epoch: 0 }
  }

  function follow(nodes: readonly PathNode[], symbol: number): readonly PathNode[] {
    const tests = names.testsOf(symbol)
    const reached = new Set<PathNode>()
    for (const node of nodes) {
      if (node.loops) reached.add(node)
      for (const test of tests) {
        const next = node.edges.get(test)
        if (next) reached.add(next)
      }
    }
    return closed([...reached])
  }

  /** The way that isn't known yet, or leads to a state that was dropped. */
  function find(state: State, symbol: number): State {
    const number = numberOf(follow(state.nodes, symbol))
    if (symbol >= state.row.length) {
      const row = new Int32Array(width())
      row.set(state.row)
      places += row.length - state.row.length
      state.row = row
    }
    state.row[symbol] = number
    return states[number]!
  }

  return {
    start() {
      if (isOutdated || held > STATES || places > PLACES || states.length > NUMBERS) begin()
      if (states[first] === undefined) first = numberOf(closed([root]))
      return states[first]!
    },
    next(state, symbol) {
      const known = symbol < state.row.length ? state.row[symbol]! : 0
      return (known === 0 ? undefined : states[known]) ?? find(state, symbol)
    },
    forget({ id }) {
      const numbersOfPlace = having[id]
      if (numbersOfPlace === undefined) return
      having[id] = undefined
      for (const number of numbersOfPlace) drop(number)
    },
    isReached({ id }, epoch) {
      return having[id]?.some((number) => states[number]?.epoch === epoch) ?? false
    },
    forgetAll() {
      isOutdated = true
    },
  }
}

/** With the places for steps to anywhere below, in ascending order. */
function closed(nodes: readonly PathNode[]): readonly PathNode[] {
  const all = new Set(nodes)
  for (const { below } of nodes) if (below) all.add(below)
  return [...all].sort((a, b) => a.id - b.id)
}

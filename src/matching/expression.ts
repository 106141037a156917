/**
 * Regular expressions as automata, for the question that an engine can't answer: whether any text at all that is made in a certain way
 * can match. Where an expression is not understood here, the answer is that one can.
 */

export interface Automaton {
  readonly start: States
  readonly isAccepted: (states: States) => boolean
  /** After one character. */
  readonly after: (states: States, character: string) => States
  /** After one or more characters of a kind, whichever lead further. */
  readonly afterAny: (states: States, alphabet: readonly string[] | 'all') => States
}

export type States = ReadonlySet<number>

interface Edge {
  readonly takes: RegExp | string
  readonly to: number
}

interface Graph {
  readonly free: number[][]
  readonly edges: Edge[][]
}

/** Repetitions beyond this count as any number of them. */
const COPIES_AT_MOST = 40
const STATES_AT_MOST = 20_000

/** Undefined where the expression has what isn't understood: looking around, references back, places between characters. */
export function automatonOf(expression: string): Automaton | undefined {
  const reader: Reader = { text: Array.from(expression), at: 0 }
  const node = alternatives(reader)
  if (!node || reader.at < reader.text.length) return undefined
  const graph: Graph = { free: [], edges: [] }
  const start = newState(graph)
  const end = build(graph, node, start)
  return end === undefined ? undefined : automaton(graph, start, end)
}

function automaton(graph: Graph, start: number, end: number): Automaton {
  return {
    start: closure(graph, [start]),
    isAccepted: (states) => states.has(end),
    after: (states, character) =>
      closure(
        graph,
        stepFrom(graph, states, (edge) => takes(edge, character)),
      ),
    afterAny(states, alphabet) {
      const passes = (edge: Edge) => alphabet === 'all' || alphabet.some((character) => takes(edge, character))
      let reached = closure(graph, stepFrom(graph, states, passes))
      for (;;) {
        const more = closure(graph, [...reached, ...stepFrom(graph, reached, passes)])
        if (more.size === reached.size) return reached
        reached = more
      }
    },
  }
}

function takes({ takes: test }: Edge, character: string): boolean {
  return typeof test === 'string' ? test === character : test.test(character)
}

function stepFrom({ edges }: Graph, states: States, passes: (edge: Edge) => boolean): readonly number[] {
  return [...states].flatMap((state) => edges[state]!.filter(passes).map(({ to }) => to))
}

function closure({ free }: Graph, states: readonly number[]): States {
  const found = new Set(states)
  for (const state of found) for (const next of free[state]!) found.add(next)
  return found
}

function newState({ free, edges }: Graph): number {
  free.push([])
  edges.push([])
  return free.length - 1
}

type Node =
  | { readonly kind: 'one'; readonly takes: RegExp | string }
  | { readonly kind: 'sequence' | 'choice'; readonly of: readonly Node[] }
  | { readonly kind: 'repeat'; readonly of: Node; readonly min: number; readonly max: number }

/** Gives the state after it; undefined where it grows too large. */
function build(graph: Graph, node: Node, from: number): number | undefined {
  if (graph.free.length > STATES_AT_MOST) return undefined
  switch (node.kind) {
    case 'one': {
      const to = newState(graph)
      graph.edges[from]!.push({ takes: node.takes, to })
      return to
    }
    case 'sequence':
      return node.of.reduce<number | undefined>((at, one) => (at === undefined ? at : build(graph, one, at)), from)
    case 'choice': {
      const ends = node.of.map((one) => build(graph, one, from))
      const end = newState(graph)
      for (const one of ends) {
        if (one === undefined) return undefined
        graph.free[one]!.push(end)
      }
      return end
    }
    case 'repeat':
      return buildRepeat(graph, node, from)
  }
}

function buildRepeat(
  graph: Graph,
  { of, min, max }: Extract<Node, { kind: 'repeat' }>,
  from: number,
): number | undefined {
  let at: number | undefined = from
  for (let count = 0; count < Math.min(min, COPIES_AT_MOST); count += 1) {
    at = at === undefined ? at : build(graph, of, at)
  }
  if (at === undefined) return undefined
  const end = newState(graph)
  graph.free[at]!.push(end)
  if (max - min > COPIES_AT_MOST || max > COPIES_AT_MOST) {
    const loop = newState(graph)
    graph.free[at]!.push(loop)
    const again = build(graph, of, loop)
    if (again === undefined) return undefined
    graph.free[again]!.push(loop, end)
    return end
  }
  for (let count = min; count < max; count += 1) {
    at = build(graph, of, at)
    if (at === undefined) return undefined
    graph.free[at]!.push(end)
  }
  return end
}

// ------------------------------------------------------------------------------------------------------- reading

interface Reader {
  readonly text: readonly string[]
  at: number
}

function alternatives(reader: Reader): Node | undefined {
  const of: Node[] = []
  do {
    const one = sequence(reader)
    if (!one) return undefined
    of.push(one)
  } while (take(reader, '|'))
  return { kind: 'choice', of }
}

function take(reader: Reader, character: string): boolean {
  if (reader.text[reader.at] !== character) return false
  reader.at += 1
  return true
}

function sequence(reader: Reader): Node | undefined {
  const of: Node[] = []
  while (reader.at < reader.text.length && !['|', ')'].includes(reader.text[reader.at]!)) {
    const atom = atomOf(reader)
    const repeated = atom && repeatOf(reader, atom)
    if (!repeated) return undefined
    of.push(repeated)
  }
  return { kind: 'sequence', of }
}

function atomOf(reader: Reader): Node | undefined {
  const character = reader.text[reader.at++]!
  switch (character) {
    case '(':
      return group(reader)
    case '[':
      return characterClass(reader)
    case '\\':
      return escaped(reader)
    case '.':
      return { kind: 'one', takes: /^.$/u }
    // Places between characters: they are not followed.
    case '^':
    case '$':
      return undefined
    default:
      return { kind: 'one', takes: character }
  }
}

function group(reader: Reader): Node | undefined {
  if (take(reader, '?')) {
    if (!take(reader, ':') && !skipName(reader)) return undefined
  }
  const inner = alternatives(reader)
  return inner && take(reader, ')') ? inner : undefined
}

/** `(?<name>`, but not what looks behind. */
function skipName(reader: Reader): boolean {
  if (!take(reader, '<') || ['=', '!'].includes(reader.text[reader.at] ?? '')) return false
  while (reader.at < reader.text.length && !take(reader, '>')) reader.at += 1
  return true
}

function characterClass(reader: Reader): Node | undefined {
  const from = reader.at - 1
  while (reader.at < reader.text.length && reader.text[reader.at] !== ']') {
    reader.at += reader.text[reader.at] === '\\' ? 2 : 1
  }
  if (!take(reader, ']')) return undefined
  return oneOf(reader.text.slice(from, reader.at).join(''))
}

function escaped(reader: Reader): Node | undefined {
  const rest = reader.text.slice(reader.at - 1).join('')
  const piece =
    /^\\(?:[dDwWsStnrvf]|[pP]\{[^}]*\}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|u\{[0-9a-fA-F]+\}|[^\p{L}\p{N}])/u.exec(
      rest,
    )?.[0]
  if (piece === undefined) return undefined
  reader.at += Array.from(piece).length - 1
  return oneOf(piece)
}

function oneOf(piece: string): Node | undefined {
  try {
    return { kind: 'one', takes: new RegExp(`^${piece}$`, 'u') }
  } catch {
    return undefined
  }
}

function repeatOf(reader: Reader, of: Node): Node | undefined {
  const counted = /^\{(\d+)(?:(,)(\d*))?\}/.exec(reader.text.slice(reader.at, reader.at + 24).join(''))
  const bounds = counted ? countsOf(counted) : SIGNS[reader.text[reader.at] ?? '']
  if (!bounds) return of
  reader.at += counted ? counted[0].length : 1
  // Taking as few as possible matches the same texts.
  take(reader, '?')
  return { kind: 'repeat', of, min: bounds[0], max: bounds[1] }
}

const MANY = Number.POSITIVE_INFINITY
const SIGNS: Readonly<Record<string, readonly [number, number]>> = { '*': [0, MANY], '+': [1, MANY], '?': [0, 1] }

function countsOf([, least, comma, most]: RegExpExecArray): readonly [number, number] {
  if (comma === undefined) return [Number(least), Number(least)]
  return [Number(least), most === '' ? MANY : Number(most)]
}

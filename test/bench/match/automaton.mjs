import { digitsOf, insertRange, makeDigits, matchDigits } from './digits.mjs'

/**
 * The way of AWS event-ruler, written for this benchmark: a rule is its fields sorted by name; states lead from field to field by
 * what the values are; a document is its fields sorted by name, and whatever state is reached is tried with every field that
 * comes later. Kinder than the original in two things: equal texts are found in a hash map, not byte by byte, and where a state has
 * few fields only those are tried.
 *
 * @typedef {import('./extraction.mjs').Extracted} Extracted
 * @typedef {{ fields: Map<number, Matchers>, rules: number[] }} State `fields` by the field's place in the order of names
 * @typedef {{
 *   equal: Map<string, State>, prefixes: Trie, exists: State | undefined,
 *   others: Map<string, State>,                        // anything but one text
 *   ranges: import('./digits.mjs').Digits<State>, rangeStates: Map<string, State>
 * }} Matchers
 * @typedef {{ next: Map<number, Trie>, state: State | undefined }} Trie
 * @typedef {{ entries: { field: number, text: string, digits: Uint8Array | undefined }[], first: Int32Array }} Sorted `first`: by field,
 *   the place of its first entry, or of the next field's
 */

const FEW_FIELDS = 4

/**
 * @param {readonly import('./routes.mjs').Spec[]} specs
 */
export function compileAutomaton(specs) {
  const order = orderOfFields(specs)
  const start = makeState()
  for (const [rule, { atoms }] of specs.entries()) addRule(start, atoms, order, rule)
  return {
    sort: (/** @type {Extracted} */ document) => sortFields(document, order),
    match: (/** @type {Sorted} */ document) => matchSorted(start, document),
  }
}

/**
 * By name without prefixes, as the fields of a JSON event are.
 * @param {readonly import('./routes.mjs').Spec[]} specs
 * @returns {Map<number, number>} from `path.at` to its place by name
 */
function orderOfFields(specs) {
  const names = new Map(
    specs.flatMap(({ atoms }) => atoms.map(({ path }) => [path.at, path.xpath.replace(/\w+:/g, '')])),
  )
  const sorted = [...names].sort(([, a], [, b]) => (a < b ? -1 : 1))
  return new Map(sorted.map(([at], place) => [at, place]))
}

/** @returns {State} */
function makeState() {
  return { fields: new Map(), rules: [] }
}

/**
 * @param {State} start
 * @param {readonly import('./routes.mjs').Atom[]} atoms
 * @param {Map<number, number>} order
 * @param {number} rule
 */
function addRule(start, atoms, order, rule) {
  const placed = atoms.map((atom) => ({ atom, field: order.get(atom.path.at) ?? 0 })).sort((a, b) => a.field - b.field)
  let state = start
  for (const { atom, field } of placed) {
    const matchers = state.fields.get(field) ?? makeMatchers()
    state.fields.set(field, matchers)
    state = stateFor(matchers, atom)
  }
  state.rules.push(rule)
}

/** @returns {Matchers} */
function makeMatchers() {
  return {
    equal: new Map(),
    prefixes: { next: new Map(), state: undefined },
    exists: undefined,
    others: new Map(),
    ranges: makeDigits(),
    rangeStates: new Map(),
  }
}

/**
 * @param {Matchers} matchers
 * @param {import('./routes.mjs').Atom} atom
 * @returns {State}
 */
function stateFor(matchers, atom) {
  switch (atom.kind) {
    case 'is':
    case 'self':
      return entry(matchers.equal, atom.text)
    case 'not':
      return entry(matchers.others, atom.text)
    case 'prefix':
      return prefixState(matchers.prefixes, atom.text)
    case 'exists':
      matchers.exists ??= makeState()
      return matchers.exists
    case 'range':
      return rangeState(matchers, atom.low, atom.high)
    case 'contains':
      throw new Error('Cannot build the automaton: it has no texts within texts')
  }
}

/**
 * @param {Map<string, State>} states
 * @param {string} key
 */
function entry(states, key) {
  const state = states.get(key) ?? makeState()
  states.set(key, state)
  return state
}

/**
 * @param {Trie} root
 * @param {string} text
 */
function prefixState(root, text) {
  let trie = root
  for (let at = 0; at < text.length; at += 1) {
    const next = trie.next.get(text.charCodeAt(at)) ?? { next: new Map(), state: undefined }
    trie.next.set(text.charCodeAt(at), next)
    trie = next
  }
  trie.state ??= makeState()
  return trie.state
}

/**
 * @param {Matchers} matchers
 * @param {number} low
 * @param {number} high
 */
function rangeState(matchers, low, high) {
  const key = `${low} ${high}`
  const known = matchers.rangeStates.get(key)
  if (known !== undefined) return known
  const state = makeState()
  matchers.rangeStates.set(key, state)
  insertRange(matchers.ranges, digitsOf(low), digitsOf(high), state)
  return state
}

/**
 * @param {Extracted} document
 * @param {Map<number, number>} order
 * @returns {Sorted}
 */
function sortFields({ texts, numbers }, order) {
  /** @type {Sorted['entries']} */
  const entries = []
  for (let at = 0; at < texts.length; at += 1) {
    const values = texts[at]
    const field = values === undefined ? undefined : order.get(at)
    if (values === undefined || field === undefined) continue
    for (let index = 0; index < values.length; index += 1) {
      const number = numbers[at]?.[index] ?? Number.NaN
      entries.push({ field, text: values[index], digits: Number.isNaN(number) ? undefined : digitsOf(number) })
    }
  }
  entries.sort((a, b) => a.field - b.field)
  const first = new Int32Array(order.size + 1).fill(entries.length)
  for (let at = entries.length - 1; at >= 0; at -= 1) first[entries[at].field] = at
  return { entries, first }
}

/**
 * @param {State} start
 * @param {Sorted} document
 * @returns {number[]}
 */
function matchSorted(start, document) {
  /** @type {Set<number>} */
  const found = new Set()
  tryFrom(start, 0, document, found)
  return [...found]
}

/**
 * @param {State} state
 * @param {number} from
 * @param {Sorted} document
 * @param {Set<number>} found
 */
function tryFrom(state, from, document, found) {
  for (const rule of state.rules) found.add(rule)
  const { entries, first } = document
  if (state.fields.size <= FEW_FIELDS) {
    for (const [field, matchers] of state.fields) {
      for (let at = Math.max(from, first[field]); at < entries.length && entries[at].field === field; at += 1) {
        tryField(matchers, at, document, found)
      }
    }
    return
  }
  for (let at = from; at < entries.length; at += 1) {
    const matchers = state.fields.get(entries[at].field)
    if (matchers !== undefined) tryField(matchers, at, document, found)
  }
}

/**
 * @param {Matchers} matchers
 * @param {number} at
 * @param {Sorted} document
 * @param {Set<number>} found
 */
function tryField(matchers, at, document, found) {
  const { text, digits } = document.entries[at]
  const go = (/** @type {State} */ state) => tryFrom(state, at + 1, document, found)
  const equal = matchers.equal.get(text)
  if (equal !== undefined) go(equal)
  if (matchers.exists !== undefined) go(matchers.exists)
  for (const [other, state] of matchers.others) if (other !== text) go(state)
  for (let trie = matchers.prefixes.next.get(text.charCodeAt(0)), index = 1; trie !== undefined; index += 1) {
    if (trie.state !== undefined) go(trie.state)
    trie = index < text.length ? trie.next.get(text.charCodeAt(index)) : undefined
  }
  if (digits !== undefined) matchDigits(matchers.ranges, digits, go)
}

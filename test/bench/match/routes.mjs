import { drawValue, HIGHEST_AMOUNT, IDS, idOf } from './documents.mjs'

/**
 * Routes as every contender can be given them: each is a conjunction.
 *
 * @typedef {import('./vocabulary.mjs').Path} Path
 * @typedef {import('./vocabulary.mjs').Leaf} Leaf
 * @typedef {import('./draw.mjs').Draw} Draw
 * @typedef {(
 *   | { path: Path, kind: 'is' | 'self' | 'not' | 'prefix' | 'contains', text: string }
 *   | { path: Path, kind: 'range', low: number, high: number }
 *   | { path: Path, kind: 'exists' }
 * )} Atom `not` and `range` stand on leaves that each document has once;
 *   `self` is `is`, written as a predicate
 * @typedef {{ atoms: readonly Atom[], asFields: boolean }} Spec `asFields`: conditions on fields in place of an XPath
 */

/** @typedef {{ share: number, make: (choice: Choice) => Atom[] }} Part */

/**
 * Mixed conditions. Whatever is selective is so by itself or together with the others of its route: a document matches few.
 * @type {readonly Part[]}
 */
const MIXED = [
  { share: 0.35, make: ({ id }) => [id()] },
  { share: 0.25, make: ({ id, code }) => [id(), code()] },
  { share: 0.12, make: ({ id, wideRange }) => [id(), wideRange()] },
  { share: 0.08, make: ({ code, narrowRange }) => [code(), narrowRange()] },
  { share: 0.08, make: ({ prefix, code }) => [prefix(), code()] },
  { share: 0.06, make: ({ id, notCode }) => [id(), notCode()] },
  { share: 0.06, make: ({ id, exists }) => [id(), exists()] },
]

/**
 * The hot values of Zipf's law, with one more condition that decides.
 * @type {readonly Part[]}
 */
const SKEWED = [
  { share: 0.5, make: ({ rankedId, id }) => [rankedId(), id()] },
  { share: 0.3, make: ({ rankedId, id, code }) => [rankedId(), id(), code()] },
  { share: 0.2, make: ({ rankedId, narrowRange }) => [rankedId(), narrowRange()] },
]

const FIELDS_SHARE = 0.1

/**
 * What a part can ask for. Of a planted route every answer is taken from one document, so that the route matches it.
 * @typedef {{
 *   id: () => Atom, rankedId: () => Atom, code: () => Atom, notCode: () => Atom, wideRange: () => Atom, narrowRange: () => Atom,
 *   prefix: () => Atom, exists: () => Atom
 * }} Choice
 */

/**
 * @param {{
 *   count: number, vocabulary: import('./vocabulary.mjs').Vocabulary, paths: number, documents: readonly import('./documents.mjs').Made[],
 *   matches: number, drawId?: () => string
 * }} options `matches`: how many routes are made to match each document; few others do by chance
 * @param {Draw} draw
 * @returns {Spec[]}
 */
export function makeSpecs({ count, vocabulary, paths, documents, matches, drawId }, draw) {
  const asked = vocabulary.leaves.slice(0, paths)
  const parts = drawId ? SKEWED : MIXED
  const free = freeChoice(asked, vocabulary.head, count, drawId, draw)
  const specs = Array.from({ length: count }, () => specOf(parts, free, draw))
  for (const document of documents) {
    const planted = plantedChoice(asked, document, count, draw)
    for (let index = 0; index < matches; index += 1) specs[draw.below(count)] = specOf(parts, planted, draw)
  }
  return specs
}

/**
 * @param {readonly Part[]} parts
 * @param {Choice} choice
 * @param {Draw} draw
 * @returns {Spec}
 */
function specOf(parts, choice, draw) {
  let wanted = draw.next()
  const part = parts.find(({ share }) => {
    wanted -= share
    return wanted < 0
  })
  let atoms = (part ?? parts[0]).make(choice)
  // Two conditions on one path would be one field with two patterns, which the sorted-field automaton has no word for.
  while (new Set(atoms.map(({ path }) => path.at)).size < atoms.length) atoms = (part ?? parts[0]).make(choice)
  const fields = new Set(atoms.map(({ path }) => /** @type {Leaf} */ (path).field))
  return { atoms, asFields: !fields.has(undefined) && fields.size === atoms.length && draw.chance(FIELDS_SHARE * 3) }
}

/**
 * @param {readonly Leaf[]} asked
 * @param {readonly Leaf[]} head
 * @param {number} count
 * @param {(() => string) | undefined} drawId
 * @param {Draw} draw
 * @returns {Choice}
 */
function freeChoice(asked, head, count, drawId, draw) {
  const ids = asked.filter(({ kind }) => kind === 'id')
  const codes = head.filter(({ kind }) => kind === 'code')
  const amounts = head.filter(({ kind }) => kind === 'amount')
  const is = (/** @type {Path} */ path, /** @type {string} */ text) => atom('is', path, text)
  return {
    id: () => is(draw.pick(ids), idOf(draw.below(IDS))),
    rankedId: () => is(draw.pick(ids), drawId?.() ?? ''),
    code: () => is(draw.pick(codes), drawValue('code', draw)),
    notCode: () => atom('not', draw.pick(codes), drawValue('code', draw)),
    wideRange: () => rangeAround(draw.pick(amounts), draw.below(HIGHEST_AMOUNT), HIGHEST_AMOUNT / 2),
    narrowRange: () => rangeAround(draw.pick(amounts), draw.below(HIGHEST_AMOUNT), widthFor(count)),
    prefix: () => atom('prefix', draw.pick(ids), idOf(draw.below(IDS)).slice(0, -1)),
    exists: () => ({ path: draw.pick(asked), kind: 'exists' }),
  }
}

/**
 * @param {readonly Leaf[]} asked
 * @param {import('./documents.mjs').Made} document
 * @param {number} count
 * @param {Draw} draw
 * @returns {Choice}
 */
function plantedChoice(asked, document, count, draw) {
  const there = document.values.filter(({ leaf }) => leaf.at < asked.length)
  const of = (/** @type {Leaf['kind']} */ kind) => there.filter(({ leaf }) => leaf.kind === kind)
  const inHead = (/** @type {Leaf['kind']} */ kind) => of(kind).filter(({ leaf }) => leaf.field !== undefined)
  const [ids, codes, amounts] = [of('id'), inHead('code'), inHead('amount')]
  const from = (/** @type {'is' | 'prefix'} */ kind, /** @type {typeof there} */ values, cut = 0) => {
    const { leaf, value } = draw.pick(values)
    return atom(kind, leaf, value.slice(0, value.length - cut))
  }
  const range = (/** @type {number} */ width) => {
    const { leaf, value } = draw.pick(amounts)
    return rangeAround(leaf, Number(value), width)
  }
  return {
    id: () => from('is', ids),
    rankedId: () => from('is', ids),
    code: () => from('is', codes),
    notCode: () => atom('not', draw.pick(codes).leaf, 'XXX'),
    wideRange: () => range(HIGHEST_AMOUNT / 2),
    narrowRange: () => range(widthFor(count)),
    prefix: () => from('prefix', ids, 1),
    exists: () => ({ path: draw.pick(there).leaf, kind: 'exists' }),
  }
}

/** So narrow that about one of so many ranges holds a given number. */
function widthFor(/** @type {number} */ count) {
  return HIGHEST_AMOUNT / count
}

/**
 * @param {'is' | 'self' | 'not' | 'prefix' | 'contains'} kind
 * @param {Path} path
 * @param {string} text
 * @returns {Atom}
 */
export function atom(kind, path, text) {
  return { path, kind, text }
}

/**
 * @param {Path} path
 * @param {number} middle
 * @param {number} width
 * @returns {Atom}
 */
export function rangeAround(path, middle, width) {
  const cents = (/** @type {number} */ number) => Math.max(0, Math.round(number * 100) / 100)
  const low = cents(middle - width / 2)
  return { path, kind: 'range', low, high: Math.max(cents(middle + width / 2), cents(low + 0.01)) }
}

/** @param {Spec} spec */
export function xpathOf({ atoms }) {
  return atoms.map(conditionOf).join(' and ')
}

/** @param {Atom} atom */
function conditionOf(atom) {
  const { xpath } = atom.path
  switch (atom.kind) {
    case 'is':
      return `${xpath} = '${atom.text}'`
    case 'self':
      return `${xpath}[. = '${atom.text}']`
    case 'not':
      return `not(${xpath} = '${atom.text}')`
    case 'prefix':
      return `${xpath}[starts-with(., '${atom.text}')]`
    case 'contains':
      return `${xpath}[contains(., '${atom.text}')]`
    case 'range':
      return `${xpath} >= ${atom.low} and ${xpath} < ${atom.high}`
    case 'exists':
      return xpath
  }
}

/** All routes deliver the same way, so that what is measured is their conditions. */
const DELIVER = [
  {
    target: { kind: 'jid', jid: 'archive@example.org' },
    allow: undefined,
    confirm: 'none',
    confirmTimeoutMs: 30_000,
    retry: 'default',
    as: undefined,
    body: undefined,
    create: undefined,
    maxNodes: 1000,
  },
]
const ORDER = { by: 'none' }
const TYPE = ['trade']

/**
 * @param {Spec} spec
 * @param {number} at
 * @param {Readonly<Record<string, string>>} namespaces
 * @returns {import('../../../dist/domain/route.js').Route}
 */
export function routeOf(spec, at, namespaces) {
  const when = spec.asFields
    ? { type: TYPE, fields: Object.fromEntries(spec.atoms.map(fieldOf)), namespaces }
    : { type: TYPE, xpath: flat(xpathOf(spec)), namespaces }
  return {
    name: flat(`r${at}`),
    owner: undefined,
    priority: 0,
    stop: false,
    otherwise: false,
    when,
    deliver: DELIVER,
    order: ORDER,
    expiresMs: undefined,
    tests: [],
    source: '',
  }
}

/** A text in one piece: one that was put together keeps its parts alive until it is first read, which would be counted as index. */
function flat(/** @type {string} */ text) {
  return Buffer.from(text).toString()
}

/** @param {Atom} atom */
function fieldOf(atom) {
  const { field } = /** @type {Leaf} */ (atom.path)
  switch (atom.kind) {
    case 'is':
    case 'self':
      return [field, [{ kind: 'is', value: atom.text }]]
    case 'not':
      return [field, [{ kind: 'not', conditions: [{ kind: 'is', value: atom.text }] }]]
    case 'prefix':
    case 'contains':
      return [field, [{ kind: atom.kind, text: atom.text }]]
    case 'exists':
      return [field, [{ kind: 'exists', expected: true }]]
    case 'range': {
      const bounds = [
        { operator: '>=', bound: atom.low },
        { operator: '<', bound: atom.high },
      ]
      return [field, [{ kind: 'compare', bounds }]]
    }
  }
}

import { HIGHEST_AMOUNT, IDS, idOf, makeDocuments, withFields } from './documents.mjs'
import { plantMatches } from './planting.mjs'
import { atom, rangeAround } from './routes.mjs'
import { makeVocabulary, NAMESPACES, pathOf, ROOT } from './vocabulary.mjs'

/**
 * Sets of routes and documents that an index could be slow on.
 *
 * @typedef {import('./scenario.mjs').Cell} Cell
 * @typedef {import('./scenario.mjs').Scenario} Scenario
 * @typedef {import('./routes.mjs').Atom} Atom
 * @typedef {import('./draw.mjs').Draw} Draw
 */

const DOCUMENTS = 32
const LEAVES = 330

/**
 * Routes on so many distinct paths with `*` and `//` in them.
 * @param {Cell} cell
 * @param {Draw} draw
 * @returns {Scenario}
 */
export function wildcards({ routes, bytes, paths }, draw) {
  const vocabulary = makeVocabulary(Math.max(paths, LEAVES))
  const made = makeDocuments(vocabulary, { count: DOCUMENTS, bytes, paths: LEAVES }, draw)
  const deep = vocabulary.leaves.filter(({ steps, kind }) => steps.length === 4 && kind === 'id')
  /** @type {Map<string, import('./vocabulary.mjs').Path>} */
  const asked = new Map()
  for (let number = 0; asked.size < paths; number += 1) {
    const path = pathOf(asked.size, loosened(deep[number % deep.length].steps, Math.floor(number / deep.length)))
    if (!asked.has(path.xpath)) asked.set(path.xpath, path)
  }
  const list = [...asked.values()]
  return scenarioOf(made, routes, draw, () => [atom('is', draw.pick(list), idOf(draw.below(IDS)))])
}

/**
 * One of the ways to leave something open in a path of four steps: any step but the last can be `*`, and `//` can stand before any.
 * @param {readonly import('./vocabulary.mjs').PathStep[]} steps
 * @param {number} way
 */
function loosened(steps, way) {
  const bits = 1 + (way % 31)
  return steps.map((step, at) => {
    if (at === 0) return { ...step, descendant: (bits & 16) > 0 }
    const open = (bits & (1 << (at - 1))) > 0
    if (at === 3) return { ...step, descendant: open }
    return bits & 8 ? { ...step, descendant: open } : { ...step, name: open ? '*' : step.name, descendant: false }
  })
}

/**
 * Every route has one condition that every document fulfils.
 * @param {Cell} cell
 * @param {Draw} draw
 * @returns {Scenario}
 */
export function shared({ routes, bytes, paths }, draw) {
  const vocabulary = makeVocabulary(LEAVES)
  const made = makeDocuments(vocabulary, { count: DOCUMENTS, bytes, paths }, draw)
  const [currency] = vocabulary.head.filter(({ kind }) => kind === 'code')
  const [total] = vocabulary.head.filter(({ kind }) => kind === 'amount')
  const ids = vocabulary.leaves.slice(0, paths).filter(({ kind }) => kind === 'id')
  const all = made.map((document) => ({ ...document, text: withOneCurrency(document.text, currency.tag) }))
  return scenarioOf(all, routes, draw, () => [
    atom('is', currency, 'EUR'),
    draw.chance(0.75)
      ? atom('is', draw.pick(ids), idOf(draw.below(IDS)))
      : rangeAround(total, draw.below(HIGHEST_AMOUNT), HIGHEST_AMOUNT / routes),
  ])
}

/**
 * @param {string} text
 * @param {string} tag
 */
function withOneCurrency(text, tag) {
  return text.replace(new RegExp(`<${tag}>[A-Z]+<`), `<${tag}>EUR<`)
}

/**
 * `//*[. = 'x']`, as an XPath says it of any element.
 * @param {Cell} cell
 * @param {Draw} draw
 * @returns {Scenario}
 */
export function anywhere({ routes, bytes, paths }, draw) {
  const made = makeDocuments(makeVocabulary(LEAVES), { count: DOCUMENTS, bytes, paths }, draw)
  const path = pathOf(0, [{ descendant: true, uri: '', name: '*' }])
  return scenarioOf(made, routes, draw, () => [atom('self', path, idOf(draw.below(IDS)))])
}

/**
 * Nothing but ranges, all on one path.
 * @param {Cell} cell
 * @param {Draw} draw
 * @returns {Scenario}
 */
export function ranges({ routes, bytes, paths }, draw) {
  const vocabulary = makeVocabulary(LEAVES)
  const made = makeDocuments(vocabulary, { count: DOCUMENTS, bytes, paths }, draw)
  const [total] = vocabulary.head.filter(({ kind }) => kind === 'amount')
  return scenarioOf(made, routes, draw, () => [rangeAround(total, draw.below(HIGHEST_AMOUNT), HIGHEST_AMOUNT / routes)])
}

/**
 * Every element behind the head has a name that was never seen before, under routes that look for theirs everywhere.
 * @param {Cell} cell
 * @param {Draw} draw
 * @returns {Scenario}
 */
export function names({ routes, bytes, paths }, draw) {
  const vocabulary = makeVocabulary(LEAVES)
  const made = makeDocuments(vocabulary, { count: 600, bytes: 1, paths }, draw)
  const asked = vocabulary.leaves.slice(0, paths).filter(({ kind }) => kind === 'id')
  const everywhere = asked.map(({ steps }, at) => pathOf(at, [{ ...steps[steps.length - 1], descendant: true }]))
  let number = 0
  const unheard = () => {
    number += 3
    const [outer, middle, inner] = [number, number - 1, number - 2].map((each) => `a:N${each.toString(36)}`)
    return `<${outer}><${middle}><${inner}>${idOf(draw.below(IDS))}</${inner}></${middle}></${outer}>`
  }
  const all = made.map((document) => ({ ...document, text: padded(document.text, bytes, unheard) }))
  const scenario = scenarioOf(all, routes, draw, () => [atom('is', draw.pick(everywhere), idOf(draw.below(IDS)))])
  return { ...scenario, fresh: true }
}

/**
 * @param {string} text
 * @param {number} bytes
 * @param {() => string} more
 */
function padded(text, bytes, more) {
  const end = `</t:${ROOT}>`
  let longer = text.slice(0, -end.length)
  while (longer.length < bytes) longer += more()
  return longer + end
}

/** V8 takes a text of digits for its own hash, without a seed; in a map of so many, texts this far apart fall into one bucket. */
const FLOOD_STEP = 65_536
const FLOOD_VALUES = 65_535

/**
 * Values chosen so that a hash map over them becomes a list.
 * @param {Cell} cell
 * @param {Draw} draw
 * @returns {Scenario}
 */
export function floods({ routes, bytes }, draw) {
  const vocabulary = makeVocabulary(LEAVES)
  const drawId = () => String((1 + draw.below(FLOOD_VALUES)) * FLOOD_STEP)
  const [head, paths] = [vocabulary.head.length, vocabulary.head.length + 8]
  const made = makeDocuments(vocabulary, { count: DOCUMENTS, bytes, paths, drawId }, draw)
  const [path] = vocabulary.leaves.slice(head, paths).filter(({ kind }) => kind === 'id')
  const count = Math.min(routes, FLOOD_VALUES)
  let number = 0
  return scenarioOf(made, count, draw, () => {
    number += 1
    return [atom('is', path, String(number * FLOOD_STEP)), atom('is', vocabulary.head[0], idOf(draw.below(IDS)))]
  })
}

/**
 * @param {readonly import('./documents.mjs').Made[]} made
 * @param {number} count
 * @param {Draw} draw
 * @param {() => Atom[]} atoms
 * @returns {Scenario}
 */
function scenarioOf(made, count, draw, atoms) {
  const specs = Array.from({ length: count }, () => ({ atoms: atoms(), asFields: false }))
  plantMatches(specs, made.slice(0, DOCUMENTS), draw)
  return { documents: made.map(withFields), specs, namespaces: NAMESPACES }
}

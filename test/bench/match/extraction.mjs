/**
 * The values that the closure loop and the sorted-field automaton are given: for each path the string values that a document
 * has there. How they are found is not measured with them, only with parse + match.
 *
 * @typedef {import('./vocabulary.mjs').Path} Path
 * @typedef {import('../../../dist/domain/element.js').Element} Element
 * @typedef {{ texts: (readonly string[] | undefined)[], numbers: (readonly number[] | undefined)[] }} Extracted by `path.at`
 * @typedef {{ below: Map<string, Map<string, Place>>, open: readonly Open[], found: readonly number[] }} Place
 *   where an element stands: the paths that it is at the end of, and those that may go on below it
 * @typedef {{ path: Path, next: number }} Open
 */

/**
 * @param {readonly Path[]} paths
 * @returns {(root: Element) => Extracted}
 */
export function makeExtraction(paths) {
  const start = makePlace(paths.map((path) => ({ path, next: 0 })))
  return (root) => {
    /** @type {{ texts: string[][], numbers: number[][] }} */
    const extracted = { texts: [], numbers: [] }
    collect(root, start, extracted)
    return extracted
  }
}

/**
 * @param {readonly Open[]} all
 * @param {readonly number[]} [found]
 * @returns {Place}
 */
function makePlace(all, found = []) {
  return { below: new Map(), open: all, found }
}

/**
 * @param {Element} element
 * @param {Place} above
 * @param {{ texts: string[][], numbers: number[][] }} into
 */
function collect(element, above, into) {
  const place = placeOf(above, element)
  if (place.found.length > 0) {
    const text = textOf(element)
    for (const at of place.found) {
      into.texts[at] ??= []
      into.texts[at].push(text)
      into.numbers[at] ??= []
      into.numbers[at].push(text.trim() === '' ? Number.NaN : Number(text))
    }
  }
  if (place.open.length === 0) return
  for (const child of element.children) if (typeof child !== 'string') collect(child, place, into)
}

/** @param {Element} element */
function textOf(element) {
  let text = ''
  for (const child of element.children) text += typeof child === 'string' ? child : textOf(child)
  return text
}

/**
 * @param {Place} above
 * @param {Element} element
 */
function placeOf(above, { uri, name }) {
  let named = above.below.get(uri)
  if (named === undefined) {
    named = new Map()
    above.below.set(uri, named)
  }
  const known = named.get(name)
  if (known !== undefined) return known
  const place = step(above, uri, name)
  named.set(name, place)
  return place
}

/**
 * @param {Place} above
 * @param {string} uri
 * @param {string} name
 */
function step({ open }, uri, name) {
  /** @type {Set<number>} */
  const found = new Set()
  /** @type {Open[]} */
  const still = []
  for (const { path, next } of open) {
    const wanted = path.steps[next]
    const fits = wanted.name === '*' || (wanted.name === name && wanted.uri === uri)
    if (fits && next + 1 === path.steps.length) found.add(path.at)
    else if (fits) still.push({ path, next: next + 1 })
    if (wanted.descendant) still.push({ path, next })
  }
  return makePlace(still, [...found])
}

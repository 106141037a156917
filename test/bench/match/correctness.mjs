/**
 * The gate before the figures: on random pairs of a document and a set of routes the index gives what libxml2's XPath gives route by route;
 * and no expression, however broken, makes it throw. In: `{ seed, pairs }`; out: an {@link Outcome}.
 *
 * @typedef {{ pairs: number, asked: number, matched: number, mismatch: string, fuzzed: number, thrown: string }} Outcome `asked`: how
 *   often a route was compared with a document, of which `matched` matched
 */
import { compileXPathTest } from '../../../dist/documents/documents.js'
import { noLimits } from '../../../dist/documents/limits.js'
import { parseXml } from '../../../dist/documents/xml.js'
import { compileRoutes } from '../../../dist/matching/matcher.js'
import { makeDraw } from './draw.mjs'
import { makeExpression, makeSoup, makeTree, NAMESPACES } from './expressions.mjs'
import { compileBoolean, holds, loadTree, unloadTree } from './libxml2.mjs'
import { routeOf } from './routes.mjs'
import { subjectOf } from './waybill.mjs'

const ROUTES_IN_A_SET = 24
const DOCUMENTS = 40
const SOUPS_FOR_A_PAIR = 2

process.on('message', (message) => {
  const { seed, pairs } = /** @type {any} */ (message)
  try {
    process.send?.(compare(seed, pairs))
  } catch (error) {
    process.send?.({ failed: error instanceof Error ? error.message : String(error) })
  }
})
process.on('disconnect', () => process.exit(0))

/**
 * @param {number} seed
 * @param {number} pairs
 * @returns {Outcome}
 */
function compare(seed, pairs) {
  const draw = makeDraw(seed)
  const outcome = { pairs: 0, asked: 0, matched: 0, mismatch: '', fuzzed: 0, thrown: '' }
  while (outcome.pairs < pairs && outcome.mismatch === '') compareSet(draw, outcome)
  fuzz(draw, pairs * SOUPS_FOR_A_PAIR, outcome)
  return outcome
}

/**
 * One set of routes against so many documents.
 * @param {import('./draw.mjs').Draw} draw
 * @param {Outcome} outcome
 */
function compareSet(draw, outcome) {
  const expressions = Array.from({ length: ROUTES_IN_A_SET }, () => makeExpression(draw))
  const compiled = expressions.map(({ text }) => compileBoolean(text))
  const match = matcherOf(expressions.map(({ text }) => text))
  for (let count = 0; count < DOCUMENTS; count += 1) {
    const text = makeTree(draw)
    const tree = loadTree(text, NAMESPACES)
    const found = new Set(match(text))
    for (const [at, expression] of expressions.entries()) {
      const expected = holds(tree, compiled[at])
      outcome.asked += 1
      if (expected) outcome.matched += 1
      if (expected !== found.has(`r${at}`)) outcome.mismatch ||= describe(shrink(expression, text))
    }
    unloadTree(tree)
    outcome.pairs += 1
    if (outcome.mismatch !== '') return
  }
}

/**
 * @param {readonly string[]} xpaths
 * @returns {(text: string) => readonly string[]} names of the routes that match
 */
function matcherOf(xpaths) {
  const routes = xpaths.map((xpath, at) => {
    const route = routeOf({ atoms: [], asFields: false }, at, NAMESPACES)
    return { ...route, when: { xpath, namespaces: NAMESPACES } }
  })
  const { matcher } = compileRoutes(routes, compileXPathTest)
  return (text) => {
    const parsed = parseXml(text, noLimits)
    return parsed.kind === 'xml' ? matcher.match(subjectOf(parsed.root, {})).routes : []
  }
}

/** @typedef {{ xpath: string, text: string, expected: boolean }} Difference */

/**
 * The smallest part of the expression, and of the document, on which they still differ.
 * @param {import('./expressions.mjs').Expression} expression
 * @param {string} text
 * @returns {Difference}
 */
function shrink(expression, text) {
  let smallest = expression
  for (let found = true; found; ) {
    const part = smallest.within.find(({ text: xpath }) => differs(xpath, text))
    found = part !== undefined
    smallest = part ?? smallest
  }
  let document = text
  for (let found = true; found; ) {
    const smaller = smallerDocuments(document).find((candidate) => differs(smallest.text, candidate))
    found = smaller !== undefined
    document = smaller ?? document
  }
  return { xpath: smallest.text, text: document, expected: naive(smallest.text, document) }
}

/** @param {string} text */
function smallerDocuments(text) {
  const pieces = [/<([\w:]+)(?: [^<>]*)?>[^<]*<\/\1>/g, / (?:p:)?[xy]="[^"]*"/g, /(?<=>)[^<]+(?=<)/g]
  const all = pieces.flatMap((piece) => [...text.matchAll(piece)])
  return all
    .filter(({ 0: piece }) => piece.length < text.length)
    .map(({ 0: piece, index }) => text.slice(0, index) + text.slice(index + piece.length))
}

/**
 * False where a part by itself is no expression: of a call only its beginning, for one.
 * @param {string} xpath
 * @param {string} text
 */
function differs(xpath, text) {
  if (compileXPathTest(xpath, NAMESPACES).kind === 'error') return false
  return naive(xpath, text) !== matcherOf([xpath])(text).length > 0
}

/**
 * @param {string} xpath
 * @param {string} text
 */
function naive(xpath, text) {
  const tree = loadTree(text, NAMESPACES)
  const held = holds(tree, compileBoolean(xpath))
  unloadTree(tree)
  return held
}

/** @param {Difference} difference */
function describe({ xpath, text, expected }) {
  return `${xpath} is ${expected} by libxml2 on ${text}`
}

/**
 * @param {import('./draw.mjs').Draw} draw
 * @param {number} count
 * @param {Outcome} outcome
 */
function fuzz(draw, count, outcome) {
  const texts = Array.from({ length: 3 }, () => makeTree(draw))
  while (outcome.fuzzed < count && outcome.thrown === '') {
    const xpath = draw.chance(0.5) ? makeSoup(draw) : broken(makeExpression(draw).text, draw)
    try {
      const match = matcherOf([xpath])
      for (const text of texts) match(text)
    } catch (error) {
      outcome.thrown = `${JSON.stringify(xpath)} throws ${error}`
    }
    outcome.fuzzed += 1
  }
}

/**
 * @param {string} xpath
 * @param {import('./draw.mjs').Draw} draw
 */
function broken(xpath, draw) {
  const at = draw.below(xpath.length)
  return xpath.slice(0, at) + draw.pick(['', '(', ']', '/', "'", '::', ' ']) + xpath.slice(at + draw.below(3))
}

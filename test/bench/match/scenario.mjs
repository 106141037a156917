import { anywhere, floods, names, ranges, shared, wildcards } from './adversarial.mjs'
import { corpora } from './corpora.mjs'
import { idOf, makeDocuments, withFields } from './documents.mjs'
import { makeDraw, zipf } from './draw.mjs'
import { makeSpecs } from './routes.mjs'
import { makeVocabulary, NAMESPACES } from './vocabulary.mjs'

/**
 * Documents and routes of one cell.
 *
 * @typedef {{
 *   name: string, kind: keyof typeof KINDS, routes: number, bytes: number, paths: number, matches: number, skew: 'uniform' | 'zipf',
 *   contenders: readonly ('closures' | 'automaton' | 'libxml2')[], updates?: boolean, parse?: boolean
 * }} Cell
 * @typedef {{
 *   documents: { text: string, fields: Record<string, string[]> }[], specs: import('./routes.mjs').Spec[],
 *   namespaces: Readonly<Record<string, string>>, fresh?: boolean
 * }} Scenario
 */

const KINDS = { mixed, wildcards, shared, anywhere, ranges, names, floods, corpora }
const DOCUMENTS = 32
const LEAVES_AT_LEAST = 330
const RANKS = 10_000

/**
 * @param {Cell} cell
 * @param {number} seed
 * @returns {Scenario | undefined} undefined where its documents are not there
 */
export function makeScenario(cell, seed) {
  return KINDS[cell.kind](cell, makeDraw(seed))
}

/**
 * @param {Cell} cell
 * @param {import('./draw.mjs').Draw} draw
 * @returns {Scenario}
 */
function mixed({ routes, bytes, paths, matches, skew }, draw) {
  const vocabulary = makeVocabulary(Math.max(paths, LEAVES_AT_LEAST))
  const rank = skew === 'zipf' ? zipf(draw, RANKS) : undefined
  const drawn = { paths, ...(rank ? { drawId: () => idOf(rank()) } : {}) }
  // With few routes there are fewer documents, since each has routes of its own.
  const count = Math.max(4, Math.min(DOCUMENTS, Math.floor(routes / (2 * Math.max(1, matches)))))
  const made = makeDocuments(vocabulary, { count, bytes, ...drawn }, draw)
  const specs = makeSpecs({ count: routes, vocabulary, documents: made, matches, ...drawn }, draw)
  return { documents: made.map(withFields), specs, namespaces: NAMESPACES }
}

import { noLimits } from '../../../dist/documents/limits.js'
import { parseXml } from '../../../dist/documents/xml.js'
import { makeExtraction } from './extraction.mjs'
import { rangeAround } from './routes.mjs'

/** So many routes are looked at before a document is left without one that matches it. */
const TRIES = 2_000

/**
 * For each document, changes what one route asks for into what the document has: otherwise hardly any would match, and contenders
 * that find nothing would agree with each other.
 *
 * @param {import('./routes.mjs').Spec[]} specs
 * @param {readonly { text: string }[]} documents
 * @param {import('./draw.mjs').Draw} draw
 */
export function plantMatches(specs, documents, draw) {
  const paths = new Map(specs.flatMap(({ atoms }) => atoms.map(({ path }) => [path.at, path])))
  const extract = makeExtraction([...paths.values()])
  for (const { text } of documents) {
    const parsed = parseXml(text, noLimits)
    if (parsed.kind !== 'xml') continue
    const { texts } = extract(parsed.root)
    for (let tries = 0; tries < TRIES; tries += 1) {
      const at = draw.below(specs.length)
      const { atoms } = specs[at]
      if (atoms.some(({ path }) => texts[path.at] === undefined)) continue
      specs[at] = { ...specs[at], atoms: atoms.map((atom) => fulfilled(atom, draw.pick(texts[atom.path.at] ?? []))) }
      break
    }
  }
}

/**
 * @param {import('./routes.mjs').Atom} atom
 * @param {string} text
 * @returns {import('./routes.mjs').Atom}
 */
function fulfilled(atom, text) {
  if (atom.kind === 'range') return rangeAround(atom.path, Number(text), atom.high - atom.low)
  return atom.kind === 'is' || atom.kind === 'self' ? { ...atom, text } : atom
}

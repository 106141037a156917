import { NAMESPACES, ROOT } from './vocabulary.mjs'

/**
 * Trade documents of a chosen size, the same for the same seed.
 *
 * @typedef {import('./vocabulary.mjs').Leaf} Leaf
 * @typedef {import('./vocabulary.mjs').Vocabulary} Vocabulary
 * @typedef {import('./draw.mjs').Draw} Draw
 * @typedef {{ text: string, values: { leaf: Leaf, value: string }[], elements: number }} Made `values` in document order
 */

const CODES = ['EUR', 'GBP', 'USD', 'NOK', 'SEK', 'CHF', 'PLN', 'CZK']
const CITIES = ['Bergen', 'Porto', 'Graz', 'Turku', 'Leiden', 'Nantes', 'Lucca', 'Aarhus']
export const IDS = 1_000_000
export const HIGHEST_AMOUNT = 1_000_000
/** Of the elements behind the head, which are in groups: this share is in groups that routes ask about. */
const ASKED_SHARE = 0.5
const REPEATED_SHARE = 0.4

/**
 * @param {Vocabulary} vocabulary
 * @param {{ count: number, bytes: number, paths: number, drawId?: () => string }} options `paths`: how many leaves routes ask about;
 *   `drawId`: draws ids otherwise than evenly
 * @param {Draw} draw
 * @returns {Made[]}
 */
export function makeDocuments(vocabulary, options, draw) {
  return Array.from({ length: options.count }, () => makeDocument(vocabulary, options, draw))
}

/**
 * @param {Vocabulary} vocabulary
 * @param {{ bytes: number, paths: number, drawId?: () => string }} options
 * @param {Draw} draw
 * @returns {Made}
 */
function makeDocument({ head, groups }, { bytes, paths, drawId }, draw) {
  /** @type {Made['values']} */
  const values = []
  let elements = 1
  const write = (/** @type {Leaf} */ leaf) => {
    const value = drawValue(leaf.kind, draw, drawId)
    values.push({ leaf, value })
    elements += 1
    const attribute = leaf.kind === 'amount' ? ' currencyID="EUR"' : ''
    return `<${leaf.tag}${attribute}>${value}</${leaf.tag}>`
  }
  const declared = Object.entries(NAMESPACES).map(([prefix, uri]) => ` xmlns:${prefix}="${uri}"`)
  let text = `<t:${ROOT}${declared.join('')}>${head.map(write).join('')}`
  const asked = Math.max(1, Math.ceil((paths - head.length) / 8))
  const repeated = groups[draw.below(asked)]
  while (text.length < bytes) {
    const any = draw.chance(ASKED_SHARE) ? groups[draw.below(asked)] : draw.pick(groups)
    const { open, leaves, close } = draw.chance(REPEATED_SHARE) ? repeated : any
    elements += 2
    text += `${open}${leaves.map(write).join('')}${close}`
  }
  return { text: `${text}</t:${ROOT}>`, values, elements }
}

/**
 * @param {Leaf['kind']} kind
 * @param {Draw} draw
 * @param {() => string} [drawId]
 */
export function drawValue(kind, draw, drawId) {
  switch (kind) {
    case 'id':
      return drawId ? drawId() : idOf(draw.below(IDS))
    case 'code':
      return draw.pick(CODES)
    case 'amount':
      return (draw.below(HIGHEST_AMOUNT * 100) / 100).toFixed(2)
    case 'name':
      return `${draw.pick(CITIES)} Trading ${draw.below(1000)}`
  }
}

/** @param {number} number */
export function idOf(number) {
  return `AB-${String(number).padStart(6, '0')}`
}

/**
 * With the fields that the type reads, which are those of the head.
 * @param {Made} made
 */
export function withFields({ text, values }) {
  /** @type {Record<string, string[]>} */
  const fields = {}
  for (const { leaf, value } of values) if (leaf.field !== undefined) fields[leaf.field] = [value]
  return { text, fields }
}

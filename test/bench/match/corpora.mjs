import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { noLimits } from '../../../dist/documents/limits.js'
import { parseXml } from '../../../dist/documents/xml.js'
import { atom, rangeAround } from './routes.mjs'
import { pathOf } from './vocabulary.mjs'

const CORPORA = resolve(process.env.WAYBILL_CORPORA ?? '../shared/corpora')

export function corporaAreThere() {
  return existsSync(CORPORA)
}

/**
 * Real invoices, orders and bank statements, with routes on the paths that they have: two of three ask for a value of a document with
 * something put behind it, the third for a value and a range.
 *
 * @param {import('./scenario.mjs').Cell} cell
 * @param {import('./draw.mjs').Draw} draw
 * @returns {import('./scenario.mjs').Scenario | undefined}
 */
export function corpora({ routes }, draw) {
  if (!corporaAreThere()) return undefined
  const texts = documentsIn(CORPORA)
  /** @type {Record<string, string>} */
  const namespaces = {}
  /** @type {Map<string, { path: import('./vocabulary.mjs').Path, values: string[] }>} */
  const leaves = new Map()
  for (const text of texts) {
    const parsed = parseXml(text, noLimits)
    if (parsed.kind === 'xml') collect(parsed.root, [], namespaces, leaves)
  }
  const all = [...leaves.values()]
  const numeric = all.filter(({ values }) => values.some((value) => Number(value) > 0))
  const specs = Array.from({ length: routes }, () => {
    const { path, values } = draw.pick(all)
    const asked = atom('is', path, `${draw.pick(values)}${draw.below(routes)}`)
    if (draw.chance(2 / 3)) return { atoms: [asked], asFields: false }
    const other = draw.pick(numeric)
    return { atoms: [asked, rangeAround(other.path, Number(draw.pick(other.values)) || 0, 100)], asFields: false }
  })
  plant(specs, all, texts.length, draw)
  return { documents: texts.map((text) => ({ text, fields: {} })), specs, namespaces }
}

/**
 * @param {import('./routes.mjs').Spec[]} specs
 * @param {readonly { path: import('./vocabulary.mjs').Path, values: string[] }[]} leaves
 * @param {number} count
 * @param {import('./draw.mjs').Draw} draw
 */
function plant(specs, leaves, count, draw) {
  const rare = leaves.filter(({ values }) => values.length === 1)
  for (let index = 0; index < count; index += 1) {
    const { path, values } = draw.pick(rare)
    specs[draw.below(specs.length)] = { atoms: [atom('is', path, values[0])], asFields: false }
  }
}

/** @param {string} folder */
function documentsIn(folder) {
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.xml'))
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8').replace(/^\uFEFF/, ''))
    .filter((text) => parseXml(text, noLimits).kind === 'xml')
}

/**
 * @param {import('../../../dist/domain/element.js').Element} element
 * @param {readonly import('./vocabulary.mjs').PathStep[]} above
 * @param {Record<string, string>} namespaces
 * @param {Map<string, { path: import('./vocabulary.mjs').Path, values: string[] }>} leaves
 */
function collect(element, above, namespaces, leaves) {
  const { uri, name, children } = element
  if (uri !== '' && !Object.values(namespaces).includes(uri)) namespaces[`n${Object.keys(namespaces).length}`] = uri
  const steps = [...above, { descendant: false, uri, name }]
  const below = children.filter((child) => typeof child !== 'string')
  for (const child of below) collect(child, steps, namespaces, leaves)
  const text = children.join('')
  if (below.length > 0 || text.trim() === '' || /['\s]{2}|'/.test(text)) return
  const path = pathOf(leaves.size, steps, namespaces)
  const leaf = leaves.get(path.xpath) ?? { path, values: [] }
  leaf.values.push(text)
  leaves.set(path.xpath, leaf)
}

/**
 * What can be measured. A situation is what is on the wire: it is the same for all peers, which are measured in turns. A variant is how
 * Waybill is set up. A cell is one variant in one situation.
 *
 * @typedef {{
 *   server: 'prosody' | 'ejabberd', settings: 'usual' | 'advised', size: string, carriage: 'in-band' | 'sealed', fanOut: number, to: 'jid' | 'node' | 'passing-node', senders: number
 * }} Situation
 * @typedef {{ routes: number, durability: 'everysec' | 'fsync', schema: 'xsd' | 'schematron', domains: number, processes: number }} Variant `processes`: for each domain, which one of them holds
 * @typedef {{ situation: Situation, variants: Variant[], naive: boolean }} Group
 */
import { SIZES } from '../documents.mjs'

export const SERVERS = /** @type {const} */ (['prosody', 'ejabberd'])
export const PEERS = /** @type {const} */ (['raw', 'naive', 'waybill'])

/** What each option lists; numbers may be any. The first is taken where nothing is said. */
export const LISTS = Object.freeze({
  servers: { field: 'server', known: SERVERS, otherwise: SERVERS.join() },
  settings: { field: 'settings', known: ['usual', 'advised'], otherwise: 'usual' },
  sizes: { field: 'size', known: Object.keys(SIZES), otherwise: '1k' },
  carriages: { field: 'carriage', known: ['in-band', 'sealed'], otherwise: 'in-band' },
  'fan-outs': { field: 'fanOut', most: 31, otherwise: '1' },
  targets: { field: 'to', known: ['jid', 'node', 'passing-node'], otherwise: 'jid' },
  senders: { field: 'senders', most: 100_000, otherwise: '100' },
  routes: { field: 'routes', most: 1_000_000, otherwise: '1000' },
  durabilities: { field: 'durability', known: ['everysec', 'fsync'], otherwise: 'everysec' },
  schemas: { field: 'schema', known: ['xsd', 'schematron'], otherwise: 'xsd' },
  domains: { field: 'domains', most: 8, otherwise: '1' },
  processes: { field: 'processes', most: 8, otherwise: '1' },
})

const USUAL = Object.freeze({ routes: 1_000, durability: 'everysec', schema: 'xsd', domains: 1, processes: 1 })
const PLAIN = Object.freeze({ settings: 'usual', size: '1k', carriage: 'in-band', fanOut: 1, to: 'jid', senders: 100 })

/**
 * The twelve cells of `--check`: what the goals speak of, and no more.
 * @returns {Group[]}
 */
export function checkedGroups() {
  const variants = (/** @type {Partial<Variant>[]} */ ...changes) =>
    /** @type {Variant[]} */ (changes.map((change) => ({ ...USUAL, ...change })))
  const situation = (/** @type {Partial<Situation>} */ change) => /** @type {Situation} */ ({ ...PLAIN, ...change })
  const ejabberd = (/** @type {Partial<Situation>} */ change) => situation({ server: 'ejabberd', ...change })
  const prosody = (/** @type {Partial<Situation>} */ change) => situation({ server: 'prosody', ...change })
  const settings = variants({}, { durability: 'fsync' }, { routes: 100 }, { routes: 100_000 })
  const rules = [{ schema: 'schematron' }, { schema: 'schematron', processes: 2 }]
  return /** @type {Group[]} */ ([
    { situation: ejabberd({}), variants: settings, naive: true },
    { situation: ejabberd({ carriage: 'sealed' }), variants: variants({}), naive: false },
    { situation: ejabberd({ size: '10k' }), variants: variants({}, ...rules), naive: true },
    { situation: ejabberd({ fanOut: 20 }), variants: variants({}), naive: false },
    { situation: prosody({}), variants: variants({}), naive: false },
    { situation: prosody({ carriage: 'sealed' }), variants: variants({}), naive: false },
    { situation: prosody({ fanOut: 20 }), variants: variants({}), naive: false },
  ])
}

/**
 * Every combination of what the options list, a group for each situation. The order is that of the lists.
 * @param {Record<string, unknown>} values the options as they were given
 * @returns {Group[]}
 */
export function chosenGroups(values) {
  const lists = Object.entries(LISTS).map(([option, list]) => ({
    ...list,
    items: itemsOf(option, list, values[option]),
  }))
  const ofVariants = Object.keys(USUAL)
  const combine = (/** @type {(field: string) => boolean} */ wanted) =>
    lists
      .filter(({ field }) => wanted(field))
      .reduce(
        (made, { field, items }) => made.flatMap((one) => items.map((item) => ({ ...one, [field]: item }))),
        [/** @type {Record<string, unknown>} */ ({})],
      )
  const variants = combine((field) => ofVariants.includes(field))
  const situations = combine((field) => !ofVariants.includes(field))
  return /** @type {any[]} */ (situations.map((situation) => ({ situation, variants, naive: true })))
}

/**
 * @param {string} option
 * @param {{ known?: readonly string[], most?: number, otherwise: string }} list
 * @param {unknown} text
 */
function itemsOf(option, { known, most = 0, otherwise }, text) {
  const words = String(text ?? otherwise).split(',')
  if (known) return words.map((word) => wordOf(option, word, known))
  return words.map((word) => {
    if (!/^[1-9]\d*$/.test(word) || Number(word) > most)
      throw new RangeError(`Cannot read --${option}: "${word}" is no whole number from 1 to ${most}`)
    return Number(word)
  })
}

/**
 * @param {string} option
 * @param {string} word
 * @param {readonly string[]} known
 */
export function wordOf(option, word, known) {
  if (!known.includes(word)) throw new RangeError(`Cannot read --${option}: "${word}" is none of ${known.join()}`)
  return word
}

/** The naive peer knows one carriage, one way to send on and one schema. @param {Group} group */
export function suitsNaive({ situation: { carriage, to }, naive }) {
  return naive && carriage === 'in-band' && to === 'jid'
}

/** @param {Situation} situation */
export function titleOf({ server, settings, size, carriage, fanOut, to, senders }) {
  const installed = settings === 'advised' ? `${server} as advised` : server
  return `${installed}, ${SIZES[size].title} ${carriage}, to ${fanOut} ${to}${fanOut > 1 ? 's' : ''}, ${senders} senders`
}

/** @param {Variant} variant */
export function variantName({ routes, durability, schema, domains, processes }) {
  const rest = [durability, schema].filter((word) => word !== USUAL.durability && word !== USUAL.schema)
  if (domains > 1) rest.push(`${domains} domains`)
  if (domains * processes > 1) rest.push(`${domains * processes} processes`)
  return ['waybill', `${routes} routes`, ...rest].join(' ')
}

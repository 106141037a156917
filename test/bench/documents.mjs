/** Purchase orders of a chosen size, the same for the same seed. */

/** @typedef {{ title: string, lines: number, window: number }} Size `window`: documents under way in the closed loop, at fan-out 1 */

/** @type {Readonly<Record<string, Size>>} */
export const SIZES = {
  '1k': { title: '1.1 KB', lines: 5, window: 1024 },
  '10k': { title: '10 KB', lines: 92, window: 128 },
  '100k': { title: '100 KB', lines: 950, window: 24 },
}

const CITIES = ['Bergen', 'Porto', 'Graz', 'Turku', 'Leiden', 'Nantes', 'Lucca', 'Aarhus']
const GOODS = ['hex bolt', 'flat washer', 'copper wire', 'ball bearing', 'gasket', 'steel rod', 'relay', 'fuse']
const CURRENCIES = ['EUR', 'GBP', 'USD']

/**
 * mulberry32: small, and good enough to vary text.
 * @param {number} seed
 * @returns {() => number} numbers in [0, 1)
 */
export function random(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/**
 * An order as its text before and after the id, so that sending one costs two concatenations.
 * @param {{ lines: number }} size
 * @param {number} count how many different ones
 * @param {number} seed
 * @returns {{ before: string, after: string }[]}
 */
export function makeOrders(size, count, seed) {
  const next = random(seed)
  return Array.from({ length: count }, () => makeOrder(size, next))
}

/**
 * @param {{ lines: number }} size
 * @param {() => number} next
 */
function makeOrder(size, next) {
  const whole = (/** @type {number} */ below) => Math.floor(next() * below)
  const pick = (/** @type {readonly string[]} */ from) => from[whole(from.length)]
  const digits = (/** @type {number} */ length) => String(whole(10 ** length)).padStart(length, '0')
  const party = (/** @type {string} */ name) =>
    `<${name}><name>${pick(CITIES)} Trading ${digits(3)}</name><street>Harbour Street ${digits(2)}</street>` +
    `<city>${pick(CITIES)}</city><zip>${digits(5)}</zip><country>NO</country></${name}>`

  let lines = ''
  let total = 0
  for (let no = 1; no <= size.lines; no += 1) {
    const quantity = 1 + whole(90)
    const cents = 1 + whole(9000)
    total += quantity * cents
    lines +=
      `<line><no>${no}</no><sku>AB-${digits(4)}</sku><name>${pick(GOODS)} M${digits(2)}</name>` +
      `<qty>${quantity}</qty><price>${(cents / 100).toFixed(2)}</price></line>`
  }
  return {
    before: `<order xmlns='urn:example:order:1'><id>`,
    after:
      `</id><date>2026-0${1 + whole(9)}-1${whole(9)}</date><currency>${pick(CURRENCIES)}</currency>` +
      `${party('buyer')}${party('seller')}${lines}<total>${(total / 100).toFixed(2)}</total></order>`,
  }
}

/**
 * The mark by which an order is found again in whatever reaches the receiver, whoever wrote it.
 * @param {number} sequence
 */
export function orderId(sequence) {
  return `DOC-${String(sequence).padStart(9, '0')}`
}

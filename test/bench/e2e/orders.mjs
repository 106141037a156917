import { makeOrders, orderId, SIZES } from '../documents.mjs'

/**
 * Orders as they are sent, in-band and sealed, and the mark by which one is found again in whatever reaches the receiver. Sealed, the mark
 * stands at the same place of the base64: it begins at a byte whose number is divided by three.
 */

const DIFFERENT_ORDERS = 64
const ID_LENGTH = orderId(0).length
const SEALED_HEAD = `<data xmlns='urn:xmpp:bob' type='application/xml'>`
const MARK = 'DOC-'
/** Base64 of `id>DOC`, the six bytes at the 36th. */
const SEALED_MARK = base64('id>DOC')
/** Base64 of what then comes to the next byte whose number is divided by three: `-`, nine digits, `</`. */
const SEALED_ID_LENGTH = 16

/**
 * @typedef {(sequence: number) => string} Writer gives the payload of the document with that sequence
 */

/**
 * @param {string} size
 * @param {'in-band' | 'sealed'} carriage
 * @param {number} seed
 * @returns {Writer}
 */
export function makeWriter(size, carriage, seed) {
  const orders = makeOrders(SIZES[size], DIFFERENT_ORDERS, seed)
  if (carriage === 'in-band') {
    return (sequence) => {
      const { before, after } = orders[sequence % DIFFERENT_ORDERS]
      return before + orderId(sequence) + after
    }
  }
  const sealed = orders.map(({ before, after }) => {
    const head = before.length - (before.length % 3)
    // The id and the two characters behind it end at a byte whose number is divided by three.
    const rest = (3 - ((before.length + ID_LENGTH) % 3)) % 3
    return {
      before: SEALED_HEAD + base64(before.slice(0, head)),
      middle: [before.slice(head), after.slice(0, rest)],
      after: `${base64(after.slice(rest))}</data>`,
    }
  })
  return (sequence) => {
    const { before, middle, after } = sealed[sequence % DIFFERENT_ORDERS]
    return before + base64(middle[0] + orderId(sequence) + middle[1]) + after
  }
}

/**
 * @param {'in-band' | 'sealed'} carriage
 * @returns {{ mark: string, length: number, sequenceOf: (text: string) => number }} `length` of what is to be given to `sequenceOf`, behind the mark
 */
export function markOf(carriage) {
  if (carriage === 'in-band') return { mark: MARK, length: ID_LENGTH - MARK.length, sequenceOf: Number }
  const sequenceOf = (/** @type {string} */ text) => Number(Buffer.from(text, 'base64').toString('latin1').slice(1, 10))
  return { mark: SEALED_MARK, length: SEALED_ID_LENGTH, sequenceOf }
}

/** @param {string} text */
function base64(text) {
  return Buffer.from(text, 'latin1').toString('base64')
}

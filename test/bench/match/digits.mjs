/**
 * Numbers as event-ruler and Quamina compare them: ten digits of base 128 that sort as the numbers do, and an automaton over them. A range is
 * the digits between its ends at the first place where they differ, and above or below one end at the places after it.
 *
 * @template T
 * @typedef {{ next: Map<number, Digits<T>>, spans: Span<T>[], byDigit: T[][] | undefined, ends: T[] }} Digits
 */
/**
 * @template T
 * @typedef {{ from: number, to: number, target: T }} Span digits, both ends included
 */

const BASE = 128
const LENGTH = 10
/** Above so many spans a place has a list for each digit, as event-ruler has for each byte. */
const SPANS_IN_A_ROW = 8
const view = new DataView(new ArrayBuffer(8))

/** @param {number} number */
export function digitsOf(number) {
  view.setFloat64(0, number === 0 ? 0 : number)
  let bits = view.getBigUint64(0)
  bits = bits >> 63n ? ~bits & 0xffffffffffffffffn : bits | 0x8000000000000000n
  const digits = new Uint8Array(LENGTH)
  for (let at = LENGTH - 1; at >= 0; at -= 1) {
    digits[at] = Number(bits & 127n)
    bits >>= 7n
  }
  return digits
}

/** @returns {Digits<any>} */
export function makeDigits() {
  return { next: new Map(), spans: [], byDigit: undefined, ends: [] }
}

/**
 * @template T
 * @param {Digits<T>} root
 * @param {Uint8Array} low included
 * @param {Uint8Array} high not included
 * @param {T} target
 */
export function insertRange(root, low, high, target) {
  let node = root
  let at = 0
  while (at < LENGTH && low[at] === high[at]) {
    node = below(node, low[at])
    at += 1
  }
  if (at === LENGTH) return
  addSpan(node, low[at] + 1, high[at] - 1, target)
  let under = below(node, low[at])
  let over = below(node, high[at])
  const last = high.findLastIndex((digit) => digit > 0)
  for (at += 1; at < LENGTH; at += 1) {
    addSpan(under, low[at] + 1, BASE - 1, target)
    under = below(under, low[at])
    // Below an end whose other digits are all 0 there is nothing any more.
    if (at > last) continue
    addSpan(over, 0, high[at] - 1, target)
    over = below(over, high[at])
  }
  under.ends.push(target)
}

/**
 * @template T
 * @param {Digits<T>} node
 * @param {number} digit
 * @returns {Digits<T>}
 */
function below(node, digit) {
  const next = node.next.get(digit) ?? makeDigits()
  node.next.set(digit, next)
  return next
}

/**
 * @template T
 * @param {Digits<T>} node
 * @param {number} from
 * @param {number} to
 * @param {T} target
 */
function addSpan(node, from, to, target) {
  if (from > to) return
  if (node.byDigit === undefined && node.spans.length < SPANS_IN_A_ROW) {
    node.spans.push({ from, to, target })
    return
  }
  node.byDigit ??= spread(node.spans)
  for (let digit = from; digit <= to; digit += 1) node.byDigit[digit].push(target)
}

/**
 * @template T
 * @param {readonly Span<T>[]} spans
 */
function spread(spans) {
  /** @type {T[][]} */
  const byDigit = Array.from({ length: BASE }, () => [])
  for (const { from, to, target } of spans) for (let digit = from; digit <= to; digit += 1) byDigit[digit].push(target)
  return byDigit
}

/**
 * @template T
 * @param {Digits<T>} root
 * @param {Uint8Array} digits
 * @param {(target: T) => void} found
 */
export function matchDigits(root, digits, found) {
  let node = root
  for (let at = 0; at < LENGTH; at += 1) {
    const digit = digits[at]
    if (node.byDigit !== undefined) for (const target of node.byDigit[digit]) found(target)
    else for (const { from, to, target } of node.spans) if (from <= digit && digit <= to) found(target)
    const next = node.next.get(digit)
    if (next === undefined) return
    node = next
  }
  for (const target of node.ends) found(target)
}

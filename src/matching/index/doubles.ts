/** The order of IEEE 754 doubles as the order of whole numbers. */

const float = new Float64Array(1)
const words = new Int32Array(float.buffer)
// Little-endian machines keep the high word last; every engine that runs this is one.
const HIGH = 1
const LOW = 0

/** The next larger double; Infinity stays. */
export function nextUp(value: number): number {
  if (value === Number.POSITIVE_INFINITY || Number.isNaN(value)) return value
  if (value === 0) return Number.MIN_VALUE
  return stepped(value, value > 0 ? 1 : -1)
}

/** The next smaller double; -Infinity stays. */
export function nextDown(value: number): number {
  return -nextUp(-value)
}

function stepped(value: number, by: 1 | -1): number {
  float[0] = value
  const low = words[LOW]! >>> 0
  if (by === 1) {
    words[LOW] = low + 1
    if (low === 0xffff_ffff) words[HIGH]! += 1
  } else {
    words[LOW] = low - 1
    if (low === 0) words[HIGH]! -= 1
  }
  return float[0]
}

/** A hash of a double's bits; 0 and -0 have the same. */
export function hashOfDouble(value: number): number {
  float[0] = value + 0
  return Math.imul(words[LOW]!, 0x9e37_79b1) ^ Math.imul(words[HIGH]!, 0x85eb_ca6b)
}

/** The first 40 bits of the double's place in the order of all doubles, as a whole number. */
export function orderedBits(value: number): number {
  float[0] = value + 0
  const high = words[HIGH]!
  const negative = high < 0
  const first = (negative ? ~high : high ^ 0x8000_0000) >>> 0
  const rest = (negative ? ~words[LOW]! : words[LOW]!) >>> 24
  return first * 256 + rest
}

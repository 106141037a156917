/** Compares decimal numerals exactly, however long; undefined where one is none. Below 0: the first is smaller. */
export function compareDecimals(one: string, other: string): number | undefined {
  const [a, b] = [readDecimal(one), readDecimal(other)]
  if (!a || !b) return undefined
  const places = Math.max(a.places, b.places)
  const difference = a.digits * 10n ** BigInt(places - a.places) - b.digits * 10n ** BigInt(places - b.places)
  if (difference === 0n) return 0
  return difference < 0n ? -1 : 1
}

/** The numeral with `by` added to its last whole digit. */
export function stepped(numeral: string, by: 1n | -1n): string | undefined {
  const read = readDecimal(numeral)
  if (!read) return undefined
  const whole = read.digits / 10n ** BigInt(read.places)
  return String(whole + by)
}

interface Decimal {
  readonly digits: bigint
  readonly places: number
}

const PLACES_AT_MOST = 1_000

function readDecimal(numeral: string): Decimal | undefined {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(numeral.trim())
  if (!match || `${match[2]}${match[3] ?? ''}` === '' || numeral.length > PLACES_AT_MOST) return undefined
  const [, sign, whole = '', fraction = ''] = match
  const digits = BigInt(whole + fraction)
  return { digits: sign === '-' ? -digits : digits, places: fraction.length }
}

/** Digits of the value: of all, and behind the point; leading and trailing zeros left out (XML Schema 2, 4.3.11 and 4.3.12). */
export function countDigits(numeral: string): { readonly total: number; readonly fraction: number } {
  const [whole = '', fraction = ''] = numeral.replace(/^[+-]/, '').split('.')
  const places = fraction.replace(/0+$/, '').length
  const leading = whole.replace(/^0+/, '').length
  return { total: Math.max(1, leading + places), fraction: places }
}

import { rolled } from './hashes.ts'

/** What can be told of an expression without parsing it: where its conjuncts end, and where constants stand in them. */

/** Parts of a text, one behind the other, and the constants in them. */
export interface Scan {
  /** How many parts. */
  parts: number
  readonly from: Int32Array
  readonly to: Int32Array
  /** Of everything in a part but the constants. */
  readonly hash: Int32Array
  /** Its constants are those from here up to the first of the next part. */
  readonly firstConstant: Int32Array
  readonly starts: Int32Array
  readonly ends: Int32Array
}

/** What has more parts or constants than this is not told of. */
const MOST = 64

const scan: Scan = {
  parts: 0,
  from: new Int32Array(MOST),
  to: new Int32Array(MOST),
  hash: new Int32Array(MOST),
  firstConstant: new Int32Array(MOST + 1),
  starts: new Int32Array(MOST),
  ends: new Int32Array(MOST),
}

/**
 * The conditions that are joined by `and` alone, or the whole text as one part where it takes more than a look at words and brackets to tell;
 * undefined where there is too much of it. What it takes for a constant is one for the parser too, unless the expression is broken.
 * True until the next call.
 */
export function scanned(text: string): Scan | undefined {
  return read(text, true) ?? read(text, false)
}

function read(text: string, isSplit: boolean): Scan | undefined {
  const { length } = text
  let parts = 0
  let constants = 0
  let from = 0
  let hash = 0
  let depth = 0
  /** The last character before the word, white space left out. */
  let before = 0
  for (let at = 0; at < length; ) {
    const code = text.charCodeAt(at)
    if (isOfName(code)) {
      const end = nameEnd(text, at)
      if (isSplit && depth === 0 && end - at <= 3 && isOperator(text, at, end)) {
        // Behind anything but an operand it is no operator but a name.
        if (code !== LETTER_A || !endsOperand(before) || parts === MOST - 1) return undefined
        endPart(parts++, from, at, hash, constants)
        from = end
        hash = 0
        before = 0
      } else {
        for (let each = at; each < end; each++) hash = rolled(hash, text.charCodeAt(each))
        before = text.charCodeAt(end - 1)
      }
      at = end
      continue
    }
    if (isQuote(code) || isDigit(code)) {
      if (constants === MOST) return undefined
      const end = isDigit(code) ? numberEnd(text, at) : textEnd(text, at, code)
      // No expression has such characters.
      hash = rolled(hash, isDigit(code) ? 1 : 0)
      scan.starts[constants] = at
      scan.ends[constants] = end
      constants += 1
      before = code
      at = end
      continue
    }
    // The digits of `.5` are no number by themselves: a part with one is never taken for another.
    if (code === 0x28 || code === 0x5b) depth += 1
    else if (code === 0x29 || code === 0x5d) depth -= 1
    if (code > 0x20) before = code
    hash = rolled(hash, code)
    at += 1
  }
  endPart(parts++, from, length, hash, constants)
  scan.parts = parts
  return scan
}

function endPart(part: number, from: number, to: number, hash: number, constants: number): void {
  scan.from[part] = from
  scan.to[part] = to
  scan.hash[part] = hash
  scan.firstConstant[part + 1] = constants
}

export function valueAt(text: string, { starts, ends }: Scan, constant: number): string | number {
  const [start, end] = [starts[constant]!, ends[constant]!]
  return isLiteral(text, start) ? text.slice(start + 1, end - 1) : Number(text.slice(start, end))
}

export function isLiteral(text: string, at: number): boolean {
  return isQuote(text.charCodeAt(at))
}

function isOperator(text: string, from: number, to: number): boolean {
  if (to - from === 2) return text.startsWith('or', from)
  return (
    to - from === 3 && (text.startsWith('and', from) || text.startsWith('div', from) || text.startsWith('mod', from))
  )
}

/** A text, a number, a name, or what brackets close. */
function endsOperand(code: number): boolean {
  return isQuote(code) || isDigit(code) || isOfName(code) || code === 0x29 || code === 0x5d
}

// ----------------------------------------------------------------------------------------------------------- words

const POINT = 0x2e
const MINUS = 0x2d
const LETTER_A = 0x61

function isQuote(code: number): boolean {
  return code === 0x22 || code === 0x27
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** Letters, `_`, `:` and whatever isn't ASCII. */
function isOfName(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f || code === 0x3a || code >= 0x80
  )
}

/** Digits, points and hyphens within a name belong to it. */
function nameEnd(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (!isOfName(code) && !isDigit(code) && code !== POINT && code !== MINUS) return at
  }
  return text.length
}

function textEnd(text: string, from: number, quote: number): number {
  for (let at = from + 1; at < text.length; at++) if (text.charCodeAt(at) === quote) return at + 1
  return text.length
}

function numberEnd(text: string, from: number): number {
  const point = digitsEnd(text, from)
  return point < text.length && text.charCodeAt(point) === POINT ? digitsEnd(text, point + 1) : point
}

function digitsEnd(text: string, from: number): number {
  let at = from
  while (at < text.length && isDigit(text.charCodeAt(at))) at += 1
  return at
}

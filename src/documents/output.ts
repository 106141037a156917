import { createHash, type Hash, hash } from 'node:crypto'

/**
 * Two texts that are put together while a document is walked through: its own is *written*, and what its digest is of is *said*. Both
 * become bytes at once, which takes half of the time that joining strings takes and leaves nothing to be collected. The bytes
 * stand in memory that every document uses again, so there is one output at a time.
 */
export interface Output {
  /** How many bytes of {@link written} are in use. */
  written: number
  isAscii: boolean
  /** How many bytes of {@link said} are in use. */
  said: number
  /** Of what was said before that. */
  hash: Hash | undefined
}

const FIRST_BYTES = 65_536
/** What is larger goes with its document. */
const KEPT_BYTES = 1_048_576
let written = Buffer.allocUnsafeSlow(FIRST_BYTES)
/** Long names of namespaces make many times a document of what is said, so it goes to the hash by pieces. */
const said = Buffer.allocUnsafeSlow(FIRST_BYTES)

/** Up to so many characters of ASCII are copied one by one, before it is worth to ask the library. */
const SHORT = 256
const ASCII = 0x80
/** Bytes that a unit of UTF-16 takes at most. */
const UNIT_BYTES = 3

export function beginOutput(): Output {
  return { written: 0, isAscii: true, said: 0, hash: undefined }
}

/** What was written with its size in UTF-8, and SHA-256 in hex of what was said. */
export function endOutput(output: Output): { readonly text: string; readonly bytes: number; readonly digest: string } {
  const bytes = output.written
  const text = written.toString(output.isAscii ? 'latin1' : 'utf8', 0, bytes)
  if (written.length > KEPT_BYTES) written = Buffer.allocUnsafeSlow(FIRST_BYTES)
  const rest = said.subarray(0, output.said)
  const digest = output.hash === undefined ? hash('sha256', rest) : output.hash.update(rest).digest('hex')
  return { text, bytes, digest }
}

// ------------------------------------------------------------------------------------------------------- written

export function writeByte(output: Output, byte: number): void {
  makeRoomToWrite(output, 1)
  written[output.written] = byte
  output.written += 1
}

export function writeBytes(output: Output, bytes: Uint8Array): void {
  makeRoomToWrite(output, bytes.length)
  written.set(bytes, output.written)
  output.written += bytes.length
}

export function write(output: Output, text: string): void {
  makeRoomToWrite(output, text.length)
  if (text.length <= SHORT && copyPlain(text, written, output.written, ASCII_ONLY)) {
    output.written += text.length
    return
  }
  makeRoomToWrite(output, UNIT_BYTES * text.length)
  const bytes = written.write(text, output.written)
  if (bytes !== text.length) output.isAscii = false
  output.written += bytes
}

/** An attribute's value, where it stands for itself as most do; otherwise false, and it did nothing. */
export function writePlainValue(output: Output, value: string): boolean {
  makeRoomToWrite(output, value.length)
  if (value.length > SHORT || !copyPlain(value, written, output.written, PLAIN_IN_VALUES)) return false
  output.written += value.length
  return true
}

function makeRoomToWrite(output: Output, bytes: number): void {
  const needed = output.written + bytes
  if (needed <= written.length) return
  const larger = Buffer.allocUnsafeSlow(2 * needed)
  larger.set(written.subarray(0, output.written))
  written = larger
}

// ---------------------------------------------------------------------------------------------------------- said

export function sayByte(output: Output, byte: number): void {
  makeRoomToSay(output, 1)
  said[output.said] = byte
  output.said += 1
}

/** @param bytes Fewer than {@link FIRST_BYTES}. */
export function sayBytes(output: Output, bytes: Uint8Array): void {
  makeRoomToSay(output, bytes.length)
  said.set(bytes, output.said)
  output.said += bytes.length
}

export function say(output: Output, text: string): void {
  const { length } = text
  if (length > said.length / UNIT_BYTES) {
    sayLong(output, text)
    return
  }
  makeRoomToSay(output, UNIT_BYTES * length)
  if (length <= SHORT && copyPlain(text, said, output.said, ASCII_ONLY)) output.said += length
  else output.said += said.write(text, output.said)
}

function makeRoomToSay(output: Output, bytes: number): void {
  if (output.said + bytes > said.length) sayLong(output, '')
}

function sayLong(output: Output, text: string): void {
  output.hash ??= createHash('sha256')
  output.hash.update(said.subarray(0, output.said)).update(text)
  output.said = 0
}

// ---------------------------------------------------------------------------------------------------------- both

/** Writes and says a text, where it stands for itself as most do; otherwise false, and it did nothing. */
export function writeAndSay(output: Output, text: string): boolean {
  const { length } = text
  if (length > SHORT) return false
  makeRoomToWrite(output, length)
  makeRoomToSay(output, length)
  const to = output.written
  const alsoTo = output.said
  for (let at = 0; at < length; at += 1) {
    const code = text.charCodeAt(at)
    if (code >= ASCII || PLAIN_IN_TEXT[code] === 0) return false
    written[to + at] = code
    said[alsoTo + at] = code
  }
  output.written = to + length
  output.said = alsoTo + length
  return true
}

// ---------------------------------------------------------------------------------------------------- characters

/** By their codes, 1 for characters of ASCII that stand for themselves. */
const ASCII_ONLY = plainBut('')
/** As `escapeText` has it. */
const PLAIN_IN_TEXT = plainBut('&<>\r')
/** As `escapeAttribute` has it. */
const PLAIN_IN_VALUES = plainBut('&<>"\'\t\n\r')

function plainBut(others: string): Uint8Array {
  const plain = new Uint8Array(ASCII).fill(1)
  for (const other of others) plain[other.charCodeAt(0)] = 0
  return plain
}

/** False where a character isn't plain; then what was copied doesn't count. */
function copyPlain(text: string, into: Uint8Array, from: number, plain: Uint8Array): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code >= ASCII || plain[code] === 0) return false
    into[from + at] = code
  }
  return true
}

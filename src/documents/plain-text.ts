/** Characters below this code take one byte in UTF-8. */
const ASCII = 0x80
/** Longer texts are better left to the library. */
const SHORT = 256

/** Which characters of ASCII stand for themselves: by their codes, 1 for those that do. */
export type PlainCharacters = Uint8Array

/** All of ASCII but some. */
export function allBut(others: string): PlainCharacters {
  const plain = new Uint8Array(ASCII).fill(1)
  for (const other of others) plain[other.charCodeAt(0)] = 0
  return plain
}

/**
 * Copies a short text of plain characters, byte by byte, which for the few characters that most texts have takes a third of the library's
 * time. The caller sees to the room.
 *
 * @returns false where the text isn't like that; then what was copied doesn't count
 */
export function copyPlain(text: string, into: Uint8Array, from: number, plain: PlainCharacters): boolean {
  const { length } = text
  if (length > SHORT) return false
  for (let at = 0; at < length; at += 1) {
    const code = text.charCodeAt(at)
    if (code >= ASCII || plain[code] === 0) return false
    into[from + at] = code
  }
  return true
}

/** Longer texts are no names that come again. */
const LENGTH = 128
/** What comes after so many texts begins anew: whoever sends ever new names gains nothing by it. */
const KEPT = 8_192

let kept = new Map<string, string>()

/**
 * The same text, as it was first seen: the names of elements come again and again, and texts that are one object are compared and
 * looked up at once, and stand in memory once. It keeps nothing alive that it was cut from.
 */
export function shared(text: string): string {
  if (text.length > LENGTH) return text
  const known = kept.get(text)
  if (known !== undefined) return known
  if (kept.size >= KEPT) kept = new Map()
  const own = asName(text)
  kept.set(own, own)
  return own
}

/**
 * As the engine keeps the names of properties: each once, in one piece. What was cut from another text is otherwise compared by a
 * way that takes ten times as long.
 */
function asName(text: string): string {
  return Object.keys({ [text]: true })[0]!
}

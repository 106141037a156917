/** Longer texts are no names that come again. */
const LENGTH = 128
/** What comes after so many texts begins anew: whoever sends ever new names gains nothing by it. */
const KEPT = 8_192

let kept = new Map<string, string>()

/**
 * The same text, as it was first seen: the names of elements come again and again, and texts that are one object are compared and
 * looked up at once, and stand in memory once.
 */
export function shared(text: string): string {
  if (text.length > LENGTH) return text
  const known = kept.get(text)
  if (known !== undefined) return known
  if (kept.size >= KEPT) kept = new Map()
  const copy = detached(text)
  kept.set(copy, copy)
  return copy
}

/** Without the document that the text may have been cut from, which would stay as long as the text. */
function detached(text: string): string {
  return ` ${text}`.slice(1)
}

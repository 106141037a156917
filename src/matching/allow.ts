/** Compiles `allow`, anchored at both ends. Undefined where it is no regular expression. */
export function compileAllow(allow: string): RegExp | undefined {
  try {
    // By itself first: `a)|(b` would undo the anchors.
    new RegExp(allow, 'u')
    return new RegExp(`^(?:${allow})$`, 'u')
  } catch {
    return undefined
  }
}

/**
 * True where a repetition stands within a repetition, `(a+)*`: a text made for it can keep such a pattern busy for hours.
 * Errs on the safe side; character classes and escapes are skipped.
 */
export function mayBacktrackForLong(allow: string): boolean {
  const plain = allow.replace(/\\(?:[pPu]\{[^}]*\}|.)/gu, 'x').replace(/\[[^\]]*\]/g, 'x')
  const repeats: boolean[] = [false]
  for (let at = 0; at < plain.length; at++) {
    const character = plain[at]
    if (character === '(') repeats.push(false)
    const quantifier = quantifierAt(plain, at + 1)
    // Of one character a fixed count leaves no choice; of a group it repeats whatever choice is in it.
    const repeated = quantifier.max > (character === ')' ? 1 : Math.max(1, quantifier.min))
    if (character === ')') {
      const inner = repeats.pop() ?? false
      if (inner && repeated) return true
      repeats[repeats.length - 1] = (repeats.at(-1) ?? false) || inner || repeated
    } else if (repeated) {
      repeats[repeats.length - 1] = true
    }
  }
  return false
}

/** How often what stands before this place may come. */
function quantifierAt(plain: string, at: number): { readonly min: number; readonly max: number } {
  const [, sign, min, comma, max] = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})/.exec(plain.slice(at, at + 16)) ?? []
  if (sign === '*' || sign === '+') return { min: 0, max: Number.POSITIVE_INFINITY }
  if (sign === '?') return { min: 0, max: 1 }
  if (min === undefined) return { min: 1, max: 1 }
  if (comma === '') return { min: Number(min), max: Number(min) }
  return { min: Number(min), max: max === '' ? Number.POSITIVE_INFINITY : Number(max) }
}

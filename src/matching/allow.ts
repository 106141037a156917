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
    const repeated = /^(?:[*+]|\{\d+,\d*\})/.test(plain.slice(at + 1, at + 12))
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

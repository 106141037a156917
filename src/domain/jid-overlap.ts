import { parseJidPattern } from './jid.ts'

/** Whether some JID matches both patterns. True where one of them is none: that is said elsewhere. */
export function patternsOverlap(one: string, other: string): boolean {
  const [first, second] = [parseJidPattern(one), parseJidPattern(other)]
  if (!first || !second) return true
  return (
    partsOverlap(first.local, second.local) &&
    partsOverlap(first.domain, second.domain) &&
    (first.resource === undefined || second.resource === undefined || partsOverlap(first.resource, second.resource))
  )
}

function partsOverlap(one: string, other: string): boolean {
  // A lone star needs at least one character.
  if (one === '' || other === '') return one === other
  return textsOverlap(one, other)
}

/** Whether some text fits both, stars standing for any characters or none: row by row, of which places in `other` can be reached. */
function textsOverlap(one: string, other: string): boolean {
  let reached = overStars(other, [true])
  for (const character of one) {
    const next: boolean[] = []
    for (let at = 0; at <= other.length; at++) {
      // A star of ours stays for whatever stands there; one of theirs takes our character and stays.
      if (character === '*') next[at] = reached[at] === true || next[at - 1] === true
      else if (other[at] === '*' && reached[at]) next[at] = true
      else if (at > 0 && reached[at - 1] && other[at - 1] === character) next[at] = true
    }
    reached = overStars(other, next)
  }
  return reached[other.length] === true
}

/** A star of theirs may stand for nothing. */
function overStars(other: string, reached: readonly (boolean | undefined)[]): readonly (boolean | undefined)[] {
  const all = [...reached]
  for (let at = 0; at < other.length; at++) if (all[at] && other[at] === '*') all[at + 1] = true
  return all
}

/** For a root that no type has: which one was probably meant. */

export interface RegisteredRoot {
  readonly rootName: string
  readonly type: string
}

const ROOTS_LOOKED_AT = 2_000
const NAME_LENGTH = 200

/** The end of a sentence that names the nearest registered root; '' where none is near. */
export function nearestRoot(rootName: string, roots: readonly RegisteredRoot[]): string {
  const [uri, name] = split(rootName)
  if (name.length > NAME_LENGTH) return ''
  const known = roots.slice(0, ROOTS_LOOKED_AT).map((root) => ({ root, parts: split(root.rootName) }))
  const otherNamespace = known.find(({ parts }) => parts[1] === name)
  if (otherNamespace) {
    const expected = otherNamespace.parts[0] === '' ? 'no namespace' : `the namespace ${otherNamespace.parts[0]}`
    return `; ${otherNamespace.root.type} has the same name in ${expected}`
  }
  const inReach = known
    .map(({ root, parts }) => ({
      root,
      distance: parts[0] === uri ? distance(parts[1], name) : Number.POSITIVE_INFINITY,
    }))
    .filter(({ distance: away }) => away <= Math.max(2, name.length / 3))
    .sort((a, b) => a.distance - b.distance)
  const [nearest] = inReach
  return nearest ? `; the nearest known is ${nearest.root.rootName} (${nearest.root.type})` : ''
}

function split(rootName: string): readonly [uri: string, name: string] {
  const end = rootName.startsWith('{') ? rootName.indexOf('}') : -1
  return end < 0 ? ['', rootName] : [rootName.slice(1, end), rootName.slice(end + 1)]
}

/** Levenshtein's: insertions, removals and replacements. */
function distance(from: string, to: string): number {
  if (Math.abs(from.length - to.length) > NAME_LENGTH / 3) return Number.POSITIVE_INFINITY
  let row = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (let i = 1; i <= from.length; i += 1) {
    const above = row
    row = [i]
    for (let j = 1; j <= to.length; j += 1) {
      const replaced = above[j - 1]! + Number(from[i - 1] !== to[j - 1])
      row.push(Math.min(replaced, above[j]! + 1, row[j - 1]! + 1))
    }
  }
  return row[to.length]!
}

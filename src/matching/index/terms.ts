import { ALL, ANY, type Atoms, FAILS, HOLDS, SPAN, type Term, WITHIN, XPATH } from './atoms.ts'

/**
 * Puts terms together. Negation stands at atoms only, groups are flat, sorted and held once: the same conditions are the same
 * group, in whatever order they were written. Each term that comes out of here is one use, to be released once.
 */
export interface Terms {
  all(terms: readonly Term[]): Term
  any(terms: readonly Term[]): Term
  release(term: Term): void
}

export function createTerms(atoms: Atoms): Terms {
  const release = (term: Term) => atoms.release(term >> 1)

  function joined(kind: typeof ALL | typeof ANY, given: readonly Term[]): Term {
    const [neutral, decisive] = kind === ALL ? [HOLDS, FAILS] : [FAILS, HOLDS]
    const terms: Term[] = []
    for (const term of given) flatten(kind, term, terms)
    if (terms.includes(decisive)) {
      terms.forEach(release)
      return decisive
    }
    terms.sort(byCost)
    let count = 0
    for (const term of terms) {
      if (term === neutral) continue
      if (count > 0 && term === terms[count - 1]) release(term)
      else terms[count++] = term
    }
    terms.length = count
    if (count === 0) return neutral
    return count === 1 ? terms[0]! : atoms.takeGroup(kind, terms) * 2
  }

  /** Groups of the same kind within a group are no groups of their own. */
  function flatten(kind: number, term: Term, into: Term[]): void {
    const atom = term >> 1
    if (atoms.kind[atom] !== kind || (term & 1) === 1) {
      into.push(term)
      return
    }
    const from = atoms.first[atom]!
    for (let at = from; at < from + atoms.second[atom]!; at++) {
      into.push(atoms.arena[at]!)
      atoms.share(atoms.arena[at]! >> 1)
    }
    release(term)
  }

  /** Cheap ones are asked first: what is found by reading, then what is computed, then groups, and XPath last. */
  function byCost(a: Term, b: Term): number {
    return costOf(a) - costOf(b) || a - b
  }

  function costOf(term: Term): number {
    const kind = atoms.kind[term >> 1]!
    if (kind === XPATH) return ANY + 1
    return kind === SPAN ? WITHIN : kind
  }

  return { all: (terms) => joined(ALL, terms), any: (terms) => joined(ANY, terms), release }
}

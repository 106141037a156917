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

/** So many are sorted by hand: most groups are small, and there are as many as routes. */
const FEW = 8

export function createTerms(atoms: Atoms): Terms {
  const release = (term: Term) => atoms.release(term >> 1)

  function joined(kind: typeof ALL | typeof ANY, given: readonly Term[]): Term {
    const neutral = kind === ALL ? HOLDS : FAILS
    const decisive = kind === ALL ? FAILS : HOLDS
    const flat = flattened(kind, given)
    if (flat.includes(decisive)) {
      flat.forEach(release)
      return decisive
    }
    sort(flat)
    const distinct: Term[] = []
    for (const term of flat) {
      if (term === neutral) continue
      if (term === distinct[distinct.length - 1]) release(term)
      else distinct.push(term)
    }
    if (distinct.length === 0) return neutral
    return distinct.length === 1 ? distinct[0]! : atoms.takeGroup(kind, distinct) * 2
  }

  /** Groups of the same kind within a group are no groups of their own. */
  function flattened(kind: number, given: readonly Term[]): Term[] {
    const flat: Term[] = []
    for (const term of given) {
      const atom = term >> 1
      if (atoms.kind[atom] !== kind || (term & 1) === 1) {
        flat.push(term)
        continue
      }
      const from = atoms.first[atom]!
      const end = from + atoms.second[atom]!
      for (let at = from; at < end; at++) {
        atoms.share(atoms.arena[at]! >> 1)
        flat.push(atoms.arena[at]!)
      }
      release(term)
    }
    return flat
  }

  function sort(flat: Term[]): void {
    if (flat.length > FEW) {
      flat.sort(byCost)
      return
    }
    for (let at = 1; at < flat.length; at++) {
      const term = flat[at]!
      let place = at
      for (; place > 0 && byCost(flat[place - 1]!, term) > 0; place--) flat[place] = flat[place - 1]!
      flat[place] = term
    }
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

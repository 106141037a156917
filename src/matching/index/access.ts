import {
  ALL,
  ANY,
  type Atoms,
  CONTAINS,
  EQUAL,
  EXISTS,
  PREFIX,
  SPAN,
  SUFFIX,
  type Term,
  TRUE,
  WITHIN,
} from './atoms.ts'
import type { Constants } from './constants.ts'
import type { Operand } from './operands.ts'

/** Which atoms routes wait for: without one of them their conditions can't hold. */
export interface Access {
  /**
   * The atoms that let a route be found at the least cost: of conditions that must hold together the rarest, of alternatives all.
   */
  to(term: Term): readonly number[]
}

/** For what can't be found by any atom: it is asked of every document. */
const ALWAYS: readonly number[] = [TRUE]

/**
 * How rare an atom is, is guessed by its kind, and by the share that it has of all conditions on the same operand: a
 * value that most routes ask for is one that most documents have.
 */
export function createAccess(atoms: Atoms, constants: Constants, operands: readonly Operand[]): Access {
  /** About how often the term is found, as a share of documents; Infinity where it can't be. */
  function shareOf(term: Term): number {
    const atom = term >> 1
    if ((term & 1) === 1) return Number.POSITIVE_INFINITY
    switch (atoms.kind[atom]) {
      case ALL: {
        let least = Number.POSITIVE_INFINITY
        for (let at = firstOf(atom); at < endOf(atom); at++) least = Math.min(least, shareOf(atoms.arena[at]!))
        return least
      }
      case ANY: {
        let share = 0
        for (let at = firstOf(atom); at < endOf(atom); at++) share += shareOf(atoms.arena[at]!)
        return share
      }
      default:
        return shareOfAtom(atom)
    }
  }

  function rarestOf(group: number): Term {
    let rarest = atoms.arena[firstOf(group)]!
    let least = shareOf(rarest)
    for (let at = firstOf(group) + 1; at < endOf(group); at++) {
      const share = shareOf(atoms.arena[at]!)
      if (share >= least) continue
      least = share
      rarest = atoms.arena[at]!
    }
    return rarest
  }

  function firstOf(group: number): number {
    return atoms.first[group]!
  }

  function endOf(group: number): number {
    return atoms.first[group]! + atoms.second[group]!
  }

  function chosenOf(term: Term): readonly number[] {
    const atom = term >> 1
    switch (atoms.kind[atom]) {
      case ALL:
        return chosenOf(rarestOf(atom))
      case ANY:
        return [...new Set(Array.from(atoms.arena.subarray(firstOf(atom), endOf(atom))).flatMap(chosenOf))]
      default:
        return [atom]
    }
  }

  function shareOfAtom(atom: number): number {
    const operand = operands[atoms.operand[atom]!]
    if (!operand) return Number.POSITIVE_INFINITY
    switch (atoms.kind[atom]) {
      case EQUAL:
        // Of an operand that few routes have asked for so far, one of many values: what is not rare shows soon.
        return (atoms.uses[atom]! + 0.5) / (operand.uses + 64)
      case EXISTS:
        return 0.6
      case WITHIN:
      case SPAN:
        return shareOfRange(operand, atoms.first[atom]!, atoms.second[atom]!)
      case PREFIX:
      case SUFFIX:
        return 0.5 / (1 + lengthOf(atom) ** 2)
      case CONTAINS:
        // Looking for parts is work for each character of the value.
        return 0.05 + 0.5 / (1 + lengthOf(atom))
      default:
        return Number.POSITIVE_INFINITY
    }
  }

  function lengthOf(atom: number): number {
    return (constants.at(atoms.first[atom]!) as string).length
  }

  return {
    to: (term) => (shareOf(term) < 1 ? chosenOf(term) : ALWAYS),
  }
}

/** However narrow: values gather somewhere, and it may be there. A value that few ask for is rarer. */
const NARROWEST = 0.02

/** By what it takes of the span of all bounds on the operand; half of the documents where it is open to one side. */
function shareOfRange({ low, high }: Operand, from: number, to: number): number {
  if (!Number.isFinite(from) || !Number.isFinite(to)) return 0.5
  const span = high - low
  return span > 0 ? Math.min(0.5, Math.max((to - from) / span, NARROWEST)) : 0.1
}

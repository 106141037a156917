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

/** The atoms that a route waits for: without one of them its conditions can't hold. */
export interface Access {
  readonly atoms: readonly number[]
  /** About how often one of them holds, as a share of documents. */
  readonly share: number
}

/** For what can't be found by any atom: it is asked of every document. */
const ALWAYS: Access = { atoms: [TRUE], share: 1 }

/**
 * The atoms that let a route be found at the least cost: of conditions that must hold together the rarest, of alternatives all. How
 * rare an atom is, is guessed by its kind, and by the share that it has of all conditions on the same operand: a
 * value that most routes ask for is one that most documents have.
 */
export function accessTo(term: Term, atoms: Atoms, constants: Constants, operands: readonly Operand[]): Access {
  const found = search(term)
  return found && found.share < 1 ? found : ALWAYS

  function search(of: Term): Access | undefined {
    const atom = of >> 1
    const kind = atoms.kind[atom]!
    if ((of & 1) === 1) return undefined
    if (kind === ALL || kind === ANY) {
      const from = atoms.first[atom]!
      const terms = atoms.arena.subarray(from, from + atoms.second[atom]!)
      return kind === ALL ? rarest(terms) : together(terms)
    }
    const share = shareOf(atom, kind)
    return share === undefined ? undefined : { atoms: [atom], share }
  }

  function rarest(terms: Int32Array): Access | undefined {
    let best: Access | undefined
    for (const term of terms) {
      const access = search(term)
      if (access && (!best || access.share < best.share)) best = access
    }
    return best
  }

  function together(terms: Int32Array): Access | undefined {
    const all: number[] = []
    let share = 0
    for (const term of terms) {
      const access = search(term)
      if (!access) return undefined
      all.push(...access.atoms)
      share += access.share
    }
    return { atoms: [...new Set(all)], share }
  }

  function shareOf(atom: number, kind: number): number | undefined {
    const operand = operands[atoms.operand[atom]!]
    if (!operand) return undefined
    switch (kind) {
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
        return 0.5 / (1 + textOf(atom).length ** 2)
      case CONTAINS:
        // Looking for parts is work for each character of the value.
        return 0.05 + 0.5 / (1 + textOf(atom).length)
      default:
        return undefined
    }
  }

  function textOf(atom: number): string {
    return constants.at(atoms.first[atom]!) as string
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

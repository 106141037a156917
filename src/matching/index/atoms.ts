import { createChains } from './chains.ts'
import { APART, grown } from './columns.ts'
import type { Constants } from './constants.ts'
import { hashOfDouble } from './doubles.ts'
import { createFilter } from './filter.ts'
import { finished } from './hashes.ts'
import type { Operand } from './operands.ts'

/**
 * The atoms: conditions that can't be taken apart, and groups of them, each held once however many routes use it. An atom is a
 * number; what is known of it stands in columns under that number.
 */

/** Always holds: atom 0. */
export const TRUE = 0
/** One of the values is the constant `first`. */
export const EQUAL = 1
export const EXISTS = 2
/** One of the values is a number from `first` to `second`. */
export const WITHIN = 3
/** One of the nodes has another string value than the constant `first`, or another number: XPath's `!=`. */
export const DIFFERS = 4
/** One of the values is a text that begins with, ends with, contains the constant `first`. */
export const PREFIX = 5
export const SUFFIX = 6
export const CONTAINS = 7
/** The number of nodes is from `first` to `second`. */
export const COUNT = 8
/** The value is a JID that the pattern, the constant `first`, matches. */
export const JID = 9
/** One of the values is a number of at least `first`, and one, the same or another, of at most `second`. */
export const SPAN = 13
/** Expression number `first` holds. */
export const XPATH = 10
/** All, or any, of the terms hold that stand in the arena: `second` of them from `first` on. */
export const ALL = 11
export const ANY = 12

/** An atom, or its opposite: the atom's number doubled, and 1 more for the opposite. */
export type Term = number
export const HOLDS: Term = 0
export const FAILS: Term = 1

export interface Atoms {
  kind: Uint8Array
  operand: Int32Array
  first: Float64Array
  second: Float64Array
  /** How many terms and routes hold it. */
  uses: Int32Array
  /** The epoch of the last document for which it held; the negative of that for which it was found not to hold. */
  stamp: Int32Array
  /** First of the routes that wait for it, or -1. */
  cluster: Int32Array
  /** The next equality atom with the same constant, or -1. */
  nextEqual: Int32Array
  arena: Int32Array
  count(): number
  /** Takes the atom into use once more, makes it where it isn't there. */
  take(kind: number, operand: Operand | undefined, first: number, second: number): number
  /** One more use of an atom that is there. */
  share(atom: number): void
  /** False: there is no such atom of a constant with this hash. For equality, beginnings and ends. */
  mayHave(kind: number, operand: number, hash: number): boolean
  /** The atom of one constant, or -1. */
  find(kind: number, operand: number, constant: number): number
  /** A group of terms in ascending order, whose uses it takes over. */
  takeGroup(kind: typeof ALL | typeof ANY, terms: readonly Term[]): number
  /** What nobody uses any more is forgotten, and its number used again. */
  release(atom: number): void
}

export interface AtomsNeeds {
  readonly constants: Constants
  operandAt(id: number): Operand
  /** What documents have to be read for has changed: an operand is asked about in a new way. */
  onNeed(operand: Operand): void
  releaseExpression(id: number): void
}

const NO_OPERAND = -1

/** Kinds whose `first` is a constant. */
const CONSTANT: ReadonlySet<number> = new Set([EQUAL, DIFFERS, PREFIX, SUFFIX, CONTAINS, JID])

/** Kinds that documents are looked through for by the hash of a text. */
const FILTERED: ReadonlySet<number> = new Set([EQUAL, PREFIX, SUFFIX])
const FILTER_BITS = 8

export function createAtoms(needs: AtomsNeeds): Atoms {
  const { constants } = needs
  const free: number[] = []
  const arenaFree = new Map<number, number[]>()
  let arenaEnd = 0
  let count = 1
  /** Atoms that documents are looked through for. */
  let filtered = 0
  /** Found again without looking at what they were made from, which stands in many places. */
  let hashes = new Int32Array(64)
  const chains = createChains((atom) => hashes[atom]!)
  // Where there are many routes, most values of a document are asked for somewhere, and hardly any is on its own path.
  const filter = createFilter(FILTER_BITS, {
    count: () => count,
    held: () => filtered,
    hashAt: (atom) => (FILTERED.has(atoms.kind[atom]!) ? filterHashAt(atom) : undefined),
  })

  const atoms: Atoms = {
    kind: new Uint8Array(64),
    operand: new Int32Array(64),
    first: new Float64Array(64),
    second: new Float64Array(64),
    uses: new Int32Array(64),
    stamp: new Int32Array(64),
    cluster: new Int32Array(64).fill(-1),
    nextEqual: new Int32Array(64).fill(-1),
    arena: new Int32Array(256),
    count: () => count,
    take(kind, operand, first, second) {
      const id = operand?.id ?? NO_OPERAND
      const hash = hashOf(kind, id, first, second)
      const known = findHashed(kind, id, first, second, hash)
      const atom = known < 0 ? add(kind, id, first, second, hash) : known
      share(atom)
      if (known >= 0) giveBack(kind, first)
      else if (operand) introduce(atom, kind, operand)
      return atom
    },
    share,
    mayHave: (kind, operand, hash) => filter.passes(filterHash(kind, operand, hash)),
    find: (kind, operand, constant) => find(kind, operand, constant, 0),
    takeGroup(kind, terms) {
      const hash = hashOfGroup(kind, terms)
      const known = findGroup(kind, terms, hash)
      if (known >= 0) {
        for (const term of terms) atoms.release(term >> 1)
        atoms.uses[known]! += 1
        return known
      }
      const offset = place(terms.length)
      atoms.arena.set(terms, offset)
      const atom = add(kind, NO_OPERAND, offset, terms.length, hash)
      atoms.uses[atom] = 1
      return atom
    },
    release(atom) {
      if (atom === TRUE) return
      const { kind, operand, first, second, uses, arena } = atoms
      uses[atom]! -= 1
      if (kind[atom] === EQUAL) needs.operandAt(operand[atom]!).uses -= 1
      if (uses[atom] !== 0) return
      chains.remove(atom, hashes[atom]!)
      if (FILTERED.has(kind[atom]!)) filtered -= 1
      if (kind[atom] === ALL || kind[atom] === ANY) {
        const children = Array.from(arena.subarray(first[atom]!, first[atom]! + second[atom]!))
        freePlace(first[atom]!, second[atom]!)
        for (const term of children) atoms.release(term >> 1)
      } else {
        retire(atom)
      }
      kind[atom] = TRUE
      free.push(atom)
    },
  }
  atoms.uses[TRUE] = 1
  atoms.nextEqual[TRUE] = -1

  function share(atom: number): void {
    atoms.uses[atom]! += 1
    if (atoms.kind[atom] === EQUAL) needs.operandAt(atoms.operand[atom]!).uses += 1
  }

  /** What was taken into use to look an atom up is kept by the atom that it made, and given back otherwise. */
  function giveBack(kind: number, first: number): void {
    if (kind === XPATH) needs.releaseExpression(first)
    else if (CONSTANT.has(kind)) constants.release(first)
  }

  function introduce(atom: number, kind: number, operand: Operand): void {
    const { first, second, nextEqual } = atoms
    const constant = first[atom]!
    if (kind === EQUAL) {
      nextEqual[atom] = constants.firstEqual[constant]!
      constants.firstEqual[constant] = atom
      if (typeof constants.at(constant) === 'number') {
        if (operand.equalNumbers++ === 0) needs.onNeed(operand)
      } else if (operand.equalTexts++ === 0) needs.onNeed(operand)
      return
    }
    if (kind === EXISTS) {
      operand.exists = atom
      needs.onNeed(operand)
      return
    }
    if (kind === WITHIN || kind === SPAN) widen(operand, first[atom]!, second[atom]!)
    if (operand.asked++ === 0) needs.onNeed(operand)
  }

  function retire(atom: number): void {
    const kind = atoms.kind[atom]!
    const first = atoms.first[atom]!
    if (atoms.operand[atom] !== NO_OPERAND) {
      const operand = needs.operandAt(atoms.operand[atom]!)
      if (kind === EQUAL) {
        unchain(atom, first)
        if (typeof constants.at(first) === 'number') operand.equalNumbers -= 1
        else operand.equalTexts -= 1
      } else if (kind === EXISTS) operand.exists = -1
      else operand.asked -= 1
    }
    giveBack(kind, first)
  }

  function unchain(atom: number, constant: number): void {
    const { nextEqual } = atoms
    if (constants.firstEqual[constant] === atom) {
      constants.firstEqual[constant] = nextEqual[atom]!
      return
    }
    let before = constants.firstEqual[constant]!
    while (nextEqual[before] !== atom) before = nextEqual[before]!
    nextEqual[before] = nextEqual[atom]!
  }

  // ------------------------------------------------------------------------------------------------- hash table

  function add(kind: number, operand: number, first: number, second: number, hash: number): number {
    const atom = free.pop() ?? count++
    growTo(atom + 1)
    atoms.kind[atom] = kind
    atoms.operand[atom] = operand
    atoms.first[atom] = first
    atoms.second[atom] = second
    atoms.uses[atom] = 0
    atoms.stamp[atom] = 0
    atoms.cluster[atom] = -1
    atoms.nextEqual[atom] = -1
    hashes[atom] = hash
    chains.add(atom, hash)
    if (!FILTERED.has(kind)) return atom
    filtered += 1
    filter.add(filterHashAt(atom))
    return atom
  }

  function filterHashAt(atom: number): number {
    return filterHash(atoms.kind[atom]!, atoms.operand[atom]!, constants.hashAt(atoms.first[atom]!))
  }

  function growTo(length: number): void {
    atoms.kind = grown(atoms.kind, length)
    atoms.operand = grown(atoms.operand, length + APART)
    atoms.first = grown(atoms.first, length + 2 * APART)
    atoms.second = grown(atoms.second, length + 3 * APART)
    atoms.uses = grown(atoms.uses, length + 4 * APART)
    atoms.stamp = grown(atoms.stamp, length + 5 * APART)
    atoms.cluster = grown(atoms.cluster, length + 6 * APART)
    atoms.nextEqual = grown(atoms.nextEqual, length + 7 * APART)
    hashes = grown(hashes, length + 8 * APART)
  }

  function find(kind: number, operand: number, first: number, second: number): number {
    return findHashed(kind, operand, first, second, hashOf(kind, operand, first, second))
  }

  function findHashed(kind: number, operand: number, first: number, second: number, hash: number): number {
    let atom = chains.first(hash)
    while (atom >= 0 && !(hashes[atom] === hash && isSame(atom, kind, operand, first, second)))
      atom = chains.next[atom]!
    return atom
  }

  function isSame(atom: number, kind: number, operand: number, first: number, second: number): boolean {
    return (
      atoms.kind[atom] === kind &&
      atoms.operand[atom] === operand &&
      atoms.first[atom] === first &&
      atoms.second[atom] === second
    )
  }

  function findGroup(kind: number, terms: readonly Term[], hash: number): number {
    let atom = chains.first(hash)
    while (atom >= 0 && !(hashes[atom] === hash && atoms.kind[atom] === kind && hasTerms(atom, terms)))
      atom = chains.next[atom]!
    return atom
  }

  function hasTerms(atom: number, terms: readonly Term[]): boolean {
    if (atoms.second[atom] !== terms.length) return false
    const from = atoms.first[atom]!
    for (let at = 0; at < terms.length; at++) if (atoms.arena[from + at] !== terms[at]) return false
    return true
  }

  // ------------------------------------------------------------------------------------------------------ arena

  function place(length: number): number {
    const again = arenaFree.get(length)?.pop()
    if (again !== undefined) return again
    const offset = arenaEnd
    arenaEnd += length
    atoms.arena = grown(atoms.arena, arenaEnd)
    return offset
  }

  function freePlace(offset: number, length: number): void {
    const places = arenaFree.get(length)
    if (places) places.push(offset)
    else arenaFree.set(length, [offset])
  }

  return atoms
}

function hashOf(kind: number, operand: number, first: number, second: number): number {
  return finished(
    Math.imul(operand + 1, 0x27d4_eb2d) ^ hashOfDouble(first) ^ Math.imul(hashOfDouble(second), 31) ^ kind,
  )
}

/** @param hash Of the constant. */
function filterHash(kind: number, operand: number, hash: number): number {
  const mixed = Math.imul(hash ^ Math.imul(operand * 16 + kind, 0x9e37_79b1), 0x85eb_ca6b)
  return mixed ^ (mixed >>> 15)
}

function hashOfGroup(kind: number, terms: readonly Term[]): number {
  let hash = kind
  for (const term of terms) hash = Math.imul(hash ^ term, 0x0100_0193) + 0x9e37
  return finished(hash)
}

function widen(operand: Operand, low: number, high: number): void {
  if (Number.isFinite(low)) {
    operand.low = Math.min(operand.low, low)
    operand.high = Math.max(operand.high, low)
  }
  if (Number.isFinite(high)) {
    operand.low = Math.min(operand.low, high)
    operand.high = Math.max(operand.high, high)
  }
}

import { createChains } from './chains.ts'
import { APART, grown } from './columns.ts'
import { hashOfDouble } from './doubles.ts'
import { createFilter } from './filter.ts'
import { finished, hashOfText, rolled } from './hashes.ts'

/** What a value is compared with: a text, a number, or JSON's null. The text `1` and the number 1 are two constants. */
export type Constant = string | number | null

/** The constants of all conditions, each held once and known by a number. */
export interface Constants {
  /** The number of a constant; each `take` needs its `release`. */
  take(constant: Constant): number
  release(id: number): void
  /** False: no condition asks for what has this hash. */
  mayHave(hash: number): boolean
  /** The number, or -1 for what no condition asks for. Never keeps what it is asked about. */
  find(constant: Constant, hash: number): number
  /** The number of the part of a text from one place to another. */
  findPart(text: string, from: number, to: number, hash: number): number
  hashAt(id: number): number
  at(id: number): Constant
  /** The first of the equality atoms with this constant, or -1; they are chained in `Atoms.nextEqual`. */
  firstEqual: Int32Array
  /** No text among them was ever longer. */
  longest(): number
}

const FILTER_BITS = 16

const HASH_OF_NULL = 0x5bd1_e995

/** A hash table of our own: it tells whether a part of a text is a constant without a text of its own for it. */
export function createConstants(): Constants {
  const values: Constant[] = []
  const free: number[] = []
  let uses = new Int32Array(64)
  let hashes = new Int32Array(64)
  const chains = createChains((id) => hashes[id]!)
  let held = 0
  let longest = 0
  const filter = createFilter(FILTER_BITS, {
    count: () => values.length,
    held: () => held,
    hashAt: (id) => (uses[id]! > 0 ? hashes[id] : undefined),
  })

  function findHashed(constant: Constant, hash: number): number {
    let id = chains.first(hash)
    while (id >= 0 && !(hashes[id] === hash && values[id] === constant)) id = chains.next[id]!
    return id
  }

  function add(constant: Constant, hash: number): number {
    const id = free.pop() ?? values.length
    uses = grown(uses, id + 1)
    hashes = grown(hashes, id + 1 + APART)
    table.firstEqual = grown(table.firstEqual, id + 1 + 2 * APART)
    values[id] = constant
    uses[id] = 0
    hashes[id] = hash
    table.firstEqual[id] = -1
    held += 1
    chains.add(id, hash)
    filter.add(hash)
    if (typeof constant === 'string' && constant.length > longest) longest = constant.length
    return id
  }

  const table: Constants = {
    firstEqual: new Int32Array(64),
    take(constant) {
      const hash = hashOfConstant(constant)
      const known = findHashed(constant, hash)
      const id = known < 0 ? add(constant, hash) : known
      uses[id]! += 1
      return id
    },
    release(id) {
      uses[id]! -= 1
      if (uses[id] !== 0) return
      held -= 1
      chains.remove(id, hashes[id]!)
      values[id] = null
      free.push(id)
    },
    mayHave: filter.passes,
    find: findHashed,
    findPart(text, from, to, hash) {
      let id = chains.first(hash)
      while (id >= 0 && !(hashes[id] === hash && isPart(values[id]!, text, from, to))) id = chains.next[id]!
      return id
    },
    hashAt: (id) => hashes[id]!,
    at: (id) => values[id]!,
    longest: () => longest,
  }
  return table
}

function isPart(constant: Constant, text: string, from: number, to: number): boolean {
  return typeof constant === 'string' && constant.length === to - from && text.startsWith(constant, from)
}

export function hashOfConstant(constant: Constant): number {
  if (typeof constant === 'string') return hashOfText(constant, 0, constant.length)
  return constant === null ? HASH_OF_NULL : finished(rolled(hashOfDouble(constant), 1))
}

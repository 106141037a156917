import { createChains } from './chains.ts'
import { grown } from './columns.ts'
import { hashOfDouble } from './doubles.ts'
import { finished, hashOfText, rolled } from './hashes.ts'

/** What a value is compared with: a text, a number, or JSON's null. The text `1` and the number 1 are two constants. */
export type Constant = string | number | null

/** The constants of all conditions, each held once and known by a number. */
export interface Constants {
  /** The number of a constant; each `take` needs its `release`. */
  take(constant: Constant): number
  release(id: number): void
  /** The number, or -1 for what no condition asks for. Never keeps what it is asked about. */
  find(constant: Constant): number
  /** The number of the part of a text from one place to another. */
  findPart(text: string, from: number, to: number): number
  at(id: number): Constant
  /** The first of the equality atoms with this constant, or -1; they are chained in `Atoms.nextEqual`. */
  firstEqual: Int32Array
  /** No text among them was ever longer. */
  longest(): number
}

/** Bits of the filter for each constant: of values that are none, about one in thirty passes it. */
const FILTER_BITS = 16

const HASH_OF_NULL = 0x5bd1_e995

/**
 * A hash table of our own. Most values of a document are no constant, which a filter tells by one look into an array small enough
 * to stay near (a Bloom filter with both bits in one word).
 */
export function createConstants(): Constants {
  const values: Constant[] = []
  const free: number[] = []
  let uses = new Int32Array(64)
  let hashes = new Int32Array(64)
  const chains = createChains((id) => hashes[id]!)
  let held = 0
  let longest = 0
  let filter = new Int32Array(64)
  /** Constants since the filter was made; those of them that are gone have left their bits. */
  let filtered = 0

  function passes(hash: number): boolean {
    const bits = bitsOf(hash)
    return (filter[wordOf(hash)]! & bits) === bits
  }

  function mark(hash: number): void {
    filter[wordOf(hash)]! |= bitsOf(hash)
  }

  function wordOf(hash: number): number {
    return (hash >>> 10) & (filter.length - 1)
  }

  function enterFilter(hash: number): void {
    filtered += 1
    if (filtered * FILTER_BITS > filter.length * 32) {
      const isFull = held * FILTER_BITS > filter.length * 16
      filter = new Int32Array(isFull ? filter.length * 2 : filter.length)
      filtered = held
      for (let id = 0; id < values.length; id++) if (uses[id]! > 0) mark(hashes[id]!)
    }
    mark(hash)
  }

  function findHashed(constant: Constant, hash: number): number {
    let id = chains.first(hash)
    while (id >= 0 && !(hashes[id] === hash && values[id] === constant)) id = chains.next[id]!
    return id
  }

  function add(constant: Constant, hash: number): number {
    const id = free.pop() ?? values.length
    if (id >= uses.length) {
      uses = grown(uses, id + 1)
      hashes = grown(hashes, id + 1)
      table.firstEqual = grown(table.firstEqual, id + 1)
    }
    values[id] = constant
    uses[id] = 0
    hashes[id] = hash
    table.firstEqual[id] = -1
    held += 1
    chains.add(id, hash)
    enterFilter(hash)
    if (typeof constant === 'string' && constant.length > longest) longest = constant.length
    return id
  }

  const table: Constants = {
    firstEqual: new Int32Array(64),
    take(constant) {
      const hash = hashOf(constant)
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
    find(constant) {
      const hash = hashOf(constant)
      return passes(hash) ? findHashed(constant, hash) : -1
    },
    findPart(text, from, to) {
      const hash = hashOfText(text, from, to)
      if (!passes(hash)) return -1
      let id = chains.first(hash)
      while (id >= 0 && !(hashes[id] === hash && isPart(values[id]!, text, from, to))) id = chains.next[id]!
      return id
    },
    at: (id) => values[id]!,
    longest: () => longest,
  }
  return table
}

function bitsOf(hash: number): number {
  return (1 << (hash & 31)) | (1 << ((hash >>> 5) & 31))
}

function isPart(constant: Constant, text: string, from: number, to: number): boolean {
  return typeof constant === 'string' && constant.length === to - from && text.startsWith(constant, from)
}

function hashOf(constant: Constant): number {
  if (typeof constant === 'string') return hashOfText(constant, 0, constant.length)
  return constant === null ? HASH_OF_NULL : finished(rolled(hashOfDouble(constant), 1))
}

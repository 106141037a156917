import type { Atoms } from './atoms.ts'
import { orderedBits } from './doubles.ts'
import { createNumberTable } from './number-table.ts'

/** Atoms on ranges of one operand's numbers, found by the number. */
export interface RangeIndex {
  add(atom: number): void
  remove(atom: number): void
  find(value: number, found: (atom: number) => void): void
  /** Those that begin above `low`, up to `high`. */
  findBetween(low: number, high: number, found: (atom: number) => void): void
}

/** Bits of a number that place a range; narrower ranges share their place. */
const BITS = 40
/** What a number is divided by so that so many of its bits are left. */
const DIVISORS = Float64Array.from({ length: BITS + 1 }, (_, bits) => 2 ** (BITS - bits))

/** So many ranges at one place are looked through one by one. */
const FEW = 16

/**
 * An interval tree whose centres are fixed: a range stands at the longest beginning, in bits, that its two ends share, and a number
 * looks at its own beginnings only. Nothing is ever balanced anew, so that adding a range costs the same at any size.
 * At each place ranges are sorted by both ends: of those that reach over the centre, a number below it meets the ones
 * that begin early enough, a number above it the ones that end late enough.
 */
export function createRangeIndex(atoms: Atoms): RangeIndex {
  /** At most places there is one range: its atom doubled, otherwise the number of the place doubled and 1 more. */
  const table = createNumberTable()
  const places: (Place | number[])[] = []
  const free: number[] = []
  /** How many ranges there are for each number of bits. */
  const used = new Int32Array(BITS + 1)
  /** Those numbers of bits for which there are any. */
  let lengths: number[] = []
  const all = createSorted(atoms, 'first')

  function keyOf(atom: number): { readonly key: number; readonly bits: number } {
    let low = orderedBits(atoms.first[atom]!)
    let high = orderedBits(atoms.second[atom]!)
    let bits = BITS
    while (low !== high) {
      low = Math.floor(low / 2)
      high = Math.floor(high / 2)
      bits -= 1
    }
    return { key: low * 64 + bits, bits }
  }

  function use(bits: number, by: 1 | -1): void {
    const before = used[bits]!
    used[bits] = before + by
    if (before === 0 || used[bits] === 0) lengths = [...used.keys()].filter((each) => used[each]! > 0)
  }

  function makePlace(atom: number): number {
    const at = free.pop() ?? places.length
    places[at] = [atom]
    return at
  }

  function addTo(at: number, atom: number): void {
    const place = places[at]!
    if (!Array.isArray(place)) {
      place.byLow.add(atom)
      place.byHigh.add(atom)
      return
    }
    place.push(atom)
    if (place.length <= FEW) return
    const byEnds: Place = { byLow: createSorted(atoms, 'first'), byHigh: createSorted(atoms, 'second') }
    for (const one of place) {
      byEnds.byLow.add(one)
      byEnds.byHigh.add(one)
    }
    places[at] = byEnds
  }

  /** True where nothing is left. */
  function removeFrom(at: number, atom: number): boolean {
    const place = places[at]!
    if (Array.isArray(place)) {
      place.splice(place.indexOf(atom), 1)
      return place.length === 0
    }
    place.byLow.remove(atom)
    place.byHigh.remove(atom)
    return place.byLow.size() === 0
  }

  function told(atom: number, value: number, found: (atom: number) => void): void {
    if (atoms.first[atom]! <= value && value <= atoms.second[atom]!) found(atom)
  }

  return {
    add(atom) {
      all.add(atom)
      const { key, bits } = keyOf(atom)
      use(bits, 1)
      const held = table.get(key)
      if (held < 0) table.set(key, atom * 2)
      else {
        const at = held % 2 === 1 ? held >> 1 : makePlace(held >> 1)
        addTo(at, atom)
        table.set(key, at * 2 + 1)
      }
    },
    remove(atom) {
      all.remove(atom)
      const { key, bits } = keyOf(atom)
      use(bits, -1)
      const held = table.get(key)
      if (held % 2 === 0) {
        table.delete(key)
        return
      }
      if (!removeFrom(held >> 1, atom)) return
      table.delete(key)
      free.push(held >> 1)
    },
    find(value, found) {
      const ordered = orderedBits(value)
      for (const bits of lengths) {
        const divisor = DIVISORS[bits]!
        const held = table.get(Math.floor(ordered / divisor) * 64 + bits)
        if (held < 0) continue
        if (held % 2 === 0) {
          told(held >> 1, value, found)
          continue
        }
        const place = places[held >> 1]!
        const isBelow = bits === BITS || Math.floor(ordered / (divisor / 2)) % 2 === 0
        if (Array.isArray(place)) for (const atom of place) told(atom, value, found)
        else if (isBelow) place.byLow.upTo(value, found)
        else place.byHigh.from(value, found)
      }
    },
    findBetween: (low, high, found) => all.between(low, high, found),
  }
}

interface Place {
  readonly byLow: Sorted
  readonly byHigh: Sorted
}

/** Atoms sorted by one of their ends. */
interface Sorted {
  add(atom: number): void
  remove(atom: number): void
  size(): number
  /** All whose low end is no larger, and whose high end is no smaller, than the value. */
  upTo(value: number, found: (atom: number) => void): void
  from(value: number, found: (atom: number) => void): void
  between(low: number, high: number, found: (atom: number) => void): void
}

/** So many are left unsorted, and looked through one by one, before they are merged into the others. */
const PENDING = 64

function createSorted(atoms: Atoms, by: 'first' | 'second'): Sorted {
  let sorted = new Int32Array(0)
  let pending: number[] = []

  function merge(): void {
    const ends = atoms[by]
    pending.sort((a, b) => ends[a]! - ends[b]!)
    const merged = new Int32Array(sorted.length + pending.length)
    let from = 0
    let to = 0
    for (const atom of pending) {
      const at = firstFrom(ends[atom]!)
      merged.set(sorted.subarray(from, at), to)
      to += at - from
      from = at
      merged[to++] = atom
    }
    merged.set(sorted.subarray(from), to)
    sorted = merged
    pending = []
  }

  /** Place of the first whose end is no smaller. */
  function firstFrom(end: number): number {
    const ends = atoms[by]
    let low = 0
    let high = sorted.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (ends[sorted[middle]!]! < end) low = middle + 1
      else high = middle
    }
    return low
  }

  function told(atom: number, value: number, found: (atom: number) => void): void {
    if (atoms.first[atom]! <= value && value <= atoms.second[atom]!) found(atom)
  }

  return {
    add(atom) {
      pending.push(atom)
      if (pending.length >= Math.max(PENDING, Math.sqrt(sorted.length))) merge()
    },
    remove(atom) {
      const unsorted = pending.indexOf(atom)
      if (unsorted >= 0) {
        pending.splice(unsorted, 1)
        return
      }
      let at = firstFrom(atoms[by][atom]!)
      while (sorted[at] !== atom) at += 1
      sorted.copyWithin(at, at + 1)
      sorted = sorted.subarray(0, sorted.length - 1)
    },
    size: () => sorted.length + pending.length,
    between(low, high, found) {
      const { first } = atoms
      for (let at = firstFrom(low); at < sorted.length && first[sorted[at]!]! <= high; at++) found(sorted[at]!)
      for (const atom of pending) if (first[atom]! >= low && first[atom]! <= high) found(atom)
    },
    upTo(value, found) {
      for (let at = 0; at < sorted.length && atoms.first[sorted[at]!]! <= value; at++) told(sorted[at]!, value, found)
      for (const atom of pending) told(atom, value, found)
    },
    from(value, found) {
      for (let at = sorted.length - 1; at >= 0 && atoms.second[sorted[at]!]! >= value; at--) {
        told(sorted[at]!, value, found)
      }
      for (const atom of pending) told(atom, value, found)
    },
  }
}

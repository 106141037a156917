/** Tells of most hashes that were never added that they weren't, by one look into an array small enough to stay near. */
export interface Filter {
  /** False: it was never added. */
  passes(hash: number): boolean
  add(hash: number): void
}

/** What a filter is filled from anew when it has become too small, or full of what is gone. */
export interface FilterSource {
  /** Entries are numbered from 0 up to here. */
  count(): number
  /** How many of them there are. */
  held(): number
  /** Undefined where there is no such entry any more. */
  hashAt(entry: number): number | undefined
}

/** Entries taken over into a new filter with each hash that is added: a step takes no longer however many there are. */
const TAKEN_OVER = 16

/**
 * A Bloom filter with both bits in one word. A new one is filled beside it, a few entries at a time, and takes its place when it
 * is whole.
 *
 * @param bits For each hash, at least half of that: of hashes that were never added, about one in twenty passes at 8 bits.
 */
export function createFilter(bits: number, { count, held, hashAt }: FilterSource): Filter {
  let words = new Int32Array(64)
  /** Hashes in it; those of them that are gone have left their bits. */
  let filled = 0
  /** The one that is to take its place. */
  let next: Int32Array<ArrayBuffer> | undefined
  let filledNext = 0
  let takenOver = 0

  function takeOver(into: Int32Array<ArrayBuffer>): void {
    const until = Math.min(count(), takenOver + TAKEN_OVER)
    for (; takenOver < until; takenOver++) {
      const hash = hashAt(takenOver)
      if (hash === undefined) continue
      mark(into, hash)
      filledNext += 1
    }
    if (takenOver < count()) return
    words = into
    filled = filledNext
    next = undefined
  }

  function begin(): void {
    next = new Int32Array(held() * bits > words.length * 16 ? words.length * 2 : words.length)
    filledNext = 0
    takenOver = 0
  }

  return {
    passes(hash) {
      const wanted = bitsOf(hash)
      return (words[wordOf(hash, words)]! & wanted) === wanted
    },
    add(hash) {
      mark(words, hash)
      filled += 1
      if (next === undefined && filled * bits > words.length * 32) begin()
      if (next === undefined) return
      mark(next, hash)
      filledNext += 1
      takeOver(next)
    },
  }
}

function mark(words: Int32Array, hash: number): void {
  words[wordOf(hash, words)]! |= bitsOf(hash)
}

function wordOf(hash: number, words: Int32Array): number {
  return (hash >>> 10) & (words.length - 1)
}

function bitsOf(hash: number): number {
  return (1 << (hash & 31)) | (1 << ((hash >>> 5) & 31))
}

import { createChains } from './chains.ts'
import { grown } from './columns.ts'
import { createFilter } from './filter.ts'
import { finished } from './hashes.ts'

/**
 * Whole numbers by whole numbers of up to 53 bits: a `Map` would keep an object for each such key, and stop everything while it
 * grows.
 */
export interface NumberTable {
  /** -1 where there is none. */
  get(key: number): number
  /** @param value Not negative. */
  set(key: number, value: number): void
  delete(key: number): void
}

const FILTER_BITS = 16

export function createNumberTable(): NumberTable {
  let keys = new Float64Array(16)
  /** The value and 1; 0 where the entry isn't used. */
  let values = new Int32Array(16)
  let count = 0
  const free: number[] = []
  const chains = createChains((entry) => hashOf(keys[entry]!))
  // Most numbers that are asked for aren't there.
  const filter = createFilter(FILTER_BITS, {
    count: () => count,
    held: () => count - free.length,
    hashAt: (entry) => (values[entry] === 0 ? undefined : hashOf(keys[entry]!)),
  })

  function find(key: number, hash: number): number {
    let entry = chains.first(hash)
    while (entry >= 0 && keys[entry] !== key) entry = chains.next[entry]!
    return entry
  }

  function add(key: number, hash: number, value: number): void {
    const entry = free.pop() ?? count++
    keys = grown(keys, count)
    values = grown(values, count)
    keys[entry] = key
    values[entry] = value + 1
    chains.add(entry, hash)
    filter.add(hash)
  }

  return {
    get(key) {
      const hash = hashOf(key)
      if (!filter.passes(hash)) return -1
      const entry = find(key, hash)
      return entry < 0 ? -1 : values[entry]! - 1
    },
    set(key, value) {
      const hash = hashOf(key)
      const entry = find(key, hash)
      if (entry < 0) add(key, hash, value)
      else values[entry] = value + 1
    },
    delete(key) {
      const hash = hashOf(key)
      const entry = find(key, hash)
      if (entry < 0) return
      chains.remove(entry, hash)
      values[entry] = 0
      free.push(entry)
    },
  }
}

function hashOf(key: number): number {
  return finished(Math.imul(key | 0, 0x9e37_79b1) ^ Math.imul((key / 0x1_0000_0000) | 0, 0x85eb_ca6b))
}

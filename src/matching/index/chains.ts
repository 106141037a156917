import { grown } from './columns.ts'

/**
 * A hash table over numbers that somebody else knows the meaning of. It grows by linear hashing: one chain is split for each
 * number that comes in, so that none of them has to wait until all others have moved.
 */
export interface Chains {
  /** The first number of the chain that a hash leads to, or -1. */
  first(hash: number): number
  /** What comes after a number in its chain, or -1. */
  next: Int32Array
  add(number: number, hash: number): void
  remove(number: number, hash: number): void
}

/** @param hashOf The hash of a number that is in the table. */
export function createChains(hashOf: (number: number) => number): Chains {
  let chains = new Int32Array(64).fill(-1)
  let level = 32
  let count = 32
  let held = 0

  function chainOf(hash: number): number {
    const chain = hash & (level * 2 - 1)
    return chain < count ? chain : hash & (level - 1)
  }

  function link(number: number, hash: number): void {
    const chain = chainOf(hash)
    table.next[number] = chains[chain]!
    chains[chain] = number
  }

  function split(): void {
    const from = count - level
    chains = grown(chains, count + 1)
    let number = chains[from]!
    chains[from] = -1
    chains[count] = -1
    count += 1
    if (count === level * 2) level *= 2
    while (number >= 0) {
      const following = table.next[number]!
      link(number, hashOf(number))
      number = following
    }
  }

  const table: Chains = {
    next: new Int32Array(64),
    first: (hash) => chains[chainOf(hash)]!,
    add(number, hash) {
      table.next = grown(table.next, number + 1)
      held += 1
      if (held > count) split()
      link(number, hash)
    },
    remove(number, hash) {
      held -= 1
      const chain = chainOf(hash)
      if (chains[chain] === number) {
        chains[chain] = table.next[number]!
        return
      }
      let before = chains[chain]!
      while (table.next[before] !== number) before = table.next[before]!
      table.next[before] = table.next[number]!
    },
  }
  return table
}

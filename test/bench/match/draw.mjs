import { random } from '../documents.mjs'

/**
 * @typedef {{
 *   next: () => number,                                // in [0, 1)
 *   below: (limit: number) => number,                  // whole, in [0, limit)
 *   chance: (share: number) => boolean,
 *   pick: <T>(from: readonly T[]) => T
 * }} Draw
 */

/**
 * Everything that is drawn, the same for the same seed.
 * @param {number} seed
 * @returns {Draw}
 */
export function makeDraw(seed) {
  const next = random(seed)
  const below = (/** @type {number} */ limit) => Math.floor(next() * limit)
  return { next, below, chance: (share) => next() < share, pick: (from) => from[below(from.length)] }
}

/**
 * Ranks from 0, of which the first is drawn twice as often as the second: Zipf's law with exponent 1.
 * @param {Draw} draw
 * @param {number} ranks
 * @returns {() => number}
 */
export function zipf(draw, ranks) {
  const upTo = new Float64Array(ranks)
  let sum = 0
  for (let rank = 0; rank < ranks; rank += 1) {
    sum += 1 / (rank + 1)
    upTo[rank] = sum
  }
  return () => {
    const wanted = draw.next() * sum
    let low = 0
    let high = ranks - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (upTo[middle] < wanted) low = middle + 1
      else high = middle
    }
    return low
  }
}

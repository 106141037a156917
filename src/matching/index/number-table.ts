/** Whole numbers by whole numbers of up to 53 bits: a `Map` would keep an object for each such key. */
export interface NumberTable {
  /** -1 where there is none. */
  get(key: number): number
  /** @param value Not negative. */
  set(key: number, value: number): void
  delete(key: number): void
}

export function createNumberTable(): NumberTable {
  let keys = new Float64Array(16)
  /** The value and 1, so that 0 is an empty place. */
  let values = new Int32Array(16)
  let held = 0

  const homeOf = (key: number) => {
    const hash = Math.imul(key | 0, 0x9e37_79b1) ^ Math.imul((key / 0x1_0000_0000) | 0, 0x85eb_ca6b)
    return (hash ^ (hash >>> 15)) & (keys.length - 1)
  }

  function placeOf(key: number): number {
    let at = homeOf(key)
    while (values[at] !== 0 && keys[at] !== key) at = (at + 1) & (keys.length - 1)
    return at
  }

  function grow(): void {
    const [oldKeys, oldValues] = [keys, values]
    keys = new Float64Array(oldKeys.length * 2)
    values = new Int32Array(oldKeys.length * 2)
    for (let at = 0; at < oldKeys.length; at++) {
      if (oldValues[at] === 0) continue
      const place = placeOf(oldKeys[at]!)
      keys[place] = oldKeys[at]!
      values[place] = oldValues[at]!
    }
  }

  return {
    get: (key) => values[placeOf(key)]! - 1,
    set(key, value) {
      const at = placeOf(key)
      if (values[at] === 0) held += 1
      keys[at] = key
      values[at] = value + 1
      if (held * 3 > keys.length * 2) grow()
    },
    delete(key) {
      let hole = placeOf(key)
      if (values[hole] === 0) return
      held -= 1
      // What was pushed on by the one that goes moves up, so that no search ends too early.
      for (let at = (hole + 1) & (keys.length - 1); values[at] !== 0; at = (at + 1) & (keys.length - 1)) {
        const home = homeOf(keys[at]!)
        const distance = (at - home) & (keys.length - 1)
        if (distance < ((at - hole) & (keys.length - 1))) continue
        keys[hole] = keys[at]!
        values[hole] = values[at]!
        hole = at
      }
      values[hole] = 0
    },
  }
}

import { grown } from './columns.ts'

/** What a value is compared with: a text, a number, or JSON's null. The text `1` and the number 1 are two constants. */
export type Constant = string | number | null

/** The constants of all conditions, each held once and known by a number. */
export interface Constants {
  /** The number of a constant; each `take` needs its `release`. */
  take(constant: Constant): number
  release(id: number): void
  /** The number, or -1 for what no condition asks for. Never keeps what it is asked about. */
  find(constant: Constant): number
  at(id: number): Constant
  /** The first of the equality atoms with this constant, or -1; they are chained in `Atoms.nextEqual`. */
  firstEqual: Int32Array
  /** How many atoms the chain has. */
  equals: Int32Array
  /** No text among them was ever longer. */
  longest(): number
}

/** Several small maps, so that none takes milliseconds when it grows. */
const SHARDS = 64

export function createConstants(): Constants {
  const shards = Array.from({ length: SHARDS }, () => new Map<Constant, number>())
  const values: Constant[] = []
  const free: number[] = []
  let uses = new Int32Array(64)
  let longest = 0

  function add(constant: Constant, shard: Map<Constant, number>): number {
    const id = free.pop() ?? values.length
    values[id] = constant
    uses = grown(uses, id + 1)
    table.firstEqual = grown(table.firstEqual, id + 1)
    table.equals = grown(table.equals, id + 1)
    table.firstEqual[id] = -1
    table.equals[id] = 0
    shard.set(constant, id)
    if (typeof constant === 'string' && constant.length > longest) longest = constant.length
    return id
  }

  const table: Constants = {
    firstEqual: new Int32Array(64),
    equals: new Int32Array(64),
    take(constant) {
      const shard = shards[shardOf(constant)]!
      const id = shard.get(constant) ?? add(constant, shard)
      uses[id]! += 1
      return id
    },
    release(id) {
      uses[id]! -= 1
      if (uses[id] !== 0) return
      shards[shardOf(values[id]!)]!.delete(values[id]!)
      values[id] = null
      free.push(id)
    },
    find: (constant) => shards[shardOf(constant)]!.get(constant) ?? -1,
    at: (id) => values[id]!,
    longest: () => longest,
  }
  return table
}

function shardOf(constant: Constant): number {
  if (typeof constant === 'string') {
    const { length } = constant
    if (length === 0) return 0
    return (length + constant.charCodeAt(length - 1) * 7 + constant.charCodeAt(length >> 1) * 13) & (SHARDS - 1)
  }
  // The first bits of whole numbers, and of what stands behind the point.
  return constant === null ? 0 : ((constant * 1024) & (SHARDS - 1)) ^ (constant & (SHARDS - 1))
}

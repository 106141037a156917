/** Where atoms on the beginnings, ends and parts of one operand's texts are found by the text. */
export interface TextIndex {
  /** Beginnings and ends are constants; which lengths they have tells which parts of a text to look up. */
  readonly prefixes: Lengths
  readonly suffixes: Lengths
  readonly parts: Parts
}

export interface Lengths {
  readonly lengths: readonly number[]
  add(length: number): void
  remove(length: number): void
}

export interface Parts {
  /** How many there are. */
  size(): number
  add(text: string, atom: number): void
  remove(text: string, atom: number): void
  /** Tells of each atom whose part the text may hold. */
  find(text: string, maybe: (atom: number) => void): void
}

export function createTextIndex(): TextIndex {
  return { prefixes: createLengths(), suffixes: createLengths(), parts: createParts() }
}

function createLengths(): Lengths {
  const counts = new Map<number, number>()
  const lengths: number[] = []
  return {
    lengths,
    add(length) {
      const count = counts.get(length) ?? 0
      counts.set(length, count + 1)
      if (count === 0) lengths.push(length)
    },
    remove(length) {
      const count = counts.get(length)!
      counts.set(length, count - 1)
      if (count > 1) return
      counts.delete(length)
      lengths.splice(lengths.indexOf(length), 1)
    },
  }
}

/** A part is looked for by its first characters; what has them is compared in full. */
const GRAM = 4

function createParts(): Parts {
  /** By the length of the beginning, which is shorter where the part is. */
  const grams: readonly Map<string, number[]>[] = Array.from({ length: GRAM + 1 }, () => new Map())
  const gramsOf = (text: string) => grams[Math.min(GRAM, text.length)]!
  let size = 0
  return {
    size: () => size,
    add(text, atom) {
      size += 1
      const gram = text.slice(0, GRAM)
      const atoms = gramsOf(text).get(gram)
      if (atoms) atoms.push(atom)
      else gramsOf(text).set(gram, [atom])
    },
    remove(text, atom) {
      size -= 1
      const gram = text.slice(0, GRAM)
      const atoms = gramsOf(text).get(gram)!
      atoms.splice(atoms.indexOf(atom), 1)
      if (atoms.length === 0) gramsOf(text).delete(gram)
    },
    find(text, maybe) {
      for (const [length, known] of grams.entries()) {
        if (known.size === 0) continue
        for (let at = 0; at + length <= text.length; at++) known.get(text.slice(at, at + length))?.forEach(maybe)
      }
    },
  }
}

/** Atoms on the beginnings, ends and parts of one operand's texts, found by the text. */
export interface TextIndex {
  addPrefix(text: string, atom: number): void
  addSuffix(text: string, atom: number): void
  addPart(text: string, atom: number): void
  removePrefix(text: string): void
  removeSuffix(text: string): void
  removePart(text: string, atom: number): void
  /** Tells of each beginning and end that the text has, and of each part that it may have. */
  find(text: string, found: (atom: number) => void, maybe: (atom: number) => void): void
}

/** A part is looked for by its first characters; what has them is compared in full. */
const GRAM = 4

export function createTextIndex(): TextIndex {
  const prefixes = createByLength<number>()
  const suffixes = createByLength<number>()
  const grams = createByLength<number[]>()

  return {
    addPrefix: (text, atom) => prefixes.set(text, atom),
    addSuffix: (text, atom) => suffixes.set(text, atom),
    addPart(text, atom) {
      const gram = text.slice(0, GRAM)
      const atoms = grams.get(gram)
      if (atoms) atoms.push(atom)
      else grams.set(gram, [atom])
    },
    removePrefix: (text) => prefixes.delete(text),
    removeSuffix: (text) => suffixes.delete(text),
    removePart(text, atom) {
      const gram = text.slice(0, GRAM)
      const atoms = grams.get(gram)!
      atoms.splice(atoms.indexOf(atom), 1)
      if (atoms.length === 0) grams.delete(gram)
    },
    find(text, found, maybe) {
      for (const [length, atoms] of prefixes.lengths) {
        const atom = length > text.length ? undefined : atoms.get(text.slice(0, length))
        if (atom !== undefined) found(atom)
      }
      for (const [length, atoms] of suffixes.lengths) {
        const atom = length > text.length ? undefined : atoms.get(text.slice(text.length - length))
        if (atom !== undefined) found(atom)
      }
      for (const [length, atoms] of grams.lengths) {
        for (let at = 0; at + length <= text.length; at++) atoms.get(text.slice(at, at + length))?.forEach(maybe)
      }
    },
  }
}

interface ByLength<Value> {
  readonly lengths: Map<number, Map<string, Value>>
  get(text: string): Value | undefined
  set(text: string, value: Value): void
  delete(text: string): void
}

function createByLength<Value>(): ByLength<Value> {
  const lengths = new Map<number, Map<string, Value>>()
  return {
    lengths,
    get: (text) => lengths.get(text.length)?.get(text),
    set(text, value) {
      const known = lengths.get(text.length)
      if (known) known.set(text, value)
      else lengths.set(text.length, new Map([[text, value]]))
    },
    delete(text) {
      const known = lengths.get(text.length)
      known?.delete(text)
      if (known?.size === 0) lengths.delete(text.length)
    },
  }
}

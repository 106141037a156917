import { type Atoms, CONTAINS, EXISTS, PREFIX, SPAN, SUFFIX, WITHIN } from './atoms.ts'
import { APART, grown } from './columns.ts'
import type { Constants } from './constants.ts'
import type { Operand } from './operands.ts'
import { createRangeIndex } from './ranges.ts'
import { createTextIndex } from './texts.ts'

/** Which routes wait for which atoms. A route is a slot: a number. */
export interface Clusters {
  add(atom: number, slot: number): void
  /** Takes the slot out of all clusters that it is in. */
  remove(slot: number): void
  each(atom: number, tell: (slot: number) => void): void
  /** Walked by hand where a call for each slot would cost: slots, and the next entry or -1. */
  slots: Int32Array
  next: Int32Array
}

/**
 * @param onNeed Other things about an operand are now to be found while a document is read.
 */
export function createClusters(
  atoms: Atoms,
  constants: Constants,
  operands: readonly Operand[],
  onNeed: (operand: Operand) => void,
): Clusters {
  let before = new Int32Array(64)
  let of = new Int32Array(64)
  let nextOfSlot = new Int32Array(64)
  let firstOfSlot = new Int32Array(64)
  let count = 0
  let free = -1

  const clusters: Clusters = {
    slots: new Int32Array(64),
    next: new Int32Array(64),
    add(atom, slot) {
      const entry = make()
      const first = atoms.cluster[atom]!
      if (first < 0) open(atom)
      clusters.slots[entry] = slot
      clusters.next[entry] = first
      before[entry] = -1
      of[entry] = atom
      if (first >= 0) before[first] = entry
      atoms.cluster[atom] = entry
      if (slot >= firstOfSlot.length) firstOfSlot = grown(firstOfSlot, slot + 1 + 5 * APART)
      nextOfSlot[entry] = firstOfSlot[slot]! - 1
      firstOfSlot[slot] = entry + 1
    },
    remove(slot) {
      let entry = firstOfSlot[slot]! - 1
      firstOfSlot[slot] = 0
      while (entry >= 0) {
        const following = nextOfSlot[entry]!
        unlink(entry)
        entry = following
      }
    },
    each(atom, tell) {
      for (let entry = atoms.cluster[atom]!; entry >= 0; entry = clusters.next[entry]!) tell(clusters.slots[entry]!)
    },
  }

  function make(): number {
    if (free >= 0) {
      const entry = free
      free = nextOfSlot[entry]!
      return entry
    }
    const entry = count++
    clusters.slots = grown(clusters.slots, count)
    clusters.next = grown(clusters.next, count + APART)
    before = grown(before, count + 2 * APART)
    of = grown(of, count + 3 * APART)
    nextOfSlot = grown(nextOfSlot, count + 4 * APART)
    return entry
  }

  function unlink(entry: number): void {
    const atom = of[entry]!
    const after = clusters.next[entry]!
    if (after >= 0) before[after] = before[entry]!
    if (before[entry]! >= 0) clusters.next[before[entry]!] = after
    else atoms.cluster[atom] = after
    if (atoms.cluster[atom]! < 0) close(atom)
    nextOfSlot[entry] = free
    free = entry
  }

  /** Routes begin to wait for the atom: where reading doesn't find it anyway, it is put where it is found. */
  function open(atom: number): void {
    const kind = atoms.kind[atom]!
    if (kind !== EXISTS && !isSearched(kind)) return
    const operand = operands[atoms.operand[atom]!]!
    if (kind === EXISTS) {
      operand.existenceIsAwaited = true
      onNeed(operand)
      return
    }
    if (!operand.ranges && !operand.spans && !operand.texts) onNeed(operand)
    if (kind === WITHIN) {
      operand.ranges ??= createRangeIndex(atoms)
      operand.ranges.add(atom)
      return
    }
    if (kind === SPAN) {
      operand.spans ??= createRangeIndex(atoms)
      operand.spans.add(atom)
      return
    }
    operand.texts ??= createTextIndex()
    const text = constants.at(atoms.first[atom]!) as string
    if (kind === PREFIX) operand.texts.prefixes.add(text.length)
    else if (kind === SUFFIX) operand.texts.suffixes.add(text.length)
    else operand.texts.parts.add(text, atom)
  }

  function close(atom: number): void {
    const kind = atoms.kind[atom]!
    if (kind !== EXISTS && !isSearched(kind)) return
    const operand = operands[atoms.operand[atom]!]!
    if (kind === EXISTS) {
      operand.existenceIsAwaited = false
      onNeed(operand)
      return
    }
    const { ranges, spans, texts } = operand
    if (kind === WITHIN) {
      ranges!.remove(atom)
      return
    }
    if (kind === SPAN) {
      spans!.remove(atom)
      return
    }
    const text = constants.at(atoms.first[atom]!) as string
    if (kind === PREFIX) texts!.prefixes.remove(text.length)
    else if (kind === SUFFIX) texts!.suffixes.remove(text.length)
    else texts!.parts.remove(text, atom)
  }

  return clusters
}

function isSearched(kind: number): boolean {
  return kind === WITHIN || kind === SPAN || kind === PREFIX || kind === SUFFIX || kind === CONTAINS
}

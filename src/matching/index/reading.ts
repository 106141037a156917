import { type Attribute, type Element, textOf } from '../../domain/element.ts'
import type { FieldScalar } from '../../domain/fields.ts'
import { toNumber } from '../../domain/location-path.ts'
import { numberOf } from '../value.ts'
import { type Atoms, EQUAL, PREFIX, SUFFIX } from './atoms.ts'
import type { Automaton, Interest, State, Visit } from './automaton.ts'
import { type Constant, type Constants, hashOfConstant } from './constants.ts'
import { hashOfText } from './hashes.ts'
import type { Names } from './names.ts'
import type { Operand } from './operands.ts'
import type { TextIndex } from './texts.ts'

/** One document after the other: finds the atoms that its values answer, and keeps what other atoms will ask for. */
export interface Reading {
  /** A new document begins: nothing is known of it. */
  begin(): void
  /** The number of the document, never 0. */
  readonly epoch: () => number
  /** All scalars that stand under a name. */
  readScalars(operand: Operand, values: readonly FieldScalar[]): void
  readTree(root: Element): void
  /** Atoms that hold and that routes wait for. Of the document in hand only. */
  readonly hits: number[]
  /** What was kept of an operand. */
  nodesOf(operand: Operand): readonly (Element | FieldScalar)[]
  /** Its values as numbers; those that are none are left out. */
  numbersOf(operand: Operand): readonly number[]
}

const NONE: readonly never[] = []

/** Beyond so many operands of one value it is quicker to ask first whether any condition asks for it. */
const FEW = 4

/** @param onRound Epochs begin anew: what was marked with one has to be wiped. */
export function createReading(
  atoms: Atoms,
  constants: Constants,
  names: Names,
  automaton: Automaton,
  onRound: () => void,
): Reading {
  let epoch = 0
  const hits: number[] = []
  /** Operands to be looked up once all their values are known. */
  const spanned: Operand[] = []
  // Ways down that are still to be gone: an element's children, from the last to the first, and its state.
  const elements: Element[] = []
  const places: number[] = []
  const states: State[] = []

  function hit(atom: number): void {
    if (atoms.stamp[atom] === epoch) return
    atoms.stamp[atom] = epoch
    if (atoms.cluster[atom]! >= 0) hits.push(atom)
  }

  function hitIfThere(atom: number): void {
    if (atom >= 0) hit(atom)
  }

  function keep(operand: Operand, node: Element | FieldScalar): void {
    if (operand.epoch === epoch) {
      ;(operand.nodes as (Element | FieldScalar)[]).push(node)
      return
    }
    operand.epoch = epoch
    operand.nodes = [node]
    if (operand.spans) spanned.push(operand)
  }

  function findSpans(operand: Operand): void {
    let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
    for (const number of numbersOf(operand)) {
      least = Math.min(least, number)
      greatest = Math.max(greatest, number)
    }
    if (!(least <= greatest)) return
    operand.spans!.find(least, hit)
    if (least < greatest) operand.spans!.findBetween(least, greatest, hit)
  }

  function numbersOf(operand: Operand): readonly number[] {
    if (operand.epoch !== epoch) return NONE
    if (operand.numbersEpoch === epoch) return operand.numbers
    const numbers: number[] = []
    for (const node of operand.nodes) {
      const number = operand.kind === 'path' ? toNumber(textOfNode(node)) : numberOf(node as FieldScalar)
      if (number !== undefined && !Number.isNaN(number)) numbers.push(number)
    }
    operand.numbersEpoch = epoch
    operand.numbers = numbers
    return numbers
  }

  // -------------------------------------------------------------------------------------------------------- values

  /** Equality atoms of all operands of a value are found at once: by the value first, then by the operand. */
  function findEqual(constant: string | number, { operands, members }: Interest): void {
    const hash = hashOfConstant(constant)
    if (!mayHaveEqual(operands, hash)) return
    const id = constants.find(constant, hash)
    if (id < 0) return
    const { operand, nextEqual } = atoms
    let left = operands.length * 4
    for (let atom = constants.firstEqual[id]!; atom >= 0; atom = nextEqual[atom]!) {
      const of = operand[atom]!
      if ((members[of >> 5]! & (1 << (of & 31))) !== 0) hit(atom)
      if (left-- > 0) continue
      // A constant that very many operands are compared with: asking for each of the few that are here is shorter.
      for (const one of operands) hitIfThere(atoms.find(EQUAL, one.id, id))
      return
    }
  }

  function mayHaveEqual(operands: readonly Operand[], hash: number): boolean {
    if (operands.length > FEW) return constants.mayHave(hash)
    for (let at = 0; at < operands.length; at++) if (atoms.mayHave(EQUAL, operands[at]!.id, hash)) return true
    return false
  }

  function findEqualOf(constant: Constant, of: Operand): void {
    const hash = hashOfConstant(constant)
    if (!atoms.mayHave(EQUAL, of.id, hash)) return
    const id = constants.find(constant, hash)
    if (id >= 0) hitIfThere(atoms.find(EQUAL, of.id, id))
  }

  /** @param number What the value is as a number; NaN where it is none. */
  function search({ id, texts, ranges }: Operand, text: string | undefined, number: number): void {
    if (texts && text !== undefined) searchText(id, texts, text)
    if (ranges && !Number.isNaN(number)) ranges.find(number, hit)
  }

  function searchText(operand: number, { prefixes, suffixes, parts }: TextIndex, text: string): void {
    for (const length of prefixes.lengths) findPart(PREFIX, operand, text, 0, length)
    for (const length of suffixes.lengths) findPart(SUFFIX, operand, text, text.length - length, text.length)
    if (parts.size() === 0) return
    parts.find(text, (atom) => {
      if (text.includes(constants.at(atoms.first[atom]!) as string)) hit(atom)
    })
  }

  function findPart(kind: number, operand: number, text: string, from: number, to: number): void {
    if (from < 0 || to > text.length) return
    const hash = hashOfText(text, from, to)
    if (!atoms.mayHave(kind, operand, hash)) return
    const id = constants.findPart(text, from, to, hash)
    if (id >= 0) hitIfThere(atoms.find(kind, operand, id))
  }

  function meet(interest: Interest, node: Element | string): void {
    if (interest.epoch !== epoch) {
      interest.epoch = epoch
      for (const operand of interest.existing) markAsMet(operand)
    }
    for (const operand of interest.asked) keep(operand, node)
  }

  function markAsMet(operand: Operand): void {
    operand.met = epoch
    if (operand.existenceIsAwaited) hit(operand.exists)
  }

  function meetText(interest: Interest, text: string): void {
    meet(interest, text)
    if (interest.isLookedUp) lookUp(interest, text)
  }

  function lookUp(interest: Interest, text: string): void {
    if (interest.equalTexts && text.length <= constants.longest()) findEqual(text, interest)
    if (interest.equalNumbers) findNumber(text, interest)
    for (const operand of interest.searched) search(operand, text, operand.ranges ? numberIn(text) : Number.NaN)
  }

  function findNumber(text: string, interest: Interest): void {
    const number = numberIn(text)
    if (!Number.isNaN(number)) findEqual(number, interest)
  }

  // ---------------------------------------------------------------------------------------------------------- tree

  function visit(element: Element, { element: interest, attributes }: Visit): void {
    if (interest) meetElement(interest, element)
    if (attributes.length === 0) return
    for (const attribute of element.attributes) {
      for (const { test, interest: asked } of attributes) {
        if (passes(attribute, test.uri, test.name)) meetText(asked, attribute.value)
      }
    }
  }

  function meetElement(interest: Interest, element: Element): void {
    meet(interest, element)
    if (!interest.isLookedUp) return
    const { children } = element
    const only = children[0]
    if (children.length === 0 || (children.length === 1 && typeof only === 'string')) {
      lookUp(interest, (only as string | undefined) ?? '')
      return
    }
    if (interest.equalTexts) {
      const text = textUpTo(element, constants.longest())
      if (text !== undefined) findEqual(text, interest)
    }
    if (!interest.equalNumbers && interest.searched.length === 0) return
    const text = textOf(element)
    if (interest.equalNumbers) findNumber(text, interest)
    for (const operand of interest.searched) search(operand, text, operand.ranges ? numberIn(text) : Number.NaN)
  }

  /** Text without an element between is one node, however it came. */
  function meetTexts(element: Element, interest: Interest): void {
    let text = ''
    for (const child of element.children) {
      if (typeof child === 'string') {
        text += child
        continue
      }
      if (text !== '') meetText(interest, text)
      text = ''
    }
    if (text !== '') meetText(interest, text)
  }

  function enter(element: Element, state: State): void {
    state.epoch = epoch
    const { visit: asked, texts, descends } = state
    if (asked) visit(element, asked)
    if (texts) meetTexts(element, texts)
    if (!descends) return
    elements.push(element)
    places.push(0)
    states.push(state)
  }

  return {
    hits,
    epoch: () => epoch,
    begin() {
      hits.length = 0
      epoch += 1
      if (epoch < 0x7fff_fff0) return
      onRound()
      epoch = 1
    },
    readScalars(operand, values) {
      operand.epoch = epoch
      operand.nodes = values
      if (values.length === 0) return
      markAsMet(operand)
      for (const value of values) {
        if (operand.equalTexts > 0) findEqualOf(value === null ? null : String(value), operand)
        if (operand.equalNumbers > 0) {
          const number = numberOf(value)
          if (number !== undefined) findEqualOf(number, operand)
        }
        search(operand, typeof value === 'string' ? value : undefined, numberOf(value) ?? Number.NaN)
      }
    },
    readTree(root) {
      spanned.length = 0
      const start = automaton.start()
      const first = automaton.next(start, names.symbolOf(root.name, root.uri))
      enter(root, first)
      // The tree may be deeper than the stack of calls.
      while (elements.length > 0) {
        const top = elements.length - 1
        const { children } = elements[top]!
        const state = states[top]!
        let at = places[top]!
        let isBelow = false
        while (at < children.length) {
          const child = children[at++]!
          if (typeof child === 'string') continue
          const next = automaton.next(state, names.symbolOf(child.name, child.uri))
          if (next.visit === undefined && !next.descends) {
            next.epoch = epoch
            continue
          }
          enter(child, next)
          if (elements.length > top + 1) {
            isBelow = true
            break
          }
        }
        places[top] = at
        if (isBelow) continue
        elements.pop()
        places.pop()
        states.pop()
      }
      spanned.forEach(findSpans)
    },
    nodesOf: (operand) => (operand.epoch === epoch ? operand.nodes : NONE),
    numbersOf,
  }
}

/** The string value of a node of the tree. */
export function textOfNode(node: Element | FieldScalar): string {
  return typeof node === 'object' && node !== null ? textOf(node) : String(node)
}

function passes(attribute: Attribute, uri: string | undefined, name: string | undefined): boolean {
  return (name === undefined || attribute.name === name) && (uri === undefined || attribute.uri === uri)
}

/** The element's text, or undefined where it has more characters than that: large elements are not put together for nothing. */
function textUpTo(element: Element, most: number): string | undefined {
  let text = ''
  const pending: (readonly (Element | string)[])[] = [element.children]
  const places = [0]
  while (pending.length > 0) {
    const top = pending.length - 1
    const node = pending[top]![places[top]!++]
    if (node === undefined) {
      pending.pop()
      places.pop()
    } else if (typeof node === 'string') {
      text += node
      if (text.length > most) return undefined
    } else {
      pending.push(node.children)
      places.push(0)
    }
  }
  return text
}

/** What `number()` reads. Most texts are told to be none by how they begin. */
function numberIn(text: string): number {
  const code = text.charCodeAt(0)
  const mayBe = (code >= 0x2d && code <= 0x39) || code === 0x20 || (code >= 0x09 && code <= 0x0d)
  return mayBe ? toNumber(text) : Number.NaN
}

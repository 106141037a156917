import type { Element } from '../../domain/element.ts'
import type { FieldScalar } from '../../domain/fields.ts'
import type { RangeIndex } from './ranges.ts'
import type { TextIndex } from './texts.ts'

/** What conditions are about: a path in the document, or something that is known of it by name, as a field or the sender. */
export interface Operand {
  readonly id: number
  /** `path`: string values of nodes, read as XPath reads them. `value`: scalars, read as docs/routes.md says. */
  readonly kind: 'path' | 'value'
  /** Atoms that compare it with a text or null, and with a number, for equality. */
  equalTexts: number
  equalNumbers: number
  /** Atoms that need its values when they are asked. */
  asked: number
  /** The atom that it exists, or -1. */
  exists: number
  /** The equality atom that was taken into use last, or -1: the next route often has the same. It may be another atom by now. */
  lastEqual: number
  /** Whether routes wait for the atom that it exists. */
  existenceIsAwaited: boolean
  /** How often routes use its equality atoms: what a single one's share is taken of. */
  uses: number
  /** Finite bounds that it was ever compared with. */
  low: number
  high: number
  /** Atoms found by the value while the document is read; undefined where there never were any. */
  texts: TextIndex | undefined
  ranges: RangeIndex | undefined
  /** Found by the least and the greatest of its values, when the document has been read. */
  spans: RangeIndex | undefined
  // What the document in hand has there: true of the document whose epoch this is.
  /** Of the document in which it was met last; of elements that no route waits for, the automaton's states know it. */
  met: number
  epoch: number
  nodes: readonly (Element | FieldScalar)[]
  numbersEpoch: number
  numbers: readonly number[]
}

export function createOperand(id: number, kind: Operand['kind']): Operand {
  return {
    id,
    kind,
    equalTexts: 0,
    equalNumbers: 0,
    asked: 0,
    exists: -1,
    lastEqual: -1,
    existenceIsAwaited: false,
    uses: 0,
    low: Number.POSITIVE_INFINITY,
    high: Number.NEGATIVE_INFINITY,
    texts: undefined,
    ranges: undefined,
    spans: undefined,
    met: 0,
    epoch: 0,
    nodes: [],
    numbersEpoch: 0,
    numbers: [],
  }
}

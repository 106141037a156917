import { jidPattern } from '../../domain/jid.ts'
import { toNumber } from '../../domain/location-path.ts'
import {
  ALL,
  ANY,
  type Atoms,
  CONTAINS,
  COUNT,
  DIFFERS,
  EXISTS,
  JID,
  PREFIX,
  SPAN,
  SUFFIX,
  type Term,
  WITHIN,
  XPATH,
} from './atoms.ts'
import type { Constants } from './constants.ts'
import type { Operand } from './operands.ts'
import { type Reading, textOfNode } from './reading.ts'

export const NO = 0
export const YES = 1
/** An XPath could not be evaluated, and nothing else decides. */
export const UNKNOWN = 2
export type Verdict = typeof NO | typeof YES | typeof UNKNOWN

/** Whether atoms and groups hold for the document that was read; each is asked at most once a document. */
export interface Verdicts {
  on(term: Term): Verdict
}

/** Whether the document in hand has it. */
export type IsThere = (operand: Operand) => boolean

/** Evaluates an XPath on the document in hand. @throws where the engine gives up */
export type AskXPath = (expression: number) => boolean

export function createVerdicts(
  atoms: Atoms,
  constants: Constants,
  operands: readonly Operand[],
  reading: Reading,
  isThere: IsThere,
  askXPath: AskXPath,
): Verdicts {
  const patterns = new Map<string, (jid: string) => boolean>()
  const failed = new Set<number>()
  let failedEpoch = 0

  function on(term: Term): Verdict {
    const verdict = of(term >> 1)
    if ((term & 1) === 0 || verdict === UNKNOWN) return verdict
    return verdict === YES ? NO : YES
  }

  function of(atom: number): Verdict {
    const stamp = atoms.stamp[atom]!
    const epoch = reading.epoch()
    if (stamp === epoch || atom === 0) return YES
    if (stamp === -epoch) return NO
    const verdict = ask(atom)
    if (verdict !== UNKNOWN) atoms.stamp[atom] = verdict === YES ? epoch : -epoch
    return verdict
  }

  /** What wasn't found while the document was read. */
  function ask(atom: number): Verdict {
    const first = atoms.first[atom]!
    switch (atoms.kind[atom]) {
      case ALL:
        return all(first, atoms.second[atom]!)
      case ANY:
        return any(first, atoms.second[atom]!)
      case XPATH:
        return xpath(first)
      case EXISTS:
        return isThere(operandOf(atom)) ? YES : NO
      case WITHIN:
        return within(operandOf(atom), first, atoms.second[atom]!) ? YES : NO
      case SPAN:
        return spans(operandOf(atom), first, atoms.second[atom]!) ? YES : NO
      case COUNT: {
        const count = reading.nodesOf(operandOf(atom)).length
        return first <= count && count <= atoms.second[atom]! ? YES : NO
      }
      case DIFFERS:
        return differs(operandOf(atom), first) ? YES : NO
      case PREFIX:
      case SUFFIX:
      case CONTAINS:
        return hasText(operandOf(atom), atoms.kind[atom]!, constants.at(first) as string) ? YES : NO
      case JID:
        return reading.nodesOf(operandOf(atom)).some((jid) => patternOf(first)(jid as string)) ? YES : NO
      default:
        // Equality is found while the document is read, or not at all.
        return NO
    }
  }

  function operandOf(atom: number): Operand {
    return operands[atoms.operand[atom]!]!
  }

  /** What fails for sure outweighs what isn't known. */
  function all(from: number, length: number): Verdict {
    let verdict: Verdict = YES
    for (let at = from; at < from + length; at++) {
      const one = on(atoms.arena[at]!)
      if (one === NO) return NO
      if (one === UNKNOWN) verdict = UNKNOWN
    }
    return verdict
  }

  function any(from: number, length: number): Verdict {
    let verdict: Verdict = NO
    for (let at = from; at < from + length; at++) {
      const one = on(atoms.arena[at]!)
      if (one === YES) return YES
      if (one === UNKNOWN) verdict = UNKNOWN
    }
    return verdict
  }

  function within(operand: Operand, low: number, high: number): boolean {
    const numbers = reading.numbersOf(operand)
    for (let at = 0; at < numbers.length; at++) if (numbers[at]! >= low && numbers[at]! <= high) return true
    return false
  }

  function spans(operand: Operand, low: number, high: number): boolean {
    const numbers = reading.numbersOf(operand)
    return numbers.some((number) => number >= low) && numbers.some((number) => number <= high)
  }

  function differs(operand: Operand, constant: number): boolean {
    const text = constants.at(constant)
    const nodes = reading.nodesOf(operand)
    if (typeof text === 'number') return nodes.some((node) => toNumber(textOfNode(node)) !== text)
    return nodes.some((node) => textOfNode(node) !== text)
  }

  function hasText(operand: Operand, kind: number, text: string): boolean {
    return reading.nodesOf(operand).some((node) => {
      if (operand.kind === 'value' && typeof node !== 'string') return false
      const value = textOfNode(node)
      if (kind === PREFIX) return value.startsWith(text)
      return kind === SUFFIX ? value.endsWith(text) : value.includes(text)
    })
  }

  function patternOf(constant: number): (jid: string) => boolean {
    const pattern = constants.at(constant) as string
    const known = patterns.get(pattern)
    if (known) return known
    if (patterns.size >= PATTERNS_KEPT) patterns.clear()
    const made = jidPattern(pattern)!
    patterns.set(pattern, made)
    return made
  }

  function xpath(expression: number): Verdict {
    if (failedEpoch !== reading.epoch()) failed.clear()
    failedEpoch = reading.epoch()
    if (failed.has(expression)) return UNKNOWN
    try {
      return askXPath(expression) ? YES : NO
    } catch {
      failed.add(expression)
      return UNKNOWN
    }
  }

  return { on }
}

const PATTERNS_KEPT = 10_000

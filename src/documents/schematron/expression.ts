import { ownCpuMs } from '../thread-cpu.ts'
import type { TreeNode } from './tree.ts'

/** A name for a value, for the expressions in its reach (`let`). */
export interface Variable {
  readonly name: string
  readonly select: string
  /** Whose context node it is read at: the document, or the node that the rule is about. */
  readonly of: 'document' | 'rule'
}

/** What an expression may mention. */
export interface Scope {
  readonly namespaces: Readonly<Record<string, string>>
  /** Outermost first: a later one hides an earlier one of the same name. */
  readonly variables: readonly Variable[]
}

/** An expression ready to be asked at a node. @throws EvaluationFailed, TooCostly */
export interface Expression {
  boolean(node: TreeNode): boolean
  string(node: TreeNode): string
  /** In document order. */
  nodes(node: TreeNode): readonly TreeNode[]
}

/** A query language of Schematron (ISO/IEC 19757-3, 5.4.9 `queryBinding`). */
export interface QueryBinding {
  /** @throws ExpressionProblem where the expression is wrong, or asks for what isn't there */
  compile(text: string, scope: Scope): Expression
}

/** The schema is wrong. */
export class ExpressionProblem extends Error {
  override name = 'ExpressionProblem'
}

/** The expression can't be evaluated for this document: `xs:decimal('a')`. Then nothing is known, and the document isn't valid. */
export class EvaluationFailed extends Error {
  override name = 'EvaluationFailed'
}

/** The document has used up what its rules may cost. */
export class TooCostly extends Error {
  override name = 'TooCostly'
}

/**
 * What the rules of one document may cost, in seconds of the processor, so that a busy machine changes no answer. The thread does
 * nothing else meanwhile: rules that need a tenth of it are too slow for anybody.
 */
const SECONDS_AT_MOST = 3
const LOOKS_BETWEEN_CLOCKS = 1_024

let begun = process.cpuUsage()
let begunOwnMs: number | undefined
let looks = 0

export function beginCounting(): void {
  begun = process.cpuUsage()
  begunOwnMs = ownCpuMs()
  looks = 0
}

/** Told of every look at a node, since nothing can be stopped from outside. @throws TooCostly */
export function look(): void {
  looks += 1
  if (looks % LOOKS_BETWEEN_CLOCKS !== 0) return
  const { user, system } = process.cpuUsage(begun)
  if (user + system <= SECONDS_AT_MOST * 1_000_000) return
  // The process has; other threads are part of it.
  const ownMs = ownCpuMs()
  if (ownMs === undefined || begunOwnMs === undefined || ownMs - begunOwnMs > SECONDS_AT_MOST * 1_000) {
    throw new TooCostly(`its rules take more than ${SECONDS_AT_MOST} seconds of the processor`)
  }
}

import type { Expression, QueryBinding, Scope } from './expression.ts'
import { alternativesOf, type FirstStep, firstStepOf, lexemesOf } from './lexemes.ts'
import { type DocumentNode, inDocumentOrder, type TreeNode } from './tree.ts'

/** The nodes of a document that a rule is about. */
export type SelectContext = (document: DocumentNode) => readonly TreeNode[]

/**
 * A rule's context is a pattern of XSLT: `a/b` is every `b` in an `a`, wherever it stands. So a relative one is asked of every
 * node that it can begin at: where it begins with a name, those are the parents of such elements, which are known.
 *
 * @throws ExpressionProblem
 */
export function compileContext(context: string, scope: Scope, binding: QueryBinding): SelectContext {
  const alternatives = alternativesOf(context).map((text) => compileAlternative(text, scope, binding))
  return (document) => inDocumentOrder(alternatives.flatMap((select) => select(document)))
}

function compileAlternative(text: string, scope: Scope, binding: QueryBinding): SelectContext {
  const lexemes = lexemesOf(text)
  if (lexemes[0]?.text === '//') return compileRelative(text.slice(lexemes[0].end), scope, binding)
  const expression = binding.compile(text, scope)
  if (lexemes[0]?.text === '/') return (document) => expression.nodes(document)
  return relative(expression, firstStepOf(lexemes))
}

function compileRelative(text: string, scope: Scope, binding: QueryBinding): SelectContext {
  return relative(binding.compile(text, scope), firstStepOf(lexemesOf(text)))
}

function relative(expression: Expression, step: FirstStep | undefined): SelectContext {
  return (document) => startsFor(step, document).flatMap((start) => expression.nodes(start))
}

function startsFor(step: FirstStep | undefined, document: DocumentNode): readonly TreeNode[] {
  switch (step?.kind) {
    case 'element':
      return document.index.parentsOf(step.localName)
    case 'attribute':
      return document.index.ownersOf(step.localName)
    case undefined:
      return [document, ...elementsBelow(document)]
  }
}

function elementsBelow(node: TreeNode): TreeNode[] {
  if (node.nodeType !== 1 && node.nodeType !== 9) return []
  return node.childNodes.flatMap((child) => (child.nodeType === 1 ? [child, ...elementsBelow(child)] : []))
}

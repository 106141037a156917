import type { Element } from '../../domain/element.ts'
import type { Finding } from '../../domain/rejection.ts'
import { attributePath, nameOf, simpleValue } from '../node-path.ts'
import { shown } from '../shown.ts'
import { beginCounting, EvaluationFailed, TooCostly } from './expression.ts'
import type { CompiledCheck, CompiledMessage, CompiledPart, CompiledRule, CompiledRules } from './schematron.ts'
import { buildTree, childrenOf, type DocumentNode, type ElementNode, type TreeNode } from './tree.ts'

/** How findings are told. */
export interface RulesView {
  /** Prefixes of the type: first choice in paths. */
  readonly namespaces: Readonly<Record<string, string>>
  /** The line of an element of the document, where it means something to the sender. */
  lineOf(element: Element): number | undefined
}

const FINDINGS_AT_MOST = 1_000
const TEXT_LENGTH = 500
const LAYER = 'schematron'

/**
 * Everything that the rules find in a document: pattern by pattern, in document order. In each pattern a node is looked at by the
 * first rule only whose context it is (ISO/IEC 19757-3, 6.5).
 */
export function checkRules(rules: CompiledRules, root: Element, view: RulesView): readonly Finding[] {
  const looking: Looking = { view, namespaces: { ...rules.namespaces, ...view.namespaces }, findings: [], total: 0 }
  beginCounting()
  try {
    const document = buildTree(root)
    for (const { rules: ofPattern } of rules.patterns) checkPattern(ofPattern, document, looking)
  } catch (error) {
    if (error instanceof TooCostly) tell(looking, failure('too-costly', '', `Cannot check the rules: ${error.message}`))
    else throw error
  }
  const { findings, total } = looking
  return total > findings.length ? [...findings, more(total)] : findings
}

interface Looking {
  readonly view: RulesView
  readonly namespaces: Readonly<Record<string, string>>
  readonly findings: Finding[]
  total: number
}

function tell(looking: Looking, finding: Finding): void {
  looking.total += 1
  if (looking.findings.length < FINDINGS_AT_MOST) looking.findings.push(finding)
}

function more(total: number): Finding {
  const message = `${total - FINDINGS_AT_MOST} more findings; the first ${FINDINGS_AT_MOST} are told`
  return failure('more', '', message)
}

function failure(rule: string, path: string, message: string): Finding {
  return { layer: LAYER, rule, severity: 'error', path, message: shown(message, TEXT_LENGTH) }
}

function checkPattern(rules: readonly CompiledRule[], document: DocumentNode, looking: Looking): void {
  const fired = new Map<TreeNode, CompiledRule>()
  for (const rule of rules) {
    for (const node of contextOf(rule, document, looking)) if (!fired.has(node)) fired.set(node, rule)
  }
  const inOrder = [...fired].sort(([one], [other]) => one.order - other.order)
  for (const [node, rule] of inOrder) {
    for (const check of rule.checks) {
      const finding = checkNode(check, node, looking)
      if (finding) tell(looking, finding)
    }
  }
}

function contextOf(rule: CompiledRule, document: DocumentNode, looking: Looking): readonly TreeNode[] {
  try {
    return rule.select(document)
  } catch (error) {
    if (!(error instanceof EvaluationFailed)) throw error
    const message = `Cannot tell which nodes the rule for ${rule.context} is about: ${error.message}`
    tell(looking, failure('context', '', message))
    return []
  }
}

function checkNode(compiled: CompiledCheck, node: TreeNode, looking: Looking): Finding | undefined {
  const { check, test } = compiled
  try {
    if (test.boolean(node) === (check.kind === 'assert')) return undefined
    return findingOf(compiled, node, looking)
  } catch (error) {
    if (!(error instanceof EvaluationFailed)) throw error
    const message = `Cannot evaluate ${shown(check.test, 200)}: ${error.message}`
    const failed = failure(ruleName(compiled), pathOf(node, looking.namespaces), message)
    return { ...failed, ...placeOf(node, looking), ...told(compiled) }
  }
}

function findingOf(compiled: CompiledCheck, context: TreeNode, looking: Looking): Finding {
  const { check, subject, diagnostics } = compiled
  const node = subject?.nodes(context)[0] ?? context
  const texts = [compiled.message, ...diagnostics].map((message) => messageAt(message, context, looking))
  const value = valueAt(node)
  return {
    layer: LAYER,
    rule: ruleName(compiled),
    severity: check.severity,
    path: pathOf(node, looking.namespaces),
    ...placeOf(node, looking),
    message: shown(texts.filter((text) => text !== '').join(' ') || `${check.kind} ${check.test}`, TEXT_LENGTH),
    ...(value === undefined || value === '' ? {} : { value: shown(value) }),
    ...told(compiled),
  }
}

function ruleName({ check }: CompiledCheck): string {
  return check.id === '' ? check.kind : check.id
}

function told({ check }: CompiledCheck): Pick<Finding, 'test' | 'flag' | 'see'> {
  return {
    test: shown(check.test, TEXT_LENGTH),
    ...(check.flag === '' ? {} : { flag: check.flag }),
    ...(check.see === '' ? {} : { see: check.see }),
  }
}

function messageAt(message: CompiledMessage, node: TreeNode, looking: Looking): string {
  const text = message.map((part) => partAt(part, node, looking)).join('')
  return text.replace(/\s+/g, ' ').trim()
}

/** Values of the document are cut: it is never echoed as a whole. */
function partAt(part: CompiledPart, node: TreeNode, looking: Looking): string {
  switch (part.kind) {
    case 'text':
      return part.text
    case 'value':
      return shown(part.value.string(node))
    case 'name': {
      const named = part.path ? part.path.nodes(node)[0] : node
      return named ? nameIn(named, looking) : ''
    }
  }
}

function nameIn(node: TreeNode, { namespaces }: Looking): string {
  return node.nodeType === 1 ? nameOf(node.element, namespaces) : node.nodeName
}

function valueAt(node: TreeNode): string | undefined {
  switch (node.nodeType) {
    case 1:
      return simpleValue(node.element)
    case 2:
      return node.value
    case 3:
      return node.data
    case 9:
      return undefined
  }
}

function placeOf(node: TreeNode, { view }: Looking): { readonly line?: number } {
  const line = view.lineOf(elementAt(node).element)
  return line === undefined ? {} : { line }
}

function elementAt(node: TreeNode): ElementNode {
  if (node.nodeType === 1) return node
  return node.nodeType === 9 ? node.childNodes[0]! : node.parent
}

/** `/inv:Invoice/cac:InvoiceLine[2]/cbc:ID`, as all layers tell it. */
function pathOf(node: TreeNode, namespaces: Readonly<Record<string, string>>): string {
  switch (node.nodeType) {
    case 9:
      return '/'
    case 1:
      return pathOfElement(node, namespaces)
    case 2:
      return pathOfElement(node.parent, namespaces) + attributePath(node.localName, node.namespaceURI ?? '', namespaces)
    case 3:
      return `${pathOfElement(node.parent, namespaces)}/text()`
  }
}

function pathOfElement(node: ElementNode, namespaces: Readonly<Record<string, string>>): string {
  const { parent, element } = node
  const alike = childrenOf(parent).filter(
    (one) => one.nodeType === 1 && one.localName === node.localName && one.namespaceURI === node.namespaceURI,
  )
  const position = alike.length < 2 ? '' : `[${alike.indexOf(node) + 1}]`
  const above = parent.nodeType === 1 ? pathOfElement(parent, namespaces) : ''
  return `${above}/${nameOf(element, namespaces)}${position}`
}

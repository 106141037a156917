import { compileSelect, compileTest } from '../domain/location-path.ts'
import { parseXPath, typeOf, type XPathNode } from '../domain/xpath-grammar.ts'
import { XPathProblem } from '../domain/xpath-tokens.ts'
import { compileExpression, evaluate, type XPathValue } from './libxml2.ts'
import { matchedTree, type XmlContent } from './parsed.ts'

type Namespaces = Readonly<Record<string, string>>

/** What an expression gives for a document: the string values of nodes, or one value. */
export type XPathAnswer = readonly string[] | string | number | boolean

export interface XPath {
  /** The context is the document node, so that `a/b` is `/a/b`. */
  answer(content: XmlContent): XPathAnswer
}

export type Compiled<T> = ({ readonly kind: 'ok' } & T) | { readonly kind: 'error'; readonly message: string }

/** An XPath 1.0 expression for its value. Wrong grammar, functions, types and undeclared prefixes are errors here, not later. */
export function compileXPath(expression: string, namespaces: Namespaces): Compiled<{ readonly xpath: XPath }> {
  const checked = check(expression, namespaces)
  if (checked.kind === 'error') return checked
  const select = compileSelect(checked.node, namespaces)
  if (select) return { kind: 'ok', xpath: { answer: ({ root }) => select(root) } }
  const { ask } = checked
  return { kind: 'ok', xpath: { answer: (content) => answerOf(ask(content)) } }
}

/** An XPath 1.0 expression for its truth, as `boolean()` would have it. Errors as in {@link compileXPath}. */
export function compileTruth(
  expression: string,
  namespaces: Namespaces,
): Compiled<{ readonly truth: (content: XmlContent) => boolean }> {
  const checked = check(expression, namespaces)
  if (checked.kind === 'error') return checked
  const test = compileTest(checked.node, namespaces)
  if (test) return { kind: 'ok', truth: ({ root }) => test(root) }
  const { ask } = checked
  return { kind: 'ok', truth: (content) => truthOf(ask(content, 0)) }
}

/** As {@link compileXPath}, but always asking libxml2: the measure that the shorter ways are compared with. */
export function compileByLibxml2(expression: string, namespaces: Namespaces): Compiled<{ readonly xpath: XPath }> {
  const checked = check(expression, namespaces)
  if (checked.kind === 'error') return checked
  const { ask } = checked
  return { kind: 'ok', xpath: { answer: (content) => answerOf(ask(content)) } }
}

interface Checked {
  readonly kind: 'ok'
  readonly node: XPathNode
  ask(content: XmlContent, nodesAtMost?: number): XPathValue
}

function check(text: string, namespaces: Namespaces): Checked | { readonly kind: 'error'; readonly message: string } {
  const message = (reason: string) => `Cannot read the XPath: ${reason}`
  let node: XPathNode
  try {
    node = parseXPath(text, namespaces)
  } catch (error) {
    if (error instanceof XPathProblem) return { kind: 'error', message: message(error.message) }
    throw error
  }
  if (compileExpression(text) === 0) return { kind: 'error', message: message('libxml2 refuses it') }
  return { kind: 'ok', node, ask: (content, nodesAtMost) => ask(content, text, namespaces, nodesAtMost, node) }
}

function ask(
  content: XmlContent,
  text: string,
  namespaces: Namespaces,
  nodesAtMost: number | undefined,
  node: XPathNode,
): XPathValue {
  const value = evaluate(matchedTree(content), compileExpression(text), namespaces, nodesAtMost)
  if (!value) throw new Error(`Cannot evaluate an XPath that gives a ${typeOf(node)}: libxml2 failed`)
  return value
}

function answerOf(value: XPathValue): XPathAnswer {
  return value.kind === 'nodes' ? value.nodes.map((node) => node.value) : value.value
}

/** XPath 1.0, 4.3 `boolean`. */
function truthOf(value: XPathValue): boolean {
  switch (value.kind) {
    case 'nodes':
      return value.nodes.length > 0
    case 'boolean':
      return value.value
    case 'number':
      return value.value !== 0 && !Number.isNaN(value.value)
    case 'string':
      return value.value !== ''
  }
}

/**
 * XPath 2.0, 3.0 and 3.1 by fontoxpath, over our own tree. The only file that knows fontoxpath. It has no functions of XSLT;
 * `current()` is the one that is put in here, since it needs no more than a variable.
 */
import { createRequire } from 'node:module'
import {
  EvaluationFailed,
  type Expression,
  ExpressionProblem,
  type QueryBinding,
  type Scope,
  TooCostly,
  type Variable,
} from './expression.ts'
import { facade } from './facade.ts'
import { firstStepOf, type Lexeme, lexemesOf, variablesIn } from './lexemes.ts'
import { checkRegularExpressions } from './regular-expressions.ts'
import { buildTree, type DocumentNode, documentOf, type TreeNode } from './tree.ts'

/** As the engine keeps them. */
type Values = Readonly<Record<string, object>>

interface Options {
  readonly namespaceResolver: (prefix: string) => string | null
}

type Evaluate<T> = (text: string, node: TreeNode, over: typeof facade, values: Values | null, options: Options) => T

/** The part of fontoxpath that is used. Its own types would bring those of the DOM into every file. */
interface Engine {
  readonly evaluateXPathToBoolean: Evaluate<boolean>
  readonly evaluateXPathToString: Evaluate<string>
  readonly evaluateXPathToNodes: Evaluate<readonly TreeNode[]>
  readonly createTypedValueFactory: (type: string) => (value: readonly TreeNode[], over: typeof facade) => object
  /** Ours: lists of nodes as this very engine keeps them. */
  readonly sequences: WeakMap<readonly TreeNode[], object>
}

/**
 * An instance of the engine of its own: it keeps every expression that it compiled for good, so that the only way to
 * be rid of them is to be rid of the engine.
 */
export function createXPath31(): QueryBinding {
  let engine: Engine | undefined
  return {
    compile(text, scope) {
      engine ??= loadEngine()
      return compile(engine, text, scope)
    },
  }
}

function loadEngine(): Engine {
  // One for each: a `require` keeps what it loaded among its children.
  const require = createRequire(import.meta.url)
  const file = require.resolve('fontoxpath')
  delete require.cache[file]
  const engine = require(file) as Omit<Engine, 'sequences'>
  delete require.cache[file]
  return { ...engine, sequences: new WeakMap() }
}

function compile(engine: Engine, text: string, scope: Scope): Expression {
  checkRegularExpressions(text)
  checkVariables(text, scope.variables)
  const whole = withVariables(text, scope.variables)
  const { rewritten, named } = rewrite(whole)
  const options: Options = { namespaceResolver: (prefix) => resolvePrefix(prefix, scope.namespaces) }
  checkStatically(engine, rewritten, named, options)
  const asking =
    <T>(evaluate: Evaluate<T>) =>
    (node: TreeNode): T => {
      try {
        return evaluate(rewritten, node, facade, valuesFor(engine, named, node), options)
      } catch (error) {
        if (error instanceof TooCostly) throw error
        throw new EvaluationFailed(reasonOf(error))
      }
    }
  return {
    boolean: asking(engine.evaluateXPathToBoolean),
    string: asking(engine.evaluateXPathToString),
    nodes: asking(engine.evaluateXPathToNodes),
  }
}

/** Prefixes that XPath 3.1 (C.2) declares by itself. */
const KNOWN: Readonly<Record<string, string>> = {
  xs: 'http://www.w3.org/2001/XMLSchema',
  fn: 'http://www.w3.org/2005/xpath-functions',
  math: 'http://www.w3.org/2005/xpath-functions/math',
  map: 'http://www.w3.org/2005/xpath-functions/map',
  array: 'http://www.w3.org/2005/xpath-functions/array',
  xml: 'http://www.w3.org/XML/1998/namespace',
}

function resolvePrefix(prefix: string, namespaces: Scope['namespaces']): string | null {
  if (prefix === '') return null
  if (Object.hasOwn(namespaces, prefix)) return namespaces[prefix]!
  return Object.hasOwn(KNOWN, prefix) ? KNOWN[prefix]! : null
}

// ------------------------------------------------------------------------------------------------- variables

function checkVariables(text: string, variables: readonly Variable[]): void {
  const own = bindingsIn(text)
  for (const name of variablesIn(text)) {
    if (own.has(name) || variables.some((variable) => variable.name === name)) continue
    throw new ExpressionProblem(`there is no variable $${name} here`)
  }
}

/** Variables that the expression binds itself: `for $x in`, `let $x :=`, `some $x in`, `function($x)`. */
function bindingsIn(text: string): ReadonlySet<string> {
  const lexemes = lexemesOf(text)
  const bound = new Set<string>()
  for (const [at, { kind, text: name }] of lexemes.entries()) {
    const after = lexemes[at + 1]?.text
    if (kind === 'variable' && (after === 'in' || after === ':=' || after === 'as' || after === ',' || after === ')')) {
      bound.add(name)
    }
  }
  return bound
}

/**
 * The variables that are used, as `let` around the expression: so they keep their types, and those of the engine's that have no
 * counterpart outside of it too. The document's are read at its root, wherever the expression stands.
 */
function withVariables(text: string, variables: readonly Variable[]): string {
  const wanted = new Set(variablesIn(text))
  const bindings: string[] = []
  for (const { name, select, of } of [...variables].reverse()) {
    if (!wanted.has(name)) continue
    for (const mentioned of variablesIn(select)) wanted.add(mentioned)
    bindings.unshift(`$${name} := ${of === 'document' ? `root(.) ! (${select})` : `(${select})`}`)
  }
  return bindings.length === 0 ? text : `let ${bindings.join(', ')} return (${text})`
}

// ------------------------------------------------------------------------------------------------- rewriting

const CURRENT = 'waybill..current'
const PARENTS = 'waybill..parents..'

/**
 * `//name` looks at every node of the document, and rules say it often: it is asked of the parents of such elements instead,
 * which are known. The steps behind it are as they were, so that `//a[1]` is still the first of each parent. `current()`
 * (XSLT 2.0, 16.6.1) becomes a variable.
 */
function rewrite(text: string): { readonly rewritten: string; readonly named: readonly string[] } {
  const lexemes = lexemesOf(text)
  const named = new Set<string>()
  let usesCurrent = false
  let rewritten = ''
  let from = 0
  for (const [at, { text: word, start, begins }] of lexemes.entries()) {
    const step = word === '//' && begins ? firstStepOf(lexemes, at + 1) : undefined
    if (step?.kind === 'element' && lexemes[at + 1]!.text !== '*') {
      named.add(step.localName)
      rewritten += `${text.slice(from, start)}$${PARENTS}${step.localName}/`
      from = start + 2
    }
    if (isCurrentCall(lexemes, at)) {
      usesCurrent = true
      rewritten += `${text.slice(from, start)}$${CURRENT}`
      from = lexemes[at + 2]!.end
    }
  }
  rewritten += text.slice(from)
  return { rewritten: usesCurrent ? `let $${CURRENT} := . return (${rewritten})` : rewritten, named: [...named] }
}

function isCurrentCall(lexemes: readonly Lexeme[], at: number): boolean {
  const { kind, text, begins } = lexemes[at]!
  return (
    kind === 'name' && begins && text === 'current' && lexemes[at + 1]?.text === '(' && lexemes[at + 2]?.text === ')'
  )
}

function valuesFor(engine: Engine, named: readonly string[], node: TreeNode): Values | null {
  if (named.length === 0) return null
  const { index } = documentOf(node)
  const values: Record<string, object> = {}
  for (const name of named) values[PARENTS + name] = sequenceOf(engine, index.parentsOf(name))
  return values
}

/** A list would be taken for an array of XPath 3.1. */
function sequenceOf(engine: Engine, nodes: readonly TreeNode[]): object {
  const known = engine.sequences.get(nodes)
  if (known) return known
  const made = engine.createTypedValueFactory('node()*')(nodes, facade)
  engine.sequences.set(nodes, made)
  return made
}

// ---------------------------------------------------------------------------------------------------- errors

const NOWHERE: DocumentNode = buildTree({
  name: 'nowhere',
  uri: '',
  prefix: '',
  attributes: [],
  namespaces: null,
  children: [],
})

/** The engine has no way to compile without evaluating; what it says of an empty document is about the expression. */
function checkStatically(engine: Engine, text: string, named: readonly string[], options: Options): void {
  try {
    engine.evaluateXPathToBoolean(text, NOWHERE, facade, valuesFor(engine, named, NOWHERE), options)
  } catch (error) {
    const reason = reasonOf(error)
    // XPath 3.1, F: XPST are static errors; others may be right for other documents.
    if (/\bXPST\d{4}|\bXQST\d{4}|Unknown prefix|parse/i.test(reason)) throw new ExpressionProblem(explained(reason))
  }
}

function explained(reason: string): string {
  const missing = /Function Q\{([^{}]*)\}(\S+) with arity of (\d+) not registered/.exec(reason)
  if (!missing) return reason
  const [, , name, arity] = missing
  return `there is no function ${name}() with ${arity} arguments; those of XSLT are not there, but for current()`
}

/** The engine draws the place in the expression first, and may tell the whole of it: only what it has to say is kept. */
function reasonOf(error: unknown): string {
  const { message } = error as Error
  const told = /(?:^|\n)(?:Error: )?([A-Z]{4}\d{4}[^\n]*)/.exec(message)?.[1] ?? message.split('\n')[0]!
  return told.trim().replace(/\.$/, '')
}

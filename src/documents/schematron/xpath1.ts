/**
 * XPath 1.0 over our own tree, for the query bindings `xslt` and `xpath`. An engine of XPath 2 is none for it: there
 * `@min < @max` compares two texts, and what gives NaN in 1.0 is an error.
 */
import { CURRENT, parseXPath, typeOf, type Variables, type XPathNode } from '../../domain/xpath-grammar.ts'
import { XPathProblem } from '../../domain/xpath-tokens.ts'
import { type Expression, ExpressionProblem, type QueryBinding, type Scope, type Variable } from './expression.ts'
import type { TreeNode } from './tree.ts'
import { evaluate } from './xpath1-evaluate.ts'
import { nodesOf, type Point, stringFrom, truthOf, type Value } from './xpath1-values.ts'

export const xpath1: QueryBinding = { compile }

function compile(text: string, scope: Scope): Expression {
  const variables = compileVariables(scope)
  const node = parse(text, scope.namespaces, typesOf(variables))
  const ask = (at: TreeNode): Value => evaluate(node, pointAt(at, scope, variables))
  return {
    boolean: (at) => truthOf(ask(at)),
    string: (at) => stringFrom(ask(at)),
    nodes: (at) => nodesOf(ask(at)),
  }
}

function parse(text: string, namespaces: Scope['namespaces'], variables: Variables): XPathNode {
  let node: XPathNode
  try {
    node = parseXPath(text, namespaces, variables)
  } catch (error) {
    if (error instanceof XPathProblem) throw new ExpressionProblem(error.message)
    throw error
  }
  if (/\bnamespace\s*::/.test(text)) throw new ExpressionProblem('the axis `namespace` is not there')
  return node
}

// ------------------------------------------------------------------------------------------------- variables

interface CompiledVariable {
  readonly name: string
  readonly of: Variable['of']
  readonly node: XPathNode
  /** Those that it may mention. */
  readonly reach: readonly CompiledVariable[]
  /** By the node that it was asked at: many checks ask for the same. */
  readonly known: WeakMap<TreeNode, Value>
}

const compiledScopes = new WeakMap<readonly Variable[], readonly CompiledVariable[]>()

/** Once for all expressions of a scope, so that they share what is known. */
function compileVariables({ variables, namespaces }: Scope): readonly CompiledVariable[] {
  const known = compiledScopes.get(variables)
  if (known) return known
  const compiled: CompiledVariable[] = []
  for (const { name, select, of } of variables) {
    const reach = [...compiled]
    compiled.push({ name, of, node: parse(select, namespaces, typesOf(reach)), reach, known: new WeakMap() })
  }
  compiledScopes.set(variables, compiled)
  return compiled
}

function typesOf(variables: readonly CompiledVariable[]): Variables {
  return new Map([[CURRENT, 'nodes'], ...variables.map(({ name, node }) => [name, typeOf(node)] as const)])
}

function pointAt(
  at: TreeNode,
  { namespaces }: Pick<Scope, 'namespaces'>,
  variables: readonly CompiledVariable[],
): Point {
  const valueNamed = (name: string): Value => {
    if (name === CURRENT) return [at]
    // The innermost of a name hides the others.
    const variable = variables.findLast((one) => one.name === name)!
    const asked = variable.of === 'document' ? documentAbove(at) : at
    const known = variable.known.get(asked)
    if (known !== undefined) return known
    const value = evaluate(variable.node, pointAt(asked, { namespaces }, variable.reach))
    variable.known.set(asked, value)
    return value
  }
  return { node: at, position: 1, size: 1, namespaces, valueNamed }
}

function documentAbove(node: TreeNode): TreeNode {
  return node.nodeType === 9 ? node : documentAbove(node.parent)
}

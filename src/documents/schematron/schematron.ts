import type { SchemaSource } from '../../domain/document-type.ts'
import type { BundleReader } from '../bundle-reader.ts'
import type { SchemaProblem } from '../schema-files.ts'
import { type Turns, takeTurns } from '../turns.ts'
import { compileContext, type SelectContext } from './contexts.ts'
import { type Expression, ExpressionProblem, type QueryBinding, type Scope, type Variable } from './expression.ts'
import { readRules } from './read-rules.ts'
import type { Check, Let, Message, MessagePart, Pattern, Placed, Rule, RuleSet } from './rules-model.ts'

/** Rules with every expression compiled, ready for any number of documents. */
export interface CompiledRules {
  readonly namespaces: Readonly<Record<string, string>>
  readonly patterns: readonly CompiledPattern[]
}

export interface CompiledPattern {
  readonly rules: readonly CompiledRule[]
}

export interface CompiledRule {
  readonly select: SelectContext
  readonly context: string
  readonly checks: readonly CompiledCheck[]
}

export interface CompiledCheck {
  readonly check: Check
  readonly test: Expression
  readonly subject: Expression | undefined
  readonly message: CompiledMessage
  readonly diagnostics: readonly CompiledMessage[]
}

export type CompiledMessage = readonly CompiledPart[]

export type CompiledPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly value: Expression }
  | { readonly kind: 'name'; readonly path: Expression | undefined }

/** By the `queryBinding` of a schema, in small letters (ISO/IEC 19757-3, 5.4.9); '' is `xslt`, as the standard says. */
export type QueryBindings = (queryBinding: string) => QueryBinding | undefined

/** A schema as it was compiled: without `rules` where it is wrong. */
export interface CompiledSchematron {
  readonly rules: CompiledRules | undefined
  readonly problems: readonly SchemaProblem[]
}

/** Reads and compiles a Schematron schema, in slices: a thousand expressions take a second. All that is wrong is told. */
export async function compileSchematron(
  source: SchemaSource,
  phase: string,
  bindings: QueryBindings,
  bundle?: BundleReader,
): Promise<CompiledSchematron> {
  const { rules, problems } = readRules(source, phase, bundle)
  if (!rules) return { rules: undefined, problems }
  const binding = bindings(rules.queryBinding.toLowerCase())
  if (!binding) {
    const message = `Cannot compile the rules: their queryBinding is ${rules.queryBinding}; xslt, xpath, xslt2, xslt3, xpath2, xpath3 and xpath31 are understood`
    return { rules: undefined, problems: [{ message, severity: 'error', at: `${source.file}:1:1` }] }
  }
  const compiling: Compiling = { binding, rules, problems: [...problems] }
  const scope = addLets(compiling, { namespaces: rules.namespaces, variables: [] }, rules.lets, 'document')
  const turn = takeTurns()
  const patterns: CompiledPattern[] = []
  for (const pattern of rules.patterns) patterns.push(await compilePattern(pattern, scope, compiling, turn))
  const isSound = compiling.problems.every(({ severity }) => severity !== 'error')
  const compiled = { namespaces: rules.namespaces, patterns }
  return { rules: isSound ? compiled : undefined, problems: compiling.problems }
}

interface Compiling {
  readonly binding: QueryBinding
  readonly rules: RuleSet
  readonly problems: SchemaProblem[]
}

/** So that all that is wrong with a schema is told, a wrong expression is a problem, and nothing is ever asked of it. */
function attempt<T>({ problems }: Compiling, what: string, { at }: Placed, run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof ExpressionProblem)) throw error
    problems.push({ message: `Cannot compile ${what}: ${error.message}`, severity: 'error', at })
    return undefined
  }
}

function addLets(compiling: Compiling, scope: Scope, lets: readonly Let[], of: Variable['of']): Scope {
  const variables = [...scope.variables]
  for (const one of lets) {
    const reach = { ...scope, variables: [...variables] }
    attempt(compiling, `the variable $${one.name}`, one, () => compiling.binding.compile(one.select, reach))
    variables.push({ name: one.name, select: one.select, of })
  }
  return { ...scope, variables }
}

async function compilePattern(
  pattern: Pattern,
  outer: Scope,
  compiling: Compiling,
  turn: Turns,
): Promise<CompiledPattern> {
  const scope = addLets(compiling, outer, pattern.lets, 'document')
  const rules: CompiledRule[] = []
  for (const rule of pattern.rules) rules.push(...(await compileRule(rule, scope, compiling, turn)))
  return { rules }
}

async function compileRule(
  rule: Rule,
  outer: Scope,
  compiling: Compiling,
  turn: Turns,
): Promise<readonly CompiledRule[]> {
  const select = attempt(compiling, `the context ${rule.context}`, rule, () => {
    return compileContext(rule.context, outer, compiling.binding)
  })
  const scope = addLets(compiling, outer, rule.lets, 'rule')
  const checks: CompiledCheck[] = []
  for (const check of rule.checks) {
    checks.push(...compileCheck(check, scope, compiling))
    await turn()
  }
  return select ? [{ select, context: rule.context, checks }] : []
}

function compileCheck(check: Check, scope: Scope, compiling: Compiling): readonly CompiledCheck[] {
  const { binding } = compiling
  const named = check.id === '' ? `the ${check.kind}` : check.id
  const test = attempt(compiling, named, check, () => binding.compile(check.test, scope))
  const subject =
    check.subject === ''
      ? undefined
      : attempt(compiling, `the subject of ${named}`, check, () => binding.compile(check.subject, scope))
  const message = compileMessage(check.message, scope, compiling)
  const diagnostics = check.diagnostics.map((one) => compileMessage(one, scope, compiling))
  return test ? [{ check, test, subject, message, diagnostics }] : []
}

function compileMessage(message: Message, scope: Scope, compiling: Compiling): CompiledMessage {
  return message.flatMap((part) => compilePart(part, scope, compiling) ?? [])
}

function compilePart(part: MessagePart, scope: Scope, compiling: Compiling): CompiledPart | undefined {
  switch (part.kind) {
    case 'text':
      return part
    case 'value': {
      const value = attempt(compiling, 'value-of', part, () => compiling.binding.compile(part.select, scope))
      return value && { kind: 'value', value }
    }
    case 'name': {
      if (part.path === '') return { kind: 'name', path: undefined }
      const path = attempt(compiling, 'name', part, () => compiling.binding.compile(part.path, scope))
      return path && { kind: 'name', path }
    }
  }
}

import type { Content } from '../../domain/document.ts'
import { parseXPath } from '../../domain/xpath-grammar.ts'
import { XPathProblem } from '../../domain/xpath-tokens.ts'
import type { CompileXPath, XPathTest } from '../xpath.ts'
import { testsHold } from './tests-on-tree.ts'
import { exactTests, pathFinder } from './xpath-exact.ts'
import { necessaryTests } from './xpath-necessary.ts'
import { createShapes } from './xpath-shapes.ts'
import type { XPathTests } from './xpath-tests.ts'

/** An expression as the index takes it. */
export type ReadExpression =
  | { readonly kind: 'exact'; readonly tests: XPathTests }
  /** The tests are necessary only: what passes them is asked by expression `id`. */
  | { readonly kind: 'asked'; readonly tests: XPathTests; readonly id: number }
  | { readonly kind: 'error'; readonly message: string }

/** Expressions that the index can't hold, each once; compiled when a document first needs them. */
export interface Expressions {
  /** Takes the expression into use once, where it is one to be asked. */
  read(expression: string, namespaces: Readonly<Record<string, string>>): ReadExpression
  release(id: number): void
  /** @throws where the engine gives up */
  ask(id: number, content: Content): boolean
}

interface Expression {
  readonly key: string
  readonly text: string
  readonly namespaces: Readonly<Record<string, string>>
  uses: number
}

/** Compiled expressions that are kept; more are compiled again when they are needed. */
const COMPILED = 10_000

export function createExpressions(compileXPath: CompileXPath): Expressions {
  const all: (Expression | undefined)[] = []
  const ids = new Map<string, number>()
  const free: number[] = []
  const compiled = new Map<number, XPathTest>()
  const shapes = createShapes()

  function take(text: string, namespaces: Readonly<Record<string, string>>): number {
    const key = JSON.stringify([text, Object.entries(namespaces).sort()])
    const id = ids.get(key) ?? free.pop() ?? all.length
    all[id] ??= { key, text, namespaces, uses: 0 }
    all[id].uses += 1
    ids.set(key, id)
    return id
  }

  function testOf(id: number): XPathTest {
    const known = compiled.get(id)
    if (known) return known
    const { text, namespaces } = all[id]!
    const made = compileXPath(text, namespaces)
    if (made.kind === 'error') throw new Error(made.message)
    if (compiled.size >= COMPILED) compiled.clear()
    compiled.set(id, made.test)
    return made.test
  }

  return {
    read(text, namespaces) {
      const exact = read(() => shapes.exactTests(text, namespaces))
      if (exact.kind === 'error') return exact
      if (exact.found) return { kind: 'exact', tests: exact.found }
      const made = compileXPath(text, namespaces)
      if (made.kind === 'error') return made
      const tests = necessaryTests(parseXPath(text, namespaces), namespaces)
      return { kind: 'asked', tests, id: take(text, namespaces) }
    },
    release(id) {
      const expression = all[id]!
      expression.uses -= 1
      if (expression.uses > 0) return
      ids.delete(expression.key)
      compiled.delete(id)
      all[id] = undefined
      free.push(id)
    },
    ask: (id, content) => testOf(id)(content),
  }
}

/**
 * The same engine for one expression at a time: it isn't asked where the index would not ask it either, so that both fail on
 * the same documents.
 */
export function gated(compileXPath: CompileXPath): CompileXPath {
  return (text, namespaces) => {
    const compiled = compileXPath(text, namespaces)
    if (compiled.kind === 'error') return compiled
    const parsed = read(() => parseXPath(text, namespaces))
    if (parsed.kind === 'error' || exactTests(parsed.found, pathFinder(namespaces))) return compiled
    const tests = necessaryTests(parsed.found, namespaces)
    const { test } = compiled
    return {
      kind: 'ok',
      test: (content) => content.kind === 'xml' && testsHold(tests, content.root) && test(content),
    }
  }
}

function read<Found>(how: () => Found) {
  try {
    return { kind: 'ok', found: how() } as const
  } catch (error) {
    if (!(error instanceof XPathProblem)) throw error
    return { kind: 'error', message: `Cannot read the XPath: ${error.message}` } as const
  }
}

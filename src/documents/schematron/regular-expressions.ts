import { mayBacktrackForLong } from '../../matching/allow.ts'
import { ExpressionProblem } from './expression.ts'
import { lexemesOf } from './lexemes.ts'

const TAKES_PATTERN: readonly string[] = ['matches', 'replace', 'tokenize', 'fn:matches', 'fn:replace', 'fn:tokenize']

/**
 * Regular expressions of rules are run by backtracking, where one that repeats what is repeated, `(a+)+`, takes twice the
 * time for each character more, and nothing could stop it. Such a one is refused, and so is one that isn't written
 * down in the rule, since nobody could tell.
 *
 * @throws ExpressionProblem
 */
export function checkRegularExpressions(text: string): void {
  const lexemes = lexemesOf(text)
  for (const [at, { kind, text: name, begins }] of lexemes.entries()) {
    if (kind !== 'name' || !begins || !TAKES_PATTERN.includes(name) || lexemes[at + 1]?.text !== '(') continue
    const pattern = secondArgument(lexemes, at + 2)
    if (pattern === undefined) continue
    const [only] = pattern
    if (pattern.length !== 1 || only?.kind !== 'literal') {
      throw new ExpressionProblem(
        `the pattern of ${name}() must be written as a literal, so that its cost can be judged`,
      )
    }
    if (mayBacktrackForLong(only.text.slice(1, -1))) {
      throw new ExpressionProblem(
        `the pattern of ${name}() repeats what is repeated and may take for ever: ${only.text}`,
      )
    }
  }
}

/** Undefined where there is none: `tokenize($words)`. */
function secondArgument<T extends { readonly text: string; readonly kind: string }>(
  lexemes: readonly T[],
  from: number,
): readonly T[] | undefined {
  let depth = 0
  let argument = 0
  const found: T[] = []
  for (const lexeme of lexemes.slice(from)) {
    const { kind, text } = lexeme
    if (kind === 'symbol' && text === ')' && depth === 0) break
    if (kind === 'symbol' && text === ',' && depth === 0) {
      argument += 1
      continue
    }
    if (kind === 'symbol' && ['(', '[', '{'].includes(text)) depth += 1
    if (kind === 'symbol' && [')', ']', '}'].includes(text)) depth -= 1
    if (argument === 1) found.push(lexeme)
  }
  return argument === 0 ? undefined : found
}

import { mayBacktrackForLong } from '../../matching/allow.ts'
import { JsonPathProblem } from './query.ts'

/**
 * A regular expression of RFC 9485 in this language's (its section 5.3): a dot is any character but line feed and carriage
 * return. What isn't in that RFC (groups that look around, references back, `\d`), or repeats a repetition, is refused.
 *
 * @param whole It must match from end to end.
 */
export function readPattern(pattern: string, whole: boolean): RegExp {
  if (/\(\?|\\[^-nrt().*+?[\\\]^{|}pP$]|[*+?}][?+]/.test(pattern.replace(/\\\\/g, ''))) {
    throw new JsonPathProblem(`${JSON.stringify(pattern)} is no expression of RFC 9485`)
  }
  if (mayBacktrackForLong(pattern)) {
    throw new JsonPathProblem(
      `${JSON.stringify(pattern)} repeats a repetition: some texts would take very long to compare`,
    )
  }
  const translated = pattern.replace(/\\.|\[(?:\\.|[^\]\\])*\]|\./gs, (piece) => (piece === '.' ? '[^\\n\\r]' : piece))
  try {
    return new RegExp(whole ? `^(?:${translated})$` : translated, 'u')
  } catch {
    throw new JsonPathProblem(`${JSON.stringify(pattern)} is no expression of RFC 9485`)
  }
}

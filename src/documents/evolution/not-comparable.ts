import type { SchemaProblem } from '../schema-files.ts'

/** A schema that is wrong can't be compared: what is wrong with it. */
export class NotComparable extends Error {
  override name = 'NotComparable'
  readonly problems: readonly SchemaProblem[]
  constructor(problems: readonly SchemaProblem[]) {
    super(problems[0]?.message ?? 'Cannot compare the schemas')
    this.problems = problems
  }
}

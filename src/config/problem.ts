import type codes from './problems.json'

/** Explained in problems.json, from which the table in docs/configuration.md is made. */
export type ProblemCode = keyof typeof codes

export type Severity = 'error' | 'warning'

/** A place in the configuration folder; lines and columns count from 1. */
export interface Position {
  /** Relative to the configuration folder. */
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Something wrong with the configuration, for people. Never holds a secret. */
export interface Problem extends Position {
  /** Stable, kebab-case, explained in docs/configuration.md. */
  readonly code: string
  readonly severity: Severity
  readonly message: string
}

/** Keys and list indexes from the top of a thing to a place in it. */
export type Path = readonly (string | number)[]

/**
 * Notes a problem with the thing in hand. The position is that of the value, or of the key with `at: 'key'`; where nothing is written
 * there, that of `or`: of two settings that exclude each other, one may hold by default.
 */
export type Complain = (
  code: ProblemCode,
  path: Path,
  message: string,
  more?: { readonly severity?: Severity; readonly at?: 'key' | 'value'; readonly or?: Path },
) => void

/** A path as people write it: `deliver[0].node`. */
export function showPath(path: Path): string {
  return path.map((part, at) => (typeof part === 'number' ? `[${part}]` : `${at === 0 ? '' : '.'}${part}`)).join('')
}

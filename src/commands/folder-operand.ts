import { statSync } from 'node:fs'

export const DEAD_VERBS: ReadonlySet<string> = new Set(['ls', 'groups', 'show', 'redrive', 'drop', 'park'])
export const HELD_VERBS: ReadonlySet<string> = new Set(['ls', 'show', 'release', 'refuse'])
export const ARCHIVE_VERBS: ReadonlySet<string> = new Set(['ls', 'show', 'redrive'])
/** Commands with a verb behind DIR. */
const VERBS_OF: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['dead', DEAD_VERBS],
  ['held', HELD_VERBS],
  ['archive', ARCHIVE_VERBS],
])

/** Commands whose DIR is followed by other operands: DIR may be left out, and is `.` then. */
const OPERANDS_AFTER_DIR: ReadonlyMap<string, number> = new Map([
  ['explain', 1],
  ['send', 1],
  ['trace', 1],
  ['dead', 1],
  ['held', 1],
  ['archive', 1],
])

/** Verbs that stand before DIR, with one operand after it. */
const VERBS_BEFORE_DIR: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['schema', new Set(['register', 'show', 'deprecate', 'remove'])],
  ['types', new Set(['show'])],
])

/** DIR comes first everywhere; where it is left out it is the current folder. */
export function withFolder(words: readonly string[]): string[] {
  const [command = '', ...rest] = words
  if (VERBS_BEFORE_DIR.get(command)?.has(rest[0] ?? '')) {
    const [verb, ...after] = rest
    return operands(after).length > 1 || isHelp(after) ? [...words] : [command, verb!, '.', ...after]
  }
  const after = OPERANDS_AFTER_DIR.get(command)
  if (after === undefined || isHelp(rest)) return [...words]
  const [first] = rest
  const verbs = VERBS_OF.get(command)
  const leftOut = verbs ? first !== undefined && verbs.has(first) : operands(rest).length <= after && !isFolder(first)
  return leftOut ? [command, '.', ...rest] : [...words]
}

function isHelp(words: readonly string[]): boolean {
  return words.includes('--help') || words.includes('-h')
}

// Operands stand before the first option here: what follows an option may be its value.
function operands(words: readonly string[]): readonly string[] {
  const option = words.findIndex((word) => word.startsWith('-'))
  return option < 0 ? words : words.slice(0, option)
}

function isFolder(name: string | undefined): boolean {
  return name !== undefined && (statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false)
}

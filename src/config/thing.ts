import type { KindName } from './kind-schemas.ts'
import type { Complain, Problem } from './problem.ts'
import type { YamlThing } from './yaml-file.ts'

/** One thing of a kind, as it stands in a file. */
export interface Thing<Value = unknown> {
  readonly kind: KindName
  /** '' where it has none. */
  readonly name: string
  /** Unique within its kind: the name, of a document type with its version. */
  readonly key: string
  /** Relative to the configuration folder. */
  readonly file: string
  /** Absolute folder of the bundle that it was registered with, out of which nothing leads; undefined for what stands in the configuration folder. */
  readonly bundle?: string
  readonly yaml: YamlThing
  readonly value: Value
  readonly complain: Complain
  /** Whether nothing was complained of that is an error, so far. */
  readonly isSound: () => boolean
}

/**
 * A way to note problems of one thing at their places. A place that could not be filled in has its problem already.
 *
 * @param wasSound False where its file has errors.
 */
export function complainAbout(
  yaml: YamlThing,
  problems: Problem[],
  wasSound = true,
): Pick<Thing, 'complain' | 'isSound'> {
  let sound = wasSound
  const complain: Complain = (code, path, message, { severity = 'error', at = 'value', or = path } = {}) => {
    if (severity === 'error') sound = false
    if (yaml.isUnfilled(path)) return
    problems.push({ ...yaml.locate(or === path || yaml.isWritten(path) ? path : or, at), code, severity, message })
  }
  return { complain, isSound: () => sound }
}

/** `file:line:column` of a thing. */
export function sourceOf({ yaml }: Thing): string {
  const { file, line, column } = yaml.locate([])
  return `${file}:${line}:${column}`
}

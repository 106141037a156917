import type { Difference, Verdict } from './verdict.ts'

/**
 * What a new version of a schema must keep.
 * *backward*: it accepts what the version before accepts, so that receivers may change first.
 * *forward*: the version before accepts what it accepts, so that senders may change first. *full*: both.
 * *transitive*: not towards the version before alone, but towards all earlier ones.
 */
export const COMPATIBILITY_MODES = [
  'none',
  'backward',
  'backward-transitive',
  'forward',
  'forward-transitive',
  'full',
  'full-transitive',
] as const

export type CompatibilityMode = (typeof COMPATIBILITY_MODES)[number]

export type Direction = 'backward' | 'forward'

/** One question that a mode asks, and its answer. */
export interface Judgement<V> {
  readonly direction: Direction
  /** The earlier version. */
  readonly against: V
  readonly verdict: Verdict
}

/**
 * Asks all that a mode wants to know of a new version.
 *
 * @param earlier The versions so far, oldest first.
 * @param compare Whether all that the first accepts is accepted by the second.
 */
export function judgeVersion<V>(
  mode: CompatibilityMode,
  earlier: readonly V[],
  candidate: V,
  compare: (old: V, next: V) => Verdict,
): readonly Judgement<V>[] {
  const asked = mode.endsWith('-transitive') ? earlier.toReversed() : earlier.slice(-1)
  return asked.flatMap((against) =>
    directionsOf(mode).map((direction) => {
      const verdict = direction === 'backward' ? compare(against, candidate) : turned(compare(candidate, against))
      return { direction, against, verdict }
    }),
  )
}

/** Places of the earlier version are the old ones, whichever question was asked. */
function turned(verdict: Verdict): Verdict {
  switch (verdict.kind) {
    case 'compatible':
      return verdict
    case 'unknown':
      return { ...verdict, reasons: verdict.reasons.map(exchanged) }
    case 'incompatible':
      return { ...verdict, witness: exchanged(verdict.witness), others: verdict.others.map(exchanged) }
  }
}

function exchanged<D extends Difference>(difference: D): D {
  return { ...difference, old: difference.new, new: difference.old }
}

export function directionsOf(mode: CompatibilityMode): readonly Direction[] {
  switch (mode) {
    case 'none':
      return []
    case 'backward':
    case 'backward-transitive':
      return ['backward']
    case 'forward':
    case 'forward-transitive':
      return ['forward']
    case 'full':
    case 'full-transitive':
      return ['backward', 'forward']
  }
}

/** Whether the new version may be taken: unknown is not yes. */
export function isAllowed(judgements: readonly Judgement<unknown>[]): boolean {
  return judgements.every(({ verdict }) => verdict.kind === 'compatible')
}

import type { Check, Look } from './conditions.ts'

/** How one group of conditions fared with one document, for explanations. */
export interface Alternative {
  readonly holds: boolean
  /** In the order in which they are asked, up to the first one that failed. */
  readonly conditions: readonly {
    readonly condition: string
    readonly expected: string
    readonly found: string
    readonly holds: boolean
  }[]
}

/** One of the groups must hold. */
export function onAny(groups: readonly (readonly Check[])[]): Check {
  return {
    ...faring(groups),
    name: 'any',
    expected: groups.map(describe).join(' or '),
    holds: (look) => groups.some((checks) => verdictOn(checks, look).kind === 'holds'),
    fault: (look) => faultIn(groups, look),
  }
}

/** None of the groups may hold; what isn't known may. */
export function onNot(groups: readonly (readonly Check[])[]): Check {
  return {
    ...faring(groups),
    name: 'not',
    expected: groups.length === 1 ? `not ${describe(groups[0]!)}` : `none of ${groups.map(describe).join(' and ')}`,
    holds: (look) => groups.every((checks) => verdictOn(checks, look).kind === 'fails'),
    fault: (look) => faultIn(groups, look),
  }
}

type Verdict =
  | { readonly kind: 'holds' }
  | { readonly kind: 'fails' }
  /** An XPath could not be evaluated, and nothing else failed. */
  | { readonly kind: 'unknown'; readonly fault: string }

/** What fails for sure outweighs what isn't known. */
function verdictOn(checks: readonly Check[], look: Look): Verdict {
  let fault: string | undefined
  for (const check of checks) {
    if (check.holds(look)) continue
    const reason = check.fault?.(look)
    if (reason === undefined) return { kind: 'fails' }
    fault ??= reason
  }
  return fault === undefined ? { kind: 'holds' } : { kind: 'unknown', fault }
}

/** Undefined where a group holds: then it is known what follows. */
function faultIn(groups: readonly (readonly Check[])[], look: Look): string | undefined {
  let fault: string | undefined
  for (const checks of groups) {
    const verdict = verdictOn(checks, look)
    if (verdict.kind === 'holds') return undefined
    if (verdict.kind === 'unknown') fault ??= verdict.fault
  }
  return fault
}

/** What is found is what decided: the group that holds, or what failed first in each. */
function faring(groups: readonly (readonly Check[])[]): Pick<Check, 'found' | 'alternatives'> {
  return {
    found(look) {
      const holding = groups.find((checks) => verdictOn(checks, look).kind === 'holds')
      if (holding) return holding.map((check) => `${check.name}: ${check.found(look)}`).join(' and ')
      const failing = groups.map((checks) => checks.find((check) => !check.holds(look))!)
      return failing.map((check) => `${check.name}: ${check.found(look)}`).join(', ')
    },
    alternatives: (look) => groups.map((checks) => alternativeOf(checks, look)),
  }
}

function alternativeOf(checks: readonly Check[], look: Look): Alternative {
  const failed = checks.findIndex((check) => !check.holds(look))
  const asked = failed < 0 ? checks : checks.slice(0, failed + 1)
  return {
    holds: failed < 0,
    conditions: asked.map((check, at) => ({
      condition: check.name,
      expected: check.expected,
      found: check.found(look),
      holds: at !== failed,
    })),
  }
}

function describe(checks: readonly Check[]): string {
  if (checks.length === 0) return '(anything)'
  return `(${checks.map(({ name, expected }) => `${name}: ${expected}`).join(' and ')})`
}

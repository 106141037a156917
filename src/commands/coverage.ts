import { compileXPathTest } from '../documents/documents.ts'
import type { Route } from '../domain/route.ts'
import { compileConditions } from '../matching/conditions.ts'
import type { Explanation, HeldCondition } from '../matching/matcher.ts'

/** What the tests of a configuration show of its routes, and what they leave open. */
export interface Coverage {
  readonly routes: Share
  /** A condition is shown where one test has it hold and another has it fail as the first. */
  readonly conditions: Share
  readonly gaps: readonly Gap[]
}

export interface Share {
  readonly shown: number
  readonly of: number
}

export interface Gap {
  readonly route: string
  /** `file:line:column` of the route. */
  readonly source: string
  /** Undefined for the route as a whole. */
  readonly condition: string | undefined
  /** What no test shows: that the route matches, that the condition holds, that it fails, that a group of it holds. */
  readonly lacks: 'match' | 'hold' | 'fail' | 'group'
  readonly message: string
}

export interface CoverageTally {
  /** Takes in how all routes fared with the document of one test. */
  note(explanation: Explanation): void
  coverage(): Coverage
}

interface Seen {
  readonly condition: string
  readonly expected: string
  held: boolean
  failed: boolean
  /** Of `any`, by place; empty for everything else. */
  groups: boolean[]
}

interface SeenRoute {
  readonly route: Route
  matched: boolean
  readonly conditions: ReadonlyMap<string, Seen>
}

export function tallyCoverage(routes: readonly Route[]): CoverageTally {
  const seen = new Map(routes.map((route) => [route.name, unseen(route)]))
  return {
    note({ routes: explained }) {
      for (const { route, outcome, held, failed } of explained) {
        const one = seen.get(route)
        if (!one) continue
        if (outcome === 'matches') one.matched = true
        for (const condition of held) noteCondition(one, condition, true)
        if (failed) noteCondition(one, failed, false)
      }
    },
    coverage() {
      const all = [...seen.values()]
      const conditions = all.flatMap((one) => [...one.conditions.values()])
      return {
        routes: { shown: all.filter(({ matched }) => matched).length, of: all.length },
        conditions: { shown: conditions.filter(isShown).length, of: conditions.length },
        gaps: all.flatMap(gapsOf),
      }
    },
  }
}

function unseen(route: Route): SeenRoute {
  const checks = compileConditions(route.when, compileXPathTest, () => {})
  const conditions = checks.map(({ name, expected }): [string, Seen] => {
    return [keyOf({ condition: name, expected }), { condition: name, expected, held: false, failed: false, groups: [] }]
  })
  return { route, matched: false, conditions: new Map(conditions) }
}

function keyOf({ condition, expected }: Pick<HeldCondition, 'condition' | 'expected'>): string {
  return `${condition}\n${expected}`
}

function noteCondition({ conditions }: SeenRoute, condition: HeldCondition, holds: boolean): void {
  const one = conditions.get(keyOf(condition))
  if (!one) return
  if (holds) one.held = true
  else one.failed = true
  if (condition.condition !== 'any') return
  one.groups = (condition.alternatives ?? []).map(({ holds: group }, at) => group || (one.groups[at] ?? false))
}

function isShown({ held, failed, groups }: Seen): boolean {
  return held && failed && groups.every(Boolean)
}

function gapsOf({ route, matched, conditions }: SeenRoute): readonly Gap[] {
  const { name, source } = route
  const gap = (condition: string | undefined, lacks: Gap['lacks'], message: string): Gap => {
    return { route: name, source, condition, lacks, message }
  }
  // Of a route that no test matches there is nothing more to say.
  if (!matched) return [gap(undefined, 'match', 'no test matches it')]
  return [...conditions.values()].flatMap(({ condition, expected, held, failed, groups }) => [
    ...(held ? [] : [gap(condition, 'hold', `no test has ${condition} hold (${expected})`)]),
    ...(failed ? [] : [gap(condition, 'fail', `no test fails because of ${condition} (${expected})`)]),
    ...groups.flatMap((group, at) => {
      return group ? [] : [gap(condition, 'group', `no test has group ${at + 1} of ${condition} hold (${expected})`)]
    }),
  ])
}

import type { Route } from '../domain/route.ts'
import { compileDestination } from './destination.ts'
import { byPriority } from './order.ts'
import { type Entry, warnOfOverlaps } from './overlap.ts'
import type { RouteProblem } from './problem.ts'
import { complaining, createRouteSet, type Matcher } from './route-set.ts'
import type { CompileXPath } from './xpath.ts'

export type { Explanation, FailedCondition, HeldCondition, RouteExplanation } from './explain.ts'
export type { Alternative } from './groups.ts'
export type { Decision, ExplainedDestination, Refused } from './plan.ts'
export type { RouteProblem } from './problem.ts'
export type { Matcher } from './route-set.ts'
export type { CompileXPath } from './xpath.ts'

/**
 * Compiles all routes and finds what is wrong with them. The matcher is usable in any case; a configuration with errors is not
 * to be run (docs/operations.md, guarantee 8). Whether fields exist, and are fit for what is asked of them, is for the configuration to say.
 */
export function compileRoutes(
  routes: readonly Route[],
  compileXPath: CompileXPath,
): { readonly matcher: Matcher; readonly problems: readonly RouteProblem[] } {
  const set = createRouteSet(compileXPath)
  const sorted = [...routes].sort(byPriority)
  const problems = [...set.changeAtOnce({ add: sorted }), ...destinationProblems(sorted)]
  return { matcher: set.matcher, problems }
}

/** What is wrong with destinations, each by itself and one beside the other. */
function destinationProblems(sorted: readonly Route[]): readonly RouteProblem[] {
  const problems: RouteProblem[] = []
  const entries = sorted.flatMap((route): Entry[] => {
    const complain = complaining(route, problems)
    return route.deliver.flatMap((template, at) => {
      const destination = compileDestination(template, at, complain)
      return destination ? [{ route, at, destination }] : []
    })
  })
  warnOfOverlaps(entries, (problem) => problems.push(problem))
  return problems
}

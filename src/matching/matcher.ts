import type { Route } from '../domain/route.ts'
import { compileDestination, type Makers } from './destination.ts'
import { byPriority } from './order.ts'
import { type Entry, warnOfOverlaps } from './overlap.ts'
import type { RouteProblem } from './problem.ts'
import { complaining, createRouteSet, type Matcher } from './route-set.ts'
import { atOnce, inSlices, type Pause, type Steps, sorted } from './slices.ts'
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
export function compileRoutes(routes: readonly Route[], compileXPath: CompileXPath): CompiledRoutes {
  return atOnce(compile(routes, compileXPath))
}

/**
 * The same in slices of about a millisecond, so that documents are matched by the old routes in the meantime.
 *
 * @param pause Called between slices.
 */
export function compileRoutesInSlices(
  routes: readonly Route[],
  compileXPath: CompileXPath,
  pause: Pause,
): Promise<CompiledRoutes> {
  return inSlices(compile(routes, compileXPath), pause)
}

export interface CompiledRoutes {
  readonly matcher: Matcher
  readonly problems: readonly RouteProblem[]
}

function* compile(routes: readonly Route[], compileXPath: CompileXPath): Steps<CompiledRoutes> {
  const set = createRouteSet(compileXPath)
  const inOrder = yield* sorted(routes, byPriority)
  const ofConditions = yield* set.changeInSteps({ add: inOrder })
  const ofDestinations = yield* destinationProblems(inOrder)
  return { matcher: set.matcher, problems: [...ofConditions, ...ofDestinations] }
}

/** What is wrong with destinations, each by itself and one beside the other. */
function* destinationProblems(routes: readonly Route[]): Steps<readonly RouteProblem[]> {
  const problems: RouteProblem[] = []
  const entries: Entry[] = []
  const makers: Makers = new Map()
  for (const route of routes) {
    const complain = complaining(route, problems)
    for (const [at, template] of route.deliver.entries()) {
      const destination = compileDestination(template, at, complain, makers)
      if (destination) entries.push({ route, at, destination })
    }
    yield
  }
  yield* warnOfOverlaps(entries, (problem) => problems.push(problem))
  return problems
}

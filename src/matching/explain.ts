import type { Route } from '../domain/route.ts'
import { type Check, compileConditions, type Look } from './conditions.ts'
import type { CompiledDestination } from './destination.ts'
import type { Alternative } from './groups.ts'
import { type Decision, type ExplainedDestination, type Plan, startPlan } from './plan.ts'
import type { Subject } from './subject.ts'
import { onTakes } from './takes.ts'
import { askOnce, type CompileXPath, compileOnce } from './xpath.ts'

export interface Explanation {
  readonly routes: readonly RouteExplanation[]
  /** Routes that are left out, since so many were not asked for. */
  readonly more: number
  readonly decision: Decision
}

export interface RouteExplanation {
  readonly route: string
  readonly outcome: 'matches' | 'fails' | 'not asked'
  /** The conditions that held, in the order in which they were asked. */
  readonly held: readonly HeldCondition[]
  /** The first condition that failed. */
  readonly failed?: FailedCondition
  /** Why it wasn't asked: an earlier route that matched has `stop`, or this is an `otherwise` route and another one matched. */
  readonly notAsked?: { readonly because: 'stop' | 'otherwise'; readonly by: string }
  /** Empty unless it matches. */
  readonly destinations: readonly ExplainedDestination[]
}

export interface HeldCondition {
  /** `type`, `from`, `fields.currency`, `headers.Urgency`, `xpath`, `any`, `not`. */
  readonly condition: string
  readonly expected: string
  readonly found: string
  /** Of `any` and `not`: how each group fared. */
  readonly alternatives?: readonly Alternative[]
}

export interface FailedCondition extends HeldCondition {
  /** `fields.currency: expected EUR, found USD`, or `fields.total: absent`. */
  readonly message: string
}

export interface ExplainedRoute {
  readonly route: Route
  /** False where its conditions have an error: it never matches. */
  readonly sound: boolean
  readonly destinations: readonly CompiledDestination[]
}

/**
 * The decision with its reasons, found without the index: each route's conditions are asked one by one. What comes of it is
 * the same (a test compares them), so that one can be the measure of the other.
 *
 * @param routes In the order in which they are asked.
 */
export function explainRoutes(
  routes: readonly ExplainedRoute[],
  subject: Subject,
  compileXPath: CompileXPath,
): Explanation {
  const plan = startPlan(subject)
  const look: Look = { subject, xpath: askOnce(subject.content) }
  const once = compileOnce(compileXPath)
  const explained: RouteExplanation[] = []
  let stoppedBy: string | undefined
  const explainRank = (rank: readonly ExplainedRoute[], matched: string | undefined) => {
    for (const one of rank) {
      const { route } = one
      const because = stoppedBy === undefined ? 'otherwise' : 'stop'
      const by = stoppedBy ?? matched
      const explanation = by === undefined ? explainOne(one, look, plan, once) : notAsked(route.name, because, by)
      explained.push(explanation)
      if (explanation.outcome === 'matches' && route.stop) stoppedBy = route.name
    }
  }
  const isOtherwise = ({ route }: ExplainedRoute) => route.otherwise
  explainRank(
    routes.filter((one) => !isOtherwise(one)),
    undefined,
  )
  const matched = explained.find(({ outcome }) => outcome === 'matches')?.route
  explainRank(routes.filter(isOtherwise), matched)
  return { routes: explained, more: 0, decision: plan.decision() }
}

/** Why it isn't known whether the route matches: the message of an XPath that failed. */
export function faultOf(route: Route, subject: Subject, compileXPath: CompileXPath): string {
  const look: Look = { subject, xpath: askOnce(subject.content) }
  const failed = firstFailing(checksOf(route, compileOnce(compileXPath)), look)
  return failed?.fault?.(look) ?? 'an XPath could not be evaluated'
}

function checksOf(route: Route, compileXPath: CompileXPath): readonly Check[] {
  // Its errors were complained of when it came in.
  return compileConditions(route.when, compileXPath, () => {})
}

/** The first that fails for sure; where there is none, the first of which it isn't known. */
function firstFailing(checks: readonly Check[], look: Look): Check | undefined {
  let unknown: Check | undefined
  for (const check of checks) {
    if (check.holds(look)) continue
    if (check.fault?.(look) === undefined) return check
    unknown ??= check
  }
  return unknown
}

function notAsked(route: string, because: 'stop' | 'otherwise', by: string): RouteExplanation {
  return { route, outcome: 'not asked', held: [], notAsked: { because, by }, destinations: [] }
}

function explainOne(
  { route, sound, destinations }: ExplainedRoute,
  look: Look,
  plan: Plan,
  compileXPath: CompileXPath,
): RouteExplanation {
  if (!sound) return { route: route.name, outcome: 'fails', held: [], failed: unsound(), destinations: [] }
  const checks = [...onTakes(route, look.subject), ...checksOf(route, compileXPath)]
  const failed = firstFailing(checks, look)
  const asked = failed ? checks.slice(0, checks.indexOf(failed)) : checks
  const held = asked.filter((check) => check.holds(look)).map((check) => heldCondition(check, look))
  if (failed) {
    const fault = failed.fault?.(look)
    if (fault !== undefined) plan.addFault(route, fault)
    return { route: route.name, outcome: 'fails', held, failed: failedCondition(failed, look), destinations: [] }
  }
  return { route: route.name, outcome: 'matches', held, destinations: plan.add(route, destinations) }
}

function heldCondition(check: Check, look: Look): HeldCondition {
  const alternatives = check.alternatives?.(look)
  return {
    condition: check.name,
    expected: check.expected,
    found: check.found(look),
    ...(alternatives === undefined ? {} : { alternatives }),
  }
}

function failedCondition(check: Check, look: Look): FailedCondition {
  const held = heldCondition(check, look)
  const { condition, expected, found } = held
  const message = found === 'absent' ? `${condition}: absent` : `${condition}: expected ${expected}, found ${found}`
  return { ...held, message }
}

function unsound(): FailedCondition {
  const message = 'the route has errors, so that it never matches'
  return { condition: 'when', expected: 'conditions without errors', found: 'errors', message }
}

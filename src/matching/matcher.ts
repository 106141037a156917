import type { Route } from '../domain/route.ts'
import { type Check, compileConditions, type Look } from './conditions.ts'
import { type CompiledDestination, compileDestination } from './destination.ts'
import type { Alternative } from './groups.ts'
import { type Entry, warnOfOverlaps } from './overlap.ts'
import { type Decision, type ExplainedDestination, type Plan, startPlan } from './plan.ts'
import type { Complain, RouteProblem } from './problem.ts'
import type { Subject } from './subject.ts'
import { askOnce, type CompileXPath, compileOnce } from './xpath.ts'

export type { Alternative } from './groups.ts'
export type { Decision, ExplainedDestination, Refused } from './plan.ts'
export type { RouteProblem } from './problem.ts'
export type { CompileXPath } from './xpath.ts'

/** Routes in force. Immutable: a reload makes another one. */
export interface Matcher {
  /** Never throws for what a document holds. */
  match(subject: Subject): Decision
  /** The same decision with its reasons, route by route in the order in which they are asked. No effects. */
  explain(subject: Subject): Explanation
}

export interface Explanation {
  readonly routes: readonly RouteExplanation[]
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

interface CompiledRoute {
  readonly route: Route
  readonly checks: readonly Check[]
  /** False where its conditions have an error: it never matches. */
  readonly sound: boolean
  readonly destinations: readonly CompiledDestination[]
}

/** In the order in which they are asked: first those without `otherwise`, then, where none matched, those with it. */
interface Ranks {
  readonly ordinary: readonly CompiledRoute[]
  readonly otherwise: readonly CompiledRoute[]
}

/**
 * Compiles all routes and finds what is wrong with them. The matcher is usable in any case; a configuration with errors is not
 * to be run (docs/operations.md, guarantee 8). Whether fields exist, and are fit for what is asked of them, is for the configuration to say.
 */
export function compileRoutes(
  routes: readonly Route[],
  compileXPath: CompileXPath,
): { readonly matcher: Matcher; readonly problems: readonly RouteProblem[] } {
  const problems: RouteProblem[] = []
  const once = compileOnce(compileXPath)
  const compiled = [...routes].sort(byPriority).map((route) => compileRoute(route, once, problems))
  const entries = compiled.flatMap(({ route, destinations }): Entry[] =>
    destinations.map((destination) => ({
      route,
      at: route.deliver.indexOf(destination.template),
      destination,
    })),
  )
  warnOfOverlaps(entries, (problem) => problems.push(problem))
  return { matcher: createMatcher(ranked(compiled)), problems }
}

/** Larger priority first, then by name in the order of code points. */
function byPriority(a: Route, b: Route): number {
  return b.priority - a.priority || compareCodePoints(a.name, b.name)
}

// Plain `<` compares UTF-16 units, which puts U+FF5E after U+1F600.
function compareCodePoints(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)]
  for (let at = 0; at < left.length && at < right.length; at++) {
    const difference = left[at]!.codePointAt(0)! - right[at]!.codePointAt(0)!
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

function compileRoute(route: Route, compileXPath: CompileXPath, problems: RouteProblem[]): CompiledRoute {
  const complain: Complain = (code, path, message, severity = 'error') =>
    problems.push({ route: route.name, path, message, severity, code })
  const before = problems.length
  const checks = compileConditions(route.when, compileXPath, complain)
  const sound = problems.slice(before).every(({ severity }) => severity !== 'error')
  const destinations = route.deliver.flatMap((template, at) => compileDestination(template, at, complain) ?? [])
  return { route, checks, sound, destinations }
}

function ranked(compiled: readonly CompiledRoute[]): Ranks {
  return {
    ordinary: compiled.filter(({ route }) => !route.otherwise),
    otherwise: compiled.filter(({ route }) => route.otherwise),
  }
}

function createMatcher(all: Ranks): Matcher {
  const byType = rankedByType(all)
  return {
    match(subject) {
      const plan = startPlan(subject)
      const look = lookAt(subject)
      const { ordinary, otherwise } = byType(subject.type)
      if (askAll(ordinary, look, plan) === 0) askAll(otherwise, look, plan)
      return plan.decision()
    },
    explain: (subject) => explain(all, subject),
  }
}

/** Gives how many matched. */
function askAll(routes: readonly CompiledRoute[], look: Look, plan: Plan): number {
  let matched = 0
  for (const compiled of routes) {
    if (!ask(compiled, look, plan)) continue
    matched++
    if (compiled.route.stop) break
  }
  return matched
}

/** Routes that name another type can't match: for each type, those that are left, in the same order. */
function rankedByType({ ordinary, otherwise }: Ranks): (type: string) => Ranks {
  const names = new Set([...ordinary, ...otherwise].flatMap(({ route }) => route.when.type ?? []))
  const of = (type: string | undefined): Ranks => ({
    ordinary: ordinary.filter((compiled) => mayMatch(compiled, type)),
    otherwise: otherwise.filter((compiled) => mayMatch(compiled, type)),
  })
  const known = new Map([...names].map((name) => [name, of(name)]))
  const untyped = of(undefined)
  return (type) => known.get(type) ?? untyped
}

function mayMatch({ route, sound }: CompiledRoute, type: string | undefined): boolean {
  if (!sound) return false
  return route.when.type === undefined || (type !== undefined && route.when.type.includes(type))
}

function lookAt(subject: Subject): Look {
  return { subject, xpath: askOnce(subject.content) }
}

function ask({ route, checks, destinations }: CompiledRoute, look: Look, plan: Plan): boolean {
  const failed = checks.find((check) => !check.holds(look))
  if (!failed) {
    plan.add(route, destinations)
    return true
  }
  const fault = failed.fault?.(look)
  if (fault !== undefined) plan.addFault(route, fault)
  return false
}

function explain({ ordinary, otherwise }: Ranks, subject: Subject): Explanation {
  const plan = startPlan(subject)
  const look = lookAt(subject)
  const routes: RouteExplanation[] = []
  let stoppedBy: string | undefined
  let matched: string | undefined
  const explainRank = (rank: readonly CompiledRoute[]) => {
    for (const compiled of rank) {
      const { route } = compiled
      const because = stoppedBy === undefined ? 'otherwise' : 'stop'
      const by = stoppedBy ?? (rank === otherwise ? matched : undefined)
      const explanation = by === undefined ? explainOne(compiled, look, plan) : notAsked(route.name, because, by)
      routes.push(explanation)
      if (explanation.outcome === 'matches' && route.stop) stoppedBy = route.name
    }
  }
  explainRank(ordinary)
  matched = routes.find(({ outcome }) => outcome === 'matches')?.route
  explainRank(otherwise)
  return { routes, decision: plan.decision() }
}

function notAsked(route: string, because: 'stop' | 'otherwise', by: string): RouteExplanation {
  return { route, outcome: 'not asked', held: [], notAsked: { because, by }, destinations: [] }
}

function explainOne({ route, checks, sound, destinations }: CompiledRoute, look: Look, plan: Plan): RouteExplanation {
  if (!sound) return { route: route.name, outcome: 'fails', held: [], failed: unsound(), destinations: [] }
  const at = checks.findIndex((check) => !check.holds(look))
  const held = (at < 0 ? checks : checks.slice(0, at)).map((check) => heldCondition(check, look))
  const failed = checks[at]
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

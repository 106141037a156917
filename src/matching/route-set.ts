import type { Route } from '../domain/route.ts'
import { type CompiledDestination, compileDestination } from './destination.ts'
import { type ExplainedRoute, type Explanation, explainRoutes, faultOf } from './explain.ts'
import { gated } from './index/expressions.ts'
import { createRouteIndex } from './index/route-index.ts'
import { UNKNOWN, YES } from './index/verdicts.ts'
import { byPriority, firstAsked } from './order.ts'
import { type Decision, startPlan } from './plan.ts'
import type { Complain, RouteProblem } from './problem.ts'
import { atOnce, inSlices, type Pause, type Steps } from './slices.ts'
import type { Subject } from './subject.ts'
import { takes } from './takes.ts'
import type { CompileXPath } from './xpath.ts'

/** Routes in force. */
export interface Matcher {
  /** Never throws for what a document holds. */
  match(subject: Subject): Decision
  /** The routes that {@link match} would take, in the order in which they are asked; nothing is planned. */
  matching(subject: Subject): readonly Route[]
  /**
   * The same decision with its reasons, route by route in the order in which they are asked. No effects.
   *
   * @param most Of more routes, those that match come first, then those that are asked first: each takes some microseconds.
   */
  explain(subject: Subject, most?: number): Explanation
  /** Names of the routes that have to be asked of every document, since nothing in their conditions can be looked up. */
  scanned(): readonly string[]
}

/**
 * Routes that change while documents come in. A reader sees those of before a change or those of after it, never a mix; whoever
 * makes a change waits for the one before.
 */
export interface RouteSet {
  readonly matcher: Matcher
  /**
   * Takes routes out by their names and puts others in, in small slices; then all of it comes into force at once. A route
   * replaces the one of its name. Routes with errors never match.
   *
   * @param pause Called between slices of about a millisecond: lets documents in.
   * @returns what is wrong with the routes that came in
   */
  change(change: RouteChange, pause: Pause): Promise<readonly RouteProblem[]>
  /** The same in one go. */
  changeAtOnce(change: RouteChange): readonly RouteProblem[]
  /** The same for whoever goes through the steps himself; no other change may be under way. */
  changeInSteps(change: RouteChange): Steps<readonly RouteProblem[]>
}

export interface RouteChange {
  /** Names; unknown ones don't matter. */
  readonly remove?: Iterable<string>
  readonly add?: Iterable<Route>
}

export function createRouteSet(compileXPath: CompileXPath): RouteSet {
  const index = createRouteIndex<Route>(compileXPath)
  const byExplanation = gated(compileXPath)
  let unsound: ReadonlyMap<string, Route> = new Map()
  const destinationsOf = keptDestinations()
  let last: Promise<unknown> = Promise.resolve()

  function* apply({ remove = [], add = [] }: RouteChange): Steps<readonly RouteProblem[]> {
    const problems: RouteProblem[] = []
    const nextUnsound = new Map(unsound)
    const takeOut = (name: string) => {
      const entry = index.find(name)
      if (entry !== undefined) index.remove(entry)
      if (nextUnsound.size > 0) nextUnsound.delete(name)
    }
    for (const name of remove) {
      takeOut(name)
      yield
    }
    for (const route of add) {
      takeOut(route.name)
      const entry = index.add(route, route.when, complaining(route, problems))
      if (entry === undefined) nextUnsound.set(route.name, route)
      yield
    }
    index.publish()
    unsound = nextUnsound
    while (index.sweep(1)) yield
    return problems
  }

  function matched(subject: Subject): readonly Found[] {
    const candidates = index.candidates(subject)
    const ordinary: Found[] = []
    const otherwise: number[] = []
    for (const entry of candidates) {
      if (!takes(index.at(entry), subject)) continue
      if (index.at(entry).otherwise) otherwise.push(entry)
      else verify(entry, ordinary)
    }
    const found = inOrder(ordinary)
    if (found.some(({ matches }) => matches)) return found
    const others: Found[] = []
    for (const entry of otherwise) verify(entry, others)
    return others.length === 0 ? found : [...found, ...inOrder(others)]
  }

  function verify(entry: number, found: Found[]): void {
    const verdict = index.verdict(entry)
    if (verdict === YES || verdict === UNKNOWN) found.push({ route: index.at(entry), matches: verdict === YES })
  }

  /** What is said of each is what would be said among all, as long as those that match are among them. */
  function explainSome(routes: readonly Route[], subject: Subject): Explanation {
    const explained = routes.map((route): ExplainedRoute => {
      return { route, sound: !unsound.has(route.name), destinations: destinationsOf(route) }
    })
    return explainRoutes(
      explained.sort((a, b) => byPriority(a.route, b.route)),
      subject,
      byExplanation,
    )
  }

  const matcher: Matcher = {
    match(subject) {
      const plan = startPlan(subject)
      for (const { route, matches } of matched(subject)) {
        if (matches) plan.add(route, destinationsOf(route))
        else plan.addFault(route, faultOf(route, subject, byExplanation))
      }
      return plan.decision()
    },
    matching: (subject) => matched(subject).flatMap(({ route, matches }) => (matches ? [route] : [])),
    explain(subject, most = Number.POSITIVE_INFINITY) {
      const all = [...index.items(), ...unsound.values()]
      if (all.length <= most) return explainSome(all, subject)
      const found = matched(subject).map(({ route }) => route)
      const told = new Set(found.slice(0, most))
      const others = all.filter((route) => !told.has(route))
      const { routes } = explainSome([...told, ...firstAsked(others, most - told.size)], subject)
      return { routes, more: all.length - routes.length, decision: matcher.match(subject) }
    },
    scanned: () => index.scanned().map(({ name }) => name),
  }

  return {
    matcher,
    change(change, pause) {
      const result = last.then(() => inSlices(apply(change), pause))
      last = result.catch(() => {})
      return result
    },
    changeAtOnce: (change) => atOnce(apply(change)),
    changeInSteps: apply,
  }
}

interface Found {
  readonly route: Route
  /** False: it isn't known, since an XPath failed. */
  readonly matches: boolean
}

/** In the order in which routes are asked, up to the first that matches and stops. */
function inOrder(found: Found[]): readonly Found[] {
  if (found.length > 1) found.sort((a, b) => byPriority(a.route, b.route))
  const stop = found.findIndex(({ route, matches }) => matches && route.stop)
  return stop < 0 ? found : found.slice(0, stop + 1)
}

export function complaining(route: Route, problems: RouteProblem[]): Complain {
  return (code, path, message, severity = 'error') => {
    problems.push({ route: route.name, path, message, severity, code })
  }
}

/** Compiled destinations of routes that matched lately: most routes of many match seldom. */
const DESTINATIONS_KEPT = 20_000

function keptDestinations(): (route: Route) => readonly CompiledDestination[] {
  const kept = new Map<Route, readonly CompiledDestination[]>()
  return (route) => {
    const known = kept.get(route)
    if (known) return known
    if (kept.size >= DESTINATIONS_KEPT) kept.clear()
    const compiled = route.deliver.flatMap((template, at) => compileDestination(template, at, () => {}) ?? [])
    kept.set(route, compiled)
    return compiled
  }
}

import { destinationName } from '../domain/delivery.ts'
import type { Route } from '../domain/route.ts'
import { canonical, canonicalWhen, implies } from './implied.ts'
import { byPriority } from './order.ts'
import type { RouteRemark } from './remark.ts'
import { takesAll } from './takes.ts'

/** Comparisons at most, so that a hundred thousand routes don't take a day; each is some microseconds. */
const COMPARISONS_AT_MOST = 5_000_000

/**
 * Routes that are never asked, since one above them takes all of their documents and stops, or is there for them where they are
 * for the rest only; and routes that say the same as another one.
 */
export function shadowedRoutes(routes: readonly Route[]): readonly RouteRemark[] {
  const ordered = [...routes].sort(byPriority)
  return [...shadowed(ordered), ...duplicated(ordered)]
}

function shadowed(ordered: readonly Route[]): readonly RouteRemark[] {
  const remarks: RouteRemark[] = []
  const stops = byType(ordered.filter(({ stop }) => stop))
  const ordinary = byType(ordered.filter(({ otherwise }) => !otherwise))
  const rank = new Map(ordered.map((route, at) => [route, at]))
  let left = COMPARISONS_AT_MOST
  for (const route of ordered) {
    const above = route.otherwise
      ? [...candidates(ordinary, route), ...candidates(stops, route)]
      : candidates(stops, route)
    for (const other of above) {
      if (other === route || (other.otherwise && !route.otherwise)) continue
      if (other.otherwise === route.otherwise && rank.get(other)! > rank.get(route)!) continue
      left -= 1
      if (left < 0) return remarks
      if (!takesAll(route, other) || !implies(route.when, other.when)) continue
      remarks.push(shadowedBy(route, other))
      break
    }
  }
  return remarks
}

function shadowedBy({ name, otherwise }: Route, other: Route): RouteRemark {
  const reason =
    otherwise && !other.otherwise
      ? 'matches all that this one is for'
      : 'comes first, matches all that this one does, and stops'
  return {
    route: name,
    path: ['name'],
    code: 'route-shadowed',
    message: `It is never asked: route ${other.name} ${reason}`,
  }
}

type ByType = ReadonlyMap<string, readonly Route[]>

/** For each type the routes that may take all of its documents; '' for routes that name none. */
function byType(routes: readonly Route[]): ByType {
  const found = new Map<string, Route[]>()
  for (const route of routes) {
    for (const name of route.when.type ?? ['']) {
      const known = found.get(name)
      if (known) known.push(route)
      else found.set(name, [route])
    }
  }
  return found
}

function candidates(routes: ByType, { when }: Route): readonly Route[] {
  const [first] = when.type ?? []
  return [...(routes.get('') ?? []), ...(first === undefined ? [] : (routes.get(first) ?? []))]
}

function duplicated(ordered: readonly Route[]): readonly RouteRemark[] {
  const known = new Map<string, Route>()
  return ordered.flatMap((route): readonly RouteRemark[] => {
    const key = `${route.otherwise} ${route.takes} ${canonicalWhen(route)} ${canonical(route.deliver.map(({ target }) => destinationName(target)))}`
    const first = known.get(key)
    if (!first) {
      known.set(key, route)
      return []
    }
    const message = `It says the same as route ${first.name}: the same conditions, the same destinations`
    return [{ route: route.name, path: ['name'], code: 'route-duplicate', message }]
  })
}

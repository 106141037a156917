import type { Route } from '../domain/route.ts'

/** The order in which routes are asked: larger priority first, then by name in the order of code points. */
export function byPriority(a: Route, b: Route): number {
  return b.priority - a.priority || compareCodePoints(a.name, b.name)
}

/** The first so many in that order, `otherwise` behind all others, without putting the rest in order. */
export function firstAsked(routes: Iterable<Route>, most: number): readonly Route[] {
  if (most <= 0) return []
  let first: Route[] = []
  let bound: Route | undefined
  for (const route of routes) {
    if (bound && asAsked(route, bound) > 0) continue
    first.push(route)
    if (first.length < 2 * most) continue
    first = first.sort(asAsked).slice(0, most)
    bound = first.at(-1)
  }
  return first.sort(asAsked).slice(0, most)
}

function asAsked(a: Route, b: Route): number {
  return Number(a.otherwise) - Number(b.otherwise) || byPriority(a, b)
}

function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const [one, other] = [a.charCodeAt(at), b.charCodeAt(at)]
    if (one !== other) return rankOf(one) - rankOf(other)
  }
  return a.length - b.length
}

/** UTF-16 units of surrogate pairs stand for what comes after all others: plain `<` puts U+FF5E after U+1F600. */
function rankOf(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

import { destinationName } from '../domain/delivery.ts'
import { jidPattern } from '../domain/jid.ts'
import type { Conditions, DestinationTemplate, Route } from '../domain/route.ts'
import { compileAllow } from './allow.ts'
import type { RouteRemark } from './remark.ts'
import { parseTemplate } from './template.ts'
import { compileValueConditions } from './value.ts'

/** What comes back into Waybill: nodes that it subscribes to, and its own domain. */
export interface Entrances {
  readonly domain: string
  readonly nodes: readonly { readonly service: string; readonly node: string; readonly from: 'publisher' | 'service' }[]
}

/** A way by which documents come back: a subscribed node, or the domain itself. */
interface Entrance {
  readonly name: string
  /** Whether a route may take what comes in here. */
  readonly feeds: (route: Route) => boolean
  /** Whether a destination may lead here. */
  readonly isReachedBy: (template: DestinationTemplate) => boolean
}

/**
 * Destinations from which documents come back in and may be sent there again, directly or by way of other routes. Copies of what
 * Waybill sent itself are refused when they come in; a loop costs a refusal for each, and one that goes through somebody
 * who sends it anew never ends.
 */
export function findLoops(routes: readonly Route[], entrances: Entrances): readonly RouteRemark[] {
  const all = [...entrances.nodes.map(nodeEntrance), domainEntrance(entrances.domain)]
  const edges = all.map((entrance) => ({
    entrance,
    exits: exitsOf(routes, entrance, all),
  }))
  const next = new Map(edges.map(({ entrance, exits }) => [entrance, new Set(exits.map(({ to }) => to))]))
  const remarks = new Map<string, RouteRemark>()
  for (const { entrance, exits } of edges) {
    for (const { route, at, to } of exits) {
      const path = wayFrom(to, entrance, next)
      if (!path) continue
      const way = [entrance, ...path].map(({ name }) => name).join(' → ')
      const message = `What it delivers comes back in and may be delivered again: ${way}`
      remarks.set(`${route.name} ${at}`, { route: route.name, path: ['deliver', at], code: 'loop', message })
    }
  }
  return [...remarks.values()]
}

interface Exit {
  readonly route: Route
  readonly at: number
  readonly to: Entrance
}

function exitsOf(routes: readonly Route[], from: Entrance, all: readonly Entrance[]): readonly Exit[] {
  return routes.filter(from.feeds).flatMap((route) =>
    route.deliver.flatMap((template, at) => {
      return all.filter((entrance) => entrance.isReachedBy(template)).map((to) => ({ route, at, to }))
    }),
  )
}

/** The entrances on a way from one to another, both included; the one alone where they are the same. */
function wayFrom(
  start: Entrance,
  goal: Entrance,
  next: ReadonlyMap<Entrance, ReadonlySet<Entrance>>,
): readonly Entrance[] | undefined {
  const ways = new Map<Entrance, readonly Entrance[]>([[start, [start]]])
  for (const [entrance, way] of ways) {
    if (entrance === goal) return way
    for (const one of next.get(entrance) ?? []) if (!ways.has(one)) ways.set(one, [...way, one])
  }
  return undefined
}

function nodeEntrance({ service, node, from }: Entrances['nodes'][number]): Entrance {
  const name = destinationName({ kind: 'node', service, node })
  return {
    name,
    feeds: ({ when }) => mayTake(when, { stanza: ['event'], node, from: from === 'service' ? service : undefined }),
    isReachedBy: ({ target, allow }) => {
      if (target.kind !== 'node' || target.service !== service) return false
      return mayFill(target.node, allow, node)
    },
  }
}

function domainEntrance(domain: string): Entrance {
  return {
    name: domain,
    // Waybill's own messages come from its domain, and publish to no node of its own.
    feeds: ({ when }) => mayTake(when, { stanza: ['message', 'iq'], node: '', from: domain }),
    isReachedBy: ({ target }) => {
      if (target.kind !== 'jid') return false
      const bare = target.jid.split('/')[0]!
      return bare === domain || bare.endsWith(`@${domain}`)
    },
  }
}

interface Incoming {
  readonly stanza: readonly string[]
  readonly node: string
  /** Undefined where it may be anybody. */
  readonly from: string | undefined
}

/** Whether some document that comes that way may meet the conditions. What else they ask may always hold. */
function mayTake(when: Conditions, { stanza, node, from }: Incoming): boolean {
  if (when.stanza && !when.stanza.some((one) => stanza.includes(one))) return false
  if (when.node && !compileValueConditions(when.node).holds(node === '' ? [] : [node])) return false
  if (when.from && from !== undefined && !when.from.some((pattern) => jidPattern(pattern)?.(from))) return false
  const groups = { stanza, node, from }
  if (!(when.all ?? []).every((group) => mayTake(group, groups))) return false
  return when.any === undefined || when.any.some((group) => mayTake(group, groups))
}

function mayFill(template: string, allow: string | undefined, name: string): boolean {
  const parsed = parseTemplate(template)
  if (!parsed || parsed.places.length === 0) return template === name
  const shape = parsed.parts.map((part) => (part.kind === 'text' ? escaped(part.text) : '.+')).join('')
  if (!new RegExp(`^${shape}$`, 'su').test(name)) return false
  return allow === undefined || (compileAllow(allow)?.test(name) ?? false)
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

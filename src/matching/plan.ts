import { type Destination, destinationName, type PlannedDelivery } from '../domain/delivery.ts'
import { bareJid } from '../domain/jid.ts'
import type { DestinationTemplate, Order, Route } from '../domain/route.ts'
import type { CompiledDestination, Refusal, RefusalReason } from './destination.ts'
import type { Subject } from './subject.ts'
import { fillBody } from './template.ts'
import { showText, valuesOf } from './value.ts'

/** What matching decides for one document. */
export interface Decision {
  /** At most one for each destination, in the order of the routes, of their `deliver` and of the values. */
  readonly deliveries: readonly PlannedDelivery[]
  /**
   * One for each template of which something could not be filled, named by the template itself: nothing that may be sent, but
   * what has to be kept as a dead letter so that it isn't lost.
   */
  readonly impossible: readonly PlannedDelivery[]
  /** Names of the routes that matched, in the order in which they were asked. */
  readonly routes: readonly string[]
  /** Everything that could not be filled, or that `allow` refused. Nothing of it is on its way. */
  readonly refused: readonly Refused[]
}

export interface Refused {
  readonly route: string
  /** The template; '' where an XPath failed, so that it isn't known whether the route matches. */
  readonly destination: string
  readonly reason: RefusalReason | 'xpath-failed'
  /** The value found, cut to 80 characters. */
  readonly value: string
}

/** What one route asks for one entry of its `deliver`: for explanations. */
export interface ExplainedDestination {
  /** The template, written like a destination. */
  readonly template: string
  readonly filled: readonly { readonly destination: string; readonly owner: string }[]
  readonly refusals: readonly Refusal[]
}

/** The deliveries of one document, put together route by route. */
export interface Plan {
  /** A route that matched: what it asks for is planned, except for destinations that an earlier route owns. */
  add(route: Route, destinations: readonly CompiledDestination[]): readonly ExplainedDestination[]
  /** A route of which it isn't known whether it matches. Unknown is not yes. */
  addFault(route: Route, message: string): void
  decision(): Decision
}

export function startPlan(subject: Subject): Plan {
  const planned = new Map<string, PlannedDelivery>()
  const impossible = new Map<string, PlannedDelivery>()
  const routes: string[] = []
  const refused: Refused[] = []

  function addOne(route: Route, { template, target, fill }: CompiledDestination): ExplainedDestination {
    const { destinations, refusals } = fill(subject)
    const name = destinationName(target)
    const filled = destinations.map((destination) => {
      const owner = claim(planned, deliveryOf(route, template, destination, subject))
      return { destination: destinationName(destination), owner }
    })
    for (const { reason, value } of refusals) refused.push({ route: route.name, destination: name, reason, value })
    if (refusals.length > 0) {
      const why = { reason: 'address-refused', text: textOf(name, refusals) } as const
      claim(impossible, { ...deliveryOf(route, template, target, subject), impossible: why })
    }
    return { template: name, filled, refusals }
  }

  return {
    add(route, destinations) {
      routes.push(route.name)
      return destinations.map((compiled) => addOne(route, compiled))
    },
    addFault(route, message) {
      refused.push({ route: route.name, destination: '', reason: 'xpath-failed', value: showText(message) })
    },
    decision: () => ({
      deliveries: [...planned.values()],
      impossible: [...impossible.values()],
      routes,
      refused,
    }),
  }
}

/** The first to ask for a destination owns it; gives the owner's name. */
function claim(owned: Map<string, PlannedDelivery>, delivery: PlannedDelivery): string {
  const name = destinationName(delivery.destination)
  const owner = owned.get(name) ?? delivery
  owned.set(name, owner)
  return owner.route
}

function textOf(template: string, refusals: readonly Refusal[]): string {
  const shown = refusals.slice(0, 3).map(({ text }) => text)
  const rest = refusals.length - shown.length
  return `Cannot fill ${template}: ${shown.join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`
}

function deliveryOf(
  route: Route,
  template: DestinationTemplate,
  destination: Destination,
  subject: Subject,
): PlannedDelivery {
  const { retry, confirm, confirmTimeoutMs, as, body, create } = template
  const lane = laneOf(route.order, subject)
  return {
    destination,
    route: route.name,
    options: {
      retry,
      confirm,
      confirmTimeoutMs,
      ...(as === undefined ? {} : { as }),
      ...(body === undefined ? {} : { body: fillBody(body, subject) }),
      ...(create === undefined ? {} : { create }),
    },
    ...(lane === undefined ? {} : { lane }),
    ...(route.expiresMs === undefined ? {} : { expiresMs: route.expiresMs }),
    priority: route.priority,
  }
}

const LANE_CHARACTERS = 256

/**
 * The order key (docs/operations.md, guarantee 4): the sender's bare JID, or the field's first value as text, cut to 256 characters (longer ones
 * with the same beginning share a lane: more order than asked for, never less). A document without the field has no place in
 * any order: undefined.
 */
export function laneOf(order: Order, subject: Subject): string | undefined {
  switch (order.by) {
    case 'none':
      return undefined
    case 'sender':
      return bareJid(subject.origin.from)
    case 'field': {
      const [first] = valuesOf(subject.fields, order.field)
      if (first === undefined || first === null) return undefined
      return String(first)
        .replace(/\p{Cs}/gu, '\uFFFD')
        .slice(0, LANE_CHARACTERS)
        .replace(/\p{Cs}$/u, '')
    }
  }
}

import { type Destination, destinationName } from '../domain/delivery.ts'
import type { Route } from '../domain/route.ts'
import type { CompiledDestination } from './destination.ts'
import type { RouteProblem } from './problem.ts'
import type { Steps } from './slices.ts'

/** A route's entry in `deliver`. */
export interface Entry {
  readonly route: Route
  /** Its place in the route's `deliver`. */
  readonly at: number
  readonly destination: CompiledDestination
}

/**
 * Warns of entries that can reach the same destination with different options: the first matching route owns the delivery
 * (docs/routes.md, rule 5), so the other's options are then not used.
 *
 * @param entries In the order in which routes are asked.
 */
export function* warnOfOverlaps(entries: readonly Entry[], warn: (problem: RouteProblem) => void): Steps {
  const byName = new Map<string, Entry>()
  const nameOf = namesOf()
  const templates = yield* templatesByHome(entries)
  for (let rank = 0; rank < entries.length; rank++) {
    if (rank % BETWEEN === 0) yield
    const entry = entries[rank]!
    const name = nameOf(entry.destination.target)
    const same = byName.get(name)
    if (same) compareOptions(same, entry, warn)
    else byName.set(name, entry)
    if (entry.destination.places.length > 0 || templates.size === 0) continue
    for (const other of templates.get(homeOf(entry.destination.target)) ?? []) {
      if (!reaches(other.entry.destination, entry.destination.target)) continue
      if (other.rank < rank) compareOptions(other.entry, entry, warn)
      else compareOptions(entry, other.entry, warn)
    }
  }
}

/** A step looks at so many entries, most of which are soon done with. */
const BETWEEN = 8

/** Entries with the same address have one target between them. */
function namesOf(): (target: Destination) => string {
  const known = new Map<Destination, string>()
  return (target) => {
    const name = known.get(target) ?? destinationName(target)
    known.set(target, name)
    return name
  }
}

interface Ranked {
  readonly entry: Entry
  readonly rank: number
}

function* templatesByHome(entries: readonly Entry[]): Steps<ReadonlyMap<string, readonly Ranked[]>> {
  const templates = new Map<string, Ranked[]>()
  for (let rank = 0; rank < entries.length; rank++) {
    if (rank % BETWEEN === 0) yield
    const entry = entries[rank]!
    if (entry.destination.places.length === 0) continue
    const home = homeOf(entry.destination.target)
    const known = templates.get(home)
    if (known) known.push({ entry, rank })
    else templates.set(home, [{ entry, rank }])
  }
  return templates
}

/** Destinations of two homes are never the same. */
function homeOf(target: Destination): string {
  return target.kind === 'node' ? target.service : `@${target.jid.replace(/^[^@/]*@/, '').replace(/\/.*$/s, '')}`
}

function reaches(template: CompiledDestination, target: Destination): boolean {
  return template.allow?.test(target.kind === 'node' ? target.node : target.jid) ?? false
}

function compareOptions(owner: Entry, other: Entry, warn: (problem: RouteProblem) => void): void {
  if (owner.route === other.route || !canMatchTogether(owner.route, other.route)) return
  const differing = differences(owner, other)
  if (differing.length === 0) return
  const name = destinationName(other.destination.target)
  warn({
    route: other.route.name,
    path: ['deliver', other.at],
    message: `${name} is reached by route ${owner.route.name} too, which comes first: where both match, its ${differing.join(', ')} counts`,
    severity: 'warning',
    code: 'options-differ',
  })
}

// Only what is plain: types that exclude each other, and one route being asked only where the other did not match.
function canMatchTogether(one: Route, other: Route): boolean {
  if (one.otherwise !== other.otherwise) return false
  const [types, others] = [one.when.type, other.when.type]
  return types === undefined || others === undefined || types === others || others.some((type) => types.includes(type))
}

const OF_TEMPLATES = ['confirm', 'confirmTimeoutMs', 'retry', 'as', 'body', 'create'] as const
const OF_ROUTES = ['order', 'expiresMs'] as const

function differences(owner: Entry, other: Entry): string[] {
  const [template, otherTemplate] = [owner.destination.template, other.destination.template]
  const differing: string[] = []
  if (template !== otherTemplate) {
    for (const key of OF_TEMPLATES) if (!isSame(template[key], otherTemplate[key])) differing.push(NAMES[key] ?? key)
  }
  for (const key of OF_ROUTES) if (!isSame(owner.route[key], other.route[key])) differing.push(NAMES[key] ?? key)
  return differing
}

/** Where the configuration's word is another than ours. */
const NAMES: Readonly<Record<string, string>> = { confirmTimeoutMs: 'confirmTimeout', expiresMs: 'expires' }

function isSame(one: unknown, other: unknown): boolean {
  return one === other || canonical(one) === canonical(other)
}

function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined'
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

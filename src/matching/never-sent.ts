import { type DocumentType, typeKey } from '../domain/document-type.ts'
import { patternsOverlap } from '../domain/jid-overlap.ts'
import type { Conditions, Route } from '../domain/route.ts'
import type { RemarkCode } from './remark.ts'

/** A pattern of senders in a type or a route that nobody matches who may send. */
export interface NeverSent {
  readonly kind: 'DocumentType' | 'Route'
  readonly name: string
  /** Place in its YAML. */
  readonly path: readonly (string | number)[]
  readonly code: RemarkCode
  readonly message: string
}

/** Only what is plain: a pattern that has no JID in common with any of those that it would have to. */
export function findNeverSent(
  types: readonly DocumentType[],
  routes: readonly Route[],
  senders: readonly string[],
): readonly NeverSent[] {
  // That nobody may send at all is said elsewhere.
  if (senders.length === 0) return []
  const matched = matchedByAny(senders)
  return [
    ...types.flatMap((type) => ofType(type, matched)),
    ...routes.flatMap((route) => ofRoute(route, types, matched)),
  ]
}

function ofType(type: DocumentType, matched: (pattern: string) => boolean): readonly NeverSent[] {
  return (type.senders ?? []).flatMap((pattern): readonly NeverSent[] => {
    if (matched(pattern)) return []
    const message = `${pattern} lets nobody send: the installation's senders allow no JID that it matches`
    return [{ kind: 'DocumentType', name: typeKey(type), path: ['senders'], code: 'sender-impossible', message }]
  })
}

function ofRoute(
  { name, when }: Route,
  types: readonly DocumentType[],
  matched: (pattern: string) => boolean,
): readonly NeverSent[] {
  const patterns = patternsOf(when, ['when'])
  if (patterns.length === 0) return []
  const ofTypes = sendersOfTypes(when, types)
  const matchedOfTypes = ofTypes && matchedByAny(ofTypes)
  return patterns.flatMap(({ pattern, path }): readonly NeverSent[] => {
    const whose = !matched(pattern)
      ? "the installation's senders"
      : matchedOfTypes && !matchedOfTypes(pattern) && `the senders of ${when.type!.join(', ')}`
    if (!whose) return []
    const message = `${pattern} is nobody: ${whose} allow no JID that it matches`
    return [{ kind: 'Route', name, path, code: 'sender-impossible', message }]
  })
}

/** Undefined where one of the types that are asked for has no senders of its own. */
function sendersOfTypes(when: Conditions, types: readonly DocumentType[]): readonly string[] | undefined {
  const asked = types.filter(({ name }) => when.type?.includes(name))
  if (asked.length === 0 || when.type!.some((name) => asked.every((type) => type.name !== name))) return undefined
  const senders = asked.map((type) => type.senders)
  return senders.every((one) => one !== undefined) ? senders.flat() : undefined
}

interface Placed {
  readonly pattern: string
  readonly path: NeverSent['path']
}

/** Where `not` stands before it, a pattern that nobody matches takes nothing away. */
function patternsOf(group: Conditions, path: NeverSent['path']): readonly Placed[] {
  const own = (group.from ?? []).map((pattern, at) => ({ pattern, path: [...path, 'from', at] }))
  const inner = (['all', 'any'] as const).flatMap((key) =>
    (group[key] ?? []).flatMap((one, at) => patternsOf(one, [...path, key, at])),
  )
  return [...own, ...inner]
}

/** Many routes name the same patterns. */
function matchedByAny(senders: readonly string[]): (pattern: string) => boolean {
  const known = new Map<string, boolean>()
  return (pattern) => {
    const before = known.get(pattern)
    if (before !== undefined) return before
    const matched = senders.some((sender) => patternsOverlap(pattern, sender))
    known.set(pattern, matched)
    return matched
  }
}

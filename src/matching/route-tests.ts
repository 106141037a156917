import { normaliseJid } from '../domain/jid.ts'
import type { Route, RouteTest } from '../domain/route.ts'
import type { Explanation, RouteExplanation } from './matcher.ts'
import { showText } from './value.ts'

export interface Judgement {
  readonly passed: boolean
  /** Why not, with what was found; what held, where it passed. */
  readonly message: string
}

/**
 * Whether a document fared as a test of a route says. `delivers` names what this route sends it to, in any order, whoever owns
 * the delivery; `because` names the condition of this route that failed first (`currency` or `fields.currency`, `xpath`,
 * `from` …), `stop` or `otherwise` where it wasn't asked, or the reason for which an address was refused (`allow`, `absent` …).
 *
 * @param route The one that the test stands in.
 */
export function judgeRouteTest(route: Pick<Route, 'name'>, test: RouteTest, explanation: Explanation): Judgement {
  const own = explanation.routes.find((candidate) => candidate.route === route.name)
  if (!own) return { passed: false, message: `Cannot judge the test: there is no route ${route.name}` }
  const found = [...new Set(own.destinations.flatMap(({ filled }) => filled.map(({ destination }) => destination)))]
  const expected = [...new Set(test.delivers.map(normaliseDestination))]
  const missing = expected.filter((name) => !found.includes(name))
  const unexpected = found.filter((name) => !expected.includes(name))
  if (missing.length > 0 || unexpected.length > 0) {
    return { passed: false, message: differ(missing, unexpected, own) }
  }
  const reasons = reasonsOf(own)
  if (test.because !== undefined && !reasons.some((reason) => isNamed(reason, test.because!))) {
    const actual = reasons.length === 0 ? 'nothing stood in the way' : `it was ${reasons.join(', ')}`
    return { passed: false, message: `expected because ${test.because}, but ${actual} (${describe(own)})` }
  }
  return { passed: true, message: describe(own) }
}

/** A destination as somebody wrote it: a JID is normalised, a node is taken as it stands but for its service. */
function normaliseDestination(name: string): string {
  const node = /^xmpp:([^?]*)(\?;node=.*)$/s.exec(name)
  if (node) return `xmpp:${normaliseJid(node[1]!) ?? node[1]!}${node[2]!}`
  return normaliseJid(name) ?? name
}

/** Why the route, or some address of it, had no effect. */
function reasonsOf({ failed, notAsked, destinations }: RouteExplanation): readonly string[] {
  if (failed) return [failed.condition]
  if (notAsked) return [notAsked.because]
  return [...new Set(destinations.flatMap(({ refusals }) => refusals.map(({ reason }) => reason)))]
}

function isNamed(reason: string, because: string): boolean {
  return reason === because || reason === `fields.${because}` || reason === `headers.${because}`
}

function differ(missing: readonly string[], unexpected: readonly string[], own: RouteExplanation): string {
  const parts = [
    ...(missing.length > 0 ? [`expected ${missing.map(showText).join(', ')}, which is missing`] : []),
    ...(unexpected.length > 0 ? [`did not expect ${unexpected.map(showText).join(', ')}`] : []),
  ]
  return `${parts.join('; ')} (${describe(own)})`
}

function describe({ outcome, failed, notAsked, destinations }: RouteExplanation): string {
  if (failed) return failed.message
  if (notAsked?.because === 'stop') return `not asked: route ${notAsked.by} matched and stops`
  if (notAsked) return `not asked: it is an \`otherwise\` route, and route ${notAsked.by} matched`
  const refusals = destinations.flatMap((destination) => destination.refusals.map(({ text }) => text))
  return [outcome, ...refusals.slice(0, 3)].join('; ')
}

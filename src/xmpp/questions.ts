import { destinationName } from '../domain/delivery.ts'
import { attributeOf, type Element } from '../domain/element.ts'
import type { Fields } from '../domain/fields.ts'
import { normaliseJid } from '../domain/jid.ts'
import { escapeText } from '../domain/serialise.ts'
import type { DeliveryTrace, InboundStanza, ReasonCount, Standing } from '../flow/ports.ts'
import type { Questions } from '../flow/questions.ts'
import type { Trace } from '../flow/trace.ts'
import type { Decision, Explanation, HeldCondition, RouteExplanation } from '../matching/matcher.ts'
import { WAYBILL } from './namespaces.ts'
import {
  attribute,
  badRequest,
  errorReply,
  findingElements,
  iqResult,
  itemNotFound,
  legible,
  rejectionReply,
} from './replies.ts'

/** So many bytes of deliveries, routes or destinations at most, so that no answer is too large for a server. */
const LIST_BYTES = 32_768

/** `<track/>` and `<trace/>`: what may be asked of us about documents (docs/protocol.md 1.6). */
export function isQuestion({ name, uri }: Element): boolean {
  return uri === WAYBILL && (name === 'track' || name === 'trace')
}

/** The answer's text. `payload` is the one child of the stanza. */
export async function answerQuestion(stanza: InboundStanza, payload: Element, questions: Questions): Promise<string> {
  return payload.name === 'track' ? answerTrack(stanza, payload, questions) : answerTrace(stanza, payload, questions)
}

async function answerTrack({ element, from }: InboundStanza, payload: Element, questions: Questions): Promise<string> {
  const id = attributeOf(payload, 'id') ?? ''
  if (id === '') return errorReply(element, badRequest, 'Cannot track: the id is missing')
  const answer = await questions.track(id, from)
  switch (answer.kind) {
    case 'found':
      return iqResult(element, trackElement(answer.standing, answer.deliveries ?? []))
    case 'not-found':
      return errorReply(element, itemNotFound, '')
    case 'rejected':
      return rejectionReply(element, answer.rejection, undefined)
  }
}

function trackElement(standing: Standing, deliveries: readonly DeliveryTrace[]): string {
  const { id, type, receivedAtMs } = standing
  const names = `id="${id}" type="${attribute(type)}" received="${new Date(receivedAtMs).toISOString()}"`
  const inside = reasonElements(standing.reasons) + listed(deliveries.map(deliveryElement))
  return `<track xmlns="${WAYBILL}" ${names}${countAttributes(standing)}>${inside}</track>`
}

/** ` state="…" deliveries="…" waiting="…" …`: what reports and answers say alike. */
export function countAttributes({ state, deliveries, counts }: Standing): string {
  const { waiting, delivered, dead, expired, dropped } = counts
  const held = state === 'held' ? 1 : 0
  return (
    ` state="${state}" deliveries="${deliveries}" waiting="${waiting}" delivered="${delivered}"` +
    ` dead="${dead}" expired="${expired}" dropped="${dropped}" held="${held}"`
  )
}

export function reasonElements(reasons: readonly ReasonCount[]): string {
  let text = ''
  for (const { state, reason, count } of reasons) {
    text += `<reason state="${state}" name="${attribute(reason)}" count="${count}"/>`
  }
  return text
}

function deliveryElement({ id, destination, route, state, tries, dueAtMs, reason, behind }: DeliveryTrace): string {
  const due = dueAtMs === undefined ? '' : ` due="${new Date(dueAtMs).toISOString()}"`
  const why = reason === undefined ? '' : ` reason="${attribute(reason)}"`
  const waits = behind === undefined ? '' : ` behind="${behind}"`
  const where = `destination="${attribute(destination)}" route="${attribute(route)}"`
  return `<delivery id="${id}" ${where} state="${state}" tries="${tries}"${due}${why}${waits}/>`
}

async function answerTrace(stanza: InboundStanza, payload: Element, questions: Questions): Promise<string> {
  const { element } = stanza
  const given = attributeOf(payload, 'from')
  const as = given === undefined ? undefined : normaliseJid(given)
  if (given !== undefined && as === undefined) return errorReply(element, badRequest, 'Cannot trace: from is not a JID')
  const answer = await questions.trace(stanza, as)
  if (answer.kind === 'rejected') return rejectionReply(element, answer.rejection, undefined)
  return iqResult(element, traceElement(answer.trace, answer.full))
}

function traceElement(trace: Trace, full: boolean): string {
  const type = trace.type === undefined ? '' : ` type="${attribute(trace.type)}"`
  const version = trace.version === undefined ? '' : ` version="${attribute(trace.version)}"`
  const open = `<trace xmlns="${WAYBILL}" verdict="${trace.verdict}"${type}${version}`
  if (trace.verdict === 'rejected') {
    const { kind, text, findings } = trace.rejection
    const said = `<text>${escapeText(legible(text))}</text>`
    return `${open} reason="${kind}" findings="${findings.length}">${said}${findingElements(findings)}</trace>`
  }
  const { findings } = trace
  if (trace.verdict === 'held') return `${open} findings="${findings.length}">${findingElements(findings)}</trace>`
  const { fields, decision, explanation } = trace
  const { deliveries, impossible, refused } = decision
  const counts = ` findings="${findings.length}" deliveries="${deliveries.length}" impossible="${impossible.length}"`
  const told = explanation && full ? fieldElements(fields) + explanationElements(explanation) : refusalElements(refused)
  return `${open}${counts}>${findingElements(findings)}${told}</trace>`
}

/** Why addresses can't be made, without saying which. */
function refusalElements(refused: Decision['refused']): string {
  const counts = new Map<string, number>()
  for (const { reason } of refused) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts].map(([reason, count]) => `<reason name="${reason}" count="${count}"/>`).join('')
}

const FIELD_CHARACTERS = 80

function fieldElements(fields: Fields): string {
  const elements = Object.entries(fields).flatMap(([name, values]) =>
    values.map((value) => {
      const text = String(value).slice(0, FIELD_CHARACTERS)
      return `<field name="${attribute(name)}" value="${attribute(text)}"/>`
    }),
  )
  return listed(elements)
}

/** Routes that match come first: of very many not all have room. */
function explanationElements({ routes, more, decision }: Explanation): string {
  const matching = routes.filter(({ outcome }) => outcome === 'matches')
  const others = routes.filter(({ outcome }) => outcome !== 'matches')
  const destinations = decision.deliveries.map(({ destination, route }) =>
    destinationElement(destinationName(destination), route, ''),
  )
  const refused = decision.refused.map(({ destination, route, reason, value }) =>
    destinationElement(destination, route, ` refused="${reason}" value="${attribute(value)}"`),
  )
  return listed([...matching, ...others].map(routeElement), LIST_BYTES, more) + listed([...destinations, ...refused])
}

function routeElement({ route, outcome, held, failed, notAsked }: RouteExplanation): string {
  const why = failed ? ` failed="${attribute(failed.message)}"` : ''
  const by = notAsked ? ` because="${notAsked.because}" by="${attribute(notAsked.by)}"` : ''
  const conditions = [
    ...held.map((condition) => conditionElement(condition, true)),
    ...(failed ? [conditionElement(failed, false)] : []),
  ]
  return `<route name="${attribute(route)}" outcome="${outcome}"${why}${by}>${conditions.join('')}</route>`
}

function conditionElement({ condition, expected, found, alternatives = [] }: HeldCondition, holds: boolean): string {
  const groups = alternatives.map((group) => {
    const inner = group.conditions.map((one) => conditionElement(one, one.holds))
    return `<group holds="${group.holds}">${inner.join('')}</group>`
  })
  const said = `expected="${attribute(expected)}" found="${attribute(found)}"`
  return `<condition name="${attribute(condition)}" ${said} holds="${holds}">${groups.join('')}</condition>`
}

function destinationElement(name: string, route: string, refused: string): string {
  return `<destination name="${attribute(name)}" route="${attribute(route)}"${refused}/>`
}

/** As many as have room; `<more/>` says how many haven't, and how many `more` there are besides. */
export function listed(elements: readonly string[], bytesMost = LIST_BYTES, more = 0): string {
  let text = ''
  let bytes = 0
  for (const [at, one] of elements.entries()) {
    bytes += Buffer.byteLength(one)
    if (bytes > bytesMost) return `${text}<more count="${elements.length - at + more}"/>`
    text += one
  }
  return more > 0 ? `${text}<more count="${more}"/>` : text
}

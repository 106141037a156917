import type { Holding } from '../domain/held.ts'
import { escapeAttribute, escapeText } from '../domain/serialise.ts'
import type { StartedAttempt } from '../flow/ports.ts'
import { DELAY, HINTS, RECEIPTS, STANZA_IDS, WAYBILL } from './namespaces.ts'
import { findingElements } from './replies.ts'

/** What took longer than this on its way here says since when (XEP-0203). */
const DELAY_TOLD_MS = 5_000

/** The message that carries a document to a JID (docs/protocol.md 5.2). Its id is the delivery's, so that what comes back finds it. */
export function documentMessage(
  attempt: StartedAttempt,
  jid: string,
  document: string,
  from: string,
  nowMs: number,
): string {
  const { id, envelopeId, options, receivedAtMs, tries } = attempt
  const received = new Date(receivedAtMs).toISOString()
  const waited = tries > 1 || nowMs - receivedAtMs > DELAY_TOLD_MS
  return (
    `<message id="${id}" from="${from}" to="${escapeAttribute(jid)}">` +
    (options.body === undefined ? '' : `<body>${escapeText(options.body)}</body>`) +
    document +
    via(attempt, received) +
    (waited ? `<delay xmlns="${DELAY}" stamp="${received}" from="${from}"/>` : '') +
    // XEP-0359 2.2: the same in every attempt and at every destination.
    `<origin-id xmlns="${STANZA_IDS}" id="${envelopeId}"/>` +
    // XEP-0334 4.4: without a body nobody would keep it.
    `<store xmlns="${HINTS}"/>` +
    (options.confirm === 'receipt' ? `<request xmlns="${RECEIPTS}"/>` : '') +
    '</message>'
  )
}

function via({ envelopeId, type, from, hops, marked }: StartedAttempt, received: string): string {
  const sender = escapeAttribute(from)
  const names = `id="${envelopeId}" type="${escapeAttribute(type)}" from="${sender}"`
  const open = `<via xmlns="${WAYBILL}" ${names} received="${received}" hops="${hops + 1}"`
  return marked ? `${open}>${invalidElement(marked)}</via>` : `${open}/>`
}

/** docs/protocol.md 5.2: what was found wrong with a document that is routed all the same. */
function invalidElement({ findings, total }: Holding): string {
  return `<invalid findings="${total}">${findingElements(findings)}</invalid>`
}

/** A message that is read by a person. */
export function noticeMessage(jid: string, text: string, from: string): string {
  const head = `<message type="chat" from="${from}" to="${escapeAttribute(jid)}">`
  return `${head}<body>${escapeText(text)}</body><store xmlns="${HINTS}"/></message>`
}

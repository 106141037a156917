import { attributeOf, childElements, childNamed, type Element, expandedName } from '../domain/element.ts'
import { bareJid, normaliseJid, splitJid } from '../domain/jid.ts'
import { type Rejection, reject } from '../domain/rejection.ts'
import type { Answer } from '../domain/retry.ts'
import { escapeAttribute, escapeText } from '../domain/serialise.ts'
import type { InboundStanza, Log, Metrics } from '../flow/ports.ts'
import type { Questions } from '../flow/questions.ts'
import type { Reply } from '../flow/reply.ts'
import type { Connection, StanzaHandler } from './connection.ts'
import { type Description, discoInfo, discoItems } from './disco.ts'
import { answerOf } from './iq.ts'
import {
  DISCO_INFO,
  DISCO_ITEMS,
  PING,
  PUBSUB,
  PUBSUB_ERRORS,
  PUBSUB_EVENT,
  PUBSUB_OWNER,
  RECEIPTS,
  VERSION,
} from './namespaces.ts'
import { answerOffer, asksForOffer } from './offers.ts'
import { answerQuestion, isQuestion } from './questions.ts'
import {
  acceptedElements,
  badRequest,
  errorReply,
  featureNotImplemented,
  internalServerError,
  iqResult,
  itemNotFound,
  publishResult,
  receiptReply,
  rejectionReply,
  serviceUnavailable,
  unsubscribedReply,
} from './replies.ts'
import type { Subscriptions } from './subscriptions.ts'

export interface DispatchNeeds {
  readonly connection: Pick<Connection, 'domain' | 'write'>
  /** Of UTF-8. The server closes the whole stream over a stanza that is larger than its own limit. */
  readonly maxStanzaBytes: number
  /** Hears of what came back for deliveries. */
  readonly outlet: {
    receipt(id: string, from: string): void
    bounce(id: string, from: string, answer: Answer): void
  }
  readonly intake: (stanza: InboundStanza) => Promise<Reply>
  /** Hears of the events of nodes; none of them is ever answered. */
  readonly subscriptions: Pick<Subscriptions, 'hear' | 'miss'>
  readonly questions: Questions
  /** As far as it concerns who asks. */
  readonly describe: (from: string) => Description
  readonly metrics: Pick<Metrics, 'rejected' | 'failed'>
  readonly log: Log
}

export interface Dispatch {
  /** What a stanza that answers none of our requests makes happen. Never throws. */
  readonly handle: StanzaHandler
  /** From now on documents are refused with `unavailable`; what is in hand goes on. */
  close(): void
  /** Resolves when every document in hand is answered. */
  idle(): Promise<void>
}

/** A stanza with its addresses normalised. */
interface Addressed {
  readonly element: Element
  readonly from: string
  readonly to: string
  readonly type: string | undefined
}

/** What answers a reply of the flow, as text; undefined for nothing. */
type Answering = (reply: Reply) => string | undefined

const asItIs = (answer: string | undefined) => answer

const closing = {
  kind: 'rejected',
  rejection: reject('unavailable', 'Cannot take the document: Waybill is stopping', [], 10),
} as const

/** The table of who is answered what; `docs/protocol.md` says it in words. */
export function createDispatch(needs: DispatchNeeds): Dispatch {
  const { connection, outlet, intake, questions, subscriptions, describe, metrics, log } = needs
  const waiters: (() => void)[] = []
  let inHand = 0
  let closed = false

  function handle(element: Element, excess?: Rejection): void {
    const stanza = addressed(element)
    if (!stanza) return
    try {
      const answer = excess ? refuseExcess(stanza, excess) : take(stanza)
      if (answer !== undefined) write(stanza, answer)
    } catch (error) {
      fail(stanza, error)
    }
  }

  /** Of what is too much only the stanza's own tag is left: enough to refuse it, and to hear what came back. */
  function refuseExcess(stanza: Addressed, excess: Rejection): string | undefined {
    if (!mayCarryDocument(stanza)) return take(stanza)
    // What a service tells of a node is never answered: the node is read instead.
    if (stanza.element.name === 'message' && subscriptions.miss(stanza.from)) return undefined
    metrics.rejected(excess.kind)
    return isMute(stanza) ? undefined : rejectionReply(stanza.element, excess, undefined)
  }

  function addressed(element: Element): Addressed | undefined {
    const from = normaliseJid(attributeOf(element, 'from') ?? '')
    const to = normaliseJid(attributeOf(element, 'to') ?? connection.domain)
    // Stanzas for another component can reach us where a server's listener has several hosts; answering them is not ours.
    if (from !== undefined && to !== undefined && splitJid(to).domain === connection.domain) {
      return { element, from, to, type: attributeOf(element, 'type') }
    }
    const details = { stanza: element.name, from: attributeOf(element, 'from'), to: attributeOf(element, 'to') }
    log('warn', 'stanza-dropped', { reason: 'its addresses are not valid, or not ours', ...details })
    return undefined
  }

  /** Gives what can be answered at once; documents are answered when the flow has decided. */
  function take(stanza: Addressed): string | undefined {
    switch (stanza.element.name) {
      case 'iq':
        return takeIq(stanza)
      case 'message':
        takeMessage(stanza)
        return undefined
      case 'presence':
        return answerPresence(stanza)
      default:
        log('warn', 'stanza-dropped', { reason: 'it is no stanza', stanza: stanza.element.name, from: stanza.from })
        return undefined
    }
  }

  function takeIq(stanza: Addressed): string | undefined {
    const { element, type } = stanza
    // RFC 6120 8.2.3: what answers nothing of ours is ignored.
    if (type === 'result' || type === 'error') return undefined
    const problem = iqProblem(stanza)
    if (problem !== undefined) return errorReply(element, badRequest, problem)
    const payload = childElements(element)[0]!
    if (payload.uri === PUBSUB || payload.uri === PUBSUB_OWNER) return takePubsub(stanza, payload)
    if (type === 'get' && isQuestion(payload)) {
      void hold(stanza, () => answerQuestion(inbound('iq', stanza), payload, questions), asItIs)
      return undefined
    }
    if (type === 'get' && asksForOffer(payload)) {
      return answerOffer(element, payload, questions.offer(stanza.from), needs.maxStanzaBytes)
    }
    if (type === 'get') return answerGet(element, payload, () => describe(stanza.from))
    void submit('iq', stanza, (reply) => answerIq(element, reply))
    return undefined
  }

  function takePubsub(stanza: Addressed, pubsub: Element): string | undefined {
    const { element, type } = stanza
    const publishes = type === 'set' && pubsub.uri === PUBSUB ? childElements(pubsub).filter(isPublish) : []
    const [publish] = publishes
    if (!publish) return errorReply(element, featureNotImplemented, '', unsupported(pubsub))
    // XEP-0060 7.1.1: one; the items of a second would be lost in silence.
    if (publishes.length > 1) {
      return errorReply(element, badRequest, `Cannot publish: there are ${publishes.length} <publish/>, not one`)
    }
    const node = attributeOf(publish, 'node')
    if (node === undefined || node === '') {
      // XEP-0060 12.8.
      const condition = `<nodeid-required xmlns="${PUBSUB_ERRORS}"/>`
      return errorReply(element, badRequest, 'Cannot publish: node is missing', condition)
    }
    void submit('publish', stanza, (reply) => answerPublish(element, node, reply))
    return undefined
  }

  function takeMessage(stanza: Addressed): void {
    const { element, from, to, type } = stanza
    if (type === 'error') {
      outlet.bounce(attributeOf(element, 'id') ?? '', from, answerOf(element))
      return
    }
    const received = childNamed(element, 'received', RECEIPTS)
    if (received) outlet.receipt(attributeOf(received, 'id') ?? '', from)
    // A receipt beside something else is no reason to lose the something else.
    if (received && childElements(element).length === 1) return
    if (childNamed(element, 'event', PUBSUB_EVENT)) {
      // While we are stopping there is no need to: the next start reads the node.
      if (!closed) subscriptions.hear(element, from, to)
      return
    }
    void submit('message', stanza, (reply) => (isMute(stanza) ? undefined : answerMessage(element, reply)))
  }

  function submit(kind: InboundStanza['kind'], stanza: Addressed, answering: Answering): Promise<void> {
    return hold(stanza, () => (closed ? refuseLate() : intake(inbound(kind, stanza))), answering)
  }

  /** Keeps a stanza in hand until it is answered. */
  async function hold<Outcome>(
    stanza: Addressed,
    decide: () => Outcome | Promise<Outcome>,
    answering: (outcome: Outcome) => string | undefined,
  ): Promise<void> {
    inHand += 1
    try {
      const answer = answering(await decide())
      if (answer !== undefined) write(stanza, answer)
    } catch (error) {
      fail(stanza, error)
    } finally {
      inHand -= 1
      if (inHand === 0) for (const wake of waiters.splice(0)) wake()
    }
  }

  function refuseLate(): Reply {
    metrics.rejected(closing.rejection.kind)
    return closing
  }

  /** A fault of ours stays with the stanza that found it. */
  function fail(stanza: Addressed, error: unknown): void {
    metrics.failed()
    const { element, from } = stanza
    const reason = error instanceof Error ? error.message : String(error)
    log('error', 'stanza-failed', { stanza: element.name, from, id: attributeOf(element, 'id'), reason })
    if (!isOwedAnAnswer(stanza)) return
    try {
      write(stanza, errorReply(element, internalServerError, ''))
    } catch (again) {
      log('error', 'reply-failed', { from, reason: String(again) })
    }
  }

  /** Offline, the answer is lost; the sender asks again and is told the first id. */
  function write(stanza: Addressed, text: string): void {
    const fitting = fitted(stanza, text, needs.maxStanzaBytes)
    if (fitting !== text) log('warn', 'reply-cut', { from: stanza.from, bytes: Buffer.byteLength(text) })
    if (fitting !== undefined && !connection.write(fitting)) log('debug', 'reply-lost')
  }

  return {
    handle,
    close() {
      closed = true
    },
    async idle() {
      while (inHand > 0) await new Promise<void>((resolve) => waiters.push(resolve))
    },
  }
}

/**
 * What is taken from the stanza, such as its id, may be as long as it likes, and longer when it is escaped. A result that is too large goes
 * without its payload, as XEP-0060 7.1.2 allows; whatever is too large still is not answered.
 */
function fitted({ element }: Addressed, text: string, maxBytes: number): string | undefined {
  // UTF-8 has three bytes at most for a unit of UTF-16.
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return text
  const bare = text.startsWith('<iq type="result"') ? iqResult(element, '') : ''
  return bare !== '' && Buffer.byteLength(bare) <= maxBytes ? bare : undefined
}

function inbound(kind: InboundStanza['kind'], { element, from, to }: Addressed): InboundStanza {
  return { kind, element, from, to, id: attributeOf(element, 'id') ?? '' }
}

/** RFC 6121 3.1: nobody is let into a roster that we don't have; nothing else about presence concerns us. */
function answerPresence({ element, type }: Addressed): string | undefined {
  if (type !== 'subscribe') return undefined
  return unsubscribedReply(bareJid(attributeOf(element, 'to') ?? ''), bareJid(attributeOf(element, 'from') ?? ''))
}

function isPublish({ name, uri }: Element): boolean {
  return name === 'publish' && uri === PUBSUB
}

/** RFC 6120 8.2.3: an id, a known type, and exactly one child in a request. */
function iqProblem({ element, type }: Addressed): string | undefined {
  if (type !== 'get' && type !== 'set') return `Cannot read the iq: its type is ${type ?? 'missing'}`
  if (attributeOf(element, 'id') === undefined) return 'Cannot read the iq: it has no id'
  const count = childElements(element).length
  return count === 1 ? undefined : `Cannot read the iq: it has ${count} child elements, not one`
}

function answerGet(request: Element, payload: Element, describe: () => Description): string {
  switch (expandedName(payload.uri, payload.name)) {
    case `{${PING}}ping`:
      return iqResult(request, '')
    case `{${VERSION}}query`:
      return iqResult(request, versionPayload(describe().version))
    case `{${DISCO_INFO}}query`:
      return answerNode(request, discoInfo(payload, describe()))
    case `{${DISCO_ITEMS}}query`:
      return answerNode(request, discoItems(payload, attributeOf(request, 'to') ?? '', describe()))
    default:
      // RFC 6120 8.4.
      return errorReply(request, serviceUnavailable, '')
  }
}

/** XEP-0092 2; the operating system is nobody's business (7). */
function versionPayload(version: string): string {
  return `<query xmlns="${VERSION}"><name>Waybill</name><version>${escapeText(version)}</version></query>`
}

function answerNode(request: Element, payload: string | undefined): string {
  return payload === undefined ? errorReply(request, itemNotFound, '') : iqResult(request, payload)
}

function answerIq(request: Element, reply: Reply): string {
  switch (reply.kind) {
    case 'accepted':
      // RFC 6120 8.2.3: a result has one child at most.
      return iqResult(request, acceptedElements(reply.accepted.slice(0, 1)))
    case 'rejected':
      return rejectionReply(request, reply.rejection, reply.item)
    case 'ignored':
      return errorReply(request, serviceUnavailable, '')
  }
}

function answerPublish(request: Element, node: string, reply: Reply): string {
  return reply.kind === 'accepted' ? publishResult(request, node, reply.accepted) : answerIq(request, reply)
}

function answerMessage(request: Element, reply: Reply): string | undefined {
  switch (reply.kind) {
    case 'accepted':
      return isReceiptAsked(request) ? receiptReply(request, attributeOf(request, 'id')!, reply.accepted) : undefined
    case 'rejected':
      return rejectionReply(request, reply.rejection, reply.item)
    case 'ignored':
      return undefined
  }
}

/** XEP-0184 5.1: without an id there is nothing that a receipt could name. */
function isReceiptAsked(message: Element): boolean {
  const id = attributeOf(message, 'id')
  return id !== undefined && id !== '' && childNamed(message, 'request', RECEIPTS) !== undefined
}

/** RFC 6121 5.2.2: a type that nobody knows counts as normal. */
function isMute({ type }: Addressed): boolean {
  return type === 'error' || type === 'headline' || type === 'groupchat'
}

function mayCarryDocument({ element, type }: Addressed): boolean {
  return element.name === 'iq' ? type === 'get' || type === 'set' : element.name === 'message' && type !== 'error'
}

function isOwedAnAnswer(stanza: Addressed): boolean {
  if (stanza.element.name === 'iq') return stanza.type === 'get' || stanza.type === 'set'
  return stanza.element.name === 'message' && !isMute(stanza) && attributeOf(stanza.element, 'id') !== undefined
}

/** XEP-0060 10: the feature's name for what was asked of us, where it has one. */
const featureOf: ReadonlyMap<string, string> = new Map([
  ['affiliations', 'retrieve-affiliations'],
  ['create', 'create-nodes'],
  ['configure', 'config-node'],
  ['default', 'retrieve-default'],
  ['delete', 'delete-nodes'],
  ['items', 'retrieve-items'],
  ['options', 'subscription-options'],
  ['purge', 'purge-nodes'],
  ['retract', 'delete-items'],
  ['subscribe', 'subscribe'],
  ['subscriptions', 'retrieve-subscriptions'],
  ['unsubscribe', 'subscribe'],
])

function unsupported(pubsub: Element): string {
  const feature = featureOf.get(childElements(pubsub)[0]?.name ?? '')
  return feature === undefined ? '' : `<unsupported xmlns="${PUBSUB_ERRORS}" feature="${escapeAttribute(feature)}"/>`
}

import { attributeOf, childElements, childNamed, type Element, isElement } from '../domain/element.ts'
import { normaliseJid } from '../domain/jid.ts'
import type { Answer } from '../domain/retry.ts'
import { escapeAttribute } from '../domain/serialise.ts'
import type { NodeItem } from '../flow/source.ts'
import type { Connection } from './connection.ts'
import { PUBSUB, PUBSUB_EVENT } from './namespaces.ts'
import type { NodeAddress } from './nodes.ts'

export interface Subscription extends NodeAddress {
  /** Who counts as the sender of an item: who published it, where the service says so, or the service itself. */
  readonly from: 'publisher' | 'service'
}

export type SubscribeOutcome =
  | { readonly kind: 'subscribed' }
  | { readonly kind: 'refused'; readonly answer: Answer }
  | { readonly kind: 'lost' }

/**
 * Subscribes as our own bare JID (XEP-0060 6.1), each time anew: Prosody lists subscriptions to nodes that were deleted since.
 * Services with subscription ids are asked first (5.6), since Openfire would make a second one, and send everything twice.
 */
export async function subscribe(
  connection: Pick<Connection, 'domain' | 'request'>,
  address: NodeAddress,
  timeoutMs: number,
): Promise<SubscribeOutcome> {
  const before = await findSubscription(connection, address, timeoutMs)
  if (before?.state === 'subscribed' && before.isIdentified) return { kind: 'subscribed' }
  const jid = escapeAttribute(connection.domain)
  const payload = `<pubsub xmlns="${PUBSUB}"><subscribe node="${escapeAttribute(address.node)}" jid="${jid}"/></pubsub>`
  const answer = await connection.request({ to: address.service, type: 'set', payload, timeoutMs })
  switch (answer.kind) {
    case 'result':
      return judge(stateIn(answer.element))
    case 'error':
      return { kind: 'refused', answer: answer.answer }
    case 'timeout':
      return refusal('timeout', 'the service did not answer in time')
    case 'lost':
      return { kind: 'lost' }
  }
}

/** What the service says of our subscription (XEP-0060 5.6); undefined where it knows of none, or doesn't say. */
export async function findSubscription(
  { domain, request }: Pick<Connection, 'domain' | 'request'>,
  { service, node }: NodeAddress,
  timeoutMs: number,
): Promise<{ readonly state: string; readonly isIdentified: boolean } | undefined> {
  const payload = `<pubsub xmlns="${PUBSUB}"><subscriptions node="${escapeAttribute(node)}"/></pubsub>`
  const answer = await request({ to: service, type: 'get', payload, timeoutMs })
  const pubsub = answer.kind === 'result' ? childNamed(answer.element, 'pubsub', PUBSUB) : undefined
  const list = pubsub && childNamed(pubsub, 'subscriptions', PUBSUB)
  const own = list && childElements(list).filter((one) => isOwn(one, node, domain))
  const found = own?.map((one) => {
    return { state: attributeOf(one, 'subscription') ?? '', isIdentified: attributeOf(one, 'subid') !== undefined }
  })
  return found?.find(({ state }) => state === 'subscribed') ?? found?.[0]
}

function isOwn(subscription: Element, node: string, domain: string): boolean {
  const named = attributeOf(subscription, 'node')
  return (named === undefined || named === node) && normaliseJid(attributeOf(subscription, 'jid') ?? '') === domain
}

/** An empty result says yes. */
function stateIn(result: Element): string {
  const pubsub = childNamed(result, 'pubsub', PUBSUB)
  const subscription = pubsub && childNamed(pubsub, 'subscription', PUBSUB)
  return (subscription && attributeOf(subscription, 'subscription')) ?? 'subscribed'
}

/** XEP-0060 4.2. */
function judge(state: string): SubscribeOutcome {
  switch (state) {
    case 'subscribed':
      return { kind: 'subscribed' }
    case 'pending':
      return refusal('pending', "the node's owner has to approve the subscription")
    default:
      return refusal(state, 'the subscription is not in force')
  }
}

function refusal(condition: string, text: string): SubscribeOutcome {
  return { kind: 'refused', answer: { condition, type: 'wait', text } }
}

/**
 * The items that `<items/>` holds, each as the message in which it would come alone, whether they were heard or fetched. What
 * has no id can't be told from another and isn't taken; services have to give one (XEP-0060 7.1.2).
 */
export function itemsIn(stanza: Element, items: Element, { service, from }: Subscription, to: string): NodeItem[] {
  const stanzaId = stanza.name === 'message' ? (attributeOf(stanza, 'id') ?? '') : ''
  return childElements(items).flatMap((item) => {
    const id = attributeOf(item, 'id')
    if (item.name !== 'item' || id === undefined || id === '') return []
    // XEP-0060 7.1.2.3: the service itself writes the publisher.
    const publisher = from === 'publisher' ? normaliseJid(attributeOf(item, 'publisher') ?? '') : undefined
    const element = alone(stanza, items, item)
    return { id, stanza: { kind: 'event', element, from: publisher ?? service, to, id: stanzaId } }
  })
}

function alone(stanza: Element, items: Element, item: Element): Element {
  const holder = { ...items, uri: PUBSUB_EVENT, children: [item] }
  const children = stanza.children.map((child) =>
    isElement(child) && child.children.includes(items)
      ? { ...child, name: 'event', uri: PUBSUB_EVENT, children: [holder] }
      : child,
  )
  return { ...stanza, name: 'message', children }
}

/** Whether an item brings its document along; a node may be configured to tell of items only (`deliver_payloads`). */
export function hasPayload({ stanza }: NodeItem): boolean {
  const event = childNamed(stanza.element, 'event', PUBSUB_EVENT)
  const items = event && childNamed(event, 'items', PUBSUB_EVENT)
  return items !== undefined && childElements(items).some((item) => item.children.some(isElement))
}

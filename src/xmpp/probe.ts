import { randomUUID } from 'node:crypto'
import { attributeOf, childElements, childNamed } from '../domain/element.ts'
import { escapeAttribute } from '../domain/serialise.ts'
import type { Connection, IqAnswer } from './connection.ts'
import { findSubscription } from './subscribe.ts'

const TIMEOUT_MS = 5_000

/**
 * Whether a PubSub service answers as one and, where nodes are to be created, lets us create, publish and delete: done for
 * real on a node that is removed again. Gives what is wrong, in words, or undefined.
 */
export async function probePubSub(
  connection: Pick<Connection, 'request'>,
  service: string,
  creates: boolean,
): Promise<string | undefined> {
  const info = await connection.request({
    to: service,
    type: 'get',
    payload: '<query xmlns="http://jabber.org/protocol/disco#info"/>',
    timeoutMs: TIMEOUT_MS,
  })
  if (info.kind !== 'result') return `${service} does not answer: ${inWords(info)}`
  const query = childNamed(info.element, 'query', 'http://jabber.org/protocol/disco#info')
  const isPubSub =
    query !== undefined &&
    childElements(query).some((child) => child.name === 'identity' && attributeOf(child, 'category') === 'pubsub')
  if (!isPubSub) return `${service} does not say that it is a PubSub service`
  return creates ? probeRights(connection, service) : undefined
}

async function probeRights(connection: Pick<Connection, 'request'>, service: string): Promise<string | undefined> {
  const node = escapeAttribute(`waybill-doctor-${randomUUID()}`)
  const set = (payload: string) => connection.request({ to: service, type: 'set', payload, timeoutMs: TIMEOUT_MS })
  const created = await set(`<pubsub xmlns="http://jabber.org/protocol/pubsub"><create node="${node}"/></pubsub>`)
  if (created.kind !== 'result') return `may not create nodes on ${service}: ${inWords(created)}`
  const item = '<item id="probe"><probe xmlns="urn:waybill:0"/></item>'
  const published = await set(
    `<pubsub xmlns="http://jabber.org/protocol/pubsub"><publish node="${node}">${item}</publish></pubsub>`,
  )
  const deleted = await set(`<pubsub xmlns="http://jabber.org/protocol/pubsub#owner"><delete node="${node}"/></pubsub>`)
  if (published.kind !== 'result') return `may not publish on ${service}: ${inWords(published)}`
  return deleted.kind === 'result' ? undefined : `left the node ${node} behind on ${service}: ${inWords(deleted)}`
}

/** Whether we are subscribed to a node, in words; `problem` where we aren't and couldn't be. Changes nothing. */
export async function probeSubscription(
  connection: Pick<Connection, 'domain' | 'request'>,
  service: string,
  node: string,
): Promise<{ readonly detail: string; readonly problem: boolean }> {
  const found = await findSubscription(connection, { service, node }, TIMEOUT_MS)
  if (found?.state === 'subscribed') return { detail: 'confirmed', problem: false }
  if (found) return { detail: `the service says ${found.state}`, problem: true }
  const info = await connection.request({
    to: service,
    type: 'get',
    payload: `<query xmlns="http://jabber.org/protocol/disco#info" node="${escapeAttribute(node)}"/>`,
    timeoutMs: TIMEOUT_MS,
  })
  if (info.kind !== 'result') return { detail: `cannot be subscribed to: ${inWords(info)}`, problem: true }
  return { detail: 'not subscribed yet: Waybill does it when it starts', problem: false }
}

function inWords(answer: IqAnswer): string {
  switch (answer.kind) {
    case 'result':
      return 'fine'
    case 'error':
      return `${answer.answer.condition}${answer.answer.text ? ` (${answer.answer.text})` : ''}`
    case 'timeout':
      return `no answer within ${TIMEOUT_MS} ms`
    case 'lost':
      return 'the connection was lost'
  }
}

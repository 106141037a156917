import { destinationName } from '../domain/delivery.ts'
import { attributeOf, childElements, childNamed, type Element } from '../domain/element.ts'
import type { Answer } from '../domain/retry.ts'
import { escapeAttribute, escapeText } from '../domain/serialise.ts'
import type { Log } from '../flow/ports.ts'
import type { Connection } from './connection.ts'
import { DATA_FORMS, DISCO_INFO, PUBSUB } from './namespaces.ts'

export interface NodeAddress {
  readonly service: string
  readonly node: string
}

/** Node configuration, `pubsub#` left out. */
export type NodeConfiguration = Readonly<Record<string, string | number | boolean>>

export type NodeReadiness =
  /** There is a node; `created` where it was made just now, `assumed` where only a publish can tell. */
  | { readonly kind: 'ready'; readonly how: 'created' | 'exists' | 'assumed' }
  | { readonly kind: 'refused'; readonly answer: Answer }
  | { readonly kind: 'lost' }

export interface Nodes {
  /**
   * Sees to it that a publish meets a node that was configured on purpose: with a configuration, the node is created where
   * there is none; without, a service that would make one by itself, with settings of its own, is asked first whether there is
   * one. Settled nodes are remembered as long as the stream lasts.
   */
  ready(address: NodeAddress, create: NodeConfiguration | undefined, timeoutMs: number): Promise<NodeReadiness>
  forget(address: NodeAddress): void
}

type AutoCreation = 'yes' | 'no' | 'timeout' | 'lost'

/**
 * What a node is created with where a route says nothing else, all of it sent with every creation, since the servers' own
 * defaults differ. Closed by default: who may read is for the route or the node's owner to say.
 */
export const nodeDefaults: NodeConfiguration = {
  access_model: 'whitelist',
  publish_model: 'publishers',
  persist_items: true,
  max_items: 256,
  deliver_notifications: true,
  deliver_payloads: true,
  // A headline is lost to whoever is offline.
  notification_type: 'normal',
  // ejabberd would repeat the last item to everybody who comes online.
  send_last_published_item: 'never',
}

/** What is tried where a service finds `max_items` too large: Prosody's limit by default, and its own default. */
const SMALLER_MAX_ITEMS = [256, 20]

const KNOWN_LIMIT = 100_000

export function createNodes(connection: Pick<Connection, 'stream' | 'request'>, log: Log): Nodes {
  const known = new Set<string>()
  const underWay = new Map<string, Promise<NodeReadiness>>()
  /** Whether a service makes nodes by itself (XEP-0060 7.1.4), by its address. */
  const autoCreation = new Map<string, Promise<AutoCreation>>()
  let stream = connection.stream

  // A service may have lost its nodes while we were away.
  function renew(): void {
    if (connection.stream === stream && known.size < KNOWN_LIMIT) return
    stream = connection.stream
    known.clear()
    autoCreation.clear()
  }

  async function ready(
    address: NodeAddress,
    create: NodeConfiguration | undefined,
    timeoutMs: number,
  ): Promise<NodeReadiness> {
    renew()
    const name = destinationName({ kind: 'node', ...address })
    if (known.has(name)) return { kind: 'ready', how: 'exists' }
    const already = underWay.get(name)
    if (already) return already
    const settling = create ? createNode(address, create, timeoutMs) : lookUp(address, timeoutMs)
    underWay.set(name, settling)
    const startedOn = stream
    try {
      const readiness = await settling
      if (readiness.kind === 'ready' && connection.stream === startedOn) known.add(name)
      return readiness
    } finally {
      underWay.delete(name)
    }
  }

  /** XEP-0060 8.1.3. */
  async function createNode(
    address: NodeAddress,
    create: NodeConfiguration,
    timeoutMs: number,
  ): Promise<NodeReadiness> {
    let configuration = { ...nodeDefaults, ...create }
    for (;;) {
      const payload = creation(address.node, configuration)
      const answer = await connection.request({ to: address.service, type: 'set', payload, timeoutMs })
      if (answer.kind !== 'error') return answer.kind === 'result' ? settled('created') : unanswered(answer.kind)
      const smaller = smallerMaxItems(answer.answer, configuration)
      if (smaller === undefined) return afterRefusal(answer.answer)
      log('warn', 'node-max-items-lowered', { ...address, from: configuration.max_items, to: smaller })
      configuration = { ...configuration, max_items: smaller }
    }
  }

  async function lookUp({ service, node }: NodeAddress, timeoutMs: number): Promise<NodeReadiness> {
    const creates = await createsByItself(service, timeoutMs)
    if (creates === 'timeout' || creates === 'lost') return unanswered(creates)
    if (creates === 'no') return settled('assumed')
    const payload = `<query xmlns="${DISCO_INFO}" node="${escapeAttribute(node)}"/>`
    const answer = await connection.request({ to: service, type: 'get', payload, timeoutMs })
    if (answer.kind === 'timeout' || answer.kind === 'lost') return unanswered(answer.kind)
    const isMissing = answer.kind === 'error' && answer.answer.condition === 'item-not-found'
    return isMissing ? { kind: 'refused', answer: answer.answer } : settled('exists')
  }

  function createsByItself(service: string, timeoutMs: number): Promise<AutoCreation> {
    const already = autoCreation.get(service)
    if (already) return already
    const asked = askForFeatures(service, timeoutMs)
    autoCreation.set(service, asked)
    return asked
  }

  async function askForFeatures(service: string, timeoutMs: number): Promise<AutoCreation> {
    const payload = `<query xmlns="${DISCO_INFO}"/>`
    const answer = await connection.request({ to: service, type: 'get', payload, timeoutMs })
    if (answer.kind === 'result') return hasFeature(answer.element, `${PUBSUB}#auto-create`) ? 'yes' : 'no'
    if (answer.kind === 'error') return 'no'
    // Nothing is known yet: the next publish asks again.
    autoCreation.delete(service)
    return answer.kind
  }

  return { ready, forget: (address) => void known.delete(destinationName({ kind: 'node', ...address })) }
}

function settled(how: 'created' | 'exists' | 'assumed'): NodeReadiness {
  return { kind: 'ready', how }
}

function unanswered(kind: 'timeout' | 'lost'): NodeReadiness {
  if (kind === 'lost') return { kind: 'lost' }
  return { kind: 'refused', answer: { condition: 'timeout', type: 'wait', text: 'The service did not answer in time' } }
}

function afterRefusal(answer: Answer): NodeReadiness {
  switch (answer.condition) {
    case 'conflict':
      return settled('exists')
    // Who may not create may still be allowed to publish; services say so before they look whether there is a node.
    case 'forbidden':
    case 'not-allowed':
    case 'not-authorized':
    case 'feature-not-implemented':
    case 'unsupported':
      return settled('assumed')
    default:
      return { kind: 'refused', answer }
  }
}

/** XEP-0060 8.1.3 has no word for it: Prosody says bad-request or not-acceptable, ejabberd resource-constraint. */
function smallerMaxItems({ condition, text }: Answer, { max_items }: NodeConfiguration): number | undefined {
  if (condition !== 'not-acceptable' && !text.includes('max_items')) return undefined
  return SMALLER_MAX_ITEMS.find((size) => max_items === 'max' || Number(max_items) > size)
}

/** XEP-0060 8.1.3: creating and configuring in one request; the form is XEP-0004's. */
function creation(node: string, configuration: NodeConfiguration): string {
  const fields = Object.entries(configuration).map(([name, value]) => field(`pubsub#${name}`, value))
  const formType = `<field var="FORM_TYPE" type="hidden"><value>${PUBSUB}#node_config</value></field>`
  const form = `<x xmlns="${DATA_FORMS}" type="submit">${formType}${fields.join('')}</x>`
  return `<pubsub xmlns="${PUBSUB}"><create node="${escapeAttribute(node)}"/><configure>${form}</configure></pubsub>`
}

function field(name: string, value: string | number | boolean): string {
  const text = typeof value === 'boolean' ? String(Number(value)) : escapeText(String(value))
  return `<field var="${escapeAttribute(name)}"><value>${text}</value></field>`
}

function hasFeature(result: Element, name: string): boolean {
  const query = childNamed(result, 'query', DISCO_INFO)
  return (
    query !== undefined &&
    childElements(query).some((child) => child.name === 'feature' && attributeOf(child, 'var') === name)
  )
}

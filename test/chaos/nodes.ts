import { attribute } from '../scenarios/waybill.ts'
import { connectRawComponent } from '../servers/raw-component.ts'
import type { RunningXmppServer } from '../servers/xmpp.ts'
import type { Component } from './component.ts'
import { itemIds, type Receivers } from './receivers.ts'
import { FIXED_NODES, FRESH_NODES, freshNode, PUBSUB, RECEIVERS, SOURCE_NODE } from './ways.ts'

const READER = `reader@${RECEIVERS}`
const OWNER = "xmlns='http://jabber.org/protocol/pubsub#owner'"
const PUBSUB_NAMESPACE = "xmlns='http://jabber.org/protocol/pubsub'"
const NODES = [...FIXED_NODES, ...Array.from({ length: FRESH_NODES }, (_, at) => freshNode(at))]

/** Creates all nodes in Waybill's name, before it comes, and makes the receivers' domain an owner beside it. */
export async function createNodes(server: RunningXmppServer): Promise<void> {
  const waybill = await connectRawComponent(server.component('waybill'))
  const ask = async (id: string, payload: string) => {
    waybill.send(`<iq type='set' id='${id}' from='${waybill.domain}' to='${PUBSUB}'>${payload}</iq>`)
    const answer = await waybill.next((stanza) => attribute(stanza, 'id') === id)
    if (attribute(answer, 'type') !== 'result') throw new Error(`Cannot prepare a node: ${answer}`)
  }
  for (const node of [...NODES, SOURCE_NODE]) {
    await ask(`create-${node}`, creation(node))
    const owner = `<affiliation jid='${RECEIVERS}' affiliation='owner'/>`
    await ask(`own-${node}`, `<pubsub ${OWNER}><affiliations node='${node}'>${owner}</affiliations></pubsub>`)
  }
  waybill.close()
}

function creation(node: string): string {
  const fields = {
    access_model: 'open',
    publish_model: node === SOURCE_NODE ? 'open' : 'publishers',
    persist_items: '1',
    // Prosody writes the whole node with each item. They last for longer than Waybill, or the reader, is ever away.
    max_items: node === SOURCE_NODE ? '60' : '16',
    deliver_payloads: '1',
    send_last_published_item: 'never',
  }
  const form = Object.entries(fields)
    .map(([name, value]) => `<field var='pubsub#${name}'><value>${value}</value></field>`)
    .join('')
  return (
    `<pubsub ${PUBSUB_NAMESPACE}><create node='${node}'/><configure><x xmlns='jabber:x:data' type='submit'>` +
    `<field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#node_config</value></field>` +
    `${form}</x></configure></pubsub>`
  )
}

/** The reader of all nodes. */
export interface Reader {
  /** Subscribes to each node, and reads what it holds: after a while in which something may have been missed. */
  catchUp(nodes?: readonly string[]): Promise<void>
  /** Waybill is an outcast of the node, or an owner again. */
  affiliate(node: string, waybill: string, affiliation: 'outcast' | 'owner'): Promise<void>
  remove(node: string): Promise<void>
}

const PATIENCE_MS = 60_000

export function createReader(component: Component, receivers: Receivers): Reader {
  /** Until the service says yes, or the patience is over: it may be away for the moment. */
  async function insist(type: 'get' | 'set', payload: string, from: string): Promise<string | undefined> {
    const deadline = Date.now() + PATIENCE_MS
    while (Date.now() < deadline) {
      const answer = await component.ask(PUBSUB, type, payload, { from })
      if (answer !== undefined && attribute(answer, 'type') === 'result') return answer
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    return undefined
  }

  return {
    async catchUp(nodes = NODES) {
      for (const node of nodes) {
        const subscribe = `<pubsub ${PUBSUB_NAMESPACE}><subscribe node='${node}' jid='${READER}'/></pubsub>`
        await insist('set', subscribe, READER)
        const answer = await insist('get', `<pubsub ${PUBSUB_NAMESPACE}><items node='${node}'/></pubsub>`, READER)
        if (answer !== undefined) receivers.found(node, itemIds(answer))
      }
    },
    async affiliate(node, waybill, affiliation) {
      const change = `<affiliation jid='${waybill}' affiliation='${affiliation}'/>`
      const payload = `<pubsub ${OWNER}><affiliations node='${node}'>${change}</affiliations></pubsub>`
      await insist('set', payload, RECEIVERS)
    },
    async remove(node) {
      await insist('set', `<pubsub ${OWNER}><delete node='${node}'/></pubsub>`, RECEIVERS)
    },
  }
}

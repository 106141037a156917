/** Where documents are seen to arrive: by the receivers themselves, each by the envelope's id. */
import { confirmReceipt, documentIn, itemsIn, subscribe } from './clients.mjs'

/** Nodes that the demo's routes fill. */
const NODES = ['orders/DE', 'orders/FR', 'orders/AT', 'invoices/EUR', 'invoices/other', 'news', 'telemetry/plant-1']

/**
 * @typedef {object} Arrivals
 * @property {(id: string) => ReadonlyMap<string, number>} of place to time (performance.now) for an envelope
 * @property {(holds: () => boolean, timeoutMs: number) => Promise<boolean>} until
 * @property {(listener: (id: string, place: string) => void) => void} onArrival
 * @property {() => void} stop
 */

/**
 * The ERP receives messages and confirms them; the operator receives messages, alarms and the events of the nodes.
 *
 * @param {{ erp: import('./clients.mjs').Client, operator: import('./clients.mjs').Client, pubsub: string, waybill: string }} parties
 * @returns {Arrivals}
 */
export function watchArrivals({ erp, operator, pubsub, waybill }) {
  /** @type {Map<string, Map<string, number>>} */
  const seen = new Map()
  const waiting = new Set()
  const listeners = new Set()
  let over = false

  const arrived = (id, place) => {
    const places = seen.get(id) ?? new Map()
    if (places.has(place)) return
    seen.set(id, places.set(place, performance.now()))
    for (const listener of listeners) listener(id, place)
    for (const check of waiting) check()
  }

  for (const [receiver, name] of [
    [erp, 'erp'],
    [operator, 'operator'],
  ]) {
    receiver.onStanza((stanza) => {
      const document = documentIn(stanza)
      if (document) arrived(document.id, name)
      confirmReceipt(receiver, stanza).catch(() => {})
    })
  }
  operator.onStanza((stanza) => {
    const event = itemsIn(stanza, pubsub)
    for (const id of event?.ids ?? []) arrived(id, `node ${event.node}`)
    const givenUp = alarmIn(stanza, waybill)
    if (givenUp) arrived(givenUp.id, `alarm ${givenUp.name}`)
  })
  for (const node of NODES) {
    subscribe(operator, pubsub, node, () => over)
      .then((ids) => {
        for (const id of ids) arrived(id, `node ${node}`)
      })
      .catch(() => {})
  }

  return {
    of: (id) => seen.get(id) ?? new Map(),
    onArrival: (listener) => listeners.add(listener),
    stop: () => {
      over = true
    },
    until: (holds, timeoutMs) =>
      new Promise((resolve) => {
        const settle = (verdict) => {
          clearTimeout(timer)
          waiting.delete(check)
          resolve(verdict)
        }
        const check = () => holds() && settle(true)
        const timer = setTimeout(() => settle(holds()), timeoutMs)
        waiting.add(check)
        check()
      }),
  }
}

/** Envelope and receiver, where the stanza is an alarm of a delivery that was given up. */
function alarmIn(stanza, waybill) {
  if (!stanza.is('message') || stanza.attrs.from !== waybill || documentIn(stanza)) return undefined
  const text = stanza.getChildText('body') ?? ''
  const id = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(text)?.[0]
  const name = /([a-z]+)@/.exec(text)?.[1]
  return id && name ? { id, name } : undefined
}

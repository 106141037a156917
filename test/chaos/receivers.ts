import { destinationName } from '../../src/domain/delivery.ts'
import { attribute } from '../scenarios/waybill.ts'
import type { Component } from './component.ts'
import { PUBSUB } from './ways.ts'

/** A document at its destination. */
export interface Arrival {
  readonly atMs: number
  /** Its place among all arrivals. */
  readonly place: number
  /** The receiver sent it back. */
  readonly wasSentBack: boolean
  /** Not heard of: found in the node when that was read. */
  readonly wasRead: boolean
}

/** Destination → envelope id → its arrivals, first one first. */
export type Arrivals = ReadonlyMap<string, ReadonlyMap<string, readonly Arrival[]>>

export interface Receivers {
  readonly arrivals: Arrivals
  /** Takes what comes to the receivers' domain. */
  take(stanza: string): void
  /** Items that were read from a node: those that were not heard of count. */
  found(node: string, envelopeIds: readonly string[]): void
  /** While set, documents to `fickle@` come back, and nobody confirms anything. */
  readonly mood: { bounces: boolean; hangs: boolean }
}

export function createReceivers(component: () => Component): Receivers {
  const arrivals = new Map<string, Map<string, Arrival[]>>()
  const mood = { bounces: false, hangs: false }
  let place = 0

  function note(destination: string, envelopeId: string, changes: Partial<Arrival> = {}): void {
    const here = arrivals.get(destination) ?? new Map<string, Arrival[]>()
    arrivals.set(destination, here)
    const known = here.get(envelopeId) ?? []
    here.set(envelopeId, known)
    if (changes.wasRead && known.length > 0) return
    // It was in the node before the news of it came.
    if (known.length === 1 && known[0]!.wasRead) known.pop()
    known.push({ atMs: Date.now(), place: place++, wasSentBack: false, wasRead: false, ...changes })
  }

  function takeIq(id: string, from: string, to: string): void {
    note(to, id.split('.')[0]!)
    if (!mood.hangs) component().send(`<iq type='result' id='${id}' from='${to}' to='${from}'/>`)
  }

  function takeMessage(stanza: string, id: string, from: string, to: string): void {
    const bounces = mood.bounces && to.startsWith('fickle@')
    note(to, id.split('.')[0]!, { wasSentBack: bounces })
    if (bounces) {
      const error = `<error type='wait'><recipient-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>`
      component().send(`<message type='error' id='${id}' from='${to}' to='${from}'>${error}</message>`)
    }
    if (!/<request\b[^>]*urn:xmpp:receipts/.test(stanza) || mood.hangs) return
    component().send(`<message from='${to}' to='${from}'><received xmlns='urn:xmpp:receipts' id='${id}'/></message>`)
  }

  function takeEvent(stanza: string): void {
    const node = /<items\b[^>]*?\snode=(["'])(.*?)\1/.exec(stanza)?.[2]
    if (node === undefined) return
    // ejabberd makes a node that was deleted by itself, with defaults of its own: the last item is sent to whoever subscribes.
    const wasRead = /<delay\b[^>]*urn:xmpp:delay/.test(stanza)
    for (const id of itemIds(stanza)) note(destinationName({ kind: 'node', service: PUBSUB, node }), id, { wasRead })
  }

  return {
    arrivals,
    mood,
    take(stanza) {
      const [id, from, to, type] = ['id', 'from', 'to', 'type'].map((name) => attribute(stanza, name) ?? '')
      if (stanza.startsWith('<iq') && type === 'set') takeIq(id!, from!, to!)
      else if (!stanza.startsWith('<message') || type === 'error') return
      else if (from === PUBSUB) takeEvent(stanza)
      else takeMessage(stanza, id!, from!, to!)
    },
    found(node, envelopeIds) {
      const destination = destinationName({ kind: 'node', service: PUBSUB, node })
      for (const id of envelopeIds) note(destination, id, { wasRead: true })
    },
  }
}

export function itemIds(stanza: string): readonly string[] {
  return [...stanza.matchAll(/<item\b[^>]*?\sid=(["'])([0-9a-f-]{36})\1/g)].map((found) => found[2]!)
}

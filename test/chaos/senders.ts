import { attribute, rejectedAs } from '../scenarios/waybill.ts'
import type { Component } from './component.ts'
import { documentXml, type PlannedDocument, sealedXml } from './documents.ts'
import { PUBSUB, SOURCE_NODE } from './ways.ts'

/** What a sender knows of a document of its own. */
export interface SentDocument {
  readonly document: PlannedDocument
  /** How often it was sent. */
  times: number
  /** When it was acknowledged; undefined as long as it isn't. */
  acknowledgedAtMs: number | undefined
  /** The envelope ids that it was acknowledged with: one, or none where it went through a node. */
  readonly envelopeIds: Set<string>
  /** Why it was refused for good: something is wrong then. */
  refusal: string | undefined
}

export interface Senders {
  readonly sent: readonly SentDocument[]
  /** Resolves when everything was sent and acknowledged, or when they were stopped. */
  readonly done: Promise<unknown>
  /** Envelope ids of the documents of which a report came. */
  readonly reported: ReadonlySet<string>
  /** Takes what comes back. */
  take(stanza: string): void
  /** Publishes again what was published since then: a server that was killed may have forgotten it. */
  publishAgain(sinceMs: number): Promise<void>
  /** No further document; what was sent is still sent again until it is acknowledged. */
  close(): void
  /** How far they are behind the plan, in milliseconds of its clock. */
  behindMs(nowMs: number): number
  stop(): void
}

const PATIENCE_MS = 3_000
const PAUSE_MS = 300
const WAIT = ['overloaded', 'unavailable']

/**
 * Senders that behave as good ones do: one document at a time, sent again under the same id until it was acknowledged.
 * `until` resolves when a document's time has come.
 */
export function startSenders(
  planned: readonly (readonly PlannedDocument[])[],
  component: Component,
  waybill: string,
  until: (atMs: number) => Promise<void>,
): Senders {
  const waiting = new Map<string, (stanza: string | undefined) => void>()
  const byNumber = new Map<string, SentDocument>()
  const sent: SentDocument[] = []
  const reported = new Set<string>()
  /** When the document that each sender is at was to be sent. */
  const plannedAt = new Map<number, number>()
  let isClosed = false
  let isStopped = false

  async function runSender(documents: readonly PlannedDocument[]): Promise<void> {
    for (const document of documents) {
      plannedAt.set(document.sender, document.atMs)
      await until(document.atMs)
      if (isClosed || isStopped) return
      const one: SentDocument = {
        document,
        times: 0,
        acknowledgedAtMs: undefined,
        envelopeIds: new Set(),
        refusal: undefined,
      }
      sent.push(one)
      byNumber.set(document.number, one)
      await sendUntilAcknowledged(one)
      plannedAt.delete(document.sender)
    }
  }

  async function sendUntilAcknowledged(one: SentDocument): Promise<void> {
    while (!isStopped) {
      const answer = await sendOnce(one)
      if (answer !== undefined) judge(one, answer)
      if (one.acknowledgedAtMs !== undefined || one.refusal !== undefined) return
      await pause(PAUSE_MS)
    }
  }

  function sendOnce(one: SentDocument): Promise<string | undefined> {
    const { number } = one.document
    return new Promise((resolve) => {
      const timer = setTimeout(() => answer(undefined), PATIENCE_MS)
      const answer = (stanza: string | undefined) => {
        clearTimeout(timer)
        waiting.delete(number)
        resolve(stanza)
      }
      waiting.set(number, answer)
      if (component.send(stanzaOf(one.document, waybill))) one.times++
      else answer(undefined)
    })
  }

  return {
    sent,
    done: Promise.all(planned.map(runSender)),
    reported,
    take(stanza) {
      const report = /<report\b[^>]*?\sid=(["'])([0-9a-f-]{36})\1/.exec(stanza)?.[2]
      if (report !== undefined) return void reported.add(report)
      const number = answeredNumber(stanza)
      if (number === undefined) return
      const one = byNumber.get(number)
      // A late acknowledgement of an earlier send must say the same.
      if (one?.acknowledgedAtMs !== undefined) judge(one, stanza)
      waiting.get(number)?.(stanza)
    },
    async publishAgain(sinceMs) {
      for (const one of [...sent]) {
        if (one.document.path !== 'event' || (one.acknowledgedAtMs ?? 0) < sinceMs) continue
        one.acknowledgedAtMs = undefined
        await sendUntilAcknowledged(one)
      }
    },
    behindMs: (nowMs) => Math.max(0, ...[...plannedAt.values()].map((atMs) => nowMs - atMs)),
    close() {
      isClosed = true
    },
    stop() {
      isStopped = true
    },
  }
}

function judge(one: SentDocument, answer: string): void {
  const ids = [...answer.matchAll(/<accepted\b[^>]*?\sid=(["'])([0-9a-f-]{36})\1/g)].map((found) => found[2]!)
  for (const id of ids) one.envelopeIds.add(id)
  const isError = attribute(answer, 'type') === 'error'
  const reason = rejectedAs(answer)
  if (!isError) one.acknowledgedAtMs ??= Date.now()
  // What has no rejection is the server's word in Waybill's place.
  else if (reason !== '' && !WAIT.includes(reason)) one.refusal = reason
}

/** The number of the document that a stanza answers. */
function answeredNumber(stanza: string): string | undefined {
  if (stanza.startsWith('<iq')) return attribute(stanza, 'id')
  if (!stanza.startsWith('<message')) return undefined
  if (attribute(stanza, 'type') === 'error') return attribute(stanza, 'id')
  return /<received\b[^>]*?\sid=(["'])(.*?)\1/.exec(stanza)?.[2]
}

function stanzaOf(document: PlannedDocument, waybill: string): string {
  const { number, sender, path } = document
  const from = `s${sender}@peer.example.test/x`
  const iq = (to: string, payload: string) => `<iq type='set' id='${number}' from='${from}' to='${to}'>${payload}</iq>`
  const publish = (node: string) =>
    `<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='${node}'><item id='${number}'>${documentXml(document)}</item></publish></pubsub>`
  const message = (payload: string) =>
    `<message id='${number}' from='${from}' to='${waybill}'><request xmlns='urn:xmpp:receipts'/>${payload}</message>`
  switch (path) {
    case 'iq':
      return iq(waybill, documentXml(document))
    case 'sealed iq':
      return iq(waybill, sealedXml(document))
    case 'submit':
      return iq(waybill, `<submit xmlns='urn:waybill:0' report='all'>${documentXml(document)}</submit>`)
    case 'message':
      return message(documentXml(document))
    case 'sealed message':
      return message(sealedXml(document))
    case 'publish':
      return iq(waybill, publish('parcels'))
    case 'event':
      return iq(PUBSUB, publish(SOURCE_NODE))
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

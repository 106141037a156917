import type { AttemptOutcome, DeadReason } from '../domain/delivery.ts'
import { bareJid } from '../domain/jid.ts'
import type { Answer } from '../domain/retry.ts'
import { isXmlText } from '../domain/serialise.ts'
import type { Clock, Log, Outlet, StartedAttempt } from '../flow/ports.ts'
import { createCarrier, type ToElement } from './carriage.ts'
import type { Connection } from './connection.ts'
import { documentMessage, noticeMessage } from './message.ts'
import { createProof, type Proof } from './proof.ts'
import {
  type Ask,
  connectionLost,
  createPublish,
  isOver,
  type NodeDestination,
  outcomeOfAnswer,
  publishPayload,
  streamClosed,
} from './publish.ts'
import { legible } from './replies.ts'
import { createTurns } from './turns.ts'

export interface OutletOptions {
  readonly connection: Omit<Connection, 'start' | 'stop'>
  /** The server that is asked for the hand-over proof. */
  readonly host: string
  /** Of UTF-8, in all. The server closes the whole stream over a stanza that is larger than its own limit. */
  readonly maxStanzaBytes: number
  readonly toElement: ToElement
  /** An error message came back for a delivery that isn't under way any more. */
  readonly onBounce: (deliveryId: string, from: string, answer: Answer) => void
  readonly now: Clock
  readonly log: Log
  /** Publishes to one node under way at once; 64 by default. */
  readonly publishWindow?: number
  /** How long the hand-over proof may take; 30 seconds by default. */
  readonly proofTimeoutMs?: number
}

/** {@link Outlet}, which hears from dispatch what came back. */
export interface XmppOutlet extends Outlet {
  /** XEP-0184: `id` is what the receipt names. */
  receipt(id: string, from: string): void
  /** An error message with our id. */
  bounce(id: string, from: string, answer: Answer): void
}

/** A message that was written and of whose fate nothing is known yet. */
interface Unproven {
  readonly attempt: StartedAttempt
  readonly asked: string
  /** The number under which it was written. */
  readonly place: number
  readonly settle: (outcome: AttemptOutcome) => void
}

/** More routers than any sensible chain has (docs/protocol.md 5.3). */
const MAX_HOPS = 8
/** Room for the `<iq>` around a payload, besides its addresses. */
const IQ_BYTES = 256
/** Nothing is built while more than this waits to be sent. */
const BUFFERED_BYTES = 1_048_576
const DELIVERY_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.\d+$/

/** Sends deliveries over the connection, and finds out what became of each. */
export function createOutlet(options: OutletOptions): XmppOutlet {
  const { connection, log, now } = options
  const unproven = new Map<string, Unproven>()
  /** Deliveries of which an iq is under way. */
  const asking = new Set<string>()
  const publish = createPublish({ connection, log, now, window: options.publishWindow ?? 64 })
  const prove = createProof(connection, options.host, options.proofTimeoutMs ?? 30_000)
  const turns = createTurns(connection, prove)
  const carry = createCarrier(options.toElement)
  let draining: Promise<void> | undefined

  connection.onStream((event) => {
    if (event.kind === 'online') return
    for (const { place, settle } of [...unproven.values()]) {
      const said = event.closed(place)
      settle(said === undefined ? { kind: 'void', reason: event.reason } : streamClosed(said))
    }
  })

  async function send(attempt: StartedAttempt, onHad = () => {}): Promise<AttemptOutcome> {
    if (!connection.online) return offline
    if (attempt.hops >= MAX_HOPS) {
      return unsendable(
        'loop',
        `Cannot send ${attempt.id}: it has passed ${attempt.hops} routers, the limit is ${MAX_HOPS}`,
      )
    }
    // What others write that have waited as long may leave no room again. A suspect may end the process as well: nothing else is in hand with it.
    while (isFull() || turns.wait) await (isFull() ? drained() : turns.wait)
    if (isOver(attempt, now())) return { kind: 'expired' }
    const carriage = carry(attempt)
    if (carriage.kind === 'unsendable') return carriage
    const { destination } = attempt
    if (destination.kind === 'jid' && attempt.options.confirm !== 'iq') {
      return await toJidByMessage(attempt, destination.jid, carriage.xml, onHad)
    }
    const ask: Ask = async (request) => {
      // It may have waited for its node.
      while (isFull()) await drained()
      return turns.take(attempt, onHad, () => connection.request(request), { kind: 'lost' } as const)
    }
    return destination.kind === 'node'
      ? toNode(attempt, destination, carriage.xml, ask)
      : toJidByIq(attempt, destination.jid, carriage.xml, ask)
  }

  function isFull(): boolean {
    return draining !== undefined || connection.bufferedBytes > BUFFERED_BYTES
  }

  /** All that came while the buffer was full go on in the order in which they came. */
  function drained(): Promise<void> {
    draining ??= connection.drained().finally(() => {
      draining = undefined
    })
    return draining
  }

  async function toNode(
    attempt: StartedAttempt,
    destination: NodeDestination,
    document: string,
    ask: Ask,
  ): Promise<AttemptOutcome> {
    const payload = publishPayload(attempt, destination.node, document)
    const problem = unfit(attempt, destination.service + destination.node, payload, IQ_BYTES)
    return problem ?? publish(attempt, destination, payload, ask)
  }

  async function toJidByIq(attempt: StartedAttempt, jid: string, document: string, ask: Ask): Promise<AttemptOutcome> {
    const problem = unfit(attempt, jid, document, IQ_BYTES)
    if (problem) return problem
    const { id } = attempt
    if (asking.has(id)) return second
    asking.add(id)
    try {
      const timeoutMs = attempt.options.confirmTimeoutMs
      return outcomeOfAnswer(await ask({ to: jid, type: 'set', payload: document, id, timeoutMs }))
    } finally {
      asking.delete(id)
    }
  }

  function toJidByMessage(
    attempt: StartedAttempt,
    jid: string,
    document: string,
    onHad: () => void,
  ): AttemptOutcome | Promise<AttemptOutcome> {
    const message = messageWithin(attempt, jid, document)
    const problem = unfit(attempt, jid + (attempt.options.body ?? ''), message, 0)
    if (problem) return problem
    if (unproven.has(attempt.id)) return second
    const write = () => (connection.write(message) ? fateOf(attempt, jid) : offline)
    return turns.take(attempt, onHad, write, offline)
  }

  /** Findings go as far as there is room: the document comes before what is said of it. */
  function messageWithin(attempt: StartedAttempt, jid: string, document: string): string {
    const whole = documentMessage(attempt, jid, document, connection.domain, now())
    if (!attempt.marked || Buffer.byteLength(whole) <= options.maxStanzaBytes) return whole
    const marked = { ...attempt.marked, findings: [] }
    return documentMessage({ ...attempt, marked }, jid, document, connection.domain, now())
  }

  /** Settles with what comes first: a bounce, the proof that is asked for, or the loss of the stream. */
  function fateOf(attempt: StartedAttempt, jid: string): Promise<AttemptOutcome> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined
      const one: Unproven = { attempt, asked: bareJid(jid), place: connection.place, settle }
      function settle(outcome: AttemptOutcome): void {
        if (unproven.get(attempt.id) !== one) return
        unproven.delete(attempt.id)
        clearTimeout(timer)
        resolve(outcome)
      }
      unproven.set(attempt.id, one)
      const { confirm, confirmTimeoutMs } = attempt.options
      function late(): void {
        if (connection.isOnItsWay(one.place)) timer = setTimeout(late, confirmTimeoutMs)
        else settle({ kind: 'refused', answer: noReceipt })
      }
      if (confirm === 'receipt') timer = setTimeout(late, confirmTimeoutMs)
      else {
        void prove().then((proof) => {
          // What was alone ends with the stream, which is given up for it.
          if (proof !== 'timeout' || attempt.alone !== 'until-had') settle(outcomeOf(proof))
        })
      }
    })
  }

  function receipt(id: string, from: string): void {
    const one = unproven.get(id)
    const isAsked = one?.attempt.options.confirm === 'receipt' && bareJid(from) === one.asked
    if (isAsked) one.settle({ kind: 'delivered', proof: 'receipt' })
    else log('debug', 'receipt-ignored', { id, from })
  }

  function bounce(id: string, from: string, answer: Answer): void {
    const one = unproven.get(id)
    if (one && bareJid(from) === one.asked) one.settle({ kind: 'refused', answer })
    else if (!one && DELIVERY_ID.test(id)) options.onBounce(id, from, answer)
    else log('debug', 'bounce-ignored', { id, from, condition: answer.condition })
  }

  function notify(jid: string, text: string): void {
    if (!isXmlText(jid) || !connection.write(noticeMessage(jid, legible(text), connection.domain))) {
      log('warn', 'notice-lost', { to: jid })
    }
  }

  /** One bad stanza makes a server close the whole stream. */
  function unfit(
    { id, type, from }: StartedAttempt,
    words: string,
    xml: string,
    around: number,
  ): AttemptOutcome | undefined {
    if (!isXmlText(words + type + from)) {
      return unsendable(
        'breaks-stream',
        `Cannot send ${id}: its address or body holds characters that XML does not allow`,
      )
    }
    // UTF-8 has three bytes at most for a unit of UTF-16.
    if (3 * xml.length + around <= options.maxStanzaBytes) return undefined
    const bytes = Buffer.byteLength(xml) + around
    if (bytes <= options.maxStanzaBytes) return undefined
    return unsendable(
      'too-large',
      `Cannot send ${id}: its stanza has ${bytes} bytes, maxStanzaBytes is ${options.maxStanzaBytes}`,
    )
  }

  return {
    send,
    notify,
    receipt,
    bounce,
    get online() {
      return connection.online
    },
  }
}

const offline: AttemptOutcome = { kind: 'void', reason: 'the connection is offline' }
/** The lease of the earlier one ran out while it was under way. */
const second: AttemptOutcome = { kind: 'void', reason: 'an earlier attempt is under way' }
const noReceipt: Answer = { condition: 'no-receipt', type: 'wait', text: 'No receipt came in time' }

function unsendable(reason: DeadReason, text: string): AttemptOutcome {
  return { kind: 'unsendable', reason, text }
}

function outcomeOf(proof: Proof): AttemptOutcome {
  switch (proof) {
    case 'handed-over':
      return { kind: 'delivered', proof: 'handed-over' }
    case 'lost':
      return connectionLost
    case 'timeout':
      return { kind: 'void', reason: 'the server did not answer the hand-over proof in time' }
  }
}

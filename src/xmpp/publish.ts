import { type AttemptOutcome, type Destination, destinationName } from '../domain/delivery.ts'
import type { Answer } from '../domain/retry.ts'
import { escapeAttribute } from '../domain/serialise.ts'
import type { Clock, Log, StartedAttempt } from '../flow/ports.ts'
import type { Connection, IqAnswer, IqRequest } from './connection.ts'
import { PUBSUB } from './namespaces.ts'
import { createNodes, type NodeReadiness } from './nodes.ts'

export interface PublishNeeds {
  readonly connection: Pick<Connection, 'stream' | 'request'>
  /** Publishes to one node under way at once. */
  readonly window: number
  readonly now: Clock
  readonly log: Log
}

export type NodeDestination = Extract<Destination, { kind: 'node' }>

/** Publishes documents, each as one item whose id is the envelope's (docs/protocol.md 5.1). */
export type Publish = (
  attempt: StartedAttempt,
  destination: NodeDestination,
  payload: string,
  ask: Ask,
) => Promise<AttemptOutcome>

/** Sends a request when it is the attempt's turn (turns.ts). */
export type Ask = (request: IqRequest) => Promise<IqAnswer>

/** XEP-0060 7.1.1: one item, no publish-options; servers disagree on everything beyond. */
export function publishPayload({ envelopeId }: StartedAttempt, node: string, document: string): string {
  const item = `<item id="${envelopeId}">${document}</item>`
  return `<pubsub xmlns="${PUBSUB}"><publish node="${escapeAttribute(node)}">${item}</publish></pubsub>`
}

export function createPublish({ connection, window, now, log }: PublishNeeds): Publish {
  const nodes = createNodes(connection, log)
  const places = createPlaces(window)

  async function publish(
    attempt: StartedAttempt,
    destination: NodeDestination,
    payload: string,
    ask: Ask,
  ): Promise<AttemptOutcome> {
    const { create, confirmTimeoutMs } = attempt.options
    const before = await nodes.ready(destination, create, confirmTimeoutMs)
    if (before.kind !== 'ready') return unready(before)
    const outcome = await request(attempt, destination, payload, ask)
    if (!isNodeMissing(outcome)) return outcome
    // The node that was there is gone. Prosody tells those who may not create that it is forbidden.
    nodes.forget(destination)
    if (!create || before.how === 'created') return outcome
    const again = await nodes.ready(destination, create, confirmTimeoutMs)
    if (again.kind !== 'ready') return unready(again)
    return again.how === 'assumed' ? outcome : request(attempt, destination, payload, ask)
  }

  async function request(
    attempt: StartedAttempt,
    { service }: NodeDestination,
    payload: string,
    ask: Ask,
  ): Promise<AttemptOutcome> {
    const timeoutMs = attempt.options.confirmTimeoutMs
    return outcomeOfAnswer(await ask({ to: service, type: 'set', payload, timeoutMs }))
  }

  return async (attempt, destination, payload, ask) => {
    const leave = await places.take(destinationName(destination))
    try {
      if (isOver(attempt, now())) return { kind: 'expired' }
      return await publish(attempt, destination, payload, ask)
    } finally {
      leave()
    }
  }
}

/** No try is made later than that, whatever it has waited for (docs/operations.md). */
export function isOver({ expiresAtMs }: StartedAttempt, nowMs: number): boolean {
  return expiresAtMs !== undefined && expiresAtMs <= nowMs
}

const noAnswer: Answer = { condition: 'timeout', type: 'wait', text: 'No answer came in time' }
export const connectionLost: AttemptOutcome = { kind: 'void', reason: 'the connection was lost before an answer came' }

/** What the answer to the request that carries a document means for the attempt. */
export function outcomeOfAnswer(answer: IqAnswer): AttemptOutcome {
  switch (answer.kind) {
    case 'result':
      return { kind: 'delivered', proof: 'result' }
    case 'error':
      return { kind: 'refused', answer: answer.answer }
    case 'timeout':
      return { kind: 'refused', answer: noAnswer }
    case 'lost':
      return answer.closed === undefined ? connectionLost : streamClosed(answer.closed)
  }
}

/** The stream closed, and this attempt may be why. */
export function streamClosed(said: string): AttemptOutcome {
  return { kind: 'void', reason: `the stream closed before the server was known to have had it: ${said}`, closed: true }
}

function unready(readiness: Exclude<NodeReadiness, { kind: 'ready' }>): AttemptOutcome {
  return readiness.kind === 'lost' ? connectionLost : { kind: 'refused', answer: readiness.answer }
}

function isNodeMissing(outcome: AttemptOutcome): boolean {
  if (outcome.kind !== 'refused') return false
  return outcome.answer.condition === 'item-not-found' || outcome.answer.condition === 'forbidden'
}

/** So many at once for each name; the others wait in the order in which they came. */
function createPlaces(limit: number): { take(name: string): Promise<() => void> } {
  const taken = new Map<string, { count: number; readonly waiting: (() => void)[] }>()

  function leave(name: string): void {
    const place = taken.get(name)!
    const next = place.waiting.shift()
    if (next) next()
    else if (place.count === 1) taken.delete(name)
    else place.count -= 1
  }

  async function take(name: string): Promise<() => void> {
    const place = taken.get(name) ?? { count: 0, waiting: [] }
    taken.set(name, place)
    if (place.count < limit) place.count += 1
    else await new Promise<void>((resolve) => place.waiting.push(resolve))
    return () => leave(name)
  }

  return { take }
}

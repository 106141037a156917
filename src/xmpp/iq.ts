import { randomUUID } from 'node:crypto'
import { attributeOf, childElements, childNamed, type Element, textOf } from '../domain/element.ts'
import { normaliseJid } from '../domain/jid.ts'
import type { ErrorType, Rejection } from '../domain/rejection.ts'
import type { Answer } from '../domain/retry.ts'
import { escapeAttribute } from '../domain/serialise.ts'
import { PUBSUB_ERRORS, STANZA_ERRORS } from './namespaces.ts'

/** How a request of ours ended. A lost connection and a time-out are outcomes, not exceptions. */
export type IqAnswer =
  /** `excess`: why the result could not be read; the element is empty then. */
  | { readonly kind: 'result'; readonly element: Element; readonly excess?: Rejection }
  | { readonly kind: 'error'; readonly answer: Answer; readonly element: Element }
  | { readonly kind: 'timeout' }
  /**
   * The stream ended, or there was none: whether the request had an effect is unknown. `closed`: the server closed it before it was
   * known to have had the request, and nothing else explains it; this says what it said.
   */
  | { readonly kind: 'lost'; readonly closed?: string }

const ERROR_TYPES: ReadonlySet<string> = new Set<ErrorType>(['auth', 'cancel', 'continue', 'modify', 'wait'])

/**
 * What an error stanza says (RFC 6120 8.3). A condition of PubSub's own (XEP-0060) is preferred to the general one it
 * stands beside. A stanza without a readable error says `undefined-condition`.
 */
export function answerOf(stanza: Element): Answer {
  const error = childElements(stanza).find((child) => child.name === 'error' && child.uri === stanza.uri)
  if (!error) return { condition: 'undefined-condition', type: 'cancel', text: '' }
  const children = childElements(error)
  const general = children.find((child) => child.uri === STANZA_ERRORS && child.name !== 'text')
  const ofPubsub = children.find((child) => child.uri === PUBSUB_ERRORS)
  const text = childNamed(error, 'text', STANZA_ERRORS)
  const type = attributeOf(error, 'type') ?? ''
  return {
    condition: (ofPubsub ?? general)?.name ?? 'undefined-condition',
    type: ERROR_TYPES.has(type) ? (type as ErrorType) : 'cancel',
    text: text ? textOf(text) : '',
  }
}

export interface IqRequest {
  readonly to: string
  readonly type: 'get' | 'set'
  /** The one child as XML text. */
  readonly payload: string
  /** Made here where it is left out. */
  readonly id?: string
  /** It begins anew while the request, or its answer, is on its way. */
  readonly timeoutMs: number
}

/** Requests of ours that wait for their answers. */
export interface Requests {
  /**
   * Takes a request in. `text` is the whole stanza to be written, `place` the number under which it is.
   * Throws where a request with this id is waiting already.
   */
  add(iq: IqRequest, place?: number): { readonly text: string; readonly id: string; readonly answer: Promise<IqAnswer> }
  /** `answered`: it was the answer to a request. `foreign`: it has the id of one, and comes from somebody else. */
  take(stanza: Element, excess?: Rejection): 'answered' | 'foreign' | 'none'
  /** The highest place of a request that was answered: the server reads a stream in order, and has had everything up to there. */
  readonly had: number
  /** Ends one request, or all of them, as lost. `closed` gives for a place what the server said, where the request may be why. */
  lose(id?: string, closed?: (place: number) => string | undefined): void
}

interface Waiting {
  /** Normalised. */
  readonly from: string
  readonly place: number
  readonly settle: (answer: IqAnswer) => void
}

/**
 * @param domain From whom requests are sent.
 * @param isOnItsWay Whether what was written at a place can't have been answered yet.
 */
export function createRequests(domain: string, isOnItsWay: (place: number) => boolean = () => false): Requests {
  const waiting = new Map<string, Waiting>()
  let had = 0

  function settle(id: string, answer: IqAnswer): void {
    waiting.get(id)?.settle(answer)
    waiting.delete(id)
  }

  return {
    add({ to, type, payload, id = randomUUID(), timeoutMs }, place = 0) {
      if (waiting.has(id)) throw new Error(`Cannot send the iq: a request with the id ${id} is waiting already`)
      const addresses = `from="${escapeAttribute(domain)}" to="${escapeAttribute(to)}"`
      const text = `<iq type="${type}" id="${escapeAttribute(id)}" ${addresses}>${payload}</iq>`
      const answer = new Promise<IqAnswer>((resolve) => {
        let timer = setTimeout(late, timeoutMs)
        function late(): void {
          if (isOnItsWay(place)) timer = setTimeout(late, timeoutMs)
          else settle(id, { kind: 'timeout' })
        }
        waiting.set(id, {
          from: normaliseJid(to) ?? to,
          place,
          settle(outcome) {
            clearTimeout(timer)
            resolve(outcome)
          },
        })
      })
      return { text, id, answer }
    },
    take(stanza, excess) {
      const type = attributeOf(stanza, 'type')
      if (stanza.name !== 'iq' || (type !== 'result' && type !== 'error')) return 'none'
      const id = attributeOf(stanza, 'id') ?? ''
      const request = waiting.get(id)
      if (!request) return 'none'
      // Whoever guesses the id must not answer in another's name.
      if (normaliseJid(attributeOf(stanza, 'from') ?? '') !== request.from) return 'foreign'
      if (type === 'error') settle(id, { kind: type, answer: answerOf(stanza), element: stanza })
      else settle(id, { kind: type, element: stanza, ...(excess && { excess }) })
      had = Math.max(had, request.place)
      return 'answered'
    },
    get had() {
      return had
    },
    lose(id, closedBy = () => undefined) {
      for (const lost of id === undefined ? [...waiting.keys()] : [id]) {
        const closed = closedBy(waiting.get(lost)?.place ?? 0)
        settle(lost, { kind: 'lost', ...(closed !== undefined && { closed }) })
      }
    },
  }
}

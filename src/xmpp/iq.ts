import { attributeOf, childElements, childNamed, type Element, textOf } from '../domain/element.ts'
import type { ErrorType } from '../domain/rejection.ts'
import type { Answer } from '../domain/retry.ts'
import { PUBSUB_ERRORS, STANZA_ERRORS } from './namespaces.ts'

/** How a request of ours ended. A lost connection and a time-out are outcomes, not exceptions. */
export type IqAnswer =
  | { readonly kind: 'result'; readonly element: Element }
  | { readonly kind: 'error'; readonly answer: Answer; readonly element: Element }
  | { readonly kind: 'timeout' }
  /** The stream ended, or there was none: whether the request had an effect is unknown. */
  | { readonly kind: 'lost' }

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

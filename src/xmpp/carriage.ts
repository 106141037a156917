import { hash } from 'node:crypto'
import type { DeadReason } from '../domain/delivery.ts'
import type { Form } from '../domain/document.ts'
import { escapeAttribute, escapeText, isXmlText } from '../domain/serialise.ts'
import type { StartedAttempt } from '../flow/ports.ts'
import { BITS_OF_BINARY, JSON_CONTAINER, JSON_MESSAGE } from './namespaces.ts'

/** A sealed XML document as the text of one element, or undefined where an element can't hold all of it. */
export type ToElement = (payload: Uint8Array) => string | undefined

/** A document as the one element that carries it in a stanza. */
export type Carriage =
  | { readonly kind: 'carried'; readonly xml: string }
  | { readonly kind: 'unsendable'; readonly reason: DeadReason; readonly text: string }

/**
 * Carries documents in the form in which they came, or in the one that their destination asks for (docs/protocol.md 5.3). The deliveries of one
 * document come one after the other, so what was written last is kept.
 */
export function createCarrier(toElement: ToElement): (attempt: StartedAttempt) => Carriage {
  let last: { readonly of: StartedAttempt; readonly carriage: Carriage } | undefined
  return (attempt) => {
    if (last && isCarriedAlike(last.of, attempt)) return last.carriage
    const carriage = carry(attempt, toElement)
    last = carriage.kind === 'carried' ? { of: attempt, carriage } : undefined
    return carriage
  }
}

/** The very same payload, in all that {@link carry} looks at. */
function isCarriedAlike(one: StartedAttempt, other: StartedAttempt): boolean {
  return (
    one.envelopeId === other.envelopeId &&
    one.payload === other.payload &&
    one.options.as === other.options.as &&
    one.form === other.form &&
    one.mediaType === other.mediaType &&
    one.contentType === other.contentType &&
    one.datatype === other.datatype
  )
}

function carry(attempt: StartedAttempt, toElement: ToElement): Carriage {
  const { form, options } = attempt
  if (form === 'sealed') return options.as === 'element' ? unseal(attempt, toElement) : sealed(attempt)
  return options.as === 'sealed' ? sealed(attempt) : inBand(attempt, form, text(attempt.payload))
}

function unseal(attempt: StartedAttempt, toElement: ToElement): Carriage {
  const { mediaType } = attempt
  const payload = bytesOf(attempt)
  if (/[/+]xml$/.test(mediaType)) {
    const element = toElement(payload)
    return element === undefined
      ? unfit(attempt, 'is no XML that an element can hold')
      : inBand(attempt, 'element', element)
  }
  if (!/[/+]json$/.test(mediaType)) return unfit(attempt, `is ${mediaType}`)
  const json = strictText(payload)
  return json === undefined ? unfit(attempt, 'is not UTF-8') : inBand(attempt, 'json', json)
}

function unfit({ id }: StartedAttempt, why: string): Carriage {
  return { kind: 'unsendable', reason: 'unfit-form', text: `Cannot send ${id} as an element: the document ${why}` }
}

function inBand({ id, datatype }: StartedAttempt, form: Exclude<Form, 'sealed'>, content: string): Carriage {
  if (!isXmlText(content)) {
    return {
      kind: 'unsendable',
      reason: 'breaks-stream',
      text: `Cannot send ${id} as an element: the document holds characters that XML does not allow`,
    }
  }
  if (form === 'element') return { kind: 'carried', xml: content }
  const json = `<json xmlns="${JSON_CONTAINER}">${escapeText(content)}</json>`
  if (form === 'json') return { kind: 'carried', xml: json }
  const xml = `<payload xmlns="${JSON_MESSAGE}" datatype="${escapeAttribute(datatype)}">${json}</payload>`
  return { kind: 'carried', xml }
}

/** XEP-0231 2.1: byte for byte, under the name of its own digest. */
function sealed(attempt: StartedAttempt): Carriage {
  const bytes = bytesOf(attempt)
  const cid = `sha256+${hash('sha256', bytes)}@bob.xmpp.org`
  const type = escapeAttribute(attempt.contentType ?? attempt.mediaType)
  const head = `<data xmlns="${BITS_OF_BINARY}" cid="${cid}" type="${type}">`
  return { kind: 'carried', xml: `${head}${bytes.toString('base64')}</data>` }
}

function bytesOf({ payload }: StartedAttempt): Buffer {
  if (typeof payload === 'string') return Buffer.from(payload)
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
}

function text(payload: string | Uint8Array): string {
  if (typeof payload === 'string') return payload
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8')
}

function strictText(payload: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(payload)
  } catch {
    return undefined
  }
}

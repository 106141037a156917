import { parseDeliveryId } from '../domain/delivery.ts'
import type { Document, Form } from '../domain/document.ts'
import type { Ruling } from './intake.ts'
import type { EnvelopeTrace, Store } from './ports.ts'

export interface OperationNeeds {
  readonly store: Store
  /** What is in force now: a document that found no route is matched again by it. */
  readonly ruling: Ruling
  /** A document again from what is stored of it. */
  readonly rehydrate: (form: Form, mediaType: string, datatype: string, payload: Uint8Array) => Document
}

export type OperationResult = { readonly kind: 'done' } | { readonly kind: 'refused'; readonly reason: string }

const done: OperationResult = { kind: 'done' }
const refused = (reason: string): OperationResult => ({ kind: 'refused', reason })

export interface Operations {
  /** Takes a delivery id, or the id of an envelope that found no route. Done twice it delivers once. */
  redrive(id: string): Promise<OperationResult>
  /** The reason and who dropped it are kept. */
  drop(id: string, reason: string, by: string): Promise<OperationResult>
}

/** What an operator does by hand: one vocabulary for the command line and every other way in. */
export function createOperations({ store, ruling, rehydrate }: OperationNeeds): Operations {
  async function redrive(id: string): Promise<OperationResult> {
    const { envelopeId, index } = parseDeliveryId(id)
    if (index !== undefined) return (await store.redrive(id)) ? done : refused('is not a dead letter that can be sent')
    const seen = await store.trace(envelopeId)
    if (!seen) return refused('is not known')
    if (seen.state !== 'dead') return refused(`is not a dead letter but ${seen.state}`)
    if (seen.deliveries.length === 0) return matchAgain(seen)
    return (await store.redrive(seen.id)) ? done : refused('has no delivery that can be sent')
  }

  async function matchAgain(seen: EnvelopeTrace): Promise<OperationResult> {
    const payload = await store.payload(seen.id)
    if (!payload) return refused('has lost its payload to the retention')
    const { content } = rehydrate(seen.form, seen.mediaType, seen.datatype, payload)
    const { deliveries, impossible } = ruling.matcher.match({
      type: seen.type,
      origin: seen.origin,
      mediaType: seen.mediaType,
      fields: seen.fields,
      content,
    })
    const planned = [...deliveries, ...impossible]
    if (planned.length === 0) return refused('still matches no route')
    return (await store.replan(seen.id, planned)) ? done : refused('is not a dead letter any more')
  }

  return {
    redrive,
    async drop(id, reason, by) {
      return (await store.drop(id, reason, by)) ? done : refused('has ended otherwise, or is not known')
    },
  }
}

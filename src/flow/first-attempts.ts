import { deliveryId } from '../domain/delivery.ts'
import type { Reservation, Reserve } from './deliver.ts'
import type { AcceptAnswer, Acceptance, Begun, StartedAttempt } from './ports.ts'

/**
 * Most deliveries can be begun by the process that accepts their document, with what it has in memory: their first attempts are
 * recorded in the step that accepts, no wake goes round for them, and nothing is read back.
 */
export interface FirstAttempts {
  /** With the deliveries named that have a place. */
  readonly acceptances: readonly Acceptance[]
  /** Makes the attempts that have begun, and gives all other places back. Undefined: nothing was accepted, as far as is known. */
  settle(answers: readonly AcceptAnswer[] | undefined): void
}

interface Kept {
  readonly at: number
  readonly index: number
  readonly place: Reservation
}

export function firstAttempts(acceptances: readonly Acceptance[], reserve: Reserve): FirstAttempts {
  const kept = acceptances.flatMap((acceptance, at) => keepPlaces(acceptance, at, reserve))
  const beginAt = (at: number) => kept.filter((one) => one.at === at).map(({ index }) => index)
  return {
    acceptances: acceptances.map((acceptance, at) => ({ ...acceptance, begin: beginAt(at) })),
    settle(answers) {
      for (const { at, index, place } of kept) {
        const begun = begunOf(answers?.[at])
        if (begun?.indexes.includes(index)) place.begin(startedOf(acceptances[at]!, index, begun.token))
        else place.cancel()
      }
    },
  }
}

export function hasBegun(answer: AcceptAnswer | undefined, index: number): boolean {
  return begunOf(answer)?.indexes.includes(index) === true
}

function begunOf(answer: AcceptAnswer | undefined): Begun | undefined {
  return answer?.kind === 'accepted' ? answer.begun : undefined
}

function keepPlaces({ envelope, deliveries, holding }: Acceptance, at: number, reserve: Reserve): Kept[] {
  if (holding) return []
  const kept: Kept[] = []
  for (const [index, { destination, impossible }] of deliveries.entries()) {
    const place = impossible ? undefined : reserve(destination, envelope.document.bytes)
    if (place) kept.push({ at, index, place })
  }
  return kept
}

function startedOf({ envelope, deliveries }: Acceptance, index: number, token: string): StartedAttempt {
  const { id, type, origin, document, marked, receivedAtMs, submit } = envelope
  const { destination, route, options, expiresMs = Infinity } = deliveries[index]!
  const { form, mediaType, contentType, rootName, datatype, payload } = document
  const expiresInMs = Math.min(expiresMs, submit.expiresMs ?? Infinity)
  return {
    id: deliveryId(id, index),
    envelopeId: id,
    token,
    tries: 1,
    destination,
    route,
    options,
    type,
    from: origin.from,
    ...(marked && { marked }),
    receivedAtMs,
    sinceMs: receivedAtMs,
    hops: origin.hops,
    form,
    mediaType,
    ...(contentType !== undefined && { contentType }),
    rootName,
    datatype,
    payload,
    ...(expiresInMs !== Infinity && { expiresAtMs: receivedAtMs + expiresInMs }),
  }
}

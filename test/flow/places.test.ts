import { describe, expect, it } from 'vitest'
import type { AttemptOutcome } from '../../src/domain/delivery.ts'
import { createDeliverer, type DeliverNeeds } from '../../src/flow/deliver.ts'
import { createPlaces } from '../../src/flow/places.ts'
import type { StartedAttempt } from '../../src/flow/ports.ts'

/** A deliverer whose outlet answers when it is told to. Ids say how many bytes are sent. */
function createWorld(bytes: number) {
  const sending: { readonly id: string; readonly end: (outcome: AttemptOutcome) => void }[] = []
  const attempt = (id: string): StartedAttempt =>
    ({ id, destination: { kind: 'jid', jid: 'a@x.example' }, payload: new Uint8Array(Number(id)) }) as StartedAttempt
  const needs = {
    store: { start: async (ids: readonly string[]) => ids.map(attempt), end: async () => [] },
    wakes: { wake: async () => {} },
    outlet: {
      online: true,
      send: ({ id }: StartedAttempt) => new Promise<AttemptOutcome>((end) => sending.push({ id, end })),
    },
    metrics: { attempt: () => {}, ended: () => {} },
    now: () => 0,
    log: () => {},
    places: { all: 10, perDestination: 10, bytes },
  } as unknown as DeliverNeeds
  return { deliverer: createDeliverer(needs), sending }
}

describe('attempts under way', () => {
  it('are bounded by the bytes of their documents: the next ones begin when some have ended', async () => {
    const { deliverer, sending } = createWorld(1_000)
    await deliverer.deliver(['600', '500'])
    const next = deliverer.deliver(['1'])
    await settled()
    expect(sending.map(({ id }) => id)).toEqual(['600', '500'])
    sending[0]!.end({ kind: 'delivered', proof: 'result' })
    await next
    expect(sending.map(({ id }) => id)).toEqual(['600', '500', '1'])
    for (const { end } of sending) end({ kind: 'delivered', proof: 'result' })
    await deliverer.idle()
    expect(deliverer.underWay).toBe(0)
  })
})

describe('places', () => {
  const bounds = { all: 2, perDestination: 2, bytes: 100 }

  it.each([
    ['a place is left', [10], true],
    ['all are taken', [10, 10], false],
    ['the bytes are taken', [100], false],
  ])('are given at once where %s: %3$s', (_, taken, isGiven) => {
    const places = createPlaces(bounds)
    for (const bytes of taken) places.take('a', bytes)
    expect(places.tryTake('b', 1) !== undefined).toBe(isGiven)
  })

  it('are not given past those who wait', () => {
    const places = createPlaces(bounds)
    places.take('a', 1)
    void places.empty()
    expect(places.tryTake('b', 1)).toBeUndefined()
  })
})

/** All that follows by itself. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

import { describe, expect, it } from 'vitest'
import type { AttemptRecord, DeliveryState } from '../../src/domain/delivery.ts'
import { SETS, type Shard, type StoredEnvelope } from '../redis/shard.ts'
import { type Count, count, type Seen } from './count.ts'
import type { PlannedDocument } from './documents.ts'
import type { Arrival } from './receivers.ts'
import type { SentDocument } from './senders.ts'
import { WAYS } from './ways.ts'

const LANE = WAYS.lane.destination(0)
const DELIVERED: AttemptRecord = { atMs: 1_000, tookMs: 10, result: 'handed-over' }
const VOID: AttemptRecord = { atMs: 500, tookMs: 10, result: 'void' }

/** Two documents of one sender to one ordered destination, that were acknowledged and have come, in their order. */
function allIsWell() {
  const places = new Map([
    ['e1', [arrival(0)]],
    ['e2', [arrival(1)]],
  ])
  const envelopes = new Map([
    ['e1', envelope('e1', 0, 1)],
    ['e2', envelope('e2', 1, 2)],
  ])
  return {
    sent: [sent('e1', 0), sent('e2', 1)],
    envelopes,
    places,
    reported: new Set<string>(),
    serverDeaths: [] as { fromMs: number; untilMs: number }[],
  }
}

type World = ReturnType<typeof allIsWell>

function sent(envelopeId: string, place: number): SentDocument {
  const document: PlannedDocument = {
    number: `s0-${place}`,
    sender: 0,
    place,
    path: 'iq',
    key: 'k',
    ways: ['lane'],
    fresh: 0,
    atMs: 0,
    size: 0,
  }
  return { document, times: 1, acknowledgedAtMs: 900, envelopeIds: new Set([envelopeId]), refusal: undefined }
}

function arrival(place: number, changes: Partial<Arrival> = {}): Arrival {
  return { atMs: 1_005, place, wasSentBack: false, wasRead: false, ...changes }
}

function envelope(id: string, place: number, sequence: number, changes: Changes = {}): StoredEnvelope {
  const { state = 'delivered', attempts = [DELIVERED], to = LANE } = changes
  return {
    id,
    sum: { state, sequence, waiting: 0 } as StoredEnvelope['sum'],
    meta: { receivedAtMs: 800, fields: { number: [`s0-${place}`] } } as unknown as StoredEnvelope['meta'],
    payloadBytes: 0,
    hasPayload: false,
    deliveries: [
      { id: `${id}.0`, attempts, facts: { state, to, lane: 'l' } as StoredEnvelope['deliveries'][number]['facts'] },
    ],
  }
}

interface Changes {
  readonly state?: DeliveryState
  readonly attempts?: readonly AttemptRecord[]
  readonly to?: string
}

function asksForReport({ sent: [first] }: World): void {
  Object.assign(first!, { document: { ...first!.document, path: 'submit' } })
}

/** What is found beside what Redis is asked for, which has tests of its own. */
function found({ sent: told, envelopes, places, serverDeaths, reported }: World): (keyof Count)[] {
  const shard = {
    envelopes,
    sets: new Map(),
    lanes: new Map(),
    barred: new Map(),
    breakers: {},
    ledger: {},
    senders: {},
    holding: {},
    claims: new Map(),
    strange: [],
  }
  for (const name of SETS) {
    ;(shard.sets as Map<string, Map<string, number>>).set(name, new Map())
  }
  const seen: Seen = { sent: told, shard: shard as Shard, arrivals: new Map([[LANE, places]]), serverDeaths, reported }
  const counted = count(seen)
  const lists = ['lost', 'lostByServer', 'unaccounted', 'repeats', 'unexplained', 'inversions', 'unreported'] as const
  return lists.filter((name) => counted[name].length > 0)
}

describe('the count of what became of everything', () => {
  it.each<[string, (world: World) => unknown, (keyof Count)[]]>([
    ['nothing where all is well', () => {}, []],
    ['what was delivered and never came', ({ places }) => places.delete('e1'), ['lost']],
    [
      'what a server took and died with',
      ({ places, serverDeaths }) => {
        places.delete('e1')
        serverDeaths.push({ fromMs: 1_200, untilMs: 3_000 })
      },
      ['lostByServer'],
    ],
    [
      'what a server cannot have died with',
      ({ places, serverDeaths }) => {
        places.delete('e1')
        serverDeaths.push({ fromMs: 9_000, untilMs: 9_900 })
      },
      ['lost'],
    ],
    ['what is nowhere', ({ envelopes }) => envelopes.delete('e2'), ['unaccounted']],
    [
      'what still waits',
      ({ envelopes }) => envelopes.set('e2', envelope('e2', 1, 2, { state: 'waiting' })),
      ['unaccounted'],
    ],
    [
      'what was accepted twice',
      ({ envelopes }) => envelopes.set('e3', envelope('e3', 1, 3, { state: 'dead' })),
      ['unaccounted'],
    ],
    ['another id than was told', ({ sent: [first] }) => first!.envelopeIds.add('e9'), ['unaccounted']],
    ['what was refused', ({ sent: [first] }) => Object.assign(first!, { refusal: 'invalid' }), ['unaccounted']],
    [
      'what goes elsewhere',
      ({ envelopes, places }) => {
        envelopes.set('e1', envelope('e1', 0, 1, { to: 'elsewhere@x', state: 'dead' }))
        places.delete('e1')
      },
      ['unaccounted'],
    ],
    [
      'nothing where a dead letter never came',
      ({ envelopes, places }) => {
        envelopes.set('e1', envelope('e1', 0, 1, { state: 'dead' }))
        places.delete('e1')
      },
      [],
    ],
    ['what came twice for no reason', ({ places }) => places.get('e2')!.push(arrival(2)), ['unexplained']],
    [
      'what came twice after an unknown outcome',
      ({ envelopes, places }) => {
        envelopes.set('e2', envelope('e2', 1, 2, { attempts: [VOID, DELIVERED] }))
        places.get('e2')!.push(arrival(2))
      },
      ['repeats'],
    ],
    [
      'nothing where it had been sent back',
      ({ places }) => places.set('e2', [arrival(1, { wasSentBack: true }), arrival(2)]),
      [],
    ],
    ['a report that never came', (world) => asksForReport(world), ['unreported']],
    [
      'nothing where it came',
      (world) => {
        asksForReport(world)
        world.reported.add('e1')
      },
      [],
    ],
    ['what came in the wrong order', ({ places }) => places.set('e1', [arrival(7)]), ['inversions']],
    [
      'nothing where a later arrival only repeats',
      ({ envelopes, places }) => {
        envelopes.set('e1', envelope('e1', 0, 1, { attempts: [VOID, DELIVERED] }))
        places.get('e1')!.push(arrival(2))
      },
      ['repeats'],
    ],
  ])('finds %s', (_, damage, expected) => {
    const world = allIsWell()
    damage(world)
    expect(found(world)).toEqual(expected)
  })
})

import { expect, it } from 'vitest'
import type { Settings } from '../src/config/configuration.ts'
import { readinessOf } from '../src/readiness.ts'
import type { Station } from '../src/station.ts'

const settings = { redis: { durability: 'everysec' } } as Settings

interface Given {
  readonly held?: boolean
  readonly other?: string
  readonly handedOver?: boolean
}

function stationOf(domain: string, { held = false, other }: Given): Station {
  const lease = { held, other: other === undefined ? undefined : { instance: other, sinceMs: 0 } }
  const store = {
    probeWrites: async () => {},
    inspect: () => Promise.reject(new Error()),
    depth: async () => ({ held: 0 }),
  }
  const subscriptions = { states: () => [] }
  return { domain, lease, connection: { online: held }, store, subscriptions, deliverer: { open: new Map() } } as never
}

async function partOf(second: string, given: Readonly<Record<string, Given>>) {
  const stations = Object.entries(given).map(([domain, one]) => stationOf(domain, one))
  const handedOver = new Set(Object.keys(given).filter((domain) => given[domain]!.handedOver))
  const parts = await readinessOf({ stations, handedOver }, settings)
  return parts.find(({ part }) => part === `xmpp of ${second}`)
}

const ours: Given = { held: true }

it.each<[what: string, first: Given, second: Given, isVital: boolean, reason: string]>([
  ['that another process holds is not vital', ours, { other: 'two' }, false, 'standby: two holds b.example'],
  [
    'that was handed over just now is not vital',
    ours,
    { handedOver: true },
    false,
    'standby: b.example was handed over',
  ],
  [
    'that nobody is known to hold is vital',
    ours,
    {},
    true,
    'not attached: Redis could not be asked in time who holds b.example',
  ],
  [
    'that another process holds is vital where we hold none',
    { other: 'two' },
    { other: 'two' },
    true,
    'standby: two holds b.example',
  ],
  [
    'that was handed over is vital where we hold none',
    { other: 'two' },
    { handedOver: true },
    true,
    'standby: b.example was handed over',
  ],
])('a domain %s', async (_, first, second, isVital, reason) => {
  const part = await partOf('b.example', { 'a.example': first, 'b.example': second })
  expect(part).toMatchObject({ ready: false, reason })
  expect(part?.vital ?? true).toBe(isVital)
})

it.each<[attached: number, wanted: number, isReady: boolean, reason: string]>([
  [0, 0, true, ''],
  [1, 1, true, ''],
  [2, 1, true, ''],
  [0, 1, false, 'Cannot promise a copy: 0 of 1 replicas are attached'],
  [1, 2, false, 'Cannot promise 2 copies: 1 of 2 replicas are attached'],
])('with %i replicas where %i are needed the durability is ready: %s', async (replicas, wanted, isReady, reason) => {
  const offered = { appendonly: 'yes', appendfsync: 'everysec', maxmemoryPolicy: 'noeviction', replicas }
  const station = stationOf('a.example', ours)
  Object.assign(station.store, { inspect: async () => offered })
  const asked = { redis: { durability: 'everysec', replicas: wanted } } as Settings
  const parts = await readinessOf({ stations: [station], handedOver: new Set() }, asked)
  expect(parts).toContainEqual({ part: 'durability', ready: isReady, reason })
})

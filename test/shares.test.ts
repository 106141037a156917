import { afterEach, describe, expect, it, vi } from 'vitest'
import { StoreUnavailable } from '../src/flow/ports.ts'
import type { LivingProcess } from '../src/redis/presence.ts'
import { openShares, type Shares } from '../src/shares.ts'
import type { Station } from '../src/station.ts'
import { eventually } from './eventually.ts'
import { keepLog } from './redis/fixtures.ts'

let running: Shares | undefined

afterEach(async () => {
  vi.useRealTimers()
  await running?.stop()
  running = undefined
})

/** A process with two domains, of which nobody else holds one, and stations that do nothing but what they are told to. */
async function share(begin: (domain: string, time: number) => Promise<void>) {
  const { log, lines } = keepLog()
  const begun: string[] = []
  const world = { isAway: false, opened: 0, drained: 0, others: [] as LivingProcess[], begun, lines }
  const open = async (domain: string): Promise<Station> => {
    if (world.isAway) throw new StoreUnavailable('Cannot ask Redis')
    world.opened += 1
    const lease = { held: false, other: undefined, isFree: async () => true, tryTake: async () => (lease.held = true) }
    const station = {
      domain,
      lease,
      begin: () => begin(domain, begun.push(domain)),
      drain: async () => {
        world.drained += 1
      },
      close: async () => {
        lease.held = false
      },
    }
    return station as unknown as Station
  }
  const neighbours = {
    get others() {
      return world.others
    },
    tell: async () => {},
  }
  const shares = await openShares({ domains: ['one.example', 'two.example'], open, neighbours, log })
  running = shares
  return Object.assign(world, { shares })
}

const count = (domains: readonly string[], one: string) => domains.filter((domain) => domain === one).length

it('a process that ends waits once for what is in flight', async () => {
  const world = await share(async () => {})
  await world.shares.begin()
  await eventually(() => world.shares.holds().length === 2)
  await Promise.all([world.shares.stop(), world.shares.stop()])
  await world.shares.stop()
  expect(world.drained).toBe(2)
})

describe('a domain that this process has given back', () => {
  it('is stood by for again where it could not be attached, though Redis was away just then', async () => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'], shouldAdvanceTime: true })
    const world = await share(async (domain) => {
      if (domain === 'one.example' || count(world.begun, domain) > 1) return
      world.isAway = true
      throw new StoreUnavailable('Cannot ask Redis')
    })
    await world.shares.begin()
    await eventually(() => world.lines.some(({ event }) => event === 'domain-not-opened'))
    expect(world.shares.holds(), 'others may take it').toEqual(['one.example'])
    world.isAway = false
    await vi.advanceTimersByTimeAsync(62_000)
    await eventually(() => world.shares.holds().length === 2)
    expect(world.begun).toEqual(['one.example', 'two.example', 'two.example'])
  })

  it('is stood by for again where it was handed over while Redis was away', async () => {
    const world = await share(async () => {})
    await world.shares.begin()
    await eventually(() => world.shares.holds().length === 2)
    world.isAway = true
    world.others = [{ instance: 'other', holds: [], inForce: '', ready: '' }]
    await eventually(() => world.lines.some(({ event }) => event === 'domain-not-opened'))
    world.others = []
    world.isAway = false
    await eventually(() => world.shares.holds().length === 2)
  })

  it('is stood by for no more once the process ends', async () => {
    const world = await share(async () => {})
    await world.shares.begin()
    await eventually(() => world.shares.holds().length === 2)
    world.isAway = true
    world.others = [{ instance: 'other', holds: [], inForce: '', ready: '' }]
    await eventually(() => world.lines.some(({ event }) => event === 'domain-not-opened'))
    await world.shares.stop()
    world.isAway = false
    expect(world.opened).toBe(2)
  })
})

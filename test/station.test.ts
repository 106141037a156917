import { describe, expect, it } from 'vitest'
import { type Lease, StoreUnavailable } from '../src/flow/ports.ts'
import { detach, followLease } from '../src/station.ts'
import { eventually } from './eventually.ts'
import { keepLog } from './redis/fixtures.ts'

/** A station whose lease comes and goes when it is told to. */
function follow(goOn: () => Promise<unknown>) {
  const { log, lines } = keepLog()
  const said: string[] = []
  let tell = (_held: boolean) => {}
  const lease = {
    held: false,
    onChange(listener: (held: boolean) => void) {
      tell = listener
    },
  }
  const wakes = { pause: async () => void said.push('pause'), resume: () => void said.push('resume') }
  const stop = followLease({ lease: lease as unknown as Lease, wakes, goOn }, log)
  return {
    said,
    lines,
    stop,
    set(held: boolean) {
      lease.held = held
      tell(held)
    },
  }
}

describe('a station that gives its domain back', () => {
  function detached(ends: Promise<void>) {
    const said: string[] = []
    const done = detach({
      connection: { stop: async () => void said.push('closed') },
      deliverer: { idle: () => ends.then(() => void said.push('ended')) },
    }).then(() => said.push('given back'))
    return { said, done }
  }

  it('does so when the ends of what was under way are written', async () => {
    let end = () => {}
    const { said, done } = detached(new Promise((resolve) => (end = resolve)))
    await eventually(() => said.length === 1)
    setImmediate(end)
    await done
    expect(said).toEqual(['closed', 'ended', 'given back'])
  })

  it('does not wait for them for long', async () => {
    const { said, done } = detached(new Promise(() => {}))
    await done
    expect(said).toEqual(['closed', 'given back'])
  })
})

describe('a station that gets its domain back', () => {
  it('goes on where the other ended, and tries again for as long as Redis is away', async () => {
    let tries = 0
    const station = follow(async () => {
      tries += 1
      if (tries < 3) throw new StoreUnavailable('Cannot ask')
    })
    station.set(true)
    await eventually(() => tries === 3)
    await eventually(() => station.lines.length === 2)
    expect(station.lines).toEqual(
      [1, 2].map(() => ({ level: 'error', event: 'lease-change-failed', details: { reason: 'Cannot ask' } })),
    )
    station.set(false)
    await eventually(() => station.said.includes('pause'))
    expect(station.said).toEqual(['resume', 'pause'])
    expect(tries).toBe(3)
  })

  it('and loses it at once takes one step after the other', async () => {
    let isDone = () => {}
    const station = follow(() => new Promise<void>((resolve) => (isDone = resolve)))
    for (const held of [true, false, true]) station.set(held)
    await eventually(() => station.said.length > 0)
    await new Promise((resolve) => setImmediate(resolve))
    expect(station.said).toEqual(['resume'])
    isDone()
    await eventually(() => station.said.length === 3)
    expect(station.said).toEqual(['resume', 'pause', 'resume'])
  })

  it.each(['loses it', 'is stopped'])('tries no more once it %s', async (how) => {
    let tries = 0
    const station = follow(async () => {
      tries += 1
      throw new StoreUnavailable('Cannot ask')
    })
    station.set(true)
    await eventually(() => tries > 0)
    if (how === 'is stopped') {
      station.stop()
      const atTheStop = tries
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
      expect(tries).toBe(atTheStop)
    }
    station.set(false)
    await eventually(() => station.said.includes('pause'))
    const before = tries
    station.set(false)
    await eventually(() => station.said.filter((one) => one === 'pause').length === 2)
    expect(tries).toBe(before)
  })
})

import { afterEach, expect, it, vi } from 'vitest'
import { createNudge } from '../../src/xmpp/nudge.ts'

afterEach(() => {
  vi.useRealTimers()
})

function nudging() {
  vi.useFakeTimers()
  const written: number[] = []
  const server = { had: 0 }
  const nudge = createNudge({ had: () => server.had, write: (text) => void written.push(text.length) })
  const seconds = (count: number) => vi.advanceTimersByTime(count * 1_000)
  return { nudge, written, server, seconds }
}

it('a server that has read all within a second is left alone', () => {
  const { nudge, written, server, seconds } = nudging()
  nudge.wrote(5_000, 1)
  server.had = 1
  seconds(10)
  expect(written).toEqual([])
})

it('a server that may stand before a long stanza gets as much white space as that is long, three times at most', () => {
  const { nudge, written, seconds } = nudging()
  nudge.wrote(5_000, 1)
  seconds(10)
  expect(written).toEqual([5_000, 5_000, 5_000])
})

it('it is left alone from when it has read on', () => {
  const { nudge, written, server, seconds } = nudging()
  nudge.wrote(5_000, 1)
  seconds(1)
  server.had = 2
  seconds(10)
  expect(written).toEqual([5_000])
})

it('the longest that it has not read counts, to 262,144 characters, and short ones never', () => {
  const { nudge, written, server, seconds } = nudging()
  nudge.wrote(1_000, 1)
  seconds(10)
  expect(written).toEqual([])
  nudge.wrote(2_000, 2)
  nudge.wrote(9_000, 3)
  nudge.wrote(3_000, 4)
  seconds(1)
  expect(written).toEqual([9_000])
  server.had = 4
  seconds(10)
  nudge.wrote(5_000_000, 5)
  seconds(1)
  expect(written).toEqual([9_000, 262_144])
})

it('a server that reads on while more is written is left alone', () => {
  const { nudge, written, server, seconds } = nudging()
  for (let place = 1; place <= 20; place += 1) {
    nudge.wrote(5_000, place)
    server.had = place - 1
    seconds(0.5)
  }
  expect(written).toEqual([])
})

it('what was written to a stream that has ended is forgotten', () => {
  const { nudge, written, seconds } = nudging()
  nudge.wrote(5_000, 1)
  nudge.stop()
  seconds(10)
  expect(written).toEqual([])
  nudge.wrote(2_000, 2)
  seconds(1)
  expect(written).toEqual([2_000])
})

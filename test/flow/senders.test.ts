import { describe, expect, it } from 'vitest'
import { compileSenders, limitRate } from '../../src/flow/senders.ts'
import { createSenderTurns } from '../../src/flow/turns.ts'

describe('senders', () => {
  const rule = compileSenders(['*@suppliers.example', 'ops@example.org', 'gateway.example.org', 'a@x.example/only'])
  const table: readonly (readonly [from: string, allowed: boolean])[] = [
    ['a@suppliers.example/phone', true],
    ['a@suppliers.example', true],
    ['suppliers.example', false],
    ['a@evil.suppliers.example', false],
    ['a@suppliers.example.evil', false],
    ['ops@example.org/1', true],
    ['opsx@example.org', false],
    ['gateway.example.org', true],
    ['x@gateway.example.org', false],
    ['a@x.example/only', true],
    ['a@x.example/other', false],
    ['a@x.example', false],
  ]
  it.each(table)('%s may send: %j', (from, allowed) => {
    expect(rule(from)).toBe(allowed)
    expect(rule(from), 'asked again').toBe(allowed)
  })

  it('are nobody where no pattern is given', () => {
    expect(compileSenders([])('ops@example.org')).toBe(false)
  })
})

describe('the rate limit', () => {
  it('answers the one who sends too much, with the time to wait, and nobody else', () => {
    const limit = limitRate(60)
    for (let n = 0; n < 60; n++) expect(limit.take('a@example.org/x', 1_000)).toBeUndefined()
    expect(limit.take('a@example.org/y', 1_000)).toMatchObject({
      kind: 'overloaded',
      retryAfterSeconds: 1,
      text: 'Cannot take more from a@example.org now: the limit is 60 documents a minute, and as many at once',
    })
    expect(limit.take('b@example.org/x', 1_000)).toBeUndefined()
  })

  it('lets nearly twice as many pass in a minute that begins with a burst, and no more than the limit in the next', () => {
    const limit = limitRate(60)
    const passed = (fromMs: number) => {
      let count = 0
      for (let at = 0; at < 60_000; at += 100) if (!limit.take('a@example.org', fromMs + at)) count++
      return count
    }
    for (let n = 0; n < 59; n++) limit.take('a@example.org', 0)
    expect(59 + passed(0)).toBeGreaterThan(110)
    expect(passed(60_000)).toBeLessThanOrEqual(60)
  })

  it('fills again evenly', () => {
    const limit = limitRate(60)
    for (let n = 0; n < 60; n++) limit.take('a@example.org', 0)
    expect(limit.take('a@example.org', 500)).toMatchObject({ kind: 'overloaded' })
    expect(limit.take('a@example.org', 1_000)).toBeUndefined()
    expect(limit.take('a@example.org', 1_000)).toMatchObject({ kind: 'overloaded' })
    expect(limit.take('a@example.org', 60_000)).toBeUndefined()
  })

  it('fills to its limit and no further, however long nothing comes', () => {
    const limit = limitRate(60)
    limit.take('a@example.org', 0)
    for (let n = 0; n < 60; n++) expect(limit.take('a@example.org', 59_000)).toBeUndefined()
    expect(limit.take('a@example.org', 59_000)).toMatchObject({ kind: 'overloaded' })
  })

  it('makes nobody wait for the time by which the clock is set back', () => {
    const limit = limitRate(60)
    expect(limit.take('a@example.org', 3_600_000)).toBeUndefined()
    expect(limit.take('a@example.org', 0)).toBeUndefined()
    for (let n = 0; n < 58; n++) limit.take('a@example.org', 0)
    expect(limit.take('a@example.org', 0)).toMatchObject({ kind: 'overloaded', retryAfterSeconds: 1 })
  })

  it('counts documents: a stanza of many passes as a whole, and the next one waits for all of them', () => {
    const limit = limitRate(60)
    expect(limit.take('a@example.org', 0)).toBeUndefined()
    limit.charge('a@example.org/x', 119)
    expect(limit.take('a@example.org', 0)).toMatchObject({ kind: 'overloaded', retryAfterSeconds: 61 })
    expect(limit.take('b@example.org', 60_500), 'while the others are looked through').toBeUndefined()
    expect(limit.take('a@example.org', 60_500)).toMatchObject({ kind: 'overloaded', retryAfterSeconds: 1 })
    expect(limit.take('a@example.org', 61_000)).toBeUndefined()
  })
})

describe('the turns of a sender', () => {
  it('come in the order of arrival, also where the one before has passed already', async () => {
    const turns = createSenderTurns()
    const passed: string[] = []
    const join = (name: string, from = 'a@x.example/1') => {
      const turn = turns.join(from)
      void Promise.resolve(turn.before).then(() => passed.push(name))
      return turn
    }
    const settled = () => new Promise((resolve) => setImmediate(resolve))
    const first = join('first')
    const second = join('second', 'a@x.example/2')
    first.pass()
    await settled()
    const third = join('third')
    join('of another', 'b@x.example')
    await settled()
    expect(passed).toEqual(['first', 'second', 'of another'])
    third.pass()
    join('fourth')
    await settled()
    expect(passed).toHaveLength(3)
    second.pass()
    await settled()
    expect(passed).toEqual(['first', 'second', 'of another', 'third', 'fourth'])
    expect(turns.join('b@x.example').before, 'the other one is in hand').toBeDefined()
  })
})

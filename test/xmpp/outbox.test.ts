import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createOutbox } from '../../src/xmpp/outbox.ts'

function outbox() {
  const written: string[] = []
  return { written, ...createOutbox((text) => written.push(text)) }
}

describe('what is written in one turn', () => {
  it('is one write, in order, with what promises add to it', async () => {
    const { add, written } = outbox()
    add('a')
    await Promise.resolve()
    add('b')
    expect(written).toEqual([])
    await nextTurn()
    add('c')
    await nextTurn()
    expect(written).toEqual(['ab', 'c'])
  })

  it('goes out before the end of the turn when there is much of it', () => {
    const { add, written } = outbox()
    add('x'.repeat(40_000))
    add('y'.repeat(40_000))
    expect(written.map(({ length }) => length)).toEqual([80_000])
  })

  it('goes out once when it is asked for', async () => {
    const { add, flush, written } = outbox()
    add('a')
    flush()
    flush()
    await nextTurn()
    expect(written).toEqual(['a'])
  })

  it('can be forgotten', async () => {
    const { add, clear, written } = outbox()
    add('a')
    clear()
    await nextTurn()
    expect(written).toEqual([])
  })
})

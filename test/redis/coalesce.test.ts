import { describe, expect, it } from 'vitest'
import { StoreUnavailable } from '../../src/flow/ports.ts'
import { coalesce } from '../../src/redis/coalesce.ts'

/** Numbers are their own weight; each call is answered when it is told to be. */
function gathering({ most = 100, mostWeight = 100, gatheredWeight = 100 } = {}) {
  const calls: (readonly number[])[] = []
  const answers: ((error?: Error) => void)[] = []
  const options = { name: 'count', most, mostWeight, gatheredWeight, patienceMs: 1_000, weigh: (one: number) => one }
  const run = (inputs: readonly number[]) => {
    calls.push(inputs)
    return new Promise<readonly string[]>((resolve, reject) => {
      answers.push((error) => (error ? reject(error) : resolve(inputs.map((one) => `${one}!`))))
    })
  }
  const settled = () => new Promise((resolve) => setImmediate(resolve))
  const answer = async (error?: Error) => {
    await settled()
    answers.shift()!(error)
    await settled()
  }
  return { ask: coalesce(run, options), calls, answer }
}

describe('calls that are gathered', () => {
  it('go in their order, those of one tick together, and what comes meanwhile with the next', async () => {
    const { ask, calls, answer } = gathering()
    const asked = [ask(1), ask(2)]
    await Promise.resolve()
    await Promise.resolve()
    asked.push(ask(3), ask(4))
    await answer()
    await answer()
    expect(calls).toEqual([
      [1, 2],
      [3, 4],
    ])
    expect(await Promise.all(asked)).toEqual(['1!', '2!', '3!', '4!'])
  })

  it.each([
    ['many', { most: 2 }, [[1, 2], [3]]],
    ['heavy', { mostWeight: 3 }, [[1, 2], [3]]],
    ['heavy for themselves, alone', { mostWeight: 0 }, [[1], [2], [3]]],
  ])('are no more at once than a call takes, be they %s', async (_, options, expected) => {
    const { ask, calls, answer } = gathering(options)
    const asked = [1, 2, 3].map(ask)
    for (let call = 0; call < expected.length; call++) await answer()
    await Promise.all(asked)
    expect(calls).toEqual(expected)
  })

  it('are turned away where too much is gathered, and taken again when there is room', async () => {
    const { ask, answer } = gathering({ most: 1, gatheredWeight: 10 })
    const asked = [ask(6), ask(6)]
    await expect(ask(1)).rejects.toBeInstanceOf(StoreUnavailable)
    await answer()
    asked.push(ask(1))
    await answer()
    await answer()
    expect(await Promise.all(asked)).toEqual(['6!', '6!', '1!'])
  })

  it('fail with those of their own call, and with no others', async () => {
    const { ask, answer } = gathering({ most: 2 })
    const asked = Promise.allSettled([1, 2, 3].map(ask))
    await answer(new Error('lost'))
    await answer()
    expect((await asked).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled'])
  })
})

import { describe, expect, it } from 'vitest'

interface Group {
  readonly situation: { readonly size: string; readonly fanOut: number }
  readonly variants: readonly { readonly durability: string }[]
}

/** The benchmark is JavaScript. */
const load = (file: string) => import(new URL(file, import.meta.url).href)
const { checkedGroups, chosenGroups } = (await load('e2e/cells.mjs')) as {
  checkedGroups: () => Group[]
  chosenGroups: (values: Readonly<Record<string, string>>) => Group[]
}
const { goalsOf } = (await load('e2e/goals.mjs')) as { goalsOf: (results: unknown[]) => { readonly met: boolean }[] }
const { ratioOf } = (await load('e2e/summary.mjs')) as {
  ratioOf: (measurements: unknown[], name: string, other: string) => Readonly<Record<string, number>>
}

const measured = (peer: string, round: number, documentsPerSecond: number, failure = '') => {
  const cpuMicroseconds = { peer: peer === 'raw' ? 10 : 90, server: 110 }
  return { peer, round, failure, throughput: { documentsPerSecond }, cpuMicroseconds }
}

describe('the goals of the end-to-end benchmark', () => {
  it('are missed where nothing was measured', () => {
    const goals = goalsOf([])
    expect(goals).toHaveLength(14)
    expect(goals.filter(({ met }) => met)).toEqual([])
  })

  it('are measured by twelve cells', () => {
    expect(checkedGroups().flatMap(({ variants }) => variants)).toHaveLength(12)
  })

  it('compare within a round, and take no round in which something failed', () => {
    const rounds = [
      measured('waybill', 1, 500),
      measured('raw', 1, 1000),
      measured('waybill', 2, 80),
      measured('raw', 2, 100),
      measured('waybill', 3, 1000, '1 of 9 did not arrive'),
      measured('raw', 3, 1000),
    ]
    expect(ratioOf(rounds, 'waybill', 'raw')).toEqual({ middle: 0.65, least: 0.5, greatest: 0.8, byCpu: 0.6 })
  })
})

describe('the cells of the end-to-end benchmark', () => {
  it('are every combination of the lists', () => {
    const groups = chosenGroups({
      servers: 'prosody',
      sizes: '1k,100k',
      'fan-outs': '1,20',
      durabilities: 'everysec,fsync',
    })
    expect(groups.map(({ situation: { size, fanOut } }) => `${size} ${fanOut}`)).toEqual([
      '1k 1',
      '1k 20',
      '100k 1',
      '100k 20',
    ])
    expect(groups.map(({ variants }) => variants.map(({ durability }) => durability))).toEqual(
      groups.map(() => ['everysec', 'fsync']),
    )
  })
})

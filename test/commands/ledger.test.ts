import { describe, expect, it } from 'vitest'
import { showLedger } from '../../src/commands/ledger.ts'
import type { Ledger } from '../../src/flow/ports.ts'
import { keptOutput } from './given.ts'

const none = { waiting: 0, delivered: 0, dead: 0, expired: 0, dropped: 0 }
const route = (some: Partial<typeof none>, planned = Object.values(some).reduce((sum, n) => sum + n, 0)) => {
  return { ...none, planned, ...some }
}
const type = (some: Partial<typeof none & { held: number }>) => {
  return { ...none, held: 0, duplicate: 0, accepted: Object.values(some).reduce((sum, n) => sum + n, 0), ...some }
}
const ledgerOf = (routes: Ledger['routes'], types: Ledger['types'] = {}): Ledger => {
  return {
    documents: type({}),
    deliveries: route({}),
    bytes: { waiting: 0, held: 0, dead: 0, finished: 0 },
    types,
    routes,
  }
}

/** The first cells of the rows below a heading. */
const namesUnder = (heading: string, text: string) =>
  text
    .split('\n\n')
    .find((table) => table.startsWith(heading))!
    .split('\n')
    .slice(2)
    .map((line) => line.split(' ')[0])

describe('waybill ledger', () => {
  it('shows first what does not balance, then what waits, is held or dead, then what has most', () => {
    const kept = keptOutput()
    const routes = {
      quiet: route({}),
      busy: route({ delivered: 500 }),
      stuck: route({ waiting: 3 }),
      dying: route({ dead: 4, delivered: 2 }),
      lost: route({ delivered: 1 }, 2),
      also: route({}),
    }
    const types = { a: type({ delivered: 9 }), b: type({ held: 1 }), c: type({ delivered: 1 }) }
    expect(showLedger(ledgerOf(routes, types), {}, kept.output)).toBe(1)
    expect(namesUnder('DELIVERIES', kept.text())).toEqual(['lost', 'dying', 'stuck', 'busy', 'also', 'quiet'])
    expect(namesUnder('DOCUMENTS', kept.text())).toEqual(['b', 'a', 'c'])
    expect(kept.complained).toEqual([])
  })

  it('of very many routes shows some, and says how many there are; to programs it tells all', () => {
    const routes = Object.fromEntries(Array.from({ length: 20_000 }, (_, at) => [`route-${at}`, route({ dead: at })]))
    const kept = keptOutput()
    expect(showLedger(ledgerOf(routes), {}, kept.output)).toBe(0)
    expect(namesUnder('DELIVERIES', kept.text())).toHaveLength(100)
    expect(namesUnder('DELIVERIES', kept.text())[0]).toBe('route-19999')
    expect(kept.complained).toEqual([
      expect.stringMatching(/^Only 100 of 20000 routes are shown, .*--limit N, or -o json/),
    ])
    const more = keptOutput()
    showLedger(ledgerOf(routes), { limit: 30_000 }, more.output)
    expect(namesUnder('DELIVERIES', more.text())).toHaveLength(20_000)
    expect(more.complained).toEqual([])
    const json = keptOutput('json')
    showLedger(ledgerOf(routes), {}, json.output)
    expect(Object.keys((json.json() as Ledger).routes)).toHaveLength(20_000)
  })
})

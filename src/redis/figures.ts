import type { ProcessFigures } from '../domain/process-figures.ts'
import type { Call } from './calls.ts'

/** What processes tell of themselves. Both throw `StoreUnavailable` where Redis can't be asked. */
export interface FiguresStore {
  /** One command; forgotten after {@link LASTS_MS}. */
  tellFigures(figures: ProcessFigures): Promise<void>
  /** Of all processes that told theirs a few seconds ago at most, by their names. */
  figures(): Promise<readonly ProcessFigures[]>
}

/** A process that is frozen, or can't reach Redis, is gone from sight after that. */
const LASTS_MS = 5_000

export function createFiguresStore(call: Call): FiguresStore {
  return {
    async tellFigures(figures) {
      await call('figures', [figures.instance, JSON.stringify(figures), LASTS_MS], { repeatable: true })
    },
    async figures() {
      const told = (await call('figures', ['', '', LASTS_MS], { repeatable: true })) as Buffer[]
      const all = told.map((text) => JSON.parse(String(text)) as ProcessFigures)
      return all.sort((one, other) => (one.instance < other.instance ? -1 : 1))
    },
  }
}

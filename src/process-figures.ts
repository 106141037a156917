import type { ProcessFigures } from './domain/process-figures.ts'
import type { Figures } from './flow/figures.ts'
import type { Log } from './flow/ports.ts'
import type { FiguresStore } from './redis/figures.ts'
import { INSTANCE } from './settings.ts'
import { VERSION } from './version.ts'

export interface TellingNeeds {
  readonly figures: Figures
  readonly store: Pick<FiguresStore, 'tellFigures'> & { readonly ready: boolean }
  /** Domains that are held. */
  readonly holds: () => readonly string[]
  /** All that there are. */
  readonly domains: readonly string[]
  /** Heavy documents in hand. */
  readonly checking: () => number
  readonly log: Log
}

const EVERY_MS = 1_000

/** Tells others once a second what this process does, for `waybill top`; gives the way to stop. */
export function tellFigures({ figures, store, holds, domains, checking, log }: TellingNeeds): () => void {
  const sinceMs = Date.now()
  let cpu = process.cpuUsage()
  let atMs = performance.now()
  let telling = false

  function read(): ProcessFigures {
    const { user, system } = process.cpuUsage(cpu)
    const nowMs = performance.now()
    const share = (user + system) / 1_000 / Math.max(1, nowMs - atMs)
    cpu = process.cpuUsage()
    atMs = nowMs
    const held = holds()
    return {
      instance: INSTANCE,
      domain: held.join(', ') || domains.join(', '),
      role: held.length > 0 ? 'holder' : 'standby',
      version: VERSION,
      sinceMs,
      ...figures.read(),
      checking: checking(),
      cpu: share,
      residentBytes: process.memoryUsage.rss(),
    }
  }

  async function tell(): Promise<void> {
    // What nobody can be told now is told anew in a second.
    if (telling || !store.ready) return
    telling = true
    await store.tellFigures(read()).catch((error: Error) => log('debug', 'figures-not-told', { reason: error.message }))
    telling = false
  }

  void tell()
  const timer = setInterval(() => void tell(), EVERY_MS)
  return () => clearInterval(timer)
}

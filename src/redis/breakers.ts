import type { OpenBreaker } from '../domain/breaker.ts'
import type { Breakers, KnownBreaker, LapsedDelivery } from '../flow/ports.ts'
import type { Call } from './calls.ts'

/** So many deliveries are let go, or looked at, before others have their turn. */
const PART = 500

/** {@link Breakers}. */
export function createBreakerStore(call: Call): Breakers {
  const repeatable = { repeatable: true }
  return {
    async keepOpen(destinations) {
      const pairs = destinations.flatMap(({ destination, breaker }) => [destination, JSON.stringify(breaker)])
      if (pairs.length > 0) await call('open', pairs, repeatable)
    },

    async letGo(destination) {
      const [ids, more] = (await call('close', [destination, PART], { repeatable: false })) as [Buffer[], number]
      return { ids: ids.map(String), more: more === 1 }
    },

    async probes(destinations) {
      const ids = (await call('probe', destinations, { repeatable: false })) as Buffer[]
      return ids.map((id) => (id.length === 0 ? undefined : String(id)))
    },

    async lapse(allowedMs, defaultMs) {
      const policies = [...allowedMs].flat()
      const lapsed = (await call('lapse', [PART, defaultMs, ...policies], { repeatable: false })) as Buffer[][]
      return lapsed.map(parseLapsed)
    },

    async openBreakers() {
      const rows = (await call('openings', ['uncounted'], repeatable)) as [Buffer, Buffer][]
      return rows.map(parseKnown)
    },

    async openDestinations() {
      const rows = (await call('openings', [''], repeatable)) as [Buffer, Buffer, number][]
      return rows.map(([destination, known, waiting]) => ({ ...parseKnown([destination, known]), waiting }))
    },
  }
}

function parseLapsed(row: readonly Buffer[]): LapsedDelivery {
  const [id, destination, route, condition] = row.map(String) as [string, string, string, string]
  return { id, destination, route, condition }
}

function parseKnown([destination, known]: readonly [Buffer, Buffer, ...unknown[]]): KnownBreaker {
  return { destination: String(destination), breaker: parseBreaker(String(known)) }
}

/** What breakers holds for a destination; undefined where what waited for it is being let go, or nothing is known of it. */
export function parseBreaker(known: string): OpenBreaker | undefined {
  return known === 'closing' || known === '' ? undefined : (JSON.parse(known) as OpenBreaker)
}

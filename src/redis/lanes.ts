import type { Lane, Store } from '../flow/ports.ts'
import type { Call } from './calls.ts'
import { type Facts, type Meta, parseRecords } from './records.ts'

/** How many deliveries a script looks at before others have their turn. */
const PART = 500
/** The first of each lane is in one of these; `ready` last, since from there it goes into the others while we look. */
const SETS = ['later', 'lapsing', 'suspects', 'underway', 'ready'] as const

/** Looking for what is held back. */
export function createLanes(call: Call): Pick<Store, 'lanes'> {
  async function* members(set: (typeof SETS)[number]): AsyncGenerator<Lane> {
    for (let offset = 0; ; offset += PART) {
      const [looked, ...rows] = (await call('lanes', [set, offset, PART], { repeatable: true })) as [
        number,
        ...unknown[][],
      ]
      yield* rows.map(parseLane)
      if (looked < PART) return
    }
  }

  return {
    async lanes() {
      const lanes = new Map<string, Lane>()
      for (const set of SETS) for await (const lane of members(set)) lanes.set(lane.id, lane)
      return [...lanes.values()].sort(
        (one, other) => other.waiting - one.waiting || one.receivedAtMs - other.receivedAtMs,
      )
    },
  }
}

/** One row of lanes.lua. */
function parseLane(row: readonly unknown[]): Lane {
  const [id, metaText, factsText, last] = row.map(String) as [string, string, string, string]
  const { type, origin, receivedAtMs } = JSON.parse(metaText) as Meta
  const { to, route, tries, started, due } = JSON.parse(factsText) as Facts
  const [record] = parseRecords(last)
  return {
    id,
    envelopeId: id.split('.')[0]!,
    destination: to,
    route,
    type,
    from: origin.from,
    receivedAtMs,
    tries,
    ...(started === undefined ? { dueAtMs: due } : { underWaySinceMs: started }),
    waiting: Number(row[4]),
    condition: record?.result ?? '',
    text: record?.text ?? '',
  }
}

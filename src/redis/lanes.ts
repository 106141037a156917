import type { Lane, Store } from '../flow/ports.ts'
import type { Call } from './calls.ts'
import { type Facts, type Meta, parseRecords } from './records.ts'

/** How many keys a script looks at before others have their turn. */
const PART = 500

/** Looking for what is held back. */
export function createLanes(call: Call): Pick<Store, 'lanes'> {
  return {
    async lanes() {
      // By their keys: SCAN may give one twice, with another delivery as its first by then.
      const lanes = new Map<string, Lane>()
      let cursor = '0'
      do {
        const [next, ...rows] = (await call('lanes', [cursor, PART], { repeatable: true })) as [Buffer, ...unknown[][]]
        for (const [key, ...row] of rows) lanes.set(String(key), parseLane(row))
        cursor = String(next)
      } while (cursor !== '0')
      // Ids rise with the time, and within a millisecond too.
      return [...lanes.values()].sort((one, other) => other.waiting - one.waiting || (one.id < other.id ? -1 : 1))
    },
  }
}

/** One row of lanes.lua, behind its key. */
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

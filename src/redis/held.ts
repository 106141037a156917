import type { Redis } from 'ioredis'
import type { Holding } from '../domain/held.ts'
import {
  type Clock,
  DELIVERIES_MOST,
  type HeldDocument,
  type HeldFilter,
  type HeldOrder,
  type Store,
} from '../flow/ports.ts'
import { ask, type Call } from './calls.ts'
import { hasFields, isFrom } from './dead-letters.ts'
import { factsOf, firstRecord, type Meta, recordLine } from './records.ts'

/** How many documents a script looks at before others have their turn. */
const PART = 500
const LIMIT = 1_000

/** Documents that are held: looking for them, and the two ends of it. */
export function createHeld(
  call: Call,
  client: Redis,
  prefix: string,
  clock: Clock,
): Pick<Store, 'held' | 'plan' | 'refuse'> {
  /** What stands beside the document; undefined where it is none that is or was held. */
  async function look(id: string): Promise<{ readonly meta: Meta; readonly holding: Holding } | undefined> {
    const [meta, holding] = await ask('held', client, () => client.hmget(`${prefix}envelope:${id}`, 'meta', 'held'))
    if (!meta || !holding) return undefined
    return { meta: JSON.parse(meta) as Meta, holding: JSON.parse(holding) as Holding }
  }

  const endedAs = (holding: Holding, how: 'released' | 'refused', order: HeldOrder) => {
    return JSON.stringify({ ...holding, ended: { how, by: order.by, reason: order.reason, atMs: clock() } })
  }

  return {
    async held(filter) {
      const { limit = LIMIT, sinceMs = '-inf', untilMs = '+inf' } = filter
      const found = new Map<string, HeldDocument>()
      for (let offset = 0; found.size < limit; offset += PART) {
        const args = [offset, PART, sinceMs, untilMs]
        const rows = (await call('held', args, { repeatable: true })) as unknown[][]
        // What is held meanwhile moves the end of this part into the next one.
        for (const row of rows) {
          const document = parseHeld(row)
          if (found.size < limit && fits(document, filter)) found.set(document.id, document)
        }
        if (rows.length < PART) break
      }
      return [...found.values()]
    },

    async plan(id, { version = '', fields, deliveries }, order) {
      if (deliveries.length > DELIVERIES_MOST) {
        throw new RangeError(`Cannot plan ${id}: ${deliveries.length} deliveries, at most ${DELIVERIES_MOST} can be`)
      }
      const known = await look(id)
      if (!known) return false
      const { meta, holding } = known
      const nowMs = clock()
      const times = { receivedAtMs: meta.receivedAtMs, nowMs, submitExpiresMs: meta.submit.expiresMs }
      const record = recordLine({ atMs: nowMs, result: 'released', text: `by ${order.by}: ${order.reason}` })
      const triples = deliveries.flatMap((planned) => [
        JSON.stringify(factsOf(planned, times)),
        JSON.stringify(planned.options),
        firstRecord(planned, nowMs),
      ])
      const args = [
        id,
        record,
        JSON.stringify({ ...meta, ...(version !== '' && { version }), fields }),
        endedAs(holding, 'released', order),
        ...triples,
      ]
      return (await call('plan', args, { repeatable: false })) === 1
    },

    async refuse(id, order) {
      const known = await look(id)
      if (!known) return false
      const args = [id, order.reason, order.by, endedAs(known.holding, 'refused', order)]
      return (await call('refuse', args, { repeatable: true })) === 1
    },
  }
}

/** One row of held.lua. */
function parseHeld(row: readonly unknown[]): HeldDocument {
  const [id, metaText, holdingText] = row.map(String) as [string, string, string]
  const { type, origin, receivedAtMs, fields, bytes } = JSON.parse(metaText) as Meta
  const holding = JSON.parse(holdingText) as Holding
  return { id, type, from: origin.from, receivedAtMs, fields, bytes, holding }
}

function fits(document: HeldDocument, { type, from, fields, rule }: HeldFilter): boolean {
  if (type !== undefined && type !== document.type) return false
  if (rule !== undefined && !document.holding.findings.some((finding) => finding.rule === rule)) return false
  return isFrom(document.from, from) && hasFields(document.fields, fields)
}

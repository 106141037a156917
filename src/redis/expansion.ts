/** Documents with many deliveries: the first are written with the document, the others part by part behind it (docs/adr/0017). */
import type { DeliveryOptions, PlannedDelivery } from '../domain/delivery.ts'
import { type Acceptance, DELIVERIES_AT_ONCE, type Store } from '../flow/ports.ts'
import type { Call } from './calls.ts'
import { type Facts, factsOf } from './records.ts'

/** A script writes so many in about five milliseconds. */
const PART = 500

export interface NumberedDelivery {
  readonly number: number
  readonly planned: PlannedDelivery
}

export interface SplitDeliveries {
  readonly now: readonly NumberedDelivery[]
  /** Empty, but where there are many; all of them wait. */
  readonly later: readonly NumberedDelivery[]
}

/** Of the documents of one stanza. What is dead from the beginning is written with the document. */
export function splitDeliveries(stanza: readonly Acceptance[], atOnce = DELIVERIES_AT_ONCE): SplitDeliveries[] {
  let room = atOnce
  return stanza.map(({ deliveries }) => {
    const numbered = deliveries.map((planned, number) => ({ planned, number }))
    if (numbered.length <= room) {
      room -= numbered.length
      return { now: numbered, later: [] }
    }
    const first = room
    room = 0
    const isNow = ({ planned, number }: NumberedDelivery) => number < first || planned.impossible !== undefined
    return { now: numbered.filter(isNow), later: numbered.filter((one) => !isNow(one)) }
  })
}

type Times = Parameters<typeof factsOf>[1]

/** What several deliveries have in common: the facts but for destination and lane, and the options as they are stored. */
interface Shared {
  readonly facts: Omit<Facts, 'to' | 'lane'>
  readonly options: string
}

/** Number, which of the shared values are its own, destination, lane. */
type Row = readonly [number: number, shared: number, to: string, lane?: string]

/** What accept.lua is given of the deliveries that are to be written later. */
export interface LaterDeliveries {
  readonly rest: {
    readonly count: number
    /** Of those that are written now. */
    readonly numbers: readonly number[]
    readonly routes: Readonly<Record<string, number>>
    /** A number and a lane a line. */
    readonly lanes: string
    readonly starts: readonly number[]
  }
  readonly parts: readonly string[]
}

export function laterDeliveries(
  { now, later }: SplitDeliveries,
  times: Times,
  most = PART,
): LaterDeliveries | undefined {
  if (later.length === 0) return undefined
  const routes = new Map<string, number>()
  const lanes: string[] = []
  const starts: number[] = []
  const parts: string[] = []
  for (let first = 0; first < later.length; first += most) {
    const part = createPart()
    for (const { planned, number } of later.slice(first, first + most)) {
      const facts = factsOf(planned, times)
      routes.set(facts.route, (routes.get(facts.route) ?? 0) + 1)
      if (facts.lane !== undefined) lanes.push(`${number} ${facts.lane}`)
      part.add(number, facts, planned.options)
    }
    starts.push(later[first]!.number)
    parts.push(part.text())
  }
  const numbers = now.map(({ number }) => number)
  const rest = { count: later.length, numbers, routes: Object.fromEntries(routes), lanes: lanes.join('\n'), starts }
  return { rest, parts }
}

function createPart() {
  const shared = new Map<string, number>()
  const rows: Row[] = []
  return {
    add(number: number, { to, lane, ...facts }: Facts, options: DeliveryOptions): void {
      const common: Shared = { facts, options: JSON.stringify(options) }
      const text = JSON.stringify(common)
      const at = shared.get(text) ?? shared.size
      shared.set(text, at)
      rows.push(lane === undefined ? [number, at, to] : [number, at, to, lane])
    },
    text: () => `{"shared":[${[...shared.keys()].join(',')}],"rows":${JSON.stringify(rows)}}`,
  }
}

/** Store.expand(). */
export function createExpand(call: Call): Store['expand'] {
  return async () => {
    const [ids, more] = (await call('expand', [], { repeatable: true })) as [Buffer[], number]
    return { ids: ids.map(String), more: more === 1 }
  }
}

/** What became of everything: what the senders were told against what stands in Redis and what the receivers saw. */
import { findInconsistencies } from '../redis/consistency.ts'
import type { Shard, StoredDelivery, StoredEnvelope } from '../redis/shard.ts'
import { expectedDestinations, type PlannedDocument, SENDERS } from './documents.ts'
import type { Arrival, Arrivals } from './receivers.ts'
import type { SentDocument } from './senders.ts'
import { WAYS } from './ways.ts'

export interface Seen {
  readonly sent: readonly SentDocument[]
  /** Envelope ids. */
  readonly reported: ReadonlySet<string>
  readonly shard: Shard
  readonly arrivals: Arrivals
  readonly serverDeaths: readonly { readonly fromMs: number; readonly untilMs: number }[]
}

/** Each list says what is wrong, one line a case. */
export interface Count {
  readonly documents: { readonly sent: number; readonly acknowledged: number; readonly sentAgain: number }
  /** Envelopes by the state in which they ended. */
  readonly envelopes: Readonly<Record<string, number>>
  /** Deliveries by the state in which they ended. */
  readonly deliveries: Readonly<Record<string, number>>
  /** What was given up, by route and reason: accounted for, but worth a look. */
  readonly dead: Readonly<Record<string, number>>
  readonly arrivals: { readonly all: number; readonly distinct: number }
  /** Delivered, but not at the destination. */
  readonly lost: readonly string[]
  /** Handed over, as proven, to a server that was killed in the same moment, before it passed it on. */
  readonly lostByServer: readonly string[]
  /** Acknowledged, but nowhere; accepted twice; refused; bound for other destinations; still waiting. */
  readonly unaccounted: readonly string[]
  /** Came several times, with an attempt whose outcome was unknown: by its result. */
  readonly repeats: readonly string[]
  /** Came several times for no reason. */
  readonly unexplained: readonly string[]
  readonly inversions: readonly string[]
  /** Documents of which the sender wanted to hear, and never did. */
  readonly unreported: readonly string[]
  /** What doesn't fit together in Redis. */
  readonly orphans: readonly string[]
}

/** How long before its death a server may have taken what it didn't pass on. */
const LAST_MOMENT_MS = 2_000
/** How long a report may take to leave and to be passed on, while other things are broken. */
const REPORT_MS = 15_000
/** After these nobody knows whether the receiver has it. */
const UNKNOWN = /^(void|timeout|no-receipt|bounced: )/

export function count(seen: Seen): Count {
  const { sent, shard, arrivals } = seen
  const deliveries = [...shard.envelopes.values()].flatMap((envelope) => envelope.deliveries)
  const all = [...arrivals.values()].flatMap((here) => [...here.values()])
  const missing = deliveries.filter((one) => one.facts.state === 'delivered' && arrivalsOf(one, arrivals).length === 0)
  const isServersFault = (one: StoredDelivery) => hadServerDied(one, seen)
  const repeated = deliveries.filter((one) => unasked(arrivalsOf(one, arrivals)) > 1)
  return {
    documents: {
      sent: sent.length,
      acknowledged: sent.filter(({ acknowledgedAtMs }) => acknowledgedAtMs !== undefined).length,
      sentAgain: sent.filter(({ times }) => times > 1).length,
    },
    envelopes: tally([...shard.envelopes.values()].map(({ sum }) => sum.state)),
    deliveries: tally(deliveries.map(({ facts }) => facts.state)),
    dead: tally(
      deliveries.flatMap(({ facts: { state, route, reason } }) => (state === 'dead' ? [`${route} ${reason}`] : [])),
    ),
    arrivals: { all: all.reduce((sum, list) => sum + list.length, 0), distinct: all.length },
    lost: missing.filter((one) => !isServersFault(one)).map(described),
    lostByServer: missing.filter(isServersFault).map(described),
    unaccounted: [...unaccountedDocuments(seen), ...deliveries.filter(isWaiting).map(described)],
    repeats: repeated.filter(isExplained).map((one) => `${one.id} ×${arrivalsOf(one, arrivals).length}: ${whyOf(one)}`),
    unexplained: repeated.filter((one) => !isExplained(one)).map(described),
    inversions: [...inversionsOfLanes(seen), ...inversionsOfSenders(seen)],
    unreported: unreported(seen),
    orphans: findInconsistencies(shard),
  }
}

/** But for those whose report may have been on its way in a server that was killed. */
function unreported({ sent, shard, reported, serverDeaths }: Seen): string[] {
  return sent.flatMap(({ document, envelopeIds: [id = ''] }) => {
    const envelope = shard.envelopes.get(id)
    if (document.path !== 'submit' || envelope === undefined || envelope.sum.waiting > 0 || reported.has(id)) return []
    const endedMs = Math.max(envelope.meta.receivedAtMs, ...envelope.deliveries.map(({ facts }) => facts.ended ?? 0))
    const wasCaught = serverDeaths.some(({ fromMs, untilMs }) => endedMs > fromMs - REPORT_MS && endedMs < untilMs)
    return wasCaught ? [] : [`document ${document.number} (${id}), which ended ${new Date(endedMs).toISOString()}`]
  })
}

function unaccountedDocuments({ sent, shard }: Seen): string[] {
  const byNumber = new Map<string, StoredEnvelope[]>()
  for (const envelope of shard.envelopes.values()) {
    const number = String(envelope.meta.fields.number)
    byNumber.set(number, [...(byNumber.get(number) ?? []), envelope])
  }
  return sent.flatMap(({ document, acknowledgedAtMs, envelopeIds, refusal }) => {
    const { number, path } = document
    const name = `document ${number} (${path})`
    const envelopes = byNumber.get(number) ?? []
    if (refusal !== undefined) return [`${name} was refused: ${refusal}`]
    if (envelopes.length > 1)
      return [`${name} was accepted ${envelopes.length} times: ${envelopes.map(({ id }) => id)}`]
    const [envelope] = envelopes
    if (!envelope) return acknowledgedAtMs === undefined ? [] : [`${name} was acknowledged, and is nowhere`]
    const strange = [...envelopeIds].filter((id) => id !== envelope.id)
    if (strange.length > 0) return [`${name} was acknowledged as ${strange}, but is ${envelope.id}`]
    return misdirected(document, envelope)
  })
}

function misdirected(document: PlannedDocument, { id, deliveries }: StoredEnvelope): string[] {
  const planned = deliveries.map(({ facts }) => facts.to).toSorted()
  const expected = expectedDestinations(document).toSorted()
  return planned.join() === expected.join() ? [] : [`envelope ${id} goes to ${planned}, not to ${expected}`]
}

function arrivalsOf({ id, facts }: StoredDelivery, arrivals: Arrivals): readonly Arrival[] {
  return arrivals.get(facts.to)?.get(id.split('.')[0]!) ?? []
}

/** What the receiver sends back is asked for again by that. */
function unasked(arrived: readonly Arrival[]): number {
  return arrived.filter(({ wasSentBack }) => !wasSentBack).length
}

function isExplained({ attempts }: StoredDelivery): boolean {
  return attempts.some(({ result }) => UNKNOWN.test(result))
}

function isWaiting({ facts }: StoredDelivery): boolean {
  return facts.state === 'waiting'
}

function hadServerDied({ attempts, facts }: StoredDelivery, { serverDeaths }: Seen): boolean {
  const last = attempts.at(-1)
  // Who has confirmed by a receipt or an iq of its own has it.
  if (last === undefined || last.result === 'receipt' || (last.result === 'result' && !isNode(facts.to))) return false
  const [fromMs, untilMs] = [last.atMs, last.atMs + (last.tookMs ?? 0)]
  return serverDeaths.some((death) => untilMs > death.fromMs - LAST_MOMENT_MS && fromMs < death.untilMs)
}

function isNode(destination: string): boolean {
  return destination.startsWith('xmpp:')
}

/** Of each lane, what was accepted later and came first earlier. */
function inversionsOfLanes({ shard, arrivals }: Seen): string[] {
  const lanes = new Map<string, { id: string; sequence: number; place: number }[]>()
  for (const { sum, deliveries } of shard.envelopes.values()) {
    for (const delivery of deliveries) {
      const [first] = arrivalsOf(delivery, arrivals)
      const { lane } = delivery.facts
      // What was read from a node has no time of arrival.
      if (lane === undefined || first === undefined || first.wasRead) continue
      const members = lanes.get(lane) ?? []
      lanes.set(lane, members)
      members.push({ id: delivery.id, sequence: sum.sequence, place: first.place })
    }
  }
  return [...lanes.values()].flatMap((members) =>
    inversions(
      members.toSorted((one, other) => one.sequence - other.sequence),
      'was accepted before',
    ),
  )
}

/** By what the senders did, whatever Redis says: what was sent when the one before had been acknowledged. */
function inversionsOfSenders({ sent, shard, arrivals }: Seen): string[] {
  const told = sent.filter(({ document, envelopeIds }) => document.path !== 'event' && envelopeIds.size === 1)
  const found: string[] = []
  for (let sender = 0; sender < SENDERS; sender++) {
    const mine = told.filter(({ document }) => document.sender === sender)
    for (const [name, way] of Object.entries(WAYS)) {
      if (!('order' in way) || way.order !== 'sender') continue
      const members = mine.flatMap(({ document, envelopeIds }) => {
        const envelope = shard.envelopes.get([...envelopeIds][0]!)
        const delivery = envelope?.deliveries.find(({ facts }) => facts.to === way.destination(document.fresh))
        const first = delivery && arrivalsOf(delivery, arrivals)[0]
        return first && !first.wasRead ? [{ id: `${document.number} to ${name}`, place: first.place }] : []
      })
      found.push(...inversions(members.toSorted(byId), 'was sent before'))
    }
  }
  return found
}

function byId(one: { readonly id: string }, other: { readonly id: string }): number {
  return one.id < other.id ? -1 : 1
}

function inversions(inOrder: readonly { readonly id: string; readonly place: number }[], relation: string): string[] {
  let last = inOrder[0]
  const found: string[] = []
  for (const one of inOrder) {
    if (one.place < last!.place) found.push(`${last!.id} ${relation} ${one.id}, and came after it`)
    else last = one
  }
  return found
}

function described({ id, facts, attempts }: StoredDelivery): string {
  const tried = attempts.map(
    ({ atMs, tookMs, result, text }) =>
      `${new Date(atMs).toISOString()}+${tookMs ?? '?'} ${result}${text ? ` (${text})` : ''}`,
  )
  return `${id} to ${facts.to}, ${facts.state}${facts.reason ? ` (${facts.reason})` : ''}: ${tried.slice(-4).join(', ')}`
}

function whyOf({ attempts }: StoredDelivery): string {
  return [...new Set(attempts.map(({ result }) => result).filter((result) => UNKNOWN.test(result)))].join(', ')
}

export function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

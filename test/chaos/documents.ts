import { createHash } from 'node:crypto'
import type { Random } from './schedule.ts'
import { shuffled } from './schedule.ts'
import { FRESH_NODES, WAY_NAMES, WAYS, type WayName } from './ways.ts'

/** How a document comes in. */
export const PATHS = ['iq', 'sealed iq', 'submit', 'message', 'sealed message', 'publish', 'event'] as const
export type Path = (typeof PATHS)[number]

export interface PlannedDocument {
  /** Names it for life: the stanza's id and what the receivers find in it. */
  readonly number: string
  readonly sender: number
  /** Its place among its sender's. */
  readonly place: number
  readonly path: Path
  readonly key: string
  /** Empty: no route matches. */
  readonly ways: readonly WayName[]
  readonly fresh: number
  /** Since the begin of the load. */
  readonly atMs: number
  readonly size: number
}

export const SENDERS = 10
const KEYS = 40
/** Characters; a few are that large, most are small. */
const LARGEST = 12_000
const WITHOUT_ROUTE = 0.01

/** Documents of all senders, evenly spread over the time of the load; each sender's stand in the order in which they are sent. */
export function planDocuments(count: number, overMs: number, random: Random): readonly (readonly PlannedDocument[])[] {
  const bySender: PlannedDocument[][] = Array.from({ length: SENDERS }, () => [])
  for (let at = 0; at < count; at++) {
    const sender = at % SENDERS
    const place = bySender[sender]!.length
    const ways = shuffled(WAY_NAMES, random).slice(0, 1 + Math.floor(random() * 3))
    bySender[sender]!.push({
      number: `s${sender}-${String(place).padStart(6, '0')}`,
      sender,
      place,
      path: PATHS[Math.floor(random() * PATHS.length)]!,
      key: `k${Math.floor(random() * KEYS)}`,
      ways: random() < WITHOUT_ROUTE ? [] : ways,
      fresh: Math.floor(random() * FRESH_NODES),
      atMs: (at * overMs) / count,
      size: Math.floor(random() ** 8 * LARGEST),
    })
  }
  return bySender
}

export function expectedDestinations({ ways, fresh }: PlannedDocument): readonly string[] {
  return ways.map((way) => WAYS[way].destination(fresh))
}

export function documentXml({ number, key, fresh, ways, size }: PlannedDocument): string {
  const to = (ways.length === 0 ? ['nowhere'] : ways).map((way) => `<to>${way}</to>`).join('')
  return `<parcel xmlns='urn:example:parcel'><number>${number}</number><key>${key}</key><fresh>${fresh}</fresh>${to}<text>${'x'.repeat(size)}</text></parcel>`
}

/** Byte for byte, as XEP-0231 carries it. */
export function sealedXml(document: PlannedDocument): string {
  const bytes = Buffer.from(documentXml(document))
  const cid = `sha256+${createHash('sha256').update(bytes).digest('hex')}@bob.xmpp.org`
  return `<data xmlns='urn:xmpp:bob' type='application/xml' cid='${cid}'>${bytes.toString('base64')}</data>`
}

import type { Redis } from 'ioredis'
import type { AttemptRecord } from '../../src/domain/delivery.ts'
import { keyPrefix } from '../../src/redis/keys.ts'
import { type Facts, type Meta, parseRecords, type Sum } from '../../src/redis/records.ts'

/** Everything that Waybill keeps in Redis under one prefix, as values: read key by key, so nobody may write meanwhile. */
export interface Shard {
  readonly envelopes: ReadonlyMap<string, StoredEnvelope>
  /** expanding, ready, later, suspects, lapsing, underway, expiring, dead, held, finished, reopenable, reports, each with its members and their scores. */
  readonly sets: ReadonlyMap<string, ReadonlyMap<string, number>>
  /** Members in their order, by the lane's name. */
  readonly lanes: ReadonlyMap<string, ReadonlyMap<string, number>>
  /** What waits for each destination, by its digest. */
  readonly barred: ReadonlyMap<string, ReadonlyMap<string, number>>
  /** Open destinations. */
  readonly breakers: Readonly<Record<string, string>>
  readonly ledger: Readonly<Record<string, string>>
  readonly senders: Readonly<Record<string, string>>
  readonly holding: Readonly<Record<string, string>>
  /** `claim:…` and `key:…` → the envelope id that they stand for. */
  readonly claims: ReadonlyMap<string, string>
  /** Keys that no script knows. */
  readonly strange: readonly string[]
}

export interface StoredSum extends Sum {
  readonly sequence: number
  readonly bytes?: number
  readonly waiting: number
  readonly held: number
  readonly dead: number
  readonly expired: number
  readonly dropped: number
  readonly delivered: number
}

export interface StoredDelivery {
  readonly id: string
  readonly facts: Facts
  readonly attempts: readonly AttemptRecord[]
}

export interface StoredEnvelope {
  readonly id: string
  readonly sum: StoredSum
  readonly meta: Meta
  /** Of its document, and of those that deliveries were redriven with. */
  readonly payloadBytes: number
  readonly hasPayload: boolean
  readonly deliveries: readonly StoredDelivery[]
  /** Those that are still to be written; left out: none. */
  readonly unwritten?: readonly StoredDelivery[]
}

export const SETS = [
  'ready',
  'later',
  'suspects',
  'lapsing',
  'underway',
  'expiring',
  'dead',
  'held',
  'expanding',
  'finished',
  'reopenable',
  'reports',
] as const
/** Their own rooms' tests look after these; what they hold refers to no delivery. */
const OTHERS =
  /^(bull:|figures$|checkers$|checks:|archive$|archive:|taken:|items:|lease:|bundle:|registry$|registered$|registration$|processes$|served$|sequence$|version$)/

export async function readShard(client: Redis, prefix: string): Promise<Shard> {
  const begin = keyPrefix(prefix)
  const names = await namesUnder(client, begin)
  const named = (start: string) => names.filter((name) => name.startsWith(start))
  const envelopes = await Promise.all(named('envelope:').map((name) => readEnvelope(client, begin, name)))
  const sets = await Promise.all(SETS.map((name) => readSet(client, begin + name)))
  const lanes = await Promise.all(named('lane:').map((name) => readSet(client, begin + name)))
  const barred = await Promise.all(named('barred:').map((name) => readSet(client, begin + name)))
  const claims = [...named('claim:'), ...named('key:')]
  const values = await Promise.all(claims.map((name) => client.get(begin + name)))
  const known = new Set<string>([...SETS, 'ledger', 'senders', 'holding', 'breakers'])
  return {
    envelopes: new Map(envelopes.map((envelope) => [envelope.id, envelope])),
    sets: new Map(SETS.map((name, at) => [name, sets[at]!])),
    lanes: new Map(named('lane:').map((name, at) => [name.slice('lane:'.length), lanes[at]!])),
    barred: new Map(named('barred:').map((name, at) => [name.slice('barred:'.length), barred[at]!])),
    breakers: await client.hgetall(`${begin}breakers`),
    ledger: await client.hgetall(`${begin}ledger`),
    senders: await client.hgetall(`${begin}senders`),
    holding: await client.hgetall(`${begin}holding`),
    // One that expired since its name was read stands for nothing.
    claims: new Map(claims.flatMap((name, at) => (values[at] ? [[name, values[at].split(' ')[0]!] as const] : []))),
    strange: names.filter(
      (name) => !known.has(name) && !OTHERS.test(name) && !/^(envelope|lane|barred|claim|key):/.test(name),
    ),
  }
}

async function namesUnder(client: Redis, begin: string): Promise<string[]> {
  const names = new Set<string>()
  let cursor = '0'
  do {
    const [next, keys] = await client.scan(cursor, 'MATCH', `${begin}*`, 'COUNT', 5_000)
    for (const key of keys) names.add(key.slice(begin.length))
    cursor = next
  } while (cursor !== '0')
  return [...names]
}

async function readSet(client: Redis, key: string): Promise<ReadonlyMap<string, number>> {
  const flat = await client.zrange(key, '0', '-1', 'WITHSCORES')
  const members = new Map<string, number>()
  for (let at = 0; at < flat.length; at += 2) members.set(flat[at]!, Number(flat[at + 1]))
  return members
}

async function readEnvelope(client: Redis, begin: string, name: string): Promise<StoredEnvelope> {
  const key = begin + name
  const fields = await client.hkeys(key)
  const payloads = fields.filter((field) => /^p(ayload|\d+)$/.test(field))
  const others = fields.filter((field) => !payloads.includes(field))
  const values = await client.hmget(key, ...others)
  const hash = new Map(others.map((field, at) => [field, values[at]!]))
  const lengths = await Promise.all(payloads.map((field) => client.hstrlen(key, field)))
  const id = name.slice('envelope:'.length)
  const indices = others.filter((field) => /^d\d+$/.test(field)).map((field) => Number(field.slice(1)))
  const parts = others.filter((field) => /^r\d+$/.test(field)).map((field) => hash.get(field)!)
  return {
    id,
    sum: JSON.parse(hash.get('sum') ?? '{}') as StoredSum,
    meta: JSON.parse(hash.get('meta') ?? '{}') as Meta,
    hasPayload: payloads.length > 0,
    payloadBytes: lengths.reduce((all, length) => all + length, 0),
    deliveries: indices
      .sort((one, other) => one - other)
      .map((index) => ({
        id: `${id}.${index}`,
        facts: JSON.parse(hash.get(`d${index}`)!) as Facts,
        attempts: parseRecords(hash.get(`a${index}`) ?? ''),
      })),
    unwritten: parts
      .flatMap((text) => readPart(id, text))
      .filter(({ id: one }) => !indices.includes(Number(one.split('.')[1]))),
  }
}

interface Part {
  readonly shared: readonly { readonly facts: Facts }[]
  readonly rows: readonly (readonly [number, number, string, string?])[]
}

function readPart(id: string, text: string): StoredDelivery[] {
  const { shared, rows } = JSON.parse(text) as Part
  return rows.map(([number, at, to, lane]) => ({
    id: `${id}.${number}`,
    facts: { ...shared[at]!.facts, to, ...(lane !== undefined && { lane }) },
    attempts: [],
  }))
}

import type { Redis } from 'ioredis'
import { parseDeliveryId } from '../domain/delivery.ts'
import type { Holding } from '../domain/held.ts'
import type { Clock, DeliveryTrace, EnvelopeTrace, Ledger, Progress, Store } from '../flow/ports.ts'
import { parseBreaker } from './breakers.ts'
import { ask, type Call } from './calls.ts'
import { type Facts, type Meta, parseOptions, parseRecords, type ReplacementMeta, type Sum } from './records.ts'

export function createReadings(
  call: Call,
  client: Redis,
  prefix: string,
  clock: Clock,
): Pick<Store, 'trace' | 'progress' | 'payload' | 'ledger' | 'depth'> {
  const repeatable = { repeatable: true }
  return {
    async trace(envelopeId): Promise<EnvelopeTrace | undefined> {
      return parseTrace(envelopeId, (await call('trace', [envelopeId], repeatable)) as unknown[])
    },

    async progress(deliveryId) {
      const { envelopeId, index } = parseDeliveryId(deliveryId)
      const fields = [`d${index}`, `o${index}`, 'meta']
      const found = await ask('progress', client, () => client.hmget(`${prefix}envelope:${envelopeId}`, ...fields))
      return parseProgress(found)
    },

    async payload(id) {
      const { envelopeId, index } = parseDeliveryId(id)
      const envelope = `${prefix}envelope:${envelopeId}`
      const payload = await ask('payload', client, async () => {
        const facts = index === undefined ? null : await client.hget(envelope, `d${index}`)
        const { document } = JSON.parse(facts ?? '{}') as Partial<Facts>
        return client.hgetBuffer(envelope, document === undefined ? 'payload' : `p${document}`)
      })
      return payload ?? undefined
    },

    async ledger(): Promise<Ledger> {
      return parseLedger(await ask('ledger', client, () => client.hgetall(`${prefix}ledger`)))
    },

    async depth() {
      const [waiting, underWay, dead, due, suspects, held] = (await call('depth', [], repeatable)) as [
        ...[number, number, number, Buffer, number, number],
      ]
      const oldestDueMs = due.length === 0 ? 0 : Math.max(0, clock() - Number(String(due)))
      return { waiting, underWay, suspects, dead, held, oldestDueMs }
    },
  }
}

const DOCUMENT_COUNTS = ['accepted', 'waiting', 'held', 'delivered', 'dead', 'expired', 'dropped', 'duplicate'] as const
const DELIVERY_COUNTS = ['planned', 'waiting', 'delivered', 'dead', 'expired', 'dropped'] as const
const SUSPECT_AFTER = 3
const BYTE_COUNTS = ['waiting', 'held', 'dead', 'finished'] as const

/** The ledger's hash, "GROUP STATE [NAME]" → count, as the flow knows it. */
export function parseLedger(counts: Readonly<Record<string, string>>): Ledger {
  const groups = new Map<string, Record<string, number>>()
  for (const [field, count] of Object.entries(counts)) {
    const [, group, state, name = ''] = /^(\S+) (\S+)(?: (.*))?$/s.exec(field)!
    const id = `${group} ${name}`
    const states = groups.get(id) ?? {}
    states[state!] = Number(count)
    groups.set(id, states)
  }
  const byName = <State extends string>(group: string, states: readonly State[]) =>
    Object.fromEntries(
      [...groups.keys()]
        .filter((id) => id.startsWith(`${group} `))
        .sort()
        .map((id) => [id.slice(group.length + 1), complete(groups.get(id), states)]),
    )
  return {
    documents: complete(groups.get('documents '), DOCUMENT_COUNTS),
    deliveries: complete(groups.get('deliveries '), DELIVERY_COUNTS),
    bytes: complete(groups.get('bytes '), BYTE_COUNTS),
    types: byName('type', DOCUMENT_COUNTS),
    routes: byName('route', DELIVERY_COUNTS),
  }
}

function complete<State extends string>(
  counts: Readonly<Record<string, number>> | undefined,
  states: readonly State[],
): Record<State, number> {
  return Object.fromEntries(states.map((state) => [state, counts?.[state] ?? 0])) as Record<State, number>
}

/** The reply of trace.lua; undefined where there is no such envelope. */
export function parseTrace(id: string, reply: readonly unknown[]): EnvelopeTrace | undefined {
  if (reply.length === 0) return undefined
  if (reply.length === 1)
    throw new Error(`Cannot trace ${id}: a later version of Waybill has written it (${reply[0]}, known is 1)`)
  const meta = JSON.parse(String(reply[0])) as Meta
  const sum = JSON.parse(String(reply[1])) as Sum
  const holding = String(reply[2]) === '' ? undefined : (JSON.parse(String(reply[2])) as Holding)
  const deliveries = (reply.slice(3) as unknown[][])
    .sort(([one], [other]) => Number(String(one)) - Number(String(other)))
    .map(([index, facts, attempts, behind, ahead, document, breaker]) => ({
      ...parseDeliveryTrace(`${id}.${index}`, JSON.parse(String(facts)) as Facts, String(attempts)),
      ...(String(behind) === '' ? {} : { behind: String(behind), ahead: Number(ahead) }),
      ...parseReplacement(String(document)),
      ...parseOpen(String(breaker)),
    }))
  const reason = reasonOf(sum)
  return {
    id,
    ...meta,
    state: sum.state,
    ...(holding && { holding }),
    ...(reason === undefined ? {} : { reason }),
    deliveries,
  }
}

function parseProgress([facts, options, meta]: readonly (string | null | undefined)[]): Progress | undefined {
  if (!facts || !options || !meta) return undefined
  const { tries, since, probe, to: destination } = JSON.parse(facts) as Facts
  const { receivedAtMs } = JSON.parse(meta) as Meta
  return {
    retry: parseOptions(options).retry,
    tries: probe ? tries - 1 : tries,
    sinceMs: since ?? receivedAtMs,
    receivedAtMs,
    destination,
  }
}

function parseDeliveryTrace(id: string, facts: Facts, attempts: string): DeliveryTrace {
  const records = parseRecords(attempts)
  if (facts.started !== undefined) records.push({ atMs: facts.started, result: 'under way' })
  const reason = reasonOf(facts)
  return {
    id,
    destination: facts.to,
    route: facts.route,
    state: facts.state,
    tries: facts.tries,
    ...(facts.state === 'waiting' && facts.started === undefined ? { dueAtMs: facts.due } : {}),
    ...(facts.expires !== undefined &&
      (facts.state === 'waiting' || facts.state === 'dead') && { expiresAtMs: facts.expires }),
    ...(facts.state === 'waiting' && isSuspect(facts) ? { isSuspect: true } : {}),
    ...(isReplaced(facts) ? { isReplaced: true } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(facts.asked ? { asked: { state: facts.asked.state, reason: reasonOf(facts.asked)! } } : {}),
    attempts: records,
  }
}

/** As transition.lua says. */
function isSuspect({ closes = 0, crashes = 0 }: Facts): boolean {
  return closes >= SUSPECT_AFTER || crashes >= SUSPECT_AFTER
}

/** As transition.lua says. */
function isReplaced({ state, reason }: Facts): boolean {
  return state === 'dropped' && reason === 'matched-again'
}

function parseOpen(known: string): Pick<DeliveryTrace, 'open'> {
  const open = parseBreaker(known)
  return open ? { open } : {}
}

function parseReplacement(meta: string): Pick<DeliveryTrace, 'document'> {
  if (meta === '') return {}
  const { digest, bytes } = JSON.parse(meta) as ReplacementMeta
  return { document: { digest, bytes } }
}

// "superseded (ops@example.org)": an operator's reason goes with the name.
function reasonOf({ reason, by }: { readonly reason?: string; readonly by?: string }): string | undefined {
  return by === undefined || by === reason ? reason : `${reason} (${by})`
}

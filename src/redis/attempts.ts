import { parseDeliveryId, parseDestination } from '../domain/delivery.ts'
import type { AttemptEnd, Log, StartedAttempt, Store } from '../flow/ports.ts'
import type { Call } from './calls.ts'
import { coalesce } from './coalesce.ts'
import { PATIENCE_MS } from './connection.ts'
import { type LostStarts, startToken } from './lost-starts.ts'
import { type Meta, parseOptions, type ReplacementMeta, recordLine } from './records.ts'

export interface AttemptsOptions {
  readonly instance: string
  readonly attemptLeaseMs: number
  /** How long after its delivery a bounce reopens it. */
  readonly bounceWindowMs: number
  readonly log: Log
}

/** A delivery to a destination that has enough under way comes due again after this. */
const POSTPONE_MS = 250

interface Wanted {
  readonly ids: readonly string[]
  readonly full: readonly string[]
}

const COALESCED = { mostWeight: 128, gatheredWeight: 100_000, patienceMs: PATIENCE_MS } as const

/** Concurrent calls share one script call, each attempt goes to the caller that asked for it first. */
export function createStart(
  call: Call,
  lost: LostStarts,
  { instance, attemptLeaseMs, log }: AttemptsOptions,
): Pick<Store, 'start' | 'startSuspect'> {
  function readStarted(reply: unknown, token: string): Map<string, StartedAttempt> {
    const [started, strangers] = reply as [Buffer[][], Buffer[][]]
    for (const [id, version] of strangers) log('error', 'unknown-version', { id: String(id), version: String(version) })
    return parseStarted(started, token)
  }

  const start = coalesce<Wanted, StartedAttempt[]>(
    async (batch, deadlineMs) => {
      const full = [...new Set(batch.flatMap((wanted) => wanted.full))]
      const ids = batch.flatMap((wanted) => wanted.ids)
      const token = startToken()
      const args = [instance, token, attemptLeaseMs, POSTPONE_MS, '', full.length, ...full, ...ids]
      const reply = await call('start', args, { repeatable: true, deadlineMs }).catch((error: unknown) => {
        lost.add(token, ids)
        throw error
      })
      return shareOut(batch, readStarted(reply, token))
    },
    { ...COALESCED, name: 'start', most: 128, weigh: ({ ids }) => ids.length },
  )
  return {
    start: async (ids, full) => (ids.length === 0 ? [] : start({ ids, full })),
    async startSuspect() {
      const token = startToken()
      // Done twice it would begin a second one: what was begun unheard has its lease.
      const reply = await call('start', [instance, token, attemptLeaseMs, 0, 'alone', 0], { repeatable: false })
      return [...readStarted(reply, token).values()][0]
    },
  }
}

function shareOut(batch: readonly Wanted[], started: ReadonlyMap<string, StartedAttempt>): StartedAttempt[][] {
  const left = new Map(started)
  return batch.map(({ ids }) => {
    const own: StartedAttempt[] = []
    for (const id of ids) {
      const attempt = left.get(id)
      if (attempt) own.push(attempt)
      left.delete(id)
    }
    return own
  })
}

function parseStarted(reply: readonly Buffer[][], token: string): Map<string, StartedAttempt> {
  const envelopes = new Map<string, { readonly meta: Meta; readonly payload: Buffer }>()
  const started = new Map<string, StartedAttempt>()
  for (const row of reply) {
    const [id, tries, to, route, expires, since, options, metaText, payload, number, otherMeta, alone, probe] = row as [
      ...[Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer, Buffer],
    ]
    const { envelopeId } = parseDeliveryId(String(id))
    const document = `${envelopeId} ${number}`
    const envelope = envelopes.get(document) ?? { meta: parseMeta(metaText, otherMeta), payload }
    envelopes.set(document, envelope)
    const { meta } = envelope
    started.set(String(id), {
      id: String(id),
      envelopeId,
      token,
      tries: Number(tries),
      destination: parseDestination(String(to)),
      route: String(route),
      options: parseOptions(String(options)),
      type: meta.type,
      from: meta.origin.from,
      ...(meta.marked && { marked: meta.marked }),
      receivedAtMs: meta.receivedAtMs,
      sinceMs: String(since) === '' ? meta.receivedAtMs : Number(String(since)),
      hops: meta.origin.hops,
      form: meta.form,
      mediaType: meta.mediaType,
      ...(meta.contentType !== undefined && { contentType: meta.contentType }),
      rootName: meta.rootName,
      datatype: meta.datatype,
      payload: envelope.payload,
      ...(String(expires) === '' ? {} : { expiresAtMs: Number(String(expires)) }),
      ...(probe.length === 0 ? {} : { probe: true as const }),
      ...(alone.length === 0 ? {} : { alone: String(alone) === '1' ? 'until-had' : 'until-ended' }),
    })
  }
  return started
}

function parseMeta(accepted: Buffer, replacement: Buffer): Meta {
  const meta = JSON.parse(String(accepted)) as Meta
  if (replacement.length === 0) return meta
  // What it was redriven with is valid, and has parameters of its own or none.
  const { marked: _marked, contentType: _contentType, ...valid } = meta
  return { ...valid, ...(JSON.parse(String(replacement)) as ReplacementMeta) }
}

/** Store.end(): concurrent calls share one script call. */
export function createEnd(call: Call, { instance, bounceWindowMs }: AttemptsOptions) {
  return coalesce<AttemptEnd, readonly string[]>(
    async (batch, deadlineMs) => {
      const ends = batch.flatMap((end) => [end.id, kindOf(end), detailOf(end), recordLine(end.record), end.token ?? ''])
      const reply = (await call('end', [instance, bounceWindowMs, ...ends], {
        repeatable: true,
        deadlineMs,
      })) as Buffer[]
      return reply.map((freed) => (freed.length === 0 ? [] : [String(freed)]))
    },
    // As many as one call may have accepted the deliveries of: otherwise ends fall behind where documents have many.
    { ...COALESCED, name: 'end', most: 1_024, mostWeight: 1_024, weigh: () => 1 },
  )
}

/** So many leases are prolonged before others have their turn. */
const PROLONGED_MOST = 500

/** Store.prolong(). */
export function createProlong(call: Call, { instance, attemptLeaseMs }: AttemptsOptions): Store['prolong'] {
  return async (attempts) => {
    for (let first = 0; first < attempts.length; first += PROLONGED_MOST) {
      const part = attempts.slice(first, first + PROLONGED_MOST).flatMap(({ id, token = '' }) => [id, token])
      await call('prolong', [instance, attemptLeaseMs, ...part], { repeatable: true })
    }
  }
}

function kindOf(end: AttemptEnd): string {
  if (end.kind === 'retry' && end.uncounted) return 'uncounted'
  if (end.kind === 'delivered' && end.proven) return 'proven'
  return end.kind === 'void' && end.closed ? 'closed' : end.kind
}

function detailOf(end: AttemptEnd): string | number {
  switch (end.kind) {
    case 'retry':
    case 'void':
      return end.dueAtMs
    case 'dead':
      return end.reason
    case 'delivered':
    case 'expired':
      return ''
  }
}

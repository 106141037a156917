import type { PlannedDelivery } from '../../src/domain/delivery.ts'
import { parseDestination } from '../../src/domain/delivery.ts'
import type { AcceptAnswer, Acceptance, Ledger, Log } from '../../src/flow/ports.ts'
import { openStore, type RedisStore, type StoreOptions } from '../../src/redis/store.ts'

/** A clock that tests set. */
export interface SetClock {
  (): number
  nowMs: number
}

export function setClock(nowMs = Date.now()): SetClock {
  const clock = (() => clock.nowMs) as SetClock
  clock.nowMs = nowMs
  return clock
}

export interface LogLine {
  readonly level: string
  readonly event: string
  readonly details: Readonly<Record<string, unknown>>
}

export function keepLog(): { readonly log: Log; readonly lines: LogLine[] } {
  const lines: LogLine[] = []
  return { lines, log: (level, event, details = {}) => void lines.push({ level, event, details }) }
}

let prefixes = 0

/** A prefix that no other test of this run uses. */
export function freshPrefix(): string {
  prefixes += 1
  return `test-${process.pid}-${prefixes}`
}

const KEPT_LONG = {
  finishedMs: 3_600_000,
  finishedCount: 100_000,
  finishedBytes: 1 << 30,
  deadMs: 3_600_000,
  deadCount: 100_000,
  deadBytes: 1 << 30,
  heldMs: 3_600_000,
} as const

const WIDE = {
  waiting: 100_000,
  perSenderWaiting: 100_000,
  waitingBytes: 1 << 30,
  held: 100_000,
  perSenderHeld: 100_000,
  heldBytes: 1 << 30,
} as const

export interface StoreChanges extends Partial<Omit<StoreOptions, 'limits' | 'retention'>> {
  readonly limits?: Partial<StoreOptions['limits']>
  readonly retention?: Partial<StoreOptions['retention']>
}

export function storeOptions(url: string, { limits, retention, ...changes }: StoreChanges = {}): StoreOptions {
  return {
    url,
    prefix: freshPrefix(),
    durability: 'everysec',
    replicas: 0,
    limits: { ...WIDE, ...limits },
    retention: { ...KEPT_LONG, ...retention },
    bounceWindowMs: 600_000,
    instance: 'one',
    clock: Date.now,
    log: keepLog().log,
    ...changes,
  }
}

const open: RedisStore[] = []

/** Closed by {@link closeStores}. */
export async function openTestStore(url: string, changes: StoreChanges = {}): Promise<RedisStore> {
  const store = await openStore(storeOptions(url, changes))
  open.push(store)
  return store
}

export async function closeStores(): Promise<void> {
  await Promise.all(open.splice(0).map((store) => store.close()))
}

let ids = 0

/** In the form of a UUIDv7; ascending. */
export function freshId(): string {
  ids += 1
  return `01900000-0000-7000-8000-${ids.toString(16).padStart(12, '0')}`
}

export interface PlanChanges extends Partial<Omit<PlannedDelivery, 'destination' | 'options'>> {
  readonly to?: string
  readonly confirmTimeoutMs?: number
}

export function plan({
  to = 'erp@backend.example',
  confirmTimeoutMs = 30_000,
  ...changes
}: PlanChanges = {}): PlannedDelivery {
  return {
    destination: parseDestination(to),
    route: 'orders',
    options: { retry: 'default', confirm: 'none', confirmTimeoutMs },
    priority: 0,
    ...changes,
  }
}

export interface AcceptanceChanges {
  readonly id?: string
  readonly type?: string
  readonly from?: string
  readonly digest?: string
  readonly payload?: string | Uint8Array
  readonly receivedAtMs?: number
  readonly expiresMs?: number
  readonly report?: 'delivered' | 'failed' | 'all'
  readonly deliveries?: readonly PlannedDelivery[]
  readonly claim?: string
  readonly key?: string
  readonly taken?: Acceptance['taken']
  readonly holding?: Acceptance['holding']
}

export function acceptance(changes: AcceptanceChanges = {}): Acceptance {
  const { id = freshId(), type = 'order', from = 'shop@suppliers.example/web', claim, key, taken, holding } = changes
  const { payload = '<order xmlns="urn:test"/>', receivedAtMs = Date.now(), expiresMs, report } = changes
  const bytes = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length
  return {
    envelope: {
      id,
      document: {
        form: typeof payload === 'string' ? 'element' : 'sealed',
        mediaType: 'application/xml',
        rootName: '{urn:test}order',
        datatype: '',
        content: { kind: 'opaque' },
        payload,
        bytes,
        digest: changes.digest ?? `digest-of-${id}`,
      },
      origin: { from, to: 'waybill.example', stanza: 'iq', stanzaId: 's1', node: '', item: '', headers: {}, hops: 2 },
      type,
      fields: { currency: ['EUR'] },
      receivedAtMs,
      submit: { ...(expiresMs !== undefined && { expiresMs }), ...(report && { report }) },
    },
    deliveries: holding ? [] : (changes.deliveries ?? [plan()]),
    ...(holding && { holding }),
    ...(claim === undefined ? {} : { claim: { name: claim, windowMs: 600_000 } }),
    ...(key === undefined ? {} : { key: { name: key, windowMs: 600_000 } }),
    ...(taken && { taken }),
  }
}

export async function acceptOne(store: RedisStore, changes: AcceptanceChanges = {}): Promise<AcceptAnswer> {
  const [answer] = await store.accept([acceptance(changes)])
  return answer!
}

/** Accepts a document with the given deliveries and gives its id. */
export async function accepted(store: RedisStore, changes: AcceptanceChanges = {}): Promise<string> {
  const answer = await acceptOne(store, changes)
  if (answer.kind !== 'accepted') throw new Error(`Expected accepted, got ${answer.kind}`)
  return answer.id
}

/** Both equations of guarantee 2 (docs/operations.md), for the whole and for each type and route. */
export async function balances(store: RedisStore): Promise<string[]> {
  return imbalances(await store.ledger())
}

export function imbalances(ledger: Ledger): string[] {
  const faults: string[] = []
  const documents = [['documents', ledger.documents] as const, ...Object.entries(ledger.types)]
  for (const [name, d] of documents) {
    const sum = d.waiting + d.held + d.delivered + d.dead + d.expired + d.dropped
    if (sum !== d.accepted) faults.push(`${name}: accepted ${d.accepted}, in states ${sum}`)
  }
  for (const [name, d] of [['deliveries', ledger.deliveries] as const, ...Object.entries(ledger.routes)]) {
    const sum = d.waiting + d.delivered + d.dead + d.expired + d.dropped
    if (sum !== d.planned) faults.push(`${name}: planned ${d.planned}, in states ${sum}`)
  }
  return faults
}

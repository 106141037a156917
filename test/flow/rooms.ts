import { compileXPathTest, rehydrate } from '../../src/documents/documents.ts'
import { replacementOf } from '../../src/documents/replacement.ts'
import type { AttemptOutcome } from '../../src/domain/delivery.ts'
import type { DocumentType } from '../../src/domain/document-type.ts'
import type { RetryPolicy } from '../../src/domain/retry.ts'
import type { Route } from '../../src/domain/route.ts'
import { createDeliverer, type Deliverer } from '../../src/flow/deliver.ts'
import { createIntake, type IntakeNeeds, type Ruling } from '../../src/flow/intake.ts'
import { createOperations, type Operations } from '../../src/flow/operations.ts'
import type { Breakers, InboundStanza, Metrics, StartedAttempt, Store } from '../../src/flow/ports.ts'
import type { Reply } from '../../src/flow/reply.ts'
import { compileSenders, limitRate } from '../../src/flow/senders.ts'
import { compileRoutes } from '../../src/matching/matcher.ts'
import type { RedisStore } from '../../src/redis/store.ts'
import { bundle, documentsFor, ORDER_XSD, typeOf } from '../documents/given.ts'
import { routeOf, toJid } from '../matching/samples.ts'
import { keepLog, type LogLine, openTestStore, type SetClock, type StoreChanges, setClock } from '../redis/fixtures.ts'

/**
 * `order` with an XSD, its id as key and its currency as a field; `note` without a schema, which only one sender may send; `reading` in
 * two versions that nothing but the sender's word tells apart, the first with a field; `meter` in JSON, with its id as key.
 */
export function types(): readonly DocumentType[] {
  const fields = { id: { xpath: '/t:order/t:id' }, currency: { xpath: '/t:order/@currency' } }
  return [
    typeOf('order', { schema: bundle('xsd', { 'order.xsd': ORDER_XSD }), fields, key: 'id' }),
    typeOf('note', { senders: ['clerk@shop.example'] }),
    typeOf('reading', {
      version: '1',
      deprecated: 'Version 1 is taken until summer: please send 2',
      fields: { unit: { xpath: '/t:reading/@unit' } },
    }),
    typeOf('reading', { version: '2' }),
    typeOf('meter', {
      identify: { json: { match: { '/kind': 'meter' } } },
      fields: { id: { pointer: '/id' } },
      key: 'id',
    }),
  ]
}

export function order(id: string, currency = 'EUR'): string {
  return `<order xmlns="urn:order" currency="${currency}"><id>${id}</id><line><item>flour</item><quantity>3</quantity></line></order>`
}

export const ERP = 'erp@backend.example'
export const toErp = routeOf('to-erp', { when: { type: ['order'] }, deliver: [toJid(ERP)] })

export async function rulingOf(routes: readonly Route[] = [toErp]): Promise<Ruling> {
  const documents = await documentsFor(types())
  const { matcher, problems } = compileRoutes(routes, compileXPathTest)
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'))
  const typeSenders = new Map([['note', compileSenders(['clerk@shop.example'])]])
  return { documents, matcher, senders: compileSenders(['*@shop.example']), typeSenders }
}

/** What the flow said to its ports. */
export interface Said {
  readonly wakes: { readonly ids: readonly string[]; readonly delayMs: number }[]
  /** `accepted order iq`, `rejected invalid`, `attempt timeout`, `ended dead refused` … */
  readonly counted: string[]
  readonly alarms: string[]
  readonly lines: LogLine[]
  readonly sent: StartedAttempt[]
}

export interface Flow extends Said {
  readonly clock: SetClock
  readonly metrics: Metrics
  /** The real one, whatever the flow was given. */
  readonly store: RedisStore
  take(stanza: InboundStanza): Promise<Reply>
  readonly deliverer: Deliverer
  readonly operations: Operations
  /** What the flow asks; may be replaced at any time. */
  ruling: Ruling
  outcome: (attempt: StartedAttempt, onHad: () => void) => AttemptOutcome | Promise<AttemptOutcome>
  online: boolean
  /** Whether the process holds the lease of its domain. */
  held: boolean
}

export interface FlowChanges extends Partial<Pick<IntakeNeeds, 'inHandLimit'>> {
  readonly routes?: readonly Route[]
  readonly perMinute?: number
  readonly places?: { readonly all: number; readonly perDestination: number }
  readonly policies?: readonly RetryPolicy[]
  readonly storeOptions?: StoreChanges
  /** Puts something between the flow and the real store. */
  readonly between?: (store: RedisStore) => Store & Breakers
  readonly wake?: () => Promise<void>
  /** First attempts begin with the acceptance, as they do in a process; otherwise every delivery waits for its wake. */
  readonly atOnce?: boolean
}

/** The flow between the real documents, matching and Redis. Outlet, wakes and metrics write down what they are told. */
export async function flowOn(redisUrl: string, changes: FlowChanges = {}): Promise<Flow> {
  const clock = setClock()
  const { log, lines } = keepLog()
  const real = await openTestStore(redisUrl, { clock, ...changes.storeOptions })
  const store = changes.between?.(real) ?? real
  const said: Said = { wakes: [], counted: [], alarms: [], sent: [], lines }
  const metrics = countingMetrics(said.counted)
  const wakes = {
    async wake(ids: readonly string[], delayMs: number) {
      said.wakes.push({ ids, delayMs })
      await changes.wake?.()
    },
    hand: (ids: readonly string[]) => void said.wakes.push({ ids, delayMs: 0 }),
  }
  const flow = {
    ruling: await rulingOf(changes.routes),
    online: true,
    held: true,
    outcome: (() => ({ kind: 'delivered', proof: 'result' })) as Flow['outcome'],
  }
  const outlet = {
    async send(attempt: StartedAttempt, onHad = () => {}) {
      said.sent.push(attempt)
      return flow.outcome(attempt, onHad)
    },
    notify() {},
    get online() {
      return flow.online
    },
  }
  const alarm = (cause: string, text: string) => void said.alarms.push(`${cause}: ${text}`)
  const common = { store, wakes, metrics, alarm, now: clock, log }
  const deliverer = createDeliverer({
    ...common,
    outlet,
    lease: {
      get held() {
        return flow.held
      },
    },
    policies: () => new Map(changes.policies?.map((policy) => [policy.name, policy])),
    random: () => 0.5,
    places: { bytes: 1 << 20, ...(changes.places ?? { all: 100, perDestination: 50 }) },
  })
  const take = createIntake({
    ...common,
    reserve: changes.atOnce ? deliverer.reserve : () => undefined,
    ruling: () => flow.ruling,
    rate: limitRate(changes.perMinute ?? 1_000),
    dedupeWindowMs: 600_000,
    inHandLimit: changes.inHandLimit ?? 100,
    inHandBytes: 1 << 20,
  })
  const limits = { documentBytes: 190_000, depth: 64, attributes: 256 }
  const operating = {
    store,
    rehydrate,
    replacementOf: (bytes: Uint8Array, original: Parameters<typeof replacementOf>[1]) =>
      replacementOf(bytes, original, limits),
  }
  const operations = createOperations({ ...operating, now: clock, ruling: () => flow.ruling })
  return Object.assign(flow, said, { clock, metrics, store: real, take, deliverer, operations })
}

function countingMetrics(counted: string[]): Metrics {
  const write = (...words: readonly string[]) => void counted.push(words.filter((word) => word !== '').join(' '))
  return {
    accepted: (type, stanza) => write('accepted', type, stanza),
    deprecated: (type, version, sender) => write('deprecated', type, version, sender),
    duplicate: (type) => write('duplicate', type),
    held: (type) => write('held', type),
    heldEnded: (how) => write('held-ended', how),
    claimReplaced: (type) => write('claim-replaced', type),
    rejected: (kind) => write('rejected', kind),
    checked: (where) => write('checked', where),
    ignored: () => write('ignored'),
    failed: () => write('failed'),
    item: (outcome) => write('item', outcome),
    attempt: (result) => write('attempt', result),
    ended: (state, reason) => write('ended', state, reason),
    breaker: (to) => write('breaker', to),
    report: (outcome) => write('report', outcome),
    alarm: (cause) => write('alarm', cause),
  }
}

import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { type DeadReason, deadReasons } from '../domain/delivery.ts'
import { rejectionConditions } from '../domain/rejection.ts'
import type { Metrics } from '../flow/ports.ts'

/** What is looked at when somebody asks, rather than counted as it happens. */
export interface Gauges {
  /** 1 where the XMPP connection is online. */
  readonly online: () => boolean
  /** 1 where another process holds the domain. */
  readonly standby: () => boolean
  /** Destinations that get nothing but probes. */
  readonly openDestinations: () => number
  /** What the payloads of all documents that are kept come to, by their state. */
  readonly bytes: () => Promise<Readonly<Record<string, number>>>
  readonly depth: () => Promise<{
    readonly waiting: number
    readonly underWay: number
    readonly suspects: number
    readonly dead: number
    readonly held: number
    readonly oldestDueMs: number
  }>
}

/** What is dead from its acceptance on, and what an operator parks, is in the ledger only. */
const IN_LEDGER_ONLY: ReadonlySet<string> = new Set<DeadReason>(['no-route', 'address-refused', 'parked'])
const COUNTED_REASONS = deadReasons.filter((reason) => !IN_LEDGER_ONLY.has(reason))
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600]

/** What `/metrics` says. */
export type MetricsText = Pick<Registry, 'contentType' | 'metrics'>

/** Those of several domains have the label `domain`; those of one, and those of the Node process, have none. */
export function metricsOfDomains(
  domains: readonly string[],
  gaugesOf: (domain: string) => Gauges,
): { readonly of: (domain: string) => Metrics; readonly text: MetricsText } {
  const [only] = domains
  if (domains.length === 1) {
    const { metrics, registry } = createMetrics(gaugesOf(only!))
    return { of: () => metrics, text: registry }
  }
  const ofProcess = processRegistry()
  const made = new Map(domains.map((domain) => [domain, createMetrics(gaugesOf(domain), new Registry())]))
  for (const [domain, { registry }] of made) registry.setDefaultLabels({ domain })
  const registries = [ofProcess, ...[...made.values()].map(({ registry }) => registry)]
  return {
    of: (domain) => made.get(domain)!.metrics,
    text: {
      contentType: ofProcess.contentType,
      async metrics() {
        const all = await Promise.all(registries.map((registry) => registry.getMetricsAsJSON()))
        return AggregatorRegistry.aggregate(all).metrics()
      },
    },
  }
}

/** The registry of a whole process. */
function processRegistry(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, prefix: 'waybill_' })
  return registry
}

/** All metrics of the product, each with its meaning: the text after `help` is what `/metrics` and docs say of it. */
export function createMetrics(
  gauges: Gauges,
  registry = processRegistry(),
): { readonly metrics: Metrics; readonly registry: Registry } {
  const registers = [registry]

  const accepted = new Counter({
    name: 'waybill_documents_accepted_total',
    help: 'Documents that were made durable and acknowledged, by document type and by the stanza that brought them.',
    labelNames: ['type', 'stanza'],
    registers,
  })
  const acceptSeconds = new Histogram({
    name: 'waybill_accept_seconds',
    help: 'From a stanza out of the stream to the moment when its acknowledgement may be written.',
    buckets: SECONDS,
    registers,
  })
  const duplicates = new Counter({
    name: 'waybill_documents_duplicate_total',
    help: 'Documents that had been accepted before and were acknowledged again, by document type.',
    labelNames: ['type'],
    registers,
  })
  const heldDocuments = new Counter({
    name: 'waybill_documents_held_total',
    help: 'Documents that were accepted and held because they are invalid, by document type; they count as accepted too.',
    labelNames: ['type'],
    registers,
  })
  const checked = new Histogram({
    name: 'waybill_check_seconds',
    help: 'Validation of a heavy document, with the wait for it, by where: thread, process (another one), or here, where neither could.',
    labelNames: ['where'],
    buckets: SECONDS,
    registers,
  })
  const heldEnded = new Counter({
    name: 'waybill_documents_held_ended_total',
    help: 'Held documents that this process released or refused.',
    labelNames: ['how'],
    registers,
  })
  const deprecated = new Counter({
    name: 'waybill_documents_deprecated_total',
    help: 'Documents of deprecated versions that were accepted, by document type, version and bare sender; beyond 500 senders all others are counted as `other`.',
    labelNames: ['type', 'version', 'sender'],
    registers,
  })
  const claimsReplaced = new Counter({
    name: 'waybill_claims_replaced_total',
    help: 'Documents accepted under a stanza id that the same sender had given to another document within the dedupe window, by document type.',
    labelNames: ['type'],
    registers,
  })
  const rejected = new Counter({
    name: 'waybill_documents_rejected_total',
    help: 'Documents that were refused, by reason: the closed set of docs/protocol.md.',
    labelNames: ['reason'],
    registers,
  })
  const ignored = new Counter({
    name: 'waybill_stanzas_ignored_total',
    help: 'Messages that carried nothing: no body, and known extensions only.',
    registers,
  })
  const failed = new Counter({
    name: 'waybill_stanzas_failed_total',
    help: 'Stanzas that made Waybill itself fail: answered with internal-server-error, and a line in the log each.',
    registers,
  })
  const items = new Counter({
    name: 'waybill_items_total',
    help: 'Items of subscribed nodes, by outcome: taken, known (taken before), own (published here), refused, stranger (nothing that was subscribed to, or no item: retracts and the like).',
    labelNames: ['outcome'],
    registers,
  })
  const attempts = new Counter({
    name: 'waybill_attempts_total',
    help: 'Attempts to deliver, by result: result, receipt, handed-over, void, breaks-stream, fault (of ours), bounced, or the condition of the error.',
    labelNames: ['result'],
    registers,
  })
  const ended = new Counter({
    name: 'waybill_deliveries_ended_total',
    help: 'Deliveries that reached an end, by state (delivered, dead, expired) and, for the dead, by reason.',
    labelNames: ['state', 'reason'],
    registers,
  })
  const deliverySeconds = new Histogram({
    name: 'waybill_delivery_seconds',
    help: 'From the receipt of a document to the proven end of one of its deliveries.',
    labelNames: ['state'],
    buckets: SECONDS,
    registers,
  })
  const breakers = new Counter({
    name: 'waybill_destination_changes_total',
    help: 'Destinations that were opened because they kept failing, probed (half-open), or closed because they answered again.',
    labelNames: ['to'],
    registers,
  })
  const reports = new Counter({
    name: 'waybill_reports_total',
    help: 'Reports to senders, by what became of them: handed-over, bounced (after that), or unsendable.',
    labelNames: ['outcome'],
    registers,
  })
  const alarms = new Counter({
    name: 'waybill_alarms_total',
    help: 'Alarms raised, by kind of cause; each is a log line as well.',
    labelNames: ['cause'],
    registers,
  })
  gauge('waybill_xmpp_online', 'Whether the component is attached to its XMPP server: 1 or 0.', () =>
    gauges.online() ? 1 : 0,
  )
  gauge('waybill_standby', 'Whether this process waits because another one holds the domain: 1 or 0.', () =>
    gauges.standby() ? 1 : 0,
  )
  gauge(
    'waybill_destinations_open',
    'Destinations that keep failing, and get nothing but probes until they answer.',
    () => gauges.openDestinations(),
  )
  gaugesOfDepth(gauges.depth)
  new Gauge({
    name: 'waybill_payload_bytes',
    help: 'Bytes of the payloads that are kept in Redis, by the state of their documents: waiting, held, dead, finished.',
    labelNames: ['state'],
    registers,
    async collect() {
      const seen = await gauges.bytes().catch(() => ({}))
      this.reset()
      for (const [state, bytes] of Object.entries(seen)) this.set({ state }, bytes)
    },
  })

  function gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  }

  /** One look at Redis for all of them. Where Redis is away they are absent rather than wrong: an alert asks for that. */
  function gaugesOfDepth(depth: Gauges['depth']): void {
    const rows = {
      waiting: 'Deliveries that wait for an attempt, for their time, or behind another one.',
      underWay: 'Deliveries with an attempt under way.',
      suspects:
        'Deliveries that wait to be sent alone, because the stream was closed or the process died each time they were under way.',
      dead: 'Dead letters kept.',
      held: 'Documents that are held as invalid.',
      oldestDueMs: 'How long the delivery that is due longest has been due, in milliseconds.',
    } as const
    // All gauges of one scrape are asked at once, and share the answer.
    let look: ReturnType<typeof lookOnce> | undefined
    const lookOnce = () =>
      depth()
        .catch(() => undefined)
        .finally(() => {
          look = undefined
        })
    for (const [key, help] of Object.entries(rows)) {
      new Gauge({
        name: `waybill_${key === 'held' ? 'documents' : 'deliveries'}_${key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`,
        help,
        registers,
        async collect() {
          look ??= lookOnce()
          const seen = await look
          if (seen) this.set(seen[key as keyof typeof rows])
          else this.remove()
        },
      })
    }
  }

  // A series that begins with its first count is no increase to Prometheus: the first delivery that expires would alert nobody.
  ended.inc({ state: 'expired', reason: '' }, 0)
  for (const reason of COUNTED_REASONS) ended.inc({ state: 'dead', reason }, 0)
  for (const reason of Object.keys(rejectionConditions)) rejected.inc({ reason }, 0)

  const senders = createSenderLabels()
  const metrics: Metrics = {
    accepted(type, stanza, seconds) {
      accepted.inc({ type, stanza })
      acceptSeconds.observe(seconds)
    },
    duplicate: (type) => duplicates.inc({ type }),
    held: (type) => heldDocuments.inc({ type }),
    heldEnded: (how) => heldEnded.inc({ how }),
    deprecated: (type, version, sender) => deprecated.inc({ type, version, sender: senders.label(sender) }),
    claimReplaced: (type) => claimsReplaced.inc({ type }),
    rejected: (reason) => rejected.inc({ reason }),
    ignored: () => ignored.inc(),
    checked(where, seconds) {
      checked.observe({ where }, seconds)
    },
    failed: () => failed.inc(),
    item: (outcome) => items.inc({ outcome }),
    attempt: (result) => attempts.inc({ result }),
    ended(state, reason, seconds) {
      ended.inc({ state, reason })
      deliverySeconds.observe({ state }, seconds)
    },
    breaker: (to) => breakers.inc({ to }),
    report: (outcome) => reports.inc({ outcome }),
    alarm: (cause) => alarms.inc({ cause }),
  }
  return { metrics, registry }
}

/** A label must not grow with whoever sends: beyond so many they are told together. */
const SENDERS_TOLD = 500

function createSenderLabels(): { label(sender: string): string } {
  const known = new Set<string>()
  return {
    label(sender) {
      if (known.has(sender)) return sender
      if (known.size >= SENDERS_TOLD) return 'other'
      known.add(sender)
      return sender
    },
  }
}

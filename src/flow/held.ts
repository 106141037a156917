import type { Document, Form } from '../domain/document.ts'
import { type DocumentType, typeKey } from '../domain/document-type.ts'
import type { Fields } from '../domain/fields.ts'
import { bareJid } from '../domain/jid.ts'
import type { Decision } from '../matching/matcher.ts'
import { goingBy } from './check.ts'
import type { Ruling } from './intake.ts'
import { donePlanned, type OperationResult } from './operations.ts'
import type { Clock, EnvelopeTrace, HeldOrder, Log, Metrics, Store, Validation } from './ports.ts'

export interface HeldNeeds {
  readonly store: Pick<Store, 'held' | 'plan' | 'refuse' | 'trace' | 'payload'>
  /** What is in force now: what is released is checked and matched by it. Asked for only then: loading it may take long. */
  readonly ruling: () => Ruling | Promise<Ruling>
  /** A document again from what is stored of it. */
  readonly rehydrate: (form: Form, mediaType: string, datatype: string, payload: Uint8Array) => Document
  readonly metrics: Pick<Metrics, 'heldEnded'>
  readonly log: Log
  readonly now: Clock
}

export interface HeldRequest extends HeldOrder {
  /** Says what would be done, and does nothing. */
  readonly dryRun?: boolean
}

export interface HeldOperations {
  /** On its way by the routes of now, invalid as it may be still; done twice it delivers once. */
  release(id: string, request: HeldRequest): Promise<OperationResult>
  /** Dropped, with the reason and who refused it; its sender is told where a report was asked for. */
  refuse(id: string, request: HeldRequest): Promise<OperationResult>
  /** Releases all that the configuration of now finds valid; gives how many. A second call while one goes on looks again after it. */
  review(): Promise<number>
}

const refused = (reason: string): OperationResult => ({ kind: 'refused', reason })

/** What a document that is held comes to by the configuration of now. */
interface Judged {
  readonly isValid: boolean
  /** The version of its type that it is now; '' where that has none. */
  readonly version: string
  readonly fields: Fields
  readonly decision: Decision
}

/** By whom a document was released that a new configuration accepts. */
const CONFIGURATION: HeldOrder = { by: 'waybill', reason: 'the configuration of now finds it valid' }

export function createHeldOperations({ store, ruling, rehydrate, metrics, log, now }: HeldNeeds): HeldOperations {
  async function judge(seen: EnvelopeTrace): Promise<Judged | string> {
    const payload = await store.payload(seen.id)
    if (!payload) return 'has ended meanwhile'
    const now = await ruling()
    return goingBy(now, () => judgeBy(now, seen, payload))
  }

  async function judgeBy(now: Ruling, seen: EnvelopeTrace, payload: Uint8Array): Promise<Judged | string> {
    const { documents, matcher } = now
    const document = rehydrate(seen.form, seen.mediaType, seen.datatype, payload)
    const identified = documents.identify(document, seen.submit.version)
    if (identified.kind !== 'type' || identified.type.name !== seen.type) {
      return `is no document of type ${seen.type} by the configuration of now`
    }
    const { type: known } = identified
    const validation = await validate(document, known, seen.origin.from, now)
    if (typeof validation === 'string') return validation
    const { findings, fields, onInvalid } = validation
    const isValid = !findings.some(({ severity }) => severity === 'error')
    // Of what is rejected now no fields are read: it has those from when it was held.
    const readable = isValid || (onInvalid ?? known.onInvalid) !== 'reject' ? fields : seen.fields
    const { origin, type, mediaType } = seen
    const { content } = document
    const decision = matcher.match({ type, typeKey: typeKey(known), origin, mediaType, fields: readable, content })
    return { isValid, version: known.version, fields: readable, decision }
  }

  async function validate(
    document: Document,
    type: DocumentType,
    from: string,
    { documents, checkers }: Ruling,
  ): Promise<Validation | string> {
    const apart = await checkers?.validate(document, type, bareJid(from))
    if (!apart) return documents.validate(document, type)
    return apart.kind === 'validated' ? apart.validation : `can't be checked now: ${apart.rejection.text}`
  }

  async function lookAt(id: string): Promise<EnvelopeTrace | string> {
    const seen = await store.trace(id)
    if (!seen) return 'is not known'
    return seen.state === 'held' ? seen : `is not held but ${seen.state}`
  }

  async function go(seen: EnvelopeTrace, { version, fields, decision }: Judged, order: HeldOrder): Promise<boolean> {
    const deliveries = [...decision.deliveries, ...decision.impossible]
    if (!(await store.plan(seen.id, { version, fields, deliveries }, order))) return false
    metrics.heldEnded('released')
    log('info', 'released', {
      id: seen.id,
      type: seen.type,
      from: seen.origin.from,
      by: order.by,
      reason: order.reason,
    })
    if (decision.refused.length > 0)
      log('warn', 'address-refused', { id: seen.id, from: seen.origin.from, refused: decision.refused })
    return true
  }

  /** False: it stays held. */
  async function reviewOne(id: string): Promise<boolean> {
    try {
      const seen = await lookAt(id)
      if (typeof seen === 'string') return false
      const judged = await judge(seen)
      return typeof judged !== 'string' && judged.isValid && (await go(seen, judged, CONFIGURATION))
    } catch (error) {
      log('error', 'review-failed', { id, reason: (error as Error).message })
      return false
    }
  }

  async function reviewAll(): Promise<number> {
    let count = 0
    const all = await store.held({ limit: Infinity })
    // Oldest first: what is ordered goes in the order in which it came.
    for (const { id } of all.toReversed()) {
      if (await reviewOne(id)) count++
      // Validation takes its time; what comes in has its turn between.
      await new Promise((resolve) => setImmediate(resolve))
    }
    if (all.length > 0) log('info', 'held-reviewed', { held: all.length, released: count })
    return count
  }

  let reviewing = Promise.resolve(0)
  return {
    async release(id, { by, reason, dryRun }) {
      const seen = await lookAt(id)
      if (typeof seen === 'string') return refused(seen)
      const judged = await judge(seen)
      if (typeof judged === 'string') return refused(judged)
      if (!dryRun && !(await go(seen, judged, { by, reason }))) return refused('has ended meanwhile')
      const { deliveries, impossible } = judged.decision
      return donePlanned([...deliveries, ...impossible], seen, now())
    },

    async refuse(id, { by, reason, dryRun }) {
      const seen = await lookAt(id)
      if (typeof seen === 'string') return refused(seen)
      if (!dryRun && !(await store.refuse(id, { by, reason }))) return refused('has ended meanwhile')
      if (!dryRun) metrics.heldEnded('refused')
      return { kind: 'done', to: [] }
    },

    review() {
      reviewing = reviewing.catch(() => 0).then(reviewAll)
      return reviewing
    },
  }
}

import { bareJid } from '../domain/jid.ts'
import type { Log, Metrics, OwedReport, ReportOutlet, Store } from './ports.ts'
import { standingOf } from './standing.ts'

export interface ReportNeeds {
  readonly store: Pick<Store, 'owedReports' | 'reported' | 'trace'>
  readonly outlet: ReportOutlet
  readonly metrics: Pick<Metrics, 'report'>
  readonly log: Log
}

export interface Reports {
  /** Hands over the reports that are owed; gives how many are owed no more. One at a time: a second call shares the first. */
  sweep(): Promise<number>
  /** A report came back: it isn't given again. */
  bounced(id: string, from: string): Promise<void>
}

const BATCH = 500

/** The stanza's id; the same one when a report has to be sent again, so that its receiver can tell. */
export function reportId({ envelopeId, end }: OwedReport): string {
  return `${envelopeId}.report.${end}`
}

/** The envelope's id in a report's, or undefined where it is none. */
export function reportedEnvelope(id: string): string | undefined {
  return /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.report\.\d+$/.exec(id)?.[1]
}

/**
 * Reports to senders. That one is owed is written in the step that ends a document, and forgotten when it was handed over: a process
 * that dies between leaves it to the next.
 */
export function createReports({ store, outlet, metrics, log }: ReportNeeds): Reports {
  /** Handed over, and not yet forgotten: while Redis is away they are not sent again. */
  let settled: OwedReport[] = []
  let sweeping: Promise<number> | undefined

  async function forget(): Promise<void> {
    await store.reported(settled)
    settled = []
  }

  async function sweepAll(): Promise<number> {
    let given = 0
    await forget()
    while (outlet.online) {
      const owed = await store.owedReports(BATCH)
      const isGiven = await Promise.all(owed.map(give))
      settled = owed.filter((_, at) => isGiven[at])
      const count = settled.length
      await forget()
      given += count
      if (count < BATCH) break
    }
    return given
  }

  /** False: it stays owed. */
  async function give(owed: OwedReport): Promise<boolean> {
    const trace = await store.trace(owed.envelopeId)
    if (!trace) {
      log('warn', 'report-lost', { id: owed.envelopeId, reason: 'nothing is known of the document any more' })
      return true
    }
    // Reopened in this moment: the next end owes another one.
    if (trace.state === 'waiting') return false
    const outcome = await outlet.report({ id: reportId(owed), to: trace.origin.from, standing: standingOf(trace) })
    if (outcome === 'lost') return false
    if (outcome === 'unsendable') log('warn', 'report-lost', { id: owed.envelopeId, reason: 'it can not be written' })
    metrics.report(outcome)
    return true
  }

  return {
    sweep() {
      sweeping ??= sweepAll().finally(() => {
        sweeping = undefined
      })
      return sweeping
    },

    async bounced(id, from) {
      const trace = await store.trace(reportedEnvelope(id) ?? '')
      if (!trace || bareJid(trace.origin.from) !== bareJid(from)) {
        log('debug', 'bounce-ignored', { id, from })
        return
      }
      log('warn', 'report-bounced', { id, from })
      metrics.report('bounced')
    },
  }
}

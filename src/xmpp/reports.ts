import { escapeAttribute, isXmlText } from '../domain/serialise.ts'
import type { Report, ReportOutlet } from '../flow/ports.ts'
import type { Connection } from './connection.ts'
import { HINTS, STANZA_IDS, WAYBILL } from './namespaces.ts'
import { createProof } from './proof.ts'
import { countAttributes, reasonElements } from './questions.ts'
import { attribute } from './replies.ts'

const PROOF_TIMEOUT_MS = 30_000

/** Writes reports to senders; `host` is the server that is asked for the hand-over proof. */
export function createReportOutlet(
  connection: Pick<Connection, 'domain' | 'online' | 'stream' | 'request' | 'write'>,
  host: string,
): ReportOutlet {
  const prove = createProof(connection, host, PROOF_TIMEOUT_MS)
  return {
    async report(report) {
      if (!isXmlText(report.to)) return 'unsendable'
      if (!connection.write(reportMessage(report, connection.domain))) return 'lost'
      return (await prove()) === 'handed-over' ? 'handed-over' : 'lost'
    },
    get online() {
      return connection.online
    },
  }
}

/** docs/protocol.md 1.7: counts and reasons, no destinations. */
function reportMessage({ id, to, standing }: Report, from: string): string {
  const { type, receivedAtMs, reasons } = standing
  const names = `id="${standing.id}" type="${attribute(type)}" received="${new Date(receivedAtMs).toISOString()}"`
  return (
    `<message id="${id}" from="${from}" to="${escapeAttribute(to)}">` +
    `<report xmlns="${WAYBILL}" ${names}${countAttributes(standing)}>${reasonElements(reasons)}</report>` +
    `<origin-id xmlns="${STANZA_IDS}" id="${id}"/>` +
    // XEP-0334 4.4: without a body nobody would keep it.
    `<store xmlns="${HINTS}"/></message>`
  )
}

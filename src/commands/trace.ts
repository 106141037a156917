import { describeOpen } from '../domain/breaker.ts'
import type { Holding } from '../domain/held.ts'
import type { EnvelopeTrace } from '../flow/ports.ts'
import { formatFinding } from './finding-line.ts'
import { CommandFailed, type ExitCode, formatTime, type Output, printJson } from './output.ts'
import { settingsOf } from './settings-of.ts'
import { withStore } from './with-store.ts'

/** Everything that happened to a document: takes an envelope id or a delivery id. */
export async function trace(folder: string, id: string, output: Output): Promise<ExitCode> {
  const settings = await settingsOf(folder, output)
  const seen = await withStore(settings, (store) => store.trace(id.split('.')[0]!))
  if (!seen)
    throw new CommandFailed(1, `Cannot trace ${id}: nothing is known of it (it may be older than the retention)`)
  if (output.format === 'json') printJson(output, seen)
  else output.print(describeTrace(seen))
  return 0
}

export function describeTrace(seen: EnvelopeTrace): string {
  const { origin } = seen
  const lines = [
    `${seen.id}  ${seen.state}${seen.reason ? `: ${seen.reason}` : ''}`,
    `  ${typeOf(seen)}, ${seen.rootName || seen.mediaType}, ${seen.bytes} bytes, ${seen.form}`,
    `  ${formatTime(seen.receivedAtMs)}  received from ${origin.from} by ${origin.stanza}${origin.stanzaId ? ` ${origin.stanzaId}` : ''}`,
  ]
  const fields = Object.entries(seen.fields).map(([name, values]) => `${name}=${values.map(String).join(',')}`)
  if (fields.length > 0) lines.push(`  fields ${fields.join(' ')}`)
  if (seen.again) lines.push(`  sent again by ${seen.again.by}: ${seen.again.reason}; it repeats ${seen.again.of}`)
  if (seen.marked) lines.push(...describeFindings('invalid, and marked', seen.marked))
  if (seen.holding) lines.push(...describeHolding(seen.holding))
  for (const delivery of seen.deliveries) {
    const due = delivery.dueAtMs === undefined ? '' : `, due ${formatTime(delivery.dueAtMs)}`
    const expiry = delivery.expiresAtMs === undefined ? '' : `, expires ${formatTime(delivery.expiresAtMs)}`
    lines.push('', `${delivery.id}  ${delivery.state}${delivery.reason ? `: ${delivery.reason}` : ''}${due}${expiry}`)
    lines.push(`  to ${delivery.destination} by route ${delivery.route}`)
    if (delivery.document)
      lines.push(`  with another document: ${delivery.document.bytes} bytes, SHA-256 ${delivery.document.digest}`)
    if (delivery.isSuspect)
      lines.push('  goes alone: the stream was closed, or the process died, three times while it was under way')
    if (delivery.behind) lines.push(`  waits behind ${delivery.behind}${between(delivery.ahead! - 1)}`)
    if (delivery.asked)
      lines.push(`  will be ${ended(delivery.asked.state)} with the attempt's end: ${delivery.asked.reason}`)
    if (delivery.open) lines.push(`  waits for its destination, which is ${describeOpen(delivery.open)}`)
    for (const { atMs, tookMs, result, text } of delivery.attempts) {
      lines.push(
        `  ${formatTime(atMs)}  ${result}${tookMs === undefined ? '' : ` after ${tookMs} ms`}${text ? `: ${text}` : ''}`,
      )
    }
  }
  return lines.join('\n')
}

/** `invoice`, or with the version that it was taken as `invoice 2.1`. */
function typeOf({ type, version }: EnvelopeTrace): string {
  return version === undefined ? type : `${type} ${version}`
}

function describeFindings(why: string, { findings, total }: Holding): readonly string[] {
  const more = total - findings.length
  return [
    `  ${why}: ${total} finding${total === 1 ? '' : 's'}`,
    ...findings.map((finding) => `    ${formatFinding(finding)}`),
    ...(more > 0 ? [`    and ${more} more`] : []),
  ]
}

function describeHolding(holding: Holding): readonly string[] {
  const { ended } = holding
  return [
    ...describeFindings('held as invalid', holding),
    ...(ended ? [`  ${formatTime(ended.atMs)}  ${ended.how} by ${ended.by}: ${ended.reason}`] : []),
  ]
}

function between(count: number): string {
  if (count === 0) return ''
  return count === 1 ? ' and another one' : ` and ${count} others`
}

function ended(state: 'dropped' | 'dead'): string {
  return state === 'dead' ? 'a dead letter' : state
}

import { destinationName } from '../domain/delivery.ts'
import type { DocumentType } from '../domain/document-type.ts'
import type { Decision, RouteExplanation } from '../matching/matcher.ts'
import { assembled } from './assembled.ts'
import { formatFinding } from './finding-line.ts'
import { type ExitCode, formatTable, type Output, printJson } from './output.ts'
import { type Examined, examine, readDocument } from './subject.ts'

export interface ExplainOptions {
  readonly from: string
  /** Undefined: by the file's ending, or by what the document begins with. */
  readonly mediaType?: string
}

/** What would happen to a document from that sender, and why; with no effect. 1 where it would be rejected or held. */
export async function explain(
  folder: string,
  file: string,
  { from, mediaType }: ExplainOptions,
  output: Output,
): Promise<ExitCode> {
  const assembly = await assembled(folder, output)
  const examined = examine(await readDocument(file), file, from, assembly, mediaType)
  if (output.format === 'json') printJson(output, summary(examined))
  else output.print(describe(examined))
  assembly.documents.dispose()
  return examined.rejection || examined.isHeld ? 1 : 0
}

function summary({ document, type, rejection, isHeld, findings, fields, explanation }: Examined): unknown {
  return {
    type: type?.name ?? null,
    version: type?.version || null,
    deprecated: type?.deprecated ?? null,
    rootName: document?.rootName ?? null,
    mediaType: document?.mediaType ?? null,
    rejection: rejection ? { reason: rejection.kind, text: rejection.text } : null,
    held: isHeld,
    findings,
    fields,
    routes: explanation?.routes ?? [],
    deliveries:
      explanation?.decision.deliveries.map(({ destination, route }) => ({
        destination: destinationName(destination),
        route,
      })) ?? [],
    refused: explanation?.decision.refused ?? [],
  }
}

function describe(examined: Examined): string {
  const { document, type, rejection, isHeld, findings, fields, explanation } = examined
  const lines: string[] = []
  if (document) lines.push(`document  ${document.rootName || document.mediaType}, ${document.bytes} bytes`)
  lines.push(`type      ${type?.name ?? '(none)'}`)
  if (type && type.version !== '') lines.push(`version   ${type.version}${noticeOf(type)}`)
  if (rejection) lines.push(`rejected  ${rejection.kind}: ${rejection.text}`)
  if (isHeld) lines.push('held      it is invalid: an operator would release or refuse it')
  if (findings.length > 0) lines.push('', 'findings', ...findings.map((finding) => `  ${formatFinding(finding)}`))
  const named = Object.entries(fields)
  if (named.length > 0)
    lines.push(
      '',
      'fields',
      ...named.map(
        ([name, values]) => `  ${name} = ${values.length === 0 ? '(absent)' : values.map(String).join(', ')}`,
      ),
    )
  if (!explanation) return lines.join('\n')
  const routes = explanation.routes.map((route) => ({ route: route.route, outcome: route.outcome, why: why(route) }))
  lines.push('', routes.length === 0 ? 'no routes' : formatTable(routes))
  const { deliveries, refused } = explanation.decision
  lines.push('', outcomeOf(explanation.decision))
  lines.push(...deliveries.map(({ destination, route }) => `  ${destinationName(destination)}  (${route})`))
  lines.push(
    ...refused.map(({ route, destination, reason }) => `  refused: ${destination} of route ${route}: ${reason}`),
  )
  return lines.join('\n')
}

function noticeOf({ deprecated }: DocumentType): string {
  return deprecated === undefined ? '' : `, deprecated: ${deprecated}`
}

function outcomeOf({ deliveries, impossible }: Decision): string {
  if (deliveries.length > 0) return 'delivers to'
  // A route has matched: what it asks for is kept, delivery by delivery.
  if (impossible.length > 0) return 'delivers to nobody: each refused address would become a dead letter'
  return 'no route: it would become a dead letter'
}

function why({ held, failed, notAsked }: RouteExplanation): string {
  if (failed) return failed.message
  if (notAsked) return notAsked.because === 'stop' ? `route ${notAsked.by} has stop` : `route ${notAsked.by} matched`
  return held.map(({ condition, found }) => `${condition}: ${found}`).join('; ')
}

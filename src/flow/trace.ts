import type { DocumentType } from '../domain/document-type.ts'
import { attributeOf, childNamed, type Element, element } from '../domain/element.ts'
import type { Fields } from '../domain/fields.ts'
import type { Finding, Rejection } from '../domain/rejection.ts'
import type { Decision, Explanation } from '../matching/matcher.ts'
import { checkDocumentApart, refuseSender } from './check.ts'
import type { Ruling } from './intake.ts'
import type { InboundStanza } from './ports.ts'

/** What would become of a document. */
export type Trace = TraceVerdict & {
  /** Of which version of its type it is; left out where that has none, or isn't known. */
  readonly version?: string
}

type TraceVerdict =
  | { readonly verdict: 'rejected'; readonly type: string | undefined; readonly rejection: Rejection }
  | { readonly verdict: 'held'; readonly type: string; readonly findings: readonly Finding[] }
  | {
      /** `no-route`: it would be accepted, and be a dead letter at once. */
      readonly verdict: 'accepted' | 'no-route'
      readonly type: string
      readonly findings: readonly Finding[]
      readonly fields: Fields
      readonly decision: Decision
      /** The same decision with its reasons; undefined where it was not asked for. */
      readonly explanation: Explanation | undefined
    }

const WAYBILL = 'urn:waybill:0'
/** More than an answer has room for. */
const ROUTES_MOST = 600

/**
 * Takes the document in `<trace/>` through the steps of intake up to the decision, as if it came from `from`. No effects: nothing
 * is queued, published or counted. What depends on the moment (rates, how much waits, duplicates) is left out.
 *
 * @param full With the reasons of routes, first of those that match.
 */
export async function traceDocument(
  stanza: InboundStanza,
  from: string,
  ruling: Ruling,
  full: boolean,
): Promise<Trace> {
  const refused = refuseSender(from, ruling)
  if (refused) return { verdict: 'rejected', type: undefined, rejection: refused }
  const extraction = ruling.documents.extract({ ...stanza, from, element: asSubmission(stanza.element) })
  if (extraction.kind === 'rejected') return { verdict: 'rejected', type: undefined, rejection: extraction.rejection }
  if (extraction.kind === 'ignored') throw new Error('Cannot trace: an iq is never ignored')
  const { document, origin, submit } = extraction.submissions[0]!
  const checked = await checkDocumentApart(document, origin, submit, ruling)
  if (checked.kind === 'rejected') {
    return { verdict: 'rejected', type: checked.type?.name, ...versionOf(checked.type), rejection: checked.rejection }
  }
  const { subject, findings } = checked
  const names = { type: subject.type, ...versionOf(checked.type) }
  if (checked.kind === 'held') return { verdict: 'held', ...names, findings }
  const explanation = full ? ruling.matcher.explain(subject, ROUTES_MOST) : undefined
  const decision = explanation?.decision ?? ruling.matcher.match(subject)
  const { deliveries, impossible } = decision
  const verdict = deliveries.length + impossible.length === 0 ? 'no-route' : 'accepted'
  return { verdict, ...names, findings, fields: subject.fields, decision, explanation }
}

function versionOf(type: DocumentType | undefined): Pick<Trace, 'version'> {
  return type === undefined || type.version === '' ? {} : { version: type.version }
}

/** `<trace>` read as `<submit>`: both wrap one document, and a wrapper's namespaces count for what is in it. */
function asSubmission(iq: Element): Element {
  const wrapper = childNamed(iq, 'trace', WAYBILL)
  if (!wrapper) throw new Error('Cannot trace: the iq has no <trace/>')
  const version = attributeOf(wrapper, 'version')
  const attributes = version === undefined ? {} : { version }
  const submit = { ...element('submit', WAYBILL, attributes, wrapper.children), namespaces: wrapper.namespaces }
  return { ...iq, children: [{ ...submit, prefix: wrapper.prefix }] }
}

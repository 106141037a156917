import { parseJid } from '../domain/jid.ts'
import type { DestinationTemplate } from '../domain/route.ts'
import { compileDestination } from '../matching/destination.ts'
import type { Route as Written } from './kinds.ts'
import { didYouMean } from './nearest.ts'
import type { Complain } from './problem.ts'
import { parseTimespan } from './timespan.ts'

type WrittenDestination = Written['deliver'][number]

/** One entry of `deliver`, with what is wrong with it by itself complained of. */
export function readDestination(
  written: WrittenDestination,
  at: number,
  policies: ReadonlySet<string>,
  complain: Complain,
): DestinationTemplate {
  complainOfOptions(written, at, complain)
  if (!policies.has(written.retry)) {
    const message = `Unknown retry policy "${written.retry}"${didYouMean(written.retry, policies)}`
    complain('policy-unknown', ['deliver', at, 'retry'], message)
  }
  const template: DestinationTemplate = {
    target: readTarget(written),
    allow: written.allow,
    // A node's answer is always awaited (XEP-0060 7.1.2).
    confirm: written.pubsub === undefined ? (written.confirm ?? 'none') : 'iq',
    confirmTimeoutMs: parseTimespan(written.confirmTimeout)!,
    retry: written.retry,
    as: written.as,
    body: written.body,
    create: written.create,
    maxNodes: written.maxNodes,
  }
  complainOfAddress(template, at, complain)
  return template
}

function readTarget({ pubsub, node, jid }: WrittenDestination): DestinationTemplate['target'] {
  if (pubsub !== undefined) return { kind: 'node', service: normal(pubsub), node: node! }
  // Places keep their case; what is filled in is normalised with the rest.
  return { kind: 'jid', jid: jid!.includes('{') ? jid! : normal(jid!) }
}

function normal(text: string): string {
  const jid = parseJid(text)
  if (!jid) return text
  return `${jid.local === '' ? '' : `${jid.local}@`}${jid.domain}${jid.resource === '' ? '' : `/${jid.resource}`}`
}

function complainOfAddress(template: DestinationTemplate, at: number, complain: Complain): void {
  // Warnings come when the routes are compiled as a whole.
  const compiled = compileDestination(template, at, (code, path, message, severity = 'error') => {
    if (severity === 'error') complain(code, path, message)
  })
  if (!compiled || compiled.places.length > 0 || template.allow === undefined) return
  const address = template.target.kind === 'node' ? template.target.node : template.target.jid
  if (new RegExp(`^(?:${template.allow})$`, 'u').test(address)) return
  const message = `allow refuses ${address}, which is the only address that this destination has`
  complain('allow-refuses', ['deliver', at, 'allow'], message)
}

type Option = 'confirm' | 'body' | 'create' | 'maxNodes'

/** Keys that one kind of destination has no use for. */
const unfitForNodes: readonly (readonly [Option, string])[] = [
  ['confirm', "a node's result is always awaited"],
  ['body', 'people read messages, not nodes'],
]
const unfitForJids: readonly (readonly [Option, string])[] = [['create', 'only nodes are created']]

function complainOfOptions(written: WrittenDestination, at: number, complain: Complain): void {
  const isNode = written.pubsub !== undefined
  for (const [key, reason] of isNode ? unfitForNodes : unfitForJids) {
    if (written[key] === undefined) continue
    const message = `${key} doesn't go with a ${isNode ? 'node' : 'JID'}: ${reason}`
    complain('option-unfit', ['deliver', at, key], message, { at: 'key' })
  }
  if (!isNode && written.body !== undefined && written.confirm === 'iq') {
    const message = "body doesn't go with confirm: iq: an iq has no body"
    complain('option-unfit', ['deliver', at, 'body'], message, { at: 'key' })
  }
}

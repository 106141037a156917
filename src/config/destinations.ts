import { parseJid } from '../domain/jid.ts'
import { didYouMean } from '../domain/nearest.ts'
import type { DestinationTemplate } from '../domain/route.ts'
import { compileDestination } from '../matching/destination.ts'
import { nodeOptions } from './kind-schemas.ts'
import type { Destination as WrittenDestination, DestinationGroup as WrittenGroup } from './kinds.ts'
import type { Complain, Path } from './problem.ts'
import type { Thing } from './thing.ts'
import { parseTimespan } from './timespan.ts'

/** What `deliver` can refer to. */
export interface DeliverSurroundings {
  readonly policyNames: ReadonlySet<string>
  /** Groups of destinations that their schema found sound. */
  readonly groups: ReadonlyMap<string, readonly DestinationTemplate[]>
  /** Names of all groups, those with errors too. */
  readonly groupNames: ReadonlySet<string>
}

export interface ReadDeliver {
  readonly templates: readonly DestinationTemplate[]
  /** Where a path into the templates leads in what was written: a template of a group stands at the group's entry. */
  readonly writtenAt: (path: Path) => Path
}

/** The destinations of a route, those of its groups in their place. */
export function readDeliver(
  written: readonly WrittenDestination[],
  { policyNames, groups, groupNames }: DeliverSurroundings,
  complain: Complain,
): ReadDeliver {
  const templates: DestinationTemplate[] = []
  const places: Path[] = []
  for (const [at, entry] of written.entries()) {
    const own =
      entry.group === undefined ? [readDestination(entry, at, policyNames, complain)] : groups.get(entry.group)
    if (entry.group !== undefined && !groupNames.has(entry.group)) {
      const message = `Unknown group of destinations "${entry.group}"${didYouMean(entry.group, groupNames)}`
      complain('group-unknown', ['deliver', at, 'group'], message)
    }
    for (const template of own ?? []) {
      templates.push(template)
      places.push(entry.group === undefined ? ['deliver', at] : ['deliver', at, 'group'])
    }
  }
  const writtenAt = (path: Path): Path => {
    const [key, at, ...below] = path
    if (key !== 'deliver' || typeof at !== 'number') return path
    const place = places[at] ?? ['deliver']
    return place.length > 2 ? place : [...place, ...below]
  }
  return { templates, writtenAt }
}

/** The destinations of a group, with what is wrong with them by themselves complained of. */
export function readGroup(
  { value, complain }: Thing<WrittenGroup>,
  policyNames: ReadonlySet<string>,
): readonly DestinationTemplate[] {
  return value.deliver.map((written, at) => readDestination(written, at, policyNames, complain))
}

/** Options beside `group`, which has its own. Before defaults are filled in: afterwards nobody knows what was written. */
export function complainOfGroupOptions(raw: unknown, complain: Complain): void {
  const { deliver } = raw as { readonly deliver?: unknown }
  if (!Array.isArray(deliver)) return
  for (const [at, entry] of deliver.entries()) {
    if (typeof entry !== 'object' || entry === null || !Object.hasOwn(entry, 'group')) continue
    for (const key of Object.keys(entry)) {
      if (['group', 'pubsub', 'node', 'jid'].includes(key)) continue
      const message = `${key} doesn't go with a group: its destinations have their own options`
      complain('option-unfit', ['deliver', at, key], message, { at: 'key' })
    }
  }
}

/** One entry of `deliver`, with what is wrong with it by itself complained of. */
function readDestination(
  written: WrittenDestination,
  at: number,
  policies: ReadonlySet<string>,
  complain: Complain,
): DestinationTemplate {
  complainOfOptions(written, at, complain)
  complainOfNodeOptions(written.create, at, complain)
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

/** Services pass over what they don't know: a slip of the pen would leave the node as it is by default. */
function complainOfNodeOptions(create: WrittenDestination['create'], at: number, complain: Complain): void {
  if (create === undefined) return
  const known = nodeOptions()
  for (const name of Object.keys(create)) {
    if (known.includes(name)) continue
    const guess = didYouMean(name, known)
    const message =
      guess === ''
        ? `Node option "${name}" is none of XEP-0060: a service that has no such option of its own passes over it`
        : `Unknown node option "${name}"${guess}`
    const severity = guess === '' ? 'warning' : 'error'
    complain('node-option-unknown', ['deliver', at, 'create', name], message, { severity, at: 'key' })
  }
}

import { destinationName } from '../domain/delivery.ts'
import { typeKey } from '../domain/document-type.ts'
import { OPAQUE_TYPE } from '../domain/envelope.ts'
import { inWords } from './check.ts'
import { envelopeIdAt } from './ids.ts'
import type { Ruling } from './intake.ts'
import type { OperationNeeds } from './operations.ts'
import type { Archive, ArchivedDocument, Clock, Store } from './ports.ts'

export interface AgainNeeds extends Pick<OperationNeeds, 'rehydrate'> {
  /** What is in force now: what is sent again is checked and matched by it. */
  readonly ruling: Ruling
  readonly store: Archive & Pick<Store, 'accept'>
  readonly now: Clock
}

export interface AgainOrder {
  readonly by: string
  readonly reason: string
  /** Says what would be done, and does nothing. */
  readonly dryRun?: boolean
}

export type AgainResult =
  /** `id` is that of the new envelope; '' for a dry run. */
  | { readonly kind: 'done'; readonly id: string; readonly to: readonly string[] }
  | { readonly kind: 'refused'; readonly reason: string }

/**
 * Sends a document of the archive once more: checked and matched by the configuration of now, and accepted as a document of its own,
 * which says what it repeats, by whom and why. Neither duplicates nor keys are looked at, and nobody asked for a report of it.
 */
export async function sendAgain(
  id: string,
  { by, reason, dryRun }: AgainOrder,
  needs: AgainNeeds,
): Promise<AgainResult> {
  const { store, ruling, rehydrate, now } = needs
  const kept = await store.archivedDocument(id)
  if (!kept) return refused('is not in the archive')
  const read = rehydrate(kept.form, kept.mediaType, kept.datatype, kept.payload)
  const document = kept.contentType === undefined ? read : { ...read, contentType: kept.contentType }
  const checked = check(kept, document, ruling)
  if (typeof checked === 'string') return refused(checked)
  const { fields, version, key } = checked
  const origin = { ...kept.origin, stanzaId: '', item: '' }
  const { content, mediaType } = document
  const decision = ruling.matcher.match({ type: kept.type, typeKey: key, origin, mediaType, fields, content })
  const to = decision.deliveries.map(({ destination }) => destinationName(destination))
  if (to.length === 0)
    return refused(decision.impossible.length > 0 ? 'makes no address that may be used' : 'matches no route')
  if (dryRun) return { kind: 'done', id: '', to }
  const receivedAtMs = now()
  const versioned = version === '' ? {} : { version }
  const again = { of: id, by, reason }
  const envelope = { id: envelopeIdAt(receivedAtMs), document, origin, type: kept.type, ...versioned, fields, again }
  const deliveries = [...decision.deliveries, ...decision.impossible]
  const [answer] = await store.accept([{ envelope: { ...envelope, receivedAtMs, submit: {} }, deliveries }])
  if (answer?.kind !== 'accepted') return refused(`can not be taken now: ${answer?.kind}`)
  return { kind: 'done', id: answer.id, to }
}

const refused = (reason: string): AgainResult => ({ kind: 'refused', reason })

function check(
  kept: ArchivedDocument,
  document: Parameters<AgainNeeds['ruling']['documents']['identify']>[0],
  { documents }: AgainNeeds['ruling'],
): { readonly fields: ArchivedDocument['fields']; readonly version: string; readonly key: string } | string {
  if (kept.type === OPAQUE_TYPE) return { fields: {}, version: '', key: OPAQUE_TYPE }
  const identified = documents.identify(document, kept.submit.version)
  if (identified.kind !== 'type' || identified.type.name !== kept.type) {
    return `is no document of type ${kept.type} by the configuration of now`
  }
  const { findings, fields } = documents.validate(document, identified.type)
  const errors = findings.filter(({ severity }) => severity === 'error').length
  if (errors > 0) return `is not a valid ${kept.type} by the configuration of now: ${inWords(errors)}`
  return { fields, version: identified.type.version, key: typeKey(identified.type) }
}

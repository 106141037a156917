import { readFile } from 'node:fs/promises'
import type { Assembly } from '../assemble.ts'
import { type DocumentParse, parseDocumentFile, rehydrate } from '../documents/documents.ts'
import type { Document, Origin, SubmitOptions } from '../domain/document.ts'
import type { DocumentType } from '../domain/document-type.ts'
import { normaliseJid } from '../domain/jid.ts'
import type { Finding, Rejection } from '../domain/rejection.ts'
import { checkDocument, refuseSender } from '../flow/check.ts'
import type { ArchivedDocument } from '../flow/ports.ts'
import type { Explanation } from '../matching/matcher.ts'
import { cannot } from './cannot.ts'
import { CommandFailed } from './output.ts'

/** A document file as if it had been sent: what `explain` and `test` look at. */
export interface Examined {
  readonly document: Document | undefined
  readonly type: DocumentType | undefined
  readonly rejection: Rejection | undefined
  /** Invalid, and it would be held. */
  readonly isHeld: boolean
  readonly findings: readonly Finding[]
  readonly fields: Readonly<Record<string, readonly unknown[]>>
  /** Undefined where the document would be rejected, or held, before it is matched. */
  readonly explanation: Explanation | undefined
}

export async function readDocument(file: string): Promise<Uint8Array> {
  return readFile(file).catch(cannot('read', file))
}

/**
 * Takes the document through the same steps as a stanza, up to the decision, with no effect.
 *
 * @param mediaType Where it isn't told by the file's ending or by what the document begins with.
 */
export function examine(
  bytes: Uint8Array,
  file: string,
  from: string,
  assembly: Assembly,
  mediaType?: string,
): Examined {
  const sender = normaliseJid(from)
  if (sender === undefined) throw new CommandFailed(2, `Cannot explain: ${from} is not a JID`)
  const { limits, xmpp } = assembly.configuration.settings
  const parse = () => parseDocumentFile(bytes, file, limits, mediaType)
  return examineAs(parse, originOf(sender, xmpp.domain), {}, assembly)
}

/** A document that was accepted, as if it came once more: in its own form, from where it came and to where it was sent. */
export function examineAgain(kept: ArchivedDocument & { readonly payload: Uint8Array }, assembly: Assembly): Examined {
  const { payload, form, mediaType, datatype, origin, submit } = kept
  const parse = (): DocumentParse => {
    // The limits of this configuration may be others than those that it was accepted by.
    const within = parseDocumentFile(payload, '', assembly.configuration.settings.limits, mediaType)
    if (within.kind === 'rejected') return within
    return { kind: 'document', document: rehydrate(form, mediaType, datatype, payload) }
  }
  return examineAs(parse, origin, submit, assembly)
}

function examineAs(
  parse: () => DocumentParse,
  origin: Origin,
  submit: Pick<SubmitOptions, 'version'>,
  { ruling }: Assembly,
): Examined {
  const nothing = {
    document: undefined,
    type: undefined,
    isHeld: false,
    findings: [],
    fields: {},
    explanation: undefined,
  }
  const refused = refuseSender(origin.from, ruling)
  if (refused) return { ...nothing, rejection: refused }
  const parsed = parse()
  if (parsed.kind === 'rejected')
    return { ...nothing, rejection: parsed.rejection, findings: parsed.rejection.findings }
  const { document } = parsed
  const checked = checkDocument(document, origin, submit, ruling)
  const { type } = checked
  if (checked.kind === 'rejected') {
    return { ...nothing, document, type, findings: checked.rejection.findings, rejection: checked.rejection }
  }
  const { findings, subject } = checked
  if (checked.kind === 'held') {
    const { fields } = subject
    return { document, type, rejection: undefined, isHeld: true, findings, fields, explanation: undefined }
  }
  const explanation = ruling.matcher.explain(subject)
  return { document, type, rejection: undefined, isHeld: false, findings, fields: subject.fields, explanation }
}

function originOf(from: string, to: string): Origin {
  return { from, to, stanza: 'iq', stanzaId: '', node: '', item: '', headers: {}, hops: 0 }
}

/** By the file's ending; `application/octet-stream` where it says nothing. */
export function mediaTypeOf(file: string): string {
  if (/\.(xml|xsd|rng|atom|ubl)$/i.test(file)) return 'application/xml'
  if (/\.json$/i.test(file)) return 'application/json'
  return 'application/octet-stream'
}

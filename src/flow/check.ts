import type { Document, Origin, SubmitOptions } from '../domain/document.ts'
import { type DocumentType, typeKey } from '../domain/document-type.ts'
import { OPAQUE_TYPE } from '../domain/envelope.ts'
import { bareJid } from '../domain/jid.ts'
import { type Finding, type Rejection, reject } from '../domain/rejection.ts'
import type { Subject } from '../matching/subject.ts'
import type { Checkers, Documents, InboundStanza, Validation } from './ports.ts'
import type { SenderRule } from './senders.ts'

/** What a document is checked by. */
export interface CheckRules {
  readonly documents: Documents
  /** Undefined: everything is validated at once. */
  readonly checkers?: Checkers | undefined
  /** Who may send at all. */
  readonly senders: SenderRule
  /** Rules of the types that narrow the installation's own, by their keys. */
  readonly typeSenders: ReadonlyMap<string, SenderRule>
  /** How much goes by them at this moment; left out where they are never freed. */
  readonly uses?: { count: number }
}

/** Goes by the rules for as long as the work takes: what they are made of isn't freed meanwhile. */
export async function goingBy<T>({ uses }: Pick<CheckRules, 'uses'>, work: () => Promise<T>): Promise<T> {
  if (!uses) return work()
  uses.count += 1
  try {
    return await work()
  } finally {
    uses.count -= 1
  }
}

export type DocumentCheck =
  | {
      readonly kind: 'passed'
      /** Undefined: opaque content that no type claims. */
      readonly type: DocumentType | undefined
      /** Warnings; errors as well, where the document is invalid and its type or layer says that it goes on. */
      readonly findings: readonly Finding[]
      /** What routes are asked about. */
      readonly subject: Subject
    }
  | {
      /** Invalid, and to be held. */
      readonly kind: 'held'
      readonly type: DocumentType
      readonly findings: readonly Finding[]
      readonly subject: Subject
    }
  | {
      readonly kind: 'rejected'
      /** Undefined where it was rejected before its type was known. */
      readonly type: DocumentType | undefined
      readonly rejection: Rejection
    }

/**
 * The one check that every document passes, whether it is taken in, traced or explained: type, senders of the type, schema,
 * fields. No effects.
 *
 * @param submit What the sender asked for: of which version it says that the document is.
 */
export function checkDocument(
  document: Document,
  origin: Origin,
  submit: Pick<SubmitOptions, 'version'>,
  rules: CheckRules,
): DocumentCheck {
  const recognised = recognise(document, origin, submit, rules)
  if (recognised.kind !== 'typed') return recognised
  return judge(document, origin, recognised.type, rules.documents.validate(document, recognised.type))
}

/** The same, with what would keep others waiting validated apart from them: then it gives a promise. */
export function checkDocumentApart(
  document: Document,
  origin: Origin,
  submit: Pick<SubmitOptions, 'version'>,
  rules: CheckRules,
): DocumentCheck | Promise<DocumentCheck> {
  const recognised = recognise(document, origin, submit, rules)
  if (recognised.kind !== 'typed') return recognised
  const { type } = recognised
  const apart = rules.checkers?.validate(document, type, bareJid(origin.from))
  if (!apart) return judge(document, origin, type, rules.documents.validate(document, type))
  return apart.then((checked) =>
    checked.kind === 'rejected' ? rejected(checked.rejection, type) : judge(document, origin, type, checked.validation),
  )
}

/** Of which type it is, where its sender may send that; what needs no schema is checked then. */
function recognise(
  document: Document,
  origin: Origin,
  submit: Pick<SubmitOptions, 'version'>,
  rules: CheckRules,
): { readonly kind: 'typed'; readonly type: DocumentType } | DocumentCheck {
  const identification = rules.documents.identify(document, submit.version)
  if (identification.kind === 'rejected') return rejected(identification.rejection)
  if (identification.kind === 'type') {
    const { type } = identification
    if (rules.typeSenders.get(typeKey(type))?.(origin.from) !== false) return { kind: 'typed', type }
    return rejected(notAllowed(notOfTypes(origin.from, [type])), type)
  }
  const { mediaType, content } = document
  const subject: Subject = {
    ...{ type: OPAQUE_TYPE, typeKey: OPAQUE_TYPE, fields: {} },
    ...{ origin, mediaType, content },
  }
  return { kind: 'passed', type: undefined, findings: [], subject }
}

function judge(
  { mediaType, content }: Document,
  origin: Origin,
  type: DocumentType,
  { findings, fields, onInvalid = type.onInvalid }: Validation,
): DocumentCheck {
  const errors = findings.filter((finding) => finding.severity === 'error').length
  const subject: Subject = { type: type.name, typeKey: typeKey(type), origin, mediaType, fields, content }
  if (errors === 0) return { kind: 'passed', type, findings, subject }
  switch (onInvalid) {
    case 'reject':
      return rejected(invalid(type, errors, findings), type)
    case 'quarantine':
      return { kind: 'held', type, findings, subject }
    case 'mark':
      return { kind: 'passed', type, findings, subject: { ...subject, valid: false } }
  }
}

/** Why a sender may send nothing at all, or undefined. */
export function refuseSender(from: string, { senders }: Pick<CheckRules, 'senders'>): Rejection | undefined {
  return senders(from) ? undefined : notAllowed(`${from} may not send documents here`)
}

/** Why a sender may send nothing of what the stanza holds by the names of its elements, or undefined; asked before anything is parsed. */
export function refuseRoots(
  stanza: InboundStanza,
  { documents, typeSenders }: Pick<CheckRules, 'documents' | 'typeSenders'>,
): Rejection | undefined {
  if (typeSenders.size === 0) return undefined
  const mayNot = (type: DocumentType) => typeSenders.get(typeKey(type))?.(stanza.from) === false
  const refused = documents.typesByRoots(stanza).find((types) => types.every(mayNot))
  return refused && notAllowed(notOfTypes(stanza.from, refused))
}

function notOfTypes(from: string, types: readonly DocumentType[]): string {
  const names = [...new Set(types.map(({ name }) => name))]
  return `${from} may not send documents of type ${names.join(' or ')}`
}

export function notAllowed(text: string): Rejection {
  return reject('not-allowed', text)
}

function rejected(rejection: Rejection, type?: DocumentType): DocumentCheck {
  return { kind: 'rejected', type, rejection }
}

/** So many findings. */
export function inWords(findings: number): string {
  return `${findings} finding${findings === 1 ? '' : 's'}`
}

function invalid(type: DocumentType, errors: number, findings: readonly Finding[]): Rejection {
  const text = `The document is not a valid ${type.name}: ${inWords(errors)}`
  return reject('invalid', text, findings)
}

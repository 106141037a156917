import type { FieldScalar } from '../../domain/fields.ts'
import { type Jid, splitJid } from '../../domain/jid.ts'
import type { Subject } from '../subject.ts'
import { createOperand, type Operand } from './operands.ts'

/** What is known of a document beside its tree, each as an operand like a path: made when a condition first asks for it. */
export interface Sources {
  type(): Operand
  version(): Operand
  stanza(): Operand
  node(): Operand
  mediaType(): Operand
  /** `xml`, `json` or `opaque`. */
  content(): Operand
  header(name: string): Operand
  field(name: string): Operand
  jid(name: 'from' | 'to', part: JidPart): Operand
  /** Tells the values of all operands that there are. */
  read(subject: Subject, tell: (operand: Operand, values: readonly FieldScalar[]) => void): void
}

/** `userDomain` is the domain of a JID with a localpart. */
export type JidPart = 'whole' | 'bare' | 'local' | 'domain' | 'userDomain'

type Single = 'type' | 'version' | 'stanza' | 'node' | 'mediaType' | 'content'

export function createSources(operands: Operand[]): Sources {
  const singles = new Map<Single, Operand>()
  const headers = new Map<string, Operand>()
  const fields = new Map<string, Operand>()
  const jids = { from: new Map<JidPart, Operand>(), to: new Map<JidPart, Operand>() }

  function operandIn<Key>(known: Map<Key, Operand>, key: Key): Operand {
    const operand = known.get(key)
    if (operand) return operand
    const made = createOperand(operands.length, 'value')
    operands.push(made)
    known.set(key, made)
    return made
  }

  return {
    type: () => operandIn(singles, 'type'),
    version: () => operandIn(singles, 'version'),
    stanza: () => operandIn(singles, 'stanza'),
    node: () => operandIn(singles, 'node'),
    mediaType: () => operandIn(singles, 'mediaType'),
    content: () => operandIn(singles, 'content'),
    header: (name) => operandIn(headers, name),
    field: (name) => operandIn(fields, name),
    jid: (name, part) => operandIn(jids[name], part),
    read(subject, tell) {
      for (const [name, operand] of singles) tell(operand, singleOf(subject, name))
      for (const [name, operand] of headers) {
        const { headers: given } = subject.origin
        if (Object.hasOwn(given, name)) tell(operand, [given[name]!])
      }
      for (const name in subject.fields) {
        const operand = fields.get(name)
        if (operand && Object.hasOwn(subject.fields, name)) tell(operand, subject.fields[name] ?? [])
      }
      for (const name of ['from', 'to'] as const) {
        if (jids[name].size === 0) continue
        const whole = subject.origin[name]
        const jid = splitJid(whole)
        for (const [part, operand] of jids[name]) tell(operand, partOf(part, whole, jid))
      }
    },
  }
}

/** The node and the media type may be absent. */
function singleOf(subject: Subject, name: Single): readonly string[] {
  switch (name) {
    case 'type':
      return [subject.type]
    case 'version':
      return [subject.typeKey]
    case 'stanza':
      return [subject.origin.stanza]
    case 'content':
      return [subject.content.kind]
    case 'node':
      return subject.origin.node === '' ? [] : [subject.origin.node]
    case 'mediaType':
      return subject.mediaType === '' ? [] : [subject.mediaType]
  }
}

function partOf(part: JidPart, whole: string, { local, domain }: Jid): readonly string[] {
  switch (part) {
    case 'whole':
      return [whole]
    case 'bare':
      return [local === '' ? domain : `${local}@${domain}`]
    case 'local':
      return [local]
    case 'domain':
      return [domain]
    case 'userDomain':
      return local === '' ? [] : [domain]
  }
}

import { type Attribute, type Element, isElement } from '../domain/element.ts'
import type { Finding } from '../domain/rejection.ts'
import { nameOf } from './node-path.ts'
import { shown } from './shown.ts'

const FINDINGS_AT_MOST = 1_000
const INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance'

/** What to do about it. Prosody drops declarations that only content uses; sealed documents pass as they are. */
export const SEND_SEALED =
  'servers drop declarations that look unused from documents sent as elements; send this document sealed (XEP-0231 <data/>)'

/**
 * `xsi:type` whose prefix is bound to nothing where it stands: a name in content that lost its binding on the way
 * (docs/protocol.md 1.2). Other names in content can't be told from text without a schema.
 */
export function lostBindings(root: Element, namespaces: Readonly<Record<string, string>>): readonly Finding[] {
  // Few documents have any.
  if (!hasTypeName(root)) return []
  const findings: Finding[] = []
  look(root, '', { namespaces, findings, bound: new Map([['xml', 1]]) })
  return findings
}

function hasTypeName({ attributes, children }: Element): boolean {
  return attributes.some(isTypeName) || children.some((child) => isElement(child) && hasTypeName(child))
}

function isTypeName({ name, uri }: Attribute): boolean {
  return name === 'type' && uri === INSTANCE
}

interface Looking {
  readonly namespaces: Readonly<Record<string, string>>
  readonly findings: Finding[]
  /** How many times over prefixes are bound where the walk is. None is taken out: a map finds again what came and went often by passing all of it. */
  readonly bound: Map<string, number>
}

function look(element: Element, above: string, looking: Looking): void {
  const { bound, findings } = looking
  const binding = boundBy(element)
  for (const prefix of binding) bound.set(prefix, (bound.get(prefix) ?? 0) + 1)
  const path = `${above}/${nameOf(element, looking.namespaces)}`
  for (const { value } of element.attributes.filter(isTypeName)) {
    const prefix = /^\s*([^:\s]+):/.exec(value)?.[1]
    const isLost = prefix !== undefined && !bound.get(prefix) && findings.length < FINDINGS_AT_MOST
    if (isLost) findings.push(lost(path, prefix, value))
  }
  for (const child of element.children) if (isElement(child)) look(child, path, looking)
  for (const prefix of binding) bound.set(prefix, bound.get(prefix)! - 1)
}

/** Names carry a binding of their prefix too, where the declaration itself isn't told. */
function boundBy({ namespaces, prefix, attributes }: Element): readonly string[] {
  const used = attributes.filter((attribute) => attribute.prefix !== '').map((attribute) => attribute.prefix)
  return [...Object.keys(namespaces ?? {}), ...(prefix === '' ? [] : [prefix]), ...used]
}

function lost(path: string, prefix: string, value: string): Finding {
  const found = shown(value)
  return {
    layer: 'xml',
    rule: 'unbound-prefix',
    severity: 'error',
    path: `${path}/@xsi:type`,
    message: `The prefix ${shown(prefix)} of the name ${JSON.stringify(found)} is not declared: ${SEND_SEALED}`,
    value: found,
  }
}

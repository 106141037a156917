import { expandedName } from '../../domain/element.ts'
import { ANY_TYPE } from '../xsd/built-in-types.ts'
import { takesNamespace } from '../xsd/children.ts'
import type { ComplexType, ElementDeclaration, Name, Wildcard, XsdSchema } from '../xsd/components.ts'
import { namespaceOfName } from '../xsd/symbols.ts'
import type { Label } from './content.ts'

const ANYTHING: Wildcard = { namespaces: { kind: 'any' }, process: 'skip' }

/** What an element has that a wildcard lets stand unseen: `processContents="skip"`. */
export const SKIPPED_TYPE: ComplexType = {
  ...ANY_TYPE,
  content: {
    kind: 'elements',
    particle: { kind: 'wildcard', wildcard: ANYTHING, min: 0, max: Number.POSITIVE_INFINITY },
  },
  anyAttribute: ANYTHING,
}

const undeclared = { skip: new Map<Name, ElementDeclaration>(), lax: new Map<Name, ElementDeclaration>() }

function undeclaredElement(name: Name, process: 'skip' | 'lax'): ElementDeclaration {
  const known = undeclared[process].get(name)
  if (known) return known
  const type = process === 'skip' ? SKIPPED_TYPE : ANY_TYPE
  const nothing = { default: undefined, fixed: undefined, substitutionGroup: undefined, identities: [] }
  const made = { ...nothing, name, at: '', isGlobal: false, type, nillable: true, abstract: false }
  if (undeclared[process].size > 10_000) undeclared[process].clear()
  undeclared[process].set(name, made)
  return made
}

/** How an element of this name is declared at a place that takes it (XML Schema 1, 3.10.4); undefined where it is refused. */
export function declarationAt(label: Label, name: Name, schema: XsdSchema): ElementDeclaration | 'unknown' | undefined {
  if (label.kind === 'element') return label.declaration
  const { process } = label.wildcard
  if (process === 'skip') return undeclaredElement(name, 'skip')
  const declared = schema.elements.get(name)
  if (declared) return declared.abstract ? undefined : declared
  if (schema.unknownNamespaces.has(namespaceOfName(name))) return 'unknown'
  return process === 'lax' ? undeclaredElement(name, 'lax') : undefined
}

const OTHER_NAMESPACE = 'urn:other'
const OTHER_NAME = 'undeclared'

/** Names that stand for all that no schema declares: one in each namespace that a wildcard or a name tells apart, one in none of them. */
export function undeclaredNames(namespaces: Iterable<string>): readonly Name[] {
  return [...new Set(['', OTHER_NAMESPACE, ...namespaces])].map((namespace) => expandedName(namespace, OTHER_NAME))
}

export function namespacesIn({ namespaces }: Wildcard): readonly string[] {
  switch (namespaces.kind) {
    case 'any':
      return []
    case 'other':
      return [namespaces.than]
    case 'list':
      return namespaces.names
  }
}

export function takes(wildcard: Wildcard, name: Name): boolean {
  return takesNamespace(wildcard, namespaceOfName(name))
}

import type { Attribute } from './element.ts'
import { shared } from './shared-text.ts'

/** Namespaces in XML 1.0 over the names of a text: what prefixes mean where. */

const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace'
const XMLNS_NAMESPACE = 'http://www.w3.org/2000/xmlns/'

export type Declarations = Record<string, string>

/** A name or a declaration that Namespaces in XML 1.0 forbids. */
export class NamespaceFault extends Error {
  override name = 'NamespaceFault'
}

export interface Scope {
  /** Enters an element whose attributes are `raw`: name, value, name, value. Gives its declarations, null for none. */
  enter(raw: readonly string[]): Declarations | null
  leave(): void
  elementName(name: string): { readonly name: string; readonly uri: string; readonly prefix: string }
  /** The attributes that are no declarations. */
  attributes(raw: readonly string[], declarations: Declarations | null): Attribute[]
}

export interface ScopeOptions {
  /**
   * Takes the namespace of XML under any prefix, and as the default one. Namespaces in XML 1.0 (3) keeps it for the prefix xml, but servers
   * that write anew what they pass on do not.
   */
  readonly takesXmlRenamed?: boolean
}

const NO_ATTRIBUTES: Attribute[] = []

export function createScope({ takesXmlRenamed = false }: ScopeOptions = {}): Scope {
  const bound = new Map([
    ['', ''],
    ['xml', XML_NAMESPACE],
  ])
  /** For each element: what its declarations were before, null for none. */
  const shadowed: (Map<string, string | undefined> | null)[] = []

  function uriOf(prefix: string, name: string): string {
    const uri = bound.get(prefix)
    if (uri === undefined) throw new NamespaceFault(`the prefix of ${name} is not declared`)
    return uri
  }

  function attribute(qualified: string, value: string): Attribute {
    const { prefix, name } = partsOf(qualified)
    const uri = prefix === '' ? '' : uriOf(prefix, qualified)
    return { name, uri, prefix, value }
  }

  return {
    enter(raw) {
      const declarations = raw.length === 0 ? null : declarationsIn(raw, takesXmlRenamed)
      if (declarations === null) {
        shadowed.push(null)
        return null
      }
      const before = new Map<string, string | undefined>()
      for (const prefix in declarations) {
        before.set(prefix, bound.get(prefix))
        bound.set(prefix, declarations[prefix]!)
      }
      shadowed.push(before)
      return declarations
    },
    leave() {
      const before = shadowed.pop()
      if (!before) return
      for (const [prefix, uri] of before) {
        if (uri === undefined) bound.delete(prefix)
        else bound.set(prefix, uri)
      }
    },
    elementName(qualified) {
      const { prefix, name } = partsOf(qualified)
      return { name, uri: uriOf(prefix, qualified), prefix }
    },
    attributes(raw, declarations) {
      if (raw.length === 0) return NO_ATTRIBUTES
      if (declarations !== null && raw.length === 2) return NO_ATTRIBUTES
      const attributes: Attribute[] = []
      let prefixed = 0
      for (let at = 0; at < raw.length; at += 2) {
        const qualified = raw[at]!
        if (declarations !== null && isDeclaration(qualified)) continue
        const made = attribute(qualified, raw[at + 1]!)
        attributes.push(made)
        if (made.prefix !== '') prefixed += 1
      }
      if (prefixed > 1) refuseDuplicates(attributes)
      return attributes
    },
  }
}

function isDeclaration(qualified: string): boolean {
  return qualified.startsWith('xmlns') && (qualified.length === 5 || qualified.charCodeAt(5) === 0x3a)
}

function declarationsIn(raw: readonly string[], takesXmlRenamed: boolean): Declarations | null {
  let declarations: Declarations | null = null
  for (let at = 0; at < raw.length; at += 2) {
    const qualified = raw[at]!
    if (!isDeclaration(qualified)) continue
    const prefix = qualified.length === 5 ? '' : partsOf(qualified).name
    const uri = raw[at + 1]!
    refuseReserved(prefix, uri, takesXmlRenamed)
    declarations ??= Object.create(null) as Declarations
    declarations[prefix] = shared(uri)
  }
  return declarations
}

// Namespaces in XML 1.0, 3 and 5.
function refuseReserved(prefix: string, uri: string, takesXmlRenamed: boolean): void {
  if (prefix === 'xmlns' || uri === XMLNS_NAMESPACE) throw new NamespaceFault('the prefix xmlns is declared')
  const isRenamed = uri === XML_NAMESPACE && prefix !== 'xml' && !takesXmlRenamed
  if (isRenamed || (prefix === 'xml' && uri !== XML_NAMESPACE)) {
    throw new NamespaceFault('the prefix xml is declared otherwise')
  }
  if (prefix !== '' && uri === '') throw new NamespaceFault(`the prefix ${prefix} is declared empty`)
}

// Equal names as they are written are the parser's to refuse; different prefixes can still mean the same namespace.
function refuseDuplicates(attributes: readonly Attribute[]): void {
  const seen = new Set<string>()
  for (const { name, uri } of attributes) {
    const expanded = `{${uri}}${name}`
    if (seen.has(expanded)) throw new NamespaceFault(`the attribute ${expanded} is given twice`)
    seen.add(expanded)
  }
}

interface NameParts {
  readonly prefix: string
  readonly name: string
}

const NAME_START =
  /^[A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\u{10000}-\u{effff}]/u

/** Documents repeat their names; what is remembered of them is bounded. */
const known = new Map<string, NameParts>()
const KNOWN_LIMIT = 4_096
const KNOWN_LENGTH = 64

function partsOf(qualified: string): NameParts {
  const found = known.get(qualified)
  if (found !== undefined) return found
  const colon = qualified.indexOf(':')
  if (colon < 0) return remember({ prefix: '', name: qualified }, qualified)
  const parts = { prefix: qualified.slice(0, colon), name: qualified.slice(colon + 1) }
  if (colon === 0 || !NAME_START.test(parts.name) || parts.name.includes(':')) {
    throw new NamespaceFault(`the name ${qualified} is malformed`)
  }
  return remember(parts, qualified)
}

function remember({ prefix, name }: NameParts, qualified: string): NameParts {
  if (qualified.length > KNOWN_LENGTH) return { prefix, name }
  if (known.size >= KNOWN_LIMIT) known.clear()
  const parts = { prefix: shared(prefix), name: shared(name) }
  known.set(shared(qualified), parts)
  return parts
}

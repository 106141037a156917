import type { Element } from '../domain/element.ts'
import { appendElement, appendText, NO_CHILDREN, type OpenElement } from '../domain/open-element.ts'
import { createScope, type Declarations, NamespaceFault } from '../domain/xml-scope.ts'
import { createTokeniser, Malformed } from '../domain/xml-tokeniser.ts'
import type { Limits } from './limits.ts'

/**
 * The element tree of a whole document whose text is plainly well-formed, within the limits, and nothing but elements, attributes and
 * text. Most documents are like that, and this takes a sixth of the time of saxes. Undefined wherever there is anything else: then saxes
 * reads the document from its beginning, and what saxes says is what counts.
 */
export function readPlainXml(text: string, limits: Limits): Element | undefined {
  try {
    return read(text, limits)
  } catch (error) {
    if (error instanceof Malformed || error instanceof NamespaceFault) return undefined
    throw error
  }
}

function read(text: string, limits: Limits): Element | undefined {
  const scope = createScope()
  const open: OpenElement[] = []
  let root: OpenElement | undefined
  const tokeniser = createTokeniser({
    declaration(version) {
      if (version !== '1.0') throw new Malformed(`the version is ${version}`)
    },
    opened(qualified, raw) {
      if (open.length >= limits.depth || isExcessive(qualified, raw, limits))
        throw new Malformed('a limit is overstepped')
      const namespaces = scope.enter(raw)
      if (namespaces !== null) refusePadded(namespaces)
      const { name, uri, prefix } = scope.elementName(qualified)
      const attributes = scope.attributes(raw, namespaces)
      const element: OpenElement = { name, uri, prefix, attributes, namespaces, children: NO_CHILDREN }
      if (root === undefined) root = element
      else appendElement(open[open.length - 1]!, element)
      open.push(element)
    },
    closed() {
      open.pop()
      scope.leave()
    },
    text(piece) {
      if (piece !== '') appendText(open[open.length - 1]!, piece)
    },
    restricted(what) {
      throw new Malformed(`there is a ${what}`)
    },
  })
  tokeniser.write(text)
  const isWhole = root !== undefined && open.length === 0 && isBlankFrom(text, tokeniser.position())
  return isWhole ? root : undefined
}

/** @param raw Name, value, name, value. */
function isExcessive(qualified: string, raw: readonly string[], limits: Limits): boolean {
  if (qualified.length > limits.nameLength || raw.length > 2 * limits.attributes) return true
  for (let at = 0; at < raw.length; at += 2) if (raw[at]!.length > limits.nameLength) return true
  return false
}

/** Names of namespaces that stand between white space mean nothing good, and saxes something else than the letters say. */
function refusePadded(namespaces: Declarations): void {
  for (const prefix in namespaces) {
    const uri = namespaces[prefix]!
    if (uri !== uri.trim()) throw new Malformed('a namespace begins or ends with white space')
  }
}

function isBlankFrom(text: string, from: number): boolean {
  return from === text.length || /^[ \t\r\n]*$/.test(text.slice(from))
}

import { SaxesParser, type SaxesTagNS } from 'saxes'
import type { Attribute, Element, Node } from '../../src/domain/element.ts'

/** Reads a stanza as it stands in a component's stream, with a parser of its own. */
export function stanza(text: string): Element {
  const stack: { element: Element; children: Node[] }[] = []
  let root: Element | undefined
  const parser = new SaxesParser({ xmlns: true })
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', (tag) => {
    const children: Node[] = []
    const element = toElement(tag, children)
    stack.at(-1)?.children.push(element)
    stack.push({ element, children })
  })
  parser.on('text', (part) => void stack.at(-1)?.children.push(part))
  parser.on('closetag', () => {
    root = stack.pop()!.element
  })
  parser.write(`<stream xmlns='jabber:component:accept'>${text}</stream>`).close()
  const [only, second] = root!.children
  if (typeof only !== 'object' || second !== undefined) throw new Error(`Cannot read one stanza: ${text}`)
  return only
}

function toElement(tag: SaxesTagNS, children: Node[]): Element {
  const attributes: Attribute[] = Object.values(tag.attributes)
    .filter(({ uri }) => uri !== 'http://www.w3.org/2000/xmlns/')
    .map(({ local, uri, prefix, value }) => ({ name: local, uri, prefix, value }))
  const namespaces = Object.keys(tag.ns).length === 0 ? null : tag.ns
  return { name: tag.local, uri: tag.uri, prefix: tag.prefix, attributes, namespaces, children }
}

/** What a stanza says, however it is written: two that are equal here mean the same. */
export function meaning(text: string): unknown {
  return meaningOf(stanza(text))
}

function meaningOf(node: Node): unknown {
  if (typeof node === 'string') return node
  const attributes = node.attributes.map(({ name, uri, value }) => [uri === '' ? name : `{${uri}}${name}`, value])
  attributes.sort(([left], [right]) => (left! < right! ? -1 : 1))
  return [`{${node.uri}}${node.name}`, Object.fromEntries(attributes), ...node.children.map(meaningOf)]
}

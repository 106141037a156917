import { type Attribute, type Element, isElement, textOf } from '../../domain/element.ts'

/**
 * A document as rules look at it: the element tree again, with parents, siblings and document order, which Schematron's XPath
 * asks for and matching never does. Made once per document; what it costs is told in docs/adr/0008-schematron.md.
 *
 * The names of the members are the DOM's, since the XPath engine reads some of them by these names.
 */
export type TreeNode = DocumentNode | ElementNode | AttributeNode | TextNode

export interface DocumentNode {
  readonly nodeType: 9
  readonly nodeName: '#document'
  /** Place in document order, from 0. */
  readonly order: number
  readonly childNodes: readonly ElementNode[]
  readonly index: DocumentIndex
}

export interface ElementNode {
  readonly nodeType: 1
  readonly order: number
  readonly nodeName: string
  readonly localName: string
  readonly namespaceURI: string | null
  readonly prefix: string | null
  readonly element: Element
  readonly parent: DocumentNode | ElementNode
  /** Among all children of the parent. */
  readonly at: number
  readonly attributes: readonly AttributeNode[]
  readonly childNodes: readonly (ElementNode | TextNode)[]
  /** Local name → the first child of that name; its `nextAlike` are the others. */
  readonly firstNamed: Map<string, ElementNode>
  /** The next sibling of the same local name. */
  nextAlike: ElementNode | null
}

export interface AttributeNode {
  readonly nodeType: 2
  readonly order: number
  readonly nodeName: string
  readonly name: string
  readonly localName: string
  readonly namespaceURI: string | null
  readonly prefix: string | null
  readonly value: string
  readonly attribute: Attribute
  readonly parent: ElementNode
}

export interface TextNode {
  readonly nodeType: 3
  readonly nodeName: '#text'
  readonly order: number
  readonly data: string
  readonly parent: ElementNode
  readonly at: number
}

/** Where names are, so that `//name` need not look at every node. Keys are local names. */
export interface DocumentIndex {
  /** Distinct parents of the elements of a name, in document order. */
  parentsOf(localName: string): readonly (DocumentNode | ElementNode)[]
  /** Distinct elements that have an attribute of a name, in document order. */
  ownersOf(attributeName: string): readonly ElementNode[]
  readonly nodes: number
}

export function buildTree(root: Element): DocumentNode {
  const making: Making = { order: 0, parents: new Map(), owners: new Map() }
  const childNodes: ElementNode[] = []
  const index = {
    parentsOf: (name: string) => making.parents.get(name) ?? NONE,
    ownersOf: (name: string) => making.owners.get(name) ?? NONE,
    nodes: 0,
  }
  const document: DocumentNode = { nodeType: 9, nodeName: '#document', order: making.order++, childNodes, index }
  childNodes.push(elementNode(root, document, 0, making))
  index.nodes = making.order
  sortParents(making)
  return document
}

const NONE: readonly never[] = []

interface Making {
  order: number
  readonly parents: Map<string, (DocumentNode | ElementNode)[]>
  readonly owners: Map<string, ElementNode[]>
}

function elementNode(element: Element, parent: DocumentNode | ElementNode, at: number, making: Making): ElementNode {
  const { name, uri, prefix } = element
  const attributes: AttributeNode[] = []
  const childNodes: (ElementNode | TextNode)[] = []
  const node: ElementNode = {
    nodeType: 1,
    order: making.order++,
    nodeName: prefix === '' ? name : `${prefix}:${name}`,
    localName: name,
    namespaceURI: uri === '' ? null : uri,
    prefix: prefix === '' ? null : prefix,
    element,
    parent,
    at,
    attributes,
    childNodes,
    firstNamed: new Map(),
    nextAlike: null,
  }
  enter(making.parents, name, parent)
  for (const attribute of element.attributes) attributes.push(attributeNode(attribute, node, making))
  addChildren(node, childNodes, making)
  return node
}

function attributeNode(attribute: Attribute, parent: ElementNode, making: Making): AttributeNode {
  const { name, uri, prefix, value } = attribute
  const nodeName = prefix === '' ? name : `${prefix}:${name}`
  enter(making.owners, name, parent)
  return {
    nodeType: 2,
    order: making.order++,
    nodeName,
    name: nodeName,
    localName: name,
    namespaceURI: uri === '' ? null : uri,
    prefix: prefix === '' ? null : prefix,
    value,
    attribute,
    parent,
  }
}

function addChildren(node: ElementNode, childNodes: (ElementNode | TextNode)[], making: Making): void {
  const lastNamed = new Map<string, ElementNode>()
  for (const [at, child] of node.element.children.entries()) {
    if (!isElement(child)) {
      childNodes.push({ nodeType: 3, nodeName: '#text', order: making.order++, data: child, parent: node, at })
      continue
    }
    const made = elementNode(child, node, at, making)
    childNodes.push(made)
    const before = lastNamed.get(child.name)
    if (before) before.nextAlike = made
    else node.firstNamed.set(child.name, made)
    lastNamed.set(child.name, made)
  }
}

/** Of one parent's children, the entries come one after the other, or with entries of descendants between them. */
function enter<T>(entries: Map<string, T[]>, name: string, value: T): void {
  const list = entries.get(name)
  if (!list) entries.set(name, [value])
  else if (list.at(-1) !== value) list.push(value)
}

function sortParents({ parents }: Making): void {
  for (const [name, list] of parents) {
    if (list.length > 1) parents.set(name, inDocumentOrder(list))
  }
}

/** Distinct, in document order. */
export function inDocumentOrder<T extends { readonly order: number }>(nodes: Iterable<T>): T[] {
  return [...new Set(nodes)].sort((one, other) => one.order - other.order)
}

/** XPath's string value. */
export function stringOf(node: TreeNode): string {
  switch (node.nodeType) {
    case 1:
      return textOf(node.element)
    case 2:
      return node.value
    case 3:
      return node.data
    case 9:
      return textOf(node.childNodes[0]!.element)
  }
}

export function parentOf(node: TreeNode): DocumentNode | ElementNode | null {
  return node.nodeType === 9 ? null : node.parent
}

export function documentOf(node: TreeNode): DocumentNode {
  let at = node
  while (at.nodeType !== 9) at = at.parent
  return at
}

export function childrenOf(node: TreeNode): readonly (ElementNode | TextNode)[] {
  return node.nodeType === 1 || node.nodeType === 9 ? node.childNodes : NONE
}

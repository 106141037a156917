import { look } from './expression.ts'
import { type AttributeNode, childrenOf, type ElementNode, parentOf, type TextNode, type TreeNode } from './tree.ts'

type Child = ElementNode | TextNode

/**
 * The tree as the XPath engine walks it. A bucket says which nodes are wanted of a walk, `name-ID` or `type-1`, so that an
 * element's children of one name are found at once. Every look is counted, since that is the only way to stop an
 * expression that takes too long.
 */
export const facade = {
  getAllAttributes(node: ElementNode, bucket: string | null = null): readonly AttributeNode[] {
    look()
    const name = nameIn(bucket)
    return name === undefined ? node.attributes : node.attributes.filter(({ localName }) => localName === name)
  },
  getAttribute(node: ElementNode, name: string): string | null {
    look()
    return node.attributes.find(({ nodeName }) => nodeName === name)?.value ?? null
  },
  getChildNodes(node: TreeNode, bucket: string | null = null): readonly Child[] {
    const all = childrenOf(node)
    for (let count = 0; count < all.length; count++) look()
    return bucket === null ? all : all.filter((child) => isIn(child, bucket))
  },
  getData(node: AttributeNode | TextNode): string {
    look()
    return node.nodeType === 2 ? node.value : node.data
  },
  getFirstChild(node: TreeNode, bucket: string | null = null): Child | null {
    look()
    const name = nameIn(bucket)
    if (name !== undefined && node.nodeType === 1) return node.firstNamed.get(name) ?? null
    return nextIn(childrenOf(node), 0, bucket)
  },
  getLastChild(node: TreeNode, bucket: string | null = null): Child | null {
    const all = childrenOf(node)
    return previousIn(all, all.length - 1, bucket)
  },
  getNextSibling(node: Child, bucket: string | null = null): Child | null {
    look()
    const name = nameIn(bucket)
    if (name !== undefined && node.nodeType === 1 && node.localName === name) return node.nextAlike
    return nextIn(childrenOf(node.parent), node.at + 1, bucket)
  },
  getParentNode(node: TreeNode): TreeNode | null {
    look()
    return parentOf(node)
  },
  getPreviousSibling(node: Child, bucket: string | null = null): Child | null {
    return previousIn(childrenOf(node.parent), node.at - 1, bucket)
  },
}

function nameIn(bucket: string | null): string | undefined {
  return bucket?.startsWith('name-') ? bucket.slice('name-'.length) : undefined
}

function nextIn(all: readonly Child[], from: number, bucket: string | null): Child | null {
  for (let at = from; at < all.length; at++) {
    look()
    if (isIn(all[at]!, bucket)) return all[at]!
  }
  return null
}

function previousIn(all: readonly Child[], from: number, bucket: string | null): Child | null {
  for (let at = from; at >= 0; at--) {
    look()
    if (isIn(all[at]!, bucket)) return all[at]!
  }
  return null
}

function isIn(child: Child, bucket: string | null): boolean {
  if (bucket === null) return true
  const name = nameIn(bucket)
  if (name !== undefined) return child.nodeType === 1 && child.localName === name
  if (bucket === 'type-1' || bucket === 'type-1-or-type-2' || bucket === 'name') return child.nodeType === 1
  if (bucket === 'type-3') return child.nodeType === 3
  // Others are of kinds that are not in the tree, or too seldom to be worth a case: the engine looks for itself.
  return true
}

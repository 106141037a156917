import { childrenOf, type ElementNode, parentOf, type TreeNode } from './tree.ts'

/** The nodes of an axis in its own order: of a reverse one, the nearest first (XPath 1.0, 2.2). */
export function nodesOnAxis(axis: string, node: TreeNode): readonly TreeNode[] {
  switch (axis) {
    case 'self':
      return [node]
    case 'child':
      return childrenOf(node)
    case 'attribute':
      return node.nodeType === 1 ? node.attributes : []
    case 'parent':
      return ancestors(node).slice(0, 1)
    case 'ancestor':
      return ancestors(node)
    case 'ancestor-or-self':
      return [node, ...ancestors(node)]
    case 'descendant':
      return descendants(node)
    case 'descendant-or-self':
      return [node, ...descendants(node)]
    case 'following-sibling':
      return siblings(node, 1)
    case 'preceding-sibling':
      return siblings(node, -1)
    case 'following':
      return following(node)
    case 'preceding':
      return preceding(node)
    default:
      throw new Error(`Cannot follow the axis ${axis}: it is not there`)
  }
}

function ancestors(node: TreeNode): TreeNode[] {
  const found: TreeNode[] = []
  for (let at = parentOf(node); at !== null; at = parentOf(at)) found.push(at)
  return found
}

function descendants(node: TreeNode): TreeNode[] {
  const found: TreeNode[] = []
  collect(node, found)
  return found
}

function collect(node: TreeNode, found: TreeNode[]): void {
  for (const child of childrenOf(node)) {
    found.push(child)
    collect(child, found)
  }
}

/** Attributes and the document have none. */
function siblings(node: TreeNode, direction: 1 | -1): readonly (ElementNode | TreeNode)[] {
  if (node.nodeType !== 1 && node.nodeType !== 3) return []
  const all = childrenOf(node.parent)
  return direction === 1 ? all.slice(node.at + 1) : all.slice(0, node.at).reverse()
}

/** What begins after the node has ended. */
function following(node: TreeNode): TreeNode[] {
  const start = node.nodeType === 2 ? descendants(node.parent) : []
  const chain = node.nodeType === 2 ? [node.parent, ...ancestors(node.parent)] : [node, ...ancestors(node)]
  return [...start, ...chain.flatMap((one) => siblings(one, 1).flatMap((next) => [next, ...descendants(next)]))]
}

/** What has ended before the node begins. */
function preceding(node: TreeNode): TreeNode[] {
  const chain = node.nodeType === 2 ? [node.parent, ...ancestors(node.parent)] : [node, ...ancestors(node)]
  return chain.flatMap((one) => siblings(one, -1).flatMap((before) => [...descendants(before).reverse(), before]))
}

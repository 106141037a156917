import type { Element, Node } from './element.ts'

/** An element that is being read: what comes next may be its child. */
export interface OpenElement extends Element {
  children: readonly Node[]
}

/** Of elements that have no child yet. */
export const NO_CHILDREN: readonly Node[] = []

/** Most elements have one child, and a list that is made with it takes a third of the memory of one that grows. */
export function appendElement(parent: OpenElement, child: Element): void {
  append(parent, child)
}

/** Text that follows text is one with it. */
export function appendText(parent: OpenElement, text: string): void {
  const { children } = parent
  const last = children.length === 0 ? undefined : children[children.length - 1]
  if (typeof last === 'string') (children as Node[])[children.length - 1] = last + text
  else append(parent, text)
}

function append(parent: OpenElement, child: Node): void {
  if (parent.children.length === 0) parent.children = [child]
  else (parent.children as Node[]).push(child)
}

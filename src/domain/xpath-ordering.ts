import type { XPathNode } from './xpath-grammar.ts'

const ORDERINGS: ReadonlySet<string> = new Set(['<', '<=', '>', '>='])

/** XPath 1.0, 4.4: what `number()` reads of a text. No exponent, and no plus sign. */
const NUMERIC = /^[ \t\r\n]*-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[ \t\r\n]*$/
const DATE = /^[ \t\r\n]*-?[0-9]{4,}-[0-9]{2}/

/** How a date becomes a number that can be compared, for whoever has tried to compare it as it is. */
export const DATE_AS_NUMBER = "of a date, translate(substring(DATE, 1, 10), '-', '') makes one"

/**
 * Comparisons by size with a text that is no number, in words. XPath 1.0 (3.4) compares both sides as numbers then, and
 * NaN with nothing, so that none of them ever holds.
 */
export function orderingsOfTexts(node: XPathNode): readonly string[] {
  const own =
    node.kind === 'binary' && ORDERINGS.has(node.operator) ? ofTexts(node.operator, [node.left, node.right]) : []
  return [...own, ...partsOf(node).flatMap(orderingsOfTexts)]
}

/** Whether the text is one that a comparison by size never holds with. */
export function isUnordered(node: XPathNode): boolean {
  return node.kind === 'literal' && !NUMERIC.test(node.value)
}

/** Whether the operator compares by size. */
export function isOrdering(operator: string): boolean {
  return ORDERINGS.has(operator)
}

function ofTexts(operator: string, sides: readonly XPathNode[]): readonly string[] {
  return sides.flatMap((side) => {
    if (side.kind !== 'literal' || !isUnordered(side)) return []
    const hint = DATE.test(side.value) ? ` (${DATE_AS_NUMBER})` : ''
    return [`${operator} compares numbers, and '${side.value}' is none: it never holds${hint}`]
  })
}

function partsOf(node: XPathNode): readonly XPathNode[] {
  switch (node.kind) {
    case 'binary':
      return [node.left, node.right]
    case 'negative':
      return [node.of]
    case 'call':
      return node.arguments
    case 'path':
      return [...(node.from ? [node.from] : []), ...node.predicates, ...node.steps.flatMap((step) => step.predicates)]
    case 'literal':
    case 'number':
    case 'variable':
      return []
  }
}

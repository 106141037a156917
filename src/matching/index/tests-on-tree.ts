import { type Element, isElement, textOf } from '../../domain/element.ts'
import { toNumber } from '../../domain/location-path.ts'
import type { NameTest } from './names.ts'
import type { IndexPath } from './paths.ts'
import type { PathTest, XPathTests } from './xpath-tests.ts'

/** Whether tests hold for a document, without an index: for explanations, where one route is looked at by itself. */
export function testsHold(tests: XPathTests, root: Element): boolean {
  switch (tests.kind) {
    case 'constant':
      return tests.holds
    case 'not':
      return !testsHold(tests.part, root)
    case 'all':
      return tests.parts.every((part) => testsHold(part, root))
    case 'any':
      return tests.parts.some((part) => testsHold(part, root))
    case 'path':
      return holdsFor(valuesAt(tests.path, root), tests.test)
  }
}

function holdsFor(values: readonly string[], test: PathTest): boolean {
  switch (test.kind) {
    case 'exists':
      return values.length > 0
    case 'count':
      return test.low <= values.length && values.length <= test.high
    case 'equal':
    case 'differs': {
      const { constant } = test
      const isEqual = (value: string) => (typeof constant === 'number' ? toNumber(value) : value) === constant
      return values.some((value) => isEqual(value) === (test.kind === 'equal'))
    }
    case 'within':
      return values.map(toNumber).some((number) => test.low <= number && number <= test.high)
    case 'span': {
      const numbers = values.map(toNumber)
      return numbers.some((number) => number >= test.low) && numbers.some((number) => number <= test.high)
    }
    case 'prefix':
      return values.some((value) => value.startsWith(test.text))
    case 'contains':
      return values.some((value) => value.includes(test.text))
  }
}

/** String values of the nodes, each node once. */
function valuesAt({ steps, end }: IndexPath, root: Element): readonly string[] {
  const documentNode: Element = { name: '', uri: '', prefix: '', attributes: [], namespaces: null, children: [root] }
  let found = new Set<Element>([documentNode])
  for (const { descendant, test } of steps) {
    const next = new Set<Element>()
    for (const element of found) {
      for (const below of descendant ? descendantsOf(element) : element.children.filter(isElement)) {
        if (passes(below, test)) next.add(below)
      }
    }
    found = next
  }
  switch (end.kind) {
    case 'element':
      return [...found].map(textOf)
    case 'attribute':
      return [...found].flatMap(({ attributes }) =>
        attributes.filter((attribute) => passes(attribute, end.test)).map(({ value }) => value),
      )
    case 'text':
      return [...found].flatMap(textsOf)
  }
}

function descendantsOf(element: Element): readonly Element[] {
  const all: Element[] = []
  const pending = [element]
  for (let next = pending.pop(); next; next = pending.pop()) {
    for (const child of next.children) {
      if (!isElement(child)) continue
      all.push(child)
      pending.push(child)
    }
  }
  return all
}

/** Text without an element between is one node, however it came. */
function textsOf({ children }: Element): readonly string[] {
  const texts = ['']
  for (const child of children) {
    if (isElement(child)) texts.push('')
    else texts[texts.length - 1] += child
  }
  return texts.filter((text) => text !== '')
}

function passes({ name, uri }: { readonly name: string; readonly uri: string }, test: NameTest): boolean {
  return (test.name === undefined || test.name === name) && (test.uri === undefined || test.uri === uri)
}

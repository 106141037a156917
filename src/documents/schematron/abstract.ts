import { attributeOf, childElements, type Element, isElement } from '../../domain/element.ts'
import { named, type Reading, SCHEMATRON } from './schema-tree.ts'

/**
 * The patterns of a schema with nothing abstract in them: `is-a` patterns are made of the abstract one with its parameters put
 * in (ISO/IEC 19757-3, 6.3), and `extends` of the rule that it names (6.2).
 */
export function concretePatterns(reading: Reading): readonly Element[] {
  const patterns = named(reading.root, 'pattern')
  const abstract = patterns.filter((pattern) => attributeOf(pattern, 'abstract') === 'true')
  const concrete = patterns.filter((pattern) => attributeOf(pattern, 'abstract') !== 'true')
  return concrete.map((pattern) => withExtensions(instantiate(pattern, abstract, reading), reading))
}

function instantiate(pattern: Element, abstract: readonly Element[], reading: Reading): Element {
  const name = attributeOf(pattern, 'is-a')
  if (name === undefined) return pattern
  const found = abstract.find((one) => attributeOf(one, 'id') === name)
  if (!found) {
    reading.complain(pattern, `there is no abstract pattern ${name}`)
    return pattern
  }
  const params = new Map([...paramsOf(found), ...paramsOf(pattern)])
  const children = found.children.map((child) => {
    return isElement(child) ? withParams(child, params, reading) : child
  })
  const attributes = pattern.attributes.filter((attribute) => attribute.name !== 'is-a')
  return placed(pattern, { ...pattern, attributes, children }, reading)
}

function paramsOf(pattern: Element): readonly (readonly [string, string])[] {
  return named(pattern, 'param').map((param) => {
    return [attributeOf(param, 'name') ?? '', attributeOf(param, 'value') ?? ''] as const
  })
}

/** What is written `$name` in an attribute; the name ends where no letter of one follows. Others are variables of their own. */
function withParams(element: Element, params: ReadonlyMap<string, string>, reading: Reading): Element {
  const attributes = element.attributes.map((attribute) => {
    const value = attribute.value.replace(/\$([\p{L}_][\p{L}\p{N}._-]*)/gu, (whole, name: string) => {
      return params.get(name) ?? whole
    })
    return { ...attribute, value }
  })
  const children = element.children.map((child) => (isElement(child) ? withParams(child, params, reading) : child))
  return placed(element, { ...element, attributes, children }, reading)
}

function placed(original: Element, copy: Element, { tree }: Reading): Element {
  tree.copyPlace(original, copy)
  return copy
}

// ------------------------------------------------------------------------------------------------------- extends

function withExtensions(pattern: Element, reading: Reading): Element {
  const children = pattern.children.map((child) => {
    if (!isElement(child) || child.uri !== SCHEMATRON || child.name !== 'rule') return child
    return extended(child, pattern, reading, [])
  })
  return placed(pattern, { ...pattern, children }, reading)
}

function extended(rule: Element, pattern: Element, reading: Reading, chain: readonly string[]): Element {
  const children = rule.children.flatMap((child) => {
    const id =
      isElement(child) && child.name === 'extends' && child.uri === SCHEMATRON ? attributeOf(child, 'rule') : undefined
    if (!isElement(child) || id === undefined) return [child]
    const found = abstractRule(id, pattern, reading)
    if (!found) reading.complain(child, `there is no abstract rule ${id}`)
    else if (chain.includes(id)) reading.complain(child, `the rule ${id} extends itself`)
    else return extended(found, pattern, reading, [...chain, id]).children
    return []
  })
  return placed(rule, { ...rule, children }, reading)
}

/** In the same pattern first; then wherever it is, as all implementations have it. */
function abstractRule(id: string, pattern: Element, { root }: Reading): Element | undefined {
  const places = [pattern, ...childElements(root).filter(({ name }) => name === 'pattern' || name === 'rules')]
  return places
    .flatMap((place) => named(place, 'rule'))
    .find((rule) => attributeOf(rule, 'id') === id && attributeOf(rule, 'abstract') === 'true')
}

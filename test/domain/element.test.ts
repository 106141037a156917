import { describe, expect, it } from 'vitest'
import {
  attributeOf,
  childElements,
  childNamed,
  type Element,
  element,
  expandedName,
  isElement,
  textOf,
} from '../../src/domain/element.ts'

const XML = 'http://www.w3.org/XML/1998/namespace'
const tree: Element = {
  ...element('root', 'urn:a', { id: '1', empty: '' }, [
    'one ',
    element('x', 'urn:a', {}, ['two']),
    element('x', 'urn:b', {}, [' three', element('y', '', {}, [' four'])]),
    element('z', ''),
  ]),
}

describe('an element', () => {
  it('is made of a name, plain attributes and children', () => {
    expect(element('a', 'urn:a', { b: 'c' }, ['d'])).toEqual({
      name: 'a',
      uri: 'urn:a',
      prefix: '',
      attributes: [{ name: 'b', uri: '', prefix: '', value: 'c' }],
      namespaces: null,
      children: ['d'],
    })
  })

  it.each([
    ['urn:a', 'b', '{urn:a}b'],
    ['', 'b', 'b'],
  ])('in namespace %j with name %j is called %s', (uri, name, expected) => {
    expect(expandedName(uri, name)).toBe(expected)
  })

  it('finds a child by name and namespace, both to the letter', () => {
    expect(childNamed(tree, 'x', 'urn:b')?.children[0]).toBe(' three')
    expect(childNamed(tree, 'x', 'urn:a')?.children[0]).toBe('two')
    expect(childNamed(tree, 'x', '')).toBeUndefined()
    expect(childNamed(tree, 'X', 'urn:a')).toBeUndefined()
    expect(childNamed(tree, 'y', '')).toBeUndefined()
  })

  it('tells elements from text', () => {
    expect(childElements(tree).map(({ name }) => name)).toEqual(['x', 'x', 'z'])
    expect(tree.children.map(isElement)).toEqual([false, true, true, true])
  })

  it('finds an attribute by name and namespace', () => {
    const language = { name: 'lang', uri: XML, prefix: 'xml', value: 'de' }
    const of = { ...tree, attributes: [...tree.attributes, language] }
    expect(attributeOf(of, 'id')).toBe('1')
    expect(attributeOf(of, 'empty')).toBe('')
    expect(attributeOf(of, 'lang')).toBeUndefined()
    expect(attributeOf(of, 'lang', XML)).toBe('de')
    expect(attributeOf(of, 'constructor')).toBeUndefined()
  })

  it('has the text of everything below it, in document order', () => {
    expect(textOf(tree)).toBe('one two three four')
    expect(textOf(element('a', ''))).toBe('')
    expect(textOf(element('a', '', {}, ['only']))).toBe('only')
    expect(textOf(element('a', '', {}, ['', 'a', '', 'b']))).toBe('ab')
  })

  it('gives its text from a depth of thousands', () => {
    let deep = element('a', '', {}, ['end'])
    for (let depth = 0; depth < 5_000; depth++) deep = element('a', '', {}, [deep])
    expect(textOf(deep)).toBe('end')
  })
})

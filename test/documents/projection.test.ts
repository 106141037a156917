import { describe, expect, it } from 'vitest'
import { projectElement, projectPayload, projectXml } from '../../src/documents/projection.ts'
import { type Element, element, type Node } from '../../src/domain/element.ts'
import { serialise } from '../../src/domain/serialise.ts'
import { type Random, seeded } from './evolution/random-schemas.ts'

describe('the projection of XML to JSON', () => {
  const table: readonly (readonly [what: string, xml: string, json: unknown])[] = [
    ['an element with text is the text', '<a>1.50</a>', { a: '1.50' }],
    ['attributes have an @', '<a b="c"/>', { a: { '@b': 'c' } }],
    ['text beside attributes is #text', '<a b="c">d</a>', { a: { '@b': 'c', '#text': 'd' } }],
    ['repeated elements are a list', '<a><b>1</b><b>2</b></a>', { a: { b: ['1', '2'] } }],
    ['prefixes stay as written', '<p:a xmlns:p="urn:p"><p:b/></p:a>', { 'p:a': { '@xmlns:p': 'urn:p', 'p:b': '' } }],
    [
      'the declaration, comments and instructions are left out',
      '<?xml version="1.0"?><!-- c --><?i?><a>x</a>',
      { a: 'x' },
    ],
    ['entities and CDATA are their text', '<a>&lt;&amp;<![CDATA[<b>]]></a>', { a: '<&<b>' }],
  ]
  it.each(table)('%s', (_, xml, json) => expect(projectXml(xml)).toEqual(json))
})

describe('a stored document as JSON', () => {
  const deep = `${'<a>'.repeat(150)}x${'</a>'.repeat(150)}`
  const table: readonly (readonly [what: string, mediaType: string, payload: string, json: unknown])[] = [
    ['is read where it is JSON', 'application/senml+json', '[{"v":1}]', [{ v: 1 }]],
    ['is projected where it is XML', 'application/xml', '<a>1</a>', { a: '1' }],
    ['is null where it is neither', 'image/png', 'png', null],
    ['is null where the payload is gone, of JSON', 'application/json', '', null],
    ['is null where the payload is gone, of XML', 'application/xml', '', null],
    ['is null where JSON is broken', 'application/json', '{"a":', null],
    ['is null where an element has a name that no projection can have', 'text/xml', '<a><constructor/></a>', null],
  ]
  it.each(table)('%s', (_, mediaType, payload, json) => expect(projectPayload(mediaType, payload)).toEqual(json))

  it('goes as deep as the document does', () => {
    expect(JSON.stringify(projectPayload('application/xml', deep))).toContain('{"a":"x"}')
  })
})

describe('the projection of a tree', () => {
  const NAMES = ['a', 'b', 'c', 'a-b.c', 'p:d'] as const
  const TEXTS = [
    'x',
    ' x y ',
    '1.50',
    'true',
    '&lt;',
    '<&>',
    ' ',
    '',
    '\n x\n  y ',
    "it's",
    '"',
    ']]>',
    'é😀',
    '#text',
  ] as const

  function randomElement(random: Random, depth: number): Element {
    const { below, one } = random
    const names = NAMES.filter(() => below(4) === 0)
    const attributes = Object.fromEntries(names.map((name) => [name, one(TEXTS).replaceAll('\n', '')]))
    const children = Array.from({ length: below(depth === 0 ? 2 : 5) }, (): Node => {
      return depth === 0 || below(2) === 0 ? one(TEXTS) : randomElement(random, depth - 1)
    })
    return element(one(NAMES), '', attributes, children)
  }

  it('is what fast-xml-parser makes of its text', () => {
    for (let seed = 1; seed <= 500; seed += 1) {
      const tree = randomElement(seeded(seed), 4)
      const text = serialise(tree, { '': '' })
      expect(projectElement(tree, {}), `${seed}: ${text}`).toEqual(projectXml(text))
    }
  })
})

import { describe, expect, it } from 'vitest'
import { projectXml } from '../../src/documents/projection.ts'

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

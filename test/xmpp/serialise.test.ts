import { XmlDocument } from 'libxml2-wasm'
import { describe, expect, it } from 'vitest'
import { type Attribute, childElements, type Element, element } from '../../src/domain/element.ts'
import { escapeAttribute, escapeText, isXmlText, serialise } from '../../src/domain/serialise.ts'
import { child, meaning } from './stream-text.ts'

const XML = 'http://www.w3.org/XML/1998/namespace'

/** The first element within a message, as it came off a stream. */
function document(xml: string): Element {
  return childElements(child(`<message>${xml}</message>`))[0]!
}

/** Reads the text alone, and as a child of a stanza: it has to mean the same in both places. */
function expectSameMeaning(text: string, tree: Element): void {
  XmlDocument.fromString(text).dispose()
  const alone = child(text, `<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>`)
  expect(meaning(alone)).toEqual(meaning(tree))
  expect(meaning(document(text))).toEqual(meaning(tree))
}

const asItStands: readonly string[] = [
  `<order xmlns="urn:o"/>`,
  `<order xmlns=""/>`,
  `<o:order xmlns:o="urn:o" a="1" o:b="2"><o:line/></o:order>`,
  `<order xmlns="urn:o" xml:lang="en">text<line n="1">1 &lt; 2 &amp; 3 &gt; 2</line>tail</order>`,
  `<order xmlns="urn:o" xmlns:xs="urn:xs" xmlns:xsi="urn:xsi"><qty xsi:type="xs:int">1</qty></order>`,
  `<a xmlns="urn:1"><b xmlns="urn:2"><c xmlns=""/><d/></b><e/></a>`,
  `<p:a xmlns:p="urn:1"><p:b xmlns:p="urn:2"/><p:c/></p:a>`,
  `<a xmlns="urn:1" x="&quot;&apos;&lt;&gt;&amp;&#9;&#10;&#13;">line&#13;
end</a>`,
  `<a xmlns="urn:1">  <b/>
	</a>`,
  `<имя xmlns="urn:x" атрибут="€">😀</имя>`,
]

describe('what is read is written as it stands', () => {
  for (const xml of asItStands) {
    it(xml, () => {
      expect(serialise(document(xml))).toBe(xml)
      expectSameMeaning(xml, document(xml))
    })
  }
})

describe('what the document inherits is declared on it', () => {
  const cases: readonly { what: string; stanza: string; text: string }[] = [
    {
      what: 'a prefix of the stanza',
      stanza: `<message xmlns:p='urn:p'><p:a><p:b/></p:a></message>`,
      text: `<p:a xmlns:p="urn:p"><p:b/></p:a>`,
    },
    {
      what: 'a prefix of an attribute',
      stanza: `<message xmlns:p='urn:p'><a xmlns='' p:x='1'/></message>`,
      text: `<a xmlns="" xmlns:p="urn:p" p:x="1"/>`,
    },
    {
      what: 'a prefix used first below the root',
      stanza: `<message xmlns:p='urn:p'><a xmlns='u'><p:b/><p:c/></a></message>`,
      text: `<a xmlns="u"><p:b xmlns:p="urn:p"/><p:c xmlns:p="urn:p"/></a>`,
    },
    {
      what: 'the default namespace of the stanza',
      stanza: `<message><a/></message>`,
      text: `<a xmlns="jabber:component:accept"/>`,
    },
    {
      what: 'no namespace',
      stanza: `<message><p:a xmlns:p='u'><b xmlns=''/></p:a></message>`,
      text: `<p:a xmlns:p="u"><b xmlns=""/></p:a>`,
    },
  ]
  for (const { what, stanza, text } of cases) {
    it(what, () => {
      const tree = childElements(child(stanza))[0]!
      expect(serialise(tree)).toBe(text)
      expectSameMeaning(text, tree)
    })
  }

  it('what is bound where the text is put is not declared again', () => {
    const scope = { '': 'urn:o', p: 'urn:p' }
    const attribute: Attribute = { name: 'x', uri: 'urn:p', prefix: 'p', value: '1' }
    expect(serialise({ ...element('order', 'urn:o'), attributes: [attribute] }, scope)).toBe(`<order p:x="1"/>`)
    expect(serialise(element('order', ''), scope)).toBe(`<order xmlns=""/>`)
    expect(serialise(element('order', ''), { '': '' })).toBe(`<order/>`)
  })
})

const of = (name: string, uri: string, prefix: string, more: Partial<Element> = {}): Element => ({
  ...element(name, uri),
  prefix,
  ...more,
})
const x = (uri: string, prefix: string, name = 'x'): Attribute => ({ name, uri, prefix, value: '1' })

describe('trees that were put together mean the same when they are read', () => {
  const trees: readonly { what: string; tree: Element; text?: string }[] = [
    {
      what: 'an attribute without a prefix',
      tree: of('a', '', '', { attributes: [x('u', '')] }),
      text: `<a xmlns="" xmlns:ns1="u" ns1:x="1"/>`,
    },
    {
      what: 'two namespaces of attributes with one prefix',
      tree: of('a', '', '', { attributes: [x('u', 'p'), x('v', 'p')] }),
    },
    { what: 'an attribute with the prefix of the element', tree: of('a', 'u', 'p', { attributes: [x('v', 'p')] }) },
    { what: 'an element that conflicts with its own declaration', tree: of('a', 'u', 'p', { namespaces: { p: 'v' } }) },
    { what: 'an element that conflicts with its own default', tree: of('a', 'u', '', { namespaces: { '': 'v' } }) },
    {
      what: 'no namespace with a default of its own',
      tree: of('a', '', '', { namespaces: { '': 'v' } }),
      text: `<a xmlns=""/>`,
    },
    {
      what: 'a prefix without a namespace',
      tree: of('a', '', 'p', { attributes: [x('', 'p')] }),
      text: `<a xmlns="" x="1"/>`,
    },
    { what: 'the prefix ns1 in use', tree: of('a', 'u', 'ns1', { attributes: [x('v', ''), x('w', 'ns2', 'y')] }) },
    { what: 'another meaning of xml', tree: of('a', 'u', 'xml', { attributes: [x('v', 'xmlns')] }) },
    {
      what: 'the namespace of xml under another prefix',
      tree: of('a', '', '', { attributes: [x(XML, 'p', 'lang')] }),
      text: `<a xmlns="" xml:lang="1"/>`,
    },
    {
      what: 'declarations that may not be made',
      tree: of('a', '', '', { namespaces: { xml: 'u', p: '', q: XML } }),
      text: `<a xmlns=""/>`,
    },
    {
      what: 'a child that shadows a prefix its parent needs again',
      tree: of('a', 'u', 'p', { children: [of('b', 'v', 'p', { children: [of('c', 'u', 'p')] }), of('d', 'u', 'p')] }),
    },
    {
      what: 'a child in no namespace under a default',
      tree: of('a', 'u', '', { children: [of('b', '', ''), of('c', 'u', '')] }),
      text: `<a xmlns="u"><b xmlns=""/><c/></a>`,
    },
  ]
  for (const { what, tree, text } of trees) {
    it(what, () => {
      const written = serialise(tree)
      if (text !== undefined) expect(written).toBe(text)
      expectSameMeaning(written, tree)
    })
  }

  const renamed: readonly (readonly [read: string, written: string])[] = [
    [`<a xmlns='${XML}'/>`, `<xml:a/>`],
    [`<a xmlns='${XML}'><b c='1'>t</b><d xmlns=''/></a>`, `<xml:a><xml:b c="1">t</xml:b><d xmlns=""/></xml:a>`],
    [`<ns1:a xmlns:ns1='${XML}'/>`, `<xml:a/>`],
    [`<a xmlns='u' xmlns:ns1='${XML}' ns1:b='1'><c ns1:d='2'/></a>`, `<a xmlns="u" xml:b="1"><c xml:d="2"/></a>`],
    [`<a xmlns='u'><b xmlns='${XML}'><c xmlns='u'/></b><d/></a>`, `<a xmlns="u"><xml:b><c xmlns="u"/></xml:b><d/></a>`],
  ]
  for (const [read, written] of renamed) {
    it(`the namespace of XML gets its own prefix back: ${written}`, () => {
      expect(serialise(document(read))).toBe(written)
      expectSameMeaning(written, document(read))
    })
  }

  it('declarations that look unused stay', () => {
    const tree = of('a', 'u', '', { namespaces: { q: 'urn:q' }, children: ['q:name'] })
    expect(serialise(tree)).toBe(`<a xmlns:q="urn:q" xmlns="u">q:name</a>`)
  })

  it('50,000 elements within each other can be written', () => {
    let tree = element('a', 'u')
    for (let depth = 1; depth < 50_000; depth += 1) tree = element('a', 'u', {}, [tree])
    expect(serialise(tree)).toHaveLength(`<a xmlns="u"></a>`.length + 49_998 * '<a></a>'.length + '<a/>'.length)
  })
})

describe('escaping', () => {
  const texts: readonly [string, string, string][] = [
    ['', '', ''],
    ['plain', 'plain', 'plain'],
    ['<', '&lt;', '&lt;'],
    [']]>', ']]&gt;', ']]&gt;'],
    ['a & b', 'a &amp; b', 'a &amp; b'],
    [`"'`, `"'`, '&quot;&apos;'],
    ['a\tb\nc\rd', 'a\tb\nc&#13;d', 'a&#9;b&#10;c&#13;d'],
    ['&amp;', '&amp;amp;', '&amp;amp;'],
    ['ü€😀', 'ü€😀', 'ü€😀'],
  ]
  for (const [text, asText, asAttribute] of texts) {
    it(JSON.stringify(text), () => {
      expect([escapeText(text), escapeAttribute(text)]).toEqual([asText, asAttribute])
    })
  }
})

describe('what XML can hold', () => {
  const can = ['', 'a\t\n\r', '\u0080\u0085', '\ud7ff\ue000\ufffd', '😀', '\u{10ffff}', 'x😀y']
  const cannot = [
    '\0',
    'a\u0001',
    '\u000b',
    '\u001f',
    '\ufffe',
    'a\uffff',
    '\ud800',
    'a\udc00b',
    '\udc00\ud800',
    '😀\ud83d',
  ]
  for (const text of can) it(`can: ${JSON.stringify(text)}`, () => expect(isXmlText(text)).toBe(true))
  for (const text of cannot) it(`cannot: ${JSON.stringify(text)}`, () => expect(isXmlText(text)).toBe(false))
})

import { describe, expect, it } from 'vitest'
import { childElements, type Element, textOf } from '../../src/domain/element.ts'
import { processorMs } from '../processor.ts'
import { child, HEADER, readStream } from './stream-text.ts'

const nested = (depth: number) => `${'<a>'.repeat(depth)}${'</a>'.repeat(depth)}`

describe('what a stream is read as', () => {
  it('an element has its names, attributes, declarations and children in order', () => {
    const message = child(
      `<message to='w' xml:lang='en'><p:a xmlns:p='urn:p' xmlns='urn:d' p:x='1' y='2'>one<b/>two<p:c>&lt;3</p:c></p:a></message>`,
    )
    expect(message).toMatchObject({ name: 'message', uri: 'jabber:component:accept', prefix: '', namespaces: null })
    expect(message.attributes).toEqual([
      { name: 'to', uri: '', prefix: '', value: 'w' },
      { name: 'lang', uri: 'http://www.w3.org/XML/1998/namespace', prefix: 'xml', value: 'en' },
    ])
    expect(message.children).toEqual([
      {
        name: 'a',
        uri: 'urn:p',
        prefix: 'p',
        attributes: [
          { name: 'x', uri: 'urn:p', prefix: 'p', value: '1' },
          { name: 'y', uri: '', prefix: '', value: '2' },
        ],
        namespaces: { p: 'urn:p', '': 'urn:d' },
        children: [
          'one',
          { name: 'b', uri: 'urn:d', prefix: '', attributes: [], namespaces: null, children: [] },
          'two',
          { name: 'c', uri: 'urn:p', prefix: 'p', attributes: [], namespaces: null, children: ['<3'] },
        ],
      },
    ])
  })

  it('a declaration ends with its element', () => {
    const message = child(`<message><a xmlns='urn:1' xmlns:p='urn:p1'><p:b xmlns:p='urn:p2'/><p:c/></a><d/></message>`)
    const [a, d] = childElements(message) as [Element, Element]
    expect(childElements(a).map(({ uri }) => uri)).toEqual(['urn:p2', 'urn:p1'])
    expect(d.uri).toBe('jabber:component:accept')
  })

  it('text around entities, character references and CDATA is one text', () => {
    expect(child(`<message>a&amp;b&#x1F600;<![CDATA[<c>]]>&#10;d</message>`).children).toEqual(['a&b😀<c>\nd'])
  })

  it('what the header declares for documents stands on every stanza, and nothing of the transport does', () => {
    const header = HEADER.replace('<stream:stream', `<stream:stream xmlns:d='urn:d' xmlns:db='jabber:server:dialback'`)
    const { children } = readStream([header, `<message><d:a/></message><message xmlns:e='urn:e' xmlns:d='urn:d2'/>`])
    expect(children[0]!.namespaces).toEqual({ d: 'urn:d' })
    expect(childElements(children[0]!)[0]).toMatchObject({ uri: 'urn:d', namespaces: null })
    expect(children[1]!.namespaces).toEqual({ d: 'urn:d2', e: 'urn:e' })
  })

  it('names of object prototypes are names like any other', () => {
    const message = child(
      `<message><__proto__ xmlns:__proto__='urn:p' __proto__:constructor='1' toString='2'/></message>`,
    )
    const [only] = childElements(message) as [Element]
    expect(only).toMatchObject({ name: '__proto__', uri: 'jabber:component:accept' })
    expect(Object.entries(only.namespaces ?? {})).toEqual([['__proto__', 'urn:p']])
    expect(only.attributes.map(({ name, uri }) => [name, uri])).toEqual([
      ['constructor', 'urn:p'],
      ['toString', ''],
    ])
  })

  it('white space between stanzas is nothing', () => {
    const { children, faults } = readStream([HEADER, ' \n', '<presence/> ', '\t', '<presence/>'])
    expect([children.length, faults]).toEqual([2, []])
  })

  it('a stream cut at any place is the same stream', () => {
    const text = `${HEADER}<message a='1&amp;&#x20AC;'>tä€😀xt<p:b xmlns:p='urn:p'><![CDATA[c]]></p:b>\r\nend</message> <iq/></stream:stream>`
    const whole = readStream([text])
    expect(whole).toMatchObject({ closed: 1, faults: [], excesses: [] })
    expect(whole.children).toHaveLength(2)
    for (let at = 1; at < text.length; at += 1) {
      expect(readStream([text.slice(0, at), text.slice(at)]), `cut at ${at}`).toEqual(whole)
    }
    expect(readStream([...text])).toEqual(whole)
  })

  it('an end tag that is not the right one ends nothing', () => {
    for (const text of ['<message></iq>', '<message id="1"></message ><presence></message>', '</stream:other>']) {
      const { children, closed, faults } = readStream([HEADER, text])
      expect([children.length, closed, faults.length]).toEqual([text.includes('id') ? 1 : 0, 0, 1])
    }
  })

  it('what was whole before a fault is read', () => {
    for (const fault of ['<!-- -->', '&', '<!DOCTYPE x>', '<a b=1/>', 'x<a/>', '</wrong>']) {
      expect(readStream([HEADER, `<message/>${fault}`, '<message/>']).children, fault).toHaveLength(1)
    }
  })

  it('the limit of one stanza is not that of the one before', () => {
    const { children, excesses } = readStream([HEADER, `<a><b/></a><c d='1' e='2'/></stream:stream>`], {
      attributes: 1,
    })
    expect(children.map((element) => [element.name, element.children.length])).toEqual([
      ['a', 1],
      ['c', 0],
    ])
    expect(excesses).toHaveLength(1)
  })

  it('what comes after the end of the stream is not read', () => {
    expect(readStream([HEADER, '</stream:stream>', '<message/>'])).toMatchObject({
      closed: 1,
      children: [],
      faults: [],
    })
  })

  it('a text of 5 MB that comes in small pieces is read in well under a second', () => {
    const pieces = Array.from({ length: 5_000 }, () => 'x'.repeat(1_000))
    const startedAt = processorMs()
    const { children } = readStream([HEADER, '<message>', ...pieces, '</message>'], { bytes: 10_000_000 })
    expect(textOf(children[0]!)).toHaveLength(5_000_000)
    expect(processorMs() - startedAt).toBeLessThan(2_000)
  })
})

const faults: readonly { what: string; text: string; condition: string; words: RegExp }[] = [
  {
    what: 'a DOCTYPE before the stream',
    text: `<!DOCTYPE x>${HEADER}`,
    condition: 'restricted-xml',
    words: /document type/,
  },
  {
    what: 'a DOCTYPE in the stream',
    text: `${HEADER}<!DOCTYPE x [<!ENTITY a "b">]><message/>`,
    condition: 'restricted-xml',
    words: /doctype/,
  },
  {
    what: 'a DOCTYPE in a stanza',
    text: `${HEADER}<message><!DOCTYPE x></message>`,
    condition: 'restricted-xml',
    words: /doctype/,
  },
  { what: 'a comment', text: `${HEADER}<message><!-- c --></message>`, condition: 'restricted-xml', words: /comment/ },
  { what: 'a comment between stanzas', text: `${HEADER}<!-- c -->`, condition: 'restricted-xml', words: /comment/ },
  {
    what: 'a processing instruction',
    text: `${HEADER}<message><?x y?></message>`,
    condition: 'restricted-xml',
    words: /processing/,
  },
  {
    what: 'an undefined entity',
    text: `${HEADER}<message>&nbsp;</message>`,
    condition: 'not-well-formed',
    words: /entity/,
  },
  {
    what: 'an entity with the name of a prototype',
    text: `${HEADER}<message>&constructor;</message>`,
    condition: 'not-well-formed',
    words: /entity/,
  },
  {
    what: 'a reference to no character',
    text: `${HEADER}<message>&#0;</message>`,
    condition: 'not-well-formed',
    words: /entity/,
  },
  {
    what: 'a control character',
    text: `${HEADER}<message>\u0001</message>`,
    condition: 'not-well-formed',
    words: /disallowed/,
  },
  {
    what: 'a wrong end tag',
    text: `${HEADER}<message><a></message>`,
    condition: 'not-well-formed',
    words: /close tag/,
  },
  {
    what: 'an attribute twice',
    text: `${HEADER}<message a='1' a='2'/>`,
    condition: 'not-well-formed',
    words: /duplicate/,
  },
  {
    what: 'an attribute without quotes',
    text: `${HEADER}<message a=1/>`,
    condition: 'not-well-formed',
    words: /unquoted/,
  },
  { what: '< in an attribute', text: `${HEADER}<message a='<'/>`, condition: 'not-well-formed', words: /disallowed/ },
  { what: ']]> in text', text: `${HEADER}<message>]]></message>`, condition: 'not-well-formed', words: /]]>/ },
  {
    what: 'a prefix of the stream that is not declared',
    text: HEADER.replace('<stream:stream', '<stream:stream p:a="1"'),
    condition: 'not-well-formed',
    words: /p:a is not declared/,
  },
  {
    what: 'text between stanzas',
    text: `${HEADER}<message/>x<message/>`,
    condition: 'not-well-formed',
    words: /between stanzas/,
  },
  {
    what: 'another encoding',
    text: HEADER.replace(`'1.0'`, `'1.0' encoding='ISO-8859-1'`),
    condition: 'unsupported-encoding',
    words: /ISO-8859-1/,
  },
  { what: 'something else than a stream', text: `<html>`, condition: 'not-well-formed', words: /not a stream/ },
  {
    what: 'a stanza sixteen times too long',
    text: `${HEADER}<message>${'x'.repeat(1_700)}`,
    condition: 'policy-violation',
    words: /bytes/,
  },
  {
    what: 'elements two hundred times too deep',
    text: `${HEADER}${nested(4_100)}`,
    condition: 'policy-violation',
    words: /deep/,
  },
]

describe('what no server may send ends the stream, and never throws', () => {
  for (const { what, text, condition, words } of faults) {
    it(`${what} is ${condition}`, () => {
      const read = readStream([text, '<message/>'], what.includes('deep') ? { depth: 20 } : { bytes: 100 })
      expect(read.faults).toEqual([{ condition, text: expect.stringMatching(words) }])
      expect(read.children.length).toBeLessThanOrEqual(1)
    })
  }
})

describe('a name that means nothing costs its stanza, and not the stream', () => {
  const XML = 'http://www.w3.org/XML/1998/namespace'
  const addresses = `from='a@example.test' to='waybill.example.test' type='chat' id='1'`
  const within: readonly { what: string; text: string; words: RegExp }[] = [
    { what: 'a prefix of an element that is not declared', text: '<p:a/>', words: /p:a is not declared/ },
    { what: 'a prefix of an attribute that is not declared', text: `<a p:b='1'/>`, words: /p:b is not declared/ },
    {
      what: 'an attribute twice by other prefixes',
      text: `<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>`,
      words: /{u}b is given twice/,
    },
    {
      what: 'an attribute of XML twice',
      text: `<a xmlns:p='${XML}' xml:lang='en' p:lang='de'/>`,
      words: /lang is given twice/,
    },
    { what: 'a prefix that is declared empty', text: `<a xmlns:p=''/>`, words: /p is declared empty/ },
    { what: 'another meaning of xml', text: `<a xmlns:xml='urn:x'/>`, words: /prefix xml/ },
    { what: 'a declaration of xmlns', text: `<a xmlns:xmlns='${XML}'/>`, words: /prefix xmlns/ },
    { what: 'the namespace of xmlns', text: `<a xmlns='http://www.w3.org/2000/xmlns/'/>`, words: /prefix xmlns/ },
    { what: 'two colons in a name', text: '<a:b:c/>', words: /a:b:c is malformed/ },
    { what: 'a name that ends with a colon', text: '<a:/>', words: /a: is malformed/ },
    { what: 'a local name that begins with a digit', text: `<a:1 xmlns:a='u'/>`, words: /a:1 is malformed/ },
  ]
  for (const { what, text, words } of within) {
    it(`${what}, in a stanza, below in it, and on its own tag`, () => {
      const attributes = /^<a(?= )(.*)\/>$/.exec(text)?.[1]
      const stanzas = [
        `<message ${addresses}>${text}</message>`,
        `<message ${addresses}><x xmlns:y='urn:y'>1${text}2<y:z>${nested(5)}</y:z></x>3<y/></message>`,
        ...(attributes === undefined ? [] : [`<message ${attributes} ${addresses}>${text}</message>`]),
      ]
      for (const stanza of stanzas) {
        for (const pieces of [[stanza], [...stanza]]) {
          const read = readStream([HEADER, ...pieces, `<message id='2'><a>t</a></message><iq><y:a/></iq><presence/>`])
          expect(read.faults).toEqual([])
          const malformed = { kind: 'malformed', text: expect.stringMatching(words), findings: [] }
          // What the stanza declared has gone with it.
          const undeclared = { ...malformed, text: expect.stringContaining('y:a is not declared') }
          expect(read.excesses, stanza).toEqual([malformed, undeclared])
          expect(read.children.map(({ name, uri, children }) => [name, uri, children.length])).toEqual([
            ['message', 'jabber:component:accept', 0],
            ['message', 'jabber:component:accept', 1],
            ['iq', 'jabber:component:accept', 0],
            ['presence', 'jabber:component:accept', 0],
          ])
          expect(read.children[0]!.attributes.map(({ name }) => name)).toEqual(['from', 'to', 'type', 'id'])
        }
      }
    })
  }

  it('a stanza whose own name it is belongs to no namespace', () => {
    const { children, excesses, faults } = readStream([HEADER, `<p:message id='1'/><a:b:c/><message id='2'/>`])
    expect(children.map(({ uri }) => uri)).toEqual(['', '', 'jabber:component:accept'])
    expect([excesses.length, faults]).toEqual([2, []])
  })

  it('a long name is not repeated as a whole', () => {
    const { excesses } = readStream([HEADER, `<message><${'p'.repeat(50_000)}:a/></message>`])
    expect(excesses[0]!.text.length).toBeLessThan(2_000)
  })

  it('what breaks off XML itself in a stanza that is skipped still ends the stream', () => {
    for (const text of ['<message><p:a><b></p:a></message>', '<message><p:a>&nbsp;</p:a></message>']) {
      expect(readStream([HEADER, text]).faults).toMatchObject([{ condition: 'not-well-formed' }])
    }
  })

  it('the namespace of XML is read under any prefix, as servers write it', () => {
    const { children, excesses, faults } = readStream([
      HEADER,
      `<message><a xmlns='${XML}'><b/></a><c xmlns='u' xmlns:ns1='${XML}' ns1:d='1'/></message>`,
    ])
    expect([excesses, faults]).toEqual([[], []])
    const [a, c] = childElements(children[0]!) as [Element, Element]
    expect([a.uri, childElements(a)[0]!.uri]).toEqual([XML, XML])
    expect(c.attributes).toMatchObject([{ name: 'd', uri: XML, value: '1' }])
  })
})

describe('what is too much is skipped, and the next stanza is read', () => {
  const cases = [
    {
      what: 'bytes in one piece',
      text: `<message id='1'><a>${'x'.repeat(200)}</a></message>`,
      kind: 'too-large',
      words: /more than 200 bytes/,
    },
    {
      what: 'bytes of long characters',
      text: `<message id='1'>${'😀'.repeat(60)}</message>`,
      kind: 'too-large',
      words: /more than 200 bytes/,
    },
    {
      what: 'elements',
      text: `<message id='1'>${'<a/>'.repeat(60)}</message>`,
      kind: 'too-large',
      words: /more than 200 bytes/,
    },
    { what: 'depth', text: `<message id='1'>${nested(7)}<b>t</b></message>`, kind: 'too-deep', words: /deeper than 7/ },
    {
      what: 'attributes',
      text: `<message id='1'><a b='1' c='2' d='3' e='4'><b/></a></message>`,
      kind: 'too-large',
      words: /more than 3 attributes/,
    },
    {
      what: 'attributes of the stanza',
      text: `<message id='1' b='1' c='2' d='3'>t</message>`,
      kind: 'too-large',
      words: /more than 3 attributes/,
    },
  ]
  it('too many attributes of a stanza leave what its answer needs, wherever it stands', () => {
    const many = Array.from({ length: 10 }, (_, n) => `a${n}='' xmlns:p${n}='u${n}'`).join(' ')
    const stanza = `<iq p:z='1' ${many} xmlns:p='urn:p' from='a@example.test' to='w' id='1' type='set'><a/></iq>`
    for (const pieces of [[stanza], [...stanza]]) {
      const read = readStream([HEADER, ...pieces, `<message id='2'/>`], { attributes: 8 })
      expect(read.faults).toEqual([])
      expect(read.excesses).toMatchObject([{ kind: 'too-large' }])
      expect(read.children[0]).toMatchObject({ name: 'iq', uri: 'jabber:component:accept', namespaces: null })
      expect(read.children[0]!.attributes.map(({ name, value }) => `${name}=${value}`)).toEqual([
        'from=a@example.test',
        'to=w',
        'id=1',
        'type=set',
      ])
    }
  })

  for (const { what, text, kind, words } of cases) {
    it(`too much of ${what}`, () => {
      const limits = { bytes: 200, depth: 7, attributes: 3 }
      for (const pieces of [[text], [...text]]) {
        const read = readStream([HEADER, ...pieces, `<message id='2'><a b='1'>t</a></message>`], limits)
        expect(read.excesses).toEqual([{ kind, text: expect.stringMatching(words), findings: [] }])
        expect(read.faults).toEqual([])
        expect(read.children.map(({ attributes, children }) => [attributes[0]?.value, children.length])).toEqual([
          ['1', 0],
          ['2', 1],
        ])
      }
    })
  }

  it('just enough is not too much', () => {
    const fits = `<message>${nested(6)}<a b='1' c='2' d='3'/></message>`
    const read = readStream([HEADER, fits], { bytes: Buffer.byteLength(fits), depth: 7, attributes: 3 })
    expect(read).toMatchObject({ excesses: [], faults: [] })
  })

  it('bytes are counted for each stanza', () => {
    const one = `<message>${'x'.repeat(150)}</message>`
    const read = readStream([HEADER, ...Array.from({ length: 50 }, () => `${one} ${one}`)], { bytes: 200 })
    expect([read.children.length, read.excesses, read.faults]).toEqual([100, [], []])
  })
})

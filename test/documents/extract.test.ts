import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { KNOWN_EXTENSIONS } from '../../src/documents/extensions.ts'
import { documentsFor, elementOf, inBand, onlySubmission, rejectionOf, sealed, stanzaOf, typeOf } from './given.ts'

const documents = await documentsFor([typeOf('order'), typeOf('bare', { identify: { xml: { root: 'bare' } } })])
const extract = (xml: string, kind?: 'publish' | 'event') => documents.extract(stanzaOf(xml, kind))
const only = (xml: string) => onlySubmission(extract(xml))

describe('which element is the document', () => {
  const order = "<order xmlns='urn:order'/>"
  it.each([
    ['the one child of an iq', `<iq>${order}</iq>`],
    ['the one unknown child of a message', `<message>${order}</message>`],
    [
      'the child beside a body, a thread and known extensions',
      `<message><body>look</body><thread>1</thread>${order}<request xmlns='urn:xmpp:receipts'/><delay xmlns='urn:xmpp:delay' stamp='x'/></message>`,
    ],
    ['the registered child beside an unknown one', `<message><extra xmlns='urn:extra'/>${order}</message>`],
    ['the child of <submit/> in an iq', `<iq><submit xmlns='urn:waybill:0'>${order}</submit></iq>`],
    [
      'the child of <submit/> in a message with a body',
      `<message><body>b</body><submit xmlns='urn:waybill:0'>${order}</submit></message>`,
    ],
  ])('%s', (_, xml) => {
    expect(only(xml).document.rootName).toBe('{urn:order}order')
  })

  it('an unknown child is a document too, so that its sender hears of its type', () => {
    const { document } = only("<message><what xmlns='urn:what'/></message>")
    const identified = documents.identify(document)
    expect(identified.kind === 'rejected' && identified.rejection.kind).toBe('unknown-type')
  })

  it.each([
    ['an iq without child', '<iq/>', 'no-document'],
    ['a message with a body alone', '<message><body>hello</body></message>', 'no-document'],
    ['an empty <submit/>', "<iq><submit xmlns='urn:waybill:0'/></iq>", 'no-document'],
    ['a <submit/> within another', "<iq><submit xmlns='urn:waybill:0'><submit/></submit></iq>", 'unknown-type'],
    ['an iq with two children', `<iq>${order}${order}</iq>`, 'several-documents'],
    [
      'a message with two unknown children',
      "<message><a xmlns='urn:a'/><b xmlns='urn:b'/></message>",
      'several-documents',
    ],
    ['a message with two registered children', `<message>${order}${order}</message>`, 'several-documents'],
    [
      'a message with a document beside <submit/>',
      `<message><submit xmlns='urn:waybill:0'>${order}</submit>${order}</message>`,
      'several-documents',
    ],
    [
      'a message with two <submit/>',
      `<message><submit xmlns='urn:waybill:0'>${order}</submit><submit xmlns='urn:waybill:0'>${order}</submit></message>`,
      'several-documents',
    ],
    ['a <submit/> with two', `<iq><submit xmlns='urn:waybill:0'>${order}${order}</submit></iq>`, 'several-documents'],
  ])('%s is rejected', (_, xml, kind) => {
    expect(rejectionOf(extract(xml)).kind).toBe(kind)
  })

  it.each(KNOWN_EXTENSIONS.map(({ namespace, names }) => [namespace, names?.[0] ?? 'x']))(
    'a message with nothing but an element of %s is ignored',
    (namespace, name) => {
      const stanza = stanzaOf(`<message><${name} xmlns='${namespace}'/></message>`)
      expect(documents.extract(stanza)).toEqual({ kind: 'ignored' })
      expect(documents.carriesNothing(stanza)).toBe(true)
    },
  )

  it.each([
    ['an empty message', '<message/>', true],
    ['a subject', '<message><subject>s</subject></message>', true],
    ['a body', '<message><body>b</body></message>', false],
    ['a document', `<message>${order}</message>`, false],
    ['an iq', '<iq/>', false],
  ])('%s carries nothing: %s', (_, xml, expected) => {
    expect(documents.carriesNothing(stanzaOf(xml as string))).toBe(expected)
  })
})

describe('options of <submit/>', () => {
  it.each([
    ['', 'all'],
    ["type='chat'", 'all'],
    ["type='headline'", undefined],
    ["type='groupchat'", undefined],
  ])('a report asked for in a message with %s: %s', (type, report) => {
    const wrapper = `<submit xmlns='urn:waybill:0' report='all' key='k'><order xmlns='urn:order'/></submit>`
    expect(only(`<message ${type}>${wrapper}</message>`).submit).toEqual(report ? { report, key: 'k' } : { key: 'k' })
  })

  const submit = (attributes: string) =>
    `<iq><submit xmlns='urn:waybill:0' ${attributes}><order xmlns='urn:order'/></submit></iq>`
  it.each([
    ["expires='PT10M'", { expiresMs: 600_000 }],
    ["expires='P1DT12H'", { expiresMs: 129_600_000 }],
    ["expires='P2W'", { expiresMs: 1_209_600_000 }],
    ["expires='PT0.5S'", { expiresMs: 500 }],
    ["report='failed'", { report: 'failed' }],
    ["key='4711' report='all' expires='PT1H'", { key: '4711', report: 'all', expiresMs: 3_600_000 }],
    ['', {}],
  ])('%s', (attributes, expected) => {
    expect(only(submit(attributes)).submit).toEqual(expected)
  })

  it.each([
    '',
    'P',
    'PT',
    '10M',
    'PT10',
    'P1Y',
    'P1M',
    'PT0S',
    '-PT1M',
    'P1DT',
    'P1W2D',
    'PT1.M',
    'P99999999D',
    'pt1m',
  ])('expires=%j is malformed, with a finding', (expires) => {
    const { kind, findings } = rejectionOf(extract(submit(`expires='${expires}'`)))
    expect({ kind, rule: findings[0]?.rule, value: findings[0]?.value }).toEqual({
      kind: 'malformed',
      rule: 'expires',
      value: expires,
    })
  })

  it('tells all bad values at once', () => {
    const { findings } = rejectionOf(extract(submit("expires='soon' report='maybe' key=''")))
    expect(findings.map(({ rule }) => rule)).toEqual(['expires', 'report', 'key'])
  })
})

describe('items', () => {
  const publish = (items: string) =>
    `<iq id='p'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='in/1'>${items}</publish></pubsub></iq>`
  const event = (items: string) =>
    `<message><event xmlns='http://jabber.org/protocol/pubsub#event'><items node='in'>${items}</items></event></message>`

  it('are taken each with its id, or without', () => {
    const extraction = extract(
      publish("<item id='a'><order xmlns='urn:order'/></item><item><order xmlns='urn:order'/></item>"),
      'publish',
    )
    expect(
      extraction.kind === 'submissions' &&
        extraction.submissions.map(({ origin }) => [origin.node, origin.item, origin.stanza]),
    ).toEqual([
      ['in/1', 'a', 'publish'],
      ['in/1', '', 'publish'],
    ])
  })

  it.each([
    ['an item without payload', "<item id='a'><order xmlns='urn:order'/></item><item id='b'/>", 'no-document', 'b'],
    ['an item with two payloads', "<item id='c'><a xmlns='urn:a'/><a xmlns='urn:a'/></item>", 'several-documents', 'c'],
    ['an item with a bad payload', "<item id='d'><data xmlns='urn:xmpp:bob'>AA==</data></item>", 'malformed', 'd'],
    ['no item', '', 'no-document', undefined],
  ])('%s rejects all of them and is named', (_, items, kind, item) => {
    const rejection = rejectionOf(extract(publish(items), 'publish'))
    expect({ kind: rejection.kind, item: rejection.item }).toEqual({ kind, item })
  })

  it('come in events', () => {
    const extraction = extract(event("<item id='x'><order xmlns='urn:order'/></item>"), 'event')
    expect(onlySubmission(extraction).origin).toMatchObject({ stanza: 'event', node: 'in', item: 'x' })
  })

  it('an event of retractions is ignored', () => {
    expect(extract(event("<retract id='x'/>"), 'event')).toEqual({ kind: 'ignored' })
  })

  it('an item that was published without its payload is rejected by name', () => {
    expect(rejectionOf(extract(event("<item id='x'/>"), 'event'))).toMatchObject({ kind: 'no-document', item: 'x' })
  })

  it('don’t inherit the namespace of what they stand in', () => {
    expect(onlySubmission(extract(publish('<item><bare/></item>'), 'publish')).document.rootName).toBe('bare')
  })
})

describe('what is around a document is bounded', () => {
  const prefixes = (count: number, uri = 'urn:p') =>
    Array.from({ length: count }, (_, at) => `xmlns:p${at}='${uri}'`).join(' ')
  const items = (around: string, item: string, count: number) =>
    extract(
      `<iq><pubsub xmlns='http://jabber.org/protocol/pubsub' ${around}><publish node='n'>${item.repeat(count)}</publish></pubsub></iq>`,
      'publish',
    )
  const order = "<item><o:order xmlns:o='urn:order'/></item>"

  it.each([
    ['an iq’s', `<iq ${prefixes(9)}><bare xmlns=''/></iq>`, `<iq ${prefixes(10)}><bare xmlns=''/></iq>`],
    [
      'a message’s',
      `<message ${prefixes(9)}><bare xmlns=''/></message>`,
      `<message ${prefixes(10)}><bare xmlns=''/></message>`,
    ],
    [
      'a wrapper’s',
      `<iq><submit xmlns='urn:waybill:0' ${prefixes(9)}><bare xmlns=''/></submit></iq>`,
      `<iq><submit xmlns='urn:waybill:0' ${prefixes(10)}><bare xmlns=''/></submit></iq>`,
    ],
    [
      'those around it and its own',
      `<iq ${prefixes(9)}><bare xmlns=''/></iq>`,
      `<iq ${prefixes(9)}><bare xmlns='' xmlns:q='u'/></iq>`,
    ],
  ])('%s declarations count as attributes of the root', (_, within, beyond) => {
    expect(extract(within).kind).toBe('submissions')
    const rejection = rejectionOf(extract(beyond))
    expect(rejection.kind).toBe('too-large')
    expect(rejection.text).toContain('it has 11 attributes on one element, the limit is 10')
  })

  it('declarations around items count, of which each has all', () => {
    expect(items(prefixes(9), order, 3).kind).toBe('submissions')
    expect(rejectionOf(items(prefixes(10), order, 5_000)).kind).toBe('too-large')
  })

  it('items have what is around them in common: it is made once', () => {
    const extraction = items(prefixes(5), '<item><bare/></item>', 100)
    if (extraction.kind !== 'submissions') throw new Error(`It was ${extraction.kind}`)
    const made = extraction.submissions.map(
      ({ document: { content } }) => content.kind === 'xml' && content.root.namespaces,
    )
    expect(new Set(made).size).toBe(1)
    expect(made[0]).toMatchObject({ p0: 'urn:p', p4: 'urn:p' })
  })

  it.each([
    ['few long namespaces', prefixes(1, `urn:${'x'.repeat(19_000)}`), '<item><bare/></item>', 200, 250],
    ['many short ones', prefixes(9, 'u'), order, 7_000, 7_500],
  ])('%s, repeated on too many items, are too large', (_, around, item, within, beyond) => {
    expect(items(around, item, within).kind).toBe('submissions')
    const { kind, text } = rejectionOf(items(around, item, beyond))
    expect({ kind, text }).toEqual({
      kind: 'too-large',
      text: expect.stringMatching(
        /^Cannot take the items: .* come to more than 4194304 bytes; declare them in the items/,
      ),
    })
  })

  it('items without use for it have as much around them as they like', () => {
    const sealedItem = "<item><data xmlns='urn:xmpp:bob' type='text/xml'>PGEvPg==</data></item>"
    expect(items(prefixes(20, `urn:${'x'.repeat(19_000)}`), sealedItem, 1_000).kind).toBe('submissions')
  })

  it('a namespace that has to be declared on each element is not written for ever', () => {
    const text = (count: number) => `<order xmlns='urn:order'>${'<j:a/>'.repeat(count)}</order>`
    const { kind, text: told } = rejectionOf(extract(`<iq xmlns:j='jabber:${'x'.repeat(9_000)}'>${text(1_000)}</iq>`))
    expect({ kind, told }).toEqual({
      kind: 'too-large',
      told: expect.stringMatching(/it has 2\d{4} bytes, the limit is/),
    })
  })

  it('items whose documents come to more than 32 MiB are too large', () => {
    const item = `<item><order xmlns='urn:order'>${'<j:a/>'.repeat(2)}</order></item>`
    const { kind, text } = rejectionOf(items(`xmlns:j='jabber:${'x'.repeat(9_000)}'`, item, 2_000))
    expect({ kind, text }).toEqual({
      kind: 'too-large',
      text: expect.stringMatching(/^Cannot take the items: .* come to more than 33554432 bytes; send fewer/),
    })
  })
})

describe('an in-band document stands by itself', () => {
  it('has the prefixes that are bound on the stanza', () => {
    const xml =
      "<iq xmlns:o='urn:order' xmlns:xs='http://www.w3.org/2001/XMLSchema'><o:order a='xs:int'><o:id/></o:order></iq>"
    const root = elementOf(only(xml).document.payload as string)
    expect({ uri: root.uri, xs: root.namespaces?.xs }).toEqual({
      uri: 'urn:order',
      xs: 'http://www.w3.org/2001/XMLSchema',
    })
  })

  it('prefers its own declarations to those around it', () => {
    const xml = "<iq xmlns:p='urn:outer'><p:order xmlns:p='urn:order'/></iq>"
    expect(elementOf(only(xml).document.payload as string).uri).toBe('urn:order')
  })

  it.each([
    ['a root without declaration', '<iq><bare><x/></bare></iq>'],
    ['a root with xmlns=""', "<iq><bare xmlns=''><x/></bare></iq>"],
    ['one in <submit/>', "<iq><submit xmlns='urn:waybill:0'><bare><x/></bare></submit></iq>"],
    ['one in a message', '<message><bare><x/></bare></message>'],
  ])('%s has no namespace: the stream’s is not its own', (_, xml) => {
    const { document } = only(xml)
    expect(document.rootName).toBe('bare')
    expect(document.payload).not.toContain('jabber:')
    expect(document.payload).not.toContain('waybill')
  })

  it('children that inherit the stream’s namespace under a prefixed root lose it too', () => {
    const { payload } = only("<iq xmlns:o='urn:order'><o:order><plain/></o:order></iq>").document
    expect(elementOf(payload as string).children).toMatchObject([{ name: 'plain', uri: '' }])
  })

  it('keeps a stanza that it declares within itself, as forwarded ones', () => {
    const { payload } = only("<iq><order xmlns='urn:order'><message xmlns='jabber:client'/></order></iq>").document
    expect(elementOf(payload as string).children).toMatchObject([{ name: 'message', uri: 'jabber:client' }])
  })

  it.each([
    ['white space', '  a\n\t b '],
    ['entities', '&lt;&amp;&gt;&quot;&apos;'],
    ['CDATA', '<![CDATA[<x>&amp;]]>'],
    ['character references', '&#x20AC;&#13;&#10;'],
    ['characters of four bytes', '😀𝄞'],
  ])('keeps %s equal in value', (_, text) => {
    const xml = `<order xmlns='urn:order' a="${text.startsWith('<!') ? '' : text}">${text}</order>`
    const again = elementOf(inBand(documents, xml).payload as string)
    const sent = elementOf(xml)
    expect(again.children).toEqual(sent.children)
    expect(again.attributes).toEqual(sent.attributes)
  })
})

describe('carriage', () => {
  const cid = (algorithm: 'sha1' | 'sha256', bytes: string) =>
    `${algorithm}+${createHash(algorithm).update(bytes).digest('hex')}@bob.xmpp.org`
  const data = (attributes: string, content: string) =>
    `<iq><data xmlns='urn:xmpp:bob' ${attributes}>${Buffer.from(content).toString('base64')}</data></iq>`
  const xml = '<?xml version="1.0"?><!-- c --><order xmlns="urn:order"><?pi x?>a<!-- b -->b</order>'

  it('sealed XML is kept byte for byte, and seen without comments and processing instructions', () => {
    const { document } = only(data("type='application/xml'", xml))
    expect(Buffer.from(document.payload as Uint8Array).toString()).toBe(xml)
    expect(document).toMatchObject({
      form: 'sealed',
      mediaType: 'application/xml',
      rootName: '{urn:order}order',
      bytes: xml.length,
    })
    expect(document.content).toMatchObject({ kind: 'xml', root: { children: ['ab'] } })
    expect(document.digest).toBe(createHash('sha256').update(xml).digest('hex'))
  })

  it.each([
    ['sha1', cid('sha1', xml)],
    ['sha256', cid('sha256', xml)],
    ['upper case', cid('sha256', xml).toUpperCase().replace('@BOB.XMPP.ORG', '@bob.xmpp.org')],
  ])('a right cid in %s is accepted', (_, value) => {
    expect(only(data(`type='text/xml' cid='${value}'`, xml)).document.mediaType).toBe('text/xml')
  })

  it.each([
    ['application/json', 'json'],
    ['application/vnd.x+json; charset=utf-8', 'json'],
    ['Application/ATOM+XML', 'xml'],
    ['image/png', 'opaque'],
    ['text/plain', 'opaque'],
  ])('%s is taken as %s', (type, kind) => {
    const content = kind === 'json' ? '{"a":1}' : '<order xmlns="urn:order"/>'
    const { document } = only(data(`type='${type}'`, content))
    expect({ kind: document.content.kind, mediaType: document.mediaType }).toEqual({
      kind,
      mediaType: type.split(';')[0]!.toLowerCase(),
    })
  })

  it.each([
    ['text/csv; charset=iso-8859-1; header=absent', 'text/csv; charset=iso-8859-1; header=absent'],
    ['application/xml;charset=utf-8', 'application/xml;charset=utf-8'],
    ['Image/PNG', 'Image/PNG'],
    ['image/png', undefined],
    ['application/xml', undefined],
  ])('the media type %s is kept as it came where that is not its name alone', (type, contentType) => {
    const { document } = only(data(`type='${type}'`, '<order xmlns="urn:order"/>'))
    expect(document.contentType).toBe(contentType)
    expect(document.mediaType).toBe(type.split(';')[0]!.toLowerCase())
  })

  it('a media type that is very long is malformed', () => {
    const typed = (length: number) => data(`type='${'text/csv; a='.padEnd(length, 'b')}'`, 'a;b')
    expect(only(typed(1_000)).document.mediaType).toBe('text/csv')
    expect(rejectionOf(documents.extract(stanzaOf(typed(1_001))))).toMatchObject({
      kind: 'malformed',
      text: 'Cannot read <data/>: its type has 1001 characters, at most 1000 are read',
    })
  })

  it('base64 may be broken into lines', () => {
    const base64 = Buffer.from(xml)
      .toString('base64')
      .replace(/(.{20})/g, '$1\r\n ')
    expect(only(`<iq><data xmlns='urn:xmpp:bob' type='text/xml'>\n${base64}\n</data></iq>`).document.bytes).toBe(
      xml.length,
    )
  })

  it('JSON comes in a container, and with a datatype', () => {
    const container = only("<message><json xmlns='urn:xmpp:json:0'>{&quot;a&quot;:1}</json></message>").document
    expect(container).toMatchObject({
      form: 'json',
      mediaType: 'application/json',
      payload: '{"a":1}',
      content: { kind: 'json', value: { a: 1 } },
    })
    const message = only(
      "<message><payload xmlns='urn:xmpp:json-msg:0' datatype='urn:d'><json xmlns='urn:xmpp:json:0'>[1]</json></payload></message>",
    ).document
    expect(message).toMatchObject({ form: 'json-message', datatype: 'urn:d', content: { kind: 'json', value: [1] } })
  })

  it('an encrypted element is opaque, whatever its name', () => {
    const xml =
      "<message><body>encrypted</body><order xmlns='urn:order'><iv/></order><encryption xmlns='urn:xmpp:eme:0' namespace='urn:order'/></message>"
    const { document } = only(xml)
    expect(document).toMatchObject({
      form: 'element',
      content: { kind: 'opaque' },
      rootName: '',
      mediaType: 'application/xmpp+xml',
    })
    expect(documents.identify(document)).toEqual({ kind: 'opaque' })
  })

  it.each([
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff<a>é€</a>`)],
    ['UTF-16, little end first', Buffer.from('\ufeff<?xml version="1.0" encoding="UTF-16"?><a>é€</a>', 'utf16le')],
    ['UTF-16, big end first', Buffer.from('\ufeff<a>é€</a>', 'utf16le').swap16()],
    ['ISO-8859-1', Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>é</a>', 'latin1')],
    ['US-ASCII', Buffer.from('<?xml version="1.0" encoding="us-ascii"?><a>&#233;</a>')],
  ])('%s is read', (_, bytes) => {
    expect(sealed(documents, bytes).content).toMatchObject({
      kind: 'xml',
      root: { children: [expect.stringContaining('é')] },
    })
  })

  it('JSON with a byte order mark is read', () => {
    expect(sealed(documents, '\ufeff{"a":1}', 'application/json').content).toEqual({ kind: 'json', value: { a: 1 } })
  })
})

describe('what travels beside the document', () => {
  it('headers and hops', () => {
    const { origin } = only(
      "<message id='m1' from='a@x.test/r'><headers xmlns='http://jabber.org/protocol/shim'><header name='Keywords'>urgent</header><header name='__proto__'>x</header></headers><via xmlns='urn:waybill:0' id='i' hops='3'/><order xmlns='urn:order'/></message>",
    )
    expect(origin).toMatchObject({ from: 'a@x.test/r', stanza: 'message', stanzaId: 'm1', hops: 3, node: '', item: '' })
    expect(Object.entries(origin.headers)).toEqual([
      ['Keywords', 'urgent'],
      ['__proto__', 'x'],
    ])
  })

  it('the largest count of hops counts, and a <via/> without count is one', () => {
    const via = (hops: string) => `<via xmlns='urn:waybill:0' ${hops}/>`
    expect(only(`<message>${via("hops='2'")}${via("hops='5'")}<order xmlns='urn:order'/></message>`).origin.hops).toBe(
      5,
    )
    expect(
      only(`<iq><submit xmlns='urn:waybill:0'>${via('')}<order xmlns='urn:order'/></submit></iq>`).origin.hops,
    ).toBe(1)
  })
})

describe('the digest of an in-band document', () => {
  const digest = (xml: string) => inBand(documents, xml).digest
  const base = digest("<order xmlns='urn:order' a='1' b='2'>x<id/></order>")

  it.each([
    ['prefixes', "<o:order xmlns:o='urn:order' a='1' b='2'>x<o:id/></o:order>"],
    ['the order of attributes', "<order b='2' a='1' xmlns='urn:order'>x<id/></order>"],
    ['CDATA', "<order xmlns='urn:order' a='1' b='2'><![CDATA[x]]><id></id></order>"],
    ['unused declarations', "<order xmlns='urn:order' xmlns:u='urn:unused' a='1' b='2'>x<id/></order>"],
  ])('does not depend on %s', (_, xml) => {
    expect(digest(xml)).toBe(base)
  })

  it.each([
    ['text', "<order xmlns='urn:order' a='1' b='2'>y<id/></order>"],
    ['white space', "<order xmlns='urn:order' a='1' b='2'>x <id/></order>"],
    ['an attribute’s value', "<order xmlns='urn:order' a='1' b='3'>x<id/></order>"],
    ['an attribute’s namespace', "<order xmlns='urn:order' a='1' xmlns:p='urn:p' p:b='2'>x<id/></order>"],
    ['a name', "<order xmlns='urn:order' a='1' b='2'>x<ix/></order>"],
    ['a namespace', "<order xmlns='urn:order2' a='1' b='2'>x<id/></order>"],
    ['where the text stands', "<order xmlns='urn:order' a='1' b='2'><id>x</id></order>"],
    ['the order of children', "<order xmlns='urn:order' a='1' b='2'><id/>x</order>"],
  ])('depends on %s', (_, xml) => {
    expect(digest(xml)).not.toBe(base)
  })
})

import { describe, expect, it } from 'vitest'
import { parseDocumentFile, rehydrate, toElementText } from '../../src/documents/documents.ts'
import { documentsFor, elementOf, inBand, limits, onlySubmission, sealed, stanzaOf, typeOf } from './given.ts'

const documents = await documentsFor([typeOf('order')])

describe('a document again from what is stored', () => {
  const encrypted =
    "<message><e xmlns='urn:e'>secret</e><encryption xmlns='urn:xmpp:eme:0' namespace='urn:e'/></message>"
  it.each([
    ['an element', inBand(documents, "<o:order xmlns:o='urn:order' b='1' a='2'>x &amp; <o:y/></o:order>")],
    ['JSON', inBand(documents, "<json xmlns='urn:xmpp:json:0'>{&quot;a&quot;:[1]}</json>")],
    [
      'JSON with a datatype',
      inBand(
        documents,
        "<payload xmlns='urn:xmpp:json-msg:0' datatype='urn:d'><json xmlns='urn:xmpp:json:0'>1</json></payload>",
      ),
    ],
    ['sealed XML', sealed(documents, '<?xml version="1.0"?><!-- c --><order xmlns="urn:order">é</order>')],
    ['sealed JSON', sealed(documents, '{"a":1}', 'application/json')],
    ['opaque bytes', sealed(documents, Buffer.from([0, 255, 1]), 'image/png')],
    ['an encrypted element', onlySubmission(documents.extract(stanzaOf(encrypted))).document],
  ])('%s is the same', (_, document) => {
    const { form, mediaType, datatype, payload } = document
    const again = rehydrate(form, mediaType, datatype, Buffer.from(payload as string))
    expect({ ...again, content: undefined, payload: undefined }).toEqual({
      ...document,
      // May be a getter of its class.
      digest: document.digest,
      content: undefined,
      payload: undefined,
    })
    expect(Buffer.from(again.payload as string)).toEqual(Buffer.from(payload as string))
    expect(documents.identify(again)).toEqual(documents.identify(document))
  })

  it('says so where the payload is another', () => {
    expect(() => rehydrate('element', 'application/xml', '', Buffer.from('<broken'))).toThrow(
      'Cannot read a stored document again',
    )
  })
})

describe('a sealed XML document as an element', () => {
  it('has elements, attributes and text only', () => {
    const text = toElementText(
      Buffer.from(
        '\ufeff<?xml version="1.0"?><!-- c --><?pi?><p:a xmlns:p="urn:p" xmlns:unused="urn:u" x="&#10;"><![CDATA[<]]>\n<!-- d --></p:a><!-- e -->',
      ),
    )
    expect(text).toBe('<p:a xmlns:p="urn:p" xmlns:unused="urn:u" x="&#10;">&lt;\n</p:a>')
  })

  it('says the same as before', () => {
    const xml = '<a xmlns="urn:a"> <b xmlns="" c="1"/>&amp;é😀</a>'
    expect(elementOf(toElementText(Buffer.from(xml))!)).toEqual(elementOf(xml))
  })

  it.each([
    ['JSON', '{"a":1}'],
    ['nothing', ''],
    ['broken XML', '<a>'],
    ['a DOCTYPE', '<!DOCTYPE a><a/>'],
    ['no UTF-8', Buffer.from([0x3c, 0xff])],
  ])('%s is none', (_, bytes) => {
    expect(toElementText(Buffer.from(bytes as string))).toBeUndefined()
  })
})

describe('a document from a file', () => {
  it.each([
    ['order.xml', '<a/>', 'application/xml', 'xml'],
    ['reading.JSON', '[1]', 'application/json', 'json'],
    ['without-ending', ' \n<a/>', 'application/xml', 'xml'],
    ['without-ending', '{"a":1}', 'application/json', 'json'],
    ['picture.png', Buffer.from([0x89, 0x50]), 'application/octet-stream', 'opaque'],
    ['samples/order', '<a/>', 'application/xml', 'xml'],
    ['/home/me/order', '<a/>', 'application/xml', 'xml'],
    ['wide.txt', Buffer.from('\ufeff<a/>', 'utf16le'), 'application/xml', 'xml'],
  ])('%s', (file, bytes, mediaType, kind) => {
    const parsed = parseDocumentFile(Buffer.from(bytes as string), file, limits)
    expect(parsed).toMatchObject({ kind: 'document', document: { form: 'sealed', mediaType, content: { kind } } })
  })

  it('is rejected as a stanza would be', () => {
    expect(parseDocumentFile(Buffer.from('<a>'), 'a.xml', limits)).toMatchObject({
      kind: 'rejected',
      rejection: { kind: 'malformed' },
    })
  })
})

import { describe, expect, it } from 'vitest'
import { readRngSchema } from '../../../src/documents/rng/read-grammar.ts'
import { BUNDLE } from '../../../src/documents/schema-files.ts'
import { reviewXPath } from '../../../src/documents/xsd/review-xpath.ts'
import { startWalk } from '../../../src/documents/xsd/walk.ts'

const NAMESPACES = { n: 'urn:n', o: 'urn:other' }

function remarksOn(xpath: string, files: Readonly<Record<string, string>>): readonly string[] {
  const bytes = Object.entries(files).map(([path, text]) => {
    const whole = text.replace('>', ' xmlns="http://relaxng.org/ns/structure/1.0" xmlns:o="urn:other">')
    return [BUNDLE + path, new TextEncoder().encode(whole)] as const
  })
  const schema = readRngSchema({ files: new Map(bytes), url: bytes[0]![0] })
  return reviewXPath(xpath, startWalk(schema, '{urn:n}news', NAMESPACES)).remarks.map(({ message }) => message)
}

const GRAMMAR = `<grammar ns="urn:n" datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes">
  <include href="common.rng"><define name="kind"><element name="kind"><choice><value>product</value><value>event</value></choice></element></define></include>
  <start><element name="news"><interleave>
    <element name="title"><text/></element>
    <zeroOrMore><ref name="item"/></zeroOrMore>
    <optional><attribute name="lang"><data type="language"/></attribute></optional>
    <optional><attribute name="state"><choice><value>draft</value><value>final</value></choice></attribute></optional>
    <ref name="kind"/><ref name="extra"/>
  </interleave></element></start>
  <define name="item"><element name="item"><mixed><zeroOrMore><ref name="item"/></zeroOrMore><ref name="when"/></mixed></element></define>
  <define name="when" combine="interleave"><element name="o:when"><data type="date"/></element></define>
  <define name="extra"><element><choice><name>more</name><name ns="urn:other">most</name></choice><empty/></element></define>
</grammar>`
const FILES = {
  'a.rng': GRAMMAR,
  'common.rng':
    '<grammar ns="urn:n"><define name="kind"><element name="replaced"><text/></element></define><define name="free"><element><anyName/><text/></element></define></grammar>',
}

describe('a RELAX NG grammar', () => {
  it.each([
    '/n:news/n:title',
    '/n:news/@lang',
    "/n:news/@state = 'draft'",
    '/n:news/n:item/n:item/n:item/o:when',
    '//o:when',
    "/n:news/n:kind = 'product'",
    '/n:news/n:more | /n:news/o:most',
    '/n:news/n:item/text()',
    '/n:news/n:title/text()',
  ])('has a place for %s', (xpath) => expect(remarksOn(xpath, FILES)).toEqual([]))

  it.each([
    ['/n:news/n:titel', 'did you mean "n:title"?'],
    ['/n:news/title', 'did you mean "n:title"?'],
    ['/n:news/n:item/n:title', 'no n:title stand in n:item'],
    ['/n:news/n:title/n:b', 'no n:b stand in n:title'],
    ['/n:news/@language', 'no @language stand in n:news'],
    ['/n:news/@n:lang', 'did you mean "@lang"?'],
    ['/n:news/n:replaced', 'no n:replaced stand in n:news'],
    ['//n:nothing', 'no n:nothing stand anywhere'],
    ["/n:news/@state = 'open'", 'the schema lists draft, final'],
    ["/n:news/n:kind = 'products'", 'did you mean "product"?'],
    ['//o:when > 2026', 'is never a number'],
    ['/n:feed', 'stand at the root, which is n:news'],
  ])('has none for %s', (xpath, reason) => {
    expect(remarksOn(xpath, FILES)).toEqual([expect.stringContaining(reason)])
  })

  it.each([
    ['a file that is not there', { 'a.rng': GRAMMAR }],
    [
      'a definition that is not there',
      { ...FILES, 'a.rng': GRAMMAR.replace('<ref name="extra"/>', '<ref name="gone"/>') },
    ],
    ['any name', { ...FILES, 'a.rng': GRAMMAR.replace('<ref name="extra"/>', '<ref name="free"/>') }],
    [
      'two roots of one name',
      {
        ...FILES,
        'a.rng': GRAMMAR.replace(
          '</start>',
          '</start><start combine="choice"><element name="news"><empty/></element></start>',
        ),
      },
    ],
  ])('that leaves something open by %s has a place for everything', (_, files) => {
    expect(remarksOn('/n:news/n:titel', files as Readonly<Record<string, string>>)).toEqual([])
  })

  it('may be one pattern without definitions', () => {
    const files = { 'a.rng': '<element name="news" ns="urn:n"><element name="a"><text/></element></element>' }
    expect(remarksOn('/n:news/n:a', files)).toEqual([])
    expect(remarksOn('/n:news/n:b', files)).toHaveLength(1)
  })
})

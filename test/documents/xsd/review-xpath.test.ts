import { describe, expect, it } from 'vitest'
import { readXsdSchema } from '../../../src/documents/xsd/read-schema.ts'
import { reviewXPath } from '../../../src/documents/xsd/review-xpath.ts'
import { startWalk } from '../../../src/documents/xsd/walk.ts'
import { xsd } from './given.ts'

const NAMESPACES = { t: 'urn:t', u: 'urn:u', xsi: 'http://www.w3.org/2001/XMLSchema-instance' }

const SCHEMA = xsd({
  'a.xsd': [
    `<xs:element name="root" type="Root"/>
    <xs:element name="head" abstract="true" type="xs:string"/>
    <xs:element name="member" substitutionGroup="head" type="State"/>
    <xs:complexType name="Root"><xs:sequence>
      <xs:element name="state" type="State"/>
      <xs:element name="nil" type="State" nillable="true"/>
      <xs:element name="text" type="xs:string"/>
      <xs:element ref="head"/>
      <xs:element name="base" type="Base"/>
      <xs:element name="mixed"><xs:complexType mixed="true"><xs:sequence><xs:element name="b" type="xs:string"/></xs:sequence></xs:complexType></xs:element>
      <xs:element name="lax"><xs:complexType><xs:sequence><xs:any namespace="urn:u" processContents="lax"/></xs:sequence></xs:complexType></xs:element>
      <xs:element name="strict"><xs:complexType><xs:sequence><xs:any/></xs:sequence></xs:complexType></xs:element>
      <xs:element name="anything"/>
    </xs:sequence><xs:attribute ref="xml:lang"/><xs:attribute name="id" type="xs:int"/></xs:complexType>
    <xs:complexType name="Base"><xs:sequence><xs:element name="one" type="xs:date"/></xs:sequence></xs:complexType>
    <xs:complexType name="Derived"><xs:complexContent><xs:extension base="Base"><xs:sequence><xs:element name="two" type="xs:string"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>
    <xs:complexType name="Measured"><xs:simpleContent><xs:extension base="xs:string"><xs:attribute name="unit"/></xs:extension></xs:simpleContent></xs:complexType>
    <xs:simpleType name="State"><xs:restriction base="xs:token"><xs:enumeration value="on"/><xs:enumeration value="off"/></xs:restriction></xs:simpleType>`,
    'targetNamespace="urn:t" xmlns="urn:t" elementFormDefault="qualified"',
  ],
})

const review = (xpath: string) => reviewXPath(xpath, startWalk(readXsdSchema(SCHEMA), '{urn:t}root', NAMESPACES))

describe('a path that may exist', () => {
  it.each([
    '/t:root',
    '/*/t:state',
    't:root/t:state',
    '/t:root/@xml:lang',
    '/t:root/@xsi:schemaLocation',
    '/t:root/t:state/@xsi:type',
    '/t:root/t:member',
    // By xsi:type.
    '/t:root/t:base/t:two',
    '/t:root/t:text/@unit',
    '/t:root/t:mixed/text()',
    '/t:root/t:lax/u:whatever/t:nothing/@x',
    '/t:root/t:strict/t:member',
    '/t:root/t:anything/t:x/u:y',
    '/t:root/t:state/..',
    '/t:root/t:state/following-sibling::t:unknown',
    '/t:root/comment()',
    '/t:root/node()',
    '//t:one/ancestor::t:whatever',
    "id('x')/t:nothing",
    '//t:whatever',
    "/t:root[t:state = 'on']/t:text",
    "/t:root/t:nil = ''",
    "/t:root/t:mixed = 'x'",
    '/t:root/@id = 5',
    "/t:root/t:state != 'gone'",
    "normalize-space(/t:root/t:state) = 'ON'",
    '/t:root/t:text > 5',
    '/t:root/t:text > /t:root/@id',
    "translate(/t:root/t:base/t:one, '-', '') > 20260101",
    'count(/t:root/t:base/t:one) >= 1',
    "(/t:root/t:state = 'on') > /t:root/t:base/t:one",
    // That the text is no number is told without the schema.
    "/t:root/t:base/t:one >= '2026-01-01'",
  ])('%s', (xpath) => expect(review(xpath).remarks).toEqual([]))
})

describe('a path that can not exist', () => {
  it.each([
    ['/root', 'stand at the root, which is t:root (did you mean "t:root"?)'],
    ['/t:root/t:head', 'No valid document has /t:root/t:head'],
    ['/t:root/t:state/t:x', 'no t:x stand in t:state'],
    ['/t:root/t:state/@unit', 'no @unit stand in t:state'],
    ['/t:root/@lang', 'did you mean "@xml:lang"?'],
    ['/t:root/t:lax/t:member', 'no t:member stand in t:lax'],
    ['/t:root/t:strict/t:whatever', 'no t:whatever stand in t:strict'],
    ['/t:root/t:base/t:tow', 'did you mean "t:two"?'],
    ['/t:root/@id/t:x', 'no t:x stand in @id'],
    ['/t:root/self::t:other', 'self::t:other'],
    ["/t:root[t:stat = 'on']", 'did you mean "t:state"?'],
  ])('%s', (xpath, reason) => {
    const { remarks } = review(xpath)
    expect(remarks.map(({ code }) => code)).toEqual(['path-impossible'])
    expect(remarks[0]!.message).toContain(reason)
  })
})

describe('a value that can not be', () => {
  it.each([
    ["/t:root/t:state = 'ON'", 'did you mean "on"?'],
    ["/t:root/t:member = 'x'", 'the schema lists on, off'],
    ["/t:root/@id = 'x'", 'its type in the schema admits no such value'],
    ['/t:root/t:base/t:one < 7', 'is never a number'],
    ['/t:root/t:base/t:one >= /t:root/@id', "of a date, translate(substring(DATE, 1, 10), '-', '') makes one"],
    ['/t:root/@id < /t:root/t:state', 't:state is never a number by the schema, and < compares numbers'],
    ['/t:root/t:base/t:one < /t:root/t:state', 't:one is never a number'],
    ["/t:root/t:base/t:one > '7'", 'and > compares numbers'],
    ["/t:root[t:state = 'x']", 't:state is never "x"'],
  ])('%s', (xpath, reason) => {
    const { remarks } = review(xpath)
    expect(remarks.map(({ code }) => code)).toEqual(['value-impossible'])
    expect(remarks[0]!.message).toContain(reason)
  })
})

describe('how many nodes a path selects', () => {
  it.each([
    ['/t:root/t:state', 1],
    ['/t:root/@id', 1],
    ['//t:state', Number.POSITIVE_INFINITY],
    ['/t:root/*', Number.POSITIVE_INFINITY],
    ['count(/t:root)', 1],
    ['/t:root/t:state | /t:root/t:text', Number.POSITIVE_INFINITY],
    ['/t:root/t:anything/t:x', Number.POSITIVE_INFINITY],
  ])('%s: %d', (xpath, most) => expect(review(xpath).most).toBe(most))
})

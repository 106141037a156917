import type { SchemaText } from './given.ts'
import { XS } from './given.ts'

/** What changed, the old and the new version, and what that is backward and forward: yes, no, or unknown. */
export type Pair = readonly [
  what: string,
  old: SchemaText,
  next: SchemaText,
  backward: 'yes' | 'no' | '?',
  forward: 'yes' | 'no' | '?',
]

const root = (content: string, attributes = '') =>
  `<xs:element name="r"><xs:complexType ${attributes}>${content}</xs:complexType></xs:element>`
const seq = (...elements: string[]) => root(`<xs:sequence>${elements.join('')}</xs:sequence>`)
const el = (name: string, type = 'xs:string', more = '') => `<xs:element name="${name}" type="${type}" ${more}/>`
const attribute = (type: string, more = '') => root(`<xs:attribute name="k" type="${type}" ${more}/>`)
const simple = (base: string, ...facets: (readonly [string, string | number])[]) =>
  `<xs:element name="r"><xs:simpleType><xs:restriction base="${base}">${facets
    .map(([name, value]) => `<xs:${name} value="${value}"/>`)
    .join('')}</xs:restriction></xs:simpleType></xs:element>`
const listed = (...values: string[]) => simple('xs:string', ...values.map((value) => ['enumeration', value] as const))
const patterned = (pattern: string) => simple('xs:string', ['pattern', pattern])
const any = (more: string) => root(`<xs:sequence><xs:any ${more}/></xs:sequence>`)
const inNamespace = (content: string, more = '') =>
  `<xs:schema ${XS} targetNamespace="urn:t" xmlns="urn:t" elementFormDefault="qualified" ${more}>${content}</xs:schema>`
const importing = (content: string): SchemaText => ({
  'a.xsd': inNamespace(
    '<xs:import namespace="urn:b" schemaLocation="b.xsd"/><xs:element name="r"><xs:complexType><xs:sequence><xs:element ref="b:v" xmlns:b="urn:b"/></xs:sequence></xs:complexType></xs:element>',
  ),
  'b.xsd': `<xs:schema ${XS} targetNamespace="urn:b" elementFormDefault="qualified">${content}</xs:schema>`,
})
const twoTypes = (one: string, other: string) =>
  seq(
    `<xs:element name="buyer"><xs:complexType><xs:sequence>${el('id', one)}</xs:sequence></xs:complexType></xs:element>`,
    `<xs:element name="seller"><xs:complexType><xs:sequence>${el('id', other)}</xs:sequence></xs:complexType></xs:element>`,
  )
const substitution = (...members: string[]) =>
  `<xs:element name="head" type="xs:string"/>${members
    .map((name) => `<xs:element name="${name}" type="xs:string" substitutionGroup="head"/>`)
    .join('')}${seq('<xs:element ref="head"/>')}`
const derived = (extension: string, types = '') =>
  `<xs:complexType name="Base"><xs:sequence>${el('x')}</xs:sequence></xs:complexType><xs:complexType name="More"><xs:complexContent><xs:extension base="Base"><xs:sequence>${extension}</xs:sequence></xs:extension></xs:complexContent></xs:complexType>${types}${el('r', 'Base')}`
const keyed = (constraint: string) =>
  `<xs:element name="r"><xs:complexType><xs:sequence>${el('i', 'xs:string', 'maxOccurs="9"')}</xs:sequence></xs:complexType>${constraint}</xs:element>`
const tree = (leaf: string) =>
  `<xs:complexType name="Tree"><xs:sequence>${leaf}<xs:element name="n" type="Tree" minOccurs="0" maxOccurs="unbounded"/></xs:sequence></xs:complexType>${el('r', 'Tree')}`

export const XSD_PAIRS: readonly Pair[] = [
  ['nothing', seq(el('a'), el('b')), seq(el('a'), el('b')), 'yes', 'yes'],
  ['a sequence is reordered', seq(el('a'), el('b')), seq(el('b'), el('a')), 'no', 'no'],
  ['a sequence becomes xs:all', seq(el('a'), el('b')), root(`<xs:all>${el('a')}${el('b')}</xs:all>`), 'yes', 'no'],
  ['an optional element is added', seq(el('a')), seq(el('a'), el('b', 'xs:string', 'minOccurs="0"')), 'yes', 'no'],
  ['a required element is added', seq(el('a')), seq(el('a'), el('b')), 'no', 'no'],
  [
    'an element becomes optional',
    seq(el('a'), el('b')),
    seq(el('a'), el('b', 'xs:string', 'minOccurs="0"')),
    'yes',
    'no',
  ],
  ['an element is renamed', seq(el('a')), seq(el('b')), 'no', 'no'],
  ['an element becomes one of two', seq(el('a')), root(`<xs:choice>${el('a')}${el('b')}</xs:choice>`), 'yes', 'no'],
  [
    'a choice is written otherwise',
    root(`<xs:choice>${el('a')}<xs:sequence>${el('b')}${el('c')}</xs:sequence></xs:choice>`),
    root(`<xs:choice><xs:sequence>${el('b')}${el('c')}</xs:sequence>${el('a')}</xs:choice>`),
    'yes',
    'yes',
  ],
  [
    'a sequence within a sequence is dissolved',
    root(`<xs:sequence>${el('a')}<xs:sequence>${el('b')}${el('c')}</xs:sequence></xs:sequence>`),
    seq(el('a'), el('b'), el('c')),
    'yes',
    'yes',
  ],
  [
    'maxOccurs grows',
    seq(el('a', 'xs:string', 'maxOccurs="3"')),
    seq(el('a', 'xs:string', 'maxOccurs="5"')),
    'yes',
    'no',
  ],
  [
    'maxOccurs grows without end',
    seq(el('a', 'xs:string', 'maxOccurs="3"')),
    seq(el('a', 'xs:string', 'maxOccurs="unbounded"')),
    'yes',
    'no',
  ],
  [
    'minOccurs grows',
    seq(el('a', 'xs:string', 'minOccurs="0" maxOccurs="9"')),
    seq(el('a', 'xs:string', 'minOccurs="2" maxOccurs="9"')),
    'no',
    'yes',
  ],
  [
    'counts too large to be written out',
    seq(el('a', 'xs:string', 'minOccurs="0" maxOccurs="900000"')),
    seq(el('a', 'xs:string', 'minOccurs="0" maxOccurs="900001"')),
    'yes',
    '?',
  ],
  [
    'an optional attribute is made required',
    attribute('xs:string'),
    attribute('xs:string', 'use="required"'),
    'no',
    'yes',
  ],
  ['an attribute is added', root(''), attribute('xs:string'), 'yes', 'no'],
  ['a required attribute is added', root(''), attribute('xs:string', 'use="required"'), 'no', 'no'],
  ['an attribute gets a default', attribute('xs:string'), attribute('xs:string', 'default="x"'), 'yes', 'yes'],
  ['an attribute is fixed', attribute('xs:string'), attribute('xs:string', 'fixed="x"'), 'no', 'yes'],
  [
    'a fixed number becomes a fixed text',
    attribute('xs:int', 'fixed="1"'),
    attribute('xs:string', 'fixed="1"'),
    '?',
    '?',
  ],
  ['an attribute’s type narrows', attribute('xs:string'), attribute('xs:int'), 'no', 'yes'],
  ['an attribute without type gets one', root('<xs:attribute name="k"/>'), attribute('xs:string'), 'yes', 'yes'],
  [
    'any attribute is allowed',
    attribute('xs:string'),
    root('<xs:attribute name="k" type="xs:string"/><xs:anyAttribute processContents="lax"/>'),
    'yes',
    'no',
  ],
  [
    'attributes of other namespaces are no longer allowed',
    root('<xs:anyAttribute namespace="##any" processContents="skip"/>'),
    root('<xs:anyAttribute namespace="##local" processContents="skip"/>'),
    'no',
    'yes',
  ],
  [
    'one local name in two types: one of them changes',
    twoTypes('xs:string', 'xs:string'),
    twoTypes('xs:string', 'xs:int'),
    'no',
    'yes',
  ],
  [
    'one local name in two types: they are exchanged',
    twoTypes('xs:string', 'xs:int'),
    twoTypes('xs:int', 'xs:string'),
    'no',
    'no',
  ],
  ['what an import brings narrows', importing(el('v')), importing(el('v', 'xs:date')), 'no', 'yes'],
  ['what an import brings is unused', importing(el('v')), importing(el('v') + el('w')), 'yes', 'no'],
  [
    'the target namespace changes',
    { 'a.xsd': inNamespace(seq(el('a'))) },
    { 'a.xsd': inNamespace(seq(el('a'))).replaceAll('urn:t', 'urn:u') },
    'no',
    'no',
  ],
  [
    'local elements become qualified',
    { 'a.xsd': inNamespace(seq(el('a'))).replace('elementFormDefault="qualified"', '') },
    { 'a.xsd': inNamespace(seq(el('a'))) },
    'no',
    'no',
  ],
  ['an enumeration is widened', listed('a', 'b'), listed('a', 'b', 'c'), 'yes', 'no'],
  ['an enumeration is narrowed', listed('a', 'b'), listed('a'), 'no', 'yes'],
  ['an enumeration is reordered', listed('a', 'b'), listed('b', 'a'), 'yes', 'yes'],
  ['an enumeration becomes any text', listed('a', 'b'), el('r'), 'yes', 'no'],
  ['an enumeration becomes a pattern that has it all', listed('a', 'b'), patterned('[a-c]'), 'yes', 'no'],
  ['a pattern is widened', patterned('[A-Z]{3}'), patterned('[A-Z]{3,5}'), 'yes', 'no'],
  ['a pattern is written otherwise', patterned('(a|b)*c'), patterned('[ab]*c'), 'yes', 'yes'],
  ['a pattern with names and classes', patterned('\\i\\c*'), patterned('[\\i-[:]][\\c-[:]]*'), 'no', 'yes'],
  ['a pattern with a block of Unicode', patterned('\\p{IsBasicLatin}+'), patterned('\\p{IsBasicLatin}*'), '?', 'no'],
  ['a length is limited', simple('xs:string', ['maxLength', 10]), simple('xs:string', ['maxLength', 8]), 'no', 'yes'],
  [
    'a length becomes a pattern',
    simple('xs:string', ['minLength', 2], ['maxLength', 3]),
    patterned('(.|\\s){2,3}'),
    'yes',
    'yes',
  ],
  ['a bound is loosened', simple('xs:int', ['maxInclusive', 10]), simple('xs:int', ['maxInclusive', 20]), 'yes', 'no'],
  [
    'an exclusive bound becomes inclusive',
    simple('xs:decimal', ['maxExclusive', '10']),
    simple('xs:decimal', ['maxInclusive', '10']),
    'yes',
    'no',
  ],
  [
    'bounds beyond what a double can hold',
    simple('xs:integer', ['maxInclusive', '9007199254740993']),
    simple('xs:integer', ['maxInclusive', '9007199254740992']),
    'no',
    'yes',
  ],
  [
    'a facet is given twice, which libxml2 lets pass',
    simple('xs:string', ['maxLength', 4]),
    simple('xs:string', ['maxLength', 3], ['maxLength', 4]),
    '?',
    '?',
  ],
  ['a number grows', el('r', 'xs:short'), el('r', 'xs:int'), 'yes', 'no'],
  ['a whole number becomes a decimal', el('r', 'xs:integer'), el('r', 'xs:decimal'), 'yes', 'no'],
  [
    'digits are limited',
    simple('xs:decimal', ['totalDigits', 6]),
    simple('xs:decimal', ['totalDigits', 6], ['fractionDigits', 2]),
    'no',
    'yes',
  ],
  ['a number becomes text', el('r', 'xs:int'), el('r', 'xs:string'), 'yes', 'no'],
  ['a date becomes a time of a date', el('r', 'xs:date'), el('r', 'xs:dateTime'), 'no', 'no'],
  [
    'a bound of a date is loosened',
    simple('xs:date', ['minInclusive', '2000-01-01']),
    simple('xs:date', ['minInclusive', '1990-01-01']),
    '?',
    'no',
  ],
  ['text becomes a token', el('r', 'xs:string'), el('r', 'xs:token'), 'yes', 'yes'],
  [
    'white space of a limited text is no longer normalised',
    simple('xs:token', ['maxLength', 3]),
    simple('xs:string', ['maxLength', 3]),
    'no',
    '?',
  ],
  [
    'a value becomes a list of them',
    el('r', 'xs:int'),
    '<xs:element name="r"><xs:simpleType><xs:list itemType="xs:int"/></xs:simpleType></xs:element>',
    'yes',
    'no',
  ],
  [
    'a type becomes a union that has it',
    el('r', 'xs:int'),
    '<xs:element name="r"><xs:simpleType><xs:union memberTypes="xs:boolean xs:int"/></xs:simpleType></xs:element>',
    'yes',
    'no',
  ],
  [
    'a union loses a member',
    '<xs:element name="r"><xs:simpleType><xs:union memberTypes="xs:date xs:int"/></xs:simpleType></xs:element>',
    el('r', 'xs:int'),
    'no',
    'yes',
  ],
  ['an element is no longer nillable', el('r', 'xs:int', 'nillable="true"'), el('r', 'xs:int'), 'no', 'yes'],
  ['an element loses its default', el('r', 'xs:int', 'default="1"'), el('r', 'xs:int'), 'no', 'yes'],
  ['an element is fixed', el('r', 'xs:int'), el('r', 'xs:int', 'fixed="1"'), 'no', 'no'],
  [
    'text between elements is no longer allowed',
    root(`<xs:sequence>${el('a')}</xs:sequence>`, 'mixed="true"'),
    seq(el('a')),
    'no',
    'yes',
  ],
  [
    'a value gets an attribute',
    el('r', 'xs:int'),
    root('<xs:simpleContent><xs:extension base="xs:int"><xs:attribute name="k"/></xs:extension></xs:simpleContent>'),
    'yes',
    'no',
  ],
  [
    'a wildcard opens the end',
    seq(el('a')),
    seq(el('a'), '<xs:any minOccurs="0" namespace="##other" processContents="lax"/>'),
    'yes',
    'no',
  ],
  [
    'a wildcard goes from lax to strict',
    any('namespace="urn:x" processContents="lax"'),
    any('namespace="urn:x" processContents="strict"'),
    'no',
    'yes',
  ],
  [
    'a wildcard looks closer',
    `${el('g', 'xs:int')}${any('processContents="skip"')}`,
    `${el('g', 'xs:int')}${any('processContents="lax"')}`,
    'no',
    'yes',
  ],
  ['an element takes a wildcard’s place', any('processContents="skip"'), seq(el('a')), 'no', 'yes'],
  [
    'a wildcard is of fewer namespaces',
    any('namespace="urn:x urn:y" processContents="skip"'),
    any('namespace="urn:x" processContents="skip"'),
    'no',
    'yes',
  ],
  ['a substitution group gets a member', substitution('m'), substitution('m', 'n'), 'yes', 'no'],
  [
    'a derived type gets an element',
    derived(el('y')),
    derived(el('y') + el('z', 'xs:string', 'minOccurs="0"')),
    'yes',
    'no',
  ],
  [
    'a derived type is removed',
    derived(el('y')),
    `<xs:complexType name="Base"><xs:sequence>${el('x')}</xs:sequence></xs:complexType>${el('r', 'Base')}`,
    'no',
    'yes',
  ],
  [
    'a type becomes abstract',
    derived(el('y')),
    derived(el('y')).replace('name="Base"', 'name="Base" abstract="true"'),
    'no',
    'yes',
  ],
  [
    'a type is renamed that nobody sees',
    `<xs:complexType name="A"><xs:sequence>${el('x')}</xs:sequence></xs:complexType>${el('r', 'A')}`,
    `<xs:complexType name="B"><xs:sequence>${el('x')}</xs:sequence></xs:complexType>${el('r', 'B')}`,
    'yes',
    'yes',
  ],
  ['a recursive type narrows deep within', tree(el('v')), tree(el('v', 'xs:int')), 'no', 'yes'],
  ['a recursive type opens', tree(el('v')), tree(el('v', 'xs:string', 'minOccurs="0"')), 'yes', 'no'],
  [
    'a key is added',
    keyed(''),
    keyed('<xs:unique name="u"><xs:selector xpath="i"/><xs:field xpath="."/></xs:unique>'),
    '?',
    'yes',
  ],
  [
    'a key stays',
    keyed('<xs:unique name="u"><xs:selector xpath="i"/><xs:field xpath="."/></xs:unique>'),
    keyed('<xs:unique name="u"><xs:selector xpath="i"/><xs:field xpath="."/></xs:unique>'),
    'yes',
    'yes',
  ],
  [
    'members of xs:all are reordered',
    root(`<xs:all>${el('a')}${el('b')}</xs:all>`),
    root(`<xs:all>${el('b')}${el('a')}</xs:all>`),
    'yes',
    'yes',
  ],
  [
    'a member of xs:all becomes optional',
    root(`<xs:all>${el('a')}${el('b')}</xs:all>`),
    root(`<xs:all>${el('a')}${el('b', 'xs:string', 'minOccurs="0"')}</xs:all>`),
    'yes',
    'no',
  ],
  [
    'a group is taken apart',
    `<xs:group name="g"><xs:sequence>${el('a')}${el('b')}</xs:sequence></xs:group>${root('<xs:sequence><xs:group ref="g"/></xs:sequence>')}`,
    seq(el('a'), el('b')),
    'yes',
    'yes',
  ],
  ['an element is no root any more', el('r') + el('s'), el('r'), 'no', 'yes'],
]

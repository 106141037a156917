// RELAX NG of our own making: every construct of the compact syntax, with documents that fit and documents that don't.

/**
 * @typedef {{ readonly name: string, readonly files: Readonly<Record<string, string>>, readonly valid: readonly string[],
 *   readonly invalid: readonly string[], readonly ours?: string }} Case
 * The first file is the schema. `ours` says why jing reads it differently.
 */

/** @type {(name: string, schema: string, valid: readonly string[], invalid: readonly string[]) => Case} */
const compact = (name, schema, valid, invalid) => ({ name, files: { 'a.rnc': schema }, valid, invalid })

const RNG = 'xmlns="http://relaxng.org/ns/structure/1.0" datatypeLibrary="http://www.w3.org/2001/XMLSchema-datatypes"'

/** @type {readonly Case[]} */
export const CASES = [
  compact('an element with text', 'element a { text }', ['<a/>', '<a>x</a>'], ['<b/>', '<a><a/></a>', '<a x="1"/>']),
  compact('an empty element', 'element a { empty }', ['<a/>', '<a> </a>'], ['<a>x</a>', '<a><b/></a>']),
  compact(
    'a sequence',
    'element a { element b { text }, element c { empty }?, element d { empty }* }',
    ['<a><b/></a>', '<a><b/><c/></a>', '<a><b/><d/><d/></a>', '<a> <b>x</b> <c/> <d/></a>'],
    ['<a/>', '<a><c/><b/></a>', '<a><b/><c/><c/></a>', '<a><b/>x</a>'],
  ),
  compact(
    'a choice, in a sequence by parentheses',
    'element a { (element b { empty } | element c { empty }), element d { empty }+ }',
    ['<a><b/><d/></a>', '<a><c/><d/><d/></a>'],
    ['<a><b/><c/><d/></a>', '<a><b/></a>', '<a><d/></a>'],
  ),
  compact(
    'what may be interleaved',
    'element a { element b { empty } & element c { empty }* & attribute x { text } }',
    ['<a x=""><c/><b/><c/></a>', '<a x="1"><b/></a>'],
    ['<a x="1"/>', '<a><b/></a>', '<a x="1"><b/><b/></a>'],
  ),
  compact(
    'mixed content',
    'element a { mixed { element b { empty }, element c { empty } } }',
    ['<a>x<b/>y<c/>z</a>', '<a><b/><c/></a>'],
    ['<a>x<c/><b/></a>', '<a>x</a>'],
  ),
  compact(
    'attributes, some of which may be left out',
    'element a { attribute x { text }, attribute y { "one" | "two" }?, empty }',
    ['<a x=""/>', '<a y="two" x="1"/>'],
    ['<a/>', '<a x="" y="three"/>', '<a x="" z=""/>'],
  ),
  compact(
    'definitions that refer to each other',
    `start = tree
     tree = element node { attribute name { text }, (tree | leaf)* }
     leaf = element leaf { empty }`,
    ['<node name="a"/>', '<node name="a"><leaf/><node name="b"><leaf/></node></node>'],
    ['<leaf/>', '<node/>', '<node name="a"><leaf><leaf/></leaf></node>'],
  ),
  compact(
    'definitions that are combined',
    `start |= element a { content }
     start |= element b { content }
     content &= attribute x { text }
     content &= attribute y { text }?`,
    ['<a x="1"/>', '<b x="1" y="2"/>'],
    ['<a y="2"/>', '<c x="1"/>'],
  ),
  compact(
    'the default namespace, which attributes are not in',
    `default namespace = "urn:a"
     element a { attribute x { text }, element b { empty } }`,
    ['<a xmlns="urn:a" x=""><b/></a>', '<p:a xmlns:p="urn:a" x=""><p:b/></p:a>'],
    ['<a x=""><b/></a>', '<a xmlns="urn:b" x=""><b/></a>', '<p:a xmlns:p="urn:a" p:x=""><p:b/></p:a>'],
  ),
  compact(
    'prefixes, for elements and attributes',
    `namespace a = "urn:a"
     namespace local = ""
     default namespace b = "urn:b"
     element a:x { attribute b:y { text }, element local:z { empty }, element w { empty } }`,
    ['<a:x xmlns:a="urn:a" xmlns:b="urn:b" b:y=""><z/><b:w/></a:x>'],
    ['<a:x xmlns:a="urn:a" y=""><z/><w/></a:x>', '<a:x xmlns:a="urn:a" xmlns:b="urn:b" b:y=""><b:z/><b:w/></a:x>'],
  ),
  compact(
    'any name',
    'element * { attribute * { text }*, any* }\nany = element * { attribute * { text }*, (text | any)* }'.replace(
      'element * {',
      'start = element * {',
    ),
    ['<a/>', '<a x="1" y="2"><b xmlns="urn:b">x</b></a>'],
    ['<a>text</a>'],
  ),
  compact(
    'any name but some',
    `namespace a = "urn:a"
     start = element * - (a:* | b | c) { attribute * - (x | a:*) { text }*, empty }`,
    ['<d/>', '<x:a xmlns:x="urn:x" y="1"/>'],
    ['<b/>', '<c/>', '<a:z xmlns:a="urn:a"/>', '<d x="1"/>', '<d a:z="1" xmlns:a="urn:a"/>'],
  ),
  compact(
    'any name of a namespace',
    `namespace a = "urn:a"
     element a:* - a:b { element (a:b | c) { empty } }`,
    ['<a:x xmlns:a="urn:a"><a:b/></a:x>', '<a:x xmlns:a="urn:a"><c/></a:x>'],
    ['<a:b xmlns:a="urn:a"><a:b/></a:b>', '<x><c/></x>', '<a:x xmlns:a="urn:a"><b/></a:x>'],
  ),
  compact(
    'data types with their facets',
    `element a {
       attribute n { xsd:int { minInclusive = "1" maxInclusive = "10" } },
       attribute s { xsd:string { pattern = "[A-Z]{3}" } }?,
       attribute d { xsd:date }?, attribute b { xsd:boolean }?
     }`,
    ['<a n="1"/>', '<a n=" 10 " s="ABC" d="2026-02-28" b="true"/>'],
    [
      '<a n="0"/>',
      '<a n="11"/>',
      '<a n="x"/>',
      '<a n="1" s="ABCD"/>',
      '<a n="1" d="2026-02-30"/>',
      '<a n="1" b="yes"/>',
    ],
  ),
  compact(
    'values of types',
    'element a { attribute x { xsd:int "7" }?, attribute y { string " b " }?, attribute z { token "c d" }?, empty }',
    ['<a x="007"/>', '<a y=" b "/>', '<a z="  c   d "/>'],
    ['<a x="8"/>', '<a y="b"/>', '<a z="cd"/>'],
  ),
  compact(
    'a type of which some values are taken out',
    'element a { xsd:int - (xsd:int "7" | xsd:int "8") }',
    ['<a>6</a>', '<a>9</a>'],
    ['<a>7</a>', '<a>08</a>', '<a>x</a>'],
  ),
  compact(
    'lists',
    'element a { list { xsd:int, xsd:int+ } }',
    ['<a>1 2</a>', '<a> 1 2  3 </a>'],
    ['<a>1</a>', '<a/>', '<a>1 x</a>'],
  ),
  compact(
    'a namespace of types by another prefix',
    'datatypes t = "http://www.w3.org/2001/XMLSchema-datatypes"\nelement a { t:decimal }',
    ['<a>1.5</a>'],
    ['<a>1,5</a>'],
  ),
  compact(
    'a grammar within, and the one around it',
    `start = element a { inner }
     outer = element o { empty }
     inner = grammar { start = element i { outer, parent outer } outer = element own { empty } }`,
    ['<a><i><own/><o/></i></a>'],
    ['<a><i><o/><own/></i></a>', '<a><i><own/><own/></i></a>'],
  ),
  compact(
    'divisions, comments and annotations',
    `# A comment
     namespace a = "urn:annotations"
     namespace sch = "http://purl.oclc.org/dsdl/schematron"
     sch:ns [ prefix = "x" uri = "urn:x" ]
     ## Documentation of what follows
     [ a:note = "one" a:doc [ "text" ] ]
     start = element a { [ a:defaultValue = "1" ] attribute x { text }?, b >> a:after [ "x" ] }
     div { [ a:y = "}" ] b = element b { empty } # behind
     }`,
    ['<a><b/></a>', '<a x=""><b/></a>'],
    ['<a/>', '<a y=""><b/></a>'],
  ),
  compact(
    'keywords as names, escaped and not',
    `start = element start { \\element, attribute div { text } }
     \\element = element element { \\start.x }
     \\start.x = element grammar { "a" ~ "b" ~ 'c' }`,
    ['<start div=""><element><grammar>abc</grammar></element></start>'],
    ['<start div=""><element><grammar>a</grammar></element></start>', '<start div=""/>'],
  ),
  compact(
    'characters by their numbers, and texts of several lines',
    `element \\x{61}b { attribute x { """it's
"so" """ } | attribute y { 'a\\x{22}b' } }`,
    ['<ab x="it\'s &quot;so&quot;"/>', '<ab y="a&quot;b"/>'],
    ['<ab x="its"/>', '<ab y="ab"/>', '<b/>'],
  ),
  compact('what is never allowed', 'element a { element b { notAllowed }?, empty }', ['<a/>'], ['<a><b/></a>']),
  {
    name: 'files that are included, with what is changed of them',
    files: {
      'main.rnc': `default namespace = "urn:a"
        include "parts/common.rnc" { item = element item { attribute id { xsd:NMTOKEN } } }
        start = element list { item+, note? }`,
      'parts/common.rnc': `default namespace = inherit
        start |= notAllowed
        item = element item { empty }
        note = element note { external "text.rnc" }`.replace('start |= notAllowed\n', ''),
      'parts/text.rnc': 'text | element b { text }',
    },
    valid: ['<list xmlns="urn:a"><item id="x"/></list>', '<list xmlns="urn:a"><item id="x"/><note>n</note></list>'],
    invalid: [
      '<list xmlns="urn:a"><item/></list>',
      '<list xmlns="urn:a"><item id="x y"/></list>',
      '<list><item id="x"/></list>',
    ],
  },
  {
    name: 'a compact file that includes one in XML syntax',
    ours: 'jing reads included files in the syntax of the first one; Waybill goes by the name',
    files: {
      'main.rnc': 'include "part.rng"\nstart = element a { b }',
      'part.rng': `<grammar ${RNG}><define name="b"><element name="b"><data type="int"/></element></define></grammar>`,
    },
    valid: ['<a><b>1</b></a>'],
    invalid: ['<a><b>x</b></a>', '<a/>'],
  },
  {
    name: 'the XML syntax',
    files: {
      'a.rng': `<grammar ${RNG} ns="urn:a"><start><ref name="order"/></start><define name="order"><element name="order">
        <attribute name="currency"><data type="string"><param name="pattern">[A-Z]{3}</param></data></attribute>
        <oneOrMore><element name="line"><interleave><element name="item"><text/></element><element name="quantity"><data type="positiveInteger"/></element></interleave>
        <optional><attribute name="unit"><choice><value>kg</value><value>l</value></choice></attribute></optional></element></oneOrMore></element></define></grammar>`,
    },
    valid: [
      '<order xmlns="urn:a" currency="EUR"><line><quantity>3</quantity><item>x</item></line></order>',
      '<order xmlns="urn:a" currency="EUR"><line unit="kg"><item/><quantity>1</quantity></line></order>',
    ],
    invalid: [
      '<order xmlns="urn:a"><line><quantity>3</quantity><item>x</item></line></order>',
      '<order xmlns="urn:a" currency="Euro"><line><quantity>3</quantity><item>x</item></line></order>',
      '<order xmlns="urn:a" currency="EUR"><line unit="m"><item/><quantity>1</quantity></line></order>',
      '<order xmlns="urn:a" currency="EUR"><line><item/><quantity>0</quantity></line></order>',
      '<order xmlns="urn:a" currency="EUR"/>',
    ],
  },
]

/** Compact syntax that is wrong. */
export const WRONG = [
  'element a { text',
  'element a text',
  'element { text }',
  'element a { element b { empty }, element c { empty } | element d { empty } }',
  'element a { b:c }',
  'element p:a { empty }',
  'start = element a { gone }',
  'start element a { empty }',
  'element a { "open }',
  'element a { empty } element b { empty }',
  'a = element a { empty }',
  'start = element a { empty }\nstart = element b { empty }',
  'include "gone.rnc"\nstart = element a { empty }',
  'element a { attribute x { attribute y { text } } }',
  '[ a = "1" element a { empty }',
  'element a { xsd:int { minInclusive "1" } }',
  '%',
  '',
]

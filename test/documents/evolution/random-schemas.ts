/** A generator of numbers from a seed (mulberry32): the same seed gives the same schemas and documents everywhere. */
export function seeded(seed: number) {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
  const below = (count: number) => Math.floor(next() * count)
  const one = <T>(of: readonly T[]): T => of[below(of.length)]!
  return { next, below, one }
}

export type Random = ReturnType<typeof seeded>

/** A schema with most of what there is in the language; a mutation changes one of its parts. */
export const BASE = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t" xmlns="urn:t" elementFormDefault="qualified">
<xs:element name="r" type="R"/>
<xs:element name="note" type="xs:string"/>
<xs:element name="head" type="xs:string" abstract="true"/>
<xs:element name="m1" type="xs:token" substitutionGroup="head"/>
<xs:element name="m2" type="Code" substitutionGroup="head"/>
<xs:complexType name="R"><xs:sequence>
<xs:element name="a" type="Code"/>
<xs:element name="b" type="Number" minOccurs="0" maxOccurs="3"/>
<xs:choice minOccurs="0" maxOccurs="2"><xs:element name="c" type="Party"/><xs:element name="d" type="xs:boolean"/></xs:choice>
<xs:element name="e" type="All" minOccurs="0"/>
<xs:element ref="head" minOccurs="0"/>
<xs:element name="v" type="Value" minOccurs="1" maxOccurs="2" nillable="true"/>
<xs:any namespace="##other" processContents="lax" minOccurs="0"/>
</xs:sequence><xs:attribute name="k" type="Pattern" use="required"/><xs:attribute name="l" type="xs:int"/></xs:complexType>
<xs:complexType name="Party" mixed="false"><xs:sequence><xs:element name="id" type="Short" minOccurs="1" maxOccurs="1"/><xs:element name="p" type="Party" minOccurs="0" maxOccurs="2"/></xs:sequence><xs:attribute name="k" type="xs:string"/></xs:complexType>
<xs:complexType name="Special"><xs:complexContent><xs:extension base="Party"><xs:sequence><xs:element name="s" type="xs:int" minOccurs="0"/></xs:sequence></xs:extension></xs:complexContent></xs:complexType>
<xs:complexType name="All"><xs:all><xs:element name="x" type="xs:int" minOccurs="1"/><xs:element name="y" type="Short" minOccurs="0"/></xs:all></xs:complexType>
<xs:complexType name="Value"><xs:simpleContent><xs:extension base="Number"><xs:attribute name="unit" type="Code" use="optional"/></xs:extension></xs:simpleContent></xs:complexType>
<xs:simpleType name="Code"><xs:restriction base="xs:token"><xs:enumeration value="A"/><xs:enumeration value="B"/><xs:enumeration value="C"/></xs:restriction></xs:simpleType>
<xs:simpleType name="Number"><xs:restriction base="xs:decimal"><xs:minInclusive value="0"/><xs:maxExclusive value="100"/><xs:fractionDigits value="2"/></xs:restriction></xs:simpleType>
<xs:simpleType name="Pattern"><xs:restriction base="xs:string"><xs:pattern value="[A-Z]{2,3}"/></xs:restriction></xs:simpleType>
<xs:simpleType name="Short"><xs:restriction base="xs:string"><xs:minLength value="1"/><xs:maxLength value="4"/></xs:restriction></xs:simpleType>
</xs:schema>`

type Replacement = readonly [what: RegExp, by: readonly string[]]

const REPLACEMENTS: readonly Replacement[] = [
  [/minOccurs="\d"/g, ['minOccurs="0"', 'minOccurs="1"']],
  [/maxOccurs="\d"/g, ['maxOccurs="1"', 'maxOccurs="2"', 'maxOccurs="3"', 'maxOccurs="unbounded"', 'maxOccurs="4"']],
  [
    /type="(?:xs:\w+|Code|Number|Pattern|Short)"/g,
    ['xs:string', 'xs:token', 'xs:int', 'xs:decimal', 'xs:boolean', 'Code', 'Short', 'Number'].map(
      (type) => `type="${type}"`,
    ),
  ],
  [/ type="Party"/g, [' type="Special"', ' type="All"', '']],
  [/name="(?:a|b|c|d|id|x|y|s)"/g, ['name="a"', 'name="b"', 'name="n"', 'name="id"']],
  [
    /<xs:enumeration value="."\/>/g,
    ['', '<xs:enumeration value="D"/>', '<xs:enumeration value="A"/><xs:enumeration value="E"/>'],
  ],
  [
    /<xs:(?:min|max)\w+ value="\d+"\/>/g,
    [
      '',
      '<xs:maxInclusive value="99"/>',
      '<xs:minExclusive value="1"/>',
      '<xs:maxLength value="3"/>',
      '<xs:minLength value="2"/>',
    ],
  ],
  [
    /value="\[A-Z\]\{2,3\}"/g,
    ['value="[A-Z]{2}"', 'value="[A-Z]{1,3}"', 'value="[A-Z][A-Z][A-Z]?"', 'value="\\c{2,3}"'],
  ],
  [/<xs:fractionDigits value="2"\/>/g, ['', '<xs:fractionDigits value="1"/>', '<xs:totalDigits value="4"/>']],
  [/use="\w+"/g, ['use="required"', 'use="optional"', 'use="prohibited"']],
  [
    /<xs:attribute name="l" type="xs:int"\/>/g,
    ['', '<xs:anyAttribute processContents="lax"/>', '<xs:attribute name="l" type="xs:int" fixed="1"/>'],
  ],
  [/namespace="##other"/g, ['namespace="##any"', 'namespace="urn:x"', 'namespace="##local"']],
  [/processContents="lax"/g, ['processContents="skip"', 'processContents="strict"']],
  [/ nillable="true"/g, ['']],
  [/mixed="false"/g, ['mixed="true"']],
  [/ abstract="true"/g, ['']],
  [/ substitutionGroup="head"/g, ['']],
  [/<(\/?)xs:all>/g, ['<$1xs:sequence>']],
  [/<xs:choice /g, ['<xs:choice ']],
  [
    /<xs:element name="d" type="xs:boolean"\/>/g,
    ['', '<xs:element name="d" type="xs:boolean"/><xs:element name="n" type="xs:int"/>'],
  ],
  [/base="Party"/g, ['base="All"']],
]

/** One to three changes; not every outcome is a schema. */
export function mutate(schema: string, random: Random): string {
  let mutated = schema
  for (let change = random.below(3); change >= 0; change -= 1) {
    const [what, by] = random.one(REPLACEMENTS)
    const places = [...mutated.matchAll(what)]
    if (places.length === 0) continue
    const { 0: found, index } = random.one(places)
    const text = random.one(by).replace('$1', found.startsWith('</') ? '/' : '')
    // Both tags of a group change.
    mutated = found.endsWith('xs:all>')
      ? mutated.replaceAll('xs:all>', 'xs:sequence>')
      : mutated.slice(0, index) + text + mutated.slice(index + found.length)
  }
  return mutated
}

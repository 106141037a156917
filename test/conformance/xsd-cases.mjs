// XML Schema of our own making: what business schemas use, each with documents to damage.

const XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
/** @param {string} content */
const schema = (content) =>
  `<xs:schema ${XS} targetNamespace="urn:t" xmlns="urn:t" xmlns:t="urn:t" elementFormDefault="qualified">${content}</xs:schema>`
const XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'

/** @type {readonly { readonly name: string, readonly schema: string, readonly documents: readonly string[] }[]} The root is `{urn:t}a`. */
export const CASES = [
  {
    name: 'sequences, choices and counts',
    schema: schema(`<xs:element name="a"><xs:complexType><xs:sequence>
      <xs:element name="b" type="xs:string" minOccurs="0" maxOccurs="3"/>
      <xs:choice maxOccurs="unbounded"><xs:element name="c" type="xs:int"/><xs:sequence><xs:element name="d" type="xs:date"/><xs:element name="e" type="xs:boolean"/></xs:sequence></xs:choice>
    </xs:sequence></xs:complexType></xs:element>`),
    documents: [
      '<a xmlns="urn:t"><b>x</b><b/><c>1</c><d>2026-01-31</d><e>true</e></a>',
      '<a xmlns="urn:t"><d>2026-01-31</d><e>0</e><c>-5</c></a>',
    ],
  },
  {
    name: 'all, attributes and their uses',
    schema:
      schema(`<xs:element name="a"><xs:complexType><xs:all><xs:element name="b" type="xs:string"/><xs:element name="c" type="xs:string" minOccurs="0"/></xs:all>
      <xs:attribute name="r" type="xs:NMTOKEN" use="required"/><xs:attribute name="o" type="xs:positiveInteger"/><xs:attribute name="f" type="xs:string" fixed="1.0"/></xs:complexType></xs:element>`),
    documents: ['<a xmlns="urn:t" r="x" o="3" f="1.0"><c>1</c><b>2</b></a>', '<a xmlns="urn:t" r="y"><b/></a>'],
  },
  {
    name: 'facets',
    schema: schema(`<xs:element name="a"><xs:complexType><xs:sequence>
      <xs:element name="amount"><xs:simpleType><xs:restriction base="xs:decimal"><xs:totalDigits value="8"/><xs:fractionDigits value="2"/><xs:minInclusive value="0"/></xs:restriction></xs:simpleType></xs:element>
      <xs:element name="code"><xs:simpleType><xs:restriction base="xs:string"><xs:pattern value="[A-Z]{3}"/><xs:enumeration value="EUR"/><xs:enumeration value="USD"/></xs:restriction></xs:simpleType></xs:element>
      <xs:element name="words"><xs:simpleType><xs:restriction><xs:simpleType><xs:list itemType="xs:token"/></xs:simpleType><xs:minLength value="1"/><xs:maxLength value="3"/></xs:restriction></xs:simpleType></xs:element>
      <xs:element name="either"><xs:simpleType><xs:union memberTypes="xs:int xs:boolean"/></xs:simpleType></xs:element>
      <xs:element name="short"><xs:simpleType><xs:restriction base="xs:token"><xs:length value="2"/></xs:restriction></xs:simpleType></xs:element>
    </xs:sequence></xs:complexType></xs:element>`),
    documents: [
      '<a xmlns="urn:t"><amount>12.50</amount><code>EUR</code><words>one two</words><either>true</either><short>ab</short></a>',
      '<a xmlns="urn:t"><amount>0</amount><code>USD</code><words>one</words><either>7</either><short>xy</short></a>',
    ],
  },
  {
    name: 'the types of dates, times and numbers',
    schema: schema(
      `<xs:element name="a"><xs:complexType><xs:sequence>${[
        'date',
        'time',
        'dateTime',
        'duration',
        'gYear',
        'gYearMonth',
        'gMonthDay',
        'byte',
        'unsignedShort',
        'integer',
        'double',
        'float',
        'hexBinary',
        'base64Binary',
        'anyURI',
        'language',
        'NCName',
        'QName',
        'normalizedString',
      ]
        .map((type) => `<xs:element name="${type}" type="xs:${type}"/>`)
        .join('')}</xs:sequence></xs:complexType></xs:element>`,
    ),
    documents: [
      `<a xmlns="urn:t"><date>2026-02-28</date><time>12:00:00</time><dateTime>2026-02-28T12:00:00Z</dateTime><duration>P1DT2H</duration><gYear>2026</gYear><gYearMonth>2026-02</gYearMonth><gMonthDay>--02-29</gMonthDay><byte>-128</byte><unsignedShort>65535</unsignedShort><integer>123456789012345678901234567890</integer><double>1e3</double><float>INF</float><hexBinary>0aFF</hexBinary><base64Binary>AQID</base64Binary><anyURI>urn:x</anyURI><language>en-GB</language><NCName>a</NCName><QName>a</QName><normalizedString>x y</normalizedString></a>`,
    ],
  },
  {
    name: 'types that extend and restrict others, and xsi:type',
    schema:
      schema(`<xs:complexType name="base"><xs:sequence><xs:element name="b" type="xs:string" maxOccurs="2"/></xs:sequence></xs:complexType>
      <xs:complexType name="more"><xs:complexContent><xs:extension base="base"><xs:sequence><xs:element name="c" type="xs:int"/></xs:sequence><xs:attribute name="x"/></xs:extension></xs:complexContent></xs:complexType>
      <xs:complexType name="less"><xs:complexContent><xs:restriction base="base"><xs:sequence><xs:element name="b" type="xs:string"/></xs:sequence></xs:restriction></xs:complexContent></xs:complexType>
      <xs:complexType name="money"><xs:simpleContent><xs:extension base="xs:decimal"><xs:attribute name="currency" type="xs:string" use="required"/></xs:extension></xs:simpleContent></xs:complexType>
      <xs:element name="a"><xs:complexType><xs:sequence><xs:element name="i" type="base" maxOccurs="unbounded"/><xs:element name="m" type="money"/></xs:sequence></xs:complexType></xs:element>`),
    documents: [
      `<a xmlns="urn:t" ${XSI}><i><b>1</b><b>2</b></i><i xsi:type="more"><b>1</b><c>2</c></i><i xsi:type="less"><b>1</b></i><m currency="EUR">1.5</m></a>`,
      '<a xmlns="urn:t"><i><b/></i><m currency="EUR">0</m></a>',
    ],
  },
  {
    name: 'substitution groups, abstract elements and nil',
    schema:
      schema(`<xs:element name="part" type="xs:string" abstract="true"/><xs:element name="wheel" substitutionGroup="part"/><xs:element name="door" substitutionGroup="part" nillable="true"/>
      <xs:element name="a"><xs:complexType><xs:sequence><xs:element ref="part" maxOccurs="unbounded"/></xs:sequence></xs:complexType></xs:element>`),
    documents: [`<a xmlns="urn:t" ${XSI}><wheel>x</wheel><door xsi:nil="true"/><door>y</door></a>`],
  },
  {
    name: 'wildcards',
    schema:
      schema(`<xs:element name="known" type="xs:int"/><xs:element name="a"><xs:complexType><xs:sequence><xs:element name="b" type="xs:string"/>
      <xs:any namespace="##other" processContents="lax" minOccurs="0"/><xs:any namespace="##targetNamespace" processContents="strict" minOccurs="0" maxOccurs="2"/></xs:sequence><xs:anyAttribute namespace="##other" processContents="skip"/></xs:complexType></xs:element>`),
    documents: [
      '<a xmlns="urn:t" xmlns:o="urn:other" o:x="1"><b>x</b><o:y><z/></o:y><known>1</known></a>',
      '<a xmlns="urn:t"><b/><known>1</known><known>2</known></a>',
    ],
  },
  {
    name: 'keys and references to them',
    schema:
      schema(`<xs:element name="a"><xs:complexType><xs:sequence><xs:element name="line" maxOccurs="unbounded"><xs:complexType><xs:attribute name="id" type="xs:int" use="required"/><xs:attribute name="after" type="xs:int"/></xs:complexType></xs:element></xs:sequence></xs:complexType>
      <xs:key name="lines"><xs:selector xpath="t:line"/><xs:field xpath="@id"/></xs:key><xs:keyref name="after" refer="lines"><xs:selector xpath="t:line"/><xs:field xpath="@after"/></xs:keyref></xs:element>`),
    documents: ['<a xmlns="urn:t"><line id="1"/><line id="2" after="1"/><line id="03" after="2"/></a>'],
  },
  {
    name: 'mixed content and groups',
    schema:
      schema(`<xs:group name="g"><xs:choice><xs:element name="b" type="xs:string"/><xs:element name="i" type="xs:string"/></xs:choice></xs:group><xs:attributeGroup name="ag"><xs:attribute name="x" type="xs:boolean" default="true"/></xs:attributeGroup>
      <xs:element name="a"><xs:complexType mixed="true"><xs:group ref="g" minOccurs="0" maxOccurs="unbounded"/><xs:attributeGroup ref="ag"/></xs:complexType></xs:element>`),
    documents: ['<a xmlns="urn:t" x="0">text <b>bold</b> and <i>more</i></a>'],
  },
]

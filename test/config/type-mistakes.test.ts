import { WAYBILL } from './folder.ts'
import { expectMistakes, type Mistake } from './mistakes.ts'

const TYPE = `kind: DocumentType
name: order
identify: { xml: { root: "{urn:example:order}order" } }
schema: none
`

const inTypes: readonly Mistake[] = [
  ['no kind', '»name: order', 'unknown-kind', 'kind is missing'],
  ['an unknown kind', 'kind: »Documenttype', 'unknown-kind', 'found "Documenttype" (did you mean "DocumentType"?)'],
  ['no mapping', '»order', 'wrong-type', 'must be a mapping, found a string'],
  ['nothing at all', '»# nothing', 'file-empty', 'types/a.yaml holds nothing'],
  [
    'a type without schema',
    '»kind: DocumentType\nname: order\nidentify: { xml: { root: order } }',
    'schema-missing',
    'or say schema: none',
  ],
  [
    'a type without name',
    '»kind: DocumentType\nidentify: { xml: { root: order } }\nschema: none',
    'missing-key',
    'name is missing',
  ],
  [
    'a name with capitals',
    'kind: DocumentType\nname: »Order\nidentify: { xml: { root: order } }\nschema: none',
    'wrong-value',
    'name must be up to 64 small letters',
  ],
  [
    'a reserved name',
    'kind: DocumentType\nname: »opaque\nidentify: { mediaType: image/png }\nschema: none',
    'reserved-name',
    'name must not be opaque',
  ],
  [
    'nothing that identifies',
    'kind: DocumentType\nname: order\n»identify: {}\nschema: none',
    'choose-one',
    'identify needs exactly one of xml, json, mediaType: found none',
  ],
  [
    'two ways to identify',
    'kind: DocumentType\nname: order\n»identify: { mediaType: a/b, xml: { root: order } }\nschema: none',
    'choose-one',
    'found xml and mediaType',
  ],
  [
    'a misspelt way to identify',
    'kind: DocumentType\nname: order\nidentify: { »xlm: { root: order } }\nschema: none',
    'unknown-key',
    'did you mean "xml"?',
  ],
  [
    'a root that is no name',
    'kind: DocumentType\nname: order\nidentify: { xml: { root: »"urn:x order" } }\nschema: none',
    'wrong-value',
    'identify.xml.root must be a name such as',
  ],
  [
    'a field by a name that objects have by nature',
    `${TYPE}fields: { »__proto__: { xpath: "/o:order" } }`,
    'wrong-value',
    'Key "__proto__" in fields must be',
  ],
  [
    'a prefix by a name that objects have by nature',
    `${TYPE}namespaces: { »__proto__: "urn:x" }`,
    'wrong-value',
    'Key "__proto__" in namespaces must be',
  ],
  [
    'JSON by nothing',
    'kind: DocumentType\nname: order\nidentify: { »json: {} }\nschema: none',
    'choose-one',
    'identify.json needs one of datatype, match',
  ],
  [
    'a JSON Pointer that is none',
    'kind: DocumentType\nname: order\nidentify: { json: { match: { »kind: order } } }\nschema: none',
    'wrong-value',
    'Key "kind" in identify.json.match must be a JSON Pointer',
  ],
  [
    'a schema that is not there',
    TYPE.replace('schema: none', 'schema: { xsd: »order.xsd }'),
    'file-missing',
    'it is none of types/order.xsd, schemas/order.xsd, order.xsd',
  ],
  [
    'a schema outside',
    TYPE.replace('schema: none', 'schema: { xsd: »../../../order.xsd }'),
    'file-outside',
    'outside of the configuration folder',
  ],
  [
    'two schemas',
    TYPE.replace('schema: none', '»schema: { xsd: a.xsd, rng: a.rng }'),
    'choose-one',
    'schema needs one of xsd and rng: found xsd and rng',
  ],
  [
    'a word instead of a schema',
    TYPE.replace('schema: none', 'schema: »nothing'),
    'wrong-value',
    'schema must be a mapping or none, found string "nothing"',
  ],
  [
    'no layer at all',
    TYPE.replace('schema: none', '»schema: {}'),
    'choose-one',
    'schema needs one of xsd, rng, json, schematron: found none',
  ],
  [
    'rules for JSON',
    'kind: DocumentType\nname: a\nidentify: { json: { datatype: a } }\nschema: { »schematron: a.sch }',
    'wrong-schema-language',
    "schema can't be schematron here: JSON needs json",
  ],
  [
    'an XML Schema for JSON',
    'kind: DocumentType\nname: a\nidentify: { json: { datatype: a } }\nschema: { »xsd: a.xsd }',
    'wrong-schema-language',
    "schema can't be xsd here: JSON needs json",
  ],
  [
    'rules that are not there, the second of two',
    TYPE.replace('schema: none', 'schema: { schematron: [a.yaml, { file: »gone.sch }] }'),
    'file-missing',
    'Cannot find schema gone.sch',
  ],
  [
    'an option of a layer that nobody knows',
    TYPE.replace('schema: none', 'schema: { xsd: { file: a.xsd, »onInvlid: warn } }'),
    'unknown-key',
    'did you mean',
  ],
  [
    'a phase of a schema that has none',
    TYPE.replace('schema: none', 'schema: { xsd: { file: a.xsd, »phase: a } }'),
    'unknown-key',
    'Unknown key "phase" in schema.xsd',
  ],
  [
    'signatures, which are not built',
    `${TYPE}»signature: { required: true }`,
    'not-available',
    'signature is not available in this version',
  ],
  [
    'a field by nothing',
    `${TYPE}fields: { »total: {} }`,
    'choose-one',
    'fields.total needs exactly one of xpath, pointer, jsonpath: found none',
  ],
  [
    'a field by two ways',
    `${TYPE}fields: { »total: { xpath: a, pointer: /a } }`,
    'choose-one',
    'found xpath and pointer',
  ],
  ['a field of XML by pointer', `${TYPE}fields: { total: { »pointer: /a } }`, 'wrong-source', 'XML is read by xpath'],
  [
    'a field of JSON by XPath',
    `kind: DocumentType\nname: a\nidentify: { json: { datatype: a } }\nschema: none\nfields: { total: { »xpath: /a } }`,
    'wrong-source',
    'JSON is read by pointer or jsonpath',
  ],
  [
    'a field with a reserved name',
    `${TYPE}fields: { »sender: { xpath: a } }`,
    'wrong-value',
    'neither `sender` nor `none`',
  ],
  [
    'a field read as something unknown',
    `${TYPE}fields: { total: { xpath: a, as: »decimal } }`,
    'wrong-value',
    'one of string, number, boolean',
  ],
  [
    'a key that is no field',
    `${TYPE}fields: { number: { xpath: a } }\nkey: »numbr`,
    'field-unknown',
    'there is no field numbr (did you mean "number"?)',
  ],
  ['a reserved prefix', `${TYPE}namespaces: { »xmlns: "urn:a" }`, 'wrong-value', 'a namespace prefix'],
  ['a sender pattern that is none', `${TYPE}senders: [»"*@"]`, 'wrong-value', 'senders[0] must be a JID pattern'],
  [
    'two types of one name',
    `${TYPE}---\nkind: DocumentType\nname: »order\nidentify: { xml: { root: a } }\nschema: none`,
    'duplicate-name',
    'There are two of DocumentType order: the other stands in types/a.yaml:2',
  ],
  [
    'two types with one root',
    `${TYPE}---\nkind: DocumentType\nname: other\n»identify: { xml: { root: "{urn:example:order}order" } }\nschema: none`,
    'ambiguous-types',
    'Cannot tell other and order (types/a.yaml:3) apart: both take the root',
  ],
  [
    'a discriminator on one side only',
    `${TYPE}---\nkind: DocumentType\nname: other\n»identify: { xml: { root: "{urn:example:order}order", where: "@a" } }\nschema: none`,
    'ambiguous-types',
    'only one says more',
  ],
  [
    'JSON that identifies another type too',
    'kind: DocumentType\nname: a\nidentify: { json: { match: { /a: 1 } } }\nschema: none\n---\nkind: DocumentType\nname: b\n»identify: { json: { match: { /a: 1, /b: 2 } } }\nschema: none',
    'ambiguous-types',
    'identifies the other too',
  ],
  [
    'two types with one media type',
    'kind: DocumentType\nname: a\nidentify: { mediaType: image/png }\nschema: none\n---\nkind: DocumentType\nname: b\n»identify: { mediaType: image/PNG }\nschema: none',
    'ambiguous-types',
    'both take image/png',
  ],
  [
    'a value that identifies two types',
    'kind: DocumentType\nname: a\nidentify: { xml: { root: a, match: { /a/@v: ["1", "2"] } } }\nschema: none\n---\nkind: DocumentType\nname: b\n»identify: { xml: { root: a, match: { /a/@v: ["2", "3"] } } }\nschema: none',
    'ambiguous-types',
    '2 is a value of both',
  ],
  [
    'values that one document may have both',
    'kind: DocumentType\nname: a\nidentify: { xml: { root: a, match: { /a/@v: "1" } } }\nschema: none\n---\nkind: DocumentType\nname: b\n»identify: { xml: { root: a, match: { /a/@w: "1" } } }\nschema: none',
    'ambiguous-documents',
    'Some documents may be b and a (types/a.yaml:3) at once',
  ],
  [
    'a body of what is no envelope',
    'kind: DocumentType\nname: order\nidentify: { xml: { root: order, body: »"{urn:o}order" } }\nschema: none',
    'soap-root',
    'needs the root of a SOAP envelope',
  ],
  ['a version that is a number', `${TYPE}version: »2.1`, 'wrong-type', 'version must be'],
  ['a version by a word that means another thing', `${TYPE}version: »newest`, 'wrong-value', 'and not `newest`'],
  [
    'one version twice',
    `${TYPE}version: "1"\n---\n${TYPE.replace('name: ', 'name: »')}version: "1"`,
    'duplicate-name',
    'DocumentType order@1',
  ],
  [
    'a version without its number',
    `${TYPE}version: "1"\n---\n${TYPE.replace('name: ', 'name: »')}`,
    'version-missing',
    'There are several versions of order',
  ],
  ['a type within itself', `${TYPE}family: »order`, 'family-circle', 'order is within its own family'],
  [
    'an unknown group of senders',
    `${TYPE}senders: [{ group: »suppliers }]\n---\nkind: SenderGroup\nname: supplier\nsenders: []`,
    'sender-group-unknown',
    'did you mean "supplier"?',
  ],
  [
    'a pattern in a group of senders',
    `${TYPE}senders: [{ group: all }]\n---\nkind: SenderGroup\nname: all\nsenders: [»"a@b@c"]`,
    'wrong-value',
    'must be a JID pattern',
  ],
  ['a number as a key', `${TYPE}fields: { »1: { xpath: a } }`, 'wrong-value', 'Key "1" in fields must be'],
  [
    'aliases that multiply',
    `kind: DocumentType\nname: order\na: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]`.replace(
      'kind',
      '»kind',
    ),
    'yaml-aliases',
    'its aliases multiply',
  ],
  [
    'an alias within itself',
    '»kind: DocumentType\nname: order\nfields: &a { a: *a }',
    'yaml-aliases',
    'contain themselves',
  ],
]

expectMistakes('types/a.yaml', { 'waybill.yaml': WAYBILL, 'schemas/a.xsd': '<a/>', 'schemas/a.json': '{}' }, inTypes)

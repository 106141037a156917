/** What can be configured that is wrong: the table of bad-input.test.ts. */

/**
 * A text of which the mark is the place of the mistake, and a part of the message. Texts of one file stand in it one after the
 * other.
 */
export type Mistake = readonly [what: string, file: string, text: string, message: string]

const WAYBILL_FILE = 'waybill.yaml'
const ROUTES = 'routes/wrong.yaml'
const TYPES = 'types/wrong.yaml'

const route = (name: string, text: string) => `---\nkind: Route\nname: ${name}\n${text}\n`
const deliver = (name: string, text: string) => route(name, `when: { type: order }\ndeliver: [${text}]`)
const when = (name: string, text: string) => route(name, `when: ${text}\ndeliver: [{ jid: other.example.test }]`)
const type = (name: string, text: string) =>
  `---\nkind: DocumentType\nname: ${name}\nidentify: { xml: { root: "{urn:example:${name}}r" } }\n${text}\n`
const schema = (name: string, file: string) => type(name, `schema: { ${file.split('.')[1]}: »${file} }`)
const byJson = (name: string, text: string) =>
  `---\nkind: DocumentType\nname: ${name}\nidentify: { json: { datatype: "urn:example:${name}" } }\n${text}\n`

export const mistakes: readonly Mistake[] = [
  ['a misspelt key', WAYBILL_FILE, '»sendrs: ["*@example.test"]\n', 'Unknown key "sendrs" (did you mean "senders"?)'],
  [
    'a number in quotes',
    WAYBILL_FILE,
    'limits: { depth: »"64" }\n',
    'limits.depth must be a whole number, found string "64"',
  ],
  [
    'a durability that there is not',
    WAYBILL_FILE,
    'redis: { durability: »allways }\n',
    'must be one of memory, everysec, fsync',
  ],
  ['a duration that is none', WAYBILL_FILE, 'dedupe: { window: »soon }\n', 'dedupe.window must be a duration'],
  ['a JID that is none', WAYBILL_FILE, 'admins: [»"ops@"]\n', 'admins[0] must be'],
  ['a folder that is not there', WAYBILL_FILE, 'load: [types/, routes/, »nowhere/]\n', 'Cannot load nowhere/'],
  [
    'a variable that is not set',
    WAYBILL_FILE,
    `http: { listen: "127.0.0.1:0", token: »"\${WAYBILL_NOT_SET}" }\n`,
    'WAYBILL_NOT_SET',
  ],

  ['text that is no YAML', 'routes/syntax.yaml', 'kind: Route\nname: [\n»', ''],
  [
    'a key that stands twice',
    'routes/twice.yaml',
    'kind: Route\nname: twice\nwhen: {}\n»when: {}\ndeliver: [{ jid: other.example.test }]\n',
    '',
  ],
  ['an unknown kind', ROUTES, '---\nkind: »Rout\n', 'found "Rout" (did you mean "Route"?)'],
  [
    'a misspelt key',
    ROUTES,
    route('r1', 'when: {}\n»ordr: { by: sender }\ndeliver: [{ jid: other.example.test }]'),
    'Unknown key "ordr" (did you mean "order"?)',
  ],
  ['no destinations', ROUTES, '---\n»kind: Route\nname: r2\nwhen: {}\n', 'deliver is missing'],
  [
    'an unknown document type',
    ROUTES,
    when('r3', '{ type: »ordre }'),
    'Unknown document type "ordre" (did you mean "order"?)',
  ],
  ['an unknown field', ROUTES, when('r4', '{ type: order, fields: { »currancy: EUR } }'), 'did you mean "currency"?'],
  [
    'an unknown condition',
    ROUTES,
    when('r5', '{ type: order, fields: { total: { »atLeast: 1 } } }'),
    'Unknown key "atLeast"',
  ],
  [
    'bounds that no number meets',
    ROUTES,
    when('r6', '{ type: order, fields: { »total: { ">": 5, "<": 5 } } }'),
    'No number is',
  ],
  ['a sender pattern that is none', ROUTES, when('r7', '{ from: »"@@" }'), 'must be a JID pattern'],
  [
    'an XPath with a prefix that is not declared',
    ROUTES,
    when('r8', '{ type: order, xpath: »"/ord:order" }'),
    "prefix `ord` isn't declared (known: o)",
  ],
  ['an XPath that is none', ROUTES, when('r9', '{ type: order, xpath: »"count(/o:order" }'), 'Cannot read the XPath'],
  [
    'an XPath with an unknown function',
    ROUTES,
    when('r10', '{ type: order, xpath: »"matches(/o:order, 1)" }'),
    'matches',
  ],
  [
    'a node name with an unknown field',
    ROUTES,
    deliver('r11', '{ pubsub: pubsub.example.test, node: »"orders/{curency}", allow: ".*" }'),
    'did you mean "currency"?',
  ],
  [
    'a node name with a brace that closes nothing',
    ROUTES,
    deliver('r12', '{ pubsub: pubsub.example.test, node: »"orders/}", allow: ".*" }'),
    'brace',
  ],
  [
    'a template without allow',
    ROUTES,
    deliver('r13', '»{ pubsub: pubsub.example.test, node: "orders/{currency}" }'),
    '`allow` must say which addresses',
  ],
  [
    'an allow that is no expression',
    ROUTES,
    deliver('r14', '{ pubsub: pubsub.example.test, node: "n/{currency}", allow: »"n/(" }'),
    'must be a regular expression',
  ],
  [
    'an allow that can take very long',
    ROUTES,
    deliver('r15', '{ pubsub: pubsub.example.test, node: "n/{currency}", allow: »"n/([A-Z]+)+" }'),
    'repeats',
  ],
  [
    'a document that would choose the server',
    ROUTES,
    deliver('r16', '{ jid: »"desk@{currency}.example.test", allow: ".*" }'),
    'localpart or the resource only',
  ],
  ['a destination that is no JID', ROUTES, deliver('r17', '{ jid: »"a b@example.test" }'), 'it is not a JID'],
  [
    'a destination of two kinds',
    ROUTES,
    deliver('r18', '»{ jid: a@example.test, pubsub: pubsub.example.test, node: n }'),
    'exactly one of pubsub, jid, group',
  ],
  [
    'an unknown policy',
    ROUTES,
    deliver('r19', '{ jid: other.example.test, retry: »breif }'),
    'Unknown retry policy "breif" (did you mean "brief"?)',
  ],
  [
    'an unknown proof',
    ROUTES,
    deliver('r20', '{ jid: other.example.test, confirm: »reciept }'),
    'did you mean "receipt"?',
  ],
  [
    'two routes of one name',
    ROUTES,
    '---\nkind: Route\nname: »orders\nwhen: {}\ndeliver: [{ jid: other.example.test }]\n',
    'There are two of Route orders',
  ],
  ['a policy without tries', ROUTES, '---\nkind: Policy\nname: p1\ndeliveries: »0\n', 'deliveries must be at least 1'],

  ['no schema', TYPES, '---\n»kind: DocumentType\nname: t1\nidentify: { xml: { root: t1 } }\n', 'schema: none'],
  ['a schema that is not there', TYPES, type('t2', 'schema: { xsd: »t2.xsd }'), 'Cannot find schema t2.xsd'],
  [
    'a schema outside of the folder',
    TYPES,
    type('t3', 'schema: { xsd: »../../../etc/t3.xsd }'),
    'outside of the configuration folder',
  ],
  ['a schema with an unknown type', TYPES, schema('t4', 'unknown-type.xsd'), 'unknown-type.xsd:2'],
  ['a schema that is cut off', TYPES, schema('t5', 'cut-off.xsd'), 'cut-off.xsd:1'],
  ['a schema that asks the network', TYPES, schema('t6', 'network.xsd'), 'never from the network'],
  ['a schema that leads out of its folder', TYPES, schema('t7', 'outside.xsd'), 'it leads out of the bundle'],
  ['a schema that includes what is not there', TYPES, schema('t8', 'missing.xsd'), 'there is no file nothing.xsd'],
  ['a schema with an external DOCTYPE', TYPES, schema('t9', 'doctype.xsd'), 'external subset'],
  [
    'a schema without the root of the type',
    TYPES,
    type('t10', 'schema: { xsd: »order.xsd }'),
    'declares no element {urn:example:t10}r',
  ],
  [
    'a RELAX NG schema that refers to nothing',
    TYPES,
    schema('t11', 'refers.rng'),
    'Reference nothing has no matching definition',
  ],
  ['a JSON Schema with an unknown type', TYPES, byJson('t12', 'schema: { json: »wrong.json }'), 'wrong.json'],
  ['an XML Schema for JSON', TYPES, byJson('t13', 'schema: { »xsd: order.xsd }'), 'JSON needs json'],
  [
    'a field by an XPath with a prefix that is not declared',
    TYPES,
    type('t14', 'schema: none\nfields: { a: { xpath: »"/x:r" } }'),
    "prefix `x` isn't declared",
  ],
  [
    'a field by an XPath that is none',
    TYPES,
    type('t15', 'schema: none\nfields: { a: { xpath: »"/r[" } }'),
    'Cannot read the XPath',
  ],
  [
    'a field of JSON by XPath',
    TYPES,
    byJson('t16', 'schema: none\nfields: { a: { »xpath: /a } }'),
    'JSON is read by pointer',
  ],
  [
    'a type that another one takes too',
    TYPES,
    '---\nkind: DocumentType\nname: t17\n»identify: { xml: { root: "{urn:example:order}order" } }\nschema: none\n',
    'both take the root',
  ],
  [
    'a key that is no field',
    TYPES,
    type('t18', 'schema: none\nfields: { number: { xpath: "r" } }\nkey: »numbr'),
    'did you mean "number"?',
  ],
]

const xsd = (text: string) => `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">\n${text}\n</xs:schema>\n`

/** The files that the mistakes speak of. */
export const wrongSchemas: Readonly<Record<string, string>> = {
  'schemas/unknown-type.xsd': xsd('<xs:element name="r" type="nothing"/>'),
  'schemas/cut-off.xsd': '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">',
  'schemas/network.xsd': xsd('<xs:include schemaLocation="http://127.0.0.1:1/a.xsd"/>'),
  'schemas/outside.xsd': xsd('<xs:include schemaLocation="../../../etc/a.xsd"/>'),
  'schemas/missing.xsd': xsd('<xs:include schemaLocation="nothing.xsd"/>'),
  'schemas/doctype.xsd': `<!DOCTYPE xs:schema SYSTEM "http://127.0.0.1:1/a.dtd">\n${xsd('')}`,
  'schemas/refers.rng':
    '<grammar xmlns="http://relaxng.org/ns/structure/1.0"><start><ref name="nothing"/></start></grammar>',
  'schemas/wrong.json': '{ "type": "objekt" }',
}

import { describe, expect, it } from 'vitest'
import { type Files, load, ORDER, takeMark, WAYBILL } from './folder.ts'

type Mistake = readonly [says: string, text: string, code: string, message: string | RegExp]

const XMPP = 'xmpp: { domain: waybill.example.org, host: example.org, secret: s3cr3t-0 }\nsenders: ["*@example.org"]\n'

const inWaybill: readonly Mistake[] = [
  ['a misspelt key', `${XMPP}»sendrs: []`, 'unknown-key', 'Unknown key "sendrs" (did you mean "senders"?)'],
  [
    'a misspelt key below',
    `${XMPP}redis: { »durabilty: fsync }`,
    'unknown-key',
    '"durabilty" in redis (did you mean "durability"?)',
  ],
  ['an unknown key that resembles none', `${XMPP}»zzz: 1`, 'unknown-key', 'Unknown key "zzz"; known are kind, xmpp'],
  ['a key in other letters', `${XMPP}»Admins: []`, 'unknown-key', 'did you mean "admins"?'],
  ['a key that objects have by nature', `${XMPP}»__proto__: { a: 1 }`, 'unknown-key', 'Unknown key "__proto__"'],
  [
    'a missing secret',
    'senders: ["*@a.example"]\n»xmpp: { domain: w.example.org, host: example.org }',
    'missing-key',
    "xmpp.secret is missing, and WAYBILL_XMPP_SECRET isn't set either",
  ],
  [
    'a missing domain',
    'senders: ["*@a.example"]\n»xmpp: { host: example.org, secret: a }',
    'missing-key',
    'xmpp.domain is missing',
  ],
  [
    'a string for a list',
    `xmpp: { domain: w.example.org, host: example.org, secret: a }\nsenders: »"*@example.org"`,
    'wrong-type',
    'senders must be a list, found string "*@example.org"',
  ],
  [
    'nothing for a list',
    `xmpp: { domain: w.example.org, host: example.org, secret: a }\n»senders:`,
    'wrong-type',
    'senders must be a list, found nothing',
  ],
  ['a list for a mapping', `${XMPP}»limits: [1]`, 'wrong-type', 'limits must be a mapping, found a list'],
  [
    'a string for a number',
    `${XMPP}limits: { depth: »"64" }`,
    'wrong-type',
    'limits.depth must be a whole number, found string "64"',
  ],
  ['a broken number', `${XMPP}limits: { depth: »6.5 }`, 'wrong-type', 'found number 6.5'],
  [
    'a number that is too small',
    `${XMPP}limits: { depth: »0 }`,
    'out-of-range',
    'limits.depth must be at least 1, found number 0',
  ],
  [
    'a number that is too large',
    `${XMPP}redis: { replicas: »11 }`,
    'out-of-range',
    'redis.replicas must be at most 10, found number 11',
  ],
  [
    'a word for true or false',
    'senders: ["*@a.example"]\nxmpp: { domain: w.example.org, host: example.org, secret: a, insecure: »yes }',
    'wrong-type',
    'xmpp.insecure must be true or false, found string "yes"',
  ],
  [
    'a durability that there is not',
    `${XMPP}redis: { durability: »every-sec }`,
    'wrong-value',
    'one of memory, everysec, fsync, found string "every-sec" (did you mean "everysec"?)',
  ],
  [
    'a duration without unit',
    `${XMPP}dedupe: { window: »"10" }`,
    'wrong-value',
    'dedupe.window must be a duration such as',
  ],
  [
    'a duration as a number',
    `${XMPP}dedupe: { window: »10 }`,
    'wrong-type',
    'dedupe.window must be a string, found number 10',
  ],
  [
    'a duration out of range',
    `${XMPP}dedupe: { window: »8d }`,
    'out-of-range',
    'dedupe.window must be from 1s to 7d, found string "8d"',
  ],
  [
    'an address that is none',
    'senders: ["*@a.example"]\nxmpp: { domain: w.example.org, host: example.org, secret: a, service: »"tcp://x" }',
    'wrong-value',
    'xmpp.service must be an address such as xmpp://127.0.0.1:5347',
  ],
  [
    'plain TCP to another machine',
    'senders: ["*@a.example"]\nxmpp: { domain: w.example.org, host: example.org, secret: a, service: »"xmpp://10.0.0.1:5347" }',
    'insecure-service',
    'needs insecure: true',
  ],
  [
    'an address to listen on without port',
    `${XMPP}http: { listen: »127.0.0.1 }`,
    'wrong-value',
    'http.listen must be HOST:PORT',
  ],
  [
    'a port that there is not',
    `${XMPP}http: { listen: »"127.0.0.1:99999" }`,
    'wrong-value',
    'http.listen must be HOST:PORT',
  ],
  [
    'http switched off by a word of its own',
    `${XMPP}http: »off`,
    'wrong-value',
    'http must be none, found string "off"',
  ],
  [
    'an administrator with a resource',
    `${XMPP}admins: [»ops@example.org/desk]`,
    'wrong-value',
    'admins[0] must be a bare JID',
  ],
  ['a JID that is none', `${XMPP}alarms: { to: [»"a@b@c d"] }`, 'wrong-value', 'alarms.to[0] must be a JID'],
  [
    'a JID pattern that is none',
    'xmpp: { domain: w.example.org, host: example.org, secret: a }\nsenders: [a@example.org, »"@example.org"]',
    'wrong-value',
    'senders[1] must be a JID pattern such as *@example.org, found string "@example.org"',
  ],
  [
    'a domain with a localpart',
    'senders: ["*@a.example"]\nxmpp: { domain: »w@example.org, host: example.org, secret: a }',
    'wrong-value',
    'xmpp.domain must be a domain',
  ],
  [
    'nobody may send',
    '»xmpp: { domain: w.example.org, host: example.org, secret: a }',
    'no-senders',
    'senders is empty: nobody may send',
  ],
  [
    'finished documents kept too short',
    `${XMPP}retention: { finished: »5m }`,
    'limits-conflict',
    'retention.finished must not be less than bounceWindow',
  ],
  [
    'documents that fit no stanza',
    `${XMPP}limits: { documentBytes: »250000 }`,
    'limit-unreachable',
    'only 193536 find room',
  ],
  [
    'subscriptions, which are not built',
    `${XMPP}»subscriptions: [{ pubsub: p.example.org, node: in, from: publisher }]`,
    'not-available',
    'subscriptions are not available in this version',
  ],
  [
    'a variable that is not set',
    `${XMPP}redis: { prefix: »"\${NOPE}" }`,
    'environment-missing',
    'Cannot fill in ${NOPE}: the environment has no NOPE',
  ],
  [
    'a place that is none',
    `${XMPP}redis: { prefix: »"\${A:-b}" }`,
    'environment-place',
    '"${" must be followed by a variable\'s name',
  ],
  [
    'a folder to load that is not there',
    `${XMPP}load: [»types/]`,
    'file-missing',
    'Cannot load types/: it does not exist',
  ],
  [
    'a folder to load outside',
    `${XMPP}load: [»../elsewhere]`,
    'file-outside',
    'it lies outside of the configuration folder',
  ],
  ['two YAML documents', `${XMPP}---\n»kind: Route`, 'several-documents', 'waybill.yaml must hold one YAML document'],
  ['a list as the whole file', '»- a\n- b', 'wrong-type', 'waybill.yaml must be a mapping, found a list'],
  ['a key twice', `${XMPP}admins: []\n»admins: []`, 'yaml-duplicate-key', 'key "admins" stands in it twice'],
  ['a tab', `${XMPP}redis:\n»\tprefix: a`, 'yaml-syntax', 'a tab stands where only spaces may indent'],
  ['a bracket that is not closed', `${XMPP}admins: [a@example.org\n»redis: {}`, 'yaml-syntax', 'bracket is not closed'],
  ['a quote that is not closed', `${XMPP}redis: { prefix: "abc }\n»`, 'yaml-syntax', 'a quote is not closed'],
  ['an alias without anchor', `${XMPP}admins: »*ops`, 'yaml-syntax', 'an alias has no anchor before it'],
  ['a tag', `${XMPP}admins: »!!python/object []`, 'yaml-syntax', 'a tag is not known here'],
  ['a wrong indentation', `xmpp:\n  domain: w.example.org\n »host: example.org`, 'yaml-syntax', /indent|no place/],
]

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
    'schema needs exactly one of xsd, rng, json: found xsd and rng',
  ],
  [
    'a word instead of a schema',
    TYPE.replace('schema: none', 'schema: »nothing'),
    'wrong-value',
    'schema must be none, found string "nothing"',
  ],
  [
    'a JSON Schema for XML',
    TYPE.replace('schema: none', 'schema: { »json: a.json }'),
    'wrong-schema-language',
    'XML needs xsd or rng',
  ],
  [
    'schematron, which is not built',
    TYPE.replace('schema: none', 'schema: { xsd: a.xsd, »schematron: a.sch }'),
    'not-available',
    'schematron is not available in this version',
  ],
  [
    'quarantine, which is not built',
    `${TYPE}»onInvalid: quarantine`,
    'not-available',
    'onInvalid can only be reject in this version',
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
    'fields.total needs exactly one of xpath, pointer: found none',
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
    'JSON is read by pointer',
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
    'only one says where',
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
  ['a number as a key', `${TYPE}fields: { »1: { xpath: a } }`, 'yaml-syntax', 'a key must be a text'],
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

const ROUTE = `kind: Route
name: r
when: { type: order }
deliver: [{ jid: a@example.org }]
`
const when = (text: string) => ROUTE.replace('{ type: order }', text)
const deliver = (text: string) => ROUTE.replace('{ jid: a@example.org }', text)

const inRoutes: readonly Mistake[] = [
  ['an unknown type', when('{ type: »ordr }'), 'type-unknown', 'Unknown document type "ordr" (did you mean "order"?)'],
  ['an unknown type in a list', when('{ type: [order, »invoice] }'), 'type-unknown', 'Unknown document type "invoice"'],
  [
    'an unknown field',
    when('{ type: order, fields: { »currancy: EUR } }'),
    'field-unknown',
    'Unknown field "currancy": order has no such field (did you mean "currency"?)',
  ],
  ['an unknown field of any type', when('{ fields: { »zzzzzz: EUR } }'), 'field-unknown', 'Unknown field "zzzzzz"'],
  [
    'an unknown condition',
    when('{ type: order, fields: { total: { »more: 1 } } }'),
    'unknown-key',
    'Unknown key "more" in when.fields.total',
  ],
  [
    'conditions that are empty',
    when('{ type: order, fields: { »total: [] } }'),
    'wrong-value',
    'when.fields.total must not be empty',
  ],
  [
    'a condition that is empty',
    when('{ type: order, fields: { total: [»{}] } }'),
    'wrong-value',
    'when.fields.total[0] must not be empty',
  ],
  [
    'a bound that is no number',
    when('{ type: order, fields: { total: { ">=": »"1000" } } }'),
    'wrong-type',
    'when.fields.total.>= must be a number, found string "1000"',
  ],
  [
    'several kinds in one condition',
    when('{ type: order, fields: { currency: [»{ prefix: E, suffix: R }] } }'),
    'condition-mixed',
    'One condition has prefix, suffix',
  ],
  [
    'bounds that exclude each other',
    when('{ type: order, fields: { »total: { ">": 5, "<": 5 } } }'),
    'condition-impossible',
    'No number is < 5 and > 5',
  ],
  [
    'text in a number',
    when('{ type: order, fields: { »total: { prefix: "1" } } }'),
    'condition-impossible',
    'prefix never holds for field total, which is read as a number',
  ],
  [
    'a sender pattern that is none',
    when('{ type: order, from: »"@@" }'),
    'wrong-value',
    'when.from must be a JID pattern',
  ],
  [
    'a way that there is not',
    when('{ type: order, stanza: [iq, »presence] }'),
    'wrong-value',
    'one of iq, message, publish, event',
  ],
  [
    'a way that there is not, alone',
    when('{ type: order, stanza: »publis }'),
    'wrong-value',
    'did you mean "publish"?',
  ],
  [
    'no conditions at all',
    '»kind: Route\nname: r\ndeliver: [{ jid: a@example.org }]',
    'matches-everything',
    'say when: {} where that is meant',
  ],
  ['no destinations', '»kind: Route\nname: r\nwhen: {}', 'missing-key', 'deliver is missing'],
  [
    'an empty list of destinations',
    'kind: Route\nname: r\nwhen: {}\n»deliver: []',
    'wrong-value',
    'deliver must not be empty',
  ],
  [
    'a destination of no kind',
    deliver('»{ retry: default }'),
    'choose-one',
    'deliver[0] needs exactly one of pubsub, jid: found none',
  ],
  [
    'a destination of two kinds',
    deliver('»{ pubsub: p.example.org, node: a, jid: a@example.org }'),
    'choose-one',
    'found pubsub and jid',
  ],
  [
    'a service without node',
    deliver('»{ pubsub: p.example.org }'),
    'missing-key',
    'deliver[0] needs node beside pubsub',
  ],
  ['a JID that is none', deliver('{ jid: »"a b@" }'), 'address-invalid', 'it is not a JID'],
  [
    'a template without allow',
    deliver('»{ pubsub: p.example.org, node: "n/{currency}" }'),
    'allow-missing',
    '`allow` must say which addresses',
  ],
  [
    'an allow that is no expression',
    deliver('{ pubsub: p.example.org, node: "n/{currency}", allow: »"n/(" }'),
    'wrong-value',
    'deliver[0].allow must be a regular expression',
  ],
  [
    'an allow that refuses the only address',
    deliver('{ pubsub: p.example.org, node: n, allow: »m }'),
    'allow-refuses',
    'allow refuses n',
  ],
  [
    'a place for an unknown field',
    deliver('{ pubsub: p.example.org, node: »"n/{curency}", allow: ".*" }'),
    'field-unknown',
    'did you mean "currency"?',
  ],
  [
    'a place for an unknown field in a text',
    deliver('{ jid: a@example.org, body: »"{curency}" }'),
    'field-unknown',
    'did you mean "currency"?',
  ],
  [
    'a brace that closes nothing',
    deliver('{ pubsub: p.example.org, node: »"n/}", allow: ".*" }'),
    'template-invalid',
    'brace',
  ],
  [
    'a place in a domain',
    deliver('{ jid: »"a@{currency}.example.org", allow: ".*" }'),
    'place-in-domain',
    'localpart or the resource only',
  ],
  [
    'an unknown policy',
    deliver('{ jid: a@example.org, retry: »defualt }'),
    'policy-unknown',
    'Unknown retry policy "defualt" (did you mean "default"?)',
  ],
  [
    'a proof for a node',
    deliver('{ pubsub: p.example.org, node: n, »confirm: receipt }'),
    'option-unfit',
    "a node's result is always awaited",
  ],
  [
    'a text for a node',
    deliver('{ pubsub: p.example.org, node: n, »body: hello }'),
    'option-unfit',
    'people read messages',
  ],
  [
    'a text for an iq',
    deliver('{ jid: a@example.org, confirm: iq, »body: hello }'),
    'option-unfit',
    'an iq has no body',
  ],
  [
    'a node to create for a JID',
    deliver('{ jid: a@example.org, »create: { max_items: 1 } }'),
    'option-unfit',
    'only nodes are created',
  ],
  [
    'a node option in full',
    deliver('{ pubsub: p.example.org, node: n, create: { »"pubsub#max_items": 1 } }'),
    'wrong-value',
    'without `pubsub#`',
  ],
  ['an order by an unknown field', `${ROUTE}order: { by: »curency }`, 'field-unknown', 'did you mean "currency"?'],
  ['an expiry that is no duration', `${ROUTE}expires: »soon`, 'wrong-value', 'expires must be a duration'],
  ['a priority out of range', `${ROUTE}priority: »5000`, 'out-of-range', 'priority must be at most 1000'],
  [
    'a test document that is not there',
    `${ROUTE}tests: [{ document: »a.xml, from: a@example.org, delivers: [] }]`,
    'file-missing',
    'it is none of routes/r.yaml'.replace('r.yaml', 'a.xml'),
  ],
  [
    'a test that delivers to no destination',
    `${ROUTE}tests: [{ document: a.xml, from: a@example.org, delivers: [»"xmpp:a"] }]`,
    'wrong-value',
    'tests[0].delivers[0] must be a destination',
  ],
  [
    'a prefix that the type binds otherwise',
    when('{ type: order, xpath: "/o:a", namespaces: { o: »"urn:other" } }'),
    'namespace-conflict',
    'Prefix o stands for urn:example:order in type order and for urn:other in the route',
  ],
  [
    'a policy that waits longer first than at most',
    'kind: Policy\nname: p\nbackoff: { first: »10m }',
    'limits-conflict',
    '10m is longer than 5m',
  ],
  ['a policy without tries', 'kind: Policy\nname: p\ndeliveries: »0', 'out-of-range', 'deliveries must be at least 1'],
  [
    'a policy with an unknown answer',
    'kind: Policy\nname: p\nanswers: [{ condition: »item-notfound, then: retry }]',
    'wrong-value',
    'did you mean "item-not-found"?',
  ],
  [
    'a policy with an unknown verdict',
    'kind: Policy\nname: p\nanswers: [{ condition: gone, then: »drop }]',
    'wrong-value',
    'one of retry, dead, dead-and-alarm',
  ],
  [
    'a policy with a broken expression',
    'kind: Policy\nname: p\nanswers: [{ condition: gone, text: »"(", then: dead }]',
    'wrong-value',
    'must be a regular expression',
  ],
]

const tables: readonly (readonly [file: string, others: Files, mistakes: readonly Mistake[]])[] = [
  ['waybill.yaml', {}, inWaybill],
  ['types/a.yaml', { 'waybill.yaml': WAYBILL, 'schemas/a.xsd': '<a/>', 'schemas/a.json': '{}' }, inTypes],
  ['routes/a.yaml', { 'waybill.yaml': WAYBILL, 'types/order.yaml': ORDER }, inRoutes],
]

describe.each(tables)('a mistake in %s is found where it stands', (file, others, mistakes) => {
  it.each(mistakes)('%s', async (_, marked, code, message) => {
    const { text, line, column } = takeMark(marked)
    const { problems } = await load({ ...others, [file]: text })
    const found = problems.find((problem) => problem.code === code)
    expect(found, JSON.stringify(problems, null, 1)).toMatchObject({ file, line, column })
    if (typeof message === 'string') expect(found?.message).toContain(message)
    else expect(found?.message).toMatch(message)
  })

  it.each(mistakes)('%s: and nothing else is complained of', async (_, marked, code) => {
    const { problems } = await load({ ...others, [file]: takeMark(marked).text })
    expect(problems.filter((problem) => problem.code !== code)).toEqual([])
  })
})

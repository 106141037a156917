import { cpSync, existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { assemble } from '../src/assemble.ts'
import type { Problem } from '../src/config/configuration.ts'
import { review } from '../src/review.ts'
import { type Files, takeMark, withFolder } from './config/folder.ts'

const WAYBILL = `
xmpp: { domain: waybill.example.org, host: example.org, secret: s3cr3t-0 }
senders: ["*@example.org", p.example.org]
subscriptions:
  - { pubsub: p.example.org, node: in, from: service }
  - { pubsub: p.example.org, node: stage/2, from: publisher }
`

const ORDER_XSD = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:example:order" targetNamespace="urn:example:order" elementFormDefault="qualified">
  <xs:element name="order" type="Order"/>
  <xs:complexType name="Order">
    <xs:sequence>
      <xs:element name="number" type="xs:string"/>
      <xs:element name="issued" type="xs:date"/>
      <xs:element name="currency" type="Currency"/>
      <xs:element name="total" type="Money"/>
      <xs:element name="note" minOccurs="0" maxOccurs="unbounded" type="Note"/>
      <xs:element name="line" maxOccurs="unbounded" type="Line"/>
    </xs:sequence>
    <xs:attribute name="express" type="xs:boolean"/>
    <xs:attribute name="state" type="State"/>
  </xs:complexType>
  <xs:complexType name="Line">
    <xs:sequence><xs:element name="sku" type="Sku"/><xs:element name="quantity" type="xs:positiveInteger"/><xs:element name="line" type="Line" minOccurs="0"/></xs:sequence>
  </xs:complexType>
  <xs:complexType name="Note"><xs:simpleContent><xs:extension base="xs:string"><xs:attribute name="lang" type="xs:language"/></xs:extension></xs:simpleContent></xs:complexType>
  <xs:simpleType name="Currency"><xs:restriction base="xs:token"><xs:enumeration value="EUR"/><xs:enumeration value="USD"/><xs:enumeration value="GBP"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="State"><xs:restriction base="xs:token"><xs:enumeration value="draft"/><xs:enumeration value="final"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="Money"><xs:restriction base="xs:decimal"><xs:minInclusive value="0"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="Sku"><xs:restriction base="xs:token"><xs:pattern value="[A-Z]{2}-[0-9]{4}"/></xs:restriction></xs:simpleType>
</xs:schema>`

const CREDIT_XSD = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:example:credit" elementFormDefault="qualified">
  <xs:element name="credit"><xs:complexType><xs:sequence><xs:element name="reason" type="xs:string"/><xs:element name="currency" type="xs:string"/>
    <xs:element name="extra" minOccurs="0"><xs:complexType><xs:sequence><xs:any processContents="lax"/></xs:sequence></xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>`

const ORDER = `kind: DocumentType
name: order
identify: { xml: { root: "{urn:example:order}order", where: "/o:order/@express or not(/o:order/@express)" } }
namespaces: { o: "urn:example:order" }
schema: { xsd: trade/order.xsd }
fields:
  number: { xpath: /o:order/o:number }
  issued: { xpath: /o:order/o:issued }
  currency: { xpath: /o:order/o:currency }
  total: { xpath: /o:order/o:total, as: number }
  state: { xpath: /o:order/@state }
  express: { xpath: /o:order/@express, as: boolean }
  sku: { xpath: //o:line/o:sku }
  note: { xpath: /o:order/o:note }
`

const CREDIT = `kind: DocumentType
name: credit
identify: { xml: { root: "{urn:example:credit}credit" } }
namespaces: { k: "urn:example:credit" }
schema: { xsd: trade/credit.xsd }
fields:
  currency: { xpath: /k:credit/k:currency }
  reason: { xpath: /k:credit/k:reason }
`

const READING_JSON = JSON.stringify({
  type: 'object',
  additionalProperties: false,
  properties: {
    kind: { const: 'reading' },
    site: { type: 'string' },
    state: { enum: ['on', 'off', 3] },
    values: { type: 'array', items: { $ref: '#/$defs/value' } },
    free: { type: 'object' },
    either: { anyOf: [{ type: 'string' }, { type: 'object', additionalProperties: false }] },
  },
  $defs: { value: { type: 'object', additionalProperties: false, properties: { celsius: { type: 'number' } } } },
})

const READING = `kind: DocumentType
name: reading
identify: { json: { match: { /kind: reading } } }
schema: { json: reading.json }
fields:
  site: { pointer: /site }
  state: { pointer: /state }
  free: { pointer: /free/anything }
  either: { pointer: /either/x }
  celsius: { jsonpath: "$.values[*].celsius" }
  first: { pointer: /values/0/celsius }
  below: { jsonpath: $..kelvin }
`

/** A configuration with everything that could be taken for a mistake, and isn't one. */
const SOUND_ROUTES = `kind: Route
name: by-currency
owner: tests
when:
  type: order
  from: ["*@example.org"]
  fields: { currency: [EUR, { not: USD }], total: { ">=": 0 }, issued: { prefix: "2026-" }, sku: AB-1234, express: true, note: any text }
  xpath: "//o:line[o:sku = 'AB-1234' and o:quantity > 3]/ancestor::o:order or /o:order/o:line/o:line/o:line/o:sku"
deliver: [{ pubsub: p.example.org, node: "out/{currency}", allow: "out/(EUR|USD)" }, { jid: erp@example.org }]
---
kind: Route
name: two-types
owner: tests
when: { type: [order, credit], xpath: "/o:order/o:note/@lang = 'de' or /k:credit/k:reason = 'late' or /k:credit/k:extra/k:whatever or //k:what" }
deliver: [{ jid: "{type}@example.org", allow: "(order|credit)@example\\\\.org" }]
---
kind: Route
name: in-to-out
owner: tests
when: { node: in }
deliver: [{ pubsub: p.example.org, node: out }]
---
kind: Route
name: to-in
owner: tests
when: { stanza: iq, from: "a@example.org" }
deliver: [{ pubsub: p.example.org, node: in }]
---
kind: Route
name: x-stops
owner: tests
priority: 9
stop: true
when: { type: order, fields: { currency: EUR, state: final } }
deliver: [{ jid: a@example.org }]
---
kind: Route
name: readings
owner: tests
when: { type: reading, fields: { state: ["on", 3, "3", { not: "off" }], celsius: { ">": 5 } } }
deliver: [{ jid: r@example.org }]
---
kind: Route
name: the-rest
owner: tests
otherwise: true
when: { type: [order, credit] }
deliver: [{ jid: b@example.org }]
`

const SOUND: Files = {
  'waybill.yaml': WAYBILL,
  'schemas/trade/order.xsd': ORDER_XSD,
  'schemas/trade/credit.xsd': CREDIT_XSD,
  'types/order.yaml': ORDER,
  'types/credit.yaml': CREDIT,
  'schemas/reading.json': READING_JSON,
  'types/reading.yaml': READING,
  'routes/sound.yaml': SOUND_ROUTES,
}

async function problemsOf(files: Files): Promise<readonly Problem[]> {
  return withFolder(files, checked)
}

async function checked(folder: string): Promise<readonly Problem[]> {
  const { assembly, problems } = await assemble(folder, {})
  const all = assembly ? [...problems, ...review(assembly)] : problems
  assembly?.documents.dispose()
  return all
}

/** A mistake: what it is, its file, its text with a mark where it must be found, its code, a part of its message. */
type Seeded = readonly [says: string, file: string, text: string, code: string, message: string]

const route = (when: string, more = '', deliver = '[{ jid: z@example.org }]') =>
  `kind: Route\nname: seeded\nowner: tests\n${more}when: ${when}\ndeliver: ${deliver}\n`
const inRoute = (says: string, text: string, code: string, message: string): Seeded => {
  return [says, 'routes/seeded.yaml', text, code, message]
}
const when = (says: string, text: string, code: string, message: string) => inRoute(says, route(text), code, message)
const deliver = (says: string, text: string, code: string, message: string, conditions = '{ type: order }') =>
  inRoute(says, route(conditions, '', `[${text}]`), code, message)
const field = (says: string, path: string, code: string, message: string): Seeded => {
  return [says, 'types/order.yaml', `${ORDER}  seeded: { xpath: »"${path}" }\n`, code, message]
}

const IMPOSSIBLE = 'path-impossible'
const VALUE = 'value-impossible'
const UNREAD = 'condition-impossible'

const seeded: readonly Seeded[] = [
  // Prefixes.
  field('an undeclared prefix in a field', '/x:order/x:number', 'type-fields', "prefix `x` isn't declared (known: o)"),
  when(
    'an undeclared prefix in a route',
    '{ type: order, xpath: »"/x:order" }',
    'xpath-invalid',
    "prefix `x` isn't declared",
  ),
  when(
    'an undeclared prefix in a group',
    '{ type: order, any: [{ xpath: »"x:a" }] }',
    'xpath-invalid',
    'isn’t declared'.replace('’', "'"),
  ),
  // Paths that the schema has no place for.
  field('a misspelt element', '/o:order/o:curency', IMPOSSIBLE, 'did you mean "o:currency"?'),
  field('a forgotten prefix', '/o:order/currency', IMPOSSIBLE, 'did you mean "o:currency"?'),
  field('a misspelt root', '/o:ordr/o:currency', IMPOSSIBLE, 'stand at the root, which is o:order'),
  field('a misspelt attribute', '/o:order/@expres', IMPOSSIBLE, 'did you mean "@express"?'),
  field('an attribute with a prefix that it has not', '/o:order/@o:state', IMPOSSIBLE, 'did you mean "@state"?'),
  field('a level left out', '/o:order/o:sku', IMPOSSIBLE, 'no o:sku stand in o:order'),
  field('a level too many', '/o:order/o:line/o:currency', IMPOSSIBLE, 'no o:currency stand in o:line'),
  field('a child of a text', '/o:order/o:number/o:value', IMPOSSIBLE, 'stand in o:number'),
  field('a name that is nowhere below', '//o:skus', IMPOSSIBLE, 'did you mean "o:sku"?'),
  field(
    'an attribute of an element that has none',
    '/o:order/o:total/@currency',
    IMPOSSIBLE,
    'no @currency stand in o:total',
  ),
  field('a path in a predicate', "/o:order/o:line[o:code = 'x']/o:sku", IMPOSSIBLE, 'no o:code stand in o:line'),
  field('a path in a function', 'count(/o:order/o:lines)', IMPOSSIBLE, 'did you mean "o:line"?'),
  field('one side of a union', '/o:order/o:number | /o:order/o:nummer', IMPOSSIBLE, 'did you mean "o:number"?'),
  [
    'a path in a discriminator',
    'types/order.yaml',
    ORDER.replace('"/o:order/@express or not(/o:order/@express)"', '»"/o:order/@version = 2"'),
    IMPOSSIBLE,
    'no @version stand in o:order',
  ],
  when('a path in a route', '{ type: order, xpath: »"/o:order/o:lines" }', IMPOSSIBLE, 'did you mean "o:line"?'),
  when(
    'a path in a group',
    '{ type: order, not: { xpath: »"/o:order/o:lines" } }',
    IMPOSSIBLE,
    'did you mean "o:line"?',
  ),
  when(
    'a path that no type of a route has',
    '{ type: [order, credit], xpath: »"/o:order/o:reason" }',
    IMPOSSIBLE,
    'o:reason',
  ),
  when(
    'a path below recursion',
    '{ type: order, xpath: »"//o:line/o:line/o:skew" }',
    IMPOSSIBLE,
    'did you mean "o:sku"?',
  ),
  ...(
    [
      ['a key that the schema has not', 'pointer: »/sit', 'did you mean "site"?'],
      ['a key of a text', 'pointer: »/site/name', 'has string where "name" is looked for'],
      ['a key in a list', 'jsonpath: »"$.values[*].celcius"', 'did you mean "celsius"?'],
    ] as const
  ).map(([says, source, message]): Seeded => {
    return [says, 'types/reading.yaml', `${READING}  seeded: { ${source} }\n`, IMPOSSIBLE, message]
  }),
  // Values that can't stand there.
  when(
    'a value that a JSON Schema does not list',
    '{ type: reading, fields: { state: »onn } }',
    VALUE,
    'lists "on" among others',
  ),
  when(
    'a value that the schema does not list',
    '{ type: order, fields: { currency: »CHF } }',
    VALUE,
    'the schema lists EUR, USD, GBP',
  ),
  when('a misspelt value', '{ type: order, fields: { state: »finall } }', VALUE, 'did you mean "final"?'),
  when('a value in another case', '{ type: order, fields: { currency: »eur } }', VALUE, 'did you mean "EUR"?'),
  when('one value of several', '{ type: order, fields: { currency: [EUR, »CHF] } }', VALUE, 'is never "CHF"'),
  when(
    'a value that is excluded, and never comes',
    '{ type: order, fields: { currency: { not: »CHF } } }',
    VALUE,
    'is never "CHF"',
  ),
  when('a value of another form', '{ type: order, fields: { sku: »AB1234 } }', VALUE, 'admits no such value'),
  when('a word where a number stands', '{ type: order, fields: { total: »much } }', VALUE, 'is never "much"'),
  when('a number below the least', '{ type: order, fields: { total: »"-5" } }', VALUE, 'is never "-5"'),
  when('bounds for a date', '{ type: order, fields: { issued: »{ ">=": 20260101 } } }', VALUE, 'is never a number'),
  when('a date of another form', '{ type: order, fields: { issued: »21.11.2026 } }', VALUE, 'is never "21.11.2026"'),
  when('a number among words', '{ type: order, fields: { currency: »978 } }', VALUE, 'is never 978'),
  when(
    'a beginning that no value has',
    '{ type: order, fields: { currency: »{ prefix: C } } }',
    VALUE,
    'never has the prefix C',
  ),
  when(
    'a part that no value has',
    '{ type: order, fields: { state: »{ contains: x } } }',
    VALUE,
    'never has the part x',
  ),
  when(
    'a value in an XPath',
    `{ type: order, xpath: »"/o:order/o:currency = 'CHF'" }`,
    VALUE,
    'o:currency is never "CHF"',
  ),
  when('a value on the left', `{ type: order, xpath: »"'fin' = /o:order/@state" }`, VALUE, '@state is never "fin"'),
  when('a value in a predicate', `{ type: order, xpath: »"//o:line[o:sku = 'x']" }`, VALUE, 'o:sku is never "x"'),
  when(
    'a number for a date in an XPath',
    '{ type: order, xpath: »"/o:order/o:issued > 2026" }',
    VALUE,
    'is never a number',
  ),
  when(
    'a date for a date in an XPath, which are no numbers',
    `{ type: order, xpath: »"/o:order/o:issued >= '2026-01-01'" }`,
    VALUE,
    ">= compares numbers, and '2026-01-01' is none: it never holds (of a date, translate(",
  ),
  when(
    'a text in order in a predicate',
    `{ type: order, not: { xpath: »"//o:line[o:quantity > '1,000']" } }`,
    VALUE,
    "'1,000' is none",
  ),
  field('a text in order in a field', "/o:order/o:line[o:quantity < 'ten']/o:sku", VALUE, "'ten' is none"),
  when(
    'a number in quotes that is never written so',
    '{ type: order, fields: { total: [5, »"1000.00"] } }',
    UNREAD,
    'Field total is never "1000.00": it is read as a number, whose text is 1000 (without quotes 1000 is compared as a number)',
  ),
  when(
    'a value that was forgotten',
    '{ type: order, fields: { »note: } }',
    UNREAD,
    'Field note is never null: XML has no null ({ exists: false } holds where there is no value)',
  ),
  when('a number for a boolean', '{ type: order, fields: { express: »"1" } }', UNREAD, 'it is read as a boolean'),
  // Routes that serve nothing.
  inRoute(
    'a route below one that stops',
    route('{ type: order, fields: { currency: EUR, state: final, number: { exists: true } } }').replace(
      'seeded',
      '»seeded',
    ),
    'route-shadowed',
    'route x-stops comes first, matches all that this one does, and stops',
  ),
  inRoute(
    'a narrower sender below one that stops',
    `kind: Route\nname: a\nowner: tests\nstop: true\nwhen: { from: "shop*@example.org" }\ndeliver: [{ jid: y@example.org }]\n---\n${route(
      '{ type: credit, from: ["shop-*@example.org", shops@example.org/desk] }',
    ).replace('seeded', '»seeded')}`,
    'route-shadowed',
    'route a comes first',
  ),
  inRoute(
    'a tighter bound below one that stops',
    `kind: Route\nname: a\nowner: tests\nstop: true\nwhen: { type: order, fields: { total: { ">": 10 } } }\ndeliver: [{ jid: y@example.org }]\n---\n${route(
      '{ type: order, fields: { total: { ">=": 20, "<": 30 } } }',
    ).replace('seeded', '»seeded')}`,
    'route-shadowed',
    'route a comes first',
  ),
  inRoute(
    'an otherwise route for what another one takes',
    route('{ node: in, stanza: event }', 'otherwise: true\n').replace('seeded', '»seeded'),
    'route-shadowed',
    'route in-to-out matches all that this one is for',
  ),
  inRoute(
    'a route that says the same as another one',
    route('{ fields: { currency: [USD, EUR] }, type: order }').concat(
      '---\n',
      route('{ type: order, fields: { currency: [EUR, USD] } }').replace('seeded', '»twin'),
    ),
    'route-duplicate',
    'the same as route seeded',
  ),
  inRoute(
    'a route of which nothing can be looked up',
    `kind: Route\nname: seeded\nowner: tests\n»when: { xpath: "not(//*[name() = 'x'])" }\ndeliver: [{ jid: z@example.org }]`,
    'route-scanned',
    'asked of every document by itself, for about 40 µs where it has 10 KB',
  ),
  inRoute(
    'a route that asks only for what is not there',
    route('{ not: { fields: { currency: EUR } } }').replace('when', '»when'),
    'route-scanned',
    'for less than 1 µs: nothing in its conditions can be looked up',
  ),
  // Templates that nothing fills.
  deliver(
    'an allow for another node',
    '{ pubsub: p.example.org, node: "orders/{number}", allow: »"invoices/.+" }',
    'template-unfillable',
    'allow admits nothing that orders/{number} can become',
  ),
  deliver(
    'an allow for values in another case',
    '{ pubsub: p.example.org, node: "orders/{currency}", allow: »"orders/[a-z]{3}" }',
    'template-unfillable',
    '{currency} is EUR, USD, GBP',
  ),
  deliver(
    'an allow for values that the route does not take',
    '{ pubsub: p.example.org, node: "orders/{number}", allow: »"orders/B[0-9]+" }',
    'template-unfillable',
    '{number} is A1, A2',
    '{ type: order, fields: { number: [A1, A2] } }',
  ),
  deliver(
    'an allow that takes a slash for a part of a value',
    '{ pubsub: p.example.org, node: "{number}", allow: »"[a-z]+/[a-z]+" }',
    'template-unfillable',
    'can become',
  ),
  deliver(
    'an allow for a JID in another domain',
    '{ jid: "{number}@example.org", allow: »"[^@]+@example\\\\.com" }',
    'template-unfillable',
    'can become',
  ),
  deliver(
    'a place that the route wants to be empty',
    '»{ pubsub: p.example.org, node: "n/{note}", allow: "n/.*" }',
    'template-unfillable',
    '{note} has no value',
    '{ type: order, fields: { note: { exists: false } } }',
  ),
  deliver(
    'an allow for another type',
    '{ pubsub: p.example.org, node: "n/{type}", allow: »"n/credit" }',
    'template-unfillable',
    '{type} is order',
  ),
  // Loops.
  deliver(
    'a node that is subscribed to',
    '»{ pubsub: p.example.org, node: in }',
    'loop',
    'node=in → xmpp:p.example.org?;node=in',
  ),
  deliver(
    'a node by way of another',
    '»{ pubsub: p.example.org, node: stage/2 }',
    'loop',
    'node=stage/2',
    '{ node: stage/2, not: { from: a@example.org } }',
  ),
  deliver(
    'a template that may become a subscribed node',
    '»{ pubsub: p.example.org, node: "stage/{number}", allow: "stage/[0-9]+" }',
    'loop',
    'node=stage/2',
    '{ type: order, stanza: [event] }',
  ),
  deliver(
    "Waybill's own domain",
    '»{ jid: orders@waybill.example.org }',
    'loop',
    'waybill.example.org → waybill.example.org',
  ),
  // Senders.
  when(
    'a sender who may not send at all',
    '{ type: order, from: ["*@example.org", »"*@exmaple.org"] }',
    'sender-impossible',
    "*@exmaple.org is nobody: the installation's senders allow no JID that it matches",
  ),
  when(
    'a sender who may not send at all, in a group',
    '{ type: order, any: [{ from: »p.example.net }, { not: [{ from: nobody@example.net }], to: "a@*" }] }',
    'sender-impossible',
    'p.example.net is nobody',
  ),
  [
    'a sender of a type who may not send at all',
    'types/credit.yaml',
    `${CREDIT}»senders: ["*@example.org", "*@suppliers.example"]\n`,
    'sender-impossible',
    '*@suppliers.example lets nobody send',
  ],
  [
    'a sender who may send at all, and not what the route is for',
    'types/credit.yaml',
    `${CREDIT}senders: ["clerk@*"]\n---\n${route('{ type: credit, from: [clerk@example.org, »"shop@example.org"] }')}`,
    'sender-impossible',
    'shop@example.org is nobody: the senders of credit allow no JID that it matches',
  ],
  // Nobody to ask.
  inRoute(
    'a route without owner',
    route('{ type: credit }').replace('owner: tests\n', '').replace('seeded', '»seeded'),
    'owner-missing',
    'Nobody is named',
  ),
]

describe('a sound configuration', () => {
  it('has nothing to remark on', async () => {
    expect(await problemsOf(SOUND)).toEqual([])
  })

  it('of the demo has nothing to remark on', async () => {
    const folder = fileURLToPath(new URL('../deploy/demo/config', import.meta.url))
    const { assembly, problems } = await assemble(folder, {
      WAYBILL_XMPP_DOMAIN: 'waybill.demo.localhost',
      WAYBILL_XMPP_HOST: 'demo.localhost',
      WAYBILL_XMPP_SECRET: 'secret',
      WAYBILL_XMPP_SERVICE: 'xmpp://127.0.0.1:5347',
      WAYBILL_REDIS_URL: 'redis://127.0.0.1',
      WAYBILL_HTTP_TOKEN: 'token',
    })
    expect([...problems, ...review(assembly!)]).toEqual([])
    assembly?.documents.dispose()
  })
})

describe('a seeded mistake is found where it stands, and nothing else is', () => {
  it('there are many', () => expect(seeded.length).toBeGreaterThanOrEqual(40))

  it.each(seeded)('%s', async (_, file, marked, code, message) => {
    const { text, line, column } = takeMark(marked)
    const problems = await problemsOf({ ...SOUND, [file]: text })
    expect(problems.map((problem) => `${problem.code}: ${problem.message}`)).toHaveLength(1)
    expect(problems[0]).toMatchObject({ code, file, line, column, message: expect.stringContaining(message) })
  })
})

it('the conditions of a route are looked at with the rest where something else of it is wrong, and alone where they are', async () => {
  const broken = (name: string, when: string, rest: string) =>
    `kind: Route\nname: ${name}\nowner: tests\nwhen: ${when}\n${rest}\n`
  const text = [
    broken(
      'one',
      '{ type: order, xpath: "/x:order" }',
      'priority: high\ndeliver: [{ jid: a@example.org, confirm: soon }]',
    ),
    broken('two', '{ type: order, xpath: "count(" }', 'deliver: [{ jid: 5 }]'),
    broken('three', '{ type: order, xpath: "/o:order" }', 'order: { by: 1 }\ndeliver: [{ jid: a@example.org }]'),
    broken('four', '{ type: order, xpath: "count(", fields: 3 }', 'deliver: [{ jid: a@example.org }]'),
    broken('five', '{ type: order, fields: { curency: EUR } }', 'priority: high\ndeliver: [{ jid: a@example.org }]'),
  ].join('---\n')
  const found = (await problemsOf({ ...SOUND, 'routes/broken.yaml': text })).map(({ line, code }) => [line, code])
  expect(found).toEqual([
    [4, 'xpath-invalid'],
    [5, 'wrong-type'],
    [6, 'wrong-value'],
    [11, 'xpath-invalid'],
    [12, 'wrong-type'],
    [18, 'wrong-type'],
    [24, 'wrong-type'],
    [30, 'field-unknown'],
    [31, 'wrong-type'],
  ])
})

const CORPORA = resolve(process.env.WAYBILL_CORPORA ?? '../shared/corpora')
const present = existsSync(CORPORA)
if (!present) console.warn(`The corpora are not in ${CORPORA}: configurations on them are not reviewed here.`)

const CORPORA_CONFIG: Files = {
  'waybill.yaml': WAYBILL,
  'types/ubl.yaml': ['Invoice', 'CreditNote']
    .map(
      (name) => `kind: DocumentType
name: ${name.toLowerCase()}
identify: { xml: { root: "{urn:oasis:names:specification:ubl:schema:xsd:${name}-2}${name}" } }
namespaces:
  ${name === 'Invoice' ? 'inv' : 'cn'}: "urn:oasis:names:specification:ubl:schema:xsd:${name}-2"
  cbc: "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
  cac: "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
schema: { xsd: ubl-2.1/maindoc/UBL-${name}-2.1.xsd }
fields:
  number: { xpath: "/*/cbc:ID" }
  currency: { xpath: "/*/cbc:DocumentCurrencyCode" }
  profile: { xpath: "/*/cbc:ProfileID" }
  customization: { xpath: "/*/cbc:CustomizationID" }
  payable: { xpath: "/*/cac:LegalMonetaryTotal/cbc:PayableAmount", as: number }
  payableCurrency: { xpath: "/*/cac:LegalMonetaryTotal/cbc:PayableAmount/@currencyID" }
  supplier: { xpath: "/*/cac:AccountingSupplierParty/cac:Party/cac:PartyTaxScheme/cbc:CompanyID" }
  country: { xpath: "/*/cac:AccountingCustomerParty/cac:Party/cac:PostalAddress/cac:Country/cbc:IdentificationCode" }
  endpoint: { xpath: "//cac:AccountingCustomerParty/cac:Party/cbc:EndpointID/@schemeID" }
  issued: { xpath: "/*/cbc:IssueDate" }
  inExtensions: { xpath: "//cbc:Whatever" }
`,
    )
    .join('---\n'),
  'types/camt.yaml': ['02', '04', '08']
    .map(
      (version) => `kind: DocumentType
name: camt-${version}
identify: { xml: { root: "{urn:iso:std:iso:20022:tech:xsd:camt.053.001.${version}}Document" } }
namespaces: { c: "urn:iso:std:iso:20022:tech:xsd:camt.053.001.${version}" }
schema: { xsd: camt/camt.053.001.${version}.xsd }
fields:
  message: { xpath: "/c:Document/c:BkToCstmrStmt/c:GrpHdr/c:MsgId" }
  iban: { xpath: "/c:Document/c:BkToCstmrStmt/c:Stmt/c:Acct/c:Id/c:IBAN" }
  direction: { xpath: "/c:Document/c:BkToCstmrStmt/c:Stmt/c:Ntry/c:CdtDbtInd" }
  currency: { xpath: "/c:Document/c:BkToCstmrStmt/c:Stmt/c:Bal/c:Amt/@Ccy" }
  amount: { xpath: "/c:Document/c:BkToCstmrStmt/c:Stmt/c:Ntry/c:Amt", as: number }
`,
    )
    .join('---\n'),
  'routes/routes.yaml': `kind: Route
name: peppol
owner: finance
when:
  type: [invoice, creditnote]
  fields:
    customization: { contains: "urn:cen.eu:en16931:2017" }
    currency: [EUR, SEK, NOK]
    payable: { ">": 0 }
    payableCurrency: { not: XXX }
    issued: { prefix: "20" }
  any:
    - { xpath: "/inv:Invoice/cac:InvoiceLine/cac:Item/cac:ClassifiedTaxCategory/cbc:ID = 'S'" }
    - { xpath: "/cn:CreditNote/cac:CreditNoteLine/cbc:CreditedQuantity > 1" }
    - { xpath: "//cac:TaxSubtotal[cbc:TaxAmount > 100]/cac:TaxCategory/cbc:Percent >= 20" }
deliver:
  - { pubsub: pubsub.example.org, node: "invoices/{currency}/{country}", allow: "invoices/[A-Z]{3}/[A-Z]{2}" }
  - { jid: "{supplier}@erp.example.org", allow: "[^@]+@erp\\\\.example\\\\.org" }
---
kind: Route
name: lines
owner: finance
when:
  type: invoice
  xpath: "count(/inv:Invoice/cac:InvoiceLine) > 3 and /inv:Invoice/cac:InvoiceLine[cbc:LineExtensionAmount > 1000]/cac:Price/cbc:PriceAmount/@currencyID = 'EUR'"
deliver: [{ jid: lines@example.org }]
---
kind: Route
name: statements
owner: treasury
priority: 5
when:
  type: [camt-02, camt-04, camt-08]
  fields: { direction: [CRDT, DBIT], amount: { ">=": 0.01 }, iban: [{ prefix: DE }, { prefix: AT }], currency: EUR }
deliver:
  - { pubsub: pubsub.example.org, node: "statements/{direction}/{currency}", allow: "statements/(CRDT|DBIT)/[A-Z]{3}" }
---
kind: Route
name: rest
owner: treasury
otherwise: true
deliver: [{ jid: rest@example.org }]
`,
}

describe.runIf(present)('a configuration on real schemas', () => {
  const withSchemas = (files: Files) =>
    withFolder(files, (folder) => {
      for (const bundle of ['ubl-2.1', 'camt']) {
        cpSync(join(CORPORA, bundle), join(folder, 'schemas', bundle), {
          recursive: true,
          filter: (path) => !/\.(?:xml|json)$/.test(path),
        })
      }
      return checked(folder)
    })

  it('has nothing to remark on', async () => {
    expect(await withSchemas(CORPORA_CONFIG)).toEqual([])
  })

  it.each([
    ['a misspelt element', 'types/ubl.yaml', 'cbc:DocumentCurrencyCode', 'cbc:DocumentCurencyCode', IMPOSSIBLE, 2],
    ['an element in the wrong place', 'types/ubl.yaml', '/*/cac:LegalMonetaryTotal/', '/*/', IMPOSSIBLE, 4],
    ['a value that is not listed', 'routes/routes.yaml', '[CRDT, DBIT]', '[CRDT, DEBT]', VALUE, 1],
    ['an amount of another name', 'types/camt.yaml', 'c:Ntry/c:Amt"', 'c:Ntry/c:Amount"', IMPOSSIBLE, 3],
    ['a currency of another form', 'routes/routes.yaml', 'currency: EUR }', 'currency: EURO }', VALUE, 1],
    [
      'a line of the other type',
      'routes/routes.yaml',
      'cac:InvoiceLine) > 3',
      'cac:CreditNoteLine) > 3',
      IMPOSSIBLE,
      1,
    ],
  ])('with %s is remarked on', async (_, file, from, to, code, count) => {
    const text = (CORPORA_CONFIG[file] as string).replaceAll(from, to)
    const problems = await withSchemas({ ...CORPORA_CONFIG, [file]: text })
    expect(problems.map((problem) => problem.code)).toEqual(Array.from({ length: count }, () => code))
  })
})

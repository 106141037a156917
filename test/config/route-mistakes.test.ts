import { describe, expect, it } from 'vitest'
import { nodeOptions, type Schema, schemaOf } from '../../src/config/kind-schemas.ts'
import { load, ORDER, WAYBILL } from './folder.ts'
import { expectMistakes, type Mistake } from './mistakes.ts'

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
    'a version that YAML reads as a number',
    when('{ type: order, version: »3.0 }'),
    'wrong-type',
    'when.version must be a string or a list, found number 3 (in quotes it is a string)',
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
    'deliver[0] needs exactly one of pubsub, jid, group: found none',
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
    'an unknown group of destinations',
    deliver('{ group: »finanse }'),
    'group-unknown',
    'Unknown group of destinations "finanse" (did you mean "finance"?)',
  ],
  [
    'an option beside a group',
    deliver('{ group: finance, »retry: default }'),
    'option-unfit',
    'have their own options',
  ],
  ['a group and a JID', deliver('»{ group: finance, jid: a@example.org }'), 'choose-one', 'found jid and group'],
  [
    "a group's template that is not for the route's types",
    `${when('{ type: opaque }').replace('{ jid: a@example.org }', '{ jid: b@example.org }, { group: »templates }')}`,
    'field-unknown',
    'Unknown field "currency"',
  ],
  [
    'a group in a group',
    'kind: DestinationGroup\nname: g\ndeliver: [{ jid: a@example.org, »group: finance }]',
    'unknown-key',
    'Unknown key "group"',
  ],
  [
    'a template of a group without allow',
    'kind: DestinationGroup\nname: g\ndeliver: [»{ pubsub: p.example.org, node: "n/{currency}" }]',
    'allow-missing',
    '`allow` must say which addresses',
  ],
  [
    'a node option of a group with a slip in its name',
    'kind: DestinationGroup\nname: g\ndeliver: [{ pubsub: p.example.org, node: n, create: { »max_item: 3 } }]',
    'node-option-unknown',
    'did you mean "max_items"?',
  ],
  ['a group without destinations', 'kind: DestinationGroup\nname: g\n»deliver: []', 'wrong-value', 'must not be empty'],
  [
    'two groups of one name',
    'kind: DestinationGroup\nname: »finance\ndeliver: [{ jid: a@example.org }]',
    'duplicate-name',
    'There are two of DestinationGroup finance',
  ],
  [
    'a node to create for a JID',
    deliver('{ jid: a@example.org, »create: { max_items: 1 } }'),
    'option-unfit',
    'only nodes are created',
  ],
  [
    'a node option with a slip in its name',
    deliver('{ pubsub: p.example.org, node: n, create: { max_items: 3, »acces_model: open } }'),
    'node-option-unknown',
    'Unknown node option "acces_model" (did you mean "access_model"?)',
  ],
  [
    'a node option that the standard does not know',
    deliver('{ pubsub: p.example.org, node: n, create: { »visibility: hidden } }'),
    'node-option-unknown',
    'Node option "visibility" is none of XEP-0060',
  ],
  [
    'a node option that is one of a few',
    deliver('{ pubsub: p.example.org, node: n, create: { access_model: »opn } }'),
    'wrong-value',
    'deliver[0].create.access_model must be one of authorize, open, presence, roster, whitelist, found string "opn" (did you mean "open"?)',
  ],
  [
    'a node option that is a number or a word',
    deliver('{ pubsub: p.example.org, node: n, create: { max_items: »many } }'),
    'wrong-value',
    'deliver[0].create.max_items must be a whole number or `max`, found string "many"',
  ],
  [
    'a node option that is no whole number',
    deliver('{ pubsub: p.example.org, node: n, create: { max_items: »1.5 } }'),
    'wrong-type',
    'deliver[0].create.max_items must be a whole number or `max`, found number 1.5',
  ],
  [
    'a node option that is below nothing',
    deliver('{ pubsub: p.example.org, node: n, create: { max_items: »-1 } }'),
    'out-of-range',
    'deliver[0].create.max_items must be at least 0, found number -1',
  ],
  [
    'a node option that is a number',
    deliver('{ pubsub: p.example.org, node: n, create: { max_payload_size: »max } }'),
    'wrong-type',
    'deliver[0].create.max_payload_size must be a whole number, found string "max"',
  ],
  [
    'a node option that is true or false',
    deliver('{ pubsub: p.example.org, node: n, create: { persist_items: »often } }'),
    'wrong-type',
    'deliver[0].create.persist_items must be true or false, found string "often"',
  ],
  [
    'a node option in full',
    deliver('{ pubsub: p.example.org, node: n, create: { »"pubsub#max_items": 1 } }'),
    'wrong-value',
    'without `pubsub#`',
  ],
  ['an order by an unknown field', `${ROUTE}order: { by: »curency }`, 'field-unknown', 'did you mean "currency"?'],
  ['an expiry that is no duration', `${ROUTE}expires: »soon`, 'wrong-value', 'expires must be a duration'],
  [
    'an expiry that is a number',
    `${ROUTE}expires: »300`,
    'wrong-type',
    'expires must be a duration such as 500ms, 30s, 10m, 1h, 7d or PT10M, found number 300',
  ],
  [
    'a time for the proof that is a number',
    deliver('{ jid: a@example.org, confirmTimeout: »10 }'),
    'wrong-type',
    'deliver[0].confirmTimeout must be a duration such as 500ms, 30s, 10m, 1h, 7d or PT10M, found number 10',
  ],
  [
    'a first pause that is a number',
    'kind: Policy\nname: p\nbackoff: { first: »300 }',
    'wrong-type',
    'backoff.first must be a duration such as 500ms',
  ],
  [
    'a proof that is a number',
    deliver('{ jid: a@example.org, confirm: »1 }'),
    'wrong-type',
    'deliver[0].confirm must be one of none, receipt, iq, found number 1',
  ],
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
  ['an unknown type in a group', when('{ any: [{ type: »ordr }] }'), 'type-unknown', 'did you mean "order"?'],
  [
    'an unknown field in a group',
    when('{ type: order, not: { fields: { »curency: EUR } } }'),
    'field-unknown',
    'did you mean "currency"?',
  ],
  [
    'an unknown field in a group in a group',
    when('{ type: order, all: [{ any: [{ fields: { »curency: EUR } }] }] }'),
    'field-unknown',
    'did you mean "currency"?',
  ],
  [
    'an unknown key in a group',
    when('{ type: order, any: [{ »field: {} }] }'),
    'unknown-key',
    'did you mean "fields"?',
  ],
  ['a group that is none', when('{ type: order, any: [»EUR] }'), 'wrong-type', 'when.any[0] must be a mapping'],
  ['no groups', when('{ type: order, »any: [] }'), 'wrong-value', 'when.any must not be empty'],
  ['a not that is none', when('{ type: order, not: »draft }'), 'wrong-type', 'when.not must be a mapping'],
  [
    'a condition in a group that never holds',
    when('{ type: order, not: [{ fields: { »total: { ">": 5, "<": 5 } } }] }'),
    'condition-impossible',
    'No number is < 5 and > 5',
  ],
  [
    'a prefix that a group around binds otherwise',
    when('{ type: order, namespaces: { x: "urn:x" }, any: [{ xpath: "/x:a", namespaces: { x: »"urn:y" } }] }'),
    'namespace-conflict',
    'Prefix x stands for urn:x in a group around',
  ],
  [
    'groups that are nested too deep',
    when(`{ type: order, ${'all: [{ '.repeat(8)}»any: [{ stanza: iq }]${' }]'.repeat(8)} }`),
    'groups-deep',
    'more than 8 deep',
  ],
  [
    'a policy that waits longer first than at most',
    'kind: Policy\nname: p\nbackoff: { first: »10m }',
    'limits-conflict',
    '10m is longer than 5m',
  ],
  [
    'a policy that waits at most less than it waits first by default',
    'kind: Policy\nname: p\nbackoff: { max: »100ms }',
    'limits-conflict',
    'backoff.first must not be longer than backoff.max: 1s is longer than 100ms',
  ],
  [
    'a policy whose probes wait at most less than they wait first by default',
    'kind: Policy\nname: p\nbreaker: { max: »500ms }',
    'limits-conflict',
    '1s is longer than 500ms',
  ],
  [
    'a policy whose probes wait longer first than at most',
    'kind: Policy\nname: p\nbreaker: { first: »10m }',
    'limits-conflict',
    'breaker.first must not be longer than breaker.max: 10m is longer than 1m',
  ],
  [
    'a policy whose breaker needs fewer failures than none',
    'kind: Policy\nname: p\nbreaker: { failures: »-1 }',
    'out-of-range',
    'failures must be at least 0',
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

const GROUPS = `kind: DestinationGroup
name: finance
deliver: [{ jid: erp@example.org }]
---
kind: DestinationGroup
name: templates
deliver: [{ pubsub: p.example.org, node: "n/{currency}", allow: ".*" }]
`
const others = { 'waybill.yaml': WAYBILL, 'types/order.yaml': ORDER, 'types/groups.yaml': GROUPS }

expectMistakes('routes/a.yaml', others, inRoutes)

describe('a node option', () => {
  const create = (options: object) =>
    load({
      ...others,
      'routes/a.yaml': deliver(`{ pubsub: p.example.org, node: n, create: ${JSON.stringify(options)} }`),
    })

  it('is sound as its example says', async () => {
    const { properties } = schemaOf('Route').definitions!.destination!.properties!.create!
    const examples = Object.entries(properties as Record<string, Schema & { examples: readonly unknown[] }>)
    const options = Object.fromEntries(examples.map(([name, option]) => [name, option.examples[0]]))
    expect(Object.keys(options)).toEqual(nodeOptions())
    expect(nodeOptions().length).toBeGreaterThan(30)
    const { configuration, problems } = await create({ ...options, max_items: 'max', item_expire: 'max' })
    expect(problems).toEqual([])
    expect(configuration).toBeDefined()
  })

  it.each(['rsm', 'visibility', 'notify_sub_aff_state', 'embedded_body_xslt', 'serial_ids'])(
    'that a service has of its own is a warning: %s',
    async (name) => {
      const { configuration, problems } = await create({ [name]: 'x' })
      expect(problems).toMatchObject([{ code: 'node-option-unknown', severity: 'warning' }])
      expect(configuration?.routes[0]?.deliver[0]?.create).toEqual({ [name]: 'x' })
    },
  )
})

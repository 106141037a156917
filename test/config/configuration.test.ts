import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfiguration } from '../../src/config/configuration.ts'
import { defaultPolicy } from '../../src/domain/retry.ts'
import { type Files, load, loadSound, ORDER, WAYBILL, withFolder } from './folder.ts'

const ENVIRONMENT = { WAYBILL_XMPP_SECRET: 'component-secret', WAYBILL_HTTP_TOKEN: 'operator-token' }

const FULL_WAYBILL = `
xmpp:   { service: xmpp://127.0.0.1:5347, domain: Waybill.example.org, host: example.org, secret: "\${WAYBILL_XMPP_SECRET}",
          maxStanzaBytes: 262144, insecure: false }      # host: the server
redis:  { url: redis://127.0.0.1:6379, prefix: waybill, durability: everysec, replicas: 0 }
http:   { listen: 127.0.0.1:8480, token: "\${WAYBILL_HTTP_TOKEN}" }
admins: [Ops@example.org]
senders: ["*@example.org", "*@suppliers.example"]
limits:  { documentBytes: 190000, depth: 64, attributes: 256, waiting: 100000, perSender: { perMinute: 600, waiting: 5000 } }
dedupe:  { window: 10m }
alarms:  { to: [ops@example.org] }
load:    [types/, routes/]
`

const INVOICE = `
kind: DocumentType
name: invoice
identify:
  xml: { root: "{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice" }
namespaces: { inv: "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2", cbc: "urn:cbc", cac: "urn:cac" }
schema: { xsd: ubl-2.1/maindoc/UBL-Invoice-2.1.xsd }
senders: ["*@suppliers.example"]
fields:
  currency: { xpath: "/inv:Invoice/cbc:DocumentCurrencyCode" }
  total:    { xpath: "/inv:Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount", as: number }
onInvalid: reject
`

const LARGE_EUR_INVOICES = `
kind: Route
name: large-eur-invoices
owner: team-finance
when:
  type: invoice
  from: ["*@suppliers.example"]
  fields: { currency: [EUR], total: [{ ">=": 1000 }] }
  xpath: "count(/inv:Invoice/cac:InvoiceLine) > 3"
deliver:
  - { pubsub: pubsub.example.org, node: "invoices/{currency}", allow: "invoices/[A-Z]{3}", create: { max_items: 100, access_model: whitelist } }
  - { jid: erp@backend.example.org, confirm: receipt, retry: patient }
order: { by: sender }
tests:
  - { document: samples/eur.xml, from: a@suppliers.example, delivers: ["xmpp:pubsub.example.org?;node=invoices/EUR", erp@backend.example.org] }
  - { document: samples/usd.xml, from: a@suppliers.example, delivers: [], because: currency }
---
kind: Policy
breaker: { failures: 20, first: 5s }
name: patient
deliveries: 50
backoff: { first: 10s, max: PT1H }
giveUpAfter: 7d
answers: [{ condition: item-not-found, type: cancel, text: "^gone", then: retry }]
`

const DESIGNED: Files = {
  'waybill.yaml': FULL_WAYBILL,
  'types/invoice.yaml': INVOICE,
  'routes/invoices.yaml': LARGE_EUR_INVOICES,
  'schemas/ubl-2.1/maindoc/UBL-Invoice-2.1.xsd': '<schema/>',
  'samples/eur.xml': '<a/>',
  'samples/usd.xml': '<a/>',
}

describe('a configuration folder without mistakes', () => {
  it('gives the settings normalised', async () => {
    const { settings } = await loadSound(DESIGNED, ENVIRONMENT)
    expect(settings).toEqual({
      xmpp: {
        service: 'xmpp://127.0.0.1:5347',
        domain: 'waybill.example.org',
        domains: [],
        host: 'example.org',
        secret: 'component-secret',
        maxStanzaBytes: 262_144,
        insecure: false,
      },
      redis: { url: 'redis://127.0.0.1:6379', prefix: 'waybill', durability: 'everysec', replicas: 0, insecure: false },
      http: { listen: { host: '127.0.0.1', port: 8480 }, token: 'operator-token' },
      admins: ['ops@example.org'],
      senders: ['*@example.org', '*@suppliers.example'],
      limits: {
        documentBytes: 190_000,
        depth: 64,
        attributes: 256,
        waiting: 100_000,
        waitingBytes: 1_073_741_824,
        held: 10_000,
        heldBytes: 268_435_456,
        perSender: { perMinute: 600, waiting: 5_000, held: 1_000 },
      },
      dedupe: { windowMs: 600_000 },
      subscriptions: [],
      alarms: { to: ['ops@example.org'] },
      checking: {},
      reload: 'watch',
      retention: {
        deadMs: 30 * 86_400_000,
        deadCount: 100_000,
        deadBytes: 1_073_741_824,
        heldMs: 2_592_000_000,
        finishedMs: 3_600_000,
        finishedCount: 100_000,
        finishedBytes: 1_073_741_824,
      },
      bounceWindowMs: 600_000,
    })
  })

  it('has the same defaults where the file says nothing', async () => {
    const { settings: full } = await loadSound(DESIGNED, ENVIRONMENT)
    const { settings } = await loadSound({ 'waybill.yaml': WAYBILL })
    expect(settings).toEqual({
      ...full,
      xmpp: { ...full.xmpp, secret: 's3cr3t-0' },
      http: { listen: full.http!.listen },
      admins: [],
      senders: ['*@example.org'],
      alarms: { to: [] },
      reload: 'watch',
    })
  })

  it('gives document types with absolute schema files and their bundle folder', async () => {
    await withFolder(DESIGNED, async (folder) => {
      const { configuration } = await loadConfiguration(folder, ENVIRONMENT)
      expect(configuration!.types).toEqual([
        {
          name: 'invoice',
          version: '',
          families: [],
          deprecated: undefined,
          identify: { xml: { root: '{urn:oasis:names:specification:ubl:schema:xsd:Invoice-2}Invoice' } },
          namespaces: {
            inv: 'urn:oasis:names:specification:ubl:schema:xsd:Invoice-2',
            cbc: 'urn:cbc',
            cac: 'urn:cac',
          },
          layers: [
            {
              language: 'xsd',
              file: join(folder, 'schemas/ubl-2.1/maindoc/UBL-Invoice-2.1.xsd'),
              folder: join(folder, 'schemas/ubl-2.1'),
              onInvalid: 'reject',
              phase: '',
              place: ['schema', 'xsd'],
            },
          ],
          senders: ['*@suppliers.example'],
          fields: {
            currency: { xpath: '/inv:Invoice/cbc:DocumentCurrencyCode' },
            total: { xpath: '/inv:Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount', as: 'number' },
          },
          key: undefined,
          onInvalid: 'reject',
        },
      ])
    })
  })

  it('gives routes with the namespaces of their types', async () => {
    await withFolder(DESIGNED, async (folder) => {
      const { configuration } = await loadConfiguration(folder, ENVIRONMENT)
      const options = { confirmTimeoutMs: 30_000, as: undefined, body: undefined, maxNodes: 1000 }
      expect(configuration!.routes).toEqual([
        {
          name: 'large-eur-invoices',
          owner: 'team-finance',
          priority: 0,
          stop: false,
          otherwise: false,
          when: {
            type: ['invoice'],
            from: ['*@suppliers.example'],
            fields: {
              currency: [{ kind: 'is', value: 'EUR' }],
              total: [{ kind: 'compare', bounds: [{ operator: '>=', bound: 1000 }] }],
            },
            xpath: 'count(/inv:Invoice/cac:InvoiceLine) > 3',
            namespaces: configuration!.types[0]!.namespaces,
          },
          deliver: [
            {
              ...options,
              target: { kind: 'node', service: 'pubsub.example.org', node: 'invoices/{currency}' },
              allow: 'invoices/[A-Z]{3}',
              confirm: 'iq',
              retry: 'default',
              create: { max_items: 100, access_model: 'whitelist' },
            },
            {
              ...options,
              target: { kind: 'jid', jid: 'erp@backend.example.org' },
              allow: undefined,
              confirm: 'receipt',
              retry: 'patient',
              create: undefined,
            },
          ],
          order: { by: 'sender' },
          expiresMs: undefined,
          tests: [
            {
              document: join(folder, 'samples/eur.xml'),
              from: 'a@suppliers.example',
              delivers: ['xmpp:pubsub.example.org?;node=invoices/EUR', 'erp@backend.example.org'],
              because: undefined,
              source: 'routes/invoices.yaml:15:5',
            },
            {
              document: join(folder, 'samples/usd.xml'),
              from: 'a@suppliers.example',
              delivers: [],
              because: 'currency',
              source: 'routes/invoices.yaml:16:5',
            },
          ],
          source: 'routes/invoices.yaml:2:1',
        },
      ])
    })
  })

  it('gives the policies, the built-in one among them', async () => {
    const { policies } = await loadSound(DESIGNED, ENVIRONMENT)
    expect([...policies.values()]).toEqual([
      defaultPolicy,
      {
        name: 'patient',
        deliveries: 50,
        backoff: { firstMs: 10_000, factor: 2, maxMs: 3_600_000, jitter: 0.2 },
        giveUpAfterMs: 7 * 86_400_000,
        answers: [{ condition: 'item-not-found', type: 'cancel', text: '^gone', verdict: 'retry' }],
        breaker: { failures: 20, firstMs: 5_000, maxMs: 60_000 },
      },
    ])
  })

  it('a policy that only has a name is the built-in one under that name', async () => {
    const files = { 'waybill.yaml': WAYBILL, 'policies/p.yml': 'kind: Policy\nname: plain' }
    const { policies } = await loadSound(files)
    expect(policies.get('plain')).toEqual({ ...defaultPolicy, name: 'plain' })
  })

  it('a policy named default takes the place of the built-in one', async () => {
    const files = { 'waybill.yaml': WAYBILL, 'policies/p.yml': 'kind: Policy\nname: default\ndeliveries: 3' }
    const { policies } = await loadSound(files)
    expect(policies.get('default')).toEqual({ ...defaultPolicy, deliveries: 3 })
  })

  it('reads every kind of condition', async () => {
    const conditions =
      '[a, 1, true, null, { prefix: a }, { suffix: b }, { contains: c }, { "<": 5, ">=": 1 }, { exists: false }, { not: [x, { not: y }] }]'
    const route = `kind: Route\nname: r\nwhen: { fields: { currency: ${conditions} } }\ndeliver: [{ jid: a@b.example }]`
    const files = { 'waybill.yaml': WAYBILL, 'types/t.yaml': ORDER, 'routes/r.yaml': route }
    const { configuration, problems } = await load(files)
    // XML has no null.
    expect(problems).toMatchObject([{ severity: 'warning', code: 'condition-impossible' }])
    expect(configuration!.routes[0]!.when.fields!.currency).toEqual([
      { kind: 'is', value: 'a' },
      { kind: 'is', value: 1 },
      { kind: 'is', value: true },
      { kind: 'is', value: null },
      { kind: 'prefix', text: 'a' },
      { kind: 'suffix', text: 'b' },
      { kind: 'contains', text: 'c' },
      {
        kind: 'compare',
        bounds: [
          { operator: '<', bound: 5 },
          { operator: '>=', bound: 1 },
        ],
      },
      { kind: 'exists', expected: false },
      {
        kind: 'not',
        conditions: [
          { kind: 'is', value: 'x' },
          { kind: 'not', conditions: [{ kind: 'is', value: 'y' }] },
        ],
      },
    ])
  })

  it('takes one condition, pattern or type without a list around it', async () => {
    const route =
      'kind: Route\nname: r\nwhen: { type: order, from: a@b.example, stanza: iq, node: n, fields: { total: { ">": 1 } } }\ndeliver: [{ jid: A@B.example }]'
    const { routes } = await loadSound({ 'waybill.yaml': WAYBILL, 'types/t.yaml': ORDER, 'routes/r.yaml': route })
    expect(routes[0]).toMatchObject({
      when: {
        type: ['order'],
        from: ['a@b.example'],
        stanza: ['iq'],
        node: [{ kind: 'is', value: 'n' }],
        fields: { total: [{ kind: 'compare', bounds: [{ operator: '>', bound: 1 }] }] },
      },
      deliver: [{ target: { kind: 'jid', jid: 'a@b.example' }, confirm: 'none' }],
    })
  })

  it('is switched off for HTTP by none', async () => {
    const { settings } = await loadSound({ 'waybill.yaml': `${WAYBILL}http: none\n` })
    expect(settings.http).toBeUndefined()
  })
})

describe('problems', () => {
  it('come all at once, in the order of files and lines', async () => {
    const { configuration, problems } = await load({
      'waybill.yaml': 'xmpp: { domain: 5 }\nsendrs: []\nlimits: { depth: -1 }',
      'types/t.yaml': `${ORDER}signature: {}\n---\nkind: DocumentType\nname: B`,
      'routes/r.yaml': 'kind: Route\nname: r\nwhen: { type: ordr }\ndeliver: [{ jid: "", retry: x }]\n---\nkind: Rout',
    })
    expect(configuration).toBeUndefined()
    expect(problems.map(({ file, line, code }) => `${file}:${line} ${code}`)).toEqual([
      'waybill.yaml:1 missing-key',
      'waybill.yaml:1 missing-key',
      'waybill.yaml:1 wrong-type',
      'waybill.yaml:2 unknown-key',
      'waybill.yaml:3 out-of-range',
      'routes/r.yaml:3 type-unknown',
      'routes/r.yaml:4 wrong-value',
      'routes/r.yaml:6 unknown-kind',
      'types/t.yaml:10 not-available',
      'types/t.yaml:12 missing-key',
      'types/t.yaml:12 schema-missing',
      'types/t.yaml:13 wrong-value',
    ])
  })

  it('that are warnings leave the configuration usable', async () => {
    const { configuration, problems } = await load({ 'waybill.yaml': WAYBILL.replace(/senders.*/, '') })
    expect(problems.map(({ severity }) => severity)).toEqual(['warning'])
    expect(configuration?.settings.senders).toEqual([])
  })

  it('of a type are not repeated by the routes on it', async () => {
    const { problems } = await load({
      'waybill.yaml': WAYBILL,
      'types/t.yaml': ORDER.replace('as: number', 'as: decimal'),
      'routes/r.yaml':
        'kind: Route\nname: r\nwhen: { type: order, fields: { total: 1 } }\ndeliver: [{ jid: a@b.example }]',
    })
    expect(problems.map(({ code }) => code)).toEqual(['wrong-value'])
  })

  it('leave what has none of its own to be compiled, so that other rooms can tell theirs at once', async () => {
    const { configuration, sound } = await load({
      'waybill.yaml': `${WAYBILL}sendrs: []\n`,
      'types/order.yaml': ORDER,
      'types/broken.yaml': 'kind: DocumentType\nname: broken\nidentify: { xml: { root: broken } }\n',
      'routes/a.yaml': [
        'kind: Route\nname: good\nwhen: { type: order, xpath: "/x:y" }\ndeliver: [{ jid: a@example.org }]\n',
        'kind: Route\nname: misspelt\nwen: {}\ndeliver: [{ jid: a@example.org }]\n',
        'kind: Route\nname: of-a-broken-type\nwhen: { type: [order, broken] }\ndeliver: [{ jid: a@example.org }]\n',
      ].join('---\n'),
      'routes/duplicate-key.yaml': 'kind: Route\nname: twice\nwhen: {}\nwhen: {}\ndeliver: [{ jid: a@example.org }]\n',
    })
    expect(configuration).toBeUndefined()
    expect(sound.types.map(({ name }) => name)).toEqual(['order'])
    expect(sound.routes.map(({ name }) => name)).toEqual(['good'])
    expect(sound.locate('Route', 'good', ['when', 'xpath'])).toMatchObject({ file: 'routes/a.yaml', line: 3 })
  })

  it('of other rooms find their place, or the nearest place before it', async () => {
    const { locate } = await loadSound(DESIGNED, ENVIRONMENT)
    expect(locate('Route', 'large-eur-invoices', ['when', 'xpath'])).toEqual({
      file: 'routes/invoices.yaml',
      line: 9,
      column: 10,
    })
    expect(locate('Route', 'large-eur-invoices', ['deliver', 1, 'jid'])).toEqual({
      file: 'routes/invoices.yaml',
      line: 12,
      column: 12,
    })
    expect(locate('DocumentType', 'invoice', ['schema'])).toEqual({ file: 'types/invoice.yaml', line: 7, column: 1 })
    expect(locate('DocumentType', 'invoice', ['fields', 'total', 'nothing', 'here'])).toMatchObject({
      line: 11,
      column: 3,
    })
    expect(locate('Policy', 'patient', [])).toMatchObject({ file: 'routes/invoices.yaml', line: 18, column: 1 })
    expect(locate('Policy', 'unknown', ['deliveries'])).toMatchObject({ file: 'waybill.yaml', line: 2, column: 1 })
    expect(locate('Waybill', '', ['redis', 'durability'])).toMatchObject({ file: 'waybill.yaml', line: 4, column: 69 })
  })
})

describe('a group of destinations', () => {
  const group = `kind: DestinationGroup
name: finance
deliver:
  - { jid: erp@example.org, confirm: receipt }
  - { pubsub: p.example.org, node: "n/{currency}", allow: "n/[A-Z]{3}" }
`
  const route = `kind: Route
name: r
when: { type: order }
deliver:
  - { jid: first@example.org }
  - { group: finance }
  - { jid: last@example.org }
`
  const files = { 'waybill.yaml': WAYBILL, 'types/t.yaml': ORDER, 'routes/g.yaml': group, 'routes/r.yaml': route }

  it('stands for its destinations, in the place of its entry', async () => {
    const { routes, locate } = await loadSound(files)
    const targets = routes[0]!.deliver.map(({ target, confirm }) => [
      target.kind === 'jid' ? target.jid : target.node,
      confirm,
    ])
    expect(targets).toEqual([
      ['first@example.org', 'none'],
      ['erp@example.org', 'receipt'],
      ['n/{currency}', 'iq'],
      ['last@example.org', 'none'],
    ])
    const lines = [0, 1, 2, 3].map((at) => locate('Route', 'r', ['deliver', at, 'allow']))
    expect(lines.map(({ file, line }) => `${file}:${line}`)).toEqual(
      [5, 6, 6, 7].map((line) => `routes/r.yaml:${line}`),
    )
  })
})

describe('problems are told at once', () => {
  const type = (name: string, more: string) =>
    ORDER.replace('name: order', `name: ${name}`).replace('schema: none', `schema: { xsd: gone.xsd }${more}`)
  const codes = async (types: string) => {
    const { problems } = await load({ 'waybill.yaml': WAYBILL, 'types/t.yaml': types })
    return problems.map(({ code, line }) => `${code} ${line}`)
  }

  it('of all things; what one refers to is looked at when its keys and values are mended', async () => {
    const slip = type('a', '\nondoubt: reject\nonInvalid: perhaps')
    expect(await codes(`${slip}---${type('b', '')}`)).toEqual(['unknown-key 7', 'wrong-value 8', 'file-missing 17'])
    expect(await codes(type('a', ''))).toEqual(['file-missing 6'])
  })
})

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { client } from '@xmpp/client'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { scenarioFolder } from './folder.ts'
import { answer, becomes, cli, messagesWith, question } from './traps.ts'
import { acceptedId, attribute, command, type Installation, install, order, rejectedAs, waybill } from './waybill.ts'

/** What has gone wrong in the best products of this kind, each proven not to happen here, by real servers. */

const ROUTES = `
kind: Route
name: confirmed
when: { type: order, fields: { number: [{ prefix: "CONFIRMED-" }] } }
deliver: [{ jid: desk@other.example.test/iq, confirm: iq, confirmTimeout: 30s, retry: four-tries }]
---
kind: Route
name: in-order
when: { type: order, fields: { number: [{ prefix: "LANE-" }] } }
deliver: [{ jid: lane@other.example.test/iq, confirm: iq, confirmTimeout: 30s, retry: four-tries }]
order: { by: sender }
---
kind: Route
name: to-a-node-that-is-missing
when: { type: order, fields: { number: [{ prefix: "MISSING-" }] } }
deliver: [{ pubsub: pubsub.example.test, node: nobody-made-it }]
---
kind: Route
name: to-a-node-of-another
when: { type: order, fields: { number: [{ prefix: "FORBIDDEN-" }] } }
deliver: [{ pubsub: pubsub.example.test, node: of-another }]
---
kind: Policy
name: four-tries
deliveries: 4
backoff: { first: 1s, factor: 1, max: 1s, jitter: 0 }
`
/** Prosody has no such option. */
const SMALL_NODE = `
kind: Route
name: to-a-small-node
when: { type: order, fields: { number: [{ prefix: "LARGE-" }] } }
deliver: [{ pubsub: pubsub.example.test, node: small, create: { max_payload_size: 500 } }]
`
const NOTE = (to: string) => `<note xmlns='urn:example:note'><to>${to}</to><text>hello</text></note>`
const READING = (sensor: string, celsius: number) =>
  `<json xmlns='urn:xmpp:json:0'>{"kind":"reading","sensor":"${sensor}","celsius":${celsius}}</json>`

describe('on ejabberd', () => {
  let at: Installation
  let redis: Redis
  beforeAll(async () => {
    const config = scenarioFolder({ 'routes/traps.yaml': `${ROUTES}---${SMALL_NODE}` })
    const limits = { documentBytes: 250_000, perSender: { perMinute: 100_000, waiting: 50_000 } }
    // Whatever Redis has said it has, also when it is killed in the next moment.
    const redisConfig = { appendfsync: 'always' }
    at = await install({ kind: 'ejabberd', config, redisConfig, settings: { limits } })
    redis = new Redis(at.redis.url, { retryStrategy: () => 50 })
    redis.on('error', () => {})
  })
  afterAll(async () => {
    redis?.disconnect()
    await at?.stop()
  })

  /** Redis answers reads, and refuses whatever writes. */
  const refuseWrites = async () => void (await redis.config('SET', 'min-replicas-to-write', '1'))
  const takeWrites = async () => void (await redis.config('SET', 'min-replicas-to-write', '0'))
  /** Everything that was accepted before has had its turn when this one arrives. */
  async function nextOnePasses(): Promise<void> {
    const id = acceptedId(await at.submit(order('NEXT'), { from: 'next@peer.example.test/1' }))
    await at.other.next((stanza) => stanza.startsWith('<message') && attribute(stanza, 'id') === `${id}.0`)
  }

  async function reload(): Promise<void> {
    const reloads = () => at.waybill.log().split('"reloaded"').length
    const before = reloads()
    at.waybill.signal('SIGHUP')
    await eventually(() => reloads() > before, { what: 'the routes to be loaded again' })
  }

  describe('trap 1 (Camel): an error while a delivery is made a dead letter does not count as handled', () => {
    const breaks: readonly (readonly [what: string, happens: () => Promise<void>, ends: () => Promise<void>])[] = [
      ['Redis refuses writes', refuseWrites, takeWrites],
      [
        'Redis has no memory left',
        async () => void (await redis.config('SET', 'maxmemory', '1')),
        async () => void (await redis.config('SET', 'maxmemory', '0')),
      ],
      ['Redis is frozen', async () => at.redis.signal('SIGSTOP'), async () => at.redis.signal('SIGCONT')],
      ['Redis is killed', () => at.redis.kill('SIGKILL'), () => at.redis.start()],
    ]
    it.each(breaks)('when %s at that moment, it is there afterwards and becomes one', async (what, happens, ends) => {
      const number = `CONFIRMED-${what.replaceAll(' ', '-')}`
      const id = acceptedId(await at.submit(order(number)))
      const asked = await question(at, number)
      await at.leaseRenewed()
      await happens()
      answer(at, asked, 'cancel', 'gone')
      expect(rejectedAs(await at.submit(order('meanwhile'))), 'nothing new is acknowledged meanwhile').toBe(
        'unavailable',
      )
      await ends()
      const trace = await becomes(at, id, 'dead')
      const delivery = trace.deliveries.find(({ route }) => route === 'confirmed')
      expect(delivery).toMatchObject({ state: 'dead', reason: 'refused' })
      expect(delivery?.attempts.map(({ result }) => result)).toEqual(['gone'])
      expect((await cli(at, 'dead', 'ls', '--route', 'confirmed')).stdout).toContain(delivery!.id)
      expect((await at.ledger()).balanced).toBe(true)
    })

    it('when Waybill is killed at that moment, the next one finds it and makes it one', async () => {
      const id = acceptedId(await at.submit(order('CONFIRMED-killed')))
      const asked = await question(at, 'CONFIRMED-killed')
      await refuseWrites()
      answer(at, asked, 'cancel', 'gone')
      await at.submit(order('meanwhile'))
      at.waybill.signal('SIGKILL')
      await at.waybill.ended
      await takeWrites()
      await at.endLease()
      await at.restart()
      answer(at, await question(at, 'CONFIRMED-killed'), 'cancel', 'gone')
      const trace = await becomes(at, id, 'dead')
      const delivery = trace.deliveries.find(({ route }) => route === 'confirmed')
      expect(delivery?.attempts.map(({ result }) => result)).toEqual(['void', 'gone'])
    })
  })

  describe('trap 2 (Camel): the result of a publish is read: a node that refuses makes a dead letter with its very reason', () => {
    beforeAll(async () => {
      await at.server.addUser('owner', 'secret')
      const service = `xmpp://127.0.0.1:${at.server.clientPort}`
      const owner = client({ service, domain: 'example.test', username: 'owner', password: 'secret' })
      owner.timeout = 30_000
      await owner.start()
      const created = new Promise<string>((resolve) => owner.on('stanza', (stanza) => resolve(stanza.toString())))
      await owner.write(
        `<iq type='set' id='create' to='pubsub.example.test'><pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='of-another'/></pubsub></iq>`,
      )
      expect(attribute(await created, 'type')).toBe('result')
      await owner.stop()
    })

    const refusals: readonly (readonly [number: string, condition: string, alarm: boolean])[] = [
      ['MISSING-1', 'item-not-found', true],
      ['FORBIDDEN-1', 'forbidden', true],
      ['LARGE-1', 'payload-too-big', false],
    ]
    it.each(refusals)('%s: %s', async (number, condition, alarm) => {
      const trace = await becomes(at, acceptedId(await at.submit(order(number, { lines: 20 }))), 'dead')
      const delivery = trace.deliveries.find(({ destination }) => destination.startsWith('xmpp:'))
      expect(delivery).toMatchObject({ state: 'dead', reason: 'refused' })
      expect(delivery?.attempts.map(({ result }) => result)).toEqual([condition])
      await eventually(async () => (await at.metrics()).includes(`waybill_attempts_total{result="${condition}"} 1`))
      const isTold = () => at.peer.received.some((stanza) => stanza.includes('<body>') && stanza.includes(condition))
      if (alarm) await eventually(isTold, { what: 'the alarm' })
      // What would have been told of it would have come before the answer to what is sent now.
      acceptedId(await at.submit(order(`AFTER-${number}`)))
      expect(isTold(), 'whether the operator has an alarm').toBe(alarm)
    })
  })

  describe('trap 3 (Spring Integration), trap 4 (Redpanda Connect): nothing is dropped silently by what checks documents', () => {
    const invalid = order('INVALID', { currency: 'euro', total: '-1' })
    const stanzas: readonly (readonly [what: string, stanza: string])[] = [
      ['an iq', `<iq type='set' id='invalid' from='a@peer.example.test/1' to='waybill.example.test'>${invalid}</iq>`],
      [
        'a message that asks for nothing',
        `<message id='invalid' from='a@peer.example.test/1' to='waybill.example.test'>${invalid}</message>`,
      ],
      [
        'a publish, beside a valid item',
        `<iq type='set' id='invalid' from='a@peer.example.test/1' to='waybill.example.test'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n'><item id='good'>${order('BESIDE')}</item><item id='bad'>${invalid}</item></publish></pubsub></iq>`,
      ],
    ]
    it.each(stanzas)(
      'an invalid document in %s is rejected with its findings and written nowhere',
      async (_, stanza) => {
        const before = await at.ledger()
        at.peer.send(stanza)
        const error = await at.peer.next((one) => attribute(one, 'id') === 'invalid')
        expect(attribute(error, 'type')).toBe('error')
        expect(rejectedAs(error)).toBe('invalid')
        expect(error.match(/<finding\b/g)).toHaveLength(2)
        await nextOnePasses()
        expect([...messagesWith(at, 'INVALID'), ...messagesWith(at, 'BESIDE')]).toEqual([])
        expect((await at.ledger()).documents.accepted).toBe(before.documents.accepted + 1)
      },
    )

    it('an invalid document for a node is not published to it', async () => {
      const good = acceptedId(await at.submit(order('NODE-1', { currency: 'EUR', total: '5000' })))
      expect(
        rejectedAs(await at.submit(order('NODE-2', { currency: 'EUR', total: '5000', note: '</note><x/><note>' }))),
      ).toBe('invalid')
      await becomes(at, good, 'delivered')
      at.peer.send(
        `<iq type='get' id='items' from='peer.example.test' to='pubsub.example.test'><pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='orders/EUR'/></pubsub></iq>`,
      )
      const items = await at.peer.next((stanza) => attribute(stanza, 'id') === 'items')
      expect(items).toContain('NODE-1')
      expect(items).not.toContain('NODE-2')
    })

    it('what matches no route is a dead letter', async () => {
      const id = acceptedId(await at.submit(`<order xmlns='urn:example:secret'/>`, { from: 'boss@peer.example.test' }))
      expect(await becomes(at, id, 'dead')).toMatchObject({ reason: 'no-route', deliveries: [] })
      expect((await cli(at, 'dead', 'ls', '--reason', 'no-route')).stdout).toContain(id)
    })

    it('a duplicate is acknowledged and not forwarded, whatever stanza brings it', async () => {
      const document = order('TWICE')
      const first = acceptedId(await at.submit(document, { id: 'twice' }))
      expect(acceptedId(await at.submit(document, { id: 'twice' }))).toBe(first)
      at.peer.send(
        `<message id='twice' from='a@peer.example.test/other' to='waybill.example.test'>${document}<request xmlns='urn:xmpp:receipts'/></message>`,
      )
      const receipt = await at.peer.next((stanza) => stanza.startsWith('<message') && stanza.includes('received'))
      expect(acceptedId(receipt)).toBe(first)
      await nextOnePasses()
      expect(messagesWith(at, 'TWICE')).toHaveLength(1)
    })

    it('a publish that is sent again is a duplicate in each of its items, with ids or without', async () => {
      const items = `<item id='with-id'>${order('AGAIN-1')}</item><item>${order('AGAIN-2')}</item><item>${order('AGAIN-3')}</item>`
      const request = `<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='n'>${items}</publish></pubsub>`
      const idsOf = (answer: string) => [...answer.matchAll(/<accepted\b[^>]*?\sid=["'](.*?)["']/g)].map(([, id]) => id)
      const first = await at.submit(request, { id: 'publish-again' })
      const second = await at.submit(request, { id: 'publish-again' })
      expect(idsOf(first)).toHaveLength(3)
      expect(idsOf(second)).toEqual(idsOf(first))
      expect(second.match(/duplicate=(["'])true\1/g)).toHaveLength(3)
      await nextOnePasses()
      expect(messagesWith(at, 'AGAIN-')).toHaveLength(3)
    })

    it('an error of the store of duplicates answers wait, and drops and doubles nothing', async () => {
      const document = order('CLAIMED')
      await refuseWrites()
      const refused = await at.submit(document, { id: 'claimed' })
      await takeWrites()
      expect(refused).toMatch(/<error\b[^>]*type=(["'])wait\1/)
      expect(rejectedAs(refused)).toBe('unavailable')
      const first = await at.submit(document, { id: 'claimed' })
      expect(first, 'it was not claimed by what failed').not.toContain('duplicate')
      const second = await at.submit(document, { id: 'claimed' })
      expect(second).toMatch(/duplicate=(["'])true\1/)
      expect(acceptedId(second)).toBe(acceptedId(first))
      await nextOnePasses()
      expect(messagesWith(at, 'CLAIMED')).toHaveLength(1)
    })
  })

  describe('trap 11 (BizTalk): what an operator does with a dead letter', () => {
    async function deadLetter(number: string): Promise<string> {
      const id = acceptedId(await at.submit(order(number)))
      answer(at, await question(at, number), 'modify', 'not-acceptable')
      const { deliveries } = await becomes(at, id, 'dead')
      return deliveries.find(({ route }) => route === 'confirmed')!.id
    }

    it('a drop leaves a record: who, why, and a count in the ledger', async () => {
      const delivery = await deadLetter('CONFIRMED-dropped')
      const before = await at.ledger()
      expect((await cli(at, 'dead', 'drop', delivery, '--reason', 'sent by hand')).code).toBe(0)
      const trace = await at.trace(delivery)
      expect(trace.deliveries.find(({ id }) => id === delivery)).toMatchObject({
        state: 'dropped',
        reason: expect.stringMatching(/^sent by hand \(.+\)$/),
      })
      const after = await at.ledger()
      expect(after.deliveries.dropped).toBe(before.deliveries.dropped + 1)
      expect(after.balanced).toBe(true)
      expect((await cli(at, 'dead', 'ls', '--route', 'confirmed')).stdout).not.toContain(delivery)
    })

    it('a redrive goes to the one destination, and is not matched by other routes', async () => {
      const delivery = await deadLetter('CONFIRMED-redriven')
      const file = join(at.folder, 'routes', 'later.yaml')
      writeFileSync(
        file,
        'kind: Route\nname: later\nwhen: { type: order }\ndeliver: [{ jid: later@other.example.test }]\n',
      )
      await reload()
      expect((await cli(at, 'dead', 'redrive', delivery)).code).toBe(0)
      answer(at, await question(at, 'CONFIRMED-redriven'), 'result', '')
      const trace = await becomes(at, delivery.split('.')[0]!, 'delivered')
      expect(trace.deliveries.map(({ route }) => route).sort()).toEqual(['confirmed', 'orders'])
      await nextOnePasses()
      expect(messagesWith(at, 'CONFIRMED-redriven')).toHaveLength(1)
      expect(
        at.other.received.filter(
          (stanza) => attribute(stanza, 'to') === 'later@other.example.test' && stanza.includes('NEXT'),
        ),
      ).toHaveLength(1)
      rmSync(file)
      await reload()
    })
  })

  describe('trap 13 (WSO2): one poison document stops nothing else', () => {
    it('one that can not be written to its destination is a dead letter; those beside it arrive', async () => {
      // In-band it fits; sealed it is a third larger, and would make the server close the stream for all.
      const poison = order('POISON', { lines: 3, note: 'x'.repeat(220_000) })
      const beside = Array.from({ length: 40 }, (_, n) => order(`BESIDE-POISON-${n}`, { lines: 3 }))
      const [first, ...others] = await Promise.all(
        [poison, ...beside].map(async (text) => acceptedId(await at.submit(text))),
      )
      const { deliveries } = await becomes(at, first!, 'dead')
      expect(deliveries.map(({ destination, state, reason }) => [destination, state, reason])).toEqual([
        ['bulk@other.example.test', 'dead', 'too-large'],
        ['other.example.test', 'delivered', undefined],
      ])
      const arrived = (id: string) =>
        at.other.received.filter((stanza) => attribute(stanza, 'id')?.startsWith(id)).length
      await eventually(() => others.every((id) => arrived(id) === 2))
      expect(at.waybill.log()).not.toContain('connection-lost')
    })

    it('one that is refused for good lets those behind it in the same order go on', async () => {
      const ids: string[] = []
      for (const n of [1, 2, 3]) ids.push(acceptedId(await at.submit(order(`LANE-${n}`))))
      answer(at, await question(at, 'LANE-1'), 'modify', 'not-acceptable')
      answer(at, await question(at, 'LANE-2'), 'result', '')
      answer(at, await question(at, 'LANE-3'), 'result', '')
      await becomes(at, ids[0]!, 'dead')
      await becomes(at, ids[1]!, 'delivered')
      await becomes(at, ids[2]!, 'delivered')
    })

    it('all that is wrong with a document is told, not only the first', async () => {
      const lines = `<line/><line sku='S' quantity='none'/><line sku='S' quantity='0'/>`
      const error = await at.submit(order('WRONG', { currency: 'euro', total: 'much' }).replace(/<line\b.*?\/>/, lines))
      for (const path of ['o:currency', 'o:total', 'o:line[1]', 'o:line[2]', 'o:line[3]']) expect(error).toContain(path)
      const json = await at.submit(
        `<json xmlns='urn:xmpp:json:0'>{"kind":"reading","sensor":"","celsius":99,"extra":1}</json>`,
      )
      for (const rule of ['minLength', 'maximum', 'additionalProperties']) expect(json).toContain(rule)
    })

    it('documents of different types that come at once are never checked by the schema of another', async () => {
      await at.server.addUser('friend', 'secret')
      const kinds = [
        {
          type: 'order',
          layer: 'xsd',
          good: (n: number) => order(`MIX-${n}`),
          bad: (n: number) => order(`MIX-${n}`, { currency: 'x' }),
        },
        {
          type: 'note',
          layer: 'rng',
          good: () => NOTE('friend'),
          bad: () => `<note xmlns='urn:example:note'><to>friend</to></note>`,
        },
        {
          type: 'reading',
          layer: 'json-schema',
          good: (n: number) => READING(`MIX-${n}`, 20),
          bad: (n: number) => READING(`MIX-${n}`, 2000),
        },
      ]
      const documents = Array.from({ length: 200 }, (_, n) => {
        const { type, layer, good, bad } = kinds[n % kinds.length]!
        const valid = Math.floor(n / kinds.length) % 2 === 0
        const id = `mix-${n}`
        const payload = valid ? good(n) : bad(n)
        const stanza = `<iq type='set' id='${id}' from='m${n % 7}@peer.example.test/1' to='waybill.example.test'>${payload}</iq>`
        return { id, stanza, expected: valid ? `accepted ${type}` : `invalid by ${layer} only` }
      })
      at.peer.send(documents.map(({ stanza }) => stanza).join(''))
      const answers = await eventually(
        () => {
          const found = new Map(at.peer.received.map((stanza) => [attribute(stanza, 'id') ?? '', stanza]))
          return documents.every(({ id }) => found.has(id)) && found
        },
        { timeoutMs: 60_000 },
      )
      const verdicts = documents.map(({ id }) => `${id} ${verdict(answers.get(id)!)}`)
      expect(verdicts).toEqual(documents.map(({ id, expected }) => `${id} ${expected}`))
    })
  })

  it('trap 14 (Mule): the number of tries survives a kill -9, and the try that it interrupts is not counted', async () => {
    const number = 'CONFIRMED-tries'
    const id = acceptedId(await at.submit(order(number)))
    const results = async () => {
      const delivery = (await at.trace(id)).deliveries.find(({ route }) => route === 'confirmed')
      return delivery!.attempts.map(({ result }) => result)
    }
    const refuse = async () => answer(at, await question(at, number), 'wait', 'resource-constraint')
    await refuse()
    await eventually(async () => (await results())[0] === 'resource-constraint', { what: 'the first try to end' })
    await question(at, number)
    await at.kill()
    await at.restart()
    for (let left = 3; left > 0; left--) await refuse()
    const trace = await becomes(at, id, 'dead')
    expect(trace.deliveries.find(({ route }) => route === 'confirmed')).toMatchObject({ reason: 'tries-exhausted' })
    const refused = 'resource-constraint'
    expect(await results()).toEqual([refused, 'void', refused, refused, refused])
  })
})

/** `accepted TYPE`, or the reason with the layers of all findings. */
function verdict(stanza: string): string {
  const type = /<accepted\b[^>]*?\stype=(["'])(.*?)\1/.exec(stanza)?.[2]
  if (type !== undefined) return `accepted ${type}`
  const layers = [...stanza.matchAll(/\slayer=(["'])(.*?)\1/g)].map(([, , layer]) => layer)
  return `${rejectedAs(stanza)} by ${[...new Set(layers)].join(' and ')} only`
}

describe('on prosody', () => {
  it('trap 2 (Camel): the result of a publish is read: a node that is missing makes a dead letter and an alarm', async () => {
    const at = await install({ kind: 'prosody', config: scenarioFolder({ 'routes/traps.yaml': ROUTES }) })
    try {
      const trace = await becomes(at, acceptedId(await at.submit(order('MISSING-1'))), 'dead')
      const delivery = trace.deliveries.find(({ destination }) => destination.startsWith('xmpp:'))
      expect(delivery).toMatchObject({ state: 'dead', reason: 'refused', attempts: [{ result: 'item-not-found' }] })
      await at.peer.next((stanza) => stanza.includes('item-not-found') && stanza.includes('<body>'))
    } finally {
      await at.stop()
    }
  })
})

const WAYBILL = `
xmpp: { domain: waybill.example.test, host: example.test, secret: unused }
senders: ["*@example.test"]
`

describe('trap 12 (NiFi, HiveMQ): a type that nothing would be checked by is refused when the configuration is loaded', () => {
  const XSD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>'
  const GRAMMAR = '<grammar xmlns="http://relaxng.org/ns/structure/1.0"/>'
  const schemas: readonly (readonly [what: string, language: 'xsd' | 'rng' | 'json', text: string, message: string])[] =
    [
      ['a blank XSD', 'xsd', '', 'the file is empty'],
      ['an XSD of white space', 'xsd', ' \n\n', 'the file is empty'],
      ['an XSD of a comment', 'xsd', '<!-- later -->', 'Cannot read the schema'],
      ['an XSD that declares nothing', 'xsd', XSD, 'the schema declares no element {urn:example:blank}r3'],
      ['no XSD at all', 'xsd', '<schema/>', 'is not a schema document'],
      ['a blank RELAX NG', 'rng', '', 'the file is empty'],
      ['a RELAX NG without start', 'rng', GRAMMAR, 'has no <start>'],
      ['a blank JSON Schema', 'json', '', 'the file is empty'],
      ['a JSON Schema that accepts everything', 'json', '{}', 'it accepts everything'],
      ['the JSON Schema true', 'json', 'true', 'a schema is an object here'],
      [
        'a JSON Schema in a dialect without validator',
        'json',
        '{"$schema":"urn:example:dialect"}',
        'draft-07, 2019-09 and 2020-12 are understood',
      ],
      ['a JSON Schema whose only keyword is misspelt', 'json', '{"requird":["a"]}', 'unknown keyword: "requird"'],
    ]
  const files = Object.fromEntries(
    schemas.flatMap(([what, language, text], n) => {
      const identify =
        language === 'json' ? `{ json: { match: { /n: ${n} } } }` : `{ xml: { root: "{urn:example:blank}r${n}" } }`
      const type = `# ${what}\nkind: DocumentType\nname: blank-${n}\nidentify: ${identify}\nschema: { ${language}: blank-${n}.${language} }\n`
      return [
        [`types/blank-${n}.yaml`, type],
        [`schemas/blank-${n}.${language}`, text],
      ]
    }),
  )
  const folder = scenarioFolder({ 'waybill.yaml': WAYBILL, ...files })

  it('check names each', async () => {
    const { code, stdout } = await command(['check', folder])
    expect(code).toBe(1)
    for (const [n, [what, , , message]] of schemas.entries()) {
      const lines = stdout
        .split('\n')
        .filter((line) => line.startsWith(`types/blank-${n}.yaml:5:`) && line.includes(message))
      expect(lines, what).toHaveLength(1)
    }
  })

  it('and it never runs', async () => {
    const { code, stderr, stdout } = await waybill(['run', folder])
    expect(code).toBe(1)
    expect(stderr).toContain('the file is empty')
    expect(stdout).not.toContain('ready')
  })

  const loading: readonly (readonly [what: string, schema: string, message: string])[] = [
    ['no schema', '', 'schema: none'],
    ['a schema that is empty', 'schema: {}\n', 'schema needs one of xsd, rng, json, schematron: found none'],
    ['a language without validator', 'schema: { dtd: order.dtd }\n', 'Unknown key "dtd"'],
    ['a schema that is nowhere', 'schema: { json: nowhere.json }\n', 'Cannot find schema nowhere.json'],
    ['rules in a language without validator', 'schema: { schematron: other.sch }\n', 'their queryBinding is exslt'],
    ['rules that are empty', 'schema: { schematron: [blank.sch] }\n', 'the file is empty'],
    ['rules that check nothing', 'schema: { schematron: nothing.sch }\n', 'it accepts everything'],
  ]
  it('nor is a type without a validator', async () => {
    const types = Object.fromEntries(
      loading.map(([, schema], n) => [
        `types/none-${n}.yaml`,
        `kind: DocumentType\nname: none-${n}\nidentify: { xml: { root: "{urn:example:none}r${n}" } }\n${schema}`,
      ]),
    )
    const sch = (content: string) => `<schema xmlns="http://purl.oclc.org/dsdl/schematron" ${content}</schema>`
    const files = {
      'schemas/other.sch': sch('queryBinding="exslt"><pattern><rule context="/"><assert test="1"/></rule></pattern>'),
      'schemas/blank.sch': '',
      'schemas/nothing.sch': sch('queryBinding="xslt2"><pattern/>'),
    }
    const { code, stdout } = await command(['check', scenarioFolder({ 'waybill.yaml': WAYBILL, ...types, ...files })])
    expect(code).toBe(1)
    for (const [n, [what, , message]] of loading.entries()) {
      expect(
        stdout
          .split('\n')
          .filter((line) => line.startsWith(`types/none-${n}.yaml:`))
          .join('\n'),
        what,
      ).toContain(message)
    }
  })
})

describe('trap 17 (Camel): a prefix that is not declared is an error of the configuration, not an XPath that never matches', () => {
  const folder = scenarioFolder({
    'waybill.yaml': WAYBILL,
    'samples/order.xml': order('1'),
    'routes/prefix.yaml': `kind: Route
name: prefix
when:
  type: order
  xpath: "count(/ord:order/ord:line) > 1"
deliver: [{ jid: other.example.test }]
`,
    'types/prefix.yaml': `kind: DocumentType
name: prefix
identify:
  xml: { root: "{urn:example:prefix}p", where: "/pre:p/@version = 2" }
schema: none
---
kind: DocumentType
name: prefix-too
identify: { xml: { root: "{urn:example:prefix}q" } }
schema: none
namespaces: { p: "urn:example:prefix" }
fields:
  good: { xpath: "/p:q" }
  bad: { xpath: "/p:q/q:r" }
`,
  })
  const places: readonly (readonly [what: string, line: RegExp])[] = [
    ['of a route', /^routes\/prefix\.yaml:5:10 .*prefix `ord` isn't declared \(known: o\)/m],
    ['of a discriminator', /^types\/prefix\.yaml:4:48 .*prefix `pre` isn't declared \(known: none\)/m],
    ['of a field', /^types\/prefix\.yaml:14:17 .*prefix `q` isn't declared \(known: p\)/m],
  ]

  it('check says where each of them stands', async () => {
    const { code, stdout } = await command(['check', folder])
    expect(code).toBe(1)
    for (const [what, line] of places) expect(stdout, `the XPath ${what}`).toMatch(line)
  })

  it('explain says so too, rather than that the document does not match', async () => {
    const sample = join(folder, 'samples', 'order.xml')
    const { code, stdout, stderr } = await command(['explain', folder, sample, '--from', 'a@example.test'])
    expect(code).toBe(1)
    for (const [, line] of places) expect(stderr).toMatch(line)
    expect(stdout).toBe('')
  })
})

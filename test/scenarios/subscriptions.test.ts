import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { connectRawComponent, type RawComponent } from '../servers/raw-component.ts'
import type { RunningXmppServer } from '../servers/xmpp.ts'
import { attribute, command, type Installation, install } from './waybill.ts'

const PUBSUB = 'http://jabber.org/protocol/pubsub'
const SERVICE = 'pubsub.example.test'

const types = `kind: DocumentType
name: order
identify: { xml: { root: "{urn:example:order}order" } }
namespaces: { o: "urn:example:order" }
schema: none
fields:
  number: { xpath: "/o:order/o:number" }
`

/** All go to one receiver in the order of their source; those that say so are also published into the very node that is read. */
const routes = `kind: Route
name: all
when: { type: order }
deliver: [{ jid: other.example.test }]
order: { by: sender }
---
kind: Route
name: back-into-the-node
when: { type: order, fields: { number: [{ prefix: "loop-" }] } }
deliver: [{ pubsub: pubsub.example.test, node: in }]
`

function configFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'waybill-source-'))
  for (const [name, text] of Object.entries({ types, routes })) {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, `${name}.yaml`), text)
  }
  return folder
}

const order = (number: string) => `<order xmlns='urn:example:order'><number>${number}</number></order>`

/** A node that everybody may publish to: as only Waybill's own address may make nodes, it is lent for that. */
async function makeNode(server: RunningXmppServer, node: string): Promise<void> {
  const lent = await connectRawComponent(server.component('waybill'))
  const options = { publish_model: 'open', access_model: 'open', persist_items: '1', max_items: '250' }
  const form = Object.entries(options).map(
    ([name, value]) => `<field var='pubsub#${name}'><value>${value}</value></field>`,
  )
  const type = `<field var='FORM_TYPE' type='hidden'><value>${PUBSUB}#node_config</value></field>`
  const configure = `<configure><x xmlns='jabber:x:data' type='submit'>${type}${form.join('')}</x></configure>`
  // ejabberd may give an answer to whoever had the address a moment ago: then the node is there when it is asked again.
  const ask = () => iq(lent, 'waybill.example.test', `<create node='${node}'/>${configure}`, '', 5_000)
  const answer = await eventually(ask, { timeoutMs: 60_000, what: `node ${node} to be made` })
  lent.close()
  expect(attribute(answer, 'type') === 'result' || answer.includes('<conflict'), answer).toBe(true)
}

let ids = 0

async function iq(
  component: RawComponent,
  from: string,
  content: string,
  owner = '',
  timeoutMs = 60_000,
): Promise<string> {
  const id = `source${ids++}`
  const payload = `<pubsub xmlns='${PUBSUB}${owner}'>${content}</pubsub>`
  component.send(`<iq type='set' id='${id}' from='${from}' to='${SERVICE}'>${payload}</iq>`)
  return component.next((stanza) => stanza.startsWith('<iq') && attribute(stanza, 'id') === id, timeoutMs)
}

async function publish(at: Installation, item: string, payload: string, node = 'in'): Promise<void> {
  const content = `<publish node='${node}'><item id='${item}' publisher='boss@peer.example.test'>${payload}</item></publish>`
  const answer = await iq(at.peer, 'a@peer.example.test/x', content)
  expect(attribute(answer, 'type'), answer).toBe('result')
}

async function publishMany(at: Installation, numbers: readonly string[]): Promise<void> {
  for (const number of numbers) await publish(at, number, order(number))
}

const numbered = (name: string, count: number) => Array.from({ length: count }, (_, at) => `${name}-${at}`)

/** The numbers of the orders that arrived, first arrivals only: what was under way at a kill may come twice, with one id. */
function arrived(at: Installation, name: string): { readonly numbers: string[]; readonly envelopes: number } {
  const byId = new Map<string, string>()
  for (const stanza of at.other.received) {
    const number = /<(?:\w+:)?number\b[^>]*>(.*?)</.exec(stanza)?.[1]
    const id = attribute(stanza, 'id')
    if (stanza.startsWith('<message') && id && number?.startsWith(`${name}-`) && !byId.has(id)) byId.set(id, number)
  }
  return { numbers: [...byId.values()], envelopes: byId.size }
}

describe.each(['prosody', 'ejabberd'] as const)(
  'a subscribed node as a source, on %s',
  (kind) => {
    let at: Installation
    const config = configFolder()
    beforeAll(async () => {
      at = await install({
        kind,
        config,
        redisConfig: { appendfsync: 'always' },
        settings: {
          senders: ['*@peer.example.test', SERVICE],
          subscriptions: [
            { pubsub: SERVICE, node: 'in', from: 'publisher' },
            { pubsub: SERVICE, node: 'later' },
          ],
        },
        async prepare(server) {
          await makeNode(server, 'in')
          const early = await connectRawComponent(server.component('waybill'))
          // What a node holds before Waybill knows it is taken as well.
          await iq(
            early,
            'waybill.example.test',
            `<publish node='in'><item id='early-0'>${order('early-0')}</item></publish>`,
          )
          early.close()
        },
      })
    })
    afterAll(async () => {
      await at?.stop()
      rmSync(config, { recursive: true, force: true })
    })

    async function arrives(name: string, numbers: readonly string[]): Promise<void> {
      await eventually(() => arrived(at, name).numbers.length >= numbers.length, {
        timeoutMs: 40_000,
        what: `${numbers.length} ${name}, got ${arrived(at, name).numbers.length}; log:\n${at.waybill.log().slice(-3000)}`,
      })
      expect(arrived(at, name).numbers).toEqual(numbers)
    }

    const log = (event: string) =>
      at.waybill
        .log()
        .split('\n')
        .filter((line) => line.includes(`"${event}"`))

    it('what the node held before is taken, and then what is published', async () => {
      await arrives('early', ['early-0'])
      const numbers = numbered('first', 20)
      await publishMany(at, numbers)
      await arrives('first', numbers)
      const ledger = await at.ledger()
      expect(ledger.balanced).toBe(true)
      expect(ledger.documents.accepted).toBe(21)
    })

    it('after a kill in the midst of it every item is taken once and in order, with those that came while it was down', async () => {
      const numbers = numbered('kill', 80)
      const publishing = publishMany(at, numbers.slice(0, 50))
      await eventually(() => arrived(at, 'kill').numbers.length > 10)
      await at.kill()
      await publishing
      await publishMany(at, numbers.slice(50))
      await at.restart()
      await arrives('kill', numbers)
      const late = numbered('after', 10)
      await publishMany(at, late)
      await arrives('after', late)
      expect(arrived(at, 'kill').envelopes).toBe(80)
      expect((await at.ledger()).balanced).toBe(true)
    })

    it('after a restart of the server nothing is missing, doubled or out of order', async () => {
      const before = numbered('before', 10)
      await publishMany(at, before)
      await at.server.kill('SIGTERM')
      await at.server.start()
      at.peer = await connectRawComponent(at.server.component('peer'))
      at.other = await connectRawComponent(at.server.component('other'))
      // Published at once, whether Waybill is back already or not.
      const numbers = numbered('restarted', 20)
      await publishMany(at, numbers)
      await arrives('restarted', numbers)
      await eventually(async () => {
        const ledger = await at.ledger()
        return ledger.balanced && ledger.documents.waiting === 0
      })
      expect((await at.ledger()).documents.accepted).toBe(21 + 80 + 10 + 10 + 20)
    })

    it('while Redis is away nothing is lost: the items wait, and are taken once', async () => {
      await at.redis.kill('SIGKILL')
      const numbers = numbered('redis', 10)
      await publishMany(at, numbers)
      await eventually(() => log('source-waits').length > 0, { timeoutMs: 30_000 })
      await at.redis.start()
      await arrives('redis', numbers)
    })

    it('what is published into the node by a route does not come back in', async () => {
      await publish(at, 'loop-0', order('loop-0'))
      await arrives('loop', ['loop-0'])
      await eventually(async () => (await at.metrics()).includes('waybill_items_total{outcome="own"} 1'))
      at.waybill.signal('SIGTERM')
      await at.waybill.ended
      await at.restart()
      // Nor when the node is read.
      await eventually(async () => (await at.metrics()).includes('waybill_items_total{outcome="own"} 1'))
      expect(arrived(at, 'loop').envelopes).toBe(1)
    })

    it('nobody becomes the publisher of an item by saying so', async () => {
      await publish(at, 'claimed-0', order('claimed-0'))
      const stanza = await at.other.next((one) => one.includes('claimed-0'))
      const id = /<via\b[^>]*?\sid=["'](.*?)["']/.exec(stanza)?.[1]
      expect((await at.trace(id!)).origin).toMatchObject({
        stanza: 'event',
        node: 'in',
        item: 'claimed-0',
        from: SERVICE,
      })
    })

    it('an invalid item is told and passed over, once; those behind it are taken', async () => {
      await publish(at, 'bad-0', `<nobody-knows xmlns='urn:example:none'/>`)
      await publish(at, 'bad-1', `<xml:a/>`)
      await publish(at, 'good-0', order('good-0'))
      await arrives('good', ['good-0'])
      await eventually(() => log('item-refused').length === 2, { what: 'both to be refused' })
      expect(log('connection-lost')).toHaveLength(0)
      expect(JSON.parse(log('item-refused')[0]!)).toMatchObject({ item: 'bad-0', reason: 'unknown-type' })
      await eventually(() => at.peer.received.some((one) => one.includes('refused item bad-0')))
      at.waybill.signal('SIGTERM')
      await at.waybill.ended
      await at.restart()
      await publish(at, 'good-1', order('good-1'))
      await arrives('good', ['good-0', 'good-1'])
      expect(log('item-refused')).toHaveLength(0)
    })

    it('an event that somebody else makes up is ignored, and so is one of another node', async () => {
      const event = (node: string, number: string) =>
        `<event xmlns='${PUBSUB}#event'><items node='${node}'><item id='${number}'>${order(number)}</item></items></event>`
      const strangers = async () => Number(/outcome="stranger"} (\d+)/.exec(await at.metrics())?.[1] ?? 0)
      const before = await strangers()
      at.peer.send(`<message from='peer.example.test' to='waybill.example.test'>${event('in', 'forged-0')}</message>`)
      at.peer.send(`<message from='peer.example.test' to='waybill.example.test'>${event('out', 'forged-1')}</message>`)
      await eventually(async () => (await strangers()) === before + 2)
      expect(arrived(at, 'forged').envelopes).toBe(0)
    })

    it('a node that is not there yet is told of, and subscribed to when it is; so is one that was deleted', async () => {
      const readyz = async () => {
        const answer = await fetch(`${at.waybill.ready.http}/readyz`)
        const { parts } = (await answer.json()) as { parts: { part: string; ready: boolean; reason: string }[] }
        return { status: answer.status, part: parts.find(({ part }) => part.includes('node=later')) }
      }
      // The start before has asked for it after the other node.
      await eventually(async () => (await readyz()).part?.reason.includes('item-not-found'))
      expect(await readyz()).toMatchObject({ status: 200, part: { ready: false } })
      await eventually(() => log('alarm').some((line) => line.includes('node=later')), { what: 'the alarm' })
      for (const name of ['later', 'again']) {
        at.waybill.signal('SIGTERM')
        await at.waybill.ended
        const { code, stdout } = await command(['doctor', at.folder])
        expect([code, stdout]).toEqual([
          3,
          expect.stringMatching(/subscription xmpp:.*node=later\s+wrong\s+cannot be subscribed to/),
        ])
        expect(stdout).toMatch(/subscription xmpp:.*node=in\s+fine\s+confirmed/)
        await makeNode(at.server, 'later')
        await at.restart()
        await eventually(async () => (await readyz()).part?.ready)
        await publish(at, `${name}-0`, order(`${name}-0`), 'later')
        await arrives(name, [`${name}-0`])
        at.waybill.signal('SIGTERM')
        await at.waybill.ended
        const owner = await connectRawComponent(at.server.component('waybill'))
        await iq(owner, 'waybill.example.test', `<delete node='later'/>`, '#owner')
        owner.close()
        await at.restart()
      }
      expect((await at.ledger()).balanced).toBe(true)
    })
  },
  240_000,
)

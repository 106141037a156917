import { describe, expect, it } from 'vitest'
import type { AttemptOutcome } from '../../src/domain/delivery.ts'
import type { StartedAttempt } from '../../src/flow/ports.ts'
import { createPublish, type Publish, publishPayload } from '../../src/xmpp/publish.ts'
import { eventually } from '../eventually.ts'
import { type FakeConnection, fakeConnection } from './fake-connection.ts'
import { meaning } from './stanza.ts'

const SERVICE = 'pubsub.example.test'
const ENVELOPE = '01890a5d-ac96-774b-bcce-b302099a8057'
const DONE: AttemptOutcome = { kind: 'delivered', proof: 'result' }
const result = `<iq type='result' id='ID' from='${SERVICE}'/>`
const failure = (condition: string, type = 'cancel', rest = '') =>
  `<iq type='error' id='ID' from='${SERVICE}'><error type='${type}'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>${rest}</error></iq>`
const words = (text: string) => `<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>${text}</text>`
const info = (...features: string[]) =>
  `<iq type='result' id='ID' from='${SERVICE}'><query xmlns='http://jabber.org/protocol/disco#info'>${features
    .map((feature) => `<feature var='http://jabber.org/protocol/pubsub#${feature}'/>`)
    .join('')}</query></iq>`

type Create = StartedAttempt['options']['create']

interface Scene {
  readonly connection: FakeConnection
  send(node?: string, expiresAtMs?: number): Promise<AttemptOutcome>
  /** What was asked of the service, in short. */
  asked(): string[]
}

function scene(create: Create, window = 64, now = () => 0): Scene {
  const connection = fakeConnection()
  const publish: Publish = createPublish({ connection, window, now, log: () => {} })
  const send = (node = 'orders', expiresAtMs?: number) => {
    const attempt: StartedAttempt = {
      id: `${ENVELOPE}.0`,
      envelopeId: ENVELOPE,
      tries: 1,
      destination: { kind: 'node', service: SERVICE, node },
      route: 'all',
      options: { retry: 'default', confirm: 'none', confirmTimeoutMs: 1_000, ...(create && { create }) },
      type: 'order',
      from: 'a@example.test/x',
      receivedAtMs: 0,
      sinceMs: 0,
      hops: 0,
      form: 'element',
      mediaType: 'application/xml',
      rootName: 'order',
      datatype: '',
      payload: new Uint8Array(),
      ...(expiresAtMs !== undefined && { expiresAtMs }),
    }
    return publish(
      attempt,
      { kind: 'node', service: SERVICE, node },
      publishPayload(attempt, node, '<order xmlns=""/>'),
      (request) => connection.request(request),
    )
  }
  return { connection, send, asked: () => connection.written.map(kindOf) }
}

function kindOf(request: string): string {
  if (request.includes('<create ')) return `create ${/max_items"><value>(\w+)/.exec(request)![1]}`
  if (request.includes('<publish ')) return 'publish'
  return request.includes('node=') ? 'look up' : 'features'
}

/** Answers by what is asked, first answer first; the last one stays. */
function script(answers: Record<string, string[]>): (request: string) => string | undefined {
  return (request) => {
    const list = answers[kindOf(request).split(' ')[0]!]
    return list && list.length > 1 ? list.shift() : list?.[0]
  }
}

describe('a publish', () => {
  it('is one item whose id is the envelope, without options', async () => {
    const one = scene({})
    one.connection.answerWith(script({ create: [result], publish: [result] }))
    expect(await one.send('a & b')).toEqual(DONE)
    expect(meaning(one.connection.written[1]!)).toEqual(
      meaning(
        `<iq type='set' id='q2' from='waybill.example.test' to='${SERVICE}'><pubsub xmlns='http://jabber.org/protocol/pubsub'>` +
          `<publish node='a &amp; b'><item id='${ENVELOPE}'><order xmlns=''/></item></publish></pubsub></iq>`,
      ),
    )
  })

  it.each([
    ['forbidden', 'auth', ''],
    ['not-acceptable', 'modify', ''],
    ['resource-constraint', 'wait', ''],
    ['payload-too-big', 'modify', '<payload-too-big xmlns="http://jabber.org/protocol/pubsub#errors"/>'],
  ])('that is refused says why: %s', async (condition, type, rest) => {
    const one = scene(undefined)
    const general = rest === '' ? condition : 'not-acceptable'
    one.connection.answerWith(script({ features: [info('publish')], publish: [failure(general, type, rest)] }))
    expect(await one.send()).toMatchObject({ kind: 'refused', answer: { condition, type } })
  })

  it('keeps at most so many to one node under way, and other nodes go on', async () => {
    const one = scene(undefined, 2)
    one.connection.answerWith(script({ features: [info('publish')] }))
    const first = [one.send(), one.send(), one.send()]
    const other = one.send('other')
    await eventually(() => one.asked().filter((what) => what === 'publish').length === 3)
    const publishes = one.connection.written.filter((text) => kindOf(text) === 'publish')
    expect(publishes.filter((text) => text.includes('"orders"'))).toHaveLength(2)
    const answer = (text: string) => one.connection.receive(result.replace('ID', / id="([^"]*)"/.exec(text)![1]!))
    for (const text of publishes) answer(text)
    answer(await eventually(() => one.connection.written.filter((text) => kindOf(text) === 'publish')[3]))
    expect(await Promise.all([...first, other])).toEqual([DONE, DONE, DONE, DONE])
  })
})

describe('a publish that waits for its place', () => {
  it('is not written where its time is over by then', async () => {
    let nowMs = 0
    const one = scene(undefined, 1, () => nowMs)
    one.connection.answerWith(script({ features: [info('publish')] }))
    const sent = [one.send('orders', 1_000), one.send('orders', 1_000), one.send('orders', 1_001)]
    const publishes = () => one.connection.written.filter((text) => kindOf(text) === 'publish')
    const answer = (text: string) => one.connection.receive(result.replace('ID', / id="([^"]*)"/.exec(text)![1]!))
    const first = await eventually(() => publishes()[0])
    nowMs = 1_000
    answer(first)
    answer(await eventually(() => publishes()[1]))
    expect(await Promise.all(sent)).toEqual([DONE, { kind: 'expired' }, DONE])
    expect(publishes()).toHaveLength(2)
  })
})

describe('a node that the route may create', () => {
  it('is created with all of its configuration, once in a stream', async () => {
    const one = scene({ max_items: 100, access_model: 'open', title: '<Orders>' })
    one.connection.answerWith(script({ create: [result], publish: [result] }))
    await one.send()
    await one.send()
    expect(one.asked()).toEqual(['create 100', 'publish', 'publish'])
    const field = (name: string, value: string) => `<field var='pubsub#${name}'><value>${value}</value></field>`
    expect(meaning(one.connection.written[0]!)).toEqual(
      meaning(
        `<iq type='set' id='q1' from='waybill.example.test' to='${SERVICE}'><pubsub xmlns='http://jabber.org/protocol/pubsub'>` +
          `<create node='orders'/><configure><x xmlns='jabber:x:data' type='submit'>` +
          `<field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#node_config</value></field>` +
          field('access_model', 'open') +
          field('publish_model', 'publishers') +
          field('persist_items', '1') +
          field('max_items', '100') +
          field('deliver_notifications', '1') +
          field('deliver_payloads', '1') +
          field('notification_type', 'normal') +
          field('send_last_published_item', 'never') +
          field('title', '&lt;Orders&gt;') +
          `</x></configure></pubsub></iq>`,
      ),
    )
    one.connection.lose('gone')
    one.connection.comeBack()
    await one.send()
    expect(one.asked().slice(3)).toEqual(['create 100', 'publish'])
  })

  it('is created once where several publishes wait for it', async () => {
    const one = scene({})
    one.connection.answerWith(script({ publish: [result] }))
    const outcomes = [one.send(), one.send(), one.send()]
    await eventually(() => one.connection.written.length > 0)
    one.connection.receive(result.replace('ID', 'q1'))
    expect(await Promise.all(outcomes)).toEqual([DONE, DONE, DONE])
    expect(one.asked()).toEqual(['create 256', 'publish', 'publish', 'publish'])
  })

  const unknown = failure('item-not-found')
  it.each([
    ['exists already', [failure('conflict')], [result], ['create 256', 'publish'], DONE],
    [
      'may not be created by us but published to',
      [failure('forbidden', 'auth')],
      [result],
      ['create 256', 'publish'],
      DONE,
    ],
    [
      'may hold less than was asked for',
      [failure('not-acceptable', 'modify'), failure('not-acceptable', 'modify'), result],
      [result],
      ['create 5000', 'create 256', 'create 20', 'publish'],
      DONE,
      5_000,
    ],
    [
      'may hold less, in the words of Prosody 0.12.3',
      [failure('bad-request', 'modify', words('max_items: out of bounds')), result],
      [result],
      ['create 5000', 'create 256', 'publish'],
      DONE,
      5_000,
    ],
    [
      'may hold less, in the words of ejabberd 23.01',
      [failure('resource-constraint', 'wait', words("Bad value of field 'pubsub#max_items' of type 'x'")), result],
      [result],
      ['create 5000', 'create 256', 'publish'],
      DONE,
      5_000,
    ],
    [
      'may hold less than max',
      [failure('not-acceptable', 'modify'), result],
      [result],
      ['create max', 'create 256', 'publish'],
      DONE,
      'max',
    ],
    [
      'is refused for another reason',
      [failure('not-acceptable', 'modify')],
      [result],
      ['create 10'],
      { kind: 'refused', answer: { condition: 'not-acceptable', type: 'modify', text: '' } },
      10,
    ],
    [
      'cannot be made by a service that is starting',
      [failure('remote-server-timeout', 'wait')],
      [result],
      ['create 256'],
      { kind: 'refused', answer: { condition: 'remote-server-timeout', type: 'wait', text: '' } },
    ],
    [
      'was there and is gone',
      [failure('conflict'), result],
      [unknown, result],
      ['create 256', 'publish', 'create 256', 'publish'],
      DONE,
    ],
    [
      'was there and is gone, on Prosody',
      [failure('conflict'), result],
      [failure('forbidden', 'auth'), result],
      ['create 256', 'publish', 'create 256', 'publish'],
      DONE,
    ],
    [
      'is made by somebody else at the same time',
      [failure('conflict'), failure('conflict')],
      [unknown, result],
      ['create 256', 'publish', 'create 256', 'publish'],
      DONE,
    ],
    [
      'is missing and may not be created',
      [failure('forbidden', 'auth')],
      [failure('forbidden', 'auth')],
      ['create 256', 'publish', 'create 256'],
      { kind: 'refused', answer: { condition: 'forbidden', type: 'auth', text: '' } },
    ],
  ] as [string, string[], string[], string[], AttemptOutcome, (number | string)?][])(
    '%s',
    async (_what, create, publish, asked, outcome, maxItems) => {
      const one = scene(maxItems === undefined ? {} : { max_items: maxItems })
      one.connection.answerWith(script({ create, publish }))
      expect(await one.send()).toEqual(outcome)
      expect(one.asked()).toEqual(asked)
    },
  )
})

describe('a node that the route may not create', () => {
  it.each([
    [
      'is published to at once where the service makes none by itself',
      info('publish'),
      result,
      result,
      ['features', 'publish'],
      DONE,
    ],
    ['is published to where it exists', info('auto-create'), info(), result, ['features', 'look up', 'publish'], DONE],
    [
      'is not made by a service that would',
      info('auto-create'),
      failure('item-not-found'),
      result,
      ['features', 'look up'],
      { kind: 'refused', answer: { condition: 'item-not-found', type: 'cancel', text: '' } },
    ],
    [
      'is published to where looking is forbidden',
      info('auto-create'),
      failure('forbidden', 'auth'),
      result,
      ['features', 'look up', 'publish'],
      DONE,
    ],
    [
      'is published to where the service tells nothing',
      failure('forbidden', 'auth'),
      result,
      result,
      ['features', 'publish'],
      DONE,
    ],
    [
      'and is missing is told as it is',
      info('publish'),
      result,
      failure('item-not-found'),
      ['features', 'publish'],
      { kind: 'refused', answer: { condition: 'item-not-found', type: 'cancel', text: '' } },
    ],
  ] as [string, string, string, string, string[], AttemptOutcome][])(
    '%s',
    async (_what, features, look, publish, asked, outcome) => {
      const one = scene(undefined)
      one.connection.answerWith(script({ features: [features], look: [look], publish: [publish] }))
      expect(await one.send()).toEqual(outcome)
      expect(one.asked()).toEqual(asked)
    },
  )

  it('is looked up once in a stream', async () => {
    const one = scene(undefined)
    one.connection.answerWith(script({ features: [info('auto-create')], look: [info()], publish: [result] }))
    await Promise.all([one.send(), one.send(), one.send('other')])
    await one.send()
    const asked = one.asked()
    expect(asked.filter((what) => what === 'features')).toHaveLength(1)
    expect(asked.filter((what) => what === 'look up')).toHaveLength(2)
    expect(asked.filter((what) => what === 'publish')).toHaveLength(4)
  })
})

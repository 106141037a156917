import { afterEach, describe, expect, it } from 'vitest'
import { textOf } from '../../src/domain/element.ts'
import type { NodeItem, Progress, Sources } from '../../src/flow/source.ts'
import { createSubscriptions, type Subscriptions } from '../../src/xmpp/subscriptions.ts'
import { eventually } from '../eventually.ts'
import { type FakeConnection, fakeConnection } from './fake-connection.ts'
import { stanza } from './stanza.ts'

const PUBSUB = 'http://jabber.org/protocol/pubsub'
const SERVICE = 'pubsub.example.test'
const SELF = 'waybill.example.test'

const result = (payload = '') => `<iq type='result' id='ID' from='${SERVICE}' to='${SELF}'>${payload}</iq>`
const refusal = (condition: string, type = 'cancel') =>
  `<iq type='error' id='ID' from='${SERVICE}' to='${SELF}'><error type='${type}'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>`
const pubsub = (content: string) => result(`<pubsub xmlns='${PUBSUB}'>${content}</pubsub>`)
const subscribed = (state = 'subscribed') => pubsub(`<subscription node='in' jid='${SELF}' subscription='${state}'/>`)
const item = (id: string, text = id) => `<item id='${id}'><o xmlns='urn:o'>${text}</o></item>`
const items = (...all: string[]) => pubsub(`<items node='in'>${all.join('')}</items>`)
const event = (content: string, { from = SERVICE, type = 'headline' } = {}) =>
  `<message type='${type}' id='m1' from='${from}' to='${SELF}'><event xmlns='${PUBSUB}#event'>${content}</event></message>`
const heard = (...all: string[]) => event(`<items node='in'>${all.join('')}</items>`)

/** A service of one node, in the words of the test; each answer may be replaced. */
interface Service {
  held: readonly string[]
  subscriptions: string
  subscribe: string
  items: (request: string) => string | undefined
  ids: string
}

/** Takes like the flow does: an item once, until its text changes. */
interface Taker extends Sources {
  /** `ID=TEXT`, as taken. */
  readonly taken: string[]
  readonly senders: string[]
  /** What the next calls of `take` say instead, where it isn't undefined. */
  readonly answers: (Progress | Error | undefined)[]
}

function taker(): Taker {
  const last = new Map<string, string>()
  const taken: string[] = []
  const senders: string[] = []
  const answers: (Progress | Error | undefined)[] = []
  const read = (one: NodeItem) => ({ ...one, digest: textOf(one.stanza.element).trim() })
  return {
    taken,
    senders,
    answers,
    async untaken(_source, all) {
      return all.map(read).flatMap(({ digest, ...one }) => {
        if (last.get(one.id) === digest) return []
        const rejection = { kind: 'malformed', text: '', findings: [] } as const
        return [{ ...one, read: rejection, digest, bytes: 1 << 20 }]
      })
    },
    async take(_source, all) {
      const answer = answers.shift()
      if (answer instanceof Error) throw answer
      const done = answer ? answer.done : all.length
      for (const {
        id,
        digest,
        stanza: { from },
      } of all.slice(0, done)) {
        last.set(id, digest)
        taken.push(`${id}=${digest}`)
        senders.push(from)
      }
      return answer ?? { done }
    },
  }
}

interface Scene extends Taker {
  readonly connection: FakeConnection
  readonly service: Service
  readonly subscriptions: Subscriptions
  readonly counted: string[]
  readonly alarms: string[]
  hear(text: string): void
  requests(part: string): number
}

const running: Subscriptions[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()))
})

function scene(given: Partial<Service> = {}, from: 'publisher' | 'service' = 'service'): Scene {
  const connection = fakeConnection()
  const sources = taker()
  const counted: string[] = []
  const alarms: string[] = []
  const service: Service = {
    held: [],
    subscriptions: pubsub('<subscriptions/>'),
    subscribe: subscribed(),
    ids: refusal('feature-not-implemented'),
    items: (request) => (request.includes('max_items="1"') ? items(...service.held.slice(-1)) : items(...service.held)),
    ...given,
  }
  connection.answerWith((request) => {
    if (request.includes('<subscriptions')) return service.subscriptions
    if (request.includes('<subscribe')) return service.subscribe
    if (request.includes('disco#items')) return service.ids
    return service.items(request)
  })
  const subscriptions = createSubscriptions({
    connection,
    subscriptions: [{ service: SERVICE, node: 'in', from }],
    sources,
    metrics: { item: (outcome) => counted.push(outcome) },
    alarm: (cause, text) => alarms.push(`${cause}: ${text}`),
    log: () => {},
    firstPauseMs: 5,
  })
  running.push(subscriptions)
  return {
    ...sources,
    connection,
    service,
    subscriptions,
    counted,
    alarms,
    hear(text) {
      const message = stanza(text)
      const sender = message.attributes.find(({ name }) => name === 'from')!.value
      subscriptions.hear(message, sender, SELF)
    },
    requests: (part) => connection.written.filter((text) => text.includes(part)).length,
  }
}

const confirmed = ({ subscriptions }: Scene) => eventually(() => subscriptions.states()[0]!.confirmed)
const takes = (at: Scene, ...expected: string[]) =>
  eventually(() => {
    expect(at.taken).toEqual(expected)
    return true
  })

describe('a subscription', () => {
  it('is asked for as our own bare JID, and then the node is read', async () => {
    const at = scene({ held: [item('1'), item('2')] })
    await takes(at, '1=1', '2=2')
    expect(at.connection.written.slice(0, 3).map((text) => text.replace(/id="q\d+"/, 'id=""'))).toEqual([
      `<iq type="get" id="" from="${SELF}" to="${SERVICE}"><pubsub xmlns="${PUBSUB}"><subscriptions node="in"/></pubsub></iq>`,
      `<iq type="set" id="" from="${SELF}" to="${SERVICE}"><pubsub xmlns="${PUBSUB}"><subscribe node="in" jid="${SELF}"/></pubsub></iq>`,
      `<iq type="get" id="" from="${SELF}" to="${SERVICE}"><pubsub xmlns="${PUBSUB}"><items node="in" max_items="1"/></pubsub></iq>`,
    ])
    expect(at.subscriptions.states()).toEqual([{ name: `xmpp:${SERVICE}?;node=in`, confirmed: true, reason: '' }])
  })

  it('with an id of its own is not asked for a second time', async () => {
    const known = `<subscription jid='${SELF}' subid='1' subscription='subscribed'/>`
    const at = scene({ subscriptions: pubsub(`<subscriptions node='in'>${known}</subscriptions>`) })
    await confirmed(at)
    expect(at.requests('<subscribe ')).toBe(0)
  })

  const refusals: readonly [string, Partial<Service>, string][] = [
    ['a missing node', { subscribe: refusal('item-not-found') }, 'item-not-found'],
    ['a node that lets nobody in', { subscribe: refusal('not-allowed') }, 'not-allowed'],
    ['one that the owner has to approve of', { subscribe: subscribed('pending') }, 'pending (the node'],
    ['one that is refused in words', { subscribe: subscribed('none') }, 'none'],
  ]
  it.each(refusals)('to %s is not confirmed, is told of, and tried again until it is', async (_what, given, reason) => {
    const at = scene({ ...given, held: [item('1')] })
    await eventually(() => at.alarms.length > 1)
    expect(at.subscriptions.states()[0]).toMatchObject({ confirmed: false, reason: expect.stringContaining(reason) })
    at.hear(heard(item('0')))
    expect(at.counted).toEqual(['stranger'])
    at.service.subscribe = subscribed()
    await takes(at, '1=1')
  })

  it('is renewed with every stream, and the node read again', async () => {
    const at = scene({ held: [item('1')] })
    await takes(at, '1=1')
    at.connection.lose('closed')
    at.service.held = [item('1'), item('2')]
    at.connection.comeBack()
    await takes(at, '1=1', '2=2')
    expect(at.requests('<subscribe ')).toBe(2)
  })

  it('ends with its node, is told of, and is asked for again', async () => {
    const at = scene()
    await confirmed(at)
    at.service.subscribe = refusal('item-not-found')
    at.hear(event(`<delete node='in'/>`))
    expect(at.subscriptions.states()[0]).toMatchObject({ confirmed: false, reason: 'the node was deleted' })
    expect(at.alarms).toHaveLength(1)
    at.hear(heard(item('x')))
    at.service.subscribe = subscribed()
    at.service.held = [item('1')]
    await takes(at, '1=1')
  })

  it('that the service ends is asked for again', async () => {
    const at = scene()
    await confirmed(at)
    at.hear(event(`<subscription node='in' jid='${SELF}' subscription='none'/>`))
    await eventually(() => at.requests('<subscribe ') === 2)
    await confirmed(at)
  })
})

describe('what is heard', () => {
  it.each(['headline', 'normal', 'chat'])('in a message of type %s is taken in its order', async (type) => {
    const at = scene()
    await confirmed(at)
    for (const id of ['1', '2', '3']) at.hear(event(`<items node='in'>${item(id)}</items>`, { type }))
    await takes(at, '1=1', '2=2', '3=3')
  })

  const ignored: readonly [string, string][] = [
    ['from somebody else', event(`<items node='in'>${item('1')}</items>`, { from: 'evil.example.test' })],
    ['from a part of the service', event(`<items node='in'>${item('1')}</items>`, { from: `a@${SERVICE}` })],
    ['of another node', event(`<items node='out'>${item('1')}</items>`)],
    ['of no node', event(`<items>${item('1')}</items>`)],
    ['that retracts', event(`<items node='in'><retract id='1'/></items>`)],
    ['that purges', event(`<purge node='in'/>`)],
    ['of a configuration', event(`<configuration node='in'/>`)],
    ['with an item without id', event(`<items node='in'><item><o xmlns='urn:o'/></item></items>`)],
    ['that is empty', event('')],
  ]
  it.each(ignored)('%s is ignored and counted', async (_what, text) => {
    const at = scene()
    await confirmed(at)
    await eventually(() => at.requests('<items') >= 1)
    at.hear(text)
    expect(at.counted).toEqual(['stranger'])
    at.hear(heard(item('last')))
    await takes(at, 'last=last')
  })

  it('again is taken once, and again with other content', async () => {
    const at = scene({ held: [item('1')] })
    await takes(at, '1=1')
    at.hear(heard(item('1')))
    at.hear(heard(item('1', 'other')))
    await takes(at, '1=1', '1=other')
  })

  it('without its payload makes the node be read', async () => {
    const at = scene()
    await confirmed(at)
    at.service.held = [item('1')]
    at.hear(heard(`<item id='1'/>`))
    await takes(at, '1=1')
  })

  it('and can not be read makes the node be read', async () => {
    const at = scene()
    await confirmed(at)
    at.service.held = [item('1')]
    expect(at.subscriptions.miss('somebody.example.test')).toBe(false)
    expect(at.subscriptions.miss(SERVICE)).toBe(true)
    await takes(at, '1=1')
  })

  it('while the node is read comes behind what the node held, and an older state before the newer', async () => {
    let answer = () => {}
    const at = scene({ held: [item('1'), item('2', 'new'), item('3')] })
    const { items: answering } = at.service
    at.service.items = (request) => {
      if (request.includes('max_items')) return answering(request)
      answer = () => {
        const id = /id="(q\d+)"/.exec(request)![1]!
        at.connection.receive(answering(request)!.replaceAll('ID', id))
      }
      return undefined
    }
    await eventually(() => at.requests('<set ') === 1)
    at.hear(heard(item('2', 'old')))
    at.hear(heard(item('4')))
    answer()
    await takes(at, '1=1', '2=old', '2=new', '3=3', '4=4')
  })

  it.each([
    ['the service', 'service', SERVICE],
    ['its publisher', 'publisher', 'a@peer.example.test/X'],
  ] as const)('counts as sent by %s where the configuration says %s', async (_who, from, sender) => {
    const at = scene({}, from)
    await confirmed(at)
    at.hear(heard(`<item id='1' publisher='A@peer.example.test/X'><o xmlns='urn:o'/></item>`))
    at.hear(heard(item('2')))
    await eventually(() => at.taken.length === 2)
    expect(at.senders).toEqual([sender, SERVICE])
  })
})

describe('what can not be taken now', () => {
  it('holds back what is behind it, and is tried again', async () => {
    const at = scene({ held: ['1', '2', '3', '4'].map((id) => item(id)) })
    at.answers.push(
      { done: 1, later: { reason: 'full', afterMs: 5 } },
      { done: 0, later: { reason: 'full', afterMs: 5 } },
    )
    at.answers.push(new Error('Redis is away'))
    await takes(at, '1=1', '2=2', '3=3', '4=4')
  })

  it('and was heard is not lost, however much comes behind it', async () => {
    const at = scene()
    await confirmed(at)
    await eventually(() => at.requests('<items') >= 1)
    for (let n = 0; n < 20; n++) at.answers.push({ done: 0, later: { reason: 'full', afterMs: 5 } })
    const ids = Array.from({ length: 400 }, (_, n) => String(n))
    at.service.held = ids.map((id) => item(id))
    for (const id of ids) at.hear(heard(item(id)))
    await takes(at, ...ids.map((id) => `${id}=${id}`))
  })
})

describe('a node is read', () => {
  const ids = Array.from({ length: 250 }, (_, n) => `i${n}`)
  const all = ids.map((id) => `${id}=${id}`)

  /** XEP-0059 as ejabberd does it: the order of the list, cursors in both directions. */
  function paging(list: readonly string[], newest: string) {
    return (request: string) => {
      if (request.includes('max_items="1"')) return items(item(newest))
      const max = Number(/<max>(\d+)/.exec(request)![1])
      const after = /<after>(.*?)</.exec(request)?.[1]
      const before = /<before>(.*?)</.exec(request)?.[1]
      const end = before === undefined ? list.length : list.indexOf(before)
      const fromEnd = before !== undefined || request.includes('<before/>')
      const from = after === undefined ? 0 : list.indexOf(after) + 1
      const start = fromEnd ? Math.max(0, end - max) : from
      const page = list.slice(start, fromEnd ? end : start + max)
      const cursors = page.length === 0 ? '' : `<first>${page[0]}</first><last>${page.at(-1)}</last>`
      const set = `<set xmlns='http://jabber.org/protocol/rsm'>${cursors}<count>${list.length}</count></set>`
      return pubsub(`<items node='in'>${page.map((id) => item(id)).join('')}</items>${set}`)
    }
  }

  it('by pages, from the oldest on', async () => {
    const at = scene({ items: paging(ids, 'i249') })
    await takes(at, ...all)
  })

  it('by pages of a service that lists the newest first', async () => {
    const at = scene({ items: paging(ids.toReversed(), 'i249') })
    await takes(at, ...all)
  })

  it('in its order where the service lists the newest first', async () => {
    const held = [item('3'), item('2'), item('1')]
    const at = scene({ items: (request) => (request.includes('max_items') ? items(item('3')) : items(...held)) })
    await takes(at, '1=1', '2=2', '3=3')
  })

  it('again where it changed meanwhile', async () => {
    let asked = 0
    const at = scene({
      items: (request) => {
        if (!request.includes('max_items')) return items(item('1'), item('2'))
        asked += 1
        return items(item(asked === 1 ? '1' : '2'))
      },
    })
    await takes(at, '1=1', '2=2')
  })

  it('in parts where more is untaken than can be held', async () => {
    const at = scene({ items: paging(ids, 'i249') })
    await takes(at, ...all)
    // Each item counts as a mebibyte here: 32 of them at once.
    expect(at.requests('max_items="1"')).toBeGreaterThan(5)
  })

  const tooLarge = result()
  const listed = (...names: string[]) =>
    result(
      `<query xmlns='http://jabber.org/protocol/disco#items' node='in'>${names.map((name) => `<item jid='${SERVICE}' name='${name}'/>`).join('')}</query>`,
    )

  it('by the ids of its items where the whole is more than we read, and what can not be read is told of', async () => {
    const at = scene({
      ids: listed('5', '4', '3', '2', '1'),
      items: (request) => {
        if (request.includes('max_items="1"')) return items(item('5'))
        const asked = [...request.matchAll(/<item id="(\d)"/g)].map((match) => match[1]!)
        if (asked.length === 0 || asked.length > 2 || asked.includes('3')) return tooLarge
        return items(...asked.toReversed().map((id) => item(id)))
      },
    })
    await takes(at, '1=1', '2=2', '4=4', '5=5')
    expect(at.alarms).toEqual([expect.stringContaining('refused item 3')])
  })

  it('by the ids of its items where a name in one means nothing: that one is told of', async () => {
    const odd = `<item id='2'><p:o/></item>`
    const at = scene({
      ids: listed('3', '2', '1'),
      items: (request) => {
        if (request.includes('max_items="1"')) return items(item('3'))
        const asked = [...request.matchAll(/<item id="(\d)"/g)].map((match) => match[1]!)
        const held = asked.length === 0 ? ['1', '2', '3'] : asked
        return items(...held.map((id) => (id === '2' ? odd : item(id))))
      },
    })
    await takes(at, '1=1', '3=3')
    expect(at.alarms).toEqual([expect.stringMatching(/malformed: refused item 2 .*: .*p:o is not declared/)])
  })

  it('by the ids where the newest item is the one that is too large', async () => {
    const at = scene({
      ids: listed('3', '2', '1'),
      items: (request) => {
        const asked = [...request.matchAll(/<item id="(\d)"/g)].map((match) => match[1]!)
        if (asked.length === 0 || asked.includes('3')) return tooLarge
        return items(...asked.map((id) => item(id)))
      },
    })
    await takes(at, '1=1', '2=2')
  })

  it('in vain where it keeps nothing: what is heard is taken', async () => {
    const at = scene({ items: () => refusal('feature-not-implemented') })
    await confirmed(at)
    at.hear(heard(item('1')))
    await takes(at, '1=1')
    expect(at.alarms).toEqual([])
  })

  it('later where the service says no; that is told of, and the subscription asked for anew', async () => {
    const at = scene({ held: [item('1')] })
    const { items: answering } = at.service
    at.service.items = () => refusal('item-not-found')
    await eventually(() => at.alarms.length > 1)
    at.service.items = answering
    await takes(at, '1=1')
    expect(at.requests('<subscribe ')).toBeGreaterThan(1)
  })
})

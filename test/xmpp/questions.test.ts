import { describe, expect, it } from 'vitest'
import { reject } from '../../src/domain/rejection.ts'
import type { DeliveryTrace, Standing } from '../../src/flow/ports.ts'
import type { Questions, TraceAnswer, TrackAnswer } from '../../src/flow/questions.ts'
import type { Decision, HeldCondition } from '../../src/matching/matcher.ts'
import { createDispatch } from '../../src/xmpp/dispatch.ts'
import { fakeConnection } from './fake-connection.ts'
import { meaning, stanza } from './stanza.ts'

const ID = '01890a5d-ac96-774b-bcce-b302099a8057'
const addresses = `id='q' from='a@example.test/x' to='waybill.example.test'`
const back = `id='q' to='a@example.test/x' from='waybill.example.test'`
const error = (type: string, condition: string, rest = '') =>
  `<iq type='error' ${back}><error type='${type}'><${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>${rest}</error></iq>`
const text = (words: string) => `<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>${words}</text>`

const standing: Standing = {
  id: ID,
  type: 'order',
  receivedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5),
  state: 'dead',
  deliveries: 3,
  counts: { waiting: 1, delivered: 1, dead: 1, expired: 0, dropped: 0 },
  reasons: [{ state: 'dead', reason: 'refused', count: 1 }],
}

const delivery: DeliveryTrace = {
  id: `${ID}.0`,
  destination: 'xmpp:pubsub.example.test?;node=a&b',
  route: 'orders',
  state: 'waiting',
  tries: 2,
  dueAtMs: Date.UTC(2026, 0, 2, 3, 4, 6),
  behind: `${ID.slice(0, -1)}0.0`,
  attempts: [],
}

interface Answers {
  readonly track?: TrackAnswer
  readonly trace?: TraceAnswer
}

async function ask(request: string, answers: Answers): Promise<{ out: string; asked: unknown[] }> {
  const connection = fakeConnection()
  const asked: unknown[] = []
  const unexpected = new Error('nobody should have asked')
  const questions: Questions = {
    async track(id, from) {
      asked.push([id, from])
      if (!answers.track) throw unexpected
      return answers.track
    },
    async trace({ from }, as) {
      asked.push([from, as])
      if (!answers.trace) throw unexpected
      return answers.trace
    },
    offer() {
      throw unexpected
    },
  }
  const dispatch = createDispatch({
    maxStanzaBytes: 262_144,
    connection,
    outlet: { receipt: () => {}, bounce: () => {} },
    intake: () => Promise.reject(unexpected),
    questions,
    subscriptions: { hear: () => {}, miss: () => false },
    describe: () => ({ version: '1', types: [], limits: { documentBytes: 1, depth: 1, attributes: 1 } }),
    metrics: { rejected: () => {}, failed: () => {} },
    log: () => {},
  })
  dispatch.handle(stanza(request))
  await dispatch.idle()
  expect(connection.written).toHaveLength(1)
  return { out: connection.written[0]!, asked }
}

const track = (attributes: string) => `<iq type='get' ${addresses}><track xmlns='urn:waybill:0' ${attributes}/></iq>`
const trackHead = `<track xmlns='urn:waybill:0' id='${ID}' type='order' received='2026-01-02T03:04:05.000Z' state='dead' deliveries='3' waiting='1' delivered='1' dead='1' expired='0' dropped='0' held='0'>`
const reason = `<reason state='dead' name='refused' count='1'/>`

describe('track', () => {
  it('tells a sender counts and reasons', async () => {
    const { out, asked } = await ask(track(`id='${ID}'`), { track: { kind: 'found', standing } })
    expect(meaning(out)).toEqual(meaning(`<iq type='result' ${back}>${trackHead}${reason}</track></iq>`))
    expect(asked).toEqual([[ID, 'a@example.test/x']])
  })

  it('tells an administrator the deliveries too', async () => {
    const { out } = await ask(track(`id='${ID}'`), { track: { kind: 'found', standing, deliveries: [delivery] } })
    const one = `<delivery id='${ID}.0' destination='xmpp:pubsub.example.test?;node=a&amp;b' route='orders' state='waiting' tries='2' due='2026-01-02T03:04:06.000Z' behind='${delivery.behind}'/>`
    expect(meaning(out)).toEqual(meaning(`<iq type='result' ${back}>${trackHead}${reason}${one}</track></iq>`))
  })

  it('answers item-not-found for what is unknown or somebody else’s', async () => {
    const { out } = await ask(track(`id='${ID}'`), { track: { kind: 'not-found' } })
    expect(meaning(out)).toEqual(meaning(error('cancel', 'item-not-found')))
  })

  it('without an id is a bad request', async () => {
    const { out, asked } = await ask(track(''), {})
    expect(meaning(out)).toEqual(meaning(error('modify', 'bad-request', text('Cannot track: the id is missing'))))
    expect(asked).toEqual([])
  })

  it('tells as many deliveries as have room, and how many are left out', async () => {
    const deliveries = Array.from({ length: 1_000 }, (_, n) => ({ ...delivery, id: `${ID}.${n}` }))
    const { out } = await ask(track(`id='${ID}'`), { track: { kind: 'found', standing, deliveries } })
    expect(out.length).toBeLessThan(40_000)
    const shown = out.match(/<delivery /g)!.length
    expect(out).toContain(`<more count="${1_000 - shown}"/>`)
  })

  it('an iq of type set is a document, not a question', async () => {
    const connection = fakeConnection()
    const taken: string[] = []
    const dispatch = createDispatch({
      maxStanzaBytes: 262_144,
      connection,
      outlet: { receipt: () => {}, bounce: () => {} },
      intake: async ({ kind }) => {
        taken.push(kind)
        return { kind: 'ignored' }
      },
      questions: {
        track: () => Promise.reject(new Error()),
        trace: () => Promise.reject(new Error()),
        offer: () => ({ kind: 'offered', types: [] }),
      },
      subscriptions: { hear: () => {}, miss: () => false },
      describe: () => ({ version: '1', types: [], limits: { documentBytes: 1, depth: 1, attributes: 1 } }),
      metrics: { rejected: () => {}, failed: () => {} },
      log: () => {},
    })
    dispatch.handle(stanza(`<iq type='set' ${addresses}><track xmlns='urn:waybill:0' id='${ID}'/></iq>`))
    await dispatch.idle()
    expect(taken).toEqual(['iq'])
  })
})

describe('trace', () => {
  const trace = (attributes = '') =>
    `<iq type='get' ${addresses}><trace xmlns='urn:waybill:0' ${attributes}><order xmlns='urn:example:order'/></trace></iq>`
  const any: HeldCondition = {
    condition: 'any',
    expected: '(type: order) or (from: b)',
    found: 'type: order',
    alternatives: [
      { holds: true, conditions: [{ condition: 'type', expected: 'order', found: 'order', holds: true }] },
      { holds: false, conditions: [{ condition: 'from', expected: 'b', found: 'a', holds: false }] },
    ],
  }
  const decision: Decision = {
    deliveries: [
      {
        destination: { kind: 'jid', jid: 'erp@example.test' },
        route: 'orders',
        options: { retry: 'default', confirm: 'none', confirmTimeoutMs: 1 },
        priority: 0,
      },
    ],
    impossible: [],
    routes: ['orders'],
    refused: [{ route: 'orders', destination: '{to}@example.test', reason: 'empty', value: '' }],
  }
  const accepted: Extract<TraceAnswer, { kind: 'traced' }> = {
    kind: 'traced',
    full: false,
    trace: {
      verdict: 'accepted',
      type: 'order',
      findings: [],
      fields: { currency: ['USD'], to: [''] },
      decision,
      explanation: {
        routes: [
          { route: 'orders', outcome: 'matches', held: [any], destinations: [] },
          {
            route: 'eur',
            outcome: 'fails',
            held: [],
            failed: {
              condition: 'c',
              expected: 'EUR',
              found: 'USD',
              message: 'fields.currency: expected EUR, found USD',
            },
            destinations: [],
          },
          {
            route: 'rest',
            outcome: 'not asked',
            held: [],
            notAsked: { because: 'otherwise', by: 'orders' },
            destinations: [],
          },
        ],
        more: 0,
        decision,
      },
    },
  }

  it('tells a sender the verdict, the type and counts, and no destinations', async () => {
    const { out, asked } = await ask(trace(), { trace: accepted })
    const reasons = `<reason name='empty' count='1'/>`
    const said = `<trace xmlns='urn:waybill:0' verdict='accepted' type='order' findings='0' deliveries='1' impossible='0'>${reasons}</trace>`
    expect(meaning(out)).toEqual(meaning(`<iq type='result' ${back}>${said}</iq>`))
    expect(asked).toEqual([['a@example.test/x', undefined]])
  })

  it('tells an administrator every route with its outcome, and the destinations', async () => {
    const { out, asked } = await ask(trace(`from='B@Example.test'`), { trace: { ...accepted, full: true } })
    const fields = `<field name='currency' value='USD'/><field name='to' value=''/>`
    const routes =
      `<route name='orders' outcome='matches'>` +
      `<condition name='any' expected='(type: order) or (from: b)' found='type: order' holds='true'>` +
      `<group holds='true'><condition name='type' expected='order' found='order' holds='true'/></group>` +
      `<group holds='false'><condition name='from' expected='b' found='a' holds='false'/></group></condition></route>` +
      `<route name='eur' outcome='fails' failed='fields.currency: expected EUR, found USD'>` +
      `<condition name='c' expected='EUR' found='USD' holds='false'/></route>` +
      `<route name='rest' outcome='not asked' because='otherwise' by='orders'/>`
    const destinations =
      `<destination name='erp@example.test' route='orders'/>` +
      `<destination name='{to}@example.test' route='orders' refused='empty' value=''/>`
    const head = `<trace xmlns='urn:waybill:0' verdict='accepted' type='order' findings='0' deliveries='1' impossible='0'>`
    expect(meaning(out)).toEqual(
      meaning(`<iq type='result' ${back}>${head}${fields}${routes}${destinations}</trace></iq>`),
    )
    expect(asked).toEqual([['a@example.test/x', 'b@example.test']])
  })

  it('says how many routes are left out', async () => {
    const { trace: told } = accepted
    if (told.verdict !== 'accepted') throw new Error('Cannot be')
    const answer = { ...accepted, full: true, trace: { ...told, explanation: { ...told.explanation!, more: 99_997 } } }
    const { out } = await ask(trace(`from='B@Example.test'`), { trace: answer })
    expect(out).toMatch(/<route name="rest"[^>]*><\/route><more count="99997"\/><destination/)
  })

  it('a document that would be rejected is a result that says why', async () => {
    const finding = { layer: 'xsd', rule: 'r', severity: 'error', path: '/order', message: 'no number' } as const
    const rejection = reject('invalid', 'The document is not a valid order: 1 finding', [finding])
    const answer: TraceAnswer = {
      kind: 'traced',
      full: false,
      trace: { verdict: 'rejected', type: 'order', version: '2.1', rejection },
    }
    const { out } = await ask(trace(), { trace: answer })
    const said = `<trace xmlns='urn:waybill:0' verdict='rejected' type='order' version='2.1' reason='invalid' findings='1'><text>The document is not a valid order: 1 finding</text><finding layer='xsd' rule='r' severity='error' path='/order'>no number</finding></trace>`
    expect(meaning(out)).toEqual(meaning(`<iq type='result' ${back}>${said}</iq>`))
  })

  it('who may not ask is told so', async () => {
    const { out } = await ask(trace(), { trace: { kind: 'rejected', rejection: reject('not-allowed', 'no') } })
    const rejection = `<rejection xmlns='urn:waybill:0' reason='not-allowed' findings='0'/>`
    expect(meaning(out)).toEqual(meaning(error('auth', 'forbidden', text('no') + rejection)))
  })

  it('in the name of what is no address is a bad request', async () => {
    const { out, asked } = await ask(trace(`from='@'`), {})
    expect(meaning(out)).toEqual(meaning(error('modify', 'bad-request', text('Cannot trace: from is not a JID'))))
    expect(asked).toEqual([])
  })
})

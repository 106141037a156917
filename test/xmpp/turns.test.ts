import { describe, expect, it } from 'vitest'
import type { AttemptOutcome, DeliveryOptions, Destination } from '../../src/domain/delivery.ts'
import type { StartedAttempt } from '../../src/flow/ports.ts'
import { createOutlet } from '../../src/xmpp/outlet.ts'
import { createTurns } from '../../src/xmpp/turns.ts'
import { eventually } from '../eventually.ts'
import { fakeConnection } from './fake-connection.ts'

const ENVELOPE = '01890a5d-ac96-774b-bcce-b302099a8057'
const ERP = 'erp@backend.example.test'
const NODE: Destination = { kind: 'node', service: 'pubsub.example.test', node: 'orders' }
const SUSPECT = `${ENVELOPE}.0`

function attempt(index: number, rest: Partial<StartedAttempt> = {}, options: Partial<DeliveryOptions> = {}) {
  return {
    id: `${ENVELOPE}.${index}`,
    envelopeId: ENVELOPE,
    tries: 1,
    destination: { kind: 'jid', jid: ERP },
    route: 'all',
    options: { retry: 'default', confirm: 'none', confirmTimeoutMs: 5_000, ...options },
    type: 'order',
    from: 'a@example.test/x',
    receivedAtMs: 0,
    sinceMs: 0,
    hops: 0,
    form: 'element',
    mediaType: 'application/xml',
    rootName: 'order',
    datatype: '',
    payload: new TextEncoder().encode('<order xmlns=""/>'),
    ...rest,
  } as const satisfies StartedAttempt
}

function scene({ proofTimeoutMs = 30_000 } = {}) {
  const connection = fakeConnection()
  const clock = { nowMs: 0 }
  const outlet = createOutlet({
    connection,
    host: 'example.test',
    proofTimeoutMs,
    maxStanzaBytes: 10_000,
    toElement: () => undefined,
    onBounce: () => {},
    now: () => clock.nowMs,
    log: () => {},
  })
  const had: string[] = []
  const outcomes = new Map<string, AttemptOutcome>()
  const send = (one: StartedAttempt) =>
    void outlet.send(one, () => had.push(one.id)).then((outcome) => outcomes.set(one.id, outcome))
  /** What was written, as `ping`, `node`, or the number of the delivery. */
  const seen = () =>
    connection.written.map((text) => {
      if (text.includes('urn:xmpp:ping')) return 'ping'
      if (!text.includes('<publish '))
        return text.includes('<order') ? (/ id="[^"]*\.(\d+)"/.exec(text)?.[1] ?? '') : 'node'
      return 'publish'
    })
  const answer = (at: number, from: string) =>
    connection.receive(`<iq type='result' id='${/ id="([^"]*)"/.exec(connection.written[at]!)![1]}' from='${from}'/>`)
  const writes = (...expected: readonly string[]) =>
    eventually(() => seen().join() === expected.join(), { what: `the writes ${expected.join()}` })
  return {
    connection,
    clock,
    send,
    seen,
    writes,
    had,
    outcomes,
    pong: (at: number) => answer(at, 'example.test'),
    answer,
  }
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 20))

describe('an attempt that has to be alone', () => {
  it('is written when the server has had everything before, and others when it has had this one', async () => {
    const one = scene()
    one.send(attempt(1))
    one.send(attempt(0, { alone: 'until-had' }))
    one.send(attempt(2))
    await one.writes('1', 'ping')
    await settle()
    expect(one.seen(), 'nothing else is written').toEqual(['1', 'ping'])
    one.pong(1)
    await one.writes('1', 'ping', '0', 'ping')
    await settle()
    expect(one.seen()).toHaveLength(4)
    expect(one.had).toEqual([])
    one.pong(3)
    await one.writes('1', 'ping', '0', 'ping', '2', 'ping')
    expect(one.had).toEqual([SUSPECT])
    expect(one.outcomes.get(SUSPECT)).toEqual({ kind: 'delivered', proof: 'handed-over' })
  })

  const confirmed: readonly [string, ReturnType<typeof attempt>][] = [
    ['a receipt', attempt(0, { alone: 'until-had' }, { confirm: 'receipt' })],
    ['an iq result', attempt(0, { alone: 'until-had' }, { confirm: 'iq' })],
  ]
  it.each(confirmed)('and has %s to wait for keeps nobody waiting for it', async (_what, suspect) => {
    const one = scene()
    one.send(suspect)
    one.send(attempt(2))
    await one.writes('0', 'ping')
    one.pong(1)
    await one.writes('0', 'ping', '2', 'ping')
    expect(one.had).toEqual([SUSPECT])
    expect(one.outcomes.has(SUSPECT)).toBe(false)
  })

  it('may publish: the node is looked after before, and the ping follows the item', async () => {
    const one = scene()
    one.connection.answerWith((request) =>
      request.includes('urn:xmpp:ping') || request.includes('<publish ')
        ? undefined
        : `<iq type='result' id='ID' from='pubsub.example.test'/>`,
    )
    one.send(attempt(0, { alone: 'until-had', destination: NODE }, { create: {} }))
    await eventually(() => one.seen().at(-1) === 'ping' && one.seen().at(-2) === 'publish')
    expect(
      one
        .seen()
        .slice(0, -2)
        .every((what) => what === 'node'),
    ).toBe(true)
  })

  it('until it ends keeps the others waiting until then', async () => {
    const one = scene()
    one.send(attempt(0, { alone: 'until-ended' }, { confirm: 'iq' }))
    one.send(attempt(2))
    await one.writes('0')
    await settle()
    expect(one.seen()).toEqual(['0'])
    one.answer(0, ERP)
    await one.writes('0', '2', 'ping')
    expect(one.outcomes.get(SUSPECT)).toEqual({ kind: 'delivered', proof: 'result' })
    expect(one.had).toEqual([])
  })

  it.each([{}, { confirm: 'receipt' } as const])(
    'and stops the server reading is why the stream is given up: %j',
    async (options) => {
      const one = scene({ proofTimeoutMs: 30 })
      one.send(attempt(0, { alone: 'until-had' }, options))
      one.send(attempt(2))
      await eventually(() => one.outcomes.size === 2)
      expect(one.connection.online).toBe(false)
      expect(one.outcomes.get(SUSPECT)).toEqual({
        kind: 'void',
        reason: expect.stringContaining('the server read nothing more after what was sent alone'),
        closed: true,
      })
      expect(one.outcomes.get(`${ENVELOPE}.2`)).toMatchObject({ kind: 'void' })
      expect(one.had).toEqual([])
    },
  )

  it('and closes the stream is the only one that may be why', async () => {
    const one = scene()
    one.send(attempt(1, {}, { confirm: 'iq' }))
    await one.writes('1')
    one.send(attempt(0, { alone: 'until-had' }))
    one.send(attempt(2))
    await one.writes('1', 'ping')
    one.pong(1)
    await one.writes('1', 'ping', '0', 'ping')
    one.connection.lose('policy-violation', 'the server says policy-violation')
    await eventually(() => one.outcomes.size === 3)
    expect(one.outcomes.get(SUSPECT)).toMatchObject({ kind: 'void', closed: true })
    for (const id of [`${ENVELOPE}.1`, `${ENVELOPE}.2`]) {
      const outcome = one.outcomes.get(id)!
      expect(outcome.kind === 'void' && outcome.closed).toBe(undefined)
    }
    expect(one.had).toEqual([])
  })

  it('and was not written when the stream closed is not why', async () => {
    const one = scene()
    one.send(attempt(1))
    one.send(attempt(0, { alone: 'until-had' }))
    await one.writes('1', 'ping')
    one.connection.lose('policy-violation', 'the server says policy-violation')
    await eventually(() => one.outcomes.size === 2)
    expect(one.outcomes.get(SUSPECT)).toEqual({ kind: 'void', reason: 'the connection is offline' })
    expect(one.outcomes.get(`${ENVELOPE}.1`)).toMatchObject({ kind: 'void', closed: true })
  })
})

it('what waits until nothing is alone is not written when its time is over by then', async () => {
  const one = scene()
  const suspects = [0, 1].map((index) => attempt(index, { alone: 'until-ended' }, { confirm: 'iq' }))
  for (const suspect of suspects) one.send(suspect)
  one.send(attempt(2, { expiresAtMs: 10 }))
  await one.writes('0')
  one.answer(0, ERP)
  await one.writes('0', '1')
  one.clock.nowMs = 10
  one.answer(1, ERP)
  await eventually(() => one.outcomes.size === 3)
  expect(one.outcomes.get(`${ENVELOPE}.2`)).toEqual({ kind: 'expired' })
  expect(one.seen()).toEqual(['0', '1'])
})

describe('turns', () => {
  function taking() {
    const turns = createTurns({ isQuiet: true, giveUp: () => {} }, async () => 'handed-over')
    const ends = new Map<string, () => void>()
    const take = (name: string, alone?: 'until-had' | 'until-ended') => {
      const write = () => new Promise<string>((resolve) => ends.set(name, () => resolve(name)))
      void turns.take(alone ? { alone } : {}, () => {}, write, 'lost')
    }
    const written = async () => {
      await settle()
      return [...ends.keys()].join(' ')
    }
    return { take, written, end: (name: string) => ends.get(name)!() }
  }

  it('are taken one after the other by what has to be alone, and by all others together', async () => {
    const { take, written, end } = taking()
    for (const name of ['a', 'b', 'c']) take(name, 'until-ended')
    for (const name of ['d', 'e']) take(name)
    const seen: string[] = []
    for (const name of ['a', 'b', 'c']) {
      seen.push(await written())
      end(name)
    }
    expect([...seen, await written()]).toEqual(['a', 'a b', 'a b c', 'a b c d e'])
  })

  it('are left once: the end of what the server has had long since gives away no other one', async () => {
    const { take, written, end } = taking()
    take('had', 'until-had')
    expect(await written()).toBe('had')
    take('alone', 'until-ended')
    expect(await written()).toBe('had alone')
    end('had')
    await settle()
    take('other')
    expect(await written()).toBe('had alone')
    end('alone')
    expect(await written()).toBe('had alone other')
  })
})

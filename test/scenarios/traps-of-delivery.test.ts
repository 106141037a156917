import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { scenarioFolder } from './folder.ts'
import { stateOf, whenNothingIsUnderWay } from './state.ts'
import { answer, becomes, cli, messagesWith, question } from './traps.ts'
import { acceptedId, attribute, type Installation, install, order, rejectedAs } from './waybill.ts'

/** What has gone wrong in the best products of this kind behind the acknowledgement, each proven not to happen here. */

const ROUTES = `
kind: Route
name: confirmed
when: { type: order, fields: { number: [{ prefix: "CONFIRMED-" }] } }
deliver: [{ jid: desk@other.example.test/iq, confirm: iq, confirmTimeout: 60s, retry: paced }]
---
kind: Route
name: in-order
when: { type: order, fields: { number: [{ prefix: "LANE-" }] } }
deliver: [{ jid: lane@other.example.test/iq, confirm: iq, confirmTimeout: 60s, retry: paced }]
order: { by: sender }
---
kind: Policy
name: paced
deliveries: 5
backoff: { first: 1500ms, factor: 4, max: 10s, jitter: 0 }
`
const REFUSED = 'resource-constraint'

describe('behind the acknowledgement', () => {
  let at: Installation
  let redis: Redis
  beforeAll(async () => {
    const config = scenarioFolder({ 'routes/delivery.yaml': ROUTES, 'samples/order.xml': order('CONFIRMED-tried') })
    at = await install({ kind: 'ejabberd', config, redisConfig: { appendfsync: 'always' } })
    redis = new Redis(at.redis.url, { retryStrategy: () => 50 })
    redis.on('error', () => {})
  })
  afterAll(async () => {
    redis?.disconnect()
    await at?.stop()
  })

  const deliveryBy = async (id: string, route: string) =>
    (await at.trace(id)).deliveries.find((delivery) => delivery.route === route)!
  const resultsOf = async (id: string, route: string) =>
    (await deliveryBy(id, route)).attempts.map(({ result }) => result)

  describe('trap 5 (Vector)', () => {
    it('a destination that fails is tried again by itself: the others get the document once', async () => {
      const id = acceptedId(await at.submit(order('CONFIRMED-once')))
      for (let refusals = 0; refusals < 2; refusals++) {
        answer(at, await question(at, 'CONFIRMED-once'), 'wait', REFUSED)
      }
      answer(at, await question(at, 'CONFIRMED-once'), 'result', '')
      await becomes(at, id, 'delivered')
      expect(await resultsOf(id, 'confirmed')).toEqual([REFUSED, REFUSED, 'result'])
      expect(await resultsOf(id, 'orders')).toEqual(['handed-over'])
      expect(messagesWith(at, 'CONFIRMED-once')).toHaveLength(1)
    })

    it('what is not kept is not acknowledged', async () => {
      const before = (await at.ledger()).documents
      const refused = [
        await at.submit(order('CONFIRMED-invalid', { currency: 'euro' })),
        await at.submit('<x xmlns="urn:example:nobody"/>'),
        await at.submit(order('CONFIRMED-stranger'), { from: 'a@peer.example.test/1', to: 'nobody.example.test' }),
      ]
      for (const one of refused) {
        expect(attribute(one, 'type')).toBe('error')
        expect(one).not.toContain('<accepted')
      }
      const kept = acceptedId(await at.submit(order('CONFIRMED-kept')))
      expect((await at.ledger()).documents.accepted).toBe(before.accepted + 1)
      answer(at, await question(at, 'CONFIRMED-kept'), 'result', '')
      await becomes(at, kept, 'delivered')
    })
  })

  describe('trap 6 (EMQX)', () => {
    it('what expires after it was acknowledged has a recorded end, a count and a report', async () => {
      const before = await at.ledger()
      const document = order('CONFIRMED-expires')
      const submit = `<submit xmlns='urn:waybill:0' expires='PT1S' report='all'>${document}</submit>`
      const id = acceptedId(await at.submit(submit))
      answer(at, await question(at, 'CONFIRMED-expires'), 'wait', REFUSED)
      await becomes(at, id, 'expired')
      expect(await deliveryBy(id, 'confirmed')).toMatchObject({ state: 'expired', reason: 'expired' })
      const after = await at.ledger()
      expect(after.deliveries.expired).toBe(before.deliveries.expired + 1)
      expect(after.balanced).toBe(true)
      const report = await at.peer.next((stanza) => stanza.startsWith('<message') && stanza.includes(id))
      expect(report).toMatch(/state=(["'])expired\1/)
    })

    it('to try a document out runs nothing', async () => {
      const sample = join(at.folder, 'samples', 'order.xml')
      const before = await whenNothingIsUnderWay(at)
      const explained = await cli(at, 'explain', sample, '--from', 'a@peer.example.test')
      expect(explained.stdout).toContain('desk@other.example.test/iq')
      expect((await cli(at, 'test')).code).toBe(0)
      const trace = `<trace xmlns='urn:waybill:0' from='a@peer.example.test'>${readFileSync(sample, 'utf8')}</trace>`
      at.peer.send(`<iq type='get' id='tried' from='ops@peer.example.test/1' to='waybill.example.test'>${trace}</iq>`)
      expect(await at.peer.next((stanza) => attribute(stanza, 'id') === 'tried')).toContain(
        'desk@other.example.test/iq',
      )
      expect(await stateOf(at)).toEqual(before)
    })
  })

  describe('trap 7 (RabbitMQ)', () => {
    it('a poison document is a dead letter without anything set up for it, and none of its neighbours is', async () => {
      const POISON = 3
      const numbers = Array.from({ length: 8 }, (_, n) => `CONFIRMED-neighbour-${n}.`)
      const ids = await Promise.all(numbers.map(async (number) => acceptedId(await at.submit(order(number)))))
      const asked = await Promise.all(numbers.map((number) => question(at, number)))
      asked.forEach((iq, n) => {
        if (n === POISON) answer(at, iq, 'modify', 'not-acceptable')
        else answer(at, iq, 'result', '')
      })
      for (const [n, id] of ids.entries()) {
        const { deliveries } = await becomes(at, id, n === POISON ? 'dead' : 'delivered')
        const { attempts } = deliveries.find(({ route }) => route === 'confirmed')!
        expect(attempts.map(({ result }) => result)).toEqual([n === POISON ? 'not-acceptable' : 'result'])
      }
    })

    it('a dead letter that fails again when it is redriven is a dead letter again', async () => {
      const id = acceptedId(await at.submit(order('CONFIRMED-again')))
      answer(at, await question(at, 'CONFIRMED-again'), 'modify', 'not-acceptable')
      await becomes(at, id, 'dead')
      const delivery = (await deliveryBy(id, 'confirmed')).id
      expect((await cli(at, 'dead', 'redrive', delivery)).code).toBe(0)
      answer(at, await question(at, 'CONFIRMED-again'), 'cancel', 'gone')
      await eventually(async () => (await deliveryBy(id, 'confirmed')).state === 'dead')
      expect(await resultsOf(id, 'confirmed')).toEqual(['not-acceptable', 'redriven', 'gone'])
      expect((await cli(at, 'dead', 'ls', '--route', 'confirmed')).stdout).toContain(delivery)
    })
  })

  it('trap 8 (NATS): what was refused comes again after the pause of its policy, and a restart makes that no shorter', async () => {
    const id = acceptedId(await at.submit(order('CONFIRMED-paced')))
    answer(at, await question(at, 'CONFIRMED-paced'), 'wait', REFUSED)
    answer(at, await question(at, 'CONFIRMED-paced'), 'wait', REFUSED)
    // What is under way has no result yet.
    const refusals = async () => (await resultsOf(id, 'confirmed')).filter((result) => result === REFUSED)
    await eventually(async () => (await refusals()).length === 2, { what: 'both refusals to be recorded' })
    await at.kill()
    await at.restart()
    answer(at, await question(at, 'CONFIRMED-paced'), 'result', '')
    await becomes(at, id, 'delivered')
    const { attempts } = await deliveryBy(id, 'confirmed')
    const [first, second, third] = attempts.filter(({ result }) => result !== 'void')
    expect(second!.atMs - (first!.atMs + first!.tookMs!)).toBeGreaterThanOrEqual(1_450)
    expect(third!.atMs - (second!.atMs + second!.tookMs!)).toBeGreaterThanOrEqual(5_950)
  })

  it('an answer that nobody knows is not taken for a yes', async () => {
    const id = acceptedId(await at.submit(order('CONFIRMED-unknown')))
    answer(at, await question(at, 'CONFIRMED-unknown'), 'cancel', 'subscription-required')
    await becomes(at, id, 'dead')
    expect(await deliveryBy(id, 'confirmed')).toMatchObject({ reason: 'refused' })
  })

  it('trap 10 (Confluent): a dead letter that can not be written is no line in a log: the sender hears wait', async () => {
    const unrouted = `<order xmlns='urn:example:secret'/>`
    const options = { from: 'boss@peer.example.test', id: 'unwritten' }
    await redis.config('SET', 'min-replicas-to-write', '1')
    const refused = await at.submit(unrouted, options)
    await redis.config('SET', 'min-replicas-to-write', '0')
    expect(refused).toMatch(/<error\b[^>]*type=(["'])wait\1/)
    expect(rejectedAs(refused)).toBe('unavailable')
    const accepted = await at.submit(unrouted, options)
    expect(accepted).not.toContain('duplicate')
    const trace = await becomes(at, acceptedId(accepted), 'dead')
    expect(trace).toMatchObject({ reason: 'no-route' })
  })

  describe('trap 15 (BullMQ)', () => {
    const jobs = () => redis.keys('*:bull:wakes:[0-9]*')

    it('a duplicate is still one when the job that brought its document is long gone', async () => {
      const document = order('JOBLESS')
      const first = acceptedId(await at.submit(document, { id: 'jobless' }))
      await becomes(at, first, 'delivered')
      await eventually(async () => (await jobs()).length === 0, { what: 'no job to be left' })
      const second = await at.submit(document, { id: 'jobless' })
      expect(second).toMatch(/duplicate=(["'])true\1/)
      expect(acceptedId(second)).toBe(first)
    })

    it('a retry goes to no tail: those behind it in the order wait for it', async () => {
      const numbers = ['LANE-first', 'LANE-second', 'LANE-third']
      for (const number of numbers) await at.submit(order(number))
      answer(at, await question(at, 'LANE-'), 'wait', REFUSED)
      for (const number of numbers) {
        const asked = await question(at, 'LANE-')
        expect(asked).toContain(number)
        answer(at, asked, 'result', '')
      }
    })

    it('what has ended leaves nothing in the queue, and a Redis that is full is not called healthy', async () => {
      const id = acceptedId(await at.submit(order('FINISHED')))
      await becomes(at, id, 'delivered')
      await eventually(async () => (await jobs()).length === 0)
      for (const key of await redis.keys('*:bull:*')) {
        const text = (await redis.type(key)) === 'hash' ? JSON.stringify(await redis.hgetall(key)) : ''
        expect(text).not.toContain('urn:example:order')
      }
      const ready = async () => (await fetch(`${at.waybill.ready.http}/readyz`)).status
      expect(await ready()).toBe(200)
      await redis.config('SET', 'maxmemory', '1')
      try {
        await eventually(async () => (await ready()) === 503)
        expect(rejectedAs(await at.submit(order('TOO-MUCH')))).toBe('unavailable')
      } finally {
        await redis.config('SET', 'maxmemory', '0')
      }
      await eventually(async () => (await ready()) === 200)
    })
  })
})

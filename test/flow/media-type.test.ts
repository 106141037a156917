import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { rehydrate } from '../../src/documents/documents.ts'
import { sendAgain } from '../../src/flow/again.ts'
import { stanzaOf } from '../documents/given.ts'
import { routeOf, toJid } from '../matching/samples.ts'
import { closeStores } from '../redis/fixtures.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { ERP, type Flow, flowOn, order } from './rooms.ts'

let redis: RunningRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())
afterEach(closeStores)

const CSV = 'text/csv; charset=iso-8859-1; header=absent'
const routes = [routeOf('all', { deliver: [toJid(ERP)] })]

async function taken(flow: Flow, type: string, content = 'a;b'): Promise<string> {
  const data = `<data xmlns='urn:xmpp:bob' type='${type}'>${Buffer.from(content).toString('base64')}</data>`
  const reply = await flow.take(stanzaOf(`<iq type='set' id='1' from='clerk@shop.example/desk'>${data}</iq>`))
  if (reply.kind !== 'accepted') throw new Error(JSON.stringify(reply))
  return reply.accepted[0]!.id
}

/** The media type as the outlet was given it, and its name. */
async function sentAs(flow: Flow): Promise<readonly (string | undefined)[]> {
  await flow.deliverer.deliver(await flow.store.due(10))
  await flow.deliverer.idle()
  const { contentType, mediaType } = flow.sent.at(-1)!
  return [contentType, mediaType]
}

describe('the media type of a sealed document goes out as it came', () => {
  it.each([
    ['by the process that accepted it', true],
    ['read back from Redis', false],
  ])('%s', async (_, atOnce) => {
    const flow = await flowOn(redis.url, { routes, atOnce })
    const id = await taken(flow, CSV)
    expect(await sentAs(flow)).toEqual([CSV, 'text/csv'])
    expect(await flow.store.trace(id)).toMatchObject({ mediaType: 'text/csv', contentType: CSV })
    const plain = await taken(flow, 'text/csv', 'c;d')
    expect(await sentAs(flow)).toEqual([undefined, 'text/csv'])
    expect(Object.keys((await flow.store.trace(plain))!)).not.toContain('contentType')
  })

  it('and from the archive', async () => {
    const flow = await flowOn(redis.url, {
      routes,
      storeOptions: { archive: { keepMs: 9_000, count: 9, bytes: 9_999, types: [] } },
    })
    const id = await taken(flow, CSV)
    await sentAs(flow)
    const { store, ruling, clock: now } = flow
    const result = await sendAgain(id, { by: 'ops', reason: 'lost' }, { store, ruling, rehydrate, now })
    expect(result.kind).toBe('done')
    expect(await sentAs(flow)).toEqual([CSV, 'text/csv'])
    expect(flow.sent).toHaveLength(2)
  })

  it.each([
    ['with opaque content, which is taken to be alike', CSV, 'a;b', 'c;d', [CSV, 'text/csv']],
    [
      'without them with XML, which says itself how it is encoded',
      'application/xml; charset=us-ascii',
      order('7'),
      `<?xml version="1.0" encoding="iso-8859-1"?>${order('7', 'USD')}`,
      [undefined, 'application/xml'],
    ],
  ])('and redriven %s', async (_, type, content, other, expected) => {
    const flow = await flowOn(redis.url, { routes })
    flow.outcome = () => ({ kind: 'refused', answer: { condition: 'forbidden', type: 'auth', text: 'not you' } })
    const id = await taken(flow, type, content)
    expect(await sentAs(flow)).toEqual([type, type.split(';')[0]])
    const order = { by: 'ops@example.org', document: Buffer.from(other) }
    expect(await flow.operations.redrive(id, order)).toMatchObject({ kind: 'done' })
    expect(await sentAs(flow)).toEqual(expected)
    expect(String(flow.sent.at(-1)!.payload)).toBe(other)
  })
})

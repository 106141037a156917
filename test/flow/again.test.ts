import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { rehydrate } from '../../src/documents/documents.ts'
import { sendAgain } from '../../src/flow/again.ts'
import { stanzaOf } from '../documents/given.ts'
import { routeOf, toJid } from '../matching/samples.ts'
import { closeStores } from '../redis/fixtures.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { ERP, type Flow, flowOn, order, rulingOf } from './rooms.ts'

let redis: RunningRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())
afterEach(closeStores)

const archive = { keepMs: 3_600_000, count: 100, bytes: 1 << 20, types: [] }

async function archivedOn(flow: Flow): Promise<string> {
  const submit = `<submit xmlns='urn:waybill:0' report='all'>${order('7')}</submit>`
  const reply = await flow.take(stanzaOf(`<iq type='set' id='1' from='clerk@shop.example/desk'>${submit}</iq>`))
  if (reply.kind !== 'accepted') throw new Error(`Expected accepted, not ${JSON.stringify(reply)}`)
  return reply.accepted[0]!.id
}

const again = (flow: Flow, id: string, dryRun = false) =>
  sendAgain(
    id,
    { by: 'ops', reason: 'lost', dryRun },
    { store: flow.store, ruling: flow.ruling, rehydrate, now: flow.clock },
  )

describe('a document that is sent again from the archive', () => {
  it('is one of its own, by the routes of now, whatever its key and its report were', async () => {
    const flow = await flowOn(redis.url, { storeOptions: { archive } })
    const id = await archivedOn(flow)
    flow.ruling = await rulingOf([
      routeOf('new', { when: { type: ['order'] }, deliver: [toJid('new@backend.example')] }),
    ])
    expect(await again(flow, id, true)).toEqual({ kind: 'done', id: '', to: ['new@backend.example'] })
    expect((await flow.store.ledger()).documents.accepted).toBe(1)
    const result = await again(flow, id)
    if (result.kind !== 'done') throw new Error(result.reason)
    const trace = (await flow.store.trace(result.id))!
    expect(trace).toMatchObject({
      state: 'waiting',
      again: { of: id, by: 'ops', reason: 'lost' },
      submit: {},
      fields: { id: ['7'] },
      deliveries: [{ destination: 'new@backend.example' }],
    })
    expect((await flow.store.trace(id))!.deliveries.map(({ destination }) => destination)).toEqual([ERP])
    expect((await flow.store.archived({})).map((one) => one.id)).toEqual([id])
  })

  it('is refused where it is not there, and where no route takes it', async () => {
    const flow = await flowOn(redis.url, { storeOptions: { archive } })
    expect(await again(flow, 'nothing')).toEqual({ kind: 'refused', reason: 'is not in the archive' })
    const id = await archivedOn(flow)
    flow.ruling = await rulingOf([])
    expect(await again(flow, id)).toEqual({ kind: 'refused', reason: 'matches no route' })
    const nowhere = toJid('{currency}@backend.example', { allow: 'usd@backend.example' })
    flow.ruling = await rulingOf([routeOf('nowhere', { deliver: [nowhere] })])
    expect(await again(flow, id)).toEqual({ kind: 'refused', reason: 'makes no address that may be used' })
  })
})

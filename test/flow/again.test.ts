import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { rehydrate } from '../../src/documents/documents.ts'
import type { DocumentType } from '../../src/domain/document-type.ts'
import { sendAgain } from '../../src/flow/again.ts'
import { bundle, documentsFor, ORDER_XSD, stanzaOf, typeOf } from '../documents/given.ts'

import { routeOf, toJid } from '../matching/samples.ts'
import { closeStores } from '../redis/fixtures.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { ERP, type Flow, flowOn, order, rulingOf, types } from './rooms.ts'

let redis: RunningRedis
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())
afterEach(closeStores)

const archive = { keepMs: 3_600_000, count: 100, bytes: 1 << 20, types: [] }

async function archivedOn(flow: Flow, document = order('7'), version = ''): Promise<string> {
  const submit = `<submit xmlns='urn:waybill:0' report='all'${version}>${document}</submit>`
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

  it('is refused where it is none of its type any more, or not a valid one', async () => {
    const flow = await flowOn(redis.url, { storeOptions: { archive } })
    const id = await archivedOn(flow)
    const note = await archivedOn(flow, '<note xmlns="urn:note"/>')
    const withTypes = async (all: readonly DocumentType[]) => {
      flow.ruling = {
        ...(await rulingOf([routeOf('all', { deliver: [toJid(ERP)] })])),
        documents: await documentsFor(all),
      }
    }
    const others = types().filter(({ name }) => name !== 'order')
    const otherwise = 'is no document of type order by the configuration of now'
    await withTypes(others)
    expect(await again(flow, id)).toEqual({ kind: 'refused', reason: otherwise })
    await withTypes([...others, typeOf('invoice', { identify: { xml: { root: '{urn:order}order' } } })])
    expect(await again(flow, id)).toEqual({ kind: 'refused', reason: otherwise })
    const stricter = bundle('xsd', { 'order.xsd': ORDER_XSD.replace('name="id"', 'name="number"') })
    await withTypes([...others, typeOf('order', { schema: stricter })])
    expect(await again(flow, id)).toEqual({
      kind: 'refused',
      reason: 'is not a valid order by the configuration of now: 1 finding',
    })
    await withTypes([...others, typeOf('order', { schema: { ...stricter, onInvalid: 'warn' } })])
    expect(await again(flow, id, true)).toMatchObject({ kind: 'done' })
    expect(await again(flow, note, true)).toMatchObject({ kind: 'done' })
    expect((await flow.store.ledger()).documents.accepted).toBe(2)
  })

  it('keeps its version, and its fields are read anew', async () => {
    const flow = await flowOn(redis.url, { storeOptions: { archive } })
    const id = await archivedOn(flow, '<reading xmlns="urn:reading" unit="m"/>', " version='1'")
    const first = routeOf('first', { when: { type: ['reading'], version: ['reading@1'] }, deliver: [toJid(ERP)] })
    const newer = types().map((type) =>
      type.version === '1' ? { ...type, fields: { size: { xpath: '/t:reading/@unit' } } } : type,
    )
    flow.ruling = { ...(await rulingOf([first])), documents: await documentsFor(newer) }
    const result = await again(flow, id)
    if (result.kind !== 'done') throw new Error(result.reason)
    expect(await flow.store.trace(result.id)).toMatchObject({
      version: '1',
      fields: { size: ['m'] },
      origin: { from: 'clerk@shop.example/desk', stanzaId: '', item: '' },
    })
  })

  it('has what can not be addressed as a dead letter, beside what goes', async () => {
    const flow = await flowOn(redis.url, { storeOptions: { archive } })
    const id = await archivedOn(flow)
    const nowhere = toJid('{currency}@backend.example', { allow: 'usd@backend.example' })
    flow.ruling = await rulingOf([routeOf('both', { deliver: [toJid(ERP), nowhere] })])
    const result = await again(flow, id)
    if (result.kind !== 'done') throw new Error(result.reason)
    expect(result.to).toEqual([ERP])
    expect((await flow.store.trace(result.id))!.deliveries.map(({ state }) => state)).toEqual(['waiting', 'dead'])
  })

  it('is refused while there is no room for it', async () => {
    const flow = await flowOn(redis.url, { storeOptions: { archive, limits: { waiting: 1 } } })
    const id = await archivedOn(flow)
    expect(await again(flow, id)).toEqual({ kind: 'refused', reason: 'can not be taken now: overloaded' })
  })

  it('without a type is matched as it is', async () => {
    const flow = await flowOn(redis.url, {
      routes: [routeOf('all', { deliver: [toJid(ERP)] })],
      storeOptions: { archive },
    })
    const data = `<data xmlns='urn:xmpp:bob' type='text/csv'>${Buffer.from('a;b').toString('base64')}</data>`
    const result = await again(flow, await archivedOn(flow, data))
    expect(result).toMatchObject({ kind: 'done', to: [ERP] })
  })
})

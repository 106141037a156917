import { createHash } from 'node:crypto'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { OpenBreaker } from '../../src/domain/breaker.ts'
import type { PlannedDelivery } from '../../src/domain/delivery.ts'
import type { AttemptEnd } from '../../src/flow/ports.ts'
import type { RedisStore } from '../../src/redis/store.ts'
import { type RunningRedis, startRedis } from '../servers/redis.ts'
import { inconsistencies } from './consistency.ts'
import { acceptance, balances, closeStores, freshId, freshPrefix, openTestStore, plan, setClock } from './fixtures.ts'
import { createModel, LEASE_MS, type ModelDelivery, seededRandom } from './model.ts'

const BY = { by: 'ops' }

let redis: RunningRedis
let client: Redis

beforeAll(async () => {
  redis = await startRedis()
  client = new Redis(redis.url)
})
afterEach(closeStores)
afterAll(async () => {
  client?.disconnect()
  await redis?.stop()
})

const STEPS = 180
const KEPT = { ms: 400_000, finished: 8, dead: 6, bounceMs: 100_000 }
const DESTINATIONS = ['a@x.example', 'b@x.example', 'c@x.example']
const KINDS = ['delivered', 'proven', 'retry', 'void', 'closed', 'closed', 'closed', 'dead', 'expired'] as const
const HOWS: Readonly<Partial<Record<string, { kind: 'void'; closed: true } | { kind: 'delivered'; proven: true }>>> = {
  closed: { kind: 'void', closed: true },
  proven: { kind: 'delivered', proven: true },
}

async function openWorld(seed: number) {
  const random = seededRandom(seed)
  const below = (count: number) => Math.floor(random() * count)
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!
  const clock = setClock(1_800_000_000_000)
  const prefix = freshPrefix()
  const retention = {
    ...{ finishedMs: KEPT.ms, finishedCount: KEPT.finished, deadMs: KEPT.ms, deadCount: KEPT.dead },
    heldMs: KEPT.ms,
  }
  // In half of the worlds a document's second delivery is written after it, and its third after that.
  const expansion = seed % 2 === 0 ? { atOnce: 1, part: 1 } : { atOnce: 1_000, part: 500 }
  const options = { prefix, clock, retention, expansion, bounceWindowMs: KEPT.bounceMs }
  const stores: Record<string, RedisStore> = {
    one: await openTestStore(redis.url, { ...options, instance: 'one' }),
    two: await openTestStore(redis.url, { ...options, instance: 'two' }),
  }
  return {
    random,
    below,
    pick,
    clock,
    prefix,
    stores,
    atOnce: expansion.atOnce,
    model: createModel(clock, KEPT),
    tokens: new Map() as Tokens,
  }
}

/** Of the attempts of each delivery, in their order. */
type Tokens = Map<string, string[]>

type World = Awaited<ReturnType<typeof openWorld>>

function planSome({ below, pick, clock }: World, least: number): { planned: PlannedDelivery[]; known: Known[] } {
  const planned: PlannedDelivery[] = []
  const known: Known[] = []
  for (const to of DESTINATIONS.slice(0, Math.max(least, below(DESTINATIONS.length + 1)))) {
    const lane = below(3) > 0 ? pick(['l', 'm']) : undefined
    const expiresMs = below(6) === 0 ? 1_000 + below(60_000) : undefined
    const route = pick(['r', 'route with spaces'])
    planned.push(plan({ to, route, ...(lane && { lane }), ...(expiresMs && { expiresMs }) }))
    known.push({ to, route, lane, expiresAtMs: expiresMs && clock() + expiresMs })
  }
  return { planned, known }
}

type Known = Pick<ModelDelivery, 'to' | 'route' | 'lane' | 'expiresAtMs'>

const indexOf = (id: string) => Number(id.split('.')[1])

function anyDelivery({ model, pick }: World): string {
  const all = model.deliveries()
  return all.length === 0 ? `${freshId()}.0` : pick(all).id
}

function anyWaiting(world: World): string {
  const waiting = world.model.deliveries().filter(({ state, holder }) => state === 'waiting' && !holder)
  return waiting.length === 0 ? anyDelivery(world) : world.pick(waiting).id
}

function anyHeld({ model, pick, below }: World): string {
  const all = [...model.documents.values()].filter(({ own }) => below(5) === 0 || own === 'held')
  return all.length === 0 ? freshId() : pick(all).id
}

function underWay({ model, pick }: World): string | undefined {
  const held = model.deliveries().filter(({ holder }) => holder !== undefined)
  return held.length === 0 ? undefined : pick(held).id
}

function remember({ tokens }: World, id: string, token: string | undefined): void {
  tokens.set(id, [...(tokens.get(id) ?? []), token!])
}

/** Which attempt is meant: any that the delivery has had, or none is said; and whether another one has followed it. */
function anyAttempt({ tokens, below, pick }: World, id: string): { token?: string; isOver: boolean } {
  const known = tokens.get(id) ?? []
  if (known.length === 0 || below(3) === 0) return { isOver: false }
  const token = below(2) === 0 ? known.at(-1)! : pick(known)
  return { token, isOver: token !== known.at(-1) }
}

async function startBoth(world: World, ids: readonly string[], instance: string): Promise<void> {
  const { model, stores } = world
  const started = await stores[instance]!.start(ids, [])
  for (const { id, token } of started) remember(world, id, token)
  const expected = model.start(ids, instance).map((id) => model.deliveries().find((one) => one.id === id)!)
  expect(started.map(({ id, tries }) => ({ id, tries }))).toEqual(expected.map(({ id, tries }) => ({ id, tries })))
}

async function reclaimBoth({ model, stores }: World): Promise<void> {
  const { deliveries, dead } = await stores.one!.reclaim()
  expect({ deliveries, dead: dead.toSorted() }).toEqual(model.reclaim('one'))
}

const steps: Readonly<Record<string, (world: World) => Promise<void>>> = {
  async accept(world) {
    const { planned, known } = planSome(world, 0)
    const payload = 'x'.repeat(world.below(100))
    const report = world.pick(['delivered', 'failed', 'all', undefined] as const)
    const type = world.pick(['order', 'invoice'])
    const reports = report && { report }
    const one = acceptance({ type, payload, receivedAtMs: world.clock(), deliveries: planned, ...reports })
    const begin = [...planned.keys()].slice(0, world.atOnce).filter(() => world.below(2) === 0)
    const [answer] = await world.stores.one!.accept([{ ...one, begin }])
    const { id } = one.envelope
    world.model.accept(id, type, known, payload.length, report)
    const begun = world.model.start(
      begin.map((index) => `${id}.${index}`),
      'one',
    )
    const token = answer?.kind === 'accepted' ? answer.begun?.token : undefined
    for (const delivery of begun) remember(world, delivery, token)
    const expected = begun.length > 0 && { begun: { indexes: begun.map(indexOf), token } }
    expect(answer).toEqual({ kind: 'accepted', id, ...expected })
    // Something else comes between.
    await steps[world.pick(DECK)]!(world)
    while ((await world.stores.one!.expand()).more);
  },
  async start(world) {
    const instance = world.pick(['one', 'one', 'two'])
    const ids = Array.from({ length: 1 + world.below(5) }, () => anyDelivery(world))
    await startBoth(world, ids, instance)
  },
  async startDue(world) {
    const ids = await world.stores.one!.due(4)
    world.model.takeBack(({ leaseEndMs }) => leaseEndMs <= world.clock())
    for (const id of ids) expect(world.model.isHead(world.model.deliveries().find((one) => one.id === id)!)).toBe(true)
    await startBoth(world, ids, 'one')
  },
  async end(world) {
    const id = (world.below(8) > 0 && underWay(world)) || anyDelivery(world)
    const instance = world.below(5) > 0 ? 'one' : 'two'
    const kind = world.pick(KINDS)
    const dueAtMs = world.clock() + world.below(20_000)
    const record = { atMs: world.clock(), result: 'x' }
    const { token, isOver } = anyAttempt(world, id)
    const end = { id, token, kind, ...HOWS[kind], dueAtMs, reason: 'refused', record } as AttemptEnd
    const freed = await world.stores[instance]!.end(end)
    expect(freed).toEqual(isOver ? [] : world.model.end(id, instance, kind, dueAtMs))
  },
  async prolong(world) {
    const id = underWay(world) ?? anyDelivery(world)
    const instance = world.pick(['one', 'two'])
    const { token, isOver } = anyAttempt(world, id)
    await world.stores[instance]!.prolong([{ id, ...(token && { token }) }])
    if (!isOver) world.model.prolong(id, instance)
  },
  async startSuspect(world) {
    const instance = world.pick(['one', 'two'])
    const may = world.model.suspectsDue()
    const started = await world.stores[instance]!.startSuspect()
    if (!started) {
      expect(may).toEqual([])
      return
    }
    expect(may).toContain(started.id)
    expect(started.alone).toBeDefined()
    remember(world, started.id, started.token)
    world.model.startSuspect(started.id, instance)
  },
  async cleared(world) {
    const id = underWay(world) ?? anyDelivery(world)
    const instance = world.pick(['one', 'two'])
    const { token, isOver } = anyAttempt(world, id)
    await world.stores[instance]!.cleared({ id, ...(token && { token }) })
    if (!isOver) world.model.cleared(id, instance)
  },
  async bounce(world) {
    const id = anyDelivery(world)
    const from = world.pick([...DESTINATIONS, world.model.deliveries().find((one) => one.id === id)?.to ?? ''])
    const dueAtMs = world.below(2) === 0 ? undefined : world.clock() + world.below(5_000)
    const then = dueAtMs === undefined ? ({ dead: 'bounced' } as const) : { dueAtMs }
    const record = { atMs: world.clock(), result: 'bounced' }
    expect(await world.stores.one!.bounce(id, from, then, record)).toBe(world.model.bounce(id, from, dueAtMs))
  },
  async redrive(world) {
    const dead = world.model.deliveries().filter(({ state }) => state === 'dead')
    const id = dead.length > 0 && world.below(4) > 0 ? world.pick(dead).id : anyDelivery(world)
    const keepPlace = world.below(2) === 0
    expect(await world.stores.one!.redrive(id, { ...BY, keepPlace })).toBe(world.model.redrive(id, keepPlace))
  },
  async replan(world) {
    const [id] = [...world.model.documents.values()].filter(({ own }) => own === 'dead').map((document) => document.id)
    const { planned, known } = planSome(world, 1)
    const chosen = id ?? freshId()
    expect(await world.stores.one!.replan(chosen, planned, BY)).toBe(
      world.model.replan(chosen, receivedThen(world, chosen, known)),
    )
  },
  async rematch(world) {
    const dead = world.model.deliveries().filter(({ state }) => state === 'dead')
    const id = dead.length > 0 && world.below(6) > 0 ? world.pick(dead).id : anyDelivery(world)
    const { planned, known } = planSome(world, 1)
    const keepPlace = world.below(2) === 0
    expect(await world.stores.one!.replan(id, planned, { ...BY, keepPlace })).toBe(
      world.model.rematch(id, receivedThen(world, id.split('.')[0]!, known), keepPlace),
    )
  },
  async hold(world) {
    const payload = 'x'.repeat(world.below(100))
    const report = world.pick(['delivered', 'failed', 'all', undefined] as const)
    const holding = { findings: [], total: 1 }
    const changes = { payload, receivedAtMs: world.clock(), holding, ...(report && { report }) }
    const one = acceptance(changes)
    expect((await world.stores.one!.accept([one]))[0]!.kind).toBe('accepted')
    world.model.accept(one.envelope.id, 'order', [], payload.length, report, true)
  },
  async release(world) {
    const id = anyHeld(world)
    const { planned, known } = planSome(world, 0)
    const order = { by: 'ops', reason: 'agreed' }
    expect(await world.stores.one!.plan(id, { fields: {}, deliveries: planned }, order)).toBe(
      world.model.release(id, receivedThen(world, id, known)),
    )
  },
  async refuse(world) {
    const id = anyHeld(world)
    const reason = world.pick(['not wanted', 'sent by hand'])
    expect(await world.stores.one!.refuse(id, { by: 'ops@x.example', reason })).toBe(world.model.refuse(id, reason))
  },
  async drop(world) {
    const bare = [...world.model.documents.values()].filter(({ deliveries }) => deliveries.length === 0)
    const id = bare.length > 0 && world.below(3) === 0 ? world.pick(bare).id : anyDelivery(world)
    const reason = world.pick(['not wanted', 'sent by hand'])
    expect(await world.stores.one!.drop(id, reason, 'ops@x.example')).toBe(world.model.drop(id, reason))
  },
  async park(world) {
    const id = (world.below(2) === 0 && underWay(world)) || anyDelivery(world)
    expect(await world.stores.one!.park(id, 'later', 'ops@x.example')).toBe(world.model.park(id))
  },
  async expire(world) {
    expect((await world.stores.one!.expire(1_000)).toSorted()).toEqual(world.model.expire().toSorted())
  },
  async report(world) {
    const owed = [...world.model.documents.values()].filter((document) => document.owed > 0)
    if (owed.length === 0) return
    const document = world.pick(owed)
    // A report of an earlier end, handed over late, settles nothing.
    const end = document.owed - world.below(2)
    await world.stores.one!.reported([{ envelopeId: document.id, end }])
    if (end === document.owed) document.owed = 0
  },
  async reclaim(world) {
    await reclaimBoth(world)
  },
  async closeThrice(world) {
    const id = anyWaiting(world)
    const end = {
      kind: 'void',
      closed: true,
      dueAtMs: world.clock(),
      record: { atMs: world.clock(), result: 'x' },
    } as const
    for (let time = 0; time < 3; time += 1) {
      await startBoth(world, [id], 'one')
      expect(await world.stores.one!.end({ id, ...end })).toEqual(world.model.end(id, 'one', 'closed', world.clock()))
    }
  },
  async dieThrice(world) {
    const id = anyWaiting(world)
    for (let time = 0; time < 3; time += 1) {
      await startBoth(world, [id], 'two')
      await reclaimBoth(world)
    }
  },
  async prune(world) {
    expect(await world.stores.one!.prune()).toBe(world.model.prune())
  },
  async open({ pick, stores, model, clock }) {
    const to = pick(DESTINATIONS)
    await stores.one!.keepOpen([{ destination: to, breaker: opened(clock()) }])
    model.open.add(to)
  },
  async close({ pick, stores, model, clock }) {
    const to = pick(DESTINATIONS)
    const { ids } = await stores.one!.letGo(to)
    const mayGo = model.close(to)
    for (const id of ids) {
      expect(mayGo).toContain(id)
      const delivery = model.find(id)!
      delivery.dueMs = Math.min(delivery.dueMs, clock())
    }
  },
  async probe({ stores, model, clock }) {
    const probes = await stores.one!.probes(DESTINATIONS)
    for (const [at, id] of probes.entries()) {
      if (id === undefined) continue
      const delivery = model.find(id)!
      expect({ ...delivery, isHead: model.isHead(delivery), isOpen: model.open.has(delivery.to) }).toMatchObject({
        to: DESTINATIONS[at],
        state: 'waiting',
        holder: undefined,
        isHead: true,
        isOpen: true,
      })
      delivery.probe = true
      delivery.dueMs = Math.min(delivery.dueMs, clock())
    }
  },
  async lapse({ stores, model }) {
    const allowedMs = 300_000
    for (const { id, destination } of await stores.one!.lapse(new Map(), allowedMs)) {
      const delivery = model.find(id)!
      expect(delivery).toMatchObject({ to: destination, state: 'waiting', holder: undefined })
      expect(model.open).toContain(destination)
      model.giveUp(id)
    }
  },
  async wait(world) {
    world.clock.nowMs += world.pick([1, 1_000, 30_000, LEASE_MS])
  },
}

const opened = (nowMs: number): OpenBreaker => ({
  kind: 'open',
  sinceMs: nowMs,
  condition: 'timeout',
  text: '',
  failedAtMs: nowMs,
  probes: 0,
  nextProbeMs: nowMs,
  firstMs: 1_000,
  maxMs: 60_000,
  late: false,
})

// `expires` counts from receipt, which for a replanned document was earlier.
function receivedThen({ model, clock }: World, id: string, known: Known[]): Known[] {
  const document = model.documents.get(id)
  const passedMs = document ? clock() - document.receivedMs : 0
  return known.map((one) => ({ ...one, expiresAtMs: one.expiresAtMs && one.expiresAtMs - passedMs }))
}

const WEIGHTS: readonly [keyof typeof steps, number][] = [
  ['accept', 6],
  ['start', 4],
  ['startDue', 5],
  ['startSuspect', 3],
  ['prolong', 2],
  ['closeThrice', 1],
  ['dieThrice', 1],
  ['cleared', 1],
  ['end', 11],
  ['bounce', 2],
  ['redrive', 2],
  ['replan', 1],
  ['rematch', 2],
  ['hold', 3],
  ['release', 2],
  ['refuse', 1],
  ['drop', 2],
  ['park', 2],
  ['expire', 2],
  ['report', 2],
  ['reclaim', 2],
  ['prune', 1],
  ['open', 1],
  ['close', 1],
  ['probe', 2],
  ['lapse', 1],
  ['wait', 3],
]
const DECK = WEIGHTS.flatMap(([name, weight]) => Array.from({ length: weight }, () => name))

const ids = (all: readonly { readonly id: string }[]) => all.map(({ id }) => id).sort()

async function compare(world: World): Promise<void> {
  const { model, stores, prefix } = world
  const ledger = await stores.one!.ledger()
  expect(ledger).toMatchObject(model.ledger())
  expect(await balances(stores.one!)).toEqual([])
  const keys = ['ready', 'later', 'suspects', 'underway', 'expiring', 'dead', 'finished'].map((name) =>
    client.zrange(`{${prefix}:0}:${name}`, '0', '-1'),
  )
  const [ready, later, suspects, held, expiring, dead, finished] = await Promise.all(keys)
  const waiting = model.deliveries().filter(({ state }) => state === 'waiting')
  const heads = waiting.filter((one) => one.holder === undefined && model.isHead(one))
  const sha = (to: string) => createHash('sha1').update(to).digest('hex')
  const barredAt = (to: string) => client.zrange(`{${prefix}:0}:barred:${sha(to)}`, '0', '-1')
  const barred = (await Promise.all([...model.open].map(barredAt))).flat()
  const unsuspected = ids(heads.filter((one) => !model.isSuspect(one)))
  expect([...new Set([...ready!, ...later!, ...barred])].sort()).toEqual(unsuspected)
  expect(suspects!.sort()).toEqual(ids(heads.filter(model.isSuspect)))
  for (const to of DESTINATIONS) {
    if (!model.open.has(to)) expect(later).toEqual(expect.arrayContaining(await barredAt(to)))
  }
  expect(barred).toEqual(expect.arrayContaining(await client.zrange(`{${prefix}:0}:lapsing`, '0', '-1')))
  expect(new Set((await stores.one!.openDestinations()).map(({ destination }) => destination))).toEqual(model.open)
  expect(held!.sort()).toEqual(ids(waiting.filter(({ holder }) => holder)))
  const mayExpire = waiting.filter(({ holder, expiresAtMs }) => !holder && expiresAtMs !== undefined)
  expect(expiring!.sort()).toEqual(ids(mayExpire))
  const documents = [...model.documents.values()].filter(({ gone }) => !gone)
  const owed = documents.filter((document) => document.owed > 0)
  const reports = (await stores.one!.owedReports(1_000)).map(({ envelopeId, end }) => ({ id: envelopeId, owed: end }))
  expect(new Set(reports)).toEqual(new Set(owed.map(({ id, owed }) => ({ id, owed }))))
  const deadDocuments = documents.filter(({ own }) => own === 'dead')
  expect(dead!.sort()).toEqual(ids([...model.deliveries().filter(({ state }) => state === 'dead'), ...deadDocuments]))
  const ended = documents.filter((document) => !['waiting', 'held', 'dead'].includes(model.stateOf(document)))
  expect(finished!.sort()).toEqual(ids(ended))
  const documentsWaiting = documents.filter((document) => model.stateOf(document) === 'waiting').length
  const senders = documentsWaiting === 0 ? {} : { 'shop@suppliers.example': String(documentsWaiting) }
  expect(await client.hgetall(`{${prefix}:0}:senders`)).toEqual(senders)
  const isHeld = documents.filter(({ own }) => own === 'held')
  expect((await stores.one!.held({})).map(({ id }) => id).sort()).toEqual(ids(isHeld))
  const holding = isHeld.length === 0 ? {} : { 'shop@suppliers.example': String(isHeld.length) }
  expect(await client.hgetall(`{${prefix}:0}:holding`)).toEqual(holding)
  const spared = ended.filter(({ reopenableMs, bytes }) => reopenableMs >= world.clock() && bytes > 0)
  const reopenable = await client.zrange(`{${prefix}:0}:reopenable`, '0', '-1')
  expect(reopenable).toEqual(expect.arrayContaining(ids(spared)))
  await compareLanes(world, waiting)
}

/** Each lane holds what waits in it, in the order that the model says. */
async function compareLanes({ stores, prefix }: World, waiting: readonly ModelDelivery[]): Promise<void> {
  const inLanes = waiting.filter(({ lane }) => lane !== undefined).sort((one, other) => one.place - other.place)
  const keys = new Set(inLanes.map(({ lane, to }) => `${lane} ${to}`))
  const expected = [...keys].map((key) => inLanes.filter(({ lane, to }) => `${lane} ${to}` === key).map(({ id }) => id))
  const names = await client.keys(`{${prefix}:0}:lane:*`)
  const found = await Promise.all(names.map((name) => client.zrange(name, '0', '-1')))
  expect(new Set(found)).toEqual(new Set(expected))
  const held = expected.filter((lane) => lane.length > 1).map(([id, ...others]) => ({ id, waiting: others.length }))
  expect(new Set((await stores.one!.lanes()).map(({ id, waiting }) => ({ id, waiting })))).toEqual(new Set(held))
}

async function compareTraces({ model, stores }: World): Promise<void> {
  for (const document of model.documents.values()) {
    const trace = await stores.one!.trace(document.id)
    expect(trace === undefined).toBe(document.gone)
    if (!trace) continue
    expect(trace.state).toBe(model.stateOf(document))
    const seen = trace.deliveries.map(({ id, state, attempts }) => ({ id, state, records: attempts.length }))
    const expected = document.deliveries.map(({ id, state, records, holder }) => ({
      id,
      state,
      records: Math.min(25, records) + (holder ? 1 : 0),
    }))
    expect(seen).toEqual(expected)
  }
}

describe('random transitions leave the store as the model says', () => {
  it.each(Array.from({ length: 16 }, (_, index) => index + 1))('seed %i', async (seed) => {
    const world = await openWorld(seed)
    for (let step = 0; step < STEPS; step++) {
      await steps[world.pick(DECK)]!(world)
      await compare(world)
    }
    await compareTraces(world)
    expect(await inconsistencies(client, world.prefix)).toEqual([])
  })
})
